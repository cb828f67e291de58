//! [`RestoreReport`] and [`AbandonReport`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    certificate::{RecoveryPoint, RecoveryTimes},
    finding::Finding,
    key::Key,
    layout::ServerReleases,
    location::Abilities,
    units::ByteSize,
    versioned::document,
};

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The restore's id, which the boot guard named.
    pub restore: String,
    /// The backup.
    pub backup: String,
    /// SHA-256 of its root manifest.
    pub manifest_sha256: String,
    /// The cluster id, or for Core the node id.
    pub cluster: String,
    /// The target, as a URL without credentials.
    pub target: String,
    /// Objects of the backup that the target holds now.
    pub objects: u64,
    /// Their bytes.
    pub bytes: ByteSize,
    /// Those of the objects that an earlier run of the same restore had finished.
    pub resumed: u64,
    /// Objects deleted because the backup does not hold them.
    pub deleted: u64,
    /// What the target holds besides the backup: names, not touched.
    pub kept: Vec<String>,
    /// License files that were not restored.
    pub licenses_skipped: Vec<Key>,
    /// Which server releases may open the result.
    pub servers: ServerReleases,
    /// Where each node is recovered to.
    pub recovery: Vec<RecoveryPoint>,
    /// What the target can do, as it was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abilities: Option<Abilities>,
    /// What the caller has to do.
    pub todos: Vec<Finding>,
    /// What else the run found.
    pub findings: Vec<Finding>,
    /// The nodes that the orchestrator started again, in order.
    pub started: Vec<String>,
}

document!(RestoreReport, "restore report");

impl RestoreReport {
    /// How far each node is recovered, by its id.
    #[must_use]
    pub fn recovery_points(&self) -> BTreeMap<String, RecoveryTimes> {
        RecoveryTimes::by_node(&self.recovery)
    }
}

/// What abandoning a restore did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AbandonReport {
    /// The restore's id.
    pub restore: String,
    /// The backup that it was to restore.
    pub backup: String,
    /// Objects that it had copied, deleted again.
    pub deleted: u64,
    /// Roots of the catalog that are as they were.
    pub roots: Vec<Key>,
}

document!(AbandonReport, "abandon report");
