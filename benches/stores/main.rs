//! Backups to, from and within a store of S3's kind against what a user would pick instead: `aws s3 sync`, s5cmd and
//! rclone, those of them that are installed.
//!
//! `INFLUX_BACKUP_BENCH_S3=s3://bucket/prefix` names an empty place; endpoint and credentials are in the environment under
//! their usual names. `.ci/bench` starts a MinIO for it. A backup also lists again, checks every object and certifies.
#![allow(clippy::print_stdout)]

mod rivals;
#[path = "../turns.rs"]
mod turns;

use std::{env, fs};

use futures::{StreamExt, TryStreamExt, stream};
use influx_backup_core::{
    BackupOptions, DiscoverOptions, Key, Location, Repository, StoreOptions, discover,
    testing::generate::{CompactorData, Generate, Object},
};

use self::turns::Turns;

const ROUNDS: usize = 3;

fn main() {
    let (Ok(place), Ok(endpoint)) = (env::var("INFLUX_BACKUP_BENCH_S3"), env::var("AWS_ENDPOINT")) else {
        println!("stores: not run: needs INFLUX_BACKUP_BENCH_S3 and AWS_ENDPOINT; `make bench` sets them");
        return;
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let small = Generate::enterprise("cluster01")
        .nodes(["ingester01", "ingester02"])
        .compactor("compactor01", CompactorData::None)
        .snapshots(140)
        .files_per_snapshot(4)
        .parquet_size(64 << 10);
    let large = Generate::core("node01").snapshots(4).files_per_snapshot(2).parquet_size(64 << 20);
    for (what, cluster) in [("64 KiB", &small), ("64 MiB", &large)] {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| scratch.path().join(name).to_str().expect("UTF-8").to_owned();
        let files = at("source");
        let copied = at("copied");
        let source = format!("{place}/source");
        let target = format!("{place}/target");
        let made = cluster.generate_into(files.as_ref()).expect("a cluster");
        println!("{} objects, {} MiB, most of {what}, {ROUNDS} rounds\n", made.objects.len(), made.bytes() >> 20);
        runtime.block_on(fill(cluster, &source));

        for (title, from, to) in [
            ("files to store", &files, &target),
            ("store to files", &source, &copied),
            ("within the store", &source, &target),
        ] {
            let mut turns = Turns::new(title);
            for rival in rivals::installed() {
                let endpoint = &endpoint;
                turns.add(rival.name(), move || rival.copy(endpoint, from, to));
            }
            turns.add("influx-backup", || runtime.block_on(back_up(from, to)));
            turns.run(ROUNDS, || {
                let _ = fs::remove_dir_all(&copied);
                runtime.block_on(clear(&target));
            });
        }
        runtime.block_on(clear(&source));
    }
}

fn location(place: &str) -> Location {
    Location::parse(place, &StoreOptions::from_env()).expect("a location")
}

async fn fill(cluster: &Generate, place: &str) {
    let location = &location(place);
    let put = |object: Object| async move { location.put(&Key::parse(&object.key)?, object.bytes).await };
    stream::iter(cluster.objects().map(put)).buffer_unordered(8).try_for_each(|_| async { Ok(()) }).await.expect("put");
}

async fn back_up(from: &str, to: &str) {
    let cluster = discover(&location(from), &DiscoverOptions::default()).await.expect("a cluster");
    let repository = Repository::open(location(to)).await.expect("a repository");
    repository.backup(&cluster, BackupOptions::default().with_name("bench")).start().await.expect("a backup");
}

async fn clear(place: &str) {
    let location = &location(place);
    let entries = location.list("").await.expect("listed");
    let deletions = entries.into_iter().map(|entry| async move { location.delete(&entry.key).await });
    stream::iter(deletions).buffer_unordered(32).try_for_each(|_| async { Ok(()) }).await.expect("deleted");
}
