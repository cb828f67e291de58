//! [`Chronicle`]: every version of every object that a model ever stored, and when it was there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

use bytes::Bytes;

use super::read_back::Tree;

/// The store of a model at every moment of its run.
///
/// What is asked about some time includes what was there right before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chronicle {
    /// By key, in the order of time: the bytes from then on, or `None` where the object went.
    versions: BTreeMap<String, Vec<(Duration, Option<Bytes>)>>,
}

impl Chronicle {
    /// An object as it was at `time`.
    #[must_use]
    pub fn at(&self, key: &str, time: Duration) -> Option<&Bytes> {
        let versions = self.versions.get(key)?;
        versions.iter().rev().find(|(since, _)| *since <= time).and_then(|(_, bytes)| bytes.as_ref())
    }

    /// An object as it was right before `time`.
    #[must_use]
    pub fn before(&self, key: &str, time: Duration) -> Option<&Bytes> {
        let versions = self.versions.get(key)?;
        versions.iter().rev().find(|(since, _)| *since < time).and_then(|(_, bytes)| bytes.as_ref())
    }

    /// All objects as they were at `time`.
    #[must_use]
    pub fn tree(&self, time: Duration) -> Tree {
        let there = |key: &String| Some((key.clone(), self.at(key, time)?.clone()));
        self.versions.keys().filter_map(there).collect()
    }

    /// Every version of an object that was there at some time during `when`.
    pub fn versions(&self, key: &str, when: &RangeInclusive<Duration>) -> impl Iterator<Item = &Bytes> {
        let stored = self.moves(key, when).filter_map(|(_, bytes)| bytes.as_ref());
        self.before(key, *when.start()).into_iter().chain(stored)
    }

    /// Whether an object was stored or went during `when`.
    #[must_use]
    pub fn moved(&self, key: &str, when: &RangeInclusive<Duration>) -> bool {
        self.moves(key, when).next().is_some()
    }

    /// Whether an object was not there at some time during `when`.
    #[must_use]
    pub fn lacked(&self, key: &str, when: &RangeInclusive<Duration>) -> bool {
        self.before(key, *when.start()).is_none() || self.moves(key, when).any(|(_, bytes)| bytes.is_none())
    }

    /// The keys that ever were below a prefix.
    pub fn keys<'a>(&'a self, prefix: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.versions.keys().map(String::as_str).filter(move |key| key.starts_with(prefix))
    }

    /// The start of `when`, and every moment of it at which an object below a prefix was stored or went.
    #[must_use]
    pub fn moments(&self, prefix: &str, when: &RangeInclusive<Duration>) -> BTreeSet<Duration> {
        let moves = self.keys(prefix).flat_map(|key| self.moves(key, when));
        moves.map(|(since, _)| *since).chain([*when.start()]).collect()
    }

    fn moves(&self, key: &str, when: &RangeInclusive<Duration>) -> impl Iterator<Item = &(Duration, Option<Bytes>)> {
        self.versions.get(key).into_iter().flatten().filter(|(since, _)| when.contains(since))
    }

    pub(super) fn put(&mut self, key: &str, time: Duration, bytes: Bytes) {
        self.versions.entry(key.to_owned()).or_default().push((time, Some(bytes)));
    }

    pub(super) fn delete(&mut self, key: &str, time: Duration) {
        if let Some(versions) = self.versions.get_mut(key) {
            versions.push((time, None));
        }
    }
}
