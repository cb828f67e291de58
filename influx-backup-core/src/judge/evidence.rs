//! What the proof looks at: the facts read from a tree, and what only the run that took the backup could see.

use std::{collections::BTreeMap, fmt, ops::Bound, sync::OnceLock};

use chrono::{DateTime, Utc};

use super::{
    closure::{Closure, close},
    held::{Held, HeldObject},
};
use crate::{
    certificate::Certificate,
    cluster::ClusterDescription,
    finding::Finding,
    format::{CatalogFile, Checkpoint, FileRef, FormatError, Snapshot, wal},
    inventory::Listing,
    key::Key,
    layout::Component,
    location::Version,
    options::AbsenceTolerance,
    read_limits::TooLarge,
    record::{AbsentRecord, Attested, Fence, UnreadableRecord},
    table::Table,
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
pub(crate) struct Facts(BTreeMap<Key, (Version, Fact)>);

impl Facts {
    /// Forgets what is no longer held in the version that was read.
    pub(crate) fn retain_held(&mut self, held: &Held<'_>) {
        let mut held = held.reader();
        self.0.retain(|key, (version, _)| held.get(key.as_str()).is_some_and(|held| held.version == *version));
    }

    /// Adds what was read of one object.
    pub(crate) fn insert(&mut self, key: Key, version: Version, fact: Fact) {
        self.0.insert(key, (version, fact));
    }

    /// Objects whose bytes are not those that were written, and how they differ.
    pub(crate) fn altered(&self) -> impl Iterator<Item = (&Key, &str)> {
        self.0.iter().filter_map(|(key, (_, fact))| Some((key, fact.alteration()?)))
    }

    /// Reads one object whose bytes are at hand, where the proof reads such objects.
    #[cfg(test)]
    pub(crate) fn read(&mut self, cluster: &ClusterDescription, key: &Key, version: Version, bytes: &[u8]) {
        if let Some(component) = readable(cluster, key) {
            self.insert(key.clone(), version, Fact::parse(component, bytes));
        }
    }

    /// What a copier saw of a Parquet file. Only a wrong frame is kept: there may be millions of right ones.
    pub(crate) fn record_parquet(&mut self, key: &Key, version: &Version, frame: Result<(), FormatError>) {
        match frame {
            Ok(()) => {
                self.0.remove(key);
            }
            Err(error) => self.insert(key.clone(), version.clone(), Fact::Parquet(error)),
        }
    }

    /// Forgets what is no longer part of the tree.
    pub(crate) fn forget(&mut self, keys: impl IntoIterator<Item = Key>) {
        keys.into_iter().for_each(|key| drop(self.0.remove(&key)));
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Fact> {
        self.0.get(key).map(|(_, fact)| fact)
    }
}

/// The entries of a map whose keys begin with `prefix`.
fn below<'a, V>(map: &'a BTreeMap<Key, V>, prefix: &str) -> impl Iterator<Item = (&'a Key, &'a V)> + use<'a, V> {
    let owned = prefix.to_owned();
    let range = map.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
    range.take_while(move |(key, _)| key.as_str().starts_with(&owned))
}

/// The component of an object whose bytes the proof reads.
pub(crate) fn readable(cluster: &ClusterDescription, key: &Key) -> Option<Component> {
    let component = cluster.classify(key)?.kind();
    let read = matches!(
        component,
        Component::Snapshot
            | Component::SnapshotCheckpoint
            | Component::Wal
            | Component::CatalogRoot(_)
            | Component::CatalogLog(_)
    );
    read.then_some(component)
}

/// Up to which snapshot a proof, a trim or a restore goes, per node. Any snapshot that a tree holds can be one.
#[derive(Debug)]
pub(crate) struct Cut(BTreeMap<String, u64>);

impl Cut {
    /// The newest snapshot of every node.
    pub(crate) fn newest(cluster: &ClusterDescription, facts: &Facts) -> Self {
        let newest = |node: &str| Some(snapshots(facts, node).last()?.1.snapshot_sequence_number);
        let cuts = cluster.stored_nodes().filter_map(|node| Some((node.id.clone(), newest(&node.id)?)));
        Self(cuts.collect())
    }

    /// The sequence of the snapshot of one node, or `None` where it has none.
    pub(crate) fn of(&self, node: &str) -> Option<u64> {
        self.0.get(node).copied()
    }
}

/// How it is known what only the run that took the backup could see.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Provenance<'a> {
    /// It is not known: a tree without a manifest.
    None,
    /// The run itself.
    Run(&'a RunProvenance<'a>),
    /// What the run recorded.
    Manifest(&'a ManifestProvenance<'a>),
}

/// What a run recorded, and what is left of it.
#[derive(Debug)]
pub(crate) struct ManifestProvenance<'a> {
    /// The certificate that the backup was committed with.
    pub(crate) certificate: &'a Certificate,
    pub(crate) attested: &'a Attested,
    /// Live files that the source lacked.
    pub(crate) absent: &'a Table<AbsentRecord>,
    /// Objects that the manifest lists and that are no longer there.
    pub(crate) lost: Table<Key>,
    /// Objects that no longer have the size that the manifest says.
    pub(crate) altered: Table<Key>,
}

