//! Requests that the object_store crate does not have, and what stores answer to them.

use http::{HeaderMap, Method, StatusCode, header::CONTENT_LENGTH, uri::InvalidUri};
use object_store::client::{HttpClient, HttpError, HttpRequest, HttpRequestBody};
use serde::{Deserialize, de::DeserializeOwned};

use crate::error::{StoreAnswer, StoreErrorKind};

/// A store's answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// An error in the body of an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    code: String,
}

/// A body that is an error, recognized by its root: S3 sends errors with status 200 too.
#[derive(Debug, Deserialize)]
enum ErrorDocument {
    Error(Failure),
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Reads an XML body.
    pub(crate) fn xml<T: DeserializeOwned>(&self) -> Result<T, quick_xml::DeError> {
        quick_xml::de::from_str(self.body.trim_start_matches('\u{feff}').trim())
    }

    /// The code of an error in the body: it names no credential, the message beside it may.
    pub(crate) fn error_code(&self) -> Option<String> {
        self.xml().ok().map(|ErrorDocument::Error(failure)| failure.code)
    }

    /// What the store said, as far as it is an error.
    pub(crate) fn said(&self) -> StoreAnswer {
        let header = || code_in_headers(&self.headers);
        let json = || StoreAnswer::of(0, &self.body).code.filter(|_| self.body.starts_with('{'));
        StoreAnswer {
            status: Some(self.status.as_u16()).filter(|_| !self.status.is_success()),
            code: self.error_code().or_else(header).or_else(json),
        }
    }

    /// The store's own code for what went wrong, else the status.
    pub(crate) fn code(&self) -> String {
        self.said().code.unwrap_or_else(|| self.status.to_string())
    }

    /// What kind of failure it is; `None` for a success.
    pub(crate) fn failure(&self) -> Option<StoreErrorKind> {
        (!self.status.is_success()).then(|| self.said().kind())
    }
}

/// The code of an error in the headers of an answer: Azure's, and that of MinIO where there is no body.
pub(super) fn code_in_headers(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    text("x-ms-error-code").or_else(|| text("x-minio-error-code"))
}

/// Marks a request that its sender makes once, whatever is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct MadeOnce;

/// A request without a body.
pub(crate) fn request(method: Method, url: &str) -> Result<HttpRequest, InvalidUri> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = url.parse()?;
    if method != Method::GET && method != Method::HEAD {
        request.headers_mut().insert(CONTENT_LENGTH, 0.into());
    }
    *request.method_mut() = method;
    Ok(request)
}

/// Sends a request and reads the answer. Nothing is retried here.
pub(crate) async fn send(http: &HttpClient, mut request: HttpRequest) -> Result<Answer, HttpError> {
    request.extensions_mut().insert(MadeOnce);
    let (parts, body) = http.execute(request).await?.into_parts();
    let body = body.bytes().await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

#[cfg(test)]
pub(crate) fn answer(status: u16, body: &str) -> Answer {
    let status = StatusCode::from_u16(status).expect("a status");
    Answer { status, headers: HeaderMap::new(), body: body.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_found() {
        let code = |body| answer(400, body).code();
        assert_eq!(code("<Error><Code>NoSuchKey</Code><Key>&lt;Code&gt;x</Key></Error>"), "NoSuchKey");
        assert_eq!(code("\u{feff}<?xml version=\"1.0\"?>\n  <Error><Code>a</Code></Error>\n"), "a");
        assert_eq!(code("<Other><Code>a</Code></Other>"), "400 Bad Request");
        assert_eq!(code("no XML"), "400 Bad Request");
        let mut azure = answer(409, "");
        azure.headers.insert("x-ms-error-code", "BlobArchived".parse().expect("a value"));
        assert_eq!(azure.code(), "BlobArchived");
    }

    #[test]
    fn an_answer_is_classified_as_those_of_the_object_store_crate_are() {
        use StoreErrorKind as Kind;
        for (status, code, kind) in [
            (200, "", None),
            (304, "", Some(Kind::Changed)),
            (400, "ExpiredToken", Some(Kind::Denied)),
            (403, "", Some(Kind::Denied)),
            (404, "", Some(Kind::NotFound)),
            (408, "", Some(Kind::Throttled)),
            (412, "", Some(Kind::Changed)),
            (500, "", Some(Kind::Unknown)),
            (501, "", Some(Kind::Unsupported)),
            (503, "", Some(Kind::Throttled)),
        ] {
            let body = format!("<Error><Code>{code}</Code></Error>");
            assert_eq!(answer(status, &body).failure(), kind, "{status} {code}");
        }
    }
}
