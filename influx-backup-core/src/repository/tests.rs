use std::path::Path;

use super::*;
use crate::{
    cluster::{Cluster, DiscoverOptions},
    discover::discover,
    finding::{Finding, FindingCode},
    key::Key,
    layout::REPOSITORY_KEY,
    location::StoreOptions,
    testing::generate::Generate,
};

mod absurd;
mod cancels;
mod json;
mod limits;
mod looks;
mod unopened;

fn at(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

/// A repository at a place that is known to be one.
fn checked(location: Location) -> Repository {
    Repository { place: Place::checked(location) }
}

async fn cluster(path: &Path) -> Cluster {
    Generate::core("node1").generate_into(path).expect("generated");
    discover(&at(path), &DiscoverOptions::default()).await.expect("a cluster")
}

fn named(name: &str) -> BackupOptions {
    BackupOptions::default().with_name(name)
}

#[tokio::test]
async fn the_first_backup_makes_the_marker_and_no_later_one_changes_it() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    assert_eq!(repository.marker().await.expect("read"), None);
    assert!(!root.path().join("backups").exists(), "opening writes nothing");

    repository.backup(&cluster, named("a")).await.expect("backed up");
    let marker = repository.marker().await.expect("read").expect("made");
    assert_eq!((marker.format, marker.min_reader, marker.id.len()), (1, 1, 32));
    assert_eq!(
        repository.get("a").await.expect("opened").manifest().written_by,
        marker.written_by,
        "one program wrote both"
    );

    repository.backup(&cluster, named("b")).await.expect("backed up");
    assert_eq!(repository.marker().await.expect("read"), Some(marker));
    let names: Vec<_> = repository.list().await.expect("listed").into_iter().map(|backup| backup.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test]
async fn a_repository_without_a_marker_lists_and_verifies() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let place = at(&root.path().join("backups"));
    let repository = Repository::open(place.clone()).await.expect("opened");
    repository.backup(&cluster, named("a")).await.expect("backed up");
    std::fs::remove_file(root.path().join("backups").join(REPOSITORY_KEY)).expect("removed");

    let repository = Repository::open(place).await.expect("opened");
    assert_eq!(repository.list().await.expect("listed").len(), 1);
    assert!(repository.verify("a", VerifyOptions::bytes()).await.expect("verified").passed());
}

/// A backup is restored and certified by its name, in one job each.
#[tokio::test]
async fn a_job_opens_the_backup_that_it_is_about() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let backup = repository.backup(&cluster, named("a")).await.expect("backed up");

    let target = at(&root.path().join("target"));
    let report = repository.restore_backup("a", &target, RestoreOptions::default()).await.expect("restored");
    assert_eq!((report.backup.as_str(), report.objects), ("a", backup.objects));
    assert!(crate::certify(&target).await.expect("certified").is_proven());
    let full = repository.restore_backup("a", &target, RestoreOptions::default()).await;
    assert_eq!(full.expect_err("not empty").code(), "target-not-empty");

    let certificate = repository.certify("a").await.expect("certified");
    assert_eq!(certificate, crate::certify(&at(&root.path().join("backups/a"))).await.expect("certified"));
    assert!(certificate.is_proven());

    let nowhere = at(&root.path().join("nowhere"));
    let missing = repository.restore_backup("b", &nowhere, RestoreOptions::default()).await;
    assert_eq!(missing.expect_err("no such backup").code(), "backup-not-found");
    assert_eq!(repository.certify("b").await.expect_err("no such backup").code(), "backup-not-found");
    assert!(!root.path().join("nowhere").exists(), "nothing was begun");
}

#[tokio::test]
async fn a_renamed_backup_is_whole_and_reported() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    repository.backup(&cluster, named("monday")).await.expect("backed up");
    let certificate = |name: &str| crate::certify(&at(&root.path().join("backups").join(name))).start();
    let reported = |findings: &[Finding]| findings.iter().any(|finding| finding.code == FindingCode::RenamedBackup);
    assert!(!reported(&repository.verify("monday", VerifyOptions::listing()).await.expect("verified").findings));
    assert!(!reported(&certificate("monday").await.expect("certified").findings));

    std::fs::rename(root.path().join("backups/monday"), root.path().join("backups/tuesday")).expect("renamed");
    for options in [VerifyOptions::listing(), VerifyOptions::bytes()] {
        let report = repository.verify("tuesday", options).await.expect("verified");
        assert!(report.passed() && reported(&report.findings), "{report:?}");
        assert_eq!(report.backup, "tuesday");
    }
    let certificate = certificate("tuesday").await.expect("certified");
    assert!(certificate.is_proven() && reported(&certificate.findings), "{certificate}");

    let target = root.path().join("target");
    let plan = repository.plan_restore("tuesday", &at(&target), &RestoreOptions::default()).await.expect("planned");
    assert_eq!(plan.backup, "tuesday");
    assert_eq!(repository.restore(&plan).await.expect("restored").backup, "tuesday");
}

