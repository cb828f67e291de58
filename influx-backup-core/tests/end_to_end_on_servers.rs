//! Backup, certificate, verification and restore, from every store to every store, also while a store fails.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::Method;
use influx_backup_core::{
    BackupOptions, BackupReport, DiscoverOptions, FindingCode, Key, Limits, Location, Repository, Restore,
    RestoreOptions, RestoreRunOptions, StoreOptions, VerifyOptions, certify,
    copier::{Copier, StreamCopier},
    default_copiers, discover,
    limits::Retry,
    location::ObjectTable,
    options::SourceCheck,
    record::BackupStatus,
    testing::generate::{CompactorData, Generate},
};
use servers::{Behind, Cloud, Fault, Place, Rule, StoreServer, write};

/// Some 150 objects of two nodes and a compactor.
fn small() -> Generate {
    Generate::enterprise("c1").nodes(["n1", "n2"]).compactor("comp", CompactorData::None).snapshots(6)
}

/// Every object below a location but the files of the backup tool.
async fn read(location: &Location) -> BTreeMap<String, Vec<u8>> {
    let listed = location.list("").await.expect("listed");
    let keys = listed.into_iter().map(|entry| entry.key).filter(|key| key.below("_influx_backup").is_none());
    let reads = keys.map(|key| async move {
        let bytes = location.get(&key, None).await?.expect("it was listed");
        Ok::<_, influx_backup_core::Error>((key.to_string(), bytes.to_vec()))
    });
    futures::stream::iter(reads).buffer_unordered(16).try_collect().await.expect("read")
}

fn options() -> BackupOptions {
    // What a test does not wait for, a person would.
    let retry = Retry::default().for_at_most(Duration::from_secs(30));
    let mut options = BackupOptions::default().with_name("n1");
    options.limits = Limits::default().with_retry(retry);
    options
}

async fn back_up(source: &Location, repository: &Location) -> influx_backup_core::Result<BackupReport> {
    let cluster = discover(source, &DiscoverOptions::default()).await?;
    Repository::open(repository.clone()).await?.backup(&cluster, options()).start().await
}

/// There and back again: source, backup, restored cluster.
async fn round_trip(cluster: &Generate, source: &Location, repository: &Location, restored: &Location, what: &str) {
    let written = write(cluster, source).await;
    let report = back_up(source, repository).await.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
    assert_eq!(report.status, BackupStatus::Complete, "{what}");
    assert_eq!(report.passes.len(), 1, "{what}: a stopped cluster takes one pass");
    let copied: u64 = report.passes.iter().flat_map(|pass| pass.copiers.values()).sum();
    assert_eq!(copied, written.len() as u64, "{what}");

    let opened = Repository::open(repository.clone()).await.expect("opened");
    let backup = opened.get("n1").await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(read(backup.location()).await == written, "{what}: the backup has other bytes");
    let certificate = certify(backup.location()).await.expect("certified");
    assert!(certificate.holds(), "{what}: {}", certificate.summary());
    let verified = opened.verify("n1", VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{what}: {verified:?}");

    let restore = Restore::new(backup, restored.clone(), RestoreOptions::empty());
    restore.start().await.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
    // Before 3.10 a license is bound to its place.
    let license = |key: &String| key.ends_with("_license");
    let mut wanted = written;
    let mut got = read(restored).await;
    wanted.retain(|key, _| !license(key));
    got.retain(|key, _| !license(key));
    let keys = |objects: &BTreeMap<String, Vec<u8>>| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&got), keys(&wanted), "{what}: other objects were restored");
    assert!(got == wanted, "{what}: other bytes were restored");
}

