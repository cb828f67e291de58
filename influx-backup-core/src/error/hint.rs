//! [`Hint`]: an option that answers an error, as data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CREATE_ONLY, Error, LeaseSubject, StopReason, StoreErrorKind, refused::LINK_LEADS_OUT};

/// Why a restore refuses a directory of its target: the one link that an option answers.
pub(crate) const LINKED_DIRECTORY: &str = "is a link to another directory, and belongs to what the restore writes";

/// An option that answers an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hint {
    /// The option, by its name in the options structs, such as `policy` or `passes.max_passes`.
    pub option: String,
    /// The value that answers it; `None`: which one, the caller knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What that does.
    pub text: String,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { option, value, text } = self;
        match value {
            Some(value) => write!(f, "set `{option}` to `{value}`: {text}"),
            None => write!(f, "set `{option}`: {text}"),
        }
    }
}

fn to(option: &str, value: &str, text: &str) -> Hint {
    Hint { option: option.to_owned(), value: Some(value.to_owned()), text: text.to_owned() }
}

fn set(option: &str, text: &str) -> Hint {
    Hint { option: option.to_owned(), value: None, text: text.to_owned() }
}

/// The option that resumes the work under a lease.
fn resume(lease: &LeaseSubject, text: &str) -> Hint {
    let option = match lease {
        LeaseSubject::Backup { .. } => "on_existing",
        LeaseSubject::Target { .. } => "on_unfinished",
    };
    to(option, "resume", text)
}

impl Error {
    /// The options that answer this error: each by itself, unless its text says otherwise.
    #[must_use]
    pub fn hints(&self) -> Vec<Hint> {
        let degrade = || to("on_violation", "degrade", "commits the backup as it is, marked degraded");
        match self {
            Self::SeveralClusters { .. } => vec![
                set("cluster_id", "chooses the Enterprise cluster of this id"),
                set("node_ids", "chooses the Core node of this id"),
            ],
            Self::NodesRequired { .. } => vec![set("node_ids", "names the nodes of the cluster: give all of them")],
            Self::UnknownId { .. } => vec![set("query_only", "names a node that stores nothing")],
            Self::BackupUnfinished { .. } => vec![to("on_existing", "resume", "continues it")],
            Self::BackupInProgress { .. } => vec![
                to("on_existing", "resume", "continues it once it is abandoned or ten minutes silent"),
                to(
                    "takeover",
                    "immediately",
                    "does not wait, if that process is no longer running; only when resuming",
                ),
            ],
            Self::LeaseLost { lease, .. } => {
                vec![resume(lease, "continues the work, if that process has ended and left it undone")]
            }
            Self::LeaseNotRenewed { lease, .. } => vec![resume(lease, "continues the work once the store answers")],
            Self::CommitUnconfirmed { .. } => vec![to(
                "on_existing",
                "resume",
                "continues the backup, if the store answers and there is none; if there is one, verify it",
            )],
            Self::Link { reason: LINKED_DIRECTORY, .. } => {
                let text = "restores to where such links lead, and deletes there what the policy deletes";
                vec![to("linked_directories", "follow", text)]
            }
            Self::Link { reason: LINK_LEADS_OUT, .. } => {
                vec![to(
                    "file_links",
                    "anywhere",
                    "follows such links wherever they lead, also to files of other users",
                )]
            }
            Self::DegradedBackup { .. } => vec![to("on_degraded", "accept", "restores it all the same")],
            Self::CorruptSource { .. } => {
                vec![to("on_corrupt", "record", "copies corrupt objects as they are; the backup may be degraded")]
            }
            Self::NotConsistent { stop_reason: StopReason::NoProgress, .. } => vec![degrade()],
            Self::NotConsistent { .. } => vec![
                set("passes.max_passes", "allows more passes"),
                set("passes.time_limit", "allows more time"),
                degrade(),
            ],
            Self::TargetNotEmpty { .. } => {
                vec![to(
                    "policy",
                    "replace",
                    "makes the target what the backup holds; the plan shows what that deletes",
                )]
            }
            Self::ExtraNodes { .. } => {
                vec![to("extra_nodes", "keep", "keeps these nodes"), to("extra_nodes", "delete", "deletes these nodes")]
            }
            Self::ServersNotStopped { .. } => {
                vec![to(
                    "servers_stopped",
                    "confirmed_by_caller",
                    "confirms that the servers are stopped, once they are",
                )]
            }
            Self::RestoreUnfinished { .. } => {
                vec![to("on_unfinished", "resume", "continues it; or abandon it as long as nothing was overwritten")]
            }
            Self::DamagedJournal { .. } => {
                vec![to("on_unfinished", "resume", "continues the restore, unless `restore.json` itself is damaged")]
            }
            Self::CannotAbandon { .. } => vec![to("on_unfinished", "resume", "continues it")],
            Self::RestoreInProgress { .. } => {
                vec![to("takeover", "immediately", "does not wait, if that process is no longer running")]
            }
            Self::Store { operation: CREATE_ONLY, kind: StoreErrorKind::Unsupported, .. } => {
                vec![to("object_store_single_writer", "true", "does without, where exactly one scheduler writes there")]
            }
            Self::Copy { error, .. } if error.is_unreadable() => {
                let text = "leaves such objects out of a backup, which names them and is degraded";
                vec![to("on_unreadable", "record", text)]
            }
            Self::Store { kind: StoreErrorKind::Throttled, .. } => {
                vec![set("limits.concurrency", "a lower number asks less of the store")]
            }
            _ => Vec::new(),
        }
    }
}
