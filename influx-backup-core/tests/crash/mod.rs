//! What the crash tests share: a small cluster, processes that kill themselves, and what has to hold after each death.
#![allow(dead_code, unused_imports, reason = "each test that shares this module uses a part of it")]

mod kill;
mod process;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use influx_backup_core::{
    Backup, BackupOptions, DiscoverOptions, Key, Limits, Location, Repository, StoreOptions, VerifyOptions, certify,
    discover,
    layout::{Generation, MANIFEST_KEY, OWN_DIRECTORY},
    limits::{Durability, Retry},
    location::interop::object_store::{ObjectStore, local::LocalFileSystem, path::Path as StorePath},
    options::Takeover,
    repository::BackupState,
    testing::generate::{CompactorData, Generate},
};
use influx_backup_testing::{
    loader,
    loader::{Release, Servers, Verdict},
};

pub(crate) use self::{
    kill::Moment,
    process::{Orders, Verb, run_if_ordered},
};

/// The name of every backup here.
pub(crate) const NAME: &str = "n1";

/// An Enterprise cluster with every kind of object, and as few of them as that allows.
pub(crate) fn cluster(snapshots: u64) -> Generate {
    Generate::enterprise("cluster1")
        .nodes(["node1"])
        .compactor("comp1", CompactorData::None)
        .catalog(Generation::V3)
        .catalog_logs(1)
        .snapshots(snapshots)
        .files_per_snapshot(1)
        .wal_per_snapshot(1)
        .wal_tail(1)
        .covered_wal_kept(1)
}

/// The servers of [`cluster`].
pub(crate) fn servers() -> Servers {
    Servers::enterprise("cluster1", ["node1", "comp1"])
}

pub(crate) fn place(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

pub(crate) fn store(path: &Path) -> Arc<dyn ObjectStore> {
    Arc::new(LocalFileSystem::new_with_prefix(path).expect("a directory"))
}

/// One write after another, none of them twice: the n-th write is the same in every run.
pub(crate) fn one_by_one() -> Limits {
    Limits::default().with_concurrency(1).with_retry(Retry::never()).with_durability(Durability::Relaxed)
}

pub(crate) fn options() -> BackupOptions {
    BackupOptions::default().with_name(NAME).with_limits(one_by_one())
}

/// Options that continue what a dead process left.
pub(crate) fn resuming() -> BackupOptions {
    options().resuming().with_takeover(Takeover::Immediately)
}

/// Every object of a location but the files of the backup tool, with its bytes.
pub(crate) async fn content(location: &Location) -> BTreeMap<Key, Vec<u8>> {
    let mut content = BTreeMap::new();
    for entry in location.list("").await.expect("listed") {
        if entry.key.below(OWN_DIRECTORY).is_none() {
            let bytes = location.get(&entry.key, None).await.expect("read").expect("there");
            content.insert(entry.key, bytes.to_vec());
        }
    }
    content
}

/// What `list` calls complete is a backup whose bytes and certificate hold; nothing else is. Returns whether it is there.
pub(crate) async fn only_whole_backups_are_listed(repository: &Location, when: &str) -> bool {
    let repository = Repository::open(repository.clone()).await.expect("opened");
    let listed = repository.list().await.expect("listed");
    assert!(listed.len() <= 1, "{when}: {listed:?}");
    match listed.first().map(|summary| (summary.name.as_str(), summary.state)) {
        Some((NAME, BackupState::Complete)) => {
            let backup = repository.get(NAME).await.expect("opened");
            whole(&backup, when).await;
            true
        }
        // A run that could give its lease up did; a directory that was made for a lease which was never written holds no
        // file of the backup tool.
        None | Some((NAME, BackupState::InProgress | BackupState::Unfinished | BackupState::Foreign)) => {
            let error = repository.get(NAME).await.expect_err("not committed");
            assert_eq!(error.code(), "backup-not-found", "{when}: {error}");
            false
        }
        other => panic!("{when}: {other:?}"),
    }
}

/// Its certificate holds, from its bytes alone, and every byte is the one that was copied.
pub(crate) async fn whole(backup: &Backup, when: &str) {
    let repository = Repository::open(backup.repository().clone()).await.expect("opened");
    let verified = repository.verify(NAME, VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{when}: {:?}", verified.problems);
    let certificate = certify(backup.location()).await.expect("certified");
    assert!(certificate.holds(), "{when}: {}", certificate.summary());
}

/// Backs up again where a process died, to the end: the result is the source, and nothing of the dead one is left.
pub(crate) async fn resume_backup(source: &Location, repository: &Location, when: &str) {
    let done = only_whole_backups_are_listed(repository, when).await;
    let cluster = discover(source, &DiscoverOptions::default()).await.expect("discovered");
    let opened = Repository::open(repository.clone()).await.expect("opened");
    match opened.backup(&cluster, resuming()).start().await {
        Ok(_) => assert!(!done, "{when}: a finished backup was written again"),
        Err(error) => assert!(done && error.code() == "backup-exists", "{when}: {error}"),
    }
    assert!(only_whole_backups_are_listed(repository, when).await, "{when}: resumed");
    let backup = opened.get(NAME).await.expect("committed");
    assert_eq!(content(backup.location()).await, content(source).await, "{when}: the backup is the source");
    if !done {
        nothing_is_left_over(&backup, when).await;
    }
}

/// The tool's own files of a finished backup: leases, the manifest, and the lists that it names.
async fn nothing_is_left_over(backup: &Backup, when: &str) {
    let manifest = backup.manifest();
    let lists: Vec<_> = manifest.objects.iter().chain(&manifest.absent).map(|list| list.key.to_string()).collect();
    for entry in backup.location().list(OWN_DIRECTORY).await.expect("listed") {
        let key = entry.key.to_string();
        let is_claim = key.starts_with("_influx_backup/claim-");
        assert!(is_claim || key == MANIFEST_KEY || lists.contains(&key), "{when}: `{key}` is left over");
    }
    if let Some(directory) = backup.location().directory() {
        assert_eq!(staging(directory), Vec::<String>::new(), "{when}: left over");
    }
}

/// Staging files (`name#digits`) below a directory: no listing shows them.
pub(crate) fn staging(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.to_string_lossy().contains('#') {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Every directory below a directory, sorted.
pub(crate) fn directories(root: &Path) -> Vec<std::path::PathBuf> {
    let found = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(|found| found.expect("readable"));
    let directories = found.filter(|found| found.file_type().is_dir());
    directories.map(|found| found.path().strip_prefix(root).expect("below").to_owned()).collect()
}

/// What servers as old as the store, and servers of 3.10, make of a tree.
pub(crate) async fn verdicts(store: &Arc<dyn ObjectStore>, prefix: &StorePath) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for release in [Release::OfTheStore, Release::Writing(Generation::V3)] {
        let servers = servers().with_release(release);
        verdicts.push(loader::load(store, prefix, &servers).await.expect("loaded"));
    }
    verdicts
}
