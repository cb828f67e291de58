//! Runs drawn from seeds: how many, on how many threads, and how a failing one is shown again.
#![allow(dead_code, reason = "each test that shares this module uses a part of it")]

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

/// The seeds to run: as the environment says, or the first few.
///
/// `INFLUX_BACKUP_SEEDS=2000` runs that many, from `INFLUX_BACKUP_FIRST_SEED` on; `INFLUX_BACKUP_SEED=17` runs one.
pub(crate) fn seeds(usual: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("INFLUX_BACKUP_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("INFLUX_BACKUP_FIRST_SEED").unwrap_or(0);
            first..first + number("INFLUX_BACKUP_SEEDS").unwrap_or(usual)
        }
    }
}

/// What shows one run again: a test of the file `--test` names, built with these features.
pub(crate) fn reproduction(seed: u64, features: &str, test: &str) -> String {
    format!("INFLUX_BACKUP_SEED={seed} cargo test -p influx-backup-core {features} --test {test}")
}

/// Runs something for every seed on every core.
pub(crate) fn in_parallel<T: Send>(seeds: Range<u64>, run: impl Fn(u64) -> T + Sync) -> Vec<(u64, T)> {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let seeds =
            std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed)));
        seeds.map(|seed| (seed, run(seed))).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    })
}
