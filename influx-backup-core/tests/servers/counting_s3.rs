//! An S3 server in memory that counts its requests by kind. As AWS, and unlike s3s-fs, it has entity tags in listings and
//! computes a CRC-64/NVME of every object, also of one that it copies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use influx_backup_core::{Location, checksum::Crc64};
use percent_encoding::percent_decode_str;

use super::{Canned, answer, xml};

/// How many keys a page of a listing has.
const PAGE: usize = 1_000;

const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    List,
    Head,
    Get,
    Put,
    Copy,
    Delete,
    /// Up to a thousand keys by one request.
    DeleteMany,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::List, Self::Head, Self::Get, Self::Put, Self::Copy, Self::Delete, Self::DeleteMany];
}

/// How many requests of each kind there were.
pub(crate) type Counts = BTreeMap<Kind, usize>;

#[derive(Debug)]
pub(crate) struct CountingS3 {
    server: Canned,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    counts: Counts,
    /// How many pages that are not the first of a listing fail.
    failing_pages: usize,
    /// Whose deletion fails where it is one of many.
    stubborn: BTreeSet<String>,
    /// Whether it knows the request that deletes many.
    bulk: Bulk,
    copies: CopyAnswers,
}

/// What the answer to a copy says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CopyAnswers {
    /// Entity tag and checksum, as of AWS.
    #[default]
    WithChecksum,
    /// The entity tag, as of MinIO.
    TagOnly,
}

/// Whether a store knows the request that deletes many objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Bulk {
    #[default]
    Known,
    Unknown,
}

