//! Behind the guard: copies and deletions.

use std::{collections::BTreeSet, sync::Arc};

use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use super::{
    super::{
        Changes,
        copies::{Checked, WithAttributes, copy_elsewhere},
        journal::{Finished, RestoreJournal},
        preflight::find,
    },
    Run, record,
};
use crate::{
    error::Result,
    event::Event,
    execute::Executor,
    key::Key,
    location::{AT_ONCE, Location},
    manifest::segment,
    plan::Stage,
};

impl Run {
    /// Runs the stages, each to its barrier. Says how many objects an earlier run had finished.
    pub(super) async fn copy(&self, journal: &mut RestoreJournal) -> Result<u64> {
        let (place, options, backup) = (&self.place, &self.bound.options, &self.bound.backup);
        let (finished, held) = Finished::open(journal, place, options.limits.durability).await?;
        let ours = created(place, journal).await?;
        let copier = Arc::new(WithAttributes::new(Arc::clone(&self.copier), backup));
        let executor = Executor::new(copier, options.limits.clone(), self.task.clone());
        let mut sink = Checked::new(backup, finished);
        let mut resumed = 0;
        for stage in &self.plan.stages {
            let overwrites = |key: &Key| find(&self.target.entries, key).is_some() && !ours.contains(key);
            if stage.keys().any(overwrites) {
                begin_changes(place, journal).await?;
            }
            let mut plain = Stage { tasks: Vec::new(), ..stage.clone() };
            let mut elsewhere = Vec::new();
            for copy in &stage.tasks {
                let at_target = find(&self.target.entries, &copy.source.key);
                if held.contains(&copy.source.key) && at_target.is_some_and(|entry| entry.size == copy.source.size) {
                    resumed += 1;
                    self.task.events.finished();
                    continue;
                }
                let record = record(backup.objects(), &copy.source.key)?;
                match self.source.plain(record) {
                    Some(entry) => {
                        let mut copy = copy.clone();
                        copy.source.version = entry.version.clone();
                        plain.tasks.push(copy);
                    }
                    None => elsewhere.push(record),
                }
            }
            let copied = executor.stage(&plain, backup.location(), place, &mut sink).await;
            let copied = match copied {
                Ok(()) => copy_elsewhere(backup, place, &elsewhere, &self.task).await,
                Err(error) => Err(error),
            };
            // Whoever took over may be done, and everything of ours gone.
            self.claim.check().await?;
            // What is finished is written down even where the stage failed; the first error is the one to say.
            let written = sink.flush().await;
            copied.and(written)?;
        }
        Ok(resumed)
    }

    pub(super) async fn delete(&self, journal: &mut RestoreJournal) -> Result<u64> {
        let place = &self.place;
        let deletions = self.plan.deletions();
        if deletions.is_empty() {
            return Ok(0);
        }
        self.claim.check().await?;
        begin_changes(place, journal).await?;
        let deletes: Vec<_> = deletions.iter().map(|key| self.delete_one(place, key).boxed()).collect();
        stream::iter(deletes).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(deletions.len() as u64)
    }

    pub(super) async fn delete_one(&self, place: &Location, key: &Key) -> Result<()> {
        self.task.check()?;
        place.delete(key).await?;
        self.task.events.send(Event::Deleted { key: key.clone() });
        Ok(())
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
