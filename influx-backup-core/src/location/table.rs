//! [`ObjectTable`]: the objects of a listing, sorted by key.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ObjectMeta;
use crate::{
    key::Key,
    table::{self, Builder, Reader, Table},
    units::total,
};

/// Objects, sorted by key, each once, in some 40 bytes each.
///
/// How it stores them is its own: it is built from objects, and gives them again one after the other. Of an object that is added
/// twice the newest version counts. It serializes as a list of [`ObjectMeta`].
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectTable(Table<ObjectMeta>);

impl ObjectTable {
    /// The objects, sorted by key.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// The object of this key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<ObjectMeta> {
        self.0.get(key.as_str())
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
        total(self.iter().map(|object| object.size))
    }

    /// For adding objects one by one.
    pub(super) const fn builder() -> Builder<ObjectMeta> {
        Builder::new(newest)
    }

    /// For looking up many keys in their order.
    pub(crate) fn reader(&self) -> Reader<'_, ObjectMeta> {
        self.0.reader()
    }

    /// The objects whose keys begin with a prefix.
    pub(crate) fn below(&self, prefix: &str) -> impl Iterator<Item = ObjectMeta> + use<'_> {
        self.0.below(prefix)
    }

    /// Shares the memory of what both have in common.
    pub(crate) fn share(&mut self, other: &Self) {
        self.0.share(&other.0);
    }

    /// Drops the objects that `keep` refuses.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&ObjectMeta) -> bool) {
        self.0.retain(keep);
    }
}

fn newest(a: ObjectMeta, b: ObjectMeta) -> ObjectMeta {
    if b.version.modified > a.version.modified { b } else { a }
}

impl Extend<ObjectMeta> for ObjectTable {
    fn extend<I: IntoIterator<Item = ObjectMeta>>(&mut self, objects: I) {
        self.0.add(objects, newest);
    }
}

impl FromIterator<ObjectMeta> for ObjectTable {
    fn from_iter<I: IntoIterator<Item = ObjectMeta>>(objects: I) -> Self {
        let mut table = Self::default();
        table.extend(objects);
        table
    }
}

impl From<Builder<ObjectMeta>> for ObjectTable {
    fn from(builder: Builder<ObjectMeta>) -> Self {
        Self(builder.finish())
    }
}

impl From<Vec<ObjectMeta>> for ObjectTable {
    fn from(objects: Vec<ObjectMeta>) -> Self {
        objects.into_iter().collect()
    }
}

impl Serialize for ObjectTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ObjectTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut objects = Self::default();
        table::each_run(deserializer, |run: Vec<ObjectMeta>| objects.extend(run))?;
        Ok(objects)
    }
}

/// The objects of a table, in the order of their keys: [`ObjectTable::iter`].
pub struct Iter<'a>(table::Iter<'a, ObjectMeta>);

/// The objects of a table that is used up, in the order of their keys.
pub struct IntoIter(table::IntoIter<ObjectMeta>);

/// Iterates as what it wraps does.
macro_rules! iterates {
    ($name:ident $(<$life:lifetime>)?) => {
        impl Iterator for $name $(<$life>)? {
            type Item = ObjectMeta;

            fn next(&mut self) -> Option<ObjectMeta> {
                self.0.next()
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl ExactSizeIterator for $name $(<$life>)? {}

        impl fmt::Debug for $name $(<$life>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("left", &self.0.len()).finish()
            }
        }
    };
}

iterates!(Iter<'_>);
iterates!(IntoIter);

impl<'a> IntoIterator for &'a ObjectTable {
    type Item = ObjectMeta;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

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
