//! The servers of `tests/servers` do what other tests rely on: they start, store, list page by page, show leftover
//! uploads; the fault proxy injects each of its faults; the shim of fake-gcs-server translates.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method, Response, StatusCode};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, CopyMode, CopyOptions, Error, GetOptions, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, RetryConfig,
};
use servers::{
    Azurite, Canned, FakeGcs, Fault, FaultProxy, GcsShim, InProcessS3, RequestHead, Rule, StoreServer, answer,
};

/// Keys as InfluxDB has them, and ones that clients like to encode once too often.
const KEYS: [&str; 4] = ["n1/wal/00000000001.wal", "n1/sp ace.parquet", "n1/ümläut.parquet", "n1/100%.parquet"];

fn path(key: &str) -> Path {
    Path::parse(key).expect("a valid key")
}

async fn keys(store: &dyn ObjectStore) -> Vec<String> {
    let mut keys: Vec<String> =
        store.list(None).map_ok(|object| object.location.to_string()).try_collect().await.expect("a listing");
    keys.sort();
    keys
}

/// Put, get, ranged get, list, create-only, delete.
async fn stores_objects(server: &dyn StoreServer) {
    let store = server.store(&server.fresh_bucket().await);
    for key in KEYS {
        store.put(&path(key), PutPayload::from(key)).await.expect("a put");
    }
    let mut expected = KEYS.map(str::to_owned);
    expected.sort();
    assert_eq!(keys(&store).await, expected, "{}", server.name());
    for key in KEYS {
        let object = store.get(&path(key)).await.expect("a get").bytes().await.expect("a body");
        assert_eq!(object, key.as_bytes(), "{}: {key}", server.name());
        assert_eq!(store.get_range(&path(key), 3..6).await.expect("a range"), key.as_bytes()[3..6]);
    }

    let create = PutOptions::from(PutMode::Create);
    let again = store.put_opts(&path(KEYS[0]), "other".into(), create.clone()).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{}: {again:?}", server.name());
    let kept = store.get(&path(KEYS[0])).await.expect("a get").bytes().await.expect("a body");
    assert_eq!(kept, KEYS[0].as_bytes(), "{}", server.name());
    store.put_opts(&path("new"), "new".into(), create).await.expect("a create-only put of a new key");

    store.delete(&path("new")).await.expect("a delete");
    let gone = store.get(&path("new")).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{}: {gone:?}", server.name());
    store.copy(&path(KEYS[0]), &path("copy")).await.expect("a copy within the bucket");
    let copy = store.get(&path("copy")).await.expect("a get").bytes().await.expect("a body");
    assert_eq!(copy, KEYS[0].as_bytes(), "{}", server.name());
}

/// An upload that is dropped is listed until someone ends it; a completed one is not.
async fn lists_leftovers(server: &dyn StoreServer) {
    let bucket = server.fresh_bucket().await;
    let store = server.store(&bucket);
    let part = PutPayload::from(Bytes::from(vec![7_u8; 5 << 20]));

    let mut done = store.put_multipart(&path("n1/done")).await.expect("an upload");
    done.put_part(part.clone()).await.expect("a part");
    done.put_part("tail".into()).await.expect("a last part");
    done.complete().await.expect("a completed upload");
    assert_eq!(store.head(&path("n1/done")).await.expect("a head").size, (5 << 20) + 4, "{}", server.name());
    assert_eq!(server.leftovers(&bucket).await, [], "{}", server.name());

    let mut dropped = store.put_multipart(&path("n1/dropped ü")).await.expect("an upload");
    dropped.put_part(part).await.expect("a part");
    drop(dropped);
    let leftovers = server.leftovers(&bucket).await;
    assert_eq!(leftovers.len(), 1, "{}: {leftovers:?}", server.name());
    assert_eq!(leftovers[0].key, "n1/dropped ü", "{}", server.name());
    assert_eq!(keys(&store).await, ["n1/done"], "{}", server.name());
    let other = server.fresh_bucket().await;
    assert_eq!(server.leftovers(&other).await, [], "{}: another bucket", server.name());
}

