//! [`Facts`]: what the bytes of objects say.

mod packed;

use std::{collections::BTreeMap, fmt, io::Read, ops::Bound};

pub(crate) use self::packed::Manifest;
use super::held::Held;
use crate::{
    format::{CatalogFile, Checkpoint, FormatError, Snapshot, wal},
    key::Key,
    layout::Component,
    location::Version,
    read_limits::TooLarge,
    table::{RUN, Reader, Table, join, runs},
};

/// Why an object cannot be read as what it should be.
#[derive(Debug, Clone)]
pub(crate) enum Unreadable {
    /// Its bytes do not have the format.
    Format(FormatError),
    /// A backup no longer holds the bytes that it was given; why.
    Altered(String),
}

impl From<FormatError> for Unreadable {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(error) => error.fmt(f),
            Self::Altered(reason) => f.write_str(reason),
        }
    }
}

/// What the bytes of one object say.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    Snapshot(Result<Box<Snapshot>, Unreadable>),
    Checkpoint(Result<Box<Checkpoint>, Unreadable>),
    Wal(Result<(), Unreadable>),
    Catalog(Result<Box<CatalogFile>, Unreadable>),
    /// A Parquet file whose frame is wrong, where its bytes were read while they were copied.
    Parquet(FormatError),
}

impl Fact {
    /// What the bytes of an object of this kind say.
    pub(crate) fn parse(component: Component, bytes: &[u8]) -> Self {
        match component {
            Component::Snapshot => Self::Snapshot(Snapshot::parse(bytes).map(Box::new).map_err(Into::into)),
            Component::SnapshotCheckpoint => {
                Self::Checkpoint(Checkpoint::parse(bytes).map(Box::new).map_err(Into::into))
            }
            Component::Wal => Self::Wal(wal::check(bytes).map_err(Into::into)),
            _ => Self::Catalog(CatalogFile::parse(bytes).map(Box::new).map_err(Into::into)),
        }
    }

    /// What the bytes of a manifest or a checkpoint say that is too large to be held.
    pub(crate) fn read(component: Component, bytes: impl Read) -> Self {
        match component {
            Component::Snapshot => Self::Snapshot(Snapshot::read(bytes).map(Box::new).map_err(Into::into)),
            _ => Self::Checkpoint(Checkpoint::read(bytes).map(Box::new).map_err(Into::into)),
        }
    }

    /// An object of this kind whose bytes are not those that were written.
    pub(crate) fn altered(component: Component, reason: String) -> Self {
        Self::unreadable(component, Unreadable::Altered(reason))
    }

    /// An object that is larger than one of this kind can be.
    pub(crate) fn too_large(component: Component, large: TooLarge) -> Self {
        Self::unreadable(component, FormatError::from(large).into())
    }

    fn unreadable(component: Component, why: Unreadable) -> Self {
        match component {
            Component::Snapshot => Self::Snapshot(Err(why)),
            Component::SnapshotCheckpoint => Self::Checkpoint(Err(why)),
            Component::Wal => Self::Wal(Err(why)),
            _ => Self::Catalog(Err(why)),
        }
    }

    /// How the bytes differ from those that were written, where they do.
    pub(crate) fn alteration(&self) -> Option<&str> {
        match self {
            Self::Snapshot(Err(Unreadable::Altered(reason)))
            | Self::Checkpoint(Err(Unreadable::Altered(reason)))
            | Self::Wal(Err(Unreadable::Altered(reason)))
            | Self::Catalog(Err(Unreadable::Altered(reason))) => Some(reason),
            _ => None,
        }
    }
}

/// What was read from a tree, so that no version of an object is read twice.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Manifests that parse, of which there may be a million.
    manifests: Table<Manifest>,
    /// Those that were read since the others were packed.
    recent: BTreeMap<Key, Manifest>,
    others: BTreeMap<Key, (Version, Fact)>,
}

impl Facts {
    /// Forgets what is no longer held in the version that was read.
    pub(crate) fn retain_held(&mut self, held: &Held<'_>) {
        self.pack();
        let mut held = held.reader();
        let mut is_held = |key: &Key, read: &Version| held.get(key.as_str()).is_some_and(|held| held.version == *read);
        self.manifests.retain(|manifest| is_held(&manifest.key, &manifest.version));
        self.others.retain(|key, (version, _)| is_held(key, version));
    }

