//! What only looks is a job as well: it can be cancelled while a store hangs, and counts what it lists.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    Job, Target,
    layout::MANIFEST_KEY,
    testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
};

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn through(location: &Location, rule: Rule) -> Location {
    let plan = FaultPlan::none().with(rule);
    location.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>)
}

/// The same location, whose store answers after hours.
fn hanging(location: &Location) -> Location {
    let delay = Fault::Delay(3600 * SECOND..7200 * SECOND);
    through(location, Rule::new(Scope::any(), When::Always, delay))
}

/// The same location, whose listings come in pages of five keys, one a second.
fn slow(location: &Location) -> Location {
    let pages = Fault::SlowList { page: 5, pause: SECOND };
    through(location, Rule::new(Scope::of(Op::List), When::Always, pages))
}

/// A cluster in memory, and a repository with one backup of it.
pub(super) async fn bed() -> (Cluster, Repository, u64) {
    let source = Location::in_memory();
    let mut objects = 0;
    for object in Generate::core("node1").snapshots(20).objects() {
        source.put(&Key::parse(&object.key).expect("a key"), object.bytes).await.expect("put");
        objects += 1;
    }
    let cluster = discover(&source, &DiscoverOptions::default()).await.expect("a cluster");
    let repository = Repository::open(Location::in_memory()).await.expect("opened");
    repository.backup(&cluster, named("a")).await.expect("backed up");
    (cluster, repository, objects)
}

/// The job runs on, until it is cancelled or dropped; then it ends within a second.
async fn hangs_until_cancelled<T: Send + 'static>(what: &str, start: impl Fn() -> Job<T>) {
    let job = start();
    let handle = job.handle();
    sleep(5 * SECOND).await;
    assert!(!handle.is_finished(), "{what}");
    handle.cancel();
    let error = timeout(SECOND, job).await.expect(what).err().expect(what);
    assert_eq!((error.code(), error.to_string().as_str()), ("cancelled", "cancelled"), "{what}: nothing was counted");

    let job = start();
    let handle = job.handle();
    sleep(5 * SECOND).await;
    assert!(!handle.is_finished(), "{what}");
    drop(job);
    sleep(SECOND).await;
    assert!(handle.is_finished(), "{what}: it is dropped");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_store_does_not_delay_cancellation() {
    let (cluster, repository, _) = bed().await;
    let source = hanging(cluster.location());
    let hanging_cluster = cluster.clone().with_location(source.clone());
    let hanging_repository = checked(hanging(repository.location()));
    let here = Location::in_memory();
    let there = hanging(&Location::in_memory());
    let backup = BackupOptions::default();
    let restore = RestoreOptions::default();

    hangs_until_cancelled("discover", || discover(&source, &DiscoverOptions::default()).start()).await;
    hangs_until_cancelled("plan_backup", || repository.plan_backup(&hanging_cluster, &backup).start()).await;
    let of_location = || repository.plan_backup(&source, &backup).start();
    hangs_until_cancelled("plan_backup of a location", of_location).await;
    hangs_until_cancelled("backup of a location", || repository.backup(&source, named("b")).start()).await;
    hangs_until_cancelled("list", || hanging_repository.list().start()).await;
    hangs_until_cancelled("the cluster's list", || hanging_cluster.list().start()).await;
    hangs_until_cancelled("get", || hanging_repository.get("a").start()).await;
    hangs_until_cancelled("inspect", || Target::inspect(&there).start()).await;
    hangs_until_cancelled("verify", || hanging_repository.verify("a", VerifyOptions::listing()).start()).await;
    hangs_until_cancelled("certify", || hanging_repository.certify("a").start()).await;
    let from = || hanging_repository.restore_backup("a", &here, restore.clone()).start();
    hangs_until_cancelled("restore_backup", from).await;
    hangs_until_cancelled("leftovers", || hanging_repository.leftovers().start()).await;
    let from = || hanging_repository.plan_restore("a", &here, &restore).start();
    hangs_until_cancelled("plan_restore from it", from).await;
    hangs_until_cancelled("plan_restore to it", || repository.plan_restore("a", &there, &restore).start()).await;
}

