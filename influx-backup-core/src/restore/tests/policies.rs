//! What each policy leaves at the target, and the order in which servers stop and start.

use std::{collections::BTreeSet, sync::Mutex};

use futures::StreamExt;

use Generation::{V1, V2, V3};
use bytes::Bytes;

use super::*;
use crate::orchestrate::Orchestrator;
use crate::{
    EventKind,
    error::Source,
    finding::{FindingCode, Severity},
    plan::{RootAction, restore_order},
    testing::generate::{CompactorData, License},
};

fn enterprise() -> Generate {
    let cluster = Generate::enterprise("c1").nodes(["n1", "n2"]).compactor("k1", CompactorData::None);
    cluster.snapshots(2).files_per_snapshot(1).wal_per_snapshot(2).covered_wal_kept(1)
}

#[tokio::test]
async fn replace_is_exact_and_names_what_it_keeps() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let bed = bed.holding(&core(4).unknown("node1/notes.txt").unknown("node1/license/x"), &[V2, V3]).await;
    bed.target.put(&key("README"), Bytes::from_static(b"mine")).await.expect("put");
    let options = quick(RestoreOptions::replace());
    let plan = bed.plan(&options).await.expect("planned");
    assert_eq!(plan.kept, ["README", "node1/license", "node1/notes.txt"]);
    assert!(plan.deletions().any(|key| key.as_str().starts_with("node1/catalog/v2/logs/")));
    let report = bed.request(&options).approving(&plan).start().await.expect("restored");
    let mut expected = bed.backup_keys();
    expected.extend(["README", "node1/license/x", "node1/notes.txt"].map(ToOwned::to_owned));
    expected.sort();
    assert_eq!(bed.keys().await, expected);
    assert!(report.deleted > 0 && report.kept.len() == 3);
}

#[tokio::test]
async fn overlay_drops_only_what_would_do_harm() {
    let derived = crate::testing::generate::Derived::All;
    let bed = Bed::new(&core(2), &[V2]).await.holding(&core(4).derived(derived), &[V2, V3]).await;
    let before = bed.keys().await;
    bed.restore(&quick(RestoreOptions::overlay())).await.expect("restored");
    let after = bed.keys().await;
    let gone: Vec<_> = before.iter().filter(|key| !after.contains(key)).collect();
    let harmful = |key: &&&String| {
        ["table-snapshots/", "db-indices/", "table-index-conversion-completed", "catalog/v3/"]
            .iter()
            .any(|p| key.contains(p))
    };
    assert!(!gone.is_empty() && gone.iter().all(|key| harmful(&key)), "{gone:?}");
    assert!(after.iter().any(|key| !bed.backup_keys().contains(key)), "newer files stay");
}

#[tokio::test]
async fn extra_nodes_are_refused_deleted_or_kept() {
    let node = "n9/wal/00000000001.wal";
    for (extra, there) in [(ExtraNodes::Delete, false), (ExtraNodes::Keep, true)] {
        let bed = Bed::new(&enterprise(), &[V3]).await.holding(&enterprise(), &[V3]).await;
        bed.target.put(&key(node), Bytes::from_static(b"x")).await.expect("put");
        let error = bed.plan(&quick(RestoreOptions::replace())).await.expect_err("an extra node");
        assert!(matches!(&error, Error::ExtraNodes { nodes, .. } if *nodes == ["n9"]), "{error}");
        bed.restore(&quick(RestoreOptions::replace().with_extra_nodes(extra))).await.expect("restored");
        assert_eq!(bed.keys().await.contains(&node.to_owned()), there, "{extra:?}");
    }
}

