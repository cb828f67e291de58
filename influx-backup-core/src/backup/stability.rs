//! C7: why the listing after the last copy differs from the one that was copied. Pure.

use std::collections::BTreeMap;

use crate::{
    cluster::{ClusterDescription, Role},
    finding::{Finding, FindingCode},
    inventory::{Inventory, Listing},
    judge::{ANYWHERE, At, finding},
    layout::{Component, Mutability},
    location::ObjectMeta,
    record::Difference,
    table::join,
};

/// What moved, counted, and what must not have moved.
pub(super) fn compare(
    cluster: &ClusterDescription,
    before: &Inventory,
    after: &Inventory,
) -> (BTreeMap<Difference, u64>, Vec<Finding>) {
    let mut counts = BTreeMap::new();
    let mut violations = Vec::new();
    for (old, new) in pairs(before, after) {
        let Some(key) = old.as_ref().or(new.as_ref()).map(|entry| &entry.key) else { continue };
        let Some(object) = cluster.classify(key) else { continue };
        let Some(difference) = difference(object.kind(), old.as_ref(), new.as_ref()) else { continue };
        *counts.entry(difference).or_default() += 1;
        if difference == Difference::CreateOnlyRewritten {
            let message = format!("`{key}` is written once by every server and is another version now");
            violations.push(finding(At::object(object.node, key), FindingCode::CreateOnlyRewritten, message));
        }
    }
    (counts, violations)
}

/// Every object of two inventories, as each lists it.
fn pairs(before: &Inventory, after: &Inventory) -> impl Iterator<Item = (Option<ObjectMeta>, Option<ObjectMeta>)> {
    let is_new = |listing: &&Listing| before.listing(listing.group, &listing.owner).is_none();
    let new = after.listings.iter().filter(is_new).map(|listing| (None, Some(listing)));
    let old = before.listings.iter().map(|listing| (Some(listing), after.listing(listing.group, &listing.owner)));
    old.chain(new).flat_map(|(old, new)| {
        let old = old.into_iter().flat_map(|listing| &listing.entries);
        join(old, new.into_iter().flat_map(|listing| &listing.entries))
    })
}

fn difference(component: Component, old: Option<&ObjectMeta>, new: Option<&ObjectMeta>) -> Option<Difference> {
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
        component if component.is_license() => Difference::ConfigurationMoved,
        Component::EnterpriseConfig => Difference::ConfigurationMoved,
        _ => Difference::OtherMoved,
    }
}

/// C7 and C9: nodes and compactors that came or went between two discoveries. Those that came belong into the backup.
pub(super) fn compare_nodes(before: &ClusterDescription, after: &ClusterDescription) -> (Vec<Finding>, Vec<Finding>) {
    let mut unstable = Vec::new();
    let mut unheld = Vec::new();
    for node in &after.nodes {
        let known = before.nodes.iter().find(|known| known.id == node.id);
        match known {
            None => {
                let message = format!("node `{}` appeared while the backup ran", node.id);
                unheld.push(finding(At::node(&node.id), FindingCode::NodeAppeared, message));
            }
            Some(known) if known.is(Role::Compactor) != node.is(Role::Compactor) => {
                let message = format!("node `{}` became, or is no longer, a compactor", node.id);
                unstable.push(finding(At::node(&node.id), FindingCode::CompactorMoved, message));
            }
            Some(known) if known.is(Role::QueryOnly) != node.is(Role::QueryOnly) => {
                let message = format!("node `{}` began to store data", node.id);
                unheld.push(finding(At::node(&node.id), FindingCode::NodeAppeared, message));
            }
            Some(_) => {}
        }
    }
    for node in before.nodes.iter().filter(|node| !after.is_node(&node.id)) {
        let message =
            format!("node `{}` went away while the backup ran: leave it out by name, or bring it back", node.id);
        unstable.push(finding(At::node(&node.id), FindingCode::NodeDisappeared, message));
    }
    (unstable, unheld)
}

/// C7: nodes that had objects when they were discovered, and none when they were listed.
pub(super) fn unlisted_nodes(cluster: &ClusterDescription, listed: &Inventory) -> Vec<Finding> {
    let has_objects =
        |id: &str| listed.listings.iter().any(|listing| listing.owner == id && !listing.entries.is_empty());
    let unlisted = cluster.stored_nodes().filter(|node| !has_objects(&node.id));
    let message = |id: &str| format!("node `{id}` had nothing to list: leave it out by name, or bring it back");
    unlisted.map(|node| finding(At::node(&node.id), FindingCode::NodeDisappeared, message(&node.id))).collect()
}

