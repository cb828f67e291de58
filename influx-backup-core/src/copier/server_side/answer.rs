//! What the answers of a store mean for a copy.

use http::{Method, StatusCode};
use object_store::client::{HttpClient, HttpErrorKind, HttpRequest};

use super::{
    super::{
        COPY_IN_STORE,
        wait::{unless_cancelled, within},
    },
    CopyContext, CopyError,
};
use crate::{
    error::{CopySide, StoreErrorKind},
    location::cloud::requests::{self, Answer},
};

/// How many times longer than a connection may stall a store may take for a copy, during which it sends nothing.
const PATIENCE: u32 = 10;

/// Codes for credentials that were valid when the request was signed. Credentials that never were do not pass the preflight.
const EXPIRED_CODES: [&str; 3] = ["ExpiredToken", "InvalidAccessKeyId", "InvalidToken"];

/// Why a store did not copy.
#[derive(Debug)]
pub(super) enum Failure {
    /// The copy failed.
    Copy(CopyError),
    /// The store refused.
    Refused(CopyRefusal),
}

/// What a store refuses to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyRefusal {
    /// This object.
    Object,
    /// This object, or everything: the answer does not tell.
    Unclear,
    /// Everything: it does not have the request.
    Always,
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        Self::Copy(error)
    }
}

impl From<CopyRefusal> for Failure {
    fn from(refusal: CopyRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The answer where it is a success, else what it means.
pub(super) fn success(answer: Answer) -> Result<Answer, Failure> {
    let Some(kind) = answer.failure() else { return Ok(answer) };
    let code = answer.code();
    let is_in = |codes: &[&str]| codes.contains(&code.as_str());
    Err(match kind {
        _ if is_in(&EXPIRED_CODES) => store_error(StoreErrorKind::Unknown, &code).into(),
        StoreErrorKind::Changed => CopyError::Changed.into(),
        StoreErrorKind::NotFound if ["Bucket", "Container", "Upload"].iter().any(|what| code.contains(what)) => {
            CopyRefusal::Object.into()
        }
        StoreErrorKind::NotFound => CopyError::Vanished.into(),
        StoreErrorKind::Archived => CopyError::store(CopySide::Source, COPY_IN_STORE, kind, answer.said()).into(),
        StoreErrorKind::Full => store_error(kind, &code).into(),
        StoreErrorKind::Denied => CopyRefusal::Unclear.into(),
        StoreErrorKind::Throttled => store_error(kind, &code).into(),
        StoreErrorKind::Unsupported => CopyRefusal::Always.into(),
        _ if answer.status == StatusCode::METHOD_NOT_ALLOWED => CopyRefusal::Always.into(),
        _ if answer.status.is_server_error() => store_error(kind, &code).into(),
        _ => CopyRefusal::Object.into(),
    })
}

pub(super) fn store_error(kind: StoreErrorKind, code: &str) -> CopyError {
    CopyError::store(CopySide::Target, COPY_IN_STORE, kind, format!("the store answered {code}"))
}

/// A request without a body.
pub(super) fn request(method: Method, url: &str) -> Result<HttpRequest, CopyError> {
    requests::request(method, url).map_err(unusable)
}

/// Adds a header.
pub(super) fn with(mut request: HttpRequest, name: &'static str, value: &str) -> Result<HttpRequest, CopyError> {
    request.headers_mut().insert(name, value.parse().map_err(unusable)?);
    Ok(request)
}

/// A key or a tag with characters that no header can carry.
fn unusable<E>(_: E) -> CopyError {
    CopyError::Unsupported
}

/// Sends a request and reads the answer. Nothing is retried here: the executor does that.
pub(super) async fn send(
    client: &HttpClient,
    request: HttpRequest,
    context: &CopyContext,
) -> Result<Answer, CopyError> {
    let patience = context.stall_timeout.saturating_mul(PATIENCE);
    let answer = within(CopySide::Target, patience, Box::pin(requests::send(client, request)));
    let answer = unless_cancelled(&context.cancellation, answer).await??;
    answer.map_err(|error| {
        let kind = match error.kind() {
            HttpErrorKind::Decode | HttpErrorKind::Unknown => StoreErrorKind::Unknown,
            _ => StoreErrorKind::Unreachable,
        };
        CopyError::store(CopySide::Target, COPY_IN_STORE, kind, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, code: &str) -> Failure {
        let body = format!("<Error><Code>{code}</Code></Error>");
        success(requests::answer(status, &body)).expect_err("a failure")
    }

    #[test]
    fn an_answer_is_about_the_copy_the_object_or_everything() {
        assert!(matches!(failure(412, ""), Failure::Copy(CopyError::Changed)));
        assert!(matches!(failure(404, "NoSuchKey"), Failure::Copy(CopyError::Vanished)));
        for (status, code, refusal) in [
            (400, "InvalidRequest", CopyRefusal::Object),
            (403, "AccessDenied", CopyRefusal::Unclear),
            (404, "NoSuchBucket", CopyRefusal::Object),
            (405, "MethodNotAllowed", CopyRefusal::Always),
            (501, "NotImplemented", CopyRefusal::Always),
        ] {
            let found = failure(status, code);
            assert!(matches!(found, Failure::Refused(found) if found == refusal), "{status} {code}: {found:?}");
        }
        for (status, code, expected) in [
            (507, "XMinioStorageFull", "no-space"),
            (400, "XMinioAdminBucketQuotaExceeded", "no-space"),
            (403, "QuotaExceeded", "no-space"),
            (403, "InvalidObjectState", "object-archived"),
            (409, "BlobArchived", "object-archived"),
            (505, "", "store-rejected"),
        ] {
            let found = failure(status, code);
            assert!(matches!(&found, Failure::Copy(error) if error.code() == expected), "{status} {code}: {found:?}");
            assert!(matches!(&found, Failure::Copy(error) if !error.is_retryable()), "{status} {code}: {found:?}");
        }
        for (status, code) in [(400, "ExpiredToken"), (500, "InternalError"), (503, "SlowDown"), (408, "")] {
            let found = failure(status, code);
            assert!(matches!(&found, Failure::Copy(error) if error.is_retryable()), "{status} {code}: {found:?}");
        }
    }
}
