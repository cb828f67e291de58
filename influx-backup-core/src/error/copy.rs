//! [`CopyError`]: why one object could not be copied.

use std::time::Duration;

use super::{Source, StoreErrorKind};

/// Why an object could not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// This copier does not do such copies; the next one may.
    #[error("this copier does not do such copies")]
    Unsupported,
    /// The store was asked to copy by itself, and said no; the next copier may.
    #[error("the store does not do this copy by itself")]
    Refused {
        /// The copier that asked it.
        copier: &'static str,
    },
    /// The source is gone.
    #[error("the source is gone")]
    Vanished,
    /// The source is another version now.
    #[error("the source is another version now")]
    Changed,
    /// What arrived is not what was sent.
    #[error("what arrived is not what was sent: {reason}")]
    Corrupt {
        /// What differs.
        reason: String,
    },
    /// Nothing moved for too long.
    #[error("nothing moved for {} s", after.as_secs())]
    Stalled {
        /// How long.
        after: Duration,
    },
    /// The run is to stop.
    #[error("cancelled")]
    Cancelled,
    /// A store or file system failed.
    #[error("{operation} failed")]
    Store {
        /// What was tried, on which side: `get source`, `put target`, …
        operation: &'static str,
        /// What can be done about it.
        kind: StoreErrorKind,
        /// Why.
        #[source]
        source: Source,
    },
}

impl CopyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsupported => "copy-unsupported",
            Self::Refused { .. } => "copy-refused",
            Self::Vanished => "source-vanished",
            Self::Changed => "source-changed",
            Self::Corrupt { .. } => "copy-corrupt",
            Self::Stalled { .. } => "stalled",
            Self::Cancelled => "cancelled",
            Self::Store { kind, .. } => kind.code(),
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Unsupported | Self::Refused { .. } => "no copier of the chain takes it",
            Self::Vanished => "it is gone from the source",
            Self::Changed => "it changes in the source faster than it is copied",
            Self::Corrupt { .. } => "what arrived is not what was sent; check network and disks",
            Self::Stalled { .. } => "the connection moves nothing; check the network",
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

    /// A store's failure on the source's side: gone and changed have their own words.
    pub(crate) fn from_source(operation: &'static str, error: object_store::Error) -> Self {
        match StoreErrorKind::of(&error) {
            StoreErrorKind::NotFound => Self::Vanished,
            StoreErrorKind::Changed => Self::Changed,
            kind => Self::Store { operation, kind, source: Box::new(error) },
        }
    }

    /// A store's failure on the target's side.
    pub(crate) fn from_target(operation: &'static str, error: object_store::Error) -> Self {
        Self::Store { operation, kind: StoreErrorKind::of(&error), source: Box::new(error) }
    }

    /// A file system's failure.
    pub(crate) fn from_io(operation: &'static str, error: std::io::Error) -> Self {
        Self::Store { operation, kind: StoreErrorKind::of_io(&error), source: Box::new(error) }
    }
}
