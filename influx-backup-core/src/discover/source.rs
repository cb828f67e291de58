//! [`Source`]: what a backup is taken of.

use std::fmt;

use super::find;
use crate::{
    cluster::{Cluster, DiscoverOptions},
    error::Result,
    job::RunContext,
    location::Location,
};

/// What a backup is taken of: a [`Cluster`] that was discovered before, or a location whose cluster the job itself discovers.
///
/// A backup and the plan of one take `impl Into<Source>`: a `&Cluster`, a `&Location`, or [`Source::at`] where discovery needs
/// options.
#[derive(Debug, Clone)]
pub struct Source(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Cluster(Box<Cluster>),
    Location(Location, DiscoverOptions),
}

impl Source {
    /// The cluster at a location: which one, and which of its nodes, the options say.
    #[must_use]
    pub fn at(location: &Location, options: DiscoverOptions) -> Self {
        Self(Kind::Location(location.clone(), options))
    }

    /// The cluster, whose listings count as progress of the job. Where it is not known yet, it is discovered now.
    pub(crate) async fn open(self, context: &RunContext) -> Result<Cluster> {
        match self.0 {
            Kind::Cluster(cluster) => Ok(cluster.counted_by(context)),
            Kind::Location(location, options) => {
                let counted = context.events.counting(&location);
                context.unless_cancelled(find(&counted, &options)).await
            }
        }
    }
}

/// The id of the cluster, or the location where it is not known yet.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Cluster(cluster) => f.pad(cluster.id()),
            Kind::Location(location, _) => location.fmt(f),
        }
    }
}

impl From<Cluster> for Source {
    fn from(cluster: Cluster) -> Self {
        Self(Kind::Cluster(Box::new(cluster)))
    }
}

impl From<&Cluster> for Source {
    fn from(cluster: &Cluster) -> Self {
        cluster.clone().into()
    }
}

impl From<Location> for Source {
    fn from(location: Location) -> Self {
        Self(Kind::Location(location, DiscoverOptions::default()))
    }
}

impl From<&Location> for Source {
    fn from(location: &Location) -> Self {
        location.clone().into()
    }
}
