use std::{
    collections::{BTreeMap, VecDeque},
    error::Error as _,
    iter::successors,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures::StreamExt;
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{
    Location, StoreOptions,
    checksum::Crc64,
    copier::{CopyContext, CopyRequest, default_copiers},
    error::{CopySide, StoreErrorKind},
    job::{Job, spawn},
    key::Key,
    layout::Component,
    limits::{Durability, Retry},
    plan::{PlaceRole, StageKind},
    testing::fault::{Fault, FaultPlan, FaultyStore, Rule, Scope, When},
};

/// What a scripted copier does with one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Copy,
    /// Reports a copy, and does nothing.
    Lie,
    /// Copies half of it.
    Half,
    Fail(StoreErrorKind),
    Stall,
    Vanish,
    Change,
    Refuse,
    /// Fails, and deletes the target 30 seconds later.
    CleanUpLate,
    /// Finds no source, and cleans up for 30 seconds.
    VanishAndCleanUp,
    /// Ignores cancellation too.
    Hang,
    Panic,
    /// Fails for a reason of its own.
    GiveUp,
}

/// Follows a script per object and attempt; the last act is repeated, `Copy` without a script.
#[derive(Debug, Default)]
struct Scripted {
    acts: Mutex<BTreeMap<String, VecDeque<Act>>>,
    attempts: Mutex<BTreeMap<String, u32>>,
    takes: Duration,
    running: AtomicUsize,
    peak: AtomicUsize,
}

impl Scripted {
    fn new(acts: &[(&str, &[Act])]) -> Self {
        let acts = acts.iter().map(|(name, acts)| ((*name).to_owned(), acts.iter().copied().collect())).collect();
        Self { acts: Mutex::new(acts), ..Self::default() }
    }

    fn attempts(&self, name: &str) -> u32 {
        self.attempts.lock().expect("unpoisoned").get(name).copied().unwrap_or(0)
    }

    fn next(&self, name: &str) -> Act {
        *self.attempts.lock().expect("unpoisoned").entry(name.to_owned()).or_default() += 1;
        let mut acts = self.acts.lock().expect("unpoisoned");
        let Some(acts) = acts.get_mut(name) else { return Act::Copy };
        if acts.len() > 1 { acts.pop_front().expect("two or more") } else { *acts.front().expect("one") }
    }
}

#[async_trait]
impl Copier for Scripted {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(running, Ordering::SeqCst);
        sleep(self.takes).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        let size = request.source.size;
        let store = |kind| CopyError::store(CopySide::Target, "put", kind, "scripted");
        let put = |length: u64| {
            let bytes = Bytes::from(vec![7; usize::try_from(length).expect("small")]);
            async move { request.to.put(&request.target, bytes).await.expect("memory") }
        };
        match self.next(request.source.key.as_str()) {
            Act::Copy => {
                context.bandwidth.take(size).await;
                put(size).await;
                (context.progress)(size);
                Ok(Copied::read_through(size, Crc64(0), "scripted"))
            }
            Act::Lie => Ok(Copied::unverified(size, "scripted")),
            Act::Half => {
                put(size / 2).await;
                (context.progress)(size / 2);
                Ok(Copied::unverified(size, "scripted"))
            }
            Act::Fail(kind) => Err(store(kind)),
            Act::Stall => Err(CopyError::stalled(context.stall_timeout)),
            Act::GiveUp => Err(CopyError::failed(std::fmt::Error)),
            Act::Vanish => Err(CopyError::Vanished),
            Act::Change => Err(CopyError::Changed),
            Act::Refuse => Err(CopyError::Unsupported),
            Act::CleanUpLate => {
                let to = request.to.clone();
                let target = request.target.clone();
                context.clean_ups.spawn(async move {
                    sleep(Duration::from_secs(30)).await;
                    to.delete(&target).await.expect("memory");
                });
                Err(CopyError::stalled(context.stall_timeout))
            }
            Act::VanishAndCleanUp => {
                context.clean_ups.spawn(sleep(Duration::from_secs(30)));
                Err(CopyError::Vanished)
            }
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("scripted"),
        }
    }
}

