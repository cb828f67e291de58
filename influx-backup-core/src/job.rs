//! [`Job`]: a running verb.
//!
//! A verb that may take longer than a second returns a *request*, mostly a [`Request`]: [`discover`](crate::discover()),
//! [`certify`](crate::certify()), [`verify`](crate::verify()), [`abandon`](crate::abandon()), [`Restore`](crate::Restore),
//! [`Cluster::list`](crate::Cluster::list), [`Target::inspect`](crate::Target::inspect) and the methods of
//! [`Repository`](crate::Repository). Awaiting the request runs it; `start` makes it a job, which has three
//! ends that different tasks or threads may hold: a [`JobHandle`] to cancel it and to ask how far it is, a stream of
//! [`Events`], and its result, for which the job itself is awaited.
//!
//! What looks at one thing is a plain future, and dropping it stops it: [`Repository::open`](crate::Repository::open) and
//! [`Repository::marker`](crate::Repository::marker), [`Backup::open`](crate::Backup::open) and [`Backup::at`](crate::Backup::at)
//! (which [`Repository::get`](crate::Repository::get) runs as a job), [`Backup::read`](crate::Backup::read),
//! [`compare`](crate::Backup::compare) and [`confirm`](crate::Backup::confirm) of one object, the probes of
//! [`preflight`](crate::preflight), and the methods of a [`Location`](crate::Location). So are the two parts that a program runs in
//! workers of its own: [`Executor::stage`](crate::execute::Executor::stage) and
//! [`ShardReport::deliver`](crate::execute::ShardReport::deliver).
//!
//! # In other languages
//!
//! In Python and Node a job is one object that can be awaited and iterated. A binding keeps the three ends apart:
//!
//! 1. Build the request, then start it with `start_on` and the handle of the binding's own tokio runtime. `start` panics on
//!    a thread outside a runtime, which the threads of an interpreter are. Requests, jobs, handles and events are `Send` and
//!    `'static`.
//! 2. Take [`Job::events`] and [`Job::handle`] at once, before the job moves: [`Events`] is the asynchronous iterator (the
//!    last event is [`Finished`](crate::EventKind::Finished), then comes `None`), the handle is `cancel()`, `progress()` and `is_finished()`, which never wait.
//! 3. Move the job into a task that awaits it and keeps the result; the language's awaitable waits for that task. An
//!    [`Error`] becomes an exception by [`JobHandle::report`], which adds what the job found, and by
//!    [`ErrorReport::with_naming`] where the language writes options in camelCase.
//! 4. Dropping a job cancels it. The task of step 3 keeps it, so that it does not end when the last reference in the language
//!    is collected. Where no result is wanted, [`Job::detach`] does the same without a task; the handle still works.
//!
//! Events may be left unread: at most a bounded number waits, [`Lagged`](crate::EventKind::Lagged) counts what was dropped,
//! and `progress()` is right without them. They are taken once: an object that is iterated twice gets an empty second
//! stream. A job that is cancelled mostly ends within a second with [`Error::Cancelled`], see [`JobHandle::cancel`]; wait for its
//! result, as it may be starting servers again.
//!
//! ```
//! # #[cfg(feature = "generate")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # influx_backup_core::testing::generate::Generate::core("node1").generate_into(directory.path())?;
//! # let path = directory.path().display().to_string();
//! use influx_backup_core::{DiscoverOptions, Location, StoreOptions, discover};
//!
//! let runtime = tokio::runtime::Runtime::new()?; // one for all jobs, as long as the interpreter lives
//! let location = Location::parse(&path, &StoreOptions::default())?;
//!
//! let job = discover(&location, &DiscoverOptions::default()).start_on(runtime.handle());
//! let handle = job.handle(); // .cancel(), .progress(), .is_finished(): from any thread
//! let mut events = job.events(); // the iterator
//! let exception = handle.clone();
//! let result = runtime.spawn(async move { job.await.map_err(|error| exception.report(&error)) }); // the awaitable
//!
//! while let Some(event) = runtime.block_on(events.next()) {
//!     println!("{}", serde_json::to_string(&event)?);
//! }
//! let cluster = runtime.block_on(result)?.expect("a cluster");
//! assert_eq!(cluster.nodes().len(), 1);
//! assert!(handle.progress().listed > 0);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "generate"))]
//! # fn main() {}
//! ```

mod context;
mod ending;
mod findings;
mod progress;
mod queue;
mod request;
mod trace;

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::FutureExt;
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::DropGuard;
use tracing::{Instrument, Span};

