//! What can go wrong: [`Error`], a variant per decision that a caller can take, each with a stable code.

mod copy;
mod plan;
mod store;

use std::time::Duration;

pub use self::{
    copy::CopyError,
    plan::{PlanChange, PlanChangeKind},
    store::StoreErrorKind,
};
use crate::{certificate::Certificate, finding::Finding, key::Key};

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
    InvalidLocation {
        /// The text, without any credential.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An option that the provider of a location does not know.
    #[error("`{option}` is not an option of {provider}: see the README for the names it knows")]
    UnknownOption {
        /// The option's name.
        option: String,
        /// The provider.
        provider: String,
    },
    /// An option whose value cannot be used.
    #[error("the value of option `{option}` cannot be used: {reason}")]
    InvalidOption {
        /// The option's name.
        option: String,
        /// What is wrong, never the value itself.
        reason: String,
    },
    /// The directory, bucket or container does not exist.
    #[error("`{location}` does not exist: create it, or mend its name")]
    LocationNotFound {
        /// The location.
        location: String,
    },
    /// A location in memory, where backup and restore do not apply.
    #[error("backup and restore do not apply to memory object stores")]
    MemoryLocation,
    /// A name that climbs out of its location or that no store can hold.
    #[error("`{key}` cannot be the key of an object: {reason}")]
    InvalidKey {
        /// The name, escaped.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A symbolic link that cannot be followed.
    #[error("`{path}` is a link that cannot be used: {reason}")]
    Link {
        /// The path of the link.
        path: String,
        /// Broken, a loop, or not allowed here.
        reason: &'static str,
    },

    /// No InfluxDB 3 cluster where one was looked for.
    #[error("no InfluxDB 3 cluster in `{location}`: looked for {looked_for}, found {found}")]
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
    SeveralClusters {
        /// The location.
        location: String,
        /// Their ids.
        clusters: Vec<String>,
    },
    /// The catalog cannot say which nodes belong to which cluster: name them.
    #[error("the nodes of cluster `{cluster}` cannot be told from `{location}`: give the node ids (candidates: {})", candidates.join(", "))]
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
        "{kind} `{id}` has no objects in `{location}`: mend the id, or declare the node query-only if it stores nothing"
    )]
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
    UpgradedEngine {
        /// The location.
        location: String,
        /// What showed it.
        evidence: String,
    },
    /// An option of a backup or a restore that contradicts another, or the cluster.
    #[error("{option} cannot be used here: {reason}")]
    InvalidRequest {
        /// The option.
        option: &'static str,
        /// Why not.
        reason: String,
    },

    /// A finished backup has this name already.
    #[error("backup `{name}` exists: choose another name")]
    BackupExists {
        /// The name.
        name: String,
    },
    /// Another process writes this backup.
    #[error("backup `{name}` is being written by {owner}, heard of {} s ago: wait, or take over once it is dead", silence.as_secs())]
    BackupInProgress {
        /// The name.
        name: String,
        /// Who writes it.
        owner: String,
        /// How long ago its heartbeat was.
        silence: Duration,
    },
    /// An unfinished backup has this name, and resuming was not asked for.
    #[error("backup `{name}` was begun and not finished: resume it, or choose another name")]
    BackupUnfinished {
        /// The name.
        name: String,
    },
    /// The claim on a backup, or on the target of a restore, was taken over by another process while this one ran.
    #[error("the claim on {what} was taken over by {owner}: this run stopped, let the other one finish")]
    ClaimLost {
        /// The backup or the target.
        what: String,
        /// Who holds it now.
        owner: String,
    },
    /// No backup of this name.
    #[error("no backup `{name}` in `{repository}`: {found}")]
    BackupNotFound {
        /// The name.
        name: String,
        /// The repository.
        repository: String,
        /// What is there.
        found: String,
    },
    /// A format version that this release does not know.
    #[error("`{object}` needs a newer release: it has format version {found}, this release reads up to {supported}")]
    UnsupportedFormat {
        /// The object.
        object: String,
        /// The version found.
        found: u64,
        /// The newest version known.
        supported: u64,
    },
    /// A backup whose own files do not hold together.
    #[error("the backup is damaged at `{object}`: {reason}")]
    DamagedBackup {
        /// The object.
        object: String,
        /// What is wrong.
        reason: String,
    },
    /// Objects of a backup are removed or replaced while it is taken, again and again.
    #[error(
        "the backup is changed by somebody else while it is taken ({reason}): stop what removes or writes objects there, \
         such as a lifecycle rule or another program, and resume"
    )]
    BackupAltered {
        /// Which object, and how many.
        reason: String,
    },
    /// A backup that was committed although its certificate did not hold, and nobody said to restore it all the same.
    #[error("backup `{name}` is degraded ({open}): accept it explicitly, or choose another one")]
    DegradedBackup {
        /// The backup.
        name: String,
        /// What of its certificate is open.
        open: String,
    },
    /// An object of the source is corrupt in a way that stops a server or loses rows.
    #[error("the source is corrupt: {finding:#}; repair the source, or record it and go on")]
    CorruptSource {
        /// The object.
        key: Key,
        /// What is wrong, and the clause that it violates.
        finding: Box<Finding>,
    },
    /// The certificate did not close.
    #[error("the backup is not consistent after {passes} passes ({}): {}", certificate.summary(), halt.advice())]
    NotConsistent {
        /// How many passes ran.
        passes: u32,
        /// Why no further one was begun.
        halt: StopReason,
        /// What holds and what does not.
        certificate: Box<Certificate>,
    },

    /// A restore would write over data.
    #[error("target `{location}` is not empty ({found}): use an empty one, or a policy that says what to do with it")]
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
    TargetForeign {
        /// The target.
        location: String,
        /// Whose data is there.
        found: String,
        /// Whose data the backup holds.
        expected: String,
    },
    /// The target has nodes that the backup lacks.
    #[error("target `{location}` has nodes that the backup lacks ({}): say whether to keep or to delete them", nodes.join(", "))]
    ExtraNodes {
        /// The target.
        location: String,
        /// The nodes.
        nodes: Vec<String>,
    },
    /// Nobody stopped the servers of a target that holds data.
    #[error(
        "target `{location}` holds data and nobody says that its servers are stopped: give an orchestrator, or state it"
    )]
    ServersNotStopped {
        /// The target.
        location: String,
    },
    /// A server writes to the target while it is restored.
    #[error(
        "a server is writing to target `{location}` (`{key}` is not ours): stop it and resume; the boot guard stays"
    )]
    ServerRunning {
        /// The target.
        location: String,
        /// An object that the restore did not write.
        key: Key,
    },
    /// Source, target and repository lie inside one another.
    #[error("`{inner}` lies inside `{outer}`: they must not overlap")]
    Overlap {
        /// The inner location.
        inner: String,
        /// The outer location.
        outer: String,
    },
    /// Another restore was begun on this target.
    #[error("a restore of `{backup}` was begun on target `{location}`: resume or abandon it")]
    RestoreUnfinished {
        /// The target.
        location: String,
        /// The backup it restores.
        backup: String,
    },
    /// Another process restores to this target.
    #[error(
        "target `{location}` is being restored by {owner}, heard of {} s ago: wait, or take over once it is dead",
        silence.as_secs()
    )]
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
    PlanChanged {
        /// The target.
        location: String,
        /// What is not in the approved plan.
        changes: Vec<PlanChange>,
    },
    /// There is no restore to resume or abandon.
    #[error("no restore was begun on target `{location}`")]
    NoRestore {
        /// The target.
        location: String,
    },
    /// A restore that has overwritten or deleted data cannot be undone.
    #[error("the restore of `{backup}` on target `{location}` has already changed data: resume it")]
    CannotAbandon {
        /// The target.
        location: String,
        /// The backup it restores.
        backup: String,
    },
    /// Too little room at the target.
    #[error("`{location}` has room for {available} bytes, {needed} are needed")]
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
        "owner or mode of `{path}` cannot be set: run as root, name an owner that you may set, or leave them as they are"
    )]
    Ownership {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was restored is not what the backup holds; the boot guard stays.
    #[error("verification failed at {}: {reason}", key.as_ref().map_or_else(|| "the whole".to_owned(), |key| format!("`{key}`")))]
    VerifyFailed {
        /// The first object concerned.
        key: Option<Key>,
        /// What is wrong.
        reason: String,
    },
    /// The caller's orchestrator failed.
    #[error("node `{node}` could not be {action}: see the orchestrator's own error")]
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
    #[error("{operation} `{key}` in `{location}` failed: {advice}", advice = kind.advice())]
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
    #[error("`{key}` could not be copied: {}", error.advice())]
    Copy {
        /// The object.
        key: Key,
        /// Why.
        #[source]
        error: CopyError,
    },
    /// Cancelled by the caller.
    #[error("cancelled after {done} of {total} objects")]
    Cancelled {
        /// Objects finished.
        done: u64,
        /// Objects planned.
        total: u64,
    },
    /// A bug of this crate: a task of it panicked.
    #[error("internal failure in {task}: please report it")]
    Internal {
        /// Which task.
        task: &'static str,
        /// Why.
        #[source]
        source: Source,
    },
}

