//! [`StoreErrorKind`]: what kind of failure a store reported.

use std::error::Error as StdError;

/// Codes in the answers of S3, Azure and Google that mean a missing right or a wrong credential, whatever the HTTP status.
const DENIED_CODES: [&str; 8] = [
    "AccessDenied",
    "AuthenticationFailed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidAuthenticationInfo",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
];

/// Codes that mean that the store asks to slow down.
const THROTTLED_CODES: [&str; 5] =
    ["RequestLimitExceeded", "ServerBusy", "ServiceUnavailable", "SlowDown", "TooManyRequests"];

/// Codes that mean that the bucket or container does not exist.
const MISSING_CODES: [&str; 2] = ["ContainerNotFound", "NoSuchBucket"];

/// Codes with status 400 that are about one transmission, not about the request: sending it again may help.
const TRANSMISSION_CODES: [&str; 6] = [
    "BadDigest",
    "IncompleteBody",
    "Md5Mismatch",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "XAmzContentSHA256Mismatch",
];

/// What kind of failure a store reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The object does not exist.
    NotFound,
    /// The object exists, and a create-only write was asked for.
    AlreadyExists,
    /// The object is no longer the version that was asked for.
    Changed,
    /// The credentials do not allow it, or are wrong.
    Denied,
    /// The disk or the quota is full.
    Full,
    /// Read-only file system or store.
    ReadOnly,
    /// The endpoint does not answer.
    Unreachable,
    /// The endpoint's certificate is not trusted.
    Untrusted,
    /// The store asks to slow down.
    Throttled,
    /// The store cannot do this at all.
    Unsupported,
    /// The store cannot take this request or this name, now or later.
    Invalid,
    /// Anything else.
    Unknown,
}

impl StoreErrorKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::NotFound,
        Self::AlreadyExists,
        Self::Changed,
        Self::Denied,
        Self::Full,
        Self::ReadOnly,
        Self::Unreachable,
        Self::Untrusted,
        Self::Throttled,
        Self::Unsupported,
        Self::Invalid,
        Self::Unknown,
    ];

    /// The kind of this [code](Self::code), or [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        Self::ALL.iter().copied().find(|kind| kind.code() == code).unwrap_or(Self::Unknown)
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "object-not-found",
            Self::AlreadyExists => "object-exists",
            Self::Changed => "object-changed",
            Self::Denied => "access-denied",
            Self::Full => "no-space",
            Self::ReadOnly => "read-only",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted-certificate",
            Self::Throttled => "throttled",
            Self::Unsupported => "store-unsupported",
            Self::Invalid => "invalid-store-request",
            Self::Unknown => "store-error",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::Changed => "was modified concurrently",
            Self::Denied => "access was denied; check the credentials and permissions",
            Self::Full => "no space is left; free some and resume",
            Self::ReadOnly => "the store is read-only",
            Self::Unreachable => "the store does not answer; check the endpoint and the network",
            Self::Untrusted => {
                "the TLS certificate is not trusted; give the CA's file with the option `object_store_tls_ca`"
            }
            Self::Throttled => "the store asks to slow down; lower the concurrency",
            Self::Unsupported => "the store does not support this; see the cause",
            Self::Invalid => "the store rejects this name or request; see the cause",
            Self::Unknown => "see the cause",
        }
    }

    /// Whether the same request may succeed later without anything being changed.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Throttled | Self::Unknown)
    }

    /// Whether the store may be away: it gave no answer, or failed for an unknown reason, as what stands before it does while it
    /// is down. One that asks to slow down is there. Outages are given up sooner than what is only slow.
    #[must_use]
    pub(crate) const fn is_outage(self) -> bool {
        matches!(self, Self::Unreachable | Self::Unknown)
    }

    /// Whether it is what the store said, not that it said nothing.
    #[must_use]
    pub(crate) const fn is_answer(self) -> bool {
        !matches!(self, Self::Unreachable)
    }

    /// Classifies an error of the object_store crate by its variant, else by the typed causes in its chain.
    #[must_use]
    pub(crate) fn of(error: &object_store::Error) -> Self {
        use object_store::Error;
        match error {
            Error::NotFound { .. } => Self::NotFound,
            Error::AlreadyExists { .. } => Self::AlreadyExists,
            Error::Precondition { .. } | Error::NotModified { .. } => Self::Changed,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied,
            Error::NotSupported { .. } | Error::NotImplemented { .. } => Self::Unsupported,
            Error::InvalidPath { .. } => Self::Invalid,
            _ => of_causes(error),
        }
    }

    /// Classifies an answer by its HTTP status and the store's own code.
    #[cfg(feature = "cloud")]
    pub(crate) fn of_response(status: u16, code: &str) -> Self {
        match status {
            304 | 412 => Self::Changed,
            408 => Self::Throttled,
            _ => of_status(&status.to_string(), code),
        }
    }

    /// Classifies an error of the file system or of a socket.
    #[must_use]
    pub fn of_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        match error.kind() {
            Io::NotFound => Self::NotFound,
            Io::AlreadyExists => Self::AlreadyExists,
            Io::PermissionDenied => Self::Denied,
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => Self::Full,
            Io::ReadOnlyFilesystem => Self::ReadOnly,
            Io::Unsupported => Self::Unsupported,
            Io::InvalidInput | Io::InvalidFilename | Io::IsADirectory | Io::NotADirectory | Io::TooManyLinks => {
                Self::Invalid
            }
            Io::BrokenPipe
            | Io::ConnectionAborted
            | Io::ConnectionRefused
            | Io::ConnectionReset
            | Io::HostUnreachable
            | Io::NetworkDown
            | Io::NetworkUnreachable
            | Io::NotConnected
            | Io::TimedOut => Self::Unreachable,
            _ => Self::Unknown,
        }
    }
}