impl CountingS3 {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        Self { server: Canned::serve(move |request| lock(&shared).serve(request)), state }
    }

    pub(crate) fn location(&self, prefix: &str) -> Location {
        self.server.s3(&format!("s3://bucket/{prefix}"))
    }

    /// The requests since this was asked last.
    pub(crate) fn counts(&self) -> Counts {
        std::mem::take(&mut lock(&self.state).counts)
    }

    /// Adds an object behind the back of all clients.
    pub(crate) fn add(&self, key: &str) {
        lock(&self.state).objects.insert(key.to_owned(), Bytes::from_static(b"x"));
    }

    /// From now on, this many pages fail that are not the first of a listing.
    pub(crate) fn fail_pages(&self, pages: usize) {
        lock(&self.state).failing_pages = pages;
    }

    /// From now on, the deletion of this object fails where it is one of many.
    pub(crate) fn refuse_among_many(&self, key: &str) {
        lock(&self.state).stubborn.insert(key.to_owned());
    }

    /// From now on, it may not know the request that deletes many.
    pub(crate) fn set_bulk(&self, bulk: Bulk) {
        lock(&self.state).bulk = bulk;
    }

    /// From now on, its answers to copies are these.
    pub(crate) fn set_copy_answers(&self, answers: CopyAnswers) {
        lock(&self.state).copies = answers;
    }

    /// How many objects there are.
    pub(crate) fn objects(&self) -> usize {
        lock(&self.state).objects.len()
    }

    /// Removes an object behind the back of all clients.
    pub(crate) fn remove(&self, key: &str) {
        lock(&self.state).objects.remove(key).expect("it is there");
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn serve(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned();
        let path = decoded(request.uri().path());
        let key = path.strip_prefix("/bucket").expect("the bucket").trim_start_matches('/').to_owned();
        let query: BTreeMap<String, String> = request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(name), decoded(&value.replace('+', " ")))
            })
            .collect();
        let headers = request.headers();
        let source = header(headers, "x-amz-copy-source").map(decoded);
        let (kind, answer) = match (request.method(), source) {
            (&Method::GET, _) if query.contains_key("list-type") => (Kind::List, self.list(&query)),
            (&Method::GET, _) => (Kind::Get, self.get(&key, headers)),
            (&Method::HEAD, _) => (Kind::Head, self.get(&key, headers).map(|_| Bytes::new())),
            (&Method::PUT, Some(source)) => (Kind::Copy, self.copy(&source, &key, headers)),
            (&Method::PUT, None) => (Kind::Put, self.put(&key, headers, request.body())),
            (&Method::POST, _) if query.contains_key("delete") => (Kind::DeleteMany, self.delete_many(request.body())),
            (&Method::DELETE, _) => (Kind::Delete, self.delete(&key, headers)),
            (method, _) => panic!("a {method} of {}", request.uri()),
        };
        *self.counts.entry(kind).or_default() += 1;
        answer
    }

    fn get(&self, key: &str, headers: &HeaderMap) -> Response<Bytes> {
        let Some(bytes) = self.objects.get(key) else { return missing() };
        if header(headers, "if-match").is_some_and(|tag| tag != e_tag(bytes)) {
            return answer(412, &[], "");
        }
        let mut response = Response::builder().status(200);
        let mut body = bytes.clone();
        if let Some(range) = header(headers, "range").and_then(|range| range.strip_prefix("bytes=")) {
            let (start, end) = range.split_once('-').expect("a range");
            let start: usize = start.parse().expect("a number");
            let end = end.parse().map_or(bytes.len(), |end: usize| bytes.len().min(end + 1));
            body = bytes.slice(start..end);
            let range = format!("bytes {start}-{}/{}", end - 1, bytes.len());
            response = response.status(206).header("content-range", range);
        }
        let response = response.header("content-length", body.len()).header("etag", e_tag(bytes));
        let response = response.header("last-modified", MODIFIED).header("x-amz-checksum-crc64nvme", checksum(bytes));
        response.body(body).expect("an answer")
    }

    fn put(&mut self, key: &str, headers: &HeaderMap, bytes: &Bytes) -> Response<Bytes> {
        if header(headers, "if-none-match").is_some() && self.objects.contains_key(key) {
            return answer(412, &[], "");
        }
        if header(headers, "if-match").is_some_and(|tag| self.objects.get(key).is_none_or(|old| tag != e_tag(old))) {
            return answer(412, &[], "");
        }
        self.objects.insert(key.to_owned(), bytes.clone());
        answer(200, &[("etag", &e_tag(bytes)), ("x-amz-checksum-crc64nvme", &checksum(bytes))], "")
    }

    fn copy(&mut self, source: &str, key: &str, headers: &HeaderMap) -> Response<Bytes> {
        let source = source.trim_start_matches('/').strip_prefix("bucket/").expect("the bucket");
        let Some(bytes) = self.objects.get(source).cloned() else { return missing() };
        if header(headers, "x-amz-copy-source-if-match").is_some_and(|tag| tag != e_tag(&bytes)) {
            return answer(412, &[], "");
        }
        self.objects.insert(key.to_owned(), bytes.clone());
        let (e_tag, checksum) = (e_tag(&bytes), checksum(&bytes));
        let checksum = match self.copies {
            CopyAnswers::WithChecksum => format!("<ChecksumCRC64NVME>{checksum}</ChecksumCRC64NVME>"),
            CopyAnswers::TagOnly => String::new(),
        };
        answer(200, &[], format!("<CopyObjectResult><ETag>{e_tag}</ETag>{checksum}</CopyObjectResult>"))
    }

    fn delete(&mut self, key: &str, headers: &HeaderMap) -> Response<Bytes> {
        let found = self.objects.get(key).map(e_tag);
        if header(headers, "if-match").is_some_and(|tag| found.as_deref() != Some(tag)) {
            return answer(412, &[], "");
        }
        self.objects.remove(key);
        answer(204, &[], "")
    }

    fn delete_many(&mut self, body: &Bytes) -> Response<Bytes> {
        if self.bulk == Bulk::Unknown {
            return answer(405, &[], "<Error><Code>MethodNotAllowed</Code></Error>");
        }
        let text = String::from_utf8_lossy(body);
        let mut deleted = String::new();
        for object in xml::elements(&text, "Object") {
            let key = xml::element(object, "Key");
            if self.stubborn.contains(&key) {
                let _ = write!(deleted, "<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>x</Message></Error>");
                continue;
            }
            let _ = write!(deleted, "<Deleted><Key>{key}</Key></Deleted>");
            self.objects.remove(&key);
        }
        answer(200, &[], format!("<DeleteResult>{deleted}</DeleteResult>"))
    }

    fn list(&mut self, query: &BTreeMap<String, String>) -> Response<Bytes> {
        let value = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let prefix = value("prefix");
        let after = value("continuation-token").max(value("start-after"));
        if !after.is_empty() && self.failing_pages > 0 {
            self.failing_pages -= 1;
            return answer(500, &[], "<Error><Code>InternalError</Code></Error>");
        }
        let mut page = String::new();
        let mut prefixes = BTreeSet::new();
        let mut objects = 0;
        let mut last = "";
        let mut more = false;
        for (key, bytes) in self.objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)) {
            if key.as_str() <= after && !after.is_empty() {
                continue;
            }
            let below = key[prefix.len()..].split_once('/').filter(|_| value("delimiter") == "/");
            if let Some((directory, _)) = below {
                prefixes.insert(format!("{prefix}{directory}/"));
                continue;
            }
            if objects == PAGE {
                more = true;
                break;
            }
            objects += 1;
            last = key;
            let _ = write!(
                page,
                "<Contents><Key>{key}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified><ETag>{}</ETag>\
                 <Size>{}</Size></Contents>",
                e_tag(bytes),
                bytes.len()
            );
        }
        for prefix in prefixes {
            let _ = write!(page, "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
        }
        if more {
            let _ = write!(page, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        answer(200, &[], format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>{page}</ListBucketResult>"))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn missing() -> Response<Bytes> {
    answer(404, &[], "<Error><Code>NoSuchKey</Code></Error>")
}

/// It has the form of an MD5, which AWS gives what was put by one request.
fn e_tag(bytes: &Bytes) -> String {
    format!("\"{:032x}\"", Crc64::of(bytes).0)
}

fn checksum(bytes: &Bytes) -> String {
    BASE64_STANDARD.encode(Crc64::of(bytes).0.to_be_bytes())
}