/// Restored to a third store: over all pairs, every store is restored to from every one, too.
#[tokio::test(flavor = "multi_thread")]
async fn every_store_to_every_store() {
    let places = Arc::new(Place::all().await);
    let cluster = small();
    assert!(cluster.objects().count() <= 300);
    let count = places.len();
    let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    let trips = pairs.map(|(from, to)| {
        let places = Arc::clone(&places);
        let cluster = cluster.clone();
        tokio::spawn(async move {
            let source = &places[from];
            let repository = &places[to];
            let restored = &places[(from + to) % places.len()];
            let what = format!("{} to {} to {}", source.name(), repository.name(), restored.name());
            let place = |place: &Place, kind: &str| place.location(&format!("{kind} {from}-{to}"));
            round_trip(
                &cluster,
                &place(source, "cluster"),
                &place(repository, "backups"),
                &place(restored, "restored"),
                &what,
            )
            .await;
        })
    });
    // Some at once; a trip that fails has said which it was.
    futures::stream::iter(trips).buffer_unordered(4).try_for_each(|()| async { Ok(()) }).await.expect("all of them");
    for place in &*places {
        assert_eq!(place.leftovers().await, [], "{}", place.name());
    }
}

/// There and back below a prefix of somebody's bucket, as on a cloud that the environment names.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_named() {
    let Some(minio) = servers::minio() else { return };
    let bucket = minio.fresh_bucket().await;
    let cloud = Place::Cloud(Cloud::below(&format!("s3://{bucket}"), minio.options().into_iter().collect()));
    let files = Place::Files(tempfile::tempdir().expect("a directory"));
    for (there, back, what) in [(&cloud, &files, "from it"), (&files, &cloud, "to it")] {
        let [source, repository, restored] = [(there, "cluster"), (back, "backups"), (there, "restored")]
            .map(|(place, kind)| place.location(&format!("{kind} {what}")));
        round_trip(&small(), &source, &repository, &restored, what).await;
    }
    assert_eq!(cloud.leftovers().await, []);
    drop(cloud);
    assert_eq!(minio.location(&bucket, "").list("").await.expect("listed"), ObjectTable::default());
}

/// What a store may copy itself.
fn is_bulk(key: &str) -> bool {
    key.ends_with(".parquet") || key.starts_with("comp/")
}

/// Parquet files are copied by the store, everything else passes through this process; across providers everything does.
#[tokio::test(flavor = "multi_thread")]
async fn only_bulk_is_copied_by_the_store() {
    let Some(minio) = servers::minio() else { return };
    let source = minio.location(&minio.fresh_bucket().await, "cluster");
    let written = write(&small(), &source).await;
    let bulk = written.keys().filter(|key| is_bulk(key)).count() as u64;
    let report = back_up(&source, &minio.location(&minio.fresh_bucket().await, "")).await.expect("backed up");
    let copiers = &report.passes[0].copiers;
    assert_eq!(copiers.get("server-side"), Some(&bulk), "{copiers:?}");
    assert_eq!(copiers.get("stream"), Some(&(written.len() as u64 - bulk)), "{copiers:?}");
    let other = servers::in_process_s3();
    let report = back_up(&source, &other.location(&other.fresh_bucket().await, "")).await.expect("backed up");
    assert_eq!(report.passes[0].copiers.get("server-side"), None, "{report:?}");
}

/// By listing and HEAD alone where the store keeps a checksum; where it does not, the report counts it. By every copier.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_verified_by_the_checksums_of_its_store() {
    for server in servers::all() {
        let options: StoreOptions = server.options().into_iter().collect();
        let cases = match server.scheme() {
            "s3" => vec![
                ("summed", options.clone().with("aws_checksum_algorithm", "crc64nvme"), true),
                ("plain", options, false),
            ],
            _ => vec![("plain", options, true)],
        };
        for (name, options, summed) in cases {
            let buckets = (server.fresh_bucket().await, server.fresh_bucket().await);
            let open = |bucket: &str, prefix: &str| {
                Location::parse(&server.url(bucket, prefix), &options).expect("a location")
            };
            let source = open(&buckets.0, "cluster");
            let written = write(&small(), &source).await;
            let objects = written.len() as u64;
            let bulk = written.keys().filter(|key| is_bulk(key)).count() as u64;
            let by_stream: Arc<dyn Copier> = Arc::new(StreamCopier::default());
            for (copier, by) in [(by_stream, "stream"), (default_copiers(), "the store")] {
                let what = format!("{}, {name}, copied by {by}", server.name());
                let place = open(&buckets.1, by);
                let cluster = discover(&source, &DiscoverOptions::default()).await.expect("discovered");
                let repository = Repository::open(place.clone()).await.expect("opened");
                repository.backup(&cluster, self::options()).with_copier(copier).start().await.expect("backed up");
                let (confirmed, knows) = match (server.name(), summed, by) {
                    // Its Copy Blob keeps the checksum of the source.
                    ("azurite", _, "the store") => (objects - bulk, Knows::Neither),
                    // It takes a checksum of what it copies.
                    ("minio", false, "the store") => (bulk, Knows::Manifest),
                    (_, true, _) => (objects, Knows::Store),
                    (_, false, "stream") => (0, Knows::Manifest),
                    (_, false, _) => (0, Knows::Neither),
                };
                verified_by_checksums(&repository, confirmed, objects, &what).await;
                assert_altered_objects_are_found(&repository, &open(&buckets.1, "restored"), knows, &what).await;
            }
        }
    }
}

