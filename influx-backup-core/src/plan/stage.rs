//! [`Stage`] and [`CopyTask`]: what is copied between two barriers, as data.

use serde::{Deserialize, Serialize};

use super::{Relist, StageKind};
use crate::{
    copier::{Expect, Transfer, Transform},
    key::Key,
    layout::Component,
    location::{ObjectMeta, Version},
    named::named,
    units::total,
};

/// One object to copy: from a place, under a key of the stage's target.
///
/// It names no location: who runs the task resolves the [role](PlaceRole) of the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CopyTask {
    /// What is read. The copy is pinned to the version.
    pub from: Place,
    /// The key of the copy.
    pub to: Key,
    /// The content that is expected.
    pub expect: Expect,
    /// What is done to the bytes on the way.
    #[serde(default, skip_serializing_if = "Transform::is_none")]
    pub transform: Transform,
    /// How the object may be moved.
    pub transfer: Transfer,
    /// What kind of object it is.
    pub component: Component,
}

/// Where an object is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The location.
    pub role: PlaceRole,
    /// The key there.
    pub key: Key,
    /// The version there.
    pub version: Version,
}

/// The role of a location in a backup or a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PlaceRole {
    /// The location of the cluster that is backed up.
    Source,
    /// The backup.
    Backup,
    /// The repository, where objects lie that backups share.
    Shared,
}

named!(PlaceRole, "role of a location", {
    Source => "source",
    Backup => "backup",
    Shared => "shared",
});

impl CopyTask {
    /// Copies an object as it is, under the same key. Parquet and compacted files may be copied by the store itself;
    /// everything else is read.
    #[must_use]
    pub fn new(role: PlaceRole, object: ObjectMeta, component: Component) -> Self {
        Self {
            to: object.key.clone(),
            expect: Expect::size(object.size),
            from: Place { role, key: object.key, version: object.version },
            transform: Transform::None,
            transfer: if component.is_bulk() { Transfer::Any } else { Transfer::ReadThrough },
            component,
        }
    }

    /// Copies to another key.
    #[must_use]
    pub fn with_target(mut self, to: Key) -> Self {
        self.to = to;
        self
    }

    /// Expects this content.
    #[must_use]
    pub fn with_expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Pins the copy to this version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.from.version = version;
        self
    }

    /// The object that is read, as a listing of its location shows it.
    #[must_use]
    pub fn source(&self) -> ObjectMeta {
        ObjectMeta { key: self.from.key.clone(), size: self.expect.size, version: self.from.version.clone() }
    }
}

/// A set of copies with a barrier before and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stage {
    /// Which step.
    pub kind: StageKind,
    /// What to list again before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relist: Option<Relist>,
    tasks: Vec<CopyTask>,
}

impl Stage {
    /// A stage with these copies, before which `relist` is listed again.
    #[must_use]
    pub fn new(kind: StageKind, relist: Option<Relist>, tasks: impl IntoIterator<Item = CopyTask>) -> Self {
        Self { kind, relist, tasks: tasks.into_iter().collect() }
    }

    /// The copies, in any order among themselves.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = &CopyTask> {
        self.tasks.iter()
    }

    pub(crate) fn task(&self, index: usize) -> &CopyTask {
        &self.tasks[index]
    }

    /// Whether it copies nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many objects it copies.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.tasks.len() as u64
    }

    /// How many bytes of content it copies.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        total(self.tasks.iter().map(|task| task.expect.size))
    }

    /// The keys it writes.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.tasks.iter().map(|task| &task.to)
    }

    /// The stage in up to this many parts of about as many objects each, for workers that each copy one. What is listed again
    /// before the stage stays with whoever splits it.
    #[must_use]
    pub fn split(&self, parts: usize) -> Vec<Self> {
        let parts = parts.min(self.tasks.len());
        let tasks = |part| self.tasks.iter().skip(part).step_by(parts).cloned();
        (0..parts).map(|part| Self::new(self.kind, None, tasks(part))).collect()
    }

    /// The copies, to be changed one by one.
    pub(crate) fn into_tasks(self) -> impl Iterator<Item = CopyTask> {
        self.tasks.into_iter()
    }

    /// Keeps only these copies.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&CopyTask) -> bool) {
        self.tasks.retain(keep);
    }

    /// Leaves nothing to copy.
    pub(crate) fn clear(&mut self) {
        self.tasks.clear();
    }
}
