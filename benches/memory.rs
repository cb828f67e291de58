//! What an inventory and a plan of 100,000 objects take in memory, per object (Linux only).
#![allow(clippy::print_stdout)]

use std::fs;

use influx_backup_core::{
    BackupPlan, DiscoverOptions, Location, StoreOptions, discover, options::Derived, testing::generate::Generate,
};

const SNAPSHOTS: u64 = 500;
const FILES_PER_SNAPSHOT: u64 = 200;

fn main() {
    if resident("VmHWM").is_none() {
        println!("memory: not run: needs /proc/self/status");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let scratch = tempfile::tempdir().expect("a temporary directory");
    // Tiny files on disk, so that their bytes are not counted.
    let recipe = Generate::core("node01").snapshots(SNAPSHOTS).files_per_snapshot(FILES_PER_SNAPSHOT).parquet_size(64);
    recipe.generate_into(scratch.path()).expect("a cluster");
    let path = scratch.path().to_str().expect("UTF-8");
    let location = Location::parse(path, &StoreOptions::default()).expect("a location");

    let cluster =
        runtime.block_on(async { discover(&location, &DiscoverOptions::default()).await }).expect("a cluster");
    let before = reset();
    let inventory = runtime.block_on(async { cluster.list().await }).expect("an inventory");
    let listed = resident("VmHWM").unwrap_or_default();
    let plan = BackupPlan::new(cluster.description(), &inventory, Derived::Exclude);
    let planned = resident("VmHWM").unwrap_or_default();
    drop(inventory);

    let objects = plan.objects();
    let each = |bytes: u64| bytes.saturating_sub(before) / objects;
    println!(
        "memory, {objects} objects: inventory {} bytes each, with the plan {} bytes each",
        each(listed),
        each(planned)
    );
    println!("peak of the process: {} MiB, {} MiB of it before", planned >> 20, before >> 20);
}

/// A line of `/proc/self/status`, in bytes.
fn resident(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Forgets the peak so far, where the kernel allows it, and says what is resident now.
fn reset() -> u64 {
    let _ = fs::write("/proc/self/clear_refs", "5");
    resident("VmRSS").unwrap_or_default()
}
