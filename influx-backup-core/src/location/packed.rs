//! [`ObjectMeta`] and [`Version`] as rows of a table.

use super::{ObjectMeta, Version, local::tag_of};
use crate::{
    key::Key,
    table::{Keyed, Packer, Row, Unpacker},
};

/// What versions in a block tell the ones after them.
#[derive(Debug, Default)]
pub(crate) struct VersionBefore {
    seconds: u64,
    inode: u64,
}

/// The shape of an entity tag.
mod tags {
    pub(super) const NONE: u8 = 0;
    /// That of a local file: inode, time and size.
    pub(super) const FILE: u8 = 1;
    /// 32 hex digits, such as an MD5.
    pub(super) const HEX: u8 = 2;
    /// The same in quotes.
    pub(super) const QUOTED_HEX: u8 = 3;
    /// Anything else.
    pub(super) const OTHER: u8 = 4;
}

/// A bit beside the shape: there is a version id.
const HAS_ID: u8 = 8;

impl Version {
    /// Writes the version of an object of this size.
    pub(crate) fn pack(&self, size: u64, before: &mut VersionBefore, packer: &mut Packer) {
        let tag = self.e_tag.as_deref();
        let inode = tag.and_then(inode_of).filter(|inode| tag == Some(&tag_of(*inode, self.modified.into(), size)));
        let hex = tag.and_then(|tag| Some((hex_of(tag.trim_matches('"'))?, tag.len() == 34)));
        let shape = match (tag, inode, hex) {
            (None, ..) => tags::NONE,
            (_, Some(_), _) => tags::FILE,
            (Some(tag), _, Some((_, true))) if tag.starts_with('"') && tag.ends_with('"') => tags::QUOTED_HEX,
            (Some(tag), _, Some(_)) if tag.len() == 32 => tags::HEX,
            _ => tags::OTHER,
        };
        packer.byte(shape | if self.id.is_some() { HAS_ID } else { 0 });
        packer.time(&mut before.seconds, self.modified);
        match (shape, inode, hex) {
            (tags::FILE, Some(inode), _) => packer.difference(&mut before.inode, inode),
            (tags::HEX | tags::QUOTED_HEX, _, Some((bytes, _))) => packer.bytes(&bytes),
            (tags::OTHER, ..) => packer.text(tag.unwrap_or_default()),
            _ => {}
        }
        self.id.iter().for_each(|id| packer.text(id));
    }

    /// Reads what [`pack`](Self::pack) wrote.
    pub(crate) fn unpack(size: u64, before: &mut VersionBefore, packed: &mut Unpacker<'_>) -> Self {
        let shape = packed.byte();
        let modified = packed.time(&mut before.seconds);
        let e_tag = match shape & !HAS_ID {
            tags::FILE => Some(tag_of(packed.difference(&mut before.inode), modified.into(), size)),
            tags::HEX => Some(format!("{:032x}", u128::from_be_bytes(packed.array()))),
            tags::QUOTED_HEX => Some(format!("\"{:032x}\"", u128::from_be_bytes(packed.array()))),
            tags::OTHER => Some(packed.text().to_owned()),
            _ => None,
        };
        let id = (shape & HAS_ID != 0).then(|| packed.text().into());
        Self { e_tag: e_tag.map(Into::into), id, modified }
    }
}

/// The inode that the entity tag of a file begins with.
fn inode_of(tag: &str) -> Option<u64> {
    let (inode, _) = tag.strip_prefix('"')?.split_once('-')?;
    u64::from_str_radix(inode, 16).ok()
}

/// 32 hex digits as bytes.
fn hex_of(digits: &str) -> Option<[u8; 16]> {
    let is_hex = digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(digits, 16).ok().filter(|_| is_hex).map(u128::to_be_bytes)
}

impl Keyed for ObjectMeta {
    fn key(&self) -> &str {
        self.key.as_str()
    }
}

impl Row for ObjectMeta {
    type Before = VersionBefore;

    fn pack(&self, before: &mut VersionBefore, packer: &mut Packer) {
        packer.number(self.size);
        self.version.pack(self.size, before, packer);
    }

    fn unpack(key: &str, before: &mut VersionBefore, packed: &mut Unpacker<'_>) -> Self {
        let size = packed.number();
        Self { key: Key::known(key), size, version: Version::unpack(size, before, packed) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    use super::*;
    use crate::table::Table;

    /// Times that files and stores give, and those that chrono can hold.
    fn modified() -> impl Strategy<Value = DateTime<Utc>> {
        let nanos = prop_oneof![Just(0), Just(7_000_000), 0..2_000_000_000_u32];
        let seconds = prop_oneof![1_700_000_000..1_800_000_000_i64, -62_000_000_000..62_000_000_000_i64];
        (seconds, nanos).prop_filter_map("a time", |(seconds, nanos)| DateTime::from_timestamp(seconds, nanos))
    }

    fn tags(modified: DateTime<Utc>, size: u64) -> impl Strategy<Value = Option<String>> {
        prop_oneof![
            Just(None),
            any::<u64>().prop_map(move |inode| Some(tag_of(inode, modified.into(), size))),
            any::<u128>().prop_map(|md5| Some(format!("{md5:032x}"))),
            any::<u128>().prop_map(|md5| Some(format!("\"{md5:032x}\""))),
            any::<u128>().prop_map(|md5| Some(format!("\"{md5:032X}\""))),
            "\"?[0-9a-f]{30,34}(-[0-9]{1,2})?\"?".prop_map(Some),
            "\"[0-9a-f]{1,16}-[0-9a-f]{0,9}-[0-9a-f]{0,3}\"".prop_map(Some),
            any::<String>().prop_map(Some),
        ]
    }

    fn objects() -> impl Strategy<Value = ObjectMeta> {
        let key = "[a-z]{1,9}(/[a-z0-9]{1,9}){0,3}";
        let parts = (key, any::<u64>(), modified(), proptest::option::of(any::<String>()));
        parts.prop_flat_map(|(key, size, modified, id)| {
            let key = Key::parse(key).expect("a key");
            tags(modified, size).prop_map(move |e_tag| {
                let version = Version { e_tag: e_tag.map(Into::into), id: id.clone().map(Into::into), modified };
                ObjectMeta { key: key.clone(), size, version }
            })
        })
    }

    proptest! {
        #[test]
        fn whatever_a_store_says_is_kept(objects in proptest::collection::vec(objects(), 1..100)) {
            let objects: std::collections::BTreeMap<_, _> = objects.into_iter().map(|it| (it.key.clone(), it)).collect();
            let mut table = Table::new();
            table.extend(objects.values().cloned());
            prop_assert!(table.iter().eq(objects.into_values()));
        }
    }
}
