//! What was restored, held against the recording and against the clauses, by code of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use influx_backup_core::{
    BackupReport, Certificate, Key, Location,
    location::interop::{
        self,
        object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path},
    },
};
use influx_backup_testing::{
    loader,
    loader::{Loaded, LoadedNode, Servers, Verdict},
    replay::{Player, Trace},
};
use serde_json::Value;

use super::NODE;

/// What a server builds again: excluded from a backup.
const DERIVED: [&str; 3] = ["table-snapshots/", "db-indices/", "table-index-conversion-completed"];

/// How exactly stores tell times: HTTP has seconds.
const CLOCK: TimeDelta = TimeDelta::seconds(1);

/// Every object of a tree.
pub(super) struct Restored(BTreeMap<String, Bytes>);

impl Restored {
    /// Whatever lies there, staging names and files of the backup tool included.
    pub(super) async fn read(place: &Location) -> Self {
        if let Some(directory) = place.directory() {
            let entries = walkdir::WalkDir::new(directory).into_iter().map(|entry| entry.expect("an entry"));
            let files = entries.filter(|entry| !entry.file_type().is_dir()).map(|entry| {
                let key = entry.path().strip_prefix(directory).expect("below").to_str().expect("UTF-8").to_owned();
                (key, std::fs::read(entry.path()).expect("a file").into())
            });
            return Self(files.collect());
        }
        let store = interop::store(place);
        let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
        let mut objects = BTreeMap::new();
        for object in listed {
            let bytes = store.get(&object.location).await.expect("there").bytes().await.expect("whole");
            objects.insert(object.location.to_string(), bytes);
        }
        Self(objects)
    }

    pub(super) fn objects(&self) -> usize {
        self.0.len()
    }

    /// Everything that a restored backup owes, when operations `during` of the recording were played beside it.
    pub(super) async fn check(&self, trace: &Trace, during: RangeInclusive<usize>, certificate: &Certificate) {
        self.assert_objects_are_those_of(trace, during.clone());
        self.assert_manifests_are_what_their_names_say();
        self.assert_no_checkpoint_is_newer_than_the_manifests();
        let loaded = load(&self.in_memory().await).await;
        assert_clauses_hold(&loaded, trace, during.clone());
        assert_certificate_agrees(&loaded, certificate);

        let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mut player = Player::new(trace.clone(), Arc::clone(&memory), Path::default());
        player.jump(*during.start()).await.expect("memory takes it");
        let at_begin = load(&memory).await;
        assert_nothing_acknowledged_is_lost(&loaded, &at_begin, trace, during);
    }

    /// Nothing torn, nothing else, and nothing lost that stayed what it was.
    fn assert_objects_are_those_of(&self, trace: &Trace, during: RangeInclusive<usize>) {
        let versions = trace.versions_during(during.clone());
        for (key, bytes) in &self.0 {
            let Some(versions) = versions.get(key.as_str()) else { panic!("`{key}` was not there meanwhile") };
            assert!(versions.contains(&bytes), "`{key}` is none of the versions that were there meanwhile");
            assert!(!is_derived(key), "`{key}` is excluded from a backup");
        }
        for (key, blob) in trace.untouched_during(during) {
            let kept = self.0.get(key) == trace.bytes(blob);
            assert!(kept || is_derived(key), "`{key}` was there all the time and is not here");
        }
    }

    fn assert_manifests_are_what_their_names_say(&self) {
        for (key, name) in self.below("snapshots") {
            let json: Value = serde_json::from_slice(&self.0[key]).expect(key);
            assert_eq!(json["snapshot_sequence_number"].as_u64(), inverted(name), "`{key}`");
            assert_eq!(json["node_id"], NODE, "`{key}`");
        }
    }

    fn assert_no_checkpoint_is_newer_than_the_manifests(&self) {
        let newest = self.below("snapshots").filter_map(|(_, name)| inverted(name)).max();
        let mut months = self.below("snapshot-checkpoints").filter_map(|(_, name)| name.split_once('/'));
        assert!(months.all(|(_, name)| inverted(name) <= newest), "a checkpoint is newer than manifest {newest:?}");
    }

    /// The keys below a directory of the node, with what follows it.
    fn below(&self, directory: &str) -> impl Iterator<Item = (&str, &str)> {
        let directory = format!("{NODE}/{directory}/");
        self.0.keys().filter_map(move |key| Some((key.as_str(), key.strip_prefix(&directory)?)))
    }

    async fn in_memory(&self) -> Arc<dyn ObjectStore> {
        let store = InMemory::new();
        for (key, bytes) in &self.0 {
            store.put(&Path::parse(key).expect("a key"), bytes.clone().into()).await.expect("memory takes it");
        }
        Arc::new(store)
    }
}

fn is_derived(key: &str) -> bool {
    DERIVED.iter().any(|derived| key.strip_prefix(NODE).is_some_and(|tail| tail[1..].starts_with(derived)))
}

fn inverted(name: &str) -> Option<u64> {
    name.split_once('.')?.0.parse().ok().map(|number: u64| u64::MAX - number)
}

