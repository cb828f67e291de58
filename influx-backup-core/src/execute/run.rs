//! [`Executor`].

use std::{error::Error as _, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::{
    task::{JoinError, JoinSet},
    time::timeout,
};
use tracing::Instrument;

use super::{
    Places,
    attempt::Worker,
    batch::{Batch, Ended, Next, Queue, Ran},
};
use crate::{
    adaptive::Adaptive,
    cancellation::Cancellation,
    concurrent,
    copier::{CleanUps, Copied, Copier, CopyContext},
    error::{CopyError, CopySide, Error, Result, StoreErrorKind},
    event::EventKind,
    finding::{Finding, FindingCode},
    job::RunContext,
    limits::{Bandwidth, Limits, MemoryBudget},
    location::{Location, make_durable},
    options::{ContentDigest, OnUnreadable},
    plan::{CopyTask, Stage},
};

/// How long copies get to stop by themselves before they are dropped. The second that is promised has to last for what follows
/// as well: what is finished is written down, and the lease released.
const GRACE: Duration = Duration::from_millis(420);

/// Receives every finished object, in the order in which they finish.
#[async_trait]
pub trait CopySink: Send {
    /// One object is finished, and was verified at the target.
    ///
    /// # Errors
    /// Any error stops the run.
    async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()>;
}

/// How an object ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CopyOutcome {
    /// It is at the target.
    Copied(Box<Copied>),
    /// It no longer existed.
    Vanished,
    /// It had another version.
    Changed,
    /// It could not be read, and the caller wants the others all the same.
    #[non_exhaustive]
    Unreadable {
        /// The code of the error.
        code: String,
        /// What the store answered.
        reason: String,
    },
}

/// Runs stages, or parts of them: copies objects within its limits, retries, verifies, and waits at the barrier.
#[derive(Debug)]
pub struct Executor {
    copier: Arc<dyn Copier>,
    limits: Limits,
    task: RunContext,
    bandwidth: Bandwidth,
    memory: MemoryBudget,
    adaptive: Arc<Adaptive>,
    clean_ups: CleanUps,
    on_unreadable: OnUnreadable,
    digest: ContentDigest,
}

/// The copies under way.
type Copies = JoinSet<Result<Ran>>;

impl Executor {
    /// An executor for a worker that runs [a part of a stage](Stage::split), outside any job. The limits are shared by all
    /// stages that it runs. It sends no events; `cancellation` stops it within a second.
    #[must_use]
    pub fn new(copier: Arc<dyn Copier>, limits: Limits, cancellation: Cancellation) -> Self {
        Self::of_job(copier, limits, RunContext::without_job(cancellation))
    }

    /// An executor that sends its events through a job, and is cancelled with it.
    pub(crate) fn of_job(copier: Arc<dyn Copier>, limits: Limits, task: RunContext) -> Self {
        Self {
            bandwidth: limits.bandwidth.map_or_else(Bandwidth::unlimited, Bandwidth::per_second),
            memory: MemoryBudget::new(limits.memory),
            adaptive: Adaptive::new(limits.concurrency),
            clean_ups: CleanUps::default().with_limit(limits.stall_timeout()),
            on_unreadable: OnUnreadable::Refuse,
            digest: ContentDigest::None,
            copier,
            limits,
            task,
        }
    }

    /// The same, which goes on where an object of the source cannot be read, if that is wanted.
    pub(crate) fn with_on_unreadable(mut self, on_unreadable: OnUnreadable) -> Self {
        self.on_unreadable = on_unreadable;
        self
    }

    /// The same, which has this digest taken of what passes through.
    pub(crate) fn with_digest(mut self, digest: ContentDigest) -> Self {
        self.digest = digest;
        self
    }

