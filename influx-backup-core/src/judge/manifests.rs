//! C2: name, embedded sequence and node id of every manifest agree.
//!
//! A server does not start with a manifest that it cannot parse (layout, section 3.4).

use super::{
    evidence::{Evidence, Provenance},
    fact::{Fact, Manifest},
    judgement::{At, Judgement},
    write_ahead::numbered,
};
use crate::{
    finding::{Clause, FindingCode},
    format::{FileRef, Snapshot},
    key::Key,
    layout::{Component, Group},
};

pub(super) fn judge(evidence: &Evidence<'_>) -> Judgement {
    let mut judgement = Judgement::of(Clause::Manifests);
    for node in evidence.cluster.stored_nodes() {
        check_held(evidence, &node.id, &mut judgement);
        check_any(evidence, &node.id, &mut judgement);
        for (key, fact) in evidence.of_kind(&node.id, Component::Snapshot) {
            if let Fact::Snapshot(Err(error)) = fact {
                let at = At::object(Some(&node.id), key);
                judgement.report(at, FindingCode::CorruptManifest, format!("`{key}`: {error}"));
            }
        }
        for Manifest { key, snapshot, .. } in evidence.manifests(&node.id) {
            for (code, message) in lies(&node.id, &key, &snapshot) {
                judgement.report(At::object(Some(&node.id), &key), code, message);
            }
        }
    }
    judgement
}

/// Every manifest that was listed is held: the files that only a lost one names would be missing unnoticed.
fn check_held(evidence: &Evidence<'_>, node: &str, judgement: &mut Judgement) {
    let mut report = |key: &Key| {
        judgement.report(At::object(Some(node), key), FindingCode::MissingManifest, format!("`{key}` is not held"));
    };
    match evidence.provenance {
        Provenance::None => {}
        Provenance::Run(run) => {
            let mut held = evidence.held.reader();
            let listings = run.listings.iter().filter(|l| l.group == Group::Snapshots && l.owner == node);
            let lost = listings.flat_map(|l| &l.entries).filter(|entry| !held.holds(entry));
            lost.for_each(|entry| report(&entry.key));
        }
        Provenance::Manifest(record) => {
            let is_manifest = |key: &Key| {
                let object = evidence.cluster.classify(key).filter(|object| object.node == Some(node));
                object.is_some_and(|object| object.component == Component::Snapshot)
            };
            record.lost.iter().filter(is_manifest).for_each(|key| report(&key));
        }
    }
}

/// A server trims WAL after it stored a manifest, or had nothing to persist; then it has no Parquet files either. Where both
/// are gone, the manifests are lost, and every row of theirs with them.
fn check_any(evidence: &Evidence<'_>, node: &str, judgement: &mut Judgement) {
    let has = |component| evidence.held_of(node, component).next().is_some();
    let is_trimmed = numbered(evidence, node).keys().next() != Some(&1);
    if has(Component::Parquet) && !has(Component::Snapshot) && is_trimmed {
        let message =
            format!("{node} has Parquet files, WAL that was trimmed, and no manifest: is `{node}/snapshots` lost?");
        judgement.report(At::node(node), FindingCode::NoManifests, message);
    }
}

/// What a manifest says that cannot be.
fn lies(node: &str, key: &Key, snapshot: &Snapshot) -> Vec<(FindingCode, String)> {
    let mut lies = Vec::new();
    if let Err(error) = snapshot.check_name(key.name()) {
        lies.push((FindingCode::MisnamedManifest, format!("`{key}`: {error}")));
    }
    if snapshot.node_id != node {
        lies.push((
            FindingCode::ForeignManifest,
            format!("`{key}` says that it belongs to node `{}`", snapshot.node_id),
        ));
    }
    if let Some(file) = snapshot.added.iter().find(|file| is_elsewhere(node, file)) {
        lies.push((
            FindingCode::ForeignParquet,
            format!("`{key}` names `{}`, which is not below `{node}/dbs`", file.path),
        ));
    }
    lies
}

/// Whether a file lies outside its node: a prefix that was copied to another node id reads the old node's files.
fn is_elsewhere(node: &str, file: &FileRef) -> bool {
    let below = file.path.strip_prefix(node).and_then(|rest| rest.strip_prefix('/'));
    below.map(Component::of) != Some(Component::Parquet)
}
