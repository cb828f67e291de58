//! [`Restore`]: a restore about to start; and the plan of one.

use std::sync::Arc;

use super::{RestoreReport, run};
use tracing::Span;

use crate::{
    copier::{Copier, default_copiers},
    error::{Error, Result},
    job::{Request, RunContext, Setup, request, span},
    location::{Location, Provider, StoreOptions},
    manifest::Backup,
    options::{RestoreOptions, RestoreRunOptions},
    orchestrate::Orchestrator,
    plan::{Approval, RestorePlan},
};

/// A restore about to start: which backup, to where, how, and what of it was approved.
///
/// When it runs, the target is inspected and the restore planned behind stopped servers. Where a plan was approved, it
/// does nothing that is not in that plan.
///
/// The job fails as [`RestorePlan::new`] does, and with [`Error::NoRestore`], [`Error::Overlap`], [`Error::PlanChanged`],
/// [`Error::ServersNotStopped`], [`Error::Orchestrator`], [`Error::DamagedBackup`], [`Error::NoSpace`],
/// [`Error::UntrustedBackup`], [`Error::Ownership`], [`Error::Store`], [`Error::Copy`], [`Error::VerifyFailed`], [`Error::ServerRunning`],
/// [`Error::LeaseLost`], [`Error::LeaseNotRenewed`], [`Error::Cancelled`]. Once the boot guard stands, it stays until the
/// restore is resumed or abandoned; before, nothing was changed and the servers are started again.
/// [`JobHandle::report`](crate::JobHandle::report) says beside the error whether the guard may stand (`boot-guard`) and
/// which servers are stopped (`servers-stopped`).
#[derive(Debug)]
#[must_use = "a restore does nothing until it is started or awaited"]
pub struct Restore {
    backup: BackupSource,
    target: TargetPlace,
    options: RestoreOptions,
    run_options: RestoreRunOptions,
    copier: Arc<dyn Copier>,
    orchestrator: Option<Arc<dyn Orchestrator>>,
    approval: Approval,
    setup: Setup,
}

#[derive(Debug)]
enum BackupSource {
    Opened(Backup),
    Named { repository: Location, name: String },
}

#[derive(Debug)]
enum TargetPlace {
    Opened(Location),
    /// As plans have it: a URL without store options.
    Planned {
        url: String,
        provider: Provider,
    },
}

impl TargetPlace {
    fn url(&self) -> String {
        match self {
            Self::Opened(target) => target.to_string(),
            Self::Planned { url, .. } => url.clone(),
        }
    }

    /// Files need no store options. Which others a target needs, only the caller knows.
    fn open(self) -> Result<Location> {
        match self {
            Self::Opened(target) => Ok(target),
            Self::Planned { url, provider: Provider::File } => Location::parse(&url, &StoreOptions::default()),
            Self::Planned { url, .. } => {
                let reason =
                    format!("a plan holds no store options for `{url}`: give the location itself as the target");
                Err(Error::invalid_request("target", reason))
            }
        }
    }
}

/// A [`Restore`] whose backup and target are open.
#[derive(Debug)]
pub(super) struct OpenedRestore {
    pub(super) backup: Backup,
    pub(super) target: Location,
    pub(super) options: RestoreOptions,
    pub(super) run_options: RestoreRunOptions,
    pub(super) copier: Arc<dyn Copier>,
    pub(super) orchestrator: Option<Arc<dyn Orchestrator>>,
    pub(super) approval: Approval,
}

impl Restore {
    /// A restore of this backup to this place. Nothing of it is approved yet: it does what its options say.
    pub fn new(backup: Backup, target: Location, options: RestoreOptions) -> Self {
        Self::of(BackupSource::Opened(backup), TargetPlace::Opened(target), options)
    }

    /// A restore of what a plan says, and of nothing else.
    pub(crate) fn planned(repository: &Location, plan: &RestorePlan) -> Self {
        let backup = BackupSource::Named { repository: repository.clone(), name: plan.backup.clone() };
        let target = TargetPlace::Planned { url: plan.target.clone(), provider: plan.target_identity.provider() };
        Self::of(backup, target, plan.options.clone()).approving(plan)
    }

