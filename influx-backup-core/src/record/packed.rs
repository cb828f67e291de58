//! Records as rows of a table.

use super::{AbsentRecord, ContentRecord, Encoding, ObjectRecord, Stored};
use crate::{
    certificate::CheckedBy,
    checksum::{Blake3, Crc64},
    key::Key,
    location::{Attributes, StoreChecksums, Version, VersionBefore},
    table::{Keyed, Packer, Row, Unpacker},
};
use base64::{Engine, prelude::BASE64_STANDARD};

/// What records in a block tell the ones after them.
#[derive(Debug, Default)]
pub(crate) struct RecordBefore {
    source: VersionBefore,
    stored: VersionBefore,
    attributes: Attributes,
    /// What stands before the key of an object that lies elsewhere.
    place: String,
}

impl Keyed for ObjectRecord {
    fn key(&self) -> &str {
        self.key.as_str()
    }
}

impl Row for ObjectRecord {
    type Before = RecordBefore;

    fn pack(&self, before: &mut RecordBefore, packer: &mut Packer) {
        let Self { key, content, version, checked_by, attributes, stored } = self;
        let ContentRecord { size, crc64, blake3 } = content;
        let Stored { at, encoding, size: stored_size, checksums, version: stored_version } = stored;
        packer.number(*size);
        pack_digests(*crc64, *blake3, packer);
        version.pack(*size, &mut before.source, packer);
        packer.one_of(CheckedBy::ALL, checked_by);
        pack_attributes(attributes, &mut before.attributes, packer);
        packer.option(at.as_ref(), |packer, at| pack_place(at, key, &mut before.place, packer));
        packer.one_of(Encoding::ALL, encoding);
        packer.option((stored_size != size).then_some(*stored_size), Packer::number);
        pack_checksums(checksums, packer);
        packer
            .option(stored_version.as_ref(), |packer, version| version.pack(*stored_size, &mut before.stored, packer));
    }

    fn unpack(key: &str, before: &mut RecordBefore, packed: &mut Unpacker<'_>) -> Self {
        let size = packed.number();
        let (crc64, blake3) = unpack_digests(packed);
        let version = Version::unpack(size, &mut before.source, packed);
        let checked_by = packed.one_of(CheckedBy::ALL);
        let attributes = unpack_attributes(&mut before.attributes, packed);
        let at = packed.option(|packed| unpack_place(key, &mut before.place, packed));
        let encoding = packed.one_of(Encoding::ALL);
        let stored_size = packed.option(Unpacker::number).unwrap_or(size);
        let checksums = unpack_checksums(packed);
        let stored_version = packed.option(|packed| Version::unpack(stored_size, &mut before.stored, packed));
        Self {
            key: Key::known(key),
            content: ContentRecord { size, crc64, blake3 },
            version,
            checked_by,
            attributes,
            stored: Stored { at, encoding, size: stored_size, checksums, version: stored_version },
        }
    }
}

/// What is known of content besides its length.
pub(crate) fn pack_digests(crc64: Option<Crc64>, blake3: Option<Blake3>, packer: &mut Packer) {
    packer.option(crc64, |packer, Crc64(crc64)| packer.bytes(&crc64.to_le_bytes()));
    packer.option(blake3, |packer, blake3| packer.bytes(blake3.as_bytes()));
}

/// Reads what [`pack_digests`] wrote.
pub(crate) fn unpack_digests(packed: &mut Unpacker<'_>) -> (Option<Crc64>, Option<Blake3>) {
    let crc64 = packed.option(|packed| Crc64(u64::from_le_bytes(packed.array())));
    (crc64, packed.option(|packed| Blake3::from_bytes(packed.array())))
}

/// Attributes that those before mostly were, too.
pub(crate) fn pack_attributes(attributes: &Attributes, before: &mut Attributes, packer: &mut Packer) {
    let is_same = attributes == before;
    packer.byte(u8::from(is_same));
    if !is_same {
        packer.number(attributes.len() as u64);
        attributes.iter().flat_map(|(name, value)| [name, value]).for_each(|text| packer.text(text));
        before.clone_from(attributes);
    }
}

/// Reads what [`pack_attributes`] wrote.
pub(crate) fn unpack_attributes(before: &mut Attributes, packed: &mut Unpacker<'_>) -> Attributes {
    if packed.byte() == 0 {
        let count = packed.number();
        *before = (0..count).map(|_| (packed.text().to_owned(), packed.text().to_owned())).collect();
    }
    before.clone()
}

/// A place that mostly ends with the key itself.
pub(crate) fn pack_place(at: &Key, key: &Key, before: &mut String, packer: &mut Packer) {
    let prefix = at.as_str().strip_suffix(key.as_str());
    packer.byte(u8::from(prefix.is_some()));
    match prefix {
        Some(prefix) => packer.repeated(before, prefix),
        None => packer.text(at.as_str()),
    }
}

/// Reads what [`pack_place`] wrote.
pub(crate) fn unpack_place(key: &str, before: &mut String, packed: &mut Unpacker<'_>) -> Key {
    match packed.byte() {
        0 => Key::known(packed.text()),
        _ => Key::known(&format!("{}{key}", packed.repeated(before))),
    }
}

fn pack_checksums(StoreChecksums { crc64, crc32c, md5 }: &StoreChecksums, packer: &mut Packer) {
    pack_digests(*crc64, None, packer);
    [crc32c, md5].into_iter().for_each(|text| packer.option(text.as_ref(), pack_base64));
}

