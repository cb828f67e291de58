//! [`Index`]: what a backup holds so far.

use std::collections::BTreeMap;

use crate::{judge::evidence::HeldObject, key::Key, location::ObjectView, record::ObjectRecord};

/// What a backup holds so far, sorted by key.
#[derive(Debug, Default)]
pub(super) struct Index(BTreeMap<Key, ObjectRecord>);

impl Index {
    pub(super) const fn new(records: BTreeMap<Key, ObjectRecord>) -> Self {
        Self(records)
    }

    /// Whether the backup has this version of an object of the source.
    pub(super) fn holds(&self, entry: ObjectView<'_>) -> bool {
        let record = self.0.get(entry.key);
        record.is_some_and(|record| record.content.size == entry.size && record.version.is_same(entry.version))
    }

    pub(super) fn get(&self, key: &Key) -> Option<&ObjectRecord> {
        self.0.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut ObjectRecord> {
        self.0.get_mut(key)
    }

    pub(super) fn insert(&mut self, record: ObjectRecord) {
        self.0.insert(record.key.clone(), record);
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<ObjectRecord> {
        self.0.remove(key)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &ObjectRecord> {
        self.0.values()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    /// What the proof looks at.
    pub(super) fn held(&self) -> BTreeMap<Key, HeldObject> {
        let held = |record: &ObjectRecord| HeldObject {
            size: record.content.size,
            version: record.version.clone(),
            checked_by: Some(record.checked_by),
        };
        self.0.iter().map(|(key, record)| (key.clone(), held(record))).collect()
    }
}
