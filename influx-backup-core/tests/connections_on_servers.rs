//! How a run gets to its stores: certificates, plain HTTP, credentials that change meanwhile, and two accounts at once.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use http::Method;
use influx_backup_core::{
    BackupOptions, BackupReport, DiscoverOptions, Error, Key, Limits, Location, Repository, StoreOptions, certify,
    discover,
    limits::Retry,
    preflight,
    record::BackupStatus,
    testing::generate::{CompactorData, Generate},
};
use servers::{Fault, FaultProxy, InProcessS3, Rule, S3Account, StoreServer, Tls};

/// A small cluster; returns how many objects it has.
async fn write_cluster(to: &Location) -> u64 {
    let cluster = Generate::enterprise("c1").nodes(["n1"]).compactor("comp", CompactorData::None).snapshots(4);
    for object in cluster.objects() {
        to.put(&Key::parse(&object.key).expect("a key"), object.bytes).await.expect("written");
    }
    cluster.objects().count() as u64
}

async fn back_up(source: &Location, repository: &Location) -> influx_backup_core::Result<BackupReport> {
    let cluster = discover(source, &DiscoverOptions::default()).await?;
    let mut options = BackupOptions::default().with_name("n1");
    // What a test does not wait for, a person would.
    options.limits = Limits::default().with_retry(Retry::default().for_at_most(Duration::from_secs(20)));
    Repository::open(repository.clone()).await?.backup(&cluster, options).start().await
}

async fn assert_complete(report: &BackupReport, repository: &Location) {
    assert_eq!(report.status, BackupStatus::Complete, "{report}");
    let backup = repository.child("n1").expect("a location");
    let certificate = certify(&backup).await.expect("certified");
    assert!(certificate.holds(), "{certificate}");
}

fn copies(report: &BackupReport, copier: &str) -> u64 {
    report.passes.iter().filter_map(|pass| pass.copiers.get(copier)).sum()
}

fn open(server: &InProcessS3, bucket: &str, prefix: &str, options: &StoreOptions) -> Location {
    Location::parse(&server.url(bucket, prefix), options).expect("a location")
}

/// A CA of one's own is trusted when it is named, and only then; unless nothing is to be checked at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_ca_of_ones_own() {
    let server = servers::in_process_s3();
    let bucket = server.fresh_bucket().await;
    write_cluster(&server.location(&bucket, "cluster")).await;
    let tls = Tls::before(server.address());
    let options: StoreOptions = server.options().into_iter().collect();
    let options = options.with("aws_endpoint", format!("https://{}", tls.address())).with("aws_allow_http", "");

    let began = Instant::now();
    let unknown = open(server, &bucket, "cluster", &options);
    let errors = [
        preflight::source(&unknown).await.expect_err("a source"),
        preflight::target(&unknown).await.expect_err("a target"),
        back_up(&unknown, &server.location(&bucket, "none")).await.expect_err("a backup"),
    ];
    for error in errors {
        assert_eq!(error.code(), "untrusted-certificate", "{error:?}");
        assert!(error.to_string().contains("object_store_tls_ca"), "what to do: {error}");
    }
    assert!(began.elapsed() < Duration::from_secs(30), "it took {:?}", began.elapsed());

    let ca = tls.ca().to_str().expect("UTF-8").to_owned();
    let trusted = [("--object-store-tls-ca", ca.as_str()), ("--object-store-tls-allow-insecure", "true")];
    for (number, (name, value)) in trusted.into_iter().enumerate() {
        let options = options.clone().with(name, value);
        let repository = open(server, &bucket, &format!("backups {number}"), &options);
        let report = back_up(&open(server, &bucket, "cluster", &options), &repository).await.expect(name);
        assert_complete(&report, &repository).await;
        assert!(
            copies(&report, "server-side") > 0,
            "{name}: requests for server-side copies go the same way: {report}"
        );
    }
}

/// An endpoint in plain HTTP is an accident, unless it is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn plain_http_has_to_be_asked_for() {
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let options = server.options().into_iter().filter(|(name, _)| !name.ends_with("ALLOW_HTTP")).collect();
        let error = Location::parse(&server.url(&bucket, "p"), &options).expect_err(server.name());
        assert_eq!(error.code(), "invalid-option", "{}: {error}", server.name());
        let allowed = match server.scheme() {
            "s3" => "aws_allow_http",
            "az" => "azure_allow_http",
            _ => "google_allow_http",
        };
        assert!(error.to_string().contains(&format!("set `{allowed}` to `true`")), "{}: {error}", server.name());
        let location = Location::parse(&server.url(&bucket, "p"), &options.with(allowed, "true")).expect("asked for");
        preflight::target(&location).await.unwrap_or_else(|error| panic!("{}: {error:?}", server.name()));
    }
}