/// An aborted upload leaves nothing; not on Azure, which has no abort.
async fn aborts_uploads(server: &dyn StoreServer) {
    let bucket = server.fresh_bucket().await;
    let store = server.store(&bucket);
    let mut upload = store.put_multipart(&path("n1/aborted")).await.expect("an upload");
    upload.put_part("part".into()).await.expect("a part");
    assert_eq!(server.leftovers(&bucket).await.len(), 1, "{}", server.name());
    upload.abort().await.expect("an abort");
    assert_eq!(server.leftovers(&bucket).await, [], "{}", server.name());
}

/// One listing that takes more than one request: S3 servers, and the shim as Google, give 1,000 keys at a time.
async fn lists_over_a_page_boundary(server: &dyn StoreServer) {
    let count = 1_001;
    let bucket = server.fresh_bucket().await;
    let proxy = FaultProxy::before(server.address());
    let store = server.store(&bucket);
    let key = |number: usize| path(&format!("n1/{number:06}"));
    futures::stream::iter(0..count)
        .map(|number| {
            let store = Arc::clone(&store);
            async move { store.put(&key(number), "x".into()).await }
        })
        .buffer_unordered(16)
        .try_collect::<Vec<_>>()
        .await
        .expect("the puts");
    let listed = keys(&server.store_at(proxy.address(), &bucket)).await;
    assert_eq!(listed, (0..count).map(|number| key(number).to_string()).collect::<Vec<_>>(), "{}", server.name());
    let pages = proxy.requests().len();
    assert!(pages > 1, "{}: {count} keys in {pages} page", server.name());
}

/// Shown by each run, so that a server that has become slow to start is seen.
fn report_start(name: &str, started_in: Duration) {
    writeln!(std::io::stderr(), "{name} started in {started_in:?}").ok();
}

#[tokio::test]
async fn in_process_s3_stores_objects() {
    stores_objects(servers::in_process_s3()).await;
    lists_leftovers(servers::in_process_s3()).await;
    aborts_uploads(servers::in_process_s3()).await;
}

#[tokio::test]
async fn in_process_s3_lists_over_a_page_boundary() {
    lists_over_a_page_boundary(servers::in_process_s3()).await;
}

#[tokio::test]
async fn in_process_s3_refuses_a_wrong_key() {
    let server = servers::in_process_s3();
    let bucket = server.fresh_bucket().await;
    let builder = server.account().builder(server.address(), &bucket).with_secret_access_key("wrong");
    let refused = builder.build().expect("a client").put(&path("a"), "a".into()).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{refused:?}");
}

#[tokio::test]
async fn minio_stores_objects() {
    let Some(server) = servers::minio() else { return };
    report_start(server.name(), server.started_in());
    stores_objects(server).await;
    lists_leftovers(server).await;
    aborts_uploads(server).await;
}

#[tokio::test]
async fn minio_lists_over_a_page_boundary() {
    let Some(server) = servers::minio() else { return };
    lists_over_a_page_boundary(server).await;
}

#[tokio::test]
async fn azurite_stores_objects() {
    let Some(server) = servers::azurite() else { return };
    report_start(server.name(), server.started_in());
    stores_objects(server).await;
    lists_leftovers(server).await;
}

/// Its own pages have 5,000 keys, which takes ten seconds to fill; smaller ones are had by asking.
#[tokio::test]
async fn azurite_lists_over_a_page_boundary() {
    let Some(server) = servers::azurite() else { return };
    let store = Azurite::client(server.address(), &server.fresh_bucket().await);
    for key in ["a", "b", "c"] {
        store.put(&path(key), key.into()).await.expect("a put");
    }
    let mut pages = Vec::new();
    let mut page_token = None;
    loop {
        let options = PaginatedListOptions { max_keys: Some(2), page_token, ..PaginatedListOptions::default() };
        let page = store.list_paginated(None, options).await.expect("a page");
        pages.push(page.result.objects.iter().map(|object| object.location.to_string()).collect::<Vec<_>>());
        page_token = page.page_token;
        if page_token.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec!["a", "b"], vec!["c"]]);
}

#[tokio::test]
async fn fake_gcs_stores_objects() {
    let Some(server) = servers::fake_gcs() else { return };
    report_start(server.name(), server.started_in());
    stores_objects(server).await;
    lists_leftovers(server).await;
    aborts_uploads(server).await;
}

