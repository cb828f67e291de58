//! What a restore adds to copies: the checksums of the manifest, and a journal line.

use async_trait::async_trait;

use super::journal::Finished;
use crate::{
    error::{Error, Result},
    execute::{CopyOutcome, CopySink},
    key::Key,
    location::{ChecksumMatch, Location},
    log::SegmentedLog,
    manifest::Backup,
    plan::CopyTask,
    record::ObjectRecord,
    table::Reader,
};

/// What happens to a copy that its copier did not compare with the manifest: one that the store made by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is believed.
    Believed,
    /// It is read at the target: something has to vouch for the backup.
    ReadBack,
}

/// Compares what was copied with the manifest, and records what is finished.
pub(super) struct Checked<'a> {
    backup: &'a Backup,
    records: Reader<'a, ObjectRecord>,
    target: &'a Location,
    unread: Unread,
    finished: SegmentedLog<Finished>,
}

impl<'a> Checked<'a> {
    pub(super) fn new(
        backup: &'a Backup,
        target: &'a Location,
        unread: Unread,
        finished: SegmentedLog<Finished>,
    ) -> Self {
        Self { backup, records: backup.reader(), target, unread, finished }
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        self.finished.flush().await
    }

    async fn check(&mut self, key: &Key, outcome: &CopyOutcome) -> Result<()> {
        let reason = match (outcome, self.records.get(key.as_str())) {
            (CopyOutcome::Vanished, _) => "it was deleted while it was restored",
            (CopyOutcome::Changed, _) => "it changed while it was restored",
            (CopyOutcome::Unreadable { .. }, _) => "it cannot be read",
            (CopyOutcome::Copied(copied), Some(record)) => {
                // A copier of the caller's may have read it, without the digest.
                let is_undigested = record.content.blake3.is_some() && copied.content.blake3.is_none();
                match record.content_checksums().compare(&copied.all_checksums()) {
                    ChecksumMatch::Mismatch => "its checksum is not the one in the manifest",
                    compared
                        if self.unread == Unread::ReadBack
                            && (is_undigested || compared == ChecksumMatch::NotComparable) =>
                    {
                        return self.backup.check_copy(record, self.target).await;
                    }
                    ChecksumMatch::Equal | ChecksumMatch::NotComparable => return Ok(()),
                }
            }
            (CopyOutcome::Copied(_), None) => "the manifest does not name it",
        };
        Err(Error::damaged(key, reason))
    }
}

#[async_trait]
impl CopySink for Checked<'_> {
    async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()> {
        self.check(&task.to, &outcome).await?;
        let version = match outcome {
            CopyOutcome::Copied(copied) => copied.stored.version,
            CopyOutcome::Vanished | CopyOutcome::Changed | CopyOutcome::Unreadable { .. } => None,
        };
        self.finished.add(Finished { key: task.to.clone(), version }).await
    }
}