/// Who has a checksum of a Parquet file in the backup.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Knows {
    /// Its store, and the manifest.
    Store,
    /// Only the manifest.
    Manifest,
    /// A store without checksums has copied it, and only the certificate has the reason.
    Neither,
}

async fn verified_by_checksums(repository: &Repository, confirmed: u64, objects: u64, what: &str) {
    let report = repository.verify("n1", VerifyOptions::checksums()).await.expect("verified");
    assert!(report.passed(), "{what}: {report:?}");
    let found = (report.confirmed, report.unconfirmed, report.read);
    assert_eq!(found, (confirmed, objects - confirmed, 0), "{what}");
}

/// Other bytes of the same length.
async fn assert_altered_objects_are_found(repository: &Repository, target: &Location, knows: Knows, what: &str) {
    let parquet = report_key(repository.location()).await;
    let size = repository.location().head(&parquet).await.expect("head").expect("there").size;
    repository.location().put(&parquet, vec![0; size as usize].into()).await.expect("put");
    let report = repository.verify("n1", VerifyOptions::checksums()).await.expect("verified");
    let problems: Vec<_> = report.problems.iter().map(|problem| (problem.code.clone(), &problem.key)).collect();
    let key = Some(parquet.below("n1").and_then(|key| Key::parse(key).ok()).expect("in the backup"));
    assert_eq!(problems, if knows == Knows::Store { vec![(FindingCode::WrongBytes, &key)] } else { vec![] }, "{what}");
    if knows == Knows::Neither {
        return;
    }
    // A restore that checks as much first: what the store has no checksum for is read.
    let backup = repository.get("n1").await.expect("opened");
    let options = RestoreOptions::empty().with_check(SourceCheck::Checksums);
    let error = Restore::new(backup, target.clone(), options).start().await.expect_err(what);
    assert_eq!(error.code(), "damaged-backup", "{what}: {error}");
    assert!(target.list("").await.expect("listed").is_empty(), "{what}: found before the first write");
}

async fn report_key(place: &Location) -> Key {
    let listed = place.list("").await.expect("listed");
    listed.into_iter().map(|entry| entry.key).find(|key| key.as_str().ends_with(".parquet")).expect("a Parquet file")
}

/// More than a page of everything.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_objects_between_files_and_minio() {
    let Some(minio) = servers::minio() else { return };
    let bucket = minio.fresh_bucket().await;
    let files = Place::Files(tempfile::tempdir().expect("a directory"));
    let cluster = Generate::core("n1").snapshots(400).files_per_snapshot(4).parquet_size(256).wal_tail(50);
    assert!(cluster.objects().count() > 2_000, "{}", cluster.objects().count());
    let there = (files.location("cluster"), minio.location(&bucket, "backups"), files.location("restored"));
    round_trip(&cluster, &there.0, &there.1, &there.2, "files to minio").await;
    let back = (minio.location(&bucket, "cluster"), files.location("backups"), minio.location(&bucket, "restored"));
    round_trip(&cluster, &back.0, &back.1, &back.2, "minio to files").await;
    assert_eq!(minio.leftovers(&bucket).await, []);
}

