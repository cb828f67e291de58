//! [`CertifyOptions`].

use serde::{Deserialize, Serialize};

use super::Vouch;
use crate::{cluster::DiscoverOptions, error::Result, limits::Limits, setters::setters};

/// How a tree is certified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CertifyOptions {
    /// Which cluster, and which of its nodes, where a location holds no backup. Without effect on a cluster or a backup that
    /// is open already.
    pub discover: DiscoverOptions,
    /// SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Another backup under its name, or an
    /// altered one, is refused (`untrusted-backup`), and so is one that has no checksum of some object.
    pub expect_sha256: Option<String>,
    /// A public key of minisign: its line of base64, or the text of its file. A backup that this key has not signed as it is now is
    /// refused (`untrusted-backup`), and so is one that has no checksum of some object.
    pub trust: Option<String>,
    /// How many resources to use.
    pub limits: Limits,
}

impl CertifyOptions {
    /// Checks that the options fit together. A certification does so before it begins.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) with the name of the option that does not.
    pub fn check(&self) -> Result<()> {
        self.vouch()?;
        self.limits.check()
    }

    /// Refuses a backup whose root manifest does not have this SHA-256, in hex.
    #[must_use]
    pub fn with_expect_sha256(mut self, sha256: impl Into<String>) -> Self {
        self.expect_sha256 = Some(sha256.into());
        self
    }

    /// Refuses a backup that this public key of minisign has not signed.
    #[must_use]
    pub fn with_trust(mut self, key: impl Into<String>) -> Self {
        self.trust = Some(key.into());
        self
    }

    /// What has to vouch for the backup.
    pub(crate) fn vouch(&self) -> Result<Vouch> {
        Vouch::new(self.expect_sha256.as_deref(), self.trust.as_deref())
    }

    setters! {
        /// Sets which cluster, and which of its nodes.
        with_discover(discover: DiscoverOptions),

        /// Sets how many resources to use.
        with_limits(limits: Limits),
    }
}
