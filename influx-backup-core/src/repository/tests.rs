use std::path::Path;

use super::*;
use crate::{
    cluster::DiscoverOptions, discover::discover, key::Key, layout::REPOSITORY_KEY, location::StoreOptions,
    testing::generate::Generate,
};

fn at(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
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

#[tokio::test]
async fn a_newer_repository_and_a_damaged_marker_are_refused() {
    let cases = [
        (r#"{"format": 9, "min_reader": 2, "more": true}"#, Err("unsupported-format")),
        (r#"{"format": 9}"#, Err("damaged-backup")),
        ("not json", Err("damaged-backup")),
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

#[tokio::test]
async fn a_repository_is_neither_in_a_cluster_nor_in_a_backup() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    repository.backup(&cluster, named("a")).await.expect("backed up");
    let refused = [
        ("data", "it is the location of a cluster: `node1` is a node of it"),
        ("data/node1", "it lies inside a cluster"),
        ("backups/a", "it is a backup itself"),
        ("backups/a/node1", "it lies inside a backup"),
        ("backups/a/new", "it lies inside a backup"),
    ];
    for (place, reason) in refused {
        let error = Repository::open(at(&root.path().join(place))).await.expect_err(place);
        assert_eq!(error.code(), "invalid-request", "{place}");
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
    for place in ["data", "data/node1", "backups/a", "backups/a/node1", "backups/a/new"] {
        let error = Repository::open(bucket.child(place).expect("a location")).await.expect_err(place);
        assert_eq!(error.code(), "invalid-request", "{place}");
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
    assert!(listed[0].reason.is_some());
    assert_eq!(repository.leftovers().await.expect("found"), [], "what it is cannot be known");
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