fn unpack_checksums(packed: &mut Unpacker<'_>) -> StoreChecksums {
    let (crc64, _) = unpack_digests(packed);
    let crc32c = packed.option(unpack_base64);
    let md5 = packed.option(unpack_base64);
    StoreChecksums { crc64, crc32c, md5 }
}

/// A text, as the bytes that it stands for where it is base64 as everybody writes it.
fn pack_base64(packer: &mut Packer, text: &String) {
    let bytes = BASE64_STANDARD.decode(text).ok().filter(|bytes| *text == BASE64_STANDARD.encode(bytes));
    packer.byte(u8::from(bytes.is_some()));
    let bytes = bytes.as_deref().unwrap_or(text.as_bytes());
    packer.number(bytes.len() as u64);
    packer.bytes(bytes);
}

fn unpack_base64(packed: &mut Unpacker<'_>) -> String {
    if packed.byte() == 0 {
        return packed.text().to_owned();
    }
    let length = packed.length();
    BASE64_STANDARD.encode(packed.bytes(length))
}

/// What absent files in a block tell the ones after them.
#[derive(Debug, Default)]
pub(crate) struct AbsentBefore {
    node: String,
    seconds: u64,
}

impl Keyed for AbsentRecord {
    fn key(&self) -> &str {
        &self.path
    }
}

impl Row for AbsentRecord {
    type Before = AbsentBefore;

    fn pack(&self, before: &mut AbsentBefore, packer: &mut Packer) {
        let Self { node, path: _, database, table, rows, newest } = self;
        packer.repeated(&mut before.node, node);
        [database, table, rows].into_iter().for_each(|number| packer.number(*number));
        packer.time(&mut before.seconds, *newest);
    }

    fn unpack(key: &str, before: &mut AbsentBefore, packed: &mut Unpacker<'_>) -> Self {
        let node = packed.repeated(&mut before.node).to_owned();
        let [database, table, rows] = std::array::from_fn(|_| packed.number());
        let newest = packed.time(&mut before.seconds);
        Self { node, path: key.to_owned(), database, table, rows, newest }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::{collection::vec, option, prelude::*};

    use super::*;
    use crate::table::Table;

    fn versions() -> impl Strategy<Value = Version> {
        (0..2_000_000_000_i64, 0..1_000_000_000_u32, option::of("\"?[0-9a-f]{32}\"?"), option::of(".{0,9}")).prop_map(
            |(seconds, nanos, e_tag, id)| Version {
                e_tag: e_tag.map(Into::into),
                id: id.map(Into::into),
                modified: DateTime::from_timestamp(seconds, nanos).expect("a time"),
            },
        )
    }

    fn checksums() -> impl Strategy<Value = StoreChecksums> {
        let text = || option::of(prop_oneof!["[A-Za-z0-9+/]{22}==", "[A-Za-z0-9+/]{8}", ".{0,9}"]);
        (option::of(any::<u64>()), text(), text()).prop_map(|(crc64, crc32c, md5)| StoreChecksums {
            crc64: crc64.map(Crc64),
            crc32c,
            md5,
        })
    }

    fn records() -> impl Strategy<Value = ObjectRecord> {
        let key = "[a-z]{1,3}(/[a-z0-9]{1,9}){0,3}";
        let content = (any::<u64>(), option::of(any::<u64>()), option::of(any::<[u8; 32]>()));
        let attributes = prop_oneof![
            Just(Attributes::new()),
            Just(Attributes::from([("content-type".to_owned(), "text/plain".to_owned())])),
            proptest::collection::btree_map("[a-z]{0,5}", ".{0,5}", 0..3),
        ];
        let place = option::of(prop_oneof![Just("_shared/b1/".to_owned()), "[a-z]{1,5}/".prop_map(String::from)]);
        let stored = (place, option::of(any::<u64>()), checksums(), option::of(versions()));
        (key, content, versions(), prop::sample::select(CheckedBy::ALL), attributes, stored).prop_map(
            |(key, (size, crc64, blake3), version, checked_by, attributes, (place, stored_size, checksums, stored))| {
                let key = Key::parse(key).expect("a key");
                let at = place.map(|place| match place.as_str() {
                    "_shared/b1/" => Key::known(&format!("{place}{key}")),
                    place => Key::known(&format!("{place}elsewhere")),
                });
                let content = ContentRecord { size, crc64: crc64.map(Crc64), blake3: blake3.map(Blake3::from_bytes) };
                let size = stored_size.unwrap_or(size);
                let stored = Stored { at, encoding: Encoding::Plain, size, checksums, version: stored };
                ObjectRecord { key, content, version, checked_by, attributes, stored }
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_a_record_says_is_kept(records in vec(records(), 1..100)) {
            let records: std::collections::BTreeMap<_, _> = records.into_iter().map(|it| (it.key.clone(), it)).collect();
            let table: Table<ObjectRecord> = records.values().cloned().collect();
            prop_assert!(table.iter().eq(records.into_values()));
        }

        #[test]
        fn whatever_is_said_of_absent_files_is_kept(
            files in proptest::collection::btree_map("[a-z/]{1,20}", ("n[12]", any::<[u64; 3]>(), versions()), 1..100),
        ) {
            let files = files.into_iter().map(|(path, (node, [database, table, rows], version))| AbsentRecord {
                node, path, database, table, rows, newest: version.modified,
            });
            let files: Vec<_> = files.collect();
            let table: Table<AbsentRecord> = files.iter().cloned().collect();
            prop_assert!(table.iter().eq(files));
        }
    }
}
