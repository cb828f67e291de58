//! [`ListOptions`].

use serde::{Deserialize, Serialize};

use super::Vouch;
use crate::error::Result;

/// How the backups of a repository are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOptions {
    /// A public key of minisign: its line of base64, or the text of its file. A backup that this key has not signed is shown as
    /// `untrusted`.
    pub trust: Option<String>,
}

impl ListOptions {
    /// Checks the options. A list does so before it begins.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) with the name of the option that cannot be used.
    pub fn check(&self) -> Result<()> {
        self.vouch().map(drop)
    }

    /// Shows a backup that this public key of minisign has not signed as `untrusted`.
    #[must_use]
    pub fn with_trust(mut self, key: impl Into<String>) -> Self {
        self.trust = Some(key.into());
        self
    }

    /// What has to vouch for each backup.
    pub(crate) fn vouch(&self) -> Result<Vouch> {
        Vouch::new(None, self.trust.as_deref())
    }
}
