//! What fake-gcs-server lacks of Google's XML API, which object_store speaks: puts, copies and multipart uploads.
//!
//! A put becomes a JSON-API upload and a copy a `rewriteTo`; a listing, which comes all at once, is given page by page.
//! Multipart uploads are kept here and put as one object at
//! their end, so they show that the requests are well formed and that nothing is left over, not what Google does.
//! A copy with a precondition is refused with 400, since the server would ignore the precondition.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
    HttpService, ReqwestConnector,
};
use object_store::path::Path;
use url::Url;

use super::{Leftover, gcs_json, xml};

/// How many keys Google gives in one answer.
const PAGE: usize = 1_000;

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-goog-copy-source");
const IF_GENERATION: HeaderName = HeaderName::from_static("x-goog-if-generation-match");

/// Makes HTTP clients that translate. Clones share their multipart uploads.
#[derive(Debug, Clone, Default)]
pub(crate) struct GcsShim {
    uploads: Arc<Mutex<BTreeMap<String, Upload>>>,
    reads: Reads,
}

/// By which of Google's interfaces the server can be read and listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Reads {
    #[default]
    Xml,
    /// See [`gcs_json`].
    Json,
}

/// A multipart upload that has begun.
#[derive(Debug)]
struct Upload {
    bucket: String,
    key: String,
    /// Headers of the first request: content type and user metadata.
    headers: HeaderMap,
    parts: BTreeMap<u32, Bytes>,
}

impl GcsShim {
    pub(crate) fn reading(reads: Reads) -> Self {
        Self { reads, ..Self::default() }
    }

    /// Multipart uploads of a bucket that were neither completed nor aborted.
    pub(crate) fn leftovers(&self, bucket: &str) -> Vec<Leftover> {
        let uploads = self.uploads();
        let mut leftovers: Vec<_> = uploads
            .iter()
            .filter(|(_, upload)| upload.bucket == bucket)
            .map(|(id, upload)| Leftover { key: upload.key.clone(), upload: id.clone() })
            .collect();
        leftovers.sort();
        leftovers
    }

