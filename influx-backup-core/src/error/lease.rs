//! [`LeaseSubject`]: what a lease is on.

use std::fmt;

/// What one process at a time may hold a lease on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseSubject {
    /// A backup that is being taken.
    #[non_exhaustive]
    Backup {
        /// Its name.
        name: String,
    },
    /// The target of a restore.
    #[non_exhaustive]
    Target {
        /// Where it is.
        location: String,
    },
}

impl fmt::Display for LeaseSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backup { name } => write!(f, "backup `{name}`"),
            Self::Target { location } => write!(f, "target `{location}`"),
        }
    }
}
