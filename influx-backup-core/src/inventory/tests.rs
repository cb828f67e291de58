use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use proptest::{prelude::*, sample::subsequence};
use tokio::time::Instant;

use super::*;
use crate::{
    cluster::{Edition, Node},
    location::Identity,
    testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
};

/// Ids that lie inside one another, and one that is the name of a component.
const IDS: [&str; 6] = ["a", "a/b", "a/wal", "a/b/c", "c", "node1"];

/// What may lie below an id, with the group that lists it below a data node, a compactor and a cluster.
const TAILS: [(&str, Group); 26] = [
    ("wal/00000000001.wal", Group::Wal),
    ("wal/odd/x", Group::Wal),
    ("wal", Group::NodeRest),
    ("snapshots/18446744073709551614.info.json", Group::Snapshots),
    ("snapshot-checkpoints/2026-11/18446744073709551614.checkpoint.json", Group::SnapshotCheckpoints),
    ("dbs/1/0/2025-10-09/11-01/0000000296.parquet", Group::Parquet),
    ("dbs/metrics-1/cpu-0/2025-10-09/11-01/0000000296.parquet", Group::Parquet),
    ("dbs/x", Group::Parquet),
    ("table-snapshots/1/0/1.info.json", Group::NodeRest),
    ("db-indices/1/0/index.info.json", Group::NodeRest),
    ("table-index-conversion-completed", Group::NodeRest),
    ("cs/1", Group::CompactionSummaries),
    ("cd/1/2", Group::CompactionDetails),
    ("c/2b/56d/67c/79.json", Group::Compacted),
    ("_catalog_checkpoint", Group::Catalog),
    ("catalogs/00000000000000000001.catalog", Group::Catalog),
    ("catalog/v2/snapshot", Group::Catalog),
    ("catalog/v3/logs/00000000000000000001.catalog", Group::Catalog),
    ("catalog/v4/x", Group::Catalog),
    ("catalog/restores/1/x", Group::Catalog),
    ("enterprise", Group::ClusterRest),
    ("commercial_license", Group::Licenses),
    ("trial_or_home_license", Group::Licenses),
    ("_influx_backup/x", Group::NodeRest),
    ("unknown", Group::NodeRest),
    ("un/known", Group::NodeRest),
];

fn cluster(location: &Location, edition: Edition, ids: &[&str], compactors: &[bool], skipped: &[&str]) -> Cluster {
    let (cluster_id, nodes) = match edition {
        Edition::Core => (None, ids),
        // The id of the cluster is sometimes that of a node: the last one of three or more.
        Edition::Enterprise => (ids.last().copied(), if ids.len() > 2 { ids } else { &ids[..ids.len() - 1] }),
    };
    let nodes = nodes.iter().zip(compactors).map(|(id, compactor)| Node {
        id: (*id).to_owned(),
        roles: if *compactor { vec![Role::Data, Role::Compactor] } else { vec![Role::Data] },
    });
    Cluster::new(
        location.clone(),
        ClusterDescription {
            excluded_nodes: skipped.iter().map(|id| (*id).to_owned()).collect(),
            ..ClusterDescription::new(
                location.to_string(),
                Identity::Test,
                cluster_id.map(ToOwned::to_owned),
                nodes.collect(),
            )
        },
    )
}

async fn put(location: &Location, key: &str) {
    location.put(&Key::parse(key).expect("a key"), Bytes::from_static(b"x")).await.expect("writes into memory");
}

