//! [`CopyError`]: why one object could not be copied.

use std::{borrow::Cow, time::Duration};

use super::{
    Source, StoreErrorKind,
    refused::{Refused, Why},
};

/// One side of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CopySide {
    /// What is read.
    Source,
    /// What is written.
    Target,
}

/// Why an object could not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// This copier does not support such copies; the next one may.
    #[error("the copier does not support this copy")]
    Unsupported,
    /// The store was asked to copy the object itself, and refused; the next copier may copy it.
    #[error("the store refused a server-side copy")]
    #[non_exhaustive]
    Refused {
        /// The copier that asked the store.
        copier: Cow<'static, str>,
    },
    /// The source no longer exists.
    #[error("the source no longer exists")]
    Vanished,
    /// The source has another version than the one that is wanted.
    #[error("the source has another version now")]
    Changed,
    /// The source has other content than expected, in the version that was asked for.
    #[error("the source has unexpected content: {reason}")]
    #[non_exhaustive]
    Unexpected {
        /// What differs.
        reason: String,
    },
    /// The copy differs from its source.
    #[error("checksum or length mismatch after copy: {reason}")]
    #[non_exhaustive]
    Corrupt {
        /// What differs.
        reason: String,
    },
    /// No bytes were transferred for too long.
    #[error("no bytes were transferred for too long{}", waited(*after))]
    #[non_exhaustive]
    Stalled {
        /// How long; zero where that is not known.
        after: Duration,
        /// Which side was silent, where that is known.
        side: Option<CopySide>,
    },
    /// A copier of the caller's failed for a reason of its own. It is not asked again, and the run ends.
    #[error("the copier failed")]
    #[non_exhaustive]
    Failed {
        /// Its error.
        #[source]
        source: Source,
    },
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A store or file system failed.
    #[error("{operation} failed{}", at(*side))]
    #[non_exhaustive]
    Store {
        /// On which side, where that is known.
        side: Option<CopySide>,
        /// What was tried: `get`, `put`, …
        operation: Cow<'static, str>,
        /// The kind of failure.
        kind: StoreErrorKind,
        /// The error of the store.
        #[source]
        source: Source,
    },
}

/// How long nothing was transferred, where that is known.
fn waited(after: Duration) -> String {
    if after.is_zero() { String::new() } else { format!(": {} s", after.as_secs()) }
}

/// On which side, where that is known.
const fn at(side: Option<CopySide>) -> &'static str {
    match side {
        Some(CopySide::Source) => " at the source",
        Some(CopySide::Target) => " at the target",
        None => "",
    }
}

