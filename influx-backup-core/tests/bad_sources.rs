//! Sources that turn bad while they are copied: what is wrong is named with its clause, or the backup is whole. Never a
//! panic, never a silent pass.
#![cfg(feature = "testing")]

use std::{
    collections::VecDeque,
    fmt,
    fs::FileTimes,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt, future::BoxFuture};
use influx_backup_core::{
    BackupOptions, BackupReport, Certificate, Clause, Copier, Discover, Error, Key, Limits, Location, Options, Passes,
    Repository, Result,
    backup::{CorruptPolicy, MissingParquet, OpenCertificate, Weakness},
    certificate::Violation,
    certify,
    copier::{Copied, CopyContext, CopyError, CopyRequest},
    default_copiers, discover,
    location::Identity,
    manifest::{Backup, BackupStatus},
    object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path},
    testing::{
        generate::{CompactorData, Generate, Generated},
        write::{self, CheckpointSpec, FileSpec, ManifestSpec},
    },
};

/// A source in memory.
#[derive(Debug, Clone)]
struct Source(Arc<InMemory>);

impl Source {
    async fn of(cluster: &Generate) -> (Self, Generated) {
        let source = Self(Arc::new(InMemory::new()));
        let store = Arc::clone(&source.0) as Arc<dyn ObjectStore>;
        let generated = cluster.write_to(&store, &Path::from("data")).await.expect("written");
        (source, generated)
    }

    fn location(&self) -> Location {
        Location::with_store(Arc::clone(&self.0) as _, Path::from("data"), Identity::Test)
    }

    async fn put(&self, key: &str, bytes: Bytes) {
        self.0.put(&Path::from(format!("data/{key}")), bytes.into()).await.expect("put");
    }

    async fn get(&self, key: &str) -> Bytes {
        let found = self.0.get(&Path::from(format!("data/{key}"))).await.expect("there");
        found.bytes().await.expect("read")
    }

    async fn delete(&self, key: &str) {
        self.0.delete(&Path::from(format!("data/{key}"))).await.expect("deleted");
    }

    /// The keys below a prefix.
    async fn keys(&self, prefix: &str) -> Vec<String> {
        let below = Path::from(format!("data/{prefix}"));
        let listed: Vec<_> = self.0.list(Some(&below)).try_collect().await.expect("listed");
        let mut keys: Vec<_> =
            listed.into_iter().map(|meta| meta.location.as_ref()["data/".len()..].to_owned()).collect();
        keys.sort_unstable();
        keys
    }

    /// Takes a whole directory away, as an unmounted volume does, and returns what was in it.
    async fn unmount(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let mut gone = Vec::new();
        for key in self.keys(prefix).await {
            gone.push((key.clone(), self.get(&key).await));
            self.delete(&key).await;
        }
        assert!(!gone.is_empty(), "nothing below {prefix}");
        gone
    }
}

/// What happens to the source while it is copied.
type Deed = BoxFuture<'static, ()>;

/// A copier that meddles with the source just before it copies certain keys, each deed once and in order.
struct Meddler {
    copier: Arc<dyn Copier>,
    deeds: Mutex<VecDeque<(&'static str, Deed)>>,
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddler").finish_non_exhaustive()
    }
}

#[async_trait]
impl Copier for Meddler {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        loop {
            let deed = {
                let mut deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
                let due = deeds.front().is_some_and(|(key, _)| request.source.key.as_str().contains(key));
                due.then(|| deeds.pop_front()).flatten()
            };
            match deed {
                Some((_, deed)) => deed.await,
                None => return self.copier.copy(request, context).await,
            }
        }
    }
}

/// Before the first copy of all.
const FIRST: &str = "";
/// The catalog's root: copied after every node.
const ROOT: &str = "/catalog/v3/snapshot";

fn deed(when: &'static str, what: impl Future<Output = ()> + Send + 'static) -> (&'static str, Deed) {
    (when, what.boxed())
}

