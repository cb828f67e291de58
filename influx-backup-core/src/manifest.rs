//! [`Manifest`]: what a backup holds, object by object, and where each one's bytes lie.
//!
//! Our own files live under `_influx_backup/` inside the backup: the claim, the journal, the object list in segments,
//! and last the root manifest, whose presence is the commit.

mod journal;
mod marker;
mod opened;
pub(crate) mod segment;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    journal::{Journal, JournalLine},
    opened::read_manifest,
};
pub use self::{marker::RepositoryMarker, opened::Backup, segment::SegmentRef};
use crate::{
    certificate::Certificate,
    cluster::ClusterDescription,
    record::{Attested, BackupStatus, PassReport},
};

/// The newest format of the manifest that this release writes and reads.
pub const FORMAT: u64 = 1;

/// The root of a backup: small, written last, create-only. Its presence is the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format's version; readers refuse newer ones.
    pub format: u64,
    /// The backup's name.
    pub name: String,
    /// Complete, or degraded with the caller's consent.
    pub status: BackupStatus,
    /// Which release of this crate wrote it.
    pub written_by: String,
    /// When the backup began: what was acknowledged before is in it.
    pub began: DateTime<Utc>,
    /// When it was committed.
    pub committed: DateTime<Utc>,
    /// The cluster and its source, without credentials.
    pub cluster: ClusterDescription,
    /// The object list, in segments.
    pub objects: Vec<SegmentRef>,
    /// Live files that neither the backup nor the source has, in segments.
    pub absent: Vec<SegmentRef>,
    /// How many objects.
    pub object_count: u64,
    /// How many bytes.
    pub byte_count: u64,
    /// The proof as it was at the commit.
    pub certificate: Certificate,
    /// What the passes cost and found.
    pub passes: Vec<PassReport>,
    /// What only the run itself could know.
    pub attested: Attested,
}
