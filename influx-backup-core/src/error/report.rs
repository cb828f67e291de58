//! [`ErrorReport`]: an error as data, for logs, JSON and other languages.

use std::{collections::BTreeMap, error::Error as _, fmt, iter::successors};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Category, Error, Hint};
use crate::{
    certificate::Certificate,
    finding::{Finding, Severity},
    naming::{Naming, visible},
    units::duration::millis,
};

/// An error as data: everything that a caller needs to branch on it and to show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorReport {
    /// The stable code, one of [`Error::CODES`]. The program has two more: `usage` and `io`.
    pub code: String,
    /// What kind of error it is.
    pub category: Category,
    /// What happened, to what, and what to do.
    pub message: String,
    /// Options that answer it: each by itself, unless its text says otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
    /// Whether the same call may succeed later without anything being changed.
    pub retryable: bool,
    /// The object that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The location that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The messages of the errors behind it, the nearest first.
    pub causes: Vec<String>,
    /// The proof as far as it holds, where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Box<Certificate>>,
    /// What the job that failed had found, and what the caller has to do: the boot guard of a restore may stand, servers may
    /// still be stopped. Empty where the error is not reported by a job: see [`JobHandle::report`](crate::JobHandle::report).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The other fields of the error by name, such as `clusters`, `nodes` or `owner`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Value>,
}

/// Options of more than one word that messages name. Other options stand in hints.
pub(super) const NAMED_IN_MESSAGES: [&str; 10] = [
    "aws_access_key_id",
    "aws_allow_http",
    "aws_secret_access_key",
    "aws_server_side_encryption",
    "azure_allow_http",
    "azure_credential_type",
    "google_allow_http",
    "object_store_single_writer",
    "object_store_tls_ca",
    "on_existing",
];

impl ErrorReport {
    /// The same report, whose message, hints and context name options in this way, as do the names in its context. An option
    /// that is unknown is named as it was given.
    #[must_use]
    pub fn with_naming(mut self, naming: Naming) -> Self {
        if self.code == "unknown-option" {
            return self;
        }
        let mut named: Vec<_> = NAMED_IN_MESSAGES.map(str::to_owned).into();
        if let Some(Value::String(option)) = self.context.get_mut("option") {
            named.push(option.clone());
            *option = naming.write(option);
        }
        let reason = match self.context.get_mut("reason") {
            Some(Value::String(reason)) => Some(reason),
            _ => None,
        };
        for text in reason.into_iter().chain([&mut self.message]) {
            for option in &named {
                *text = text.replace(&format!("`{option}`"), &format!("`{}`", naming.write(option)));
            }
        }
        for hint in &mut self.hints {
            hint.option = naming.write(&hint.option);
        }
        self.context = self.context.into_iter().map(|(name, value)| (naming.write(&name), value)).collect();
        self
    }

    /// With what the job that failed had found.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// A report of an error that is not the library's.
    #[cfg(feature = "cli")]
    pub(crate) fn of_program(code: &str, category: Category, message: String, causes: Vec<String>) -> Self {
        Self {
            code: code.to_owned(),
            category,
            message,
            hints: Vec::new(),
            retryable: false,
            key: None,
            location: None,
            causes,
            certificate: None,
            findings: Vec::new(),
            context: BTreeMap::new(),
        }
    }
}

/// The error for a person: what happened, why, what answers it, and what the caller has to do. Not the certificate, which has
/// a text of its own.
impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f, Hint::to_string)
    }
}

impl ErrorReport {
    /// Writes it for a person, with hints worded like this.
    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>, word: impl Fn(&Hint) -> String) -> fmt::Result {
        write!(f, "error [{}]: {}", self.code, self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, "\n  caused by: {cause}"))?;
        self.hints.iter().try_for_each(|hint| write!(f, "\n  hint: {}", word(hint)))?;
        let (todos, notes): (Vec<_>, Vec<_>) = self.findings.iter().partition(|found| found.severity == Severity::Todo);
        notes.iter().try_for_each(|note| write!(f, "\n  note [{}]: {note}", note.code))?;
        todos.iter().try_for_each(|todo| write!(f, "\n  to do [{}]: {todo}", todo.code))
    }
}

