//! [`Manifest`]: what a backup holds, object by object, and where each one's bytes lie.
//!
//! The files of the backup tool live under `_influx_backup/` inside the backup: the lease, the journal, the object list in segments,
//! and last the root manifest, whose presence is the commit.

mod backup;
mod bytes;
mod marker;
pub(crate) mod rules;
pub(crate) mod segment;
mod stored;
mod vouched;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[cfg(feature = "testing")]
pub(crate) use self::backup::parse_manifest;
pub use self::{backup::Backup, marker::RepositoryMarker, segment::SegmentRef};
pub(crate) use self::{
    backup::{not_named, read_manifest},
    bytes::PIECE,
    stored::{StoredObjects, StoredReader},
};
use crate::{
    certificate::Certificate,
    cluster::ClusterDescription,
    record::{Attested, BackupStatus, PassReport},
};

/// The newest format of the manifest that this release reads, and the one that it writes.
pub const FORMAT: u64 = 1;

/// What wrote a manifest or a marker.
pub(crate) const WRITER: &str = concat!("influx-backup ", env!("CARGO_PKG_VERSION"));

/// The oldest format whose readers understand what this release writes.
pub(crate) const MIN_READER: u64 = 1;

/// The root of a backup: small, written last, create-only. Its presence is the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The format that it was written in.
    pub format: u64,
    /// The oldest format whose readers understand it. A release that knows only older ones refuses the backup.
    pub min_reader: u64,
    /// The backup's name.
    pub name: String,
    /// Complete, or degraded with the caller's consent.
    pub status: BackupStatus,
    /// Which program and release wrote it: `influx-backup 1.2.3`.
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
