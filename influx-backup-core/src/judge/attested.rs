//! C6 to C9: what only the run that took the backup could see.

use std::collections::BTreeMap;

use super::{
    evidence::{Evidence, ManifestProvenance, Provenance},
    held::HeldObject,
    judgement::{ANYWHERE, At, Judgement},
};
use crate::{
    certificate::{Certificate, CheckedBy},
    finding::{Clause, Finding, FindingCode},
    inventory::Listing,
    key::Key,
    layout::Component,
    location::ObjectMeta,
    record::UnreadableRecord,
    table::join,
};

/// C6: every copy was compared with the version that was listed; size alone is a finding.
pub(super) fn bytes(evidence: &Evidence<'_>) -> (Judgement, BTreeMap<CheckedBy, u64>) {
    let mut judgement = Judgement::of(Clause::Bytes);
    let mut counts = BTreeMap::new();
    for held in evidence.held.iter() {
        match held.checked_by {
            Some(checked_by) => *counts.entry(checked_by).or_default() += 1,
            None => judgement.not_attested = true,
        }
    }
    if let Provenance::Manifest(record) = evidence.provenance {
        for (key, code, what) in changed(record) {
            judgement.report(At::object(None, &key), code, format!("`{key}` {what}"));
        }
    }
    let unreadable = match evidence.provenance {
        Provenance::None => &[][..],
        Provenance::Run(run) => run.unreadable,
        Provenance::Manifest(record) => &record.attested.unreadable,
    };
    for UnreadableRecord { key, reason, .. } in unreadable {
        let node = evidence.cluster.classify(key).and_then(|object| object.node);
        let message = format!("`{key}` could not be read: {reason}");
        judgement.report(At::object(node, key), FindingCode::UnreadableObject, message);
    }
    for (key, reason) in evidence.facts.altered() {
        // Where its size is another one, that is reported already.
        if !matches!(evidence.provenance, Provenance::Manifest(record) if record.altered.get(key.as_str()).is_some()) {
            judgement.report(At::object(None, key), FindingCode::WrongBytes, format!("`{key}`: {reason}"));
        }
    }
    if let Some(by_size) = counts.get(&CheckedBy::Size) {
        let message = format!("{by_size} objects were compared by their size only");
        judgement.report(ANYWHERE, FindingCode::SizeOnly, message);
    }
    (judgement, counts)
}

/// Objects of a backup that are not what the manifest says, of every clause.
fn changed(record: &ManifestProvenance<'_>) -> impl Iterator<Item = (Key, FindingCode, &'static str)> {
    let lost = record.lost.iter().map(|key| (key, FindingCode::MissingObject, "is no longer in the backup"));
    let altered =
        record.altered.iter().map(|key| (key, FindingCode::WrongSize, "no longer has the size that was copied"));
    lost.chain(altered)
}

/// C7: every difference between what was copied and what was listed afterwards has a reason.
pub(super) fn stability(evidence: &Evidence<'_>) -> Judgement {
    match evidence.provenance {
        Provenance::None => unknown(Clause::Stability),
        Provenance::Run(run) => seen(Clause::Stability, run.unstable),
        Provenance::Manifest(record) => recorded(record.certificate, Clause::Stability),
    }
}

/// C8: the compactor's files are exactly one listing, in the versions listed. They are opaque: nothing more is known.
pub(super) fn compactor(evidence: &Evidence<'_>) -> Judgement {
    if evidence.cluster.compactors().next().is_none() {
        return Judgement::of(Clause::Compactor);
    }
    let mut judgement = one_listing(evidence);
    let ids: Vec<_> = evidence.cluster.compactors().map(|node| format!("`{}`", node.id)).collect();
    if ids.len() > 1 {
        let message = format!("{} have compactor's files; a cluster has one compactor", ids.join(" and "));
        judgement.report(ANYWHERE, FindingCode::SeveralCompactors, message);
    }
    judgement
}

fn one_listing(evidence: &Evidence<'_>) -> Judgement {
    match evidence.provenance {
        Provenance::None => unknown(Clause::Compactor),
        Provenance::Run(run) => {
            let mut judgement = Judgement::of(Clause::Compactor);
            for node in evidence.cluster.compactors() {
                for &component in Component::COMPACTOR {
                    let listing =
                        run.listings.iter().find(|l| l.owner == node.id && l.group.component() == Some(component));
                    let listed = listing.into_iter().flat_map(|listing| &listing.entries);
                    compare(&node.id, listed, evidence.held_of(&node.id, component), &mut judgement);
                }
            }
            for after in run.compactor_after {
                let before = run.listings.iter().find(|l| l.group == after.group && l.owner == after.owner);
                check_quiet(before.into_iter().flat_map(|before| &before.entries), after, &mut judgement);
            }
            judgement
        }
        Provenance::Manifest(record) => count_again(evidence, record),
    }
}

