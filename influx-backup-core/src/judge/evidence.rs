//! What the proof looks at: the facts read from a tree, and what only the run that took the backup could see.

use std::{collections::BTreeMap, sync::OnceLock};

use chrono::{DateTime, Utc};

use super::{
    closure::{Closure, close},
    fact::{Fact, Facts, Manifest},
    held::{Held, HeldObject},
};
use crate::{
    certificate::Certificate,
    cluster::ClusterDescription,
    finding::Finding,
    format::{Checkpoint, FileRef},
    inventory::Listing,
    key::Key,
    layout::Component,
    options::AbsenceTolerance,
    record::{AbsentRecord, Attested, Fence, UnreadableRecord},
    table::Table,
};

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
        let newest = |node: &str| manifests(facts, node).map(|it| it.snapshot.snapshot_sequence_number).max();
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
    /// The snapshot at the cut of each node.
    cut_snapshots: BTreeMap<&'a str, Manifest>,
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
        let at_cut = |node| {
            let cut = cut.of(node)?;
            manifests(facts, node).find(|manifest| manifest.snapshot.snapshot_sequence_number == cut)
        };
        let cut_snapshots = nodes().filter_map(|node| Some((node, at_cut(node)?))).collect();
        let closures = nodes().map(|node| (node, OnceLock::new())).collect();
        Self { cluster, held, facts, cut, provenance, absence_tolerance, cut_snapshots, closures }
    }

    /// The same tree with what is known of the run that took it.
    pub(crate) fn with_provenance(mut self, provenance: Provenance<'a>) -> Self {
        self.provenance = provenance;
        self
    }

    /// The snapshot manifests of a node that parse, sorted by key.
    pub(crate) fn manifests(&self, node: &str) -> impl Iterator<Item = Manifest> + use<'a> {
        manifests(self.facts, node)
    }

    /// The snapshot at the cut of a node.
    pub(crate) fn cut_snapshot(&self, node: &str) -> Option<&Manifest> {
        self.cut_snapshots.get(node)
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

    /// Facts about the objects of one kind of a node. Manifests that parse are in [`manifests`](Self::manifests).
    pub(crate) fn of_kind(&self, node: &str, component: Component) -> Vec<(&'a Key, &'a Fact)> {
        self.below(&directory(node, component))
    }

    /// Facts below a prefix.
    pub(crate) fn below(&self, prefix: &str) -> Vec<(&'a Key, &'a Fact)> {
        self.facts.below(prefix).collect()
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

/// The snapshot manifests of a node that parse, sorted by key.
fn manifests<'a>(facts: &'a Facts, node: &str) -> impl Iterator<Item = Manifest> + use<'a> {
    facts.manifests(&directory(node, Component::Snapshot))
}