/// The first cause that says what kind of failure it was. The text of an error holds the key of its object, so only
/// causes whose text begins with what is looked for are read.
fn of_causes(error: &object_store::Error) -> StoreErrorKind {
    let mut transport = None;
    let mut next = StdError::source(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            // rustls reports this as an I/O error.
            if io.to_string().contains("invalid peer certificate") {
                return StoreErrorKind::Untrusted;
            }
            transport = transport.or(Some(StoreErrorKind::of_io(io)));
        } else if let Some(kind) = of_http(cause) {
            transport = transport.or(Some(kind));
        } else if let Some(kind) = of_answer(&cause.to_string()) {
            return kind;
        }
        next = cause.source();
    }
    transport.unwrap_or(StoreErrorKind::Unknown)
}

/// A request without an answer. `None` where the client itself does not know why: a deeper cause may.
#[cfg(feature = "cloud")]
fn of_http(cause: &(dyn StdError + 'static)) -> Option<StoreErrorKind> {
    use object_store::client::{HttpError, HttpErrorKind as Http};
    match cause.downcast_ref::<HttpError>()?.kind() {
        Http::Connect | Http::Request | Http::Timeout | Http::Interrupted => Some(StoreErrorKind::Unreachable),
        _ => None,
    }
}

#[cfg(not(feature = "cloud"))]
fn of_http(_: &(dyn StdError + 'static)) -> Option<StoreErrorKind> {
    None
}

/// An answer that is an error. The object_store crate keeps status and body in private types, whose text begins like
/// this; the key of the object comes later, if at all.
fn of_answer(text: &str) -> Option<StoreErrorKind> {
    if text.starts_with("Filenames containing trailing") {
        return Some(StoreErrorKind::Invalid);
    }
    if text.starts_with("DeleteObjects request failed for key ") {
        let code = text.rsplit_once("(code: ").and_then(|(_, code)| code.strip_suffix(')'));
        return Some(of_status("", code.unwrap_or_default()));
    }
    if text.starts_with("Received redirect without LOCATION") {
        return Some(StoreErrorKind::Invalid);
    }
    if let Some(own) = text.strip_prefix("status code: ") {
        return Some(of_status(own, own.rsplit(": ").next().unwrap_or_default()));
    }
    let status = text.strip_prefix("Server returned non-2xx status code: ");
    let answer = status.or(text.strip_prefix("Server returned error response: "))?;
    let code = answer.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    Some(of_status(status.unwrap_or_default(), code.map_or("", |(code, _)| code)))
}

/// Classifies by the store's code, which says more than the status that the line begins with: an expired token comes
/// with 400.
fn of_status(status_line: &str, code: &str) -> StoreErrorKind {
    let is_one_of = |codes: &[&str]| codes.contains(&code);
    if is_one_of(&THROTTLED_CODES) {
        return StoreErrorKind::Throttled;
    }
    if is_one_of(&DENIED_CODES) {
        return StoreErrorKind::Denied;
    }
    if is_one_of(&MISSING_CODES) {
        return StoreErrorKind::NotFound;
    }
    match status_line.get(..3).unwrap_or_default() {
        "301" | "302" | "307" | "308" => StoreErrorKind::Invalid,
        "400" if is_one_of(&TRANSMISSION_CODES) => StoreErrorKind::Unknown,
        "401" | "403" => StoreErrorKind::Denied,
        "404" => StoreErrorKind::NotFound,
        "429" | "503" => StoreErrorKind::Throttled,
        "501" => StoreErrorKind::Unsupported,
        "507" => StoreErrorKind::Full,
        "400" | "405" | "411" | "413" | "414" | "415" | "416" | "422" | "431" => StoreErrorKind::Invalid,
        _ => StoreErrorKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// An error with its text, and maybe a cause, as wrapped errors of the object_store crate are.
    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Cause {
        text: String,
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    }

    fn generic(text: &str, source: Option<Box<dyn StdError + Send + Sync>>) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: Box::new(Cause { text: text.to_owned(), source }) }
    }

    /// As a failed request looks: a text with the URL, and the answer as its cause.
    fn answered(url: &str, answer: &str) -> StoreErrorKind {
        let answer = Cause { text: answer.to_owned(), source: None };
        StoreErrorKind::of(&generic(&format!("Error performing GET {url} in 1ms - {answer}"), Some(Box::new(answer))))
    }

    fn status(line: &str, code: &str) -> StoreErrorKind {
        answered(
            "http://s/b/k",
            &format!("Server returned non-2xx status code: {line}: <Error><Code>{code}</Code></Error>"),
        )
    }

    #[test]
    fn answers_are_classified_by_code_and_status() {
        use StoreErrorKind as Kind;
        for (line, code, kind) in [
            ("301 Moved Permanently", "PermanentRedirect", Kind::Invalid),
            ("400 Bad Request", "InvalidArgument", Kind::Invalid),
            ("400 Bad Request", "KeyTooLongError", Kind::Invalid),
            ("400 Bad Request", "ExpiredToken", Kind::Denied),
            ("400 Bad Request", "RequestTimeout", Kind::Unknown),
            ("400 Bad Request", "SlowDown", Kind::Throttled),
            ("403 Forbidden", "SignatureDoesNotMatch", Kind::Denied),
            ("404 Not Found", "NoSuchBucket", Kind::NotFound),
            ("416 Range Not Satisfiable", "InvalidRange", Kind::Invalid),
            ("429 Too Many Requests", "", Kind::Throttled),
            ("500 Internal Server Error", "InternalError", Kind::Unknown),
            ("501 Not Implemented", "NotImplemented", Kind::Unsupported),
            ("503 Service Unavailable", "SlowDown", Kind::Throttled),
            ("507 Insufficient Storage", "", Kind::Full),
        ] {
            assert_eq!(status(line, code), kind, "{line} {code}");
        }
        assert_eq!(
            answered("http://s/b/k", "Server returned error response: <Error><Code>SlowDown</Code></Error>"),
            Kind::Throttled
        );
        assert_eq!(
            StoreErrorKind::of(&generic("DeleteObjects request failed for key a: no (code: AccessDenied)", None)),
            Kind::Denied
        );
        assert_eq!(StoreErrorKind::of(&generic("status code: 403 Forbidden: ", None)), Kind::Denied);
    }

    #[test]
    fn the_name_of_an_object_changes_nothing() {
        let answer = "Server returned non-2xx status code: 500 Internal Server Error: ";
        let wrapped = |key: &str| {
            let retry = Cause { text: format!("Error performing POST {key} in 1ms - {answer}"), source: None };
            let inner =
                Cause { text: format!("{answer}<Error><Code>InternalError</Code><Key>{key}</Key></Error>"), ..retry };
            let retry = Cause { text: format!("Error performing POST {key} in 1ms"), source: Some(Box::new(inner)) };
            StoreErrorKind::of(&generic(&format!("Error performing request: {key}: {retry}"), Some(Box::new(retry))))
        };
        for key in [
            "plain",
            "n1/dbs/db-1/dns_query-2/2024/AccessDenied.parquet",
            "n1/dbs/SlowDown/timed out/HTTP error",
            "n1/dbs/status code: 403/<Code>AccessDenied</Code>",
            "(code: AccessDenied)",
        ] {
            assert_eq!(wrapped(key), StoreErrorKind::Unknown, "{key}");
            let listed = format!("Unable to extract metadata of {key}");
            assert_eq!(StoreErrorKind::of(&generic(&listed, None)), StoreErrorKind::Unknown, "{key}");
        }
    }

    #[test]
    fn what_can_never_work_is_not_transient() {
        let io = |kind: io::ErrorKind| StoreErrorKind::of_io(&kind.into());
        for kind in [
            io::ErrorKind::InvalidFilename,
            io::ErrorKind::InvalidInput,
            io::ErrorKind::IsADirectory,
            io::ErrorKind::NotADirectory,
        ] {
            assert_eq!(io(kind), StoreErrorKind::Invalid, "{kind}");
        }
        #[cfg(unix)]
        for errno in [rustix::io::Errno::NAMETOOLONG, rustix::io::Errno::ISDIR, rustix::io::Errno::NOTDIR] {
            assert_eq!(StoreErrorKind::of_io(&errno.into()), StoreErrorKind::Invalid, "{errno}");
        }
        let path = object_store::path::Path::parse("a//b").expect_err("an empty segment");
        assert_eq!(StoreErrorKind::of(&path.into()), StoreErrorKind::Invalid);
        let staging = generic("Filenames containing trailing '/#\\d+/' are not supported: a#1", None);
        assert_eq!(StoreErrorKind::of(&staging), StoreErrorKind::Invalid);
        assert!(!StoreErrorKind::Invalid.is_transient());
        assert!(StoreErrorKind::Unknown.is_transient());
    }

    #[test]
    fn a_broken_connection_is_an_outage_and_a_bad_certificate_is_not() {
        let reset: io::Error = io::ErrorKind::ConnectionReset.into();
        assert_eq!(StoreErrorKind::of(&generic("x", Some(Box::new(reset)))), StoreErrorKind::Unreachable);
        let tls = io::Error::other("invalid peer certificate: UnknownIssuer");
        assert_eq!(StoreErrorKind::of(&generic("x", Some(Box::new(tls)))), StoreErrorKind::Untrusted);
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn requests_without_an_answer_are_classified_by_type() {
        use object_store::client::{HttpError, HttpErrorKind as Http};
        for (kind, expected) in [
            (Http::Connect, StoreErrorKind::Unreachable),
            (Http::Timeout, StoreErrorKind::Unreachable),
            (Http::Decode, StoreErrorKind::Unknown),
            (Http::Unknown, StoreErrorKind::Unknown),
        ] {
            let http = HttpError::new(kind, Cause { text: "dns error".to_owned(), source: None });
            assert_eq!(StoreErrorKind::of(&generic("x", Some(Box::new(http)))), expected, "{kind:?}");
        }
        let tls = HttpError::new(Http::Connect, io::Error::other("invalid peer certificate: UnknownIssuer"));
        assert_eq!(StoreErrorKind::of(&generic("x", Some(Box::new(tls)))), StoreErrorKind::Untrusted);
    }
}