impl Error {
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
            Self::ClaimLost { .. } => "claim-lost",
            Self::BackupNotFound { .. } => "backup-not-found",
            Self::UnsupportedFormat { .. } => "unsupported-format",
            Self::DamagedBackup { .. } => "damaged-backup",
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

    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store { kind, .. } => kind.is_transient(),
            Self::BackupInProgress { .. } | Self::RestoreInProgress { .. } | Self::NotConsistent { .. } => true,
            _ => false,
        }
    }

    /// A backup, or the journal of one, that does not hold together at `object`.
    pub(crate) fn damaged(object: impl ToString, reason: impl Into<String>) -> Self {
        Self::DamagedBackup { object: object.to_string(), reason: reason.into() }
    }

    /// Wraps an error of a store with what was tried, where.
    pub(crate) fn store(
        operation: &'static str,
        key: impl ToString,
        location: impl ToString,
        source: object_store::Error,
    ) -> Self {
        Self::Store {
            operation,
            key: key.to_string(),
            location: location.to_string(),
            kind: StoreErrorKind::of(&source),
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
        Self::Store {
            operation,
            key: key.to_string(),
            location: location.to_string(),
            kind: StoreErrorKind::of_io(&source),
            source: Box::new(source),
        }
    }
}

/// Why a backup that is not consistent begins no further pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The passes or the time allowed are over.
    LimitReached,
    /// Nothing moves in the source, so that a further pass would find the same.
    NoProgress,
}

impl StopReason {
    const fn advice(self) -> &'static str {
        match self {
            Self::LimitReached => "allow more passes or time, back up at a quieter moment, or accept a degraded backup",
            Self::NoProgress => {
                "nothing moves there, more passes find the same: mend the source or accept a degraded backup"
            }
        }
    }
}
