//! Copiers keep their contract from and to each store; locations say what is wrong with them within seconds.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::time::{Duration, Instant};

use http::Method;
use influx_backup_core::{
    ByteSize, Copier, Key, Location, Options,
    copier::{ServerSideCopier, StreamCopier},
    preflight,
    testing::conformance::{copier_conformance, server_side_conformance},
};
use servers::{Fault, FaultProxy, Rule, StoreServer};

/// S3 refuses smaller parts, the other servers take any.
fn least_part(server: &dyn StoreServer) -> ByteSize {
    if server.scheme() == "s3" { ByteSize::mib(5) } else { ByteSize(64 << 10) }
}

fn key(name: &str) -> Key {
    Key::parse(name).expect("a key")
}

fn stream(part: ByteSize) -> StreamCopier {
    StreamCopier::default().with_threshold(part).with_part_size(part)
}

/// From and to files, and within the store; nothing is left of the uploads that were stopped.
async fn streams(server: &dyn StoreServer) {
    let files = tempfile::tempdir().expect("a directory");
    let file = |name: &str| {
        let path = files.path().join(name);
        Location::parse(path.to_str().expect("UTF-8"), &Options::default()).expect("a location")
    };
    let (one, two) = (server.fresh_bucket().await, server.fresh_bucket().await);
    let part = least_part(server);
    copier_conformance(&stream(part), &file("from"), &server.location(&one, "of files"), part).await;
    let small = ByteSize(64 << 10);
    copier_conformance(&stream(small), &server.location(&two, "to files"), &file("to"), small).await;
    copier_conformance(&stream(part), &server.location(&one, "within"), &server.location(&two, "ü within"), part).await;
    for bucket in [one, two] {
        assert_nothing_left(server, &bucket).await;
    }
}

async fn copies_itself(server: &dyn StoreServer) {
    let (one, two) = (server.fresh_bucket().await, server.fresh_bucket().await);
    let part = least_part(server);
    let copier = ServerSideCopier::default().with_threshold(part).with_part_size(part).with_parallel_parts(1);
    let from = server.location(&one, "from here");
    server_side_conformance(&copier, &from, &server.location(&two, "to there"), part).await;
    server_side_conformance(&copier, &from, &server.location(&one, "within"), part).await;
    for bucket in [one, two] {
        assert_nothing_left(server, &bucket).await;
    }
}

