//! [`CopyTask`] as a row of a table.

use super::{CopyTask, Place, PlaceRole};
use crate::{
    copier::{Expect, Transfer, Transform},
    key::Key,
    layout::Component,
    location::{Attributes, Version, VersionBefore},
    record::{pack_attributes, pack_digests, pack_place, unpack_attributes, unpack_digests, unpack_place},
    table::{Keyed, Packer, Row, Unpacker},
};

/// What tasks in a block tell the ones after them.
#[derive(Debug, Default)]
pub(crate) struct TaskBefore {
    version: VersionBefore,
    place: String,
    attributes: Attributes,
}

impl Keyed for CopyTask {
    fn key(&self) -> &str {
        self.to.as_str()
    }
}

impl Row for CopyTask {
    type Before = TaskBefore;

    fn pack(&self, before: &mut TaskBefore, packer: &mut Packer) {
        let Self { from: Place { role, key, version }, to, expect, transform, transfer, component, attributes } = self;
        let Expect { size, crc64, blake3 } = expect;
        packer.one_of(PlaceRole::ALL, role);
        pack_place(key, to, &mut before.place, packer);
        packer.number(*size);
        version.pack(*size, &mut before.version, packer);
        pack_digests(*crc64, *blake3, packer);
        packer.one_of(Transform::ALL, transform);
        packer.one_of(Transfer::ALL, transfer);
        packer.one_of(Component::ALL, component);
        packer.option(attributes.as_ref(), |packer, attributes| {
            pack_attributes(attributes, &mut before.attributes, packer);
        });
    }

    fn unpack(key: &str, before: &mut TaskBefore, packed: &mut Unpacker<'_>) -> Self {
        let role = packed.one_of(PlaceRole::ALL);
        let from = unpack_place(key, &mut before.place, packed);
        let size = packed.number();
        let version = Version::unpack(size, &mut before.version, packed);
        let (crc64, blake3) = unpack_digests(packed);
        Self {
            from: Place { role, key: from, version },
            to: Key::known(key),
            expect: Expect::size(size).with_crc64(crc64).with_blake3(blake3),
            transform: packed.one_of(Transform::ALL),
            transfer: packed.one_of(Transfer::ALL),
            component: packed.one_of(Component::ALL),
            attributes: packed.option(|packed| unpack_attributes(&mut before.attributes, packed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::{collection::btree_map, option, prelude::*, sample::select};

    use super::*;
    use crate::{
        checksum::{Blake3, Crc64},
        location::ObjectMeta,
        table::Table,
    };

    proptest! {
        #[test]
        fn whatever_a_task_says_is_kept(
            tasks in btree_map(
                "[a-z]{1,3}(/[a-z]{1,9}){0,3}",
                (
                    select(PlaceRole::ALL),
                    option::of(prop_oneof![Just("_shared/b1/"), Just("elsewhere/x-")]),
                    any::<u64>(),
                    (option::of(any::<u64>()), option::of(any::<[u8; 32]>())),
                    (select(Transfer::ALL), select(Component::ALL), option::of(btree_map("[a-z]?", ".?", 0..3))),
                ),
                1..100,
            ),
        ) {
            let tasks = tasks.into_iter();
            let tasks = tasks.map(|(key, (role, place, size, (crc64, blake3), (transfer, component, attributes)))| {
                let to = Key::parse(&key).expect("a key");
                let from = Key::parse(place.map_or_else(|| key.clone(), |place| format!("{place}{key}"))).expect("a key");
                let object = ObjectMeta::new(from, size, Version::new(DateTime::UNIX_EPOCH));
                let expect =
                    Expect::size(size).with_crc64(crc64.map(Crc64)).with_blake3(blake3.map(Blake3::from_bytes));
                let task = CopyTask::new(role, object, component).with_target(to).with_expect(expect);
                CopyTask { transfer, attributes, ..task }
            });
            let tasks: Vec<CopyTask> = tasks.collect();
            let table: Table<CopyTask> = tasks.iter().cloned().collect();
            prop_assert!(table.iter().eq(tasks));
        }
    }
}
