//! Backup and restore of a local cluster against what a user would pick instead: `cp -r`, and rclone, s5cmd and the AWS
//! command line where they are installed.
//!
//! All take turns, round after round, so that a slow moment of the machine hits all of them; the table shows medians and
//! their ratio to `cp -r`. Two comparisons are fair: what is on disk at the end against `cp -r` and `sync`, and what is
//! left to the operating system against `cp -r` alone. A backup also lists, checks and certifies.
#![allow(clippy::print_stdout)]

mod rivals;
#[path = "../turns.rs"]
mod turns;

use std::{fs, path::Path};

use influx_backup_core::{
    BackupOptions, DiscoverOptions, Limits, Location, Repository, Restore, RestoreOptions, RestoreRunOptions,
    StoreOptions, discover,
    limits::Durability,
    testing::generate::{CompactorData, Generate},
};

use self::turns::Turns;

/// With these the cluster has some 2,000 files of `FILE` bytes.
const SNAPSHOTS: u64 = 140;
const FILES_PER_SNAPSHOT: u64 = 4;
const FILE: usize = 64 * 1024;
const ROUNDS: usize = 3;
const DURABILITIES: [(Durability, &str); 2] =
    [(Durability::Durable, "on disk at the end"), (Durability::Relaxed, "left to the system")];

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let source = scratch.path().join("source");
    let cluster = Generate::enterprise("cluster01")
        .nodes(["ingester01", "ingester02"])
        .compactor("compactor01", CompactorData::None)
        .snapshots(SNAPSHOTS)
        .files_per_snapshot(FILES_PER_SNAPSHOT)
        .parquet_size(FILE);
    let made = cluster.generate_into(&source).expect("a cluster");
    println!("{} objects, {} MiB, {ROUNDS} rounds\n", made.objects.len(), made.bytes() >> 20);

    let repository = scratch.path().join("repository");
    let to = scratch.path().join("to");
    let undo = || fs::remove_dir_all(&to).expect("the copy goes away");
    for (durability, how) in DURABILITIES {
        let mut turns = Turns::new(format!("backup, {how}"));
        turns.add("cp -r", || rivals::cp(&source, &to, durability));
        turns.add("influx-backup", || runtime.block_on(back_up(&source, &to, durability)));
        for rival in rivals::installed() {
            let source = &source;
            let to = &to;
            turns.add(rival.name, move || rival.copy(source, to));
        }
        turns.run(ROUNDS, undo);
    }
    runtime.block_on(back_up(&source, &repository, Durability::Relaxed));
    for (durability, how) in DURABILITIES {
        let mut turns = Turns::new(format!("restore, {how}"));
        turns.add("cp -r", || rivals::cp(&repository.join("bench"), &to, durability));
        turns.add("influx-backup", || runtime.block_on(bring_back(&repository, &to, durability)));
        turns.run(ROUNDS, undo);
    }
}

fn location(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

async fn back_up(from: &Path, to: &Path, durability: Durability) {
    let cluster = discover(&location(from), &DiscoverOptions::default()).await.expect("a cluster");
    let repository = Repository::open(location(to)).await.expect("a repository");
    let limits = Limits::default().with_durability(durability);
    let options = BackupOptions::default().with_name("bench").with_limits(limits);
    repository.backup(&cluster, options).start().await.expect("a backup");
}

async fn bring_back(from: &Path, to: &Path, durability: Durability) {
    let repository = Repository::open(location(from)).await.expect("a repository");
    let backup = repository.get("bench").await.expect("a backup");
    let run = RestoreRunOptions::default().with_limits(Limits::default().with_durability(durability));
    Restore::new(backup, location(to), RestoreOptions::default())
        .with_run_options(run)
        .start()
        .await
        .expect("a restore");
}
