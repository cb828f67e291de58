//! The data of one node. Every file is a pure function of its number, so nothing has to be remembered between objects.

use std::{collections::BTreeSet, ops::Range};

use bytes::Bytes;
use serde_json::json;

use super::{Checkpoints, Derived, Generate, GeneratedNode, Object, catalog};
use crate::{
    layout::{Generation, wal_name},
    testing::write::{self, CheckpointSpec, FileSpec, ManifestSpec},
};

const ROWS_PER_FILE: u64 = 2;
const MINUTE_NS: i64 = 60_000_000_000;
/// 2025-10-09 08:53 UTC.
const FIRST_CHUNK_NS: i64 = 1_759_999_980_000_000_000;
const TABLES: [&str; 2] = ["cpu", "mem"];
const MONTHS: [&str; 2] = ["2025-10", "2025-11"];

#[derive(Clone, Copy)]
pub(super) struct NodeData<'a> {
    cluster: &'a Generate,
    index: u64,
    id: &'a str,
}

impl<'a> NodeData<'a> {
    pub(super) fn new(cluster: &'a Generate, index: u64, id: &'a str) -> Self {
        Self { cluster, index, id }
    }

    pub(super) fn objects(self) -> impl Iterator<Item = Object> + Send + 'a {
        let gone = self.removed().end..self.absent().end;
        let files = (self.removed().end..self.files()).filter(move |number| !gone.contains(number));
        let parquet = files.map(move |number| {
            let file = self.file(number);
            Object { bytes: write::parquet(&self.body(number)), key: file.path }
        });
        let manifests =
            self.snapshots().map(move |s| self.object("snapshots", &write::manifest_name(s), self.manifest(s)));
        let wal =
            self.wal().map(move |number| self.object("wal", &wal_name(number), write::wal(&self.wal_rows(number))));
        parquet.chain(manifests).chain(self.checkpoints()).chain(wal).chain(self.derived())
    }

    pub(super) fn summary(self) -> GeneratedNode {
        let absent: BTreeSet<String> = self.absent().map(|number| self.file(number).path).collect();
        let visible = (self.removed().end..self.files()).filter(|number| !self.absent().contains(number));
        let covered_rows = self.files() * ROWS_PER_FILE;
        GeneratedNode {
            last_snapshot: self.snapshots().last(),
            covered_wal: self.covered_wal(),
            wal: (!self.wal().is_empty()).then(|| (self.wal().start, self.wal().end - 1)),
            files: self.files() - self.removed().end,
            absent,
            rows: visible.flat_map(file_rows).chain(covered_rows..covered_rows + self.cluster.wal_tail).collect(),
        }
    }

    fn object(self, directory: &str, name: &str, bytes: Bytes) -> Object {
        Object { key: format!("{}/{directory}/{name}", self.id), bytes }
    }

    fn snapshots(self) -> std::ops::RangeInclusive<u64> {
        1..=self.cluster.snapshots
    }

    /// How many Parquet files the node ever wrote; they are numbered from 0.
    fn files(self) -> u64 {
        self.cluster.snapshots * self.cluster.files_per_snapshot
    }

    fn files_of(self, snapshot: u64) -> Range<u64> {
        (snapshot - 1) * self.cluster.files_per_snapshot..snapshot * self.cluster.files_per_snapshot
    }

    fn removed(self) -> Range<u64> {
        let removable = self.cluster.snapshots.saturating_sub(2) * self.cluster.files_per_snapshot;
        0..self.cluster.removed.min(removable)
    }

    fn absent(self) -> Range<u64> {
        let first = self.removed().end;
        first..(first + self.cluster.absent).min(self.files())
    }

    /// The snapshot whose manifest lists a removed file: the newest two take turns.
    fn removed_by(self, file: u64) -> u64 {
        self.cluster.snapshots - file % 2
    }

    fn removed_in(self, snapshots: Range<u64>) -> impl Iterator<Item = u64> {
        self.removed().filter(move |file| snapshots.contains(&self.removed_by(*file)))
    }

    fn covered_wal(self) -> u64 {
        self.cluster.snapshots * self.cluster.wal_per_snapshot
    }

    fn wal(self) -> Range<u64> {
        let covered = self.covered_wal();
        covered + 1 - self.cluster.covered_wal_kept.min(covered)..covered + 1 + self.cluster.wal_tail
    }

    /// The rows of its share of the snapshot that covers it, or one row in the tail.
    fn wal_rows(self, number: u64) -> Bytes {
        let tail = self.files() * ROWS_PER_FILE;
        if let Some(above) = number.checked_sub(self.covered_wal() + 1) {
            return write::rows([tail + above], 0);
        }
        let per_snapshot = self.cluster.wal_per_snapshot;
        let snapshot = (number - 1) / per_snapshot;
        let rows = self.cluster.files_per_snapshot * ROWS_PER_FILE;
        let share = (number - 1) % per_snapshot;
        let first = snapshot * rows;
        write::rows(first + rows * share / per_snapshot..first + rows * (share + 1) / per_snapshot, 0)
    }

    fn body(self, file: u64) -> Bytes {
        write::rows(file_rows(file), self.padded(file))
    }

    /// The length of a file's body where its rows need less.
    fn padded(self, file: u64) -> usize {
        let odd = (self.cluster.random(self.index << 40 | file) % 64) as usize;
        (self.cluster.parquet_size + odd).saturating_sub(write::PARQUET_FRAME)
    }

    fn file(self, number: u64) -> FileSpec {
        let per_snapshot = self.cluster.files_per_snapshot;
        let snapshot = number / per_snapshot + 1;
        let place = number % per_snapshot;
        // Four tables take turns; then the next minute begins.
        let database = place % 2 + 1;
        let table = place / 2 % 2;
        let minute = (snapshot - 1) * per_snapshot.div_ceil(4) + place / 4;
        let start = FIRST_CHUNK_NS + i64::try_from(minute).unwrap_or_default() * MINUTE_NS;
        let wal = snapshot * self.cluster.wal_per_snapshot;
        let names = (catalog::DATABASES[database as usize], TABLES[table as usize]);
        let database = database as u32;
        let table = table as u32;
        let body = write::rows(file_rows(number), 0).len().max(self.padded(number));
        let path = match self.generation_of(snapshot) {
            Generation::V1 => write::parquet_key_by_name(self.id, (names.0, database), (names.1, table), start, wal),
            _ => write::parquet_key_by_id(self.id, database, table, start, wal),
        };
        FileSpec {
            database,
            table,
            id: number,
            path,
            size_bytes: (body + write::PARQUET_FRAME) as u64,
            row_count: ROWS_PER_FILE,
            chunk_time: start,
            min_time: start,
            max_time: start + MINUTE_NS - 1_000_000_000,
        }
    }

    /// The generation that was live when the snapshot was taken.
    fn generation_of(self, snapshot: u64) -> Generation {
        let generations = &self.cluster.generations;
        let era = (snapshot - 1) * generations.len() as u64 / self.cluster.snapshots;
        generations.get(era as usize).copied().unwrap_or(Generation::V3)
    }

    fn manifest(self, snapshot: u64) -> Bytes {
        write::manifest(&ManifestSpec {
            node_id: self.id.to_owned(),
            sequence: snapshot,
            wal: snapshot * self.cluster.wal_per_snapshot,
            catalog: catalog::sequence_at(self.cluster, snapshot),
            next_file_id: self.files_of(snapshot).end,
            added: self.files_of(snapshot).map(|number| self.file(number)).collect(),
            removed: self.removed_in(snapshot..snapshot + 1).map(|number| self.file(number)).collect(),
        })
    }

    /// The first month ends with the first half of the snapshots, the second before the newest one; the newest checkpoint of a
    /// month covers it, an older one its first half.
    fn checkpoints(self) -> impl Iterator<Item = Object> + Send + 'a {
        let newest = match self.cluster.checkpoints {
            Checkpoints::None => 0,
            Checkpoints::Monthly => self.cluster.snapshots.saturating_sub(1),
        };
        let months = [(MONTHS[0], 1..newest.div_ceil(2) + 1), (MONTHS[1], newest.div_ceil(2) + 1..newest + 1)];
        months.into_iter().filter(|(_, month)| !month.is_empty()).flat_map(move |(name, month)| {
            let last = month.end - 1;
            let ends = BTreeSet::from([last, (month.start + last) / 2]);
            ends.into_iter().map(move |end| {
                let bytes = self.checkpoint(name, month.start..end + 1);
                self.object("snapshot-checkpoints", &format!("{name}/{}", write::checkpoint_name(end)), bytes)
            })
        })
    }

    fn checkpoint(self, month: &str, snapshots: Range<u64>) -> Bytes {
        let last = snapshots.end - 1;
        let added = self.files_of(snapshots.start).start..self.files_of(last).end;
        let removed: BTreeSet<u64> = self.removed_in(snapshots).collect();
        let pending = removed.iter().filter(|number| !added.contains(number));
        write::checkpoint(&CheckpointSpec {
            node_id: self.id.to_owned(),
            month: month.to_owned(),
            sequence: last,
            wal: last * self.cluster.wal_per_snapshot,
            catalog: catalog::sequence_at(self.cluster, last),
            next_file_id: added.end,
            pending_removed: pending.map(|number| self.file(*number)).collect(),
            files: added.filter(|number| !removed.contains(number)).map(|number| self.file(number)).collect(),
        })
    }

    /// One index and one table snapshot not merged yet, as between two snapshots of a server, and the marker.
    fn derived(self) -> impl Iterator<Item = Object> + Send + use<> {
        let last = self.cluster.snapshots;
        if self.cluster.derived == Derived::None || last == 0 {
            return Vec::new().into_iter();
        }
        let bytes = |value: serde_json::Value| Bytes::from(value.to_string());
        let index = json!({
            "node_id": self.id, "db_id": 1, "table_id": 0, "files": [], "latest_snapshot_sequence_number": last - 1,
            "parquet_size_bytes": 0, "row_count": 0, "min_time": i64::MAX, "max_time": i64::MIN,
        });
        let table = json!({
            "node_id": self.id, "db_id": 1, "table_id": 0, "snapshot_sequence_number": last, "files": [],
            "removed_files": [], "parquet_size_bytes": 0, "row_count": 0, "min_time": i64::MAX, "max_time": i64::MIN,
        });
        let marker = format!("{}/table-index-conversion-completed", self.id);
        vec![
            self.object("db-indices/1/0", "index.info.json", bytes(index)),
            self.object("table-snapshots/1/0", &format!("{last:020}.info.json"), bytes(table)),
            Object { key: marker, bytes: bytes(json!({ "last_sequence_number": last - 1 })) },
        ]
        .into_iter()
    }
}

fn file_rows(file: u64) -> Range<u64> {
    file * ROWS_PER_FILE..(file + 1) * ROWS_PER_FILE
}
