//! What lies beside a cluster in a directory stops nothing; what lies inside it and cannot be copied is named.
#![cfg(unix)]

mod generated;

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    path::Path,
    process::Command,
};

use generated::{World, core, directory, files, location};
use influx_backup_core::{
    BackupOptions, DiscoverOptions, FindingCode, Generation, Restore, RestoreOptions, RestoreRunOptions, VerifyOptions,
    certify, certify::certify_backup, discover, finding::Finding, options::OnExisting, record::BackupStatus,
    testing::generate::Generate, verify,
};

fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success(), "{}", path.display());
}

/// What cannot be copied, with the code of the error that it is inside a cluster, and the word for it outside.
const ODD: [(&str, &str, &str); 6] = [
    ("socket", "link", "socket"),
    ("fifo", "link", "named pipe"),
    ("dangling", "link", "broken link"),
    ("loop", "link", "broken link"),
    ("not-utf8", "invalid-key", "UTF-8"),
    ("control", "invalid-key", "no object can have"),
];

fn make(odd: &str, below: &Path) {
    match odd {
        "socket" => drop(UnixListener::bind(below.join("socket")).expect("bound")),
        "fifo" => fifo(&below.join("fifo")),
        "dangling" => symlink("nowhere", below.join("dangling")).expect("linked"),
        "loop" => symlink("loop", below.join("loop")).expect("linked"),
        "not-utf8" => fs::write(below.join(OsStr::from_bytes(b"not \xff UTF-8")), "x").expect("written"),
        _ => fs::write(below.join("new\nline"), "x").expect("written"),
    }
}

fn make_all(below: &Path) {
    fs::create_dir_all(below).expect("made");
    ODD.iter().for_each(|(odd, ..)| make(odd, below));
}

/// Snapshots of the file system, a trash with a node that was deleted, what `fsck` keeps.
fn make_known(below: &Path, node: &Path) {
    for name in [".snapshot/hourly.0", ".zfs/snapshot/1", "@GMT-2026.11.26-12.00.00", ".Trash-1000/files", "lost+found"]
    {
        let wal = below.join(name).join("node1/wal");
        fs::create_dir_all(&wal).expect("made");
        let file = fs::read_dir(node.join("wal")).expect("a directory").next().expect("a file").expect("read");
        fs::copy(file.path(), wal.join(file.file_name())).expect("copied");
    }
}

fn passed(findings: &[Finding]) -> Vec<&str> {
    let passed = findings.iter().filter(|finding| finding.code == FindingCode::PassedOver);
    passed.map(|finding| finding.message.as_str()).collect()
}

#[tokio::test]
async fn what_lies_beside_the_nodes_stops_nothing() {
    let world = World::new(&core(Generation::V3));
    let wanted = files(world.source());
    let target = directory();
    let places = [world.source(), world.vault(), target.path()];
    for place in places {
        make_all(place);
        make_all(&place.join("other"));
        make_known(place, &world.file("node1"));
    }
    let found = world.cluster().await;
    let notes = passed(found.notes());
    for (_, _, word) in ODD {
        assert_eq!(notes.iter().filter(|note| note.contains(word)).count(), 1, "{word}: {notes:#?}");
    }
    for word in ["of snapshots", "lost+found", "trash"] {
        assert_eq!(notes.iter().filter(|note| note.contains(word)).count(), 1, "{word}: {notes:#?}");
    }
    let report = world.back_up(BackupOptions::default()).await.expect("backed up");
    assert_eq!((report.status, report.passes.len()), (BackupStatus::Complete, 1));
    let of_source = passed(&report.findings);
    assert!(of_source.iter().any(|note| note.contains("of snapshots")), "{of_source:#?}");
    let held = |root: &Path| {
        let mut held = files(&root.join("node1"));
        held.retain(|key, _| !key.starts_with("_influx_backup/"));
        held
    };
    let wanted: std::collections::BTreeMap<_, _> =
        wanted.into_iter().filter_map(|(key, bytes)| Some((key.strip_prefix("node1/")?.to_owned(), bytes))).collect();
    assert_eq!(held(&world.backup()), wanted);

    let repository = world.repository().await;
    let names: Vec<_> = repository.list().await.expect("listed").into_iter().map(|backup| backup.name).collect();
    assert_eq!(names, ["n1", "other"], "no snapshot is a backup");
    assert_eq!(repository.leftovers().await.expect("looked"), []);
    assert!(repository.verify("n1", VerifyOptions::bytes()).await.expect("verified").passed());
    let backup = repository.get("n1").await.expect("opened");
    assert!(certify(backup.location()).await.expect("certified").holds());

    let restore = |options| {
        let restore = Restore::new(backup.clone(), location(target.path()), options);
        restore.with_run_options(RestoreRunOptions::servers_stopped())
    };
    restore(RestoreOptions::empty()).await.expect("nothing of a cluster is there");
    assert_eq!(held(target.path()), wanted);
    // A snapshot of the file system below the node, and a file of another server.
    let snapshot = target.path().join("node1/.snapshot/hourly.0/wal/00000000001.wal");
    fs::create_dir_all(snapshot.parent().expect("a directory")).expect("made");
    fs::write(&snapshot, "old").expect("written");
    fs::write(target.path().join("node1/wal/00000009999.wal"), "of another server").expect("written");
    let report = restore(RestoreOptions::replace()).await.expect("replaced");
    let notes = passed(&report.findings);
    assert!(notes.iter().any(|note| note.contains("socket")), "{notes:#?}");
    assert_eq!(fs::read(&snapshot).expect("it is still there"), b"old");
    fs::remove_dir_all(target.path().join("node1/.snapshot")).expect("removed");
    assert_eq!(held(target.path()), wanted);
    for place in places {
        assert!(place.join("socket").exists() && place.join("other/fifo").exists(), "{}", place.display());
        assert!(place.join(".Trash-1000/files/node1/wal").exists(), "{}", place.display());
    }
}

