//! [`Index`]: what a backup holds so far.

use std::collections::BTreeMap;

use crate::{
    judge::evidence::HeldObject,
    key::Key,
    location::ObjectMeta,
    record::{ObjectRecord, WrittenObject},
};

/// What a backup holds so far, sorted by key.
#[derive(Debug, Default)]
pub(super) struct Index(BTreeMap<Key, WrittenObject>);

impl Index {
    pub(super) const fn new(objects: BTreeMap<Key, WrittenObject>) -> Self {
        Self(objects)
    }

    /// Whether the backup has this version of an object of the source.
    pub(super) fn holds(&self, entry: &ObjectMeta) -> bool {
        let object = self.0.get(&entry.key);
        object.is_some_and(|WrittenObject { record, .. }| {
            record.size == entry.size && record.version.is_same(&entry.version)
        })
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut WrittenObject> {
        self.0.get_mut(key)
    }

    pub(super) fn insert(&mut self, object: WrittenObject) {
        self.0.insert(object.record.key.clone(), object);
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<WrittenObject> {
        self.0.remove(key)
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &WrittenObject> {
        self.0.values()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &ObjectRecord> {
        self.0.values().map(|object| &object.record)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    /// What the proof looks at.
    pub(super) fn held(&self) -> BTreeMap<Key, HeldObject> {
        let held = |record: &ObjectRecord| HeldObject {
            size: record.size,
            version: record.version.clone(),
            checked_by: Some(record.checked_by),
        };
        self.0.iter().map(|(key, object)| (key.clone(), held(&object.record))).collect()
    }
}
