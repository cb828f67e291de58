//! Stores are not believed: they send requests elsewhere, list without end, and answer what was not asked for. Each is an error that
//! says so, soon; and what is secret goes to no other host.
#![cfg(all(unix, feature = "testing", feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use influx_backup_core::{
    BackupOptions, ByteSize, Copier, DiscoverOptions, Error, Key, Location, Repository, StoreOptions,
    copier::{CopyContext, CopyRequest, StreamCopier},
    discover,
    error::{CopyError, ErrorReport},
    location::{ObjectMeta, Version},
    testing::generate::Generate,
};
use servers::{Behind, Canned, Endless, Fault, Rule, Tls, answer};

/// What no attempt helps is not tried for long, on a machine that does much else.
const SOON: Duration = Duration::from_secs(20);

const REJECTED: &str = "store-rejected";

const TOKEN: &str = "s3ss10n-t0ken-s3cr3t";

const MODIFIED: (&str, &str) = ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT");

type Open = fn(SocketAddr) -> Location;

fn options(pairs: &[(&str, &str)]) -> StoreOptions {
    pairs.iter().copied().collect()
}

fn s3(address: SocketAddr) -> Location {
    s3_with(address, &[("aws_access_key_id", "k"), ("aws_secret_access_key", "s"), ("aws_session_token", TOKEN)])
}

fn s3_with(address: SocketAddr, more: &[(&str, &str)]) -> Location {
    let endpoint = format!("http://{address}");
    let given = [&[("aws_endpoint", endpoint.as_str()), ("aws_allow_http", "true")], more].concat();
    Location::parse("s3://bucket/p", &options(&given)).expect("a location")
}

fn azure(address: SocketAddr) -> Location {
    azure_with(address, &[("azure_storage_token", TOKEN)])
}

fn azure_with(address: SocketAddr, more: &[(&str, &str)]) -> Location {
    let endpoint = format!("http://{address}");
    let own =
        [("azure_endpoint", endpoint.as_str()), ("azure_allow_http", "true"), ("azure_storage_account", "account")];
    Location::parse("az://container/p", &options(&[&own, more].concat())).expect("a location")
}

fn google(address: SocketAddr) -> Location {
    let endpoint = format!("http://{address}");
    let given = [("google_base_url", endpoint.as_str()), ("google_allow_http", "true"), ("google_bearer_token", TOKEN)];
    Location::parse("gs://bucket/p", &options(&given)).expect("a location")
}

const ALL: [Open; 3] = [s3, azure, google];

fn key() -> Key {
    Key::parse("x.parquet").expect("a key")
}

fn entry(size: u64) -> ObjectMeta {
    let modified = chrono::DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    ObjectMeta::new(key(), size, Version::new(modified).with_e_tag("\"1\""))
}

fn texts(report: &ErrorReport) -> String {
    format!("{}: {}", report.message, report.causes.join(": "))
}

/// Fails with this code, soon, and says this.
#[track_caller]
fn assert_says<T: std::fmt::Debug>(what: &str, began: Instant, result: Result<T, Error>, code: &str, said: &str) {
    let report = result.expect_err(what).report();
    assert_eq!(report.code, code, "{what}: {report:?}");
    assert!(texts(&report).contains(said), "{what}: {report:?}");
    assert!(!format!("{report:?}").contains(TOKEN), "{what}: {report:?}");
    assert!(began.elapsed() < SOON, "{what} took {:?}", began.elapsed());
}