impl CopyError {
    /// The error of a copier that is written in another language, by one of the codes of [`code`](Self::code). What is no
    /// such code is a failure of a store for an unknown reason.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        match code {
            "copy-unsupported" => Self::Unsupported,
            "copy-refused" => Self::Refused { copier: message.into() },
            "source-vanished" => Self::Vanished,
            "source-changed" => Self::Changed,
            "source-unexpected" => Self::Unexpected { reason: message },
            "copy-corrupt" => Self::Corrupt { reason: message },
            "stalled" => Self::stalled(Duration::ZERO),
            "copier-failed" => Self::failed(message),
            "cancelled" => Self::Cancelled,
            code => Self::store(None, "copy", StoreErrorKind::of_code(code), message),
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsupported => "copy-unsupported",
            Self::Refused { .. } => "copy-refused",
            Self::Vanished => "source-vanished",
            Self::Changed => "source-changed",
            Self::Unexpected { .. } => "source-unexpected",
            Self::Corrupt { .. } => "copy-corrupt",
            Self::Stalled { .. } => "stalled",
            Self::Failed { .. } => "copier-failed",
            Self::Cancelled => "cancelled",
            Self::Store { kind, .. } => kind.code(),
        }
    }

    /// Which side of the copy it is about, where that is known.
    #[must_use]
    pub const fn side(&self) -> Option<CopySide> {
        match self {
            Self::Vanished | Self::Changed | Self::Unexpected { .. } => Some(CopySide::Source),
            Self::Corrupt { .. } => Some(CopySide::Target),
            Self::Stalled { side, .. } | Self::Store { side, .. } => *side,
            Self::Unsupported | Self::Refused { .. } | Self::Failed { .. } | Self::Cancelled => None,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Unsupported | Self::Refused { .. } => "no copier of the chain supports it",
            Self::Vanished => "it no longer exists in the source",
            Self::Changed => "it changes in the source faster than it can be copied",
            Self::Unexpected { .. } => "its content is not what was recorded of it",
            Self::Corrupt { .. } => "the copy differs from its source; check the network and the disks",
            Self::Stalled { .. } => "the connection transfers nothing; check the network",
            Self::Failed { .. } => "the copier that the caller gave failed",
            Self::Cancelled => "cancelled",
            Self::Store { kind, .. } => kind.advice(),
        }
    }

    /// Whether trying again may help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::Stalled { .. } => true,
            Self::Store { kind, .. } => kind.is_transient(),
            _ => false,
        }
    }

    /// Whether this one object of the source cannot be read, whatever is tried.
    pub(crate) const fn is_unreadable(&self) -> bool {
        match self {
            Self::Store { side: Some(CopySide::Target), .. } => false,
            Self::Store { kind, .. } => matches!(kind, StoreErrorKind::Unreadable | StoreErrorKind::Archived),
            _ => false,
        }
    }

    /// Whether a store may be away, see [`StoreErrorKind::is_outage`].
    pub(crate) const fn is_outage(&self) -> bool {
        match self {
            Self::Stalled { .. } => true,
            Self::Store { kind, .. } => kind.is_outage(),
            _ => false,
        }
    }

    /// A refusal of its store, which [`copier`](Self::Refused) had asked.
    #[must_use]
    pub fn refused(copier: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused { copier: copier.into() }
    }

    /// Source content that differs from what is expected.
    #[must_use]
    pub fn unexpected(reason: impl Into<String>) -> Self {
        Self::Unexpected { reason: reason.into() }
    }

    /// A copy that differs from its source.
    #[must_use]
    pub fn corrupt(reason: impl Into<String>) -> Self {
        Self::Corrupt { reason: reason.into() }
    }

    /// A connection that transferred nothing for this long.
    #[must_use]
    pub const fn stalled(after: Duration) -> Self {
        Self::Stalled { after, side: None }
    }

    /// A failure of a copier of the caller's, which no further attempt helps.
    #[must_use]
    pub fn failed(source: impl Into<Source>) -> Self {
        Self::Failed { source: source.into() }
    }

    /// A failure of a store or a file system, on this side of the copy or on one that is not known.
    #[must_use]
    pub fn store(
        side: impl Into<Option<CopySide>>,
        operation: impl Into<Cow<'static, str>>,
        kind: StoreErrorKind,
        source: impl Into<Source>,
    ) -> Self {
        Self::Store { side: side.into(), operation: operation.into(), kind, source: source.into() }
    }

    /// A failure of the source's store. An object that is missing or changed is an error of its own.
    pub(crate) fn from_source(operation: &'static str, error: object_store::Error) -> Self {
        if Refused::of_store(&error).is_some_and(|refused| refused.why == Why::NotAFile) {
            return Self::Changed;
        }
        match StoreErrorKind::of(&error) {
            StoreErrorKind::NotFound => Self::Vanished,
            StoreErrorKind::Changed => Self::Changed,
            kind => Self::store(CopySide::Source, operation, kind, error),
        }
    }

    /// A failure of the target's store.
    pub(crate) fn from_target(operation: &'static str, error: object_store::Error) -> Self {
        Self::store(CopySide::Target, operation, StoreErrorKind::of(&error).on(CopySide::Target), error)
    }

    /// A failure of an upload that was begun. One that the store no longer knows is begun again: it may have been completed by
    /// a request whose answer was lost, and the client has repeated.
    pub(crate) fn from_upload(operation: &'static str, error: object_store::Error) -> Self {
        match StoreErrorKind::of(&error) {
            StoreErrorKind::NotFound => Self::store(CopySide::Target, operation, StoreErrorKind::Unknown, error),
            kind => Self::store(CopySide::Target, operation, kind.on(CopySide::Target), error),
        }
    }

    /// A failure of a file system.
    pub(crate) fn from_io(side: CopySide, operation: &'static str, error: std::io::Error) -> Self {
        Self::store(side, operation, StoreErrorKind::of_io(&error).on(side), error)
    }
}
