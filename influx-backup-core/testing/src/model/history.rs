//! [`History`]: what a model acknowledged, dropped and let expire, and when. All times count from the start of its run.

use std::{collections::BTreeMap, time::Duration};

use super::{Behavior, Chronicle};

/// One row that a node tried to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number, unique in the cluster: its place in [`History::rows`].
    pub id: u64,
    /// The node that took it.
    pub node: String,
    /// Its table.
    pub table: u32,
    /// The WAL file that carries it.
    pub wal: u64,
    /// When its WAL file began to be written: not stored before.
    pub written: Duration,
    /// When the client was told that it is stored; `None` where that never happened, though it may be stored.
    pub acknowledged: Option<Duration>,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// How long after it was written a row expires.
    pub retention: Option<Duration>,
    /// When its drop began to be written.
    pub drop_began: Option<Duration>,
    /// When its drop was stored in the catalog.
    pub dropped: Option<Duration>,
}

/// What makes a backup hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hardship {
    /// A WAL number was given up after failed puts.
    BurnedNumber,
    /// A snapshot that stored no manifest trimmed the WAL.
    TrimWithoutManifest,
    /// A node's file was cleaned up that a summary published at this time had superseded.
    CleanedUp {
        /// When the summary was stored.
        published: Duration,
    },
    /// An expired file was deleted that no manifest ever lists as removed.
    ExpiredUnlisted,
    /// The catalog's next generation got its root; the one before had its terminator since this time.
    Migrated {
        /// When the terminator was stored.
        terminated: Duration,
    },
    /// A node joined.
    NodeAdded,
}

/// What happened in a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Every row, by number.
    pub rows: Vec<Row>,
    /// Every table, by number.
    pub tables: BTreeMap<u32, Table>,
    /// How often each behavior showed.
    pub happened: BTreeMap<Behavior, u64>,
    /// What made a backup hard, and when.
    pub hardships: Vec<(Duration, Hardship)>,
    /// Every version of every object.
    pub objects: Chronicle,
}

impl History {
    /// The row of this number.
    #[must_use]
    pub fn row(&self, id: u64) -> Option<&Row> {
        self.rows.get(usize::try_from(id).ok()?)
    }

    /// When a row was dropped with its table or expired, whichever came first. Its files may still be there then.
    #[must_use]
    pub fn removed_at(&self, row: &Row) -> Option<Duration> {
        let table = self.tables.get(&row.table)?;
        let expires = table.retention.map(|retention| row.written + retention);
        [table.drop_began, expires].into_iter().flatten().min()
    }

    /// The rows that a backup between these times owes: acknowledged before it began, not removed before it ended.
    pub fn owed(&self, began: Duration, ended: Duration) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| {
            row.acknowledged.is_some_and(|time| time < began) && self.removed_at(row).is_none_or(|time| time > ended)
        })
    }

    /// The highest WAL number with a row acknowledged before `time`, per node: what a recovery point reaches at least.
    #[must_use]
    pub fn acknowledged_wal(&self, time: Duration) -> BTreeMap<String, u64> {
        let mut reached = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.acknowledged.is_some_and(|at| at < time)) {
            let highest: &mut u64 = reached.entry(row.node.clone()).or_default();
            *highest = row.wal.max(*highest);
        }
        reached
    }

    pub(super) fn attempt(&mut self, node: &str, table: u32, wal: u64, written: Duration) -> u64 {
        let id = self.rows.len() as u64;
        self.rows.push(Row { id, node: node.to_owned(), table, wal, written, acknowledged: None });
        id
    }

    pub(super) fn acknowledge(&mut self, ids: impl IntoIterator<Item = u64>, time: Duration) {
        for id in ids {
            if let Some(row) = self.rows.get_mut(id as usize) {
                row.acknowledged = Some(time);
            }
        }
    }

    /// Whether a table was dropped, as far as the catalog has it.
    pub(super) fn is_dropped(&self, table: u32) -> bool {
        self.tables.get(&table).is_some_and(|table| table.dropped.is_some())
    }

    /// Whether every row written by `newest` into a table has expired.
    pub(super) fn is_expired(&self, table: u32, newest: Duration, now: Duration) -> bool {
        self.tables.get(&table).and_then(|table| table.retention).is_some_and(|retention| newest + retention < now)
    }
}
