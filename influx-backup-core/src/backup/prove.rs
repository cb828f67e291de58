//! What a pass proved: the evidence of the pass, trimmed to one cut, and its certificate.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    history::PassHistory,
    index::Index,
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
    inventory::Inventory,
    judge::{
        At, Cut, Fingerprints, Judged,
        evidence::{Evidence, Provenance, RunProvenance},
        finding, judge,
    },
    key::Key,
    layout::Mutability,
    record::{AbsentRecord, Difference, Fence, UnreadableRecord},
};

/// What a pass proved.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) certificate: Certificate,
    /// Of all violations: a certificate keeps some.
    pub(super) fingerprints: Fingerprints,
    pub(super) absent: Vec<AbsentRecord>,
    pub(super) fences: Vec<Fence>,
    pub(super) differences: BTreeMap<Difference, u64>,
    pub(super) trimmed: Vec<Key>,
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
        let mut held = state.index.held();
        gather(&mut state.facts, Tree::Location(self.to), description, &mut held, &()).await?;
        let cut = Cut::newest(description, &state.facts);
        let absence_tolerance = self.options.absence_tolerance;
        let (differences, mut broken) = compare(description, &listed.inventory, after);
        broken.extend(compare_ids(description, found.description()));
        let (mut unstable, unheld_nodes) = compare_nodes(description, found.description());
        unstable.extend(unlisted_nodes(description, &listed.inventory));
        unstable.extend(unheld_overwritten(cluster, listed, &state.index));
        unstable.extend(history.timeline.broken.iter().chain(&broken).cloned());

        // The cut and the fences follow from the tree alone, whoever wrote it.
        let provenance = Provenance::None;
        let untrimmed = Evidence::new(description, &held, &state.facts, &cut, provenance, absence_tolerance);
        unstable.extend(history.timeline.regressions(&untrimmed, &listed.inventory));
        let fences = fences(cluster, &untrimmed, &listed.inventory).await?;
        let trimmed = trim(&untrimmed, &state.index, listed, &self.rules.trim);

        // The proof is about what the backup will hold: without what is trimmed.
        held.retain(|key, _| !trimmed.contains(key));
        state.facts.forget(&trimmed);
        let facts = &state.facts;
        let tree = Evidence::new(description, &held, facts, &cut, provenance, absence_tolerance);
        let listings = DbsListings::new(cluster, history.before.as_ref(), &listed.inventory);
        let absent = absent_paths(&tree, &listings, self.rules.absence);
        let is_lacking = |key: &Key| listed.has(key) && !held.contains_key(key);
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
        let trimmed = trimmed.into_iter().collect();
        Ok(Proof { certificate, fingerprints, absent, fences, differences, trimmed, broken, unreadable })
    }
}

/// The live files that the backup lacks and that count as absent from the source.
fn absent_paths<'a>(tree: &Evidence<'a>, listings: &DbsListings, rule: AbsenceRule) -> BTreeSet<&'a str> {
    let missing = tree.cluster.stored_nodes().flat_map(|node| &tree.closure(&node.id).missing);
    missing.map(|file| file.path.as_str()).filter(|path| listings.is_absent(path, rule)).collect()
}

/// What servers overwrite is held in exactly the version listed; C8 looks after the compactor's files.
fn unheld_overwritten(cluster: &Cluster, listed: &Listed, index: &Index) -> Vec<Finding> {
    let mut unheld = Vec::new();
    for entry in listed.inventory.entries() {
        let Some(object) = cluster.classify(entry.key) else { continue };
        let kind = object.kind();
        let is_exact = kind.mutability() == Mutability::Overwritten && !kind.is_derived() && !kind.is_compactor();
        if is_exact && !index.holds(entry) {
            let message = format!("`{}` was listed and is not held in that version", entry.key);
            unheld.push(finding(At::object(object.node, entry.key), FindingCode::ListedNotHeld, message));
        }
    }
    unheld
}
