//! Codes and categories: what scripts and bindings branch on.

use super::Error;
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
    /// What the caller brought failed: an orchestrator, a copier.
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

impl Category {
    /// The exit code of the program.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Orchestrator | Self::Internal => 1,
            Self::Usage => 2,
            Self::NotConsistent => 4,
            Self::NotFound | Self::Refused => 5,
            Self::Store => 6,
            // 128 + SIGINT, as shells have it.
            Self::Cancelled => 130,
        }
    }
}

/// An error code and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCode {
    /// The code, in kebab-case.
    pub code: &'static str,
    /// What kind of error it is.
    pub category: Category,
    /// What happened, in one line.
    pub meaning: &'static str,
}

const fn row(code: &'static str, category: Category, meaning: &'static str) -> ErrorCode {
    ErrorCode { code, category, meaning }
}

impl Error {
    /// Every code that [`code`](Self::code) returns, with its category and what it means.
    pub const CODES: &'static [ErrorCode] = &[
        row("invalid-location", Category::Usage, "a path or URL that names no location"),
        row("unknown-option", Category::Usage, "the provider, or the call, does not know the option"),
        row("invalid-option", Category::Usage, "the value of an option cannot be used"),
        row("location-not-found", Category::NotFound, "directory, bucket or container does not exist"),
        row("memory-location", Category::Refused, "backup and restore do not apply to memory object stores"),
        row("invalid-key", Category::Refused, "a name that no store can hold, or that climbs out"),
        row(
            "link",
            Category::Refused,
            "a symbolic link that is broken, a loop, or not allowed; or something else that is no regular file",
        ),
        row("no-cluster", Category::NotFound, "no InfluxDB 3 cluster here"),
        row("several-clusters", Category::Refused, "several: give the cluster id, or the node id for Core"),
        row("nodes-required", Category::Refused, "the catalog cannot say which nodes belong to the cluster: name them"),
        row("unknown-id", Category::NotFound, "a given id has no objects"),
        row("upgraded-engine", Category::Refused, "the upgraded engine has a backup of its own"),
        row(
            "invalid-request",
            Category::Usage,
            "an option contradicts another, or the cluster; a bad name; a backup as a source",
        ),
        row("backup-exists", Category::Refused, "the name is taken"),
        row("backup-in-progress", Category::Refused, "another process writes this backup"),
        row("backup-unfinished", Category::Refused, "the backup is unfinished: resume it, or choose another name"),
        row("lease-lost", Category::Refused, "another process took the backup, or the target of the restore, over"),
        row(
            "lease-not-renewed",
            Category::Store,
            "the lease on the backup, or on the target of the restore, could not be renewed for minutes: resume the work",
        ),
        row(
            "commit-unconfirmed",
            Category::Store,
            "the store did not say whether the backup was committed: verify it, or resume it where it is not there",
        ),
        row("backup-not-found", Category::NotFound, "no backup of this name"),
        row("unsupported-format", Category::Refused, "written by a newer release"),
        row("invalid-document", Category::Usage, "a plan, certificate or report was altered, or is something else"),
        row(
            "damaged-backup",
            Category::NotConsistent,
            "files of the backup are missing, altered or contradict one another",
        ),
        row(
            "untrusted-backup",
            Category::NotConsistent,
            "the digest or the key that was given does not vouch for the backup: it is another one, or altered",
        ),
        row(
            "damaged-marker",
            Category::Refused,
            "the marker of the repository cannot be used: delete it, the next backup writes it again",
        ),
        row(
            "damaged-journal",
            Category::Refused,
            "the journal of a restore is damaged at the target, the backup is not: resume the restore",
        ),
        row(
            "backup-altered",
            Category::NotConsistent,
            "something removes or replaces objects of the backup while it is taken",
        ),
        row(
            "degraded-backup",
            Category::Refused,
            "the backup was committed degraded: accept it explicitly, or choose another one",
        ),
        row(
            "corrupt-source",
            Category::NotConsistent,
            "an object of the source is corrupt: repair it, or copy it as it is",
        ),
        row("not-consistent", Category::NotConsistent, "the certificate did not close in time"),
        row("target-not-empty", Category::Refused, "the target holds data"),
        row("target-foreign", Category::Refused, "the target belongs to another cluster or node"),
        row("extra-nodes", Category::Refused, "the target has nodes that the backup lacks"),
        row("servers-not-stopped", Category::Refused, "the target's servers are not confirmed to be stopped"),
        row("server-running", Category::Refused, "a server writes to the target meanwhile"),
        row("overlap", Category::Refused, "source, target or repository lie inside one another"),
        row("restore-unfinished", Category::Refused, "the target has an unfinished restore: resume or abandon it"),
        row(
            "restore-in-progress",
            Category::Refused,
            "another process restores to this target: wait, or take over if it is no longer running",
        ),
        row(
            "plan-changed",
            Category::Refused,
            "the restore would do what is not in the plan that was approved; nothing was changed",
        ),
        row("no-restore", Category::NotFound, "there is nothing to resume or abandon"),
        row(
            "cannot-abandon",
            Category::Refused,
            "the restore has changed data already, or its boot guard was removed: resume it",
        ),
        row("no-space", Category::Store, "too little space"),
        row("ownership", Category::Store, "owner or mode cannot be set"),
        row("verify-failed", Category::NotConsistent, "what was restored is not what the backup holds"),
        row("orchestrator", Category::Orchestrator, "the orchestrator failed"),
        row("object-not-found", Category::Store, "an object does not exist"),
        row("object-exists", Category::Store, "an object already exists"),
        row("object-changed", Category::Store, "an object was modified concurrently"),
        row("access-denied", Category::Store, "wrong credentials, or a missing right"),
        row("no-credentials", Category::Store, "no credentials were given, and the machine has none"),
        row("read-only", Category::Store, "the store is read-only"),
        row("unreachable", Category::Store, "the store does not answer"),
        row(
            "untrusted-certificate",
            Category::Store,
            "the TLS certificate of the endpoint is signed by no CA that is known",
        ),
        row("throttled", Category::Store, "the store asks to slow down"),
        row("store-unsupported", Category::Store, "the store cannot do this at all"),
        row("invalid-store-request", Category::Store, "the store can never take this name or request"),
        row("object-unreadable", Category::Store, "one object cannot be read, others can: a damaged object or disk"),
        row("object-archived", Category::Store, "an object is archived: bring it back first"),
        row(
            "store-rejected",
            Category::Store,
            "the store answered with an error that no further attempt helps, or against the protocol",
        ),
        row("store-error", Category::Store, "any other error of a store"),
        row("copy-unsupported", Category::Store, "no copier takes the object"),
        row(
            "copy-refused",
            Category::Store,
            "the store refused a server-side copy, and no other copier takes the object",
        ),
        row("source-vanished", Category::Store, "the object is gone from the source"),
        row("source-changed", Category::Store, "the object changes faster than it is copied"),
        row("source-unexpected", Category::Store, "the object has other content than was recorded"),
        row("copy-corrupt", Category::Store, "the copy differs from its source in length or checksum"),
        row("copier-failed", Category::Orchestrator, "a copier of the caller's failed"),
        row("stalled", Category::Store, "the connection transfers nothing"),
        row("cancelled", Category::Cancelled, "cancelled"),
        row("internal", Category::Internal, "a bug: please report it"),
    ];

    /// What kind of error it is.
    #[must_use]
    pub fn category(&self) -> Category {
        let code = self.code();
        let row = Self::CODES.iter().find(|row| row.code == code);
        row.map_or(Category::Internal, |row| row.category)
    }

    /// The stable code of this error, the same in Rust, Python and Node.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidLocation { .. } => "invalid-location",
            Self::UnknownOption { .. } => "unknown-option",
            Self::InvalidOption { .. } => "invalid-option",
            Self::LocationNotFound { .. } => "location-not-found",
            Self::MemoryLocation => "memory-location",
            Self::InvalidKey { .. } => "invalid-key",
            Self::Link { .. } => "link",
            Self::NoCluster { .. } => "no-cluster",
            Self::SeveralClusters { .. } => "several-clusters",
            Self::NodesRequired { .. } => "nodes-required",
            Self::UnknownId { .. } => "unknown-id",
            Self::UpgradedEngine { .. } => "upgraded-engine",
            Self::InvalidRequest { .. } => "invalid-request",
            Self::BackupExists { .. } => "backup-exists",
            Self::BackupInProgress { .. } => "backup-in-progress",
            Self::BackupUnfinished { .. } => "backup-unfinished",
            Self::LeaseLost { .. } => "lease-lost",
            Self::LeaseNotRenewed { .. } => "lease-not-renewed",
            Self::CommitUnconfirmed { .. } => "commit-unconfirmed",
            Self::BackupNotFound { .. } => "backup-not-found",
            Self::UnsupportedFormat { .. } => "unsupported-format",
            Self::InvalidDocument { .. } => "invalid-document",
            Self::DamagedBackup { .. } => "damaged-backup",
            Self::UntrustedBackup { .. } => "untrusted-backup",
            Self::DamagedMarker { .. } => "damaged-marker",
            Self::DamagedJournal { .. } => "damaged-journal",
            Self::BackupAltered { .. } => "backup-altered",
            Self::DegradedBackup { .. } => "degraded-backup",
            Self::CorruptSource { .. } => "corrupt-source",
            Self::NotConsistent { .. } => "not-consistent",
            Self::TargetNotEmpty { .. } => "target-not-empty",
            Self::TargetForeign { .. } => "target-foreign",
            Self::ExtraNodes { .. } => "extra-nodes",
            Self::ServersNotStopped { .. } => "servers-not-stopped",
            Self::ServerRunning { .. } => "server-running",
            Self::Overlap { .. } => "overlap",
            Self::RestoreUnfinished { .. } => "restore-unfinished",
            Self::RestoreInProgress { .. } => "restore-in-progress",
            Self::PlanChanged { .. } => "plan-changed",
            Self::NoRestore { .. } => "no-restore",
            Self::CannotAbandon { .. } => "cannot-abandon",
            Self::NoSpace { .. } => "no-space",
            Self::Ownership { .. } => "ownership",
            Self::VerifyFailed { .. } => "verify-failed",
            Self::Orchestrator { .. } => "orchestrator",
            Self::Store { kind, .. } => kind.code(),
            Self::Copy { error, .. } => error.code(),
            Self::Cancelled { .. } => "cancelled",
            Self::Internal { .. } => "internal",
        }
    }
}
