//! [`Checkpoint`]: the snapshot manifests of a month, merged.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::error::{self, FormatError};
use super::files::{self, Databases, FileRef, Versioned};
use crate::{layout, table::Table};

/// A snapshot checkpoint (`snapshot-checkpoints/*/*.checkpoint.json`, from 3.8.2): the manifests of one month, merged.
///
/// A server takes its position in the WAL from the newer of checkpoint and manifest, so a checkpoint newer than the
/// newest manifest loses rows. Source: `PersistedSnapshotCheckpoint`, v3.8.2 to v3.10.1. The file has no checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The node that wrote it.
    pub node_id: String,
    /// The month, `YYYY-MM`: when the manifests were stored, not when their rows were measured.
    pub year_month: String,
    /// The newest snapshot in it.
    pub last_snapshot_sequence_number: u64,
    /// The number that the next Parquet file of this node gets, where known.
    pub next_file_id: Option<u64>,
    /// The last WAL file that the newest snapshot in it covers.
    pub wal_file_sequence_number: u64,
    /// The sequence of the catalog when the newest snapshot in it was taken.
    pub catalog_sequence_number: u64,
    pub(crate) files: Table<FileRef>,
    pub(crate) pending_removed: Table<FileRef>,
}

impl Checkpoint {
    /// Reads a snapshot checkpoint.
    ///
    /// # Errors
    /// [`FormatError::Empty`], [`FormatError::Json`], or [`FormatError::UnsupportedVersion`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        files::parse::<File>(bytes).map(Into::into)
    }

    /// Reads a snapshot checkpoint that is too large to be held.
    pub(crate) fn read(file: impl Read) -> Result<Self, FormatError> {
        files::read::<File>(file).map(Into::into)
    }

    /// The files of the month that are not removed.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileRef> {
        self.files.iter()
    }

    /// The files of other months that snapshots of this month removed.
    pub fn pending_removed(&self) -> impl ExactSizeIterator<Item = FileRef> {
        self.pending_removed.iter()
    }

    /// Checks that `name`, the last segment of its key, stands for the newest snapshot in it.
    ///
    /// # Errors
    /// [`FormatError::BadName`] or [`FormatError::SequenceMismatch`].
    pub fn check_name(&self, name: &str) -> Result<(), FormatError> {
        error::same_sequence(name, layout::checkpoint_sequence(name), self.last_snapshot_sequence_number)
    }
}

#[derive(Deserialize)]
struct File {
    version: String,
    node_id: String,
    year_month: String,
    last_snapshot_sequence_number: u64,
    next_file_id: Option<u64>,
    wal_file_sequence_number: u64,
    catalog_sequence_number: u64,
    databases: Databases,
    #[serde(default)]
    pending_removed_files: Databases,
}

impl From<File> for Checkpoint {
    fn from(file: File) -> Self {
        Self {
            node_id: file.node_id,
            year_month: file.year_month,
            last_snapshot_sequence_number: file.last_snapshot_sequence_number,
            next_file_id: file.next_file_id,
            wal_file_sequence_number: file.wal_file_sequence_number,
            catalog_sequence_number: file.catalog_sequence_number,
            files: file.databases.into_files(),
            pending_removed: file.pending_removed_files.into_files(),
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

    fn checkpoint() -> Value {
        let file = json!({"id": 9, "path": "node1/dbs/1/0/a.parquet", "size_bytes": 15, "row_count": 3,
                          "chunk_time": 0, "min_time": -5, "max_time": 9});
        json!({
            "version": "1", "node_id": "node1", "year_month": "2026-11", "last_snapshot_sequence_number": 43,
            "next_file_id": null, "wal_file_sequence_number": 290, "catalog_sequence_number": 12,
            "parquet_size_bytes": 15, "row_count": 3, "min_time": -5, "max_time": 9,
            "databases": [[1, {"tables": [[0, [file]]]}], [2, {"tables": [[0, []]]}]],
            "pending_removed_files": {"4": {"tables": {"5": [file]}}},
        })
    }

    fn parse(json: &Value) -> Result<Checkpoint, FormatError> {
        Checkpoint::parse(&serde_json::to_vec_pretty(json).expect("serializes"))
    }

    #[test]
    fn every_field_is_read() {
        let read = parse(&checkpoint()).expect("parses");
        assert_eq!((read.node_id.as_str(), read.year_month.as_str()), ("node1", "2026-11"));
        assert_eq!((read.last_snapshot_sequence_number, read.next_file_id), (43, None));
        assert_eq!((read.wal_file_sequence_number, read.catalog_sequence_number), (290, 12));
        let ids = |files: &Table<FileRef>| files.iter().map(|f| (f.database, f.table, f.id)).collect::<Vec<_>>();
        assert_eq!(ids(&read.files), [(1, 0, 9)]);
        assert_eq!(ids(&read.pending_removed), [(4, 5, 9)]);
        let mut numbered = checkpoint();
        numbered["next_file_id"] = json!(183);
        assert_eq!(parse(&numbered).expect("parses").next_file_id, Some(183));
    }

    #[test]
    fn each_damage_has_its_error() {
        assert_eq!(Checkpoint::parse(b""), Err(FormatError::Empty));
        assert!(matches!(Checkpoint::parse(b"null"), Err(FormatError::Json { .. })));
        let mut other = checkpoint();
        other["version"] = json!("7");
        assert_eq!(
            parse(&other),
            Err(FormatError::UnsupportedVersion { found: "7".to_owned(), known: "1".to_owned() })
        );
        let read = parse(&checkpoint()).expect("parses");
        assert_eq!(read.check_name("18446744073709551572.checkpoint.json"), Ok(()));
        assert_eq!(
            read.check_name("18446744073709551573.checkpoint.json"),
            Err(FormatError::SequenceMismatch { named: 42, embedded: 43 })
        );
        assert!(matches!(read.check_name("18446744073709551572.info.json"), Err(FormatError::BadName { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            prop_assert!(Checkpoint::parse(&bytes).is_err());
        }

        #[test]
        fn no_part_of_a_file_passes_for_the_whole(at: prop::sample::Index) {
            let bytes = serde_json::to_vec_pretty(&checkpoint()).expect("serializes");
            prop_assert!(Checkpoint::parse(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn any_changed_bytes_are_answered(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut bytes = serde_json::to_vec(&checkpoint()).expect("serializes");
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(read) = Checkpoint::parse(&bytes) {
                prop_assert!(read.files.len() <= 1 && read.pending_removed.len() <= 1);
            }
        }
    }
}
