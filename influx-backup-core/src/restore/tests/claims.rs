//! One restore a target: who is kept out, who may take over, and what is left of the claims.

use std::time::Duration;

use Generation::V3;
use futures::future::join_all;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    finding::FindingCode,
    lease::Clock,
    testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Hold, Op, Rule, Scope, When},
};

/// Copies as [`Plain`] does, as long as there are permits.
#[derive(Debug)]
pub(super) struct Gate(Semaphore);

#[async_trait]
impl Copier for Gate {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        self.0.acquire().await.expect("never closed").forget();
        Plain.copy(request, context).await
    }
}

/// A restore that runs and waits before its second copy, and the gate that it waits at.
pub(super) async fn under_way(bed: &Bed) -> (crate::Job<RestoreReport>, Arc<Gate>) {
    let gate = Arc::new(Gate(Semaphore::new(1)));
    let job = bed.request(&quick(RestoreOptions::empty())).with_copier(Arc::clone(&gate) as _).start();
    while gate.0.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    (job, gate)
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_is_alive_keeps_all_others_out() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let (job, gate) = under_way(&bed).await;
    let held = bed.keys().await;
    let target = Target::inspect(&bed.target).await.expect("inspected");
    assert!(target.holder.as_ref().is_some_and(|holder| holder.silence.as_secs() < 60), "{:?}", target.holder);
    let json = serde_json::to_string(&target.holder).expect("serializes");
    assert_eq!(
        serde_json::from_str::<Option<crate::target::LeaseHolder>>(&json).expect("its own"),
        target.holder,
        "{json}"
    );
    let (empty, replace) = (quick(RestoreOptions::empty()), quick(RestoreOptions::replace()));
    for how in [empty.clone(), replace, empty.resuming()] {
        let error = bed.restore(&how).await.expect_err("it is alive");
        assert_eq!(error.code(), "restore-in-progress");
        assert!(error.to_string().contains(&format!("process {} on ", std::process::id())), "{error}");
    }
    let error = abandon(&bed.target, AbandonOptions::default()).await.expect_err("it is alive");
    assert_eq!(error.code(), "restore-in-progress");
    assert_eq!(bed.keys().await, held, "whoever is kept out writes nothing");
    gate.0.add_permits(100);
    job.await.expect("undisturbed");
    assert_eq!(bed.keys().await, bed.backup_keys(), "none of the restore's own files is left");
}

/// A restore that was cancelled when one object was restored.
pub(super) async fn cancelled(bed: &Bed) {
    let (job, _gate) = under_way(bed).await;
    job.handle().cancel();
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
}

/// By the clock of a store that is an hour slow, every heartbeat is an hour old.
#[tokio::test(start_paused = true)]
async fn a_restore_that_is_alive_keeps_others_out_by_a_slow_clock() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let (job, gate) = under_way(&bed).await;
    let slow = FaultPlan::none().clock_behind(Duration::from_secs(3600));
    let target = bed.target.through(|store| Arc::new(FaultyStore::new(store, slow.clone())) as Arc<_>);
    let error = abandon(&target, AbandonOptions::default()).await.expect_err("it is alive");
    assert_eq!(error.code(), "restore-in-progress");
    gate.0.add_permits(100);
    job.await.expect("undisturbed");
}

#[tokio::test(start_paused = true)]
async fn of_restores_that_start_together_one_wins() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let options = quick(RestoreOptions::empty());
    let ended = join_all((0..4).map(|_| bed.request(&options).start())).await;
    assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 1, "{ended:?}");
    for error in ended.into_iter().filter_map(Result::err) {
        // The last of them may come when the first is done.
        assert!(["restore-in-progress", "target-not-empty"].contains(&error.code()), "{error}");
    }
    assert_eq!(bed.keys().await, bed.backup_keys());
}

