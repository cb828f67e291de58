//! Scenes made by hand, for rules whose worlds are rare: each says what is right with the rule and wrong without it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use influx_backup_core::{
    BackupReport, Clause, Copier, DiscoverOptions, Generation, Key, Location, Repository, Result, StoreOptions,
    VerifyOptions, certify,
    copier::{Copied, CopyContext, CopyRequest, Expect},
    default_copiers, discover,
    error::CopyError,
    location::Identity,
    location::interop::object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path},
    manifest::Backup,
    options::{Derived, Takeover},
    record::BackupStatus,
    testing::{
        fault::{Failure, Fault, FaultPlan, FaultyStore, Hold, Op, Rule, Scope, When},
        generate,
        write::{self, CatalogOp, CatalogSpec, CheckpointSpec, ManifestSpec},
    },
};
use influx_backup_testing::{
    loader::{self, Servers},
    model::read_back::{self, LoadError},
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::meddling::{
    Deed, FIRST, ROOT, Source, back_up, back_up_by, core, deed, enterprise, holds, meddler, next_manifest,
    one_more_pass, options, refused, wal_key,
};
use crate::weakness::{
    Weakness::{self, ForgivesVanished, Ignores, KeepsOutdated, KeepsOverwritten, NoTopUp, RootsFirst, SummariesLast},
    rules_without,
};

/// Backs up without these rules; says whether there is a backup that its certificate calls right, after how many
/// passes, and shows it.
async fn attempt(
    source: &Source,
    deeds: Vec<(&'static str, Deed)>,
    off: impl IntoIterator<Item = Weakness>,
) -> Option<(usize, Backup)> {
    let (report, repository) = back_up_by(&source.location(), deeds, options(), rules_without(off)).await;
    let report: BackupReport = report.ok()?;
    assert_eq!(
        (report.status, report.certificate.violated_clauses()),
        (BackupStatus::Complete, Vec::new()),
        "{report}"
    );
    Some((report.passes.len(), repository.get("n1").await.expect("committed")))
}

/// What a restore to an empty store writes.
async fn restored(backup: &Backup) -> Arc<dyn ObjectStore> {
    let store = Arc::new(InMemory::new());
    for record in backup.objects() {
        let bytes = backup.read(&record).await.expect("read");
        store.put(&Path::from(record.key.as_str()), bytes.into()).await.expect("put");
    }
    store
}

/// Which clauses a second look at a backup finds open.
async fn open_again(backup: &Backup) -> Vec<Clause> {
    certify(backup.location()).await.expect("certified").violated_clauses()
}

/// Rows that are written while a backup runs are in it as far as it got.
pub(crate) async fn wal_is_topped_up() {
    for off in [None, Some(NoTopUp)] {
        let (source, generated) = Source::of(&core()).await;
        let next = generated.nodes["node1"].wal.expect("a tail").1 + 1;
        let written = deed(FIRST, {
            let source = source.clone();
            async move { source.put(&wal_key(next), write::wal(b"[1]")).await }
        });
        let (_, backup) = attempt(&source, vec![written], off).await.expect("a backup");
        assert_eq!(holds(&backup, &wal_key(next)), off.is_none());
    }
}

/// Between the two looks the root moves on, and the logs that it holds go, the one included that WAL needs.
pub(crate) async fn roots_are_looked_at_after_their_logs() {
    tokio::time::pause();
    for off in [None, Some(RootsFirst)] {
        let (source, generated) = Source::of(&core()).await;
        let sequence = generated.catalog_sequence + 1;
        let uuid = u128::from_str_radix(&generated.catalog_uuid.replace('-', ""), 16).expect("a uuid");
        let root = move |sequence| {
            let spec = CatalogSpec { catalog_id: "node1".to_owned(), uuid, sequence, ..CatalogSpec::default() };
            write::catalog_root(Generation::V3, &spec)
        };
        source.put("node1/catalog/v3/snapshot", root(sequence - 1)).await;
        source.unmount("node1/catalog/v3/logs").await;
        // For the second pass: the log, and something to copy right before the catalog.
        let written = deed(ROOT, {
            let source = source.clone();
            async move {
                let log = write::catalog_log(Generation::V3, sequence, uuid, &[CatalogOp::SetGenerationDuration]);
                source.put(&format!("node1/catalog/v3/logs/{}", write::catalog_log_name(sequence)), log).await;
                source.put("node1/note", Bytes::from_static(b"one")).await;
            }
        });
        let collected = deed("node1/note", {
            let source = source.clone();
            async move {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    source.put("node1/catalog/v3/snapshot", root(sequence)).await;
                    source.unmount("node1/catalog/v3/logs").await;
                });
            }
        });
        let takes_a_while = Fault::Delay(Duration::from_secs(1)..Duration::from_secs(2));
        let slow = Rule::new(Scope::of(Op::List).containing("/catalog"), When::Always, takes_a_while);
        let store = FaultyStore::new(Arc::clone(&source.0) as _, FaultPlan::none().with(slow));
        let location = Location::with_store(Arc::new(store), Path::from("data"), Identity::Test);
        let deeds = [one_more_pass(&source), written, collected];
        let report = back_up_by(&location, deeds, options(), rules_without(off)).await.0.expect("a backup");
        let reached = if off.is_none() { sequence } else { sequence - 1 };
        assert_eq!(report.certificate.catalog_sequence, Some(reached), "{report}");
    }
}

