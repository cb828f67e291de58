//! The journal and the boot guard.

use super::{
    super::{
        directories,
        journal::{OldRoot, RestoreJournal},
    },
    Run,
};
use crate::{
    error::{Error, Result},
    event::EventKind,
    key::Key,
    layout::guard,
    location::Location,
    manifest::segment,
    plan::Stage,
};

impl Run {
    /// The journal first, then the guard at every root path.
    pub(super) async fn set_guard(&self) -> Result<RestoreJournal> {
        self.task.check()?;
        let place = &self.place;
        let mut journal = match RestoreJournal::read(place).await? {
            Some(journal) if self.plan.resumes.as_ref() == Some(&journal.restore) => journal,
            Some(journal) => {
                return Err(Error::RestoreUnfinished { location: place.to_string(), backup: journal.backup });
            }
            None => self.begin().await?,
        };
        // A resumed restore may find owners of roots that the first run did not live to guard.
        let missing: Vec<Key> = self.plan.guards.iter().filter(|key| !journal.guards.contains(key)).cloned().collect();
        if !missing.is_empty() {
            journal.old_roots.extend(old_roots(place, &missing).await?);
            journal.made.extend(directories::missing(place, missing.iter()));
            journal.guards.extend(missing);
            journal.update(place).await?;
        }
        for key in &journal.guards {
            place.put(key, guard::bytes(&journal.restore, &journal.backup)).await?;
        }
        self.task.events.send(EventKind::GuardSet);
        Ok(journal)
    }

    async fn begin(&self) -> Result<RestoreJournal> {
        let (place, backup, plan) = (&self.place, &self.request.backup, &self.plan);
        let extra_nodes = self.request.options.extra_nodes;
        let mut journal = RestoreJournal::new(backup.name(), backup.sha256(), plan.policy, extra_nodes);
        journal.guards.clone_from(&plan.guards);
        journal.old_roots = old_roots(place, &plan.guards).await?;
        let keys = plan.stages().flat_map(Stage::keys);
        let created: Vec<Key> = keys.filter(|key| self.target.object(key).is_none()).cloned().collect();
        journal.made.clone_from(&self.made);
        journal.made.extend(directories::missing(place, created.iter().chain(&journal.guards)));
        journal.created = segment::write(place, &journal.created_list(), created).await?;
        journal.create(place).await?;
        Ok(journal)
    }
}

async fn old_roots(place: &Location, keys: &[Key]) -> Result<Vec<OldRoot>> {
    let mut roots = Vec::new();
    for key in keys {
        if let Some(bytes) = place.get(key, None).await? {
            roots.push(OldRoot { key: key.clone(), bytes: bytes.to_vec() });
        }
    }
    Ok(roots)
}
