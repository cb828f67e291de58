//! [`Places`]: the locations behind the roles of a plan.

use std::collections::BTreeMap;

use crate::{
    copier::CopyRequest,
    error::{CopyError, CopySide, Error, Result},
    location::Location,
    plan::{CopyTask, PlaceRole},
};

/// The locations that a stage reads, by role, and the one that it writes.
#[derive(Debug, Clone)]
pub struct Places {
    roles: BTreeMap<PlaceRole, Location>,
    target: Location,
}

impl Places {
    /// Writes to this location.
    #[must_use]
    pub fn new(target: Location) -> Self {
        Self { roles: BTreeMap::new(), target }
    }

    /// Reads what a task takes from `role` at this location.
    #[must_use]
    pub fn with(mut self, role: PlaceRole, location: Location) -> Self {
        self.roles.insert(role, location);
        self
    }

    /// The location that is written.
    #[must_use]
    pub fn target(&self) -> &Location {
        &self.target
    }

    /// The location of a role.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where the role has none.
    pub fn get(&self, role: PlaceRole) -> Result<&Location> {
        self.roles.get(&role).ok_or_else(|| Error::InvalidRequest {
            option: "places",
            reason: format!("no location was given for the role `{}`", role.as_str()),
        })
    }

    /// The location that the error of a task is about, where that is known.
    pub(super) fn location(&self, task: &CopyTask, error: &CopyError) -> Option<&Location> {
        match error.side()? {
            CopySide::Source => self.roles.get(&task.from.role),
            CopySide::Target => Some(&self.target),
        }
    }

    /// Whether a task copies a file to a file.
    pub(super) fn are_files(&self, task: &CopyTask) -> bool {
        let from = self.roles.get(&task.from.role);
        self.target.directory().is_some() && from.is_some_and(|from| from.directory().is_some())
    }

    /// The request that a task stands for.
    pub(super) fn request(&self, task: &CopyTask) -> Result<CopyRequest> {
        let from = self.get(task.from.role)?.clone();
        let request = CopyRequest::new(from, task.source(), self.target.clone())
            .with_target(task.to.clone())
            .with_expect(task.expect)
            .with_transform(task.transform)
            .with_transfer(task.transfer);
        Ok(CopyRequest { attributes: task.attributes.clone(), ..request })
    }
}
