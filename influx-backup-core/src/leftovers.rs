//! [`Leftover`]: what attempts that died left in a repository, and how it goes.

use serde::{Deserialize, Serialize};

use crate::{
    backup::{Existing, TakeOver, claim},
    error::Result,
    location::{Location, StagingFile, remove_empty},
    manifest::{Clock, OWN_DIRECTORY, SILENCE},
    observe::ByteSize,
    preflight,
    repository::{BackupState, BackupSummary, Repository},
};

/// What a dead attempt left. No list calls it a backup; it takes room until it is [collected](Repository::collect).
///
/// Parts of uploads that never became objects are not among them: stores show those only to requests of their own. Azure
/// forgets them after a week; on S3 and Google a lifecycle rule of the bucket does (`AbortIncompleteMultipartUpload`).
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
    /// Files that were being written when a process died (`name#digits`), beside a committed backup or alone.
    Staging,
}

impl Repository {
    /// What dead attempts left here, sorted by name. What is being written at the moment is none of it, and neither is
    /// what is not ours.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    pub async fn leftovers(&self) -> Result<Vec<Leftover>> {
        let mut leftovers = Vec::new();
        for backup in self.list().await? {
            leftovers.extend(self.leftover(backup).await?);
        }
        Ok(leftovers)
    }

    async fn leftover(&self, backup: BackupSummary) -> Result<Option<Leftover>> {
        let location = self.location().child(&backup.name)?;
        let (kind, mut sizes) = match backup.state {
            BackupState::InProgress | BackupState::Newer => return Ok(None),
            BackupState::Dead => {
                let entries = location.list("").await?;
                (LeftoverKind::Unfinished, entries.iter().map(|entry| entry.size).collect())
            }
            BackupState::Complete | BackupState::Degraded | BackupState::Damaged | BackupState::Foreign => {
                (LeftoverKind::Staging, Vec::new())
            }
        };
        let dead = is_dead(backup.state);
        sizes.extend(location.staging().await?.iter().filter(|file| dead(file)).map(|file| file.size));
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
        let clock = Clock::Stores(preflight::target(self.location()).await?.clock_skew);
        match leftover.kind {
            LeftoverKind::Unfinished => clear(&location, &leftover.name, clock).await?,
            LeftoverKind::Staging => {
                let state = self.summary(leftover.name.clone()).await?.state;
                if !matches!(state, BackupState::InProgress | BackupState::Dead | BackupState::Newer) {
                    location.delete_staging(is_dead(state)).await?;
                }
            }
        }
        if let Some(directory) = location.directory() {
            remove_empty(directory);
        }
        Ok(())
    }
}

/// Which staging files of a directory in this state nobody writes any more.
fn is_dead(state: BackupState) -> impl Fn(&StagingFile) -> bool {
    // A process that died at once left its claim under a staging name, and nothing else of ours; one that lives is about to
    // rename it.
    let is_old = |file: &StagingFile| file.modified.elapsed().is_ok_and(|age| age > SILENCE);
    let is_claim = |file: &StagingFile| file.key.starts_with(&format!("{OWN_DIRECTORY}/"));
    move |file| state != BackupState::Foreign || is_claim(file) && is_old(file)
}

/// Deletes all of an unfinished backup, its claims last: as long as one stands, what is left is known for what it is.
async fn clear(location: &Location, name: &str, clock: Clock) -> Result<()> {
    let (mut claim, _) = claim(location, name, "", Existing::Resume(TakeOver::WhenSilent), clock).await?;
    let lost = claim.lost.clone();
    let all_else = async {
        location.delete_staging(|_| true).await?;
        let objects = location.list("").await?;
        location.delete_all(objects.iter().map(|entry| &entry.key).filter(|key| !claim.is_one(key))).await
    };
    match lost.run_until_cancelled(all_else).await {
        Some(Ok(())) => claim.remove().await,
        Some(Err(error)) => {
            claim.give_up().await;
            Err(error)
        }
        None => Err(claim.loss().await),
    }
}
