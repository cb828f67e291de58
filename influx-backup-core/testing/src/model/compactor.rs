//! The compactor: merges Parquet files that the nodes' manifests name, publishes, and cleans up a wait later.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use rand::{Rng, seq::SliceRandom};
use serde_json::json;

use super::{
    Behavior, Hardship,
    hand::{Crashed, Hand, Write},
    node::{FileState, lock},
};
use influx_backup_core::testing::write;

/// A file to merge: its key, its rows, when the newest was written.
type Input = (String, Vec<u64>, Duration);

/// One compacted file with what describes it.
#[derive(Debug, Clone)]
struct Compacted {
    table: u32,
    rows: Vec<u64>,
    newest: Duration,
    detail: String,
    generation: String,
    file: String,
}

#[derive(Debug)]
pub(super) struct Compactor {
    hand: Hand,
    id: String,
    wait: Duration,
    /// The number of the newest summary stored.
    summary: u64,
    next: u64,
    valid: Vec<Compacted>,
    /// Whether older summaries are in force as long as they exist.
    older_count: bool,
    /// Keys to delete, and when.
    cleanup: VecDeque<(Duration, String)>,
}

impl Compactor {
    pub(super) fn new(mut hand: Hand, id: &str, wait: Duration) -> Self {
        let older_count = hand.rng.random();
        Self {
            hand,
            id: id.to_owned(),
            wait,
            summary: 0,
            next: 1,
            valid: Vec::new(),
            older_count,
            cleanup: VecDeque::new(),
        }
    }

    pub(super) async fn live(mut self) {
        let pace = self.hand.world.options.pace;
        while !self.hand.world.is_done() {
            self.hand.pause(pace..pace * 5).await;
            if self.hand.world.has(Behavior::Crash) && self.hand.rng.random_bool(0.05) {
                let operations = self.hand.rng.random_range(1..6);
                self.hand.light_fuse(operations);
            }
            if self.step().await.is_err() {
                self.hand.world.note(Behavior::Crash);
                self.hand.pause(pace..pace * 6).await;
            }
        }
    }

    async fn step(&mut self) -> Result<(), Crashed> {
        self.clean_up().await?;
        let Some((table, inputs)) = self.pick() else { return self.forget().await };
        // Now and then a compacted file is compacted again.
        let older = self.valid.iter().position(|old| old.table == table).filter(|_| self.hand.rng.random_bool(0.5));
        let older = older.map(|index| self.valid[index].clone());
        let mut rows: Vec<u64> = inputs.iter().flat_map(|(_, rows, _)| rows.iter().copied()).collect();
        let mut newest = inputs.iter().map(|(.., newest)| *newest).max().unwrap_or_default();
        if let Some(older) = &older {
            rows.extend(&older.rows);
            newest = newest.max(older.newest);
        }
        rows.sort_unstable();
        let superseded: Vec<String> = inputs.into_iter().map(|(path, ..)| path).collect();
        let new = self.write(table, rows, newest, &superseded).await?;
        let gone = older.map(|older| older.detail);
        let mut valid: Vec<Compacted> =
            self.valid.iter().filter(|old| Some(&old.detail) != gone.as_ref()).cloned().collect();
        valid.push(new);
        self.publish(valid, superseded).await
    }

    /// Files of one table that may be merged: live ones that a stored manifest names.
    fn pick(&mut self) -> Option<(u32, Vec<Input>)> {
        let mut tables: BTreeMap<u32, Vec<Input>> = BTreeMap::new();
        {
            let history = self.hand.world.history();
            let now = self.hand.world.now();
            for (_, durable) in &self.hand.world.nodes {
                for (path, file) in &lock(durable).files {
                    let table = file.spec.table;
                    let removed = history.is_dropped(table) || history.is_expired(table, file.newest, now);
                    if file.state == FileState::Live && !removed {
                        tables.entry(table).or_default().push((path.clone(), file.rows.clone(), file.newest));
                    }
                }
            }
        }
        let mut ripe: Vec<_> = tables.into_iter().filter(|(_, files)| files.len() > 1).collect();
        ripe.shuffle(&mut self.hand.rng);
        let (table, mut files) = ripe.pop()?;
        files.shuffle(&mut self.hand.rng);
        files.truncate(self.hand.rng.random_range(2..6));
        Some((table, files))
    }

