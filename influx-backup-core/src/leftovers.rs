//! [`Leftover`]: what attempts that ended without a commit left in a repository, and its removal.

mod show;

use std::iter;

use chrono::Utc;
use serde::{Deserialize, Serialize};

pub use self::show::LeftoverTable;
use crate::{
    backup::acquire,
    error::{Error, Result, StoreErrorKind},
    event::{EventKind, Phase},
    finding::{Finding, FindingCode},
    job::{EventSink, RunContext},
    layout::OWN_DIRECTORY,
    lease::{Clock, Lease, SILENCE, release_timeout},
    location::{Around, Incomplete, Location, ObjectTable, remove_empty},
    named::named,
    options::{OnExisting, Takeover, Vouch},
    preflight,
    summary::{self, BackupState, BackupSummary},
    table::runs,
    units::{ByteSize, total},
};

/// How many objects are deleted between two looks at the progress.
const DELETED_AT_ONCE: usize = 256;

/// What an attempt left that ended without a commit. It takes room until it is
/// [removed](crate::Repository::remove).
///
/// An upload that never became an object counts as one object of no bytes: stores do not tell its size. A bucket's
/// lifecycle rule (`AbortIncompleteMultipartUpload`) removes them too, and Azure does after a week.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeftoverKind {
    /// A backup that was begun and never committed, and that no process writes any more. It could still be resumed.
    Unfinished,
    /// What was being written when a process died, beside a committed backup or alone: files with staging names
    /// (`name#digits`), uploads that were never completed, blocks that were never committed.
    Staging,
}

named!(LeftoverKind, "kind of leftover", { Unfinished => "unfinished", Staging => "staging" });

/// Looks for leftovers, within a job.
pub(crate) async fn find(repository: &Location, events: &EventSink) -> Result<Vec<Leftover>> {
    let backups = summary::list(repository, &Vouch::default(), &()).await?;
    events.planned(backups.len() as u64, 0);
    events.set_phase(Phase::Listing);
    // After the list: a backup that is begun meanwhile is not among them.
    let incomplete = match repository.incomplete().await {
        Err(error @ Error::Store { kind: StoreErrorKind::Denied, .. }) if repository.directory().is_none() => {
            events.report(not_seen(&error));
            Vec::new()
        }
        seen => seen?,
    };
    let mut leftovers = Vec::new();
    for backup in backups {
        leftovers.extend(find_in(repository, backup, &incomplete).await?);
        events.add_object();
    }
    Ok(leftovers)
}

/// A credential for one prefix of a bucket may not list the uploads of all of it.
fn not_seen(error: &Error) -> Finding {
    let message = format!("half-written objects are not seen, only unfinished backups: {error}");
    Finding::new(FindingCode::NotSeen, message)
}

async fn find_in(repository: &Location, backup: BackupSummary, incomplete: &[Incomplete]) -> Result<Option<Leftover>> {
    // Nothing of this crate lies in a directory whose name is no key.
    let Ok(location) = repository.child(&backup.name) else { return Ok(None) };
    let (kind, mut sizes) = match backup.state {
        BackupState::InProgress | BackupState::Newer | BackupState::Unreadable => return Ok(None),
        BackupState::Unfinished => {
            let entries = list_all(&location).await?;
            (LeftoverKind::Unfinished, entries.iter().map(|entry| entry.size).collect())
        }
        BackupState::Complete
        | BackupState::Degraded
        | BackupState::Untrusted
        | BackupState::Damaged
        | BackupState::Foreign => (LeftoverKind::Staging, Vec::new()),
    };
    let inside = incomplete.iter().filter_map(|incomplete| incomplete.below(&backup.name));
    sizes.extend(inside.filter(is_dead(backup.state)).map(|incomplete| incomplete.size));
    let found = kind == LeftoverKind::Unfinished || !sizes.is_empty();
    let bytes = ByteSize(total(sizes.iter().copied()));
    Ok(found.then_some(Leftover { name: backup.name, kind, objects: sizes.len() as u64, bytes }))
}

/// Every object of a backup. What this crate cannot have written there is passed over.
async fn list_all(location: &Location) -> Result<ObjectTable> {
    let Around { objects, unlisted, .. } = location.list_around().await?;
    location.pass_over_outside(unlisted, iter::empty())?;
    Ok(objects)
}

/// Removes a leftover, within a job.
pub(crate) async fn remove(repository: &Location, leftover: &Leftover, context: &RunContext) -> Result<()> {
    let location = repository.child(&leftover.name)?;
    match leftover.kind {
        LeftoverKind::Unfinished => {
            let clock = Clock::Store(context.unless_cancelled(preflight::clock(repository)).await?);
            clear(&location, &leftover.name, clock, context).await?;
        }
        LeftoverKind::Staging => {
            let delete = async {
                let state = summary::summary(repository, leftover.name.clone(), &Vouch::default()).await?.state;
                if is_at_rest(state) { location.delete_incomplete(is_dead(state)).await } else { Ok(()) }
            };
            context.unless_cancelled(delete).await?;
        }
    }
    if let Some(directory) = location.directory() {
        remove_empty(directory);
    }
    Ok(())
}

