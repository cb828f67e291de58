//! Backup, certificate, verification and restore, from every store to every store, also while a store fails.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use influx_backup_core::{
    BackupOptions, BackupReport, Discover, Key, Level, Limits, Location, Options, Repository, RestoreOptions,
    RestorePlan, Target, certify, discover,
    execute::Retry,
    manifest::BackupStatus,
    restore,
    testing::generate::{CompactorData, Generate},
    verify::Sample,
};
use servers::{Fault, FaultProxy, InProcessS3, Rule, StoreServer};
use tempfile::TempDir;

/// A place for clusters or backups; each call of [`Place::location`] is a new one.
enum Place {
    Files(TempDir),
    Server(&'static dyn StoreServer, String),
}

impl Place {
    async fn all() -> Vec<Self> {
        let mut places = vec![Self::Files(tempfile::tempdir().expect("a directory"))];
        for server in servers::all().into_iter().filter(|server| server.name() != "in-process S3") {
            places.push(Self::Server(server, server.fresh_bucket().await));
        }
        places
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Files(_) => "file",
            Self::Server(server, _) => server.name(),
        }
    }

    fn location(&self, prefix: &str) -> Location {
        match self {
            Self::Files(directory) => {
                let path = directory.path().join(prefix);
                std::fs::create_dir_all(&path).expect("a directory");
                Location::parse(path.to_str().expect("UTF-8"), &Options::default()).expect("a location")
            }
            Self::Server(server, bucket) => server.location(bucket, prefix),
        }
    }

    /// What the store itself says of uploads that were neither completed nor aborted.
    async fn assert_nothing_left(&self) {
        if let Self::Server(server, bucket) = self {
            assert_eq!(server.leftovers(bucket).await, [], "{}", server.name());
        }
    }
}

/// Some 150 objects of two nodes and a compactor.
fn small() -> Generate {
    Generate::enterprise("c1").nodes(["n1", "n2"]).compactor("comp", CompactorData::None).snapshots(6)
}

async fn write(cluster: &Generate, to: &Location) -> BTreeMap<String, Vec<u8>> {
    let objects: Vec<_> = cluster.objects().collect();
    let puts = objects.iter().map(|object| {
        let key = Key::parse(&object.key).expect("a key");
        async move { to.put(&key, object.bytes.clone()).await }
    });
    use futures::{StreamExt, TryStreamExt};
    futures::stream::iter(puts).buffer_unordered(32).try_for_each(|_| async { Ok(()) }).await.expect("written");
    objects.into_iter().map(|object| (object.key, object.bytes.to_vec())).collect()
}

/// Every object below a location but our own files.
async fn read(location: &Location) -> BTreeMap<String, Vec<u8>> {
    use futures::{StreamExt, TryStreamExt};
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
    let cluster = discover(source, &Discover::auto()).await?;
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
    let certificate = certify(backup.location(), &Discover::auto()).await.expect("certified");
    assert!(certificate.holds(), "{what}: {}", certificate.summary());
    let verified = opened.verify("n1", Level::Bytes(Sample::ALL)).await.expect("verified");
    assert!(verified.passed(), "{what}: {verified:?}");

    let target = Target::inspect(restored).await.expect("inspected");
    let plan = RestorePlan::new(&backup, &target, &RestoreOptions::empty()).expect("planned");
    restore(plan).start().await.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
    // Before 3.10 a licence is bound to its place.
    let licence = |key: &String| key.ends_with("_license");
    let mut wanted = written;
    let mut got = read(restored).await;
    wanted.retain(|key, _| !licence(key));
    got.retain(|key, _| !licence(key));
    let keys = |objects: &BTreeMap<String, Vec<u8>>| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&got), keys(&wanted), "{what}: other objects were restored");
    assert!(got == wanted, "{what}: other bytes were restored");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_store_to_every_store() {
    let (sources, repositories) = (Place::all().await, Place::all().await);
    let cluster = small();
    assert!(cluster.objects().count() <= 300);
    for (from, source) in sources.iter().enumerate() {
        for (to, repository) in repositories.iter().enumerate() {
            let what = format!("{} to {}", source.name(), repository.name());
            let place = |kind: &str| format!("{kind} {from}-{to}");
            round_trip(
                &cluster,
                &source.location(&place("cluster")),
                &repository.location(&place("backups")),
                &source.location(&place("restored")),
                &what,
            )
            .await;
        }
    }
    for place in sources.iter().chain(&repositories) {
        place.assert_nothing_left().await;
    }
}

/// Parquet files go from bucket to bucket without us, everything else through us; across providers nothing does.
#[tokio::test(flavor = "multi_thread")]
async fn only_bulk_is_copied_by_the_store() {
    let Some(minio) = servers::minio() else { return };
    let source = minio.location(&minio.fresh_bucket().await, "cluster");
    let written = write(&small(), &source).await;
    let bulk = written.keys().filter(|key| key.ends_with(".parquet") || key.starts_with("comp/")).count() as u64;
    let report = back_up(&source, &minio.location(&minio.fresh_bucket().await, "")).await.expect("backed up");
    let copiers = &report.passes[0].copiers;
    assert_eq!(copiers.get("server-side"), Some(&bulk), "{copiers:?}");
    assert_eq!(copiers.get("stream"), Some(&(written.len() as u64 - bulk)), "{copiers:?}");
    let other = servers::in_process_s3();
    let report = back_up(&source, &other.location(&other.fresh_bucket().await, "")).await.expect("backed up");
    assert_eq!(report.passes[0].copiers.get("server-side"), None, "{report:?}");
}

