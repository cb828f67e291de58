//! Copiers keep their contract from and to each store; locations say what is wrong with them within seconds.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture};
use http::Method;
use influx_backup_core::{
    Copier, Key, Location, StoreOptions,
    copier::{LocalCopier, ServerSideCopier, StreamCopier},
    location::ObjectTable,
    preflight,
    testing::conformance::{copier_conformance, deletion_conformance, server_side_conformance},
};
use servers::{Cloud, Fault, FaultProxy, Place, Rule, StoreServer};
use tokio::{sync::Semaphore, task::JoinSet};

fn key(name: &str) -> Key {
    Key::parse(name).expect("a key")
}

/// Checks that run by themselves, each with a name.
type Checks = Vec<(String, BoxFuture<'static, ()>)>;

/// How many checks are at work at once.
const AT_ONCE: usize = 4;

/// Runs all of them, and says which failed.
async fn all_hold(checks: Checks) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (name, check) in checks {
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            let _turn = turns.acquire().await.expect("never closed");
            AssertUnwindSafe(check).catch_unwind().await.map_err(|_| name)
        });
    }
    let failed: Vec<_> = running.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "failed: {}; why is above", failed.join(", "));
}

/// Every copier that does such copies keeps its contract, from each place to each.
#[tokio::test(flavor = "multi_thread")]
async fn every_place_to_every_place() {
    let sources = Arc::new(Place::all().await);
    let targets = Arc::new(Place::all().await);
    let mut checks = Checks::new();
    for (from, to) in (0..sources.len()).flat_map(|from| (0..targets.len()).map(move |to| (from, to))) {
        let name = format!("{} to {}", sources[from].name(), targets[to].name());
        let sources = Arc::clone(&sources);
        let targets = Arc::clone(&targets);
        let check = async move { conforms(&sources[from], &targets[to], &format!("ü {from}-{to}")).await };
        checks.push((name, check.boxed()));
    }
    all_hold(checks).await;
    for place in sources.iter().chain(targets.iter()) {
        assert_nothing_left(place).await;
    }
}

/// Parts are as small as the target takes them.
async fn conforms(from: &Place, to: &Place, prefix: &str) {
    let part = to.least_part();
    let stream = StreamCopier::default().with_threshold(part).with_part_size(part);
    copier_conformance(&stream, &from.location(prefix), &to.location(prefix), part).await;
    if let (Place::Files(_), Place::Files(_)) = (from, to) {
        let local = LocalCopier::default().with_block(part);
        let prefix = "local";
        copier_conformance(&local, &from.location(prefix), &to.location(prefix), part).await;
    }
}

/// From bucket to bucket and within one; no byte passes through this process.
#[tokio::test(flavor = "multi_thread")]
async fn every_store_copies_itself() {
    let pairs = Place::all().await.into_iter().zip(Place::all().await);
    let mut checks = Checks::new();
    for (one, two) in pairs.filter(|(place, _)| !matches!(place, Place::Files(_))) {
        let name = one.name().to_owned();
        let check = async move {
            let part = two.least_part();
            let copier = ServerSideCopier::default().with_threshold(part).with_part_size(part).with_parallel_parts(1);
            let from = one.location("from here");
            server_side_conformance(&copier, &from, &two.location("to there"), part).await;
            server_side_conformance(&copier, &from, &one.location("within"), part).await;
            assert_nothing_left(&one).await;
            assert_nothing_left(&two).await;
        };
        checks.push((name, check.boxed()));
    }
    all_hold(checks).await;
}

