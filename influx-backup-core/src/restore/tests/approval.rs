//! What a person approved is what runs, or nothing does.

use Generation::{V2, V3};
use bytes::Bytes;

use super::*;
use crate::error::{PlanChange, PlanChangeKind};

fn changes(error: Error) -> Vec<PlanChange> {
    match error {
        Error::PlanChanged { changes, .. } => changes,
        error => panic!("another error: {error}"),
    }
}

/// A target that holds a later state, options that replace it, and what is approved.
async fn approved() -> (Bed, How, RestorePlan) {
    let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V3]).await;
    let options = quick(RestoreOptions::replace());
    let plan = bed.plan(&options).await.expect("planned");
    (bed, options, plan)
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_target_is_restored() {
    let (bed, options, plan) = approved().await;
    assert!(plan.deletions().len() > 0 && plan.overwrites().len() > 0);
    bed.request(&options).approving(&plan).start().await.expect("restored");
    assert_eq!(bed.keys().await, bed.backup_keys());

    let (bed, options, plan) = approved().await;
    bed.request(&options).approving_hash(plan.hash()).start().await.expect("restored");
    assert_eq!(bed.keys().await, bed.backup_keys());
}

#[tokio::test(start_paused = true)]
async fn what_is_new_at_the_target_is_not_deleted_unseen() {
    let newer = "node1/wal/00000000099.wal";
    for by_hash in [false, true] {
        let (bed, options, plan) = approved().await;
        bed.target.put(&key(newer), Bytes::from_static(b"acknowledged since")).await.expect("put");
        let before = bed.target.list("").await.expect("listed");
        let request = bed.request(&options);
        let request = if by_hash { request.approving_hash(plan.hash()) } else { request.approving(&plan) };
        let error = request.start().await.expect_err("not approved");
        assert_eq!(error.code(), "plan-changed");
        assert_eq!(bed.target.list("").await.expect("listed"), before, "nothing was written or deleted");
        let expected = if by_hash {
            PlanChange::new(PlanChangeKind::Hash, 1, vec![bed.plan(&options).await.expect("planned").hash()])
        } else {
            assert!(error.to_string().contains(&format!("1 new deletion ({newer})")), "{error}");
            PlanChange::new(PlanChangeKind::Delete, 1, vec![newer.to_owned()])
        };
        assert_eq!(changes(error), [expected]);
        bed.request(&options).start().await.expect("without an approval");
        assert_eq!(bed.keys().await, bed.backup_keys());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_new_where_the_restore_writes_is_not_overwritten_unseen() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let options = quick(RestoreOptions::replace());
    let plan = bed.plan(&options).await.expect("planned for an empty target");
    let object = plan.stages().flat_map(Stage::keys).next().expect("a copy").clone();
    bed.target.put(&object, Bytes::from_static(b"new")).await.expect("put");
    let error = bed.request(&options).approving(&plan).start().await.expect_err("not approved");
    assert_eq!(changes(error), [PlanChange::new(PlanChangeKind::Overwrite, 1, vec![object.to_string()])]);
    assert_eq!(bed.target.get(&object, None).await.expect("read").expect("there"), Bytes::from_static(b"new"));
}

#[tokio::test(start_paused = true)]
async fn another_backup_target_or_policy_is_another_plan() {
    let (bed, options, plan) = approved().await;
    let other = Bed::new(&core(3), &[V3]).await.holding(&core(4), &[V3]).await;
    let kinds = |error: Error| changes(error).iter().map(|change| change.kind).collect::<Vec<_>>();
    let error = other.request(&options).approving(&plan).start().await.expect_err("another backup");
    assert!(kinds(error).contains(&PlanChangeKind::Backup));
    let error = bed.request(&quick(RestoreOptions::overlay())).approving(&plan).start().await.expect_err("a policy");
    assert_eq!(kinds(error), [PlanChangeKind::Policy]);
    let place = bed.target.child("below").expect("a name");
    let elsewhere = Restore::new(bed.backup.clone(), place, options.options);
    let error = elsewhere.approving(&plan).start().await.expect_err("a target");
    assert!(error.to_string().contains("(memory)"), "the store in plain words: {error}");
    assert_eq!(kinds(error), [PlanChangeKind::Target]);
}

#[tokio::test(start_paused = true)]
async fn other_options_are_another_plan() {
    let (bed, options, plan) = approved().await;
    let options = options.options;
    let others = [
        (options.clone().with_extra_nodes(ExtraNodes::Keep), "extra_nodes: keep"),
        (options.clone().with_on_catalog_mismatch(OnCatalogMismatch::Replace), "on_catalog_mismatch: replace"),
        (options.clone().with_ownership(Ownership::process_default()), "ownership: process_default, process_default"),
        (options.clone().with_licenses(Licenses::Exclude), "licenses: exclude"),
        (options.clone().with_on_degraded(OnDegraded::Accept), "on_degraded: accept"),
        (options.clone().with_check(SourceCheck::Listing), "check: listing"),
    ];
    for (other, changed) in others {
        let error = bed.request(&quick(other)).approving(&plan).start().await.expect_err("not approved");
        assert_eq!(changes(error), [PlanChange::new(PlanChangeKind::Options, 1, vec![changed.to_owned()])]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_does_less_runs() {
    let (bed, options, plan) = approved().await;
    let deletions: Vec<Key> = plan.deletions().collect();
    bed.target.delete(&deletions[0]).await.expect("deleted meanwhile");
    let report = bed.request(&options).approving(&plan).start().await.expect("restored");
    assert_eq!(report.deleted, deletions.len() as u64 - 1);
}

#[tokio::test(start_paused = true)]
async fn an_approved_restore_may_be_resumed_under_the_same_plan() {
    for policy in [RestoreOptions::empty(), RestoreOptions::replace()] {
        for died_after in [10, 14] {
            let bed = Bed::new(&core(2), &[V2, V3]).await;
            let options = alone(policy.clone());
            let plan = bed.plan(&options).await.expect("planned");
            bed.store.die_after(died_after);
            bed.request(&options).approving(&plan).start().await.expect_err("killed");
            bed.store.live();
            let again = options.resuming();
            bed.request(&again).approving(&plan).start().await.expect("resumed");
            assert_eq!(bed.keys().await, bed.backup_keys());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_repository_restores_what_a_plan_says() {
    let root = tempfile::tempdir().expect("a directory");
    let at = |tail: &str| {
        Location::parse(&root.path().join(tail).display().to_string(), &crate::StoreOptions::default())
            .expect("a place")
    };
    write_backup(&at("repo"), &core(2), &[V3], |_, _| {}).await.expect("a backup");
    let repository = crate::Repository::open(at("repo")).await.expect("a repository");
    let options = RestoreOptions::empty().with_ownership(Ownership::process_default());
    let plan = repository.plan_restore("n1", &at("target"), &options).await.expect("planned");
    let json = serde_json::to_string(&plan).expect("serializes");
    let plan: RestorePlan = serde_json::from_str(&json).expect("reads back");
    assert_eq!(plan.options, options);

    let elsewhere = repository.restore(&plan).with_target(at("elsewhere"));
    let kinds: Vec<_> =
        changes(elsewhere.await.expect_err("another target")).iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [PlanChangeKind::Target]);
    let report = repository.restore(&plan).await.expect("restored");
    assert_eq!(report.objects, plan.objects());

    std::fs::remove_dir_all(root.path().join("repo/n1")).expect("removed");
    std::fs::remove_dir_all(root.path().join("target")).expect("removed");
    write_backup(&at("repo"), &core(3), &[V3], |_, _| {}).await.expect("another backup of this name");
    let error = repository.restore(&plan).await.expect_err("another backup");
    assert_eq!(changes(error)[0].kind, PlanChangeKind::Backup);
    assert!(!root.path().join("target").exists(), "nothing was written");
}

/// A plan holds no store options, and the environment is not asked for them.
#[tokio::test(start_paused = true)]
async fn a_planned_target_in_a_store_has_to_be_opened_by_the_caller() {
    let (bed, how, plan) = approved().await;
    let planned = || Restore::planned(bed.backup.repository(), &plan).with_run_options(how.run.clone());
    let error = planned().await.expect_err("no store options");
    assert!(matches!(error, Error::InvalidRequest { option: "target", .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("give the location itself as the target") && !text.contains("with_"), "{text}");
    planned().with_copier(Arc::new(Plain)).with_target(bed.target.clone()).await.expect("restored");
    assert_eq!(bed.keys().await, bed.backup_keys());
}

#[tokio::test(start_paused = true)]
async fn servers_that_write_while_they_stop_change_the_plan() {
    /// Writes its last WAL file when it is stopped.
    #[derive(Debug)]
    struct Flushing(Location);

    #[async_trait]
    impl crate::Orchestrator for Flushing {
        async fn stop(&self, _: &Node) -> Result<(), crate::error::Source> {
            self.0.put(&key("node1/wal/00000000099.wal"), Bytes::from_static(b"last")).await?;
            Ok(())
        }

        async fn stopped(&self, _: &Node) -> Result<bool, crate::error::Source> {
            Ok(true)
        }

        async fn start(&self, _: &Node) -> Result<(), crate::error::Source> {
            Ok(())
        }
    }

    let (bed, options, plan) = approved().await;
    let before = bed.keys().await;
    let request = bed.request(&options).approving(&plan);
    let servers = Arc::new(Flushing(bed.target.clone()));
    let error = request.with_orchestrator(servers).start().await.expect_err("not approved");
    assert_eq!(changes(error), [PlanChange::new(PlanChangeKind::Delete, 1, vec!["node1/wal/00000000099.wal".into()])]);
    let deletions: Vec<String> = plan.deletions().map(|key| key.to_string()).collect();
    assert!(before.iter().all(|key| bed.backup_keys().contains(key) || deletions.contains(key)));
    assert_eq!(bed.keys().await.len(), before.len() + 1, "only the server wrote");
}