impl Behind {
    /// Whatever became of it: what was committed is right, and no upload is left.
    async fn assert_correct(&self, report: &influx_backup_core::Result<BackupReport>, what: &str) {
        self.proxy.clear();
        let repository = self.server.location(&self.bucket, "backups");
        match report {
            Ok(report) => {
                assert_eq!(report.status, BackupStatus::Complete, "{what}");
                let backup = repository.child("n1").expect("a location");
                assert!(read(&backup).await == self.written, "{what}: the backup has other bytes");
                let certificate = certify(&backup).await.expect("certified");
                assert!(certificate.holds(), "{what}: {}", certificate.summary());
            }
            Err(error) => {
                let repository = Repository::open(repository).await.expect("opened");
                let committed = repository.get("n1").await;
                assert!(committed.is_err(), "{what}: committed although it said {error}");
            }
        }
        assert_eq!(self.server.leftovers(&self.bucket).await, [], "{what}");
    }
}

/// What is over after a while does not stop a backup.
#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_are_outlived() {
    let pause = Duration::from_millis(5);
    let faults = [
        Rule::new(Fault::Status(503)).skip(20).times(12),
        Rule::new(Fault::ResetRequest).skip(20).times(10),
        Rule::new(Fault::LoseAnswer).method(Method::PUT).containing("wal").times(10),
        Rule::new(Fault::ResetAfter(100)).method(Method::GET).containing("cluster/n1").times(20),
        Rule::new(Fault::TruncateAfter(100)).method(Method::GET).containing("cluster/n1").times(20),
        Rule::new(Fault::ClaimLength(1_000)).method(Method::GET).containing("cluster/n1/snapshots").times(20),
        Rule::new(Fault::ClaimLength(-50)).method(Method::GET).containing("cluster/n1/wal").times(5),
        Rule::new(Fault::Drip { bytes: 64, pause }).method(Method::GET).containing("cluster/n2").times(10),
    ];
    for rule in faults {
        let what = format!("{rule:?}");
        let behind = Behind::new(&small()).await;
        let injected = behind.proxy.inject(rule);
        let report = back_up(&behind.location("cluster"), &behind.location("backups")).await;
        assert!(injected.count() > 0, "{what}: no fault");
        if let Err(error) = &report {
            panic!("{what}: {error}: {error:?}");
        }
        behind.assert_correct(&report, &what).await;
    }
}

/// What lasts ends in an error, and in nothing that looks like a backup.
#[tokio::test(flavor = "multi_thread")]
async fn lasting_faults_are_errors() {
    for rule in [
        Rule::new(Fault::Status(403)).method(Method::PUT).containing("/wal/").always(),
        Rule::new(Fault::Status(400)).method(Method::PUT).containing("manifest.json").always(),
        Rule::new(Fault::Status(403)).method(Method::GET).containing("cluster/n1/snapshots").always(),
    ] {
        let what = format!("{rule:?}");
        let behind = Behind::new(&small()).await;
        let injected = behind.proxy.inject(rule);
        let report = back_up(&behind.location("cluster"), &behind.location("backups")).await;
        assert!(injected.count() > 0, "{what}: no fault: {report:?}");
        assert!(report.is_err(), "{what}");
        behind.assert_correct(&report, &what).await;
    }
}

