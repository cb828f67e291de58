//! Backups, a script's copies and stopped stores are certified; what is wrong with them opens the clause it belongs to,
//! and `verify` says it at the level that can see it.
#![cfg(all(unix, feature = "testing"))]

mod generated;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use generated::{World, core, directory, enterprise, files, location, names, violations, write, write_all};
use influx_backup_core::{
    BackupOptions, Certificate, Clause, Component, DiscoverOptions, Error, FindingCode, Generation, Location,
    Repository, VerifyOptions,
    certificate::Verdict,
    certify,
    checksum::sha256,
    discover,
    layout::MANIFEST_KEY,
    location::Identity,
    location::interop::object_store::{ObjectStore, memory::InMemory, path::Path as StorePath},
    record::BackupStatus,
    repository::BackupState,
    testing::{
        fault::{Failure, Fault, FaultPlan, FaultyStore, Rule, Scope, When},
        generate::Generate,
    },
    verify::{VerifyReport, verify_at},
};
use serde_json::Value;

fn clusters() -> Vec<Generate> {
    let mut clusters: Vec<_> = Generation::ALL.iter().copied().map(core).collect();
    clusters.push(enterprise(Generation::V3));
    clusters
}

async fn certified(path: &Path) -> Certificate {
    certify(&location(path)).await.expect("certified")
}

fn unknown(certificate: &Certificate) -> Vec<Clause> {
    let unknown = certificate.clauses.iter().filter(|result| result.verdict == Verdict::NotAttested);
    unknown.map(|result| result.clause).collect()
}

#[tokio::test]
async fn backups_copies_and_stopped_stores_hold() {
    for cluster in clusters() {
        let world = World::new(&cluster);
        let copy = directory();
        write_all(copy.path(), &files(world.source()));
        let report = world.back_up(BackupOptions::default()).await.expect("backed up");
        assert_eq!((report.status, report.passes.len()), (BackupStatus::Complete, 1));

        let backup = certified(&world.backup()).await;
        assert!(backup.holds(), "{}", backup.summary());
        assert_eq!(unknown(&backup), []);
        assert_eq!(backup.findings, report.certificate.findings);
        for tree in [copy.path(), world.source()] {
            let certificate = certified(tree).await;
            assert!(certificate.holds(), "{}", certificate.summary());
            let mut expected = vec![Clause::Bytes, Clause::Stability, Clause::Compactor, Clause::Nodes];
            expected.retain(|clause| *clause != Clause::Compactor || report.certificate.recovery.len() > 1);
            assert_eq!(unknown(&certificate), expected);
            let points = |certificate: &Certificate| -> Vec<_> {
                let point = |point: &influx_backup_core::certificate::RecoveryPoint| {
                    let snapshot = point.guaranteed.as_ref().map(|at| (at.snapshot, at.wal));
                    (point.node.clone(), snapshot, point.reached.as_ref().map(|at| at.wal))
                };
                certificate.recovery.iter().map(point).collect()
            };
            assert_eq!(points(&certificate), points(&backup));
        }
    }
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tamper {
    Delete,
    Truncate,
    Flip,
}

const TAMPERS: [Tamper; 3] = [Tamper::Delete, Tamper::Truncate, Tamper::Flip];

fn tamper(path: &Path, how: Tamper) {
    let mut bytes = fs::read(path).expect("there");
    match how {
        Tamper::Delete => return fs::remove_file(path).expect("deleted"),
        Tamper::Truncate => bytes.truncate(bytes.len() / 2),
        // The first byte: every format notices.
        Tamper::Flip => bytes[0] ^= 1,
    }
    fs::write(path, bytes).expect("written");
}

/// One object of each kind, by what it is, and the clause that looks after it.
fn kinds(files: &BTreeMap<String, Vec<u8>>, generation: Generation) -> Vec<(&'static str, String, Option<Clause>)> {
    let last = |part: &str| files.keys().rfind(|key| key.contains(part)).cloned();
    let first = |part: &str| files.keys().find(|key| key.contains(part)).cloned();
    let kinds = [
        ("WAL above the cut", last("node1/wal/"), Some(Clause::Wal)),
        ("covered WAL", first("node1/wal/"), None),
        // Names are inverted: the last one is the oldest.
        ("old manifest", last("node1/snapshots/"), Some(Clause::Manifests)),
        ("checkpoint", last("node1/snapshot-checkpoints/"), Some(Clause::Checkpoints)),
        ("Parquet", last("node1/dbs/"), Some(Clause::Closure)),
        ("catalog root", first(generation.root()), Some(Clause::Catalog)),
        ("newest catalog log", last(&format!("{}/", generation.logs())), Some(Clause::Catalog)),
        ("summary", last("/cs/"), Some(Clause::Compactor)),
        ("detail", last("/cd/"), Some(Clause::Compactor)),
        ("compacted", last("/c/"), Some(Clause::Compactor)),
        ("configuration", first("cluster1/enterprise"), None),
        ("license", first("_license"), None),
    ];
    kinds.into_iter().filter_map(|(what, key, clause)| Some((what, key?, clause))).collect()
}

/// The kinds whose bytes the certificate reads.
fn is_read(key: &str) -> bool {
    let tail = key.split_once('/').expect("an owner").1;
    let component = Component::of(tail);
    component.is_catalog() || matches!(component, Component::Wal | Component::Snapshot | Component::SnapshotCheckpoint)
}

fn codes(report: &VerifyReport, key: &str) -> Vec<FindingCode> {
    let about = report.problems.iter().filter(|problem| problem.key.as_ref().is_some_and(|k| k.as_str() == key));
    about.filter(|problem| problem.clause.is_none()).map(|problem| problem.code.clone()).collect()
}

/// An object that is read by pieces: a change in any of them is found, one of its size as well.
#[tokio::test]
async fn a_large_object_is_compared_to_its_last_byte() {
    let world = World::new(&core(Generation::V3));
    let key = "node1/dbs/1/0/2025-10-09/08-53/0000009999.parquet";
    let frame: &[u8] = b"\x01\0\0\0PAR1";
    let whole = [&b"PAR1"[..], &vec![7; 20 << 20], frame].concat();
    fs::create_dir_all(world.file(key).parent().expect("a directory")).expect("made");
    fs::write(world.file(key), &whole).expect("written");
    world.back_up(BackupOptions::default()).await.expect("backed up");
    let repository = world.repository().await;
    let found = async || codes(&repository.verify("n1", VerifyOptions::bytes()).await.expect("verified"), key);
    assert_eq!(found().await, []);
    for at in [5, (8 << 20) - 1, 8 << 20, 12 << 20, whole.len() - 9] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(world.backup().join(key), altered).expect("written");
        assert_eq!(found().await, [FindingCode::WrongBytes], "at {at}");
    }
    for length in [whole.len() - 1, 8 << 20, 0] {
        fs::write(world.backup().join(key), &whole[..length]).expect("written");
        assert_eq!(found().await, [FindingCode::WrongSize, FindingCode::WrongBytes], "{length} bytes");
    }
}

