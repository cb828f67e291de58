//! [`Restore`]: a restore about to start.

use std::sync::Arc;

use super::{RestoreReport, run};
#[cfg(doc)]
use crate::error::Error;
use crate::{
    copier::{Copier, default_copiers},
    error::Result,
    job::{ObjectEvents, RunContext, request},
    location::Location,
    manifest::Backup,
    options::RestoreOptions,
    orchestrate::Orchestrator,
    plan::{Approval, RestorePlan},
};

/// A restore about to start: which backup, to where, how, and what of it was approved.
///
/// When it runs, the target is inspected and the restore planned behind stopped servers. Where a plan was approved, it
/// does nothing that is not in that plan.
///
/// The job fails as [`RestorePlan::new`] does, and with [`Error::Overlap`], [`Error::PlanChanged`],
/// [`Error::ServersNotStopped`], [`Error::Orchestrator`], [`Error::DamagedBackup`], [`Error::NoSpace`],
/// [`Error::Ownership`], [`Error::Store`], [`Error::Copy`], [`Error::VerifyFailed`], [`Error::ServerRunning`],
/// [`Error::ClaimLost`], [`Error::Cancelled`]. Once the boot guard stands, it stays until the restore is resumed or
/// abandoned; before, nothing was changed and the servers are started again.
#[derive(Debug)]
#[must_use = "a restore does nothing until it is started or awaited"]
pub struct Restore {
    pub(super) backup: Backup,
    pub(super) target: Location,
    pub(super) options: RestoreOptions,
    pub(super) copier: Arc<dyn Copier>,
    pub(super) orchestrator: Option<Arc<dyn Orchestrator>>,
    pub(super) approval: Approval,
    object_events: ObjectEvents,
}

impl Restore {
    /// A restore of this backup to this place.
    pub fn new(backup: Backup, target: Location, options: RestoreOptions) -> Self {
        Self {
            backup,
            target,
            options,
            copier: default_copiers(),
            orchestrator: None,
            approval: Approval::Any,
            object_events: ObjectEvents::default(),
        }
    }

    /// Moves the objects with this copier, or with a chain of them ([`Copiers`](crate::copier::Copiers)).
    pub fn with_copier(mut self, copier: Arc<dyn Copier>) -> Self {
        self.copier = copier;
        self
    }

    /// Stops the servers before it and starts them after it through this orchestrator. It takes precedence over
    /// [`RestoreOptions::servers`].
    ///
    /// Servers that run write, also while they stop. So a plan that was made while they ran is seldom still true once they
    /// are stopped: stop them before the plan that is approved is made, or approve none.
    pub fn with_orchestrator(mut self, orchestrator: Arc<dyn Orchestrator>) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// Does nothing that is not in this plan.
    ///
    /// The job fails with [`Error::PlanChanged`], before anything is written, where it would.
    /// A restore that does less runs: an object to be deleted may be gone already.
    pub fn approving(mut self, plan: &RestorePlan) -> Self {
        self.approval = Approval::Plan(Box::new(plan.clone()));
        self
    }

    /// Does what the plan of this [hash](RestorePlan::hash) does, and nothing else.
    ///
    /// The job fails with [`Error::PlanChanged`], before anything is written, where it would do
    /// more, less or anything else.
    pub fn approving_hash(mut self, hash: impl Into<String>) -> Self {
        self.approval = Approval::Hash(hash.into());
        self
    }

    async fn run(self, context: RunContext) -> Result<RestoreReport> {
        run::run(self, context).await
    }
}

request!(Restore => RestoreReport);
