//! What a pass proved: the evidence of the pass, trimmed to one cut, and its certificate.

use std::collections::BTreeMap;

use super::{
    history::PassHistory,
    pass::Listed,
    passes::Run,
    run::RunState,
    stability::{compare, compare_ids, compare_nodes, unlisted_nodes},
    trim::trim,
    witness::{AbsenceRule, DbsListings, fences},
};
use crate::{
    certificate::Certificate,
    cluster::Cluster,
    error::Result,
    facts::{Tree, gather},
    finding::{Finding, FindingCode},
    format::FileRef,
    inventory::Inventory,
    judge::{
        At, Cut, Fingerprints, Judged,
        evidence::{Evidence, Provenance, RunProvenance},
        finding,
        held::Held,
        judge,
    },
    key::Key,
    layout::Mutability,
    record::{AbsentRecord, Difference, Fence, UnreadableRecord},
    table::Table,
};

/// What a pass proved.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) certificate: Certificate,
    /// Of all violations: a certificate keeps some.
    pub(super) fingerprints: Fingerprints,
    pub(super) absent: Table<AbsentRecord>,
    pub(super) fences: Vec<Fence>,
    pub(super) differences: BTreeMap<Difference, u64>,
    pub(super) trimmed: Table<Key>,
    /// Violations that no later pass can clear.
    pub(super) broken: Vec<Finding>,
    /// What was listed and could not be read.
    pub(super) unreadable: Vec<UnreadableRecord>,
}

impl Run<'_> {
    pub(super) async fn prove(
        &self,
        cluster: &Cluster,
        found: &Cluster,
        listed: &Listed,
        after: &Inventory,
        state: &mut RunState,
        history: &PassHistory,
    ) -> Result<Proof> {
        let description = cluster.description();
        let RunState { index, facts, .. } = state;
        let mut held = Held::recorded(index.records());
        gather(facts, &Tree::Location(self.to.clone()), description, &mut held, &()).await?;
        let cut = Cut::newest(description, facts);
        let absence_tolerance = self.options.absence_tolerance;
        let (differences, mut broken) = compare(description, &listed.inventory, after);
        broken.extend(compare_ids(description, found.description()));
        let (mut unstable, unheld_nodes) = compare_nodes(description, found.description());
        unstable.extend(unlisted_nodes(description, &listed.inventory));
        unstable.extend(unheld_overwritten(cluster, listed, &held));
        unstable.extend(history.timeline.broken.iter().chain(&broken).cloned());

        // The cut and the fences follow from the tree alone, whoever wrote it.
        let provenance = Provenance::None;
        let untrimmed = Evidence::new(description, &held, facts, &cut, provenance, absence_tolerance);
        unstable.extend(history.timeline.regressions(&untrimmed, &listed.inventory));
        let fences = fences(cluster, &untrimmed, &listed.inventory).await?;
        let trimmed = trim(&untrimmed, listed, &self.rules.trim);
        drop(untrimmed);

        // The proof is about what the backup will hold: without what is trimmed.
        held.without(&trimmed);
        facts.forget(&trimmed);
        let tree = Evidence::new(description, &held, facts, &cut, provenance, absence_tolerance);
        let listings = DbsListings::new(cluster, history.before.as_ref(), &listed.inventory);
        let absent = absent_files(&tree, listings, self.rules.absence);
        let is_lacking = |key: &Key| listed.reader().has(key) && held.get(key.as_str()).is_none();
        let unreadable: Vec<_> = state.unreadable.values().filter(|left| is_lacking(&left.key)).cloned().collect();
        let provenance = RunProvenance {
            unreadable: &unreadable,
            listings: &listed.inventory.listings,
            compactor_after: &listed.compactor_after,
            absent,
            fences: &fences,
            unstable: &unstable,
            unheld_nodes: &unheld_nodes,
            catalog_before: history.timeline.catalog,
        };
        let judged = judge(&tree.with_provenance(Provenance::Run(&provenance)), &self.rules.judged);
        let Judged { certificate, absent, fingerprints } = judged;
        Ok(Proof { certificate, fingerprints, absent, fences, differences, trimmed, broken, unreadable })
    }
}

/// The live files that the backup lacks and that count as absent from the source.
fn absent_files(tree: &Evidence<'_>, mut listings: DbsListings<'_>, rule: AbsenceRule) -> Table<FileRef> {
    let missing = tree.cluster.stored_nodes().flat_map(|node| &tree.closure(&node.id).missing);
    missing.filter(|file| listings.is_absent(&file.path, rule)).collect()
}

/// What servers overwrite is held in exactly the version listed; C8 looks after the compactor's files.
fn unheld_overwritten(cluster: &Cluster, listed: &Listed, held: &Held<'_>) -> Vec<Finding> {
    let mut held = held.reader();
    let mut unheld = Vec::new();
    for entry in listed.inventory.entries() {
        let Some(object) = cluster.classify(&entry.key) else { continue };
        let kind = object.kind();
        let is_exact = kind.mutability() == Mutability::Overwritten && !kind.is_derived() && !kind.is_compactor();
        if is_exact && !held.holds(&entry) {
            let message = format!("`{}` was listed and is not held in that version", entry.key);
            unheld.push(finding(At::object(object.node, &entry.key), FindingCode::ListedNotHeld, message));
        }
    }
    unheld
}