fn the_node(loaded: &Loaded) -> &LoadedNode {
    &loaded.nodes[NODE]
}

/// As a server that shares no code with the certificate.
async fn load(store: &Arc<dyn ObjectStore>) -> Loaded {
    let verdict = loader::load(store, &Path::default(), &Servers::core(NODE)).await.expect("read");
    let Verdict::Loaded(loaded) = verdict else { panic!("no server starts on it: {verdict:?}") };
    loaded
}

/// The clauses that bytes can show, by what the server loaded and the recording knows.
fn assert_clauses_hold(loaded: &Loaded, trace: &Trace, during: RangeInclusive<usize>) {
    let node = the_node(loaded);
    let at_end = trace.state_at(*during.end());
    assert_eq!(node.corrupt, BTreeSet::new(), "files that are not what their manifest says");
    let lost = node.absent.iter().find(|key| at_end.contains_key(key.as_str()));
    assert_eq!(lost, None, "a live file that the source has");
    assert_eq!(node.skipped_wal, [0; 0], "WAL that no server replays");
    // No server deletes WAL above its newest manifest, so a hole is a number that was never written.
    let written = trace.versions_during(0..=*during.end());
    let hole =
        node.wal_gaps().into_iter().find(|number| written.contains_key(&*format!("{NODE}/wal/{number:011}.wal")));
    assert_eq!(hole, None, "a hole in the WAL that the source does not have");
    assert_eq!(loaded.catalog.missing_logs, [0; 0], "logs of the catalog");
    assert!(node.needs_catalog <= loaded.catalog.sequence, "the catalog is older than what needs it");
}

/// What the certificate says is what the server loaded.
fn assert_certificate_agrees(loaded: &Loaded, certificate: &Certificate) {
    let node = the_node(loaded);
    let [point] = &certificate.recovery[..] else { panic!("one node: {:?}", certificate.recovery) };
    assert_eq!(point.node, NODE);
    let guaranteed = point.guaranteed.as_ref().map(|guaranteed| (guaranteed.snapshot, guaranteed.wal));
    assert_eq!(guaranteed, node.last_snapshot.map(|snapshot| (snapshot, node.covered_wal)), "the guaranteed point");
    assert_eq!(point.reached.as_ref().map(|reached| reached.wal), node.replayed.last().copied(), "the point reached");
    assert_eq!(certificate.absent_files(), node.absent.len() as u64, "absent files: {:?}", node.absent);
    assert_eq!(certificate.catalog_sequence, Some(loaded.catalog.sequence), "the catalog");
}

/// The recovery point is at or after the state at the begin of the backup, and no later than the one at its end.
fn assert_nothing_acknowledged_is_lost(
    loaded: &Loaded,
    at_begin: &Loaded,
    trace: &Trace,
    during: RangeInclusive<usize>,
) {
    let node = the_node(loaded);
    let node_at_begin = the_node(at_begin);
    let began = trace.acknowledged_at(NODE, *during.start());
    let ended = trace.acknowledged_at(NODE, *during.end());
    let wal = Some(node.recovery_wal());
    assert!(began.wal <= wal && wal <= ended.wal, "WAL {wal:?}, from {began:?} to {ended:?}");
    let snapshot = node.last_snapshot;
    assert!(began.snapshot <= snapshot && snapshot <= ended.snapshot, "{snapshot:?}, from {began:?} to {ended:?}");
    assert_eq!(loaded.catalog.generation, at_begin.catalog.generation);
    assert_eq!(loaded.catalog.uuid, at_begin.catalog.uuid);
    assert!(loaded.catalog.sequence >= at_begin.catalog.sequence, "the catalog is older than at the begin");
    let at_end = trace.state_at(*during.end());
    let mut gone = node_at_begin.files.difference(&node.files);
    let lost = gone.find(|file| at_end.contains_key(file.path.as_str()));
    assert_eq!(lost, None, "a file that a query saw at the begin, and that the source still has");
}

/// The times of the recovery point are those at which the source got the objects it names.
pub(super) async fn assert_times_are_those_of_the_source(
    report: &BackupReport,
    source: &Location,
    before: DateTime<Utc>,
) {
    for point in &report.certificate.recovery {
        let guaranteed = point.guaranteed.as_ref().map(|guaranteed| {
            (format!("{NODE}/snapshots/{:020}.info.json", u64::MAX - guaranteed.snapshot), guaranteed.time)
        });
        let reached =
            point.reached.as_ref().map(|reached| (format!("{NODE}/wal/{:011}.wal", reached.wal), reached.time));
        for (key, time) in guaranteed.into_iter().chain(reached) {
            assert!((before - CLOCK..=report.committed + CLOCK).contains(&time), "`{key}` at {time}: {report:?}");
            // The server may have deleted it meanwhile.
            if let Some(there) = source.head(&Key::parse(&key).expect("a key")).await.expect("asked") {
                assert!((there.version.modified - time).abs() < CLOCK, "`{key}`: {time}, it is {there:?}");
            }
        }
    }
}
