//! The most bytes of each kind of object that is read whole.
//!
//! Whoever can write to a repository, a source or a target decides how large its objects are. This table decides how much
//! of them is ever held in memory. What is larger is damage like any other, and is told by its size before a byte is read.
//! What InfluxDB writes is given about ten times the largest that is known, from `influxdb3_catalog/src/limits.rs`,
//! `influxdb3_write/src/persister.rs` and `influxdb3_wal` of v3.10.1. Objects that are copied have no limit: of those,
//! never more than a piece is held.

use std::fmt;

use crate::{layout::Component, units::ByteSize};

/// Records of a segment of a list: as many as this release writes into one.
pub(crate) const SEGMENT_RECORDS: usize = 10_000;

/// The JSON of one record: two keys of 4 KiB (the longest that there are) and attributes of 8 KiB (the most that a store
/// keeps), each byte of them escaped.
pub(crate) const RECORD: ByteSize = kib(64);

/// The text of a segment: 6 KiB a record, of which most take 300 bytes. The writer begins another segment before.
pub(crate) const SEGMENT: ByteSize = ByteSize::mib(64);

/// The stored bytes of a segment: compressed text, and compression never adds as much as this.
pub(crate) const STORED_SEGMENT: ByteSize = ByteSize::mib(65);

/// Records of a list: ten times those of the largest cluster that this release is made for.
pub(crate) const LIST_RECORDS: u64 = 10_000_000;

/// The text of a list of so many records: 8 KiB of each, as much as attributes take, where most take 300 bytes; and some more for short
/// lists.
pub(crate) const fn list_text(records: u64) -> ByteSize {
    ByteSize(ByteSize::mib(16).0 + records.saturating_mul(8 << 10))
}

/// The root of a backup: 130 bytes for each segment of 10,000 objects, the certificate, and each unreadable object.
pub(crate) const MANIFEST: ByteSize = ByteSize::mib(64);

/// A segment of a log of what is finished: 1,000 lines, or more where the store did not take one in time.
pub(crate) const LOG_SEGMENT: ByteSize = ByteSize::mib(64);

/// The journal of a restore: the roots of a target in hexadecimal digits, and lists of segments.
pub(crate) const RESTORE_JOURNAL: ByteSize = ByteSize::mib(2 * 512 + 64);

/// Documents of a few lines: a lease, the marker of a repository, a probe, a signature.
pub(crate) const SMALL: ByteSize = kib(64);

/// A file of the catalog: 1,000,000 columns (2,000 tables of 500, the most that Core allows) of 150 bytes.
pub(crate) const CATALOG: ByteSize = ByteSize::mib(256);

/// The roots of a backup together: one is live, those of older generations and of nodes are smaller.
pub(crate) const CATALOG_ROOTS: ByteSize = ByteSize::mib(512);

/// A snapshot manifest: servers upload those above 16 MiB in parts.
const SNAPSHOT: ByteSize = ByteSize::mib(256);

/// A checkpoint: the files of one month, 250 bytes each.
const CHECKPOINT: ByteSize = ByteSize::mib(1024);

/// A WAL file: what is written in one second, in requests of 10 MB.
const WAL: ByteSize = ByteSize::mib(1024);

/// What a caller reads by its key: as much as a store takes in one request.
pub(crate) const OBJECT: ByteSize = ByteSize::mib(5 * 1024);

/// An object of InfluxDB that is read whole.
pub(crate) const fn of(component: Component) -> ByteSize {
    match component {
        Component::Snapshot => SNAPSHOT,
        Component::SnapshotCheckpoint => CHECKPOINT,
        Component::Wal => WAL,
        _ => CATALOG,
    }
}

/// Bytes whose number is known.
pub(crate) const fn exactly(bytes: &[u8]) -> ByteSize {
    ByteSize(bytes.len() as u64)
}

const fn kib(count: u64) -> ByteSize {
    ByteSize(count << 10)
}

/// An object that is not read because it is larger than one of its kind can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) size: u64,
    pub(crate) most: ByteSize,
}

impl TooLarge {
    /// Refuses what is larger than `most`.
    pub(crate) fn check(size: u64, most: ByteSize) -> Result<(), Self> {
        if size > most.0 { Err(Self { size, most }) } else { Ok(()) }
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it has {}, and no more than {} of such an object is read", ByteSize(self.size), self.most)
    }
}

impl std::error::Error for TooLarge {}
