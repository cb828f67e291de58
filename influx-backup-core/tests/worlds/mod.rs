//! Simulated worlds and a backup in each: what the backup owes is checked by the world's own history, in virtual time.
#![allow(dead_code, reason = "each test that shares this module uses a part of it")]

pub(crate) mod explain;
mod looks;
mod seen;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use explain::Knowledge;
use influx_backup_core::{
    BackupOptions, BackupReport, DiscoverOptions, Error, FindingCode, Job, Limits, Location, Passes, Repository,
    VerifyOptions,
    backup::Rules,
    discover,
    location::Identity,
    location::interop::object_store::{ObjectStore, memory::InMemory, path::Path},
    testing::fault::{Decay, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
};
use influx_backup_testing::model::{Model, ModelOptions, Violation, invariant, read_back, read_back::LoadedRows};
use looks::Look;
use tokio_util::sync::CancellationToken;

/// A kind of world.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) options: ModelOptions,
    pub(crate) weather: Weather,
}

/// What goes wrong between a backup and its stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Whatever the seed picks.
    BadDay,
    /// Nothing fails; copies take a while, and half of the listings are slow ones.
    Slow,
}

impl World {
    /// The world of a seed as CI runs it.
    pub(crate) fn of(seed: u64) -> Self {
        let options = if seed.is_multiple_of(5) { ModelOptions::core() } else { ModelOptions::default() };
        Self { options, weather: Weather::BadDay }
    }
}

impl Weather {
    fn plan(self, seed: u64) -> FaultPlan {
        match self {
            Self::BadDay => FaultPlan::bad_day(seed),
            Self::Slow => {
                let pause = Duration::from_millis(2 + seed * 7 % 60);
                let list = Fault::SlowList { page: 5, pause: pause / 4 };
                let list = Rule::new(Scope::of(Op::List), When::Chance(0.5), list);
                FaultPlan::seeded(seed).latency(pause / 2..pause).with(list)
            }
        }
    }
}

/// What becomes of the objects of a backup after they were copied: in some worlds a few are lost, cut, replaced, or written
/// once more by a request that arrives late.
fn decay(seed: u64, weather: Weather) -> FaultPlan {
    let plan = FaultPlan::seeded(seed ^ 0xdeca);
    if weather != Weather::BadDay || !seed.is_multiple_of(3) {
        return plan;
    }
    let all = [Decay::Lost, Decay::Truncated, Decay::Replaced, Decay::WrittenAgain];
    let after = Duration::ZERO..Duration::from_millis(1 + seed % 700);
    let objects = || Scope::of(Op::Put).below("n1/").outside("_influx_backup");
    all.into_iter().fold(plan, |plan, into| {
        let fault = Fault::Decay { into, after: after.clone() };
        plan.with(Rule::new(objects(), When::Chance(0.02), fault).at_most(1))
    })
}

/// Whether some writes and deletions of a backup arrive long after they were given up and made again.
fn has_late_arrivals(seed: u64, weather: Weather) -> bool {
    weather == Weather::BadDay && seed % 4 == 1
}

/// The longest time after which one arrives.
const LATEST: Duration = Duration::from_secs(55);

fn late_arrivals(seed: u64, weather: Weather, plan: FaultPlan) -> FaultPlan {
    if !has_late_arrivals(seed, weather) {
        return plan;
    }
    let objects = Scope::of(Op::Put).or(Op::Delete).below("n1/").outside("_influx_backup");
    let late = Fault::Late(Duration::from_secs(1)..LATEST);
    plan.with(Rule::new(objects, When::Chance(0.05), late).at_most(3))
}

/// Whether an object decayed when the backup was looked at for the last time or later: no run can see that.
fn decayed_too_late(vault: &FaultyStore) -> bool {
    let log = vault.log();
    let last_look = log.iter().rev().find(|entry| entry.op == Op::List && entry.path == "n1").map(|entry| entry.at);
    last_look.is_some_and(|look| vault.decays().iter().any(|(at, _)| *at >= look))
}

