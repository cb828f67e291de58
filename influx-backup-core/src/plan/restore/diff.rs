//! What the target holds besides the backup: whose it is, and what becomes of it.

use std::collections::BTreeSet;

use super::selection::Selection;
use crate::{
    cluster::{ClusterDescription, Edition},
    error::{Error, Result},
    key::Key,
    layout::Component,
    manifest::rules,
    options::{ExtraNodes, Policy},
    table::{Builder, Table},
    target::{Prefix, Target},
};

/// The prefixes of the target that are not the backup's.
pub(super) struct ForeignPrefixes {
    /// Nodes that the backup lacks.
    pub(super) extra_nodes: Vec<String>,
}

/// What the target holds that the backup lacks, and what becomes of it.
pub(super) struct TargetDiff {
    /// Objects that are deleted.
    pub(super) deletions: Table<Key>,
    /// Names that stay.
    pub(super) kept: Vec<String>,
    /// How many objects lie below the cluster's own prefixes.
    pub(super) own: u64,
    /// The first of them.
    pub(super) first_own: Option<Key>,
}

impl ForeignPrefixes {
    /// Tells them apart: neighbors that lay beside the cluster at its source too, and nodes that the backup lacks.
    ///
    /// # Errors
    /// [`Error::TargetForeign`] where the target belongs to another cluster.
    pub(super) fn of(cluster: &ClusterDescription, target: &Target) -> Result<Self> {
        let is_own = |id: &str| cluster.is_node(id) || cluster.cluster_id.as_deref() == Some(id);
        let is_foreign = |prefix: &&Prefix| !is_own(&prefix.id) && !is_neighbor(cluster, &prefix.id);
        let foreign_prefixes: Vec<&Prefix> = target.prefixes.iter().filter(is_foreign).collect();
        let has_own = target.prefixes.iter().any(|prefix| is_own(&prefix.id));
        let has_catalog = target.prefix(cluster.catalog_prefix()).is_some_and(Prefix::has_catalog);
        let is_another_cluster = |prefix: &&&Prefix| {
            // A catalog without a node, beside a Core node, is an Enterprise cluster that the node was promoted to.
            let is_promoted = cluster.edition == Edition::Core && !prefix.is_node();
            !has_own || (prefix.has_catalog() && (!has_catalog || is_promoted))
        };
        if let Some(other) = foreign_prefixes.iter().find(is_another_cluster) {
            return Err(Error::TargetForeign {
                location: target.location.clone(),
                found: format!("`{}`", other.id),
                expected: expected(cluster),
            });
        }
        let extra_nodes = foreign_prefixes.into_iter().filter(|prefix| prefix.is_node() && !prefix.has_catalog());
        Ok(Self { extra_nodes: extra_nodes.map(|prefix| prefix.id.clone()).collect() })
    }

    /// The extra node that an object lies below: of nested ones the innermost.
    fn extra_node_of(&self, key: &Key) -> Option<&str> {
        let above = self.extra_nodes.iter().filter(|id| key.below(id).is_some());
        above.max_by_key(|id| id.len()).map(String::as_str)
    }

    pub(super) fn diff(
        &self,
        target: &Target,
        extra_nodes: ExtraNodes,
        policy: Policy,
        selection: &Selection<'_>,
    ) -> Result<TargetDiff> {
        let mut deletions = Builder::default();
        let mut own = 0;
        let mut first_own = None;
        let mut restored = selection.backup.objects.reader();
        let mut kept: BTreeSet<String> = target.others.iter().cloned().collect();
        for entry in target.objects() {
            let extra_node = self.extra_node_of(&entry.key);
            let object = selection.backup.cluster.classify(&entry.key);
            let object = object.filter(|object| extra_node.is_none_or(|node| node.len() < object.owner.len()));
            let (owner, component) = match (object, extra_node) {
                (Some(object), _) => {
                    own += 1;
                    first_own.get_or_insert_with(|| entry.key.clone());
                    rules::require_known_generation(&entry.key, object)?;
                    (object.owner, object.component)
                }
                (None, Some(node)) if extra_nodes == ExtraNodes::Delete => {
                    (node, entry.key.below(node).map_or(Component::Other, Component::of))
                }
                (None, Some(node)) => {
                    kept.insert(node.to_owned());
                    continue;
                }
                (None, None) => {
                    kept.extend(prefix_of(target, &entry.key));
                    continue;
                }
            };
            let is_deleted = match policy {
                Policy::Overlay => is_dropped_by_overlay(component, owner, selection),
                _ => is_in_known_directory(component),
            };
            let is_restored = restored.get(entry.key.as_str()).is_some() && !selection.skips(&entry.key);
            if is_restored || matches!(component, Component::CatalogRoot(_)) {
                // Overwritten, or under the guard.
            } else if is_deleted {
                deletions.push(entry.key);
            } else if !is_in_known_directory(component) {
                let top = entry.key.below(owner).and_then(|tail| tail.split('/').next()).unwrap_or_default();
                kept.insert(format!("{owner}/{top}"));
            }
        }
        Ok(TargetDiff { deletions: deletions.finish(), kept: kept.into_iter().collect(), own, first_own })
    }
}

/// Whether a prefix lay beside the cluster at its source, and so may lie beside it here.
fn is_neighbor(cluster: &ClusterDescription, id: &str) -> bool {
    let top = id.split('/').next().unwrap_or(id);
    cluster.foreign.iter().any(|foreign| foreign == id || foreign == top)
}

fn prefix_of(target: &Target, key: &Key) -> Option<String> {
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
fn is_in_known_directory(component: Component) -> bool {
    !component.is_license() && !matches!(component, Component::Other | Component::EnterpriseConfig)
}

/// Derived files that are not the backup's would be ahead of its data; logs without their root make 3.10 rebuild one
/// with another uuid, and then never start again.
fn is_dropped_by_overlay(component: Component, owner: &str, selection: &Selection<'_>) -> bool {
    match component {
        Component::CatalogLog(generation) => !selection.has_generation(owner, generation),
        component => component.is_derived(),
    }
}
