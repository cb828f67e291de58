//! [`StoreErrorKind`]: what kind of failure a store reported.

use std::{error::Error as StdError, iter::successors};

use super::{
    CopySide, NoCredentials, NotIssued,
    answer::{StoreAnswer, code_in},
};

/// The operation of errors that a store lacks create-only writes.
pub(crate) const CREATE_ONLY: &str = "create-only put";

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
    /// No credentials were given, and the machine has none.
    NoCredentials,
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
    /// This one object cannot be read: the store answers each request for its content with an error, and others not.
    Unreadable,
    /// The object is archived: it cannot be read before it is brought back.
    Archived,
    /// The store answered with an error that no further attempt helps.
    Rejected,
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
        Self::NoCredentials,
        Self::Full,
        Self::ReadOnly,
        Self::Unreachable,
        Self::Untrusted,
        Self::Throttled,
        Self::Unsupported,
        Self::Invalid,
        Self::Unreadable,
        Self::Archived,
        Self::Rejected,
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
            Self::NoCredentials => "no-credentials",
            Self::Full => "no-space",
            Self::ReadOnly => "read-only",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted-certificate",
            Self::Throttled => "throttled",
            Self::Unsupported => "store-unsupported",
            Self::Invalid => "invalid-store-request",
            Self::Unreadable => "object-unreadable",
            Self::Archived => "object-archived",
            Self::Rejected => "store-rejected",
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
            Self::NoCredentials => "there are no credentials; give some, see the cause for where they were looked for",
            Self::Full => "no space is left; free some and resume",
            Self::ReadOnly => "the store is read-only",
            Self::Unreachable => "the store does not answer; check the endpoint and the network",
            Self::Untrusted => {
                "the TLS certificate is not trusted; give the CA's file with the option `object_store_tls_ca`"
            }
            Self::Throttled => "the store asks to slow down; lower the concurrency",
            Self::Unsupported => "the store does not support this; see the cause",
            Self::Invalid => "the store rejects this name or request; see the cause",
            Self::Unreadable => {
                "this object cannot be read, while the store answers otherwise; bring it back from the store's own redundancy \
                 or an older version of it"
            }
            Self::Archived => "the object is archived; bring it back to a tier that can be read first",
            Self::Rejected => "the store refuses this, or answers what cannot be, and will again; see the cause",
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
        !matches!(self, Self::Unreachable | Self::NoCredentials)
    }

    /// The kind where it happened on this side of a copy: what is written is not what cannot be read.
    pub(crate) fn on(self, side: CopySide) -> Self {
        match (self, side) {
            (Self::Unreadable, CopySide::Target) => Self::Rejected,
            (kind, _) => kind,
        }
    }

    /// The kind where this was tried.
    pub(crate) fn of_operation(self, operation: &str) -> Self {
        let is_look = ["get", "head", "list", "open", "read"].contains(&operation);
        self.on(if is_look { CopySide::Source } else { CopySide::Target })
    }

    /// Classifies an error of the object_store crate: by what the store answered, else by its variant, else by the typed causes
    /// in its chain.
    #[must_use]
    pub(crate) fn of(error: &object_store::Error) -> Self {
        use object_store::Error;
        if let Some(kind) = of_credentials(error).or_else(|| of_misbehavior(error)) {
            return kind;
        }
        let sorted = match error {
            Error::NotFound { .. } => Self::NotFound,
            Error::AlreadyExists { .. } => Self::AlreadyExists,
            Error::Precondition { .. } | Error::NotModified { .. } => Self::Changed,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied,
            Error::NotSupported { .. } | Error::NotImplemented { .. } => return Self::Unsupported,
            Error::InvalidPath { .. } => return Self::Invalid,
            _ => return answer_in(error).map_or_else(|| of_causes(error), |answer| answer.kind()),
        };
        answer_in(error).filter(StoreAnswer::is_coded).map_or(sorted, |answer| answer.kind())
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
            _ => of_errno(error),
        }
    }
}