    /// Parquet, generation, detail: nothing names them yet.
    async fn write(
        &mut self,
        table: u32,
        rows: Vec<u64>,
        newest: Duration,
        superseded: &[String],
    ) -> Result<Compacted, Crashed> {
        let number = self.next;
        self.next += 1;
        let directory = format!("{}/c/{:02x}/{:02x}", self.id, number * 37 % 256, number * 101 % 256);
        let file = format!("{directory}/{number:020}.parquet");
        let generation = format!("{directory}/{number}.json");
        // The detail's number is that of the summary to come: a compactor that died writes it again.
        let detail = format!("{}/cd/{:020}.json", self.id, self.summary + 1);
        let bytes = write::parquet(&write::rows(rows.iter().copied(), self.hand.rng.random_range(0..100)));
        self.hand.put(&file, bytes, Write::Overwrite, || ()).await?;
        let body = json!({ "table": table, "file": file, "supersedes": superseded }).to_string();
        self.hand.put(&generation, Bytes::from(body), Write::Overwrite, || ()).await?;
        let body = json!({ "generation": generation }).to_string();
        self.hand.put(&detail, Bytes::from(body), Write::Overwrite, || ()).await?;
        Ok(Compacted { table, rows, newest, detail, generation, file })
    }

    /// The summary makes it true; what it replaces goes later.
    async fn publish(&mut self, valid: Vec<Compacted>, superseded: Vec<String>) -> Result<(), Crashed> {
        let number = self.summary + 1;
        let details: Vec<&str> = valid.iter().map(|compacted| compacted.detail.as_str()).collect();
        let body = Bytes::from(json!({ "details": details, "older_count": self.older_count }).to_string());
        let world = std::sync::Arc::clone(&self.hand.world);
        let id = self.id.clone();
        let wait = self.wait;
        let Self { hand, summary, valid: before, cleanup, .. } = self;
        let stored = || {
            world.note(Behavior::Compaction);
            let due = world.now() + wait;
            let replaced = before.iter().filter(|old| valid.iter().all(|new| new.detail != old.detail));
            let replaced: Vec<String> =
                replaced.flat_map(|old| [old.detail.clone(), old.generation.clone(), old.file.clone()]).collect();
            let summaries = (*summary > 0).then(|| summary_key(&id, *summary));
            for path in &superseded {
                for (_, durable) in &world.nodes {
                    if let Some(file) = lock(durable).files.get_mut(path).filter(|file| file.state == FileState::Live) {
                        file.state = FileState::Superseded;
                    }
                }
            }
            // Roots go first here, too: no summary ever names what is gone.
            cleanup
                .extend(summaries.into_iter().chain(replaced).chain(superseded.iter().cloned()).map(|key| (due, key)));
            *summary = number;
            *before = valid;
        };
        hand.put(&summary_key(&id, number), body, Write::Overwrite, stored).await
    }

    /// Publishes without what was dropped or has expired.
    async fn forget(&mut self) -> Result<(), Crashed> {
        let valid: Vec<Compacted> = {
            let history = self.hand.world.history();
            let now = self.hand.world.now();
            let removed =
                |old: &&Compacted| !history.is_dropped(old.table) && !history.is_expired(old.table, old.newest, now);
            self.valid.iter().filter(removed).cloned().collect()
        };
        if valid.len() == self.valid.len() { Ok(()) } else { self.publish(valid, Vec::new()).await }
    }

    async fn clean_up(&mut self) -> Result<(), Crashed> {
        while let Some((due, key)) = self.cleanup.front().cloned() {
            if due > self.hand.world.now() {
                break;
            }
            self.hand.delete(&key).await?;
            self.cleanup.pop_front();
            for (_, durable) in &self.hand.world.nodes {
                if let Some(file) = lock(durable).files.get_mut(&key) {
                    file.state = FileState::Gone;
                    self.hand.world.endure(Hardship::CleanedUp { published: due.saturating_sub(self.wait) });
                }
            }
        }
        Ok(())
    }
}

fn summary_key(id: &str, number: u64) -> String {
    format!("{id}/cs/{number:020}.json")
}
