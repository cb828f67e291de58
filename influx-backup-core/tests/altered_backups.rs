//! Backups whose objects are lost, cut, replaced or added while they are taken: they are copied again, or not committed.
#![cfg(feature = "testing")]

mod meddling;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use influx_backup_core::{
    BackupReport, DiscoverOptions, EventKind, FindingCode, Job, Key, Location, Repository, Result, StoreOptions,
    VerifyOptions, discover,
    error::Category,
    location::Identity,
    location::interop::object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path},
    options::Takeover,
    testing::fault::{Decay, Failure, Fault, FaultPlan, FaultyStore, Hold, Op, Rule, Scope, When},
};
use meddling::{Deed, FIRST, ROOT, Source, core, deed, meddler, options};
use tokio::{sync::oneshot, time::Instant};

fn place(store: Arc<dyn ObjectStore>) -> Location {
    Location::with_store(store, Path::from("vault"), Identity::Test)
}

fn key(key: &str) -> Key {
    Key::parse(key).expect("a key")
}

/// Backs up what [`core`] generates, with deeds at the backup.
async fn back_up(
    source: &Source,
    vault: &Location,
    deeds: impl IntoIterator<Item = (&'static str, Deed)>,
) -> (Result<BackupReport>, Repository) {
    let repository = Repository::open(vault.clone()).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let request = repository.backup(&cluster, options()).with_copier(meddler(deeds));
    (request.start().await, repository)
}

async fn assert_whole(repository: &Repository) {
    let verified = repository.verify("n1", VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{:?}", verified.problems);
}

#[derive(Debug, Clone, Copy)]
enum Harm {
    Lost,
    Cut,
    Replaced,
}

/// Whatever kind of object it is, and whether the proof has read it or not.
#[tokio::test]
async fn what_is_lost_cut_or_replaced_is_copied_again() {
    for prefix in ["node1/dbs/", "node1/wal/", "node1/snapshots/", "node1/catalog/v3/logs/"] {
        for harm in [Harm::Lost, Harm::Cut, Harm::Replaced] {
            let (source, _) = Source::of(&core()).await;
            source.put("node1/zzz", Bytes::from_static(b"copied after the nodes' files")).await;
            let victim = source.keys(prefix).await.pop().expect("some");
            let vault = place(Arc::new(InMemory::new()));
            let when = if prefix.contains("catalog") { "catalog/v3/snapshot" } else { ROOT };
            let harmed = deed(when, {
                let vault = vault.child("n1").expect("a place");
                let victim = key(&victim);
                async move {
                    let Some(bytes) = vault.get(&victim, None).await.expect("asked") else { return };
                    match harm {
                        Harm::Lost => vault.delete(&victim).await.expect("deleted"),
                        Harm::Cut => {
                            vault.put(&victim, bytes.slice(..bytes.len() / 2)).await.expect("put");
                        }
                        Harm::Replaced => {
                            let other = Bytes::from(vec![b'x'; bytes.len()]);
                            vault.put(&victim, other).await.expect("put");
                        }
                    }
                }
            });
            let (report, repository) = back_up(&source, &vault, [harmed]).await;
            let report = report.unwrap_or_else(|error| panic!("{victim} {harm:?}: {error}"));
            if !prefix.contains("catalog") {
                let altered: u64 = report.passes.iter().map(|pass| pass.altered).sum();
                assert_eq!(altered, 1, "{victim} {harm:?}");
            }
            assert_whole(&repository).await;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_deleted_from_a_backup_in_files_is_copied_again() {
    let source = tempfile::tempdir().expect("made");
    let vault = tempfile::tempdir().expect("made");
    core().generate_into(source.path()).expect("generated");
    let at = |path: &std::path::Path| {
        Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
    };
    let dbs = at(source.path()).list("node1/dbs").await.expect("listed");
    let victim = vault.path().join("n1").join(dbs.iter().next().expect("a file").key.as_str());
    let deleted = deed(ROOT, {
        let victim = victim.clone();
        async move { std::fs::remove_file(victim).expect("it was copied") }
    });
    let repository = Repository::open(at(vault.path())).await.expect("a repository");
    let cluster = discover(&at(source.path()), &DiscoverOptions::default()).await.expect("a cluster");
    let report = repository.backup(&cluster, options()).with_copier(meddler([deleted])).start().await;
    let report = report.expect("a backup");
    assert_eq!(
        report.passes.iter().map(|pass| (pass.altered, pass.copied > 0)).collect::<Vec<_>>(),
        [(1, true), (0, true)]
    );
    assert!(victim.exists());
    assert_whole(&repository).await;
}

/// A late write of a process that was taken over, under a name that this run does not know, and under one that it does.
#[tokio::test]
async fn a_late_write_of_another_process_is_never_committed() {
    let (source, _) = Source::of(&core()).await;
    source.put("node1/note", Bytes::from_static(b"two")).await;
    let vault = place(Arc::new(InMemory::new()));
    let late = deed(ROOT, {
        let backup = vault.child("n1").expect("a place");
        async move {
            backup.put(&key("node1/wal/00000099999.wal"), Bytes::from_static(b"late")).await.expect("put");
            backup.put(&key("node1/note"), Bytes::from_static(b"one")).await.expect("put");
        }
    });
    let (report, repository) = back_up(&source, &vault, [late]).await;
    let report = report.expect("a backup");
    assert_eq!((report.passes[0].altered, report.passes[0].unrecorded), (1, 1), "{report}");
    assert!(report.findings.iter().any(|found| found.code == FindingCode::BackupAltered), "{report}");
    let backup = vault.child("n1").expect("a place");
    assert_eq!(backup.head(&key("node1/wal/00000099999.wal")).await.expect("asked"), None);
    assert_eq!(backup.get(&key("node1/note"), None).await.expect("asked").expect("there"), "two");
    assert_whole(&repository).await;
}

/// A process is taken over while a write of it is on its way, which arrives after its successor wrote that object.
#[tokio::test(start_paused = true)]
async fn a_late_write_of_a_holder_that_was_taken_over_is_found() {
    let (source, _) = Source::of(&core()).await;
    source.put("node1/note", Bytes::from_static(b"one")).await;
    let inner = Arc::new(InMemory::new());
    let late = Fault::Delay(Duration::from_secs(3)..Duration::from_secs(4));
    let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::Put).containing("n1/node1/note"), When::Nth(1), late));
    let store = FaultyStore::new(Arc::clone(&inner) as _, plan);
    let (vault, other) = (place(Arc::new(store.clone())), place(Arc::clone(&inner) as _));
    let first = Repository::open(vault).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let first = first.backup(&cluster, options()).start();
    while !store.log().iter().any(|entry| entry.op == Op::Put && entry.path.ends_with("n1/node1/note")) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    source.put("node1/note", Bytes::from_static(b"two")).await;
    let backup = other.child("n1").expect("a place");
    let arrives = deed(ROOT, {
        let backup = backup.clone();
        async move {
            let note = || async { backup.get(&key("node1/note"), None).await.expect("read").expect("there") };
            assert_eq!(note().await, "two");
            while note().await == "two" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let repository = Repository::open(other).await.expect("a repository");
    let resuming = options().resuming().with_takeover(Takeover::Immediately);
    let report = repository.backup(&cluster, resuming).with_copier(meddler([arrives])).start().await;
    let report = report.expect("a backup");
    assert_eq!(report.passes.iter().map(|pass| pass.altered).sum::<u64>(), 1, "{report}");
    assert_eq!(first.await.expect_err("taken over").code(), "lease-lost");
    assert_eq!(backup.get(&key("node1/note"), None).await.expect("read").expect("there"), "two");
    assert_whole(&repository).await;
}

/// A lifecycle rule that keeps deleting what is copied: no backup, and an error with the reason.
#[tokio::test]
async fn what_deletes_again_and_again_ends_the_backup() {
    tokio::time::pause();
    let (source, _) = Source::of(&core()).await;
    let inner = Arc::new(InMemory::new());
    let expires = Fault::Decay { into: Decay::Lost, after: Duration::from_millis(30)..Duration::from_millis(31) };
    let slow = Fault::Delay(Duration::from_millis(10)..Duration::from_millis(20));
    let plan = FaultPlan::none()
        .with(Rule::new(Scope::of(Op::Put).containing("node1/dbs"), When::Always, expires))
        .with(Rule::new(Scope::any(), When::Always, slow));
    let store = FaultyStore::new(inner, plan);
    let (report, repository) = back_up(&source, &place(Arc::new(store.clone())), []).await;
    let error = report.expect_err("it cannot be whole");
    assert_eq!(error.code(), "backup-altered", "{error}");
    assert!(error.to_string().contains("node1/dbs/"), "{error}");
    repository.get("n1").await.expect_err("not committed");
    store.heal();
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    repository.backup(&cluster, options().resuming()).start().await.expect("resumed");
    assert_whole(&repository).await;
}

/// A request of an earlier attempt that arrives late deletes what a later one copied.
#[tokio::test]
async fn a_late_deletion_is_found() {
    tokio::time::pause();
    let (source, _) = Source::of(&core()).await;
    let victim = source.keys("node1/wal/").await.pop().expect("some");
    let inner = Arc::new(InMemory::new());
    let late = Fault::Decay { into: Decay::Lost, after: Duration::from_millis(30)..Duration::from_millis(31) };
    let slow = Fault::Delay(Duration::from_millis(10)..Duration::from_millis(20));
    let plan = FaultPlan::none()
        .with(Rule::new(Scope::of(Op::Put).containing(victim), When::Nth(1), late))
        .with(Rule::new(Scope::of(Op::Put), When::Always, slow));
    let store = FaultyStore::new(inner, plan);
    let (report, repository) = back_up(&source, &place(Arc::new(store.clone())), []).await;
    let report = report.expect("a backup");
    let altered: u64 = report.passes.iter().map(|pass| pass.altered).sum();
    assert_eq!((store.decays().len(), altered), (1, 1), "{report}");
    assert_whole(&repository).await;
}

/// The root manifest is on its way when another process takes over: it is removed again.
#[tokio::test]
async fn a_commit_that_lost_its_lease_meanwhile_is_undone() {
    tokio::time::pause();
    let (source, _) = Source::of(&core()).await;
    let inner = Arc::new(InMemory::new());
    let on_its_way = Fault::Delay(Duration::from_secs(10)..Duration::from_secs(20));
    let manifest = Scope::of(Op::Put).containing("_influx_backup/manifest.json");
    let plan = FaultPlan::none().with(Rule::new(manifest, When::Nth(1), on_its_way));
    let store = FaultyStore::new(Arc::clone(&inner) as _, plan);
    let repository = Repository::open(place(Arc::new(store.clone()))).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let first = repository.backup(&cluster, options()).start();
    while !store.log().iter().any(|entry| entry.op == Op::Put && entry.path.ends_with("/manifest.json")) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (ended, has_ended) = oneshot::channel();
    let waits = deed(FIRST, async move { has_ended.await.expect("the first run ends") });
    let other = Repository::open(place(Arc::clone(&inner) as _)).await.expect("a repository");
    let resuming = options().resuming().with_takeover(Takeover::Immediately);
    source.put("node1/note", Bytes::from_static(b"something to copy")).await;
    let second = other.backup(&cluster, resuming).with_copier(meddler([waits])).start();
    assert_eq!(first.await.expect_err("taken over").code(), "lease-lost");
    let committed = inner.head(&Path::from("vault/n1/_influx_backup/manifest.json")).await;
    assert!(committed.is_err(), "the manifest is removed again");
    ended.send(()).expect("the second run waits");
    second.await.expect("the second run commits");
    assert_whole(&other).await;
}

const MANIFEST: &str = "vault/n1/_influx_backup/manifest.json";

/// How long the manifest is on its way. Everything before takes no time, as the clock is paused.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// A backup whose manifest takes a while, with these rules from half of that time on.
struct Commit {
    store: FaultyStore,
    repository: Repository,
    job: Job<BackupReport>,
    source: Source,
}

impl Commit {
    async fn with(rules: impl IntoIterator<Item = (Scope, Fault)>) -> Self {
        let (source, _) = Source::of(&core()).await;
        let slow = Rule::new(
            Scope::of(Op::Put).containing(MANIFEST),
            When::Nth(1),
            Fault::Delay(ON_ITS_WAY..ON_ITS_WAY + Duration::from_secs(1)),
        );
        let later = When::Between(ON_ITS_WAY / 2..ON_ITS_WAY * 1000);
        let rules = rules.into_iter().map(|(scope, fault)| Rule::new(scope, later.clone(), fault));
        let plan = rules.fold(FaultPlan::none().with(slow), FaultPlan::with);
        let store = FaultyStore::new(Arc::new(InMemory::new()), plan);
        let repository = Repository::open(place(Arc::new(store.clone()))).await.expect("a repository");
        let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
        let job = repository.backup(&cluster, options()).start();
        while !store.log().iter().any(|entry| entry.op == Op::Put && entry.path == MANIFEST) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self { store, repository, job, source }
    }

    async fn is_committed(store: &FaultyStore) -> bool {
        store.inner().head(&Path::from(MANIFEST)).await.is_ok()
    }

    /// What is copied is kept, and nothing more is needed than a commit.
    async fn assert_resumes(repository: &Repository, source: &Source, takeover: Takeover) {
        let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
        let options = options().resuming().with_takeover(takeover);
        let report = repository.backup(&cluster, options).start().await.expect("resumed");
        assert_eq!(report.passes.iter().map(|pass| pass.copied).sum::<u64>(), 0, "{report}");
        assert_whole(repository).await;
    }
}

/// That no other process took over cannot be asked, and the manifest can be removed: nothing looks done, and it is resumed.
#[tokio::test(start_paused = true)]
async fn a_commit_that_cannot_be_confirmed_is_undone() {
    let Commit { store, repository, job, source } =
        Commit::with([(Scope::of(Op::List), Fault::Fail(Failure::Unreachable))]).await;
    assert_eq!(job.await.expect_err("not confirmed").code(), "unreachable");
    assert!(!Commit::is_committed(&store).await, "the manifest is removed again");
    store.heal();
    Commit::assert_resumes(&repository, &source, Takeover::Immediately).await;
}

/// A store that is away at once after it took the manifest: the error says that the backup may count, and it does.
#[tokio::test(start_paused = true)]
async fn a_commit_that_can_neither_be_confirmed_nor_undone_is_reported() {
    let Commit { store, repository, job, .. } = Commit::with([(Scope::any(), Fault::Fail(Failure::Unreachable))]).await;
    let began = Instant::now();
    let error = job.await.expect_err("not confirmed");
    assert_eq!((error.code(), error.category()), ("commit-unconfirmed", Category::Store));
    assert!(error.to_string().contains("`n1`") && error.to_string().contains("verify"), "{error}");
    let causes = error.report().causes;
    assert!(causes[0].starts_with("list `_influx_backup`"), "what could not be asked: {causes:?}");
    assert!(began.elapsed() < ON_ITS_WAY + Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(Commit::is_committed(&store).await);
    store.heal();
    assert_whole(&repository).await;
}

/// The manifest of a run that was taken over is in the way, and the process is suspended while it is removed: its own was
/// not sent.
#[tokio::test(start_paused = true)]
async fn a_manifest_that_was_never_sent_is_not_in_doubt() {
    let (source, _) = Source::of(&core()).await;
    let inner = Arc::new(InMemory::new());
    let late = deed(FIRST, {
        let inner = Arc::clone(&inner);
        async move { drop(inner.put(&Path::from(MANIFEST), "{}".into()).await.expect("put")) }
    });
    let hold = Hold::default();
    let removal = Rule::new(Scope::of(Op::Delete).containing(MANIFEST), When::Nth(1), Fault::Hold(hold.clone()));
    let vault = place(Arc::new(FaultyStore::new(inner, FaultPlan::none().with(removal))));
    let suspended = async {
        hold.reached().await;
        tokio::time::advance(Duration::from_secs(450)).await;
        hold.release();
    };
    let ((report, repository), ()) = tokio::join!(back_up(&source, &vault, [late]), suspended);
    let error = report.expect_err("its lease is too old");
    assert_eq!((error.code(), error.is_retryable()), ("lease-not-renewed", true), "{error}");
    Commit::assert_resumes(&repository, &source, Takeover::AfterTimeout).await;
}

/// The store is away when the journal is to be deleted, which is no longer needed.
#[tokio::test(start_paused = true)]
async fn a_commit_is_announced_at_once() {
    let journal = Scope::of(Op::List).containing("n1/_influx_backup/journal");
    let Commit { job, .. } = Commit::with([(journal, Fault::Fail(Failure::Unreachable))]).await;
    let began = Instant::now();
    let mut events = job.events();
    let mut announced = None;
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::Committed { .. }) {
            announced = Some(began.elapsed());
        }
    }
    job.await.expect("committed");
    assert!(announced.expect("announced") <= ON_ITS_WAY + Duration::from_secs(1), "{announced:?}");
    assert!(began.elapsed() > ON_ITS_WAY + Duration::from_secs(10), "{:?}", began.elapsed());
}

/// The store has the manifest and its answers are lost, those to further attempts, too.
#[tokio::test(start_paused = true)]
async fn a_manifest_whose_answers_are_lost_is_a_commit() {
    let lost = Fault::LoseAnswer(Failure::Unreachable);
    let manifest = || Scope::of(Op::Put).containing(MANIFEST);
    let plan = FaultPlan::none().with(Rule::new(manifest(), When::Always, lost));
    let (source, _) = Source::of(&core()).await;
    let (report, repository) =
        back_up(&source, &place(Arc::new(FaultyStore::new(Arc::new(InMemory::new()), plan))), []).await;
    assert_eq!(report.expect("it is there").name, "n1");
    assert_whole(&repository).await;
}

/// Whether the store will still take the manifest is not known: no other run begins until it cannot.
#[tokio::test(start_paused = true)]
async fn a_manifest_that_is_not_answered_keeps_its_lease() {
    let never = Rule::new(Scope::of(Op::Put).containing(MANIFEST), When::Always, Fault::Fail(Failure::Unreachable));
    let store = FaultyStore::new(Arc::new(InMemory::new()), FaultPlan::none().with(never));
    let (source, _) = Source::of(&core()).await;
    let (report, repository) = back_up(&source, &place(Arc::new(store.clone())), []).await;
    assert_eq!(report.expect_err("no answer").code(), "commit-unconfirmed");
    assert!(!Commit::is_committed(&store).await);
    store.heal();
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let at_once = repository.backup(&cluster, options().resuming()).start().await.expect_err("it may still arrive");
    assert_eq!(at_once.code(), "backup-in-progress");
    Commit::assert_resumes(&repository, &source, Takeover::Immediately).await;
}

/// A run that is cancelled while its manifest is on its way says whether it counts, where that is known in time.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_in_its_commit_says_what_became_of_it() {
    let Commit { store, repository, job, .. } = Commit::with([]).await;
    let began = Instant::now();
    job.handle().cancel();
    assert_eq!(job.await.expect_err("not known in time").code(), "commit-unconfirmed");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(!Commit::is_committed(&store).await, "its request was dropped");
    drop(repository);

    // The store has it, and its answer is late.
    let hold = Hold::default();
    let held = Rule::new(Scope::of(Op::Put).containing(MANIFEST), When::Nth(1), Fault::Hold(hold.clone()));
    let store = FaultyStore::new(Arc::new(InMemory::new()), FaultPlan::none().with(held));
    let (source, _) = Source::of(&core()).await;
    let repository = Repository::open(place(Arc::new(store.clone()))).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let job = repository.backup(&cluster, options()).start();
    hold.reached().await;
    let began = Instant::now();
    job.handle().cancel();
    assert_eq!(job.await.expect("the manifest is there").name, "n1");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_whole(&repository).await;

    let Commit { repository, job, .. } = Commit::with([]).await;
    tokio::time::sleep(ON_ITS_WAY + Duration::from_millis(900)).await;
    job.handle().cancel();
    let report = job.await.expect("the manifest was written");
    assert_eq!(report.name, "n1");
    assert_whole(&repository).await;
}