fn options(deeds: impl IntoIterator<Item = (&'static str, Deed)>) -> BackupOptions {
    let deeds = Mutex::new(deeds.into_iter().collect());
    BackupOptions::default()
        .with_name("n1")
        .with_limits(Limits::default().with_concurrency(1))
        .with_passes(Passes::until_closed(5, Duration::from_secs(3600)))
        .with_copier(Arc::new(Meddler { copier: default_copiers(), deeds }))
}

async fn back_up(source: &Location, options: BackupOptions) -> (Result<BackupReport>, Repository) {
    back_up_only(source, &Discover::auto(), options).await
}

async fn back_up_only(
    source: &Location,
    what: &Discover,
    options: BackupOptions,
) -> (Result<BackupReport>, Repository) {
    let vault = Location::with_store(Arc::new(InMemory::new()), Path::from("vault"), Identity::Test);
    let repository = Repository::open(vault).await.expect("a repository");
    let cluster = discover(source, what).await.expect("a cluster");
    (repository.backup(&cluster, options).start().await, repository)
}

/// The certificate of a backup that could not be committed.
fn refused(result: Result<BackupReport>) -> Box<Certificate> {
    match result {
        Err(Error::NotConsistent { certificate, .. }) => certificate,
        Err(error) => panic!("another error: {error}"),
        Ok(report) => panic!("a silent pass:\n{report}"),
    }
}

fn violations(certificate: &Certificate, clause: Clause) -> &[Violation] {
    let result = certificate.clauses.iter().find(|result| result.clause == clause);
    &result.expect("every clause is judged").violations
}

/// The violation of this code, which has to be there.
fn violated<'a>(certificate: &'a Certificate, clause: Clause, code: &str) -> &'a Violation {
    let found = violations(certificate, clause).iter().find(|violation| violation.code == code);
    found.unwrap_or_else(|| panic!("no `{code}`:\n{certificate}"))
}

fn holds(backup: &Backup, prefix: &str) -> bool {
    backup.objects().iter().any(|record| record.key.as_str().starts_with(prefix))
}

fn core() -> Generate {
    Generate::core("node1").catalog_logs(5)
}

fn enterprise() -> Generate {
    let cluster = Generate::enterprise("cluster1").nodes(["ingest1", "ingest2"]);
    cluster.compactor("compact1", CompactorData::None).snapshots(4)
}

/// Retention takes one file away before its copy: another pass is needed.
fn one_more_pass(source: &Source) -> (&'static str, Deed) {
    let source = source.clone();
    deed(FIRST, async move {
        let dbs = source.keys("node1/dbs").await;
        source.delete(&dbs[0]).await;
    })
}

fn wal_key(number: u64) -> String {
    format!("node1/wal/{number:011}.wal")
}

#[tokio::test]
async fn a_clock_that_runs_backwards_changes_nothing() {
    let data = tempfile::tempdir().expect("a directory");
    let generated = core().generate_into(data.path()).expect("written");
    let backwards = |key: &str, seconds: u64| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(3600) - Duration::from_secs(seconds * 60);
        let file = std::fs::File::options().write(true).open(data.path().join(key)).expect("opened");
        file.set_times(FileTimes::new().set_modified(time)).expect("set");
    };
    // The later an object sorts, the earlier its time; the last ones are from before 1970.
    for (key, seconds) in generated.objects.keys().zip(1..) {
        backwards(key, seconds);
    }
    let last = generated.nodes["node1"].wal.expect("a tail").1;
    let directory = data.path().to_owned();
    let meanwhile = deed(FIRST, async move {
        for number in [last + 1, last + 2] {
            let path = directory.join(wal_key(number));
            std::fs::write(&path, write::wal(b"[]")).expect("written");
            let time = SystemTime::UNIX_EPOCH - Duration::from_secs(number * 86_400);
            let file = std::fs::File::options().write(true).open(path).expect("opened");
            file.set_times(FileTimes::new().set_modified(time)).expect("set");
        }
        let dbs = walk(&directory.join("node1/dbs"));
        std::fs::remove_file(&dbs[0]).expect("removed");
    });
    let source = Location::parse(data.path().to_str().expect("UTF-8"), &Options::default()).expect("a location");
    let vault = tempfile::tempdir().expect("a directory");
    let place = Location::parse(vault.path().to_str().expect("UTF-8"), &Options::default()).expect("a location");
    let repository = Repository::open(place).await.expect("a repository");
    let cluster = discover(&source, &Discover::auto()).await.expect("a cluster");
    let report = repository.backup(&cluster, options([meanwhile])).start().await.expect("a backup");
    assert_eq!((report.status, report.passes.len()), (BackupStatus::Complete, 2), "{report}");
    let point = &report.certificate.recovery[0];
    let reached = point.reached.as_ref().expect("a tail");
    assert_eq!(reached.wal, last + 2);
    assert!(reached.time < point.guaranteed.as_ref().expect("a snapshot").time, "{report}");
    assert!(report.committed >= report.began);
    let again = certify(repository.get("n1").await.expect("committed").location(), &Discover::auto()).await;
    assert!(again.expect("certified").holds());
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("read").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A WAL file of a server that died while it wrote, and rows after it.
fn torn_wal() -> [Bytes; 2] {
    let mut torn = write::wal(b"[1]").to_vec();
    *torn.last_mut().expect("a byte") ^= 1;
    [Bytes::new(), torn.into()]
}

