//! C5: no checkpoint is newer than the newest manifest; the newest of every month, or none at all.
//!
//! A checkpoint newer than the newest manifest makes a server skip WAL that no manifest covers: forty rows were lost
//! without a word on a real 3.10.1 server.

use std::collections::BTreeMap;

use super::{
    evidence::{Evidence, Fact, Witness},
    judgement::{At, Judgement},
};
use crate::{inventory::Group, key::Key, layout::checkpoint_sequence, location::Entry};

pub(super) fn judge(evidence: &Evidence<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    for node in evidence.cluster.stored_nodes() {
        let cut = evidence.cut.of(&node.id);
        for (key, fact) in evidence.below(&format!("{}/snapshot-checkpoints/", node.id)) {
            check_one(&node.id, key, fact, cut, &mut judgement);
        }
        check_months(evidence, &node.id, cut, &mut judgement);
    }
    judgement
}

fn check_one(node: &str, key: &Key, fact: &Fact, cut: Option<u64>, judgement: &mut Judgement) {
    let at = At::object(Some(node), key);
    match fact {
        Fact::Checkpoint(Err(error)) => judgement.violate(at, "corrupt-checkpoint", format!("`{key}`: {error}")),
        Fact::Checkpoint(Ok(checkpoint)) => {
            if let Err(error) = checkpoint.check_name(key.name()) {
                judgement.violate(at, "misnamed-checkpoint", format!("`{key}`: {error}"));
            }
            if checkpoint.node_id != node {
                let message = format!("`{key}` says that it belongs to node `{}`", checkpoint.node_id);
                judgement.violate(at, "foreign-checkpoint", message);
            }
            if Some(checkpoint.last_snapshot_sequence_number) > cut {
                judgement.violate(at, "new-checkpoint", format!("`{key}` is newer than the newest manifest"));
            }
        }
        _ => {}
    }
}

/// The newest checkpoint up to the cut of every month that the source has, or none at all.
fn check_months(evidence: &Evidence<'_>, node: &str, cut: Option<u64>, judgement: &mut Judgement) {
    let Witness::Run(run) = evidence.witness else { return };
    let listing = run.listings.iter().find(|l| l.group == Group::SnapshotCheckpoints && l.owner == node);
    let needed = newest_of_months(listing.map_or(&[], |listing| &listing.entries), cut);
    let held = |key: &Key| evidence.held.contains_key(key);
    if needed.values().all(|key| !held(key)) && evidence.checkpoints(node).is_empty() {
        return;
    }
    for (month, key) in needed {
        if !held(key) {
            let message = format!("`{key}`, the newest checkpoint of {month}, is not held");
            judgement.violate(At::object(Some(node), key), "missing-checkpoint", message);
        }
    }
}

/// The newest checkpoint of each month that is not newer than the cut.
pub(crate) fn newest_of_months(entries: &[Entry], cut: Option<u64>) -> BTreeMap<&str, &Key> {
    let mut newest: BTreeMap<&str, (u64, &Key)> = BTreeMap::new();
    for entry in entries {
        let Some(sequence) = checkpoint_sequence(entry.key.name()).filter(|sequence| Some(*sequence) <= cut) else {
            continue;
        };
        let month = entry.key.as_str().rsplit('/').nth(1).unwrap_or_default();
        let best = newest.entry(month).or_insert((sequence, &entry.key));
        if sequence > best.0 {
            *best = (sequence, &entry.key);
        }
    }
    newest.into_iter().map(|(month, (_, key))| (month, key)).collect()
}
