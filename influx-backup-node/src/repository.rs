//! [`Repository`]: a location that holds backups. Each of its verbs has a file of its own.

mod backup;
mod certify;
mod get;
mod leftovers;
mod list;
mod marker;
mod plan_backup;
mod plan_restore;
mod remove;
mod restore;
mod verify;

use influx_backup_core as core;
use napi_derive::napi;

use crate::location::Location;

/// A location that holds backups, each in a directory of its own. Its first verb looks whether it can be one.
#[napi]
#[derive(Debug)]
pub struct Repository(core::Repository);

#[napi]
impl Repository {
    /// The repository at a location, which is not contacted.
    #[napi(constructor)]
    pub fn new(location: &Location) -> Self {
        Self(core::Repository::at(location.0.clone()))
    }

    /// Where it is.
    #[napi(getter)]
    pub fn location(&self) -> Location {
        Location(self.0.location().clone())
    }
}
