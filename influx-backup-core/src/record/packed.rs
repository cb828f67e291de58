//! Records as rows of a table.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::DateTime;

use super::{AbsentRecord, ContentRecord, Encoding, ObjectRecord, Stored};
use crate::{
    certificate::CheckedBy,
    checksum::{Blake3, Crc64},
    key::Key,
    location::{Attributes, StoreChecksums, Version, VersionBefore},
    table::{Keyed, Packer, Row, Unpacker},
};

/// What records in a block tell the ones after them.
#[derive(Debug, Default)]
pub(crate) struct RecordBefore {
    source: VersionBefore,
    stored: VersionBefore,
    attributes: Attributes,
    /// What stands before the key of an object that lies elsewhere.
    place: String,
}

/// What a record has besides what all have.
mod has {
    pub(super) const CRC64: u8 = 1;
    pub(super) const BLAKE3: u8 = 2;
    /// Stored bytes elsewhere, in another length or encoding.
    pub(super) const OTHER_PLACE: u8 = 8;
    pub(super) const OTHER_BYTES: u8 = 16;
    pub(super) const STORED_VERSION: u8 = 32;
    pub(super) const CHECKSUMS: u8 = 64;
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
        let flags = [
            (has::CRC64, crc64.is_some()),
            (has::BLAKE3, blake3.is_some()),
            (has::OTHER_PLACE, at.is_some()),
            (has::OTHER_BYTES, stored_size != size || !encoding.is_plain()),
            (has::STORED_VERSION, stored_version.is_some()),
            (has::CHECKSUMS, !checksums.is_empty()),
        ];
        let flags = flags.into_iter().filter(|(_, it)| *it).fold(0, |all, (flag, _)| all | flag);
        packer.byte(flags);
        packer.number(*size);
        crc64.iter().for_each(|crc64| packer.bytes(&crc64.0.to_le_bytes()));
        blake3.iter().for_each(|blake3| packer.bytes(blake3.as_bytes()));
        version.pack(*size, &mut before.source, packer);
        packer.one_of(CheckedBy::ALL, checked_by);
        pack_attributes(attributes, &mut before.attributes, packer);
        at.iter().for_each(|at| pack_place(at, key, &mut before.place, packer));
        if flags & has::OTHER_BYTES != 0 {
            packer.number(*stored_size);
            packer.one_of(Encoding::ALL, encoding);
        }
        stored_version.iter().for_each(|version| version.pack(*stored_size, &mut before.stored, packer));
        if flags & has::CHECKSUMS != 0 {
            pack_checksums(checksums, packer);
        }
    }

    fn unpack(key: &str, before: &mut RecordBefore, packed: &mut Unpacker<'_>) -> Self {
        let flags = packed.byte();
        let has = |flag: u8| flags & flag != 0;
        let size = packed.number();
        let crc64 = has(has::CRC64).then(|| Crc64(u64::from_le_bytes(packed.array())));
        let blake3 = has(has::BLAKE3).then(|| Blake3::from_bytes(packed.array()));
        let version = Version::unpack(size, &mut before.source, packed);
        let checked_by = packed.one_of(CheckedBy::ALL);
        let attributes = unpack_attributes(&mut before.attributes, packed);
        let at = has(has::OTHER_PLACE).then(|| unpack_place(key, &mut before.place, packed));
        let (stored_size, encoding) = match has(has::OTHER_BYTES) {
            true => (packed.number(), packed.one_of(Encoding::ALL)),
            false => (size, Encoding::Plain),
        };
        let stored_version = has(has::STORED_VERSION).then(|| Version::unpack(stored_size, &mut before.stored, packed));
        let checksums = if has(has::CHECKSUMS) { unpack_checksums(packed) } else { StoreChecksums::default() };
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
    packer.byte(u8::from(crc64.is_some()));
    crc64.iter().for_each(|crc64| packer.bytes(&crc64.0.to_le_bytes()));
    for text in [crc32c, md5] {
        // As bytes, where it is base64 as everybody writes it.
        let bytes = text.as_ref().and_then(|text| BASE64_STANDARD.decode(text).ok());
        let bytes = bytes.filter(|bytes| text.as_ref() == Some(&BASE64_STANDARD.encode(bytes)));
        match (text, bytes) {
            (None, _) => packer.byte(0),
            (_, Some(bytes)) => {
                packer.byte(1);
                packer.number(bytes.len() as u64);
                packer.bytes(&bytes);
            }
            (Some(text), None) => {
                packer.byte(2);
                packer.text(text);
            }
        }
    }
}

fn unpack_checksums(packed: &mut Unpacker<'_>) -> StoreChecksums {
    let crc64 = (packed.byte() == 1).then(|| Crc64(u64::from_le_bytes(packed.array())));
    let mut text = || match packed.byte() {
        0 => None,
        1 => {
            let length = packed.length();
            Some(BASE64_STANDARD.encode(packed.bytes(length)))
        }
        _ => Some(packed.text().to_owned()),
    };
    let crc32c = text();
    let md5 = text();
    StoreChecksums { crc64, crc32c, md5 }
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
        packer.difference(&mut before.seconds, newest.timestamp().cast_unsigned());
        packer.number(u64::from(newest.timestamp_subsec_nanos()));
    }

    fn unpack(key: &str, before: &mut AbsentBefore, packed: &mut Unpacker<'_>) -> Self {
        let node = packed.repeated(&mut before.node).to_owned();
        let [database, table, rows] = std::array::from_fn(|_| packed.number());
        let seconds = packed.difference(&mut before.seconds).cast_signed();
        let nanos = u32::try_from(packed.number()).unwrap_or_default();
        let newest = DateTime::from_timestamp(seconds, nanos).unwrap_or_default();
        Self { node, path: key.to_owned(), database, table, rows, newest }
    }
}

#[cfg(test)]
mod tests {
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