type Outcomes = Arc<Mutex<Vec<(String, CopyOutcome)>>>;

#[derive(Debug, Default)]
struct Notes {
    outcomes: Outcomes,
    /// Fails at this one.
    fails_at: Option<&'static str>,
}

#[async_trait]
impl CopySink for Notes {
    async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()> {
        if self.fails_at == Some(task.to.as_str()) {
            return Err(Error::BackupNotFound { name: String::new(), repository: String::new(), found: String::new() });
        }
        self.outcomes.lock().expect("unpoisoned").push((task.to.to_string(), outcome));
        Ok(())
    }
}

/// A stage of these objects, ten bytes each, between two locations in memory.
struct Run {
    job: Job<()>,
    outcomes: Outcomes,
    to: Location,
    began: Instant,
}

async fn start(copier: &Arc<Scripted>, limits: Limits, names: &[&str], fails_at: Option<&'static str>) -> Run {
    start_to(Location::in_memory(), copier, limits, names, fails_at).await
}

async fn start_to(
    to: Location,
    copier: &Arc<Scripted>,
    limits: Limits,
    names: &[&str],
    fails_at: Option<&'static str>,
) -> Run {
    let from = Location::in_memory();
    let mut tasks = Vec::new();
    for name in names {
        let key = Key::parse(name).expect("a key");
        from.put(&key, Bytes::from_static(b"0123456789")).await.expect("put");
        let source = from.head(&key).await.expect("answers").expect("there");
        tasks.push(CopyTask::new(PlaceRole::Source, source, Component::Wal));
    }
    let (outcomes, copier) = (Outcomes::default(), Arc::clone(copier) as Arc<dyn Copier>);
    let mut notes = Notes { outcomes: Arc::clone(&outcomes), fails_at };
    let target = to.clone();
    let job = spawn(move |task| async move {
        let stage = Stage::new(StageKind::Wal, None, tasks);
        let places = Places::new(target).with(PlaceRole::Source, from);
        task.events.planned(stage.objects(), stage.bytes());
        Executor::of_job(copier, limits, task).stage(&stage, &places, &mut notes).await
    });
    Run { job, outcomes, to, began: Instant::now() }
}

impl Run {
    async fn end(self) -> (Result<()>, Vec<(String, CopyOutcome)>, Vec<EventKind>) {
        let events = self.job.events().map(|event| event.kind).collect().await;
        let result = self.job.await;
        let outcomes = std::mem::take(&mut *self.outcomes.lock().expect("unpoisoned"));
        (result, outcomes, events)
    }
}

async fn run(copier: &Arc<Scripted>, names: &[&str]) -> (Result<()>, Vec<(String, CopyOutcome)>, Vec<EventKind>) {
    start(copier, Limits::default(), names, None).await.end().await
}

/// The events of the stage, without those of the job around it.
fn of_stage(events: &[EventKind]) -> Vec<&EventKind> {
    let is_of_stage = |kind: &&EventKind| !matches!(kind, EventKind::Progress(_) | EventKind::Finished { .. });
    events.iter().filter(is_of_stage).collect()
}

