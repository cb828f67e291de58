//! A repository that nothing was asked of yet: its first verb checks the place.

use std::sync::Arc;

use super::*;
use crate::{
    error::Result,
    leftovers::LeftoverKind,
    testing::fault::{FaultPlan, FaultyStore, Op},
};

/// What each verb fails with at a place that cannot hold backups.
async fn refusals(repository: &Repository, cluster: &Cluster, plan: &RestorePlan, leftover: &Leftover) -> Vec<String> {
    fn code<T>(verb: &str, result: Result<T>) -> String {
        format!("{verb}: {}", result.err().map_or("done", |error| error.code()))
    }
    let target = Location::in_memory();
    vec![
        code("plan_backup", repository.plan_backup(cluster, &named("x")).await),
        code("backup", repository.backup(cluster, named("x")).await),
        code("plan_restore", repository.plan_restore("a", &target, &RestoreOptions::default()).await),
        code("restore", repository.restore(plan).with_target(target.clone()).await),
        code("restore_backup", repository.restore_backup("a", &target, RestoreOptions::default()).await),
        code("certify", repository.certify("a").await),
        code("list", repository.list().await),
        code("get", repository.get("a").await),
        code("verify", repository.verify("a", VerifyOptions::default()).await),
        code("leftovers", repository.leftovers().await),
        code("remove", repository.remove(leftover).await),
        code("marker", repository.marker().await),
    ]
}

#[tokio::test]
async fn every_verb_checks_the_place_first() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let backups = Repository::at(at(&root.path().join("backups")));
    backups.backup(&cluster, named("a")).await.expect("backed up");
    let plan = backups.plan_restore("a", &at(&root.path().join("target")), &RestoreOptions::default()).await;
    let plan = plan.expect("a plan");
    let leftover =
        Leftover { name: "x".to_owned(), kind: LeftoverKind::Staging, objects: 1, bytes: crate::ByteSize(1) };

    let in_backup = Repository::at(at(&root.path().join("backups/a")));
    for refusal in refusals(&in_backup, &cluster, &plan, &leftover).await {
        assert!(refusal.ends_with(": invalid-request"), "{refusal}");
    }
    let newer = Repository::at(at(&root.path().join("newer")));
    std::fs::create_dir_all(root.path().join("newer/_influx_backup")).expect("a directory");
    std::fs::write(root.path().join("newer").join(REPOSITORY_KEY), r#"{"format": 99, "min_reader": 99}"#)
        .expect("written");
    for refusal in refusals(&newer, &cluster, &plan, &leftover).await {
        assert!(refusal.ends_with(": unsupported-format"), "{refusal}");
    }
    let in_cluster = Repository::at(cluster.location().clone());
    for refusal in refusals(&in_cluster, &cluster, &plan, &leftover).await {
        assert!(refusal.ends_with(": overlap"), "{refusal}");
    }
}

#[tokio::test]
async fn the_place_is_checked_until_nothing_is_wrong_and_then_no_more() {
    let store = Arc::new(std::sync::Mutex::new(None));
    let location = Location::in_memory().through(|inner| {
        let faulty = Arc::new(FaultyStore::new(inner, FaultPlan::none()));
        *store.lock().expect("no panic") = Some(Arc::clone(&faulty));
        faulty as Arc<_>
    });
    let store = store.lock().expect("no panic").take().expect("a store");
    let lists = || store.count(Op::List);
    let node = ["node1/wal/1.wal", "node1/snapshots/1.json"].map(|key| Key::parse(key).expect("a key"));
    for key in &node {
        location.put(key, "x".into()).await.expect("put");
    }

    let repository = Repository::at(location.clone());
    let clone = repository.clone();
    assert_eq!(lists(), 0, "nothing is contacted");
    assert_eq!(repository.marker().await.expect_err("a cluster").code(), "overlap");
    assert_eq!(clone.list().await.expect_err("still one").code(), "overlap", "it is looked at again");

    for key in &node {
        location.delete(key).await.expect("deleted");
    }
    assert_eq!(repository.marker().await.expect("free"), None);
    let looked = lists();
    assert_eq!(clone.marker().await.expect("free"), None);
    assert_eq!(lists(), looked, "it was checked");
}
