//! [`Repository`]: a location that holds backups.

mod place;

use self::place::Place;
pub use crate::summary::{BackupState, BackupSummary, BackupTable};
use crate::{
    backup::{BackupRequest, plan_backup},
    certify::CertifyRequest,
    discover::Source,
    error::Result,
    job::Request,
    leftovers::{self, Leftover},
    location::Location,
    manifest::{Backup, RepositoryMarker},
    options::{BackupOptions, ListOptions, RestoreOptions, VerifyOptions},
    plan::{BackupPlan, RestorePlan},
    restore::{Restore, plan_restore},
    summary,
    verify::{VerifyReport, verify_name},
};

/// A location that holds backups, each in a directory of its own.
#[derive(Debug, Clone)]
pub struct Repository {
    place: Place,
}

impl Repository {
    /// A repository at this location. Nothing is contacted: what [`open`](Self::open) would refuse, the job of the first verb
    /// does, before anything else, or [`marker`](Self::marker). Once nothing is wrong, neither this repository nor a clone
    /// looks again.
    #[must_use]
    pub fn at(location: Location) -> Self {
        Self { place: Place::new(location) }
    }

    /// Opens a repository. It may be empty or not exist yet: the first backup makes its marker. One without a marker, or
    /// with a damaged one, still lists, verifies and restores. Dropping the future stops it.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) for a location that is a cluster or a backup, or lies inside one;
    /// [`Error::UnsupportedFormat`](crate::Error::UnsupportedFormat) where the repository needs a newer release; [`Error::Store`](crate::Error::Store).
    pub async fn open(location: Location) -> Result<Self> {
        let repository = Self::at(location);
        repository.place.check().await?;
        Ok(repository)
    }

    /// The marker of the repository, or `None` where nothing was backed up to it yet.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Error::DamagedMarker`](crate::Error::DamagedMarker) where it cannot be used, and no backup can be added;
    /// [`Error::UnsupportedFormat`](crate::Error::UnsupportedFormat), [`Error::Store`](crate::Error::Store).
    pub async fn marker(&self) -> Result<Option<RepositoryMarker>> {
        self.place.check().await?;
        RepositoryMarker::read(self.location()).await
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        self.place.location()
    }

    /// What a backup of this cluster, or of the cluster at this location, would copy now, from one listing of it. Nothing is
    /// written.
    ///
    /// The job fails as [`discover`](crate::discover()) and [`Cluster::list`](crate::Cluster::list) do, and with what
    /// [`Repository::backup`] would refuse at once:
    /// [`Error::Overlap`](crate::Error::Overlap), [`Error::InvalidRequest`](crate::Error::InvalidRequest) for a finished
    /// backup as a source.
    pub fn plan_backup(&self, source: impl Into<Source>, options: &BackupOptions) -> Request<BackupPlan> {
        self.place.request(|location| plan_backup(location, source.into(), options))
    }

