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
    report::{AbandonReport, RestoreReport},
    run::{Restore, restore},
    target::{FoundRoot, Prefix, RootContent, Target},
    undo::abandon,
};
