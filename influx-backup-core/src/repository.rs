//! [`Repository`]: a location that holds backups.

mod place;

use std::sync::Arc;

pub use crate::summary::{BackupState, BackupSummary};
use crate::{
    backup::{BackupReport, Rules, check_places},
    cluster::Cluster,
    copier::{Copier, default_copiers},
    error::Result,
    job::{ObjectEvents, RunContext, request},
    leftovers::{Leftover, LeftoversRequest, RemoveRequest},
    location::Location,
    manifest::{Backup, RepositoryMarker},
    options::{BackupOptions, RestoreOptions, VerifyOptions},
    orchestrate::Orchestrator,
    plan::{BackupPlan, RestorePlan},
    restore::Restore,
    summary,
    target::Target,
    verify::VerifyRequest,
};

/// A location that holds backups, each in a directory of its own.
#[derive(Debug, Clone)]
pub struct Repository {
    location: Location,
}

/// A backup about to start.
#[derive(Debug)]
#[must_use = "a backup does nothing until it is started or awaited"]
pub struct BackupRequest {
    repository: Repository,
    cluster: Cluster,
    options: BackupOptions,
    rules: Rules,
    copier: Arc<dyn Copier>,
    orchestrator: Option<Arc<dyn Orchestrator>>,
    object_events: ObjectEvents,
}

impl Repository {
    /// Opens a repository. It may be empty or not exist yet: the first backup makes its marker. One without a marker, or
    /// with a damaged one, still lists, verifies and restores.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) for a location that is a cluster or a backup, or lies inside one;
    /// [`Error::UnsupportedFormat`](crate::Error::UnsupportedFormat) where the repository needs a newer release; [`Error::Store`](crate::Error::Store).
    pub async fn open(location: Location) -> Result<Self> {
        if !RepositoryMarker::is_there(&location).await? {
            place::require_free(&location).await?;
        }
        Ok(Self { location })
    }

    /// The marker of the repository, or `None` where nothing was backed up to it yet.
    ///
    /// # Errors
    /// [`Error::DamagedMarker`](crate::Error::DamagedMarker) where it cannot be used, and no backup can be added;
    /// [`Error::UnsupportedFormat`](crate::Error::UnsupportedFormat), [`Error::Store`](crate::Error::Store).
    pub async fn marker(&self) -> Result<Option<RepositoryMarker>> {
        RepositoryMarker::read(&self.location).await
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What a backup of this cluster here would copy now, from one listing of it. Nothing is written.
    ///
    /// # Errors
    /// As for [`Cluster::list`]; and what [`Repository::backup`] would refuse at once: [`Error::Overlap`](crate::Error::Overlap),
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) for a finished backup as a source.
    pub async fn plan_backup(&self, cluster: &Cluster, options: &BackupOptions) -> Result<BackupPlan> {
        check_places(cluster, &self.location)?;
        Ok(BackupPlan::new(cluster.description(), &cluster.list().await?, options.derived))
    }

    /// A backup of a cluster, to be [started](BackupRequest::start) or awaited.
    pub fn backup(&self, cluster: &Cluster, options: BackupOptions) -> BackupRequest {
        BackupRequest {
            repository: self.clone(),
            cluster: cluster.clone(),
            options,
            rules: Rules::STANDARD,
            copier: default_copiers(),
            orchestrator: None,
            object_events: ObjectEvents::default(),
        }
    }

    /// What a restore of a backup of this repository would do at this target. Nothing is written.
    ///
    /// # Errors
    /// As for [`Repository::get`], [`Target::inspect`] and [`RestorePlan::new`]; [`Error::Overlap`](crate::Error::Overlap)
    /// where the target and the repository lie inside one another.
    pub async fn plan_restore(&self, name: &str, target: &Location, options: &RestoreOptions) -> Result<RestorePlan> {
        let backup = self.get(name).await?;
        crate::restore::require_apart(&backup, target)?;
        RestorePlan::new(&backup.contents(), &Target::inspect(target).await?, options)
    }

    /// A restore of what a plan says, to be started or awaited. The plan is thereby approved: the job fails with
    /// [`Error::PlanChanged`](crate::Error::PlanChanged) where it would do anything that is not in it.
    ///
    /// A plan names its target without credentials. They come from the environment, unless
    /// [`Restore::with_target`] gives the location itself. [`Restore::new`] restores without a plan.
    pub fn restore(&self, plan: &RestorePlan) -> Restore {
        Restore::planned(&self.location, plan)
    }

    /// Every backup and what else lies here, sorted by name. One that cannot be read is
    /// [`Unreadable`](BackupState::Unreadable) and keeps no other from the list.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) where the repository itself cannot be listed.
    pub async fn list(&self) -> Result<Vec<BackupSummary>> {
        summary::list(&self.location).await
    }

    /// Opens a committed backup and checks its object list.
    ///
    /// # Errors
    /// [`Error::BackupNotFound`](crate::Error::BackupNotFound), [`Error::DamagedBackup`](crate::Error::DamagedBackup),
    /// [`Error::UnsupportedFormat`](crate::Error::UnsupportedFormat).
    pub async fn get(&self, name: &str) -> Result<Backup> {
        Backup::open(&self.location, name).await
    }

    /// Verifies a committed backup.
    ///
    /// The job fails as [`Repository::get`] does, and as [`verify`](crate::verify::verify()) does; what verification finds is in
    /// the report.
    pub fn verify(&self, name: &str, options: VerifyOptions) -> VerifyRequest {
        VerifyRequest::named(&self.location, name, options)
    }

    /// What attempts that ended without a commit left here, sorted by name. What is being written at the moment is none of
    /// it, and neither is what this crate did not write.
    ///
    /// The job fails with [`Error::Store`](crate::Error::Store); on S3 it takes the right `s3:ListBucketMultipartUploads`, on Google
    /// `storage.multipartUploads.list`.
    pub fn leftovers(&self) -> LeftoversRequest {
        LeftoversRequest::new(&self.location)
    }

    /// Deletes a leftover, as far as it still is one. An unfinished backup is claimed first, so that it cannot be resumed
    /// meanwhile. It can be cancelled, and done again.
    ///
    /// The job fails with [`Error::BackupInProgress`](crate::Error::BackupInProgress) and [`Error::BackupExists`](crate::Error::BackupExists) where a backup was resumed or finished
    /// since, and with [`Error::Store`](crate::Error::Store).
    pub fn remove(&self, leftover: &Leftover) -> RemoveRequest {
        RemoveRequest::new(&self.location, leftover)
    }
}

impl BackupRequest {
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

    async fn run(self, context: RunContext) -> Result<BackupReport> {
        let Self { repository, cluster, options, rules, copier, orchestrator, object_events: _ } = self;
        crate::backup::run(repository.location, cluster, options, rules, copier, orchestrator, context).await
    }
}

request!(BackupRequest => BackupReport);

#[cfg(test)]
mod tests;
