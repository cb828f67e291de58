//! [`Failure`]: why a verb did not do what it was asked.

use std::io;

use serde::Serialize;

use crate::{
    Error, JobHandle,
    cli::exit::Exit,
    error::{Category, ErrorReport},
};

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    report: Box<ErrorReport>,
    /// The options of this program that answer it.
    options: Option<&'static str>,
}

/// A failure as one JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    error: &'a ErrorReport,
}

impl Failure {
    /// The command line cannot be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        let message = message.into().trim_start_matches("error: ").trim_end().to_owned();
        Self::of_program("usage", Category::Usage, message, Vec::new())
    }

    /// Something that the program itself does failed.
    pub(crate) fn io(action: &'static str, error: &io::Error) -> Self {
        Self::of_program("io", Category::Internal, format!("cannot {action}"), vec![error.to_string()])
    }

    fn of_program(code: &str, category: Category, message: String, causes: Vec<String>) -> Self {
        Self { report: Box::new(ErrorReport::of_program(code, category, message, causes)), options: None }
    }

    /// A job failed: its error, and what it had found.
    pub(crate) fn of_job(job: &JobHandle, error: &Error) -> Self {
        Self { report: Box::new(job.report(error)), options: options(error) }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.report.category.into()
    }

    pub(crate) fn report(&self) -> &ErrorReport {
        &self.report
    }

    pub(crate) fn document(&self) -> Document<'_> {
        Document { error: &self.report }
    }

    /// It for people: the hint names options of this program where it can.
    pub(crate) fn text(&self) -> String {
        let hint = self.options.map(str::to_owned).or_else(|| self.report.hint.clone());
        ErrorReport { hint, ..(*self.report).clone() }.to_string()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { report: Box::new(error.report()), options: options(&error) }
    }
}

/// The options of this program that the hint of the library stands for.
fn options(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::BackupUnfinished { .. } | Error::CannotAbandon { .. } => "--resume continues it",
        Error::BackupInProgress { .. } => "--resume --takeover, if that process is no longer running",
        Error::RestoreInProgress { .. } => "--takeover, if that process is no longer running",
        Error::RestoreUnfinished { .. } => "--resume continues it, --abandon undoes it",
        Error::TargetNotEmpty { .. } => {
            "--policy replace makes it what the backup holds; --dry-run shows what that deletes"
        }
        Error::ServersNotStopped { .. } => "--servers-stopped, once they are",
        Error::ExtraNodes { .. } => "--extra-nodes keep, or delete",
        Error::DegradedBackup { .. } => "--on-degraded accept restores it anyway",
        Error::SeveralClusters { .. } => "--cluster-id ID, or for Core --node-id ID",
        Error::NodesRequired { .. } => "--node-id ID, for every node of the cluster",
        Error::UnknownId { .. } => "--query-only ID, for a node that stores nothing",
        Error::CorruptSource { .. } => "--on-corrupt record copies it as it is; the backup may be degraded",
        Error::NotConsistent { .. } if error.is_retryable() => "--max-passes, --time-limit or --on-violation degrade",
        Error::NotConsistent { .. } => "--on-violation degrade commits it as it is",
        _ => return None,
    })
}
