//! [`Journal`]: what a run has finished, so that another can go on with it.
//!
//! An object without a line is copied again, never trusted by its name. Lines are written in segments, each durable
//! after the objects it names.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

use crate::{
    error::{Error, Result},
    execute::make_durable,
    key::Key,
    limits::Durability,
    location::Location,
};
use crate::{layout::OWN_DIRECTORY, record::WrittenObject};

/// A segment is written after this many lines, or this long after the last one.
const LINES: usize = 1_000;
const EVERY: Duration = Duration::from_secs(15);

/// One thing that a run has finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JournalLine {
    /// An object is in the backup.
    Copied(WrittenObject),
    /// An object was deleted from the backup.
    Deleted(Key),
}

/// The journal of one run.
#[derive(Debug)]
pub(crate) struct Journal {
    location: Location,
    durability: Durability,
    attempt: u64,
    written: u64,
    lines: Vec<JournalLine>,
    flushed: Instant,
}

impl Journal {
    /// The journal of attempt `attempt` of the backup at `location`.
    pub(crate) fn new(location: &Location, attempt: u64, durability: Durability) -> Self {
        let (location, lines) = (location.clone(), Vec::new());
        Self { location, durability, attempt, written: 0, lines, flushed: Instant::now() }
    }

    /// Adds a line; writes a segment when one is due.
    pub(crate) async fn add(&mut self, line: JournalLine) -> Result<()> {
        self.lines.push(line);
        if self.lines.len() >= LINES || self.flushed.elapsed() >= EVERY { self.flush().await } else { Ok(()) }
    }

    /// Writes what was added: the objects first, then the lines that name them.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        self.flushed = Instant::now();
        if self.lines.is_empty() {
            return Ok(());
        }
        make_durable(&self.location, self.durability).await?;
        let mut text = Vec::new();
        for line in self.lines.drain(..) {
            serde_json::to_writer(&mut text, &line)
                .map_err(|source| Error::Internal { task: "journal", source: Box::new(source) })?;
            text.push(b'\n');
        }
        let key = Key::parse(format!("{OWN_DIRECTORY}/journal/{:06}-{:06}.jsonl", self.attempt, self.written))?;
        self.written += 1;
        self.location.put(&key, Bytes::from(text)).await?;
        Ok(())
    }

    /// What earlier attempts finished. A segment that cannot be read ends with its last whole line: the rest is copied
    /// again.
    pub(crate) async fn read(location: &Location) -> Result<BTreeMap<Key, WrittenObject>> {
        let mut held = BTreeMap::new();
        for entry in location.list(&format!("{OWN_DIRECTORY}/journal")).await? {
            let bytes = location.get(&entry.key, None).await?.unwrap_or_default();
            let lines = bytes.split(|byte| *byte == b'\n').map_while(|line| serde_json::from_slice(line).ok());
            for line in lines {
                match line {
                    JournalLine::Copied(object) => drop(held.insert(object.record.key.clone(), object)),
                    JournalLine::Deleted(key) => drop(held.remove(&key)),
                }
            }
        }
        Ok(held)
    }
}
