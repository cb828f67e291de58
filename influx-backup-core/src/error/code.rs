//! Codes and categories: what scripts and bindings branch on.

use super::{CopyError, Error};
use crate::named::named;

/// What kind of error it is. The exit code of the program follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// The request itself is wrong: an argument or an option.
    Usage,
    /// Something that was named does not exist.
    NotFound,
    /// It would be unsafe, or the caller has to decide first.
    Refused,
    /// A certificate does not hold, a verification failed, or a backup is damaged.
    NotConsistent,
    /// A store or file system failed: unreachable, denied, full.
    Store,
    /// The caller's orchestrator failed.
    Orchestrator,
    /// The caller cancelled the run.
    Cancelled,
    /// A bug of this crate.
    Internal,
}

named!(Category, "category", {
    Usage => "usage",
    NotFound => "not_found",
    Refused => "refused",
    NotConsistent => "not_consistent",
    Store => "store",
    Orchestrator => "orchestrator",
    Cancelled => "cancelled",
    Internal => "internal",
});

impl Error {
    /// Every code that [`code`](Self::code) returns.
    pub const CODES: &'static [&'static str] = &[
        "invalid-location",
        "unknown-option",
        "invalid-option",
        "location-not-found",
        "memory-location",
        "invalid-key",
        "link",
        "no-cluster",
        "several-clusters",
        "nodes-required",
        "unknown-id",
        "upgraded-engine",
        "invalid-request",
        "backup-exists",
        "backup-in-progress",
        "backup-unfinished",
        "lease-lost",
        "commit-unconfirmed",
        "backup-not-found",
        "unsupported-format",
        "invalid-document",
        "damaged-backup",
        "damaged-marker",
        "backup-altered",
        "degraded-backup",
        "corrupt-source",
        "not-consistent",
        "target-not-empty",
        "target-foreign",
        "extra-nodes",
        "servers-not-stopped",
        "server-running",
        "overlap",
        "restore-unfinished",
        "restore-in-progress",
        "plan-changed",
        "no-restore",
        "cannot-abandon",
        "no-space",
        "ownership",
        "verify-failed",
        "orchestrator",
        "object-not-found",
        "object-exists",
        "object-changed",
        "access-denied",
        "read-only",
        "unreachable",
        "untrusted-certificate",
        "throttled",
        "store-unsupported",
        "invalid-store-request",
        "store-error",
        "copy-unsupported",
        "copy-refused",
        "source-vanished",
        "source-changed",
        "source-unexpected",
        "copy-corrupt",
        "stalled",
        "cancelled",
        "internal",
    ];

    /// The stable code of this error, the same in Rust, Python and Node.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code_and_category().0
    }

    /// What kind of error it is.
    #[must_use]
    pub const fn category(&self) -> Category {
        self.code_and_category().1
    }

    const fn code_and_category(&self) -> (&'static str, Category) {
        match self {
            Self::InvalidLocation { .. } => ("invalid-location", Category::Usage),
            Self::UnknownOption { .. } => ("unknown-option", Category::Usage),
            Self::InvalidOption { .. } => ("invalid-option", Category::Usage),
            Self::LocationNotFound { .. } => ("location-not-found", Category::NotFound),
            Self::MemoryLocation => ("memory-location", Category::Refused),
            Self::InvalidKey { .. } => ("invalid-key", Category::Refused),
            Self::Link { .. } => ("link", Category::Refused),
            Self::NoCluster { .. } => ("no-cluster", Category::NotFound),
            Self::SeveralClusters { .. } => ("several-clusters", Category::Refused),
            Self::NodesRequired { .. } => ("nodes-required", Category::Refused),
            Self::UnknownId { .. } => ("unknown-id", Category::NotFound),
            Self::UpgradedEngine { .. } => ("upgraded-engine", Category::Refused),
            Self::InvalidRequest { .. } => ("invalid-request", Category::Usage),
            Self::BackupExists { .. } => ("backup-exists", Category::Refused),
            Self::BackupInProgress { .. } => ("backup-in-progress", Category::Refused),
            Self::BackupUnfinished { .. } => ("backup-unfinished", Category::Refused),
            Self::LeaseLost { .. } => ("lease-lost", Category::Refused),
            Self::CommitUnconfirmed { .. } => ("commit-unconfirmed", Category::Store),
            Self::BackupNotFound { .. } => ("backup-not-found", Category::NotFound),
            Self::UnsupportedFormat { .. } => ("unsupported-format", Category::Refused),
            Self::InvalidDocument { .. } => ("invalid-document", Category::Usage),
            Self::DamagedBackup { .. } => ("damaged-backup", Category::NotConsistent),
            Self::DamagedMarker { .. } => ("damaged-marker", Category::Refused),
            Self::BackupAltered { .. } => ("backup-altered", Category::NotConsistent),
            Self::DegradedBackup { .. } => ("degraded-backup", Category::Refused),
            Self::CorruptSource { .. } => ("corrupt-source", Category::NotConsistent),
            Self::NotConsistent { .. } => ("not-consistent", Category::NotConsistent),
            Self::TargetNotEmpty { .. } => ("target-not-empty", Category::Refused),
            Self::TargetForeign { .. } => ("target-foreign", Category::Refused),
            Self::ExtraNodes { .. } => ("extra-nodes", Category::Refused),
            Self::ServersNotStopped { .. } => ("servers-not-stopped", Category::Refused),
            Self::ServerRunning { .. } => ("server-running", Category::Refused),
            Self::Overlap { .. } => ("overlap", Category::Refused),
            Self::RestoreUnfinished { .. } => ("restore-unfinished", Category::Refused),
            Self::RestoreInProgress { .. } => ("restore-in-progress", Category::Refused),
            Self::PlanChanged { .. } => ("plan-changed", Category::Refused),
            Self::NoRestore { .. } => ("no-restore", Category::NotFound),
            Self::CannotAbandon { .. } => ("cannot-abandon", Category::Refused),
            Self::NoSpace { .. } => ("no-space", Category::Store),
            Self::Ownership { .. } => ("ownership", Category::Store),
            Self::VerifyFailed { .. } => ("verify-failed", Category::NotConsistent),
            Self::Orchestrator { .. } => ("orchestrator", Category::Orchestrator),
            Self::Store { kind, .. } => (kind.code(), Category::Store),
            Self::Copy { error: CopyError::Cancelled, .. } => (CopyError::Cancelled.code(), Category::Cancelled),
            Self::Copy { error, .. } => (error.code(), Category::Store),
            Self::Cancelled { .. } => ("cancelled", Category::Cancelled),
            Self::Internal { .. } => ("internal", Category::Internal),
        }
    }
}
