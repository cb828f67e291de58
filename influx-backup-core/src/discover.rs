//! [`discover`]: from a location to a [`Cluster`].

mod catalog;
mod cluster;
mod decide;
mod engine;
mod prefix;
mod survey;

pub use self::cluster::{
    CatalogNode, Classified, Cluster, ClusterDescription, Edition, FoundGeneration, GenerationState, Node, Note,
    Object, Role,
};
use crate::{
    error::{Error, Result},
    location::{Location, Provider},
    preflight,
};

/// The code of the note that a location is a finished backup.
pub(crate) const FINISHED_BACKUP: &str = "backup";

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discover {
    /// The cluster id, where it is known (Enterprise).
    pub cluster_id: Option<String>,
    /// The node ids, where they are known. All of the cluster's.
    pub node_ids: Vec<String>,
    /// Nodes that store nothing.
    pub query_only: Vec<String>,
    /// Nodes to leave out of the backup, by name.
    pub leave_out: Vec<String>,
}

impl Discover {
    /// Find everything.
    #[must_use]
    pub fn auto() -> Self {
        Self::default()
    }

    /// This cluster.
    #[must_use]
    pub fn with_cluster_id(mut self, id: impl Into<String>) -> Self {
        self.cluster_id = Some(id.into());
        self
    }

    /// This node, and the others named.
    #[must_use]
    pub fn with_node(mut self, id: impl Into<String>) -> Self {
        self.node_ids.push(id.into());
        self
    }

    /// This node stores nothing.
    #[must_use]
    pub fn with_query_only(mut self, id: impl Into<String>) -> Self {
        self.query_only.push(id.into());
        self
    }

    /// Leave this node out of the backup.
    #[must_use]
    pub fn leaving_out(mut self, id: impl Into<String>) -> Self {
        self.leave_out.push(id.into());
        self
    }
}

/// Finds the cluster at a location. Only lists and reads, and never lists tables or compacted data in full.
///
/// # Errors
/// - [`Error::MemoryLocation`], [`Error::LocationNotFound`];
/// - [`Error::NoCluster`] for an empty or foreign location, one that is a level too deep or too shallow, and a
///   repository of backups (a single backup is discovered like the cluster it holds, with a note);
/// - [`Error::SeveralClusters`], [`Error::NodesRequired`], [`Error::UnknownId`]: an id must be given, or mended;
/// - [`Error::InvalidRequest`], [`Error::InvalidKey`] for ids that contradict one another or that no key can be;
/// - [`Error::UpgradedEngine`];
/// - [`Error::Store`], [`Error::Link`] where the location cannot be read.
pub async fn discover(location: &Location, what: &Discover) -> Result<Cluster> {
    let allowed = cfg!(any(test, feature = "testing"));
    if location.provider() == Provider::Memory && !allowed {
        return Err(Error::MemoryLocation);
    }
    if !matches!(location.provider(), Provider::File | Provider::Memory) {
        preflight::source(location).await?;
    }
    let survey = survey::survey(location, what).await?;
    let description = decide::decide(&survey, what)?;
    // Looking again finds the same cluster, also where another one has appeared beside it.
    let mut again = what.clone();
    match &description.cluster_id {
        Some(id) => again.cluster_id = Some(id.clone()),
        None => again.node_ids = description.nodes.iter().map(|node| node.id.clone()).collect(),
    }
    Ok(Cluster::new(location.clone(), description).found_by(again))
}

#[cfg(test)]
mod tests;
