//! The end: the roots take the place of the guard, and the files of this crate are deleted, the journal last.

use super::{
    super::{RestoreReport, directories, guard, journal::RestoreJournal},
    Run,
};
use crate::{
    error::{Error, Result},
    event::EventKind,
    location::make_durable,
    plan::RootAction,
    units::{ByteSize, total},
};

impl Run {
    /// The end of a restore whose release was interrupted.
    pub(super) async fn finish(&mut self) -> Result<RestoreReport> {
        let journal = self.task.unless_cancelled(RestoreJournal::read(&self.place)).await?;
        let journal = journal.ok_or_else(|| Error::NoRestore { location: self.place.to_string() })?;
        self.task.unless_cancelled(self.delete_incomplete(&journal, None)).await?;
        let mut report = self.release(&journal).await?;
        report.resumed = report.objects;
        Ok(report)
    }

    /// The roots take the place of the guard, then the files of this crate are deleted. This is not cancelled, but where it
    /// waits.
    pub(super) async fn release(&mut self, journal: &RestoreJournal) -> Result<RestoreReport> {
        let place = &self.place;
        for step in &self.plan.release {
            match (step.action, self.source.roots.get(&step.key)) {
                (RootAction::Put, Some(root)) => {
                    let record = self.request.backup.require_object(&step.key)?;
                    guard::replace(place, &step.key, &journal.restore, root.clone(), &record.attributes).await?;
                    self.not_kept += self.applied.to_one(place, &step.key, record.version.modified.into()).await?;
                }
                _ => guard::remove(place, &step.key, &journal.restore).await?,
            }
        }
        make_durable(place, self.request.run_options.limits.durability).await?;
        directories::remove_empty(place, &journal.made, journal.guards.iter().cloned());
        // The servers start when the journal is gone: none of these requests is to arrive after that.
        self.task.settled(&self.claim).await?;
        journal.delete(place, &mut self.claim).await?;
        self.task.events.send(EventKind::GuardReleased);
        let report = self.report(journal);
        self.task.events.send(EventKind::Recovery { points: report.recovery.clone() });
        Ok(report)
    }

    /// Deletes what killed runs left half-written: these staging files, or what a further listing finds.
    pub(super) async fn delete_incomplete(&self, journal: &RestoreJournal, staging: Option<Vec<String>>) -> Result<()> {
        let restored = self.request.backup.contents().objects;
        let is_restored = |key: &str| restored.get(key).is_some();
        match staging {
            Some(found) => journal.delete_staging(&self.place, found, is_restored).await,
            None => journal.delete_incomplete(&self.place, is_restored).await,
        }
    }

    pub(super) fn report(&self, journal: &RestoreJournal) -> RestoreReport {
        let plan = &self.plan;
        let backup = &self.request.backup;
        let restored = || backup.objects().filter(|record| plan.restores(&record.key));
        RestoreReport {
            restore: journal.restore.clone(),
            backup: plan.backup.clone(),
            manifest_sha256: plan.manifest_sha256.clone(),
            cluster: plan.cluster.clone(),
            target: plan.target.clone(),
            objects: restored().count() as u64,
            bytes: ByteSize(total(restored().map(|record| record.content.size))),
            resumed: 0,
            deleted: 0,
            kept: plan.kept.clone(),
            licenses_skipped: plan.licenses_skipped().cloned().collect(),
            servers: plan.servers,
            recovery: backup.manifest().certificate.recovery.clone(),
            // They are known when the servers are started.
            abilities: None,
            todos: Vec::new(),
            findings: Vec::new(),
            started: Vec::new(),
        }
    }
}
