//! [`StoreErrorKind`]: what kind of failure a store reported.

/// What S3 and Azure say of credentials and rights; of an expired token S3 says it with status 400.
const DENIED: [&str; 6] = [
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthenticationFailed",
    "ExpiredToken",
    "InvalidToken",
];

/// What kind of failure a store reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The object is not there.
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
    /// Anything else.
    Other,
}

impl StoreErrorKind {
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
            Self::Other => "store-error",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NotFound => "it is not there",
            Self::AlreadyExists => "it exists already",
            Self::Changed => "it changed meanwhile",
            Self::Denied => "access was denied; check the credentials and rights",
            Self::Full => "no space is left; make room and resume",
            Self::ReadOnly => "it is read-only",
            Self::Unreachable => "the store does not answer; check the endpoint and the network",
            Self::Untrusted => "its TLS certificate is not trusted; name the file of its CA as `object_store_tls_ca`",
            Self::Throttled => "the store asks to slow down; lower the concurrency",
            Self::Unsupported => "the store cannot do this; see the cause",
            Self::Other => "see the cause",
        }
    }

    /// Reads the kind off an error of the object_store crate, looking through its sources.
    #[must_use]
    pub fn of(error: &object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => return Self::NotFound,
            object_store::Error::AlreadyExists { .. } => return Self::AlreadyExists,
            object_store::Error::Precondition { .. } | object_store::Error::NotModified { .. } => return Self::Changed,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                return Self::Denied;
            }
            object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. } => {
                return Self::Unsupported;
            }
            _ => {}
        }
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                // As rustls says it.
                if io.to_string().contains("invalid peer certificate") {
                    return Self::Untrusted;
                }
                return Self::of_io(io);
            }
            source = cause.source();
        }
        Self::of_text(&error.to_string())
    }

    /// Reads the kind off an error of the file system.
    #[must_use]
    pub fn of_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        match error.kind() {
            Io::NotFound => Self::NotFound,
            Io::AlreadyExists => Self::AlreadyExists,
            Io::PermissionDenied => Self::Denied,
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => Self::Full,
            Io::ReadOnlyFilesystem => Self::ReadOnly,
            Io::ConnectionRefused
            | Io::ConnectionReset
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::TimedOut => Self::Unreachable,
            _ => Self::Other,
        }
    }

    /// object_store hides HTTP status codes in private types; their text is all there is. It holds the URL, and that a
    /// key, so that a bare number means nothing.
    fn of_text(text: &str) -> Self {
        let has = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
        let status = text.split_once("status code: ").and_then(|(_, rest)| rest.get(..3));
        match status {
            Some("503" | "429") => return Self::Throttled,
            Some("401" | "403") => return Self::Denied,
            Some("404") => return Self::NotFound,
            _ => {}
        }
        if has(&["SlowDown", "ServerBusy", "Too Many Requests"]) {
            Self::Throttled
        } else if has(&DENIED) {
            Self::Denied
        } else if has(&["NoSuchBucket", "ContainerNotFound"]) {
            Self::NotFound
        } else if has(&["error sending request", "dns", "timed out", "HTTP error"]) {
            Self::Unreachable
        } else {
            Self::Other
        }
    }
}
