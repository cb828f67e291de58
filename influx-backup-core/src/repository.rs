//! [`Repository`]: a location that holds backups.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::{
    backup::{BackupOptions, BackupReport, Rules, check_places},
    cluster::Cluster,
    concurrent,
    error::{Error, Result},
    inventory::Inventory,
    job::{ObjectEvents, RunContext, request},
    lease::{Clock, LeaseScope, highest},
    location::{Location, local::LOST_AND_FOUND},
    manifest::{Backup, Manifest, read_manifest},
    orchestrate::Orchestrator,
    plan::{BackupPlan, RestorePlan},
    record::BackupStatus,
    restore::RestoreOptions,
    target::Target,
    units::ByteSize,
    verify::{VerifyLevel, VerifyReport},
};

/// How many backups are looked at at once.
const SUMMARIES_AT_ONCE: usize = 16;

/// A location that holds backups, each in a directory of its own.
#[derive(Debug, Clone)]
pub struct Repository {
    location: Location,
}

/// One entry of [`Repository::list`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupSummary {
    /// Its name.
    pub name: String,
    /// In which state it is.
    pub state: BackupState,
    /// The cluster it was taken from.
    pub cluster: Option<String>,
    /// When it was begun.
    pub began: Option<DateTime<Utc>>,
    /// When it was committed.
    pub committed: Option<DateTime<Utc>>,
    /// How many objects it holds.
    pub objects: Option<u64>,
    /// How many bytes.
    pub bytes: Option<ByteSize>,
}

/// In which state a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BackupState {
    /// Committed, its certificate holds.
    Complete,
    /// Committed with the caller's consent although clauses are violated.
    Degraded,
    /// Being written; its heartbeat is fresh.
    InProgress,
    /// Begun and not finished: it was given up, or there was no heartbeat for ten minutes. Can be resumed.
    Unfinished,
    /// Committed, but its manifest cannot be read.
    Damaged,
    /// Committed by a newer release, in a format that this one does not know: list it with that one.
    Newer,
    /// Not ours: a directory without our files.
    Foreign,
}

/// A backup about to start.
#[derive(Debug)]
#[must_use = "a backup does nothing until it is started or awaited"]
pub struct BackupRequest {
    repository: Repository,
    cluster: Cluster,
    options: BackupOptions,
    rules: Rules,
    orchestrator: Option<Arc<dyn Orchestrator>>,
    object_events: ObjectEvents,
}

impl Repository {
    /// Opens a repository. It may be empty or not exist yet; it may not be inside a cluster or a backup.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn open(location: Location) -> Result<Self> {
        Ok(Self { location })
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What a backup of this cluster here would copy. Pure, as [`BackupPlan::new`] is.
    ///
    /// # Errors
    /// What [`Repository::backup`] would refuse at once: [`Error::Overlap`], and [`Error::InvalidRequest`] for a finished
    /// backup as a source.
    pub fn plan(&self, cluster: &Cluster, inventory: &Inventory, options: &BackupOptions) -> Result<BackupPlan> {
        check_places(cluster, &self.location)?;
        Ok(BackupPlan::new(cluster, inventory, options.derived))
    }

    /// A backup of a cluster, to be [started](BackupRequest::start) or awaited.
    pub fn backup(&self, cluster: &Cluster, options: BackupOptions) -> BackupRequest {
        BackupRequest {
            repository: self.clone(),
            cluster: cluster.clone(),
            options,
            rules: Rules::STANDARD,
            orchestrator: None,
            object_events: ObjectEvents::default(),
        }
    }

    /// What a restore of a backup of this repository would do at this target. Nothing is written.
    ///
    /// # Errors
    /// As for [`Repository::get`], [`Target::inspect`] and [`RestorePlan::new`]; [`Error::Overlap`] where the target and
    /// the repository lie inside one another.
    pub async fn plan_restore(&self, name: &str, target: &Location, options: &RestoreOptions) -> Result<RestorePlan> {
        let backup = self.get(name).await?;
        crate::restore::require_apart(&backup, target)?;
        RestorePlan::new(&backup.contents(), &Target::inspect(target).await?, options)
    }