/// What became of one world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Closed {
        passes: usize,
        /// How often each thing happened while the backup ran.
        seen: BTreeMap<String, u64>,
    },
    /// The certificate did not close, and the backup reported it: the world was as the certificate shows.
    Open {
        /// What it says.
        violations: BTreeSet<FindingCode>,
    },
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The backup failed, and should not have.
    Failed(String),
    /// Its objects are not what its manifest says.
    Differs(String),
    /// No server starts on it.
    DoesNotStart(String),
    /// Rows are lost, or are back, or were never written.
    Rows(Violation),
    /// It shows less, or more, than its certificate says.
    Certificate(String),
    /// A certificate says what the world does not show.
    MadeUp(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => write!(f, "the backup failed: {why}"),
            Self::Differs(why) => write!(f, "the backup holds something else than its manifest says: {why}"),
            Self::DoesNotStart(why) => write!(f, "a server does not start: {why}"),
            Self::Rows(violation) => violation.fmt(f),
            Self::Certificate(why) => write!(f, "the certificate is wrong: {why}"),
            Self::MadeUp(what) => write!(f, "a certificate makes something up: {what}"),
        }
    }
}

pub(crate) fn location(store: Arc<dyn ObjectStore>, base: Path) -> Location {
    Location::with_store(store, base, Identity::Test)
}

/// How many passes a backup has.
const PASSES: u32 = 15;

fn prefix() -> Path {
    Path::from("bucket/data")
}

/// Runs a world of this seed and backs it up by these rules.
pub(crate) fn run(seed: u64, world: &World, rules: &Rules) -> Result<Ending, Wrong> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(live(seed, world, rules))
}

/// Lets a world of this seed live for a while without a backup.
pub(crate) fn let_live(seed: u64, world: &World, time: Duration) -> Model {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let model = Model::new(seed, world.options.clone());
        let stop = CancellationToken::new();
        let lives = model.run(Arc::new(InMemory::new()), prefix(), stop.clone());
        tokio::join!(lives, async {
            tokio::time::sleep(time).await;
            stop.cancel();
        });
        model
    })
}

async fn live(seed: u64, world: &World, rules: &Rules) -> Result<Ending, Wrong> {
    let model = Model::new(seed, world.options.clone());
    let bucket = Arc::new(InMemory::new());
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let model = model.clone();
        let bucket = Arc::clone(&bucket);
        let stop = stop.clone();
        async move { model.run(bucket, prefix(), stop).await }
    });
    tokio::time::sleep(model.suggested_start()).await;
    let vault = FaultyStore::new(Arc::new(InMemory::new()), decay(seed, world.weather));
    let began = model.now();
    let before = model.history().happened;
    let source = FaultyStore::new(bucket, world.weather.plan(seed));
    let (backup, looks) = back_up(seed, &source, Arc::new(vault.clone()), &model, world.weather, rules).await;
    let ended = model.now();
    let is_late = decayed_too_late(&vault);
    let has_decayed = !vault.decays().is_empty();
    vault.heal();
    stop.cancel();
    running.await.expect("the model does not panic");
    let history = model.history();
    let knowledge = Knowledge { model: &model, objects: &history.objects, began };
    let has_late_arrivals = has_late_arrivals(seed, world.weather);
    if has_late_arrivals {
        tokio::time::sleep(LATEST).await;
    }
    if *rules == Rules::STANDARD && !has_decayed && !has_late_arrivals {
        // What was read of objects that decayed, or were replaced, is not the world's, and is put right by another pass. Without a rule certificates may say whatever they like: what counts is what becomes of the rows.
        looks::nothing_is_made_up(&knowledge, &looks)?;
    }
    let report = match backup {
        Ok(report) => report,
        Err(error) => return looks::refused(&error, &knowledge, &looks),
    };
    if is_late {
        let seen = seen::seen(&report, &model, &before, &source.log(), began, ended);
        return Ok(Ending::Closed { passes: report.passes.len(), seen });
    }
    let restored = check(&report, vault.inner(), &model, began, ended).await?;
    looks::nothing_is_missed(&knowledge, &looks, restored.missing.into_iter().map(|file| file.path))?;
    let seen = seen::seen(&report, &model, &before, &source.log(), began, ended);
    Ok(Ending::Closed { passes: report.passes.len(), seen })
}

async fn back_up(
    seed: u64,
    source: &FaultyStore,
    vault: Arc<dyn ObjectStore>,
    model: &Model,
    weather: Weather,
    rules: &Rules,
) -> (Result<BackupReport, Error>, Vec<Look>) {
    let began = model.now();
    let mut looks = Vec::new();
    let report = match start(seed, source, vault, model, weather, rules).await {
        Ok(job) => {
            looks = looks::watch(&job, model, began).await;
            job.await
        }
        Err(error) => Err(error),
    };
    (report, looks)
}

