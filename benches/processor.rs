//! What the processor does for 100,000 objects, all of them in memory: listing, plan, certificate, tables, checksums.
#![allow(missing_docs)]

use std::{cmp::Ordering, hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use influx_backup_core::{
    BackupPlan, Cluster, DiscoverOptions, Key, Location, certify,
    checksum::Crc64,
    discover,
    location::{
        ObjectMeta, ObjectTable, Version,
        interop::{self, object_store::path::Path},
    },
    options::Derived,
    testing::generate::Generate,
};
use tokio::runtime::Runtime;

const SNAPSHOTS: u64 = 500;
const FILES_PER_SNAPSHOT: u64 = 200;

fn cluster(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let (location, cluster) = runtime.block_on(made());
    let inventory = runtime.block_on(async { cluster.list().await }).expect("an inventory");

    let mut group = criterion.benchmark_group("cluster of 100,000 files");
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

fn tables(criterion: &mut Criterion) {
    const OBJECTS: u64 = 100_000;
    let version = Version::new(std::time::SystemTime::UNIX_EPOCH.into());
    let object = |number: u64| {
        let key = format!("node01/dbs/1/{}/2026-01-02/{:02}-00/{number:010}.parquet", number % 20, number % 24);
        ObjectMeta::new(Key::parse(&key).expect("a key"), number, version.clone())
    };
    // Each misses a tenth of what the other has.
    let [objects, others] =
        [0, 5].map(|missing| (0..OBJECTS).filter(|number| number % 10 != missing).map(object).collect::<Vec<_>>());
    let table: ObjectTable = objects.iter().cloned().collect();
    let other: ObjectTable = others.iter().cloned().collect();

    let mut group = criterion.benchmark_group("tables of 90,000 objects");
    group.sample_size(20).throughput(Throughput::Elements(table.len() as u64));
    group.bench_function("build", |bencher| bencher.iter(|| objects.iter().cloned().collect::<ObjectTable>()));
    group.bench_function("read", |bencher| bencher.iter(|| table.iter().map(|object| object.size).sum::<u64>()));
    group.bench_function("merge", |bencher| bencher.iter(|| differing(&table, &other)));
    group.bench_function("get each", |bencher| {
        bencher.iter(|| objects.iter().filter(|object| table.get(&object.key).is_some()).count());
    });
    group.finish();
}

/// How many keys only one of the two has, as every question about two listings is answered.
fn differing(one: &ObjectTable, other: &ObjectTable) -> usize {
    let (mut ones, mut others) = (one.iter().peekable(), other.iter().peekable());
    let mut count = 0;
    loop {
        let order = match (ones.peek(), others.peek()) {
            (Some(one), Some(other)) => one.key.as_str().cmp(other.key.as_str()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return count,
        };
        count += usize::from(order.is_ne());
        if order.is_le() {
            ones.next();
        }
        if order.is_ge() {
            others.next();
        }
    }
}

fn checksums(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checksum");
    for (name, size) in [("CRC-64 of 64 KiB", 64 << 10), ("CRC-64 of 8 MiB", 8 << 20)] {
        let bytes = vec![7; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(name, |bencher| bencher.iter(|| Crc64::of(black_box(&bytes))));
    }
    group.finish();
}

criterion_group!(all, cluster, tables, checksums);
criterion_main!(all);
