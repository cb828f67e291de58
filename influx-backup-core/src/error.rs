//! What can go wrong: [`Error`], a variant per decision that a caller can take, each with a stable code.

mod answer;
mod code;
mod copy;
mod credentials;
mod detail;
mod hint;
mod lease;
#[cfg(feature = "cloud")]
mod misbehavior;
mod panicked;
mod plan;
mod refused;
mod report;
mod store;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

pub(crate) use self::hint::LINKED_DIRECTORY;
pub(crate) use self::{
    answer::StoreAnswer,
    credentials::{NoCredentials, NotIssued},
    refused::{Refused, Why},
    store::CREATE_ONLY,
};
#[cfg(feature = "cloud")]
pub(crate) use self::{answer::code_in, misbehavior::Misbehavior};
pub use self::{
    code::{Category, ErrorCode},
    copy::{CopyError, CopySide},
    hint::Hint,
    lease::LeaseSubject,
    plan::{PlanChange, PlanChangeKind},
    report::ErrorReport,
    store::StoreErrorKind,
};
use crate::{
    certificate::Certificate,
    finding::{Clause, Finding},
    key::{InvalidKey, Key},
    named::named,
};

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where an error came from: kept for the chain, never printed by [`Error`] itself.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Everything that discovery, backup, verification and restore report.
///
/// The text names the object, the operation and what to do; it never holds a credential and never repeats its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A URL or path that names no location.
    #[error("`{location}` is not a location: {reason}")]
    #[non_exhaustive]
    InvalidLocation {
        /// The text, without any credential.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An option that the provider of a location, or the call, does not know.
    #[error("`{option}` is not an option of {scope}{}", did_you_mean(similar))]
    #[non_exhaustive]
    UnknownOption {
        /// The option's name.
        option: String,
        /// What does not know it: the provider, `this call`, or the option that it was given in.
        scope: String,
        /// Names of options that are close to this one. For those of a provider see
        /// [`StoreOptions::known`](crate::StoreOptions::known).
        similar: Vec<String>,
    },
    /// An option whose value cannot be used.
    #[error("the value of option `{option}`{} cannot be used: {reason}", from_origin(origin.as_deref()))]
    #[non_exhaustive]
    InvalidOption {
        /// The option's name; `limits.concurrency` for one that is nested.
        option: String,
        /// Where the value is from, if it was not given: `the environment variable AWS_REGION`.
        origin: Option<String>,
        /// What is wrong, or what is allowed. Never the value of a store's option.
        reason: String,
    },
    /// The directory, bucket or container does not exist.
    #[error("`{location}` does not exist: create it, or check the path")]
    #[non_exhaustive]
    LocationNotFound {
        /// The location.
        location: String,
    },
    /// A location in memory, where backup and restore do not apply.
    #[error("backup and restore do not apply to memory object stores")]
    MemoryLocation,
    /// A name that climbs out of its location or that no store can hold.
    #[error("`{key}` cannot be the key of an object: {reason}")]
    #[non_exhaustive]
    InvalidKey {
        /// The name, escaped.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A symbolic link that cannot be followed, or something else that is no regular file where one is read.
    #[error("`{path}` {reason}")]
    #[non_exhaustive]
    Link {
        /// The path.
        path: String,
        /// Broken, a loop, not allowed here, or not a regular file.
        reason: &'static str,
    },

    /// No InfluxDB 3 cluster where one was looked for.
    #[error("no InfluxDB 3 cluster in `{location}`: looked for {looked_for}, found {found}")]
    #[non_exhaustive]
    NoCluster {
        /// The location.
        location: String,
        /// What was looked for.
        looked_for: String,
        /// What was there instead, with a hint.
        found: String,
    },
    /// Several clusters share the location: name the one that is meant.
    #[error("`{location}` holds several clusters ({}): give the cluster id, or the node id for Core", clusters.join(", "))]
    #[non_exhaustive]
    SeveralClusters {
        /// The location.
        location: String,
        /// Their ids.
        clusters: Vec<String>,
    },
    /// The catalog cannot say which nodes belong to which cluster: name them.
    #[error("the nodes of cluster `{cluster}` cannot be determined from `{location}`: give the node ids (candidates: {})", candidates.join(", "))]
    #[non_exhaustive]
    NodesRequired {
        /// The location.
        location: String,
        /// The cluster.
        cluster: String,
        /// Prefixes that look like nodes.
        candidates: Vec<String>,
    },
    /// An id was given that has no objects.
    #[error(
        "{kind} `{id}` has no objects in `{location}`: check the id{}",
        if *kind == "node" { "; if the node stores nothing, declare it query-only" } else { "" }
    )]
    #[non_exhaustive]
    UnknownId {
        /// `cluster` or `node`.
        kind: &'static str,
        /// The id.
        id: String,
        /// The location.
        location: String,
    },
    /// The cluster runs the upgraded storage engine, which has a backup of its own.
    #[error(
        "`{location}` runs the upgraded storage engine ({evidence}): use its built-in `influxdb3 create backup`, \
         `influxdb3 show backups` and `influxdb3 create restore`"
    )]
    #[non_exhaustive]
    UpgradedEngine {
        /// The location.
        location: String,
        /// What showed it.
        evidence: String,
    },
    /// An option of a backup or a restore that contradicts another, or the cluster.
    #[error("`{option}` cannot be used here: {reason}")]
    #[non_exhaustive]
    InvalidRequest {
        /// The option or argument, by its name in the options structs.
        option: &'static str,
        /// Why not.
        reason: String,
    },

    /// A finished backup has this name already.
    #[error("backup `{name}` exists: choose another name")]
    #[non_exhaustive]
    BackupExists {
        /// The name.
        name: String,
    },
    /// Another process writes this backup.
    #[error(
        "backup `{name}` is being written by {owner}, last heartbeat {} s ago: wait, or take over if that process is no \
         longer running",
        silence.as_secs()
    )]
    #[non_exhaustive]
    BackupInProgress {
        /// The name.
        name: String,
        /// Who writes it.
        owner: String,
        /// How long ago its heartbeat was.
        silence: Duration,
    },
    /// An unfinished backup has this name, and resuming was not asked for.
    #[error("backup `{name}` is unfinished: resume it, or choose another name")]
    #[non_exhaustive]
    BackupUnfinished {
        /// The name.
        name: String,
    },
    /// Another process took over the lease on a backup, or on the target of a restore, while this one ran.
    #[error("the lease on {lease} was lost, and this run stopped: {owner} took it over and continues the work")]
    #[non_exhaustive]
    LeaseLost {
        /// The backup or the target.
        lease: LeaseSubject,
        /// Who took it over, as far as it is known.
        owner: String,
    },
    /// The store did not let this process renew its lease on a backup, or on the target of a restore, for so long that
    /// another one may soon take it over.
    #[error(
        "the lease on {lease} could not be renewed for {} s, and this run stopped before another process may take it over: \
         resume the work once the store answers",
        age.as_secs()
    )]
    #[non_exhaustive]
    LeaseNotRenewed {
        /// The backup or the target.
        lease: LeaseSubject,
        /// How long ago it was renewed last.
        age: Duration,
    },
    /// Whether a backup was committed is not known: its root manifest was sent to the store, and the answer is missing.
    #[error(
        "whether backup `{name}` was committed is not known: {reason}; once the store answers, verify its bytes: it counts if \
         that passes; where there is no such backup, resume it"
    )]
    #[non_exhaustive]
    CommitUnconfirmed {
        /// The backup.
        name: String,
        /// What was not confirmed.
        reason: &'static str,
        /// Why not.
        source: Source,
    },
    /// No backup of this name.
    #[error("no backup `{name}` in `{repository}`: {found}")]
    #[non_exhaustive]
    BackupNotFound {
        /// The name.
        name: String,
        /// The repository.
        repository: String,
        /// What is there.
        found: String,
    },
    /// Something in a form that this release does not know.
    #[error("`{object}` needs a newer release: it {reason}")]
    #[non_exhaustive]
    UnsupportedFormat {
        /// The object.
        object: String,
        /// What this release does not know.
        reason: String,
    },
    /// A plan, certificate or report that was altered, or is something else.
    #[error("this is not a {document} that can be used: {reason}")]
    #[non_exhaustive]
    InvalidDocument {
        /// What was expected: `plan`, `certificate`, `backup report`, …
        document: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A backup whose own files do not hold together.
    #[error("the backup is damaged at `{object}`: {reason}")]
    #[non_exhaustive]
    DamagedBackup {
        /// The key of the object.
        object: String,
        /// Where the backup lies, where that is known.
        location: Option<Box<str>>,
        /// What is wrong.
        reason: String,
    },
    /// A backup that the caller's digest or key does not vouch for: it may be another one, or altered. Nothing was done with it.
    #[error(
        "backup `{backup}` cannot be trusted: {reason}; find out who wrote it before it is used, or check what it was \
         compared with"
    )]
    #[non_exhaustive]
    UntrustedBackup {
        /// The backup.
        backup: String,
        /// What does not vouch for it.
        reason: String,
        /// What was expected, where that is a digest or a key.
        expected: Option<String>,
        /// What was found instead, where there is something.
        found: Option<String>,
    },
    /// The marker of a repository cannot be used. Its backups can still be read; none is added.
    #[error(
        "the marker of the repository, `{marker}`, cannot be used ({reason}): delete it, and the next backup writes it \
         again; the backups can be read without it"
    )]
    #[non_exhaustive]
    DamagedMarker {
        /// The path or URL of the marker.
        marker: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The journal of a restore, at its target, cannot be used. The backup is not damaged by that.
    #[error(
        "the journal of the restore at the target is damaged at `{journal}` ({reason}), the backup is not: resume the \
         restore, or where `restore.json` itself is damaged, delete it and restore with the policy `replace`"
    )]
    #[non_exhaustive]
    DamagedJournal {
        /// The path or URL of the journal's file.
        journal: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Objects of a backup are removed or replaced while it is taken, again and again.
    #[error(
        "the backup is changed by another program while it is taken ({reason}): stop what removes or writes objects \
         there, such as a lifecycle rule, and resume"
    )]
    #[non_exhaustive]
    BackupAltered {
        /// Which object, and how many.
        reason: String,
    },
    /// A backup that was committed although clauses are violated, and the caller did not accept it.
    #[error("backup `{name}` is degraded ({}): accept it explicitly, or choose another one", listed(violated))]
    #[non_exhaustive]
    DegradedBackup {
        /// The backup.
        name: String,
        /// The violated clauses.
        violated: Vec<Clause>,
    },
    /// An object of the source is corrupt in a way that stops a server or loses rows.
    #[error("the source is corrupt: {finding:#}; repair the source, or record the corrupt objects and continue")]
    #[non_exhaustive]
    CorruptSource {
        /// The object.
        key: Key,
        /// What is wrong, and the clause that it violates.
        finding: Box<Finding>,
    },
    /// The certificate did not close.
    #[error("the backup is not consistent after {passes} passes ({}): {}", certificate.summary(), stop_reason.advice())]
    #[non_exhaustive]
    NotConsistent {
        /// How many passes ran.
        passes: u32,
        /// Why no further one was begun.
        stop_reason: StopReason,
        /// What holds and what does not.
        certificate: Box<Certificate>,
    },

    /// A restore would write over data.
    #[error("target `{location}` is not empty ({found}): use an empty one, or another policy than `empty`")]
    #[non_exhaustive]
    TargetNotEmpty {
        /// The target.
        location: String,
        /// What is there.
        found: String,
    },
    /// The target belongs to another cluster or node.
    #[error(
        "target `{location}` belongs to {found}, the backup to {expected}: restore it under the ids it was taken from"
    )]
    #[non_exhaustive]
    TargetForeign {
        /// The target.
        location: String,
        /// Whose data is there.
        found: String,
        /// Whose data the backup holds.
        expected: String,
    },
    /// The target has nodes that the backup lacks.
    #[error("target `{location}` has nodes that the backup lacks ({}): choose whether to keep or to delete them", nodes.join(", "))]
    #[non_exhaustive]
    ExtraNodes {
        /// The target.
        location: String,
        /// The nodes.
        nodes: Vec<String>,
    },
    /// A target holds data, and its servers are not confirmed to be stopped.
    #[error(
        "target `{location}` holds data and its servers are not confirmed to be stopped: pass an orchestrator, or \
         confirm it explicitly"
    )]
    #[non_exhaustive]
    ServersNotStopped {
        /// The target.
        location: String,
    },
    /// A server writes to the target while it is restored.
    #[error(
        "a server is writing to target `{location}` (unexpected object `{key}`): stop it, then resume; the boot guard \
         stays"
    )]
    #[non_exhaustive]
    ServerRunning {
        /// The target.
        location: String,
        /// An object that the restore did not write.
        key: Key,
    },
    /// Source, target and repository lie inside one another.
    #[error("`{inner}` lies inside `{outer}`: they must not overlap")]
    #[non_exhaustive]
    Overlap {
        /// The inner location.
        inner: String,
        /// The outer location.
        outer: String,
    },
    /// Another restore was begun on this target.
    #[error("target `{location}` has an unfinished restore of `{backup}`: resume or abandon it")]
    #[non_exhaustive]
    RestoreUnfinished {
        /// The target.
        location: String,
        /// The backup it restores.
        backup: String,
    },
    /// Another process restores to this target.
    #[error(
        "target `{location}` is being restored by {owner}, last heartbeat {} s ago: wait, or take over if that process \
         is no longer running",
        silence.as_secs()
    )]
    #[non_exhaustive]
    RestoreInProgress {
        /// The target.
        location: String,
        /// Who restores to it.
        owner: String,
        /// How long ago its heartbeat was.
        silence: Duration,
    },
    /// A restore would do what is not in the plan that was approved. Nothing was changed.
    #[error(
        "the restore to `{location}` is not what was approved: {}; plan it again, and approve that plan",
        plan::listed(changes)
    )]
    #[non_exhaustive]
    PlanChanged {
        /// The target.
        location: String,
        /// What is not in the approved plan.
        changes: Vec<PlanChange>,
    },
    /// There is no restore to resume or abandon.
    #[error("target `{location}` has no unfinished restore")]
    #[non_exhaustive]
    NoRestore {
        /// The target.
        location: String,
    },
    /// A restore that has overwritten or deleted data, or whose boot guard was removed, cannot be undone.
    #[error(
        "the restore of `{backup}` to target `{location}` has already changed data, or its boot guard was removed, so it \
         cannot be abandoned: resume it"
    )]
    #[non_exhaustive]
    CannotAbandon {
        /// The target.
        location: String,
        /// The backup it restores.
        backup: String,
    },
    /// Too little room at the target.
    #[error("`{location}` has {available} bytes free, {needed} are needed")]
    #[non_exhaustive]
    NoSpace {
        /// The location.
        location: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes available.
        available: u64,
    },
    /// Owner or mode cannot be set.
    #[error(
        "owner or mode of `{path}` cannot be set: run as root, choose an owner that you may set, or keep those of the \
         process"
    )]
    #[non_exhaustive]
    Ownership {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was restored is not what the backup holds; the boot guard stays.
    #[error("verification failed{}: {reason}", key.as_ref().map_or_else(String::new, |key| format!(" at `{key}`")))]
    #[non_exhaustive]
    VerifyFailed {
        /// The first object concerned.
        key: Option<Key>,
        /// What is wrong.
        reason: String,
    },
    /// The caller's orchestrator failed.
    #[error("node `{node}` could not be {action}")]
    #[non_exhaustive]
    Orchestrator {
        /// The node.
        node: String,
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: Source,
    },

    /// A store did not do what was asked.
    #[error("{operation}{} in `{location}` failed: {}", of_object(key), kind.advice())]
    #[non_exhaustive]
    Store {
        /// What was tried: `list`, `get`, `put`, `delete`, …
        operation: &'static str,
        /// The object or prefix.
        key: String,
        /// The location.
        location: String,
        /// What can be done about it.
        kind: StoreErrorKind,
        /// Why.
        #[source]
        source: Source,
    },
    /// One object could not be copied, after all retries.
    #[error("`{key}` could not be copied{}: {}", between(error.side(), location.as_deref()), error.advice())]
    #[non_exhaustive]
    Copy {
        /// The object.
        key: Key,
        /// The location of the side that it is about, where that is known.
        location: Option<Box<str>>,
        /// Why.
        #[source]
        error: CopyError,
    },
    /// Cancelled by the caller.
    #[error("cancelled{}", how_far(*done, *total))]
    #[non_exhaustive]
    Cancelled {
        /// Objects finished.
        done: u64,
        /// Objects planned.
        total: u64,
    },
    /// A bug of this crate: a task of it panicked.
    #[error("internal error in {task}: please report it")]
    #[non_exhaustive]
    Internal {
        /// Which task.
        task: &'static str,
        /// Why.
        #[source]
        source: Source,
    },
}