/// A compaction ends right after its files were listed: its summary, written last, is not held without them.
pub(crate) async fn a_summary_is_not_held_without_its_files() {
    for off in [None, Some(SummariesLast)] {
        let (source, _) = Source::of(&enterprise()).await;
        let hold = Hold::default();
        let files = Rule::new(Scope::of(Op::List).containing("compact1/c/20"), When::Nth(1), Fault::Hold(hold.clone()));
        let store = FaultyStore::new(Arc::clone(&source.0) as _, FaultPlan::none().with(files));
        let location = Location::with_store(Arc::new(store), Path::from("data"), Identity::Test);
        let compaction = async {
            tokio::time::timeout(Duration::from_secs(60), hold.reached()).await.expect("listed");
            for key in [FILE, "compact1/cd/00000000000000000099.json", SUMMARY] {
                source.put(key, Bytes::from_static(b"a compaction")).await;
            }
            hold.release();
        };
        let backup = back_up_by(&location, [], options(), rules_without(off));
        let ((report, repository), ()) = tokio::join!(backup, compaction);
        report.expect("a backup");
        let backup = repository.get("n1").await.expect("committed");
        let has = |key| backup.object(&Key::parse(key).expect("a key")).is_some();
        assert_eq!(has(FILE) || !has(SUMMARY), off.is_none(), "{off:?}");
    }
}

const FILE: &str = "compact1/c/20/56d/67c/79.json";
const SUMMARY: &str = "compact1/cs/00000000000000000099.json";

/// A file that is away for a moment, while it is copied, is not absent.
pub(crate) async fn a_file_that_comes_back_is_held() {
    for off in [None, Some(ForgivesVanished)] {
        let (source, _) = Source::of(&core()).await;
        let file = source.keys("node1/dbs").await.swap_remove(0);
        let bytes = source.get(&file).await;
        let gone = (source.clone(), file.clone());
        let back = (source.clone(), file.clone());
        let deeds = vec![
            deed(FIRST, async move { gone.0.delete(&gone.1).await }),
            deed(ROOT, async move { back.0.put(&back.1, bytes).await }),
        ];
        let (passes, backup) = attempt(&source, deeds, off).await.expect("a backup");
        assert_eq!((passes > 1, holds(&backup, &file)), (off.is_none(), off.is_none()));
    }
}

