//! [`BackupSummary`]: what a repository lists.

mod show;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use serde::{Deserialize, Serialize};

pub use self::show::BackupTable;
use crate::{
    concurrent,
    error::{Error, ErrorReport, Result},
    facts::Meter,
    lease::{Clock, LeaseScope, highest},
    location::{Links, Location},
    manifest::{Manifest, read_manifest},
    named::named,
    options::Vouch,
    record::BackupStatus,
    units::ByteSize,
};

/// How many backups are looked at at once.
const SUMMARIES_AT_ONCE: usize = 16;

/// One entry of the list of a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// Why no more is known of it, where it is damaged, newer or unreadable: code, hint and causes, as of any other error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ErrorReport>,
}

/// In which state a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Committed, but the key that is trusted does not vouch for it.
    Untrusted,
    /// Committed by a newer release, in a format that this one does not know: list it with that one.
    Newer,
    /// Its own files cannot be read now: the right to is missing, or a link lies on the way.
    Unreadable,
    /// No backup: a directory that this crate did not write.
    Foreign,
}

named!(BackupState, "state of a backup", {
    Complete => "complete",
    Degraded => "degraded",
    InProgress => "in_progress",
    Unfinished => "unfinished",
    Damaged => "damaged",
    Untrusted => "untrusted",
    Newer => "newer",
    Unreadable => "unreadable",
    Foreign => "foreign",
});

impl BackupSummary {
    fn new(name: String, state: BackupState) -> Self {
        Self { name, state, cluster: None, began: None, committed: None, objects: None, bytes: None, reason: None }
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
            ..Self::new(name, state)
        }
    }

    fn unread(name: String, error: &Error) -> Self {
        let state = match error {
            Error::DamagedBackup { .. } => BackupState::Damaged,
            Error::UntrustedBackup { .. } => BackupState::Untrusted,
            Error::UnsupportedFormat { .. } => BackupState::Newer,
            // No backup has a name that is no key.
            Error::InvalidKey { .. } => BackupState::Foreign,
            _ => BackupState::Unreadable,
        };
        Self { reason: Some(error.report()), ..Self::new(name, state) }
    }
}

/// A summary of every directory that may be a backup, sorted by name.
pub(crate) async fn list(repository: &Location, vouch: &Vouch, meter: &dyn Meter) -> Result<Vec<BackupSummary>> {
    let names = repository.directories().await?;
    let may_be_backup = |name: &String| !name.starts_with(['_', '.']);
    let names: Vec<_> = names.into_iter().filter(may_be_backup).collect();
    meter.planned(names.len() as u64, 0);
    let summarized = |name| async move {
        let summary = summary(repository, name, vouch).await?;
        meter.finished(0);
        Ok(summary)
    };
    concurrent::run(names.into_iter().map(|name| summarized(name).boxed()).collect(), SUMMARIES_AT_ONCE).await
}

/// What is known of one backup. A store that does not answer says nothing about it, and is an error.
pub(crate) async fn summary(repository: &Location, name: String, vouch: &Vouch) -> Result<BackupSummary> {
    match read(repository, &name, vouch).await {
        Err(error @ Error::Store { kind, .. }) if kind.is_transient() => Err(error),
        Err(error) => Ok(BackupSummary::unread(name, &error)),
        summary => summary,
    }
}

async fn read(repository: &Location, name: &str, vouch: &Vouch) -> Result<BackupSummary> {
    let location = repository.child(name)?.with_links(Links::Never);
    if let Some(manifest) = read_manifest(name, &location, vouch).await? {
        return Ok(BackupSummary::committed(name.to_owned(), manifest));
    }
    let name = name.to_owned();
    Ok(match highest(&location, &LeaseScope::Backup(name.clone()), Clock::Local).await? {
        None => BackupSummary::new(name, BackupState::Foreign),
        Some(lease) => {
            let state = if lease.is_held() { BackupState::InProgress } else { BackupState::Unfinished };
            let cluster = Some(lease.file.cluster);
            let began = Some(lease.file.began);
            BackupSummary { cluster, began, ..BackupSummary::new(name, state) }
        }
    })
}
