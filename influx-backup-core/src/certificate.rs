//! [`Certificate`]: the proof that a backup restores, clause by clause.

mod recovery;
mod show;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::named::named;

pub use self::recovery::{Guaranteed, Reached, RecoveryPoint, RecoveryTimes};
pub use crate::finding::{Clause, Finding, FindingCode, Severity};

/// Whether a clause holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Violated,
    /// Only the run that took the backup can know, and this tree has no record of one.
    NotAttested,
}

named!(Verdict, "verdict", {
    Holds => "holds",
    Violated => "violated",
    NotAttested => "not_attested",
});

/// Where a verdict comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Basis {
    /// From the bytes of the tree itself.
    Recomputed,
    /// From what the run that took the backup recorded.
    Attested,
}

named!(Basis, "basis", {
    Recomputed => "recomputed",
    Attested => "attested",
});

/// One clause and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClauseResult {
    /// Which one.
    pub clause: Clause,
    /// Whether it holds.
    pub verdict: Verdict,
    /// How that is known.
    pub basis: Basis,
    /// What violates it; the first [`Certificate::VIOLATIONS_KEPT`] of each code.
    pub violations: Vec<Finding>,
    /// How many violations there are in all, by code.
    pub counts: BTreeMap<FindingCode, u64>,
}

impl ClauseResult {
    /// A clause without violations.
    #[must_use]
    pub fn new(clause: Clause, verdict: Verdict, basis: Basis) -> Self {
        Self { clause, verdict, basis, violations: Vec::new(), counts: BTreeMap::new() }
    }

    /// How many violations there are in all.
    #[must_use]
    pub fn violated(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Live files that neither the backup nor the source has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// The newest row's time.
    pub newest: DateTime<Utc>,
}

/// The proof that a backup restores.
///
/// `Display` prints it for a person. [`certify`](crate::certify()) makes one from any tree; a backup keeps the one it was
/// committed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Certificate {
    /// Every clause, in order.
    pub clauses: Vec<ClauseResult>,
    /// Where each node can be recovered to.
    pub recovery: Vec<RecoveryPoint>,
    /// Live files that neither the backup nor the source has, per node and table.
    pub absent: Vec<AbsentTable>,
    /// Findings that violate nothing.
    pub findings: Vec<Finding>,
    /// How many objects were compared by what.
    pub checked_by: BTreeMap<CheckedBy, u64>,
    /// The sequence of the live catalog.
    pub catalog_sequence: Option<u64>,
    /// Parquet files that no manifest names: copied, never certified.
    pub orphans: u64,
}

impl Certificate {
    /// A certificate of these clauses, with nothing else in it.
    #[must_use]
    pub fn new(clauses: Vec<ClauseResult>) -> Self {
        Self {
            clauses,
            recovery: Vec::new(),
            absent: Vec::new(),
            findings: Vec::new(),
            checked_by: BTreeMap::new(),
            catalog_sequence: None,
            orphans: 0,
        }
    }

    /// How many violations of one code a clause keeps. All are counted.
    pub const VIOLATIONS_KEPT: u64 = 100;

    /// Whether no clause is violated.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.clauses.iter().all(|clause| clause.verdict != Verdict::Violated)
    }

    /// Whether the tree is proven to restore: no clause is violated, and what its bytes must tell (C1 to C5) is known. It is not
    /// where live files or WAL are missing, and whether the source had them is not recorded.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        let told_by_bytes = self.clauses.iter().filter(|clause| clause.clause <= Clause::Checkpoints);
        self.holds() && told_by_bytes.into_iter().all(|clause| clause.verdict == Verdict::Holds)
    }

    /// The clauses that are violated.
    #[must_use]
    pub fn violated_clauses(&self) -> Vec<Clause> {
        let violated = self.clauses.iter().filter(|clause| clause.verdict == Verdict::Violated);
        violated.map(|clause| clause.clause).collect()
    }

    /// How many violations of a clause have this code.
    #[must_use]
    pub fn count(&self, clause: Clause, code: &FindingCode) -> u64 {
        let result = self.clauses.iter().find(|result| result.clause == clause);
        result.and_then(|result| result.counts.get(code)).copied().unwrap_or(0)
    }

    /// Every violation that is kept, clause by clause.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.clauses.iter().flat_map(|clause| &clause.violations)
    }

    /// How far each node can be recovered, by its id.
    #[must_use]
    pub fn recovery_points(&self) -> BTreeMap<String, RecoveryTimes> {
        RecoveryTimes::by_node(&self.recovery)
    }

    /// How many live files are absent.
    #[must_use]
    pub fn absent_files(&self) -> u64 {
        self.absent.iter().map(|table| table.files).sum()
    }

    /// One line: the violated clauses, each with its first reason.
    #[must_use]
    pub fn summary(&self) -> String {
        let violated = self.clauses.iter().filter(|clause| clause.verdict == Verdict::Violated);
        let line = |clause: &ClauseResult| {
            let first = clause.violations.first().map_or("", |violation| violation.message.as_str());
            format!("{} {}: {first}", clause.clause, clause.clause.title())
        };
        let lines: Vec<_> = violated.map(line).collect();
        if lines.is_empty() { "all clauses hold".to_owned() } else { lines.join("; ") }
    }
}

/// What shows that a copy equals its source, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CheckedBy {
    /// Every byte was read, and its checksum taken.
    Content,
    /// Both stores give the same checksum.
    StoreChecksum,
    /// The store copied it itself, pinned to the source's entity tag.
    Etag,
    /// Only the size.
    Size,
}

named!(CheckedBy, "check", {
    Content => "content",
    StoreChecksum => "store_checksum",
    Etag => "etag",
    Size => "size",
});