/// Whether no process writes to a directory in this state, as far as this release can know.
fn is_at_rest(state: BackupState) -> bool {
    match state {
        BackupState::Complete
        | BackupState::Degraded
        | BackupState::Untrusted
        | BackupState::Damaged
        | BackupState::Foreign => true,
        BackupState::InProgress | BackupState::Unfinished | BackupState::Newer | BackupState::Unreadable => false,
    }
}

/// What is incomplete in a directory in this state and no longer being written.
fn is_dead(state: BackupState) -> impl Fn(&Incomplete) -> bool {
    // A process that died at once left its claim under a staging name, and no other file of a backup; one that lives is
    // about to rename it.
    let is_old = |incomplete: &Incomplete| (Utc::now() - incomplete.modified).to_std().is_ok_and(|age| age > SILENCE);
    let is_claim = |incomplete: &Incomplete| incomplete.key.starts_with(&format!("{OWN_DIRECTORY}/"));
    move |incomplete| state != BackupState::Foreign || is_claim(incomplete) && is_old(incomplete)
}

/// Deletes all of an unfinished backup, its leases last: as long as one is there, the rest is known for what it is.
async fn clear(location: &Location, name: &str, clock: Clock, context: &RunContext) -> Result<()> {
    let acquire = acquire(location, name, None, (OnExisting::Resume, Takeover::AfterTimeout), clock);
    let (mut lease, _) = context.answered(acquire).await?;
    let lost = lease.lost.clone();
    let location = &lease.fenced(location);
    let all_else = context.unless_cancelled(async {
        // What was cut off may still write what is to be deleted.
        context.settled(&lease).await?;
        location.delete_incomplete(|_| true).await?;
        let mut objects = list_all(location).await?;
        objects.retain(|entry| !lease.is_lease_key(&entry.key));
        delete(location, &objects, &lease, &context.events).await
    });
    let done = lost.run_until_cancelled(all_else).await;
    let done = match lease.outcome(done).await {
        Ok(()) => {
            let removed = async {
                // Then another backup may begin here: no deletion is to arrive after that.
                context.settled(&lease).await?;
                lease.end_renewals().await;
                lease.remove().await
            };
            context.unless_cancelled(removed).await
        }
        failed => failed,
    };
    if let Err(error) = &done {
        lease.release(release_timeout(error)).await;
    }
    done
}

async fn delete(location: &Location, objects: &ObjectTable, lease: &Lease, events: &EventSink) -> Result<()> {
    events.planned(objects.len() as u64, objects.bytes());
    events.set_phase(Phase::Deleting);
    for some in runs(objects, DELETED_AT_ONCE) {
        lease.check().await?;
        location.delete_versions(some.iter().map(|entry| (entry.key.clone(), Some(entry.version.clone())))).await?;
        for entry in some {
            events.send(EventKind::Deleted { key: entry.key });
            events.add_bytes(entry.size);
            events.add_object();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::{
        Key, StoreOptions,
        job::Request,
        lease::{LeaseScope, highest},
        testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    /// Files know no conditional writes: where a renewal of the lease may still arrive, its end is waited for.
    #[tokio::test(start_paused = true)]
    async fn a_removal_that_waits_for_a_renewal_can_be_cancelled() {
        for is_cancelled in [false, true] {
            let root = tempfile::tempdir().expect("a directory");
            let path = root.path().to_str().expect("UTF-8");
            let repository = Location::parse(path, &StoreOptions::default()).expect("a location");
            let location = repository.child("n1").expect("a location");
            let scope = LeaseScope::Backup("n1".to_owned());
            let lease = Lease::take(&location, scope.clone(), Some("c1"), None).await.expect("free");
            lease.release(Duration::from_secs(1)).await;
            location.put(&Key::parse("x").expect("a key"), Bytes::from_static(b"x")).await.expect("put");

            let seconds = |from, to| Duration::from_secs(from)..Duration::from_secs(to);
            let slow = Rule::new(Scope::of(Op::Delete).containing("n1/x"), When::Always, Fault::Delay(seconds(70, 71)));
            let renewal = Scope::of(Op::Put).containing("n1/_influx_backup/claim-000002");
            let late = Rule::new(renewal, When::Nth(2), Fault::Late(seconds(100, 101)));
            let plan = FaultPlan::none().with(slow).with(late);
            let faulty = repository.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
            let leftover =
                Leftover { name: "n1".to_owned(), kind: LeftoverKind::Unfinished, objects: 2, bytes: ByteSize(1) };
            let request = Request::new("remove", String::new(), move |context| async move {
                remove(&faulty, &leftover, &context).await
            });
            let began = Instant::now();
            let job = request.start();
            sleep(Duration::from_secs(100)).await;
            if is_cancelled {
                job.handle().cancel();
                assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
                assert!(began.elapsed() < Duration::from_secs(101), "{:?}", began.elapsed());
                sleep(Duration::from_secs(100)).await;
                let left = highest(&location, &scope, Clock::Local).await.expect("listed").expect("one");
                assert!(left.is_free(Takeover::AfterTimeout));
            } else {
                job.await.expect("removed");
                assert!(began.elapsed() > Duration::from_secs(161), "{:?}", began.elapsed());
                assert!(location.list("").await.expect("listed").is_empty());
            }
        }
    }
}
