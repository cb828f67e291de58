//! [`Index`]: what a backup holds so far.

use std::collections::BTreeMap;

use crate::{
    key::Key,
    location::{ObjectMeta, ObjectTable},
    record::ObjectRecord,
    table::{Reader, Table},
};

/// How many changes are kept apart before the table is changed.
const CHANGES: usize = 1024;

/// What a backup holds so far, sorted by key.
#[derive(Debug, Default)]
pub(super) struct Index {
    records: Table<ObjectRecord>,
    /// What changed since: the object, or that it went.
    changes: BTreeMap<Key, Option<ObjectRecord>>,
}

impl Index {
    pub(super) fn insert(&mut self, record: ObjectRecord) {
        self.change(record.key.clone(), Some(record));
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.change(key, None);
    }

    /// Whether it has an object of this key.
    pub(super) fn has(&self, key: &Key) -> bool {
        match self.changes.get(key) {
            Some(changed) => changed.is_some(),
            None => self.records.get(key.as_str()).is_some(),
        }
    }

    fn change(&mut self, key: Key, record: Option<ObjectRecord>) {
        self.changes.insert(key, record);
        if self.changes.len() == CHANGES {
            self.records();
        }
    }

    /// Writes down in which versions these objects were found.
    pub(super) fn confirm(&mut self, found: ObjectTable) {
        self.records();
        self.records.edit(found.into_iter().map(|found| (found.key, found.version)), |record, version| {
            let mut record = record?;
            record.stored.version = Some(version);
            Some(record)
        });
    }

    /// Every object.
    pub(super) fn records(&mut self) -> &Table<ObjectRecord> {
        self.records.edit(std::mem::take(&mut self.changes), |_, record| record);
        &self.records
    }

    /// For asking what it holds of the objects of a listing.
    pub(super) fn reader(&mut self) -> IndexReader<'_> {
        IndexReader(self.records().reader())
    }
}

/// Looks up objects, quickly in the order of their keys.
pub(super) struct IndexReader<'a>(Reader<'a, ObjectRecord>);

impl IndexReader<'_> {
    /// Whether the backup has this version of an object of the source.
    pub(super) fn holds(&mut self, entry: &ObjectMeta) -> bool {
        let record = self.0.get(entry.key.as_str());
        record.is_some_and(|record| record.content.size == entry.size && record.version.is_same(&entry.version))
    }

    pub(super) fn get(&mut self, key: &Key) -> Option<&ObjectRecord> {
        self.0.get(key.as_str())
    }
}