#[tokio::test]
async fn the_order_is_the_documented_one_with_the_roots_last() {
    let bed = Bed::new(&enterprise(), &[V2, V3]).await;
    let plan = bed.plan(&quick(RestoreOptions::empty())).await.expect("planned");
    assert_eq!(plan.stages().map(|stage| stage.kind).collect::<Vec<_>>(), restore_order(Edition::Enterprise));
    let copied: Vec<_> = plan.stages().flat_map(Stage::keys).collect();
    assert!(plan.release.iter().all(|step| !copied.contains(&step.key)));
    let release: Vec<_> = plan.release.iter().map(|step| (step.generation, step.action)).collect();
    assert_eq!(release, [(V3, RootAction::Put), (V2, RootAction::Put), (V1, RootAction::Remove)]);
    assert_eq!(plan.objects(), bed.backup.objects().len() as u64);
    let shown = plan.to_string();
    assert!(shown.contains("boot guard at 3 root paths") && shown.contains("3.10 or later"), "{shown}");
    let json = serde_json::to_string(&plan).expect("serializes");
    let back: RestorePlan = serde_json::from_str(&json).expect("reads back");
    assert_eq!(back, plan, "nothing is lost");
    let options = quick(RestoreOptions::empty());
    bed.request(&options).approving(&back).start().await.expect("a plan read back is as good");
}

#[tokio::test]
async fn the_stale_catalog_of_a_promoted_node_waits_behind_a_guard_too() {
    let stale = "n1/catalog/v2/snapshot";
    let bed = Bed::new(&enterprise().unknown(stale), &[V3]).await;
    let options = quick(RestoreOptions::empty());
    let plan = bed.plan(&options).await.expect("planned");
    assert_eq!(plan.guards.len(), 6);
    let put: Vec<_> = plan.release.iter().filter(|step| step.action == RootAction::Put).collect();
    assert_eq!(put.iter().map(|step| step.key.as_str()).collect::<Vec<_>>(), [stale, "c1/catalog/v3/snapshot"]);
    assert!(plan.stages().flat_map(Stage::keys).all(|key| key.as_str() != stale));
    bed.restore(&options).await.expect("restored");
    assert_eq!(bed.keys().await, bed.backup_keys());
}

#[tokio::test]
async fn old_licenses_are_skipped_elsewhere() {
    for (generation, skipped) in [(V2, 1), (V3, 0)] {
        let bed = Bed::new(&enterprise().license(License::Commercial), &[generation]).await;
        let options = quick(RestoreOptions::empty());
        let plan = bed.plan(&options).await.expect("planned");
        assert_eq!(plan.licenses_skipped().len(), skipped, "{generation}");
        assert_eq!(plan.todos.iter().any(|todo| todo.code == FindingCode::LicenseElsewhere), skipped > 0);
        let report = bed.restore(&options).await.expect("restored");
        let there = bed.keys().await.contains(&"c1/commercial_license".to_owned());
        assert_eq!((report.licenses_skipped.len(), there), (skipped, skipped == 0));
        let all = quick(RestoreOptions::empty().with_licenses(Licenses::Restore));
        let bed = Bed::over(bed.backup);
        assert!(bed.plan(&all).await.expect("planned").licenses_skipped().len() == 0);
    }
}

#[tokio::test]
async fn a_v1_catalog_says_which_servers_may_open_it() {
    let bed = Bed::new(&core(1), &[V1]).await;
    let report = bed.restore(&quick(RestoreOptions::empty())).await.expect("restored");
    assert_eq!(report.servers.newest, Some("3.9".parse().expect("a release")));
    assert!(report.todos.iter().any(|todo| todo.code == FindingCode::CatalogV1));
}

#[derive(Debug, Default)]
struct Recorded {
    calls: Mutex<Vec<String>>,
    fails: Option<&'static str>,
}

impl Recorded {
    fn record(&self, call: &str, node: &Node) -> Result<(), Source> {
        let call = format!("{call} {}", node.id);
        let fails = self.fails == Some(call.as_str());
        self.calls.lock().expect("no panic").push(call);
        if fails { Err("no".into()) } else { Ok(()) }
    }

