//! [`Held`]: what a tree holds, as the judges see it.

use crate::{
    certificate::CheckedBy,
    key::Key,
    location::{ObjectMeta, ObjectTable, Version},
    record::ObjectRecord,
    table::{Keyed, Packer, Reader, Row, Table, Unpacker, join},
};

/// One object that a tree holds.
#[derive(Debug, Clone)]
pub(crate) struct HeldObject {
    pub(crate) key: Key,
    pub(crate) size: u64,
    pub(crate) version: Version,
    /// What its copy was compared by; `None` where it is not recorded.
    pub(crate) checked_by: Option<CheckedBy>,
}

/// What a tree holds: what it is said to hold, but for what is otherwise.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    said: Said<'a>,
    changed: Table<Change>,
}

/// Who says what a tree holds.
#[derive(Debug, Clone, Copy)]
enum Said<'a> {
    Records(&'a Table<ObjectRecord>),
    Listing(&'a ObjectTable),
}

/// An object that is missing, or has another size.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) key: Key,
    /// Its size; `None` where it is not there.
    pub(crate) size: Option<u64>,
}

impl<'a> Held<'a> {
    pub(crate) const fn recorded(records: &'a Table<ObjectRecord>) -> Self {
        Self { said: Said::Records(records), changed: Table::new() }
    }

    pub(crate) const fn listed(listing: &'a ObjectTable) -> Self {
        Self { said: Said::Listing(listing), changed: Table::new() }
    }

    /// The same, but for these objects.
    pub(crate) fn but(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.changed.extend(changes);
    }

    /// The same without these objects.
    pub(crate) fn without(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.but(keys.into_iter().map(|key| Change { key, size: None }));
    }

    /// For looking up objects, quickly in the order of their keys.
    pub(crate) fn reader(&self) -> HeldReader<'_> {
        let said = match self.said {
            Said::Records(records) => SaidReader::Records(records.reader()),
            Said::Listing(listing) => SaidReader::Listing(listing.reader()),
        };
        HeldReader { said, changed: self.changed.reader() }
    }

    /// The object of this key.
    pub(crate) fn get(&self, key: &str) -> Option<HeldObject> {
        self.reader().get(key)
    }

    /// Every object, sorted by key.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = HeldObject> + Send + '_> {
        self.below("")
    }

    /// The objects whose keys begin with a prefix, sorted by key.
    pub(crate) fn below(&self, prefix: &str) -> Box<dyn Iterator<Item = HeldObject> + Send + '_> {
        let changed = self.changed.below(prefix);
        match self.said {
            Said::Records(records) => Box::new(join(records.below(prefix), changed).filter_map(changed_as_said)),
            Said::Listing(listing) => Box::new(join(listing.below(prefix), changed).filter_map(changed_as_said)),
        }
    }
}

fn changed_as_said<R: Into<HeldObject>>((said, changed): (Option<R>, Option<Change>)) -> Option<HeldObject> {
    changed_to(said?.into(), changed.as_ref())
}

fn changed_to(said: HeldObject, changed: Option<&Change>) -> Option<HeldObject> {
    match changed {
        None => Some(said),
        Some(Change { size, .. }) => size.map(|size| HeldObject { size, ..said }),
    }
}

impl Keyed for HeldObject {
    fn key(&self) -> &str {
        self.key.as_str()
    }
}

/// Looks up what a tree holds.
pub(crate) struct HeldReader<'a> {
    said: SaidReader<'a>,
    changed: Reader<'a, Change>,
}

enum SaidReader<'a> {
    Records(Reader<'a, ObjectRecord>),
    Listing(Reader<'a, ObjectMeta>),
}

impl HeldReader<'_> {
    /// The object of this key.
    pub(crate) fn get(&mut self, key: &str) -> Option<HeldObject> {
        let said = match &mut self.said {
            SaidReader::Records(records) => records.get(key)?.into(),
            SaidReader::Listing(listing) => listing.get(key)?.into(),
        };
        changed_to(said, self.changed.get(key))
    }

    /// Whether an object is held in the version listed.
    pub(crate) fn holds(&mut self, entry: &ObjectMeta) -> bool {
        let held = self.get(entry.key.as_str());
        held.is_some_and(|held| held.size == entry.size && held.version.is_same(&entry.version))
    }
}

impl From<&ObjectRecord> for HeldObject {
    fn from(record: &ObjectRecord) -> Self {
        let version = record.version.clone();
        Self { key: record.key.clone(), size: record.content.size, version, checked_by: Some(record.checked_by) }
    }
}

impl From<ObjectRecord> for HeldObject {
    fn from(record: ObjectRecord) -> Self {
        (&record).into()
    }
}

impl From<&ObjectMeta> for HeldObject {
    fn from(object: &ObjectMeta) -> Self {
        object.clone().into()
    }
}

impl From<ObjectMeta> for HeldObject {
    fn from(ObjectMeta { key, size, version }: ObjectMeta) -> Self {
        Self { key, size, version, checked_by: None }
    }
}

impl Keyed for Change {
    fn key(&self) -> &str {
        self.key.as_str()
    }
}

impl Row for Change {
    type Before = ();

    fn pack(&self, (): &mut (), packer: &mut Packer) {
        packer.option(self.size, Packer::number);
    }

    fn unpack(key: &str, (): &mut (), packed: &mut Unpacker<'_>) -> Self {
        Self { key: Key::known(key), size: packed.option(Unpacker::number) }
    }
}
