//! What a caller sees while something runs: [`Job`], [`Event`], and sizes as a type.

mod job;

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::job::Job;
pub(crate) use self::job::{Events, Task, spawn};
use crate::{
    certificate::{Certificate, RecoveryPoint},
    key::Key,
    plan::StageKind,
};

/// A number of bytes. Prints as `1.5 GiB`; reads `1536`, `64 MiB`, `1.5GiB`, `2 GB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// This many mebibytes.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut unit = 0;
        #[allow(clippy::cast_precision_loss)]
        let mut value = self.0 as f64;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let text = if unit == 0 { format!("{} B", self.0) } else { format!("{value:.1} {}", UNITS[unit]) };
        f.pad(&text)
    }
}

impl FromStr for ByteSize {
    type Err = crate::error::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1024.0 * 1024.0,
            "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
            "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            _ => f64::NAN,
        };
        let bytes = number.parse::<f64>().unwrap_or(f64::NAN) * factor;
        if bytes.is_finite() && bytes >= 0.0 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            return Ok(Self(bytes as u64));
        }
        let reason = format!("`{text}` is no size: write 64 MiB, 1.5 GiB, 2 GB or a number of bytes");
        Err(crate::error::Error::InvalidOption { option: "size".to_owned(), reason })
    }
}

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

/// What one pass cost and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassReport {
    /// Objects listed.
    pub listed: u64,
    /// Objects copied.
    pub copied: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// Objects copied, by the copier that did it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copiers: BTreeMap<String, u64>,
    /// Objects that another copier did because the store refused to copy them by itself, by the copier that had asked it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
    /// Objects listed and gone before their copy.
    pub vanished: u64,
    /// Objects that changed between listing and copy.
    pub changed: u64,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Clauses that did not hold after it.
    pub open_clauses: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed() {
        for (text, bytes) in
            [("0", 0), ("1536", 1536), ("64 MiB", 64 << 20), ("1.5GiB", 3 << 29), ("2 GB", 2_000_000_000)]
        {
            assert_eq!(text.parse::<ByteSize>().expect(text), ByteSize(bytes));
        }
        assert!("many".parse::<ByteSize>().is_err() && "-1".parse::<ByteSize>().is_err());
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
        assert_eq!(format!("{:>8}", ByteSize(7)), "     7 B");
    }
}