    fn calls(&self, kind: &str) -> Vec<String> {
        let calls = self.calls.lock().expect("no panic");
        calls.iter().filter_map(|call| call.strip_prefix(kind)).map(ToOwned::to_owned).collect()
    }
}

#[async_trait]
impl Orchestrator for Recorded {
    async fn stop(&self, node: &Node) -> Result<(), Source> {
        self.record("stop", node)
    }

    async fn stopped(&self, _: &Node) -> Result<bool, Source> {
        Ok(true)
    }

    async fn start(&self, node: &Node) -> Result<(), Source> {
        self.record("start", node)
    }
}

#[tokio::test]
async fn servers_stop_and_start_in_the_documented_order() {
    let bed = Bed::new(&enterprise(), &[V3]).await.holding(&enterprise(), &[V3]).await;
    let options = quick(RestoreOptions::replace()).unconfirmed();
    let servers = Arc::new(Recorded::default());
    let job = bed.request(&options).with_orchestrator(Arc::clone(&servers) as _).start();
    let events: Vec<_> = job.events().map(|event| event.kind).collect().await;
    let report = job.await.expect("restored");
    let sent = events.iter().filter_map(|event| if let EventKind::Finding(found) = event { Some(found) } else { None });
    let sent: BTreeSet<_> = sent.collect();
    let reported: BTreeSet<_> = report.todos.iter().chain(&report.findings).collect();
    assert_eq!(sent, reported);
    assert!(reported.iter().any(|found| found.code == FindingCode::NotCovered), "{reported:?}");
    assert_eq!(servers.calls("stop "), ["k1", "n2", "n1"]);
    assert_eq!(servers.calls("start "), ["n1", "n2", "k1"]);
    assert_eq!(report.started, ["n1", "n2", "k1"]);
    let at = |wanted: fn(&EventKind) -> bool| events.iter().position(wanted).expect("sent");
    let set = at(|e| matches!(e, EventKind::GuardSet));
    let released = at(|e| matches!(e, EventKind::GuardReleased));
    assert!(
        at(|e| matches!(e, EventKind::NodeStopped { .. })) < set
            && set < at(|e| matches!(e, EventKind::StageStarted { .. }))
    );
    assert!(released < at(|e| matches!(e, EventKind::NodeStarted { .. })));
}

#[tokio::test]
async fn servers_that_do_not_stop_are_started_again() {
    let bed = Bed::new(&enterprise(), &[V3]).await.holding(&enterprise(), &[V3]).await;
    let before = bed.keys().await;
    let servers = Arc::new(Recorded { fails: Some("stop n1"), ..Recorded::default() });
    let request = bed.request(&quick(RestoreOptions::replace())).with_orchestrator(Arc::clone(&servers) as _);
    let error = request.start().await.expect_err("no");
    assert_eq!(error.code(), "orchestrator");
    assert_eq!(servers.calls("start "), ["n1", "n2", "k1"]);
    assert_eq!(bed.keys().await, before);
}

#[tokio::test]
async fn a_server_that_does_not_start_is_left_to_do() {
    let bed = Bed::new(&enterprise(), &[V3]).await.holding(&enterprise(), &[V3]).await;
    let servers = Arc::new(Recorded { fails: Some("start n1"), ..Recorded::default() });
    let request = bed.request(&quick(RestoreOptions::replace())).with_orchestrator(Arc::clone(&servers) as _);
    let report = request.start().await.expect("it is restored");
    assert_eq!(report.started, ["n2", "k1"]);
    let todo = report.todos.iter().find(|todo| todo.code == FindingCode::ServersStopped).expect("a to-do");
    assert_eq!(todo.node.as_deref(), Some("n1"));
    assert!(todo.message.contains("could not be started (no)"), "{todo}");
    assert_eq!(bed.keys().await, bed.backup_keys());
}

