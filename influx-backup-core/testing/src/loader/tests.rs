use bytes::BytesMut;
use object_store::memory::InMemory;

use super::*;
use influx_backup_core::testing::{
    generate::{Checkpoints, Derived, Generate, Generated},
    write,
};

/// A store with one healthy Core server in it, which the tests damage.
struct Patient {
    store: Arc<dyn ObjectStore>,
    generated: Generated,
    servers: Servers,
}

impl Patient {
    async fn new(cluster: Generate) -> Self {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let generated = cluster.write_to(&store, &Path::default()).await.expect("writes into memory");
        let servers = Servers::of(&generated);
        Self { store, generated, servers }
    }

    async fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.store.put(&Path::from(key), bytes.into().into()).await.expect("writes into memory");
    }

    async fn delete(&self, key: &str) {
        self.store.delete(&Path::from(key)).await.expect("deletes");
    }

    async fn delete_below(&self, directory: &str) {
        for key in self.generated.objects.keys().filter(|key| key.starts_with(directory)) {
            self.delete(key).await;
        }
    }

    /// Flips the last bit of an object.
    async fn flip(&self, key: &str) {
        let bytes = self.store.get(&Path::from(key)).await.expect(key).bytes().await.expect(key);
        let mut bytes = BytesMut::from(bytes);
        *bytes.last_mut().expect("not empty") ^= 1;
        self.put(key, bytes.freeze()).await;
    }

    async fn verdict(&self) -> Verdict {
        load(&self.store, &Path::default(), &self.servers).await.expect("reads memory")
    }

    async fn verdict_of(&self, release: Generation) -> Verdict {
        let servers = self.servers.clone().with_release(Release::Writing(release));
        load(&self.store, &Path::default(), &servers).await.expect("reads memory")
    }

    async fn node(&self) -> LoadedNode {
        match self.verdict().await {
            Verdict::Loaded(mut loaded) => loaded.nodes.remove("n").expect("node n"),
            other => panic!("{other:?}"),
        }
    }

    async fn assert_refused_at(&self, key: &str) {
        match self.verdict().await {
            Verdict::WontStart { key: found, .. } => assert_eq!(found, key),
            other => panic!("{key}: {other:?}"),
        }
    }
}

fn core(generation: Generation) -> Generate {
    Generate::core("n").catalog(generation)
}

const GUARD: &[u8] = b"a restore is running";

#[tokio::test]
async fn a_damaged_or_guarded_root_stops_the_start() {
    for generation in Generation::ALL.iter().copied() {
        let root = format!("n/{}", generation.root());
        let patient = Patient::new(core(generation)).await;
        patient.flip(&root).await;
        patient.assert_refused_at(&root).await;
        patient.put(&root, GUARD).await;
        patient.assert_refused_at(&root).await;
        patient.put(&root, "").await;
        patient.assert_refused_at(&root).await;
        patient.delete(&root).await;
        patient.assert_refused_at(&root).await;
    }
}

#[tokio::test]
async fn no_catalog_at_all_is_a_silent_loss() {
    for generation in Generation::ALL.iter().copied() {
        let patient = Patient::new(core(generation)).await;
        patient.delete(&format!("n/{}", generation.root())).await;
        patient.delete_below(&format!("n/{}/", generation.logs())).await;
        assert_eq!(patient.verdict().await, Verdict::Empty);
    }
}

#[tokio::test]
async fn a_server_migrates_one_generation_and_no_more() {
    let patient = Patient::new(core(Generation::V1)).await;
    assert!(patient.verdict_of(Generation::V2).await.loaded().is_some_and(|loaded| loaded.is_whole()));
    assert_eq!(patient.verdict_of(Generation::V3).await, Verdict::Empty);
    // A guard in the v1 root does not stop 3.10; one at the absent v3 root does.
    patient.put("n/_catalog_checkpoint", GUARD).await;
    assert_eq!(patient.verdict_of(Generation::V3).await, Verdict::Empty);
    patient.put("n/catalog/v3/snapshot", GUARD).await;
    assert!(matches!(patient.verdict_of(Generation::V3).await, Verdict::WontStart { .. }));
}

