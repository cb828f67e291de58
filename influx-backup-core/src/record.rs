//! What a backup writes down: an object, a listing, a fence, a pass. Data only.

mod object;
mod packed;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::object::{ContentRecord, Encoding, ObjectRecord, Stored};
pub(crate) use self::packed::{
    pack_attributes, pack_digests, pack_place, unpack_attributes, unpack_digests, unpack_place,
};
use crate::{
    certificate::Certificate, cluster::ClusterDescription, finding::Clause, key::Key, layout::Group, named::named,
    table::Table,
};

/// Whether a backup may be restored without a second thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackupStatus {
    /// Its certificate holds.
    Complete,
    /// It was committed although clauses are violated, because the caller allowed it.
    Degraded,
}

named!(BackupStatus, "status of a backup", { Complete => "complete", Degraded => "degraded" });

/// What only the run that took the backup could know: kept for [`certify`](crate::certify()).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attested {
    /// Per node, the fence: WAL numbers listed before the manifests, and which of those in between were confirmed
    /// missing in the source.
    pub fences: Vec<Fence>,
    /// Why things differed between the listing that was copied and the one after the last copy, with counts.
    pub differences: BTreeMap<Difference, u64>,
    /// The listings of the last pass: group, owner, order, begin, end, number of objects.
    pub listings: Vec<ListingRecord>,
    /// Objects that were listed and could not be read: the backup lacks them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableRecord>,
}

/// An object of the source that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnreadableRecord {
    /// Its key.
    pub key: Key,
    /// How many bytes it was listed with.
    pub size: u64,
    /// The code of the error: `object-unreadable` or `object-archived`.
    pub code: String,
    /// What the store answered.
    pub reason: String,
}

/// Why an object differs between two listings. There is no other reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// A WAL file was flushed.
    WalWritten,
    /// A WAL file was trimmed after a snapshot.
    WalTrimmed,
    /// A snapshot was stored.
    SnapshotStored,
    /// A node was removed, or a later release collects old manifests.
    SnapshotRemoved,
    /// A manifest or a Parquet file was written again by a server that replayed its WAL after a crash.
    WrittenAgain,
    /// A Parquet file was persisted.
    ParquetStored,
    /// A Parquet file expired, was dropped or compacted away.
    ParquetRemoved,
    /// A checkpoint was stored or rotated.
    CheckpointMoved,
    /// A derived file moved.
    DerivedMoved,
    /// The catalog advanced.
    CatalogMoved,
    /// A catalog log was collected.
    CatalogLogRemoved,
    /// The compactor wrote.
    CompactorMoved,
    /// A license or the Enterprise configuration was replaced.
    ConfigurationMoved,
    /// Something that this release does not know moved.
    OtherMoved,
    /// A create-only object is another version: another timeline.
    CreateOnlyRewritten,
}

named!(Difference, "difference", {
    WalWritten => "wal_written",
    WalTrimmed => "wal_trimmed",
    SnapshotStored => "snapshot_stored",
    SnapshotRemoved => "snapshot_removed",
    WrittenAgain => "written_again",
    ParquetStored => "parquet_stored",
    ParquetRemoved => "parquet_removed",
    CheckpointMoved => "checkpoint_moved",
    DerivedMoved => "derived_moved",
    CatalogMoved => "catalog_moved",
    CatalogLogRemoved => "catalog_log_removed",
    CompactorMoved => "compactor_moved",
    ConfigurationMoved => "configuration_moved",
    OtherMoved => "other_moved",
    CreateOnlyRewritten => "create_only_rewritten",
});

/// The WAL of one node as it was listed before its manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fence {
    /// The node.
    pub node: String,
    /// The first number listed.
    pub first: Option<u64>,
    /// The last number listed.
    pub last: Option<u64>,
    /// Numbers up to the last that the source itself does not have, and how that is known.
    pub holes: Vec<Hole>,
}

impl Fence {
    /// The parts of `gap` that are missing in the source itself.
    #[must_use]
    pub fn confirmed(&self, gap: Gap) -> Vec<Hole> {
        let overlap = |hole: &Hole| {
            let first = hole.gap.first.max(gap.first);
            let last = hole.gap.last.min(gap.last);
            Hole { gap: Gap { first, last }, by: hole.by }
        };
        self.holes.iter().map(overlap).filter(|part| part.gap.first <= part.gap.last).collect()
    }

    /// The parts of `gap` that were not.
    #[must_use]
    pub fn unconfirmed(&self, gap: Gap) -> Vec<Gap> {
        let mut parts = Vec::new();
        let mut next = gap.first;
        for Hole { gap: hole, .. } in self.confirmed(gap) {
            if hole.first > next {
                parts.push(Gap { first: next, last: hole.first - 1 });
            }
            next = hole.last.saturating_add(1);
        }
        if next <= gap.last {
            parts.push(Gap { first: next, last: gap.last });
        }
        parts
    }
}

/// Numbers that the source itself does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hole {
    /// The numbers.
    #[serde(flatten)]
    pub gap: Gap,
    /// How that is known.
    pub by: ConfirmedBy,
}

/// How it is known that the source does not have an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfirmedBy {
    /// It was asked for by its key.
    Head,
    /// A listing lacks it; there were too many of them to ask for each.
    Listing,
}

named!(ConfirmedBy, "confirmation", {
    Head => "head",
    Listing => "listing",
});

/// A run of numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gap {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{} to {}", self.first, self.last) }
    }
}

/// One listing, without its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListingRecord {
    /// What was listed.
    pub group: Group,
    /// Whose.
    pub owner: String,
    /// Its place in the order of the run.
    pub order: u64,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// How many objects it found.
    pub objects: u64,
}

/// A committed backup as planning sees it: [`Backup::contents`](crate::Backup::contents).
#[derive(Debug, Clone, Copy)]
pub struct BackupContents<'a> {
    pub(crate) name: &'a str,
    pub(crate) manifest_sha256: &'a str,
    pub(crate) status: BackupStatus,
    pub(crate) cluster: &'a ClusterDescription,
    pub(crate) certificate: &'a Certificate,
    pub(crate) objects: &'a Table<ObjectRecord>,
}

/// A live file that neither the backup nor the source has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AbsentRecord {
    /// The node.
    pub node: String,
    /// Its key, as its manifest names it.
    pub path: String,
    /// The database's id.
    pub database: u64,
    /// The table's id.
    pub table: u64,
    /// Its rows.
    pub rows: u64,
    /// Its newest row's time.
    pub newest: DateTime<Utc>,
}

/// What one pass cost and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PassReport {
    /// Objects listed.
    pub listed: u64,
    /// Objects copied.
    pub copied: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// Objects copied, by the copier that did it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copiers: BTreeMap<String, u64>,
    /// Objects that another copier did because the store refused to copy them by itself, by the copier that had asked it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
    /// Objects listed and gone before their copy.
    pub vanished: u64,
    /// Objects that changed between listing and copy.
    pub changed: u64,
    /// Objects of the backup that were not there as they had been written when the pass was to be committed: copied again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub altered: u64,
    /// Objects that were in the backup then and that no record named: deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unrecorded: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Clauses that were violated after it.
    pub failed_clauses: Vec<Clause>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_a_damaged_manifest_is_shown_all_the_same() {
        assert_eq!(Gap { first: 7, last: 3 }.to_string(), "7 to 3");
        assert_eq!(Gap { first: 3, last: 3 }.to_string(), "3");
    }
}
