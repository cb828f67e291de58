//! The model of the server's start, held against what real servers made of the recorded stores.

mod fixtures;

use std::{collections::BTreeSet, sync::Arc};

use influx_backup_testing::{
    loader,
    loader::{Loaded, Servers, Verdict},
};
use object_store::{ObjectStore, local::LocalFileSystem, path::Path};

/// An unpacked store, or `None` on a machine without the recordings.
fn unpacked(name: &str) -> Option<(tempfile::TempDir, Arc<dyn ObjectStore>)> {
    let directory = fixtures::unpack(name)?;
    let store = LocalFileSystem::new_with_prefix(directory.path()).expect("a store");
    Some((directory, Arc::new(store)))
}

async fn load(store: &Arc<dyn ObjectStore>) -> Loaded {
    let verdict = loader::load(store, &Path::default(), &Servers::core("node1")).await.expect("reads files");
    match verdict {
        Verdict::Loaded(loaded) => loaded,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_recorded_store_loads_as_its_server_loaded_it() {
    for name in fixtures::STORES {
        let Some((_directory, store)) = unpacked(name) else { return };
        let expected = fixtures::expected();
        let facts = &expected[name];
        let number = |field: &str| facts[field].as_u64().expect(field);
        let loaded = load(&store).await;
        let generation = facts["catalog_generation"].as_str().expect("a generation");
        assert_eq!(loaded.catalog.generation.to_string(), generation, "{name}");
        assert_eq!(Some(loaded.catalog.sequence), facts["catalogs"][generation]["sequence"].as_u64(), "{name}");
        assert_eq!(loaded.catalog.missing_logs, Vec::<u64>::new(), "{name}");
        assert_eq!(loaded.catalog.uuid.len(), 36, "{name}");

        let node = &loaded.nodes["node1"];
        assert_eq!(node.last_snapshot, Some(number("last_snapshot")), "{name}");
        assert_eq!(node.covered_wal, number("snapshot_wal"), "{name}");
        assert_eq!(node.recovery_wal(), number("recovery_wal"), "{name}");
        let visible = number("parquet_referenced") - number("parquet_removed_by_manifest");
        assert_eq!(node.files.len() as u64, visible, "{name}");
        assert_eq!(node.absent.len() as u64, number("parquet_needed_and_missing"), "{name}");
        assert_eq!(node.corrupt, BTreeSet::new(), "{name}");
        assert_eq!(node.skipped_wal, Vec::<u64>::new(), "{name}");
        let never_written: Vec<u64> =
            serde_json::from_value(facts["wal_numbers_never_written"].clone()).unwrap_or_default();
        assert_eq!(node.wal_gaps(), never_written, "{name}");
        // The bodies are a real server's: which rows they hold, the model cannot know.
        assert_eq!(node.rows, None, "{name}");
        assert!(loaded.is_whole(), "{name}");
    }
}

#[tokio::test]
async fn a_guard_over_the_root_or_a_bad_manifest_stops_every_recorded_store() {
    for (name, root) in [
        ("core-3.3.0", "_catalog_checkpoint"),
        ("core-3.6.0", "catalog/v2/snapshot"),
        ("core-3.10.1", "catalog/v3/snapshot"),
        ("core-upgraded-3.3-3.6-3.10", "catalog/v3/snapshot"),
    ] {
        let Some((directory, store)) = unpacked(name) else { return };
        let manifest =
            format!("{:020}.info.json", u64::MAX - load(&store).await.nodes["node1"].last_snapshot.expect(name));
        for damaged in [format!("node1/{root}"), format!("node1/snapshots/{manifest}")] {
            let path = directory.path().join(&damaged);
            let healthy = std::fs::read(&path).expect(&damaged);
            std::fs::write(&path, "a restore is running").expect(&damaged);
            let verdict = loader::load(&store, &Path::default(), &Servers::core("node1")).await.expect("reads files");
            assert!(matches!(&verdict, Verdict::WontStart { key, .. } if *key == damaged), "{name}: {verdict:?}");
            std::fs::write(&path, healthy).expect(&damaged);
        }
        assert!(load(&store).await.is_whole(), "{name}");
    }
}