#[tokio::test]
async fn without_its_newest_generation_an_upgraded_store_is_migrated_again_or_refused() {
    let patient = Patient::new(Generate::core("n").upgraded(Generation::ALL.iter().copied()).catalog_logs(5)).await;
    patient.put("n/catalog/v2/snapshot", GUARD).await;
    assert!(patient.verdict().await.loaded().is_some_and(|loaded| loaded.is_whole()), "frozen roots are not read");

    let patient = Patient::new(Generate::core("n").upgraded(Generation::ALL.iter().copied()).catalog_logs(5)).await;
    patient.delete_below("n/catalog/v3/").await;
    let again = patient.verdict_of(Generation::V3).await.loaded().expect("migrates again");
    assert_eq!((again.catalog.generation, again.catalog.sequence), (Generation::V2, 6));
    assert!(again.catalog.sequence < patient.generated.catalog_sequence);
    assert!(!again.is_whole(), "the newest manifests need a newer catalog");
    patient.assert_refused_at("n/catalog/v2/logs/00000000000000000007.catalog").await;
}

#[tokio::test]
async fn damaged_logs_stop_the_start_and_missing_ones_are_found() {
    for generation in Generation::ALL.iter().copied() {
        let log = |number| format!("n/{}/{}", generation.logs(), write::catalog_log_name(number));
        let patient = Patient::new(core(generation)).await;
        patient.delete(&log(3)).await;
        let loaded = patient.verdict().await.loaded().expect("servers do not look for gaps");
        assert_eq!(loaded.catalog.missing_logs, [3]);
        assert!(!loaded.is_whole());
        patient.flip(&log(2)).await;
        patient.assert_refused_at(&log(2)).await;

        let patient = Patient::new(core(generation)).await;
        let uuid = u128::from_str_radix(&patient.generated.catalog_uuid.replace('-', ""), 16).expect("a uuid");
        let other = write::catalog_log(generation, 3, uuid, &[]);
        patient.put(&log(4), other).await;
        patient.assert_refused_at(&log(4)).await;

        let patient = Patient::new(core(generation)).await;
        let stray = format!("n/{}/notes.txt", generation.logs());
        patient.put(&stray, "x").await;
        patient.assert_refused_at(&stray).await;
    }
    let patient = Patient::new(core(Generation::V3)).await;
    let log = "n/catalog/v3/logs/00000000000000000002.catalog";
    patient.put(log, write::catalog_log(Generation::V3, 2, 1, &[])).await;
    patient.assert_refused_at(log).await;
}

#[tokio::test]
async fn a_catalog_that_is_too_old_is_found() {
    let patient = Patient::new(core(Generation::V3)).await;
    patient.delete("n/catalog/v3/logs/00000000000000000005.catalog").await;
    let loaded = patient.verdict().await.loaded().expect("starts");
    assert_eq!((loaded.catalog.sequence, loaded.nodes["n"].needs_catalog), (4, 5));
    assert!(!loaded.is_whole());
}