/// One job discovers and backs up: what both list counts, and its events are one stream.
#[tokio::test]
async fn a_location_is_discovered_by_the_job_that_backs_it_up() {
    let (cluster, repository, _) = bed().await;
    let location = cluster.location();
    let listed = async |job: Job<crate::BackupPlan>| {
        let handle = job.handle();
        (job.await.expect("planned"), handle.progress().listed)
    };
    let options = BackupOptions::default();
    let discovery = discover(location, &DiscoverOptions::default()).start();
    let handle = discovery.handle();
    discovery.await.expect("a cluster");
    let (of_cluster, listed_once) = listed(repository.plan_backup(&cluster, &options).start()).await;
    let (of_location, listed_in_all) = listed(repository.plan_backup(location, &options).start()).await;
    assert_eq!(of_location, of_cluster);
    assert_eq!(listed_in_all, handle.progress().listed + listed_once);
    assert!(handle.progress().listed > 0);

    let job = repository.backup(location, named("b")).start();
    let mut events = job.events();
    let report = job.await.expect("backed up");
    assert_eq!(report.objects, repository.get("a").await.expect("opened").objects().len() as u64);
    let mut finished = 0;
    while let Some(event) = events.next().await {
        finished += usize::from(matches!(event.kind, crate::EventKind::Finished { .. }));
    }
    assert_eq!(finished, 1);

    let other = || Source::at(location, DiscoverOptions::default().with_node("node7"));
    assert_eq!(repository.plan_backup(other(), &options).await.expect_err("no such node").code(), "unknown-id");
    assert_eq!(repository.backup(other(), named("c")).await.expect_err("no such node").code(), "unknown-id");
    assert_eq!(repository.list().await.expect("listed").len(), 2, "nothing was begun");
}

#[tokio::test(start_paused = true)]
async fn listed_objects_are_counted_while_they_are_listed() {
    let (cluster, repository, objects) = bed().await;
    let slow_cluster = cluster.clone().with_location(slow(cluster.location()));

    let job = repository.plan_backup(&slow_cluster, &BackupOptions::default()).start();
    let handle = job.handle();
    let mut before = 0;
    for _ in 0..3 {
        sleep(3 * SECOND).await;
        let listed = handle.progress().listed;
        assert!(before < listed && listed < objects, "{before} before {listed} of {objects}");
        before = listed;
    }
    job.await.expect("planned");
    assert_eq!(handle.progress().listed, objects, "each is listed once");

    let job = discover(&slow(cluster.location()), &DiscoverOptions::default()).start();
    let handle = job.handle();
    let found = job.await.expect("a cluster");
    let listed = handle.progress().listed;
    assert!(listed > 0 && listed < objects, "neither tables nor WAL are listed: {listed} of {objects}");
    found.list().await.expect("listed");
    assert_eq!(handle.progress().listed, listed, "the job is over");

    let target = Location::in_memory();
    for number in 0..7 {
        let key = Key::parse(format!("node1/wal/{number}.wal")).expect("a key");
        target.put(&key, "x".into()).await.expect("put");
    }
    let job = repository.plan_restore("a", &target, &RestoreOptions::replace()).start();
    let handle = job.handle();
    job.await.expect("planned");
    assert_eq!(handle.progress().listed, 7);
}

#[tokio::test]
async fn listed_files_are_counted() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(root.path()).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let repository_elsewhere = Repository::open(at(elsewhere.path())).await.expect("opened");
    let job = repository_elsewhere.plan_backup(&cluster, &BackupOptions::default()).start();
    let handle = job.handle();
    job.await.expect("planned");
    let objects = Generate::core("node1").objects().count() as u64;
    assert_eq!(handle.progress().listed, objects);
    let inside = repository.plan_backup(&cluster, &BackupOptions::default()).start();
    assert_eq!(inside.await.expect_err("inside the cluster").code(), "overlap");
}

