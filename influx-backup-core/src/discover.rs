//! [`discover`]: from a location to a [`Cluster`].

mod catalog;
mod decide;
mod engine;
mod prefix;
mod survey;

#[cfg(doc)]
use crate::error::Error;
use crate::{
    cluster::{Cluster, DiscoverOptions},
    error::Result,
    job::{ObjectEvents, RunContext, request},
    location::{Location, Provider},
    preflight,
};

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
pub fn discover(location: &Location, options: &DiscoverOptions) -> DiscoverRequest {
    DiscoverRequest { location: location.clone(), options: options.clone(), object_events: ObjectEvents::default() }
}

/// A discovery about to start. Its progress counts the objects that are listed.
#[derive(Debug)]
#[must_use = "nothing is discovered until it is started or awaited"]
pub struct DiscoverRequest {
    location: Location,
    options: DiscoverOptions,
    object_events: ObjectEvents,
}

impl DiscoverRequest {
    async fn run(self, context: RunContext) -> Result<Cluster> {
        let location = context.events.counting(&self.location);
        let cluster = context.unless_cancelled(find(&location, &self.options)).await?;
        Ok(cluster.with_location(self.location))
    }
}

request!(DiscoverRequest => Cluster, "discover", |request| request.location);

/// Discovers within another job.
pub(crate) async fn find(location: &Location, what: &DiscoverOptions) -> Result<Cluster> {
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
    /// The same cluster, whose listings count as progress of a job.
    pub(crate) fn counted_by(self, context: &RunContext) -> Self {
        let location = context.events.counting(self.location());
        self.with_location(location)
    }

    /// Looks again, in the same way, within another job.
    pub(crate) async fn rediscover(&self) -> Result<Self> {
        match &self.looked_for {
            Some(what) => find(self.location(), what).await,
            None => Ok(self.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