#[tokio::test]
async fn what_lies_below_a_node_and_cannot_be_copied_is_named() {
    for (odd, code, _) in ODD {
        for below in ["node1", "node1/wal", "node1/dbs", "node1/catalog"] {
            let world = World::new(&core(Generation::V3));
            make(odd, &world.file(below));
            let error = world.back_up(BackupOptions::default()).await.expect_err(odd);
            assert_eq!(error.code(), code, "{odd} below {below}: {error}");
            assert!(error.to_string().contains(below), "{odd} below {below}: {error}");
        }
    }
}

/// However deep it lies below another one.
#[tokio::test]
async fn a_node_that_is_excluded_is_not_listed() {
    for excluded in ["n1/n2", "n1/x/n2", "n1/x/y/n2", "c1/x/y/n2"] {
        let world = World::new(&Generate::enterprise("c1").nodes(["n1", excluded]).unknown("n1/x/beside"));
        make_all(&world.file(excluded));
        let options = DiscoverOptions::default().with_excluded_node(excluded);
        let found = discover(&location(world.source()), &options).await.expect(excluded);
        let repository = world.repository().await;
        let report = repository.backup(&found, BackupOptions::default().with_name("n1")).await;
        let report = report.unwrap_or_else(|error| panic!("{excluded}: {error}"));
        assert_eq!(report.status, BackupStatus::Complete, "{excluded}");
        let held = files(&world.backup());
        assert!(held.contains_key("n1/x/beside"), "{excluded}");
        assert!(held.keys().all(|key| !key.starts_with(&format!("{excluded}/"))), "{excluded}");
    }
}

/// Replaces a file by what has no content.
fn replace(path: &Path, odd: &str) {
    fs::remove_file(path).expect("removed");
    match odd {
        "socket" => drop(UnixListener::bind(path).expect("bound")),
        "fifo" => fifo(path),
        "dangling" => symlink("nowhere", path).expect("linked"),
        _ => symlink("/dev/null", path).expect("linked"),
    }
}

#[tokio::test]
async fn what_lies_beside_the_cluster_in_a_backup_stops_nothing() {
    let world = World::new(&core(Generation::V3));
    world.back_up(BackupOptions::default()).await.expect("backed up");
    let elsewhere = directory();
    fs::write(elsewhere.path().join("stray"), "x").expect("written");
    for place in [world.backup(), world.backup().join("other/deep")] {
        make_all(&place);
        symlink(elsewhere.path(), place.join("linked")).expect("linked");
    }
    let repository = world.repository().await;
    let backup = repository.get("n1").await.expect("opened");
    let has_all = |what: &str, findings: &[Finding]| {
        let notes = passed(findings);
        for word in ["socket", "named pipe", "links", "UTF-8", "no object can have"] {
            assert_eq!(notes.iter().filter(|note| note.contains(word)).count(), 1, "{what}: {word}: {notes:#?}");
        }
        assert_eq!(notes.len(), 5, "{what}: {notes:#?}");
    };
    for options in
        [VerifyOptions::listing(), VerifyOptions::structure(), VerifyOptions::checksums(), VerifyOptions::bytes()]
    {
        for request in [repository.verify("n1", options.clone()), verify(&backup, options.clone())] {
            let report = request.await.expect("verified");
            assert!(report.passed(), "what a link leads to is not listed: {:#?}", report.problems);
            has_all("verify", &report.findings);
        }
    }
    for request in [certify(&location(&world.backup())), certify_backup(&backup), repository.certify("n1")] {
        let certificate = request.await.expect("certified");
        assert!(certificate.holds(), "{certificate}");
        has_all("certify", &certificate.findings);
    }
    let target = directory();
    let options = RestoreOptions::empty();
    let plan = repository.plan_restore("n1", &location(target.path()), &options).await.expect("planned");
    has_all("a plan", &plan.findings);
    let plan = repository.plan_backup(&world.cluster().await, &BackupOptions::default()).await.expect("planned");
    assert_eq!(plan.findings, [], "nothing is passed over there");
    let restore = Restore::new(backup, location(target.path()), options);
    has_all("restore", &restore.await.expect("restored").findings);
}