    /// Runs one stage to its barrier: when it returns, the sink has received every task, and files are on disk.
    ///
    /// It copies what the stage names, and lists nothing. Where the stage has a [`relist`](Stage::relist) rule, the caller lists
    /// the source again first and runs the stage of the new plan: without that, a backup lacks what was written since.
    ///
    /// The caller counts what is planned, for all stages at once.
    ///
    /// # Errors
    /// [`Error::Copy`] where no retry helps, [`Error::Cancelled`] within a second of the cancellation, [`Error::Store`]
    /// where the target cannot be put on disk, [`Error::InvalidRequest`] where `places` lacks a role, and the errors of
    /// the sink. After an error, the sink still receives the objects that were finished meanwhile.
    pub async fn stage(&self, stage: &Stage, places: &Places, sink: &mut dyn CopySink) -> Result<()> {
        let kind = stage.kind;
        let objects = stage.objects();
        let bytes = stage.bytes();
        self.task.events.send(EventKind::StageStarted { stage: kind, objects, bytes });
        if !stage.is_empty() {
            let span = tracing::info_span!("stage", stage = kind.title());
            self.copy_all(stage, places, sink).instrument(span).await?;
            let cleaned_up = async {
                self.clean_ups.finished().await;
                Ok(())
            };
            self.task.unless_cancelled(cleaned_up).await?;
            let durable = make_durable(places.target(), self.limits.durability);
            self.task.unless_cancelled(durable).await?;
        }
        self.task.events.send(EventKind::StageFinished { stage: kind });
        Ok(())
    }

    async fn copy_all(&self, stage: &Stage, places: &Places, sink: &mut dyn CopySink) -> Result<()> {
        let stop = self.task.cancellation.child();
        let _stop_when_dropped = stop.cancel_on_drop();
        let mut copies = Copies::new();
        let copied = self.feed(&mut copies, stage, places, &self.worker(&stop), sink).await;
        if copied.is_err() {
            stop.cancel();
            // What finishes in time is recorded, so that a resumed run does not copy it again. The first error is returned.
            let drained = async {
                let _ = self.drain(&mut copies, places, sink).await;
                self.clean_ups.finished().await;
            };
            let _ = timeout(GRACE, drained).await;
            copies.abort_all();
        }
        copied
    }

    fn worker(&self, stop: &Cancellation) -> Arc<Worker> {
        let context = CopyContext {
            cancellation: stop.clone(),
            progress: Arc::new(|_| {}),
            bandwidth: self.bandwidth.clone(),
            memory: self.memory.clone(),
            stall_timeout: self.limits.stall_timeout(),
            clean_ups: self.clean_ups.clone(),
            digest: self.digest,
        };
        Arc::new(Worker {
            copier: Arc::clone(&self.copier),
            context,
            retry: self.limits.retry.clone(),
            events: self.task.events.clone(),
            adaptive: Arc::clone(&self.adaptive),
        })
    }

    /// Keeps as many copies under way as are allowed, until all are finished or one fails.
    async fn feed(
        &self,
        copies: &mut Copies,
        stage: &Stage,
        places: &Places,
        worker: &Arc<Worker>,
        sink: &mut dyn CopySink,
    ) -> Result<()> {
        let workers = self.limits.concurrency.max(1);
        let mut queue = Queue::new(stage.tasks(), stage.objects());
        loop {
            while copies.len() < workers
                && let Some(batch) = next_batch(&mut queue, workers, places, worker)?
            {
                copies.spawn(concurrent::traced(batch.run()));
            }
            let joined = self.task.cancellation.run_until_cancelled(copies.join_next()).await;
            match joined.ok_or_else(|| self.task.cancelled())? {
                None => return Ok(()),
                Some(joined) => {
                    let Ran { ended, waits, left } = ran(joined)?;
                    if let Some(waits) = waits {
                        copies.spawn(concurrent::traced(Batch::One(waits).run()));
                    }
                    queue.put_back(left);
                    self.record_all(ended, places, sink).await?;
                }
            }
        }
    }