#[tokio::test(start_paused = true)]
async fn who_was_taken_over_stops_and_leaves_nothing() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let (job, gate) = under_way(&bed).await;
    bed.restore(&alone(RestoreOptions::empty()).resuming()).await.expect("taken over, to the end");
    assert_eq!(bed.keys().await, bed.backup_keys());
    gate.0.add_permits(100);
    assert_eq!(job.await.expect_err("taken over").code(), "lease-lost");
    assert_eq!(bed.keys().await, bed.backup_keys(), "what another restored stays as it is");
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_failed_gave_its_claim_up() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let (job, gate) = under_way(&bed).await;
    job.handle().cancel();
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
    drop(gate);
    assert!(Target::inspect(&bed.target).await.expect("inspected").holder.is_none());
    bed.restore(&quick(RestoreOptions::empty()).resuming()).await.expect("resumed at once");
    assert_eq!(bed.keys().await, bed.backup_keys());
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_a_restore_is_no_data() {
    let bed = Bed::new(&core(2), &[V3]).await;
    // The probe, its second write, its deletion and the claim: the next write is one too many.
    bed.store.die_after(4);
    bed.restore(&quick(RestoreOptions::empty())).await.expect_err("killed");
    bed.store.live();
    assert_eq!(bed.keys().await, ["_influx_backup/restore/claim-000001"]);
    let target = Target::inspect(&bed.target).await.expect("inspected");
    assert!(target.is_empty() && target.unfinished.is_none());
    assert_eq!(bed.restore(&quick(RestoreOptions::empty())).await.expect_err("alive?").code(), "restore-in-progress");
    let abandoned = abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately))
        .await
        .expect_err("nothing was begun");
    assert_eq!((abandoned.code(), bed.keys().await.len()), ("no-restore", 0));

    // The same, and the list of what will be new: the next write is the journal.
    bed.store.die_after(7);
    bed.restore(&quick(RestoreOptions::empty())).await.expect_err("killed");
    bed.store.live();
    assert!(
        bed.keys().await.iter().any(|key| key.ends_with("/created/000001/000000.jsonl.zst")),
        "{:?}",
        bed.keys().await
    );
    let abandoned = abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately))
        .await
        .expect_err("nothing was begun");
    assert_eq!((abandoned.code(), bed.keys().await.len()), ("no-restore", 0));

    bed.store.die_after(4);
    bed.restore(&quick(RestoreOptions::empty())).await.expect_err("killed");
    bed.store.live();
    bed.restore(&alone(RestoreOptions::empty())).await.expect("restored");
    assert_eq!(bed.keys().await, bed.backup_keys());
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn silence_frees_a_target_and_only_what_was_made_stays() {
    let root = tempfile::tempdir().expect("a directory");
    let path = |tail: &str| root.path().join(tail);
    let at = |tail: &str| {
        Location::parse(&path(tail).display().to_string(), &crate::StoreOptions::default()).expect("a place")
    };
    let backup = write_backup(&at("repo"), &core(2), &[V3], |_, _| {}).await.expect("a backup");
    let request = || Restore::new(backup.clone(), at("target"), RestoreOptions::empty());
    std::fs::create_dir_all(path("target/node1/mine")).expect("made");
    let alive = lease::acquire(&at("target"), Some("node1"), Takeover::AfterTimeout, Clock::Local).await.expect("free");
    assert_eq!(request().start().await.expect_err("alive").code(), "restore-in-progress");
    let claim = std::fs::File::open(path("target/_influx_backup/restore/claim-000001")).expect("the claim");
    claim.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(601)).expect("set");
    request().start().await.expect("silent, so restored");
    drop(alive);
    assert!(path("target/node1/mine").exists(), "an empty directory that was there stays");
    for guard in ["catalog/v2", "_influx_backup"] {
        assert!(!path("target").join(guard).exists() && !path("target/node1").join(guard).exists(), "{guard}");
    }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn what_is_refused_behind_the_claim_leaves_no_directory() {
    let root = tempfile::tempdir().expect("a directory");
    let path = |tail: &str| root.path().join(tail);
    let at = |tail: &str| {
        Location::parse(&path(tail).display().to_string(), &crate::StoreOptions::default()).expect("a place")
    };
    let backup = write_backup(&at("repo"), &core(2), &[V3], |_, _| {}).await.expect("a backup");
    let claim = lease::acquire(&at("target"), Some("node1"), Takeover::AfterTimeout, Clock::Local).await.expect("free");
    let error = Error::NoRestore { location: "target".to_owned() };
    lease::end(claim, lease::residue(&at("target"), &error).await, &at("target"), &error).await;
    assert!(!path("target/_influx_backup").exists());
    std::fs::remove_dir(path("target")).expect("empty");

    let restore = Restore::new(backup, at("above/target"), RestoreOptions::empty());
    let job = restore.with_orchestrator(Arc::new(Unwilling)).start();
    assert_eq!(job.await.expect_err("refused").code(), "orchestrator");
    assert!(!path("above").exists());
}

