//! The journal of a backup: what its runs have finished. An object that it does not name is copied again, never trusted by
//! its name.

use serde::{Deserialize, Serialize};

use super::index::Index;
use crate::{
    error::Result,
    key::Key,
    layout::OWN_DIRECTORY,
    limits::Durability,
    location::Location,
    log::{self, SegmentedLog},
    record::ObjectRecord,
};

/// One thing that a run has finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JournalLine {
    /// An object is in the backup.
    Copied(Box<ObjectRecord>),
    /// An object was deleted from the backup.
    Deleted(Key),
}

/// The journal of one run.
pub(super) type Journal = SegmentedLog<JournalLine>;

/// The journal of run `run` of the backup at `location`.
pub(super) fn journal(location: &Location, run: u64, durability: Durability) -> Journal {
    Journal::new(location, directory(), run, durability)
}

/// What earlier runs have finished.
pub(super) async fn read(location: &Location) -> Result<Index> {
    let mut held = Index::default();
    log::read(location, &directory(), |line| match line {
        JournalLine::Copied(record) => held.insert(*record),
        JournalLine::Deleted(key) => held.remove(key),
    })
    .await?;
    Ok(held)
}

fn directory() -> String {
    format!("{OWN_DIRECTORY}/journal")
}
