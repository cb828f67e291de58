//! Options: plain data that serde reads and writes.
//!
//! Missing fields have their defaults, unknown fields are refused, options that contradict each other are refused by
//! `check` before anything is done. Durations are texts such as `"90s"`, sizes are integers
//! or texts such as `"256MiB"`. Every enum has one set of names, the same in serde, `FromStr`, `Display` and on the
//! command line. What is not data (a [`Copier`](crate::Copier), an [`Orchestrator`](crate::Orchestrator)) is set on the
//! request.

mod abandon;
mod backup;
mod certify;
mod given;
mod list;
mod owner;
mod restore;
mod restore_run;
mod secret;
#[cfg(test)]
mod tests;
mod verify;
mod vouch;

use std::time::Duration;

use crate::named::named;

pub(crate) use self::vouch::Vouch;
pub use self::{
    abandon::AbandonOptions,
    backup::{
        AbsenceTolerance, BackupOptions, ContentDigest, Derived, OnCorrupt, OnExisting, OnUnreadable, OnViolation,
        Passes,
    },
    certify::CertifyOptions,
    given::GivenOptions,
    list::ListOptions,
    owner::{Account, InvalidOwner, Modes, Owner, Ownership},
    restore::{
        ExtraNodes, Licenses, LinkedDirectories, OnCatalogMismatch, OnDegraded, Policy, RestoreOptions, SourceCheck,
    },
    restore_run::{OnUnfinished, RestoreRunOptions, ServersStopped},
    secret::Secret,
    verify::{VerifyLevel, VerifyOptions},
};
pub use crate::naming::Naming;

/// How long a server may take to stop, unless an option says otherwise.
const STOP_TIMEOUT: Duration = Duration::from_secs(600);

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
