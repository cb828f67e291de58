//! [`Leftover`]: what attempts that died left in a repository, and how it goes.

use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::{
    backup::claim,
    error::Result,
    layout::OWN_DIRECTORY,
    lease::{Clock, SILENCE},
    location::{Incomplete, Location, remove_empty},
    options::{OnExisting, Takeover},
    preflight,
    repository::{BackupState, BackupSummary, Repository},
    units::ByteSize,
};

/// What a dead attempt left. No list calls it a backup; it takes room until it is [collected](Repository::collect).
///
/// Parts of uploads that never became objects count as one object each, and no bytes: stores do not say how many. A bucket's
/// lifecycle rule (`AbortIncompleteMultipartUpload`) makes an end of them, too, and Azure forgets them after a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Leftover {
    /// The directory of the repository that it lies in: a backup's name.
    pub name: String,
    /// What it is.
    pub kind: LeftoverKind,
    /// How many files or objects.
    pub objects: u64,
    /// How many bytes.
    pub bytes: ByteSize,
}

/// What kind of leftover it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftoverKind {
    /// A backup that was begun and never committed, and that nobody writes any more. It could still be resumed.
    Unfinished,
    /// What was being written when a process died, beside a committed backup or alone: files with staging names
    /// (`name#digits`), uploads that were never completed, blocks that were never committed.
    Staging,
}

impl Repository {
    /// What dead attempts left here, sorted by name. What is being written at the moment is none of it, and neither is
    /// what is not ours.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store); on S3 that takes the right `s3:ListBucketMultipartUploads`, on Google
    /// `storage.multipartUploads.list`.
    pub async fn leftovers(&self) -> Result<Vec<Leftover>> {
        let backups = self.list().await?;
        // After the list: a backup that is begun meanwhile is none of them.
        let incomplete = self.location().incomplete().await?;
        let mut leftovers = Vec::new();
        for backup in backups {
            leftovers.extend(self.leftover(backup, &incomplete).await?);
        }
        Ok(leftovers)
    }

    async fn leftover(&self, backup: BackupSummary, incomplete: &[Incomplete]) -> Result<Option<Leftover>> {
        let location = self.location().child(&backup.name)?;
        let (kind, mut sizes) = match backup.state {
            BackupState::InProgress | BackupState::Newer => return Ok(None),
            BackupState::Unfinished => {
                let entries = location.list("").await?;
                (LeftoverKind::Unfinished, entries.iter().map(|entry| entry.size).collect())
            }
            BackupState::Complete | BackupState::Degraded | BackupState::Damaged | BackupState::Foreign => {
                (LeftoverKind::Staging, Vec::new())
            }
        };
        let inside = incomplete.iter().filter_map(|incomplete| incomplete.below(&backup.name));
        sizes.extend(inside.filter(is_dead(backup.state)).map(|incomplete| incomplete.size));
        let found = kind == LeftoverKind::Unfinished || !sizes.is_empty();
        let bytes = ByteSize(sizes.iter().sum());
        Ok(found.then_some(Leftover { name: backup.name, kind, objects: sizes.len() as u64, bytes }))
    }

    /// Deletes a leftover, as far as it still is one. An unfinished backup is claimed first, so that nobody resumes it
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::BackupInProgress`](crate::Error::BackupInProgress) and [`Error::BackupExists`](crate::Error::BackupExists)
    /// where a backup has come to life or was finished since; [`Error::Store`](crate::Error::Store).
    pub async fn collect(&self, leftover: &Leftover) -> Result<()> {
        let location = self.location().child(&leftover.name)?;
        match leftover.kind {
            LeftoverKind::Unfinished => {
                let clock = Clock::Stores(preflight::target(self.location()).await?.clock_skew);
                clear(&location, &leftover.name, clock).await?;
            }
            LeftoverKind::Staging => {
                let state = self.summary(leftover.name.clone()).await?.state;
                if !matches!(state, BackupState::InProgress | BackupState::Unfinished | BackupState::Newer) {
                    location.delete_incomplete(is_dead(state)).await?;
                }
            }
        }
        if let Some(directory) = location.directory() {
            remove_empty(directory);
        }
        Ok(())
    }
}

/// What nobody writes any more of what is incomplete in a directory in this state.
fn is_dead(state: BackupState) -> impl Fn(&Incomplete) -> bool {
    // A process that died at once left its claim under a staging name, and nothing else of ours; one that lives is about to
    // rename it.
    let is_old = |incomplete: &Incomplete| (Utc::now() - incomplete.modified).to_std().is_ok_and(|age| age > SILENCE);
    let is_claim = |incomplete: &Incomplete| incomplete.key.starts_with(&format!("{OWN_DIRECTORY}/"));
    move |incomplete| state != BackupState::Foreign || is_claim(incomplete) && is_old(incomplete)
}

/// Deletes all of an unfinished backup, its claims last: as long as one stands, what is left is known for what it is.
async fn clear(location: &Location, name: &str, clock: Clock) -> Result<()> {
    let (mut claim, _) = claim(location, name, "", (OnExisting::Resume, Takeover::AfterTimeout), clock).await?;
    let lost = claim.lost.clone();
    let all_else = async {
        location.delete_incomplete(|_| true).await?;
        let objects = location.list("").await?;
        location.delete_all(objects.iter().map(|entry| &entry.key).filter(|key| !claim.is_lease_key(key))).await
    };
    match lost.run_until_cancelled(all_else).await {
        Some(Ok(())) => claim.remove().await,
        Some(Err(error)) => {
            claim.release().await;
            Err(error)
        }
        None => Err(claim.loss().await),
    }
}