#[tokio::test]
async fn whatever_is_done_to_a_backup_is_found_at_the_level_that_can_see_it() {
    let clusters = Generation::ALL.iter().copied().map(|generation| (core(generation), generation));
    for (cluster, generation) in clusters.chain([(enterprise(Generation::V3), Generation::V3)]) {
        let world = World::new(&cluster);
        world.back_up(BackupOptions::default()).await.expect("backed up");
        let repository = world.repository().await;
        let verify = async |level| repository.verify("n1", level).await.expect("verified");
        let whole = files(&world.backup());
        assert!(verify(VerifyOptions::bytes()).await.passed());
        for (what, key, clause) in kinds(&files(world.source()), generation) {
            for how in TAMPERS {
                let about = format!("{what}, {how:?}: `{key}` of {generation}");
                tamper(&world.backup().join(&key), how);
                let listing = verify(VerifyOptions::listing()).await;
                let structure = verify(VerifyOptions::structure()).await;
                let bytes = verify(VerifyOptions::bytes()).await;
                let open = structure.certificate.as_ref().expect("at this level").violated_clauses();
                let expected: Vec<Clause> = match how {
                    // A checkpoint may go as long as a manifest names its files; the loss is reported anyway.
                    Tamper::Delete if clause == Some(Clause::Checkpoints) => vec![Clause::Bytes],
                    // Same size: only what reads the bytes can tell.
                    Tamper::Flip if !is_read(&key) => Vec::new(),
                    Tamper::Delete | Tamper::Truncate | Tamper::Flip => {
                        let mut open: Vec<_> = clause.into_iter().chain([Clause::Bytes]).collect();
                        open.sort();
                        open
                    }
                };
                assert_eq!(open, expected, "{about}: {:?}", structure.problems);
                assert_eq!(structure.passed(), how == Tamper::Flip && expected.is_empty(), "{about}");
                let code = match how {
                    Tamper::Delete => vec![FindingCode::MissingObject],
                    Tamper::Truncate => vec![FindingCode::WrongSize],
                    Tamper::Flip => vec![],
                };
                assert_eq!(codes(&listing, &key), code, "{about}");
                assert_eq!(listing.passed(), how == Tamper::Flip, "{about}");
                assert!(codes(&bytes, &key).contains(&FindingCode::WrongBytes), "{about}: {:?}", bytes.problems);
                write(&world.backup().join(&key), &whole[&key]);
            }
            let stray = format!("{}/stray", key.rsplit_once('/').expect("a directory").0);
            write(&world.backup().join(&stray), "stray");
            assert_eq!(codes(&verify(VerifyOptions::listing()).await, &stray), [FindingCode::UnlistedObject]);
            let structure = verify(VerifyOptions::structure()).await;
            assert!(structure.certificate.expect("at this level").holds(), "the backup itself is whole");
            fs::remove_file(world.backup().join(&stray)).expect("removed");
        }
        assert!(verify(VerifyOptions::bytes()).await.passed());
    }
}