    /// Waits for the copies under way, and records those that finish.
    async fn drain(&self, copies: &mut Copies, places: &Places, sink: &mut dyn CopySink) -> Result<()> {
        while let Some(joined) = copies.join_next().await {
            if let Ok(Ran { ended, waits, .. }) = ran(joined) {
                if let Some(waits) = waits {
                    copies.spawn(concurrent::traced(Batch::One(waits).run()));
                }
                let ended = ended.into_iter().filter(|(_, outcome)| outcome.is_ok());
                self.record_all(ended, places, sink).await?;
            }
        }
        Ok(())
    }

    /// Records how copies ended. After an error, it goes on with those that were finished.
    async fn record_all(
        &self,
        ended: impl IntoIterator<Item = Ended>,
        places: &Places,
        sink: &mut dyn CopySink,
    ) -> Result<()> {
        let mut recorded = Ok(());
        for (task, outcome) in ended {
            if recorded.is_ok() {
                recorded = self.record(&task, outcome, places, sink).await;
            } else if outcome.is_ok() {
                // The first error is returned.
                let _ = self.record(&task, outcome, places, sink).await;
            }
        }
        recorded
    }

    async fn record(
        &self,
        task: &CopyTask,
        outcome: Result<CopyOutcome, CopyError>,
        places: &Places,
        sink: &mut dyn CopySink,
    ) -> Result<()> {
        let key = task.to.clone();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) if self.on_unreadable == OnUnreadable::Record && error.is_unreadable() => {
                let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                CopyOutcome::Unreadable { code: error.code().to_owned(), reason }
            }
            Err(CopyError::Cancelled) if self.task.cancellation.is_cancelled() => return Err(self.task.cancelled()),
            Err(error) => {
                let location = places.location(task, &error);
                if let Some(gone) = location.filter(|location| is_gone(location, &error)) {
                    return Err(Error::LocationNotFound { location: gone.to_string() });
                }
                let location = location.map(|location| location.to_string().into());
                return Err(Error::Copy { key, location, error });
            }
        };
        match outcome {
            CopyOutcome::Vanished => self.task.events.send(EventKind::Vanished { key }),
            CopyOutcome::Changed => self.task.events.send(EventKind::Changed { key }),
            CopyOutcome::Copied(_) => {}
            CopyOutcome::Unreadable { .. } => {
                let message = format!("`{key}` cannot be read: the backup lacks it");
                let finding = Finding::new(FindingCode::UnreadableObject, message).with_key(key);
                self.task.events.report_once(finding);
            }
        }
        sink.on_finished(task, outcome).await?;
        self.task.events.add_object();
        Ok(())
    }
}

/// The next copies, as many as are made one after another.
fn next_batch(
    queue: &mut Queue<impl Iterator<Item = CopyTask>>,
    workers: usize,
    places: &Places,
    worker: &Arc<Worker>,
) -> Result<Option<Batch>> {
    let tasks = queue.take(workers, |task| places.are_files(task));
    let is_of_files = tasks.first().is_some_and(|task| places.are_files(task));
    let copy = |task: CopyTask| {
        let worker = Arc::clone(worker);
        let request = places.request(&task)?;
        let span = tracing::debug_span!("object", key = %request.target);
        let copy = async move { worker.copy(&request).await };
        Ok(Next::new(task, || Box::pin(concurrent::traced(copy.instrument(span)))))
    };
    let mut copies = tasks.into_iter().map(copy).collect::<Result<Vec<_>>>()?;
    Ok(if is_of_files { Some(Batch::Files(copies)) } else { copies.pop().map(|next| Batch::One(next.begin())) })
}

/// How far a batch came, where it did not panic.
fn ran(joined: Result<Result<Ran>, JoinError>) -> Result<Ran> {
    joined.unwrap_or_else(|source| Err(Error::Internal { task: "copy", source: Box::new(source) }))
}

/// Whether a store says of a write that something does not exist: its bucket or container.
fn is_gone(location: &Location, error: &CopyError) -> bool {
    let is_missing =
        matches!(error, CopyError::Store { side: Some(CopySide::Target), kind: StoreErrorKind::NotFound, .. });
    is_missing && location.directory().is_none()
}

#[cfg(test)]
mod tests;