/// A rollback deletes what is newer, however much that is, also while its store asks to slow down.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_deletions_while_the_store_asks_for_less() {
    let behind = Behind::new(&small()).await;
    let direct = behind.server.location(&behind.bucket, "cluster");
    back_up(&direct, &behind.server.location(&behind.bucket, "backups")).await.expect("backed up");
    let puts = (0..1_000).map(|number| {
        let direct = &direct;
        let key = Key::parse(format!("n1/wal/{:011}.wal", 10_000 + number)).expect("a key");
        async move { direct.put(&key, "newer than the backup".into()).await }
    });
    futures::stream::iter(puts).buffer_unordered(32).try_for_each(|_| async { Ok(()) }).await.expect("put");

    let throttled = Rule::new(Fault::Status(503)).method(Method::DELETE).containing("n1/wal/").skip(100).times(20);
    let throttled = behind.proxy.inject(throttled);
    let repository = Repository::open(behind.location("backups")).await.expect("opened");
    let backup = repository.get("n1").await.expect("opened");
    let restore = Restore::new(backup, behind.location("cluster"), RestoreOptions::replace());
    let report = restore.with_run_options(RestoreRunOptions::servers_stopped()).start().await.expect("restored");
    assert_eq!(throttled.count(), 20);
    assert_eq!(report.deleted, 1_000);
    behind.proxy.clear();
    assert!(read(&direct).await == behind.written, "exactly what was backed up");
}

/// The page with the first of its entries twice.
fn repeated(tag: &str, page: &str) -> String {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let first = page.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).map(|(first, _)| first);
    let entry = first.map(|first| format!("{open}{first}{close}")).unwrap_or_default();
    page.replacen(&open, &format!("{entry}{open}"), 1)
}

/// The page without the first of its Parquet files.
fn missing(tag: &str, page: &str) -> String {
    let Some(at) = page.find(".parquet</") else { return page.to_owned() };
    let close = format!("</{tag}>");
    let (start, end) = (page[..at].rfind(&format!("<{tag}>")), page[at..].find(&close));
    let (Some(start), Some(end)) = (start, end) else { return page.to_owned() };
    format!("{}{}", &page[..start], &page[at + end + close.len()..])
}

/// A page that names a key twice changes nothing; one that lacks a key ends right or with an error, never with less.
#[tokio::test(flavor = "multi_thread")]
async fn list_pages_that_repeat_or_miss() {
    for server in servers::all() {
        let (tag, listing) = if server.scheme() == "az" { ("Blob", "comp=list") } else { ("Contents", "list-type=2") };
        type Break = fn(&str, &str) -> String;
        for (what, pages, lie) in [("repeated", usize::MAX, repeated as Break), ("missed", 60, missing)] {
            let what = format!("{}, {what}", server.name());
            let changed = Arc::new(AtomicUsize::new(0));
            let rewrite = {
                let changed = Arc::clone(&changed);
                move |_: &servers::RequestHead, body: Bytes| {
                    let page = String::from_utf8_lossy(&body);
                    let broken = lie(tag, &page);
                    changed.fetch_add(usize::from(broken != page), Ordering::Relaxed);
                    broken.into()
                }
            };
            let behind = Behind::before(server, &small()).await;
            behind.proxy.inject(Rule::new(Fault::Rewrite(Arc::new(rewrite))).containing(listing).times(pages));
            let report = back_up(&behind.location("cluster"), &behind.location("backups")).await;
            assert!(changed.load(Ordering::Relaxed) > 0, "{what}: no fault");
            assert!(pages < usize::MAX || report.is_ok(), "{what}: {report:?}");
            behind.assert_correct(&report, &what).await;
        }
    }
}

/// Dead for two seconds in the middle of a backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_dies_and_comes_back() {
    let behind = Behind::new(&small()).await;
    let source = behind.location("cluster");
    let repository = behind.location("backups");
    // Slow enough that the backup is under way when the server dies.
    let drip = Fault::Drip { bytes: 256, pause: Duration::from_millis(5) };
    behind.proxy.inject(Rule::new(drip).method(Method::GET).containing("cluster/n").always());
    let backup = tokio::spawn(async move { back_up(&source, &repository).await });
    while !behind.proxy.requests().iter().any(|request| request.method == Method::PUT && request.target.contains("wal"))
    {
        assert!(!backup.is_finished(), "it was over before the server died: {:?}", backup.await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    behind.proxy.down().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!backup.is_finished(), "it was over before the server was back");
    behind.proxy.up().await;
    let report = backup.await.expect("no panic");
    assert!(report.is_ok(), "{report:?}");
    behind.assert_correct(&report, "died and came back").await;
}
