//! [`RestoreOptions`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Ownership;
use crate::lease::Takeover;
use crate::{
    copier::{Copier, default_copiers},
    limits::Limits,
};

/// How a backup is restored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RestoreOptions {
    /// What to do with what the target holds.
    pub policy: Policy,
    /// What to do with nodes that the target has and the backup lacks.
    pub extra_nodes: ExtraNodes,
    /// What to do with a target of the same ids whose catalog has another uuid.
    pub on_catalog_mismatch: OnCatalogMismatch,
    /// Who says that the servers are stopped, where there is no orchestrator.
    pub servers: ServersStopped,
    /// Whose the files are to be (files only).
    pub ownership: Ownership,
    /// Which license files are restored.
    pub licenses: Licenses,
    /// What to do with a backup that was committed although its certificate did not hold.
    pub on_degraded: OnDegraded,
    /// How much of the backup is read before the first write.
    pub check: SourceCheck,
    /// What to do with an unfinished restore at the target.
    pub on_unfinished: OnUnfinished,
    /// When the target may be taken over from another process that restores to it.
    pub takeover: Takeover,
    /// How hard to work.
    pub limits: Limits,
    /// What moves the objects.
    pub copier: Arc<dyn Copier>,
}

impl RestoreOptions {
    /// Restores into an empty target, and refuses any other. The default.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Policy::Empty)
    }

    /// Makes the target exactly what the backup holds.
    #[must_use]
    pub fn replace() -> Self {
        Self::of(Policy::Replace)
    }

    /// Copies the backup over what is there. What is newer at the target stays and may undo the restore.
    #[must_use]
    pub fn overlay() -> Self {
        Self::of(Policy::Overlay)
    }

    fn of(policy: Policy) -> Self {
        Self {
            policy,
            extra_nodes: ExtraNodes::default(),
            on_catalog_mismatch: OnCatalogMismatch::default(),
            servers: ServersStopped::default(),
            ownership: Ownership::default(),
            licenses: Licenses::default(),
            on_degraded: OnDegraded::default(),
            check: SourceCheck::default(),
            on_unfinished: OnUnfinished::default(),
            takeover: Takeover::default(),
            limits: Limits::default(),
            copier: default_copiers(),
        }
    }

    /// With this answer to nodes that the backup lacks.
    #[must_use]
    pub const fn with_extra_nodes(mut self, extra_nodes: ExtraNodes) -> Self {
        self.extra_nodes = extra_nodes;
        self
    }

    /// With this answer to a catalog of another uuid.
    #[must_use]
    pub const fn with_on_catalog_mismatch(mut self, on_catalog_mismatch: OnCatalogMismatch) -> Self {
        self.on_catalog_mismatch = on_catalog_mismatch;
        self
    }

    /// With this statement about the servers of the target.
    #[must_use]
    pub const fn with_servers(mut self, servers: ServersStopped) -> Self {
        self.servers = servers;
        self
    }

    /// With this owner and these modes.
    #[must_use]
    pub fn with_ownership(mut self, ownership: Ownership) -> Self {
        self.ownership = ownership;
        self
    }

    /// With this rule for license files.
    #[must_use]
    pub const fn with_licenses(mut self, licenses: Licenses) -> Self {
        self.licenses = licenses;
        self
    }

    /// With this answer to a degraded backup.
    #[must_use]
    pub const fn with_on_degraded(mut self, on_degraded: OnDegraded) -> Self {
        self.on_degraded = on_degraded;
        self
    }

    /// With this check of the backup before the first write.
    #[must_use]
    pub const fn with_check(mut self, check: SourceCheck) -> Self {
        self.check = check;
        self
    }

    /// With this answer to an unfinished restore at the target.
    #[must_use]
    pub const fn with_on_unfinished(mut self, on_unfinished: OnUnfinished) -> Self {
        self.on_unfinished = on_unfinished;
        self
    }

    /// Goes on with an unfinished restore of the same backup.
    #[must_use]
    pub const fn resuming(self) -> Self {
        self.with_on_unfinished(OnUnfinished::Resume)
    }

    /// Takes the target over from another process then.
    #[must_use]
    pub const fn with_takeover(mut self, takeover: Takeover) -> Self {
        self.takeover = takeover;
        self
    }

    /// With these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With this copier (or a chain of them, [`Copiers`](crate::copier::Copiers)).
    #[must_use]
    pub fn with_copier(mut self, copier: Arc<dyn Copier>) -> Self {
        self.copier = copier;
        self
    }
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self::empty()
    }
}

/// Who says that the servers of a target are stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServersStopped {
    /// Nobody: only an empty target is restored.
    #[default]
    NotConfirmed,
    /// The caller states it.
    ConfirmedByCaller,
}

/// What a restore does with what the target holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Policy {
    /// Refuses a target that holds anything of the cluster.
    #[default]
    Empty,
    /// Exact state: what is not in the backup is deleted below the component directories that we know. Other entries
    /// stay and are named.
    Replace,
    /// Copies over what is there; drops only what InfluxDB derives, and catalog logs that would lose their root.
    Overlay,
}

/// What a restore does with a node that the target has and the backup lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExtraNodes {
    /// Says so and does nothing.
    #[default]
    Refuse,
    /// Deletes its component directories.
    Delete,
    /// Keeps it.
    Keep,
}

/// What a restore does with a target of the same ids whose catalog has another uuid: a cluster that was set up anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnCatalogMismatch {
    /// Says so and does nothing.
    #[default]
    Refuse,
    /// Replaces it.
    Replace,
}

/// Which license files are restored.
///
/// Before 3.10 a license is bound to the store (endpoint, bucket and region; account and container; exact path) and to
/// the cluster id; from 3.10 it is portable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// What to do with a backup that was committed although its certificate did not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnDegraded {
    /// Says so and does nothing.
    #[default]
    Refuse,
    /// Restores it.
    Accept,
}

/// How much of the backup is read before the first write. Presence and size of every object are always checked, and
/// every copy is compared with the manifest, whatever is chosen here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourceCheck {
    /// [`Bytes`](Self::Bytes) where the restore changes data that the target holds, so that a damaged backup is found while
    /// that data is still whole; [`Structure`](Self::Structure) where there is none to lose. The first reads the backup
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

/// What to do with an unfinished restore at the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnUnfinished {
    /// Says so.
    #[default]
    Refuse,
    /// Goes on with it, under its own policy, if it restores the same backup.
    Resume,
}
