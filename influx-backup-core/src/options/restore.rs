//! [`RestoreOptions`].

use serde::{Deserialize, Serialize};

use super::{Ownership, Vouch};
use crate::{
    error::{Error, Result},
    named::named,
    setters::setters,
};

/// What a restore does: all that its plan is made with and its hash covers. How it runs is in
/// [`RestoreRunOptions`](super::RestoreRunOptions).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RestoreOptions {
    /// What to do with what the target holds.
    pub policy: Policy,
    /// What to do with nodes that the target has and the backup lacks.
    pub extra_nodes: ExtraNodes,
    /// What to do with a target of the same ids whose catalog has another uuid.
    pub on_catalog_mismatch: OnCatalogMismatch,
    /// What to do with directories of the target that are links to others, such as `wal` on a volume of its own (files only).
    pub linked_directories: LinkedDirectories,
    /// Owner and permissions of the files (files only).
    pub ownership: Ownership,
    /// Which license files are restored.
    pub licenses: Licenses,
    /// What to do with a backup that was committed although its certificate was violated.
    pub on_degraded: OnDegraded,
    /// How much of the backup is read before the first write.
    pub check: SourceCheck,
    /// SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Another backup under its name, or an
    /// altered one, is refused (`untrusted-backup`), and so is one that has no checksum of some object.
    pub expect_sha256: Option<String>,
    /// A public key of minisign: its line of base64, or the text of its file. A backup that this key has not signed as it is now is
    /// refused (`untrusted-backup`), and so is one that has no checksum of some object.
    pub trust: Option<String>,
}

impl RestoreOptions {
    /// Restores into an empty target, and refuses any other. The default.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Makes the target exactly what the backup holds.
    #[must_use]
    pub fn replace() -> Self {
        Self::default().with_policy(Policy::Replace)
    }

    /// Copies the backup over what is there. What is newer at the target stays and may undo the restore.
    #[must_use]
    pub fn overlay() -> Self {
        Self::default().with_policy(Policy::Overlay)
    }

    /// Checks that the options fit together. Planning does so first.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the name of the option that does not.
    pub fn check(&self) -> Result<()> {
        self.vouch()?;
        let reason = match (self.extra_nodes, self.policy) {
            (ExtraNodes::Delete, Policy::Empty | Policy::Overlay) => "to `delete` nodes, set `policy` to `replace`",
            (ExtraNodes::Keep, Policy::Empty) => "to `keep` nodes, set `policy` to `replace` or `overlay`",
            _ => return Ok(()),
        };
        Err(Error::invalid_request("extra_nodes", reason))
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
        /// Sets what to do with what the target holds.
        with_policy(policy: Policy),

        /// Sets what to do with nodes that the backup lacks.
        with_extra_nodes(extra_nodes: ExtraNodes),

        /// Sets what to do with a catalog of another uuid.
        with_on_catalog_mismatch(on_catalog_mismatch: OnCatalogMismatch),

        /// Sets what to do with directories of the target that are links.
        with_linked_directories(linked_directories: LinkedDirectories),

        /// Sets owner and permissions of the files.
        with_ownership(ownership: Ownership),

        /// Sets which license files are restored.
        with_licenses(licenses: Licenses),

        /// Sets what to do with a degraded backup.
        with_on_degraded(on_degraded: OnDegraded),

        /// Sets how much of the backup is read before the first write.
        with_check(check: SourceCheck),
    }
}

/// What a restore does with what the target holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Refuses a target that holds anything of the cluster.
    #[default]
    Empty,
    /// Exact state: what is not in the backup is deleted below the component directories of InfluxDB. Other entries stay
    /// and are named.
    Replace,
    /// Copies over what is there; drops only what InfluxDB derives, and catalog logs that would lose their root.
    Overlay,
}

named!(Policy, "policy", { Empty => "empty", Replace => "replace", Overlay => "overlay" });

/// What a restore does with a node that the target has and the backup lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtraNodes {
    /// Returns [`Error::ExtraNodes`](crate::Error::ExtraNodes).
    #[default]
    Refuse,
    /// Deletes its component directories; only with [`Policy::Replace`].
    Delete,
    /// Keeps it; only with [`Policy::Replace`] or [`Policy::Overlay`].
    Keep,
}

named!(ExtraNodes, "rule for extra nodes", { Refuse => "refuse", Delete => "delete", Keep => "keep" });

/// What a restore does with a target of the same ids whose catalog has another uuid: a cluster that was set up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnCatalogMismatch {
    /// Returns [`Error::TargetForeign`](crate::Error::TargetForeign).
    #[default]
    Refuse,
    /// Replaces it.
    Replace,
}

named!(OnCatalogMismatch, "answer to another catalog", { Refuse => "refuse", Replace => "replace" });

/// What a restore does with directories of InfluxDB at the target that are links to others. Links elsewhere do not matter, and
/// links to files are refused in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkedDirectories {
    /// Returns [`Error::Link`].
    #[default]
    Refuse,
    /// Restores to where they lead, and deletes there what the policy deletes.
    Follow,
}

named!(LinkedDirectories, "rule for linked directories", { Refuse => "refuse", Follow => "follow" });

/// Which license files are restored.
///
/// Before 3.10 a license is bound to the store (endpoint, bucket and region; account and container; exact path) and to
/// the cluster id; from 3.10 it is portable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Licenses {
    /// Those that are valid at the target.
    #[default]
    Auto,
    /// All of them.
    Restore,
    /// None; those that the target has stay.
    Exclude,
}

named!(Licenses, "rule for license files", { Auto => "auto", Restore => "restore", Exclude => "exclude" });

/// What to do with a backup that was committed although its certificate was violated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDegraded {
    /// Return [`Error::DegradedBackup`](crate::Error::DegradedBackup).
    #[default]
    Refuse,
    /// Restore it.
    Accept,
}

named!(OnDegraded, "answer to a degraded backup", { Refuse => "refuse", Accept => "accept" });

/// How much of the backup is read before the first write. Presence and size of every object are always checked, and
/// every copy is compared with the manifest, in every case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceCheck {
    /// [`Bytes`](Self::Bytes) where the restore changes data that the target holds, so that a damaged backup is found while
    /// that data is still whole; [`Structure`](Self::Structure) where there is no data to lose. The first reads the backup
    /// twice, once to check and once to copy: choose `Checksums` or `Structure` where that takes too long.
    #[default]
    Auto,
    /// Nothing: an altered object is found when it is copied, and the boot guard stays.
    Listing,
    /// Everything but Parquet and the compactor's files, against its checksum. Altered Parquet is found when it is copied,
    /// and the boot guard stays.
    Structure,
    /// Everything: by the checksum that the backup's store gives on HEAD, and by reading what it has none for.
    Checksums,
    /// Everything, by reading it.
    Bytes,
}

named!(SourceCheck, "check of the source", {
    Auto => "auto",
    Listing => "listing",
    Structure => "structure",
    Checksums => "checksums",
    Bytes => "bytes",
});