fn write_credentials(file: &Path, keys: &S3Account) {
    let json = serde_json::json!({
        "aws_access_key_id": keys.access_key_id, "aws_secret_access_key": keys.secret_access_key,
    });
    std::fs::write(file, json.to_string()).expect("written");
}

/// The keys in InfluxDB's file are exchanged while a backup runs, and the store takes the old ones no longer.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_exchanged_during_a_backup() {
    let server = InProcessS3::start();
    let bucket = server.fresh_bucket().await;
    let objects = write_cluster(&server.location(&bucket, "cluster")).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("credentials.json");
    let old = S3Account::random();
    let new = S3Account::random();
    server.accounts().admit(&old);
    write_credentials(&file, &old);

    let proxy = FaultProxy::before(server.address());
    let options = server.options_at(proxy.address()).into_iter().filter(|(name, _)| !name.contains("ACCESS_KEY"));
    let options = options.collect::<StoreOptions>().with("AWS_CREDENTIALS_FILE", file.to_str().expect("UTF-8"));
    let source = open(&server, &bucket, "cluster", &options);
    let repository = open(&server, &bucket, "to", &options);
    // Slow enough that the backup is under way when the keys change.
    let drip = Fault::Drip { bytes: 256, pause: Duration::from_millis(5) };
    proxy.inject(Rule::new(drip).method(Method::GET).containing("cluster/n").always());
    let backup = tokio::spawn({
        let repository = repository.clone();
        async move { back_up(&source, &repository).await }
    });
    while !proxy.requests().iter().any(|request| request.method == Method::PUT && request.target.contains("wal")) {
        assert!(!backup.is_finished(), "it was over before the keys changed: {:?}", backup.await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.accounts().admit(&new);
    write_credentials(&file, &new);
    server.accounts().expel(&old);
    let before = proxy.requests().len();

    let report = backup.await.expect("no panic").unwrap_or_else(|error| panic!("{error}: {error:?}"));
    proxy.clear();
    assert_complete(&report, &repository).await;
    assert_eq!(copies(&report, "server-side") + copies(&report, "stream"), objects, "{report}");
    assert!(copies(&report, "server-side") > 0, "the store still copies: {report}");
    let after = &proxy.requests()[before..];
    let signed_by = |keys: &S3Account| {
        let names = |text: &str| text.contains(&keys.access_key_id);
        after.iter().any(|request| names(&request.target) || request.headers.iter().any(|line| names(line)))
    };
    assert!(signed_by(&old) && signed_by(&new), "the change was not in the middle");

    // What the file holds is refused: said at once, and not with the key.
    server.accounts().expel(&new);
    let error = back_up(&repository, &repository).await.expect_err("refused");
    assert_eq!(error.code(), "access-denied", "{error:?}");
    assert!(!format!("{error} {error:?}").contains(&new.secret_access_key));
}

/// Each with keys of its own, as two providers have them.
#[tokio::test(flavor = "multi_thread")]
async fn source_and_target_are_two_accounts() {
    let here = InProcessS3::start();
    let there = InProcessS3::start();
    let from = here.fresh_bucket().await;
    let to = there.fresh_bucket().await;
    let source = here.location(&from, "cluster");
    let objects = write_cluster(&source).await;
    let repository = there.location(&to, "backups");
    let report = back_up(&source, &repository).await.unwrap_or_else(|error| panic!("{error}: {error:?}"));
    assert_complete(&report, &repository).await;
    assert_eq!(copies(&report, "stream"), objects, "{report}");
}

/// Within one service the target's account copies what it may read; what it may not read passes through this
/// process, as the report shows.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_may_not_read_each_other() {
    let server = InProcessS3::start();
    let from = server.fresh_bucket().await;
    let to = server.fresh_bucket().await;
    let source = server.location(&from, "cluster");
    let objects = write_cluster(&source).await;
    let reader = S3Account::random();
    let only = S3Account::random();
    server.accounts().admit(&reader);
    server.accounts().admit_to(&to, &only);
    for (keys, may_read) in [(&reader, true), (&only, false)] {
        let options: StoreOptions = keys.options(server.address()).into_iter().collect();
        let repository = open(&server, &to, &keys.access_key_id, &options);
        let error = open(&server, &from, "cluster", &options).list("").await.err();
        assert_eq!(error.as_ref().map(Error::code), (!may_read).then_some("access-denied"), "{error:?}");
        let report = back_up(&source, &repository).await.unwrap_or_else(|error| panic!("{error}: {error:?}"));
        assert_complete(&report, &repository).await;
        assert_eq!(copies(&report, "server-side") > 0, may_read, "{report}");
        assert_eq!(copies(&report, "server-side") + copies(&report, "stream"), objects, "{report}");
        assert_eq!(report.to_string().contains("because the store refused server-side"), !may_read, "{report}");
    }
}