/// Which object was asked for; a store as a whole has none.
fn of_object(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!(" `{key}`") }
}

/// Where a value is from that was not given.
pub(crate) fn from_origin(origin: Option<&str>) -> String {
    origin.map_or_else(String::new, |origin| format!(", from {origin},"))
}

/// The side of a copy that it is about.
fn between(side: Option<CopySide>, location: Option<&str>) -> String {
    match (side, location) {
        (Some(CopySide::Source), Some(location)) => format!(" from `{location}`"),
        (Some(CopySide::Target), Some(location)) => format!(" to `{location}`"),
        _ => String::new(),
    }
}

/// How far a cancelled job was, where it had counted anything.
fn how_far(done: u64, total: u64) -> String {
    if total == 0 { String::new() } else { format!(" after {done} of {total} objects") }
}

/// Names as the end of a message: ``: did you mean `a` or `b`?``
fn did_you_mean(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { String::new() } else { format!(": did you mean {}?", quoted.join(" or ")) }
}

/// Clauses as one text.
fn listed(clauses: &[Clause]) -> String {
    clauses.iter().map(|clause| format!("{clause}: {}", clause.title())).collect::<Vec<_>>().join("; ")
}

impl From<&Refused> for Error {
    fn from(refused: &Refused) -> Self {
        Self::Link { path: refused.path.display().to_string(), reason: refused.why.as_str() }
    }
}