/// Where a compactor supersedes files, a file that is newer than the listing before says nothing by not being in it.
pub(crate) async fn a_new_file_that_comes_back_is_held() {
    let (source, generated) = Source::of(&enterprise()).await;
    let manifest = next_manifest(&source, &generated, "ingest1").await;
    let file = manifest.added[0].path.clone();
    let bytes = source.get(&file).await;
    source.delete(&file).await;
    let name: &'static str = Box::leak(file.clone().into_boxed_str());
    let stored = deed(ROOT, {
        let source = source.clone();
        let bytes = bytes.clone();
        async move {
            source.put(name, bytes).await;
            let key = format!("ingest1/snapshots/{}", write::manifest_name(manifest.sequence));
            source.put(&key, write::manifest(&manifest)).await;
            source.put("ingest1/note", Bytes::from_static(b"one")).await;
        }
    });
    // Overwritten before its copy: a second pass, for which no file is missing.
    source.put("ingest1/first", Bytes::from_static(b"one")).await;
    let changed = source.clone();
    let gone = source.clone();
    let back = source.clone();
    let changed = deed(FIRST, async move { changed.put("ingest1/first", Bytes::from_static(b"two")).await });
    let gone = deed(name, async move { gone.delete(name).await });
    let back = deed("ingest1/note", async move { back.put(name, bytes).await });
    let deeds = vec![changed, stored, gone, back];
    let (passes, backup) = attempt(&source, deeds, None).await.expect("a backup");
    assert_eq!((passes, holds(&backup, &file)), (3, true), "{file}");
}

/// Objects of one compaction in the model's format: each names the next one.
fn compaction(number: u64) -> [(String, Bytes); 4] {
    let directory = format!("compact1/c/{number:02}");
    let file = format!("{directory}/{number:020}.parquet");
    let generation = format!("{directory}/{number}.json");
    let detail = format!("compact1/cd/{number:020}.json");
    let summary = format!("compact1/cs/{number:020}.json");
    let body = |value: serde_json::Value| Bytes::from(value.to_string());
    [
        (summary, body(json!({ "details": [&detail], "older_count": true }))),
        (detail, body(json!({ "generation": &generation }))),
        (generation, body(json!({ "table": 1, "file": &file, "supersedes": [] }))),
        (file, write::parquet(b"[]")),
    ]
}

/// A compaction is replaced after its summary was copied and before its detail is: the summary that is left in the backup
/// names what no pass can copy. So it is with a file of a kind that this release does not know.
pub(crate) async fn what_left_the_source_is_not_kept() {
    let replaced = compaction(1);
    let both = [KeepsOverwritten, Ignores(Clause::Compactor)];
    for off in [&[], &both[1..], &both] {
        let (source, _) = Source::of(&enterprise()).await;
        source.unmount("compact1").await;
        for (key, bytes) in replaced.clone() {
            source.put(&key, bytes).await;
        }
        source.put("ingest1/note", Bytes::from_static(b"one")).await;
        let retained = deed(FIRST, {
            let source = source.clone();
            async move {
                let dbs = source.keys("ingest1/dbs").await;
                source.delete(&dbs[0]).await;
            }
        });
        let compacted = deed("compact1/cd/", {
            let source = source.clone();
            let replaced = replaced.clone();
            async move {
                for (key, bytes) in compaction(2) {
                    source.put(&key, bytes).await;
                }
                for (key, _) in replaced {
                    source.delete(&key).await;
                }
            }
        });
        let deleted = deed(ROOT, {
            let source = source.clone();
            async move { source.delete("ingest1/note").await }
        });
        let deeds = vec![retained, compacted, deleted];
        let (passes, backup) = attempt(&source, deeds, off.iter().copied()).await.expect("a backup");
        let keeps = off.contains(&KeepsOverwritten);
        assert!(passes > 1 && holds(&backup, &compaction(2)[0].0), "{off:?}");
        assert_eq!((holds(&backup, &replaced[0].0), holds(&backup, "ingest1/note")), (keeps, keeps), "{off:?}");
        let tree = read_back::collect(restored(&backup).await.as_ref(), &Path::default()).await.expect("collected");
        let missing = read_back::load(&tree).err().map(|error| match error {
            LoadError::Object { key, .. } => key,
            LoadError::NoCatalog => panic!("there is a catalog"),
        });
        assert_eq!(missing, keeps.then(|| replaced[1].0.clone()), "{off:?}");
    }
}