    /// Adds what was read of one object.
    pub(crate) fn insert(&mut self, key: Key, version: Version, fact: Fact) {
        if let Fact::Snapshot(Ok(snapshot)) = fact {
            self.others.remove(&key);
            self.recent.insert(key.clone(), Manifest { key, version, snapshot: *snapshot });
            if self.recent.len() >= RUN {
                self.pack();
            }
            return;
        }
        self.recent.remove(&key);
        if self.manifests.get(key.as_str()).is_some() {
            self.manifests.edit([(key.as_str(), ())], |_, ()| None);
        }
        self.others.insert(key, (version, fact));
    }

    fn pack(&mut self) {
        self.manifests.extend(std::mem::take(&mut self.recent).into_values());
    }

    /// Objects whose bytes are not those that were written, and how they differ.
    pub(crate) fn altered(&self) -> impl Iterator<Item = (&Key, &str)> {
        self.others.iter().filter_map(|(key, (_, fact))| Some((key, fact.alteration()?)))
    }

    /// Reads one object whose bytes are at hand, where the proof reads such objects.
    #[cfg(test)]
    pub(crate) fn read(
        &mut self,
        cluster: &crate::cluster::ClusterDescription,
        key: &Key,
        version: Version,
        bytes: &[u8],
    ) {
        if let Some(component) = super::evidence::readable(cluster, key) {
            self.insert(key.clone(), version, Fact::parse(component, bytes));
        }
    }

    /// What a copier saw of a Parquet file. Only a wrong frame is kept: there may be millions of right ones.
    pub(crate) fn record_parquet(&mut self, key: &Key, version: &Version, frame: Result<(), FormatError>) {
        match frame {
            Ok(()) => {
                self.others.remove(key);
            }
            Err(error) => self.insert(key.clone(), version.clone(), Fact::Parquet(error)),
        }
    }

    /// Forgets what is no longer part of the tree.
    pub(crate) fn forget(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.pack();
        for mut run in runs(keys, RUN) {
            run.sort();
            run.dedup();
            run.iter().for_each(|key| drop(self.others.remove(key)));
            self.manifests.edit(run.iter().map(|key| (key.as_str(), ())), |_, ()| None);
        }
    }

    /// What is known of an object, unless it is a manifest that parses.
    pub(crate) fn get(&self, key: &Key) -> Option<&Fact> {
        self.others.get(key).map(|(_, fact)| fact)
    }

    /// The same of those whose keys begin with a prefix.
    pub(crate) fn below<'a>(&'a self, prefix: &str) -> impl Iterator<Item = (&'a Key, &'a Fact)> + use<'a> {
        below(&self.others, prefix).map(|(key, (_, fact))| (key, fact))
    }

    /// The manifests that parse and whose keys begin with a prefix.
    pub(crate) fn manifests<'a>(&'a self, prefix: &str) -> impl Iterator<Item = Manifest> + use<'a> {
        let recent = below(&self.recent, prefix).map(|(_, manifest)| manifest.clone());
        join(self.manifests.below(prefix), recent).filter_map(|(packed, recent)| recent.or(packed))
    }

    /// For looking up objects, quickly in the order of their keys.
    pub(crate) fn reader(&self) -> FactsReader<'_> {
        FactsReader { facts: self, manifests: self.manifests.reader() }
    }
}

/// Looks up what is known.
pub(crate) struct FactsReader<'a> {
    facts: &'a Facts,
    manifests: Reader<'a, Manifest>,
}

impl FactsReader<'_> {
    /// Whether an object was read.
    pub(crate) fn has(&mut self, key: &Key) -> bool {
        self.facts.others.contains_key(key) || self.manifest(key).is_some()
    }

    /// A manifest that parses.
    pub(crate) fn manifest(&mut self, key: &Key) -> Option<&Snapshot> {
        let manifest = self.facts.recent.get(key).or_else(|| self.manifests.get(key.as_str()));
        manifest.map(|manifest| &manifest.snapshot)
    }
}

/// The entries of a map whose keys begin with `prefix`.
fn below<'a, V>(map: &'a BTreeMap<Key, V>, prefix: &str) -> impl Iterator<Item = (&'a Key, &'a V)> + use<'a, V> {
    let owned = prefix.to_owned();
    let range = map.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
    range.take_while(move |(key, _)| key.as_str().starts_with(&owned))
}