/// What the operating system says without a name in the standard library: only what may pass is tried again. Of an error that
/// is not the system's nothing is known.
#[cfg(unix)]
fn of_errno(error: &std::io::Error) -> StoreErrorKind {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        // A bad sector, and how file systems report metadata or a checksum that is damaged.
        Some(Errno::IO | Errno::BADMSG) => StoreErrorKind::Unreadable,
        #[cfg(target_os = "linux")]
        Some(Errno::UCLEAN | Errno::REMOTEIO) => StoreErrorKind::Unreadable,
        Some(Errno::HOSTDOWN) => StoreErrorKind::Unreachable,
        Some(
            Errno::AGAIN
            | Errno::BUSY
            | Errno::INTR
            | Errno::MFILE
            | Errno::NFILE
            | Errno::NOBUFS
            | Errno::NOMEM
            | Errno::STALE
            | Errno::TXTBSY,
        )
        | None => StoreErrorKind::Unknown,
        Some(_) => StoreErrorKind::Rejected,
    }
}

#[cfg(not(unix))]
fn of_errno(_: &std::io::Error) -> StoreErrorKind {
    StoreErrorKind::Unknown
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(error.source(), |&cause| cause.source())
}

/// What the store answered, where that is among the causes.
fn answer_in(error: &(dyn StdError + 'static)) -> Option<StoreAnswer> {
    causes(error).find_map(|cause| match cause.downcast_ref::<StoreAnswer>() {
        Some(answer) => Some(answer.clone()),
        None => answer_of(&cause.to_string()),
    })
}

/// What it means that the request was not made for want of credentials.
fn of_credentials(error: &object_store::Error) -> Option<StoreErrorKind> {
    causes(error).find_map(|cause| match cause.downcast_ref::<NotIssued>() {
        Some(not_issued) => Some(not_issued.kind),
        None => cause.is::<NoCredentials>().then_some(StoreErrorKind::NoCredentials),
    })
}

/// A store that does not keep to the protocol will not do so the next time.
#[cfg(feature = "cloud")]
fn of_misbehavior(error: &object_store::Error) -> Option<StoreErrorKind> {
    causes(error).any(|cause| cause.is::<super::Misbehavior>()).then_some(StoreErrorKind::Rejected)
}

#[cfg(not(feature = "cloud"))]
fn of_misbehavior(_: &object_store::Error) -> Option<StoreErrorKind> {
    None
}

/// The first cause that says what kind of failure it was, where no answer is among them.
fn of_causes(error: &object_store::Error) -> StoreErrorKind {
    let mut transport = None;
    for cause in causes(error) {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            // rustls reports this as an I/O error.
            if io.to_string().contains("invalid peer certificate") {
                return StoreErrorKind::Untrusted;
            }
            transport = transport.or(Some(StoreErrorKind::of_io(io)));
        } else if let Some(kind) = of_http(cause) {
            transport = transport.or(Some(kind));
        } else if cause.to_string().starts_with("Filenames containing trailing") {
            return StoreErrorKind::Invalid;
        }
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

/// An answer that is an error. The object_store crate keeps status and body in private types, whose text begins like this; the
/// text of an error holds the key of its object, so what comes later is not read.
fn answer_of(text: &str) -> Option<StoreAnswer> {
    let answer = |status: &str, code: Option<&str>| StoreAnswer {
        status: status.get(..3).and_then(|digits| digits.parse().ok()),
        code: code.map(ToOwned::to_owned),
    };
    if text.starts_with("DeleteObjects request failed for key ") {
        let code = text.rsplit_once("(code: ").and_then(|(_, code)| code.strip_suffix(')'));
        return Some(answer("", code));
    }
    if text.starts_with("Received redirect without LOCATION") {
        return Some(answer("301", None));
    }
    if let Some(own) = text.strip_prefix("status code: ") {
        return Some(answer(own, own.rsplit(": ").next().filter(|code| !code.is_empty())));
    }
    let status = text.strip_prefix("Server returned non-2xx status code: ");
    let body = status.or(text.strip_prefix("Server returned error response: "))?;
    Some(answer(status.unwrap_or_default(), code_in(body.split_once(": ").map_or(body, |(_, body)| body))))
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
            ("403 Forbidden", "InvalidObjectState", Kind::Archived),
            ("400 Bad Request", "XMinioAdminBucketQuotaExceeded", Kind::Full),
            ("418 I'm a teapot", "", Kind::Rejected),
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
