//! [`Abilities`]: what a place can do, and what it lacks.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::Location;
use crate::{
    finding::{Finding, FindingCode},
    named::named,
};

/// What a place can do, as far as it was found out: [`preflight::target`](crate::preflight::target) asks for all of it.
///
/// What only file systems have is `None` for object stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Abilities {
    /// How an object is created that must not exist yet.
    pub create_only: CreateOnly,
    /// What is on disk when a write has returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced: Option<Synced>,
    /// Whether files can be given the time of their source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Whether a file has the same inode at every look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inodes: Option<Inodes>,
}

/// How an object is created that must not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CreateOnly {
    /// A finished file gets its name by a hard link.
    HardLink,
    /// A finished file gets its name by `renameat2` with `RENAME_NOREPLACE`.
    RenameNoReplace,
    /// The file is made under its name with `O_EXCL` and then written: until that is done, others see a part of it.
    ExclusiveCreate,
    /// The store refuses a put where the object exists.
    ConditionalPut,
    /// It cannot: the caller promised that no other process writes.
    SingleWriter,
}

named!(CreateOnly, "way to create only", {
    HardLink => "hard_link",
    RenameNoReplace => "rename_no_replace",
    ExclusiveCreate => "exclusive_create",
    ConditionalPut => "conditional_put",
    SingleWriter => "single_writer",
});

/// What is on disk when a write has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Synced {
    /// Files and their names.
    All,
    /// Files. Their names only where the file system sees to that by itself.
    Files,
    /// What the operating system sees to by itself.
    Nothing,
}

named!(Synced, "kind of sync", { All => "all", Files => "files", Nothing => "nothing" });

/// Whether files can be given the time of their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Times {
    /// They have it.
    Kept,
    /// They have the time at which they were written.
    NotKept,
}

named!(Times, "kind of times", { Kept => "kept", NotKept => "not_kept" });

/// Whether a file has the same inode at every look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Inodes {
    /// It has: the inode is part of its version.
    Stable,
    /// It has not: size and time make its version.
    Unstable,
}

named!(Inodes, "kind of inodes", { Stable => "stable", Unstable => "unstable" });

impl Abilities {
    /// What a file system has that lacks nothing.
    pub(crate) const FILES: Self = Self {
        create_only: CreateOnly::HardLink,
        synced: Some(Synced::All),
        times: Some(Times::Kept),
        inodes: Some(Inodes::Stable),
    };

    /// What an object store has that lacks nothing.
    pub(crate) const STORE: Self =
        Self { create_only: CreateOnly::ConditionalPut, synced: None, times: None, inodes: None };
}

impl fmt::Display for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "create-only by {}", self.create_only)?;
        self.synced.iter().try_for_each(|synced| write!(f, ", synced: {synced}"))?;
        self.times.iter().try_for_each(|times| write!(f, ", times: {times}"))?;
        self.inodes.iter().try_for_each(|inodes| write!(f, ", inodes: {inodes}"))
    }
}

/// What is known of the abilities of a place. Its clones, parents and children share it, and what reads and writes its files.
#[derive(Debug, Clone)]
pub(super) struct Known {
    abilities: Arc<Mutex<Abilities>>,
    /// Since when the place is looked at.
    pub(super) begun: SystemTime,
}

impl Known {
    pub(super) fn new(abilities: Abilities) -> Self {
        Self { abilities: Arc::new(Mutex::new(abilities)), begun: SystemTime::now() }
    }

    pub(super) fn get(&self) -> Abilities {
        *self.lock()
    }

    /// Learns something. Returns whether it was news.
    pub(super) fn learn(&self, change: impl FnOnce(&mut Abilities)) -> bool {
        let mut known = self.lock();
        let before = *known;
        change(&mut known);
        *known != before
    }

    fn lock(&self) -> MutexGuard<'_, Abilities> {
        self.abilities.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Location {
    /// What this place can do, as far as it was found out: what was not asked for yet counts as there.
    #[must_use]
    pub fn abilities(&self) -> Abilities {
        let known = self.0.abilities.get();
        let is_relaxed = self.directory().is_some() && Arc::ptr_eq(&self.0.store, &self.0.durable);
        Abilities { synced: if is_relaxed { Some(Synced::Nothing) } else { known.synced }, ..known }
    }

    /// A note on each thing that this place lacks and a person has to know of, as far as it was found out.
    pub(crate) fn lacks(&self) -> Vec<Finding> {
        let Abilities { create_only, synced, times, inodes } = self.0.abilities.get();
        let lacks = [
            (create_only == CreateOnly::ExclusiveCreate).then_some((
                FindingCode::CreatedInPlace,
                "has neither hard links nor renames that replace nothing: a crash while the manifest is written leaves a \
                 part of it, which is refused as damaged; then delete that file",
            )),
            (create_only == CreateOnly::SingleWriter).then_some((
                FindingCode::SingleWriter,
                "is written as by one writer (`object_store_single_writer`): two runs that begin at the same moment may not \
                 notice one another",
            )),
            (synced == Some(Synced::Nothing)).then_some((
                FindingCode::DirectoriesNotSynced,
                "does not put files on disk when asked (`fsync`, `syncfs`): whether they outlast a loss of power is up to the \
                 file system or its server",
            )),
            (synced == Some(Synced::Files)).then_some((
                FindingCode::DirectoriesNotSynced,
                "does not put the names of files on disk when asked (`fsync` of a directory, `syncfs`): files are on disk, \
                 and whether their names outlast a loss of power is up to the file system or its server",
            )),
            (times == Some(Times::NotKept)).then_some((
                FindingCode::TimesNotKept,
                "does not let files have the time of their source: they have the time of the copy, and the manifest has \
                 that of the source",
            )),
            (inodes == Some(Inodes::Unstable)).then_some((
                FindingCode::UnstableInodes,
                "gives a file another inode at each look: whether a file was changed is told by its size and its time",
            )),
        ];
        let finding = |(code, what)| Finding::new(code, format!("`{self}` {what}"));
        lacks.into_iter().flatten().map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_is_known_to_all_that_share_a_place() {
        let place = Location::parse("/tmp/backups", &crate::StoreOptions::default()).expect("a location");
        assert_eq!((place.abilities(), place.lacks()), (Abilities::FILES, Vec::new()));
        let below = place.child("n1").expect("a child");
        assert!(below.0.abilities.learn(|known| known.times = Some(Times::NotKept)));
        assert!(!below.0.abilities.learn(|known| known.times = Some(Times::NotKept)), "no news");
        let codes: Vec<_> = place.lacks().into_iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [FindingCode::TimesNotKept]);
        let shown = place.abilities().to_string();
        assert_eq!(shown, "create-only by hard_link, synced: all, times: not_kept, inodes: stable");
        let synced = [Synced::All, Synced::Files, Synced::Nothing].map(|synced| {
            let place = Location::parse("/tmp/backups", &crate::StoreOptions::default()).expect("a location");
            place.0.abilities.learn(|known| known.synced = Some(synced));
            place.lacks().pop().map(|finding| finding.message.contains("files are on disk"))
        });
        assert_eq!(synced, [None, Some(true), Some(false)]);
        let memory = Location::in_memory();
        assert_eq!((memory.abilities(), memory.lacks()), (Abilities::STORE, Vec::new()));
        let json = serde_json::to_string(&memory.abilities()).expect("serializes");
        assert_eq!(json, r#"{"create_only":"conditional_put"}"#);
    }
}
