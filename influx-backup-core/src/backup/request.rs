//! [`BackupRequest`] and [`PlanBackupRequest`]: a backup, and the plan of one, about to start.

use std::sync::Arc;

use super::{BackupReport, Rules, check_places, run::run};
use crate::{
    cluster::Cluster,
    copier::{Copier, default_copiers},
    error::Result,
    job::{ObjectEvents, RunContext, request},
    location::Location,
    options::BackupOptions,
    orchestrate::Orchestrator,
    plan::BackupPlan,
};

/// A backup about to start. Its progress counts the objects that are listed and those that are copied.
#[derive(Debug)]
#[must_use = "a backup does nothing until it is started or awaited"]
pub struct BackupRequest {
    repository: Location,
    cluster: Cluster,
    options: BackupOptions,
    rules: Rules,
    copier: Arc<dyn Copier>,
    orchestrator: Option<Arc<dyn Orchestrator>>,
    object_events: ObjectEvents,
}

impl BackupRequest {
    pub(crate) fn new(repository: &Location, cluster: &Cluster, options: BackupOptions) -> Self {
        Self {
            repository: repository.clone(),
            cluster: cluster.clone(),
            options,
            rules: Rules::STANDARD,
            copier: default_copiers(),
            orchestrator: None,
            object_events: ObjectEvents::default(),
        }
    }

    /// Moves the objects with this copier, or with a chain of them ([`Copiers`](crate::copier::Copiers)).
    pub fn with_copier(mut self, copier: Arc<dyn Copier>) -> Self {
        self.copier = copier;
        self
    }

    /// Makes it a cold backup: all servers are stopped through this orchestrator before the first listing, the compactor
    /// before the nodes that hold data, and started again in the reverse order when the backup ends, fails or is
    /// cancelled, also where its job is dropped.
    ///
    /// Where the backup succeeds and a server cannot be started again, the job fails with
    /// [`Error::Orchestrator`](crate::Error::Orchestrator); the backup is committed anyway.
    pub fn with_orchestrator(mut self, orchestrator: Arc<dyn Orchestrator>) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// By other rules than [`Rules::STANDARD`], to show in tests what each rule is for.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    async fn run(self, context: RunContext) -> Result<BackupReport> {
        let Self { repository, cluster, options, rules, copier, orchestrator, object_events: _ } = self;
        let cluster = cluster.counted_by(&context);
        run(repository, cluster, options, rules, copier, orchestrator, context).await
    }
}

request!(BackupRequest => BackupReport);

/// The plan of a backup, about to be made. Its progress counts the objects that are listed.
#[derive(Debug)]
#[must_use = "nothing is planned until it is started or awaited"]
pub struct PlanBackupRequest {
    repository: Location,
    cluster: Cluster,
    options: BackupOptions,
    object_events: ObjectEvents,
}

impl PlanBackupRequest {
    pub(crate) fn new(repository: &Location, cluster: &Cluster, options: &BackupOptions) -> Self {
        let object_events = ObjectEvents::default();
        Self { repository: repository.clone(), cluster: cluster.clone(), options: options.clone(), object_events }
    }

    async fn run(self, context: RunContext) -> Result<BackupPlan> {
        self.options.check()?;
        check_places(&self.cluster, &self.repository)?;
        let cluster = self.cluster.counted_by(&context);
        let inventory = context.unless_cancelled(cluster.list()).await?;
        Ok(BackupPlan::new(cluster.description(), &inventory, self.options.derived))
    }
}

request!(PlanBackupRequest => BackupPlan);
