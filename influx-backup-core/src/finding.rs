//! [`Finding`]: something that was found in a cluster, a backup or a target, with a stable code.
//!
//! One type for everything that is reported and is not an [`Error`](crate::Error): violations of a clause, problems of a
//! backup, notes about a cluster, and what the caller has to do.

mod code;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::code::{FindingCode, UnknownCode};
use crate::naming::visible;
use crate::{key::Key, named::named};

/// A clause of the proof that a backup restores, `C1` to `C9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Every change of the source since is explained.
    Stability,
    /// One listing of the compactor's files is held exactly.
    Compactor,
    /// Every node is in the backup or excluded by name.
    Nodes,
}

named!(Clause, "clause", {
    Closure => "C1",
    Manifests => "C2",
    Wal => "C3",
    Catalog => "C4",
    Checkpoints => "C5",
    Bytes => "C6",
    Stability => "C7",
    Compactor => "C8",
    Nodes => "C9",
});

impl Clause {
    /// What it claims, for a person.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Closure => "every live file is there",
            Self::Manifests => "manifests are what their names say",
            Self::Wal => "no WAL is missing above the newest manifest",
            Self::Catalog => "the catalog is whole and new enough",
            Self::Checkpoints => "checkpoints fit the manifests",
            Self::Bytes => "copies equal what was listed",
            Self::Stability => "all changes since are explained",
            Self::Compactor => "the compactor's files are one listing",
            Self::Nodes => "every node is there or excluded by name",
        }
    }
}

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// It violates a clause, or damages a backup.
    Error,
    /// The caller has to do something.
    Todo,
    /// It should be looked at. It violates nothing.
    Warning,
    /// Good to know.
    Info,
}

named!(Severity, "severity", { Error => "error", Todo => "todo", Warning => "warning", Info => "info" });

/// Something that was found. `Display` prints the message, and with `{:#}` the clause after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is, by a stable code.
    pub code: FindingCode,
    /// How serious it is: that of its code.
    pub severity: Severity,
    /// The clause that it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<Clause>,
    /// The node concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The object concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// A sentence for a person.
    pub message: String,
    /// The number that should be there: a size in bytes, a count of files, the number of a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// The number that is there instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
    /// The first and the last number of a run of WAL files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(u64, u64)>,
}

impl Finding {
    /// A finding with the severity of its code.
    pub fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            code,
            clause: None,
            node: None,
            key: None,
            message: message.into(),
            expected: None,
            found: None,
            range: None,
        }
    }

    /// With the clause that it belongs to.
    #[must_use]
    pub fn with_clause(mut self, clause: Clause) -> Self {
        self.clause = Some(clause);
        self
    }

    /// With the node concerned.
    #[must_use]
    pub fn with_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// With the object concerned.
    #[must_use]
    pub fn with_key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// With the numbers behind the message: what should be there, and what is.
    #[must_use]
    pub fn with_numbers(mut self, expected: Option<u64>, found: Option<u64>) -> Self {
        self.expected = expected;
        self.found = found;
        self
    }

    /// With the first and the last number of a run of WAL files.
    #[must_use]
    pub fn with_range(mut self, first: u64, last: u64) -> Self {
        self.range = Some((first, last));
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.message))?;
        match self.clause {
            Some(clause) if f.alternate() => write!(f, " ({clause}: {})", clause.title()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_read_as_it_was_written() {
        let key = Key::parse("n1/dbs/1.parquet").expect("a key");
        let finding = Finding::new(FindingCode::WrongSizeParquet, "`n1/dbs/1.parquet` has 5 bytes")
            .with_clause(Clause::Closure)
            .with_node("n1")
            .with_key(key)
            .with_numbers(Some(7), Some(5));
        let text = serde_json::to_string(&finding).expect("serializes");
        let expected = r#"{"code":"wrong-size-parquet","severity":"error","clause":"C1","node":"n1","key":"n1/dbs/1.parquet","message":"`n1/dbs/1.parquet` has 5 bytes","expected":7,"found":5}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Finding>(&text).expect("reads"), finding);
    }
}