/// Stops no server.
#[derive(Debug)]
struct Unwilling;

#[async_trait]
impl crate::Orchestrator for Unwilling {
    async fn stop(&self, _: &Node) -> Result<(), crate::error::Source> {
        Err("no".into())
    }

    async fn stopped(&self, _: &Node) -> Result<bool, crate::error::Source> {
        Ok(false)
    }

    async fn start(&self, _: &Node) -> Result<(), crate::error::Source> {
        Ok(())
    }
}

/// A process that is suspended after it has listed what it is to delete, and goes on when another has restored that.
#[test]
fn who_was_taken_over_while_suspended_deletes_nothing() {
    let process = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().expect("a runtime")
    };
    let first = process();
    let second = process();
    let bed = second.block_on(Bed::new(&core(2), &[V3]));
    second.block_on(async {
        let (job, _gate) = under_way(&bed).await;
        job.handle().cancel();
        assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
    });
    let hold = Hold::default();
    let listing = Rule::new(Scope::of(Op::List).outside("_influx_backup"), When::Nth(1), Fault::Hold(hold.clone()));
    let target = first.block_on(async {
        let plan = FaultPlan::none().with(listing);
        bed.target.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>)
    });
    let abandoning = abandon(&target, AbandonOptions::default()).start_on(first.handle());
    first.block_on(async { tokio::time::timeout(Duration::from_secs(60), hold.reached()).await.expect("it lists") });
    second.block_on(bed.restore(&alone(RestoreOptions::empty()).resuming())).expect("taken over, to the end");
    let error = first.block_on(async {
        hold.release();
        tokio::time::advance(crate::lease::SILENCE).await;
        abandoning.await.expect_err("taken over")
    });
    assert_eq!(error.code(), "lease-lost");
    assert_eq!(second.block_on(bed.keys()), bed.backup_keys());
}

/// A process that is suspended, and goes on before another may take over: it starts no server, and the restore is resumed.
#[tokio::test(start_paused = true)]
async fn a_restore_whose_claim_was_not_renewed_is_resumed_at_once() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let (job, gate) = under_way(&bed).await;
    let handle = job.handle();
    tokio::time::advance(Duration::from_secs(450)).await;
    gate.0.add_permits(100);
    assert_eq!(job.await.expect_err("too late").code(), "lease-not-renewed");
    assert_eq!(handle.findings().last().map(|found| found.code.clone()), Some(FindingCode::BootGuard));
    bed.restore(&quick(RestoreOptions::empty()).resuming()).await.expect("resumed");
    assert_eq!(bed.keys().await, bed.backup_keys());
}

