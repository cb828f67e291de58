//! What an error is about, and what can be done about it.

use super::{Error, LeaseSubject, StopReason, StoreErrorKind};
use crate::certificate::Certificate;

impl Error {
    /// The object that the error is about, where it is about one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::InvalidKey { key, .. } | Self::DamagedBackup { object: key, .. } => Some(key),
            Self::Store { key, .. } => Some(key.as_str()).filter(|key| !key.is_empty()),
            Self::CorruptSource { key, .. } | Self::ServerRunning { key, .. } | Self::Copy { key, .. } => {
                Some(key.as_str())
            }
            Self::VerifyFailed { key, .. } => key.as_ref().map(|key| key.as_str()),
            _ => None,
        }
    }

    /// The location that the error is about, where it is about one.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        match self {
            Self::InvalidLocation { location, .. }
            | Self::LocationNotFound { location }
            | Self::NoCluster { location, .. }
            | Self::SeveralClusters { location, .. }
            | Self::NodesRequired { location, .. }
            | Self::UnknownId { location, .. }
            | Self::UpgradedEngine { location, .. }
            | Self::BackupNotFound { repository: location, .. }
            | Self::TargetNotEmpty { location, .. }
            | Self::TargetForeign { location, .. }
            | Self::ExtraNodes { location, .. }
            | Self::ServersNotStopped { location }
            | Self::ServerRunning { location, .. }
            | Self::Overlap { inner: location, .. }
            | Self::RestoreUnfinished { location, .. }
            | Self::RestoreInProgress { location, .. }
            | Self::PlanChanged { location, .. }
            | Self::NoRestore { location }
            | Self::CannotAbandon { location, .. }
            | Self::NoSpace { location, .. }
            | Self::LeaseLost { lease: LeaseSubject::Target { location }, .. }
            | Self::LeaseNotRenewed { lease: LeaseSubject::Target { location }, .. }
            | Self::Store { location, .. } => Some(location),
            Self::Copy { location, .. } | Self::DamagedBackup { location, .. } => location.as_deref(),
            _ => None,
        }
    }

    /// The proof as far as it holds, where it does not hold.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::NotConsistent { certificate, .. } => Some(certificate),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store { kind, .. } => kind.is_transient(),
            Self::Copy { error, .. } => error.is_retryable(),
            Self::NotConsistent { stop_reason, .. } => matches!(stop_reason, StopReason::LimitReached),
            Self::BackupInProgress { .. } | Self::RestoreInProgress { .. } | Self::LeaseNotRenewed { .. } => true,
            _ => false,
        }
    }

    /// Whether another process may have taken the work over.
    pub(crate) const fn is_lease_lost(&self) -> bool {
        matches!(self, Self::LeaseLost { .. } | Self::LeaseNotRenewed { .. })
    }

    /// Whether a store may be away, see [`StoreErrorKind::is_outage`].
    pub(crate) const fn is_outage(&self) -> bool {
        match self {
            Self::Store { kind, .. } => kind.is_outage(),
            Self::Copy { error, .. } => error.is_outage(),
            _ => false,
        }
    }

    /// Whether something is there that may not or cannot be looked at, now or later. Any other failure of a look says nothing
    /// about what is there.
    pub(crate) const fn is_refused_look(&self) -> bool {
        match self {
            Self::Store { kind, .. } => matches!(kind, StoreErrorKind::Denied | StoreErrorKind::Invalid),
            Self::Link { .. } | Self::InvalidKey { .. } => true,
            _ => false,
        }
    }
}