/// Each request that a location makes, one after the other.
async fn each_request(location: &Location) -> Vec<(&'static str, Error)> {
    vec![
        ("list", location.list("").await.expect_err("list")),
        ("level", location.list_level("").await.expect_err("level")),
        ("head", location.head(&key()).await.expect_err("head")),
        ("get", location.get(&key(), None).await.expect_err("get")),
        ("put", location.put(&key(), "x".into()).await.expect_err("put")),
        ("delete", location.delete(&key()).await.expect_err("delete")),
        ("open", Repository::open(location.clone()).await.expect_err("open")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_goes_to_another_host() {
    for status in [301, 302, 303, 307, 308] {
        let other = Canned::serve(|_| answer(200, &[], "welcome"));
        let to = format!("{}/b?X-Amz-Signature=l34k", other.endpoint());
        let store = Canned::serve(move |_| answer(status, &[("location", &to)], ""));
        for open in ALL {
            let location = open(store.address());
            let began = Instant::now();
            for (request, error) in each_request(&location).await {
                let what = format!("{status} {location} {request}");
                let host = format!("`http://{}`", other.address());
                assert_says::<()>(&what, began, Err(error), REJECTED, &host);
            }
            let copied = copy(location.clone(), 100).await.expect_err("a redirect");
            assert_eq!(copied.code(), REJECTED, "{status} {location}: {copied:?}");
        }
        let heard: Vec<_> = other.requests().iter().map(|request| format!("{request:?}")).collect();
        assert!(heard.is_empty(), "{status}: the other host was asked: {heard:?}");
        let sent = store.requests();
        let carries =
            |request: &&Request<Bytes>| request.headers().values().any(|value| format!("{value:?}").contains(TOKEN));
        assert!(sent.iter().any(|request| carries(&request)), "what could have been sent on");
        for request in sent {
            assert!(!request.uri().to_string().contains("l34k"));
        }
    }
}

/// The texts of an error and of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(|error| format!("{error}: ")).collect()
}

async fn copy(from: Location, size: u64) -> Result<(), CopyError> {
    let copier = StreamCopier::default().with_threshold(ByteSize(1 << 20));
    let request = CopyRequest::new(from, entry(size), Location::in_memory());
    copier.copy(&request, &CopyContext::default()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_credentials_send_to_no_other_host_either() {
    let other = Canned::serve(|_| answer(200, &[], "{}"));
    let to = format!("{}/x", other.endpoint());
    let service = Canned::serve(move |_| answer(307, &[("location", &to)], ""));
    let store = Canned::serve(|_| answer(500, &[], "it is not asked"));
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("token");
    std::fs::write(&file, TOKEN).expect("written");
    let file = file.to_str().expect("UTF-8");
    // The security token service is only asked over TLS.
    let tls = Tls::before(service.address());
    let encrypted = format!("https://{}", tls.address());
    let (at, uri) = (service.endpoint(), format!("{}/credentials?t={TOKEN}", service.endpoint()));
    let places = [
        s3_with(
            store.address(),
            &[("aws_container_credentials_full_uri", &uri), ("aws_container_authorization_token_file", file)],
        ),
        s3_with(
            store.address(),
            &[
                ("aws_web_identity_token_file", file),
                ("aws_role_arn", "arn:aws:iam::1:role/r"),
                ("aws_endpoint_url_sts", &encrypted),
                ("allow_invalid_certificates", "true"),
            ],
        ),
        s3_with(store.address(), &[("aws_metadata_endpoint", &at)]),
        azure_with(
            store.address(),
            &[
                ("azure_storage_client_id", "c"),
                ("azure_storage_client_secret", TOKEN),
                ("azure_storage_tenant_id", "t"),
                ("azure_storage_authority_host", &at),
            ],
        ),
    ];
    for (number, location) in places.iter().enumerate() {
        let began = Instant::now();
        let error = location.get(&key(), None).await.expect_err("no credentials");
        let report = error.report();
        let host = format!("`http://{}`", other.address());
        assert!(texts(&report).contains(&host), "{number} {location}: {report:?}");
        assert!(!format!("{report:?} {error:?}").contains(TOKEN), "{number} {location}: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(40), "{number} {location}: {:?}", began.elapsed());
    }
    assert!(service.requests().len() >= places.len(), "{:?}", service.requests());
    assert!(other.requests().is_empty() && store.requests().is_empty(), "{:?}", other.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_within_the_host_is_followed_as_the_same_request() {
    for open in ALL {
        let store = Canned::serve(|request| match (request.method(), request.uri().path().ends_with("/moved")) {
            (&Method::GET, true) => answer(200, &[("etag", "\"1\""), MODIFIED], "here"),
            (&Method::GET, false) => answer(302, &[("location", "/moved")], ""),
            (_, true) => answer(201, &[("etag", "\"1\""), MODIFIED], ""),
            _ => answer(307, &[("location", "/moved")], ""),
        });
        let location = open(store.address());
        let found = location.get(&key(), None).await.expect("followed");
        assert_eq!(found.as_deref(), Some(&b"here"[..]), "{location}");
        location.put(&key(), "content".into()).await.expect("followed");
        let put = store.requests().into_iter().rfind(|request| request.method() == Method::PUT).expect("a put");
        assert_eq!((put.uri().path(), put.body().as_ref()), ("/moved", &b"content"[..]), "{location}");

        // A PUT that becomes a GET would be answered with success, and nothing be written.
        let store = Canned::serve(|request| match *request.method() {
            Method::GET => answer(200, &[("etag", "\"1\""), MODIFIED], "here"),
            _ => answer(303, &[("location", "/moved")], ""),
        });
        open(store.address()).put(&key(), "content".into()).await.expect_err("nothing was written");
        assert!(store.requests().iter().all(|request| request.method() == Method::PUT), "{:?}", store.requests());

        let store = Canned::serve(|_| answer(307, &[("location", "/again")], ""));
        let began = Instant::now();
        let location = open(store.address());
        assert_says("a loop", began, location.get(&key(), None).await, REJECTED, "redirects again and again");
        assert!(store.requests().len() < 10, "{location}: {}", store.requests().len());
    }
}

/// A page of a listing: of S3 and Google, or of Azure.
fn page(is_azure: bool, names: &[String], next: Option<&str>) -> Response<Bytes> {
    let body = if is_azure {
        let blobs: String = names
            .iter()
            .map(|name| {
                format!(
                    "<Blob><Name>p/{name}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>1</Etag>\
                     <Content-Length>1</Content-Length><Content-Type>x</Content-Type></Properties></Blob>",
                    MODIFIED.1
                )
            })
            .collect();
        format!(
            "<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>",
            next.unwrap_or_default()
        )
    } else {
        let contents: String = names
            .iter()
            .map(|name| {
                format!(
                    "<Contents><Key>p/{name}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>\
                     <ETag>\"1\"</ETag><Size>1</Size></Contents>"
                )
            })
            .collect();
        let next = next.map(|next| format!("<NextContinuationToken>{next}</NextContinuationToken>"));
        let is_truncated = next.is_some();
        format!(
            "<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{contents}{}</ListBucketResult>",
            next.unwrap_or_default()
        )
    };
    answer(200, &[("content-type", "application/xml")], body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_without_end_is_ended() {
    type Page = fn(usize) -> (Vec<String>, String);
    let cases: [(&str, Page); 4] = [
        ("a page begins where one before it began", |number| (vec![format!("k{number}")], "same".to_owned())),
        ("a page begins where one before it began", |number| (vec![format!("k{number}")], format!("t{}", number % 3))),
        ("a page has the names of one before it", |number| (vec!["k".to_owned()], format!("t{number}"))),
        ("page after page has no name", |number| (Vec::new(), format!("t{number}"))),
    ];
    for (said, of) in cases {
        for (is_azure, open) in [(false, s3 as Open), (true, azure), (false, google)] {
            let pages = AtomicUsize::new(0);
            let store = Canned::serve(move |_| {
                let (names, next) = of(pages.fetch_add(1, Ordering::SeqCst));
                page(is_azure, &names, Some(&next))
            });
            let location = open(store.address());
            for level in [false, true] {
                let began = Instant::now();
                let what = format!("{location}: {said}, level: {level}");
                let listed =
                    if level { location.list_level("").await.map(drop) } else { location.list("").await.map(drop) };
                assert_says(&what, began, listed, REJECTED, said);
            }
            assert!(store.requests().len() <= 2_100, "{location}: {said}: {}", store.requests().len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_has_more_and_says_not_where_is_no_end() {
    let store = Canned::serve(|_| {
        answer(200, &[], "<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>")
    });
    for open in [s3, google] {
        let listed = open(store.address()).list("").await;
        assert_says("cut off", Instant::now(), listed, REJECTED, "there are more, and not where");
    }
}

/// Chunks without end.
fn chunks(head: &str) -> (String, Vec<u8>) {
    let piece = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    (format!("{head}\r\ntransfer-encoding: chunked\r\n\r\n"), piece.into_bytes())
}

const FOUND: &str = "HTTP/1.1 200 OK\r\netag: \"1\"\r\nlast-modified: Tue, 14 Nov 2023 22:13:20 GMT";

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_cut_off() {
    for open in ALL {
        let store = Endless::serve(|_| chunks("HTTP/1.1 200 OK"));
        let location = open(store.address());
        let began = Instant::now();
        assert_says("a page", began, location.list("").await, REJECTED, "the answer is longer than 64");
        assert!(store.sent() < 100 << 20, "{location}: {} bytes", store.sent());

        // A length that no memory holds is not believed either.
        let store = Endless::serve(|_| {
            (format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", u64::MAX / 2), vec![b' '; 1 << 16])
        });
        let began = Instant::now();
        assert_says("a length", began, open(store.address()).list("").await, REJECTED, "the answer is longer than 64");

        for (status, code) in [("403 Forbidden", "access-denied"), ("418 Teapot", REJECTED), ("507 Full", "no-space")] {
            let store = Endless::serve(move |_| chunks(&format!("HTTP/1.1 {status}")));
            let began = Instant::now();
            assert_says(status, began, open(store.address()).get(&key(), None).await, code, "");
            assert!(store.sent() < 16 << 20, "{status}: {} bytes", store.sent());
        }

        let store = Endless::serve(|_| ("HTTP/1.1 200 OK\r\n".to_owned(), b"x-more: and more and more\r\n".to_vec()));
        let location = open(store.address());
        let began = Instant::now();
        let got = location.get(&key(), None).await;
        assert_says("headers", began, got, REJECTED, "the headers of the answer are too long");
        assert!(store.sent() < 64 << 20, "{location}: {} bytes", store.sent());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_credentials_is_not_believed_either() {
    let service = Endless::serve(|_| chunks("HTTP/1.1 200 OK"));
    let uri = format!("http://{}/credentials", service.address());
    let location = s3_with(
        service.address(),
        &[("aws_container_credentials_full_uri", &uri), ("aws_container_authorization_token_file", "/dev/null")],
    );
    let began = Instant::now();
    let error = location.get(&key(), None).await.expect_err("no credentials");
    assert!(texts(&error.report()).contains("longer than 1"), "{error:?}");
    assert!(began.elapsed() < 2 * SOON, "{:?}", began.elapsed());
    assert!(service.sent() < 64 << 20, "{} bytes", service.sent());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_as_long_as_was_announced() {
    for open in ALL {
        let longer = Endless::serve(|_| chunks(&format!("{FOUND}\r\ncontent-length: 10")));
        let location = open(longer.address());
        let began = Instant::now();
        assert_says("two lengths", began, location.get(&key(), None).await, REJECTED, "sends chunks as well");
        let error = copy(location.clone(), 10).await.expect_err("two lengths");
        assert_eq!((error.code(), longer.requests()), (REJECTED, 2), "{location}: {error:?}");

        let other = Endless::serve(|_| (format!("{FOUND}\r\ncontent-length: 10\r\n\r\n0123456789"), Vec::new()));
        let error = copy(open(other.address()), 11).await.expect_err("another length than was listed");
        assert_eq!(error.code(), "source-changed", "{error:?}");

        let shorter = Endless::serve(|_| (format!("{FOUND}\r\ncontent-length: 10\r\n\r\n01234"), Vec::new()));
        let location = open(shorter.address());
        let began = Instant::now();
        let error = copy(location.clone(), 10).await.expect_err("less than was announced");
        assert!(error.is_retryable(), "{error:?}");
        let got = location.get(&key(), None).await.expect_err("less than was announced");
        assert!(began.elapsed() < Duration::from_secs(90), "{location}: {:?}: {got:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_range_that_was_asked_for_is_taken() {
    type Answer = fn(u64) -> (u16, String, usize);
    let cases: [(&str, &str, Answer); 3] = [
        ("later", "another range", |first| (206, format!("bytes {}-{}/30", first + 1, first + 10), 10)),
        ("longer", "10 bytes are announced for a range of 5", |first| {
            (206, format!("bytes {first}-{}/30", first + 4), 10)
        }),
        ("beyond", "another range", |first| (206, format!("bytes {first}-{}/30", first + 19), 20)),
    ];
    for (what, said, of) in cases {
        for open in ALL {
            let store = Canned::serve(move |request| {
                let header = ["range", "x-ms-range"].iter().find_map(|name| request.headers().get(*name));
                let range = header.map_or("bytes=0-", |value| value.to_str().expect("text")).to_owned();
                let first = range.trim_start_matches("bytes=").split('-').next().and_then(|first| first.parse().ok());
                let (status, range, length) = of(first.unwrap_or(0));
                answer(status, &[("etag", "\"1\""), MODIFIED, ("content-range", &range)], "x".repeat(length))
            });
            let copier = StreamCopier::default().with_threshold(ByteSize(10)).with_part_size(ByteSize(10));
            let request = CopyRequest::new(open(store.address()), entry(30), Location::in_memory());
            let began = Instant::now();
            let error = copier.copy(&request, &CopyContext::default()).await.expect_err(what);
            assert_eq!(error.code(), REJECTED, "{what}: {error:?}");
            assert!(chain(&error).contains(said) && began.elapsed() < SOON, "{what}: {error:?}");
        }
    }
    for open in ALL {
        let store =
            Canned::serve(|_| answer(206, &[("etag", "\"1\""), MODIFIED, ("content-range", "bytes 0-4/30")], "01234"));
        let got = open(store.address()).get(&key(), None).await;
        assert_says("a part", Instant::now(), got, REJECTED, "another range");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoding_that_was_not_asked_for_is_named() {
    for open in ALL {
        let store = Canned::serve(|_| answer(200, &[("content-encoding", "gzip")], "\u{1f}not really"));
        let listed = open(store.address()).list("").await;
        assert_says("a page", Instant::now(), listed, REJECTED, "encoded as `gzip`");
        let asked = store.requests();
        assert!(asked.iter().all(|request| !format!("{:?}", request.headers().get("accept-encoding")).contains("br")));

        // What lies encoded in the store is taken as it lies there.
        let store =
            Canned::serve(|_| answer(200, &[("content-encoding", "gzip"), ("etag", "\"1\""), MODIFIED], "\u{1f}raw"));
        let got = open(store.address()).get(&key(), None).await.expect("taken");
        assert_eq!(got.as_deref(), Some("\u{1f}raw".as_bytes()));
        let store = Endless::serve(|_| chunks(&format!("{FOUND}\r\ncontent-encoding: gzip")));
        let got = open(store.address()).get(&key(), None).await;
        assert_says("encoded on its way", Instant::now(), got, REJECTED, "encoded as `gzip`");
    }
}

/// S3 answers an expired token with the token, and a wrong signature with the headers that it was made of.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_repeats_of_a_request_is_not_shown() {
    for (status, body) in [
        (
            400,
            format!("<Error><Code>ExpiredToken</Code><Message>It expired.</Message><Token-0>{TOKEN}</Token-0></Error>"),
        ),
        (
            403,
            format!(
                "<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message><CanonicalRequest>x-amz-security-token:{TOKEN}</CanonicalRequest></Error>"
            ),
        ),
        (403, format!("the request was Bearer {TOKEN}")),
        (500, format!("{{\"error\": {{\"message\": \"{TOKEN}\"}}}}")),
        (503, format!("<Error><Code>{TOKEN}</Code></Error>")),
    ] {
        // What may pass is asked for again and again.
        let opens = if status < 500 { &ALL[..] } else { &ALL[..1] };
        for open in opens {
            let body = body.clone();
            let store = Canned::serve(move |_| answer(status, &[], body.clone()));
            let location = open(store.address());
            let mut errors = vec![location.get(&key(), None).await.expect_err("an error")];
            if status < 500 {
                errors.push(location.list("").await.expect_err("an error"));
                errors.push(location.put(&key(), "x".into()).await.expect_err("an error"));
            }
            for error in errors {
                let shown = format!("{error} {error:?} {:?}", error.report());
                assert!(!shown.contains(TOKEN), "{status} {location}: {shown}");
            }
        }
    }
}

/// What is listed and is not there when it is asked for, however often: each verb ends, and names it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_and_never_found_is_named() {
    let behind = Behind::new(&Generate::core("n1").snapshots(2)).await;
    let options = || BackupOptions::default().with_name("b");
    let back_up = async |source: &Location, vault: &Location| {
        let cluster = discover(source, &DiscoverOptions::default()).await?;
        Repository::open(vault.clone()).await?.backup(&cluster, options()).await
    };
    let source = behind.location("cluster");
    for named in ["catalog", "/dbs/", "/wal/", "/snapshots/"] {
        let key = behind.written.keys().rfind(|key| key.contains(named)).expect(named);
        let missing = Fault::Answer(404, "NoSuchKey", "The specified key does not exist.");
        let missing =
            behind.proxy.inject(Rule::new(missing).method(Method::GET).containing(&format!("/{key}")).always());
        let began = Instant::now();
        // Not in the store, which could copy by itself.
        let place = tempfile::tempdir().expect("a directory");
        let vault = Location::parse(place.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
        let ended = back_up(&source, &vault).await;
        let shown = ended.map_or_else(|error| format!("{:?}", error.report()), |report| report.to_string());
        assert!(missing.count() > 0, "{key}");
        assert!(began.elapsed() < 6 * SOON, "{key}: {:?}: {shown}", began.elapsed());
        let name = key.rsplit('/').next().expect("a name");
        assert!(shown.contains(name) || shown.contains("absent"), "{key}: {shown}");
        behind.proxy.clear();
    }
}

/// Uploads that were never completed are listed by other requests than the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_uploads_without_end_is_ended() {
    let store = Canned::serve(|request| {
        if request.uri().query().is_some_and(|query| query.contains("uploads")) {
            let body = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>\
                <NextUploadIdMarker>u</NextUploadIdMarker></ListMultipartUploadsResult>";
            return answer(200, &[], body);
        }
        match request.uri().query() {
            Some(query) if query.contains("list-type") => page(false, &[], None),
            _ => answer(404, &[], ""),
        }
    });
    for open in [s3, google] {
        let began = Instant::now();
        let repository = Repository::open(open(store.address())).await.expect("nothing is there");
        let found = repository.leftovers().await;
        assert_says("uploads", began, found, REJECTED, "a page begins where one before it began");
    }
    assert!(store.requests().len() < 50, "{}", store.requests().len());
}
