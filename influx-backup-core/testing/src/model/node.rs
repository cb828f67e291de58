//! An ingester: WAL flush, snapshot, trim, checkpoints, crash and restart; and the retention that deletes its files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use rand::Rng;
use serde_json::json;

use super::{
    Behavior, Hardship,
    catalog::{self, Change},
    hand::{Crashed, Hand, Write},
};
use influx_backup_core::{
    layout::wal_name,
    testing::write::{self, CheckpointSpec, FileSpec, ManifestSpec},
};

/// One row as its WAL file carries it.
#[derive(Debug, Clone)]
struct WalRow {
    id: u64,
    table: u32,
    /// The columns of its table when it was written.
    columns: u32,
    time: Duration,
}

/// What a WAL file says about the snapshot that begins with it.
#[derive(Debug, Clone, Copy)]
struct Details {
    sequence: u64,
    /// The last WAL file covered.
    wal: u64,
}

#[derive(Debug, Clone)]
struct WalFile {
    rows: Vec<WalRow>,
    details: Option<Details>,
}

/// A Parquet file that a stored manifest names.
#[derive(Debug, Clone)]
pub(super) struct Persisted {
    pub(super) spec: FileSpec,
    pub(super) rows: Vec<u64>,
    /// When its newest row was written.
    pub(super) newest: Duration,
    pub(super) state: FileState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileState {
    Live,
    /// A stored compaction summary replaces it; it goes with the cleanup.
    Superseded,
    /// Deleted, or about to be.
    Gone,
}

/// What of a node is in the store: all that a restart finds.
#[derive(Debug, Default)]
pub(super) struct Durable {
    wal: BTreeMap<u64, WalFile>,
    manifests: Vec<(String, ManifestSpec)>,
    /// Sequences of the checkpoints, by month.
    checkpoints: BTreeMap<String, Vec<u64>>,
    pub(super) files: BTreeMap<String, Persisted>,
    /// Deleted files that the next manifest lists. In memory only: a crash forgets them.
    removed: Vec<FileSpec>,
}

impl Durable {
    fn newest(&self) -> (u64, u64) {
        self.manifests.last().map_or((0, 0), |(_, manifest)| (manifest.sequence, manifest.wal))
    }
}

pub(super) fn lock(durable: &Mutex<Durable>) -> MutexGuard<'_, Durable> {
    durable.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cargo {
    Rows,
    RowsAndSnapshot,
    /// A forced snapshot: a WAL file without rows.
    Snapshot,
}

#[derive(Debug)]
pub(super) struct Node {
    hand: Hand,
    id: String,
    durable: Arc<Mutex<Durable>>,
    /// Rows that no manifest covers, by WAL file.
    buffer: BTreeMap<u64, Vec<WalRow>>,
    next_wal: u64,
    next_snapshot: u64,
    next_file: u64,
    covered: u64,
    /// A snapshot begins when this many WAL files are not covered.
    every: u64,
    /// Covered WAL files that a trim keeps.
    keep: usize,
    /// Snapshots between two checkpoints.
    checkpoint_every: u64,
}

impl Node {
    pub(super) fn new(mut hand: Hand, id: &str, durable: Arc<Mutex<Durable>>) -> Self {
        let every = hand.rng.random_range(3..7);
        let keep = hand.rng.random_range(1..5);
        let checkpoint_every = hand.rng.random_range(2..5);
        Self {
            hand,
            id: id.to_owned(),
            durable,
            buffer: BTreeMap::new(),
            next_wal: 1,
            next_snapshot: 1,
            next_file: 0,
            covered: 0,
            every,
            keep,
            checkpoint_every,
        }
    }

    pub(super) async fn live(mut self) {
        let pace = self.hand.world.options.pace;
        let mut alive = self.register().await;
        while !self.hand.world.is_done() {
            if alive.is_err() {
                self.hand.world.note(Behavior::Crash);
                self.hand.pause(pace..pace * 6).await;
                alive = self.restart().await;
                continue;
            }
            self.hand.pause(pace / 3..pace * 5 / 3).await;
            if self.hand.world.has(Behavior::Crash) && self.hand.rng.random_bool(0.04) {
                let operations = self.hand.rng.random_range(1..9);
                self.hand.light_fuse(operations);
            }
            alive = self.step().await;
        }
    }

    async fn register(&mut self) -> Result<(), Crashed> {
        let world = Arc::clone(&self.hand.world);
        catalog::change(&world, &mut self.hand, Change::Register(self.id.clone())).await
    }

