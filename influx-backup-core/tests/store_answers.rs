//! What a store answers decides at once: a final answer is neither asked for again by an inner loop nor hidden by a clock.
#![cfg(all(unix, feature = "testing", feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use influx_backup_core::{
    BackupOptions, ByteSize, Copier, DiscoverOptions, Key, Location, Repository,
    copier::{CopyContext, CopyRequest, ServerSideCopier, StreamCopier},
    discover,
    error::{CopyError, ErrorReport},
    location::{ObjectMeta, Version},
    testing::generate::Generate,
};
use servers::{Canned, Fault, FaultProxy, Rule, StoreServer, answer, in_process_s3, write};

/// An answer that no attempt helps takes as long as one request, on a machine that does much else.
const AT_ONCE: Duration = Duration::from_secs(10);

const E_TAG: &str = "\"tag-1\"";

/// A status, its code, and what it is.
type Said = (u16, &'static str, &'static str);

/// What says that there is no room.
const FULL: [Said; 4] = [
    (507, "XMinioStorageFull", "no-space"),
    (507, "", "no-space"),
    (400, "XMinioAdminBucketQuotaExceeded", "no-space"),
    (403, "QuotaExceeded", "no-space"),
];

/// What says that an object cannot be read as it is.
const ARCHIVED: [Said; 2] = [(403, "InvalidObjectState", "object-archived"), (409, "BlobArchived", "object-archived")];

/// What is in no list.
const REJECTED: [Said; 2] = [(418, "", "store-rejected"), (505, "NeverHeardOf", "store-rejected")];

fn refusal(status: u16, code: &str) -> Response<Bytes> {
    let body = if code.is_empty() { String::new() } else { format!("<Error><Code>{code}</Code></Error>") };
    answer(status, &[("x-ms-error-code", code)], body)
}

fn s3(server: &Canned, bucket: &str) -> Location {
    server.s3(&format!("s3://{bucket}/p"))
}

fn azure(server: &Canned, container: &str) -> Location {
    server.azure(&format!("az://{container}/p"), ("azure_storage_access_key", "c2VjcmV0"))
}

fn google(server: &Canned, bucket: &str) -> Location {
    server.google(&format!("gs://{bucket}/p"))
}

fn key() -> Key {
    Key::parse("x.parquet").expect("a key")
}

async fn in_memory(bytes: usize) -> (Location, ObjectMeta) {
    let from = Location::in_memory();
    from.put(&key(), Bytes::from(vec![7; bytes])).await.expect("put");
    let entry = from.head(&key()).await.expect("there").expect("there");
    (from, entry)
}

/// An object of a store that is asked for it.
fn entry(size: u64) -> ObjectMeta {
    let modified = chrono::DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    ObjectMeta::new(key(), size, Version::new(modified).with_e_tag(E_TAG))
}