#[tokio::test(start_paused = true)]
async fn a_list_counts_the_directories_and_says_how_far_it_was() {
    let (_, repository, _) = bed().await;
    for name in ["b", "c"] {
        let key = Key::parse(format!("{name}/file")).expect("a key");
        repository.location().put(&key, "x".into()).await.expect("put");
    }
    let job = repository.list().start();
    let handle = job.handle();
    assert_eq!(job.await.expect("listed").len(), 3);
    assert_eq!((handle.progress().objects, handle.progress().total_objects), (3, 3));

    // The directories are known, and no manifest can be read.
    let delay = Fault::Delay(3600 * SECOND..7200 * SECOND);
    let unread = checked(through(repository.location(), Rule::new(Scope::of(Op::Get), When::Always, delay)));
    let job = unread.list().start();
    let handle = job.handle();
    sleep(SECOND).await;
    handle.cancel();
    assert_eq!(job.await.expect_err("cancelled").to_string(), "cancelled after 0 of 3 objects");
}

/// What may not be looked at is not known to be a cluster or a backup. What a store does not say now may be one.
#[tokio::test(start_paused = true)]
async fn a_repository_opens_only_where_the_store_says_what_is_there() {
    let (cluster, repository, _) = bed().await;
    let inside = repository.location().child("a").expect("a location").child("elsewhere").expect("a location");
    let code = async |location: &Location, scope: Scope, failure: Failure| {
        let location = through(location, Rule::new(scope, When::Always, Fault::Fail(failure)));
        Repository::open(location).await.err().map(|error| error.code())
    };
    let list = || Scope::of(Op::List).containing("node1");
    let head = || Scope::of(Op::Head).containing(MANIFEST_KEY);
    for failure in [Failure::Throttled, Failure::Other, Failure::Unreachable] {
        assert!(matches!(
            code(cluster.location(), list(), failure).await,
            Some("throttled" | "store-error" | "unreachable")
        ));
        assert!(matches!(code(&inside, head(), failure).await, Some("throttled" | "store-error" | "unreachable")));
    }
    assert_eq!(code(cluster.location(), list(), Failure::Denied).await, None);
    assert_eq!(code(&inside, head(), Failure::Denied).await, None);
    assert_eq!(Repository::open(cluster.location().clone()).await.expect_err("a cluster").code(), "overlap");
    assert_eq!(Repository::open(inside).await.expect_err("a backup").code(), "invalid-request");
}

#[tokio::test(start_paused = true)]
async fn that_a_repository_was_given_for_a_backup_is_said_only_where_the_store_answers() {
    let (_, repository, _) = bed().await;
    let parent = Location::in_memory();
    for entry in repository.location().list("").await.expect("listed").iter() {
        let bytes = repository.location().get(&entry.key, None).await.expect("read").expect("there");
        parent.put(&Key::parse(format!("vault/{}", entry.key)).expect("a key"), bytes).await.expect("put");
    }
    let opened = async |failure: Option<Failure>| {
        let rule = failure.map(|failure| {
            let scope = Scope::of(Op::Head).containing(format!("a/{MANIFEST_KEY}"));
            Rule::new(scope, When::Always, Fault::Fail(failure))
        });
        let location = rule.map_or_else(|| parent.clone(), |rule| through(&parent, rule));
        crate::Backup::open(&location, "vault").await.expect_err("no backup")
    };
    assert!(opened(None).await.to_string().contains("this is a repository of backups"));
    assert_eq!(opened(Some(Failure::Throttled)).await.code(), "throttled");
    assert_eq!(opened(Some(Failure::Denied)).await.code(), "backup-not-found");
}

/// What stands before a store answers for it with 502, or asks to slow down: that says nothing about a backup.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_no_repository_of_unreadable_backups() {
    let (_, repository, _) = bed().await;
    for failure in [Failure::Unreachable, Failure::Throttled, Failure::Other] {
        let of_backups = Scope::of(Op::Get).outside("repository.json");
        let failing =
            checked(through(repository.location(), Rule::new(of_backups, When::Always, Fault::Fail(failure))));
        let expected = crate::error::Category::Store;
        assert_eq!(failing.list().await.expect_err("no answer").category(), expected, "{failure:?}");
        assert_eq!(failing.leftovers().await.expect_err("no answer").category(), expected, "{failure:?}");
    }
}
