//! What is deleted from a backup before its commit, so that it is one cut. Pure.

use std::collections::BTreeMap;

use super::{pass::Listed, rules::Trim};
use crate::{
    judge::{covered, evidence::Evidence, numbered},
    key::Key,
    layout::{Component, Group, Mutability, checkpoint_sequence, wal_number},
    table::Table,
};

/// The objects that do not belong to the cut.
///
/// WAL, manifests, Parquet and catalog logs stay up to the cut, from whichever pass. What servers overwrite, and what
/// is opaque to this library, is exactly the last pass's listing. So is a Parquet file that is not the one that its manifest names.
pub(super) fn trim(evidence: &Evidence<'_>, listed: &Listed, rules: &[Trim]) -> Table<Key> {
    let cluster = evidence.cluster;
    let mut last_listing = listed.reader();
    let nodes = cluster.stored_nodes();
    let last_kept_wal: BTreeMap<_, _> =
        nodes.map(|node| (node.id.as_str(), last_kept_wal(evidence, listed, &node.id))).collect();
    let superseded = superseded(evidence, listed);
    let mut facts = evidence.facts.reader();
    let must_trim = |key: &Key| {
        let Some(object) = cluster.classify(key) else { return true };
        let node = object.node.unwrap_or_default();
        match object.kind() {
            Component::Wal => {
                let is_behind = |number| Some(&number) > last_kept_wal.get(node);
                rules.contains(&Trim::Wal) && wal_number(key.name()).is_some_and(is_behind)
            }
            // One that does not parse stays, for the proof to name it.
            Component::Snapshot => facts
                .manifest(key)
                .is_some_and(|snapshot| Some(snapshot.snapshot_sequence_number) > evidence.cut.of(node)),
            Component::Parquet => rules.contains(&Trim::Superseded) && superseded.get(key.as_str()).is_some(),
            Component::SnapshotCheckpoint => {
                rules.contains(&Trim::Checkpoints) && checkpoint_sequence(key.name()) > evidence.cut.of(node)
            }
            component => {
                let is_overwritten = component.mutability() == Mutability::Overwritten;
                rules.contains(&Trim::Overwritten) && is_overwritten && !last_listing.has(key)
            }
        }
    };
    evidence.held.iter().map(|held| held.key).filter(must_trim).collect()
}

/// Live files that are held as they were before a server that replayed its WAL wrote them again, and that left the source
/// since: what its manifest names was never copied, and no later pass can.
fn superseded(evidence: &Evidence<'_>, listed: &Listed) -> Table<Key> {
    let mut objects = evidence.held.reader();
    let mut last_listing = listed.reader();
    let live = evidence.cluster.stored_nodes().flat_map(|node| &evidence.closure(&node.id).live);
    let others = live.filter_map(|file| objects.get(&file.path).filter(|held| held.size != file.size_bytes));
    others.map(|held| held.key).filter(|key| !last_listing.has(key)).collect()
}

/// The last WAL number of a node that is kept: the fence, and the top-up as far as it continues it without a gap.
fn last_kept_wal(evidence: &Evidence<'_>, listed: &Listed, node: &str) -> u64 {
    let fence = listed.inventory.listing(Group::Wal, node);
    let fence = fence.and_then(|listing| listing.entries.iter().filter_map(|entry| wal_number(entry.key.name())).max());
    let mut end = fence.unwrap_or(0).max(covered(evidence, node));
    for (number, (_, sound)) in numbered(evidence, node).range(end.saturating_add(1)..) {
        if *number != end.saturating_add(1) || sound.is_err() {
            break;
        }
        end = *number;
    }
    end
}