fn head(size: u64) -> Response<Bytes> {
    let size = size.to_string();
    answer(200, &[("content-length", &size), ("etag", E_TAG), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")], "")
}

fn target(request: &Request<Bytes>) -> &str {
    request.uri().path_and_query().map_or("/", |target| target.as_str())
}

/// Fails with this code, at once, whoever repeats requests.
async fn fails(what: &str, copier: &dyn Copier, request: CopyRequest, code: &str) -> CopyError {
    let began = Instant::now();
    let error = copier.copy(&request, &CopyContext::default()).await.expect_err(what);
    assert_eq!(error.code(), code, "{what}: {error:?}");
    assert!(began.elapsed() < AT_ONCE, "{what} took {:?}", began.elapsed());
    assert!(!error.is_retryable(), "{what}");
    error
}

fn count(server: &Canned, is: impl Fn(&Request<Bytes>) -> bool) -> usize {
    server.requests().iter().filter(|request| is(request)).count()
}

#[tokio::test]
async fn a_put_that_finds_no_room_is_made_once() {
    for (status, code, expected) in FULL.into_iter().chain(REJECTED) {
        for open in [s3, azure, google] {
            let server = Canned::serve(move |_| refusal(status, code));
            let to = open(&server, "b");
            let what = format!("{to}: {status} {code}");
            let (from, entry) = in_memory(100).await;
            let request = CopyRequest::new(from, entry, to.clone());
            fails(&what, &StreamCopier::default(), request, expected).await;
            assert_eq!(count(&server, |request| *request.method() == Method::PUT), 1, "{what}");

            let error = to.put(&key(), "x".into()).await.expect_err(&what);
            assert_eq!((error.code(), error.is_retryable()), (expected, false), "{what}");
            assert!(error.to_string().contains(&to.to_string()) && error.to_string().contains("x.parquet"), "{error}");
            assert_eq!(count(&server, |request| *request.method() == Method::PUT), 2, "{what}");
        }
    }
}

#[tokio::test]
async fn a_part_and_the_end_of_an_upload_find_no_room() {
    for (status, code, expected) in FULL {
        for refused in ["partNumber=1", "POST uploadId="] {
            let what = format!("{refused}: {status} {code}");
            let server = Canned::serve(move |request| {
                let asked = format!("{} {}", request.method(), target(request)).replace("/b/p/x.parquet?", "");
                match (request.method(), target(request)) {
                    (&Method::POST, target) if target.contains("?uploads") => answer(
                        200,
                        &[],
                        "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
                    ),
                    _ if asked.contains(refused) => refusal(status, code),
                    (&Method::DELETE, _) => answer(204, &[], ""),
                    _ => answer(200, &[("etag", E_TAG)], ""),
                }
            });
            let (from, entry) = in_memory(30).await;
            let request = CopyRequest::new(from, entry, s3(&server, "b"));
            let copier = StreamCopier::default()
                .with_threshold(ByteSize(10))
                .with_part_size(ByteSize(10))
                .with_parallel_parts(1);
            fails(&what, &copier, request, expected).await;
        }
    }
}

#[tokio::test]
async fn a_copy_in_the_store_finds_no_room() {
    for (status, code, expected) in FULL {
        let server = Canned::serve(move |request| match *request.method() {
            Method::HEAD => head(100),
            _ => refusal(status, code),
        });
        let request = CopyRequest::new(s3(&server, "from"), entry(100), s3(&server, "to"));
        fails(&format!("{status} {code}"), &ServerSideCopier::default(), request, expected).await;
        assert_eq!(count(&server, |request| *request.method() == Method::PUT), 1, "{status} {code}");
    }
}

#[tokio::test]
async fn an_archived_object_is_named_at_once() {
    for (status, code, expected) in ARCHIVED {
        let what = format!("{status} {code}");
        let server = Canned::serve(move |request| match *request.method() {
            Method::HEAD => head(100),
            _ => refusal(status, code),
        });
        for from in [s3(&server, "from"), azure(&server, "from")] {
            let request = CopyRequest::new(from, entry(100), Location::in_memory());
            let error = fails(&what, &StreamCopier::default(), request, expected).await;
            assert!(error.advice().contains("bring it back"), "{}", error.advice());
        }
    }
}

/// The store copies all others.
#[tokio::test]
async fn one_archived_object_turns_no_copies_off() {
    let copier = ServerSideCopier::default();
    let server = Canned::serve(|request| match *request.method() {
        Method::HEAD => head(100),
        _ if target(request).contains("archived") => refusal(403, "InvalidObjectState"),
        _ => answer(200, &[], "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>"),
    });
    for number in 0..5 {
        let archived = Key::parse(format!("archived-{number}")).expect("a key");
        let request = CopyRequest::new(s3(&server, "from"), entry(100), s3(&server, "to")).with_target(archived);
        fails("archived", &copier, request, "object-archived").await;
    }
    let request = CopyRequest::new(s3(&server, "from"), entry(100), s3(&server, "to"));
    let copied = copier.copy(&request, &CopyContext::default()).await.expect("copied");
    assert_eq!(copied.copier, "server-side");
}

/// A whole run: what was found before the first copy does not help.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_to_a_bucket_that_becomes_full_ends_at_once() {
    let (report, vault) = refused_backup(Fault::Status(507)).await;
    assert_eq!((report.code.as_str(), report.retryable), ("no-space", false), "{report:?}");
    assert!(report.location.as_deref().is_some_and(|location| location.starts_with(&vault.to_string())), "{report:?}");
    assert!(report.key.as_deref().is_some_and(|key| key.contains("/dbs/")), "{report:?}");
    assert!(report.message.contains(&format!("to `{vault}")), "which place is full: {}", report.message);
    assert!(report.causes.iter().any(|cause| cause.contains("507 XMinioStorageFull")), "{report:?}");
}

/// What does not exist is not the object that is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_to_a_bucket_that_is_deleted_names_the_bucket() {
    for (status, code) in [(404, "NoSuchBucket"), (404, "ContainerNotFound"), (409, "ContainerBeingDeleted")] {
        let (report, vault) = refused_backup(Fault::Answer(status, code, "It does not exist.")).await;
        assert_eq!(report.code, "location-not-found", "{code}: {report:?}");
        assert!(report.message.contains(&vault.to_string()), "{code}: {}", report.message);
    }
}

/// The error of a backup whose Parquet files the store answers in this way, and its repository.
async fn refused_backup(answer: Fault) -> (ErrorReport, Location) {
    let server = in_process_s3();
    let bucket = server.fresh_bucket().await;
    write(&Generate::core("n1").snapshots(1).files_per_snapshot(1), &server.location(&bucket, "cluster")).await;
    let files = server.location(&bucket, "cluster").list("n1/dbs").await.expect("listed").len();
    let proxy = FaultProxy::before(server.address());
    let answered = proxy.inject(Rule::new(answer).method(Method::PUT).containing("/dbs/").always());
    let cluster = discover(&server.location(&bucket, "cluster"), &DiscoverOptions::default()).await.expect("a cluster");
    let vault = server.location_at(proxy.address(), &bucket, "vault");
    let began = Instant::now();
    let backup = Repository::open(vault.clone()).await.expect("opened").backup(&cluster, BackupOptions::default());
    let report = backup.await.expect_err("refused").report();
    assert!((1..=files).contains(&answered.count()), "each at most once: {}", answered.count());
    assert!(began.elapsed() < AT_ONCE * 3, "it took {:?}", began.elapsed());
    (report, vault)
}

/// The client of the object_store crate repeats a request that is answered so; the last answer is what is reported.
#[tokio::test]
async fn an_answer_is_not_hidden_by_a_clock() {
    let asked = AtomicUsize::new(0);
    let server = Canned::serve(move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_secs(6));
        }
        refusal(503, "SlowDownRead")
    });
    let mut context = CopyContext::default();
    context.stall_timeout = Duration::from_secs(3);
    let request = CopyRequest::new(s3(&server, "b"), entry(100), Location::in_memory());
    let error = StreamCopier::default().copy(&request, &context).await.expect_err("503");
    assert_eq!((error.code(), error.is_retryable()), ("throttled", true), "{error:?}");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains("503") && cause.contains("SlowDownRead"), "{cause}");

    let silent = Canned::serve(|_| {
        std::thread::sleep(Duration::from_secs(6));
        refusal(503, "SlowDownRead")
    });
    let request = CopyRequest::new(s3(&silent, "b"), entry(100), Location::in_memory());
    let error = StreamCopier::default().copy(&request, &context).await.expect_err("silent");
    assert_eq!(error.code(), "stalled", "nothing was answered");
}
