//! [`Certificate`]: the proof that a backup restores, clause by clause.

mod show;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use crate::finding::{Clause, Finding, FindingCode, Severity};

/// Whether a clause holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Violated,
    /// Only the run that took the backup can know, and this tree has no record of one.
    NotAttested,
}

/// Where a verdict comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// From the bytes of the tree itself.
    Recomputed,
    /// From what the run that took the backup recorded.
    Attested,
}

/// One clause and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClauseResult {
    /// Which one.
    pub clause: Clause,
    /// Whether it holds.
    pub verdict: Verdict,
    /// How that is known.
    pub basis: Basis,
    /// What violates it; the first [`Certificate::VIOLATIONS_KEPT`] of them.
    pub violations: Vec<Finding>,
    /// How many violations there are in all.
    pub violated: u64,
}

/// Where a node can be recovered to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryPoint {
    /// The node.
    pub node: String,
    /// The newest snapshot: what is certain even without any WAL.
    pub guaranteed: Option<Guaranteed>,
    /// The last WAL file held above it: what a server replays.
    pub reached: Option<Reached>,
}

impl RecoveryPoint {
    /// What the node acknowledged after this time is lost if the cluster dies now; `None` where it holds nothing.
    #[must_use]
    pub fn time(&self) -> Option<DateTime<Utc>> {
        let guaranteed = self.guaranteed.as_ref().map(|guaranteed| guaranteed.time);
        self.reached.as_ref().map(|reached| reached.time).or(guaranteed)
    }
}

/// The newest snapshot of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guaranteed {
    /// Its sequence number.
    pub snapshot: u64,
    /// The last WAL file that it covers.
    pub wal: u64,
    /// When it was stored.
    pub time: DateTime<Utc>,
}

/// The last WAL file of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Its number.
    pub wal: u64,
    /// When it was stored: what was acknowledged later is lost if the cluster dies now.
    pub time: DateTime<Utc>,
}

/// Live files that neither the backup nor the source has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentTable {
    /// The node.
    pub node: String,
    /// The database's id.
    pub database: u64,
    /// The table's id.
    pub table: u64,
    /// How many files.
    pub files: u64,
    /// How many rows they had.
    pub rows: u64,
    /// The newest row's time, in nanoseconds since 1970.
    pub newest: i64,
}

/// The proof that a backup restores.
///
/// `Display` prints it for a person. [`certify`](crate::certify) makes one from any tree; a backup keeps the one it was
/// committed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Every clause, in order.
    pub clauses: Vec<ClauseResult>,
    /// Where each node can be recovered to.
    pub recovery: Vec<RecoveryPoint>,
    /// Live files that neither the backup nor the source has, per node and table.
    pub absent: Vec<AbsentTable>,
    /// What was worth saying.
    pub findings: Vec<Finding>,
    /// How many objects were compared by what.
    pub checked_by: BTreeMap<CheckedBy, u64>,
    /// The sequence of the live catalog.
    pub catalog_sequence: Option<u64>,
    /// Parquet files that no manifest names: copied, never certified.
    pub orphans: u64,
}

impl Certificate {
    /// How many violations of one clause a certificate keeps word for word.
    pub const VIOLATIONS_KEPT: usize = 100;

    /// The same with as many violations as a certificate keeps.
    #[must_use]
    pub(crate) fn abridged(mut self) -> Self {
        self.clauses.iter_mut().for_each(|clause| clause.violations.truncate(Self::VIOLATIONS_KEPT));
        self
    }

    /// Whether no clause is violated.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.clauses.iter().all(|clause| clause.verdict != Verdict::Violated)
    }

    /// Whether the tree is shown to restore: no clause is violated, and what its bytes must tell (C1 to C5) is known. Live
    /// files or WAL that are not here, with nobody to say that the source lacked them too, leave that open.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        let told_by_bytes = self.clauses.iter().filter(|clause| clause.clause <= Clause::Checkpoints);
        self.holds() && told_by_bytes.into_iter().all(|clause| clause.verdict == Verdict::Holds)
    }

    /// The clauses that are violated.
    #[must_use]
    pub fn open(&self) -> Vec<Clause> {
        let open = self.clauses.iter().filter(|clause| clause.verdict == Verdict::Violated);
        open.map(|clause| clause.clause).collect()
    }

    /// How many live files are absent.
    #[must_use]
    pub fn absent_files(&self) -> u64 {
        self.absent.iter().map(|table| table.files).sum()
    }

    /// One line: what is open, and the first reason.
    #[must_use]
    pub fn summary(&self) -> String {
        let open = self.clauses.iter().filter(|clause| clause.verdict == Verdict::Violated);
        let line = |clause: &ClauseResult| {
            let first = clause.violations.first().map_or("", |violation| violation.message.as_str());
            format!("{} {}: {first}", clause.clause.code(), clause.clause.title())
        };
        let lines: Vec<_> = open.map(line).collect();
        if lines.is_empty() { "every clause holds".to_owned() } else { lines.join("; ") }
    }
}

/// What shows that a copy equals its source, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckedBy {
    /// Every byte was read by us and its checksum taken.
    Content,
    /// Both stores give the same checksum.
    StoreChecksum,
    /// The store copied it itself, pinned to the source's entity tag.
    Etag,
    /// Only the size.
    Size,
}
