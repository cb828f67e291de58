//! [`abandon`]: undoing a restore that has changed nothing yet.

use super::{AbandonReport, apply::Applied, deletions, directories, journal::RestoreJournal, lease};
use crate::{
    error::{Error, Result},
    job::{Request, RunContext},
    key::Key,
    lease::{Clock, Lease, LeaseScope, highest},
    limits::Durability,
    location::{Attributes, Location, make_durable},
    options::{AbandonOptions, Ownership},
    preflight,
    table::Table,
    target::{Changes, Phase},
};

/// Brings a target back to what it was before a restore was begun, as long as nothing was overwritten or deleted: the
/// restored objects are deleted, the old roots take the place of the boot guard, the journal goes last.
///
/// The job fails with [`Error::NoRestore`] where none was begun, [`Error::RestoreInProgress`] where another process is at
/// it and may not be taken over, [`Error::CannotAbandon`] where data has changed, or where the boot guard
/// was removed: what was copied can then not be told from what servers wrote. Resume it in both cases, and also after
/// [`Error::DamagedJournal`].
///
/// As long as it only deletes what the restore copied, it can be cancelled and started again. Once it puts the old roots back,
/// it ends with that, unless it then has to wait until requests can no longer take effect that were not answered.
pub fn abandon(target: &Location, options: AbandonOptions) -> Request<AbandonReport> {
    let target = target.with_linked(&[]);
    Request::new("abandon", target.to_string(), move |context| async move { run(target, &options, &context).await })
}

async fn run(target: Location, options: &AbandonOptions, task: &RunContext) -> Result<AbandonReport> {
    let look = async {
        let unclaimed = highest(&target, &LeaseScope::Target, Clock::Local).await?.is_none();
        let journal = RestoreJournal::read(&target).await?;
        if unclaimed && journal.is_none() {
            return Err(Error::NoRestore { location: target.to_string() });
        }
        // What it has written through, it may have made there.
        let linked = journal.map(|journal| journal.linked).unwrap_or_default();
        // The old roots are for the servers again.
        let made = Applied::at(&target, &Ownership::default())?.made();
        Ok((Clock::Store(preflight::clock(&target).await?), target.with_linked(&linked).with_made(made)))
    };
    let (clock, target) = task.unless_cancelled(look).await?;
    let mut lease = task.answered(lease::acquire(&target, None, options.takeover, clock)).await?;
    let lost = lease.lost.clone();
    let fenced = lease.fenced(&target);
    let done = lost.run_until_cancelled(Box::pin(undo(&fenced, &mut lease, task))).await;
    let done = lease.outcome(done).await;
    if let Err(error) = &done {
        let residue = lease::residue(&target, error).await;
        lease::end(lease, residue, &target, error).await;
    }
    done
}

async fn undo(target: &Location, lease: &mut Lease, task: &RunContext) -> Result<AbandonReport> {
    let look = async {
        // What was cut off may still write what is to be deleted.
        task.settled(lease).await?;
        look_at_begun(target).await
    };
    let (mut journal, created) = task.unless_cancelled(look).await?;
    let deleted = delete_present(target, &created, lease, task).await?;
    let settle = async {
        lease.check().await?;
        journal.delete_incomplete(target, |key| created.get(key).is_some()).await?;
        make_durable(target, Durability::Durable).await?;
        lease.check().await
    };
    task.unless_cancelled(settle).await?;
    directories::remove_empty(target, &journal.made, created.iter());
    // No copy is left. Killed while the guard or the lists go, this has to be able to begin again without them.
    if journal.phase != Phase::Guarding {
        journal.phase = Phase::Guarding;
        task.answered(journal.update(target)).await?;
    }
    // From here on it is not cancelled, but where it waits.
    let roots = put_back(target, &journal).await?;
    lease.check().await?;
    directories::remove_empty(target, &journal.made, journal.guards.iter().cloned());
    // Servers start when the journal is gone: none of these requests is to arrive after that.
    task.settled(lease).await?;
    journal.delete(target, lease).await?;
    directories::remove_target(target, &journal.made);
    Ok(AbandonReport { restore: journal.restore, backup: journal.backup, deleted, roots })
}

/// The journal of a restore that can be abandoned, and what that restore has created.
async fn look_at_begun(target: &Location) -> Result<(RestoreJournal, Table<Key>)> {
    let journal = RestoreJournal::read(target).await?;
    let journal = journal.ok_or_else(|| Error::NoRestore { location: target.to_string() })?;
    let created = match journal.phase {
        _ if journal.changes != Changes::None => None,
        // Nothing was copied yet: what lies there is the servers'.
        Phase::Guarding => Some(Table::new()),
        // Behind a guard that was removed, servers may have run.
        Phase::Guarded if !super::guard::missing(target, &journal).await?.is_empty() => None,
        Phase::Guarded => Some(journal.created(target).await?),
        Phase::Releasing => None,
    };
    match created {
        Some(created) => Ok((journal, created)),
        None => Err(Error::CannotAbandon { location: target.to_string(), backup: journal.backup }),
    }
}

/// Deletes those of these objects that the target holds. Returns how many that were.
async fn delete_present(target: &Location, keys: &Table<Key>, lease: &Lease, task: &RunContext) -> Result<u64> {
    let held = task.unless_cancelled(target.list_around()).await?.objects;
    let mut held = held.reader();
    let present = keys.iter().filter_map(|key| Some((held.get(key.as_str())?.version.clone(), key)));
    deletions::delete(target, present.map(|(version, key)| (key, Some(version))), lease, task).await
}

/// Oldest generation first, the reverse of the setting: as long as a newer guard stands, no newer server migrates an
/// older root that is back already.
async fn put_back(target: &Location, journal: &RestoreJournal) -> Result<Vec<Key>> {
    let mut roots = Vec::new();
    for key in journal.guards.iter().rev() {
        match journal.old_roots.iter().find(|old| old.key == *key) {
            Some(old) => {
                let bytes = old.bytes.clone().into();
                super::guard::replace(target, key, &journal.restore, bytes, &Attributes::new()).await?;
                roots.push(key.clone());
            }
            None => super::guard::remove(target, key, &journal.restore).await?,
        }
    }
    Ok(roots)
}
