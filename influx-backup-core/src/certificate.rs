//! [`Certificate`]: the proof that a backup restores, clause by clause.

mod show;

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::key::Key;

/// A clause of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Clause {
    /// Every live file is in the backup with exactly the size its manifest says, or absent from the source too.
    Closure,
    /// Name, embedded sequence and node id of every manifest agree.
    Manifests,
    /// Every WAL file above the newest manifest is there and sound.
    Wal,
    /// The live catalog is whole and not older than what needs it.
    Catalog,
    /// No checkpoint is newer than the newest manifest; all of them or none.
    Checkpoints,
    /// Every copy was compared with the version that was listed.
    Bytes,
    /// What moved in the source since has a reason.
    Stability,
    /// One listing of the compactor's files is held exactly.
    Compactor,
    /// Every node is in the backup or left out by name.
    Nodes,
}

impl Clause {
    /// Every clause, in order.
    pub const ALL: [Self; 9] = [
        Self::Closure,
        Self::Manifests,
        Self::Wal,
        Self::Catalog,
        Self::Checkpoints,
        Self::Bytes,
        Self::Stability,
        Self::Compactor,
        Self::Nodes,
    ];

    /// Its short name in reports: `C1` to `C9`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closure => "C1",
            Self::Manifests => "C2",
            Self::Wal => "C3",
            Self::Catalog => "C4",
            Self::Checkpoints => "C5",
            Self::Bytes => "C6",
            Self::Stability => "C7",
            Self::Compactor => "C8",
            Self::Nodes => "C9",
        }
    }

    /// What it says, for a person.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Closure => "every live file is there",
            Self::Manifests => "manifests are what their names say",
            Self::Wal => "no WAL is missing above the newest manifest",
            Self::Catalog => "the catalog is whole and new enough",
            Self::Checkpoints => "checkpoints fit the manifests",
            Self::Bytes => "copies equal what was listed",
            Self::Stability => "what moved since has a reason",
            Self::Compactor => "the compactor's files are one listing",
            Self::Nodes => "every node is there or left out by name",
        }
    }
}

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
    pub violations: Vec<Violation>,
    /// How many violations there are in all.
    pub violated: u64,
}

/// Something that violates a clause.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Violation {
    /// A stable kebab-case code.
    pub code: String,
    /// The node concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The object concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What a person reads.
    pub message: String,
}

/// Something worth saying that violates nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The clause it belongs to.
    pub clause: Clause,
    /// A stable kebab-case code.
    pub code: String,
    /// The node concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The object concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What a person reads.
    pub message: String,
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

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
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