/// A renewal that was refused holds nothing up.
#[tokio::test(start_paused = true)]
async fn a_restore_whose_claim_was_once_not_renewed_ends_at_once() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let renewal = Rule::new(Scope::of(Op::Put).containing("/claim-"), When::Nth(2), Fault::Fail(Failure::Denied));
    let plan = FaultPlan::none().with(renewal);
    let target = bed.target.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
    let how = quick(RestoreOptions::empty());
    let gate = Arc::new(Gate(Semaphore::new(1)));
    let request = Restore::new(bed.backup.clone(), target, how.options).with_run_options(how.run);
    let job = request.with_copier(Arc::clone(&gate) as _).start();
    tokio::time::sleep(Duration::from_secs(65)).await;
    let began = tokio::time::Instant::now();
    gate.0.add_permits(100);
    job.await.expect("restored");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(bed.keys().await, bed.backup_keys());
}

/// A write that was sent when the restore was cancelled arrives half a minute later, and is not left behind.
#[tokio::test(start_paused = true)]
async fn what_was_cut_off_is_undone() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let late = Fault::Late(Duration::from_secs(30)..Duration::from_secs(31));
    let object = Scope::of(Op::Put).containing("node1/wal/");
    let faulty =
        FaultyStore::new(Arc::clone(bed.target.store()), FaultPlan::none().with(Rule::new(object, When::Nth(1), late)));
    let target = bed.target.through(|_| Arc::new(faulty.clone()) as Arc<_>);
    let how = quick(RestoreOptions::empty());
    let request = Restore::new(bed.backup.clone(), target, how.options.clone()).with_run_options(how.run.clone());
    let job = request.with_copier(Arc::new(Plain)).start();
    while !faulty.log().iter().any(|entry| entry.op == Op::Put && entry.path.contains("node1/wal/")) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    job.handle().cancel();
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
    abandon(&bed.target, AbandonOptions::default()).await.expect("undone");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bed.keys().await, [""; 0]);
}

/// A restore is cancelled while the store does not list its leases.
#[tokio::test(start_paused = true)]
async fn a_failed_look_at_the_lease_hides_no_error_and_loses_no_finished_object() {
    let mut bed = Bed::new(&core(2), &[V3]).await;
    let leases = Scope::of(Op::List).below("_influx_backup");
    let from = Duration::from_secs(60);
    let away = Rule::new(leases, When::Between(from..from * 10), Fault::Fail(Failure::Unreachable));
    let plan = FaultPlan::none().with(away);
    let store = bed.target.clone();
    bed.target = store.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
    let (job, _gate) = under_way(&bed).await;
    tokio::time::sleep(from + Duration::from_secs(1)).await;
    job.handle().cancel();
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
    let own = store.list("_influx_backup").await.expect("listed");
    assert!(own.iter().any(|entry| entry.key.as_str().contains("/finished/")), "{own:?}");
}

/// The first write of a boot guard arrives half a minute after it was given up and made again: the root that has taken its
/// place stays.
#[tokio::test(start_paused = true)]
async fn a_guard_that_arrives_late_replaces_no_root() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let late = Fault::Late(Duration::from_secs(30)..Duration::from_secs(31));
    let root = "catalog/v3/snapshot";
    let rule = Rule::new(Scope::of(Op::Put).containing(root), When::Nth(1), late);
    let faulty = FaultyStore::new(Arc::clone(bed.target.store()), FaultPlan::none().with(rule));
    let target = bed.target.through(|_| Arc::new(faulty.clone()) as Arc<_>);
    let how = quick(RestoreOptions::empty());
    let request = Restore::new(bed.backup.clone(), target, how.options).with_run_options(how.run);
    request.with_copier(Arc::new(Plain)).await.expect("restored");
    assert!(
        faulty.log().iter().filter(|entry| entry.op == Op::Put && entry.path.contains(root)).count() > 2,
        "made again"
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    let key =
        bed.backup.objects().map(|record| record.key.clone()).find(|key| key.as_str().contains(root)).expect("a root");
    let of_backup = bed.backup.location().get(&key, None).await.expect("read").expect("there");
    assert_eq!(bed.target.get(&key, None).await.expect("read").expect("there"), of_backup);
    assert_eq!(bed.keys().await, bed.backup_keys());
}
