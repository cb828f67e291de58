//! What a [`FaultyStore`](super::FaultyStore) remembers, and what it decides about each operation.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use object_store::{Error, ObjectMeta, Result, path::Path};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};

use super::{
    Hold,
    plan::{Decay, Failure, Fault, FaultPlan, Op, When},
};

/// One operation, as the log has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it began, since the store was made.
    pub at: Duration,
    /// Its kind.
    pub op: Op,
    /// Its key; the target of a copy or rename; the prefix of a listing.
    pub path: String,
    /// The bytes it was to write.
    pub bytes: u64,
    /// What the plan did to it.
    pub outcome: Outcome,
}

/// What a plan did to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing, or a delay: the answer is the inner store's.
    Passed,
    /// Not carried out.
    Failed(Failure),
    /// Carried out, the answer lost.
    AnswerLost(Failure),
    /// Answered with a body or a listing that is cut, slow or repeated, or carried out without its precondition.
    Spoilt,
}

/// The error behind every failure that a plan made.
#[derive(Debug)]
struct Injected(&'static str);

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Injected {}

impl Failure {
    /// The error as a store would give it: the texts and sources are those that real stores use.
    pub(super) fn error(self, path: &Path) -> Error {
        let path = path.to_string();
        let io =
            |kind: std::io::ErrorKind| Error::Generic { store: "Faulty", source: Box::new(std::io::Error::from(kind)) };
        let text = |text: &'static str| Error::Generic { store: "Faulty", source: Box::new(Injected(text)) };
        match self {
            Self::Throttled => text("status code: 503 Service Unavailable: SlowDown"),
            Self::Unreachable => io(std::io::ErrorKind::ConnectionReset),
            Self::NotFound => Error::NotFound { path, source: Box::new(Injected("injected")) },
            Self::Changed => Error::Precondition { path, source: Box::new(Injected("injected")) },
            Self::Denied => Error::PermissionDenied { path, source: Box::new(Injected("injected")) },
            Self::Full => io(std::io::ErrorKind::StorageFull),
            Self::ReadOnly => io(std::io::ErrorKind::ReadOnlyFilesystem),
            Self::Other => text("injected"),
            // Permanent: a dead process tries nothing again.
            Self::Crashed => Error::NotSupported { source: "the process is dead".into() },
            Self::Panic => panic!("injected"),
        }
    }
}

/// How a body is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) fraction: f64,
    pub(super) silent: bool,
}

impl Cut {
    pub(super) fn error(self, path: &Path) -> Result<()> {
        if self.silent { Ok(()) } else { Err(Failure::Unreachable.error(path)) }
    }
}

/// What is to be done to one operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    pub(super) fail: Option<Failure>,
    pub(super) lose: Option<Failure>,
    pub(super) before: Duration,
    pub(super) after: Duration,
    pub(super) late: Option<Duration>,
    pub(super) hold: Option<Hold>,
    pub(super) cut: Option<Cut>,
    pub(super) slow_body: Option<(usize, Duration)>,
    pub(super) slow_list: Option<(usize, Duration)>,
    pub(super) repeat: Option<usize>,
    pub(super) break_list: Option<usize>,
    pub(super) ignore_create_only: bool,
    pub(super) ignore_version: bool,
    pub(super) decay: Option<(Decay, Duration)>,
}

impl Verdict {
    pub(super) fn changes_body(&self) -> bool {
        self.cut.is_some() || self.slow_body.is_some()
    }

    fn outcome(&self, op: Op) -> Outcome {
        let spoilt = match op {
            Op::Get => self.changes_body(),
            Op::List => self.slow_list.is_some() || self.repeat.is_some() || self.break_list.is_some(),
            Op::Put => self.ignore_create_only || self.ignore_version,
            _ => false,
        };
        match (self.fail, self.lose) {
            (Some(failure), _) => Outcome::Failed(failure),
            (None, Some(failure)) => Outcome::AnswerLost(failure),
            (None, None) if spoilt => Outcome::Spoilt,
            (None, None) => Outcome::Passed,
        }
    }
}

/// An operation that may be carried out now.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) verdict: Verdict,
    path: Path,
}

impl Gate {
    /// Answers with what the inner store said, late or not at all.
    pub(super) async fn end<T>(self, answer: Result<T>) -> Result<T> {
        if !self.verdict.after.is_zero() {
            sleep(self.verdict.after).await;
        }
        if let Some(hold) = &self.verdict.hold {
            hold.wait().await;
        }
        match self.verdict.lose {
            Some(failure) => Err(failure.error(&self.path)),
            None => answer,
        }
    }
}

#[derive(Debug)]
struct Inside {
    plan: FaultPlan,
    rng: StdRng,
    /// Per rule: operations in its scope, times it applied.
    counts: Vec<(u64, u64)>,
    writes: u64,
    written: u64,
    crashed: bool,
    healed: bool,
    log: Vec<Entry>,
    decays: Vec<(Duration, String)>,
}

#[derive(Debug)]
pub(super) struct State {
    born: Instant,
    inside: Mutex<Inside>,
}

impl State {
    pub(super) fn new(plan: FaultPlan) -> Self {
        let rng = StdRng::seed_from_u64(plan.seed);
        let counts = vec![(0, 0); plan.rules.len()];
        let crashed = plan.crash_after == Some(0);
        let inside = Inside {
            plan,
            rng,
            counts,
            writes: 0,
            written: 0,
            crashed,
            healed: false,
            log: Vec::new(),
            decays: Vec::new(),
        };
        Self { born: Instant::now(), inside: Mutex::new(inside) }
    }

