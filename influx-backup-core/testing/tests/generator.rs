//! What the generator makes is what servers load.

use std::sync::Arc;

use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};

use influx_backup_core::{
    layout::{Component, Generation},
    testing::generate::*,
};
use influx_backup_testing::loader::{self, Loaded, Release, Servers, Verdict};

async fn written(cluster: &Generate) -> (Arc<dyn ObjectStore>, Generated) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let generated = cluster.write_to(&store, &Path::from("base/data")).await.expect("writes into memory");
    (store, generated)
}

async fn loaded(cluster: &Generate) -> (Generated, Loaded) {
    let (store, generated) = written(cluster).await;
    let verdict = loader::load(&store, &Path::from("base/data"), &Servers::of(&generated)).await.expect("reads memory");
    match verdict {
        Verdict::Loaded(loaded) => (generated, loaded),
        other => panic!("{other:?}"),
    }
}

/// Everything that the generator promises is what a server finds.
fn assert_agrees(generated: &Generated, loaded: &Loaded) {
    assert_eq!(loaded.catalog.sequence, generated.catalog_sequence);
    assert!(loaded.catalog.missing_logs.is_empty());
    assert_eq!(loaded.catalog.uuid, generated.catalog_uuid);
    for (id, node) in &generated.nodes {
        let found = &loaded.nodes[id];
        assert_eq!(found.last_snapshot, node.last_snapshot);
        assert_eq!(found.covered_wal, node.covered_wal);
        assert_eq!(found.files.len() as u64, node.files);
        assert_eq!(found.absent, node.absent);
        assert_eq!(found.rows.as_ref(), Some(&node.rows));
        assert_eq!((found.wal_gaps(), found.skipped_wal.clone()), (vec![], vec![]));
        assert_eq!(Some(found.recovery_wal()), node.wal.map(|(_, last)| last).or(Some(node.covered_wal)));
        assert!(found.needs_catalog <= loaded.catalog.sequence);
    }
    assert_eq!(loaded.is_whole(), generated.nodes.values().all(|node| node.absent.is_empty()));
}

#[tokio::test]
async fn core_of_every_generation_loads() {
    for generation in Generation::ALL.iter().copied() {
        let (generated, loaded) = loaded(&Generate::core("node1").catalog(generation)).await;
        assert_agrees(&generated, &loaded);
        assert_eq!(loaded.catalog.generation, generation);
        let node = &loaded.nodes["node1"];
        assert_eq!((node.last_snapshot, node.covered_wal, node.files.len()), (Some(10), 60, 40));
        assert_eq!(node.replayed, [61, 62, 63]);
        assert_eq!(node.rows, Some((0..83).collect()));
        let by_name = generated.objects.contains_key("node1/dbs/metrics-1/cpu-0/2025-10-09/08-53/0000000006.parquet");
        assert_eq!(by_name, generation == Generation::V1);
        assert_eq!(generated.objects.contains_key("node1/dbs/1/0/2025-10-09/08-53/0000000006.parquet"), !by_name);
        assert_eq!(generated.nodes["node1"].wal, Some((57, 63)));
    }
}

#[tokio::test]
async fn an_upgraded_store_loads_by_its_newest_generation_only() {
    let cluster = Generate::core("node1").upgraded(Generation::ALL.iter().copied()).catalog_logs(3);
    let (generated, found) = loaded(&cluster).await;
    assert_agrees(&generated, &found);
    // Five logs by 3.0, then one registration by each later release, then three more.
    assert_eq!((found.catalog.generation, found.catalog.sequence), (Generation::V3, 10));
    let terminator = "node1/catalog/v2/logs/00000000000000000007.catalog";
    assert!(generated.objects.contains_key(terminator), "{:?}", generated.objects.keys());
    assert!(generated.objects.contains_key("node1/_catalog_checkpoint"));

    let (store, generated) = written(&cluster).await;
    let older = Servers::of(&generated).with_release(Release::Writing(Generation::V2));
    let verdict = loader::load(&store, &Path::from("base/data"), &older).await.expect("reads memory");
    assert!(matches!(verdict, Verdict::WontStart { .. }), "{verdict:?}");
}

#[tokio::test]
async fn the_root_follows_the_logs_in_hundreds() {
    for generation in Generation::ALL.iter().copied() {
        let (generated, loaded) = loaded(&Generate::core("n").catalog(generation).catalog_logs(220)).await;
        assert_agrees(&generated, &loaded);
        assert_eq!(loaded.catalog.sequence, 225);
    }
}

