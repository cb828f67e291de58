//! What stops a backup before it copies, and a disk that is full in the middle of it.
#![cfg(unix)]

mod crash;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use influx_backup_core::{
    BackupOptions, BackupReport, Copier, DiscoverOptions, Error, Location, Repository,
    copier::{Copied, CopyContext, CopyRequest},
    default_copiers, discover,
    error::CopyError,
    location::Identity,
    location::interop::object_store::{ObjectStore, memory::InMemory, path::Path as StorePath},
    testing::fault::{FaultPlan, FaultyStore},
};

async fn back_up(source: &Location, repository: &Location, options: BackupOptions) -> Result<BackupReport, Error> {
    let cluster = discover(source, &DiscoverOptions::default()).await?;
    Repository::open(repository.clone()).await?.backup(&cluster, options).start().await
}

#[tokio::test]
async fn source_and_repository_do_not_overlap() {
    let root = tempfile::tempdir().expect("a directory");
    let source = root.path().join("data/influxdb");
    crash::cluster(1).generate_into(&source).expect("generated");
    for (link, to) in [("alias", "data/influxdb"), ("above", "data")] {
        std::os::unix::fs::symlink(root.path().join(to), root.path().join(link)).expect("linked");
    }
    let before = crash::content(&crash::place(&source)).await;
    let cluster = discover(&crash::place(&source), &DiscoverOptions::default()).await.expect("discovered");
    for place in ["data/influxdb", "alias"] {
        let error = Repository::open(crash::place(&root.path().join(place))).await.expect_err(place);
        assert_eq!(error.code(), "overlap", "{place}: {error}");
        assert!(error.to_string().contains("the location of a cluster"), "{place}: {error}");
    }
    for place in ["data/influxdb/backups", "data", "alias/new/backups", "above", "above/influxdb/x"] {
        let repository = crash::place(&root.path().join(place));
        let error = back_up(&crash::place(&source), &repository, crash::options()).await.expect_err(place);
        assert_eq!(error.code(), "overlap", "{place}: {error}");
        let repository = Repository::open(repository).await.expect("opened");
        let planned = repository.plan_backup(&cluster, &crash::options()).await.expect_err(place);
        assert_eq!(planned.to_string(), error.to_string(), "{place}: a plan says the same");
    }
    assert_eq!(crash::content(&crash::place(&source)).await, before, "nothing was written");
    let beside = crash::place(&root.path().join("data/influxdb-backups"));
    back_up(&crash::place(&source), &beside, crash::options()).await.expect("beside is not inside");
    let linked = crash::place(&root.path().join("alias"));
    let error =
        back_up(&linked, &crash::place(&source.join("x")), crash::options()).await.expect_err("a linked source");
    assert_eq!(error.code(), "overlap");
}

#[tokio::test]
async fn a_backup_and_a_repository_are_no_sources() {
    let root = tempfile::tempdir().expect("a directory");
    let at = |name: &str| crash::place(&root.path().join(name));
    crash::cluster(1).generate_into(&root.path().join("source")).expect("generated");
    back_up(&at("source"), &at("repository"), crash::options()).await.expect("backed up");
    let error = back_up(&at("repository/n1"), &at("another"), crash::options()).await.expect_err("a backup");
    assert_eq!(error.code(), "invalid-request", "{error}");
    let error = back_up(&at("repository"), &at("another"), crash::options()).await.expect_err("a repository");
    assert_eq!(error.code(), "no-cluster", "{error}");
    assert!(!root.path().join("another").exists(), "nothing was written");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_full_in_the_middle() {
    let source: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let bytes = crash::cluster(3).write_to(&source, &StorePath::default()).await.expect("written").bytes();
    let source = Location::with_store(source, StorePath::default(), Identity::Test);
    for room in [0, bytes / 3, bytes * 2 / 3, bytes] {
        let store = FaultyStore::new(Arc::new(InMemory::new()), FaultPlan::none().disk_full_after(room));
        let repository = Location::with_store(Arc::new(store.clone()), StorePath::default(), Identity::Test);
        let when = format!("room for {room} of {bytes} bytes");
        let error = back_up(&source, &repository, crash::options()).await.expect_err(&when);
        assert_eq!(error.code(), "no-space", "{when}: {error}");
        store.heal();
        assert!(!crash::only_whole_backups_are_listed(&repository, &when).await, "{when}");
        crash::resume_backup(&source, &repository, &when).await;
    }
}

/// A small file system of its own, where this machine allows a mount.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, bytes: u64) -> Option<Self> {
        std::fs::create_dir(at).expect("made");
        let size = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Fills the disk after a few copies.
#[derive(Debug)]
struct Filling {
    filler: PathBuf,
    copies: AtomicU64,
}

#[async_trait]
impl Copier for Filling {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        if self.copies.fetch_add(1, Ordering::SeqCst) == 8 {
            let _full = std::fs::write(&self.filler, vec![1; 8 << 20]);
        }
        default_copiers().copy(request, context).await
    }
}

#[tokio::test]
async fn a_real_disk_that_is_too_small_or_full_in_the_middle() {
    let root = tempfile::tempdir().expect("a directory");
    let source = root.path().join("source");
    let disk = root.path().join("disk");
    crash::cluster(4).parquet_size(100_000).generate_into(&source).expect("generated");
    // Room for all of it, but not twice.
    let Some(_disk) = Disk::mount(&disk, 1 << 20) else { return };
    let source = crash::place(&source);
    let repository = crash::place(&disk.join("repository"));

    let filler = disk.join("filler");
    std::fs::write(&filler, vec![1; 900_000]).expect("written");
    let error = back_up(&source, &repository, crash::options()).await.expect_err("too small");
    assert!(
        matches!(error, Error::NoSpace { needed, available, .. } if needed > 400_000 && available < 200_000),
        "{error}"
    );
    assert!(!crash::only_whole_backups_are_listed(&repository, "too small").await);
    std::fs::remove_file(&filler).expect("removed");

    let filling = Filling { filler: filler.clone(), copies: AtomicU64::new(0) };
    let cluster = discover(&source, &DiscoverOptions::default()).await.expect("discovered");
    let opened = Repository::open(repository.clone()).await.expect("opened");
    let error = opened.backup(&cluster, crash::resuming()).with_copier(Arc::new(filling)).start().await;
    let error = error.expect_err("full");
    assert_eq!(error.code(), "no-space", "{error}");
    assert!(!crash::only_whole_backups_are_listed(&repository, "full").await);
    std::fs::remove_file(&filler).expect("removed");
    crash::resume_backup(&source, &repository, "room was made").await;
}