#[tokio::test]
async fn a_torn_wal_file_that_appears_ends_what_one_pass_takes() {
    for torn in torn_wal() {
        let (source, generated) = Source::of(&core()).await;
        let last = generated.nodes["node1"].wal.expect("a tail").1;
        let meanwhile = torn_and_more(&source, last, torn);
        let (report, repository) = back_up(&source.location(), options([meanwhile])).await;
        let report = report.expect("a backup");
        assert_eq!(report.certificate.recovery[0].reached.as_ref().expect("a tail").wal, last);
        let backup = repository.get("n1").await.expect("committed");
        assert!(!holds(&backup, &wal_key(last + 1)) && !holds(&backup, &wal_key(last + 2)));
    }
}

#[tokio::test]
async fn a_torn_wal_file_that_a_later_pass_lists_is_named() {
    for torn in torn_wal() {
        let (source, generated) = Source::of(&core()).await;
        let last = generated.nodes["node1"].wal.expect("a tail").1;
        let deeds = [one_more_pass(&source), torn_and_more(&source, last, torn.clone())];
        let (report, _) = back_up(&source.location(), options(deeds)).await;
        let Err(Error::CorruptSource { key, .. }) = report else { panic!("{report:?}") };
        assert_eq!(key.as_str(), wal_key(last + 1));

        let (source, _) = Source::of(&core()).await;
        let deeds = [one_more_pass(&source), torn_and_more(&source, last, torn)];
        let (report, repository) =
            back_up(&source.location(), options(deeds).with_corrupt(CorruptPolicy::Record)).await;
        let report = report.expect("recorded");
        assert_eq!(report.status, BackupStatus::Degraded);
        let corrupt = violated(&report.certificate, Clause::Wal, "corrupt-wal");
        assert_eq!(corrupt.key.as_ref().map(Key::as_str), Some(&*wal_key(last + 1)));
        let backup = repository.get("n1").await.expect("committed");
        assert!(holds(&backup, &wal_key(last + 2)), "the rows after it are kept");
    }
}

fn torn_and_more(source: &Source, last: u64, torn: Bytes) -> (&'static str, Deed) {
    let source = source.clone();
    deed(FIRST, async move {
        source.put(&wal_key(last + 1), torn).await;
        source.put(&wal_key(last + 2), write::wal(b"[2]")).await;
    })
}

/// The next manifest after a generated cluster, with one new file that is there.
async fn next_manifest(source: &Source, generated: &Generated) -> ManifestSpec {
    let node = &generated.nodes["node1"];
    let (wal, bytes) = (node.wal.expect("a tail").1, write::parquet(b"[]"));
    let path = write::parquet_key_by_id("node1", 1, 1, 0, wal);
    source.put(&path, bytes.clone()).await;
    let file = FileSpec {
        database: 1,
        table: 1,
        id: 1_000_000,
        path,
        size_bytes: bytes.len() as u64,
        row_count: 1,
        chunk_time: 0,
        min_time: 0,
        max_time: 0,
    };
    ManifestSpec {
        node_id: "node1".to_owned(),
        sequence: node.last_snapshot.expect("a snapshot") + 1,
        wal,
        catalog: generated.catalog_sequence,
        next_file_id: 1_000_001,
        added: vec![file],
        removed: Vec::new(),
    }
}

