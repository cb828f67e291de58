//! What the proof looks at: the facts read from a tree, and who can witness what only a run could see.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use chrono::{DateTime, Utc};
use futures::FutureExt;

use crate::{
    certificate::CheckedBy,
    cluster::ClusterDescription,
    concurrent,
    error::Result,
    finding::Finding,
    format::{CatalogFile, Checkpoint, FormatError, Snapshot, wal},
    inventory::Listing,
    key::Key,
    layout::Component,
    location::{Location, ObjectMeta, Version},
    manifest::{Backup, Manifest},
    options::AbsenceTolerance,
    record::Fence,
};

/// How many objects are read at once.
const READS_AT_ONCE: usize = 16;

/// One object that a tree holds.
#[derive(Debug, Clone)]
pub(crate) struct HeldObject {
    pub(crate) size: u64,
    pub(crate) version: Version,
    /// What its copy was compared by; `None` where nobody recorded it.
    pub(crate) checked_by: Option<CheckedBy>,
}

/// What the bytes of one object say.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    Snapshot(Result<Snapshot, FormatError>),
    Checkpoint(Result<Checkpoint, FormatError>),
    Wal(Result<(), FormatError>),
    Catalog(Result<CatalogFile, FormatError>),
    /// Only where the bytes passed through us.
    Parquet(Result<(), FormatError>),
}

/// What was read from a tree, so that no version of an object is read twice.
#[derive(Debug, Default)]
pub(crate) struct Facts(BTreeMap<Key, (Version, Fact)>);

/// A tree whose objects can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tree<'a> {
    /// Objects under their own keys.
    Location(&'a Location),
    /// A backup of ours, which knows where its bytes lie.
    Backup(&'a Backup),
}

impl Tree<'_> {
    async fn read(self, key: &Key) -> Result<bytes::Bytes> {
        match self {
            Self::Location(location) => Ok(location.get(key, None).await?.unwrap_or_default()),
            Self::Backup(backup) => match backup.object(key) {
                // An altered object is not an error here but what the proof is to find.
                Some(record) => Ok(backup.read(record).await.unwrap_or_default()),
                None => Ok(bytes::Bytes::new()),
            },
        }
    }
}

/// Counts objects that are to be read, and those that were.
pub(crate) trait Meter: Sync {
    fn planned(&self, objects: u64, bytes: u64);
    fn finished(&self, bytes: u64);
}

/// Counts nothing.
impl Meter for () {
    fn planned(&self, _: u64, _: u64) {}
    fn finished(&self, _: u64) {}
}

impl Facts {
    /// Reads what the proof needs and has not read yet; forgets what is no longer held.
    pub(crate) async fn gather(
        &mut self,
        tree: Tree<'_>,
        cluster: &ClusterDescription,
        held: &BTreeMap<Key, HeldObject>,
    ) -> Result<()> {
        self.gather_metered(tree, cluster, held, &()).await
    }

    /// The same as [`Facts::gather`], counted as it goes.
    pub(crate) async fn gather_metered(
        &mut self,
        tree: Tree<'_>,
        cluster: &ClusterDescription,
        held: &BTreeMap<Key, HeldObject>,
        meter: &dyn Meter,
    ) -> Result<()> {
        self.0.retain(|key, (version, _)| held.get(key).is_some_and(|held| held.version == *version));
        let unread: Vec<_> = held
            .iter()
            .filter(|(key, _)| !self.0.contains_key(*key))
            .filter_map(|(key, held)| Some((key.clone(), held.version.clone(), readable(cluster, key)?)))
            .collect();
        let bytes = unread.iter().filter_map(|(key, ..)| held.get(key)).map(|held| held.size).sum();
        meter.planned(unread.len() as u64, bytes);
        let read = |key: Key, version: Version, component| async move {
            let bytes = tree.read(&key).await?;
            meter.finished(bytes.len() as u64);
            let fact = fact(component, &bytes);
            Result::Ok((key, (version, fact)))
        };
        let reads = unread.into_iter().map(|(key, version, component)| read(key, version, component).boxed());
        let read = concurrent::run(reads.collect(), READS_AT_ONCE).await?;
        self.0.extend(read);
        Ok(())
    }

    /// Reads one object whose bytes are at hand, where the proof reads such objects.
    #[cfg(test)]
    pub(crate) fn read(&mut self, cluster: &ClusterDescription, key: &Key, version: Version, bytes: &[u8]) {
        if let Some(component) = readable(cluster, key) {
            self.0.insert(key.clone(), (version, fact(component, bytes)));
        }
    }

    /// What a copier saw of a Parquet file.
    pub(crate) fn record_parquet(&mut self, key: Key, version: Version, ends: Result<(), FormatError>) {
        self.0.insert(key, (version, Fact::Parquet(ends)));
    }

