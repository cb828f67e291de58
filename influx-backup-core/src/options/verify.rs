//! [`VerifyOptions`].

use serde::{Deserialize, Serialize};

use super::Vouch;
use crate::{
    error::{Error, Result},
    limits::Limits,
    named::named,
    setters::setters,
};

/// How a backup is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// How deep to look.
    pub level: VerifyLevel,
    /// At the level `bytes`: how many percent of the objects are read, from 1 to 100. They are chosen at random; at least one.
    pub sample_percent: u8,
    /// SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Another backup under its name, or an
    /// altered one, is refused (`untrusted-backup`), and so is one that has no checksum of some object.
    pub expect_sha256: Option<String>,
    /// A public key of minisign: its line of base64, or the text of its file. A backup that this key has not signed as it is now is
    /// refused (`untrusted-backup`), and so is one that has no checksum of some object.
    pub trust: Option<String>,
    /// How many resources to use.
    pub limits: Limits,
}

impl Default for VerifyOptions {
    /// Structure: no Parquet file is read.
    fn default() -> Self {
        Self {
            level: VerifyLevel::default(),
            sample_percent: 100,
            expect_sha256: None,
            trust: None,
            limits: Limits::default(),
        }
    }
}

impl VerifyOptions {
    /// Checks that the options fit together. A verification does so before it begins.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the name of the option that does not.
    pub fn check(&self) -> Result<()> {
        self.vouch()?;
        let reason = match (self.sample_percent, self.level) {
            (1..=99, VerifyLevel::Bytes) | (100, _) => return self.limits.check(),
            (1..=99, _) => "it selects the bytes to read: set `level` to `bytes`".to_owned(),
            (percent, _) => format!("{percent} is not a percentage from 1 to 100"),
        };
        Err(Error::invalid_request("sample_percent", reason))
    }

    /// At this level.
    #[must_use]
    pub fn at(level: VerifyLevel) -> Self {
        Self { level, ..Self::default() }
    }

    /// Presence and size of every object.
    #[must_use]
    pub fn listing() -> Self {
        Self::at(VerifyLevel::Listing)
    }

    /// That, and the certificate again.
    #[must_use]
    pub fn structure() -> Self {
        Self::at(VerifyLevel::Structure)
    }

    /// That, and the checksums that the store gives.
    #[must_use]
    pub fn checksums() -> Self {
        Self::at(VerifyLevel::Checksums)
    }

    /// The structure, and the bytes of every object.
    #[must_use]
    pub fn bytes() -> Self {
        Self::at(VerifyLevel::Bytes)
    }

    /// The structure, and the bytes of this many percent of the objects.
    #[must_use]
    pub fn bytes_sample(percent: u8) -> Self {
        Self::bytes().with_sample_percent(percent)
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
        /// Sets how many percent of the objects are read.
        with_sample_percent(sample_percent: u8),

        /// Sets how many resources to use.
        with_limits(limits: Limits),
    }
}

/// How deep to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerifyLevel {
    /// Presence and size of every object: one listing.
    Listing,
    /// That, and the certificate again from the backup's own bytes.
    #[default]
    Structure,
    /// That, and the checksum that the store gives for each object on HEAD, where the manifest has the same kind. No Parquet
    /// file is read. What could not be compared is counted: files; what was written to S3 without a checksum (see
    /// `aws_checksum_algorithm`), or to Azure by blocks.
    Checksums,
    /// The structure, and the bytes of objects against their checksums.
    Bytes,
}

named!(VerifyLevel, "level of verification", {
    Listing => "listing",
    Structure => "structure",
    Checksums => "checksums",
    Bytes => "bytes",
});