#[tokio::test]
async fn a_repository_for_newer_releases_is_refused() {
    let cases = [
        (r#"{"format": 9, "min_reader": 2, "more": true}"#, Err("unsupported-format")),
        (r#"{"format": 9}"#, Err("unsupported-format")),
        (
            r#"{"format": 9, "min_reader": 1, "created": "2026-01-02T03:04:05Z", "id": "x", "written_by": "9", "new": 1}"#,
            Ok(()),
        ),
    ];
    for (text, expected) in cases {
        let location = Location::in_memory();
        location.put(&Key::parse(REPOSITORY_KEY).expect("a key"), text.as_bytes().into()).await.expect("put");
        let opened = Repository::open(location).await;
        assert_eq!(opened.map(drop).map_err(|error| error.code()), expected, "{text}");
    }
}

/// Damages the marker.
type Spoil = fn(&Path);

#[cfg(unix)]
#[tokio::test]
async fn a_damaged_marker_keeps_no_backup_from_being_read_and_a_new_one_from_being_taken() {
    let spoils: [(&str, Spoil); 7] = [
        ("empty", |marker| std::fs::write(marker, "").expect("written")),
        ("garbage", |marker| std::fs::write(marker, b"\xff\0not json").expect("written")),
        ("no marker", |marker| std::fs::write(marker, r#"{"format": 1}"#).expect("written")),
        ("a directory", |marker| {
            std::fs::remove_file(marker).expect("removed");
            std::fs::create_dir(marker).expect("made");
        }),
        ("a link to a good one", |marker| {
            let elsewhere = marker.with_file_name("elsewhere.json");
            std::fs::rename(marker, &elsewhere).expect("moved");
            std::os::unix::fs::symlink(&elsewhere, marker).expect("linked");
        }),
        ("a link to nothing", |marker| {
            std::fs::remove_file(marker).expect("removed");
            std::os::unix::fs::symlink("nowhere", marker).expect("linked");
        }),
        ("a pipe", put_pipe),
    ];
    for (what, spoil) in spoils {
        let root = tempfile::tempdir().expect("a directory");
        let cluster = cluster(&root.path().join("data")).await;
        let place = at(&root.path().join("backups"));
        let repository = Repository::open(place.clone()).await.expect("opened");
        repository.backup(&cluster, named("a")).await.expect("backed up");
        let marker = root.path().join("backups").join(REPOSITORY_KEY);
        spoil(&marker);

        let repository = Repository::open(place.clone()).await.expect(what);
        let states: Vec<_> = repository.list().await.expect(what).into_iter().map(|backup| backup.state).collect();
        assert_eq!(states, [BackupState::Complete], "{what}");
        assert!(repository.verify("a", VerifyOptions::bytes()).await.expect(what).passed(), "{what}");
        let backup = place.child("a").expect("a location");
        assert!(crate::certify(&backup).await.expect(what).holds(), "{what}");
        let opened = Backup::at(&backup).await.expect(what);
        assert_eq!(
            opened.repository().to_string(),
            place.to_string(),
            "{what}: a place without a marker is not a repository"
        );
        let target = at(&root.path().join("target"));
        Restore::new(opened, target, RestoreOptions::default()).await.expect(what);

        let error = repository.backup(&cluster, named("b")).await.expect_err(what);
        assert_eq!((error.code(), error.category()), ("damaged-marker", crate::error::Category::Refused), "{what}");
        let told = error.to_string();
        assert!(told.contains("backups/_influx_backup/repository.json"), "{what}: {told}");
        assert!(told.contains("delete it") && !told.contains("backup is damaged"), "{what}: {told}");
        assert_eq!(repository.marker().await.expect_err(what).code(), "damaged-marker", "{what}");

        if marker.is_dir() { std::fs::remove_dir(&marker) } else { std::fs::remove_file(&marker) }.expect("removed");
        repository.backup(&cluster, named("b")).await.expect("backed up");
        assert!(repository.marker().await.expect("read").is_some(), "{what}: it is written again");
    }
}

#[tokio::test]
async fn a_repository_is_neither_in_a_cluster_nor_in_a_backup() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    repository.backup(&cluster, named("a")).await.expect("backed up");
    let refused = [
        ("data", "overlap", "the location of a cluster whose node is node1"),
        ("data/node1", "overlap", "a node of a cluster"),
        ("backups/a", "invalid-request", "it is a backup itself"),
        ("backups/a/node1", "invalid-request", "it lies inside a backup"),
        ("backups/a/new", "invalid-request", "it lies inside a backup"),
    ];
    for (place, code, reason) in refused {
        let error = Repository::open(at(&root.path().join(place))).await.expect_err(place);
        assert_eq!(error.code(), code, "{place}");
        assert!(error.to_string().contains(reason), "{place}: {error}");
    }
    Repository::open(at(&root.path().join("new"))).await.expect("nothing is there yet");
}

#[tokio::test]
async fn a_store_refuses_the_same_places() {
    let bucket = Location::in_memory();
    let root = tempfile::tempdir().expect("a directory");
    Generate::core("node1").generate_into(root.path()).expect("generated");
    let files = at(root.path());
    let source = bucket.child("data").expect("a location");
    for entry in files.list("").await.expect("listed") {
        let bytes = files.get(&entry.key, None).await.expect("read").expect("there");
        source.put(&entry.key, bytes).await.expect("put");
    }
    let cluster = discover(&source, &DiscoverOptions::default()).await.expect("a cluster");
    let repository = Repository::open(bucket.child("backups").expect("a location")).await.expect("opened");
    repository.backup(&cluster, named("a")).await.expect("backed up");
    let refused = [
        ("data", "overlap"),
        ("data/node1", "overlap"),
        ("backups/a", "invalid-request"),
        ("backups/a/node1", "invalid-request"),
        ("backups/a/new", "invalid-request"),
    ];
    for (place, code) in refused {
        let error = Repository::open(bucket.child(place).expect("a location")).await.expect_err(place);
        assert_eq!(error.code(), code, "{place}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_that_cannot_be_read_keeps_no_other_from_the_list() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    for name in ["a", "b"] {
        repository.backup(&cluster, named(name)).await.expect("backed up");
    }
    // Links inside a repository are refused.
    let manifest = root.path().join("backups/a").join(crate::layout::MANIFEST_KEY);
    let elsewhere = root.path().join("elsewhere.json");
    std::fs::rename(&manifest, &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, &manifest).expect("linked");

    let listed = repository.list().await.expect("listed");
    let states: Vec<_> = listed.iter().map(|backup| (backup.name.as_str(), backup.state)).collect();
    assert_eq!(states, [("a", BackupState::Unreadable), ("b", BackupState::Complete)]);
    let reason = listed[0].reason.as_ref().expect("a reason");
    assert_eq!((reason.code.as_str(), reason.category), ("link", crate::error::Category::Refused));
    assert_eq!(listed[1].reason, None);
    assert_eq!(repository.leftovers().await.expect("found"), [], "what it is cannot be known");
}

/// Replaces what lies there by a pipe that no program writes to.
#[cfg(unix)]
fn put_pipe(path: &Path) {
    std::fs::remove_file(path).expect("removed");
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("run").success());
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_the_place_of_a_manifest_ends_every_verb_at_once() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    for name in ["a", "b"] {
        repository.backup(&cluster, named(name)).await.expect("backed up");
    }
    put_pipe(&root.path().join("backups/a/_influx_backup/manifest.json"));

    let looks = async {
        let listed = repository.list().await.expect("listed");
        let states: Vec<_> = listed.iter().map(|backup| (backup.name.as_str(), backup.state)).collect();
        assert_eq!(states, [("a", BackupState::Unreadable), ("b", BackupState::Complete)]);
        let reason = listed[0].reason.as_ref().expect("a reason");
        assert_eq!(reason.code, "link");
        let text = &reason.message;
        assert!(text.ends_with("/backups/a/_influx_backup/manifest.json` is not a regular file"), "{text}");

        let backup = repository.location().child("a").expect("a location");
        assert_eq!(repository.get("a").await.expect_err("a pipe").code(), "link");
        assert_eq!(repository.verify("a", VerifyOptions::bytes()).await.expect_err("a pipe").code(), "link");
        assert_eq!(crate::certify(&backup).await.expect_err("a pipe").code(), "link");
        let manifest = Key::parse(crate::layout::MANIFEST_KEY).expect("a key");
        assert_eq!(backup.head(&manifest).await.expect_err("a pipe").code(), "link");
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), looks).await.expect("nothing waits for the pipe");
}

#[tokio::test]
async fn looking_at_a_backup_counts_objects_and_can_be_cancelled() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let backup = repository.backup(&cluster, named("a")).await.expect("backed up");

    let job = repository.verify("a", VerifyOptions::bytes()).start();
    let handle = job.handle();
    let report = job.await.expect("verified");
    let progress = handle.progress();
    assert_eq!(progress.objects, progress.total_objects);
    assert!(progress.objects >= 2 * report.objects, "each is listed and read: {progress:?}");
    assert!(progress.bytes >= backup.bytes.0, "{progress:?}");

    let location = repository.location().child("a").expect("a location");
    let job = crate::certify(&location).start();
    let handle = job.handle();
    job.await.expect("certified");
    assert!(handle.progress().objects > 0);
    assert_eq!(handle.progress().objects, handle.progress().total_objects);

    let leftovers = repository.leftovers().start();
    let verify = repository.verify("a", VerifyOptions::listing()).start();
    let certify = crate::certify(&location).start();
    leftovers.handle().cancel();
    verify.handle().cancel();
    certify.handle().cancel();
    assert_eq!(leftovers.await.expect_err("cancelled").code(), "cancelled");
    assert_eq!(verify.await.expect_err("cancelled").code(), "cancelled");
    assert_eq!(certify.await.expect_err("cancelled").code(), "cancelled");
}
