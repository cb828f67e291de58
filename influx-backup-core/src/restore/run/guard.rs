//! The journal and the boot guard.

use super::{
    super::{
        directories,
        guard::missing as missing_guards,
        journal::{OldRoot, RestoreJournal},
    },
    Run,
};
use crate::{
    error::{Error, Result},
    event::EventKind,
    key::Key,
    layout::guard,
    manifest::{SegmentRef, segment},
    plan::Stage,
    read_limits,
    table::Table,
    target::{Changes, Phase},
};

impl Run {
    /// The journal first, then the guard at every root path.
    pub(super) async fn set_guard(&self) -> Result<RestoreJournal> {
        let place = &self.place;
        let mut journal = match self.task.unless_cancelled(RestoreJournal::read(place)).await? {
            Some(journal) if self.plan.resumes.as_ref() == Some(&journal.restore) => self.resume(journal).await?,
            Some(journal) => {
                return Err(Error::RestoreUnfinished { location: place.to_string(), backup: journal.backup });
            }
            None => self.begin().await?,
        };
        for key in &journal.guards {
            self.task.answered(place.put(key, guard::bytes(&journal.restore, &journal.backup))).await?;
        }
        if journal.phase == Phase::Guarding {
            journal.phase = Phase::Guarded;
            self.task.answered(journal.update(place)).await?;
        }
        self.task.events.send(EventKind::GuardSet);
        Ok(journal)
    }

    /// Brings the journal of an earlier run up to date, before the guard is set again.
    ///
    /// The whole guard stands before the first copy. Where a part of it is missing, servers may have run since the journal
    /// was written: what they left is what was there before, and nothing of it is this restore's own. Where the whole guard
    /// had stood, copies may lie among that: the restore cannot be abandoned any more.
    async fn resume(&self, mut journal: RestoreJournal) -> Result<RestoreJournal> {
        let place = &self.place;
        // There may be owners of roots that the first run did not live to guard.
        let added: Vec<Key> = self.plan.guards.iter().filter(|key| !journal.guards.contains(key)).cloned().collect();
        let unguarded = self.task.unless_cancelled(missing_guards(place, &journal)).await?;
        if added.is_empty() && unguarded.is_empty() {
            return Ok(journal);
        }
        if !unguarded.is_empty() {
            if journal.phase == Phase::Guarded {
                journal.changes = Changes::Begun;
            }
            self.task.answered(journal.forget_finished(place)).await?;
            journal.old_roots.retain(|old| !unguarded.contains(&old.key));
            journal.old_roots.extend(self.old_roots(&unguarded).await?);
            journal.created = self.write_created(&journal, &self.created()).await?;
        }
        journal.old_roots.extend(self.old_roots(&added).await?);
        journal.made.extend(directories::missing(place, added.iter().cloned()));
        journal.guards.extend(added);
        self.task.answered(journal.update(place)).await?;
        Ok(journal)
    }

    async fn begin(&self) -> Result<RestoreJournal> {
        let place = &self.place;
        let backup = &self.request.backup;
        let plan = &self.plan;
        let extra_nodes = self.request.options.extra_nodes;
        let mut journal = RestoreJournal::new(backup.name(), backup.sha256(), plan.policy, extra_nodes);
        journal.guards.clone_from(&plan.guards);
        journal.old_roots = self.old_roots(&plan.guards).await?;
        let created = self.created();
        journal.linked.clone_from(&self.target.linked);
        if !self.made.is_empty() {
            journal.made.push(String::new());
        }
        journal.made.extend(directories::missing(place, created.iter().chain(journal.guards.iter().cloned())));
        journal.created = self.write_created(&journal, &created).await?;
        self.task.answered(journal.create(place)).await?;
        Ok(journal)
    }

    /// The keys that the restore copies and the target lacks.
    fn created(&self) -> Table<Key> {
        let mut target = self.target.objects.reader();
        let keys = self.plan.stages().flat_map(Stage::keys);
        keys.filter(|key| target.get(key.as_str()).is_none()).collect()
    }

    async fn write_created(&self, journal: &RestoreJournal, created: &Table<Key>) -> Result<Vec<SegmentRef>> {
        self.task.answered(segment::write(&self.place, &journal.created_list(self.claim.number()), created)).await
    }

    async fn old_roots(&self, keys: &[Key]) -> Result<Vec<OldRoot>> {
        let mut roots = Vec::new();
        for key in keys {
            let found = self.task.unless_cancelled(self.place.get_within(key, read_limits::CATALOG)).await?;
            if let Some(found) = found {
                let bytes = found.map_err(|large| Error::damaged(key, large.to_string()))?.to_vec();
                roots.push(OldRoot { key: key.clone(), bytes });
            }
        }
        Ok(roots)
    }
}