/// What stands before Google's storage testbench where there is one: the same server, read by the JSON API alone.
#[tokio::test]
async fn fake_gcs_is_read_by_json_alone() {
    let Some(server) = servers::fake_gcs() else { return };
    let json = FakeGcs::testbench(server.direct_address());
    stores_objects(&json).await;
    lists_leftovers(&json).await;
    lists_over_a_page_boundary(&json).await;
    let (bucket, key) = (json.fresh_bucket().await, path("n1/ümläut & <100%>"));
    let attributes =
        Attributes::from_iter([(Attribute::ContentType, "text/plain"), (Attribute::Metadata("owner".into()), "n1")]);
    let options = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
    let put = json.store(&bucket).put_opts(&key, "content".into(), options).await.expect("a put");
    let by_xml = server.store(&bucket).get(&key).await.expect("a get");
    let by_json = json.store(&bucket).get(&key).await.expect("a get");
    assert_eq!((&by_json.meta, &by_json.attributes), (&by_xml.meta, &by_xml.attributes));
    assert_eq!((&by_json.meta.version, &by_json.attributes), (&put.version, &attributes));
    let head = json.store(&bucket).head(&key).await.expect("a head");
    assert_eq!(head, by_json.meta);
    let listed: Vec<_> = json.store(&bucket).list(None).try_collect().await.expect("a listing");
    assert_eq!(listed[0].location, key);
    assert_eq!(
        listed[0].e_tag.as_ref().map(|tag| tag.trim_matches('"').to_owned()),
        head.e_tag.map(|tag| tag.trim_matches('"').to_owned())
    );
    let other = GetOptions { if_match: Some("other".into()), ..GetOptions::default() };
    let refused = json.store(&bucket).get_opts(&key, other).await;
    assert!(matches!(refused, Err(Error::Precondition { .. })), "{refused:?}");
}

#[tokio::test]
async fn fake_gcs_lists_over_a_page_boundary() {
    let Some(server) = servers::fake_gcs() else { return };
    lists_over_a_page_boundary(server).await;
}

#[tokio::test]
async fn options_have_the_names_of_influxdb() {
    for server in servers::all() {
        let options = server.options();
        let address = server.address().to_string();
        let names: Vec<&str> = options.keys().map(String::as_str).collect();
        match server.scheme() {
            "s3" => {
                let expected = ["ACCESS_KEY_ID", "ALLOW_HTTP", "DEFAULT_REGION", "ENDPOINT", "SECRET_ACCESS_KEY"];
                assert_eq!(names, expected.map(|name| format!("AWS_{name}")));
                assert_eq!(options["AWS_ENDPOINT"], format!("http://{address}"));
            }
            "az" => {
                let expected = ["ALLOW_HTTP", "ENDPOINT", "STORAGE_ACCESS_KEY", "STORAGE_ACCOUNT"];
                assert_eq!(names, expected.map(|name| format!("AZURE_{name}")));
                assert!(options["AZURE_ENDPOINT"].contains(&address));
            }
            _ => {
                assert_eq!(names, ["GOOGLE_ALLOW_HTTP", "GOOGLE_SERVICE_ACCOUNT"]);
                let file = std::fs::read_to_string(&options["GOOGLE_SERVICE_ACCOUNT"]).expect("the credentials file");
                assert!(file.contains(&address));
            }
        }
    }
}

#[tokio::test]
async fn shim_works_as_a_connector() {
    let Some(server) = servers::fake_gcs() else { return };
    let bucket = server.fresh_bucket().await;
    let shim = GcsShim::default();
    let store = FakeGcs::builder(server.direct_address(), &bucket).with_http_connector(shim.clone());
    let store = store.build().expect("a client of a GCS bucket");

    let attributes =
        Attributes::from_iter([(Attribute::ContentType, "text/plain"), (Attribute::Metadata("owner".into()), "n1")]);
    let options = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
    let put = store.put_opts(&path("a/ü %"), "content".into(), options).await.expect("a put");
    let got = store.get(&path("a/ü %")).await.expect("a get");
    assert_eq!(got.attributes, attributes);
    assert_eq!(got.meta.version, put.version);
    assert!(put.version.is_some_and(|generation| generation.parse::<u64>().is_ok()));
    let stale = store.get_opts(&path("a/ü %"), GetOptions { version: Some("1".into()), ..GetOptions::default() }).await;
    assert!(matches!(stale, Err(Error::NotFound { .. })), "{stale:?}");

    let options = PutMultipartOptions { attributes: attributes.clone(), ..PutMultipartOptions::default() };
    let mut upload = store.put_multipart_opts(&path("parts"), options).await.expect("an upload");
    upload.put_part("one ".into()).await.expect("a part");
    upload.put_part("two".into()).await.expect("a part");
    assert_eq!(shim.leftovers(&bucket).len(), 1);
    assert_eq!(server.leftovers(&bucket).await, [], "the server's own shim has not seen this upload");
    upload.complete().await.expect("a completed upload");
    let got = store.get(&path("parts")).await.expect("a get");
    assert_eq!(got.attributes, attributes);
    assert_eq!(got.bytes().await.expect("a body"), "one two");
}

