//! How many bytes of memory each further object costs, verb by verb, as an allocator counts them.
//!
//! Two clusters, one with many more objects: what both need does not count. A test of its own, as every other one would
//! be counted, too, and one that runs where it is asked for: `.ci/test` does, in an optimized build.
#![allow(clippy::print_stdout, reason = "the figures are worth reading also where they pass")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use influx_backup_core::{
    BackupOptions, BackupPlan, ByteSize, DiscoverOptions, Limits, Location, Repository, Restore, RestoreOptions,
    RestoreRunOptions, StoreOptions, VerifyLevel, VerifyOptions, certify, discover,
    limits::Durability,
    options::{CertifyOptions, Derived},
    testing::generate::{CompactorData, Generate},
};

/// Counts the bytes that are allocated now, and the most that ever were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(now, Ordering::Relaxed);
}

#[allow(unsafe_code, reason = "an allocator is unsafe by its trait; this one only counts")]
// SAFETY: every call goes on to the allocator of the system, with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The verbs, and how many bytes each further object may cost them.
const VERBS: [(&str, usize); 8] = [
    ("list and plan", 75),
    ("backup", 160),
    ("second backup", 165),
    ("open", 65),
    ("certify", 125),
    ("verify by listing", 105),
    ("verify by bytes", 110),
    ("restore", 130),
];

/// How many snapshots the smaller cluster has, each with four Parquet files, a manifest and four files of the compactor: more
/// objects than a segment of a list has.
const FEW: u64 = 2_500;

/// The same of the larger one, which has 200,000 objects.
const MANY: u64 = 22_240;

/// The most that work needs beyond what was there before.
async fn most<T>(work: impl Future<Output = T>) -> (usize, T) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let done = work.await;
    (MOST.load(Ordering::Relaxed) - before, done)
}

fn location(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

fn limits() -> Limits {
    Limits::default().with_durability(Durability::Relaxed).with_memory(ByteSize::mib(16))
}

/// How many objects a cluster has, and the most that each verb needs for it.
async fn measure(snapshots: u64) -> (u64, Vec<usize>) {
    let scratch = tempfile::tempdir().expect("a directory");
    let source = scratch.path().join("source");
    let cluster = Generate::enterprise("cluster01").nodes(["ingester01"]);
    let cluster = cluster.compactor("compactor01", CompactorData::None).snapshots(snapshots);
    cluster.parquet_size(64).generate_into(&source).expect("a cluster");
    let repository = location(&scratch.path().join("repository"));
    let options = || BackupOptions::default().with_limits(limits());
    let mut needed = Vec::new();

    let found = discover(&location(&source), &DiscoverOptions::default()).await.expect("a cluster");
    let (bytes, plan) = most(async {
        let inventory = found.list().await.expect("listed");
        BackupPlan::new(found.description(), &inventory, Derived::Exclude)
    })
    .await;
    needed.push(bytes);
    let objects = plan.objects();
    drop(plan);

    let repository = Repository::open(repository).await.expect("a repository");
    for name in ["b1", "b2"] {
        let backup = repository.backup(&found, options().with_name(name)).start();
        let (bytes, report) = most(backup).await;
        assert_eq!(report.expect("a backup").objects, objects);
        needed.push(bytes);
    }
    let (bytes, backup) = most(repository.get("b1").start()).await;
    needed.push(bytes);
    let backup = backup.expect("opened");
    let options = CertifyOptions::default().with_limits(limits());
    let (bytes, certificate) = most(certify(backup.location()).with_options(options).start()).await;
    assert!(certificate.expect("certified").holds());
    needed.push(bytes);
    drop(backup);
    for level in [VerifyLevel::Listing, VerifyLevel::Bytes] {
        let options = VerifyOptions::at(level).with_limits(limits());
        let (bytes, report) = most(repository.verify("b1", options).start()).await;
        assert!(report.expect("verified").passed());
        needed.push(bytes);
    }
    let backup = repository.get("b1").await.expect("opened");
    let target = location(&scratch.path().join("target"));
    let run = RestoreRunOptions::default().with_limits(limits());
    let restore = Restore::new(backup, target, RestoreOptions::default()).with_run_options(run);
    let (bytes, report) = most(restore.start()).await;
    assert_eq!(report.expect("restored").objects, objects);
    needed.push(bytes);
    (objects, needed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_further_object_costs_few_bytes() {
    let (few, small) = measure(FEW).await;
    let (many, large) = measure(MANY).await;
    let further = usize::try_from(many - few).expect("a number");
    let mut costs = Vec::new();
    for ((verb, limit), (small, large)) in VERBS.iter().zip(small.into_iter().zip(large)) {
        let each = large.saturating_sub(small) / further;
        println!("{verb}: {each} bytes a further object, {} KiB for {many}", large >> 10);
        costs.push((verb, each, limit));
    }
    let too_many: Vec<_> = costs.iter().filter(|(_, each, limit)| each > limit).collect();
    assert!(too_many.is_empty(), "{too_many:?}");
}
