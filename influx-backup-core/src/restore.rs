//! [`Restore`]: target, guard, stages, release.
//!
//! A restore that is killed at any moment leaves a tree that no server opens, unless it is what was there before,
//! untouched, or what the backup holds, whole.

mod apply;
mod copies;
mod deletions;
mod directories;
mod guard;
mod inspect;
mod journal;
mod lease;
mod options;
mod owner;
mod preflight;
mod report;
mod request;
mod run;
mod undo;
mod verify;

#[cfg(all(test, feature = "testing"))]
mod tests;

pub(crate) use self::run::require_apart;
pub use self::{
    options::{
        ExtraNodes, Licenses, OnCatalogMismatch, OnDegraded, OnUnfinished, Policy, RestoreOptions, ServersStopped,
        SourceCheck,
    },
    owner::{Account, Modes, Owner, Ownership},
    report::{AbandonReport, RestoreReport},
    request::Restore,
    undo::{AbandonRequest, abandon},
};
pub use crate::lease::Takeover;
