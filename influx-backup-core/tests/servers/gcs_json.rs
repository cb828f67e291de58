//! Reads, listings and deletions by Google's JSON API, for a server that lacks them in the XML API: Google's storage
//! testbench has no listing, no deletion and no entity tags there.

use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use object_store::{
    client::{HttpClient, HttpError, HttpRequestBody},
    path::Path,
};
use serde_json::Value;
use url::Url;

use super::gcs_shim::{describe, object_of};

/// The answer to a request of the XML API that reads, lists or deletes; `None` for any other.
pub(super) async fn answer(
    client: &HttpClient,
    request: &Request<Bytes>,
) -> Result<Option<Response<Bytes>>, HttpError> {
    let url = Url::parse(&request.uri().to_string()).expect("an absolute URL");
    let has = |name: &str| url.query_pairs().any(|(found, _)| found == name);
    let answer = match (request.method(), object_of(&url)) {
        (&Method::GET, None) if has("list-type") => list(client, &url).await?,
        (&Method::GET | &Method::HEAD, Some((bucket, key))) => {
            read(client, &url, &object(&bucket, &key), request).await?
        }
        (&Method::DELETE, Some((bucket, key))) if !has("uploadId") => {
            ask(client, Method::DELETE, at(&url, &object(&bucket, &key)), HeaderMap::new()).await?
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// Bucket and key as segments of a path.
fn object(bucket: &str, key: &str) -> [String; 2] {
    [bucket.to_owned(), key.to_owned()]
}

/// `/storage/v1/b/BUCKET/o` or, with a key, `…/o/KEY`, at the same server.
fn at(server: &Url, object: &[String]) -> Url {
    let mut url = server.clone();
    url.set_query(None);
    let mut segments = url.path_segments_mut().expect("a base URL");
    segments.clear().extend(["storage", "v1", "b", &object[0], "o"]).extend(object.get(1));
    drop(segments);
    url
}

async fn ask(client: &HttpClient, method: Method, url: Url, headers: HeaderMap) -> Result<Response<Bytes>, HttpError> {
    let mut request = Request::new(HttpRequestBody::empty());
    *request.method_mut() = method;
    *request.uri_mut() = url.as_str().parse().expect("a valid URL");
    *request.headers_mut() = headers;
    let (parts, body) = client.execute(request).await?.into_parts();
    Ok(Response::from_parts(parts, body.bytes().await?))
}

/// The object's description, which has the tag, and then its bytes in the version that was described.
async fn read(
    client: &HttpClient,
    url: &Url,
    object: &[String],
    request: &Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let mut object = at(url, object);
    if let Some((_, generation)) = url.query_pairs().find(|(name, _)| name == "generation") {
        object.query_pairs_mut().append_pair("generation", &generation);
    }
    let described = ask(client, Method::GET, object.clone(), HeaderMap::new()).await?;
    if !described.status().is_success() {
        return Ok(described);
    }
    let mut headers = HeaderMap::new();
    let e_tag = describe(&mut headers, described.body());
    let json: Value = serde_json::from_slice(described.body()).unwrap_or_default();
    describe_more(&mut headers, &json);
    let wants = |name: header::HeaderName| request.headers().get(name).and_then(|tag| tag.to_str().ok());
    let mut answer = if wants(header::IF_MATCH).is_some_and(|tag| tag != e_tag) {
        status(StatusCode::PRECONDITION_FAILED)
    } else if wants(header::IF_NONE_MATCH).is_some_and(|tag| tag == e_tag) {
        status(StatusCode::NOT_MODIFIED)
    } else if request.method() == Method::HEAD {
        // The testbench omits the size of an empty object.
        let size = json["size"].as_str().unwrap_or("0");
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_str(size).expect("a number"));
        status(StatusCode::OK)
    } else {
        let generation = json["generation"].as_str().unwrap_or_default();
        object.query_pairs_mut().clear().append_pair("alt", "media").append_pair("generation", generation);
        let range = request.headers().get(header::RANGE).map(|range| (header::RANGE, range.clone()));
        let mut bytes = ask(client, Method::GET, object, HeaderMap::from_iter(range)).await?;
        bytes.headers_mut().remove(header::TRANSFER_ENCODING);
        headers.insert(header::CONTENT_LENGTH, bytes.body().len().into());
        bytes
    };
    answer.headers_mut().extend(headers);
    Ok(answer)
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// What a description has beside tag, generation and checksums.
fn describe_more(headers: &mut HeaderMap, json: &Value) {
    let mut insert = |name: &str, value: &str| {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.insert(name, HeaderValue::from_str(value).expect("an ASCII value"));
    };
    let updated = DateTime::parse_from_rfc3339(json["updated"].as_str().unwrap_or_default()).expect("a time");
    insert("last-modified", &updated.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(content_type) = json["contentType"].as_str() {
        insert("content-type", content_type);
    }
    for (name, value) in json["metadata"].as_object().into_iter().flatten() {
        insert(&format!("x-goog-meta-{name}"), value.as_str().unwrap_or_default());
    }
}

/// Everything at once, in the words of the XML API.
async fn list(client: &HttpClient, url: &Url) -> Result<Response<Bytes>, HttpError> {
    let bucket = Path::from_url_path(url.path()).expect("a bucket");
    let mut listing = at(url, &[bucket.to_string()]);
    let wanted = url.query_pairs().filter(|(name, _)| matches!(name.as_ref(), "prefix" | "delimiter"));
    listing.query_pairs_mut().extend_pairs(wanted);
    let mut answer = ask(client, Method::GET, listing, HeaderMap::new()).await?;
    if answer.status().is_success() {
        let json: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        answer.headers_mut().remove(header::TRANSFER_ENCODING);
        let listed = in_xml(&json);
        answer.headers_mut().insert(header::CONTENT_LENGTH, listed.len().into());
        *answer.body_mut() = listed.into();
    }
    Ok(answer)
}

fn in_xml(listing: &Value) -> String {
    let all = |name: &str| listing[name].as_array().cloned().unwrap_or_default();
    let contents = all("items").into_iter().map(|item| {
        let or_empty = |name: &str| if name == "size" { "0" } else { "" };
        let text = |name: &str| escaped(item[name].as_str().unwrap_or(or_empty(name)).trim_matches('"'));
        let element = |tag: &str, name: &str| format!("<{tag}>{}</{tag}>", text(name));
        let named = [("Key", "name"), ("Generation", "generation"), ("LastModified", "updated"), ("Size", "size")];
        let elements: String = named.iter().map(|(tag, name)| element(tag, name)).collect();
        format!("<Contents>{elements}<ETag>&quot;{}&quot;</ETag></Contents>", text("etag"))
    });
    let prefixes = all("prefixes").into_iter().map(|prefix| {
        format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(prefix.as_str().unwrap_or_default()))
    });
    format!("<ListBucketResult>{}</ListBucketResult>", contents.chain(prefixes).collect::<String>())
}

fn escaped(text: &str) -> String {
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")]
        .iter()
        .fold(text.to_owned(), |text, (plain, escape)| text.replace(*plain, escape))
}
