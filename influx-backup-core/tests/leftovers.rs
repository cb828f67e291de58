//! What dead attempts left is listed and removed; what is alive, committed or foreign stays.
#![cfg(feature = "testing")]

mod meddling;

use std::{
    fs::{self, File, FileTimes},
    path::Path as FilePath,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use influx_backup_core::{
    DiscoverOptions, Key, Location, Repository, StoreOptions, VerifyOptions, discover,
    layout::REPOSITORY_KEY,
    leftovers::LeftoverKind,
    location::Identity,
    location::interop::object_store::{memory::InMemory, path::Path},
    repository::BackupState,
};

use meddling::{FIRST, Source, core, deed, end_before_commit, kinds, meddler, options};

async fn repositories(directory: &FilePath) -> [Repository; 2] {
    let files = Location::parse(directory.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location");
    let memory = Location::with_store(Arc::new(InMemory::new()), Path::from("vault"), Identity::Test);
    [Repository::open(files).await.expect("opened"), Repository::open(memory).await.expect("opened")]
}

async fn succeed(repository: &Repository) {
    let (source, _) = Source::of(&core()).await;
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    repository.backup(&cluster, options()).start().await.expect("backed up");
}

fn half_written(file: &FilePath) {
    fs::create_dir_all(file.parent().expect("a directory")).expect("made");
    fs::write(file, "half").expect("written");
}

#[tokio::test]
async fn an_unfinished_backup_goes_whole() {
    let directory = tempfile::tempdir().expect("made");
    for repository in repositories(directory.path()).await {
        end_before_commit(&repository).await;
        let held = repository.location().list("n1").await.expect("listed");
        let mut objects = held.len() as u64;
        if let Some(directory) = repository.location().directory() {
            half_written(&directory.join("n1/node1/dbs/x.parquet#7"));
            objects += 1;
        }
        assert_eq!(repository.list().await.expect("listed")[0].state, BackupState::Unfinished);
        let leftovers = repository.leftovers().await.expect("found");
        assert_eq!(kinds(&leftovers), [("n1", LeftoverKind::Unfinished, objects)]);
        assert!(leftovers[0].bytes.0 > held.iter().map(|entry| entry.size).max().expect("objects"));
        repository.remove(&leftovers[0]).await.expect("collected");
        assert_eq!(repository.list().await.expect("listed"), []);
        let rest: Vec<_> =
            repository.location().list("").await.expect("listed").into_iter().map(|entry| entry.key).collect();
        assert_eq!(rest, [Key::parse(REPOSITORY_KEY).expect("a key")]);
        succeed(&repository).await;
    }
    assert!(directory.path().join("n1").exists());
}

#[tokio::test]
async fn a_committed_backup_stays() {
    let directory = tempfile::tempdir().expect("made");
    for repository in repositories(directory.path()).await {
        end_before_commit(&repository).await;
        let outdated = repository.leftovers().await.expect("found").swap_remove(0);
        repository.remove(&outdated).await.expect("collected");
        succeed(&repository).await;
        assert_eq!(repository.leftovers().await.expect("found"), []);
        let error = repository.remove(&outdated).await.expect_err("it is a backup now");
        assert_eq!(error.code(), "backup-exists");
        if let Some(directory) = repository.location().directory() {
            let half = directory.join("n1/node1/wal/00000000099.wal#1");
            half_written(&half);
            let leftovers = repository.leftovers().await.expect("found");
            assert_eq!(kinds(&leftovers), [("n1", LeftoverKind::Staging, 1)]);
            repository.remove(&leftovers[0]).await.expect("collected");
            assert!(!half.exists());
        }
        let verified = repository.verify("n1", VerifyOptions::structure()).await.expect("verified");
        assert!(verified.passed(), "{:?}", verified.problems);
    }
}

#[tokio::test]
async fn a_backup_that_is_being_written_is_no_leftover() {
    let directory = tempfile::tempdir().expect("made");
    for repository in repositories(directory.path()).await {
        let seen = Arc::new(Mutex::new(None));
        let looks = deed(FIRST, {
            let repository = repository.clone();
            let seen = Arc::clone(&seen);
            async move {
                let leftovers = repository.leftovers().await.expect("found");
                fail_to_collect(&repository).await;
                *seen.lock().expect("not poisoned") = Some(leftovers);
            }
        });
        let (source, _) = Source::of(&core()).await;
        let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
        repository
            .backup(&cluster, options())
            .with_copier(meddler([looks]))
            .start()
            .await
            .expect("nothing was taken from it");
        assert_eq!(seen.lock().expect("not poisoned").take(), Some(Vec::new()));
    }
}

/// With what another look at the repository once said.
async fn fail_to_collect(repository: &Repository) {
    let elsewhere = tempfile::tempdir().expect("made");
    let [other, _] = repositories(elsewhere.path()).await;
    end_before_commit(&other).await;
    let outdated = other.leftovers().await.expect("found").swap_remove(0);
    assert_eq!(repository.remove(&outdated).await.expect_err("it lives").code(), "backup-in-progress");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_beside_the_backups_is_no_matter() {
    let directory = tempfile::tempdir().expect("made");
    let [repository, _] = repositories(directory.path()).await;
    succeed(&repository).await;
    std::os::unix::fs::symlink("nowhere", directory.path().join("broken")).expect("linked");
    std::os::unix::fs::symlink("n1", directory.path().join("latest")).expect("linked");
    let listed = repository.list().await.expect("listed").into_iter().map(|backup| (backup.name, backup.state));
    let complete = |name: &str| (name.to_owned(), BackupState::Complete);
    assert_eq!(listed.collect::<Vec<_>>(), [complete("n1")]);
    assert_eq!(repository.leftovers().await.expect("found"), []);
}

#[tokio::test]
async fn an_unwritten_lease_is_removed_after_a_while_and_foreign_files_stay() {
    let directory = tempfile::tempdir().expect("made");
    let [repository, _] = repositories(directory.path()).await;
    let claim = directory.path().join("n1/_influx_backup/claim-000001#1");
    let theirs = directory.path().join("n1/theirs#2");
    half_written(&claim);
    half_written(&theirs);
    assert_eq!(repository.leftovers().await.expect("found"), [], "it may be about to be renamed");
    let old = SystemTime::now() - Duration::from_secs(3600);
    for file in [&claim, &theirs] {
        let file = File::options().write(true).open(file).expect("opened");
        file.set_times(FileTimes::new().set_modified(old)).expect("set");
    }
    let leftovers = repository.leftovers().await.expect("found");
    assert_eq!(kinds(&leftovers), [("n1", LeftoverKind::Staging, 1)]);
    repository.remove(&leftovers[0]).await.expect("collected");
    assert!(!claim.exists() && theirs.exists());
}