impl Error {
    /// This error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        ErrorReport {
            code: self.code().to_owned(),
            category: self.category(),
            // What it quotes may have line breaks.
            message: visible(self),
            hints: self.hints(),
            retryable: self.is_retryable(),
            key: self.key().map(str::to_owned),
            location: self.location().map(str::to_owned),
            causes: successors(self.source(), |&cause| cause.source()).map(visible).collect(),
            certificate: self.certificate().cloned().map(Box::new),
            findings: Vec::new(),
            context: self.context().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// The fields that have no accessor of their own.
    fn context(&self) -> Vec<(&'static str, Value)> {
        macro_rules! fields {
            ($($field:ident),+) => { vec![$((stringify!($field), json!($field))),+] };
        }
        match self {
            Self::InvalidLocation { reason, .. } => fields!(reason),
            Self::UnknownOption { option, scope, similar } => fields!(option, scope, similar),
            Self::InvalidOption { option, origin: None, reason } => fields!(option, reason),
            Self::InvalidOption { option, origin, reason } => fields!(option, origin, reason),
            Self::InvalidKey { reason, .. } => fields!(reason),
            Self::Link { path, reason } => fields!(path, reason),
            Self::NoCluster { looked_for, found, .. } => fields!(looked_for, found),
            Self::SeveralClusters { clusters, .. } => fields!(clusters),
            Self::NodesRequired { cluster, candidates, .. } => fields!(cluster, candidates),
            Self::UnknownId { kind, id, .. } => fields!(kind, id),
            Self::UpgradedEngine { evidence, .. } => fields!(evidence),
            Self::InvalidRequest { option, reason } => fields!(option, reason),
            Self::BackupExists { name } | Self::BackupUnfinished { name } => fields!(name),
            Self::BackupInProgress { name, owner, silence } => {
                let silence_ms = millis::of(*silence);
                fields!(name, owner, silence_ms)
            }
            Self::LeaseLost { lease, owner } => {
                let lease = lease.to_string();
                fields!(lease, owner)
            }
            Self::LeaseNotRenewed { lease, age } => {
                let lease = lease.to_string();
                let age_ms = millis::of(*age);
                fields!(lease, age_ms)
            }
            Self::CommitUnconfirmed { name, reason, .. } => fields!(name, reason),
            Self::BackupNotFound { name, found, .. } => fields!(name, found),
            Self::UnsupportedFormat { object, reason } | Self::DamagedBackup { object, reason, .. } => {
                fields!(object, reason)
            }
            Self::InvalidDocument { document, reason } => fields!(document, reason),
            Self::UntrustedBackup { backup, reason, expected, found } => fields!(backup, reason, expected, found),
            Self::DamagedMarker { marker, reason } => fields!(marker, reason),
            Self::DamagedJournal { journal, reason } => fields!(journal, reason),
            Self::DegradedBackup { name, violated } => fields!(name, violated),
            Self::CorruptSource { finding, .. } => fields!(finding),
            Self::NotConsistent { passes, stop_reason, .. } => fields!(passes, stop_reason),
            Self::TargetNotEmpty { found, .. } => fields!(found),
            Self::TargetForeign { found, expected, .. } => fields!(found, expected),
            Self::ExtraNodes { nodes, .. } => fields!(nodes),
            Self::Overlap { inner, outer } => fields!(inner, outer),
            Self::RestoreUnfinished { backup, .. } | Self::CannotAbandon { backup, .. } => fields!(backup),
            Self::RestoreInProgress { owner, silence, .. } => {
                let silence_ms = millis::of(*silence);
                fields!(owner, silence_ms)
            }
            Self::PlanChanged { changes, .. } => fields!(changes),
            Self::NoSpace { needed, available, .. } => fields!(needed, available),
            Self::Ownership { path, .. } => fields!(path),
            Self::BackupAltered { reason } | Self::VerifyFailed { reason, .. } => fields!(reason),
            Self::Orchestrator { node, action, .. } => fields!(node, action),
            Self::Store { operation, .. } => fields!(operation),
            Self::Cancelled { done, total } => fields!(done, total),
            Self::Internal { task, .. } => fields!(task),
            Self::LocationNotFound { .. }
            | Self::MemoryLocation
            | Self::ServersNotStopped { .. }
            | Self::ServerRunning { .. }
            | Self::NoRestore { .. }
            | Self::Copy { .. } => Vec::new(),
        }
    }
}
