//! [`PlanChange`]: what a restore would do beyond the plan that was approved.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::naming::visible;

/// Things of one kind that a restore would do and that are not in the plan that was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanChange {
    /// What kind.
    pub kind: PlanChangeKind,
    /// How many.
    pub count: u64,
    /// The first few of them: keys, nodes, or the value that differs.
    pub examples: Vec<String>,
}

impl PlanChange {
    /// A change.
    #[must_use]
    pub fn new(kind: PlanChangeKind, count: u64, examples: Vec<String>) -> Self {
        Self { kind, count, examples }
    }
}

/// In what a plan goes beyond the approved one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlanChangeKind {
    /// Another backup is restored.
    Backup,
    /// It is restored to another place.
    Target,
    /// Another policy holds.
    Policy,
    /// Other options hold, such as the owners of files or how much of the backup is checked.
    Options,
    /// More objects are deleted.
    Delete,
    /// More objects are overwritten.
    Overwrite,
    /// More objects are copied.
    Copy,
    /// The boot guard stands at more root paths.
    Guard,
    /// Other steps release the boot guard.
    Release,
    /// More nodes are stopped.
    Stop,
    /// More nodes are started.
    Start,
    /// The hash differs: the plan itself is needed to say in what.
    Hash,
}

named!(PlanChangeKind, "kind of change", {
    Backup => "backup",
    Target => "target",
    Policy => "policy",
    Options => "options",
    Delete => "delete",
    Overwrite => "overwrite",
    Copy => "copy",
    Guard => "guard",
    Release => "release",
    Stop => "stop",
    Start => "start",
    Hash => "hash",
});

impl PlanChangeKind {
    const fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Backup => ("another backup", ""),
            Self::Target => ("another target", ""),
            Self::Policy => ("another policy", ""),
            Self::Options => ("other options", ""),
            Self::Delete => ("deletions", "deletion"),
            Self::Overwrite => ("overwritten objects", "overwritten object"),
            Self::Copy => ("copies", "copy"),
            Self::Guard => ("boot guards", "boot guard"),
            Self::Release => ("release steps", "release step"),
            Self::Stop => ("nodes to stop", "node to stop"),
            Self::Start => ("nodes to start", "node to start"),
            Self::Hash => ("another hash", ""),
        }
    }
}

impl fmt::Display for PlanChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (many, one) = self.kind.text();
        match (one, self.count) {
            ("", _) => write!(f, "{many}")?,
            (one, 1) => write!(f, "1 new {one}")?,
            (_, count) => write!(f, "{count} new {many}")?,
        }
        let more = if self.count > self.examples.len() as u64 { ", …" } else { "" };
        write!(f, " ({}{more})", visible(self.examples.join(", ")))
    }
}

/// Several changes as one text.
pub(super) fn listed(changes: &[PlanChange]) -> String {
    changes.iter().map(PlanChange::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_and_the_first_are_named() {
        let examples = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let changes = [
            PlanChange::new(PlanChangeKind::Delete, 1, examples(&["n1/wal/7.wal"])),
            PlanChange::new(PlanChangeKind::Copy, 9, examples(&["a", "b"])),
            PlanChange::new(PlanChangeKind::Policy, 1, examples(&["Replace"])),
        ];
        assert_eq!(listed(&changes), "1 new deletion (n1/wal/7.wal); 9 new copies (a, b, …); another policy (Replace)");
    }
}
