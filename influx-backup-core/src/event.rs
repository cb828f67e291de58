//! [`Event`]: what a job reports while it runs.

mod progress;
mod show;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::progress::{Phase, Progress};
use crate::{
    certificate::{Certificate, RecoveryPoint},
    error::ErrorReport,
    finding::Finding,
    key::Key,
    naming::Naming,
    plan::StageKind,
    record::PassReport,
    units::duration,
};

/// One event of a job: what happened, when, and as which event in a row.
///
/// As JSON it is one object: `{"seq": 1, "at": "2026-01-02T03:04:05Z", "event": "stage_started", …}`. The names are the same
/// in Rust, Python and Node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its number, from 1. The next event has the next number, except after [`EventKind::Lagged`].
    pub seq: u64,
    /// When it happened, by this machine's clock.
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened. `Display` is one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A pass of a backup begins.
    #[non_exhaustive]
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
    #[non_exhaustive]
    CheckStarted {
        /// How many objects.
        objects: u64,
        /// Their bytes: all of them are read, but for those that are compared by their store's checksums.
        bytes: u64,
    },
    /// A stage begins.
    #[non_exhaustive]
    StageStarted {
        /// Which one.
        stage: StageKind,
        /// Objects to copy.
        objects: u64,
        /// Bytes to copy.
        bytes: u64,
    },
    /// How far the job is. Sent ten times a second at most; one that is not read is replaced by the next.
    Progress(Progress),
    /// Events were dropped because nothing read them. They would have had this number and those after it: the next event has
    /// the number `seq + missed`.
    #[non_exhaustive]
    Lagged {
        /// How many.
        missed: u64,
    },
    /// A stage is over and, for files, on disk.
    #[non_exhaustive]
    StageFinished {
        /// Which one.
        stage: StageKind,
    },
    /// An object was listed and then gone before its copy. Sent only where object events are asked for.
    #[non_exhaustive]
    Vanished {
        /// The object.
        key: Key,
    },
    /// An object changed between its listing and its copy. Sent only where object events are asked for.
    #[non_exhaustive]
    Changed {
        /// The object.
        key: Key,
    },
    /// Something failed and is tried again. Sent only where object events are asked for.
    #[non_exhaustive]
    Retry {
        /// The object.
        key: Key,
        /// How many attempts failed so far.
        attempt: u32,
        /// How long it waits.
        #[serde(rename = "wait_ms", with = "duration::millis")]
        wait: Duration,
        /// What failed, with a stable code.
        code: String,
    },
    /// A pass of a backup is over.
    #[non_exhaustive]
    PassFinished {
        /// Its number.
        pass: u32,
        /// What it cost and found.
        report: PassReport,
    },
    /// The proof, as far as it holds.
    #[non_exhaustive]
    Certified {
        /// The certificate.
        certificate: Box<Certificate>,
    },
    /// Where each node can be recovered to.
    #[non_exhaustive]
    Recovery {
        /// One per node.
        points: Vec<RecoveryPoint>,
    },
    /// An object was deleted: trimmed from a backup, or from the target of a restore. Sent only where object events are asked for.
    #[non_exhaustive]
    Deleted {
        /// The object.
        key: Key,
    },
    /// The boot guard stands: no server starts on the target.
    GuardSet,
    /// The boot guard is gone: servers may start on the target.
    GuardReleased,
    /// A node was stopped by the orchestrator.
    #[non_exhaustive]
    NodeStopped {
        /// Its id.
        node: String,
    },
    /// A node was started by the orchestrator.
    #[non_exhaustive]
    NodeStarted {
        /// Its id.
        node: String,
    },
    /// Something was found, or the caller has to do something: see its severity.
    Finding(Finding),
    /// The last object is written: the backup counts.
    #[non_exhaustive]
    Committed {
        /// Its name.
        name: String,
    },
    /// The job has ended. Always the last event, also of a job that was cancelled or that panicked.
    #[non_exhaustive]
    Finished {
        /// Why it failed, together with what it had found; `None`: it did not.
        error: Option<Box<ErrorReport>>,
    },
}

impl Event {
    /// The same event, whose error names options like this, see [`ErrorReport::with_naming`].
    #[must_use]
    pub fn with_naming(mut self, naming: Naming) -> Self {
        if let EventKind::Finished { error: Some(error) } = self.kind {
            self.kind = EventKind::Finished { error: Some(Box::new(error.with_naming(naming))) };
        }
        self
    }
}

impl EventKind {
    /// Whether there may be one for every object. Such events are counted, and sent only where they are asked for.
    #[must_use]
    pub fn is_per_object(&self) -> bool {
        matches!(self, Self::Vanished { .. } | Self::Changed { .. } | Self::Retry { .. } | Self::Deleted { .. })
    }
}
