//! Requests of our own, and what stores answer.

use http::{HeaderMap, Method, StatusCode};
use object_store::client::{HttpClient, HttpErrorKind, HttpRequest, HttpRequestBody};

use super::{
    super::wait::{unless_cancelled, within},
    CopyContext, CopyError,
};
use crate::error::StoreErrorKind;

/// How many times longer than a connection may stall a store may take for a copy, of which it says nothing meanwhile.
const PATIENCE: u32 = 10;

/// What S3 says of credentials that it no longer takes.
const OUTDATED: [&str; 3] = ["ExpiredToken", "InvalidAccessKeyId", "InvalidToken"];

/// Why a copy did not come about.
#[derive(Debug)]
pub(super) enum Said {
    /// An error of this copy.
    Error(CopyError),
    /// The store does not copy this object.
    NotThis,
    /// The store does no such copies between these places.
    Never,
}

impl From<CopyError> for Said {
    fn from(error: CopyError) -> Self {
        Self::Error(error)
    }
}

/// A store's answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    /// The text of the first element of this name in an XML body.
    pub(super) fn element(&self, name: &str) -> Option<String> {
        element(&self.body, name)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer where it is a success, else what it means.
    pub(super) fn success(self) -> Result<Self, Said> {
        let code = self.code();
        let failed = |kind| Said::Error(store_says(kind, &code));
        match self.status.as_u16() {
            200..=299 => Ok(self),
            304 | 412 => Err(CopyError::Changed.into()),
            404 if code.contains("Bucket") || code.contains("Container") || code.contains("Upload") => {
                Err(Said::NotThis)
            }
            404 => Err(CopyError::Vanished.into()),
            // Signed with credentials that were replaced meanwhile; a credential that was never right gets no further than
            // the preflight.
            400 | 401 | 403 if OUTDATED.contains(&code.as_str()) => Err(failed(StoreErrorKind::Unknown)),
            401 | 403 | 405 | 501 => Err(Said::Never),
            408 | 429 | 503 => Err(failed(StoreErrorKind::Throttled)),
            500 | 502 | 504 => Err(failed(StoreErrorKind::Unknown)),
            _ => Err(Said::NotThis),
        }
    }

    /// The store's own code: it names no credential, the message around it may.
    fn code(&self) -> String {
        let code = self.element("Code").or_else(|| self.header("x-ms-error-code").map(ToOwned::to_owned));
        code.unwrap_or_else(|| self.status.to_string())
    }

    /// An answer with status 200 that has an error in its body, or that does not have what a success has.
    pub(super) fn with(self, success: &str) -> Result<Self, Said> {
        if self.element("Error").is_none() && self.element(success).is_some() {
            return Ok(self);
        }
        let kind = match self.code().as_str() {
            "SlowDown" | "ServiceUnavailable" => StoreErrorKind::Throttled,
            _ => StoreErrorKind::Unknown,
        };
        Err(store_says(kind, &self.code()).into())
    }
}

pub(super) fn store_says(kind: StoreErrorKind, code: &str) -> CopyError {
    CopyError::store("copy in the store", kind, format!("the store answered {code}"))
}

/// A request without a body.
pub(super) fn request(method: Method, url: &str) -> Result<HttpRequest, CopyError> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = url.parse().map_err(unusable)?;
    if method != Method::GET && method != Method::HEAD {
        request.headers_mut().insert(http::header::CONTENT_LENGTH, 0.into());
    }
    *request.method_mut() = method;
    Ok(request)
}

/// Adds a header.
pub(super) fn with(mut request: HttpRequest, name: &'static str, value: &str) -> Result<HttpRequest, CopyError> {
    request.headers_mut().insert(name, value.parse().map_err(unusable)?);
    Ok(request)
}

/// What cannot be said in HTTP: a key or a tag with characters that no header takes.
fn unusable<E>(_: E) -> CopyError {
    CopyError::Unsupported
}

