//! Behind the guard: copies and deletions.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    super::{
        copies::{Checked, WithAttributes},
        deletions,
        journal::RestoreJournal,
    },
    Run,
};
use crate::{
    error::{CopyError, Error, Result},
    execute::{Executor, Places},
    key::Key,
    location::Location,
    manifest::segment,
    plan::{CopyTask, PlaceRole, Stage},
    target::Changes,
};

/// How long a store may be away, unless the limits say otherwise: a restore ends within a minute of an outage, and can be
/// resumed.
const MAX_OUTAGE: Duration = Duration::from_secs(25);

impl Run {
    /// Runs the stages, each to its barrier. Returns how many objects an earlier run had finished.
    pub(super) async fn copy(&mut self, journal: &mut RestoreJournal) -> Result<u64> {
        let stages = std::mem::take(&mut self.plan.stages);
        let place = &self.place;
        let backup = &self.request.backup;
        let mut limits = self.request.run_options.limits.clone();
        limits.retry.max_outage.get_or_insert(MAX_OUTAGE);
        let held = journal.finished(place).await?;
        let finished = journal.finished_log(place, self.claim.number(), limits.durability);
        let own = created(place, journal).await?;
        let copier = Arc::new(WithAttributes::new(Arc::clone(&self.request.copier), backup));
        let executor = Executor::of_job(copier, limits, self.task.clone());
        let places = Places::new(place.clone())
            .with(PlaceRole::Backup, backup.location().clone())
            .with(PlaceRole::Shared, backup.repository().clone());
        let mut sink = Checked::new(backup, finished);
        let mut resumed = 0;
        for mut stage in stages {
            let overwrites = |key: &Key| self.target.object(key).is_some() && !own.contains(key);
            if stage.keys().any(overwrites) {
                begin_changes(place, journal).await?;
            }
            let planned = stage.objects();
            stage.retain(|task| !held.contains(&task.to) || !self.is_at_target(task));
            let done = planned - stage.objects();
            (0..done).for_each(|_| self.task.events.add_object());
            resumed += done;
            let copied = executor.stage(&self.pinned(stage)?, &places, &mut sink).await.map_err(damaged);
            // Another process may have taken the target over, and be done.
            self.claim.check().await?;
            // What is finished is written down even where the stage failed; the first error is returned.
            let written = sink.flush().await;
            copied.and(written)?;
        }
        Ok(resumed)
    }

    /// The copies, pinned to the versions that the backup was found to hold.
    fn pinned(&self, stage: Stage) -> Result<Stage> {
        let pin = |task: CopyTask| {
            let stored = self.source.stored(self.request.backup.require_object(&task.to)?)?;
            Ok(task.with_version(stored.version.clone()))
        };
        Ok(Stage::new(stage.kind, None, stage.into_tasks().map(pin).collect::<Result<Vec<_>>>()?))
    }

    /// Whether the target holds something of the length that the copy will have.
    fn is_at_target(&self, task: &CopyTask) -> bool {
        self.target.object(&task.to).is_some_and(|object| object.size == task.expect.size)
    }

    pub(super) async fn delete(&self, journal: &mut RestoreJournal) -> Result<u64> {
        let place = &self.place;
        let count = self.plan.deletions.len() as u64;
        if count == 0 {
            return Ok(0);
        }
        self.task.unless_cancelled(self.claim.check()).await?;
        self.task.answered(begin_changes(place, journal)).await?;
        let found = |key: &Key| self.target.object(key).map(|object| object.version.clone());
        let deletions: Vec<_> = self.plan.deletions.iter().map(|key| (key.clone(), found(key))).collect();
        deletions::delete(place, &deletions, &self.claim, &self.task).await?;
        Ok(count)
    }
}

/// An object with other content than the manifest records is damage of the backup.
fn damaged(error: Error) -> Error {
    match error {
        Error::Copy { key, error: CopyError::Unexpected { reason } } => {
            Error::DamagedBackup { object: key.to_string(), reason }
        }
        error => error,
    }
}

/// The keys that the target lacked when the restore began.
async fn created(place: &Location, journal: &RestoreJournal) -> Result<BTreeSet<Key>> {
    let mut keys = BTreeSet::new();
    for reference in &journal.created {
        keys.extend(segment::read::<Key>(place, reference).await?);
    }
    Ok(keys)
}

/// From here on the restore cannot be abandoned: written down before it is so.
async fn begin_changes(place: &Location, journal: &mut RestoreJournal) -> Result<()> {
    if journal.changes == Changes::Acquired {
        return Ok(());
    }
    journal.changes = Changes::Acquired;
    journal.update(place).await
}
