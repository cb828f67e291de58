//! [`Executor`].

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{attempt::Worker, make_durable};
use crate::limits::{Bandwidth, Limits, MemoryBudget};
use crate::{
    adaptive::Adaptive,
    copier::{Copied, Copier},
    error::{CopyError, Error, Result},
    event::EventKind,
    job::RunContext,
    location::Location,
    plan::{CopyTask, Stage},
};

/// How long copies get to stop by themselves before they are dropped: within the second that is promised.
const GRACE: Duration = Duration::from_millis(700);

/// Told of every finished object, in the order in which they finish.
#[async_trait]
pub trait CopySink: Send {
    /// One object is finished and was checked at the target.
    ///
    /// # Errors
    /// Whatever stops the run.
    async fn finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()>;
}

/// How an object ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyOutcome {
    /// It is at the target.
    Copied(Box<Copied>),
    /// It was gone before its copy.
    Vanished,
    /// It was another version before its copy.
    Changed,
}

/// Runs stages.
#[derive(Debug)]
pub struct Executor {
    copier: Arc<dyn Copier>,
    limits: Limits,
    task: RunContext,
    bandwidth: Bandwidth,
    memory: MemoryBudget,
    adaptive: Arc<Adaptive>,
}

type Copies = JoinSet<(usize, Result<CopyOutcome, CopyError>)>;

impl Executor {
    pub(crate) fn new(copier: Arc<dyn Copier>, limits: Limits, task: RunContext) -> Self {
        let bandwidth = limits.bandwidth.map_or_else(Bandwidth::unlimited, Bandwidth::per_second);
        let (memory, adaptive) = (MemoryBudget::new(limits.memory), Adaptive::new(limits.concurrency));
        Self { copier, limits, task, bandwidth, memory, adaptive }
    }

    /// Runs one stage to its barrier: when it returns, every task was told to the ledger, and files are on disk.
    ///
    /// What is planned is counted by the caller, for all stages at once.
    ///
    /// # Errors
    /// [`Error::Copy`] for what no retry helps against, [`Error::Cancelled`] within a second of the cancellation,
    /// [`Error::Store`] where the target cannot be put on disk, and what the ledger says. After an error, objects that
    /// were finished meanwhile are still told to the ledger.
    pub async fn stage(&self, stage: &Stage, from: &Location, to: &Location, sink: &mut dyn CopySink) -> Result<()> {
        let (kind, objects, bytes) = (stage.kind, stage.objects(), stage.bytes());
        self.task.events.send(EventKind::StageStarted { stage: kind, objects, bytes });
        if !stage.tasks.is_empty() {
            self.copy_all(&stage.tasks, from, to, sink).await?;
            let durable = make_durable(to, self.limits.durability);
            self.task.unless_cancelled(durable).await?;
        }
        self.task.events.send(EventKind::StageFinished { stage: kind });
        Ok(())
    }

    async fn copy_all(
        &self,
        tasks: &[CopyTask],
        from: &Location,
        to: &Location,
        sink: &mut dyn CopySink,
    ) -> Result<()> {
        let stop = self.task.cancellation.child_token();
        let _stop_when_dropped = stop.clone().drop_guard();
        let mut copies = Copies::new();
        let copied = self.feed(&mut copies, tasks, &self.worker(from, to, &stop), sink).await;
        if copied.is_err() {
            stop.cancel();
            // What is finished by now is at the target: a resumed run need not copy it again.
            let _ = timeout(GRACE, self.drain(&mut copies, tasks, sink)).await;
            copies.abort_all();
        }
        copied
    }

    fn worker(&self, from: &Location, to: &Location, stop: &CancellationToken) -> Arc<Worker> {
        Arc::new(Worker {
            copier: Arc::clone(&self.copier),
            from: from.clone(),
            to: to.clone(),
            retry: self.limits.retry.clone(),
            stall_timeout: self.limits.stall_timeout,
            stop: stop.clone(),
            events: self.task.events.clone(),
            bandwidth: self.bandwidth.clone(),
            memory: self.memory.clone(),
            adaptive: Arc::clone(&self.adaptive),
        })
    }

    /// Keeps as many copies under way as are allowed, until all are finished or one cannot be.
    async fn feed(
        &self,
        copies: &mut Copies,
        tasks: &[CopyTask],
        worker: &Arc<Worker>,
        sink: &mut dyn CopySink,
    ) -> Result<()> {
        let mut waiting = tasks.iter().enumerate();
        loop {
            while copies.len() < self.limits.concurrency.max(1)
                && let Some((index, task)) = waiting.next()
            {
                let (worker, task) = (Arc::clone(worker), task.clone());
                copies.spawn(async move { (index, worker.copy(&task).await) });
            }
            let joined = self.task.cancellation.run_until_cancelled(copies.join_next()).await;
            match joined.ok_or_else(|| self.task.cancelled())? {
                None => return Ok(()),
                Some(joined) => {
                    let joined = joined.map_err(|error| Error::Internal { task: "copy", source: Box::new(error) });
                    let (index, outcome) = joined?;
                    self.tell(&tasks[index], outcome, sink).await?;
                }
            }
        }
    }

    /// Waits for the copies under way, and tells of those that were finished.
    async fn drain(&self, copies: &mut Copies, tasks: &[CopyTask], sink: &mut dyn CopySink) -> Result<()> {
        while let Some(joined) = copies.join_next().await {
            if let Ok((index, Ok(outcome))) = joined {
                self.tell(&tasks[index], Ok(outcome), sink).await?;
            }
        }
        Ok(())
    }

    async fn tell(
        &self,
        task: &CopyTask,
        outcome: Result<CopyOutcome, CopyError>,
        sink: &mut dyn CopySink,
    ) -> Result<()> {
        let key = task.source.key.clone();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(CopyError::Cancelled) if self.task.cancellation.is_cancelled() => return Err(self.task.cancelled()),
            Err(error) => return Err(Error::Copy { key, error }),
        };
        match outcome {
            CopyOutcome::Vanished => self.task.events.send(EventKind::Vanished { key }),
            CopyOutcome::Changed => self.task.events.send(EventKind::Changed { key }),
            CopyOutcome::Copied(_) => {}
        }
        sink.finished(task, outcome).await?;
        self.task.events.add_object();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
