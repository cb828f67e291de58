//! What a restore adds to plain copies: metadata, the manifest's checksums, objects whose bytes lie elsewhere.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;

use crate::{
    copier::{Copied, Copier, CopyContext, CopyRequest},
    error::{CopyError, Error, Result},
    execute::{CopyOutcome, CopySink},
    job::RunContext,
    key::Key,
    location::{Attributes, ChecksumMatch, Location},
    log::SegmentedLog,
    manifest::Backup,
    plan::CopyTask,
    record::ObjectRecord,
};

/// Gives copies the metadata that the manifest keeps.
#[derive(Debug)]
pub(super) struct WithAttributes {
    copier: Arc<dyn Copier>,
    attributes: HashMap<Key, Attributes>,
}

impl WithAttributes {
    pub(super) fn new(copier: Arc<dyn Copier>, backup: &Backup) -> Self {
        let with_any = backup.objects().filter(|record| !record.attributes.is_empty());
        let attributes = with_any.map(|record| (record.key.clone(), record.attributes.clone())).collect();
        Self { copier, attributes }
    }
}

#[async_trait]
impl Copier for WithAttributes {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        match self.attributes.get(&request.source.key) {
            None => self.copier.copy(request, context).await,
            Some(attributes) => {
                let mut request = request.clone();
                request.attributes = Some(attributes.clone());
                self.copier.copy(&request, context).await
            }
        }
    }
}

/// Holds what was copied against the manifest, and writes down what is finished.
pub(super) struct Checked<'a> {
    backup: &'a Backup,
    finished: SegmentedLog<Key>,
}

impl<'a> Checked<'a> {
    pub(super) fn new(backup: &'a Backup, finished: SegmentedLog<Key>) -> Self {
        Self { backup, finished }
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        self.finished.flush().await
    }

    fn check(&self, key: &Key, outcome: &CopyOutcome) -> Result<()> {
        let reason = match (outcome, self.backup.object(key)) {
            (CopyOutcome::Vanished, _) => "it went while it was restored",
            (CopyOutcome::Changed, _) => "it changed while it was restored",
            (CopyOutcome::Copied(copied), Some(record)) => {
                match record.content_checksums().compare(&copied.all_checksums()) {
                    ChecksumMatch::Mismatch => "its checksum is not the one in the manifest",
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
        self.check(&task.to, &outcome)?;
        self.finished.add(task.to.clone()).await
    }
}

/// Restores objects whose bytes lie in another backup or are encoded, through the one reader that knows.
pub(super) async fn copy_elsewhere(
    backup: &Backup,
    target: &Location,
    records: &[&ObjectRecord],
    task: &RunContext,
) -> Result<()> {
    for record in records {
        task.check()?;
        target.put_with_attributes(&record.key, backup.read(record).await?, &record.attributes).await?;
        task.events.add_bytes(record.content.size);
        task.events.add_object();
    }
    Ok(())
}