    /// Every backup and what else lies here, sorted by name.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn list(&self) -> Result<Vec<BackupSummary>> {
        let names = self.location.directories().await?;
        let names = names.into_iter().filter(|name| !name.starts_with(['_', '.']) && name != LOST_AND_FOUND);
        let summaries: Vec<_> = names.map(|name| self.summary(name).boxed()).collect();
        concurrent::run(summaries, SUMMARIES_AT_ONCE).await
    }

    pub(crate) async fn summary(&self, name: String) -> Result<BackupSummary> {
        let location = self.location.child(&name)?;
        match read_manifest(&location).await {
            Ok(Some((manifest, _))) => return Ok(BackupSummary::committed(name, manifest)),
            Ok(None) => {}
            Err(Error::DamagedBackup { .. }) => return Ok(BackupSummary::of(name, BackupState::Damaged)),
            Err(Error::UnsupportedFormat { .. }) => return Ok(BackupSummary::of(name, BackupState::Newer)),
            Err(error) => return Err(error),
        }
        Ok(match highest(&location, &LeaseScope::Backup(name.clone()), Clock::Ours).await? {
            None => BackupSummary::of(name, BackupState::Foreign),
            Some(claimed) => {
                let state = if claimed.is_held() { BackupState::InProgress } else { BackupState::Unfinished };
                let (cluster, began) = (Some(claimed.file.cluster), Some(claimed.file.began));
                BackupSummary { cluster, began, ..BackupSummary::of(name, state) }
            }
        })
    }

    /// Opens a committed backup and checks its object list.
    ///
    /// # Errors
    /// [`Error::BackupNotFound`], [`Error::DamagedBackup`],
    /// [`Error::UnsupportedFormat`].
    pub async fn get(&self, name: &str) -> Result<Backup> {
        Backup::open(&self.location, name).await
    }

    /// Verifies a committed backup.
    ///
    /// # Errors
    /// As for [`Repository::get`]; what verification finds is in the report.
    pub async fn verify(&self, name: &str, level: VerifyLevel) -> Result<VerifyReport> {
        crate::verify::verify(&self.get(name).await?, level).await
    }
}

impl BackupSummary {
    fn of(name: String, state: BackupState) -> Self {
        Self { name, state, cluster: None, began: None, committed: None, objects: None, bytes: None }
    }

    fn committed(name: String, manifest: Manifest) -> Self {
        let state = match manifest.status {
            BackupStatus::Complete => BackupState::Complete,
            BackupStatus::Degraded => BackupState::Degraded,
        };
        Self {
            cluster: Some(manifest.cluster.id().to_owned()),
            began: Some(manifest.began),
            committed: Some(manifest.committed),
            objects: Some(manifest.object_count),
            bytes: Some(ByteSize(manifest.byte_count)),
            ..Self::of(name, state)
        }
    }
}

impl BackupRequest {
    /// Makes it a cold backup: all servers are stopped through this orchestrator before the first listing, the compactor
    /// before the nodes that hold data, and started again in the reverse order when the backup ends, fails or is
    /// cancelled, also where its job is dropped.
    ///
    /// Where the backup succeeds and a server cannot be started again, the job fails with
    /// [`Error::Orchestrator`]; the backup is committed all the same.
    pub fn with_orchestrator(mut self, orchestrator: Arc<dyn Orchestrator>) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// By other rules than [`Rules::STANDARD`], to show in tests what each rule is for.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    async fn run(self, context: RunContext) -> Result<BackupReport> {
        let Self { repository, cluster, options, rules, orchestrator, object_events: _ } = self;
        crate::backup::run(repository.location, cluster, options, rules, orchestrator, context).await
    }
}

request!(BackupRequest => BackupReport);