/// Summaries and details did not move while the files that they name were listed and copied.
fn check_quiet(before: impl Iterator<Item = ObjectMeta>, after: &Listing, judgement: &mut Judgement) {
    let is_same = |pair: (Option<ObjectMeta>, Option<ObjectMeta>)| matches!(pair, (Some(a), Some(b)) if a.is_same(&b));
    if !join(before, &after.entries).all(is_same) {
        let message = format!("the compactor `{}` wrote while its files were copied", after.owner);
        judgement.report(At::node(&after.owner), FindingCode::CompactorActive, message);
    }
}

/// What was listed of one kind of a compactor's files is held, and nothing else.
fn compare(
    node: &str,
    listed: impl Iterator<Item = ObjectMeta>,
    held: impl Iterator<Item = HeldObject>,
    judgement: &mut Judgement,
) {
    for (listed, held) in join(listed, held) {
        let (key, code, message) = match (listed, held) {
            (Some(listed), None) => {
                let message = not_held(&listed.key);
                (listed.key, FindingCode::MissingCompactorFile, message)
            }
            (None, Some(held)) => {
                let message = format!("`{}` is held and was not listed in the last pass", held.key);
                (held.key, FindingCode::ExtraCompactorFile, message)
            }
            (Some(listed), Some(held)) if held.size != listed.size || !held.version.is_same(&listed.version) => {
                let message = format!("`{}` is held in another version than listed", listed.key);
                (listed.key, FindingCode::OtherCompactorFile, message)
            }
            _ => continue,
        };
        judgement.report(At::object(Some(node), &key), code, message);
    }
}

fn not_held(key: &Key) -> String {
    format!("`{key}` was listed and is not held")
}

/// From a backup alone: as many objects as the listing had, in their sizes.
fn count_again(evidence: &Evidence<'_>, record: &ManifestProvenance<'_>) -> Judgement {
    let mut judgement = recorded(record.certificate, Clause::Compactor);
    for key in &record.altered {
        let object = evidence.cluster.classify(&key).filter(|object| object.kind().is_compactor());
        if let Some(object) = object {
            let message = format!("`{key}` is held in another size than listed");
            judgement.report(At::object(object.node, &key), FindingCode::OtherCompactorFile, message);
        }
    }
    for listing in &record.attested.listings {
        let Some(component) = listing.group.component().filter(|component| component.is_compactor()) else { continue };
        let owner = &listing.owner;
        let mut held = evidence.held_of(owner, component).count() as u64;
        // What could not be read when the backup was taken was judged then: the same is said of it now.
        for key in record.attested.unreadable.iter().map(|left| &left.key) {
            let object = evidence.cluster.classify(key);
            if object.is_some_and(|object| object.owner == owner && object.component == component) {
                held += 1;
                judgement.report(At::object(Some(owner), key), FindingCode::MissingCompactorFile, not_held(key));
            }
        }
        if held != listing.objects {
            let directory = component.directory().unwrap_or_default();
            let message = format!("`{owner}/{directory}` has {held} objects, {} were listed", listing.objects);
            judgement.report(At::node(owner), FindingCode::MissingCompactorFile, message);
        }
    }
    judgement
}

/// C9: every node is in the backup or excluded by name.
pub(super) fn nodes(evidence: &Evidence<'_>) -> Judgement {
    let mut judgement = match evidence.provenance {
        Provenance::None => unknown(Clause::Nodes),
        Provenance::Run(run) => seen(Clause::Nodes, run.unheld_nodes),
        Provenance::Manifest(record) => recorded(record.certificate, Clause::Nodes),
    };
    for node in &evidence.cluster.unclaimed_nodes {
        let message = format!("`{node}` looks like a node and is neither in the backup nor excluded by name");
        judgement.report(At::node(node), FindingCode::UnclaimedNode, message);
    }
    for node in evidence.cluster.catalog_nodes.iter().flatten().filter(|node| !node.in_store) {
        let message = format!("the catalog names node `{}`, the store has no objects of it", node.id);
        judgement.report(At::node(&node.id), FindingCode::NodeWithoutObjects, message);
    }
    if evidence.cluster.catalog_nodes.is_none() {
        judgement.report(ANYWHERE, FindingCode::CatalogNodesUnreadable, "the catalog's nodes cannot be read");
    }
    for node in &evidence.cluster.excluded_nodes {
        judgement.report(
            At::node(node),
            FindingCode::NodeExcluded,
            format!("node `{node}` was excluded by the caller"),
        );
    }
    judgement
}

fn unknown(clause: Clause) -> Judgement {
    Judgement { not_attested: true, ..Judgement::of(clause) }
}

/// What the run itself saw.
fn seen(clause: Clause, violations: &[Finding]) -> Judgement {
    let mut judgement = Judgement::of(clause);
    violations.iter().cloned().for_each(|violation| judgement.add(violation));
    judgement
}

/// Known where the run judged it; its violations are kept with those of every clause.
fn recorded(certificate: &Certificate, clause: Clause) -> Judgement {
    let judged = certificate.clauses.iter().any(|result| result.clause == clause);
    Judgement { not_attested: !judged, ..Judgement::of(clause) }
}
