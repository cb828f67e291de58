//! [`Job`]: a running backup, restore or verification.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, Result},
    event::Event,
};

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// A running backup, restore or verification: await it for its report, ask it for events, cancel it, or drop it,
/// which cancels it too.
///
/// Nobody has to read the events: they wait in memory, and progress is told some ten times a second at most.
#[derive(Debug)]
pub struct Job<T> {
    task: JoinHandle<Result<T>>,
    events: mpsc::UnboundedReceiver<Event>,
    cancellation: CancellationToken,
}

impl<T> Job<T> {
    /// The next event, or `None` when the run is over.
    pub async fn next_event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Asks the run to stop; it does within a second, and then says [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// A token that cancels this job: for signal handlers and bindings.
    #[must_use]
    pub fn cancellation(&self) -> CancellationToken {
        self.cancellation.clone()
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(context).map(|joined| match joined {
            Ok(result) => result,
            Err(source) => Err(Error::Internal { task: "job", source: Box::new(source) }),
        })
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.cancellation.cancel();
    }
}

/// What a run needs to talk to its [`Job`].
#[derive(Debug, Clone)]
pub(crate) struct RunContext {
    pub(crate) events: Events,
    pub(crate) cancellation: CancellationToken,
}

impl RunContext {
    /// Does what may be dropped half-way, unless the caller cancels.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.cancellation.run_until_cancelled(work).await.unwrap_or_else(|| Err(self.cancelled()))
    }

    /// Says so where the caller cancelled.
    pub(crate) fn check(&self) -> Result<()> {
        if self.cancellation.is_cancelled() { Err(self.cancelled()) } else { Ok(()) }
    }

    /// That the caller cancelled, and how far the run was.
    pub(crate) fn cancelled(&self) -> Error {
        let (done, total) = self.events.done_of();
        Error::Cancelled { done, total }
    }
}

/// Starts a run on the caller's tokio runtime.
pub(crate) fn spawn<T, F, Fut>(run: F) -> Job<T>
where
    T: Send + 'static,
    F: FnOnce(RunContext) -> Fut,
    Fut: Future<Output = Result<T>> + Send + 'static,
{
    let (sender, events) = mpsc::unbounded_channel();
    let cancellation = CancellationToken::new();
    let task = RunContext { events: Events::new(sender), cancellation: cancellation.clone() };
    Job { task: tokio::spawn(run(task)), events, cancellation }
}

/// Where a run sends its events, and where it counts its progress.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    sender: mpsc::UnboundedSender<Event>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct Counts {
    began: Instant,
    objects: AtomicU64,
    bytes: AtomicU64,
    total_objects: AtomicU64,
    total_bytes: AtomicU64,
    /// Milliseconds since `began` when progress was last told.
    told: AtomicU64,
}

impl Events {
    fn new(sender: mpsc::UnboundedSender<Event>) -> Self {
        let zero = || AtomicU64::new(0);
        let counts = Counts {
            began: Instant::now(),
            objects: zero(),
            bytes: zero(),
            total_objects: zero(),
            total_bytes: zero(),
            told: zero(),
        };
        Self { sender, counts: Arc::new(counts) }
    }

    pub(crate) fn send(&self, event: Event) {
        // A caller that dropped its receiver does not want to know.
        let _ = self.sender.send(event);
    }

    /// More work is planned.
    pub(crate) fn planned(&self, objects: u64, bytes: u64) {
        self.counts.total_objects.fetch_add(objects, Ordering::Relaxed);
        self.counts.total_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes were moved.
    pub(crate) fn moved(&self, bytes: u64) {
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    /// An object is finished.
    pub(crate) fn finished(&self) {
        self.counts.objects.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }

    /// Objects finished and planned so far.
    pub(crate) fn done_of(&self) -> (u64, u64) {
        (self.counts.objects.load(Ordering::Relaxed), self.counts.total_objects.load(Ordering::Relaxed))
    }

    fn tell(&self) {
        let now = u64::try_from(self.counts.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told = self.counts.told.load(Ordering::Relaxed);
        let due = now.saturating_sub(told) >= u64::try_from(PROGRESS_EVERY.as_millis()).unwrap_or(u64::MAX);
        if due && self.counts.told.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            self.send(Event::Progress {
                objects: count(&self.counts.objects),
                bytes: count(&self.counts.bytes),
                total_objects: count(&self.counts.total_objects),
                total_bytes: count(&self.counts.total_bytes),
            });
        }
    }
}
