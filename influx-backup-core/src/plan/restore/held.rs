//! What the target holds besides the backup: whose it is, and what becomes of it.

use std::collections::BTreeSet;

use super::chosen::{Chosen, known_generation};
use crate::{
    cluster::{ClusterDescription, Edition},
    error::{Error, Result},
    key::Key,
    layout::Component,
    options::{ExtraNodes, Policy},
    restore::Target,
};

/// The prefixes of the target that are not the backup's.
pub(super) struct Ids {
    /// Nodes that the backup lacks.
    pub(super) extra: Vec<String>,
}

/// The target's objects, told apart.
#[derive(Default)]
pub(super) struct Split {
    pub(super) deletions: Vec<Key>,
    pub(super) kept: Vec<String>,
    /// Everything below the cluster's own prefixes.
    pub(super) inside: Vec<Key>,
}

impl Ids {
    pub(super) fn of(cluster: &ClusterDescription, target: &Target) -> Result<Self> {
        let ours = |id: &str| cluster.is_node(id) || cluster.cluster_id.as_deref() == Some(id);
        // What lay beside the cluster at its source belongs to others, and may lie beside it here.
        let beside = |id: &str| {
            let top = id.split('/').next().unwrap_or(id);
            cluster.foreign.iter().any(|foreign| foreign == id || foreign == top)
        };
        let strangers: Vec<_> = target.prefixes.iter().filter(|p| !ours(&p.id) && !beside(&p.id)).collect();
        let known = target.prefixes.iter().any(|prefix| ours(&prefix.id));
        let home = target.prefix(cluster.catalog_prefix()).is_some_and(|prefix| prefix.has_catalog());
        // A catalog without a node, beside a Core node, is an Enterprise cluster that the node was promoted to.
        let foreign = strangers.iter().find(|stranger| {
            let promoted = cluster.edition == Edition::Core && !stranger.is_node();
            !known || (stranger.has_catalog() && (!home || promoted))
        });
        if let Some(stranger) = foreign {
            return Err(Error::TargetForeign {
                location: target.location.clone(),
                found: format!("`{}`", stranger.id),
                expected: expected(cluster),
            });
        }
        let extra = strangers.into_iter().filter(|stranger| stranger.is_node() && !stranger.has_catalog());
        Ok(Self { extra: extra.map(|stranger| stranger.id.clone()).collect() })
    }

    pub(super) fn split(
        &self,
        cluster: &ClusterDescription,
        target: &Target,
        extra_nodes: ExtraNodes,
        policy: Policy,
        chosen: &Chosen<'_>,
    ) -> Result<Split> {
        let mut split = Split::default();
        let mut kept: BTreeSet<String> = target.others.iter().cloned().collect();
        for entry in &target.entries {
            let extra = self.extra.iter().filter(|id| entry.key.below(id).is_some()).max_by_key(|id| id.len());
            let object = cluster.classify(&entry.key);
            let object = object.filter(|object| extra.is_none_or(|extra| extra.len() < object.owner.len()));
            let (owner, component) = match (object, extra) {
                (Some(object), _) => {
                    split.inside.push(entry.key.clone());
                    known_generation(&entry.key, object)?;
                    (object.owner, object.component)
                }
                (None, Some(extra)) if extra_nodes == ExtraNodes::Delete => {
                    (extra.as_str(), entry.key.below(extra).map_or(Component::Other, Component::of))
                }
                (None, extra) => {
                    let name = extra.cloned().or_else(|| prefix_of(target, &entry.key));
                    kept.extend(name);
                    continue;
                }
            };
            let deleted = match policy {
                Policy::Overlay => is_dropped_by_overlay(component, owner, chosen),
                _ => is_in_known_directory(component),
            };
            if chosen.restores(&entry.key) || matches!(component, Component::CatalogRoot(_)) {
                // Overwritten, or under the guard.
            } else if deleted {
                split.deletions.push(entry.key.clone());
            } else if !is_in_known_directory(component) {
                let top = entry.key.below(owner).and_then(|tail| tail.split('/').next()).unwrap_or_default();
                kept.insert(format!("{owner}/{top}"));
            }
        }
        split.kept = kept.into_iter().collect();
        Ok(split)
    }
}

pub(super) fn prefix_of(target: &Target, key: &Key) -> Option<String> {
    target.prefixes.iter().find(|prefix| key.below(&prefix.id).is_some()).map(|prefix| prefix.id.clone())
}

pub(crate) fn expected(cluster: &ClusterDescription) -> String {
    match &cluster.cluster_id {
        Some(id) => format!("cluster `{id}`"),
        None => format!("node `{}`", cluster.id()),
    }
}

/// Whether an object lies in a directory whose exact state the backup knows. Left over there, it would undo the restore:
/// newer WAL, manifests and catalog logs win over what was restored.
pub(super) fn is_in_known_directory(component: Component) -> bool {
    !component.is_license() && !matches!(component, Component::Other | Component::EnterpriseConfig)
}

/// Derived files that are not the backup's would be ahead of its data; logs without their root make 3.10 rebuild one
/// with another uuid, and then never start again.
pub(super) fn is_dropped_by_overlay(component: Component, owner: &str, chosen: &Chosen<'_>) -> bool {
    match component {
        Component::CatalogLog(generation) => !chosen.has_generation(owner, generation),
        component => component.is_derived(),
    }
}
