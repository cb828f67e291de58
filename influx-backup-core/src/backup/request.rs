//! [`BackupRequest`]: a backup about to start; and the plan of one.

use std::sync::Arc;

use super::{
    BackupReport, Rules, check_places,
    run::{Tools, run},
};
use tokio::task::spawn_blocking;
use tracing::Span;

use crate::{
    copier::{Copier, default_copiers},
    discover::Source,
    error::{Error, Result},
    inventory::Inventory,
    job::{Request, RunContext, Setup, request, span},
    location::Location,
    options::BackupOptions,
    orchestrate::Orchestrator,
    plan::BackupPlan,
    signature::Signer,
};

/// A backup about to start. Its progress counts the objects that are listed and those that are copied.
#[derive(Debug)]
#[must_use = "a backup does nothing until it is started or awaited"]
pub struct BackupRequest {
    repository: Location,
    source: Source,
    options: BackupOptions,
    rules: Rules,
    copier: Arc<dyn Copier>,
    orchestrator: Option<Arc<dyn Orchestrator>>,
    setup: Setup,
}

impl BackupRequest {
    pub(crate) fn new(repository: &Location, source: Source, options: BackupOptions) -> Self {
        Self {
            repository: repository.clone(),
            source,
            options,
            rules: Rules::STANDARD,
            copier: default_copiers(),
            orchestrator: None,
            setup: Setup::default(),
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
    /// A server that cannot be started again does not make a backup fail: it is a to-do of the report, with the code
    /// `servers-stopped`, its node and the cause. Where the backup fails too, it is in
    /// [`JobHandle::report`](crate::JobHandle::report).
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

    /// A backup without a name gets its name later.
    fn span(&self) -> Span {
        match &self.options.name {
            Some(name) => span("backup", name),
            None => span("backup", &self.source),
        }
    }

    async fn run(self, context: RunContext) -> Result<BackupReport> {
        let Self { repository, source, options, rules, copier, orchestrator, setup: _ } = self;
        options.check()?;
        let tools = Tools { copier, orchestrator, signer: signer(&options).await? };
        let cluster = source.open(&context).await?;
        let repository = context.events.noting(&repository);
        run(repository, cluster, options, rules, tools, context).await
    }
}

request!(BackupRequest => BackupReport);

/// What signs the manifest, opened before anything is done. That of a key with a password takes a second of a processor.
async fn signer(options: &BackupOptions) -> Result<Option<Signer>> {
    let options = options.clone();
    let opened = spawn_blocking(move || options.signer()).await;
    opened.map_err(|source| Error::Internal { task: "signing key", source: Box::new(source) })?
}

/// What a backup would copy, from one listing of the cluster.
pub(crate) fn plan_backup(repository: &Location, source: Source, options: &BackupOptions) -> Request<BackupPlan> {
    let repository = repository.clone();
    let options = options.clone();
    Request::new("plan_backup", source.to_string(), |context| async move {
        options.check()?;
        let cluster = source.open(&context).await?;
        check_places(&cluster, &repository)?;
        let inventory = context.unless_cancelled(Inventory::list(&cluster)).await?;
        let mut plan = BackupPlan::new(cluster.description(), &inventory, options.derived);
        plan.findings = context.events.found();
        Ok(plan)
    })
}
