//! What stores answer: one closed table of statuses and codes, and the kind of failure that each is.
//!
//! Whether a request is made again follows from the kind, see [`StoreErrorKind::is_transient`]: only for answers that stand
//! here as `Throttled` or as `Unknown`, which is a failure for a moment. An answer that does not stand here is `Rejected`, at
//! once.
//!
//! Sources:
//! - S3: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
//! - MinIO: `cmd/api-errors.go` of <https://github.com/minio/minio>
//! - Ceph: `src/rgw/rgw_common.cc` of <https://github.com/ceph/ceph>
//! - Azure: <https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes> and
//!   <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>
//! - Google: <https://cloud.google.com/storage/docs/json_api/v1/status-codes>,
//!   <https://cloud.google.com/storage/docs/xml-api/reference-status> and
//!   <https://cloud.google.com/storage/docs/retry-strategy>
//! - HTTP: RFC 9110, RFC 4918 (507), RFC 6585 (429), and what stands before stores answers in their place (520 to 524, 529:
//!   <https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/>)

use super::StoreErrorKind::{
    self, AlreadyExists, Archived, Changed, Denied, Full, Invalid, NotFound, Rejected, Throttled, Unknown, Unsupported,
};

/// Who documents an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    S3,
    MinIo,
    Ceph,
    Azure,
    Google,
}

