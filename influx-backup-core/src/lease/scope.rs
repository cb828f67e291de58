//! [`LeaseScope`]: what a lease is on, where it lies, and the errors that name it.

use std::time::Duration;

use super::state::{LeaseState, name, own_name};
use crate::{
    error::{Error, LeaseSubject, Result},
    key::Key,
    layout::OWN_DIRECTORY,
    location::Location,
};

/// What one process at a time may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseScope {
    /// The backup of this name, to write it.
    Backup(String),
    /// A target, to restore to it.
    Target,
}

impl LeaseScope {
    pub(super) fn directory(&self) -> String {
        match self {
            Self::Backup(_) => OWN_DIRECTORY.to_owned(),
            Self::Target => format!("{OWN_DIRECTORY}/restore"),
        }
    }

    pub(super) fn key(&self, number: u64) -> Result<Key> {
        Ok(Key::parse(format!("{}/{}", self.directory(), name(number)))?)
    }

    /// The key of a lease that only this owner writes.
    pub(super) fn own_key(&self, number: u64, owner: &str) -> Result<Key> {
        Ok(Key::parse(format!("{}/{}", self.directory(), own_name(number, owner)))?)
    }

    /// What errors name.
    pub(super) fn subject(&self, location: &Location) -> LeaseSubject {
        match self {
            Self::Backup(name) => LeaseSubject::Backup { name: name.clone() },
            Self::Target => LeaseSubject::Target { location: location.to_string() },
        }
    }

    /// The error that another process holds it.
    pub(crate) fn held(&self, location: &Location, holder: Option<&LeaseState>) -> Error {
        let (owner, silence) = match holder {
            Some(state) => (state.file.to_string(), state.silence),
            None => ("another process".to_owned(), Duration::ZERO),
        };
        match self {
            Self::Backup(name) => Error::BackupInProgress { name: name.clone(), owner, silence },
            Self::Target => Error::RestoreInProgress { location: location.to_string(), owner, silence },
        }
    }

    /// The error that another process took it over.
    pub(super) fn taken_over(&self, location: &Location, holder: Option<&LeaseState>) -> Error {
        let owner = holder.map_or_else(|| "a process that has ended since".to_owned(), |state| state.file.to_string());
        Error::LeaseLost { lease: self.subject(location), owner }
    }
}