/// Aborts run in the background for a moment.
async fn assert_nothing_left(place: &Place) {
    let began = Instant::now();
    loop {
        let left = place.leftovers().await;
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{}: {left:?}", place.name());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One key more than the store gives in one answer.
#[tokio::test(flavor = "multi_thread")]
async fn listings_over_a_page_boundary() {
    let places = Place::all().await.into_iter().filter(|place| place.page() > 0);
    all_hold(places.map(|place| (place.name().to_owned(), lists_every_page(place).boxed())).collect()).await;
}

async fn lists_every_page(place: Place) {
    let location = place.location("pages");
    let objects = place.page() + 1;
    let puts = (0..objects).map(|number| {
        let location = location.clone();
        async move { location.put(&key(&format!("n1/wal/{number:011}.wal")), "x".into()).await }
    });
    futures::stream::iter(puts).buffer_unordered(32).try_for_each(|_| async { Ok(()) }).await.expect("put");
    let check = async |location: &Location| {
        let listed = location.list("").await.expect("listed");
        assert_eq!(listed.len(), objects, "{}", place.name());
        let keys: Vec<_> = listed.iter().map(|entry| entry.key.clone()).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{}: order", place.name());
        assert_eq!(location.list_parallel("n1").await.expect("listed").len(), objects, "{}", place.name());
    };
    let Place::Server(server, bucket) = &place else { return check(&location).await };
    let proxy = FaultProxy::before(server.address());
    check(&server.location_at(proxy.address(), bucket, "pages")).await;
    // Twice two pages, and the level above.
    assert_eq!(proxy.requests().len(), 5, "{}: {:?}", place.name(), proxy.requests());
}

/// What is deleted by its version is that version, or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn deletions_by_version() {
    for place in Place::all().await {
        deletion_conformance(&place.location("deletions ü")).await;
    }
}

/// Another process writes after the look at an object and before its deletion, which is on a condition.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_just_before_a_deletion_stays() {
    let x = key("x");
    for server in servers::all() {
        let name = server.name();
        let bucket = server.fresh_bucket().await;
        let proxy = FaultProxy::before(server.address());
        let slow = server.location_at(proxy.address(), &bucket, "p");
        let other = server.location(&bucket, "p");
        other.put(&x, "before".into()).await.expect("put");
        let version = other.head(&x).await.expect("asked").expect("there").version;
        let late = Fault::StallAfter { bytes: 10, pause: Duration::from_secs(1) };
        let looked = proxy.inject(Rule::new(late).method(Method::HEAD));
        let writes = async {
            while looked.count() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            other.put(&x, "another's".into()).await.expect("put");
        };
        let (deleted, ()) = tokio::join!(slow.delete_version(&x, &version), writes);
        deleted.unwrap_or_else(|error| panic!("{name}: {error}"));
        let asked = proxy.requests().iter().filter(|request| request.method == Method::DELETE).count();
        assert_eq!(asked, 1, "{name}");
        let left = other.get(&x, None).await.expect("read");
        assert!(left.is_some(), "{name}");
    }
}

/// What a variable of the environment would name, here a bucket of MinIO: the same checks run below a prefix of their own,
/// of which nothing is left, not even where one fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_is_left_as_it_was() {
    let Some(minio) = servers::minio() else { return };
    let bucket = minio.fresh_bucket().await;
    let others = minio.location(&bucket, "of others");
    others.put(&key("kept"), "content".into()).await.expect("put");
    let cloud = || Place::Cloud(Cloud::below(&minio.url(&bucket, "of others/"), minio.options().into_iter().collect()));
    let from = cloud();
    let to = cloud();
    conforms(&from, &to, "ü").await;
    assert_nothing_left(&to).await;
    lists_every_page(from).await;

    let fails = AssertUnwindSafe(async {
        to.location("x").put(&key("y"), "content".into()).await.expect("put");
        assert_ne!(others.list("").await.expect("listed").len(), 1, "the prefix is below the URL that was named");
        let _to = to;
        std::panic::resume_unwind(Box::new("as a test does that fails"));
    });
    fails.catch_unwind().await.expect_err("it panics");
    let left = others.list("").await.expect("listed");
    assert_eq!(left.into_iter().map(|entry| entry.key).collect::<Vec<_>>(), [key("kept")]);
}