/// An answer with a code of its store. The code says more than the status: an expired token comes with 400.
type Coded = (By, u16, &'static str, StoreErrorKind);

const CODED: &[Coded] = &[
    (By::S3, 400, "BadDigest", Unknown),
    (By::S3, 400, "ExpiredToken", Denied),
    (By::S3, 400, "IncompleteBody", Unknown),
    (By::S3, 400, "InvalidToken", Denied),
    (By::S3, 400, "RequestTimeTooSkewed", Unknown),
    (By::S3, 400, "RequestTimeout", Unknown),
    (By::S3, 400, "TokenRefreshRequired", Denied),
    (By::S3, 400, "XAmzContentSHA256Mismatch", Unknown),
    (By::S3, 403, "AccessDenied", Denied),
    (By::S3, 403, "InvalidAccessKeyId", Denied),
    (By::S3, 403, "InvalidObjectState", Archived),
    (By::S3, 403, "ObjectNotInActiveTierError", Archived),
    (By::S3, 403, "RequestTimeTooSkewed", Denied),
    (By::S3, 403, "SignatureDoesNotMatch", Denied),
    (By::S3, 404, "NoSuchBucket", NotFound),
    (By::S3, 409, "ConditionalRequestConflict", Unknown),
    (By::S3, 409, "OperationAborted", Unknown),
    (By::S3, 500, "InternalError", Unknown),
    (By::S3, 503, "RequestLimitExceeded", Throttled),
    (By::S3, 503, "ServiceUnavailable", Throttled),
    (By::S3, 503, "SlowDown", Throttled),
    (By::MinIo, 400, "XMinioAdminBucketQuotaExceeded", Full),
    (By::MinIo, 429, "TooManyRequests", Throttled),
    (By::MinIo, 503, "SlowDownRead", Throttled),
    (By::MinIo, 503, "SlowDownWrite", Throttled),
    (By::MinIo, 503, "XMinioBackendDown", Unknown),
    (By::MinIo, 503, "XMinioServerNotInitialized", Unknown),
    (By::MinIo, 507, "XMinioStorageFull", Full),
    (By::Ceph, 403, "QuotaExceeded", Full),
    (By::Ceph, 413, "QuotaExceeded", Full),
    (By::Azure, 400, "InvalidAuthenticationInfo", Denied),
    (By::Azure, 400, "Md5Mismatch", Unknown),
    (By::Azure, 403, "AccountIsDisabled", Denied),
    (By::Azure, 403, "AuthenticationFailed", Denied),
    (By::Azure, 403, "InsufficientAccountPermissions", Denied),
    (By::Azure, 404, "ContainerNotFound", NotFound),
    (By::Azure, 409, "BlobArchived", Archived),
    (By::Azure, 409, "BlobBeingRehydrated", Archived),
    (By::Azure, 409, "BlobImmutableDueToPolicy", Rejected),
    (By::Azure, 409, "ContainerBeingDeleted", NotFound),
    (By::Azure, 409, "ContainerDisabled", Denied),
    (By::Azure, 409, "PendingCopyOperation", Unknown),
    (By::Azure, 409, "PublicAccessNotPermitted", Denied),
    (By::Azure, 412, "LeaseIdMissing", Rejected),
    (By::Azure, 500, "InternalError", Unknown),
    (By::Azure, 500, "OperationTimedOut", Unknown),
    (By::Azure, 503, "ServerBusy", Throttled),
    (By::Google, 403, "quotaExceeded", Full),
    (By::Google, 403, "storageQuotaExceeded", Full),
    (By::Google, 403, "rateLimitExceeded", Throttled),
    (By::Google, 403, "userRateLimitExceeded", Throttled),
    (By::Google, 429, "rateLimitExceeded", Throttled),
    (By::Google, 500, "backendError", Unknown),
    (By::Google, 503, "backendError", Unknown),
];

/// An answer without a code that is known, by its status.
const BARE: &[(u16, StoreErrorKind)] = &[
    (301, Invalid),
    (302, Invalid),
    (303, Invalid),
    (304, Changed),
    (307, Invalid),
    (308, Invalid),
    (400, Invalid),
    (401, Denied),
    (403, Denied),
    (404, NotFound),
    (405, Invalid),
    (407, Denied),
    (408, Throttled),
    (409, AlreadyExists),
    (411, Invalid),
    (412, Changed),
    (413, Invalid),
    (414, Invalid),
    (415, Invalid),
    (416, Invalid),
    (422, Invalid),
    (429, Throttled),
    (431, Invalid),
    (451, Denied),
    (500, Unknown),
    (501, Unsupported),
    (502, Unknown),
    (503, Throttled),
    (504, Unknown),
    (507, Full),
    (520, Unknown),
    (521, Unknown),
    (522, Unknown),
    (523, Unknown),
    (524, Unknown),
    (529, Throttled),
];

/// What a store answered: the status, and its own code where it gave one. As a cause in the chain of an error it is what the
/// kind of that error follows from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store answered {}{}", status.map(|status| format!("{status} ")).unwrap_or_default(), code.as_deref().unwrap_or("without a code"))]
pub(crate) struct StoreAnswer {
    /// `None`: an error in the body of a success, or of one object among many.
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
}

impl StoreAnswer {
    /// An answer with this body.
    #[cfg(any(test, feature = "cloud"))]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self { status: Some(status), code: code_in(body).map(ToOwned::to_owned) }
    }

    pub(crate) fn kind(&self) -> StoreErrorKind {
        let code = self.code.as_deref().unwrap_or_default();
        let same_code = || CODED.iter().filter(|(_, _, known, _)| *known == code);
        let coded = same_code().find(|(_, status, ..)| self.status == Some(*status)).or_else(|| same_code().next());
        if let Some((.., kind)) = coded {
            return *kind;
        }
        match self.status {
            None if code.is_empty() => Unknown,
            None => Rejected,
            Some(status) => BARE.iter().find(|(known, _)| *known == status).map_or(Rejected, |(_, kind)| *kind),
        }
    }

    /// The answer has a code that the table knows: it says more than how the client sorts statuses.
    pub(crate) fn is_coded(&self) -> bool {
        CODED.iter().any(|(_, _, known, _)| self.code.as_deref() == Some(*known))
    }
}

