//! Backup and restore of a local cluster against what a user would pick instead: `cp -r`, and rclone, s5cmd and the AWS
//! command line where they are installed.
//!
//! All take turns, round after round, so that a slow moment of the machine hits all of them; the table shows medians and
//! their ratio to `cp -r`. Two comparisons are fair: what is on disk at the end against `cp -r` and `sync`, and what is
//! left to the operating system against `cp -r` alone. Ours lists, checks and certifies besides.
#![allow(clippy::print_stdout)]

mod rivals;
mod turns;

use std::path::Path;

use influx_backup_core::{
    BackupOptions, Discover, Limits, Location, Options, Repository, RestoreOptions, RestorePlan, Target, discover,
    execute::Durability,
    restore,
    testing::generate::{CompactorData, Generate},
};

use self::turns::Turns;

/// With these the cluster has some 2,000 files of `FILE` bytes.
const SNAPSHOTS: u64 = 140;
const FILES_PER_SNAPSHOT: u64 = 4;
const FILE: usize = 64 * 1024;
const ROUNDS: usize = 3;

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

    for durability in [Durability::Durable, Durability::Relaxed] {
        let suffix = if durability == Durability::Durable { "on disk at the end" } else { "left to the system" };
        let mut turns = Turns::new(scratch.path(), &format!("backup, {suffix}"));
        turns.add("cp -r", move |from, to| rivals::cp(from, to, durability));
        turns.add("influx-backup", |from, to| runtime.block_on(back_up(from, to, durability)));
        for rival in rivals::installed() {
            turns.add(rival.name, move |from, to| rival.copy(from, to));
        }
        turns.run(&source, ROUNDS);
    }

    let repository = scratch.path().join("repository");
    runtime.block_on(back_up(&source, &repository, Durability::Relaxed));
    for durability in [Durability::Durable, Durability::Relaxed] {
        let suffix = if durability == Durability::Durable { "on disk at the end" } else { "left to the system" };
        let mut turns = Turns::new(scratch.path(), &format!("restore, {suffix}"));
        turns.add("cp -r", move |from, to| rivals::cp(&from.join("bench"), to, durability));
        turns.add("influx-backup", |from, to| runtime.block_on(bring_back(from, to, durability)));
        turns.run(&repository, ROUNDS);
    }
}

fn location(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &Options::default()).expect("a location")
}

async fn back_up(from: &Path, to: &Path, durability: Durability) {
    let cluster = discover(&location(from), &Discover::auto()).await.expect("a cluster");
    let repository = Repository::open(location(to)).await.expect("a repository");
    let limits = Limits::default().with_durability(durability);
    let options = BackupOptions::default().with_name("bench").with_limits(limits);
    repository.backup(&cluster, options).start().await.expect("a backup");
}

async fn bring_back(from: &Path, to: &Path, durability: Durability) {
    let repository = Repository::open(location(from)).await.expect("a repository");
    let backup = repository.get("bench").await.expect("a backup");
    let target = Target::inspect(&location(to)).await.expect("a target");
    let options = RestoreOptions::default().with_limits(Limits::default().with_durability(durability));
    let plan = RestorePlan::new(&backup, &target, &options).expect("a plan");
    restore(plan).start().await.expect("a restore");
}
