//! What no emulator can show of copies within a store, against canned answers. CONTRIBUTING.md has the reason for each.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chrono::DateTime;
use http::{Method, Request, Response};
use influx_backup_core::{
    ByteSize, Copier, Key, Location,
    certificate::CheckedBy,
    copier::{Copied, CopyContext, CopyRequest, ServerSideCopier, StreamCopier},
    error::{CopyError, StoreErrorKind},
    location::{ObjectMeta, Version},
    preflight,
};
use servers::{Canned, answer};

const SIZE: u64 = 100;
const E_TAG: &str = "\"tag-1\"";

fn key(name: &str) -> Key {
    Key::parse(name).expect("a key")
}

fn entry() -> ObjectMeta {
    let modified = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    ObjectMeta::new(key("x.parquet"), SIZE, Version::new(modified).with_e_tag(E_TAG))
}

/// The answer to a HEAD of the source.
fn head(headers: &[(&str, &str)]) -> Response<Bytes> {
    let size = SIZE.to_string();
    let common =
        [("content-length", size.as_str()), ("etag", E_TAG), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")];
    answer(200, &[&common[..], headers].concat(), "")
}

/// A server that answers HEADs of the source, and everything else by a function.
fn serve(
    source: &'static [(&'static str, &'static str)],
    other: impl Fn(&Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
) -> Canned {
    Canned::serve(move |request| {
        let asks_source = *request.method() == Method::HEAD && path(request).contains("from");
        if asks_source { head(source) } else { other(request) }
    })
}

/// Path and query, with the hyphens and slashes that object_store encodes.
fn path(request: &Request<Bytes>) -> String {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    target.replace("%2D", "-").replace("%2E", ".")
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

async fn copy_with(copier: &ServerSideCopier, from: Location, to: Location) -> Result<Copied, CopyError> {
    let request = CopyRequest::new(from, entry(), to);
    copier.copy(&request, &CopyContext::default()).await
}

async fn copy(from: Location, to: Location) -> Result<Copied, CopyError> {
    copy_with(&ServerSideCopier::default(), from, to).await
}

/// All but the HEADs.
fn asked(server: &Canned) -> Vec<Request<Bytes>> {
    server.requests().into_iter().filter(|request| request.method() != Method::HEAD).collect()
}

mod s3 {
    use super::*;

    fn bucket(server: &Canned, bucket: &str) -> Location {
        server.s3(&format!("s3://{bucket}/p"))
    }

    #[tokio::test]
    async fn an_error_with_status_200_is_a_failure() {
        for (body, kind) in [
            ("<Error><Code>InternalError</Code></Error>", StoreErrorKind::Unknown),
            ("<Error><Code>SlowDown</Code></Error>", StoreErrorKind::Throttled),
            ("", StoreErrorKind::Unknown),
        ] {
            let server = serve(&[], move |_| answer(200, &[], body));
            let error = copy(bucket(&server, "from"), bucket(&server, "to")).await.expect_err(body);
            assert!(matches!(error, CopyError::Store { kind: found, .. } if found == kind), "{body}: {error:?}");
            assert!(error.is_retryable(), "{body}");
        }
    }

    #[tokio::test]
    async fn an_error_with_status_200_for_a_part_aborts_the_upload() {
        let server = serve(&[], |request| match (request.method(), path(request)) {
            (&Method::POST, target) if target.contains("?uploads") => answer(
                200,
                &[],
                "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
            ),
            (&Method::PUT, target) if target.contains("partNumber=1") => {
                answer(200, &[], "<CopyPartResult><ETag>\"1\"</ETag></CopyPartResult>")
            }
            (&Method::PUT, _) => answer(200, &[], "<Error><Code>InternalError</Code></Error>"),
            _ => answer(204, &[], ""),
        });
        let copier = ServerSideCopier::default().with_threshold(ByteSize(10)).with_part_size(ByteSize(40));
        let error = copy_with(&copier, bucket(&server, "from"), bucket(&server, "to")).await.expect_err("a failure");
        assert!(error.is_retryable(), "{error:?}");
        let aborted =
            |request: &Request<Bytes>| *request.method() == Method::DELETE && path(request).contains("uploadId=u1");
        for _ in 0..100 {
            if asked(&server).iter().any(aborted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the upload was not aborted: {:?}", asked(&server));
    }

    /// Above the threshold: each part names its range and the version, the tags come back unescaped and in order.
    #[tokio::test]
    async fn parts_are_pinned_and_in_order() {
        let server = serve(&[("content-type", "a/b"), ("x-amz-version-id", "v 7")], |request| {
            match (request.method(), path(request)) {
                (&Method::POST, target) if target.contains("?uploads") => answer(
                    200,
                    &[],
                    "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
                ),
                (&Method::PUT, target) => {
                    let number = target.split("partNumber=").nth(1).and_then(|rest| rest.get(..1)).unwrap_or("?");
                    answer(200, &[], format!("<CopyPartResult><ETag>&#34;{number}&#34;</ETag></CopyPartResult>"))
                }
                (&Method::POST, _) => answer(
                    200,
                    &[],
                    "<CompleteMultipartUploadResult><ETag>\"whole-3\"</ETag></CompleteMultipartUploadResult>",
                ),
                _ => head(&[]),
            }
        });
        let copier = ServerSideCopier::default().with_threshold(ByteSize(10)).with_part_size(ByteSize(40));
        let copied = copy_with(&copier, bucket(&server, "from"), bucket(&server, "to")).await.expect("copied");
        assert_eq!(copied.checked_by, CheckedBy::Etag);
        let requests = asked(&server);
        assert_eq!(header(&requests[0], "content-type"), "a/b", "the upload begins with the source's metadata");
        let mut ranges: Vec<_> = requests
            .iter()
            .map(|request| header(request, "x-amz-copy-source-range"))
            .filter(|r| !r.is_empty())
            .collect();
        ranges.sort_unstable();
        assert_eq!(ranges, ["bytes=0-39", "bytes=40-79", "bytes=80-99"]);
        for part in requests.iter().filter(|request| *request.method() == Method::PUT) {
            assert_eq!(header(part, "x-amz-copy-source-if-match"), E_TAG);
            assert_eq!(header(part, "x-amz-copy-source"), "/from/p/x.parquet?versionId=v%207");
            let signed = path(part);
            assert!(signed.contains("x-amz-copy-source-if-match"), "not signed: {signed}");
        }
        let list = String::from_utf8_lossy(requests.last().expect("a last request").body()).into_owned();
        let list = list.replace("&quot;", "\"");
        let at = |tag: &str| list.find(tag).unwrap_or_else(|| panic!("no {tag} in {list}"));
        assert!(at("\"1\"") < at("\"2\"") && at("\"2\"") < at("\"3\""), "{list}");
    }

    /// A store that denies one object may copy the others.
    #[tokio::test]
    async fn one_object_that_is_denied_speaks_only_for_itself() {
        let server = serve(&[], |request| {
            if path(request).contains("denied") {
                answer(403, &[], "<Error><Code>AccessDenied</Code></Error>")
            } else {
                answer(200, &[], "<CopyObjectResult><ETag>\"x\"</ETag></CopyObjectResult>")
            }
        });
        let copier = ServerSideCopier::default();
        let copy = async |name: &str| {
            let request = CopyRequest::new(bucket(&server, "from"), entry(), bucket(&server, "to"));
            let mut request = request.with_target(key(name));
            request.source.key = key(name);
            copier.copy(&request, &CopyContext::default()).await
        };
        for _ in 0..5 {
            assert!(matches!(copy("denied1").await, Err(CopyError::Refused { .. })));
        }
        copy("a").await.expect("copied");
        for name in ["denied2", "denied3", "denied4"] {
            assert!(matches!(copy(name).await, Err(CopyError::Refused { .. })));
        }
        let before = server.requests().len();
        assert!(matches!(copy("b").await, Err(CopyError::Refused { .. })), "three in a row: the pair is refused");
        assert_eq!(server.requests().len(), before, "and not asked again");
    }

    /// An answer with the entity tag that was listed needs no look at the source; after any other, the source has to be what it was.
    #[tokio::test]
    async fn what_was_copied_is_told_by_its_entity_tag() {
        const LISTED: &str = "\"0123456789abcdef0123456789abcdef\"";
        for (copied, found, looks, checked_by) in [
            (LISTED, LISTED, 0, Some(CheckedBy::StoreChecksum)),
            ("\"other\"", LISTED, 1, Some(CheckedBy::Etag)),
            ("\"other\"", "\"newer\"", 1, None),
        ] {
            let server = Canned::serve(move |request| match *request.method() {
                Method::HEAD => {
                    let time = ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT");
                    answer(200, &[("content-length", "100"), ("etag", found), time], "")
                }
                _ => {
                    let sum = "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>";
                    answer(200, &[], format!("<CopyObjectResult><ETag>{copied}</ETag>{sum}</CopyObjectResult>"))
                }
            });
            let mut source = entry();
            source.version.e_tag = Some(LISTED.into());
            let request = CopyRequest::new(bucket(&server, "from"), source, bucket(&server, "to"));
            let made = ServerSideCopier::default().copy(&request, &CopyContext::default()).await;
            let heads = server.requests().len() - asked(&server).len();
            assert_eq!(heads, looks, "{copied} {found}");
            match checked_by {
                Some(checked_by) => assert_eq!(made.expect("copied").checked_by, checked_by),
                None => assert!(matches!(made, Err(CopyError::Changed)), "{made:?}"),
            }
        }
    }

    /// The store's own checksum of the copy decides.
    #[tokio::test]
    async fn checksums_are_compared() {
        for (sum, fine) in [("rosUhgp5mIg=", true), ("AAAAAAAAAAA=", false)] {
            let server = serve(&[("x-amz-checksum-crc64nvme", "rosUhgp5mIg=")], move |_| {
                let xml =
                    "<CopyObjectResult><ETag>\"x\"</ETag><ChecksumCRC64NVME>SUM</ChecksumCRC64NVME></CopyObjectResult>";
                answer(200, &[], xml.replace("SUM", sum))
            });
            let copied = copy(bucket(&server, "from"), bucket(&server, "to")).await;
            if fine {
                assert_eq!(copied.expect("copied").checked_by, CheckedBy::StoreChecksum);
            } else {
                assert!(matches!(copied, Err(CopyError::Corrupt { .. })), "{copied:?}");
            }
        }
    }
}

mod gcs {
    use super::*;

    fn bucket(server: &Canned, bucket: &str) -> Location {
        server.google(&format!("gs://{bucket}/p"))
    }

    const SOURCE: &[(&str, &str)] = &[("x-goog-generation", "7"), ("x-goog-hash", "crc32c=n03x6A==,md5=AAAA")];

    fn done(crc32c: &str) -> Response<Bytes> {
        let resource = serde_json::json!({ "generation": "9", "crc32c": crc32c });
        answer(200, &[], serde_json::json!({ "done": true, "resource": resource }).to_string())
    }

    /// Large objects take several answers, each with a token for the next request.
    #[tokio::test]
    async fn a_rewrite_is_asked_for_until_it_is_done() {
        let server = serve(SOURCE, |request| match path(request) {
            target if target.contains("rewriteToken=b") => done("n03x6A=="),
            target if target.contains("rewriteToken=a%2F1") => {
                answer(200, &[], r#"{"done": false, "rewriteToken": "b", "totalBytesRewritten": "80"}"#)
            }
            _ => answer(200, &[], r#"{"done": false, "rewriteToken": "a/1", "totalBytesRewritten": "40"}"#),
        });
        let moved = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&moved);
        let mut context = CopyContext::default();
        context.progress = Arc::new(move |bytes| {
            seen.fetch_add(bytes as usize, Ordering::Relaxed);
        });
        let request = CopyRequest::new(bucket(&server, "from"), entry(), bucket(&server, "to"));
        let copied = ServerSideCopier::default().copy(&request, &context).await.expect("copied");
        assert_eq!(copied.checked_by, CheckedBy::StoreChecksum);
        assert_eq!(moved.load(Ordering::Relaxed) as u64, SIZE);
        let asked = asked(&server);
        assert_eq!(asked.len(), 3);
        for request in &asked {
            let target = path(request);
            let rewrite = "/storage/v1/b/from/o/p%2Fx.parquet/rewriteTo/b/to/o/p%2Fx.parquet?sourceGeneration=7";
            assert!(target.starts_with(rewrite), "{target}");
        }
    }

    #[tokio::test]
    async fn a_rewrite_that_stops_half_way_is_a_failure() {
        let server = serve(SOURCE, |_| answer(200, &[], r#"{"done": false}"#));
        let error = copy(bucket(&server, "from"), bucket(&server, "to")).await.expect_err("not done");
        assert!(error.is_retryable(), "{error:?}");
        let server = serve(SOURCE, |_| done("AAAAAA=="));
        let error = copy(bucket(&server, "from"), bucket(&server, "to")).await.expect_err("another checksum");
        assert!(matches!(error, CopyError::Corrupt { .. }), "{error:?}");
    }

    /// The generation is gone, the object is not: it changed.
    #[tokio::test]
    async fn the_generation_is_pinned() {
        for status in [404, 412] {
            let server = serve(SOURCE, move |_| answer(status, &[], "{}"));
            let error = copy(bucket(&server, "from"), bucket(&server, "to")).await.expect_err("changed");
            assert!(matches!(error, CopyError::Changed), "{status}: {error:?}");
        }
    }

    /// Create-only is generation 0, which Google answers with 412 where there is an object.
    #[tokio::test]
    async fn create_only_is_a_precondition() {
        let server = serve(SOURCE, |request| match *request.method() {
            Method::PUT => answer(412, &[], ""),
            _ => answer(200, &[("etag", "\"other\""), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")], "another's"),
        });
        let error = bucket(&server, "b").create(&key("a"), "x".into()).await.expect_err("it exists");
        assert_eq!(error.code(), "object-exists");
        assert_eq!(header(&server.requests()[0], "x-goog-if-generation-match"), "0");
    }

    #[tokio::test]
    async fn a_missing_bucket_and_a_wrong_credential() {
        let missing = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist.</Message></Error>";
        for (status, body, code) in [
            (404, missing, "location-not-found"),
            (401, "<Error><Code>AuthenticationRequired</Code></Error>", "access-denied"),
            (403, "<Error><Code>AccessDenied</Code></Error>", "access-denied"),
        ] {
            let server = Canned::serve(move |_| answer(status, &[], body));
            let place = bucket(&server, "b");
            assert_eq!(preflight::source(&place).await.expect_err("a mistake").code(), code, "{status}");
            assert_eq!(preflight::target(&place).await.expect_err("a mistake").code(), code, "{status}");
        }
    }
}

mod azure {
    use super::*;

    fn container(server: &Canned, container: &str, credential: (&str, &str)) -> Location {
        server.azure(&format!("az://{container}/p"), credential)
    }

    const KEY: (&str, &str) = ("azure_storage_access_key", "c2VjcmV0");

    fn is_from_url(request: &Request<Bytes>) -> bool {
        header(request, "x-ms-blob-type") == "BlockBlob" || path(request).contains("comp=block&")
    }

    /// One synchronous request where the service has it; the source by a signed URL.
    #[tokio::test]
    async fn put_blob_from_url() {
        let server = serve(&[("content-md5", "AAAA")], |_| answer(201, &[("content-md5", "AAAA")], ""));
        let copied = copy(container(&server, "from", KEY), container(&server, "to", KEY)).await.expect("copied");
        assert_eq!(copied.checked_by, CheckedBy::StoreChecksum);
        let asked = asked(&server);
        assert_eq!(asked.len(), 1);
        assert!(is_from_url(&asked[0]));
        assert_eq!(header(&asked[0], "x-ms-source-if-match"), E_TAG);
        let source = header(&asked[0], "x-ms-copy-source");
        assert!(
            source.contains("/from/p/x.parquet?") && source.contains("sig=") && source.contains("sp=r"),
            "{source}"
        );
    }

    #[tokio::test]
    async fn a_token_authorizes_the_source_too() {
        let token = ("azure_storage_token", "t0ken");
        let server = serve(&[], |_| answer(201, &[], ""));
        copy(container(&server, "from", token), container(&server, "to", token)).await.expect("copied");
        assert_eq!(header(&asked(&server)[0], "x-ms-copy-source-authorization"), "Bearer t0ken");
    }

    /// Above the threshold: blocks by ranges, and their list with the source's metadata.
    #[tokio::test]
    async fn put_block_from_url() {
        let server = serve(&[("content-type", "a/b"), ("x-ms-meta-owner", "me")], |_| answer(201, &[], ""));
        let copier = ServerSideCopier::default().with_threshold(ByteSize(10)).with_part_size(ByteSize(40));
        let copied =
            copy_with(&copier, container(&server, "from", KEY), container(&server, "to", KEY)).await.expect("copied");
        assert_eq!((copied.content.size, copied.checked_by), (SIZE, CheckedBy::Etag));
        let asked = asked(&server);
        let (list, blocks) = asked.split_last().expect("requests");
        let mut ranges: Vec<_> = blocks.iter().map(|block| header(block, "x-ms-source-range")).collect();
        ranges.sort_unstable();
        assert_eq!(ranges, ["bytes=0-39", "bytes=40-79", "bytes=80-99"]);
        assert!(blocks.iter().all(|block| header(block, "x-ms-source-if-match") == E_TAG));
        assert!(path(list).contains("comp=blocklist"), "{}", path(list));
        assert_eq!((header(list, "x-ms-blob-content-type"), header(list, "x-ms-meta-owner")), ("a/b", "me"));
        let body = String::from_utf8_lossy(list.body()).into_owned();
        assert_eq!(body.matches("<Latest>").count(), 3, "{body}");
        for block in blocks {
            let target = path(block);
            let id = target.split("blockid=").nth(1).expect("a block").replace("%3D", "=").replace("%2B", "+");
            assert!(body.contains(&format!("<Latest>{id}</Latest>")), "{id} is not in {body}");
        }
    }

    /// A service without it is asked once, not for every object; the copy runs in the background and is awaited.
    #[tokio::test]
    async fn copy_blob_is_awaited() {
        let looks = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&looks);
        let server = serve(&[], move |request| match *request.method() {
            Method::HEAD if count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => {
                answer(200, &[("x-ms-copy-status", "pending"), ("x-ms-copy-id", "c1")], "")
            }
            Method::HEAD => answer(200, &[("x-ms-copy-status", "success"), ("x-ms-copy-id", "c1")], ""),
            _ if is_from_url(request) => answer(501, &[], ""),
            _ => answer(202, &[("x-ms-copy-status", "pending"), ("x-ms-copy-id", "c1")], ""),
        });
        let copier = ServerSideCopier::default();
        for _ in 0..2 {
            let from = container(&server, "from", KEY);
            let to = container(&server, "to", KEY);
            let copied = copy_with(&copier, from, to).await.expect("copied");
            assert_eq!((&*copied.copier, copied.checked_by), ("server-side", CheckedBy::Etag));
        }
        assert_eq!(looks.load(Ordering::Relaxed), 4);
        let asked = asked(&server);
        assert_eq!(asked.iter().filter(|request| is_from_url(request)).count(), 1);
        assert_eq!(asked.len(), 3, "nothing was aborted: {asked:?}");
        assert!(asked[1..].iter().all(|request| header(request, "x-ms-source-if-match") == E_TAG));
    }

    /// A service where a copy to `to` runs in the background: HEADs of the target are answered by `target`.
    fn serve_pending(target: impl Fn() -> Response<Bytes> + Send + Sync + 'static) -> Canned {
        serve(&[], move |request| match *request.method() {
            Method::HEAD => target(),
            Method::DELETE => answer(202, &[], ""),
            _ if is_from_url(request) => answer(501, &[], ""),
            _ if path(request).contains("comp=copy") => answer(204, &[], ""),
            _ => answer(202, &[("x-ms-copy-status", "pending"), ("x-ms-copy-id", "c1")], ""),
        })
    }

    /// The requests that delete the target, after everything was cleaned up that a copy of at most a second has left.
    async fn deletions(server: &Canned) -> Vec<Request<Bytes>> {
        let context = CopyContext::default();
        let request = CopyRequest::new(container(server, "from", KEY), entry(), container(server, "to", KEY));
        let copier = ServerSideCopier::default();
        let work = copier.copy(&request, &context);
        if let Ok(copied) = tokio::time::timeout(Duration::from_secs(1), work).await {
            assert!(copied.expect_err("failed").is_retryable());
        }
        context.clean_ups.finished().await;
        let asked = asked(server);
        let aborted = asked.iter().position(|request| path(request).contains("comp=copy&copyid=c1"));
        let (_, after) = asked.split_at(aborted.expect("the copy is stopped"));
        after.iter().filter(|request| *request.method() == Method::DELETE).cloned().collect()
    }

    /// A copy that fails, or that is given up, is stopped, and its empty target deleted.
    #[tokio::test]
    async fn copy_blob_is_stopped() {
        for status in ["failed", "pending"] {
            let server = serve_pending(move || {
                answer(200, &[("x-ms-copy-status", status), ("x-ms-copy-id", "c1"), ("etag", "\"empty\"")], "")
            });
            let deletions = deletions(&server).await;
            assert_eq!(deletions.len(), 1, "{status}");
            assert_eq!(header(&deletions[0], "if-match"), "\"empty\"", "{status}: nothing else is deleted");
        }
    }

    /// What another attempt has written meanwhile is not deleted, and neither is a copy that is complete.
    #[tokio::test]
    async fn only_the_unfinished_target_is_deleted() {
        const LATER: [(&str, &str); 3] =
            [("x-ms-copy-status", "pending"), ("x-ms-copy-id", "c2"), ("etag", "\"later\"")];
        const COMPLETE: [(&str, &str); 3] =
            [("x-ms-copy-status", "success"), ("x-ms-copy-id", "c1"), ("etag", "\"whole\"")];
        for found in [&LATER[..], &COMPLETE[..], &[("etag", "\"plain\"")]] {
            let looks = AtomicUsize::new(0);
            // The copy fails at the first look; the second is that of the clean-up.
            let server = serve_pending(move || match looks.fetch_add(1, Ordering::Relaxed) {
                0 => answer(200, &[("x-ms-copy-status", "failed"), ("x-ms-copy-id", "c1")], ""),
                _ => answer(200, found, ""),
            });
            assert!(deletions(&server).await.is_empty(), "{found:?}");
        }
    }

    /// A streamed copy by blocks whose list is refused: the requests after that.
    async fn after_a_refused_list(created: Response<Bytes>, found: Response<Bytes>) -> Vec<Request<Bytes>> {
        let server = Canned::serve(move |request| match (request.method(), path(request)) {
            (&Method::GET, target) if target.contains("from") => {
                let range = [("content-range", "bytes 0-99/100"), ("etag", E_TAG)];
                let modified = [("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")];
                answer(206, &[&range[..], &modified[..]].concat(), vec![7; 100])
            }
            (&Method::HEAD, target) if target.contains("from") => head(&[]),
            (&Method::HEAD, _) => found.clone(),
            (&Method::DELETE, _) => answer(202, &[], ""),
            (_, target) if target.contains("comp=blocklist") => answer(400, &[], ""),
            (_, target) if target.contains("comp=block&") => answer(201, &[], ""),
            _ => created.clone(),
        });
        let context = CopyContext::default();
        let request = CopyRequest::new(container(&server, "from", KEY), entry(), container(&server, "to", KEY));
        let copier = StreamCopier::default().with_threshold(ByteSize(10)).with_part_size(ByteSize(100));
        copier.copy(&request, &context).await.expect_err("the list is refused");
        context.clean_ups.finished().await;
        let requests = server.requests();
        let list = requests.iter().position(|request| path(request).contains("comp=blocklist"));
        requests[list.expect("a list") + 1..].to_vec()
    }

    /// Blocks without an object are taken away by an object that is only created, and deleted as it was created.
    #[tokio::test]
    async fn blocks_are_discarded_and_nothing_else() {
        let created = answer(201, &[("etag", "\"empty\"")], "");
        let requests = after_a_refused_list(created, answer(404, &[], "")).await;
        let [create, delete] = &requests[..] else { panic!("two requests: {requests:?}") };
        assert_eq!((create.method(), header(create, "if-none-match")), (&Method::PUT, "*"));
        assert_eq!((delete.method(), header(delete, "if-match")), (&Method::DELETE, "\"empty\""));

        // The object was written by a later attempt.
        let requests = after_a_refused_list(answer(409, &[], ""), head(&[])).await;
        assert!(requests.iter().all(|request| *request.method() != Method::DELETE), "{requests:?}");
    }

    /// A wrong version is `source-changed`, by every request.
    #[tokio::test]
    async fn the_version_is_pinned() {
        let server = serve(&[], |_| answer(412, &[("x-ms-error-code", "SourceConditionNotMet")], ""));
        let error = copy(container(&server, "from", KEY), container(&server, "to", KEY)).await.expect_err("changed");
        assert!(matches!(error, CopyError::Changed), "{error:?}");
    }
}
