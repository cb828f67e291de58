//! [`Progress`]: how far a job is, and what it is doing.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{named::named, plan::StageKind, units::ByteSize};

/// What a job is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It looks at what it was given, asks the stores, stops or starts servers.
    #[default]
    Preparing,
    /// It lists objects.
    Listing,
    /// It reads or compares objects.
    Checking,
    /// It copies objects.
    Copying,
    /// It deletes objects.
    Deleting,
    /// It waits until requests to a store that were not answered can no longer take effect: a minute at most.
    Waiting,
}

named!(Phase, "phase of a job", {
    Preparing => "preparing",
    Listing => "listing",
    Checking => "checking",
    Copying => "copying",
    Deleting => "deleting",
    Waiting => "waiting",
});

/// How far a job is, and what it is doing. Its counts only grow while it runs.
///
/// What counts as an object, and when the totals are known:
///
/// | job | objects and bytes | totals |
/// |---|---|---|
/// | backup | copied | grow with each pass |
/// | restore | compared before the first write, then copied | grow once both are planned |
/// | certify | read for the proof | known after the listing |
/// | verify | looked at: in the listing, for the proof, for checksums or bytes | grow with each of these |
/// | leftovers | directories of the repository; no bytes | known after the listing |
/// | remove | deleted | known after the listing |
/// | discover, list, plans | none, only `listed` grows | |
///
/// `Display` is one line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Progress {
    /// What the job is doing.
    pub phase: Phase,
    /// The pass of a backup, from 1.
    pub pass: Option<u32>,
    /// What is being copied.
    pub stage: Option<StageKind>,
    /// Milliseconds since the job was started, or from there to its end.
    pub elapsed_ms: u64,
    /// Objects listed so far: what grows before anything is planned. One that is listed again counts again.
    pub listed: u64,
    /// Objects finished.
    pub objects: u64,
    /// Bytes of objects that are finished or under way.
    pub bytes: u64,
    /// Objects planned so far.
    pub total_objects: u64,
    /// Bytes planned so far.
    pub total_bytes: u64,
    /// Objects that were listed and then gone before their copy.
    pub vanished: u64,
    /// Objects that changed between their listing and their copy.
    pub changed: u64,
    /// Attempts that failed and were repeated.
    pub retries: u64,
    /// Objects deleted.
    pub deleted: u64,
}

impl Progress {
    /// How much of what is planned so far is done, from 0 to 1: by bytes, or by objects where no bytes are counted. `None`
    /// while nothing is planned. It falls where more is planned.
    #[must_use]
    pub fn fraction(&self) -> Option<f64> {
        let (done, total) = match (self.total_bytes, self.total_objects) {
            (0, 0) => return None,
            (0, objects) => (self.objects, objects),
            (bytes, _) => (self.bytes, bytes),
        };
        #[allow(clippy::cast_precision_loss, reason = "it is a share")]
        Some((done as f64 / total as f64).min(1.0))
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pass) = self.pass {
            write!(f, "pass {pass}, ")?;
        }
        write!(f, "{}", self.phase)?;
        if let Some(stage) = self.stage {
            write!(f, " {}", stage.title())?;
        }
        match (self.fraction(), self.listed) {
            (Some(fraction), _) => {
                write!(f, ": {} of {} objects", self.objects, self.total_objects)?;
                if self.total_bytes > 0 {
                    write!(f, ", {} of {}", ByteSize(self.bytes), ByteSize(self.total_bytes))?;
                }
                write!(f, " ({:.0} %)", (fraction * 100.0).floor())?;
            }
            (None, 0) => {}
            (None, listed) => write!(f, ": {listed} objects listed")?,
        }
        write!(f, ", {:.1} s", Duration::from_millis(self.elapsed_ms).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_line_and_a_fraction() {
        let begun = Progress { elapsed_ms: 1250, ..Progress::default() };
        assert_eq!((begun.to_string().as_str(), begun.fraction()), ("preparing, 1.2 s", None));
        let listing = Progress { phase: Phase::Listing, listed: 7000, ..begun };
        assert_eq!((listing.to_string().as_str(), listing.fraction()), ("listing: 7000 objects listed, 1.2 s", None));
        let looked = Progress { phase: Phase::Checking, objects: 1, total_objects: 4, ..begun };
        assert_eq!(looked.to_string(), "checking: 1 of 4 objects (25 %), 1.2 s");
        assert_eq!(looked.fraction(), Some(0.25));
        let copying = Progress {
            phase: Phase::Copying,
            pass: Some(2),
            stage: Some(StageKind::Wal),
            bytes: 2047,
            total_bytes: 4096,
            ..looked
        };
        assert_eq!(copying.to_string(), "pass 2, copying wal: 1 of 4 objects, 2.0 KiB of 4.0 KiB (49 %), 1.2 s");
        assert_eq!(Progress { bytes: 5000, ..copying }.fraction(), Some(1.0), "an object grew while it was copied");
    }
}