pub(crate) use self::{
    context::{EventSink, RunContext},
    request::{AfterCheck, Check, ObjectEvents, Setup, request, span},
};
use self::{ending::Ending, findings::Findings, progress::Counts, queue::Queue};
pub use self::{queue::Events, request::Request};
use crate::{
    cancellation::Cancellation,
    concurrent::traced,
    error::{Error, ErrorReport, Result},
    event::Progress,
    finding::Finding,
};

/// A running job. Awaiting it gives its result; dropping it cancels it, unless it was [detached](Job::detach).
///
/// Nothing has to read its events: they wait in a queue of bounded length.
///
/// What it found is in its report where it succeeds. Where it fails, [`JobHandle::report`] has it together with the error: a
/// restore that fails may leave its boot guard, a job with an orchestrator may leave servers stopped.
#[derive(Debug)]
#[must_use = "a job that is dropped is cancelled"]
pub struct Job<T> {
    task: JoinHandle<Result<T>>,
    handle: JobHandle,
    queue: Arc<Queue>,
    cancel_on_drop: DropGuard,
}

impl<T> Job<T> {
    /// A handle to cancel the job and to ask how far it is.
    #[must_use]
    pub fn handle(&self) -> JobHandle {
        self.handle.clone()
    }

    /// The events of the job, from its start on. Only the first call gets them; the stream of any further call is empty.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::take(&self.queue)
    }

    /// Lets the job run to its end without this `Job`: dropping it no longer cancels. Its result is dropped.
    pub fn detach(self) -> JobHandle {
        self.cancel_on_drop.disarm();
        self.handle
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

/// Cancels a job and says how far it is, from any thread, as often as wanted, also after the job has ended.
#[derive(Debug, Clone)]
pub struct JobHandle {
    cancellation: Cancellation,
    /// Cancelled once the job has ended.
    ended: Cancellation,
    counts: Arc<Counts>,
    findings: Findings,
}

impl JobHandle {
    /// Asks the job to stop. It fails with [`Error::Cancelled`] within a second, also where a store does not answer, unless it
    /// does what cannot be left half done:
    ///
    /// - A backup whose root manifest is on its way ends within that second, and succeeds or fails with
    ///   [`Error::CommitUnconfirmed`].
    /// - A restore whose roots take the place of the boot guard finishes, and so does the abandonment of one.
    /// - Servers that were stopped are started again, where a restore has not set its guard yet. That takes as long as the
    ///   orchestrator needs, and at most `stop_timeout` for each.
    pub fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// How far the job is now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.counts.progress()
    }

    /// Whether the job has ended, in whatever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Waits until the job has ended, in whatever way.
    pub async fn finished(&self) {
        self.ended.cancelled().await;
    }

    /// What the job has found so far, in order.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.all()
    }

    /// The error of the job as data, together with what the job found: whether the boot guard may stand, and which servers
    /// are still stopped. [`EventKind::Finished`](crate::event::EventKind::Finished) has the same.
    #[must_use]
    pub fn report(&self, error: &Error) -> ErrorReport {
        error.report().with_findings(self.findings())
    }
}

/// Starts `run` on `runtime`, within `span`.
pub(crate) fn spawn_on<T, Fut>(
    runtime: &Handle,
    object_events: ObjectEvents,
    span: Span,
    run: impl FnOnce(RunContext) -> Fut,
) -> Job<T>
where
    T: Send + 'static,
    Fut: Future<Output = Result<T>> + Send + 'static,
{
    let queue = Arc::new(Queue::default());
    let counts = Arc::new(Counts::default());
    let cancellation = Cancellation::new();
    let ended = Cancellation::new();
    let findings = Findings::default();
    let events = EventSink::new(Arc::clone(&queue), Arc::clone(&counts), findings.clone(), object_events);
    let mut ending = Ending::new(events.clone(), ended.clone());
    let run = request::boxed(run(RunContext { events, cancellation: cancellation.clone() }));
    let run = async move {
        let result = AssertUnwindSafe(run).catch_unwind().await;
        let result = result.unwrap_or_else(|panic| Err(Error::panicked("job", panic.as_ref())));
        ending.record(&result);
        result
    };
    let task = runtime.spawn(traced(run.instrument(span)));
    let cancel_on_drop = cancellation.cancel_on_drop();
    let handle = JobHandle { cancellation, ended, counts, findings };
    Job { task, handle, queue, cancel_on_drop }
}

#[cfg(test)]
pub(crate) fn spawn<T, Fut>(run: impl FnOnce(RunContext) -> Fut) -> Job<T>
where
    T: Send + 'static,
    Fut: Future<Output = Result<T>> + Send + 'static,
{
    spawn_on(&Handle::current(), ObjectEvents::Sent, Span::none(), run)
}

#[cfg(test)]
mod tests;