#[tokio::test]
async fn an_enterprise_cluster_loads() {
    let cluster = Generate::enterprise("cluster1")
        .nodes(["node1", "node2"])
        .query_node("query1")
        .compactor("compactor1", CompactorData::None)
        .unknown("cluster1/notes.txt");
    let (generated, loaded) = loaded(&cluster).await;
    assert_agrees(&generated, &loaded);
    assert_eq!(generated.nodes.keys().collect::<Vec<_>>(), ["node1", "node2"]);
    assert_eq!(loaded.nodes.len(), 4);
    assert!(loaded.nodes["query1"].files.is_empty());
    assert!(!generated.objects.keys().any(|key| key.starts_with("query1/")));

    let count = |owner: &str, component: Component| {
        let owned = generated.objects.keys().filter_map(|key| key.strip_prefix(owner)?.strip_prefix('/'));
        owned.filter(|tail| Component::of(tail) == component).count()
    };
    assert_eq!(count("compactor1", Component::CompactionSummary), 10);
    assert_eq!(count("compactor1", Component::CompactionDetail), 10);
    assert_eq!(count("compactor1", Component::Compacted), 20);
    assert_eq!(count("compactor1", Component::Wal), 0);
    assert_eq!(count("cluster1", Component::EnterpriseConfig), 1);
    assert_eq!(count("cluster1", Component::CommercialLicense), 1);
    assert_eq!(count("cluster1", Component::Other), 1);
    assert_eq!(count("node1", Component::Parquet), 40);
    assert_eq!(count("node1", Component::CatalogRoot(Generation::V3)), 0);

    let (all, _) = self::loaded(&cluster.clone().compactor("compactor1", CompactorData::Own)).await;
    assert!(all.nodes.contains_key("compactor1"));
}

#[tokio::test]
async fn removed_and_absent_files_are_told_apart() {
    for checkpoints in [Checkpoints::None, Checkpoints::Monthly] {
        let cluster = Generate::core("node1").removed(7).absent(5).checkpoints(checkpoints).derived(Derived::All);
        let (generated, loaded) = loaded(&cluster).await;
        assert_agrees(&generated, &loaded);
        let node = &loaded.nodes["node1"];
        assert_eq!((node.files.len(), node.absent.len()), (33, 5));
        assert!(!loaded.is_whole());
    }
}

#[tokio::test]
async fn checkpoints_alone_carry_the_older_manifests() {
    let (store, generated) = written(&Generate::core("n").checkpoints(Checkpoints::Monthly).removed(3)).await;
    let checkpoints = generated.objects.keys().filter(|key| key.starts_with("n/snapshot-checkpoints/")).count();
    assert_eq!(checkpoints, 4);
    for key in generated.objects.keys().filter(|key| key.starts_with("n/snapshots/")) {
        if !key.ends_with(&influx_backup_core::testing::write::manifest_name(10)) {
            store.delete(&Path::from(format!("base/data/{key}"))).await.expect("deletes");
        }
    }
    let verdict = loader::load(&store, &Path::from("base/data"), &Servers::of(&generated)).await.expect("reads memory");
    assert_agrees(&generated, &verdict.loaded().expect("loads"));
}

#[tokio::test]
async fn odd_shapes_load() {
    let shapes = [
        Generate::core("a/b").snapshots(0),
        Generate::core("n").snapshots(0).wal_tail(0),
        Generate::core("n").snapshots(1).checkpoints(Checkpoints::Monthly).removed(3),
        Generate::core("n").snapshots(2).checkpoints(Checkpoints::Monthly).files_per_snapshot(9),
        Generate::core("n").files_per_snapshot(0).wal_tail(0).covered_wal_kept(0),
        Generate::core("n").parquet_size(0).wal_per_snapshot(1).covered_wal_kept(500),
        Generate::core("n").absent(1000),
    ];
    for cluster in shapes {
        let (generated, loaded) = loaded(&cluster).await;
        assert_agrees(&generated, &loaded);
    }
}

#[tokio::test]
async fn a_directory_and_a_store_get_the_same_bytes() {
    let cluster = Generate::enterprise("c").nodes(["n"]).compactor("k", CompactorData::None).seed(7);
    let directory = tempfile::tempdir().expect("a directory");
    let generated = cluster.generate_into(directory.path()).expect("writes");
    let (_, in_memory) = written(&cluster).await;
    assert_eq!(generated, in_memory);
    assert_eq!(generated.bytes(), cluster.objects().map(|object| object.bytes.len() as u64).sum::<u64>());
    for Object { key, bytes } in cluster.objects() {
        assert_eq!(std::fs::read(directory.path().join(&key)).expect(&key), bytes, "{key}");
    }
    let store = object_store::local::LocalFileSystem::new_with_prefix(directory.path()).expect("a store");
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let verdict = loader::load(&store, &Path::default(), &Servers::of(&generated)).await.expect("reads files");
    assert_agrees(&generated, &verdict.loaded().expect("loads"));
}

#[test]
fn the_seed_decides_the_bytes() {
    let bytes = |seed| Generate::core("n").seed(seed).objects().collect::<Vec<_>>();
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}
