//! Where the guard stands, how it gives way, and the order of the nodes.

use std::collections::BTreeSet;

use super::{RootAction, RootStep, chosen::Chosen};
use crate::{
    cluster::{ClusterDescription, Node, Role},
    error::Result,
    key::Key,
    options::ExtraNodes,
    orchestrate::starting_order,
    restore::{Target, guard},
};

/// The owners whose roots are guarded: the catalog's, first, then nodes that had a catalog of their own before they were
/// promoted, in the backup or at the target.
pub(super) fn guarded(cluster: &ClusterDescription, target: &Target, chosen: &Chosen<'_>) -> Vec<String> {
    let in_backup = chosen.roots.values().map(|(owner, _)| (*owner).to_owned());
    let at_target = target.prefixes.iter().filter(|prefix| cluster.is_node(&prefix.id) && prefix.has_catalog());
    let mut owners: BTreeSet<String> = in_backup.chain(at_target.map(|prefix| prefix.id.clone())).collect();
    owners.remove(cluster.catalog_prefix());
    std::iter::once(cluster.catalog_prefix().to_owned()).chain(owners).collect()
}

pub(super) fn guards(owners: &[String]) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for owner in owners {
        keys.extend(guard::roots(owner)?.into_iter().map(|(_, key)| key));
    }
    Ok(keys)
}

/// Stale catalogs of promoted nodes first, the cluster's own last: no server of the cluster starts before.
pub(super) fn release(cluster: &ClusterDescription, owners: &[String], chosen: &Chosen<'_>) -> Result<Vec<RootStep>> {
    let mut steps = Vec::new();
    for owner in owners.iter().rev() {
        let newest = || chosen.roots.values().filter(|(of, _)| of == owner).map(|(_, generation)| *generation).max();
        let live = if owner == cluster.catalog_prefix() { Some(chosen.live) } else { newest() };
        for generation in guard::release_order(live) {
            let key = Key::parse(format!("{owner}/{}", generation.root()))?;
            let action = if chosen.roots.contains_key(&key) { RootAction::Put } else { RootAction::Remove };
            steps.push(RootStep { key, generation, action });
        }
    }
    Ok(steps)
}

pub(super) fn node_order(
    cluster: &ClusterDescription,
    extra: &[String],
    extra_nodes: ExtraNodes,
) -> (Vec<Node>, Vec<Node>) {
    let start = starting_order(&cluster.nodes);
    let extra = extra.iter().map(|id| Node { id: id.clone(), roles: vec![Role::Data] });
    let extra: Vec<Node> = extra.collect();
    let stop = start.iter().rev().chain(&extra).cloned().collect();
    let kept = if extra_nodes == ExtraNodes::Keep { extra } else { Vec::new() };
    (stop, start.into_iter().chain(kept).collect())
}