#[tokio::test]
async fn bad_manifests_and_checkpoints_stop_the_start() {
    let cluster = || core(Generation::V3).checkpoints(Checkpoints::Monthly).derived(Derived::All);
    let newest = format!("n/snapshots/{}", write::manifest_name(10));
    for (key, bytes) in [
        (newest.clone(), Bytes::new()),
        (newest.clone(), Bytes::from_static(b"{\"version\":\"1\"}")),
        (newest.clone(), write::manifest(&write::ManifestSpec { sequence: 9, ..Default::default() })),
        ("n/snapshots/notes.txt".to_owned(), Bytes::new()),
        (format!("n/snapshot-checkpoints/2025-10/{}", write::checkpoint_name(5)), Bytes::from_static(b"{")),
        (format!("n/snapshot-checkpoints/2025-11/{}", write::checkpoint_name(9)), Bytes::new()),
        ("n/snapshot-checkpoints/notes.txt".to_owned(), Bytes::new()),
        ("n/table-index-conversion-completed".to_owned(), Bytes::from_static(b"{}")),
    ] {
        let patient = Patient::new(cluster()).await;
        assert!(patient.verdict().await.loaded().is_some_and(|loaded| loaded.is_whole()));
        patient.put(&key, bytes).await;
        patient.assert_refused_at(&key).await;
    }
    // Older checkpoints and manifests below the newest checkpoint are not read.
    let patient = Patient::new(cluster()).await;
    patient.put(&format!("n/snapshot-checkpoints/2025-10/{}", write::checkpoint_name(3)), "{").await;
    patient.put(&format!("n/snapshots/{}", write::manifest_name(9)), "{").await;
    assert!(patient.verdict().await.loaded().is_some_and(|loaded| loaded.is_whole()));
}

#[tokio::test]
async fn a_checkpoint_newer_than_the_manifests_hides_files_and_wal() {
    let patient = Patient::new(core(Generation::V3)).await;
    patient.delete(&format!("n/snapshots/{}", write::manifest_name(10))).await;
    let node = patient.node().await;
    // The kept WAL below is replayed in its place: four of the six files that it covered.
    assert_eq!((node.covered_wal, node.replayed.first()), (54, Some(&57)));
    assert_eq!(node.wal_gaps(), [55, 56]);

    let checkpoint = write::CheckpointSpec {
        node_id: "n".into(),
        month: "2025-11".into(),
        sequence: 10,
        wal: 60,
        ..Default::default()
    };
    patient
        .put(&format!("n/snapshot-checkpoints/2025-11/{}", write::checkpoint_name(10)), write::checkpoint(&checkpoint))
        .await;
    let node = patient.node().await;
    assert_eq!((node.covered_wal, node.replayed), (60, vec![61, 62, 63]));
    assert!(node.files.is_empty());
}

#[tokio::test]
async fn missing_and_resized_parquet_files_are_named() {
    let patient = Patient::new(core(Generation::V3)).await;
    let whole = patient.node().await;
    let mut paths = whole.files.iter().map(|file| file.path.clone());
    let gone = paths.next();
    let resized = paths.next();
    let damaged = paths.next();
    let gone = gone.expect("a file");
    let resized = resized.expect("a file");
    let damaged = damaged.expect("a file");
    patient.delete(&gone).await;
    patient.put(&resized, write::parquet(b"[]")).await;
    patient.flip(&damaged).await;
    let node = patient.node().await;
    assert_eq!(node.absent, [gone].into());
    assert_eq!(node.corrupt, [resized, damaged].into());
    assert_eq!(node.files, whole.files);
    assert_eq!(node.rows.map(|rows| rows.len()), whole.rows.map(|rows| rows.len() - 6));
}

#[tokio::test]
async fn damaged_wal_is_skipped_and_gaps_are_replayed_over() {
    let patient = Patient::new(core(Generation::V3).wal_tail(6)).await;
    patient.delete("n/wal/00000000062.wal").await;
    patient.flip("n/wal/00000000063.wal").await;
    patient.put("n/wal/00000000064.wal", "").await;
    patient.flip("n/wal/00000000060.wal").await;
    patient.put("n/wal/00000000066.wal#1", "staging").await;
    let node = patient.node().await;
    assert_eq!(node.replayed, [61, 65, 66]);
    assert_eq!(node.skipped_wal, [63, 64]);
    assert_eq!(node.wal_gaps(), [62, 63, 64]);
    let whole: std::collections::BTreeSet<u64> = (0..86).collect();
    assert_eq!(&whole - &node.rows.expect("generated rows"), [81, 82, 83].into());
    assert!(!patient.verdict().await.loaded().is_some_and(|loaded| loaded.is_whole()));
}