    fn uploads(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do about a request: answer it here, or send another one to the server.
    fn translate(&self, request: Request<Bytes>) -> Next {
        let url = Url::parse(&request.uri().to_string()).expect("an absolute URL");
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let Some((bucket, key)) = object_of(&url) else {
            return if query.contains_key("list-type") {
                Next::Send(request, Answer::Page { after: query.get("continuation-token").cloned() })
            } else {
                Next::Forward(request)
            };
        };
        let upload_id = query.get("uploadId");
        match (request.method(), upload_id) {
            (&Method::POST, None) if query.contains_key("uploads") => self.begin(bucket, key, &request),
            (&Method::PUT, Some(id)) => self.part(id, query.get("partNumber"), request.into_body()),
            (&Method::POST, Some(id)) => self.complete(id, &url, request.body()),
            (&Method::DELETE, Some(id)) => match self.uploads().remove(id) {
                Some(_) => Next::answer(StatusCode::NO_CONTENT, ""),
                None => Next::answer(StatusCode::NOT_FOUND, "no such upload"),
            },
            (&Method::PUT, None) if request.headers().contains_key(COPY_SOURCE) => copy(&url, &request),
            (&Method::PUT, None) => Next::Send(upload(&url, &bucket, &key, request), Answer::Headers),
            _ => Next::Forward(request),
        }
    }

    fn begin(&self, bucket: String, key: String, request: &Request<Bytes>) -> Next {
        let id = format!("{:032x}", rand::random::<u128>());
        let body = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        let upload = Upload { bucket, key, headers: request.headers().clone(), parts: BTreeMap::new() };
        self.uploads().insert(id, upload);
        Next::answer(StatusCode::OK, body)
    }

    fn part(&self, id: &str, number: Option<&String>, body: Bytes) -> Next {
        let mut uploads = self.uploads();
        let Some(upload) = uploads.get_mut(id) else { return Next::answer(StatusCode::NOT_FOUND, "no such upload") };
        let Some(number) = number.and_then(|number| number.parse().ok()) else {
            return Next::answer(StatusCode::BAD_REQUEST, "no part number");
        };
        let e_tag = format!("\"{number}-{:08x}\"", crc32fast::hash(&body));
        upload.parts.insert(number, body);
        let mut answer = Response::new(Bytes::new());
        answer.headers_mut().insert(header::ETAG, HeaderValue::from_str(&e_tag).expect("an ASCII tag"));
        Next::Answer(answer)
    }

    /// The parts that the request names, in its order, with the tags that they were answered with.
    fn complete(&self, id: &str, url: &Url, body: &Bytes) -> Next {
        let mut uploads = self.uploads();
        let Some(begun) = uploads.get(id) else { return Next::answer(StatusCode::NOT_FOUND, "no such upload") };
        let text = String::from_utf8_lossy(body);
        let mut content = Vec::new();
        for part in xml::elements(&text, "Part") {
            let number = xml::element(part, "PartNumber").parse().ok();
            let known = number.and_then(|number: u32| begun.parts.get_key_value(&number));
            let Some((_, bytes)) = known.filter(|(number, bytes)| {
                xml::element(part, "ETag") == format!("\"{number}-{:08x}\"", crc32fast::hash(bytes))
            }) else {
                return Next::answer(StatusCode::BAD_REQUEST, "a part that was not uploaded");
            };
            content.extend_from_slice(bytes);
        }
        let Some(begun) = uploads.remove(id) else { return Next::answer(StatusCode::NOT_FOUND, "no such upload") };
        let mut request = Request::new(Bytes::from(content));
        *request.headers_mut() = begun.headers;
        Next::Send(upload(url, &begun.bucket, &begun.key, request), Answer::CompletedUpload)
    }
}

/// What becomes of a request.
enum Next {
    Answer(Response<Bytes>),
    Forward(Request<Bytes>),
    Send(Request<Bytes>, Answer),
}

/// What an answer of the server is turned into.
enum Answer {
    Headers,
    CompletedUpload,
    /// The keys after one, as many as a page has.
    Page {
        after: Option<String>,
    },
}

impl Next {
    fn answer(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        Self::Answer(response)
    }
}

/// Bucket and key of an XML-API URL: object_store encodes each as one path segment, the hyphens of buckets included.
pub(super) fn object_of(url: &Url) -> Option<(String, String)> {
    let (bucket, key) = url.path().strip_prefix('/')?.split_once('/')?;
    if matches!(bucket, "storage" | "upload" | "download" | "_internal" | "batch") {
        return None;
    }
    Some((Path::from_url_path(bucket).ok()?.to_string(), Path::from_url_path(key).ok()?.to_string()))
}

/// The JSON API's form of a put. Content type and `x-goog-meta-*` stay in the headers, where the server looks for them.
fn upload(url: &Url, bucket: &str, key: &str, request: Request<Bytes>) -> Request<Bytes> {
    let mut target = url.clone();
    target.set_path(&format!("/upload/storage/v1/b/{bucket}/o"));
    let mut query = target.query_pairs_mut();
    query.clear().append_pair("uploadType", "media").append_pair("name", key);
    if let Some(generation) = request.headers().get(IF_GENERATION) {
        query.append_pair("ifGenerationMatch", &String::from_utf8_lossy(generation.as_bytes()));
    }
    drop(query);
    let (mut parts, body) = request.into_parts();
    parts.method = Method::POST;
    parts.uri = target.as_str().parse().expect("a valid URL");
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    Request::from_parts(parts, body)
}

/// The JSON API's form of a copy; the source comes as `bucket/key` with the key encoded as one segment.
fn copy(url: &Url, request: &Request<Bytes>) -> Next {
    if request.headers().contains_key(IF_GENERATION) {
        return Next::answer(StatusCode::BAD_REQUEST, "fake-gcs-server ignores preconditions of copies");
    }
    let source = request.headers().get(COPY_SOURCE).and_then(|source| source.to_str().ok()).unwrap_or_default();
    let source = source.trim_start_matches('/').split_once('/');
    let target = url.path()[1..].split_once('/');
    let (Some((from_bucket, from)), Some((to_bucket, to))) = (source, target) else {
        return Next::answer(StatusCode::BAD_REQUEST, "no copy source");
    };
    let mut target = url.clone();
    target.set_query(None);
    target.set_path(&format!("/storage/v1/b/{from_bucket}/o/{from}/rewriteTo/b/{to_bucket}/o/{to}"));
    let rewrite = Request::builder()
        .method(Method::POST)
        .uri(target.as_str())
        .header(header::CONTENT_LENGTH, 0)
        .body(Bytes::new())
        .expect("a valid request");
    Next::Send(rewrite, Answer::Headers)
}

impl Answer {
    fn translate(&self, response: Response<Bytes>) -> Response<Bytes> {
        if !response.status().is_success() {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let body = match self {
            Self::Page { after } => page(&String::from_utf8_lossy(&body), after.as_deref()),
            Self::Headers => {
                describe(&mut parts.headers, &body);
                String::new()
            }
            Self::CompletedUpload => {
                let e_tag = describe(&mut parts.headers, &body);
                format!("<CompleteMultipartUploadResult><ETag>{e_tag}</ETag></CompleteMultipartUploadResult>")
            }
        };
        parts.headers.remove(header::TRANSFER_ENCODING);
        parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
        Response::from_parts(parts, body.into())
    }
}

/// The object's tag, generation and checksums move from the JSON body to the headers, where the XML API has them. Returns
/// the tag.
pub(super) fn describe(headers: &mut HeaderMap, body: &Bytes) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let object = json.get("resource").unwrap_or(&json);
    let text = |name: &str| object.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let hash = format!("crc32c={},md5={}", text("crc32c"), text("md5Hash"));
    let e_tag = format!("\"{}\"", text("etag").trim_matches('"'));
    for (name, value) in [("etag", &e_tag), ("x-goog-generation", &text("generation")), ("x-goog-hash", &hash)] {
        headers.insert(name, HeaderValue::from_str(value).expect("an ASCII value"));
    }
    e_tag
}

/// One page of a listing that has everything. The token for the next one is the last key; common prefixes come first.
fn page(listing: &str, after: Option<&str>) -> String {
    let is_new = |entry: &&str| after.is_none_or(|after| xml::element(entry, "Key").as_str() > after);
    let entries: Vec<_> = xml::elements(listing, "Contents").into_iter().filter(is_new).collect();
    let entry = |entry: &&str| format!("<Contents>{entry}</Contents>");
    let mut page: String = entries.iter().take(PAGE).map(entry).collect();
    if after.is_none() {
        let prefixes = xml::elements(listing, "CommonPrefixes");
        page.extend(prefixes.iter().map(|prefix| format!("<CommonPrefixes>{prefix}</CommonPrefixes>")));
    }
    if entries.len() > PAGE {
        let last = xml::elements(entries[PAGE - 1], "Key")[0];
        page.push_str(&format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"));
    }
    format!("<ListBucketResult>{page}</ListBucketResult>")
}

impl HttpConnector for GcsShim {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Translating { shim: self.clone(), inner }))
    }
}

/// The HTTP client that a [`GcsShim`] makes.
#[derive(Debug)]
struct Translating {
    shim: GcsShim,
    inner: HttpClient,
}

impl Translating {
    async fn send(&self, request: Request<Bytes>) -> Result<HttpResponse, HttpError> {
        if self.shim.reads == Reads::Json
            && let Some(answer) = gcs_json::answer(&self.inner, &request).await?
        {
            return Ok(response_of(answer));
        }
        self.inner.execute(request.map(HttpRequestBody::from)).await
    }
}

#[async_trait]
impl HttpService for Translating {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let (request, answer) = match self.shim.translate(Request::from_parts(parts, body)) {
            Next::Answer(response) => return Ok(response_of(response)),
            Next::Forward(request) => return self.send(request).await,
            Next::Send(request, answer) => (request, answer),
        };
        let (parts, body) = self.send(request).await?.into_parts();
        Ok(response_of(answer.translate(Response::from_parts(parts, body.bytes().await?))))
    }
}

fn response_of(response: Response<Bytes>) -> HttpResponse {
    response.map(|body| {
        HttpResponseBody::new(Full::new(body).map_err(|never| HttpError::new(HttpErrorKind::Unknown, never)))
    })
}