#[tokio::test]
async fn whatever_is_done_to_a_scripts_copy_opens_its_clause() {
    let clusters = Generation::ALL.iter().copied().map(|generation| (core(generation), generation));
    for (cluster, generation) in clusters.chain([(enterprise(Generation::V3), Generation::V3)]) {
        let world = World::new(&cluster);
        let whole = files(world.source());
        for (what, key, clause) in kinds(&whole, generation) {
            for how in TAMPERS {
                let about = format!("{what}, {how:?}: `{key}` of {generation}");
                tamper(&world.file(&key), how);
                let certificate = certified(world.source()).await;
                let seen = match how {
                    // What the source had is not known: only a catalog's parts need one another.
                    Tamper::Delete => clause == Some(Clause::Catalog),
                    Tamper::Truncate => is_read(&key) || clause == Some(Clause::Closure),
                    Tamper::Flip => is_read(&key),
                };
                let expected: Vec<Clause> = clause.filter(|_| seen).into_iter().collect();
                assert_eq!(certificate.violated_clauses(), expected, "{about}: {}", certificate.summary());
                assert!(expected.is_empty() || how == Tamper::Delete || names(&certificate, &key), "{about}");
                let absent = how == Tamper::Delete && clause == Some(Clause::Closure);
                assert_eq!(
                    (certificate.absent_files(), unknown(&certificate).contains(&Clause::Closure)),
                    (u64::from(absent), absent),
                    "{about}"
                );
                write(&world.file(&key), &whole[&key]);
            }
        }
        let owner = if whole.contains_key("cluster1/enterprise") { "cluster1" } else { "node1" };
        let strays = [
            (format!("{owner}/{}/stray", generation.logs()), Some(Clause::Catalog)),
            ("node1/snapshots/stray".to_owned(), Some(Clause::Manifests)),
            ("node1/snapshot-checkpoints/2025-10/stray".to_owned(), Some(Clause::Checkpoints)),
            ("node1/wal/stray".to_owned(), None),
            ("node1/dbs/stray".to_owned(), None),
            ("node1/stray".to_owned(), None),
        ];
        for (key, clause) in strays {
            write(&world.file(&key), "stray");
            let certificate = certified(world.source()).await;
            assert_eq!(
                certificate.violated_clauses(),
                clause.into_iter().collect::<Vec<_>>(),
                "{key}: {}",
                certificate.summary()
            );
            assert_eq!(names(&certificate, &key), clause.is_some(), "{key}");
            fs::remove_file(world.file(&key)).expect("removed");
        }
    }
}

#[tokio::test]
async fn the_newest_manifest_cannot_go_unnoticed() {
    let world = World::new(&core(Generation::V3));
    world.back_up(BackupOptions::default()).await.expect("backed up");
    let newest = files(world.source()).into_keys().find(|key| key.contains("/snapshots/")).expect("a manifest");
    fs::remove_file(world.backup().join(&newest)).expect("removed");
    let certificate = certified(&world.backup()).await;
    assert!(names(&certificate, &newest), "{}", certificate.summary());
    let open = violations(&certificate);
    assert!(open.contains(&(Clause::Manifests, vec![FindingCode::MissingManifest])), "{open:?}");
    assert!(open.contains(&(Clause::Wal, vec![FindingCode::MissingWal])), "what it covered is not all there: {open:?}");
}