/// C7: whether it is another cluster now.
pub(super) fn compare_ids(before: &ClusterDescription, after: &ClusterDescription) -> Option<Finding> {
    let message = "the cluster got another id while the backup ran";
    (before.cluster_id != after.cluster_id).then(|| finding(ANYWHERE, FindingCode::ClusterMoved, message))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        cluster::Node,
        key::Key,
        layout::Group,
        location::{Identity, Version},
    };

    fn cluster(nodes: &[(&str, Role)]) -> ClusterDescription {
        let node = |(id, role): &(&str, Role)| Node { id: (*id).to_owned(), roles: vec![*role] };
        let nodes = nodes.iter().map(node).collect();
        ClusterDescription::new("test", Identity::Test, Some("c1".to_owned()), nodes)
    }

    /// A listing of these objects, each in a version.
    fn inventory(objects: &[(&str, &str)]) -> Inventory {
        let time = DateTime::UNIX_EPOCH;
        let entry = |(key, tag): &(&str, &str)| ObjectMeta {
            key: Key::parse(key).expect("a key"),
            size: 1,
            version: Version { e_tag: Some((*tag).into()), ..version() },
        };
        let entries = objects.iter().map(entry).collect();
        let group = Group::NodeRest;
        let owner = "n1".to_owned();
        Inventory { listings: vec![Listing { group, owner, started: time, ended: time, order: 1, entries }] }
    }

    fn version() -> Version {
        Version { e_tag: None, id: None, modified: DateTime::UNIX_EPOCH }
    }

    fn reasons(before: &[(&str, &str)], after: &[(&str, &str)]) -> (Vec<String>, Vec<FindingCode>) {
        let (counts, violations) = compare(&cluster(&[("n1", Role::Data)]), &inventory(before), &inventory(after));
        (counts.into_keys().map(name).collect(), violations.into_iter().map(|violation| violation.code).collect())
    }

    fn name(difference: Difference) -> String {
        serde_json::from_value(serde_json::to_value(difference).expect("serializes")).expect("a string")
    }

    #[test]
    fn every_difference_has_its_reason() {
        let cases = [
            ("n1/wal/00000000001.wal", "wal_written", "wal_trimmed"),
            ("n1/snapshots/1.info.json", "snapshot_stored", "snapshot_removed"),
            ("n1/dbs/1.parquet", "parquet_stored", "parquet_removed"),
            ("n1/snapshot-checkpoints/2025-10/1.checkpoint.json", "checkpoint_moved", "checkpoint_moved"),
            ("n1/db-indices/1/index.info.json", "derived_moved", "derived_moved"),
            ("c1/catalog/v3/logs/1.catalog", "catalog_moved", "catalog_log_removed"),
            ("c1/catalog/v3/snapshot", "catalog_moved", "catalog_moved"),
            ("n1/cs/1", "compactor_moved", "compactor_moved"),
            ("c1/enterprise", "configuration_moved", "configuration_moved"),
            ("c1/commercial_license", "configuration_moved", "configuration_moved"),
            ("n1/notes", "other_moved", "other_moved"),
        ];
        for (key, came, went) in cases {
            assert_eq!(reasons(&[], &[(key, "a")]), (vec![came.to_owned()], vec![]), "{key}");
            assert_eq!(reasons(&[(key, "a")], &[]), (vec![went.to_owned()], vec![]), "{key}");
            assert_eq!(reasons(&[(key, "a")], &[(key, "a")]), (vec![], vec![]), "{key}");
        }
        assert_eq!(reasons(&[], &[("elsewhere/x", "a")]), (vec![], vec![]), "not of this cluster");
    }

    #[test]
    fn what_is_written_once_may_be_written_again_and_what_is_created_may_not() {
        let again = |key: &str| reasons(&[(key, "a")], &[(key, "b")]);
        for key in ["n1/snapshots/1.info.json", "n1/dbs/1.parquet"] {
            assert_eq!(again(key), (vec!["written_again".to_owned()], vec![]), "{key}");
        }
        for key in ["n1/wal/00000000001.wal", "c1/catalog/v3/logs/1.catalog"] {
            let rewritten = (vec!["create_only_rewritten".to_owned()], vec![FindingCode::CreateOnlyRewritten]);
            assert_eq!(again(key), rewritten, "{key}");
        }
        assert_eq!(again("c1/catalog/v3/snapshot"), (vec!["catalog_moved".to_owned()], vec![]));
    }

    #[test]
    fn nodes_and_compactors_that_come_or_go_are_named() {
        let compared = |before: &[(&str, Role)], after: &[(&str, Role)]| {
            let (unstable, unheld) = compare_nodes(&cluster(before), &cluster(after));
            let codes = |violations: Vec<Finding>| -> Vec<_> { violations.into_iter().map(|v| v.code).collect() };
            (codes(unstable), codes(unheld))
        };
        let one = ("n1", Role::Data);
        let two = ("n2", Role::Data);
        let code = |code: FindingCode| vec![code];
        assert_eq!(compared(&[one], &[one]), (vec![], vec![]));
        assert_eq!(compared(&[one], &[one, two]), (vec![], code(FindingCode::NodeAppeared)));
        assert_eq!(compared(&[one, two], &[one]), (code(FindingCode::NodeDisappeared), vec![]));
        assert_eq!(compared(&[one], &[("n1", Role::Compactor)]), (code(FindingCode::CompactorMoved), vec![]));
        assert_eq!(compared(&[("n1", Role::QueryOnly)], &[one]), (vec![], code(FindingCode::NodeAppeared)));
        let mut renamed = cluster(&[one]);
        renamed.cluster_id = Some("c2".to_owned());
        assert_eq!(compare_ids(&cluster(&[one]), &renamed).expect("another id").code, FindingCode::ClusterMoved);
        assert_eq!(compare_ids(&cluster(&[one]), &cluster(&[two])), None);
    }
}
