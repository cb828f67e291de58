//! Backups of simulated clusters while they live, fail and are written to: whatever was acknowledged before a backup began
//! is in it, nothing else is, and the certificate says what the world's own history shows.
//!
//! `INFLUX_BACKUP_SEEDS=2000` runs that many worlds, from `INFLUX_BACKUP_FIRST_SEED` on; `INFLUX_BACKUP_SEED=17` runs one.
#![cfg(feature = "testing")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use influx_backup_core::{
    BackupOptions, BackupReport, Clause, Discover, Error, Level, Limits, Location, Passes, Repository,
    backup::Weakness,
    discover,
    location::Identity,
    object_store::{ObjectStore, memory::InMemory, path::Path},
    testing::{
        fault::{FaultPlan, FaultyStore},
        model::{Model, ModelOptions, invariant, read_back},
    },
};
use tokio_util::sync::CancellationToken;

/// How many worlds are run where nobody says; CI runs 2,000 in an optimised build.
const SEEDS: u64 = 60;

fn prefix() -> Path {
    Path::from("bucket/data")
}

fn location(store: Arc<dyn ObjectStore>, base: Path) -> Location {
    Location::with_store(store, base, Identity::Test)
}

/// A run in virtual time.
fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(run)
}

/// What became of one world.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Closed {
        passes: usize,
    },
    /// The certificate did not close in time, and the backup said so.
    Open,
}

async fn world(seed: u64, weakness: Option<Weakness>) -> Result<Ending, String> {
    let options = if seed.is_multiple_of(5) { ModelOptions::core() } else { ModelOptions::default() };
    let model = Model::new(seed, options);
    let (bucket, stop) = (Arc::new(InMemory::new()), CancellationToken::new());
    let running = tokio::spawn({
        let (model, bucket, stop) = (model.clone(), Arc::clone(&bucket), stop.clone());
        async move { model.run(bucket, prefix(), stop).await }
    });
    tokio::time::sleep(model.suggested_start()).await;
    let vault = Arc::new(InMemory::new());
    let began = model.now();
    let backup = back_up(seed, Arc::clone(&bucket) as _, Arc::clone(&vault) as _, &model, weakness).await;
    let ended = model.now();
    stop.cancel();
    running.await.expect("the model does not panic");
    let report = match backup {
        Ok(report) => report,
        Err(Error::NotConsistent { .. }) => return Ok(Ending::Open),
        // A node that crashed amid a snapshot and stays down: its files do not fit its manifests until it is back.
        Err(Error::CorruptSource { reason, .. }) if reason.contains("its manifest says") => return Ok(Ending::Open),
        Err(error) => return Err(format!("{error}: {:?}", std::error::Error::source(&error))),
    };
    check(&report, vault, &model, began, ended).await?;
    Ok(Ending::Closed { passes: report.passes.len() })
}

async fn back_up(
    seed: u64,
    bucket: Arc<dyn ObjectStore>,
    vault: Arc<dyn ObjectStore>,
    model: &Model,
    weakness: Option<Weakness>,
) -> Result<BackupReport, Error> {
    let source = location(Arc::new(FaultyStore::new(bucket, FaultPlan::bad_day(seed))), prefix());
    let target = location(Arc::new(FaultyStore::new(vault, FaultPlan::bad_day(seed ^ 0xfeed))), Path::default());
    let what = match model.compactor_id() {
        Some(_) => Discover::auto().with_cluster_id(model.cluster_id()),
        None => Discover::auto(),
    };
    let cluster = discover(&source, &what).await?;
    let repository = Repository::open(target).await?;
    let options = BackupOptions::default()
        .with_name("n1")
        .with_passes(Passes::until_closed(15, Duration::from_secs(3600)))
        .with_limits(Limits::default().with_concurrency(1 + usize::try_from(seed % 8).expect("small")));
    let options = weakness.map_or(options.clone(), |weakness| options.weakened(weakness));
    repository.backup(&cluster, options).start().await
}