/// A server that replays its WAL writes a file again, stores the manifest that names it so, and it goes. What was copied before
/// is no file of that manifest's: the source is not damaged, it lacks the file.
pub(crate) async fn a_file_that_was_written_again_and_went_is_absent() {
    for off in [None, Some(KeepsOutdated)] {
        let (source, generated) = Source::of(&core()).await;
        let manifest = next_manifest(&source, &generated, "node1").await;
        let file = manifest.added[0].path.clone();
        source.put(&file, write::parquet(b"[1, 2, 3]")).await;
        let replayed = deed(ROOT, {
            let source = source.clone();
            let file = file.clone();
            async move {
                let key = format!("node1/snapshots/{}", write::manifest_name(manifest.sequence));
                source.put(&key, write::manifest(&manifest)).await;
                source.delete(&file).await;
            }
        });
        match attempt(&source, vec![one_more_pass(&source), replayed], off).await {
            None => assert_eq!(off, Some(KeepsOutdated)),
            Some((passes, backup)) => {
                assert_eq!((off, passes, holds(&backup, &file)), (None, 2, false));
                assert!(backup.absent().any(|absent| absent.path == file));
            }
        }
    }
}

/// Copies what is there now, whatever was listed.
#[derive(Debug)]
struct Unpinned(Arc<dyn Copier>);

#[async_trait]
impl Copier for Unpinned {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let mut request = request.clone();
        let now = request.from.head(&request.source.key).await.expect("memory answers");
        request.source = now.ok_or(CopyError::Vanished)?;
        request.expect = Expect::size(request.source.size);
        self.0.copy(&request, context).await
    }
}

/// Its copier ignores the version, and the manifest describes one whose bytes are another's. (That every built-in copier
/// pins, on every store: `testing::conformance`, `server_side_canned`.)
pub(crate) async fn a_copy_is_the_version_that_was_listed() {
    let note = "node1/note";
    for pinned in [true, false] {
        let (source, _) = Source::of(&core()).await;
        source.put(note, Bytes::from_static(b"one")).await;
        let location = source.location();
        let listed = location.head(&Key::parse(note).expect("a key")).await.expect("asked").expect("there");
        let rewritten = deed(FIRST, {
            let source = source.clone();
            async move { source.put(note, Bytes::from_static(b"two")).await }
        });
        let meddler = meddler([rewritten]);
        let copier = if pinned { meddler } else { Arc::new(Unpinned(meddler)) };
        let repository = Repository::open(Location::in_memory()).await.expect("a repository");
        let cluster = discover(&location, &DiscoverOptions::default()).await.expect("a cluster");
        let report = repository.backup(&cluster, options()).with_copier(copier).start().await;
        let passes = report.expect("a backup").passes.len();
        let backup = repository.get("n1").await.expect("committed");
        let record = backup.objects().find(|record| record.key.as_str() == note).expect("held");
        let bytes = backup.read(&record).await.expect("read");
        assert_eq!(bytes, Bytes::from_static(b"two"));
        let told_of_another = record.version.is_same(&listed.version);
        assert_eq!((passes > 1, told_of_another), (pinned, !pinned));
    }
}

/// Deletes what it failed to copy from the source.
#[derive(Debug)]
struct Careless(Arc<dyn Copier>, Source);

#[async_trait]
impl Copier for Careless {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let copied = self.0.copy(request, context).await;
        if matches!(copied, Err(CopyError::Store { .. })) {
            self.1.delete(request.target.as_str()).await;
        }
        copied
    }
}

/// A copy whose answer was lost, and whose object was gone when it was tried again.
pub(crate) async fn lost_answers_leave_nothing() {
    let (source, _) = Source::of(&core()).await;
    source.put("node1/note", Bytes::from_static(b"one")).await;
    let lost = Fault::LoseAnswer(Failure::Unreachable);
    let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::Put).containing("node1/note"), When::Nth(1), lost));
    let vault = FaultyStore::new(Arc::new(InMemory::new()), plan);
    let place = Location::with_store(Arc::new(vault.clone()), Path::from("vault"), Identity::Test);
    let repository = Repository::open(place).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let copier = Careless(default_copiers(), source.clone());
    let report = repository.backup(&cluster, options()).with_copier(Arc::new(copier)).start().await.expect("a backup");
    assert_eq!((vault.faults(), report.passes[0].vanished), (1, 1), "{report}");
    let verified = repository.verify("n1", VerifyOptions::listing()).await.expect("verified");
    assert!(verified.passed(), "{:?}", verified.problems);
}

