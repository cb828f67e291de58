//! A job that is cancelled while its store is silent ends within a second, wherever it is.

use std::{ops::AsyncFn, sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    Backup, Job, Restore, Target, abandon,
    copier::{Copied, Copier, CopyContext, CopyRequest},
    error::CopyError,
    layout::MANIFEST_KEY,
    options::AbandonOptions,
    target::Phase,
    testing::fault::{Fault, FaultPlan, FaultyStore, Rule, Scope, When},
};

const SECOND: Duration = Duration::from_secs(1);

/// The same location, whose store answers after hours, from its n-th operation on.
fn silent_from(location: &Location, n: u64) -> Location {
    let delay = Fault::Delay(3600 * SECOND..7200 * SECOND);
    let plan = FaultPlan::none().with(Rule::new(Scope::any(), When::From(n), delay));
    location.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>)
}

/// Starts a job on a store that is silent from its first, second, … operation on, and cancels it once it hangs, until one is
/// done before. Returns how often it could not be cancelled any more, where `is_ending` says that this is so.
async fn cancel_everywhere<T: Send + 'static>(
    what: &str,
    start: impl AsyncFn(u64) -> (Job<T>, Location),
    is_ending: impl AsyncFn(&Location) -> bool,
) -> u64 {
    let mut ending = 0;
    for n in 1..10_000 {
        let (job, place) = start(n).await;
        let handle = job.handle();
        sleep(5 * SECOND).await;
        if handle.is_finished() {
            job.await.unwrap_or_else(|error| panic!("{what}, silent from {n}: {error}"));
            assert!(n > 5, "{what} asks something of the store");
            return ending;
        }
        handle.cancel();
        match timeout(SECOND, job).await {
            // What is left is tidiness.
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                assert!(
                    ["cancelled", "commit-unconfirmed"].contains(&error.code()),
                    "{what}, silent from {n}: {error}"
                );
            }
            Err(_) => {
                assert!(is_ending(&place).await, "{what}, silent from {n}: it does not end");
                ending += 1;
            }
        }
    }
    panic!("{what} does not end");
}

async fn source() -> Cluster {
    let source = Location::in_memory();
    for object in Generate::core("node1").snapshots(1).files_per_snapshot(1).objects() {
        source.put(&Key::parse(&object.key).expect("a key"), object.bytes).await.expect("put");
    }
    discover(&source, &DiscoverOptions::default()).await.expect("a cluster")
}

async fn backup() -> Backup {
    let repository = Repository::open(Location::in_memory()).await.expect("opened");
    repository.backup(&source().await, named("a")).await.expect("backed up");
    repository.get("a").await.expect("opened")
}

/// Copies nothing, and fails.
#[derive(Debug)]
struct Fails;

#[async_trait::async_trait]
impl Copier for Fails {
    async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<Copied, CopyError> {
        Err(CopyError::unexpected("always"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_backup() {
    let cluster = source().await;
    let start = async |n| {
        let location = silent_from(&Location::in_memory(), n);
        let job = checked(location.clone()).backup(&cluster, named("a")).start();
        (job, location)
    };
    cancel_everywhere("backup", start, async |_| false).await;
}

#[tokio::test(start_paused = true)]
async fn a_restore() {
    let backup = backup().await;
    let start = async |n| {
        let target = Location::in_memory();
        let job = Restore::new(backup.clone(), silent_from(&target, n), RestoreOptions::default()).start();
        (job, target)
    };
    let is_releasing = async |target: &Location| {
        let root = target.list("").await.expect("listed");
        let unfinished = Target::inspect(target).await.expect("inspected").unfinished;
        // The journal goes last.
        unfinished.map_or(root.len() > 3, |begun| begun.phase == Phase::Releasing)
    };
    let ending = cancel_everywhere("restore", start, is_releasing).await;
    assert!(ending > 0, "once the roots are put, it is not cancelled");
}

#[tokio::test(start_paused = true)]
async fn the_abandonment_of_a_restore() {
    let backup = backup().await;
    let start = async |n| {
        let target = Location::in_memory();
        let begun =
            Restore::new(backup.clone(), target.clone(), RestoreOptions::default()).with_copier(Arc::new(Fails));
        begun.await.expect_err("nothing is copied");
        (abandon(&silent_from(&target, n), AbandonOptions::default()).start(), target)
    };
    let is_put_back = async |target: &Location| {
        let unfinished = Target::inspect(target).await.expect("inspected").unfinished;
        unfinished.is_none_or(|begun| begun.phase == Phase::Guarding)
    };
    let ending = cancel_everywhere("abandon", start, is_put_back).await;
    assert!(ending > 0, "once the old roots are put back, it is not cancelled");
}

#[tokio::test(start_paused = true)]
async fn the_removal_of_leftovers() {
    let cluster = source().await;
    let start = async |n| {
        let location = Location::in_memory();
        let repository = checked(location.clone());
        let options = named("a").with_limits(crate::Limits::default());
        repository.backup(&cluster, options).with_copier(Arc::new(Fails)).await.expect_err("nothing is copied");
        let leftover = repository.leftovers().await.expect("found").swap_remove(0);
        (checked(silent_from(&location, n)).remove(&leftover).start(), location)
    };
    cancel_everywhere("remove", start, async |_| false).await;
}

/// A committed backup, beside which something may be incomplete.
#[tokio::test(start_paused = true)]
async fn the_removal_of_staging_files() {
    let backup = backup().await;
    let location = backup.repository();
    assert!(location.child("a").expect("a location").head(&Key::parse(MANIFEST_KEY).expect("a key")).await.is_ok());
    let leftover = Leftover {
        name: "a".to_owned(),
        kind: crate::leftovers::LeftoverKind::Staging,
        objects: 1,
        bytes: crate::ByteSize(0),
    };
    let job = checked(silent_from(location, 1)).remove(&leftover).start();
    let handle = job.handle();
    sleep(5 * SECOND).await;
    handle.cancel();
    assert_eq!(timeout(SECOND, job).await.expect("it ends").expect_err("cancelled").code(), "cancelled");
}