/// What the server would get wrong is an error, not a wrong success.
#[tokio::test]
async fn shim_refuses_a_conditional_copy() {
    let Some(server) = servers::fake_gcs() else { return };
    let store = server.store(&server.fresh_bucket().await);
    store.put(&path("a"), "a".into()).await.expect("a put");
    let options = CopyOptions::new().with_mode(CopyMode::Create);
    let refused = store.copy_opts(&path("a"), &path("b"), options).await;
    assert!(refused.is_err());
    assert_eq!(keys(&store).await, ["a"]);
}

/// Of many create-only puts through the shim exactly one wins, which older servers got wrong.
#[tokio::test]
async fn create_only_has_one_winner() {
    for server in servers::all() {
        let store = server.store(&server.fresh_bucket().await);
        let attempts =
            futures::stream::iter(0..16).map(|number: usize| {
                let store = Arc::clone(&store);
                async move {
                    store.put_opts(&path("claim"), vec![number as u8].into(), PutMode::Create.into()).await.is_ok()
                }
            });
        let wins: Vec<bool> = attempts.buffer_unordered(16).collect().await;
        let winners = wins.iter().filter(|won| **won).count();
        assert_eq!(winners, 1, "{}", server.name());
    }
}

/// A server of its own with one object of 100,000 bytes, a proxy before it, and clients with and without retries.
struct Behind {
    proxy: FaultProxy,
    server: InProcessS3,
    bucket: String,
}

const SIZE: usize = 100_000;

impl Behind {
    async fn new() -> Self {
        let server = InProcessS3::start();
        let bucket = server.fresh_bucket().await;
        server.store(&bucket).put(&path("object"), content().into()).await.expect("a put");
        Self { proxy: FaultProxy::before(server.address()), server, bucket }
    }

    fn store(&self, retries: usize) -> impl ObjectStore + use<> {
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(10),
            max_backoff: Duration::from_millis(20),
            ..BackoffConfig::default()
        };
        let retry = RetryConfig { max_retries: retries, backoff, ..RetryConfig::default() };
        let builder = self.server.account().builder(self.proxy.address(), &self.bucket).with_retry(retry);
        builder.build().expect("a client")
    }

    async fn read(&self, retries: usize) -> object_store::Result<Bytes> {
        self.store(retries).get(&path("object")).await?.bytes().await
    }

    /// The object by one plain request, and what became of the connection.
    async fn raw(&self) -> (Vec<u8>, Result<(), std::io::Error>) {
        use object_store::signer::Signer;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let client = self.server.account().client(self.proxy.address(), &self.bucket);
        let url = client.signed_url(Method::GET, &path("object"), Duration::from_secs(60)).await.expect("a signed URL");
        let target = &url[url::Position::BeforePath..];
        let mut stream = tokio::net::TcpStream::connect(self.proxy.address()).await.expect("a connection");
        let request = format!("GET {target} HTTP/1.1\r\nhost: {}\r\n\r\n", self.proxy.address());
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer).await.map(drop);
        (answer, end)
    }
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|index| (index % 251) as u8).collect()
}

/// Header lines and body of a raw answer.
fn split(answer: &[u8]) -> (String, &[u8]) {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of the head");
    (String::from_utf8_lossy(&answer[..end]).to_lowercase(), &answer[end + 4..])
}