#[tokio::test]
async fn a_link_inside_a_backup_is_refused() {
    let world = World::new(&core(Generation::V3));
    world.back_up(BackupOptions::default()).await.expect("backed up");
    let wal = files(world.source()).into_keys().find(|key| key.contains("/wal/")).expect("WAL");
    let inside = world.backup().join(&wal);
    let outside = world.file(&wal);
    fs::remove_file(&inside).expect("removed");
    std::os::unix::fs::symlink(&outside, &inside).expect("linked");
    let repository = world.repository().await;
    for level in [VerifyOptions::listing(), VerifyOptions::structure(), VerifyOptions::bytes()] {
        assert_eq!(repository.verify("n1", level).await.expect_err("a link").code(), "link");
    }
    let error = certify(&location(&world.backup())).await.expect_err("a link");
    assert_eq!(error.code(), "link");
    assert!(error.to_string().contains(&wal), "{error}");
    fs::remove_file(&inside).expect("removed");
    // Files of the backup tool too.
    fs::copy(&outside, &inside).expect("copied");
    let manifest = world.backup().join(MANIFEST_KEY);
    let elsewhere = world.vault().join("elsewhere.json");
    fs::rename(&manifest, &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, &manifest).expect("linked");
    assert_eq!(repository.get("n1").await.expect_err("a link").code(), "link");
}

/// Replaces the root manifest by what `change` makes of it.
fn change_manifest(backup: &Path, change: impl FnOnce(&mut Value)) {
    let path = backup.join(MANIFEST_KEY);
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).expect("there")).expect("JSON");
    change(&mut manifest);
    fs::write(&path, serde_json::to_vec(&manifest).expect("JSON")).expect("written");
}

/// Rewrites the object list of a backup, checksum and all.
fn change_objects(backup: &Path, change: impl Fn(String) -> String) {
    change_manifest(backup, |manifest| {
        let segment = &mut manifest["objects"][0];
        let path = backup.join(segment["key"].as_str().expect("a key"));
        let text = zstd::decode_all(&*fs::read(&path).expect("there")).expect("compressed");
        let text = change(String::from_utf8(text).expect("UTF-8"));
        let bytes = zstd::encode_all(text.as_bytes(), 3).expect("compressed");
        segment["sha256"] = sha256(&bytes).into();
        fs::write(&path, bytes).expect("written");
    });
}

#[tokio::test]
async fn altered_files_of_the_tool_are_named() {
    let world = World::new(&core(Generation::V3));
    world.back_up(BackupOptions::default()).await.expect("backed up");
    let repository = world.repository().await;
    let backup = world.backup();
    let whole = files(&world.backup());
    let segment = whole.keys().find(|key| key.starts_with("_influx_backup/objects/")).expect("a segment").clone();
    let refused = async |what: &str, code: &str, object: &str| {
        let error = repository.get("n1").await.expect_err(what);
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(error.to_string().contains(object), "{what}: {error}");
        let error = certify(&location(&backup)).await.expect_err(what);
        assert_eq!(error.code(), code, "{what}: {error}");
        let error = repository.verify("n1", VerifyOptions::listing()).await.expect_err(what);
        assert_eq!(error.code(), code, "{what}: {error}");
        let summary = &repository.list().await.expect("listed")[0];
        write_all(&backup, &whole);
        (summary.name.clone(), summary.state)
    };
    let damaged = ("n1".to_owned(), BackupState::Damaged);
    for how in TAMPERS {
        tamper(&backup.join(&segment), how);
        // The list of backups reads root manifests only.
        let state = refused("an altered segment", "damaged-backup", &segment).await;
        assert_eq!(state.1, BackupState::Complete, "{how:?}");
    }
    for how in [Tamper::Truncate, Tamper::Flip] {
        tamper(&backup.join(MANIFEST_KEY), how);
        assert_eq!(refused("an altered root", "damaged-backup", MANIFEST_KEY).await, damaged, "{how:?}");
    }
    fs::write(backup.join(MANIFEST_KEY), "").expect("written");
    assert_eq!(refused("an empty root", "damaged-backup", MANIFEST_KEY).await, damaged);
    change_manifest(&backup, |manifest| manifest["min_reader"] = 2.into());
    let newer = ("n1".to_owned(), BackupState::Newer);
    assert_eq!(refused("format 2", "unsupported-format", "reader of format 2").await, newer);
    change_manifest(&backup, |manifest| manifest["objects"][0]["key"] = "../../etc/passwd".into());
    assert_eq!(refused("a segment elsewhere", "damaged-backup", MANIFEST_KEY).await, damaged);
    change_manifest(&backup, |manifest| manifest["object_count"] = 1.into());
    refused("another count", "damaged-backup", MANIFEST_KEY).await;
    for key in ["../node1/wal", "/node1/wal", "node1//wal", "node1/./wal"] {
        change_objects(&backup, |text| text.replace("\"node1/wal", &format!("\"{key}")));
        refused("a key that climbs", "damaged-backup", &segment).await;
    }
    change_objects(&backup, |text| {
        let mut lines: Vec<_> = text.lines().collect();
        lines.reverse();
        lines.join("\n") + "\n"
    });
    refused("another order", "damaged-backup", MANIFEST_KEY).await;
    assert!(repository.verify("n1", VerifyOptions::bytes()).await.expect("whole again").passed());
}

