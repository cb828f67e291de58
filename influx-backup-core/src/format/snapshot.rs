//! [`Snapshot`]: the manifest of one snapshot of a node's data.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::error::{self, FormatError};
use super::files::{self, Databases, FileRef, Versioned};
use crate::{layout, table::Table};

/// A snapshot manifest (`snapshots/*.info.json`): what one snapshot added and removed, and up to where it covers the WAL.
///
/// Source: `PersistedSnapshot` in `influxdb3_write/src/lib.rs`, v3.0.0 to v3.10.1. The file has no checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The node that wrote it (`writer_id` in old files).
    pub node_id: String,
    /// The number that the next Parquet file of this node gets.
    pub next_file_id: u64,
    /// The number of this snapshot.
    pub snapshot_sequence_number: u64,
    /// The last WAL file that this snapshot covers; a server replays those after it.
    pub wal_file_sequence_number: u64,
    /// The sequence of the catalog when the snapshot was taken: no older catalog knows all its tables.
    pub catalog_sequence_number: u64,
    /// The bytes of the added files together.
    pub parquet_size_bytes: u64,
    /// The rows of the added files together.
    pub row_count: u64,
    /// The oldest row, in nanoseconds since 1970; `i64::MAX` if there is none.
    pub min_time: i64,
    /// The newest row, in nanoseconds since 1970; `i64::MIN` if there is none.
    pub max_time: i64,
    pub(crate) added: Table<FileRef>,
    pub(crate) removed: Table<FileRef>,
}

impl Snapshot {
    /// Reads a snapshot manifest.
    ///
    /// # Errors
    /// [`FormatError::Empty`], [`FormatError::Json`], or [`FormatError::UnsupportedVersion`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        files::parse::<File>(bytes).map(Into::into)
    }

    /// Reads a snapshot manifest that is too large to be held.
    pub(crate) fn read(file: impl Read) -> Result<Self, FormatError> {
        files::read::<File>(file).map(Into::into)
    }

    /// The files that this snapshot added.
    pub fn added(&self) -> impl ExactSizeIterator<Item = FileRef> {
        self.added.iter()
    }

    /// The files removed since the snapshot before, by retention or a hard delete (from 3.2).
    pub fn removed(&self) -> impl ExactSizeIterator<Item = FileRef> {
        self.removed.iter()
    }

    /// Checks that `name`, the last segment of its key, stands for the sequence of this manifest.
    ///
    /// # Errors
    /// [`FormatError::BadName`] or [`FormatError::SequenceMismatch`].
    pub fn check_name(&self, name: &str) -> Result<(), FormatError> {
        error::same_sequence(name, layout::snapshot_sequence(name), self.snapshot_sequence_number)
    }
}

#[derive(Deserialize)]
struct File {
    version: String,
    #[serde(alias = "writer_id")]
    node_id: String,
    next_file_id: u64,
    snapshot_sequence_number: u64,
    wal_file_sequence_number: u64,
    catalog_sequence_number: u64,
    parquet_size_bytes: u64,
    row_count: u64,
    min_time: i64,
    max_time: i64,
    databases: Databases,
    #[serde(default)]
    removed_files: Databases,
}

impl From<File> for Snapshot {
    fn from(file: File) -> Self {
        Self {
            node_id: file.node_id,
            next_file_id: file.next_file_id,
            snapshot_sequence_number: file.snapshot_sequence_number,
            wal_file_sequence_number: file.wal_file_sequence_number,
            catalog_sequence_number: file.catalog_sequence_number,
            parquet_size_bytes: file.parquet_size_bytes,
            row_count: file.row_count,
            min_time: file.min_time,
            max_time: file.max_time,
            added: file.databases.into_files(),
            removed: file.removed_files.into_files(),
        }
    }
}