#[tokio::test]
async fn proxy_passes_everything_on() {
    let behind = Behind::new().await;
    assert_eq!(behind.read(0).await.expect("a get"), content());
    let store = behind.store(0);
    store.put(&path("other"), content().into()).await.expect("a put");
    assert_eq!(store.head(&path("other")).await.expect("a head").size, SIZE as u64);
    assert_eq!(keys(&store).await, ["object", "other"]);
    store.delete(&path("other")).await.expect("a delete");
    assert_eq!(behind.proxy.requests().len(), 5);
}

#[tokio::test]
async fn proxy_answers_503_in_bursts() {
    let behind = Behind::new().await;
    let burst = behind.proxy.inject(Rule::new(Fault::Status(503)).method(Method::GET).times(3));
    assert!(behind.read(0).await.is_err());
    assert_eq!(behind.read(5).await.expect("a get after the burst"), content());
    assert_eq!(burst.count(), 3);

    // A put that never reached the server.
    let lost = behind.proxy.inject(Rule::new(Fault::Status(503)).method(Method::PUT));
    assert!(behind.store(0).put(&path("big"), vec![0; 1 << 20].into()).await.is_err());
    assert_eq!(lost.count(), 1);
    assert_eq!(keys(&behind.server.store(&behind.bucket)).await, ["object"]);
}

#[tokio::test]
async fn proxy_skips_and_chooses() {
    let behind = Behind::new().await;
    let rule = Rule::new(Fault::Status(503)).containing("/object").skip(1).always();
    let struck = behind.proxy.inject(rule);
    keys(&behind.store(0)).await;
    assert_eq!(behind.read(0).await.expect("the first get passes"), content());
    assert!(behind.read(0).await.is_err());
    assert!(behind.read(0).await.is_err());
    assert_eq!(struck.count(), 2);
    behind.proxy.clear();
    assert_eq!(behind.read(0).await.expect("no rules any more"), content());
}

#[tokio::test]
async fn proxy_resets_before_the_server_sees_a_request() {
    let behind = Behind::new().await;
    behind.proxy.inject(Rule::new(Fault::ResetRequest).method(Method::PUT));
    assert!(behind.store(0).put(&path("lost"), "x".into()).await.is_err());
    assert_eq!(keys(&behind.server.store(&behind.bucket)).await, ["object"]);
}

#[tokio::test]
async fn proxy_loses_an_answer_after_the_server_did_the_work() {
    let behind = Behind::new().await;
    behind.proxy.inject(Rule::new(Fault::LoseAnswer).method(Method::PUT));
    assert!(behind.store(0).put(&path("done"), "x".into()).await.is_err());
    assert_eq!(keys(&behind.server.store(&behind.bucket)).await, ["done", "object"]);
}

#[tokio::test]
async fn proxy_resets_in_the_middle_of_a_body() {
    let behind = Behind::new().await;
    behind.proxy.inject(Rule::new(Fault::ResetAfter(40_000)));
    let (answer, end) = behind.raw().await;
    assert_eq!(split(&answer).1, &content()[..40_000]);
    assert_eq!(end.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);

    let reset = behind.proxy.inject(Rule::new(Fault::ResetAfter(40_000)));
    assert_eq!(behind.read(3).await.expect("a resumed get"), content());
    assert_eq!(reset.count(), 1);
}

#[tokio::test]
async fn proxy_truncates_a_body() {
    let behind = Behind::new().await;
    behind.proxy.inject(Rule::new(Fault::TruncateAfter(40_000)));
    let (answer, end) = behind.raw().await;
    let (head, body) = split(&answer);
    assert!(head.contains(&format!("content-length: {SIZE}")), "{head}");
    assert_eq!(body, &content()[..40_000]);
    end.expect("an orderly end");

    behind.proxy.inject(Rule::new(Fault::TruncateAfter(40_000)));
    assert!(behind.read(0).await.is_err());
}

#[tokio::test]
async fn proxy_claims_another_length() {
    let behind = Behind::new().await;
    behind.proxy.inject(Rule::new(Fault::ClaimLength(-1_000)));
    assert_eq!(behind.read(0).await.expect("a get that looks well"), content()[..SIZE - 1_000]);
    behind.proxy.inject(Rule::new(Fault::ClaimLength(1_000)));
    assert!(behind.read(0).await.is_err());
    behind.proxy.inject(Rule::new(Fault::ClaimLength(7)).method(Method::HEAD));
    assert_eq!(behind.store(0).head(&path("object")).await.expect("a head").size, SIZE as u64 + 7);
}

