//! [`Manifest`]: a snapshot manifest as a row of a table.

use crate::{
    format::Snapshot,
    key::Key,
    location::{Version, VersionBefore},
    table::{Keyed, Packer, Row, Unpacker},
};

/// A snapshot manifest that parses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) key: Key,
    /// The version that was read.
    pub(crate) version: Version,
    pub(crate) snapshot: Snapshot,
}

/// What manifests in a block tell the ones after them.
#[derive(Debug, Default)]
pub(crate) struct ManifestBefore {
    version: VersionBefore,
    numbers: [u64; 8],
    node_id: String,
    path: String,
}

impl Keyed for Manifest {
    fn key(&self) -> &str {
        self.key.as_str()
    }
}

impl Row for Manifest {
    type Before = ManifestBefore;

    fn pack(&self, before: &mut ManifestBefore, packer: &mut Packer) {
        // Its size is not known here; then the tag of a file is written as any other.
        self.version.pack(0, &mut before.version, packer);
        let Snapshot {
            node_id,
            next_file_id,
            snapshot_sequence_number,
            wal_file_sequence_number,
            catalog_sequence_number,
            parquet_size_bytes,
            row_count,
            min_time,
            max_time,
            added,
            removed,
        } = &self.snapshot;
        packer.repeated(&mut before.node_id, node_id);
        let numbers = [
            *next_file_id,
            *snapshot_sequence_number,
            *wal_file_sequence_number,
            *catalog_sequence_number,
            *parquet_size_bytes,
            *row_count,
            min_time.cast_unsigned(),
            max_time.cast_unsigned(),
        ];
        packer.differences(&mut before.numbers, numbers);
        packer.table(&mut before.path, added);
        packer.table(&mut before.path, removed);
    }

    fn unpack(key: &str, before: &mut ManifestBefore, packed: &mut Unpacker<'_>) -> Self {
        let version = Version::unpack(0, &mut before.version, packed);
        let node_id = packed.repeated(&mut before.node_id).to_owned();
        let [
            next_file_id,
            snapshot_sequence_number,
            wal_file_sequence_number,
            catalog_sequence_number,
            parquet_size_bytes,
            row_count,
            min_time,
            max_time,
        ] = packed.differences(&mut before.numbers);
        let snapshot = Snapshot {
            node_id,
            next_file_id,
            snapshot_sequence_number,
            wal_file_sequence_number,
            catalog_sequence_number,
            parquet_size_bytes,
            row_count,
            min_time: min_time.cast_signed(),
            max_time: max_time.cast_signed(),
            added: packed.table(&mut before.path),
            removed: packed.table(&mut before.path),
        };
        Self { key: Key::known(key), version, snapshot }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{format::FileRef, table::Table};

    fn files() -> impl Strategy<Value = Table<FileRef>> {
        let file = ("[a-z]{1,9}(/[0-9]{1,9}){0,3}", any::<[u64; 5]>(), any::<[i64; 3]>());
        let files = vec(file, 0..200);
        files.prop_map(|files| {
            let file = |(path, numbers, times)| {
                let [database, table, id, size_bytes, row_count] = numbers;
                let [chunk_time, min_time, max_time] = times;
                FileRef { database, table, id, path, size_bytes, row_count, chunk_time, min_time, max_time }
            };
            files.into_iter().map(file).collect()
        })
    }

    fn manifests() -> impl Strategy<Value = Manifest> {
        let parts = ("[a-c]/[0-9]{1,20}", "[a-z]{0,3}", any::<[u64; 6]>(), any::<[i64; 2]>(), files(), files());
        parts.prop_map(|(key, node_id, numbers, [min_time, max_time], added, removed)| Manifest {
            key: Key::parse(&key).expect("a key"),
            version: Version { e_tag: Some(key.into()), id: None, modified: DateTime::from_timestamp_nanos(min_time) },
            snapshot: Snapshot {
                node_id,
                next_file_id: numbers[0],
                snapshot_sequence_number: numbers[1],
                wal_file_sequence_number: numbers[2],
                catalog_sequence_number: numbers[3],
                parquet_size_bytes: numbers[4],
                row_count: numbers[5],
                min_time,
                max_time,
                added,
                removed,
            },
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_manifests_say_is_kept(manifests in vec(manifests(), 1..50)) {
            let manifests: BTreeMap<_, _> = manifests.into_iter().map(|it| (it.key.clone(), it)).collect();
            let table: Table<Manifest> = manifests.values().cloned().collect();
            prop_assert!(table.iter().eq(manifests.into_values()));
        }
    }
}