/// By listing and HEAD alone where the store keeps the checksum, and it is said where it does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_verified_by_the_checksums_of_its_store() {
    let server = servers::in_process_s3();
    let source = server.location(&server.fresh_bucket().await, "cluster");
    let objects = write(&small(), &source).await.len() as u64;
    let bucket = server.fresh_bucket().await;
    let options: Options = server.options().into_iter().collect();
    let summed = options.clone().with("aws_checksum_algorithm", "crc64nvme");
    let open =
        |prefix: &str, options: &Options| Location::parse(&server.url(&bucket, prefix), options).expect("a location");
    let cluster = discover(&source, &Discover::auto()).await.expect("discovered");
    for (prefix, options, confirmed) in [("summed", &summed, objects), ("plain", &options, 0)] {
        let place = open(prefix, options);
        let repository = Repository::open(place.clone()).await.expect("opened");
        let by_us =
            self::options().with_copier(std::sync::Arc::new(influx_backup_core::copier::StreamCopier::default()));
        repository.backup(&cluster, by_us).start().await.expect("backed up");
        let report = repository.verify("n1", Level::Checksums).await.expect("verified");
        assert!(report.passed(), "{report:?}");
        assert_eq!((report.confirmed, report.unconfirmed, report.read), (confirmed, objects - confirmed, 0));
        // Other bytes of the same length.
        let parquet = report_key(&place).await;
        let size = place.head(&parquet).await.expect("head").expect("there").size;
        place.put(&parquet, vec![0; size as usize].into()).await.expect("put");
        let report = repository.verify("n1", Level::Checksums).await.expect("verified");
        assert_eq!(report.passed(), confirmed == 0, "{report:?}");
    }
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

/// An S3 server of its own behind a proxy, with a cluster in it.
struct Behind {
    server: InProcessS3,
    proxy: FaultProxy,
    bucket: String,
    written: BTreeMap<String, Vec<u8>>,
}

impl Behind {
    async fn new() -> Self {
        let server = InProcessS3::start();
        let bucket = server.fresh_bucket().await;
        let written = write(&small(), &server.location(&bucket, "cluster")).await;
        Self { proxy: FaultProxy::before(server.address()), server, bucket, written }
    }

    fn location(&self, prefix: &str) -> Location {
        self.server.location_at(self.proxy.address(), &self.bucket, prefix)
    }

    /// Whatever became of it: what was committed is right, and no upload is left.
    async fn assert_correct(&self, report: &influx_backup_core::Result<BackupReport>, what: &str) {
        self.proxy.clear();
        let repository = self.server.location(&self.bucket, "backups");
        match report {
            Ok(report) => {
                assert_eq!(report.status, BackupStatus::Complete, "{what}");
                let backup = repository.child("n1").expect("a location");
                assert!(read(&backup).await == self.written, "{what}: the backup has other bytes");
                let certificate = certify(&backup, &Discover::auto()).await.expect("certified");
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
        let behind = Behind::new().await;
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
        let behind = Behind::new().await;
        let injected = behind.proxy.inject(rule);
        let report = back_up(&behind.location("cluster"), &behind.location("backups")).await;
        assert!(injected.count() > 0, "{what}: no fault: {report:?}");
        assert!(report.is_err(), "{what}");
        behind.assert_correct(&report, &what).await;
    }
}

/// A page that names a key twice changes nothing; one that lacks a key ends right or with an error, never with less.
#[tokio::test(flavor = "multi_thread")]
async fn list_pages_that_repeat_or_miss() {
    let twice = |_: &servers::RequestHead, body: bytes::Bytes| {
        let text = String::from_utf8_lossy(&body).into_owned();
        let Some((start, rest)) = text.split_once("<Contents>") else { return body };
        let Some((first, rest)) = rest.split_once("</Contents>") else { return body };
        format!("{start}<Contents>{first}</Contents><Contents>{first}</Contents>{rest}").into()
    };
    let behind = Behind::new().await;
    let rule = Rule::new(Fault::Rewrite(std::sync::Arc::new(twice))).containing("list-type=2").always();
    let injected = behind.proxy.inject(rule);
    let report = back_up(&behind.location("cluster"), &behind.location("backups")).await;
    assert!(injected.count() > 0);
    assert!(report.is_ok(), "repeated: {report:?}");
    behind.assert_correct(&report, "repeated").await;

    let missing = |_: &servers::RequestHead, body: bytes::Bytes| {
        let text = String::from_utf8_lossy(&body).into_owned();
        let Some(at) = text.find(".parquet</Key>") else { return body };
        let (start, end) = (text[..at].rfind("<Contents>"), text[at..].find("</Contents>"));
        let (Some(start), Some(end)) = (start, end) else { return body };
        format!("{}{}", &text[..start], &text[at + end + "</Contents>".len()..]).into()
    };
    let behind = Behind::new().await;
    let rule = Rule::new(Fault::Rewrite(std::sync::Arc::new(missing))).containing("list-type=2").times(60);
    let injected = behind.proxy.inject(rule);
    let report = back_up(&behind.location("cluster"), &behind.location("backups")).await;
    assert!(injected.count() > 0);
    behind.assert_correct(&report, "missed").await;
}

/// Dead for two seconds in the middle of a backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_dies_and_comes_back() {
    let behind = Behind::new().await;
    let (source, repository) = (behind.location("cluster"), behind.location("backups"));
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