/// What a run saw.
#[derive(Debug)]
pub(crate) struct RunProvenance<'a> {
    /// The source listings of this pass.
    pub(crate) listings: &'a [Listing],
    /// `cs` and `cd` as they were after the compactor's files were copied.
    pub(crate) compactor_after: &'a [Listing],
    /// Live files that the source lacks.
    pub(crate) absent: Table<FileRef>,
    /// What was listed and could not be read.
    pub(crate) unreadable: &'a [UnreadableRecord],
    /// The fences.
    pub(crate) fences: &'a [Fence],
    /// What C7 found.
    pub(crate) unstable: &'a [Finding],
    /// What C9 found.
    pub(crate) unheld_nodes: &'a [Finding],
    /// The highest catalog sequence of earlier passes.
    pub(crate) catalog_before: Option<u64>,
}

/// Everything the clauses look at.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) cluster: &'a ClusterDescription,
    pub(crate) held: &'a Held<'a>,
    pub(crate) facts: &'a Facts,
    pub(crate) cut: &'a Cut,
    pub(crate) provenance: Provenance<'a>,
    pub(crate) absence_tolerance: AbsenceTolerance,
    /// The snapshot manifests that parse, by node, ascending by sequence.
    snapshots: BTreeMap<&'a str, Vec<(&'a Key, &'a Snapshot)>>,
    /// The live files, by node; folded when they are first asked for.
    closures: BTreeMap<&'a str, OnceLock<Closure>>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(
        cluster: &'a ClusterDescription,
        held: &'a Held<'a>,
        facts: &'a Facts,
        cut: &'a Cut,
        provenance: Provenance<'a>,
        absence_tolerance: AbsenceTolerance,
    ) -> Self {
        let nodes = || cluster.stored_nodes().map(|node| node.id.as_str());
        let snapshots = nodes().map(|node| (node, snapshots(facts, node))).collect();
        let closures = nodes().map(|node| (node, OnceLock::new())).collect();
        Self { cluster, held, facts, cut, provenance, absence_tolerance, snapshots, closures }
    }

    /// The same tree with what is known of the run that took it.
    pub(crate) fn with_provenance(mut self, provenance: Provenance<'a>) -> Self {
        self.provenance = provenance;
        self
    }

    /// The snapshot manifests of a node that parse, ascending by sequence.
    pub(crate) fn snapshots(&self, node: &str) -> &[(&'a Key, &'a Snapshot)] {
        self.snapshots.get(node).map_or(&[], Vec::as_slice)
    }

    /// The snapshot at the cut of a node.
    pub(crate) fn cut_snapshot(&self, node: &str) -> Option<(&'a Key, &'a Snapshot)> {
        let cut = self.cut.of(node)?;
        let snapshots = self.snapshots(node);
        let at = snapshots.partition_point(|(_, snapshot)| snapshot.snapshot_sequence_number < cut);
        snapshots.get(at).copied().filter(|(_, snapshot)| snapshot.snapshot_sequence_number == cut)
    }

    /// The live files of a node, and those that are missing.
    pub(crate) fn closure(&self, node: &str) -> &Closure {
        static NONE: Closure = Closure::NONE;
        self.closures.get(node).map_or(&NONE, |closure| closure.get_or_init(|| close(self, node)))
    }

    /// The checkpoints of a node that parse.
    pub(crate) fn checkpoints(&self, node: &str) -> Vec<(&'a Key, &'a Checkpoint)> {
        let parsed = |(key, fact): (&'a Key, &'a Fact)| match fact {
            Fact::Checkpoint(Ok(checkpoint)) => Some((key, &**checkpoint)),
            _ => None,
        };
        self.of_kind(node, Component::SnapshotCheckpoint).into_iter().filter_map(parsed).collect()
    }

    /// Facts about the objects of one kind of a node.
    pub(crate) fn of_kind(&self, node: &str, component: Component) -> Vec<(&'a Key, &'a Fact)> {
        self.below(&directory(node, component))
    }

    /// Facts below a prefix.
    pub(crate) fn below(&self, prefix: &str) -> Vec<(&'a Key, &'a Fact)> {
        below(&self.facts.0, prefix).map(|(key, (_, fact))| (key, fact)).collect()
    }

    /// Held objects of one kind of a node.
    pub(crate) fn held_of(&self, node: &str, component: Component) -> impl Iterator<Item = HeldObject> + use<'a> {
        self.held.below(&directory(node, component))
    }

    /// When an object was last modified in the source.
    pub(crate) fn modified(&self, key: &Key) -> Option<DateTime<Utc>> {
        self.held.get(key.as_str()).map(|held| held.version.modified)
    }
}

/// The directory of one kind of objects of a node, with a slash at its end.
fn directory(node: &str, component: Component) -> String {
    format!("{node}/{}/", component.directory().unwrap_or_default())
}

/// The snapshot manifests of a node that parse, ascending by sequence.
fn snapshots<'a>(facts: &'a Facts, node: &str) -> Vec<(&'a Key, &'a Snapshot)> {
    let parsed = |(key, (_, fact)): (&'a Key, &'a (Version, Fact))| match fact {
        Fact::Snapshot(Ok(snapshot)) => Some((key, &**snapshot)),
        _ => None,
    };
    let mut snapshots: Vec<_> = below(&facts.0, &directory(node, Component::Snapshot)).filter_map(parsed).collect();
    snapshots.sort_by_key(|(_, snapshot)| snapshot.snapshot_sequence_number);
    snapshots
}
