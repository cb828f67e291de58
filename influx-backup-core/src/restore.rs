//! [`restore`]: target, guard, stages, release.
//!
//! A restore that is killed at any moment leaves a tree that no server opens, unless it is what was there before,
//! untouched, or what the backup holds, whole.

mod apply;
mod copies;
mod directories;
pub(crate) mod guard;
mod journal;
mod lease;
mod options;
mod owner;
mod preflight;
mod report;
mod run;
mod target;
mod undo;
mod verify;

#[cfg(all(test, feature = "testing"))]
mod tests;

pub use self::{
    journal::{Changes, Phase, UnfinishedRestore},
    lease::LeaseHolder,
    options::{
        ExtraNodes, Licenses, OnCatalogMismatch, OnDegraded, OnUnfinished, Policy, RestoreOptions, ServersStopped,
        SourceCheck,
    },
    owner::{Account, Modes, Owner, Ownership},
    report::{AbandonReport, RestoreReport},
    run::{Restore, restore},
    target::{FoundRoot, Prefix, RootContent, Target},
    undo::{AbandonRequest, abandon},
};
pub use crate::lease::Takeover;
