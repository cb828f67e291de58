//! Processes that were suspended, and go on when another has taken over and committed.
#![cfg(feature = "testing")]
// A job runs in the process that it was started in, and is awaited when the other one has run.
#![allow(clippy::async_yields_async)]

mod meddling;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use influx_backup_core::{
    BackupReport, DiscoverOptions, EventKind, Job, Limits, Location, Repository, VerifyOptions, discover,
    event::Phase,
    location::Identity,
    location::interop::object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path},
    options::Takeover,
    testing::fault::{Fault, FaultPlan, FaultyStore, Hold, Op, Rule, Scope, When},
};
use meddling::{Source, core, deed, meddler, options};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// Longer than a holder may be silent.
const SUSPENDED: Duration = Duration::from_secs(700);

/// A process, which runs only while the test lets it, with a clock of its own.
fn process() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime")
}

fn place(store: Arc<dyn ObjectStore>, base: &str) -> Location {
    Location::with_store(store, Path::from(base), Identity::Test)
}

async fn open(vault: &Arc<InMemory>) -> Repository {
    Repository::open(place(Arc::clone(vault) as _, "vault")).await.expect("a repository")
}

/// Where a process is suspended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Held {
    /// Where it has read an object: it would write the older content.
    AfterRead,
    /// Before it reads one that changes meanwhile: it would delete it from the backup.
    BeforeRead,
}

#[test]
fn who_was_suspended_changes_nothing_of_a_committed_backup() {
    for held in [Held::AfterRead, Held::BeforeRead] {
        let first = process();
        let second = process();
        let vault = Arc::new(InMemory::new());
        let source = second.block_on(async {
            let (source, _) = Source::of(&core()).await;
            source.put("node1/note", Bytes::from_static(b"one")).await;
            source
        });
        let hold = Hold::default();
        let job = first.block_on(async {
            let note = Scope::of(Op::Get).containing("node1/note");
            let read = Rule::new(note, When::Nth(1), Fault::Hold(hold.clone()));
            let waits = hold.clone();
            let (plan, deeds) = match held {
                Held::AfterRead => (FaultPlan::none().with(read), Vec::new()),
                Held::BeforeRead => (FaultPlan::none(), vec![deed("node1/note", async move { waits.wait().await })]),
            };
            let store = FaultyStore::new(Arc::clone(&source.0) as _, plan);
            let cluster = discover(&place(Arc::new(store), "data"), &DiscoverOptions::default()).await;
            let request = open(&vault).await.backup(cluster.expect("a cluster"), options());
            request.with_copier(meddler(deeds)).start()
        });
        first.block_on(async { timeout(Duration::from_secs(60), hold.reached()).await.expect("it copies") });
        second.block_on(async {
            source.put("node1/note", Bytes::from_static(b"two")).await;
            let resuming = options().resuming().with_takeover(Takeover::Immediately);
            let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
            open(&vault).await.backup(&cluster, resuming).await.expect("the second run commits");
        });
        let error = first.block_on(async {
            // The copy goes on before any timer of the process is looked at.
            hold.release();
            tokio::time::advance(SUSPENDED).await;
            job.await.expect_err("taken over")
        });
        assert_eq!(error.code(), "lease-lost", "{held:?}");
        let verified = second.block_on(async {
            let repository = open(&vault).await;
            repository.verify("n1", VerifyOptions::bytes()).await.expect("verified")
        });
        assert!(verified.passed(), "{held:?}: {:?}", verified.problems);
    }
}

/// The manifest is on its way when the process is suspended: another takes over, copies, and commits once it has arrived.
#[test]
fn a_manifest_that_arrives_after_a_takeover_does_not_stay() {
    for ends in [true, false] {
        let first = process();
        let second = process();
        let vault = Arc::new(InMemory::new());
        let source = second.block_on(async { Source::of(&core()).await.0 });
        let sent = Hold::default();
        let job = first.block_on(async {
            let manifest = || Scope::of(Op::Put).containing("n1/_influx_backup/manifest.json");
            let late = Fault::Late(Duration::from_secs(1)..Duration::from_secs(2));
            let plan = FaultPlan::none().with(Rule::new(manifest(), When::Nth(1), late));
            let store = FaultyStore::new(Arc::clone(&vault) as _, plan);
            let repository = Repository::open(place(Arc::new(store.clone()), "vault")).await.expect("a repository");
            let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
            let job = repository.backup(&cluster, options()).start();
            while !store
                .log()
                .iter()
                .any(|entry| entry.op == Op::Put && entry.path.ends_with("n1/_influx_backup/manifest.json"))
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            job
        });
        let waits = sent.clone();
        let copying = second.block_on(async {
            source.put("node1/note", Bytes::from_static(b"something to copy")).await;
            let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
            let resuming = options().resuming().with_takeover(Takeover::Immediately);
            let waits = deed("node1/note", async move { waits.wait().await });
            let job = open(&vault).await.backup(&cluster, resuming).with_copier(meddler([waits])).start();
            timeout(Duration::from_secs(60), sent.reached()).await.expect("it copies");
            job
        });
        let manifest = Path::from("vault/n1/_influx_backup/manifest.json");
        if ends {
            first.block_on(async {
                tokio::time::advance(SUSPENDED).await;
                assert_eq!(job.await.expect_err("taken over").code(), "lease-lost");
            });
            second.block_on(async { assert!(vault.head(&manifest).await.is_err(), "it is removed again") });
        } else {
            // The process dies, and its request arrives.
            drop(first);
            second.block_on(async { vault.put(&manifest, "{}".into()).await.expect("put") });
        }
        second.block_on(async {
            sent.release();
            copying.await.expect("the second run commits");
            let verified = open(&vault).await.verify("n1", VerifyOptions::bytes()).await.expect("verified");
            assert!(verified.passed(), "{ends}: {:?}", verified.problems);
        });
    }
}

