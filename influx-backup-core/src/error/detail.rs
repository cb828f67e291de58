//! What an error is about, and what can be done about it.

use super::{Error, StopReason, StoreErrorKind};
use crate::certificate::Certificate;

impl Error {
    /// The object that the error is about, where it is about one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::InvalidKey { key, .. } => Some(key),
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
            | Self::Store { location, .. } => Some(location),
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

    /// The option that answers this error, by its name in the options structs.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::SeveralClusters { .. } => "set `cluster_id`, or `node_ids` for Core",
            Self::NodesRequired { .. } => "set `node_ids` to all nodes of the cluster",
            Self::UnknownId { .. } => "add a node that stores nothing to `query_only`",
            Self::BackupUnfinished { .. } => "set `on_existing` to `resume` to continue it",
            Self::BackupInProgress { .. } => {
                "if that process is no longer running, set `on_existing` to `resume` and `takeover` to `immediately`"
            }
            Self::DegradedBackup { .. } => "set `on_degraded` to `accept` to restore it anyway",
            Self::CorruptSource { .. } => {
                "set `on_corrupt` to `record` to copy corrupt objects as they are; the backup may be degraded"
            }
            Self::NotConsistent { halt: StopReason::NoProgress, .. } => {
                "set `on_violation` to `degrade` to commit the backup as it is"
            }
            Self::NotConsistent { .. } => {
                "raise `passes.max_passes` or `passes.time_limit`, or set `on_violation` to `degrade`"
            }
            Self::TargetNotEmpty { .. } => {
                "set `policy` to `replace` to make it what the backup holds; the plan shows what that deletes"
            }
            Self::ExtraNodes { .. } => "set `extra_nodes` to `keep` or `delete`",
            Self::ServersNotStopped { .. } => "once they are stopped, set `servers` to `confirmed_by_caller`",
            Self::RestoreUnfinished { .. } => "set `on_unfinished` to `resume` to continue it, or abandon it",
            Self::CannotAbandon { .. } => "set `on_unfinished` to `resume` to continue it",
            Self::RestoreInProgress { .. } => "if that process is no longer running, set `takeover` to `immediately`",
            Self::Store { kind: StoreErrorKind::Throttled, .. } => "lower `limits.concurrency`",
            _ => return None,
        })
    }

    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store { kind, .. } => kind.is_transient(),
            Self::Copy { error, .. } => error.is_retryable(),
            Self::NotConsistent { halt, .. } => matches!(halt, StopReason::LimitReached),
            Self::BackupInProgress { .. } | Self::RestoreInProgress { .. } => true,
            _ => false,
        }
    }

    /// Whether a store is away: it says nothing about what was asked for.
    pub(crate) const fn is_outage(&self) -> bool {
        match self {
            Self::Store { kind, .. } => matches!(kind, StoreErrorKind::Unreachable),
            Self::Copy { error, .. } => error.is_outage(),
            _ => false,
        }
    }
}