/// Two runs see that the name is free, and one of them claims it late: it finds the claim of the other.
pub(crate) async fn of_two_claims_one_wins() {
    tokio::time::pause();
    let (source, _) = Source::of(&core()).await;
    source.put("node1/note", Bytes::from_static(b"one")).await;
    let vault = Arc::new(InMemory::new());
    let start = async |plan: FaultPlan| {
        let store = Arc::new(FaultyStore::new(Arc::clone(&vault) as _, plan));
        let place = Location::with_store(store, Path::from("vault"), Identity::Test);
        let repository = Repository::open(place).await.expect("a repository");
        let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
        (repository.backup(&cluster, options()).start(), repository)
    };
    let late = Fault::Delay(Duration::from_secs(10)..Duration::from_secs(15));
    let claims = Scope::of(Op::Put).containing("/claim-");
    let (second, _) = start(FaultPlan::none().with(Rule::new(claims, When::Nth(1), late))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (first, repository) = start(FaultPlan::none()).await;
    let report = first.await.expect("the first commits");
    source.put("node1/note", Bytes::from_static(b"another")).await;
    assert_eq!(second.await.expect_err("the name is taken").code(), "backup-in-progress");
    let verified = repository.verify(&report.name, VerifyOptions::listing()).await.expect("verified");
    assert!(verified.passed(), "{:?}", verified.problems);
}

/// On a store that ignores create-only the late one would write over the backup that was committed meanwhile: such a store
/// is refused before anything is written to it.
pub(crate) async fn a_store_without_create_only_is_refused() {
    let (source, _) = Source::of(&core()).await;
    let ignored = Rule::new(Scope::of(Op::Put), When::Always, Fault::IgnoreCreateOnly);
    let store = FaultyStore::new(Arc::new(InMemory::new()), FaultPlan::none().with(ignored));
    let place = Location::with_store(Arc::new(store), Path::from("vault"), Identity::Test);
    let repository = Repository::open(place.clone()).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let error = repository.backup(&cluster, options()).start().await.expect_err("refused");
    assert_eq!(error.code(), "store-unsupported", "{error:?}");
    assert!(place.list("").await.expect("listed").is_empty());
}

/// A run that was taken over learns it before it commits, at the latest.
pub(crate) async fn the_claim_is_checked_before_the_commit() {
    tokio::time::pause();
    let (source, _) = Source::of(&core()).await;
    let vault = Location::with_store(Arc::new(InMemory::new()), Path::from("vault"), Identity::Test);
    let repository = Repository::open(vault).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let (claimed, was_claimed) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let other = {
        let waits = deed(FIRST, async move {
            claimed.send(()).expect("the first run waits");
            has_ended.await.expect("the first run ends");
        });
        repository
            .backup(&cluster, options().resuming().with_takeover(Takeover::Immediately))
            .with_copier(meddler([waits]))
    };
    let (started, job) = oneshot::channel();
    let taken_over = deed(ROOT, async move {
        let _ = started.send(other.start());
        was_claimed.await.expect("the other run copies");
    });
    let first = repository.backup(&cluster, options()).with_copier(meddler([taken_over])).start().await;
    assert_eq!(first.expect_err("taken over").code(), "lease-lost");
    repository.get("n1").await.expect_err("not committed by the one that lost");
    ended.send(()).expect("the other run waits");
    job.await.expect("started").await.expect("the other run commits");
}

/// What a server had only begun to write is not an object.
pub(crate) async fn staging_names_are_not_copied() {
    let source = tempfile::tempdir().expect("made");
    let vault = tempfile::tempdir().expect("made");
    core().generate_into(source.path()).expect("generated");
    let staging = ["node1/wal/00000000099.wal#1", "node1/dbs/x.parquet#22", "node1/catalog/v3/snapshot#3"];
    for name in staging {
        std::fs::write(source.path().join(name), "half").expect("written");
    }
    let at = |path: &std::path::Path| {
        Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
    };
    let (report, _) = {
        let cluster = discover(&at(source.path()), &DiscoverOptions::default()).await.expect("a cluster");
        let repository = Repository::open(at(vault.path())).await.expect("a repository");
        (repository.backup(&cluster, options()).start().await, repository)
    };
    assert_eq!(report.expect("a backup").passes.len(), 1);
    for name in staging {
        assert!(source.path().join(name).exists() && !vault.path().join("n1").join(name).exists(), "{name}");
    }
}

/// What this release does not know, a later one may need.
pub(crate) async fn unknown_keys_are_copied() {
    let (source, _) = Source::of(&enterprise()).await;
    let unknown = ["ingest1/new-kind/1.bin", "ingest1/note", "compact1/cx/1", "cluster1/new-kind/2.bin"];
    for key in unknown {
        source.put(key, Bytes::from_static(b"unknown")).await;
    }
    let (_, backup) = attempt(&source, Vec::new(), None).await.expect("a backup");
    for key in unknown {
        assert!(holds(&backup, key), "{key}");
    }
}

/// All three or none: a real server did not start on one without the others.
pub(crate) async fn derived_files_are_all_there_or_none() {
    let kinds = ["node1/table-snapshots/", "node1/db-indices/", "node1/table-index-conversion-completed"];
    for (derived, expected) in [(Derived::Exclude, 0), (Derived::Include, kinds.len())] {
        let (source, _) = Source::of(&core().derived(generate::Derived::All)).await;
        for kind in kinds {
            assert!(!source.keys("node1").await.iter().all(|key| !key.starts_with(kind)), "{kind}");
        }
        let (report, repository) = back_up(&source.location(), [], options().with_derived(derived)).await;
        report.expect("a backup");
        let backup = repository.get("n1").await.expect("committed");
        assert_eq!(kinds.into_iter().filter(|kind| holds(&backup, kind)).count(), expected);
    }
}

/// A manifest of another node: its server would look for files that are not its own.
pub(crate) async fn manifests_are_what_they_say() {
    for off in [None, Some(Ignores(Clause::Manifests))] {
        let (source, generated) = Source::of(&core()).await;
        let manifest = next_manifest(&source, &generated, "node1").await;
        let key = format!("node1/snapshots/{}", write::manifest_name(manifest.sequence));
        source.put(&key, write::manifest(&ManifestSpec { node_id: "node2".to_owned(), ..manifest })).await;
        match attempt(&source, Vec::new(), off).await {
            None => assert_eq!(off, None),
            Some((_, backup)) => {
                assert_eq!((off.is_some(), open_again(&backup).await), (true, vec![Clause::Manifests]))
            }
        }
    }
}

/// A catalog that lost its newest log, one in the middle, or its root: servers drop rows, miss tables, or do not start.
pub(crate) async fn the_catalog_is_whole() {
    let (whole, generated) = Source::of(&core()).await;
    let servers = Servers::of(&generated);
    let newest = generated.catalog_sequence;
    let log = |sequence| format!("node1/catalog/v3/logs/{}", write::catalog_log_name(sequence));
    for lost in [log(newest), log(newest - 2), "node1/catalog/v3/snapshot".to_owned()] {
        for off in [None, Some(Ignores(Clause::Catalog))] {
            let (source, _) = Source::of(&core()).await;
            source.delete(&lost).await;
            let (report, repository) = back_up_by(&source.location(), [], options(), rules_without(off)).await;
            if off.is_none() {
                assert_eq!(refused(report).violated_clauses(), [Clause::Catalog], "{lost}");
                continue;
            }
            report.unwrap_or_else(|error| panic!("without `{lost}`: {error}"));
            let backup = match repository.get("n1").await {
                Ok(backup) => backup,
                // A manifest that calls itself complete must name a root: by that rule it cannot even be opened.
                Err(error) => {
                    assert_eq!(
                        (error.code(), lost.ends_with("/snapshot")),
                        ("damaged-backup", true),
                        "{lost}: {error}"
                    );
                    continue;
                }
            };
            let store = restored(&backup).await;
            let verdict = loader::load(&store, &Path::default(), &servers).await.expect("reads memory");
            assert!(!verdict.loaded().is_some_and(|loaded| loaded.is_whole()), "{lost}");
            store.put(&Path::from(lost.as_str()), whole.get(&lost).await.into()).await.expect("put");
            let verdict = loader::load(&store, &Path::default(), &servers).await.expect("reads memory");
            assert!(verdict.loaded().is_some_and(|loaded| loaded.is_whole()), "{lost}");
        }
    }
}

/// A checkpoint that is newer than every manifest: the source has lost the manifest it was made of, and with it rows.
pub(crate) async fn checkpoints_fit_the_manifests() {
    for off in [None, Some(Ignores(Clause::Checkpoints))] {
        let (source, generated) = Source::of(&core()).await;
        let ManifestSpec { sequence, wal, .. } = next_manifest(&source, &generated, "node1").await;
        let checkpoint = CheckpointSpec {
            node_id: "node1".to_owned(),
            month: "2026-11".to_owned(),
            sequence,
            next_file_id: 1_000_001,
            wal,
            catalog: generated.catalog_sequence,
            files: Vec::new(),
            pending_removed: Vec::new(),
        };
        let key = format!("node1/snapshot-checkpoints/2026-11/{}", write::checkpoint_name(sequence));
        source.put(&key, write::checkpoint(&checkpoint)).await;
        match attempt(&source, Vec::new(), off).await {
            None => assert_eq!(off, None),
            // It would pass for a whole copy of a source that a server recovers to a later snapshot.
            Some((_, backup)) => assert_eq!((off.is_some(), holds(&backup, &key)), (true, false)),
        }
    }
}

/// The newest manifest was listed and is gone for good: its rows would be missing in silence.
pub(crate) async fn what_only_goes_on_does_not_go_back() {
    for off in [None, Some(Ignores(Clause::Stability))] {
        let (source, _) = Source::of(&core()).await;
        // Names count backwards.
        let newest = source.keys("node1/snapshots/").await.remove(0);
        let goes = deed(FIRST, {
            let source = source.clone();
            let newest = newest.clone();
            async move { source.delete(&newest).await }
        });
        match attempt(&source, vec![goes], off).await {
            None => assert_eq!(off, None),
            Some((_, backup)) => assert_eq!((off.is_some(), holds(&backup, &newest)), (true, false)),
        }
    }
}

/// A node that comes while a backup runs is in it.
pub(crate) async fn every_node_is_there() {
    for off in [None, Some(Ignores(Clause::Nodes))] {
        let (source, _) = Source::of(&enterprise()).await;
        let late = source.unmount("ingest2").await;
        let other = source.clone();
        let appears = deed(FIRST, async move {
            for (key, bytes) in late {
                other.put(&key, bytes).await;
            }
        });
        let (passes, backup) = attempt(&source, vec![appears], off).await.expect("a backup");
        assert_eq!((passes > 1, holds(&backup, "ingest2/")), (off.is_none(), off.is_none()));
    }
}

/// In the run itself C6 cannot be violated: a copy that did not compare is not held, and C1 to C5 and C8 miss it. What it is
/// for is the look at the backup later, where nothing else speaks for an object that no other clause is about.
pub(crate) async fn what_was_copied_is_still_there() {
    let (source, _) = Source::of(&core()).await;
    source.put("node1/note", Bytes::from_static(b"one")).await;
    let (_, backup) = attempt(&source, Vec::new(), None).await.expect("a backup");
    assert_eq!(open_again(&backup).await, []);
    backup.location().delete(&Key::parse("node1/note").expect("a key")).await.expect("deleted");
    assert_eq!(open_again(&backup).await, [Clause::Bytes]);
}
