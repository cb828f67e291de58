use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;

impl Keyed for (String, u64) {
    fn key(&self) -> &str {
        &self.0
    }
}

impl Row for (String, u64) {
    type Before = u64;

    fn pack(&self, before: &mut u64, packer: &mut Packer) {
        packer.difference(before, self.1);
    }

    fn unpack(key: &str, before: &mut u64, packed: &mut Unpacker<'_>) -> Self {
        (key.to_owned(), packed.difference(before))
    }
}

fn table(rows: impl IntoIterator<Item = (String, u64)>) -> Table<(String, u64)> {
    rows.into_iter().collect()
}

/// Keys that share long beginnings, as those of a cluster do, with characters of several bytes.
fn keys() -> impl Strategy<Value = String> {
    "(node|nöde)[12]/(wal|dbs)/[0-9ä]{0,3}"
}

proptest! {
    #[test]
    fn a_table_is_a_sorted_map(
        rows in vec((keys(), any::<u64>()), 0..600),
        removed in vec(keys(), 0..100),
        asked in vec(keys(), 0..50),
    ) {
        let mut model: BTreeMap<String, u64> = rows.iter().cloned().collect();
        let mut table = table(rows);
        let gone: BTreeMap<&String, ()> = removed.iter().map(|key| (key, ())).collect();
        table.edit(gone, |_, ()| None);
        for key in &removed {
            model.remove(key);
        }
        prop_assert_eq!(table.len(), model.len());
        prop_assert_eq!(table.is_empty(), model.is_empty());
        prop_assert!(table.iter().eq(model.clone()));
        prop_assert_eq!(table.iter().len(), model.len());
        let mut reader = table.reader();
        for key in &asked {
            prop_assert_eq!(reader.get(key).map(|row| row.1), model.get(key).copied());
            prop_assert_eq!(table.get(key).map(|row| row.1), model.get(key).copied());
            let below = model.iter().filter(|(found, _)| found.starts_with(key)).map(|(key, value)| (key.clone(), *value));
            prop_assert!(table.below(key).eq(below));
        }
        let other = super::tests::table(table.iter().collect::<Vec<_>>().into_iter().rev());
        prop_assert_eq!(&other, &table, "whatever the blocks are");
        table.retain(|row| row.1 % 2 == 0);
        model.retain(|_, value| *value % 2 == 0);
        prop_assert!(table.iter().eq(model));
    }

    #[test]
    fn a_sequence_keeps_its_order(rows in vec((keys(), any::<u64>()), 0..600)) {
        let mut sequence: Sequence<(String, u64)> = rows.iter().cloned().collect();
        prop_assert_eq!((sequence.len(), sequence.is_empty()), (rows.len(), rows.is_empty()));
        prop_assert!(sequence.iter().eq(rows.iter().cloned()));
        let json = serde_json::to_string(&sequence).expect("serializes");
        prop_assert_eq!(&json, &serde_json::to_string(&rows).expect("serializes"));
        prop_assert_eq!(&serde_json::from_str::<Sequence<_>>(&json).expect("reads"), &sequence);
        sequence.retain(|row| row.1 % 2 == 0);
        prop_assert!(sequence.into_iter().eq(rows.into_iter().filter(|row| row.1 % 2 == 0)));
    }

    #[test]
    fn items_come_in_runs(items: Vec<u8>, length in 1..9_usize) {
        let runs: Vec<_> = runs(items.clone(), length).collect();
        prop_assert_eq!(runs, items.chunks(length).map(<[u8]>::to_vec).collect::<Vec<_>>());
    }

    #[test]
    fn a_join_has_every_key_once(a: BTreeMap<String, u64>, b: BTreeMap<String, u64>) {
        let all: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        let joined: Vec<_> = join(&table(a.clone()), &table(b.clone())).collect();
        prop_assert_eq!(joined.len(), all.len());
        for ((left, right), key) in joined.into_iter().zip(all) {
            prop_assert_eq!(left.map(|row| row.1), a.get(key).copied());
            prop_assert_eq!(right.map(|row| row.1), b.get(key).copied());
        }
    }
}

#[test]
fn rows_added_in_order_fill_their_blocks() {
    let table = table((0..100_000).map(|number| (format!("node1/wal/{number:011}.wal"), number)));
    assert!(table.blocks.len() <= 100_000 / 60, "{} blocks", table.blocks.len());
    let bytes: usize = table.blocks.iter().map(|block| block.packed.len()).sum();
    assert!(bytes < 900_000, "{bytes} bytes: a few characters and a small difference each");
}

#[test]
fn tables_share_what_they_have_in_common() {
    let rows = |without: u64| (0..10_000).filter(move |at| *at != without).map(|at| (format!("n/{at:05}"), at));
    let one = table(rows(3));
    let mut other = table(rows(5_000));
    let before = other.clone();
    other.share(&one);
    assert_eq!(other, before);
    let is_shared = |block: &&Block| one.blocks.iter().any(|one| Arc::ptr_eq(&one.packed, &block.packed));
    let shared = other.blocks.iter().filter(is_shared).count();
    assert!(shared + 8 >= other.blocks.len(), "{shared} of {}", other.blocks.len());
}

/// More rows than are sorted at once, of which some come again.
#[test]
fn rows_come_in_any_order() {
    const ROWS: u64 = 20_000;
    let row = |number: u64| (format!("node/{number:06}"), number);
    let expected: Vec<_> = (0..ROWS).map(row).collect();
    let orders: [Box<dyn Iterator<Item = u64>>; 3] =
        [Box::new(0..ROWS), Box::new((0..ROWS).rev()), Box::new((0..ROWS + 3_000).map(|at| at * 7_919 % ROWS))];
    for order in orders {
        let table = table(order.map(row));
        assert_eq!(table.len(), expected.len());
        assert!(table.iter().eq(expected.iter().cloned()));
    }
}
