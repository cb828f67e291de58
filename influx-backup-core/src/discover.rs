//! [`discover`]: from a location to a [`Cluster`].

mod catalog;
mod decide;
mod engine;
mod prefix;
mod source;
mod survey;

pub use self::source::Source;
use crate::{
    cluster::{Around, Cluster, DiscoverOptions},
    error::Result,
    inventory::Inventory,
    job::{Request, RunContext},
    location::{Location, Provider},
    preflight,
};
#[cfg(doc)]
use crate::{error::Error, inventory::LISTING_ORDER};

/// Finds the cluster at a location. Only lists and reads, and never lists tables or compacted data in full.
///
/// The job fails with
/// - [`Error::LocationNotFound`];
/// - [`Error::NoCluster`] for an empty or foreign location, one that is a level too deep or too shallow, and a
///   repository of backups (a single backup is discovered like the cluster it holds, with a note);
/// - [`Error::SeveralClusters`], [`Error::NodesRequired`], [`Error::UnknownId`]: an id must be given, or corrected;
/// - [`Error::InvalidRequest`], [`Error::InvalidKey`] for ids that contradict one another or that no key can be;
/// - [`Error::UpgradedEngine`];
/// - [`Error::Store`], [`Error::Link`] where the location cannot be read.
///
/// Its progress counts the objects that are listed.
pub fn discover(location: &Location, options: &DiscoverOptions) -> Request<Cluster> {
    let location = location.clone();
    let options = options.clone();
    Request::new("discover", location.to_string(), |context| async move {
        let counted = context.events.counting(&location);
        let cluster = context.unless_cancelled(find(&counted, &options)).await?;
        Ok(cluster.with_location(location))
    })
}

/// Discovers within another job.
pub(crate) async fn find(location: &Location, what: &DiscoverOptions) -> Result<Cluster> {
    look(location, what, Around::of(what)).await
}

async fn look(location: &Location, what: &DiscoverOptions, around: Around) -> Result<Cluster> {
    if !matches!(location.provider(), Provider::File | Provider::Memory) {
        preflight::source(&first_asked(location, what.cluster_id.as_deref(), around)?).await?;
    }
    let survey = survey::survey(location, what, around).await?;
    let mut description = decide::decide(&survey, what)?;
    description.notes.extend(location.passed_over());
    // Looking again finds the same cluster, also where another one has appeared beside it.
    let mut again = what.clone();
    match &description.cluster_id {
        Some(id) => again.cluster_id = Some(id.clone()),
        None => again.node_ids = description.nodes.iter().map(|node| node.id.clone()).collect(),
    }
    Ok(Cluster::new(location.clone(), description).found_by(again, around))
}

/// What is asked for before a run: with all ids given the prefix of the cluster. Credentials need not reach further.
fn first_asked(location: &Location, cluster_id: Option<&str>, around: Around) -> Result<Location> {
    match cluster_id {
        Some(id) if around == Around::Unseen => location.child(id),
        _ => Ok(location.clone()),
    }
}

impl Cluster {
    /// Asks for the cluster before a run.
    ///
    /// # Errors
    /// As for [`preflight::source`].
    pub(crate) async fn ask(&self) -> Result<()> {
        let around = self.looked_for.as_ref().map_or(Around::Seen, |(_, around)| *around);
        let id = self.description().cluster_id.as_deref();
        preflight::source(&first_asked(self.location(), id, around)?).await
    }

    /// The same cluster, whose listings count as progress of a job.
    pub(crate) fn counted_by(self, context: &RunContext) -> Self {
        let location = context.events.counting(self.location());
        self.with_location(location)
    }

    /// Lists the cluster once, group by group, in the constant order of [`LISTING_ORDER`].
    ///
    /// Its progress counts the objects that are listed. The job fails with [`Error::Store`], [`Error::InvalidKey`],
    /// [`Error::Link`].
    pub fn list(&self) -> Request<Inventory> {
        let cluster = self.clone();
        Request::new("list_cluster", self.id().to_owned(), |context| async move {
            let cluster = cluster.counted_by(&context);
            context.unless_cancelled(Inventory::list(&cluster)).await
        })
    }

    /// Looks again, in the same way, within another job.
    pub(crate) async fn rediscover(&self) -> Result<Self> {
        match &self.looked_for {
            Some((what, around)) => look(self.location(), what, *around).await,
            None => Ok(self.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