    /// A backup of a cluster, to be [started](BackupRequest::start) or awaited. Of a location, it is one of the cluster that
    /// the job discovers there.
    ///
    /// ```no_run
    /// # use influx_backup_core::{BackupOptions, DiscoverOptions, Location, Repository, Source};
    /// # async fn example(repository: Repository, location: Location) -> influx_backup_core::Result<()> {
    /// repository.backup(&location, BackupOptions::default()).await?;
    /// let source = Source::at(&location, DiscoverOptions::default().with_cluster_id("prod"));
    /// repository.backup(source, BackupOptions::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn backup(&self, source: impl Into<Source>, options: BackupOptions) -> BackupRequest {
        self.place.request(|location| BackupRequest::new(location, source.into(), options))
    }

    /// What a restore of a backup of this repository would do at this target. Nothing is written.
    ///
    /// The job fails as [`Repository::get`], [`Target::inspect`](crate::Target::inspect) and [`RestorePlan::new`] do, and with
    /// what the restore would refuse before its first write as far as reading tells: [`Error::Overlap`](crate::Error::Overlap),
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) for an owner that this machine does not know,
    /// [`Error::DamagedBackup`](crate::Error::DamagedBackup) from its listing and its catalog,
    /// [`Error::TargetForeign`](crate::Error::TargetForeign) for another catalog, [`Error::NoSpace`](crate::Error::NoSpace),
    /// [`Error::Store`](crate::Error::Store). Whether servers are stopped is not known.
    pub fn plan_restore(&self, name: &str, target: &Location, options: &RestoreOptions) -> Request<RestorePlan> {
        self.place.request(|location| plan_restore(location, name, target, options))
    }

    /// A restore of what a plan says, to be started or awaited. The plan is thereby approved: the job fails with
    /// [`Error::PlanChanged`](crate::Error::PlanChanged) where it would do anything that is not in it.
    ///
    /// A plan is data and holds no store options. Where its target needs some, which all but local files do,
    /// [`Restore::with_target`] gives the location. [`restore_backup`](Self::restore_backup) restores without a plan.
    pub fn restore(&self, plan: &RestorePlan) -> Restore {
        self.place.request(|location| Restore::planned(location, plan))
    }

    /// A restore of a backup by its name, to be started or awaited. It is planned when it runs: nothing of it is approved,
    /// unless [`Restore::approving`] or [`Restore::approving_hash`] does so.
    ///
    /// The job fails as [`Repository::get`] and [`Restore`] do.
    pub fn restore_backup(&self, name: &str, target: &Location, options: RestoreOptions) -> Restore {
        self.place.request(|location| Restore::of_name(location, name, target, options))
    }

    /// The certificate of a backup, made again from the bytes it has now. What is certified has options of its own, but its
    /// [`discover`](crate::options::CertifyOptions::discover) has no effect.
    ///
    /// The job fails as [`Repository::get`] does. What is wrong with the backup is in the certificate.
    pub fn certify(&self, name: &str) -> CertifyRequest {
        self.place.request(|location| CertifyRequest::of_name(location, name))
    }

    /// Every backup and what else lies here, sorted by name. One that cannot be read is
    /// [`Unreadable`](BackupState::Unreadable) and keeps no other from the list.
    ///
    /// Its progress counts the directories that may be backups. The job fails with [`Error::Store`](crate::Error::Store) where the repository itself cannot be listed.
    pub fn list(&self) -> Request<Vec<BackupSummary>> {
        self.list_with(ListOptions::default())
    }

    /// The same, in which a backup that the options do not trust is [`Untrusted`](BackupState::Untrusted).
    ///
    /// The job fails with [`Error::InvalidRequest`](crate::Error::InvalidRequest) as [`ListOptions::check`], too.
    pub fn list_with(&self, options: ListOptions) -> Request<Vec<BackupSummary>> {
        self.place.request(|location| {
            let repository = location.clone();
            Request::new("list", location.to_string(), |context| async move {
                let vouch = options.vouch()?;
                let repository = context.events.noting(&repository);
                context.unless_cancelled(summary::list(&repository, &vouch, &context.events)).await
            })
        })
    }

    /// Opens a committed backup and checks its object list.
    ///
    /// The job fails with [`Error::BackupNotFound`](crate::Error::BackupNotFound), [`Error::DamagedBackup`](crate::Error::DamagedBackup),
    /// [`Error::UnsupportedFormat`](crate::Error::UnsupportedFormat).
    pub fn get(&self, name: &str) -> Request<Backup> {
        self.place.request(|location| {
            let repository = location.clone();
            let name = name.to_owned();
            Request::new("get", name.clone(), |context| async move {
                context.unless_cancelled(Backup::open(&repository, &name)).await
            })
        })
    }

    /// Verifies a committed backup.
    ///
    /// The job fails as [`Repository::get`] does, and as [`verify`](crate::verify::verify()) does; what verification finds is in
    /// the report.
    pub fn verify(&self, name: &str, options: VerifyOptions) -> Request<VerifyReport> {
        self.place.request(|location| verify_name(location, name, options))
    }

    /// What attempts that ended without a commit left here, sorted by name. Neither what is being written at the moment
    /// nor what this crate did not write is among it.
    ///
    /// Its progress counts the directories of the repository.
    ///
    /// The job fails with [`Error::Store`](crate::Error::Store). Half-written objects are seen with the right
    /// `s3:ListBucketMultipartUploads` on S3, `storage.multipartUploads.list` on Google; without it the job's finding
    /// [`not-seen`](crate::finding::FindingCode::NotSeen) says so.
    pub fn leftovers(&self) -> Request<Vec<Leftover>> {
        self.place.request(|location| {
            let repository = location.clone();
            Request::new("leftovers", location.to_string(), |context| async move {
                let repository = context.events.noting(&repository);
                context.unless_cancelled(leftovers::find(&repository, &context.events)).await
            })
        })
    }

    /// Deletes a leftover, as far as it still is one. An unfinished backup is claimed first, so that it cannot be resumed
    /// meanwhile. It can be cancelled, and done again.
    ///
    /// The job fails with [`Error::BackupInProgress`](crate::Error::BackupInProgress) and [`Error::BackupExists`](crate::Error::BackupExists) where a backup was resumed or finished
    /// since, and with [`Error::Store`](crate::Error::Store).
    pub fn remove(&self, leftover: &Leftover) -> Request<()> {
        self.place.request(|location| {
            let repository = location.clone();
            let leftover = leftover.clone();
            Request::new("remove", leftover.name.clone(), |context| async move {
                leftovers::remove(&repository, &leftover, &context).await
            })
        })
    }
}

#[cfg(test)]
mod tests;
