//! [`CatalogFile`]: roots and logs of the catalog, in every generation.
//!
//! The frame (generation, kind, sequence, uuid, checksums) is always read. What a file says about nodes and databases is
//! [`Evidence`]: JSON up to 3.9; from 3.10 a bitcode encoding without a public schema, of which only the leading fields
//! of some records are read. What does not parse is [`Evidence::Unreadable`], never guessed.

mod binary;
mod json;

use serde::Serialize;

use crate::named::named;

use super::error::{self, FormatError};
use crate::layout::{self, Generation};

/// One file of the catalog: a root ("snapshot", "checkpoint") or a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CatalogFile {
    /// The generation that the bytes belong to; `None` for a terminator, which looks the same in v1 and v2.
    pub generation: Option<Generation>,
    /// Root, log or terminator.
    pub kind: Kind,
    /// The sequence of a log, or the last one that a root contains; `None` where the file does not tell it: terminators
    /// and the bitcode files of the 3.0 betas.
    pub sequence: Option<u64>,
    /// The uuid of the catalog, hyphenated: in JSON roots (v1 and v2), and in every v3 file.
    pub uuid: Option<String>,
    /// What the file says about nodes. A log says only what changed.
    pub nodes: Evidence<NodeRecord>,
    /// What the file says about databases. A log says only what changed.
    pub databases: Evidence<DatabaseRecord>,
}

/// What a file of the catalog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The state of the catalog at one sequence.
    Root,
    /// One change.
    Log,
    /// The log that closes a generation: the next one has taken over.
    Terminator,
}

named!(Kind, "kind of catalog file", {
    Root => "root",
    Log => "log",
    Terminator => "terminator",
});

/// What could be read of one kind of thing in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence<T> {
    /// All that the file says, one record a thing.
    Read(Vec<T>),
    /// The file may say something that cannot be read.
    Unreadable,
}

impl<T> Evidence<T> {
    /// The records, where they could be read.
    #[must_use]
    pub fn records(&self) -> Option<&[T]> {
        match self {
            Self::Read(records) => Some(records),
            Self::Unreadable => None,
        }
    }

    fn of(records: Option<impl IntoIterator<Item = T>>) -> Self {
        records.map_or(Self::Unreadable, |records| Self::Read(records.into_iter().collect()))
    }
}

/// A node that the catalog names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NodeRecord {
    /// The node id, which is the prefix of its objects.
    pub node_id: String,
    /// The state that this file leaves it in, where it tells one.
    pub state: Option<NodeState>,
}

/// The state of a node in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeState {
    /// Registered by a server that has not stopped since, or was killed.
    Running,
    /// Asked to stop.
    Stopping,
    /// Stopped.
    Stopped,
    /// Its objects are being deleted.
    Removing,
    /// No longer in the catalog.
    Removed,
    /// A state, or an operation on a node, that is not known here.
    Other(String),
}

/// A database that the catalog names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DatabaseRecord {
    /// The number, which is part of the keys of its Parquet files.
    pub id: u64,
    /// The name; `None` where a log changes a database without naming it.
    pub name: Option<String>,
    /// The state that this file leaves it in.
    pub state: DatabaseState,
}

/// The state of a database in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatabaseState {
    /// In use.
    Present,
    /// Deleted, with its files still there.
    SoftDeleted,
    /// Deleted for good, or its tables are.
    HardDeleted,
}

named!(DatabaseState, "state of a database", {
    Present => "present",
    SoftDeleted => "soft_deleted",
    HardDeleted => "hard_deleted",
});

impl CatalogFile {
    /// Reads a file of the catalog, recognizing the generation by its first bytes.
    ///
    /// # Errors
    /// [`FormatError::Empty`], [`FormatError::TooShort`], [`FormatError::BadMagic`], [`FormatError::UnsupportedVersion`],
    /// [`FormatError::BadChecksum`], [`FormatError::LengthMismatch`], [`FormatError::GroupsInLog`] or
    /// [`FormatError::Json`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.starts_with(binary::MAGIC) { binary::parse(bytes) } else { json::parse(bytes) }
    }

    /// Checks that `name`, the last segment of a log's key, stands for the sequence in the log, where it tells one.
    ///
    /// # Errors
    /// [`FormatError::BadName`] or [`FormatError::SequenceMismatch`].
    pub fn check_name(&self, name: &str) -> Result<(), FormatError> {
        let named = layout::catalog_log_sequence(name);
        error::same_sequence(name, named, self.sequence.or(named).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(sequence: Option<u64>) -> CatalogFile {
        CatalogFile {
            generation: Some(Generation::V2),
            kind: Kind::Log,
            sequence,
            uuid: None,
            nodes: Evidence::Unreadable,
            databases: Evidence::Read(Vec::new()),
        }
    }

    #[test]
    fn the_name_must_stand_for_the_sequence() {
        assert_eq!(log(Some(3)).check_name("00000000000000000003.catalog"), Ok(()));
        assert_eq!(
            log(Some(3)).check_name("00000000000000000004.catalog"),
            Err(FormatError::SequenceMismatch { named: 4, embedded: 3 })
        );
        assert_eq!(log(None).check_name("00000000000000000004.catalog"), Ok(()), "a terminator has no sequence");
        assert!(matches!(log(None).check_name("snapshot"), Err(FormatError::BadName { .. })));
    }

    #[test]
    fn neither_generation_takes_other_bytes() {
        assert_eq!(CatalogFile::parse(b""), Err(FormatError::Empty));
        assert_eq!(CatalogFile::parse(b"IDB3"), Err(FormatError::TooShort { length: 4, least: 64 }));
        assert_eq!(CatalogFile::parse(b"idb3.004.s"), Err(FormatError::TooShort { length: 10, least: 14 }));
        assert!(matches!(CatalogFile::parse(b"a boot guard, no catalog"), Err(FormatError::BadMagic { .. })));
    }

    #[test]
    fn evidence_keeps_apart_nothing_and_unknown() {
        assert_eq!(log(None).databases.records(), Some(&[][..]));
        assert_eq!(log(None).nodes.records(), None);
    }
}