    /// Forgets what is no longer part of the tree.
    pub(crate) fn forget(&mut self, keys: &BTreeSet<Key>) {
        self.0.retain(|key, _| !keys.contains(key));
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
fn readable(cluster: &ClusterDescription, key: &Key) -> Option<Component> {
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

fn fact(component: Component, bytes: &[u8]) -> Fact {
    match component {
        Component::Snapshot => Fact::Snapshot(Snapshot::parse(bytes)),
        Component::SnapshotCheckpoint => Fact::Checkpoint(Checkpoint::parse(bytes)),
        Component::Wal => Fact::Wal(wal::check(bytes)),
        _ => Fact::Catalog(CatalogFile::parse(bytes)),
    }
}

/// Up to which snapshot a proof, a trim or a restore goes, per node. A value: any snapshot of a store can be one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cut(BTreeMap<String, u64>);

impl Cut {
    /// The newest snapshot of every node.
    pub(crate) fn newest(cluster: &ClusterDescription, facts: &Facts) -> Self {
        let newest = |node: &str| {
            let sequence = |fact: &Fact| match fact {
                Fact::Snapshot(Ok(snapshot)) => Some(snapshot.snapshot_sequence_number),
                _ => None,
            };
            below(&facts.0, &format!("{node}/snapshots/")).filter_map(|(_, (_, fact))| sequence(fact)).max()
        };
        let cuts = cluster.stored_nodes().filter_map(|node| Some((node.id.clone(), newest(&node.id)?)));
        Self(cuts.collect())
    }

    /// The snapshot of one node, or `None` where it has none.
    pub(crate) fn of(&self, node: &str) -> Option<u64> {
        self.0.get(node).copied()
    }
}

/// Who can tell what only the run that took the backup could see.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Provenance<'a> {
    /// Nobody: a tree without a manifest of ours.
    None,
    /// The run itself.
    Run(&'a RunProvenance<'a>),
    /// What the run recorded.
    Manifest(&'a ManifestProvenance<'a>),
}

/// What a run recorded, and what is left of it.
#[derive(Debug)]
pub(crate) struct ManifestProvenance<'a> {
    pub(crate) manifest: &'a Manifest,
    /// Paths of live files that the source lacked.
    pub(crate) absent: BTreeSet<&'a str>,
    /// Objects that the manifest lists and that are no longer there.
    pub(crate) lost: BTreeSet<&'a Key>,
    /// Objects that no longer have the size that the manifest says.
    pub(crate) altered: BTreeSet<&'a Key>,
}

/// What a run saw.
#[derive(Debug)]
pub(crate) struct RunProvenance<'a> {
    /// The source listings of this pass.
    pub(crate) listings: &'a [Listing],
    /// `cs` and `cd` as they were after the compactor's files were copied.
    pub(crate) compactor_after: &'a [Listing],
    /// Paths of live files that the source lacks.
    pub(crate) absent: BTreeSet<&'a str>,
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
    pub(crate) held: &'a BTreeMap<Key, HeldObject>,
    pub(crate) facts: &'a Facts,
    pub(crate) cut: &'a Cut,
    pub(crate) provenance: Provenance<'a>,
    pub(crate) absence_tolerance: AbsenceTolerance,
}

impl<'a> Evidence<'a> {
    /// The snapshot manifests of a node that parse, ascending by sequence.
    pub(crate) fn snapshots(&self, node: &str) -> Vec<(&'a Key, &'a Snapshot)> {
        let parsed = |(key, fact): (&'a Key, &'a Fact)| match fact {
            Fact::Snapshot(Ok(snapshot)) => Some((key, snapshot)),
            _ => None,
        };
        let prefix = format!("{node}/snapshots/");
        let mut snapshots: Vec<_> = self.below(&prefix).into_iter().filter_map(parsed).collect();
        snapshots.sort_by_key(|(_, snapshot)| snapshot.snapshot_sequence_number);
        snapshots
    }

    /// The snapshot at the cut of a node.
    pub(crate) fn cut_snapshot(&self, node: &str) -> Option<(&'a Key, &'a Snapshot)> {
        let cut = self.cut.of(node)?;
        self.snapshots(node).into_iter().find(|(_, snapshot)| snapshot.snapshot_sequence_number == cut)
    }

    /// The checkpoints of a node that parse.
    pub(crate) fn checkpoints(&self, node: &str) -> Vec<(&'a Key, &'a Checkpoint)> {
        let parsed = |(key, fact): (&'a Key, &'a Fact)| match fact {
            Fact::Checkpoint(Ok(checkpoint)) => Some((key, checkpoint)),
            _ => None,
        };
        self.below(&format!("{node}/snapshot-checkpoints/")).into_iter().filter_map(parsed).collect()
    }

    /// Facts below a prefix.
    pub(crate) fn below(&self, prefix: &str) -> Vec<(&'a Key, &'a Fact)> {
        below(&self.facts.0, prefix).map(|(key, (_, fact))| (key, fact)).collect()
    }

    /// Held objects below a prefix.
    pub(crate) fn held_below(&self, prefix: &str) -> impl Iterator<Item = (&'a Key, &'a HeldObject)> + use<'a> {
        below(self.held, prefix)
    }

    /// Whether an object is held in the version listed.
    pub(crate) fn holds(&self, entry: &ObjectMeta) -> bool {
        self.held.get(&entry.key).is_some_and(|held| held.size == entry.size && held.version.is_same(&entry.version))
    }

    /// When an object was last modified in the source.
    pub(crate) fn modified(&self, key: &Key) -> Option<DateTime<Utc>> {
        self.held.get(key).map(|held| held.version.modified)
    }
}
