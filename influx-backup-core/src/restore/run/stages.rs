//! Behind the guard: copies and deletions.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    super::{
        copies::{Checked, Unread},
        deletions,
        journal::RestoreJournal,
    },
    Run,
};
use crate::{
    error::{CopyError, Error, Result},
    execute::{Executor, Places},
    key::Key,
    lease::release_timeout,
    limits::Limits,
    location::{Location, ObjectMeta},
    manifest::not_named,
    plan::{CopyTask, PlaceRole, Stage},
    table::Table,
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
        let limits = limits(&self.request.run_options.limits);
        let held = async { self.unaltered(&journal.finished(place).await?, &self.target.objects).await };
        let held = self.task.unless_cancelled(held).await?;
        let finished = journal.finished_log(place, self.claim.number(), limits.durability);
        let own = self.task.unless_cancelled(created(place, journal)).await?;
        let executor = Executor::of_job(Arc::clone(&self.request.copier), limits, self.task.clone());
        let places = Places::new(place.clone())
            .with(PlaceRole::Backup, backup.location().clone())
            .with(PlaceRole::Shared, backup.repository().clone());
        let unread = if self.request.options.vouch()?.is_needless() { Unread::Believed } else { Unread::ReadBack };
        let mut sink = Checked::new(backup, place, unread, finished);
        let mut resumed = 0;
        for mut stage in stages {
            let mut target = self.target.objects.reader();
            let mut created = own.reader();
            let mut overwrites = |key: Key| target.get(key.as_str()).is_some() && created.get(key.as_str()).is_none();
            if stage.keys().any(&mut overwrites) {
                self.task.answered(begin_changes(place, journal)).await?;
            }
            let objects = stage.objects();
            let bytes = stage.bytes();
            let mut finished = held.reader();
            let mut target = self.target.objects.reader();
            stage.retain(|task| {
                // Something of the length that the copy will have.
                let is_there = |object: &ObjectMeta| object.size == task.expect.size;
                finished.get(task.to.as_str()).is_none() || !target.get(task.to.as_str()).is_some_and(is_there)
            });
            let done = objects - stage.objects();
            self.task.events.add_bytes(bytes - stage.bytes());
            (0..done).for_each(|_| self.task.events.add_object());
            resumed += done;
            let copied = executor.stage(&self.pinned(stage)?, &places, &mut sink).await.map_err(damaged);
            self.write_down(copied, &mut sink).await?;
        }
        Ok(resumed)
    }

    /// Writes down what a stage has finished, also where it failed. Returns the first error, unless another process has
    /// taken the target over: that one may be done, and nothing is to be written.
    async fn write_down(&self, copied: Result<()>, sink: &mut Checked<'_>) -> Result<()> {
        let copied = copied.and_then(|()| self.task.check());
        let within = copied.as_ref().err().map_or(Duration::MAX, |error| release_timeout(error) / 2);
        let write = async {
            let checked = timeout(within, self.claim.check()).await.unwrap_or(Ok(()));
            if matches!(checked, Err(Error::LeaseLost { .. })) {
                return checked;
            }
            let written = timeout(within, sink.flush()).await.unwrap_or(Ok(()));
            checked.and(written)
        };
        let written = match &copied {
            Ok(()) => self.task.answered(write).await,
            Err(_) => write.await,
        };
        match written {
            Err(lost @ Error::LeaseLost { .. }) => Err(lost),
            written => copied.and(written),
        }
    }

    /// The copies, pinned to the versions that the backup was found to hold.
    fn pinned(&self, stage: Stage) -> Result<Stage> {
        let mut source = self.source.reader();
        let mut records = self.request.backup.reader();
        let pin = |task: CopyTask| {
            let record = records.get(task.to.as_str()).ok_or_else(|| not_named(&task.to))?;
            let version = source.stored(record)?.version.clone();
            Ok(task.with_version(version))
        };
        Stage::try_new(stage.kind, None, stage.into_tasks().map(pin))
    }

    /// Deletes what the backup lacks. Returns how many objects that were.
    pub(super) async fn delete(&self, journal: &mut RestoreJournal) -> Result<u64> {
        let place = &self.place;
        if self.plan.deletions.is_empty() {
            return Ok(0);
        }
        self.task.unless_cancelled(self.claim.check()).await?;
        self.task.answered(begin_changes(place, journal)).await?;
        let mut target = self.target.objects.reader();
        let found = |key: Key| {
            let version = target.get(key.as_str()).map(|object| object.version.clone());
            (key, version)
        };
        deletions::delete(place, self.plan.deletions.iter().map(found), &self.claim, &self.task).await
    }
}

/// An object with other content than the manifest records is damage of the backup.
fn damaged(error: Error) -> Error {
    match error {
        Error::Copy { key, error: CopyError::Unexpected { reason }, .. } => Error::damaged(key, reason),
        error => error,
    }
}

/// The limits of a restore's copies.
fn limits(limits: &Limits) -> Limits {
    let mut limits = limits.clone();
    limits.retry.max_outage.get_or_insert(MAX_OUTAGE);
    limits
}

/// The keys that the target lacked when the restore began. Where their list is lost, the restore goes on without it, and
/// cannot be abandoned any more.
async fn created(place: &Location, journal: &mut RestoreJournal) -> Result<Table<Key>> {
    match journal.created(place).await {
        Err(Error::DamagedJournal { journal: list, reason }) => {
            tracing::warn!(
                "the list of created objects, `{list}`, is damaged ({reason}): the restore goes on without it"
            );
            begin_changes(place, journal).await?;
            Ok(Table::new())
        }
        created => created,
    }
}

/// From here on the restore cannot be abandoned: written down before it is so.
async fn begin_changes(place: &Location, journal: &mut RestoreJournal) -> Result<()> {
    if journal.changes == Changes::Begun {
        return Ok(());
    }
    journal.changes = Changes::Begun;
    journal.update(place).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Retry;

    /// As the help of `--stall-timeout`, the README and the documentation of [`Limits`] say.
    #[test]
    fn a_restore_waits_half_an_outage_for_a_stalled_connection() {
        let seconds = |seconds| Duration::from_secs_f64(seconds);
        assert_eq!(limits(&Limits::default()).stall_timeout(), seconds(12.5));
        let longer = Limits::default().with_stall_timeout(seconds(90.0));
        assert_eq!(limits(&longer).stall_timeout(), seconds(12.5), "alone it changes nothing");
        let retry = Retry::default().with_max_outage(seconds(200.0));
        assert_eq!(limits(&longer.with_retry(retry)).stall_timeout(), seconds(90.0));
    }
}