#[tokio::test]
async fn a_list_tells_what_lies_in_a_repository() {
    let world = World::new(&core(Generation::V3));
    let repository = world.repository().await;
    assert_eq!(repository.list().await.expect("listed"), []);
    let cluster = world.cluster().await;
    let back_up = async |name: &str, options: BackupOptions| {
        repository.backup(&cluster, options.with_name(name)).start().await.expect("backed up")
    };
    back_up("complete", BackupOptions::default()).await;
    back_up("damaged", BackupOptions::default()).await;
    back_up("in-progress", BackupOptions::default()).await;
    back_up("dead", BackupOptions::default()).await;
    back_up("newer", BackupOptions::default()).await;
    let wal = files(world.source()).into_keys().rfind(|key| key.contains("/wal/")).expect("WAL");
    fs::write(world.file(&wal), "").expect("written");
    let record = influx_backup_core::options::OnCorrupt::Record;
    let report = back_up("degraded", BackupOptions::default().with_on_corrupt(record)).await;
    assert_eq!(report.status, BackupStatus::Degraded);

    let manifest = |name: &str| world.vault().join(name).join(MANIFEST_KEY);
    fs::write(manifest("damaged"), "{").expect("written");
    fs::write(manifest("newer"), "{\"format\":2,\"min_reader\":2,\"whatever\":[]}").expect("written");
    fs::remove_file(manifest("in-progress")).expect("removed");
    fs::remove_file(manifest("dead")).expect("removed");
    let claim = world.vault().join("dead/_influx_backup/claim-000001");
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(601);
    fs::File::options().write(true).open(claim).expect("a claim").set_modified(long_ago).expect("set");
    fs::create_dir_all(world.vault().join("foreign/wal")).expect("made");
    fs::write(world.vault().join("foreign/wal/x"), "x").expect("written");
    fs::write(world.vault().join("a file"), "x").expect("written");
    fs::create_dir(world.vault().join("lost+found")).expect("made");

    let list = repository.list().await.expect("listed");
    let states: Vec<_> = list.iter().map(|summary| (summary.name.as_str(), summary.state)).collect();
    let expected = [
        ("complete", BackupState::Complete),
        ("damaged", BackupState::Damaged),
        ("dead", BackupState::Unfinished),
        ("degraded", BackupState::Degraded),
        ("foreign", BackupState::Foreign),
        ("in-progress", BackupState::InProgress),
        ("newer", BackupState::Newer),
    ];
    assert_eq!(states, expected);
    let committed = |name: &str| list.iter().find(|s| s.name == name).and_then(|s| s.committed).is_some();
    assert!(committed("complete") && committed("degraded") && !committed("dead") && !committed("damaged"));
    let above = world.vault().parent().map(location).expect("a directory above");
    let above = Repository::open(above).await.expect("opened");
    let vault = world.vault().file_name().and_then(|name| name.to_str()).expect("a name");
    let absent = [
        (&repository, "in-progress", "is being written"),
        (&repository, "dead", "resume it"),
        (&repository, "foreign", "no backup"),
        (&repository, "nothing", "nothing has this name"),
        (&above, vault, "/complete`"),
    ];
    for (repository, name, todo) in absent {
        let error = repository.get(name).await.expect_err(name);
        assert_eq!(error.code(), "backup-not-found", "{name}");
        assert!(error.to_string().contains(todo), "{error}");
    }
    assert_eq!(files(&world.vault().join("foreign")).len(), 1);
}