    /// A restore of the backup of this name, which the job opens.
    pub(crate) fn of_name(repository: &Location, name: &str, target: &Location, options: RestoreOptions) -> Self {
        let backup = BackupSource::Named { repository: repository.clone(), name: name.to_owned() };
        Self::of(backup, TargetPlace::Opened(target.clone()), options)
    }

    fn of(backup: BackupSource, target: TargetPlace, options: RestoreOptions) -> Self {
        Self {
            backup,
            target,
            options,
            run_options: RestoreRunOptions::default(),
            copier: default_copiers(),
            orchestrator: None,
            approval: Approval::Any,
            setup: Setup::default(),
        }
    }

    /// Restores to this location, opened with its own store options. One that is not the target of an approved plan is
    /// refused.
    pub fn with_target(mut self, target: Location) -> Self {
        self.target = TargetPlace::Opened(target);
        self
    }

    /// Sets how it runs.
    pub fn with_run_options(mut self, options: RestoreRunOptions) -> Self {
        self.run_options = options;
        self
    }

    /// Moves the objects with this copier, or with a chain of them ([`Copiers`](crate::copier::Copiers)).
    pub fn with_copier(mut self, copier: Arc<dyn Copier>) -> Self {
        self.copier = copier;
        self
    }

    /// Stops the servers before it and starts them after it through this orchestrator. One that does not start is a to-do of
    /// the report, with the code `servers-stopped`.
    ///
    /// Servers that run write, also while they stop. So a plan that was made while they ran is seldom still true once they
    /// are stopped: stop them before the plan that is approved is made, or approve none.
    pub fn with_orchestrator(mut self, orchestrator: Arc<dyn Orchestrator>) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// Does nothing that is not in this plan.
    ///
    /// The job fails with [`Error::PlanChanged`] where it would, before it changes anything. A restore that does less
    /// runs: an object to be deleted may be gone already, and a restore that is resumed has done a part of it.
    pub fn approving(mut self, plan: &RestorePlan) -> Self {
        self.approval = Approval::Plan(Box::new(plan.clone()));
        self
    }

    /// Does what the plan of this [hash](RestorePlan::hash) does.
    ///
    /// The job fails with [`Error::PlanChanged`] where it would do more, less or anything else, before it changes
    /// anything.
    pub fn approving_hash(mut self, hash: impl Into<String>) -> Self {
        self.approval = Approval::Hash(hash.into());
        self
    }

    fn span(&self) -> Span {
        span("restore", self.target.url())
    }

    async fn run(self, context: RunContext) -> Result<RestoreReport> {
        let mut opened = context.unless_cancelled(self.open()).await?;
        opened.target = context.events.counting(&opened.target);
        opened.backup = opened.backup.read_by(|place| context.events.noting(place));
        run::run(opened, context).await
    }

    async fn open(self) -> Result<OpenedRestore> {
        let Self { backup, target, options, run_options, copier, orchestrator, approval, setup: _ } = self;
        options.check()?;
        run_options.check()?;
        let target = target.open()?;
        let backup = match backup {
            BackupSource::Opened(backup) => {
                backup.require(&options.vouch()?).await?;
                backup
            }
            BackupSource::Named { repository, name } => {
                Backup::open_vouched(&repository, &name, &options.vouch()?).await?
            }
        };
        Ok(OpenedRestore { backup, target, options, run_options, copier, orchestrator, approval })
    }
}

request!(Restore => RestoreReport);

/// What a restore of the backup of this name would do at this target.
pub(crate) fn plan_restore(
    repository: &Location,
    name: &str,
    target: &Location,
    options: &RestoreOptions,
) -> Request<RestorePlan> {
    let repository = repository.clone();
    let name = name.to_owned();
    let target = target.clone();
    let options = options.clone();
    Request::new("plan_restore", target.to_string(), |context| async move {
        let plan = async {
            options.check()?;
            let place = context.events.noting(&repository);
            let backup = Backup::open_vouched(&place, &name, &options.vouch()?).await?;
            let plan = run::plan(&backup, &target, &options, &context).await;
            plan.map_err(|error| error.in_backup(backup.location()))
        };
        context.unless_cancelled(plan).await
    })
}
