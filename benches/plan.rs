//! Plan and certificate of a cluster of 100,000 Parquet files, its objects in memory: what the processor does, no disk.
#![allow(missing_docs)]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use influx_backup_core::{
    BackupPlan, Cluster, DiscoverOptions, Location, certify, discover,
    location::interop::{self, object_store::path::Path},
    options::Derived,
    testing::generate::Generate,
};
use tokio::runtime::Runtime;

const SNAPSHOTS: u64 = 500;
const FILES_PER_SNAPSHOT: u64 = 200;

fn benches(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let (location, cluster) = runtime.block_on(made());
    let inventory = runtime.block_on(async { cluster.list().await }).expect("an inventory");

    let mut group = criterion.benchmark_group("100,000 files");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10))
        .throughput(Throughput::Elements(inventory.objects()));
    group.bench_function("list", |bencher| {
        bencher.iter(|| runtime.block_on(async { cluster.list().await }).expect("an inventory"))
    });
    group.bench_function("plan", |bencher| {
        bencher.iter(|| BackupPlan::new(cluster.description(), &inventory, Derived::Exclude));
    });
    let plan = BackupPlan::new(cluster.description(), &inventory, Derived::Exclude);
    group.bench_function("hash of the plan", |bencher| bencher.iter(|| plan.hash()));
    group.bench_function("certify", |bencher| {
        bencher.iter(|| runtime.block_on(async { certify(&location).await }).expect("a certificate"));
    });
    group.finish();
}

async fn made() -> (Location, Cluster) {
    let location = Location::in_memory();
    let recipe = Generate::core("node01").snapshots(SNAPSHOTS).files_per_snapshot(FILES_PER_SNAPSHOT).parquet_size(64);
    recipe.write_to(interop::store(&location), &Path::default()).await.expect("a cluster");
    let cluster = discover(&location, &DiscoverOptions::default()).await.expect("a cluster");
    (location, cluster)
}

criterion_group!(all, benches);
criterion_main!(all);
