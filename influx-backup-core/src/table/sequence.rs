//! [`Sequence`]: rows in the order in which they came, packed as those of a table.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{IntoIter, Iter, LARGEST, Row, Table, each_run};

/// Rows in the order in which they came. It has the blocks of a table, and looks nothing up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sequence<R: Row>(Table<R>);

impl<R: Row> Sequence<R> {
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> Iter<'_, R> {
        self.0.iter()
    }

    /// Drops the rows that `keep` refuses.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&R) -> bool) {
        *self = std::mem::take(self).into_iter().filter(keep).collect();
    }
}

/// Makes a sequence of rows that come one by one.
pub(crate) struct SequenceBuilder<R> {
    packed: Table<R>,
    run: Vec<R>,
}

impl<R: Row> SequenceBuilder<R> {
    pub(crate) fn push(&mut self, row: R) {
        self.run.push(row);
        if self.run.len() == LARGEST {
            self.packed.push_all(&self.run);
            self.run.clear();
        }
    }

    pub(crate) fn finish(mut self) -> Sequence<R> {
        self.packed.push_all(&self.run);
        Sequence(self.packed)
    }
}

impl<R: Row> Default for Sequence<R> {
    fn default() -> Self {
        Self(Table::new())
    }
}

impl<R> Default for SequenceBuilder<R> {
    fn default() -> Self {
        Self { packed: Table::default(), run: Vec::new() }
    }
}

impl<R: Row> FromIterator<R> for Sequence<R> {
    fn from_iter<I: IntoIterator<Item = R>>(rows: I) -> Self {
        let mut builder = SequenceBuilder::default();
        rows.into_iter().for_each(|row| builder.push(row));
        builder.finish()
    }
}

impl<R: Row> IntoIterator for Sequence<R> {
    type Item = R;
    type IntoIter = IntoIter<R>;

    fn into_iter(self) -> IntoIter<R> {
        self.0.into_iter()
    }
}

impl<R: Row + Serialize> Serialize for Sequence<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, R: Row + Deserialize<'de>> Deserialize<'de> for Sequence<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut builder = SequenceBuilder::default();
        each_run(deserializer, |run: Vec<R>| run.into_iter().for_each(|row| builder.push(row)))?;
        Ok(builder.finish())
    }
}
