//! [`Event`]: what a caller is told while something runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    certificate::{Certificate, RecoveryPoint},
    key::Key,
    plan::StageKind,
    record::PassReport,
    units::duration,
};

/// What happened. One stream of these comes with every [`Job`]; the names are the same in Rust, Python and Node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A pass of a backup begins.
    PassStarted {
        /// Its number, from 1.
        pass: u32,
        /// Objects listed in the source.
        listed: u64,
        /// Objects to copy.
        objects: u64,
        /// Bytes to copy.
        bytes: u64,
    },
    /// A restore begins to compare objects of its backup, before it writes anything.
    CheckStarted {
        /// How many objects.
        objects: u64,
        /// Their bytes: all of them are read, but for those that are compared by their store's checksums.
        bytes: u64,
    },
    /// A stage begins.
    StageStarted {
        /// Which one.
        stage: StageKind,
        /// Objects to copy.
        objects: u64,
        /// Bytes to copy.
        bytes: u64,
    },
    /// How far the run is; sent some ten times a second at most.
    Progress {
        /// Objects finished.
        objects: u64,
        /// Bytes moved.
        bytes: u64,
        /// Objects planned so far.
        total_objects: u64,
        /// Bytes planned so far.
        total_bytes: u64,
    },
    /// A stage is over and, for files, on disk.
    StageFinished {
        /// Which one.
        stage: StageKind,
    },
    /// An object was listed and then gone before its copy.
    Vanished {
        /// The object.
        key: Key,
    },
    /// An object changed between its listing and its copy.
    Changed {
        /// The object.
        key: Key,
    },
    /// Something failed and is tried again.
    Retry {
        /// The object.
        key: Key,
        /// How many attempts failed so far.
        attempt: u32,
        /// How long it waits.
        #[serde(with = "duration")]
        wait: Duration,
        /// What failed, with a stable code.
        code: String,
    },
    /// A pass of a backup is over.
    PassFinished {
        /// Its number.
        pass: u32,
        /// What it cost and found.
        report: PassReport,
    },
    /// The proof, as far as it holds.
    Certified {
        /// The certificate.
        certificate: Box<Certificate>,
    },
    /// Where each node can be recovered to.
    Recovery {
        /// One per node.
        points: Vec<RecoveryPoint>,
    },
    /// An object was deleted: trimmed from a backup, or from the target of a restore.
    Deleted {
        /// The object.
        key: Key,
    },
    /// The boot guard stands: no server starts on the target.
    GuardSet,
    /// The boot guard is gone: servers may start on the target.
    GuardReleased,
    /// A node was stopped by the orchestrator.
    NodeStopped {
        /// Its id.
        node: String,
    },
    /// A node was started by the orchestrator.
    NodeStarted {
        /// Its id.
        node: String,
    },
    /// The caller has to do something.
    Todo {
        /// A stable code.
        code: String,
        /// What to do.
        message: String,
    },
    /// Something worth saying.
    Finding {
        /// A stable code.
        code: String,
        /// What was found.
        message: String,
    },
    /// The last object is written: the backup counts.
    Committed {
        /// Its name.
        name: String,
    },
}