/// Each mistake has an error of its own, within seconds, and none says the credential.
#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_said_within_seconds() {
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let with = |name: &str, value: &str, bucket: &str| {
            let options: StoreOptions = server.options().into_iter().collect();
            let options = if name.is_empty() { options } else { options.with(name, value) };
            Location::parse(&server.url(bucket, "p"), &options).expect("a location")
        };
        // fake-gcs-server says 500 for a missing bucket: what Google says is in `server_side_canned`.
        if server.scheme() != "gs" {
            check(server, &with("", "", "no-such-bucket-here"), "location-not-found").await;
        }
        let dead = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
        check(server, &server.location_at(dead, &bucket, "p"), "unreachable").await;
        // fake-gcs-server takes any credential.
        let wrong = match server.scheme() {
            "s3" => Some(with("AWS_SECRET_ACCESS_KEY", "wr0ngs3cr3t", &bucket)),
            "az" => Some(with("AZURE_STORAGE_ACCESS_KEY", "d3IwbmdzM2NyM3Q=", &bucket)),
            _ => None,
        };
        if let Some(wrong) = wrong {
            check(server, &wrong, "access-denied").await;
        }
        let right = with("", "", &bucket);
        preflight::source(&right).await.expect("an empty source");
        let answer = preflight::target(&right).await.expect("a target");
        assert!(answer.clock_skew.abs() < chrono::TimeDelta::seconds(10), "{}: {answer:?}", server.name());
        assert_eq!(
            right.list("").await.expect("listed"),
            ObjectTable::default(),
            "{}: a probe was left",
            server.name()
        );
    }
}

async fn check(server: &dyn StoreServer, location: &Location, code: &str) {
    let began = Instant::now();
    let mistake = format!("{}: {code}", server.name());
    let mut errors = vec![preflight::source(location).await.expect_err(&mistake)];
    match preflight::target(location).await {
        Err(error) => errors.push(error),
        // It makes buckets on demand.
        Ok(_) => assert_eq!((server.name(), code), ("in-process S3", "location-not-found"), "a target"),
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{}: {code} took {:?}", server.name(), began.elapsed());
    for error in errors {
        assert_eq!(error.code(), code, "{}: {error}: {:?}", server.name(), std::error::Error::source(&error));
        let text = format!("{error} {error:?}");
        assert!(!text.contains("wr0ngs3cr3t") && !text.contains("d3IwbmdzM2NyM3Q"), "{text}");
    }
}

/// The source is asked for one page and one byte, and never written to.
#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_only_reads_the_source() {
    let server = servers::in_process_s3();
    let bucket = server.fresh_bucket().await;
    server.location(&bucket, "p").put(&key("a"), "content".into()).await.expect("put");
    let proxy = FaultProxy::before(server.address());
    preflight::source(&server.location_at(proxy.address(), &bucket, "p")).await.expect("a source");
    let methods: Vec<_> = proxy.requests().iter().map(|request| request.method.clone()).collect();
    assert_eq!(methods, [Method::GET, Method::GET]);
}

/// object_store cannot hold such a key: the error names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_listed_is_named() {
    let server = servers::in_process_s3();
    let bucket = server.fresh_bucket().await;
    server.location(&bucket, "p").put(&key("n1/x/file"), "content".into()).await.expect("put");
    let proxy = FaultProxy::before(server.address());
    for (odd, shown) in [("n1//file", "n1//file"), ("n1/a&#1;b", "a\\u{1}b"), ("n1/../file", "n1/../file")] {
        let rewrite = move |_: &servers::RequestHead, body: bytes::Bytes| {
            String::from_utf8_lossy(&body).replace("n1/x/file", odd).into()
        };
        proxy.clear();
        proxy.inject(Rule::new(Fault::Rewrite(std::sync::Arc::new(rewrite))).containing("list-type=2").always());
        let location = server.location_at(proxy.address(), &bucket, "p");
        let error = location.list("").await.expect_err(odd);
        assert_eq!(error.code(), "invalid-key", "{odd}: {error}");
        assert!(error.to_string().contains(shown), "{odd}: {error}");
    }
}

