//! [`Restore`]: a restore about to start.

use std::sync::Arc;

use super::{RestoreOptions, RestoreReport, run};
use crate::{
    job::{Job, spawn},
    location::Location,
    manifest::Backup,
    orchestrate::Orchestrator,
    plan::{Approval, RestorePlan},
};

/// A restore about to start: which backup, to where, how, and what of it was approved.
///
/// When it runs, the target is inspected and the restore planned behind stopped servers. Where a plan was approved, it
/// does nothing that is not in that plan.
#[derive(Debug)]
pub struct Restore {
    pub(super) backup: Backup,
    pub(super) target: Location,
    pub(super) options: RestoreOptions,
    pub(super) orchestrator: Option<Arc<dyn Orchestrator>>,
    pub(super) approval: Approval,
}

impl Restore {
    /// A restore of this backup to this place.
    #[must_use]
    pub fn new(backup: Backup, target: Location, options: RestoreOptions) -> Self {
        Self { backup, target, options, orchestrator: None, approval: Approval::Any }
    }

    /// Stops the servers before it and starts them after it through this orchestrator.
    ///
    /// Servers that run write, also while they stop. So a plan that was made while they ran is seldom still true once they
    /// are stopped: stop them before the plan that is approved is made, or approve none.
    #[must_use]
    pub fn with_orchestrator(mut self, orchestrator: Arc<dyn Orchestrator>) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// Does nothing that is not in this plan.
    ///
    /// The job fails with [`Error::PlanChanged`](crate::Error::PlanChanged), before anything is written, where it would.
    /// A restore that does less runs: an object to be deleted may be gone already.
    #[must_use]
    pub fn approving(mut self, plan: &RestorePlan) -> Self {
        self.approval = Approval::Plan(Box::new(plan.clone()));
        self
    }

    /// Does what the plan of this [hash](RestorePlan::hash) does, and nothing else.
    ///
    /// The job fails with [`Error::PlanChanged`](crate::Error::PlanChanged), before anything is written, where it would do
    /// more, less or anything else.
    #[must_use]
    pub fn approving_hash(mut self, hash: impl Into<String>) -> Self {
        self.approval = Approval::Hash(hash.into());
        self
    }

    /// Starts it on the caller's tokio runtime.
    ///
    /// The job fails as [`RestorePlan::new`] does, and with [`Error::Overlap`](crate::Error::Overlap),
    /// [`Error::PlanChanged`](crate::Error::PlanChanged), [`Error::ServersNotStopped`](crate::Error::ServersNotStopped),
    /// [`Error::Orchestrator`](crate::Error::Orchestrator), [`Error::DamagedBackup`](crate::Error::DamagedBackup),
    /// [`Error::NoSpace`](crate::Error::NoSpace), [`Error::Ownership`](crate::Error::Ownership),
    /// [`Error::Store`](crate::Error::Store), [`Error::Copy`](crate::Error::Copy),
    /// [`Error::VerifyFailed`](crate::Error::VerifyFailed), [`Error::ServerRunning`](crate::Error::ServerRunning),
    /// [`Error::ClaimLost`](crate::Error::ClaimLost), [`Error::Cancelled`](crate::Error::Cancelled). Once the boot guard
    /// stands, it stays until the restore is resumed or abandoned; before, nothing was changed and the servers are started
    /// again.
    #[must_use]
    pub fn start(self) -> Job<RestoreReport> {
        spawn(|task| async move { run::run(self, task).await })
    }
}