impl Versioned for File {
    fn version(&self) -> &str {
        &self.version
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn manifest() -> Value {
        json!({
            "version": "1", "node_id": "node1", "next_file_id": 3, "snapshot_sequence_number": 44,
            "wal_file_sequence_number": 296, "catalog_sequence_number": 12, "parquet_size_bytes": 30, "row_count": 6,
            "min_time": -5, "max_time": 9,
            "databases": [[1, {"tables": [[0, [entry(1), entry(2)]]]}]],
            "removed_files": [[3, {"tables": [[0, [entry(0)]]]}]],
        })
    }

    fn entry(id: u64) -> Value {
        json!({"id": id, "path": format!("node1/dbs/1/0/2025-10-09/11-0{id}/0000000296.parquet"), "size_bytes": 15,
               "row_count": 3, "chunk_time": 0, "min_time": -5, "max_time": 9})
    }

    fn parse(json: &Value) -> Result<Snapshot, FormatError> {
        Snapshot::parse(&serde_json::to_vec_pretty(json).expect("serializes"))
    }

    fn without(field: &str) -> Value {
        let mut json = manifest();
        json.as_object_mut().expect("an object").remove(field).expect("the field was there");
        json
    }

    fn with(field: &str, value: Value) -> Value {
        let mut json = manifest();
        json[field] = value;
        json
    }

    #[test]
    fn every_field_is_read() {
        let snapshot = parse(&manifest()).expect("parses");
        assert_eq!(snapshot.node_id, "node1");
        assert_eq!(snapshot.next_file_id, 3);
        assert_eq!(snapshot.snapshot_sequence_number, 44);
        assert_eq!(snapshot.wal_file_sequence_number, 296);
        assert_eq!(snapshot.catalog_sequence_number, 12);
        assert_eq!((snapshot.parquet_size_bytes, snapshot.row_count), (30, 6));
        assert_eq!((snapshot.min_time, snapshot.max_time), (-5, 9));
        let ids = |files: &Table<FileRef>| files.iter().map(|f| (f.database, f.table, f.id)).collect::<Vec<_>>();
        assert_eq!(ids(&snapshot.added), [(1, 0, 1), (1, 0, 2)]);
        assert_eq!(ids(&snapshot.removed), [(3, 0, 0)]);
    }

    #[test]
    fn old_and_new_files_are_read() {
        assert_eq!(parse(&without("removed_files")).expect("as before 3.2").removed, Table::new());
        let mut old = without("node_id");
        old["writer_id"] = json!("node1");
        assert_eq!(parse(&old), parse(&manifest()));
        assert_eq!(parse(&with("invented_later", json!({"deep": [1, 2]}))), parse(&manifest()));
        let empty = parse(&json!({
            "version": "1", "node_id": "n", "next_file_id": 0, "snapshot_sequence_number": u64::MAX,
            "wal_file_sequence_number": 0, "catalog_sequence_number": 0, "parquet_size_bytes": 0, "row_count": 0,
            "min_time": i64::MAX, "max_time": i64::MIN, "databases": [],
        }))
        .expect("a snapshot without rows");
        assert_eq!((empty.min_time, empty.max_time), (i64::MAX, i64::MIN));
    }

    #[test]
    fn each_damage_has_its_error() {
        assert_eq!(Snapshot::parse(b""), Err(FormatError::Empty));
        for field in ["version", "node_id", "next_file_id", "snapshot_sequence_number", "wal_file_sequence_number"]
            .into_iter()
            .chain(["catalog_sequence_number", "parquet_size_bytes", "row_count", "min_time", "max_time", "databases"])
        {
            assert!(matches!(parse(&without(field)), Err(FormatError::Json { .. })), "{field}");
        }
        let version_2 = FormatError::UnsupportedVersion { found: "2".to_owned(), known: "1".to_owned() };
        assert_eq!(parse(&with("version", json!("2"))), Err(version_2.clone()));
        assert_eq!(parse(&json!({"version": "2"})), Err(version_2), "other fields in another version");
        assert!(matches!(Snapshot::parse(b"{}{}"), Err(FormatError::Json { .. })));
    }

    #[test]
    fn the_name_must_stand_for_the_sequence() {
        let snapshot = parse(&manifest()).expect("parses");
        assert_eq!(snapshot.check_name("18446744073709551571.info.json"), Ok(()));
        assert_eq!(
            snapshot.check_name("18446744073709551570.info.json"),
            Err(FormatError::SequenceMismatch { named: 45, embedded: 44 })
        );
        assert!(matches!(snapshot.check_name("44.info.json"), Err(FormatError::BadName { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            prop_assert!(Snapshot::parse(&bytes).is_err());
        }

        #[test]
        fn no_part_of_a_file_passes_for_the_whole(at: prop::sample::Index) {
            let bytes = serde_json::to_vec_pretty(&manifest()).expect("serializes");
            prop_assert!(Snapshot::parse(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn any_changed_bytes_are_answered(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut bytes = serde_json::to_vec(&manifest()).expect("serializes");
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            // Without a checksum a change may go unseen, but what is read then has a shape of its own.
            if let Ok(snapshot) = Snapshot::parse(&bytes) {
                prop_assert!(snapshot.added.len() <= 2 && snapshot.removed.len() <= 1);
            }
        }
    }
}