/// The chain's answer names who copied: the store where it can, else the stream copier, with the store's refusal.
#[tokio::test(flavor = "multi_thread")]
async fn the_chain_falls_back_to_streaming() {
    use influx_backup_core::{
        copier::{CopyContext, CopyRequest},
        default_copiers,
    };
    let server = servers::in_process_s3();
    let one = server.fresh_bucket().await;
    let two = server.fresh_bucket().await;
    let proxy = FaultProxy::before(server.address());
    let from = server.location_at(proxy.address(), &one, "a");
    let to = server.location_at(proxy.address(), &two, "b");
    let copy = async |copier: &dyn Copier, name: &str| {
        from.put(&key(name), "content".into()).await.expect("put");
        let source = from.head(&key(name)).await.expect("head").expect("there");
        let request = CopyRequest::new(from.clone(), source, to.clone());
        let asked = proxy.requests().len();
        let copied = copier.copy(&request, &CopyContext::default()).await.expect("copied");
        assert_eq!(to.get(&key(name), None).await.expect("read").expect("there"), "content");
        (copied.copier, copied.refused_by, proxy.requests().len() - asked - 1)
    };
    let (copier, refused_by, _) = copy(&*default_copiers(), "x.parquet").await;
    assert_eq!((&*copier, refused_by), ("server-side", None));
    let copiers = default_copiers();
    for name in ["1.parquet", "2.parquet", "3.parquet"] {
        // As if the target's credential could not read the source.
        proxy.inject(Rule::new(Fault::Status(403)).method(Method::PUT).containing(&two));
        let (copier, refused_by, _) = copy(&*copiers, name).await;
        assert_eq!((&*copier, refused_by.as_deref()), ("stream", Some("server-side")));
    }
    let (copier, refused_by, requests) = copy(&*copiers, "4.parquet").await;
    assert_eq!((&*copier, refused_by.as_deref()), ("stream", Some("server-side")));
    assert_eq!(requests, 2, "a store that refused three objects is not asked again: one get, one put");
}

/// What a store gives on HEAD, if anything, equals what the stream copier computes of the same bytes.
#[tokio::test(flavor = "multi_thread")]
async fn checksums_of_the_store_equal_those_of_the_copier() {
    use influx_backup_core::{
        copier::{CopyContext, CopyRequest},
        location::ChecksumMatch,
    };
    let files = tempfile::tempdir().expect("a directory");
    let from = Location::parse(files.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location");
    from.put(&key("x"), vec![7; 300_000].into()).await.expect("put");
    let source = from.head(&key("x")).await.expect("head").expect("there");
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let options: StoreOptions = server.options().into_iter().collect();
        let options = match server.scheme() {
            "s3" => options.with("aws_checksum_algorithm", "crc64nvme"),
            _ => options,
        };
        let to = Location::parse(&server.url(&bucket, "p"), &options).expect("a location");
        let request = CopyRequest::new(from.clone(), source.clone(), to.clone());
        let copied = StreamCopier::default().copy(&request, &CopyContext::default()).await.expect("copied");
        let (_, stored) = to.head_with_checksums(&key("x")).await.expect("head").expect("there");
        assert_eq!(copied.stored.checksums.compare(&stored), ChecksumMatch::Equal, "{}: {stored:?}", server.name());
        to.put(&key("x"), vec![8; 300_000].into()).await.expect("put");
        let (_, stored) = to.head_with_checksums(&key("x")).await.expect("head").expect("there");
        assert_eq!(copied.stored.checksums.compare(&stored), ChecksumMatch::Mismatch, "{}: {stored:?}", server.name());
    }
    let (_, stored) = from.head_with_checksums(&key("x")).await.expect("head").expect("there");
    assert_eq!(stored, Default::default(), "files have none");
}