    async fn step(&mut self) -> Result<(), Crashed> {
        let world = Arc::clone(&self.hand.world);
        if world.has(Behavior::BurnedNumber) && self.hand.rng.random_bool(0.03) {
            // The rows were refused: no writer was told that they are stored, and they are not.
            world.note(Behavior::BurnedNumber);
            world.endure(Hardship::BurnedNumber);
            self.next_wal += self.hand.rng.random_range(1..3);
            self.hand.pause(world.options.pace..world.options.pace * 3).await;
        }
        if self.next_wal <= self.covered + self.every {
            return self.flush(Cargo::Rows).await.map(drop);
        }
        if let Some(details) = self.flush(Cargo::RowsAndSnapshot).await? {
            self.snapshot(details).await?;
        }
        if world.has(Behavior::EmptySnapshot) && self.hand.rng.random_bool(0.2) {
            // The first persists what is left, the others find nothing.
            for _ in 0..self.hand.rng.random_range(2..6) {
                if let Some(details) = self.flush(Cargo::Snapshot).await? {
                    self.snapshot(details).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes one WAL file; its rows are acknowledged when the answer comes.
    async fn flush(&mut self, cargo: Cargo) -> Result<Option<Details>, Crashed> {
        let world = Arc::clone(&self.hand.world);
        let number = self.next_wal;
        self.next_wal += 1;
        let rows = if cargo == Cargo::Snapshot { Vec::new() } else { self.rows(number) };
        let details = (cargo != Cargo::Rows).then(|| {
            let behind = if cargo == Cargo::Snapshot { 1 } else { self.hand.rng.random_range(1..3) };
            Details { sequence: self.next_snapshot, wal: number.saturating_sub(behind).max(self.covered) }
        });
        self.next_snapshot += u64::from(details.is_some());
        let file = WalFile { rows: rows.clone(), details };
        let stored = {
            let durable = Arc::clone(&self.durable);
            let file = file.clone();
            move || {
                lock(&durable).wal.insert(number, file);
            }
        };
        let key = format!("{}/wal/{}", self.id, wal_name(number));
        self.hand.put(&key, wal_bytes(&file), Write::Create, stored).await?;
        world.history().acknowledge(rows.iter().map(|row| row.id), world.now());
        self.buffer.insert(number, rows);
        Ok(details)
    }

    fn rows(&mut self, wal: u64) -> Vec<WalRow> {
        let world = Arc::clone(&self.hand.world);
        let mut rows = Vec::new();
        for _ in 0..self.hand.rng.random_range(1..3) {
            let Some(table) = world.pick_table(&mut self.hand.rng) else { continue };
            let columns = world.tables().get(&table).copied().unwrap_or(1);
            for _ in 0..self.hand.rng.random_range(1..4) {
                let time = world.now();
                let id = world.history().attempt(&self.id, table, wal, time);
                rows.push(WalRow { id, table, columns, time });
            }
        }
        rows
    }

    /// Parquet, manifest, checkpoints, trim; new rows arrive in between.
    async fn snapshot(&mut self, details: Details) -> Result<(), Crashed> {
        let world = Arc::clone(&self.hand.world);
        let mut chunks: BTreeMap<(u32, i64), Vec<WalRow>> = BTreeMap::new();
        for row in self.buffer.range(..=details.wal).flat_map(|(_, rows)| rows) {
            if !world.history().is_dropped(row.table) {
                chunks.entry((row.table, world.chunk(row.time))).or_default().push(row.clone());
            }
        }
        let mut added = Vec::new();
        for ((table, chunk), rows) in chunks {
            added.push(self.persist(table, chunk, rows, details).await?);
            if self.hand.rng.random_bool(0.3) {
                self.flush(Cargo::Rows).await?;
            }
        }
        self.delete_dropped().await?;
        let removed = std::mem::take(&mut lock(&self.durable).removed);
        let is_empty = added.is_empty() && removed.is_empty();
        if is_empty {
            world.note(Behavior::EmptySnapshot);
        } else {
            self.manifest(details, added, removed).await?;
            if world.has(Behavior::Checkpoint) && details.sequence.is_multiple_of(self.checkpoint_every) {
                self.checkpoints(details).await?;
            }
        }
        self.buffer = self.buffer.split_off(&(details.wal + 1));
        self.covered = self.covered.max(details.wal);
        let trimmed = self.trim(details.wal).await?;
        if is_empty && trimmed > 0 {
            world.endure(Hardship::TrimWithoutManifest);
        }
        self.marker(details).await
    }

    async fn persist(
        &mut self,
        table: u32,
        chunk: i64,
        rows: Vec<WalRow>,
        details: Details,
    ) -> Result<Persisted, Crashed> {
        let world = Arc::clone(&self.hand.world);
        let ids: Vec<u64> = rows.iter().map(|row| row.id).collect();
        // The same rows give other bytes when they are written again.
        let length = self.hand.rng.random_range(0..200);
        let bytes = write::parquet(&write::rows(ids.iter().copied(), length));
        let time =
            |pick: fn(Duration, Duration) -> Duration| rows.iter().map(|row| row.time).reduce(pick).unwrap_or_default();
        let newest = time(Duration::max);
        let spec = FileSpec {
            database: 1,
            table,
            id: self.next_file,
            path: write::parquet_key_by_id(&self.id, 1, table, chunk, details.wal),
            size_bytes: bytes.len() as u64,
            row_count: ids.len() as u64,
            chunk_time: chunk,
            min_time: world.nanoseconds(time(Duration::min)),
            max_time: world.nanoseconds(newest),
        };
        self.next_file += 1;
        self.hand.put(&spec.path, bytes, Write::Overwrite, || ()).await?;
        Ok(Persisted { spec, rows: ids, newest, state: FileState::Live })
    }

    /// Hard delete: the files of dropped tables go before a manifest records it.
    async fn delete_dropped(&mut self) -> Result<(), Crashed> {
        let world = Arc::clone(&self.hand.world);
        let dropped: Vec<FileSpec> = {
            let history = world.history();
            let durable = lock(&self.durable);
            let dropped = durable
                .files
                .values()
                .filter(|file| file.state == FileState::Live && history.is_dropped(file.spec.table));
            dropped.map(|file| file.spec.clone()).collect()
        };
        for spec in dropped {
            if let Some(file) = lock(&self.durable).files.get_mut(&spec.path) {
                file.state = FileState::Gone;
            }
            self.hand.delete(&spec.path).await?;
            lock(&self.durable).removed.push(spec);
        }
        Ok(())
    }

    async fn manifest(
        &mut self,
        details: Details,
        added: Vec<Persisted>,
        removed: Vec<FileSpec>,
    ) -> Result<(), Crashed> {
        let world = Arc::clone(&self.hand.world);
        let spec = ManifestSpec {
            node_id: self.id.clone(),
            sequence: details.sequence,
            wal: details.wal,
            catalog: world.sequence.load(Ordering::SeqCst),
            next_file_id: self.next_file,
            added: added.iter().map(|file| file.spec.clone()).collect(),
            removed,
        };
        let key = format!("{}/snapshots/{}", self.id, write::manifest_name(details.sequence));
        let bytes = write::manifest(&spec);
        let durable = Arc::clone(&self.durable);
        let month = world.month(world.now());
        let stored = move || {
            let mut durable = lock(&durable);
            durable.manifests.push((month, spec));
            durable.files.extend(added.into_iter().map(|file| (file.spec.path.clone(), file)));
        };
        self.hand.put(&key, bytes, Write::Overwrite, stored).await
    }

    /// A checkpoint for every month with manifests that its last one does not contain, oldest first; two of each month stay.
    async fn checkpoints(&mut self, details: Details) -> Result<(), Crashed> {
        let world = Arc::clone(&self.hand.world);
        let months: BTreeSet<String> = lock(&self.durable).manifests.iter().map(|(month, _)| month.clone()).collect();
        for month in months {
            let Some(spec) = self.checkpoint_of(&month) else { continue };
            let directory = format!("{}/snapshot-checkpoints/{month}", self.id);
            let durable = Arc::clone(&self.durable);
            let sequence = spec.sequence;
            let stored = {
                let month = month.clone();
                move || lock(&durable).checkpoints.entry(month).or_default().push(sequence)
            };
            world.note(Behavior::Checkpoint);
            let key = format!("{directory}/{}", write::checkpoint_name(sequence));
            self.hand.put(&key, write::checkpoint(&spec), Write::Overwrite, stored).await?;
            let old: Vec<u64> = {
                let mut durable = lock(&self.durable);
                let kept = durable.checkpoints.entry(month).or_default();
                let old = kept.len().saturating_sub(2);
                kept.drain(..old).collect()
            };
            for sequence in old {
                self.hand.delete(&format!("{directory}/{}", write::checkpoint_name(sequence))).await?;
            }
        }
        debug_assert!(details.sequence <= lock(&self.durable).newest().0);
        Ok(())
    }

    fn checkpoint_of(&self, month: &str) -> Option<CheckpointSpec> {
        let durable = lock(&self.durable);
        let of_month: Vec<&ManifestSpec> =
            durable.manifests.iter().filter(|(m, _)| m == month).map(|(_, spec)| spec).collect();
        let newest = of_month.last()?;
        if durable.checkpoints.get(month).and_then(|kept| kept.last()) == Some(&newest.sequence) {
            return None;
        }
        let mut files: BTreeMap<&str, &FileSpec> = BTreeMap::new();
        let mut pending: Vec<FileSpec> = Vec::new();
        for manifest in &of_month {
            files.extend(manifest.added.iter().map(|file| (file.path.as_str(), file)));
            for file in &manifest.removed {
                if files.remove(file.path.as_str()).is_none() {
                    pending.push(file.clone());
                }
            }
        }
        Some(CheckpointSpec {
            node_id: self.id.clone(),
            month: month.to_owned(),
            sequence: newest.sequence,
            wal: newest.wal,
            catalog: newest.catalog,
            next_file_id: newest.next_file_id,
            files: files.into_values().cloned().collect(),
            pending_removed: pending,
        })
    }

    /// Deletes covered WAL files, the newest few excepted, and says how many.
    async fn trim(&mut self, covered: u64) -> Result<usize, Crashed> {
        let old: Vec<u64> = lock(&self.durable).wal.range(..=covered).map(|(number, _)| *number).collect();
        let trimmed = &old[..old.len().saturating_sub(self.keep)];
        for number in trimmed {
            self.hand.delete(&format!("{}/wal/{}", self.id, wal_name(*number))).await?;
            lock(&self.durable).wal.remove(number);
        }
        Ok(trimmed.len())
    }

    /// What a server derives and overwrites: seldom, to save objects.
    async fn marker(&mut self, details: Details) -> Result<(), Crashed> {
        if !self.hand.rng.random_bool(0.15) {
            return Ok(());
        }
        let body = format!("{{\"last_sequence_number\":{}}}", details.sequence);
        let key = format!("{}/table-index-conversion-completed", self.id);
        self.hand.put(&key, Bytes::from(body), Write::Overwrite, || ()).await
    }

    /// Comes back with what is stored: registers, replays the WAL, does again what a snapshot had begun.
    async fn restart(&mut self) -> Result<(), Crashed> {
        let unfinished: Vec<Details> = {
            let mut durable = lock(&self.durable);
            durable.removed.clear();
            let (sequence, covered) = durable.newest();
            let tail = durable.wal.range(covered + 1..);
            self.buffer = tail.clone().map(|(number, file)| (*number, file.rows.clone())).collect();
            self.covered = covered;
            self.next_wal = durable.wal.keys().next_back().copied().unwrap_or_default().max(covered) + 1;
            let unfinished: Vec<Details> =
                tail.filter_map(|(_, file)| file.details).filter(|d| d.sequence > sequence).collect();
            self.next_snapshot = unfinished.iter().map(|details| details.sequence).max().unwrap_or(sequence) + 1;
            unfinished
        };
        self.register().await?;
        for details in unfinished {
            if details.wal >= self.covered {
                self.snapshot(details).await?;
            }
        }
        Ok(())
    }
}

/// The body is JSON: rows as `[number, table, columns]`, and the snapshot that begins with this file.
fn wal_bytes(file: &WalFile) -> Bytes {
    let rows: Vec<_> = file.rows.iter().map(|row| (row.id, row.table, row.columns)).collect();
    let snapshot = file.details.map(|details| (details.sequence, details.wal));
    write::wal(json!({ "rows": rows, "snapshot": snapshot }).to_string().as_bytes())
}

/// Deletes expired files, as a server does every half hour: the objects first, and half of them no manifest ever lists.
pub(super) async fn retention(mut hand: Hand) {
    let world = Arc::clone(&hand.world);
    while !world.is_done() {
        hand.pause(world.options.pace * 2..world.options.pace * 12).await;
        for (_, durable) in &world.nodes {
            let now = world.now();
            let expired: Vec<FileSpec> = {
                let history = world.history();
                let durable = lock(durable);
                let live = durable.files.values().filter(|file| file.state == FileState::Live);
                live.filter(|file| history.is_expired(file.spec.table, file.newest, now))
                    .map(|file| file.spec.clone())
                    .collect()
            };
            for spec in expired {
                world.note(Behavior::Retention);
                if let Some(file) = lock(durable).files.get_mut(&spec.path) {
                    file.state = FileState::Gone;
                }
                hand.delete(&spec.path).await.ok();
                if hand.rng.random() {
                    lock(durable).removed.push(spec);
                } else {
                    world.endure(Hardship::ExpiredUnlisted);
                }
            }
        }
    }
}
