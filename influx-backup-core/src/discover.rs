//! [`discover`]: from a location to a [`Cluster`].

mod catalog;
mod decide;
mod engine;
mod prefix;
mod survey;

use crate::{
    cluster::{Cluster, DiscoverOptions},
    error::{Error, Result},
    location::{Location, Provider},
    preflight,
};

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
pub async fn discover(location: &Location, what: &DiscoverOptions) -> Result<Cluster> {
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

impl Cluster {
    /// Looks again, in the same way.
    ///
    /// # Errors
    /// As for [`discover`](crate::discover()).
    pub async fn rediscover(&self) -> Result<Self> {
        match &self.looked_for {
            Some(what) => discover(self.location(), what).await,
            None => Ok(self.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
