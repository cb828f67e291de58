//! Where the guard stands, how it gives way, and the order of the nodes.

use std::collections::BTreeSet;

use super::{RootAction, RootStep, selection::Selection};
use crate::{
    cluster::{ClusterDescription, Node, Role, starting_order},
    error::Result,
    key::Key,
    layout::{Generation, guard},
    options::ExtraNodes,
    target::Target,
};

/// The owners whose roots are guarded: the catalog's, first, then nodes that had a catalog of their own before they were
/// promoted, in the backup or at the target.
pub(super) fn guarded(target: &Target, selection: &Selection<'_>) -> Vec<String> {
    let cluster = selection.backup.cluster;
    let in_backup = selection.roots.values().map(|(owner, _)| (*owner).to_owned());
    let at_target = target.prefixes.iter().filter(|prefix| cluster.is_node(&prefix.id) && prefix.has_catalog());
    let mut owners: BTreeSet<String> = in_backup.chain(at_target.map(|prefix| prefix.id.clone())).collect();
    owners.remove(cluster.catalog_prefix());
    std::iter::once(cluster.catalog_prefix().to_owned()).chain(owners).collect()
}

pub(super) fn guards(owners: &[String]) -> Result<Vec<Key>> {
    owners.iter().flat_map(|owner| guard::root_paths(owner)).map(|(_, path)| Ok(Key::parse(path)?)).collect()
}

/// Stale catalogs of promoted nodes first, the cluster's own last: no server of the cluster starts before.
pub(super) fn release(owners: &[String], selection: &Selection<'_>) -> Result<Vec<RootStep>> {
    let mut steps = Vec::new();
    for owner in owners.iter().rev() {
        for generation in guard::release_order(live_generation_of(owner, selection)) {
            let key = Key::parse(guard::root_path(owner, generation))?;
            let action = if selection.roots.contains_key(&key) { RootAction::Put } else { RootAction::Remove };
            steps.push(RootStep { key, generation, action });
        }
    }
    Ok(steps)
}

fn live_generation_of(owner: &str, selection: &Selection<'_>) -> Option<Generation> {
    if owner == selection.backup.cluster.catalog_prefix() {
        return Some(selection.live);
    }
    let own = selection.roots.values().filter(|(of, _)| *of == owner);
    own.map(|(_, generation)| *generation).max()
}

/// The nodes in the order in which they are stopped, and in that in which they are started.
pub(super) fn node_order(
    cluster: &ClusterDescription,
    extra: &[String],
    extra_nodes: ExtraNodes,
) -> (Vec<Node>, Vec<Node>) {
    let own = starting_order(&cluster.nodes);
    let extra: Vec<Node> = extra.iter().map(|id| Node { id: id.clone(), roles: vec![Role::Data] }).collect();
    let stop = own.iter().rev().chain(&extra).cloned().collect();
    let mut start = own;
    if extra_nodes == ExtraNodes::Keep {
        start.extend(extra);
    }
    (stop, start)
}
