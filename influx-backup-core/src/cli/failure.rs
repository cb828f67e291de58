//! [`Failure`]: why a verb did not do what it was asked.

use std::{error::Error as _, io, iter::successors};

use serde::Serialize;

use crate::{Certificate, Error, cli::exit::Exit, error::StopReason};

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library says so.
    Library(Error),
    /// The command line cannot be.
    Usage(String),
    /// What this program does itself failed.
    Io {
        /// What it did.
        action: &'static str,
        /// Why it failed.
        error: io::Error,
    },
}

/// A failure as one JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    error: Body<'a>,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    /// Stable: scripts branch on it.
    code: &'a str,
    message: String,
    /// What lies behind it, outermost first.
    causes: Vec<String>,
    /// The proof as far as it holds, where it did not close.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'a Certificate>,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn io(action: &'static str, error: io::Error) -> Self {
        Self::Io { action, error }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Library(error) => Exit::of(error),
            Self::Usage(_) => Exit::Usage,
            Self::Io { .. } => Exit::Unexpected,
        }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Library(error) => error.code(),
            Self::Usage(_) => "usage",
            Self::Io { .. } => "io",
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Library(error) => error.to_string(),
            Self::Usage(message) => message.trim_start_matches("error: ").trim_end().to_owned(),
            Self::Io { action, .. } => format!("cannot {action}"),
        }
    }

    /// What lies behind it, outermost first.
    pub(crate) fn causes(&self) -> Vec<String> {
        match self {
            Self::Library(error) => {
                successors(error.source(), |&cause| cause.source()).map(ToString::to_string).collect()
            }
            Self::Usage(_) => Vec::new(),
            Self::Io { error, .. } => vec![error.to_string()],
        }
    }

    /// The options of this program that answer it, for people.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        let Self::Library(error) = self else { return None };
        Some(match error {
            Error::BackupUnfinished { .. } => "--resume goes on with it",
            Error::BackupInProgress { .. } => "--resume --takeover, once that process is dead",
            Error::RestoreInProgress { .. } => "--takeover, once that process is dead",
            Error::RestoreUnfinished { .. } => "--resume goes on with it, --abandon undoes it",
            Error::CannotAbandon { .. } => "--resume goes on with it",
            Error::TargetNotEmpty { .. } => {
                "--policy replace makes it what the backup holds; --dry-run shows what that deletes"
            }
            Error::ServersNotStopped { .. } => "--servers-stopped, once they are",
            Error::ExtraNodes { .. } => "--extra-nodes keep, or delete",
            Error::DegradedBackup { .. } => "--accept-degraded restores it all the same",
            Error::SeveralClusters { .. } => "--cluster-id ID, or for Core --node-id ID",
            Error::NodesRequired { .. } => "--node-id ID, for every node of the cluster",
            Error::UnknownId { .. } => "--query-only ID, for a node that stores nothing",
            Error::CorruptSource { .. } => "--corrupt record copies it as it is; the backup may be degraded",
            Error::NotConsistent { halt: StopReason::NoProgress, .. } => "--allow-degraded commits it as it is",
            Error::NotConsistent { .. } => "--max-passes, --time-limit or --allow-degraded",
            _ => return None,
        })
    }

    /// The proof as far as it holds, where it did not close.
    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Library(Error::NotConsistent { certificate, .. }) => Some(certificate),
            _ => None,
        }
    }

    pub(crate) fn document(&self) -> Document<'_> {
        let (code, message, causes, certificate) = (self.code(), self.message(), self.causes(), self.certificate());
        Document { error: Body { code, message, causes, certificate } }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}
