//! [`ObjectTable`]: the objects of a listing, sorted by key.

use std::{cmp::Reverse, iter::FusedIterator, slice, vec};

use serde::{Deserialize, Serialize};

use super::{ObjectMeta, Version};
use crate::{key::Key, units::total};

/// Objects, sorted by key, each once.
///
/// How it stores them is its own: it is built from objects, and read by key or by iterators of [views](ObjectView). Of an
/// object that is added twice the newest version counts. It serializes as a list of [`ObjectMeta`].
///
/// ```
/// # use influx_backup_core::{Key, location::{ObjectMeta, ObjectTable, Version}};
/// # let version = Version::new(std::time::SystemTime::UNIX_EPOCH.into());
/// let object = |key, size| Ok::<_, influx_backup_core::Error>(ObjectMeta::new(Key::parse(key)?, size, version.clone()));
/// let table: ObjectTable = [object("n/wal/2", 5)?, object("n/wal/1", 7)?].into_iter().collect();
///
/// assert_eq!(table.iter().map(|object| object.size).collect::<Vec<_>>(), [7, 5]);
/// assert_eq!((table.len(), table.bytes()), (2, 12));
/// assert!(table.get(&Key::parse("n/wal/3")?).is_none());
/// # Ok::<(), influx_backup_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ObjectMeta>")]
pub struct ObjectTable(Vec<ObjectMeta>);

impl ObjectTable {
    /// The objects, sorted by key.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// The object of this key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<ObjectView<'_>> {
        let at = self.0.binary_search_by(|object| object.key.cmp(key)).ok()?;
        self.0.get(at).map(ObjectView::from)
    }

    /// How many objects it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes the objects have together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        total(self.0.iter().map(|object| object.size))
    }

    /// The keys, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.iter().map(|object| &object.key)
    }

    /// The objects as they are stored, for readers that keep references to them.
    pub(crate) fn as_slice(&self) -> &[ObjectMeta] {
        &self.0
    }

    /// Drops the objects that `keep` refuses.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&ObjectMeta) -> bool) {
        self.0.retain(keep);
    }
}

impl From<Vec<ObjectMeta>> for ObjectTable {
    fn from(mut objects: Vec<ObjectMeta>) -> Self {
        objects.sort_by(|a, b| (&a.key, Reverse(a.version.modified)).cmp(&(&b.key, Reverse(b.version.modified))));
        objects.dedup_by(|later, first| later.key == first.key);
        Self(objects)
    }
}

impl FromIterator<ObjectMeta> for ObjectTable {
    fn from_iter<I: IntoIterator<Item = ObjectMeta>>(objects: I) -> Self {
        Self::from(Vec::from_iter(objects))
    }
}

/// One object of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectView<'a> {
    /// Its key, relative to the location.
    pub key: &'a Key,
    /// Its length in bytes.
    pub size: u64,
    /// Which version of it.
    pub version: &'a Version,
}

impl ObjectView<'_> {
    /// Whether both are one version of one object.
    #[must_use]
    pub fn is_same(self, other: ObjectView<'_>) -> bool {
        self.key == other.key && self.size == other.size && self.version.is_same(other.version)
    }
}

impl<'a> From<&'a ObjectMeta> for ObjectView<'a> {
    fn from(ObjectMeta { key, size, version }: &'a ObjectMeta) -> Self {
        Self { key, size: *size, version }
    }
}

impl From<ObjectView<'_>> for ObjectMeta {
    fn from(ObjectView { key, size, version }: ObjectView<'_>) -> Self {
        Self::new(key.clone(), size, version.clone())
    }
}

/// The objects of a table, in the order of their keys: [`ObjectTable::iter`].
#[derive(Debug, Clone)]
pub struct Iter<'a>(slice::Iter<'a, ObjectMeta>);

impl<'a> Iterator for Iter<'a> {
    type Item = ObjectView<'a>;

    fn next(&mut self) -> Option<ObjectView<'a>> {
        self.0.next().map(ObjectView::from)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a ObjectTable {
    type Item = ObjectView<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The objects of a table that is used up, in the order of their keys.
#[derive(Debug)]
pub struct IntoIter(vec::IntoIter<ObjectMeta>);

impl Iterator for IntoIter {
    type Item = ObjectMeta;

    fn next(&mut self) -> Option<ObjectMeta> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for IntoIter {}
impl FusedIterator for IntoIter {}

impl IntoIterator for ObjectTable {
    type Item = ObjectMeta;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self.0.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::*;
    use crate::location::Version;

    fn objects(of: &[(&str, u64, i64)]) -> Vec<ObjectMeta> {
        let now = Utc::now();
        let object = |(key, size, age): &(&str, u64, i64)| ObjectMeta {
            key: Key::parse(key).expect("a key"),
            size: *size,
            version: Version::new(now - TimeDelta::seconds(*age)),
        };
        of.iter().map(object).collect()
    }

    #[test]
    fn of_a_key_that_is_added_twice_the_newest_version_counts() {
        for order in [[("b", 1, 9), ("a", 1, 9), ("a", 2, 0)], [("a", 2, 0), ("a", 1, 9), ("b", 1, 9)]] {
            let table = ObjectTable::from(objects(&order));
            let found: Vec<_> = table.iter().map(|object| (object.key.to_string(), object.size)).collect();
            assert_eq!(found, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
        }
    }

    #[test]
    fn objects_are_found_by_key() {
        let table = ObjectTable::from(objects(&[("c", 3, 0), ("a", 1, 0)]));
        let size = |key| table.get(&Key::parse(key).expect("a key")).map(|object| object.size);
        assert_eq!(["a", "b", "c"].map(size), [Some(1), None, Some(3)]);
    }

    #[test]
    fn a_list_that_is_read_is_sorted() {
        let unsorted = objects(&[("b", 1, 0), ("a", 1, 0)]);
        let text = serde_json::to_string(&unsorted).expect("serializes");
        let table: ObjectTable = serde_json::from_str(&text).expect("reads");
        assert_eq!(table, ObjectTable::from(unsorted.clone()));
        assert_eq!(table.iter().len(), 2);
        let sorted: Vec<ObjectMeta> = unsorted.into_iter().rev().collect();
        assert_eq!(
            serde_json::to_value(&table).expect("serializes"),
            serde_json::to_value(&sorted).expect("serializes")
        );
    }
}
