//! The counters behind [`Progress`].

use std::{
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    event::{EventKind, Phase, Progress},
    plan::StageKind,
    units::duration::millis,
};

/// How often progress is sent as an event.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Counts {
    began: Instant,
    /// How long the job took, once it has ended.
    took: OnceLock<Duration>,
    doing: Mutex<Doing>,
    /// Milliseconds since `began`.
    last_emitted: AtomicU64,
    listed: AtomicU64,
    objects: AtomicU64,
    bytes: AtomicU64,
    total_objects: AtomicU64,
    total_bytes: AtomicU64,
    vanished: AtomicU64,
    changed: AtomicU64,
    retries: AtomicU64,
    deleted: AtomicU64,
}

/// What the job is doing.
#[derive(Debug, Clone, Copy, Default)]
struct Doing {
    phase: Phase,
    pass: Option<u32>,
    stage: Option<StageKind>,
}

impl Doing {
    fn record(&mut self, kind: &EventKind) {
        match kind {
            EventKind::PassStarted { pass, .. } => {
                *self = Self { pass: Some(*pass), phase: Phase::Copying, stage: None }
            }
            EventKind::CheckStarted { .. } => self.phase = Phase::Checking,
            EventKind::StageStarted { stage, .. } => {
                self.phase = Phase::Copying;
                self.stage = Some(*stage);
            }
            EventKind::StageFinished { .. } => self.stage = None,
            _ => {}
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            took: OnceLock::new(),
            doing: Mutex::default(),
            last_emitted: AtomicU64::default(),
            listed: AtomicU64::default(),
            objects: AtomicU64::default(),
            bytes: AtomicU64::default(),
            total_objects: AtomicU64::default(),
            total_bytes: AtomicU64::default(),
            vanished: AtomicU64::default(),
            changed: AtomicU64::default(),
            retries: AtomicU64::default(),
            deleted: AtomicU64::default(),
        }
    }
}

impl Counts {
    pub(super) fn progress(&self) -> Progress {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Doing { phase, pass, stage } = *self.doing();
        let elapsed = self.took.get().copied().unwrap_or_else(|| self.began.elapsed());
        Progress {
            phase,
            pass,
            stage,
            elapsed_ms: millis::of(elapsed),
            listed: count(&self.listed),
            objects: count(&self.objects),
            bytes: count(&self.bytes),
            total_objects: count(&self.total_objects),
            total_bytes: count(&self.total_bytes),
            vanished: count(&self.vanished),
            changed: count(&self.changed),
            retries: count(&self.retries),
            deleted: count(&self.deleted),
        }
    }

    /// The job has ended: its time stands still.
    pub(super) fn end(&self) {
        // The first end counts.
        let _ = self.took.set(self.began.elapsed());
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        let mut doing = self.doing();
        doing.phase = phase;
        doing.stage = None;
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_listed(&self, objects: u64) {
        let mut doing = self.doing();
        if doing.phase == Phase::Preparing {
            doing.phase = Phase::Listing;
        }
        drop(doing);
        self.listed.fetch_add(objects, Ordering::Relaxed);
    }

    pub(super) fn add_planned(&self, objects: u64, bytes: u64) {
        self.total_objects.fetch_add(objects, Ordering::Relaxed);
        self.total_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_object(&self) {
        self.objects.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event of an object, and remembers what others say about what the job is doing.
    pub(super) fn record(&self, kind: &EventKind) {
        let counter = match kind {
            EventKind::Vanished { .. } => &self.vanished,
            EventKind::Changed { .. } => &self.changed,
            EventKind::Retry { .. } => &self.retries,
            EventKind::Deleted { .. } => &self.deleted,
            _ => return self.doing().record(kind),
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether progress is to be sent again; true for one caller at a time.
    pub(super) fn is_emission_due(&self) -> bool {
        let now = millis::of(self.began.elapsed());
        let last = self.last_emitted.load(Ordering::Relaxed);
        now.saturating_sub(last) >= millis::of(PROGRESS_EVERY)
            && self.last_emitted.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