/// Reads the backup as a server would, and compares it with the world's history and with the certificate.
async fn check(
    report: &BackupReport,
    vault: Arc<dyn ObjectStore>,
    model: &Model,
    began: Duration,
    ended: Duration,
) -> Result<(), String> {
    let certificate = &report.certificate;
    let backup = Repository::open(location(Arc::clone(&vault), Path::default())).await;
    let verified = async { backup?.verify(&report.name, Level::Listing).await };
    let problems = verified.await.map_err(|error| error.to_string())?.problems;
    if !problems.is_empty() {
        return Err(format!("the backup holds something else than its manifest says: {problems:?}"));
    }
    let mut tree = read_back::collect(vault.as_ref(), &Path::from("n1")).await.map_err(|error| error.to_string())?;
    tree.retain(|key, _| !key.starts_with("_influx_backup/"));
    let restored = read_back::load(&tree).map_err(|error| format!("a server does not start: {error:?}"))?;
    let reached: BTreeMap<String, u64> = certificate
        .recovery
        .iter()
        .map(|point| {
            let guaranteed = point.guaranteed.as_ref().map_or(0, |guaranteed| guaranteed.wal);
            (point.node.clone(), point.reached.as_ref().map_or(guaranteed, |reached| reached.wal))
        })
        .collect();
    invariant(&model.history(), began, ended, &restored, &reached).map_err(|violation| format!("{violation:?}"))?;
    if !restored.unreadable.is_empty() {
        return Err(format!("the compactor's files do not hold together: {:?}", restored.unreadable));
    }
    // With a checkpoint a server forgets older manifests, and with them files that no manifest lists as removed; the
    // certificate folds them all.
    let has_checkpoint = tree.keys().any(|key| key.contains("/snapshot-checkpoints/"));
    let (shown, said) = (restored.missing.len() as u64, certificate.absent_files());
    if shown > said || (shown != said && !has_checkpoint) {
        let (shown, said) = (&restored.missing, certificate.absent_files());
        return Err(format!("{said} files are absent by the certificate, these are: {shown:?}"));
    }
    if Some(restored.catalog) != certificate.catalog_sequence {
        return Err(format!("catalog {} against {:?}", restored.catalog, certificate.catalog_sequence));
    }
    for (node, loaded) in &restored.nodes {
        let point = certificate.recovery.iter().find(|point| point.node == *node);
        let snapshot = point.and_then(|point| point.guaranteed.as_ref()).map(|guaranteed| guaranteed.snapshot);
        if snapshot != loaded.snapshot {
            return Err(format!("{node}: snapshot {snapshot:?} by the certificate, {:?} is loaded", loaded.snapshot));
        }
    }
    Ok(())
}

/// The seeds to run: as the environment says, or the first `few`.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("INFLUX_BACKUP_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("INFLUX_BACKUP_FIRST_SEED").unwrap_or(0);
            first..first + number("INFLUX_BACKUP_SEEDS").unwrap_or(few)
        }
    }
}

/// Runs something for every seed on every core.
fn in_parallel<T: Send>(seeds: std::ops::Range<u64>, run: impl Fn(u64) -> T + Sync) -> Vec<(u64, T)> {
    let (next, threads) = (AtomicU64::new(seeds.start), std::thread::available_parallelism().map_or(1, usize::from));
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

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_made_up() {
    let endings = in_parallel(seeds(SEEDS), |seed| in_virtual_time(world(seed, None)));
    let failures: Vec<_> = endings
        .iter()
        .filter_map(|(seed, ending)| ending.as_ref().err().map(|why| format!("INFLUX_BACKUP_SEED={seed}: {why}")))
        .collect();
    assert!(failures.is_empty(), "{} of {} worlds:\n{}", failures.len(), endings.len(), failures.join("\n"));
    let open = endings.iter().filter(|(_, ending)| *ending == Ok(Ending::Open)).count();
    assert!(open * 20 <= endings.len(), "{open} of {} backups did not close", endings.len());
    let several = endings.iter().filter(|(_, e)| matches!(e, Ok(Ending::Closed { passes }) if *passes > 1)).count();
    assert!(endings.len() < 20 || several > 0, "no world needed a second pass: the worlds do not bite");
}

/// The rules that are turned off one by one; those whose worlds are rare have tests of their own in `bad_sources.rs`.
const WEAKNESSES: [Weakness; 6] = [
    Weakness::DocumentedOrder,
    Weakness::CatalogFirst,
    Weakness::NoTrim,
    Weakness::Ignores(Clause::Closure),
    Weakness::Ignores(Clause::Wal),
    Weakness::Ignores(Clause::Catalog),
];

/// Each rule is needed: without it some world loses rows, shows rows it should not, makes the certificate wrong, or never
/// closes although it does with the rule.
#[test]
fn without_a_rule_the_worlds_bite() {
    let tries = seeds(300);
    let harmless = in_parallel(0..WEAKNESSES.len() as u64, |index| {
        let weakness = WEAKNESSES[usize::try_from(index).expect("small")];
        let bites = |seed: &u64| match in_virtual_time(world(*seed, Some(weakness))) {
            Err(_) => true,
            Ok(Ending::Open) => in_virtual_time(world(*seed, None)).is_ok_and(|ending| ending != Ending::Open),
            Ok(Ending::Closed { .. }) => false,
        };
        tries.clone().find(bites).is_none().then_some(weakness)
    });
    let harmless: Vec<_> = harmless.into_iter().filter_map(|(_, weakness)| weakness).collect();
    assert!(harmless.is_empty(), "no world fails without {harmless:?}");
}