/// Sends a request and reads the answer. Nothing is tried again here: that is for whoever asked for the copy.
pub(super) async fn send(http: &HttpClient, request: HttpRequest, context: &CopyContext) -> Result<Answer, CopyError> {
    let unreachable = |source: object_store::client::HttpError| {
        let kind = match source.kind() {
            HttpErrorKind::Decode | HttpErrorKind::Unknown => StoreErrorKind::Unknown,
            _ => StoreErrorKind::Unreachable,
        };
        CopyError::store("copy in the store", kind, source)
    };
    let answer = async {
        let (parts, body) = http.execute(request).await.map_err(unreachable)?.into_parts();
        let body = body.bytes().await.map_err(unreachable)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    };
    let patience = context.stall_timeout.saturating_mul(PATIENCE);
    unless_cancelled(&context.cancellation, within(patience, answer)).await??
}

/// The text of the first element of this name, unescaped. Attributes of the element are passed over.
fn element(xml: &str, name: &str) -> Option<String> {
    let open = format!("<{name}");
    let (_, rest) = xml
        .match_indices(&open)
        .map(|(at, _)| xml.split_at(at + open.len()))
        .find(|(_, rest)| rest.starts_with(['>', ' ', '/']))?;
    let (_, rest) = rest.split_once('>')?;
    let (text, _) = rest.split_once(&format!("</{name}>")).unwrap_or(("", ""));
    let unescaped =
        [("&quot;", "\""), ("&#34;", "\""), ("&#x22;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">")]
            .iter()
            .fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain));
    Some(unescaped.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).expect("a status");
        Answer { status, headers: HeaderMap::new(), body: body.to_owned() }
    }

    #[test]
    fn elements_are_found_and_unescaped() {
        let xml = r#"<?xml?><CopyObjectResult xmlns="x"><ETag>&#34;a-2&#34;</ETag><ETagX>n</ETagX></CopyObjectResult>"#;
        assert_eq!(element(xml, "ETag").as_deref(), Some("\"a-2\""));
        assert!(element(xml, "CopyObjectResult").is_some());
        assert_eq!(element(xml, "Error"), None);
        assert_eq!(element("<Error/>", "Error").as_deref(), Some(""));
    }

    #[test]
    fn an_error_with_status_200_is_one() {
        let slow = answer(200, "<Error><Code>SlowDown</Code></Error>").with("CopyObjectResult");
        assert!(matches!(slow, Err(Said::Error(CopyError::Store { kind: StoreErrorKind::Throttled, .. }))), "{slow:?}");
        let internal = answer(200, "<Error><Code>InternalError</Code></Error>").with("CopyObjectResult");
        assert!(matches!(internal, Err(Said::Error(ref error)) if error.is_retryable()), "{internal:?}");
        assert!(answer(200, "").with("CopyObjectResult").is_err());
        assert!(answer(200, "<CopyObjectResult></CopyObjectResult>").with("CopyObjectResult").is_ok());
    }

    #[test]
    fn a_store_says_no_in_several_ways() {
        assert!(matches!(answer(412, "").success(), Err(Said::Error(CopyError::Changed))));
        assert!(matches!(answer(404, "<Code>NoSuchKey</Code>").success(), Err(Said::Error(CopyError::Vanished))));
        assert!(matches!(answer(404, "<Code>NoSuchBucket</Code>").success(), Err(Said::NotThis)));
        assert!(matches!(answer(403, "").success(), Err(Said::Never)));
        let outdated = answer(400, "<Code>ExpiredToken</Code>").success();
        assert!(matches!(outdated, Err(Said::Error(ref error)) if error.is_retryable()), "{outdated:?}");
        assert!(matches!(answer(501, "").success(), Err(Said::Never)));
        assert!(matches!(answer(400, "").success(), Err(Said::NotThis)));
        assert!(matches!(answer(503, "").success(), Err(Said::Error(ref error)) if error.is_retryable()));
    }
}
