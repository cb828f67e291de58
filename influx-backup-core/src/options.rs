//! Options: plain data that serde reads and writes.
//!
//! Missing fields have their defaults, unknown fields are refused, durations are texts such as `"90s"`, sizes are integers
//! or texts such as `"256MiB"`. Every enum has one set of names, the same in serde, `FromStr`, `Display` and on the
//! command line. What is not data (a [`Copier`](crate::Copier), an [`Orchestrator`](crate::Orchestrator)) is set on the
//! request.

mod backup;
mod owner;
mod restore;
#[cfg(test)]
mod tests;
mod verify;

use crate::named::named;

pub use self::{
    backup::{AbsenceTolerance, BackupOptions, Derived, OnCorrupt, OnExisting, OnViolation, Passes},
    owner::{Account, InvalidOwner, Modes, Owner, Ownership},
    restore::{
        ExtraNodes, Licenses, OnCatalogMismatch, OnDegraded, OnUnfinished, Policy, RestoreOptions, ServersStopped,
        SourceCheck,
    },
    verify::{VerifyLevel, VerifyOptions},
};

/// When a lease of another process may be taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Takeover {
    /// After ten minutes without a heartbeat, or where its holder gave it up.
    #[default]
    AfterTimeout,
    /// At once: the caller knows that the other process is no longer running.
    Immediately,
}

named!(Takeover, "takeover", { AfterTimeout => "after_timeout", Immediately => "immediately" });
