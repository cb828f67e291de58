//! [`CertifyOptions`].

use serde::{Deserialize, Serialize};

use crate::{cluster::DiscoverOptions, error::Result, limits::Limits, setters::setters};

/// How a tree is certified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CertifyOptions {
    /// Which cluster, and which of its nodes, where a location holds no backup. Without effect on a cluster or a backup that
    /// is open already.
    pub discover: DiscoverOptions,
    /// How many resources to use.
    pub limits: Limits,
}

impl CertifyOptions {
    /// Checks that the options fit together. A certification does so before it begins.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) with the name of the option that does not.
    pub fn check(&self) -> Result<()> {
        self.limits.check()
    }

    setters! {
        /// Sets which cluster, and which of its nodes.
        with_discover(discover: DiscoverOptions),

        /// Sets how many resources to use.
        with_limits(limits: Limits),
    }
}
