//! A table as a column of another one.

use super::{Block, Packer, Row, Table, Unpacker, shared};

impl Packer {
    /// A table, whose keys begin as those of the table before it, as a rule.
    pub(crate) fn table<R: Row>(&mut self, before: &mut String, table: &Table<R>) {
        self.number(table.blocks.len() as u64);
        for block in &table.blocks {
            let mut rest = Unpacker(&block.packed);
            rest.number();
            let first = rest.text();
            let shared = shared(before, first);
            self.number(u64::from(block.rows));
            self.number(shared as u64);
            self.text(&first[shared..]);
            first.clone_into(before);
            self.number(rest.0.len() as u64);
            self.bytes(rest.0);
        }
    }
}

impl Unpacker<'_> {
    /// Reads what [`Packer::table`] wrote.
    pub(crate) fn table<R: Row>(&mut self, before: &mut String) -> Table<R> {
        let mut table = Table::new();
        for _ in 0..self.length() {
            let rows = u32::try_from(self.number()).unwrap_or(u32::MAX);
            before.truncate(self.length());
            before.push_str(self.text());
            let rest = self.length();
            let mut packed = Packer(Vec::with_capacity(rest + before.len() + 8));
            packed.number(0);
            packed.text(before);
            packed.bytes(self.bytes(rest));
            table.push(Block { rows, packed: packed.0.into() });
        }
        table
    }
}
