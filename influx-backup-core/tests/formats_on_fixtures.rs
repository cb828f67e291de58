//! Every file of every recording is read, and what is read is what the recording is known to hold.

mod fixtures;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use influx_backup_core::format::catalog::{Kind, NodeState};
use influx_backup_core::format::{CatalogFile, Checkpoint, FileRef, FormatError, Snapshot, parquet, wal};
use influx_backup_core::layout::{self, Component, Generation};
use serde_json::{Value, json};

const NODE: &str = "node1";

/// What the files of one store say, gathered.
#[derive(Default)]
struct Store {
    wal: BTreeSet<u64>,
    snapshots: BTreeMap<u64, Snapshot>,
    checkpoints: Vec<Checkpoint>,
    parquet: BTreeMap<String, u64>,
    roots: BTreeMap<Generation, CatalogFile>,
    logs: BTreeMap<Generation, BTreeMap<u64, CatalogFile>>,
}

impl Store {
    fn unpacked(root: &Path) -> Self {
        let mut store = Self::default();
        for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
            let entry = entry.expect("the directory is readable");
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(root).expect("below the root").to_str().expect("UTF-8");
                store.put(path, &std::fs::read(entry.path()).expect("the file is readable"));
            }
        }
        store
    }

    /// Reads a file by what its path says, and expects it to be whole.
    fn put(&mut self, path: &str, bytes: &[u8]) {
        let tail = path.strip_prefix(NODE).and_then(|tail| tail.strip_prefix('/')).expect("below the node");
        let name = tail.rsplit('/').next().expect("a last segment");
        let whole = |outcome: Result<(), FormatError>| assert_eq!(outcome, Ok(()), "{path}");
        match Component::of(tail) {
            Component::Wal => {
                whole(wal::check(bytes));
                self.wal.insert(layout::wal_number(name).expect("a WAL name"));
            }
            Component::Snapshot => {
                let snapshot = Snapshot::parse(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
                whole(snapshot.check_name(name));
                assert_eq!(snapshot.node_id, NODE, "{path}");
                assert_eq!(snapshot.added().map(|file| file.row_count).sum::<u64>(), snapshot.row_count, "{path}");
                let bytes: u64 = snapshot.added().map(|file| file.size_bytes).sum();
                assert_eq!(bytes, snapshot.parquet_size_bytes, "{path}");
                self.snapshots.insert(snapshot.snapshot_sequence_number, snapshot);
            }
            Component::SnapshotCheckpoint => {
                let checkpoint = Checkpoint::parse(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
                whole(checkpoint.check_name(name));
                assert_eq!(checkpoint.node_id, NODE, "{path}");
                assert!(tail.contains(&format!("/{}/", checkpoint.year_month)), "{path}");
                self.checkpoints.push(checkpoint);
            }
            Component::Parquet => {
                whole(parquet::check_whole(bytes));
                self.parquet.insert(path.to_owned(), bytes.len() as u64);
            }
            Component::CatalogRoot(generation) => {
                let root = catalog(path, bytes, generation);
                assert_eq!(root.kind, Kind::Root, "{path}");
                self.roots.insert(generation, root);
            }
            Component::CatalogLog(generation) => {
                let log = catalog(path, bytes, generation);
                assert_ne!(log.kind, Kind::Root, "{path}");
                whole(log.check_name(name));
                let sequence = layout::catalog_log_sequence(name).expect("a log's name");
                self.logs.entry(generation).or_default().insert(sequence, log);
            }
            Component::TableSnapshot | Component::TableIndex | Component::TableIndexMarker => {}
            other => panic!("{path} is {other:?}, which no recording has"),
        }
    }

    fn databases(&self, generation: Generation) -> BTreeSet<&str> {
        let files = self
            .roots
            .get(&generation)
            .into_iter()
            .chain(self.logs.get(&generation).into_iter().flat_map(BTreeMap::values));
        files
            .flat_map(|file| file.databases.records().expect("the databases are readable"))
            .filter_map(|database| database.name.as_deref())
            .collect()
    }

    fn nodes(&self, generation: Generation) -> Vec<(&str, &NodeState)> {
        let logs = self.logs.get(&generation).into_iter().flat_map(BTreeMap::values);
        let files = self.roots.get(&generation).into_iter().chain(logs);
        files
            .flat_map(|file| file.nodes.records().expect("the nodes are readable"))
            .map(|node| (node.node_id.as_str(), node.state.as_ref().expect("every record tells a state")))
            .collect()
    }
}

/// What makes a file the same file in two manifests.
fn identity(file: FileRef) -> (u64, String) {
    (file.id, file.path)
}

fn catalog(path: &str, bytes: &[u8], generation: Generation) -> CatalogFile {
    let file = CatalogFile::parse(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
    let terminator = file.kind == Kind::Terminator;
    assert_eq!(file.generation, (!terminator).then_some(generation), "{path}");
    assert_eq!(file.sequence.is_none(), terminator, "{path}");
    file
}

#[test]
fn every_store_holds_what_is_known_of_it() {
    for name in fixtures::STORES {
        let Some(directory) = fixtures::unpack(name) else { return };
        let expected = &fixtures::expected()[name];
        let store = Store::unpacked(directory.path());

        let newest = store.snapshots.values().next_back().expect("a snapshot");
        let added: Vec<_> = store.snapshots.values().flat_map(|snapshot| snapshot.added()).map(identity).collect();
        // A server lists some files as removed again in later manifests: three of the upgraded store.
        let removed: BTreeSet<_> =
            store.snapshots.values().flat_map(|snapshot| snapshot.removed()).map(identity).collect();
        assert!(removed.iter().all(|file| added.contains(file)), "{name}: removed, but never added");
        let mut read = json!({
            "manifests": store.snapshots.len(),
            "last_snapshot": newest.snapshot_sequence_number,
            "snapshot_wal": newest.wal_file_sequence_number,
            "wal": [store.wal.first(), store.wal.last()],
            "parquet_files": store.parquet.len(),
            "parquet_referenced": added.len(),
            "parquet_removed_by_manifest": removed.len(),
            "checkpoints": store.checkpoints.len(),
        });
        for (generation, root) in &store.roots {
            let logs = &store.logs[generation];
            let last = logs.last_key_value().map(|(sequence, _)| sequence);
            read["catalogs"][generation.to_string()] = json!({
                "root_sequence": root.sequence,
                "log_range": [logs.first_key_value().map(|(sequence, _)| sequence), last],
                "sequence": last,
            });
        }
        for (field, value) in read.as_object().expect("an object") {
            assert_eq!(value, &expected[field], "{field} of {name}");
        }
        assert_eq!(store.logs.len(), store.roots.len(), "{name}: a root for each directory of logs");

        let databases = |value: &Value| serde_json::from_value::<BTreeSet<String>>(value.clone()).expect("names");
        let known = databases(&expected["databases"]);
        let live = *store.roots.keys().next_back().expect("a catalog");
        assert_eq!(store.databases(live), known.iter().map(String::as_str).collect(), "{name}");

        for file in store.snapshots.values().flat_map(|snapshot| snapshot.added()) {
            let length = store.parquet.get(&file.path);
            assert!(length.is_none_or(|length| *length == file.size_bytes), "{name}: {}", file.path);
        }
    }
}

#[test]
fn catalogs_tell_their_uuid_their_nodes_and_their_end() {
    for name in fixtures::STORES {
        let Some(directory) = fixtures::unpack(name) else { return };
        let store = Store::unpacked(directory.path());
        let live = *store.roots.keys().next_back().expect("a catalog");
        let uuid = store.roots[&live].uuid.as_deref().expect("every root has one");
        assert_eq!((uuid.len(), uuid.matches('-').count()), (36, 4), "{uuid}");
        for (generation, logs) in &store.logs {
            assert_eq!(store.roots[generation].uuid.as_deref(), Some(uuid), "{name}: kept over an upgrade");
            let uuids: BTreeSet<_> = logs.values().filter_map(|log| log.uuid.as_deref()).collect();
            let in_logs = *generation == Generation::V3;
            assert_eq!(uuids, in_logs.then_some(uuid).into_iter().collect(), "{name} {generation}");

            let ends: Vec<_> = logs.iter().filter(|(_, log)| log.kind == Kind::Terminator).map(|(at, _)| at).collect();
            let last = logs.keys().next_back();
            assert_eq!(
                ends,
                last.filter(|_| *generation != live).into_iter().collect::<Vec<_>>(),
                "{name} {generation}"
            );

            let nodes = store.nodes(*generation);
            assert!(nodes.iter().all(|(node, _)| *node == NODE), "{name} {generation}: {nodes:?}");
            let last = nodes.last().map(|(_, state)| *state);
            // The store with holes was killed, all others were stopped.
            let killed = name == "core-3.10.1-wal-hole";
            let state = if killed { NodeState::Running } else { NodeState::Stopped };
            assert_eq!(last, Some(&state), "{name} {generation}");
        }
    }
}

#[test]
fn every_put_of_every_trace_is_read() {
    for name in fixtures::TRACES {
        let Some(directory) = fixtures::unpack(name) else { return };
        let operations = std::fs::read_to_string(directory.path().join("ops.jsonl")).expect("ops.jsonl");
        let mut store = Store::default();
        for line in operations.lines() {
            let operation: Value = serde_json::from_str(line).expect("an operation");
            if operation["op"] == "put" {
                let blob = operation["blob"].as_str().expect("a blob");
                let bytes = std::fs::read(directory.path().join("blobs").join(blob)).expect("the blob");
                assert_eq!(operation["size"], bytes.len(), "{line}");
                store.put(operation["path"].as_str().expect("a path"), &bytes);
            }
        }
        assert!(store.wal.len() > 100 && store.snapshots.len() > 10 && store.parquet.len() > 10, "{name}");
        assert_eq!(store.checkpoints.is_empty(), !name.contains("3.10"), "{name}");
        // A whole trace has every file ever written: nothing is named that was not seen.
        for file in store.snapshots.values().flat_map(|snapshot| snapshot.added()) {
            assert_eq!(store.parquet.get(&file.path), Some(&file.size_bytes), "{name}: {}", file.path);
        }
    }
}
