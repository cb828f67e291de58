//! [`Stage`] and [`CopyTask`]: what is copied between two barriers, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Relist, StageKind};
use crate::{
    copier::{Expect, Transfer, Transform},
    error::Result,
    key::Key,
    layout::Component,
    location::{Attributes, ObjectMeta, Version},
    named::named,
    table::{Sequence, SequenceBuilder},
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
    /// Metadata for the copy; `None`: what the store of the source returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
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
            attributes: None,
        }
    }

    /// Gives the copy this metadata.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = Some(attributes);
        self
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
    tasks: Sequence<CopyTask>,
}

impl Stage {
    /// A stage with these copies, before which `relist` is listed again.
    #[must_use]
    pub fn new(kind: StageKind, relist: Option<Relist>, tasks: impl IntoIterator<Item = CopyTask>) -> Self {
        Self { kind, relist, tasks: tasks.into_iter().collect() }
    }

    /// A stage with these copies, unless one of them is an error.
    pub(crate) fn try_new(
        kind: StageKind,
        relist: Option<Relist>,
        tasks: impl Iterator<Item = Result<CopyTask>>,
    ) -> Result<Self> {
        let mut builder = SequenceBuilder::default();
        for task in tasks {
            builder.push(task?);
        }
        Ok(Self { kind, relist, tasks: builder.finish() })
    }

    /// The copies, in the order in which they are begun.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = CopyTask> {
        self.tasks.iter()
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
        total(self.tasks().map(|task| task.expect.size))
    }

    /// The keys it writes.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.tasks().map(|task| task.to)
    }

    /// The stage in up to this many parts of about as many objects each, for workers that each copy one. What is listed again
    /// before the stage stays with whoever splits it.
    #[must_use]
    pub fn split(&self, parts: usize) -> Vec<Self> {
        let parts = parts.min(self.tasks.len());
        let mut tasks: Vec<_> = (0..parts).map(|_| SequenceBuilder::default()).collect();
        self.tasks().enumerate().for_each(|(at, task)| tasks[at % parts].push(task));
        let part = |tasks: SequenceBuilder<_>| Self { kind: self.kind, relist: None, tasks: tasks.finish() };
        tasks.into_iter().map(part).collect()
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
        self.tasks = Sequence::default();
    }
}

/// The copies of a plan that is being made, stage by stage.
#[derive(Default)]
pub(super) struct StageTasks(BTreeMap<StageKind, SequenceBuilder<CopyTask>>);

impl StageTasks {
    pub(super) fn add(&mut self, stage: StageKind, task: CopyTask) {
        self.0.entry(stage).or_default().push(task);
    }

    /// The stages of this order, with what is listed again before each.
    pub(super) fn in_order(mut self, order: &[StageKind], relist: impl Fn(StageKind) -> Option<Relist>) -> Vec<Stage> {
        let stage = |kind: &StageKind| {
            let tasks = self.0.remove(kind).map(SequenceBuilder::finish).unwrap_or_default();
            Stage { kind: *kind, relist: relist(*kind), tasks }
        };
        order.iter().map(stage).collect()
    }
}