fn retries(events: &[EventKind]) -> Vec<(u32, &str)> {
    fn retry(event: &EventKind) -> Option<(u32, &str)> {
        match event {
            EventKind::Retry { attempt, code, wait, .. } => {
                assert_eq!(wait.subsec_nanos() % 1_000_000, 0, "JSON has milliseconds: {wait:?}");
                Some((*attempt, code.as_str()))
            }
            _ => None,
        }
    }
    events.iter().filter_map(retry).collect()
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again() {
    let acts = [Act::Fail(StoreErrorKind::Unreachable), Act::Stall, Act::Lie, Act::Half, Act::Copy];
    let copier = Arc::new(Scripted::new(&[("x", &acts)]));
    let (result, outcomes, events) = run(&copier, &["x"]).await;
    result.expect("copied at last");
    assert_eq!(copier.attempts("x"), 5);
    let expected = [(1, "unreachable"), (2, "stalled"), (3, "copy-corrupt"), (4, "copy-corrupt")];
    assert_eq!(retries(&events), expected);
    assert!(
        matches!(&outcomes[..], [(name, CopyOutcome::Copied(copied))] if name == "x" && copied.stored.version.is_some())
    );
    let events = of_stage(&events);
    assert!(matches!(events.first(), Some(EventKind::StageStarted { objects: 1, bytes: 10, .. })));
    assert!(matches!(events.last(), Some(EventKind::StageFinished { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_copier_that_fails_by_itself_is_asked_once_and_its_error_is_kept() {
    let copier = Arc::new(Scripted::new(&[("x", &[Act::GiveUp])]));
    let error = run(&copier, &["x"]).await.0.expect_err("the copier failed");
    assert_eq!((copier.attempts("x"), error.code(), error.is_retryable()), (1, "copier-failed", false));
    let root = successors(error.source(), |&cause| cause.source()).last().expect("a cause");
    assert!(root.is::<std::fmt::Error>(), "{root:?}");
}

/// Without the wait, the deletion would come 30 seconds after the first attempt, and the second copy long before.
#[tokio::test(start_paused = true)]
async fn the_next_attempt_waits_for_the_clean_up_of_the_one_before() {
    let copier = Arc::new(Scripted::new(&[("x", &[Act::CleanUpLate, Act::Copy]), ("y", &[Act::Copy])]));
    let run = start(&copier, Limits::default(), &["x", "y"], None).await;
    let to = run.to.clone();
    let (result, outcomes, _) = run.end().await;
    result.expect("copied");
    assert_eq!((outcomes.len(), &*outcomes[0].0), (2, "y"), "another object does not wait");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(to.list("").await.expect("listed").len(), 2, "nothing is deleted late");
}

#[tokio::test(start_paused = true)]
async fn a_stage_ends_after_its_clean_ups() {
    let copier = Arc::new(Scripted::new(&[("x", &[Act::VanishAndCleanUp])]));
    let began = Instant::now();
    run(&copier, &["x"]).await.0.expect("no failure");
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn after_the_time_allowed_it_gives_up() {
    let copier = Arc::new(Scripted::new(&[("x", &[Act::Stall])]));
    let began = Instant::now();
    let (result, outcomes, _) = run(&copier, &["x", "y"]).await;
    let error = result.expect_err("never copied");
    assert!(
        matches!(&error, Error::Copy { key, error: CopyError::Stalled { .. }, .. } if key.as_str() == "x"),
        "{error:?}"
    );
    assert!((Duration::from_secs(240)..Duration::from_secs(300)).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(copier.attempts("x") > 10);
    assert_eq!(outcomes.len(), 1, "the other one was finished");
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_sooner_than_other_failures() {
    let max_outage = Duration::from_secs(25);
    let retry = Retry::default().with_max_outage(max_outage);
    let limits = Limits::default().with_retry(retry);
    let throttled = Act::Fail(StoreErrorKind::Throttled);
    let unreachable = Act::Fail(StoreErrorKind::Unreachable);
    for (acts, code, seconds) in [
        (vec![unreachable], "unreachable", 5..25),
        (vec![throttled], "throttled", 240..300),
        // What answered in between was there: the outage begins after it.
        ([vec![throttled; 12], vec![unreachable]].concat(), "unreachable", 60..180),
    ] {
        let copier = Arc::new(Scripted::new(&[("x", &acts)]));
        let began = Instant::now();
        let (result, ..) = start(&copier, limits.clone(), &["x"], None).await.end().await;
        assert_eq!(result.expect_err("never copied").code(), code);
        assert!(seconds.contains(&began.elapsed().as_secs()), "{acts:?}: {:?}", began.elapsed());
    }
    // The script does not wait for the silence that it reports, which is half of what is allowed.
    let copier = Arc::new(Scripted::new(&[("x", &[Act::Stall])]));
    let (result, ..) = start(&copier, limits, &["x"], None).await.end().await;
    let Err(Error::Copy { error: CopyError::Stalled { after, .. }, .. }) = result else { panic!("{result:?}") };
    assert_eq!(after, max_outage / 2);
    assert!(copier.attempts("x") > 1, "a stalled connection is tried again");
}

/// Fails once, with this error.
#[derive(Debug)]
struct Failing(Mutex<Option<CopyError>>);

#[async_trait]
impl Copier for Failing {
    async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<crate::copier::Copied, CopyError> {
        Err(self.0.lock().expect("unpoisoned").take().expect("one attempt"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_copy_names_the_location_that_it_is_about() {
    let from = Location::in_memory().child("from").expect("a location");
    let to = Location::in_memory().child("to").expect("a location");
    let places = Places::new(to.clone()).with(PlaceRole::Source, from.clone());
    let key = Key::parse("x").expect("a key");
    from.put(&key, Bytes::from_static(b"0123456789")).await.expect("put");
    let source = from.head(&key).await.expect("answers").expect("there");
    let task = CopyTask::new(PlaceRole::Source, source, Component::Wal);
    let store = |side: Option<CopySide>| CopyError::store(side, "copy", StoreErrorKind::Denied, "scripted");
    for (error, about) in [
        (store(Some(CopySide::Source)), Some(&from)),
        (store(Some(CopySide::Target)), Some(&to)),
        (store(None), None),
        (CopyError::unexpected("other bytes"), Some(&from)),
        (CopyError::corrupt("other bytes"), Some(&to)),
        (CopyError::Unsupported, None),
    ] {
        let stage = Stage::new(StageKind::Wal, None, vec![task.clone()]);
        let code = error.code();
        let copier = Arc::new(Failing(Mutex::new(Some(error))));
        let limits = Limits::default().with_retry(Retry::never());
        let executor = Executor::new(copier, limits, Cancellation::new());
        let report = executor.stage(&stage, &places, &mut Notes::default()).await.expect_err(code).report();
        assert_eq!((report.code.as_str(), report.location), (code, about.map(ToString::to_string)));
    }
}

/// Finds every object archived.
#[derive(Debug)]
struct Rotten;

#[async_trait]
impl Copier for Rotten {
    async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<crate::copier::Copied, CopyError> {
        Err(CopyError::store(CopySide::Source, "get", StoreErrorKind::Archived, "scripted"))
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_no_pass_can_read_is_reported_once() {
    let from = Location::in_memory();
    let mut tasks = Vec::new();
    for name in ["x", "y"] {
        let key = Key::parse(name).expect("a key");
        from.put(&key, Bytes::from_static(b"0123456789")).await.expect("put");
        let source = from.head(&key).await.expect("answers").expect("there");
        tasks.push(CopyTask::new(PlaceRole::Source, source, Component::Wal));
    }
    let job = spawn(move |task| async move {
        let places = Places::new(Location::in_memory()).with(PlaceRole::Source, from);
        let limits = Limits::default().with_retry(Retry::never());
        let executor = Executor::of_job(Arc::new(Rotten), limits, task).with_on_unreadable(OnUnreadable::Record);
        for _ in 0..3 {
            let stage = Stage::new(StageKind::Wal, None, tasks.clone());
            executor.stage(&stage, &places, &mut Notes::default()).await?;
        }
        Ok(())
    });
    let (handle, events) = (job.handle(), job.events());
    job.await.expect("no failure");
    let mut found: Vec<_> = handle.findings().into_iter().filter_map(|finding| finding.key).collect();
    found.sort();
    assert_eq!(found, ["x", "y"].map(|name| Key::parse(name).expect("a key")));
    let sent = events.filter(|event| std::future::ready(matches!(event.kind, EventKind::Finding(_))));
    assert_eq!(sent.count().await, 2);
}

/// Whatever the copier waits for, and whatever it has to clean up.
#[tokio::test(start_paused = true)]
async fn a_copy_ends_soon_after_its_store_fell_silent() {
    let max_outage = Duration::from_secs(25);
    let limits = Limits::default().with_retry(Retry::default().with_max_outage(max_outage));
    let hour = Duration::from_secs(3600);
    let silent = FaultPlan::none().with(Rule::new(Scope::any(), When::Always, Fault::Delay(hour..hour * 2)));
    for act in [Act::Hang, Act::CleanUpLate] {
        let to = Location::in_memory().through(|store| Arc::new(FaultyStore::new(store, silent.clone())) as Arc<_>);
        let there = to.to_string();
        let copier = Arc::new(Scripted::new(&[("x", &[act])]));
        let began = Instant::now();
        let (result, ..) = start_to(to, &copier, limits.clone(), &["x"], None).await.end().await;
        let error = result.expect_err("silent");
        assert_eq!(error.code(), "stalled", "{act:?}");
        // A copier that reports the silence by itself has not said of which side.
        assert_eq!(error.location(), (act == Act::Hang).then_some(there.as_str()), "{act:?}");
        assert!(began.elapsed() < max_outage * 3 / 2, "{act:?}: {:?}", began.elapsed());
    }
    // A copy that the store makes by itself may take its time.
    let slow = Scripted { takes: Duration::from_secs(200), ..Scripted::default() };
    let (result, ..) = start(&Arc::new(slow), limits, &["x"], None).await.end().await;
    result.expect("the store was there");
}

#[tokio::test(start_paused = true)]
async fn never_means_once() {
    let copier = Arc::new(Scripted::new(&[("x", &[Act::Stall])]));
    let limits = Limits::default().with_retry(Retry::never());
    let (result, ..) = start(&copier, limits, &["x"], None).await.end().await;
    assert_eq!(result.expect_err("stalled").code(), "stalled");
    assert_eq!(copier.attempts("x"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_pass_stops_the_others_at_once() {
    let fatal = [
        (Act::Fail(StoreErrorKind::Full), "no-space"),
        (Act::Fail(StoreErrorKind::ReadOnly), "read-only"),
        (Act::Fail(StoreErrorKind::Denied), "access-denied"),
        (Act::Refuse, "copy-unsupported"),
    ];
    for (act, code) in fatal {
        let copier = Arc::new(Scripted::new(&[("x", &[act]), ("y", &[Act::Hang])]));
        let began = Instant::now();
        let (result, _, events) = run(&copier, &["y", "x"]).await;
        let error = result.expect_err(code);
        assert!(matches!(&error, Error::Copy { key, .. } if key.as_str() == "x" && error.code() == code), "{error:?}");
        assert_eq!(copier.attempts("x"), 1, "{code}");
        assert!(began.elapsed() <= Duration::from_secs(1), "{code}");
        assert!(!events.iter().any(|event| matches!(event, EventKind::StageFinished { .. })), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn gone_and_changed_are_outcomes() {
    let copier = Arc::new(Scripted::new(&[("x", &[Act::Vanish]), ("y", &[Act::Change])]));
    let (result, mut outcomes, events) = run(&copier, &["x", "y", "z"]).await;
    result.expect("no failure");
    outcomes.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(outcomes[0], ("x".to_owned(), CopyOutcome::Vanished));
    assert_eq!(outcomes[1], ("y".to_owned(), CopyOutcome::Changed));
    assert!(matches!(outcomes[2].1, CopyOutcome::Copied(_)));
    let vanished = events.iter().filter(|event| matches!(event, EventKind::Vanished { key } if key.as_str() == "x"));
    let changed = events.iter().filter(|event| matches!(event, EventKind::Changed { key } if key.as_str() == "y"));
    assert_eq!((vanished.count(), changed.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn it_stops_within_a_second_of_the_cancellation() {
    // One never answers, one waits for its next attempt, one is finished.
    let copier = Arc::new(Scripted::new(&[("x", &[Act::Hang]), ("y", &[Act::Stall])]));
    let run = start(&copier, Limits::default(), &["x", "y", "z"], None).await;
    sleep(Duration::from_secs(30)).await;
    run.job.handle().cancel();
    let began = run.began;
    let (result, outcomes, _) = run.end().await;
    assert!(matches!(result, Err(Error::Cancelled { done: 1, total: 3 })), "{result:?}");
    assert!(began.elapsed() < Duration::from_secs(31), "{:?}", began.elapsed());
    assert_eq!(outcomes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_finished_when_it_stopped_is_told() {
    let copier = Arc::new(Scripted { takes: Duration::from_millis(500), ..Scripted::default() });
    let run = start(&copier, Limits::default(), &["x", "y"], None).await;
    sleep(Duration::from_millis(100)).await;
    run.job.handle().cancel();
    let (result, outcomes, _) = run.end().await;
    assert!(matches!(result, Err(Error::Cancelled { done: 0, total: 2 })), "{result:?}");
    assert_eq!(outcomes.len(), 2, "both were finished while it stopped");
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_allowed() {
    let names: Vec<_> = (0..40).map(|number| format!("{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let copier = Arc::new(Scripted { takes: Duration::from_secs(1), ..Scripted::default() });
    let run = start(&copier, Limits::default().with_concurrency(4), &names, None).await;
    let began = run.began;
    let (result, outcomes, _) = run.end().await;
    result.expect("copied");
    assert_eq!((outcomes.len(), copier.peak.load(Ordering::SeqCst)), (40, 4));
    assert_eq!(began.elapsed().as_secs(), 10, "and no fewer");
}

#[tokio::test(start_paused = true)]
async fn all_workers_share_one_bandwidth() {
    let names: Vec<_> = (0..8).map(|number| format!("{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let limits = Limits::default().with_concurrency(4).with_bandwidth(crate::units::ByteSize(10));
    let run = start(&Arc::new(Scripted::default()), limits, &names, None).await;
    let began = run.began;
    run.end().await.0.expect("copied");
    assert_eq!(began.elapsed().as_secs_f64().round(), 8.0, "80 bytes at 10 a second");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_asks_for_less_gets_less() {
    let names: Vec<_> = (0..200).map(|number| format!("{number:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let throttled: &[Act] = &[Act::Fail(StoreErrorKind::Throttled), Act::Copy];
    let acts: Vec<_> = names[..16].iter().map(|name| (*name, throttled)).collect();
    let copier = Arc::new(Scripted { takes: Duration::from_millis(400), ..Scripted::new(&acts) });
    let run = start(&copier, Limits::default(), &names, None).await;
    sleep(Duration::from_millis(700)).await;
    assert_eq!(copier.running.load(Ordering::SeqCst), 8, "half of them");
    sleep(Duration::from_secs(2)).await;
    assert!(copier.running.load(Ordering::SeqCst) > 8, "it recovers");
    run.end().await.0.expect("copied");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_fails_and_a_copier_that_panics_stop_the_stage() {
    let copier = Arc::new(Scripted::new(&[("x", &[Act::Hang])]));
    let (result, ..) = start(&copier, Limits::default(), &["x", "y"], Some("y")).await.end().await;
    assert_eq!(result.expect_err("the sink").code(), "backup-not-found");

    let copier = Arc::new(Scripted::new(&[("x", &[Act::Hang]), ("y", &[Act::Panic])]));
    let (result, ..) = run(&copier, &["x", "y"]).await;
    assert_eq!(result.expect_err("the panic").code(), "internal");
}

#[tokio::test(start_paused = true)]
async fn a_stage_without_tasks_is_nothing() {
    let (result, outcomes, events) = run(&Arc::new(Scripted::default()), &[]).await;
    result.expect("nothing to fail");
    assert!(outcomes.is_empty());
    assert!(matches!(
        of_stage(&events)[..],
        [EventKind::StageStarted { objects: 0, bytes: 0, .. }, EventKind::StageFinished { .. }]
    ));
}

#[tokio::test]
async fn bytes_of_failed_attempts_are_not_counted_twice() {
    // In real time: progress is reported every 100 ms of it.
    let acts = [Act::Half, Act::Half, Act::Copy];
    let copier = Arc::new(Scripted { takes: Duration::from_millis(120), ..Scripted::new(&[("x", &acts)]) });
    let retry = Retry { initial_backoff: Duration::ZERO, ..Retry::default() };
    let (result, _, events) = start(&copier, Limits::default().with_retry(retry), &["x"], None).await.end().await;
    result.expect("copied");
    let outcomes = events.iter().filter_map(|event| match event {
        EventKind::Progress(progress) => Some(progress.bytes),
        _ => None,
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), [5, 10]);
}

#[tokio::test]
async fn files_are_copied_whole_and_durably() {
    let source = tempfile::tempdir().expect("made");
    let target = tempfile::tempdir().expect("made");
    std::fs::create_dir_all(source.path().join("n/wal")).expect("made");
    for number in 0..50 {
        std::fs::write(source.path().join(format!("n/wal/{number}")), format!("{number}")).expect("written");
    }
    let at = |directory: &tempfile::TempDir| {
        Location::parse(directory.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
    };
    let from = at(&source);
    let to = at(&target);
    let tasks = from.list("").await.expect("listed").into_iter();
    let tasks: Vec<_> = tasks.map(|entry| CopyTask::new(PlaceRole::Source, entry, Component::Wal)).collect();
    let stage = Stage::new(StageKind::Wal, None, tasks);
    let places = Places::new(to.clone()).with(PlaceRole::Source, from);
    let outcomes = Outcomes::default();
    let mut notes = Notes { outcomes: Arc::clone(&outcomes), fails_at: None };
    let wanted = stage.clone();
    let job = spawn(move |task| async move {
        let limits = Limits::default().with_durability(Durability::Durable);
        Executor::of_job(default_copiers(), limits, task).stage(&stage, &places, &mut notes).await
    });
    job.await.expect("copied");
    let found = to.list("").await.expect("listed");
    let sizes = |entries: crate::location::ObjectTable| -> Vec<_> {
        entries.into_iter().map(|entry| (entry.key, entry.size, entry.version.modified)).collect()
    };
    assert_eq!(sizes(found), sizes(wanted.tasks().map(|task| task.source()).collect()));
    let outcomes = outcomes.lock().expect("unpoisoned");
    assert_eq!(outcomes.len(), 50);
    assert!(
        outcomes.iter().all(|(_, outcome)| matches!(outcome, CopyOutcome::Copied(copied) if copied.copier == "local"))
    );
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => Just(Act::Copy),
        2 => Just(Act::Lie),
        2 => Just(Act::Half),
        2 => Just(Act::Stall),
        2 => Just(Act::Fail(StoreErrorKind::Throttled)),
        2 => Just(Act::Vanish),
        2 => Just(Act::Change),
        1 => Just(Act::Fail(StoreErrorKind::Full)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A stage that ends well reports every object once; one that does not reports none twice.
    #[test]
    fn no_object_is_left_untouched(
        scripts in prop::collection::vec(prop::collection::vec(act(), 1..4), 0..30),
        concurrency in 1_usize..8,
    ) {
        let names: Vec<_> = (0..scripts.len()).map(|number| format!("{number:02}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let scripts: Vec<_> = names.iter().copied().zip(scripts.iter().map(Vec::as_slice)).collect();
        let copier = Arc::new(Scripted::new(&scripts));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (result, outcomes, _) = runtime.expect("a runtime").block_on(async {
            start(&copier, Limits::default().with_concurrency(concurrency), &names, None).await.end().await
        });
        let mut seen: Vec<_> = outcomes.iter().map(|(name, _)| name.as_str()).collect();
        seen.sort_unstable();
        match result {
            Ok(()) => prop_assert_eq!(seen, names),
            Err(error) => {
                prop_assert!(matches!(error, Error::Copy { .. }), "{:?}", error);
                prop_assert!(seen.windows(2).all(|two| two[0] != two[1]));
            }
        }
        for (name, outcome) in outcomes {
            let ends_well = matches!(outcome, CopyOutcome::Copied(_));
            let copied = scripts.iter().any(|(script, acts)| *script == name && acts.contains(&Act::Copy));
            prop_assert!(copied || !ends_well, "{} was never copied", name);
        }
    }
}
