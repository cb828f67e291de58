//! [`BackupReport`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    certificate::{Certificate, RecoveryTimes},
    finding::Finding,
    key::Key,
    location::Abilities,
    plan::Skipped,
    record::{BackupStatus, PassReport},
    units::ByteSize,
    versioned::document,
};

/// What a backup did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BackupReport {
    /// The backup's name.
    pub name: String,
    /// Complete, or degraded with the caller's consent.
    pub status: BackupStatus,
    /// When it began: what was acknowledged before is in it.
    pub began: DateTime<Utc>,
    /// When it was committed.
    pub committed: DateTime<Utc>,
    /// The proof.
    pub certificate: Certificate,
    /// What the passes cost and found.
    pub passes: Vec<PassReport>,
    /// How many objects the backup holds.
    pub objects: u64,
    /// How many bytes.
    pub bytes: ByteSize,
    /// What was skipped, and why.
    pub skipped: Vec<Skipped>,
    /// Names below a node or the cluster that this release does not know: copied.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// License files held; before 3.10 they are bound to the place they were issued for.
    pub licenses: Vec<Key>,
    /// SHA-256 of the root manifest: write it down elsewhere.
    pub manifest_sha256: String,
    /// What no backup of an object store covers.
    pub not_covered: Vec<String>,
    /// What the repository can do, as it was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abilities: Option<Abilities>,
    /// What the caller has to do, such as to start a server that the orchestrator could not start again.
    #[serde(default)]
    pub todos: Vec<Finding>,
    /// What else the run found. What it found in the cluster is in the certificate.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

document!(BackupReport, "backup report");

impl BackupReport {
    /// How far each node can be recovered, by its id: that of the certificate.
    #[must_use]
    pub fn recovery_points(&self) -> BTreeMap<String, RecoveryTimes> {
        self.certificate.recovery_points()
    }
}
