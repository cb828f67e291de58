//! C5: no checkpoint is newer than the newest manifest; the newest of every month, or none at all.
//!
//! A checkpoint newer than the newest manifest makes a server skip WAL that no manifest covers: a real 3.10.1 server lost
//! forty rows silently.

use std::collections::BTreeMap;

use super::{
    evidence::{Evidence, Provenance},
    fact::Fact,
    judgement::{At, Judgement},
};
use crate::{
    finding::{Clause, FindingCode},
    format::{Checkpoint, Snapshot},
    key::Key,
    layout::{Component, Group, checkpoint_sequence, snapshot_sequence},
};

pub(super) fn judge(evidence: &Evidence<'_>) -> Judgement {
    let mut judgement = Judgement::of(Clause::Checkpoints);
    for node in evidence.cluster.stored_nodes() {
        let cut = evidence.cut_snapshot(&node.id).map(|manifest| &manifest.snapshot);
        for (key, fact) in evidence.of_kind(&node.id, Component::SnapshotCheckpoint) {
            check_one(&node.id, key, fact, cut, &mut judgement);
        }
        check_listed(evidence, &node.id, &mut judgement);
    }
    judgement
}

fn check_one(node: &str, key: &Key, fact: &Fact, cut: Option<&Snapshot>, judgement: &mut Judgement) {
    let at = At::object(Some(node), key);
    match fact {
        Fact::Checkpoint(Err(error)) => {
            judgement.report(at, FindingCode::CorruptCheckpoint, format!("`{key}`: {error}"))
        }
        Fact::Checkpoint(Ok(checkpoint)) => {
            if let Err(error) = checkpoint.check_name(key.name()) {
                judgement.report(at, FindingCode::MisnamedCheckpoint, format!("`{key}`: {error}"));
            }
            if month(key) != checkpoint.year_month {
                let message = format!("`{key}` says that its month is `{}`", checkpoint.year_month);
                judgement.report(at, FindingCode::MisnamedCheckpoint, message);
            }
            if checkpoint.node_id != node {
                let message = format!("`{key}` says that it belongs to node `{}`", checkpoint.node_id);
                judgement.report(at, FindingCode::ForeignCheckpoint, message);
            }
            if is_newer(checkpoint, cut) {
                judgement.report(at, FindingCode::NewCheckpoint, newer(key));
            }
        }
        _ => {}
    }
}

/// Whether a server would skip WAL that no manifest covers because of this checkpoint.
fn is_newer(checkpoint: &Checkpoint, cut: Option<&Snapshot>) -> bool {
    let snapshot = cut.map(|cut| cut.snapshot_sequence_number);
    let wal = cut.map(|cut| cut.wal_file_sequence_number);
    Some(checkpoint.last_snapshot_sequence_number) > snapshot || Some(checkpoint.wal_file_sequence_number) > wal
}

fn newer(key: &Key) -> String {
    format!("`{key}` is newer than the newest manifest")
}

/// What the source has. Its checkpoints were listed before its manifests, so one that is newer than all of them names a
/// manifest that the source has lost; it is trimmed from the backup and reported.
fn check_listed(evidence: &Evidence<'_>, node: &str, judgement: &mut Judgement) {
    let Provenance::Run(run) = evidence.provenance else { return };
    let listed = |group| {
        let listing = run.listings.iter().find(|l| l.group == group && l.owner == node);
        listing.into_iter().flat_map(|listing| &listing.entries).map(|entry| entry.key)
    };
    let cut = evidence.cut.of(node);
    let newest = listed(Group::Snapshots).filter_map(|key| snapshot_sequence(key.name())).max().max(cut);
    for key in listed(Group::SnapshotCheckpoints).filter(|key| evidence.held.get(key.as_str()).is_none()) {
        if checkpoint_sequence(key.name()).is_some_and(|sequence| Some(sequence) > newest) {
            judgement.report(At::object(Some(node), &key), FindingCode::NewCheckpoint, newer(&key));
        }
    }
    check_months(evidence, node, &newest_of_months(listed(Group::SnapshotCheckpoints), cut), judgement);
}

/// The newest checkpoint up to the cut of every month that the source has, or none at all.
fn check_months(evidence: &Evidence<'_>, node: &str, needed: &BTreeMap<String, Key>, judgement: &mut Judgement) {
    let held = |key: &Key| evidence.held.get(key.as_str()).is_some();
    if needed.values().all(|key| !held(key)) && evidence.checkpoints(node).is_empty() {
        return;
    }
    for (month, key) in needed {
        if !held(key) {
            let message = format!("`{key}`, the newest checkpoint of {month}, is not held");
            judgement.report(At::object(Some(node), key), FindingCode::MissingCheckpoint, message);
        }
    }
}

/// The month of a checkpoint: the directory that it lies in.
fn month(key: &Key) -> &str {
    key.as_str().rsplit('/').nth(1).unwrap_or_default()
}

/// The newest checkpoint of each month that is not newer than the cut.
pub(crate) fn newest_of_months(checkpoints: impl Iterator<Item = Key>, cut: Option<u64>) -> BTreeMap<String, Key> {
    let mut newest: BTreeMap<String, (u64, Key)> = BTreeMap::new();
    for key in checkpoints {
        let Some(sequence) = checkpoint_sequence(key.name()).filter(|sequence| Some(*sequence) <= cut) else {
            continue;
        };
        let best = newest.entry(month(&key).to_owned()).or_insert_with(|| (sequence, key.clone()));
        if sequence > best.0 {
            *best = (sequence, key);
        }
    }
    newest.into_iter().map(|(month, (_, key))| (month, key)).collect()
}