#[tokio::test]
async fn proxy_drips_and_stalls() {
    let behind = Behind::new().await;
    let pause = Duration::from_millis(20);
    for fault in [Fault::Drip { bytes: SIZE / 10, pause }, Fault::StallAfter { bytes: 1, pause: pause * 10 }] {
        behind.proxy.inject(Rule::new(fault.clone()));
        let began = Instant::now();
        assert_eq!(behind.read(0).await.expect("a slow get"), content(), "{fault:?}");
        assert!(began.elapsed() >= pause * 9, "{fault:?} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn proxy_rewrites_a_list_page() {
    let behind = Behind::new().await;
    behind.store(0).put(&path("other"), "x".into()).await.expect("a put");
    let forget = |_: &RequestHead, body: Bytes| {
        let text = String::from_utf8_lossy(&body).replace("<Key>other</Key>", "<Key>object</Key>");
        Bytes::from(text)
    };
    let rewritten = behind.proxy.inject(Rule::new(Fault::Rewrite(Arc::new(forget))).containing("list-type=2"));
    assert_eq!(keys(&behind.store(0)).await, ["object", "object"]);
    assert_eq!(rewritten.count(), 1);
    assert_eq!(keys(&behind.store(0)).await, ["object", "other"]);
}

#[tokio::test]
async fn proxy_goes_down_and_comes_back() {
    let behind = Behind::new().await;
    behind.proxy.down().await;
    let refused = tokio::net::TcpStream::connect(behind.proxy.address()).await.expect_err("no listener");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(behind.read(0).await.is_err());
    behind.proxy.up().await;
    assert_eq!(behind.read(0).await.expect("a get"), content());

    // Dies in the middle of an answer.
    behind.proxy.inject(Rule::new(Fault::StallAfter { bytes: 1_000, pause: Duration::from_secs(60) }));
    let object = behind.store(0).get(&path("object")).await.expect("the head of an answer");
    behind.proxy.down().await;
    assert!(object.bytes().await.is_err());
}

#[tokio::test]
async fn proxy_works_before_each_server() {
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let proxy = FaultProxy::before(server.address());
        let store = server.store_at(proxy.address(), &bucket);
        let flaky = proxy.inject(Rule::new(Fault::Status(503)).times(2));
        store.put(&path("ü %"), content().into()).await.expect("a put");
        let read = store.get(&path("ü %")).await.expect("a get").bytes().await.expect("a body");
        assert_eq!(read, content(), "{}", server.name());
        assert_eq!(keys(&store).await, ["ü %"], "{}", server.name());
        assert_eq!(flaky.count(), 2, "{}", server.name());
    }
}

#[tokio::test]
async fn canned_answers_come_in_order() {
    let server = Canned::script([answer(200, &[("x-step", "1")], "one"), answer(404, &[], "two")]);
    let get = |target: &str| {
        let url = format!("{}{target}", server.endpoint());
        async move { servers::send(Method::POST, &url, HeaderMap::new(), "q").await }
    };
    let first: Response<Bytes> = get("/a?x=1").await;
    assert_eq!((first.status(), &first.headers()["x-step"]), (StatusCode::OK, &"1".parse().expect("a value")));
    assert_eq!(first.body(), "one");
    assert_eq!(get("/b").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get("/c").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let seen: Vec<String> =
        server.requests().iter().map(|request| format!("{} {}", request.method(), request.uri())).collect();
    assert_eq!(seen, ["POST /a?x=1", "POST /b", "POST /c"]);
    assert_eq!(server.requests()[0].body(), "q");
}

#[tokio::test]
async fn canned_answers_depend_on_the_request() {
    let server = Canned::serve(|request| {
        let counts: BTreeMap<_, _> = [("/a", "A"), ("/b", "B")].into();
        answer(200, &[], *counts.get(request.uri().path()).unwrap_or(&"?"))
    });
    for (target, body) in [("/b", "B"), ("/a", "A"), ("/c", "?")] {
        let url = format!("{}{target}", server.endpoint());
        assert_eq!(servers::send(Method::GET, &url, HeaderMap::new(), "").await.body(), body);
    }
}
