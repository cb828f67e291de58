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
mod preflight;
mod report;
mod request;
mod run;
mod show;
mod undo;
mod verify;

#[cfg(all(test, feature = "testing"))]
mod tests;

#[cfg(feature = "testing")]
pub(crate) use self::journal::{Finished, RestoreJournal};
pub(crate) use self::request::plan_restore;
pub use self::{
    report::{AbandonReport, RestoreReport},
    request::Restore,
    undo::abandon,
};