#[tokio::test]
async fn a_manifest_that_lies_and_appears_while_a_backup_runs_is_named() {
    type Lie = fn(&mut ManifestSpec);
    let lies: [(&str, Lie); 4] = [
        ("truth", |_| {}),
        ("size", |manifest| manifest.added[0].size_bytes += 1),
        ("node id", |manifest| manifest.node_id = "node2".to_owned()),
        ("sequence", |manifest| manifest.sequence += 7),
    ];
    for (what, lie) in lies {
        let (source, generated) = Source::of(&core()).await;
        let mut manifest = next_manifest(&source, &generated).await;
        let key = format!("node1/snapshots/{}", write::manifest_name(manifest.sequence));
        let named = if what == "size" { manifest.added[0].path.clone() } else { key.clone() };
        lie(&mut manifest);
        let stored = deed(FIRST, {
            let (source, key) = (source.clone(), key.clone());
            async move { source.put(&key, write::manifest(&manifest)).await }
        });
        let (report, _) = back_up(&source.location(), options([one_more_pass(&source), stored])).await;
        match report {
            Ok(report) => {
                let newest = generated.nodes["node1"].last_snapshot.map(|sequence| sequence + 1);
                let guaranteed = report.certificate.recovery[0].guaranteed.as_ref();
                assert_eq!((what, guaranteed.map(|guaranteed| guaranteed.snapshot)), ("truth", newest));
            }
            Err(Error::CorruptSource { key, .. }) => assert_eq!(key.as_str(), named, "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_catalog_that_goes_back_between_passes_is_found() {
    let (source, generated) = Source::of(&core()).await;
    let newest = format!("node1/catalog/v3/logs/{}", write::catalog_log_name(generated.catalog_sequence));
    let back = deed(ROOT, {
        let source = source.clone();
        async move { source.delete(&newest).await }
    });
    let (report, _) = back_up(&source.location(), options([one_more_pass(&source), back])).await;
    let certificate = refused(report);
    let found = violated(&certificate, Clause::Catalog, "catalog-went-back");
    assert_eq!(found.key.as_ref().map(Key::as_str), Some("node1/catalog/v3/snapshot"));
    assert_eq!(certificate.open(), [Clause::Catalog], "{certificate}");
}

#[tokio::test]
async fn another_timeline_stays_found_in_every_later_pass() {
    let (source, generated) = Source::of(&core()).await;
    let last = generated.nodes["node1"].wal.expect("a tail").1;
    let other = deed(ROOT, {
        let source = source.clone();
        async move { source.put(&wal_key(last), write::wal(b"[77]")).await }
    });
    let (report, _) = back_up(&source.location(), options([other])).await;
    let certificate = refused(report);
    let found = violated(&certificate, Clause::Stability, "create-only-rewritten");
    assert_eq!(found.key.as_ref().map(Key::as_str), Some(&*wal_key(last)));
}

#[tokio::test]
async fn manifests_or_wal_that_go_before_their_copy_are_missed_for_good() {
    for (directory, code) in [("snapshots", "manifests-went-back"), ("wal", "wal-went-back")] {
        let (source, _) = Source::of(&core()).await;
        let unmounted = deed(FIRST, {
            let source = source.clone();
            async move { drop(source.unmount(&format!("node1/{directory}")).await) }
        });
        let (report, _) = back_up(&source.location(), options([unmounted])).await;
        let certificate = refused(report);
        let found = violated(&certificate, Clause::Stability, code);
        assert_eq!(found.node.as_deref(), Some("node1"), "{directory}");
    }
}

#[tokio::test]
async fn two_compactors_are_both_named() {
    let (source, _) = Source::of(&enterprise()).await;
    let second = deed(FIRST, {
        let source = source.clone();
        async move {
            for key in source.keys("compact1").await {
                let copy = key.replacen("compact1", "ingest2", 1);
                source.put(&copy, source.get(&key).await).await;
            }
        }
    });
    let (report, repository) = back_up(&source.location(), options([second])).await;
    let report = report.expect("a backup");
    assert!(report.passes[0].open_clauses.contains(&"C7".to_owned()), "{report}");
    let finding = report.certificate.findings.iter().find(|finding| finding.code == "several-compactors");
    let message = &finding.expect("a finding").message;
    assert!(message.contains("`compact1`") && message.contains("`ingest2`"), "{message}");
    assert!(holds(&repository.get("n1").await.expect("committed"), "ingest2/cs/"));
}

#[tokio::test]
async fn a_node_that_disappears_is_never_dropped_in_silence() {
    for when in [FIRST, ROOT] {
        let (source, _) = Source::of(&enterprise()).await;
        let gone = |source: &Source| {
            let source = source.clone();
            deed(when, async move { drop(source.unmount("ingest2").await) })
        };
        let (report, _) = back_up(&source.location(), options([gone(&source)])).await;
        let certificate = refused(report);
        assert_eq!(violated(&certificate, Clause::Stability, "node-went").node.as_deref(), Some("ingest2"));

        // With consent: degraded, and what was copied of it is kept.
        let (source, _) = Source::of(&enterprise()).await;
        let consent = options([gone(&source)]).with_open_certificate(OpenCertificate::Degrade);
        let (report, repository) = back_up(&source.location(), consent).await;
        let report = report.expect("with consent");
        assert_eq!(report.status, BackupStatus::Degraded);
        violated(&report.certificate, Clause::Stability, "node-went");
        let backup = repository.get("n1").await.expect("committed");
        assert_eq!(holds(&backup, "ingest2/snapshots/"), when == ROOT);
        let again = certify(backup.location(), &Discover::auto()).await.expect("certified");
        violated(&again, Clause::Stability, "node-went");

        // Left out by name.
        let what = Discover::auto().leaving_out("ingest2");
        let (report, _) = back_up_only(&source.location(), &what, options([])).await;
        let report = report.expect("without it");
        assert!(report.certificate.findings.iter().any(|finding| finding.code == "node-left-out"), "{report}");
    }
}

#[tokio::test]
async fn a_node_that_comes_back_is_backed_up() {
    let (source, _) = Source::of(&enterprise()).await;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let gone = deed(FIRST, {
        let (source, kept) = (source.clone(), Arc::clone(&kept));
        async move {
            let objects = source.unmount("ingest2").await;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = objects;
            // Something for the second pass to copy.
            source.put("ingest1/new", Bytes::from_static(b"new")).await;
        }
    });
    let back = deed("ingest1/new", {
        let source = source.clone();
        async move {
            let objects = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
            for (key, bytes) in objects {
                source.put(&key, bytes).await;
            }
        }
    });
    let (report, repository) = back_up(&source.location(), options([gone, back])).await;
    let report = report.expect("a backup");
    assert!(report.passes.len() > 2, "{report}");
    let backup = repository.get("n1").await.expect("committed");
    let held = backup.objects().iter().filter(|record| record.key.as_str().starts_with("ingest2/")).count();
    assert_eq!(held, source.keys("ingest2").await.len());
}

#[tokio::test]
async fn the_only_node_and_one_that_was_given_by_name_are_named_too() {
    let named = Discover::auto().with_cluster_id("cluster1").with_node("ingest1").with_node("ingest2");
    let named = named.with_node("compact1");
    for (cluster, what, node) in [(core(), Discover::auto(), "node1"), (enterprise(), named, "ingest2")] {
        let (source, _) = Source::of(&cluster).await;
        let gone = deed(ROOT, {
            let source = source.clone();
            async move { drop(source.unmount(node).await) }
        });
        let (report, repository) = back_up_only(&source.location(), &what, options([gone])).await;
        let certificate = refused(report);
        let went = violations(&certificate, Clause::Stability).iter().filter(|violation| violation.code == "node-went");
        assert!(went.clone().count() > 0 && went.clone().all(|violation| violation.node.as_deref() == Some(node)));
        repository.get("n1").await.expect_err("nothing was committed");
    }
}

#[tokio::test]
async fn a_node_that_appears_is_in_the_backup() {
    let (source, _) = Source::of(&enterprise()).await;
    let late = source.unmount("ingest2").await;
    let count = late.len();
    let appears = deed(FIRST, {
        let source = source.clone();
        async move {
            for (key, bytes) in late {
                source.put(&key, bytes).await;
            }
        }
    });
    let (report, repository) = back_up(&source.location(), options([appears])).await;
    let report = report.expect("a backup");
    assert!(report.passes[0].open_clauses.contains(&"C9".to_owned()), "{report}");
    let backup = repository.get("n1").await.expect("committed");
    let held = backup.objects().iter().filter(|record| record.key.as_str().starts_with("ingest2/")).count();
    assert_eq!(held, count);
    assert!(report.certificate.recovery.iter().any(|point| point.node == "ingest2" && point.reached.is_some()));
}

#[tokio::test]
async fn dbs_that_are_unmounted_are_not_taken_for_absent() {
    for (cluster, node, clause) in [(core(), "node1", Clause::Closure), (enterprise(), "ingest1", Clause::Stability)] {
        let (source, _) = Source::of(&cluster).await;
        let unmounted = |source: &Source| {
            let source = source.clone();
            deed(FIRST, async move { drop(source.unmount(&format!("{node}/dbs")).await) })
        };
        let (report, _) = back_up(&source.location(), options([unmounted(&source)])).await;
        let certificate = refused(report);
        assert_eq!(violated(&certificate, clause, "most-parquet-missing").node.as_deref(), Some(node));

        let (source, _) = Source::of(&cluster).await;
        let accept = options([unmounted(&source)]).with_missing_parquet(MissingParquet::Accept);
        let (report, _) = back_up(&source.location(), accept).await;
        let report = report.expect("the caller knows");
        assert!(report.certificate.absent_files() > 0 && report.to_string().contains("absent files: "), "{report}");
    }
}

/// A source that only one clause refuses, and what happens to it meanwhile.
async fn wrong_by(clause: Clause) -> (Source, Vec<(&'static str, Deed)>) {
    let (source, generated) = match clause {
        Clause::Nodes | Clause::Compactor => Source::of(&enterprise()).await,
        _ => Source::of(&core()).await,
    };
    let deeds = match clause {
        Clause::Manifests => {
            let manifest = next_manifest(&source, &generated).await;
            let key = format!("node1/snapshots/{}", write::manifest_name(manifest.sequence));
            source.put(&key, write::manifest(&ManifestSpec { node_id: "node2".to_owned(), ..manifest })).await;
            Vec::new()
        }
        Clause::Checkpoints => {
            let ManifestSpec { sequence, wal, .. } = next_manifest(&source, &generated).await;
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
            Vec::new()
        }
        Clause::Stability => {
            let last = generated.nodes["node1"].wal.expect("a tail").1;
            let other = source.clone();
            vec![deed(ROOT, async move { other.put(&wal_key(last), write::wal(b"[77]")).await })]
        }
        Clause::Nodes => {
            let (late, other) = (source.unmount("ingest2").await, source.clone());
            let appears = async move {
                for (key, bytes) in late {
                    other.put(&key, bytes).await;
                }
            };
            vec![deed(FIRST, appears)]
        }
        Clause::Compactor => {
            let other = source.clone();
            let goes_on =
                async move { other.put("compact1/cs/00000000000000000099.json", Bytes::from_static(b"{}")).await };
            vec![deed(FIRST, goes_on)]
        }
        other => panic!("{other} has its worlds in the simulation"),
    };
    (source, deeds)
}

/// The clauses that the simulated worlds do not need (C6 is about backups that were altered later: `certify_trees.rs`).
#[tokio::test]
async fn without_a_clause_a_wrong_backup_is_committed() {
    for clause in [Clause::Manifests, Clause::Checkpoints, Clause::Stability, Clause::Compactor, Clause::Nodes] {
        let (source, deeds) = wrong_by(clause).await;
        let (with, _) = back_up(&source.location(), options(deeds)).await;
        assert!(with.as_ref().is_err() || with.is_ok_and(|report| report.passes.len() > 1), "{clause}");
        let (source, deeds) = wrong_by(clause).await;
        let weakened = options(deeds).weakened(Weakness::Ignores(clause));
        let (without, _) = back_up(&source.location(), weakened).await;
        let report = without.unwrap_or_else(|error| panic!("{clause} is not the only one: {error}"));
        assert_eq!((report.certificate.open(), report.passes.len()), (vec![clause], 1));
    }
}

/// A file that is gone before its copy forces another pass: it counts as absent only when a listing lacked it.
#[tokio::test]
async fn without_the_rule_of_absence_a_live_file_is_missed() {
    for weakness in [None, Some(Weakness::AnyAbsence)] {
        let (source, _) = Source::of(&core()).await;
        let file = source.keys("node1/dbs").await.swap_remove(0);
        let bytes = source.get(&file).await;
        let (gone, back) = ((source.clone(), file.clone()), (source.clone(), file.clone()));
        let deeds = [
            deed(FIRST, async move { gone.0.delete(&gone.1).await }),
            deed(ROOT, async move { back.0.put(&back.1, bytes).await }),
        ];
        let options = options(deeds);
        let options = weakness.map_or(options.clone(), |weakness| options.weakened(weakness));
        let (report, repository) = back_up(&source.location(), options).await;
        let passes = report.expect("a backup").passes.len();
        let held = holds(&repository.get("n1").await.expect("committed"), &file);
        assert_eq!((passes > 1, held), (weakness.is_none(), weakness.is_none()), "{weakness:?}");
    }
}
