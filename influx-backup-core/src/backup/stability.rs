//! C7: why the listing after the last copy differs from the one that was copied. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    certificate::{ANYWHERE, At, Violation, violation},
    discover::{ClusterDescription, Role},
    inventory::Inventory,
    key::Key,
    layout::{Component, Mutability},
    location::Entry,
};

/// Why an object differs between two listings. There is no other reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Difference {
    /// A WAL file was flushed.
    WalWritten,
    /// A WAL file was trimmed after a snapshot.
    WalTrimmed,
    /// A snapshot was stored.
    SnapshotStored,
    /// A node was removed, or a later release collects old manifests.
    SnapshotRemoved,
    /// A manifest or a Parquet file was written again by a server that replayed its WAL after a crash.
    WrittenAgain,
    /// A Parquet file was persisted.
    ParquetStored,
    /// A Parquet file expired, was dropped or compacted away.
    ParquetRemoved,
    /// A checkpoint was stored or rotated.
    CheckpointMoved,
    /// A derived file moved.
    DerivedMoved,
    /// The catalog went on.
    CatalogMoved,
    /// A catalog log was collected.
    CatalogLogRemoved,
    /// The compactor went on.
    CompactorMoved,
    /// A licence or the Enterprise configuration was replaced.
    ConfigurationMoved,
    /// Something that this release does not know moved.
    OtherMoved,
    /// A create-only object is another version: another timeline.
    CreateOnlyRewritten,
}

/// What moved, counted, and what must not have moved.
pub(super) fn compare(
    cluster: &ClusterDescription,
    before: &Inventory,
    after: &Inventory,
) -> (BTreeMap<String, u64>, Vec<Violation>) {
    let old: BTreeMap<&Key, &Entry> = before.entries().map(|entry| (&entry.key, entry)).collect();
    let new: BTreeMap<&Key, &Entry> = after.entries().map(|entry| (&entry.key, entry)).collect();
    let (mut counts, mut violations) = (BTreeMap::new(), Vec::new());
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    for key in keys {
        let Some(object) = cluster.classify(key) else { continue };
        let Some(difference) = difference(object.kind(), old.get(key).copied(), new.get(key).copied()) else {
            continue;
        };
        *counts.entry(name(difference)).or_default() += 1;
        if difference == Difference::CreateOnlyRewritten {
            let message = format!("`{key}` is written once by every server and is another version now");
            violations.push(violation(At::object(object.node, key), "create-only-rewritten", message));
        }
    }
    (counts, violations)
}

fn name(difference: Difference) -> String {
    serde_json::to_value(difference).ok().and_then(|name| name.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn difference(component: Component, old: Option<&Entry>, new: Option<&Entry>) -> Option<Difference> {
    match (old, new) {
        (Some(old), Some(new)) if old.is_same(new) => None,
        (Some(_), Some(_)) => Some(match component.mutability() {
            Mutability::CreateOnly => Difference::CreateOnlyRewritten,
            Mutability::WrittenOnce => Difference::WrittenAgain,
            Mutability::Overwritten => moved(component),
        }),
        (None, Some(_)) => Some(match component {
            Component::Wal => Difference::WalWritten,
            Component::Snapshot => Difference::SnapshotStored,
            Component::Parquet => Difference::ParquetStored,
            component => moved(component),
        }),
        (Some(_), None) => Some(match component {
            Component::Wal => Difference::WalTrimmed,
            Component::Snapshot => Difference::SnapshotRemoved,
            Component::Parquet => Difference::ParquetRemoved,
            Component::CatalogLog(_) => Difference::CatalogLogRemoved,
            component => moved(component),
        }),
        (None, None) => None,
    }
}

fn moved(component: Component) -> Difference {
    match component {
        Component::SnapshotCheckpoint => Difference::CheckpointMoved,
        component if component.is_derived() => Difference::DerivedMoved,
        component if component.is_catalog() => Difference::CatalogMoved,
        component if component.is_compactor() => Difference::CompactorMoved,
        component if component.is_licence() => Difference::ConfigurationMoved,
        Component::EnterpriseConfig => Difference::ConfigurationMoved,
        _ => Difference::OtherMoved,
    }
}

/// C7 and C9: nodes and compactors that came or went between two discoveries. Those that came belong into the backup.
pub(super) fn compare_nodes(
    before: &ClusterDescription,
    after: &ClusterDescription,
) -> (Vec<Violation>, Vec<Violation>) {
    let (mut unstable, mut unheld) = (Vec::new(), Vec::new());
    for node in &after.nodes {
        let known = before.nodes.iter().find(|known| known.id == node.id);
        match known {
            None => {
                let message = format!("node `{}` appeared while the backup ran", node.id);
                unheld.push(violation(At::node(&node.id), "node-came", message));
            }
            Some(known) if known.is(Role::Compactor) != node.is(Role::Compactor) => {
                let message = format!("node `{}` became, or is no longer, a compactor", node.id);
                unstable.push(violation(At::node(&node.id), "compactor-moved", message));
            }
            Some(known) if known.is(Role::QueryOnly) != node.is(Role::QueryOnly) => {
                let message = format!("node `{}` began to store data", node.id);
                unheld.push(violation(At::node(&node.id), "node-came", message));
            }
            Some(_) => {}
        }
    }
    for node in before.nodes.iter().filter(|node| !after.is_node(&node.id)) {
        let message =
            format!("node `{}` went away while the backup ran: leave it out by name, or bring it back", node.id);
        unstable.push(violation(At::node(&node.id), "node-went", message));
    }
    (unstable, unheld)
}

/// C7: nodes that had objects when they were discovered, and none when they were listed.
pub(super) fn unlisted_nodes(cluster: &ClusterDescription, listed: &Inventory) -> Vec<Violation> {
    let has_objects =
        |id: &str| listed.listings.iter().any(|listing| listing.owner == id && !listing.entries.is_empty());
    let unlisted = cluster.stored_nodes().filter(|node| !has_objects(&node.id));
    let message = |id: &str| format!("node `{id}` had nothing to list: leave it out by name, or bring it back");
    unlisted.map(|node| violation(At::node(&node.id), "node-went", message(&node.id))).collect()
}

/// C7: whether it is another cluster now.
pub(super) fn compare_ids(before: &ClusterDescription, after: &ClusterDescription) -> Option<Violation> {
    let message = "the cluster got another id while the backup ran";
    (before.cluster_id != after.cluster_id).then(|| violation(ANYWHERE, "cluster-moved", message))
}
