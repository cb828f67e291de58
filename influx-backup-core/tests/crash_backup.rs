//! A backup that dies at any write: nothing half-done counts as a backup, and a resumed one ends whole.
#![cfg(unix)]

mod crash;

use std::{sync::Arc, time::Duration};

use influx_backup_core::{
    DiscoverOptions, Location, Repository, discover,
    location::Identity,
    location::interop::object_store::{ObjectStore, memory::InMemory, path::Path as StorePath},
    testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
};

use crash::{Moment, NAME, Orders, Verb};

#[test]
#[ignore = "the other tests run it as a process of its own"]
fn a_process_of_its_own() {
    crash::run_if_ordered();
}

/// The cluster in memory, and a repository behind a store that dies.
async fn in_memory(plan: FaultPlan) -> (Location, FaultyStore, Location) {
    let source = Arc::new(InMemory::new());
    let shared: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&source);
    crash::cluster(2).write_to(&shared, &StorePath::default()).await.expect("written");
    let store = FaultyStore::new(Arc::new(InMemory::new()), plan);
    let repository = Location::with_store(Arc::new(store.clone()), StorePath::default(), Identity::Test);
    (Location::with_store(source, StorePath::default(), Identity::Test), store, repository)
}

#[tokio::test(start_paused = true)]
async fn a_store_that_dies_at_any_write() {
    let (source, store, repository) = in_memory(FaultPlan::none()).await;
    crash::resume_backup(&source, &repository, "undisturbed").await;
    let writes = store.log().iter().filter(|entry| entry.op.is_write()).count() as u64;
    assert!(writes > 25, "{writes}");
    for write in 0..=writes {
        let when = format!("died at write {write} of {writes}");
        let (source, store, repository) = in_memory(FaultPlan::none().crash_after_writes(write)).await;
        let cluster = discover(&source, &DiscoverOptions::default()).await.expect("discovered");
        let died = async { Repository::open(repository.clone()).await?.backup(&cluster, crash::options()).await };
        let died = died.await;
        assert!(store.has_crashed(), "{when}");
        assert!(died.is_err() || write > writes - 3, "{when}: only what tidies up may fail unnoticed");
        store.heal();
        crash::resume_backup(&source, &repository, &when).await;
    }
}

async fn killed_at_every_write(moment: Moment) {
    let root = tempfile::tempdir().expect("a directory");
    let source = root.path().join("source");
    let outcome = root.path().join("outcome");
    crash::cluster(2).generate_into(&source).expect("generated");
    let orders = |write: u64| {
        let repository = root.path().join(format!("repository-{write}"));
        (Orders::new(Verb::Backup, &source, &repository, &outcome).dying_at(write, moment), repository)
    };
    let undisturbed = orders(0).0.run().expect("lives");
    assert_eq!(undisturbed.code, "ok");
    assert!(undisturbed.writes > 25, "{undisturbed:?}");
    for write in 1..=undisturbed.writes {
        let when = format!("killed {moment:?} write {write} of {}", undisturbed.writes);
        let (orders, repository) = orders(write);
        let lived = orders.run();
        // A deletion has no middle.
        assert!(lived.is_none() || moment == Moment::Within, "{when}: {lived:?}");
        crash::resume_backup(&crash::place(&source), &crash::place(&repository), &when).await;
        std::fs::remove_dir_all(repository).expect("removed");
    }
}

#[tokio::test]
async fn a_process_killed_before_any_write() {
    killed_at_every_write(Moment::Before).await;
}

#[tokio::test]
async fn a_process_killed_within_any_write() {
    killed_at_every_write(Moment::Within).await;
}

#[tokio::test]
async fn a_process_killed_after_any_write() {
    killed_at_every_write(Moment::After).await;
}

/// Between the claim and the first pass lies work that can fail: its run gives the claim up, too.
#[tokio::test(start_paused = true)]
async fn a_resumed_run_that_fails_early_is_resumed_at_once() {
    let (source, store, repository) = in_memory(FaultPlan::none().crash_after_writes(20)).await;
    let cluster = discover(&source, &DiscoverOptions::default()).await.expect("discovered");
    let opened = Repository::open(repository.clone()).await.expect("opened");
    opened.backup(&cluster, crash::options()).start().await.expect_err("died");
    store.heal();
    let journal = format!("{NAME}/_influx_backup/journal");
    let denied = Rule::new(Scope::of(Op::List).below(&journal), When::Always, Fault::Fail(Failure::Denied));
    let unreadable =
        repository.through(|store| Arc::new(FaultyStore::new(store, FaultPlan::none().with(denied.clone()))));
    let refused = Repository::open(unreadable).await.expect("opened").backup(&cluster, crash::resuming()).start().await;
    assert_eq!(refused.expect_err("its journal cannot be listed").code(), "access-denied");
    let when_silent = crash::options().resuming();
    opened.backup(&cluster, when_silent).start().await.expect("it is not held");
}

#[tokio::test]
async fn of_two_tasks_under_one_name_one_wins() {
    let (source, _, repository) = in_memory(FaultPlan::none()).await;
    let cluster = discover(&source, &DiscoverOptions::default()).await.expect("discovered");
    let opened = Repository::open(repository.clone()).await.expect("opened");
    let a = opened.backup(&cluster, crash::options()).start();
    let b = opened.backup(&cluster, crash::options()).start();
    let (a, b) = tokio::join!(a, b);
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    assert_eq!(won.expect("one of them").name, NAME);
    assert_eq!(lost.expect_err("the other").code(), "backup-in-progress");
    crash::resume_backup(&source, &repository, "after both").await;
}

#[tokio::test]
async fn of_two_processes_under_one_name_one_wins() {
    let root = tempfile::tempdir().expect("a directory");
    let source = root.path().join("source");
    let go = root.path().join("go");
    crash::cluster(2).generate_into(&source).expect("generated");
    for round in 0..5 {
        let repository = root.path().join(format!("repository-{round}"));
        let orders = ["a", "b"].map(|name| Orders {
            go: Some(go.clone()),
            // Long enough for the other one to come, short enough for a test.
            pause: Duration::from_millis(30),
            ..Orders::new(Verb::Backup, &source, &repository, &root.path().join(name))
        });
        let mut processes = orders.each_ref().map(Orders::start);
        tokio::time::sleep(Duration::from_millis(100)).await;
        std::fs::write(&go, "").expect("written");
        for process in &mut processes {
            assert!(process.wait().expect("waited").success());
        }
        let mut codes = orders.each_ref().map(|orders| orders.outcome().code);
        codes.sort();
        assert_eq!(codes, ["backup-in-progress", "ok"]);
        crash::resume_backup(&crash::place(&source), &crash::place(&repository), "after both").await;
        std::fs::remove_file(&go).expect("removed");
    }
}
