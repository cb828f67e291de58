//! [`Exit`]: what the program tells the shell.

use crate::Error;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and certified where that was the question. Findings are in the report and fail nobody's cron job.
    Done = 0,
    /// Something that nobody foresaw.
    Unexpected = 1,
    /// The command line asks for something that cannot be.
    Usage = 2,
    /// Committed with the caller's consent although the certificate is open.
    Degraded = 3,
    /// The certificate is open, verification failed, or the backup is damaged.
    NotConsistent = 4,
    /// Refused, or not found.
    Refused = 5,
    /// The store is unreachable, denies, or is full.
    Store = 6,
    /// Cancelled: 128 + SIGINT, as shells have it.
    Cancelled = 130,
}

impl Exit {
    /// The exit code that belongs to an error of the library.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::InvalidLocation { .. }
            | Error::UnknownOption { .. }
            | Error::InvalidOption { .. }
            | Error::InvalidRequest { .. } => Self::Usage,
            Error::CorruptSource { .. }
            | Error::NotConsistent { .. }
            | Error::BackupAltered { .. }
            | Error::DamagedBackup { .. }
            | Error::VerifyFailed { .. } => Self::NotConsistent,
            Error::LocationNotFound { .. }
            | Error::MemoryLocation
            | Error::InvalidKey { .. }
            | Error::Link { .. }
            | Error::NoCluster { .. }
            | Error::SeveralClusters { .. }
            | Error::NodesRequired { .. }
            | Error::UnknownId { .. }
            | Error::UpgradedEngine { .. }
            | Error::BackupExists { .. }
            | Error::BackupInProgress { .. }
            | Error::BackupUnfinished { .. }
            | Error::ClaimLost { .. }
            | Error::BackupNotFound { .. }
            | Error::UnsupportedFormat { .. }
            | Error::DegradedBackup { .. }
            | Error::TargetNotEmpty { .. }
            | Error::TargetForeign { .. }
            | Error::ExtraNodes { .. }
            | Error::ServersNotStopped { .. }
            | Error::ServerRunning { .. }
            | Error::Overlap { .. }
            | Error::RestoreUnfinished { .. }
            | Error::RestoreInProgress { .. }
            | Error::PlanChanged { .. }
            | Error::NoRestore { .. }
            | Error::CannotAbandon { .. } => Self::Refused,
            // One copy that noticed first is still the caller's wish.
            error if error.code() == "cancelled" => Self::Cancelled,
            Error::Store { .. } | Error::Copy { .. } | Error::NoSpace { .. } | Error::Ownership { .. } => Self::Store,
            _ => Self::Unexpected,
        }
    }
}