/// Aborts go on in the background for a moment.
async fn assert_nothing_left(server: &dyn StoreServer, bucket: &str) {
    let began = Instant::now();
    loop {
        let left = server.leftovers(bucket).await;
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{}: {left:?}", server.name());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_in_process_s3() {
    streams(servers::in_process_s3()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_minio() {
    let Some(server) = servers::minio() else { return };
    streams(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_azurite() {
    let Some(server) = servers::azurite() else { return };
    streams(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_fake_gcs() {
    let Some(server) = servers::fake_gcs() else { return };
    streams(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_s3_copies_itself() {
    copies_itself(servers::in_process_s3()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn minio_copies_itself() {
    let Some(server) = servers::minio() else { return };
    copies_itself(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azurite_copies_itself() {
    let Some(server) = servers::azurite() else { return };
    copies_itself(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fake_gcs_copies_itself() {
    let Some(server) = servers::fake_gcs() else { return };
    copies_itself(server).await;
}

/// One more than two pages of 1,000 keys; Azurite's page of 5,000 is met by asking it for less in `servers_selftest`.
#[tokio::test(flavor = "multi_thread")]
async fn listings_over_a_page_boundary() {
    use futures::{StreamExt, TryStreamExt};
    const OBJECTS: usize = 2_001;
    for server in servers::all() {
        let location = server.location(&server.fresh_bucket().await, "pages");
        let puts = (0..OBJECTS).map(|number| {
            let location = location.clone();
            async move { location.put(&key(&format!("n1/wal/{number:011}.wal")), "x".into()).await }
        });
        futures::stream::iter(puts).buffer_unordered(32).try_for_each(|_| async { Ok(()) }).await.expect("put");
        let listed = location.list("").await.expect("listed");
        assert_eq!(listed.len(), OBJECTS, "{}", server.name());
        assert!(listed.windows(2).all(|pair| pair[0].key < pair[1].key), "{}: order", server.name());
        assert_eq!(location.list_parallel("n1").await.expect("listed").len(), OBJECTS, "{}", server.name());
    }
}

/// Each mistake has an error of its own, within seconds, and none says the credential.
#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_said_within_seconds() {
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let with = |name: &str, value: &str, bucket: &str| {
            let options: Options = server.options().into_iter().collect();
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
        assert_eq!(right.list("").await.expect("listed"), [], "{}: a probe was left", server.name());
    }
}

async fn check(server: &dyn StoreServer, location: &Location, code: &str) {
    let (began, mistake) = (Instant::now(), format!("{}: {code}", server.name()));
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

/// The chain's answer says who copied: the store where it can, else we.
#[tokio::test(flavor = "multi_thread")]
async fn the_chain_falls_back_to_streaming() {
    use influx_backup_core::{
        copier::{CopyContext, CopyRequest},
        default_copiers,
        plan::Route,
    };
    let server = servers::in_process_s3();
    let (one, two) = (server.fresh_bucket().await, server.fresh_bucket().await);
    let proxy = FaultProxy::before(server.address());
    let (from, to) = (server.location_at(proxy.address(), &one, "a"), server.location_at(proxy.address(), &two, "b"));
    from.put(&key("x.parquet"), "content".into()).await.expect("put");
    let source = from.head(&key("x.parquet")).await.expect("head").expect("there");
    let request = CopyRequest::new(from, source, to.clone(), Route::Any);
    let copy = async |copier: &dyn Copier| copier.copy(&request, &CopyContext::default()).await.expect("copied").copier;
    assert_eq!(copy(&*default_copiers()).await, "server-side");
    // As if the target's credential could not read the source.
    proxy.inject(Rule::new(Fault::Status(403)).method(Method::PUT));
    let copiers = default_copiers();
    assert_eq!(copy(&*copiers).await, "stream");
    let asked = proxy.requests().len();
    assert_eq!(copy(&*copiers).await, "stream");
    assert_eq!(proxy.requests().len() - asked, 2, "a store that said no is not asked again: one get, one put");
    assert_eq!(to.get(&key("x.parquet"), None).await.expect("read").expect("there"), "content");
}

/// What a store gives on HEAD is what we make of the same bytes, where it gives anything.
#[tokio::test(flavor = "multi_thread")]
async fn checksums_of_the_store_are_ours() {
    use influx_backup_core::{
        copier::{CopyContext, CopyRequest},
        location::Agreement,
        plan::Route,
    };
    let files = tempfile::tempdir().expect("a directory");
    let from = Location::parse(files.path().to_str().expect("UTF-8"), &Options::default()).expect("a location");
    from.put(&key("x"), vec![7; 300_000].into()).await.expect("put");
    let source = from.head(&key("x")).await.expect("head").expect("there");
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let options: Options = server.options().into_iter().collect();
        let options = match server.scheme() {
            "s3" => options.with("aws_checksum_algorithm", "crc64nvme"),
            _ => options,
        };
        let to = Location::parse(&server.url(&bucket, "p"), &options).expect("a location");
        let request = CopyRequest::new(from.clone(), source.clone(), to.clone(), Route::Any);
        let copied = StreamCopier::default().copy(&request, &CopyContext::default()).await.expect("copied");
        let (_, stored) = to.head_with_checksums(&key("x")).await.expect("head").expect("there");
        assert_eq!(copied.checksums.compare(&stored), Agreement::Same, "{}: {stored:?}", server.name());
        to.put(&key("x"), vec![8; 300_000].into()).await.expect("put");
        let (_, stored) = to.head_with_checksums(&key("x")).await.expect("head").expect("there");
        assert_eq!(copied.checksums.compare(&stored), Agreement::Different, "{}: {stored:?}", server.name());
    }
    let (_, stored) = from.head_with_checksums(&key("x")).await.expect("head").expect("there");
    assert_eq!(stored, Default::default(), "files have none");
}