impl From<InvalidKey> for Error {
    fn from(InvalidKey { key, reason }: InvalidKey) -> Self {
        Self::InvalidKey { key, reason }
    }
}

impl Error {
    /// An option whose value cannot be used: for callers that read options from values of another language.
    #[must_use]
    pub fn invalid_option(option: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidOption { option: option.into(), origin: None, reason: reason.into() }
    }

    /// Cancelled before anything was done: for callers that do not begin what is cancelled already.
    #[must_use]
    pub const fn cancelled() -> Self {
        Self::Cancelled { done: 0, total: 0 }
    }

    /// A document that is none, or was altered: for callers that read documents of their own.
    #[must_use]
    pub fn invalid_document(document: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidDocument { document, reason: reason.into() }
    }

    /// An option that contradicts another, or what it is used on.
    pub(crate) fn invalid_request(option: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidRequest { option, reason: reason.into() }
    }

    /// A backup, or the journal of one, that does not hold together at `object`.
    pub(crate) fn damaged(object: impl ToString, reason: impl Into<String>) -> Self {
        Self::DamagedBackup { object: object.to_string(), location: None, reason: reason.into() }
    }

    /// The same error, which names where the damaged backup lies.
    pub(crate) fn in_backup(self, backup: impl ToString) -> Self {
        match self {
            Self::DamagedBackup { object, location: None, reason } => {
                Self::DamagedBackup { object, location: Some(backup.to_string().into()), reason }
            }
            error => error,
        }
    }