/// A store that goes away is a store error, at every request: never evidence against the backup.
#[tokio::test(start_paused = true)]
async fn an_outage_is_no_damage() {
    let repository = Arc::new(InMemory::new());
    let at = |store: Arc<dyn ObjectStore>| Location::with_store(store, StorePath::from("vault"), Identity::Test);
    let source: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    core(Generation::V3).write_to(&source, &StorePath::from("data")).await.expect("written");
    let source = Location::with_store(source, StorePath::from("data"), Identity::Test);
    let cluster = discover(&source, &DiscoverOptions::default()).await.expect("a cluster");
    let vault = Repository::open(at(Arc::clone(&repository) as _)).await.expect("a repository");
    vault.backup(&cluster, BackupOptions::default().with_name("n1")).start().await.expect("backed up");

    for verb in ["certify", "verify"] {
        let mut outages = 0;
        loop {
            let rule = Rule::new(Scope::any(), When::From(outages + 1), Fault::Fail(Failure::Unreachable));
            let faulty = FaultyStore::new(Arc::clone(&repository) as _, FaultPlan::none().with(rule));
            let backup = at(Arc::new(faulty)).child("n1").expect("a name");
            let done = async {
                match verb {
                    "certify" => certify(&backup).await.map(|certificate| certificate.holds()),
                    _ => verify_at(&backup, VerifyOptions::bytes()).await.map(|report| report.passed()),
                }
            };
            match done.await {
                Ok(holds) => break assert!(holds, "{verb} after {outages} requests"),
                Err(error) => assert!(matches!(error, Error::Store { .. }), "{verb} after {outages} requests: {error}"),
            }
            outages += 1;
        }
        assert!(outages > 20, "{verb}: {outages} requests are too few to show anything");
    }
}

#[tokio::test]
async fn a_sample_is_a_percentage() {
    let world = World::new(&core(Generation::V3));
    world.back_up(BackupOptions::default()).await.expect("backed up");
    let repository = world.repository().await;
    for percent in [0, 101, 255] {
        let options = VerifyOptions::bytes_sample(percent);
        assert_eq!(repository.verify("n1", options).await.expect_err("no percentage").code(), "invalid-request");
    }
    assert_eq!(repository.verify("n1", VerifyOptions::bytes_sample(1)).await.expect("verified").read, 1);
}

/// What JSON allows between any two of its parts, and more of it than is read at once.
fn padded(bytes: &[u8]) -> Vec<u8> {
    [&b"{"[..], &vec![b' '; 9 << 20], &bytes[1..]].concat()
}

#[tokio::test]
async fn manifests_and_checkpoints_that_are_read_in_pieces_say_the_same() {
    let world = World::new(&core(Generation::V3));
    let before = certified(world.source()).await;
    let is_large = |key: &str| key.contains("/snapshots/") || key.contains("/snapshot-checkpoints/");
    let large: Vec<_> = files(world.source()).into_iter().filter(|(key, _)| is_large(key)).collect();
    large.iter().for_each(|(key, bytes)| write(&world.file(key), padded(bytes)));
    let certificate = certified(world.source()).await;
    assert!(certificate.holds(), "{}", certificate.summary());
    let reached = |certificate: &Certificate| -> Vec<_> {
        certificate.recovery.iter().map(|point| point.guaranteed.as_ref().map(|at| (at.snapshot, at.wal))).collect()
    };
    assert_eq!(reached(&certificate), reached(&before));
    let report = world.back_up(BackupOptions::default()).await.expect("backed up");
    assert_eq!(report.status, BackupStatus::Complete);
    let backup = certified(&world.backup()).await;
    assert!(backup.holds(), "{}", backup.summary());

    for (key, bytes) in &large {
        let clause = if key.contains("/snapshots/") { Clause::Manifests } else { Clause::Checkpoints };
        let cut = padded(&bytes[..bytes.len() - 1]);
        write(&world.file(key), cut);
        let certificate = certified(world.source()).await;
        assert!(names(&certificate, key), "{key}: {}", certificate.summary());
        assert!(violations(&certificate).iter().any(|(violated, _)| *violated == clause), "{key}");
        write(&world.file(key), padded(bytes));
        // Another kind of white space parses, and is not what was copied.
        let mut altered = padded(bytes);
        altered[8 << 20] = b'\t';
        write(&world.backup().join(key), altered);
        let certificate = certified(&world.backup()).await;
        let codes: Vec<_> = violations(&certificate).into_iter().flat_map(|(_, codes)| codes).collect();
        assert!(codes.contains(&FindingCode::WrongBytes), "{key}: {codes:?}");
        fs::remove_file(world.backup().join(key)).expect("deleted");
        assert!(!certified(&world.backup()).await.holds(), "{key}");
        write(&world.backup().join(key), padded(bytes));
    }
}