#[tokio::test]
async fn what_lies_in_the_place_of_an_object_of_a_backup_is_named() {
    for odd in ["socket", "fifo", "dangling", "linked"] {
        let world = World::new(&core(Generation::V3));
        world.back_up(BackupOptions::default()).await.expect("backed up");
        let file = files(&world.backup()).into_keys().find(|key| key.starts_with("node1/wal/")).expect("one");
        replace(&world.backup().join(&file), odd);
        let repository = world.repository().await;
        let target = directory();
        let target = location(target.path());
        let errors = [
            repository.verify("n1", VerifyOptions::listing()).await.expect_err("refused"),
            repository.certify("n1").await.expect_err("refused"),
            repository.plan_restore("n1", &target, &RestoreOptions::empty()).await.expect_err("refused"),
            repository.restore_backup("n1", &target, RestoreOptions::empty()).await.expect_err("refused"),
        ];
        for error in errors {
            assert_eq!(error.code(), "link", "{odd}: {error}");
            assert!(error.to_string().contains(&file), "{odd}: {error}");
        }
    }
    // The directory of the node itself.
    let world = World::new(&core(Generation::V3));
    world.back_up(BackupOptions::default()).await.expect("backed up");
    fs::rename(world.backup().join("node1"), world.backup().join("elsewhere")).expect("moved");
    symlink("nowhere", world.backup().join("node1")).expect("linked");
    let error = world.repository().await.verify("n1", VerifyOptions::listing()).await.expect_err("refused");
    assert_eq!((error.code(), error.to_string().contains("n1/node1")), ("link", true), "{error}");
}

#[tokio::test]
async fn what_lies_in_an_unfinished_backup_stops_neither_its_removal_nor_its_end() {
    let world = World::new(&core(Generation::V3));
    let wal = files(world.source()).into_keys().rfind(|key| key.starts_with("node1/wal/")).expect("one");
    let unfinished = async |name: &str| {
        let repository = world.repository().await;
        let bytes = fs::read(world.file(&wal)).expect("read");
        fs::write(world.file(&wal), "").expect("written");
        let failed = repository.backup(&world.cluster().await, BackupOptions::default().with_name(name)).await;
        assert_eq!(failed.expect_err("an empty WAL file").code(), "corrupt-source");
        fs::write(world.file(&wal), bytes).expect("written");
        make_all(&world.vault().join(name));
        repository
    };
    let repository = unfinished("removed").await;
    let found = repository.leftovers().await.expect("looked");
    assert_eq!(found.iter().map(|leftover| leftover.name.as_str()).collect::<Vec<_>>(), ["removed"]);
    repository.remove(&found[0]).await.expect("removed");
    assert_eq!(repository.leftovers().await.expect("looked"), []);
    let repository = unfinished("resumed").await;
    let options = BackupOptions::default().with_name("resumed").with_on_existing(OnExisting::Resume);
    let report = repository.backup(&world.cluster().await, options).await.expect("resumed");
    assert_eq!(report.status, BackupStatus::Complete);
    assert!(passed(&report.findings).iter().any(|note| note.contains("socket")), "{:#?}", report.findings);
}

#[tokio::test]
async fn snapshots_of_a_file_system_below_a_node_are_not_copied() {
    let world = World::new(&core(Generation::V3));
    let wanted = files(world.source());
    for below in ["node1", "node1/wal", "node1/dbs"] {
        make_known(&world.file(below).join(".zfs"), &world.file("node1"));
    }
    let report = world.back_up(BackupOptions::default()).await.expect("backed up");
    assert_eq!(report.status, BackupStatus::Complete);
    assert_eq!(passed(&report.findings).len(), 1, "{:#?}", report.findings);
    let mut held = files(&world.backup());
    held.retain(|key, _| !key.starts_with("_influx_backup/"));
    assert_eq!(held, wanted);
}