/// The code in a body: `<Code>` in XML, the first `reason` in Google's JSON.
pub(crate) fn code_in(body: &str) -> Option<&str> {
    let between = |begin: &str, end: char| body.split_once(begin)?.1.split_once(end).map(|(code, _)| code);
    if body.trim_start().starts_with('{') {
        return between("\"reason\"", ',').and_then(|rest| rest.split('"').nth(1));
    }
    between("<Code>", '<').filter(|code| !code.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn kind(status: u16, code: &str) -> StoreErrorKind {
        StoreAnswer { status: Some(status), code: Some(code.to_owned()).filter(|code| !code.is_empty()) }.kind()
    }

    /// The list of what is tried again, whole: whoever adds to it says so here.
    #[test]
    fn what_is_tried_again_is_a_closed_list() {
        let coded = CODED.iter().filter(|(.., kind)| kind.is_transient()).map(|(_, status, code, _)| (*status, *code));
        let bare = BARE.iter().filter(|(_, kind)| kind.is_transient()).map(|(status, _)| (*status, ""));
        let again: BTreeSet<_> = coded.chain(bare).collect();
        let expected = [
            (400, "BadDigest"),
            (400, "IncompleteBody"),
            (400, "Md5Mismatch"),
            (400, "RequestTimeTooSkewed"),
            (400, "RequestTimeout"),
            (400, "XAmzContentSHA256Mismatch"),
            (403, "rateLimitExceeded"),
            (403, "userRateLimitExceeded"),
            (408, ""),
            (409, "ConditionalRequestConflict"),
            (409, "OperationAborted"),
            (409, "PendingCopyOperation"),
            (429, ""),
            (429, "TooManyRequests"),
            (429, "rateLimitExceeded"),
            (500, ""),
            (500, "InternalError"),
            (500, "OperationTimedOut"),
            (500, "backendError"),
            (502, ""),
            (503, ""),
            (503, "RequestLimitExceeded"),
            (503, "ServerBusy"),
            (503, "ServiceUnavailable"),
            (503, "SlowDown"),
            (503, "SlowDownRead"),
            (503, "SlowDownWrite"),
            (503, "XMinioBackendDown"),
            (503, "XMinioServerNotInitialized"),
            (503, "backendError"),
            (504, ""),
            (520, ""),
            (521, ""),
            (522, ""),
            (523, ""),
            (524, ""),
            (529, ""),
        ];
        assert_eq!(again, expected.into());
        for status in 300..600 {
            let is_listed = expected.contains(&(status, ""));
            assert_eq!(kind(status, "").is_transient(), is_listed, "{status}");
            assert_eq!(kind(status, "NoSuchCodeIsKnown").is_transient(), is_listed, "{status}");
        }
    }

    #[test]
    fn the_code_says_more_than_the_status() {
        for (status, code, expected) in [
            (507, "XMinioStorageFull", Full),
            (507, "", Full),
            (400, "XMinioAdminBucketQuotaExceeded", Full),
            (403, "QuotaExceeded", Full),
            (403, "quotaExceeded", Full),
            (403, "InvalidObjectState", Archived),
            (409, "BlobArchived", Archived),
            (409, "BlobBeingRehydrated", Archived),
            (403, "AccountIsDisabled", Denied),
            (403, "InsufficientAccountPermissions", Denied),
            (400, "ExpiredToken", Denied),
            (409, "OperationAborted", Unknown),
            (409, "ContainerAlreadyExists", AlreadyExists),
            (400, "RequestTimeTooSkewed", Unknown),
            (403, "RequestTimeTooSkewed", Denied),
            (418, "", Rejected),
            (505, "", Rejected),
            (511, "", Rejected),
        ] {
            assert_eq!(kind(status, code), expected, "{status} {code}");
        }
        let of_one = |code: Option<&str>| StoreAnswer { status: None, code: code.map(ToOwned::to_owned) }.kind();
        assert_eq!((of_one(Some("SlowDown")), of_one(Some("Other")), of_one(None)), (Throttled, Rejected, Unknown));
    }

    #[test]
    fn a_row_stands_once() {
        let rows: BTreeSet<_> = CODED.iter().map(|(by, status, code, _)| (format!("{by:?}"), status, code)).collect();
        assert_eq!(rows.len(), CODED.len());
        assert_eq!(BARE.iter().map(|(status, _)| status).collect::<BTreeSet<_>>().len(), BARE.len());
        // One code with one status means one thing, whoever says it.
        for (_, status, code, kind) in CODED {
            let others = CODED.iter().filter(|(_, other, same, _)| (other, same) == (status, code));
            assert!(others.clone().all(|(.., other)| other == kind), "{status} {code}");
        }
    }

    #[test]
    fn a_code_is_found_in_xml_and_json() {
        assert_eq!(code_in("<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>"), Some("SlowDown"));
        let google =
            r#"{"error": {"errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded", "message": ""}]}}"#;
        assert_eq!(code_in(google), Some("rateLimitExceeded"));
        assert_eq!((code_in("<html>"), code_in(""), code_in("{}")), (None, None, None));
        let answer = StoreAnswer::of(507, "<Error><Code>XMinioStorageFull</Code></Error>");
        assert_eq!(answer.to_string(), "the store answered 507 XMinioStorageFull");
        assert_eq!(StoreAnswer::of(502, "<html>").to_string(), "the store answered 502 without a code");
    }
}