async fn start(
    seed: u64,
    source: &FaultyStore,
    vault: Arc<dyn ObjectStore>,
    model: &Model,
    weather: Weather,
    rules: &Rules,
) -> Result<Job<BackupReport>, Error> {
    let source = location(Arc::new(source.clone()), prefix());
    let plan = late_arrivals(seed, weather, weather.plan(seed ^ 0xfeed));
    let target = location(Arc::new(FaultyStore::new(vault, plan)), Path::default());
    let what = match model.compactor_id() {
        Some(_) => DiscoverOptions::default().with_cluster_id(model.cluster_id()),
        None => DiscoverOptions::default(),
    };
    let cluster = discover(&source, &what).await?;
    let repository = Repository::open(target).await?;
    let mut limits = Limits::default().with_concurrency(1 + usize::try_from(seed % 8).expect("small"));
    if has_late_arrivals(seed, weather) {
        limits = limits.with_stall_timeout(Duration::from_millis(500));
    }
    let options = BackupOptions::default()
        .with_name("n1")
        .with_passes(Passes::until_closed(PASSES, Duration::from_secs(3600)))
        .with_limits(limits);
    Ok(repository.backup(&cluster, options).with_rules(rules.clone()).start())
}

/// Reads the backup as a server would, and compares it with the world's history and with the certificate.
async fn check(
    report: &BackupReport,
    vault: Arc<dyn ObjectStore>,
    model: &Model,
    began: Duration,
    ended: Duration,
) -> Result<LoadedRows, Wrong> {
    let certificate = &report.certificate;
    let mut tree = read_back::collect(vault.as_ref(), &Path::from("n1")).await.expect("memory answers");
    tree.retain(|key, _| !key.starts_with("_influx_backup/"));
    let restored = read_back::load(&tree).map_err(|error| Wrong::DoesNotStart(error.to_string()))?;
    let reached: BTreeMap<String, u64> = certificate
        .recovery
        .iter()
        .map(|point| {
            let guaranteed = point.guaranteed.as_ref().map_or(0, |guaranteed| guaranteed.wal);
            (point.node.clone(), point.reached.as_ref().map_or(guaranteed, |reached| reached.wal))
        })
        .collect();
    invariant(&model.history(), began, ended, &restored, &reached).map_err(Wrong::Rows)?;
    // The recovery point is true: up to it nothing is missing, whenever it was written.
    let history = model.history();
    let mut promised = history.rows.iter().filter(|row| {
        let stays = history.removed_at(row).is_none_or(|time| time > ended);
        stays && row.acknowledged.is_some() && reached.get(&row.node).is_some_and(|reached| row.wal <= *reached)
    });
    if let Some(row) = promised.find(|row| !restored.rows.contains(&row.id)) {
        return Err(Wrong::Certificate(format!("it reaches beyond row {} of {} (WAL {})", row.id, row.node, row.wal)));
    }
    if !restored.unreadable.is_empty() {
        return Err(Wrong::DoesNotStart(format!("files that cannot be read: {:?}", restored.unreadable)));
    }
    // With a checkpoint a server forgets older manifests, and with them files that no manifest lists as removed; the
    // certificate folds them all.
    let has_checkpoint = tree.keys().any(|key| key.contains("/snapshot-checkpoints/"));
    let shown = restored.missing.len() as u64;
    let certified = certificate.absent_files();
    if shown > certified || (shown != certified && !has_checkpoint) {
        let missing = &restored.missing;
        return Err(Wrong::Certificate(format!("{certified} files are absent by it, these are: {missing:?}")));
    }
    if Some(restored.catalog) != certificate.catalog_sequence {
        let certified = certificate.catalog_sequence;
        return Err(Wrong::Certificate(format!("catalog {certified:?} by it, {} is loaded", restored.catalog)));
    }
    for (node, loaded) in &restored.nodes {
        let point = certificate.recovery.iter().find(|point| point.node == *node);
        let snapshot = point.and_then(|point| point.guaranteed.as_ref()).map(|guaranteed| guaranteed.snapshot);
        if snapshot != loaded.snapshot {
            let loaded = loaded.snapshot;
            return Err(Wrong::Certificate(format!("{node}: snapshot {snapshot:?} by it, {loaded:?} is loaded")));
        }
    }
    // Last: it judges the clauses again, and what a server makes of the backup is evidence that does not depend on them.
    let backup = Repository::open(location(Arc::clone(&vault), Path::default())).await;
    let verified = async { backup?.verify(&report.name, VerifyOptions::bytes()).await };
    let problems = verified.await.map_err(|error| Wrong::Differs(error.to_string()))?.problems;
    if !problems.is_empty() {
        return Err(Wrong::Differs(format!("{problems:?}")));
    }
    Ok(restored)
}