    /// Decides about an operation, logs it, and waits as long as it is to wait before it is carried out.
    pub(super) async fn begin(state: &Arc<Self>, op: Op, path: &Path, bytes: u64) -> Result<Gate> {
        let verdict = state.decide(op, path, bytes);
        if !verdict.before.is_zero() {
            sleep(verdict.before).await;
        }
        // A crash while this operation waited stops it, too.
        match verdict.fail {
            Some(failure) => Err(failure.error(path)),
            None if verdict.lose != Some(Failure::Crashed) && state.has_crashed() => Err(Failure::Crashed.error(path)),
            None => Ok(Gate { verdict, path: path.clone() }),
        }
    }

    fn decide(&self, op: Op, path: &Path, bytes: u64) -> Verdict {
        let at = self.born.elapsed();
        let mut inside = self.lock();
        let verdict = inside.decide(at, op, path.as_ref(), bytes);
        let outcome = verdict.outcome(op);
        inside.log.push(Entry { at, op, path: path.to_string(), bytes, outcome });
        verdict
    }

    pub(super) fn log(&self) -> Vec<Entry> {
        self.lock().log.clone()
    }

    pub(super) fn count(&self, matches: impl Fn(&Entry) -> bool) -> usize {
        self.lock().log.iter().filter(|entry| matches(entry)).count()
    }

    pub(super) fn is_healed(&self) -> bool {
        self.lock().healed
    }

    /// An object is not as it was written from now on.
    pub(super) fn record_decay(&self, path: &Path) {
        let at = self.born.elapsed();
        self.lock().decays.push((at, path.to_string()));
    }

    pub(super) fn decays(&self) -> Vec<(Duration, String)> {
        self.lock().decays.clone()
    }

    pub(super) fn has_crashed(&self) -> bool {
        self.lock().crashed
    }

    /// When an object was written, as the store's clock has it.
    pub(super) fn dated(&self, meta: ObjectMeta) -> ObjectMeta {
        let last_modified = meta.last_modified - self.lock().plan.clock_behind;
        ObjectMeta { last_modified, ..meta }
    }

    pub(super) fn heal(&self) {
        let mut inside = self.lock();
        inside.plan = FaultPlan::seeded(inside.plan.seed);
        inside.counts.clear();
        inside.crashed = false;
        inside.healed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn decide(&mut self, at: Duration, op: Op, path: &str, bytes: u64) -> Verdict {
        let mut verdict = Verdict::default();
        if self.crashed {
            verdict.fail = Some(Failure::Crashed);
            return verdict;
        }
        for (rule, (seen, applied)) in self.plan.rules.iter().zip(&mut self.counts) {
            if !rule.scope.matches(op, path) {
                continue;
            }
            *seen += 1;
            if *applied < rule.most && applies(&rule.when, *seen, at, &mut self.rng) {
                *applied += 1;
                verdict.add(&rule.fault, &mut self.rng);
            }
        }
        if verdict.fail.is_none() && op.is_write() {
            self.write(bytes, &mut verdict);
        }
        verdict
    }

    fn write(&mut self, bytes: u64, verdict: &mut Verdict) {
        if self.plan.disk.is_some_and(|room| self.written + bytes > room) {
            verdict.fail = Some(Failure::Full);
            return;
        }
        self.written += bytes;
        self.writes += 1;
        if self.plan.crash_after.is_some_and(|last| self.writes >= last) {
            self.crashed = true;
            verdict.lose = Some(Failure::Crashed);
        }
    }
}

fn applies(when: &When, seen: u64, at: Duration, rng: &mut StdRng) -> bool {
    match when {
        When::Always => true,
        When::Nth(n) => seen == *n,
        When::From(n) => seen >= *n,
        When::Burst(range) => range.contains(&seen),
        When::Chance(chance) => rng.random_bool(chance.clamp(0.0, 1.0)),
        When::Between(range) => range.contains(&at),
    }
}

impl Verdict {
    fn add(&mut self, fault: &Fault, rng: &mut StdRng) {
        match *fault {
            Fault::Fail(failure) => self.fail = self.fail.or(Some(failure)),
            Fault::LoseAnswer(failure) => self.lose = self.lose.or(Some(failure)),
            Fault::Delay(ref range) => {
                let total = within(range, rng);
                let before = total.mul_f64(rng.random());
                self.before += before;
                self.after += total - before;
            }
            Fault::Late(ref range) => self.late = Some(within(range, rng)),
            Fault::Hold(ref hold) => self.hold = Some(hold.clone()),
            Fault::CutBodyWithError(fraction) => self.cut = Some(Cut { fraction, silent: false }),
            Fault::CutBodySilently(fraction) => self.cut = Some(Cut { fraction, silent: true }),
            Fault::IgnoreCreateOnly => self.ignore_create_only = true,
            Fault::IgnoreVersion => self.ignore_version = true,
            Fault::SlowBody { chunk, pause } => self.slow_body = Some((chunk.max(1), pause)),
            Fault::SlowList { page, pause } => self.slow_list = Some((page.max(1), pause)),
            Fault::RepeatPages { page } => self.repeat = Some(page.max(1)),
            Fault::BreakList { after } => self.break_list = Some(after),
            Fault::Decay { into, ref after } => self.decay = Some((into, within(after, rng))),
        }
    }
}

/// A time from this range.
fn within(range: &Range<Duration>, rng: &mut StdRng) -> Duration {
    range.start + range.end.saturating_sub(range.start).mul_f64(rng.random())
}