    /// Wraps an error of a store with what was tried, where.
    pub(crate) fn store(
        operation: &'static str,
        key: impl ToString,
        location: impl ToString,
        source: object_store::Error,
    ) -> Self {
        if let Some(refused) = Refused::of_store(&source) {
            return refused.into();
        }
        Self::Store {
            operation,
            key: key.to_string(),
            location: location.to_string(),
            kind: StoreErrorKind::of(&source).of_operation(operation),
            source: Box::new(source),
        }
    }

    /// Wraps an error of the file system with what was tried, where.
    pub(crate) fn io(
        operation: &'static str,
        key: impl ToString,
        location: impl ToString,
        source: std::io::Error,
    ) -> Self {
        if let Some(refused) = Refused::of(&source) {
            return refused.into();
        }
        Self::Store {
            operation,
            key: key.to_string(),
            location: location.to_string(),
            kind: StoreErrorKind::of_io(&source).of_operation(operation),
            source: Box::new(source),
        }
    }
}

/// Why a backup that is not consistent begins no further pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The limit on passes or time is reached.
    LimitReached,
    /// The source is not changing, so a further pass would find the same.
    NoProgress,
}

impl StopReason {
    const fn advice(self) -> &'static str {
        match self {
            Self::LimitReached => "allow more passes or time, back up at a quieter moment, or accept a degraded backup",
            Self::NoProgress => {
                "the source is not changing, so more passes will not help: repair the source, or accept a degraded backup"
            }
        }
    }
}

named!(StopReason, "stop reason", { LimitReached => "limit_reached", NoProgress => "no_progress" });