/// A run that is cancelled while a request is under way, which arrives half a minute later: it changes nothing of the
/// backup of the next, which begins at once.
#[tokio::test(start_paused = true)]
async fn a_request_that_was_cut_off_changes_no_committed_backup() {
    let (source, _) = Source::of(&core()).await;
    source.put("node1/note", Bytes::from_static(b"one")).await;
    let late = Fault::Late(Duration::from_secs(30)..Duration::from_secs(31));
    let note = Scope::of(Op::Put).containing("n1/node1/note");
    let vault = Arc::new(InMemory::new());
    let store = FaultyStore::new(Arc::clone(&vault) as _, FaultPlan::none().with(Rule::new(note, When::Nth(1), late)));
    let repository = Repository::open(place(Arc::new(store.clone()), "vault")).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let job = repository.backup(&cluster, options()).start();
    while !store.log().iter().any(|entry| entry.op == Op::Put && entry.path.ends_with("n1/node1/note")) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    job.handle().cancel();
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
    source.put("node1/note", Bytes::from_static(b"two")).await;
    let repository = open(&vault).await;
    repository.backup(&cluster, options().resuming()).await.expect("resumed at once");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let verified = repository.verify("n1", VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{:?}", verified.problems);
}

/// A repository whose store takes a note only half a minute after it was sent, when the copy was given up and made again.
async fn late_note(source: &Source, vault: &Arc<InMemory>) -> Job<BackupReport> {
    source.put("node1/note", Bytes::from_static(b"one")).await;
    let late = Fault::Late(Duration::from_secs(30)..Duration::from_secs(31));
    let note = Scope::of(Op::Put).containing("n1/node1/note");
    let plan = FaultPlan::none().with(Rule::new(note, When::Nth(1), late));
    let store = FaultyStore::new(Arc::clone(vault) as _, plan);
    let repository = Repository::open(place(Arc::new(store.clone()), "vault")).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let limits = Limits::default().with_concurrency(1).with_stall_timeout(Duration::from_secs(5));
    let job = repository.backup(&cluster, options().with_limits(limits)).start();
    while !store.log().iter().any(|entry| entry.op == Op::Put && entry.path.ends_with("n1/node1/note")) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    job
}

/// The object has changed when its copy is made again, or is gone: what arrives late is not what was committed.
#[tokio::test(start_paused = true)]
async fn a_request_of_its_own_that_was_cut_off_changes_no_committed_backup() {
    for is_gone in [false, true] {
        let (source, _) = Source::of(&core()).await;
        let vault = Arc::new(InMemory::new());
        let job = late_note(&source, &vault).await;
        if is_gone {
            source.delete("node1/note").await;
        } else {
            source.put("node1/note", Bytes::from_static(b"two")).await;
        }
        let mut events = job.events();
        let mut waits = 0;
        while let Some(event) = events.next().await {
            waits += usize::from(matches!(event.kind, EventKind::Progress(now) if now.phase == Phase::Waiting));
        }
        job.await.expect("committed");
        tokio::time::sleep(Duration::from_secs(60)).await;
        let verified = open(&vault).await.verify("n1", VerifyOptions::bytes()).await.expect("verified");
        assert!(verified.passed(), "{:?}", verified.problems);
        assert_eq!(waits, 1, "it is shown");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_request_that_was_cut_off_can_be_cancelled() {
    let (source, _) = Source::of(&core()).await;
    let vault = Arc::new(InMemory::new());
    let job = late_note(&source, &vault).await;
    let waits = async {
        while job.handle().progress().phase != Phase::Waiting {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), waits).await.expect("it waits");
    let cancelled = tokio::time::Instant::now();
    job.handle().cancel();
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
    assert!(cancelled.elapsed() < Duration::from_secs(1), "{:?}", cancelled.elapsed());
    open(&vault)
        .await
        .backup(
            discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster"),
            options().resuming(),
        )
        .await
        .expect("resumed");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let verified = open(&vault).await.verify("n1", VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{:?}", verified.problems);
}

/// Where nothing was cut off, nothing is waited for.
#[tokio::test(start_paused = true)]
async fn a_backup_usually_waits_for_nothing() {
    let (source, _) = Source::of(&core()).await;
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let began = tokio::time::Instant::now();
    open(&Arc::new(InMemory::new())).await.backup(&cluster, options()).await.expect("committed");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