#[tokio::test]
async fn a_restore_that_fails_tells_what_is_stopped_and_what_stands() {
    let bed = || async { Bed::new(&enterprise(), &[V3]).await.holding(&enterprise(), &[V3]).await };
    let failed = async |bed: &Bed, fails| {
        let servers = Arc::new(Recorded { fails, ..Recorded::default() });
        let request = bed.request(&quick(RestoreOptions::replace())).with_orchestrator(Arc::clone(&servers) as _);
        let job = request.start();
        let handle = job.handle();
        let error = job.await.expect_err("it fails");
        let report = handle.report(&error);
        let todos = report.findings.into_iter().filter(|found| found.severity == Severity::Todo);
        todos.map(|todo| (todo.code.clone(), todo.node)).collect::<Vec<_>>()
    };
    let unstopped = bed().await;
    unstopped.store.die_after(0);
    assert_eq!(failed(&unstopped, None).await, [], "nothing was begun");
    let guarded = bed().await;
    guarded.store.die_after(20);
    assert_eq!(failed(&guarded, None).await, [(FindingCode::BootGuard, None)]);

    let alone = bed().await;
    alone.store.die_after(20);
    let job = alone.request(&quick(RestoreOptions::replace())).start();
    let handle = job.handle();
    job.await.expect_err("it fails");
    assert_eq!(
        handle.findings().last().map(|found| found.code.clone()),
        Some(FindingCode::BootGuard),
        "no orchestrator"
    );
}

#[tokio::test]
async fn files_are_restored_with_their_times() {
    let root = tempfile::tempdir().expect("a directory");
    let at = |tail: &str| {
        Location::parse(&root.path().join(tail).display().to_string(), &crate::StoreOptions::default())
            .expect("a place")
    };
    let backup = write_backup(&at("repo"), &core(2), &[V3], |_, _| {}).await.expect("a backup");
    let restore = Restore::new(backup.clone(), at("target"), RestoreOptions::empty());
    restore.start().await.expect("restored");
    let restored = at("target").list("").await.expect("listed");
    assert_eq!(restored.len(), backup.objects().len());
    for (found, record) in restored.iter().zip(backup.objects()) {
        assert_eq!(
            (found.key, found.size, found.version.modified),
            (record.key, record.content.size, record.version.modified)
        );
    }
    assert!(!root.path().join("target/_influx_backup").exists());
}

#[tokio::test]
async fn a_backup_finds_its_repository_by_the_marker_above_it() {
    let repository = Location::in_memory();
    let written = write_backup(&repository, &core(1), &[V3], |_, _| {}).await.expect("a backup");
    let at = || async { Backup::at(written.location()).await.expect("opened") };
    assert_eq!(at().await.repository().to_string(), written.location().to_string(), "it is not known");
    crate::manifest::RepositoryMarker::write_first(&repository).await.expect("written");
    let found = at().await;
    assert_eq!(found.repository().to_string(), repository.to_string());
    let record = found.objects().next().expect("an object");
    assert_eq!(found.read(&record).await.expect("read").len() as u64, record.content.size);
}

/// A copy has the same limit, but the copier of these tests does not heed it.
#[tokio::test(start_paused = true)]
async fn the_backup_is_checked_within_the_bandwidth_before_data_is_replaced() {
    let bed = Bed::new(&core(2), &[V3]).await.holding(&core(3), &[V3]).await;
    let bytes: u64 = bed.backup.objects().map(|record| record.stored.size).sum();
    for (check, least, most) in [(SourceCheck::Auto, 3500, 7200), (SourceCheck::Listing, 0, 60)] {
        let mut how = quick(RestoreOptions::replace().with_check(check));
        how.run.limits.bandwidth = Some(crate::ByteSize(bytes / 3600));
        let began = tokio::time::Instant::now();
        bed.restore(&how).await.expect("restored");
        let took = began.elapsed().as_secs();
        assert!((least..most).contains(&took), "{check}: {took} s");
    }
}
