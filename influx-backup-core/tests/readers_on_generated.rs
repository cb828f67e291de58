//! The readers of the formats accept every object that the generator makes, and find in it what was asked for.

use influx_backup_core::{
    Component, Generation,
    format::{CatalogFile, Checkpoint, Snapshot, catalog::Kind, parquet, wal},
    testing::generate::{Checkpoints, CompactorData, Generate, Object},
};

#[test]
fn every_generated_object_is_valid() {
    let core = |generation| Generate::core("c").catalog(generation).checkpoints(Checkpoints::Monthly).removed(5);
    let enterprise = Generate::enterprise("c").nodes(["node1", "node2"]).query_node("q");
    let clusters = [
        core(Generation::V1),
        core(Generation::V2),
        core(Generation::V3),
        Generate::core("c").upgraded(Generation::ALL.iter().copied()).catalog_logs(130),
        enterprise.compactor("k", CompactorData::Own),
    ];
    for cluster in clusters {
        let mut read = 0;
        for Object { key, bytes } in cluster.objects() {
            let (_, tail) = key.split_once('/').expect("an owner");
            let name = tail.rsplit('/').next().expect("a name");
            read += 1;
            match Component::of(tail) {
                Component::Wal => wal::check(&bytes).expect(&key),
                Component::Parquet => parquet::check_whole(&bytes).expect(&key),
                Component::Snapshot => Snapshot::parse(&bytes).and_then(|it| it.check_name(name)).expect(&key),
                Component::SnapshotCheckpoint => {
                    Checkpoint::parse(&bytes).and_then(|it| it.check_name(name)).expect(&key);
                }
                Component::CatalogLog(_) => CatalogFile::parse(&bytes).and_then(|it| it.check_name(name)).expect(&key),
                Component::CatalogRoot(generation) => {
                    let root = CatalogFile::parse(&bytes).expect(&key);
                    assert_eq!((root.generation, root.kind), (Some(generation), Kind::Root), "{key}");
                    assert!(root.uuid.is_some() && root.sequence.is_some(), "{key}");
                }
                _ => read -= 1,
            }
        }
        // The smallest: 10 manifests, 4 checkpoints, 35 Parquet files, 7 of WAL, 6 of the catalog.
        assert!(read >= 62, "{read}");
    }
}

#[test]
fn nodes_and_databases_are_found_in_roots_and_logs() {
    for generation in Generation::ALL.iter().copied() {
        let cluster =
            Generate::enterprise("c").nodes(["node1", "node2"]).query_node("q").catalog(generation).catalog_logs(100);
        let mut roots = Vec::new();
        let mut logs = Vec::new();
        for Object { key, bytes } in cluster.objects() {
            let file = || CatalogFile::parse(&bytes).expect(&key);
            match key.strip_prefix("c/").map(Component::of) {
                Some(Component::CatalogRoot(_)) => roots.push(file()),
                Some(Component::CatalogLog(_)) => logs.push(file()),
                _ => {}
            }
        }
        let nodes = |files: &[CatalogFile]| -> Vec<String> {
            let records = files.iter().flat_map(|file| file.nodes.records().expect("readable"));
            records.map(|node| node.node_id.clone()).collect()
        };
        let databases = |files: &[CatalogFile]| -> Vec<String> {
            let records = files.iter().flat_map(|file| file.databases.records().expect("readable"));
            records.filter_map(|database| database.name.clone()).collect()
        };
        for files in [roots, logs] {
            assert_eq!(nodes(&files), ["node1", "node2", "q"], "{generation}");
            assert_eq!(databases(&files), ["_internal", "metrics", "sensors"], "{generation}");
        }
    }
}
