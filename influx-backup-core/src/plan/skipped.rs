//! What a plan leaves out, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// Objects of one kind that a plan leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What: a directory or a kind, for a person.
    pub what: String,
    /// Why.
    pub reason: Reason,
    /// How many objects.
    pub objects: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, reason, objects, bytes } = self;
        let (reason, bytes) = (reason.text(), ByteSize(*bytes));
        match objects {
            0 => write!(f, "{what} ({reason})"),
            1 => write!(f, "{what}, 1 object, {bytes} ({reason})"),
            _ => write!(f, "{what}, {objects} objects, {bytes} ({reason})"),
        }
    }
}

/// Why something is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// InfluxDB makes it again.
    Derived,
    /// The caller left the node out.
    NodeExcluded,
    /// The backup has this version already.
    Held,
    /// The license is bound to another place.
    LicenseElsewhere,
    /// It belongs to no node and no cluster.
    Foreign,
}

impl Reason {
    /// The reason in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Derived => "derived: InfluxDB makes it again",
            Self::NodeExcluded => "node left out by the caller",
            Self::Held => "the backup has this version already",
            Self::LicenseElsewhere => "bound to another place: ask InfluxData support for a new license",
            Self::Foreign => "belongs to no node and no cluster",
        }
    }
}