/// The owner of a key: the longest id above it, or `None` where that is excluded.
fn owner<'a>(key: &str, ids: &[&'a str], skipped: &[&'a str]) -> Option<&'a str> {
    let above = |id: &&str| key.starts_with(&format!("{id}/"));
    let longest = ids.iter().chain(skipped).copied().filter(above).max_by_key(|id| id.len())?;
    ids.contains(&longest).then_some(longest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Nothing below a prefix of the cluster is dropped, nothing is listed twice, nothing else is listed.
    #[test]
    fn every_object_is_in_exactly_one_listing(
        order in Just(IDS.to_vec()).prop_shuffle(),
        members in 1..5_usize,
        skipped in 0..2_usize,
        enterprise: bool,
        compactors in prop::collection::vec(any::<bool>(), 6),
        objects in prop::collection::btree_set((0..IDS.len(), 0..TAILS.len()), 0..60),
    ) {
        let edition = if enterprise { Edition::Enterprise } else { Edition::Core };
        let members = if enterprise { members } else { 1 };
        let (ids, rest) = order.split_at(members);
        let skipped = &rest[..skipped];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let location = Location::in_memory();
            let keys: BTreeSet<String> = objects.iter().map(|(id, tail)| format!("{}/{}", IDS[*id], TAILS[*tail].0)).collect();
            for key in &keys {
                put(&location, key).await;
            }
            let cluster = cluster(&location, edition, ids, &compactors, skipped);
            let inventory = cluster.list().await.expect("lists");
            let mut listed = BTreeMap::new();
            for listing in &inventory.listings {
                for entry in &listing.entries {
                    let before = listed.insert(entry.key.to_string(), listing.owner.clone());
                    prop_assert_eq!(before, None, "{} is listed twice", entry.key);
                }
            }
            let owned = |key: &String| Some((key.clone(), owner(key, ids, skipped)?.to_owned()));
            prop_assert_eq!(listed, keys.iter().filter_map(owned).collect::<BTreeMap<_, _>>());
            Ok(())
        })?;
    }

    /// Listings follow one another, and each group of a node comes in the constant order.
    #[test]
    fn listings_are_in_order(ids in subsequence(IDS.to_vec(), 2..5), compactors in prop::collection::vec(any::<bool>(), 6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let location = Location::in_memory();
        let cluster = cluster(&location, Edition::Enterprise, &ids, &compactors, &[]);
        let inventory = runtime.block_on(Inventory::list(&cluster)).expect("lists");
        let mut numbers: Vec<u64> = inventory.listings.iter().map(|listing| listing.order).collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (1..=inventory.listings.len() as u64).collect::<Vec<_>>());
        for listings in inventory.listings.chunk_by(|one, next| one.owner == next.owner) {
            prop_assert!(listings.is_sorted_by_key(|listing| listing.order));
        }
        let place = |group: Group| LISTING_ORDER.iter().position(|known| *known == group);
        for id in &ids {
            let places: Vec<_> = inventory.listings.iter().filter(|listing| listing.owner == *id).map(|listing| place(listing.group)).collect();
            prop_assert!(places.is_sorted(), "{:?}", places);
        }
        let first_data = inventory.listings.iter().position(|listing| listing.group.owner() == OwnerKind::Node);
        let last_compactor = inventory.listings.iter().rposition(|listing| listing.group.owner() == OwnerKind::Compactor);
        prop_assert!(last_compactor.is_none() || first_data > last_compactor);
        let first_catalog = inventory.listings.iter().position(|listing| listing.group.owner() == OwnerKind::Cluster);
        let last_node = inventory.listings.iter().rposition(|listing| listing.group.owner() == OwnerKind::Node);
        prop_assert!(first_catalog > last_node);
    }
}

#[tokio::test]
async fn each_object_is_in_the_group_that_it_belongs_to() {
    for (tail, group) in TAILS {
        let location = Location::in_memory();
        put(&location, &format!("node1/{tail}")).await;
        let group_in = async |edition, ids: &[&str], compactor: bool| {
            let cluster = cluster(&location, edition, ids, &[compactor], &[]);
            let inventory = cluster.list().await.expect("lists");
            let with: Vec<Group> =
                inventory.listings.iter().filter(|l| !l.entries.is_empty()).map(|l| l.group).collect();
            let [group] = with[..] else { panic!("{tail}: {with:?}") };
            group
        };
        // Core, or a cluster whose id is that of its node: as the table says, but for a compactor that is none.
        assert_eq!(group_in(Edition::Core, &["node1"], true).await, group, "{tail}");
        let plain = if group.owner() == OwnerKind::Compactor { Group::NodeRest } else { group };
        assert_eq!(group_in(Edition::Core, &["node1"], false).await, plain, "{tail}");
        // Below a node of a cluster elsewhere a catalog is stale, and below a cluster that is no node there are no data.
        let of_node = if group.owner() == OwnerKind::Cluster { Group::NodeRest } else { group };
        assert_eq!(group_in(Edition::Enterprise, &["node1", "elsewhere"], true).await, of_node, "{tail}");
        let of_cluster = if group.owner() == OwnerKind::Cluster { group } else { Group::ClusterRest };
        assert_eq!(group_in(Edition::Enterprise, &["elsewhere", "node1"], true).await, of_cluster, "{tail}");
    }
}

/// Listings take a second each; those of a node follow one another.
#[tokio::test(start_paused = true)]
async fn nodes_are_listed_at_once() {
    let took = async |nodes: &[&str]| {
        let memory = Location::in_memory();
        for node in nodes {
            put(&memory, &format!("{node}/dbs/1/0/1.parquet")).await;
        }
        let delay = Fault::Delay(Duration::from_secs(1)..Duration::from_millis(1001));
        let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::List), When::Always, delay));
        let slow = memory.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        let began = Instant::now();
        let inventory = cluster(&slow, Edition::Core, nodes, &[false; 6], &[]).list().await.expect("lists");
        assert_eq!(inventory.objects(), nodes.len() as u64);
        began.elapsed().as_secs()
    };
    assert_eq!(took(&["a", "b", "c", "d"]).await, took(&["a"]).await);
}
