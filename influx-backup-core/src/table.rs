//! [`Table`]: rows sorted by key, of which there may be millions, in a few bytes each.
//!
//! Rows lie in blocks. Within a block a key is written as what differs from the key before it, and columns may be written as what
//! differs from the row before: so a block is read from its beginning, and looking keys up in their order reads each block once.

mod nested;
mod pack;
mod sequence;
mod serde;

use std::{
    cmp::Ordering,
    fmt,
    iter::{FusedIterator, Peekable},
    marker::PhantomData,
    slice,
    sync::Arc,
    vec,
};

pub(crate) use self::{
    pack::{Packer, Unpacker},
    sequence::{Sequence, SequenceBuilder},
    serde::each_run,
};

/// How many rows a block has at least and at most, unless it is the last one. It ends with a key that looks like an end (see
/// [`ends`]), so that tables that differ in some rows have most blocks in common.
const SMALLEST: usize = 32;
const LARGEST: usize = 128;

/// How many bytes a block has room for while it is packed. Most need less.
const ROOM: usize = 8 << 10;

/// How many rows that come in any order are sorted at once.
pub(crate) const RUN: usize = 1024;

/// What has a key that it is sorted by.
pub(crate) trait Keyed {
    fn key(&self) -> &str;
}

/// What a table is made of.
pub(crate) trait Row: Keyed + Sized {
    /// What rows of a block tell the ones after them.
    type Before: Default;

    /// Writes everything but the key.
    fn pack(&self, before: &mut Self::Before, packer: &mut Packer);

    /// Reads what [`pack`](Row::pack) wrote.
    fn unpack(key: &str, before: &mut Self::Before, packed: &mut Unpacker<'_>) -> Self;
}

/// Rows sorted by key, each key once. Clones share their memory.
pub(crate) struct Table<R> {
    blocks: Vec<Block>,
    len: usize,
    rows: PhantomData<fn() -> R>,
}

/// Some rows, packed. The first key is written whole.
#[derive(Debug, Clone)]
struct Block {
    rows: u32,
    packed: Arc<[u8]>,
}

impl<R: Row> Table<R> {
    pub(crate) const fn new() -> Self {
        Self { blocks: Vec::new(), len: 0, rows: PhantomData }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The rows, in the order of their keys.
    pub(crate) fn iter(&self) -> Iter<'_, R> {
        Iter { blocks: self.blocks.iter(), rows: Rows::default(), left: self.len }
    }

    /// The rows whose keys begin with this prefix.
    pub(crate) fn below(&self, prefix: &str) -> impl Iterator<Item = R> + use<'_, R> {
        let blocks = &self.blocks[self.block_of(prefix)..];
        let rows = Iter { blocks: blocks.iter(), rows: Rows::default(), left: self.len };
        let prefix = prefix.to_owned();
        let mut rows = rows.peekable();
        while rows.next_if(|row: &R| row.key() < prefix.as_str()).is_some() {}
        rows.take_while(move |row| row.key().starts_with(&prefix))
    }

    /// The row of this key. Whoever looks up many keys in their order uses [`Table::reader`].
    pub(crate) fn get(&self, key: &str) -> Option<R> {
        let block = self.blocks.get(self.block_of(key))?;
        let mut rows = block.rows().take_while(|row: &R| row.key() <= key);
        rows.find(|row| row.key() == key)
    }

    /// For looking up many keys, quickly where they come in their order.
    pub(crate) const fn reader(&self) -> Reader<'_, R> {
        Reader { table: self, block: 0, rows: Vec::new() }
    }

    /// Changes rows: `changes`, in the order of their keys, each key once, are asked what becomes of the row of that key. Says how
    /// many rows were read for that.
    pub(crate) fn edit<K: AsRef<str>, C>(
        &mut self,
        changes: impl IntoIterator<Item = (K, C)>,
        mut change: impl FnMut(Option<R>, C) -> Option<R>,
    ) -> usize {
        let mut changes = changes.into_iter().peekable();
        let Some((first, _)) = changes.peek() else { return 0 };
        let old = self.blocks.split_off(self.block_of(first.as_ref()));
        self.len -= old.iter().map(|block| block.rows as usize).sum::<usize>();
        let mut read = 0;
        let mut at = 0;
        while let Some((key, _)) = changes.peek() {
            // Blocks before the next change stay as they are.
            let to = at + self.block_in(&old[at..], key.as_ref());
            old[at..to].iter().for_each(|block| self.push(block.clone()));
            let end = old.get(to + 1).map(Block::first);
            let rows = old.get(to).map_or_else(Vec::new, |block| block.rows().collect());
            read += rows.len();
            self.push_all(&joined(rows, &mut changes, end, &mut change));
            at = (to + 1).min(old.len());
        }
        old[at..].iter().for_each(|block| self.push(block.clone()));
        read
    }

    /// Adds rows that come in any order. Of two with one key, the one before and the one after, `choose` says which counts. Says how
    /// many rows were read for that.
    fn add_run(&mut self, mut run: Vec<R>, choose: Choose<R>) -> usize {
        run.sort_by(|a, b| a.key().cmp(b.key()));
        let mut sorted: Vec<(String, R)> = Vec::with_capacity(run.len());
        for row in run {
            match sorted.pop() {
                Some((key, last)) if key == row.key() => sorted.push((key, choose(last, row))),
                last => {
                    sorted.extend(last);
                    sorted.push((row.key().to_owned(), row));
                }
            }
        }
        self.edit(sorted, |old, row| match old {
            Some(old) => Some(choose(old, row)),
            None => Some(row),
        })
    }

    /// The same for any number of rows.
    pub(crate) fn add(&mut self, rows: impl IntoIterator<Item = R>, choose: Choose<R>) {
        let table = std::mem::take(self);
        let mut builder = Builder { table, ..Builder::new(choose) };
        rows.into_iter().for_each(|row| builder.push(row));
        *self = builder.finish();
    }

    /// Drops the rows that `keep` refuses.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&R) -> bool) {
        *self = std::mem::take(self).into_iter().filter(keep).collect();
    }

    /// Shares the memory of what both have in common.
    pub(crate) fn share(&mut self, other: &Self) {
        let mut others = other.blocks.iter().peekable();
        for block in &mut self.blocks {
            while others.next_if(|other| other.first() < block.first()).is_some() {}
            if let Some(same) = others.next_if(|other| other.packed == block.packed) {
                block.packed = Arc::clone(&same.packed);
            }
        }
    }

    /// Which block has this key, if any does.
    fn block_of(&self, key: &str) -> usize {
        self.block_in(&self.blocks, key)
    }

    fn block_in(&self, blocks: &[Block], key: &str) -> usize {
        blocks.partition_point(|block| block.first() <= key.as_bytes()).saturating_sub(1)
    }

    fn push(&mut self, block: Block) {
        self.len += block.rows as usize;
        self.blocks.push(block);
    }

    /// Adds sorted rows.
    fn push_all(&mut self, mut rows: &[R]) {
        while !rows.is_empty() {
            let end = rows.iter().take(LARGEST).skip(SMALLEST).position(|row| ends(row.key()));
            let (block, rest) = rows.split_at(end.map_or(LARGEST, |end| SMALLEST + end + 1).min(rows.len()));
            self.push(Block::of(block));
            rows = rest;
        }
    }
}

/// Whether a block ends with this key, which one of some thirty does.
fn ends(key: &str) -> bool {
    // FNV-1a.
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // The last characters differ most, and reach no upper bit by themselves.
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 59 == 0
}

/// Of two rows with one key, the one before and the one after, the one that counts.
type Choose<R> = fn(R, R) -> R;

/// Makes a table of rows that come one by one, in any order.
pub(crate) struct Builder<R> {
    table: Table<R>,
    run: Vec<R>,
    /// How long a run becomes.
    length: usize,
    choose: Choose<R>,
}

/// The later row counts.
impl<R: Row> Default for Builder<R> {
    fn default() -> Self {
        Self::new(|_, later| later)
    }
}

impl<R: Row> Builder<R> {
    pub(crate) const fn new(choose: Choose<R>) -> Self {
        Self { table: Table::new(), run: Vec::new(), length: RUN, choose }
    }

    pub(crate) fn push(&mut self, row: R) {
        self.run.push(row);
        if self.run.len() >= self.length {
            let read = self.table.add_run(std::mem::take(&mut self.run), self.choose);
            // Rows in no order at all change most blocks at each run: then it is a share of the table.
            let is_costly = read > 8 * self.length;
            self.length = if is_costly { RUN.max(self.table.len / 8) } else { RUN };
        }
    }

    pub(crate) fn finish(mut self) -> Table<R> {
        self.table.add_run(self.run, self.choose);
        self.table.blocks.shrink_to_fit();
        self.table
    }
}

/// The rows of a block with the changes to keys before that of the next block.
fn joined<R: Row, K: AsRef<str>, C>(
    rows: Vec<R>,
    changes: &mut Peekable<impl Iterator<Item = (K, C)>>,
    end: Option<&[u8]>,
    change: &mut impl FnMut(Option<R>, C) -> Option<R>,
) -> Vec<R> {
    let mut joined = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter().peekable();
    while let Some((key, what)) = changes.next_if(|(key, _)| end.is_none_or(|end| key.as_ref().as_bytes() < end)) {
        while let Some(row) = rows.next_if(|row| row.key() < key.as_ref()) {
            joined.push(row);
        }
        let old = rows.next_if(|row| row.key() == key.as_ref());
        joined.extend(change(old, what));
    }
    joined.extend(rows);
    joined
}

impl Block {
    fn of<R: Row>(rows: &[R]) -> Self {
        let mut packer = Packer(Vec::with_capacity(ROOM));
        let mut before = R::Before::default();
        let mut last = "";
        for row in rows {
            let key = row.key();
            let shared = shared(last, key);
            packer.number(shared as u64);
            packer.text(&key[shared..]);
            row.pack(&mut before, &mut packer);
            last = key;
        }
        Self { rows: u32::try_from(rows.len()).unwrap_or(u32::MAX), packed: packer.0.into() }
    }

    fn rows<R: Row>(&self) -> Iter<'_, R> {
        Iter { blocks: slice::from_ref(self).iter(), rows: Rows::default(), left: self.rows as usize }
    }

    fn first(&self) -> &[u8] {
        let mut packed = Unpacker(&self.packed);
        packed.number();
        let length = packed.length();
        packed.bytes(length)
    }
}

/// How many bytes both begin with, whole characters only.
fn shared(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same).rev().find(|at| b.is_char_boundary(*at)).unwrap_or(0)
}

/// The rows of one block that are not read yet.
struct Rows<'a, R: Row> {
    packed: Unpacker<'a>,
    left: u32,
    key: String,
    before: R::Before,
}

impl<R: Row> Default for Rows<'_, R> {
    fn default() -> Self {
        Self { packed: Unpacker::default(), left: 0, key: String::new(), before: R::Before::default() }
    }
}

impl<R: Row> Iterator for Rows<'_, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        self.left = self.left.checked_sub(1)?;
        let shared = self.packed.length();
        self.key.truncate(shared);
        self.key.push_str(self.packed.text());
        Some(R::unpack(&self.key, &mut self.before, &mut self.packed))
    }
}

/// The rows of a table: [`Table::iter`].
pub(crate) struct Iter<'a, R: Row> {
    blocks: slice::Iter<'a, Block>,
    rows: Rows<'a, R>,
    left: usize,
}

impl<R: Row> Iterator for Iter<'_, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        let row = match self.rows.next() {
            Some(row) => row,
            None => {
                let Block { rows, packed } = self.blocks.next()?;
                self.rows = Rows { packed: Unpacker(packed), left: *rows, ..Rows::default() };
                self.rows.next()?
            }
        };
        self.left = self.left.saturating_sub(1);
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<R: Row> ExactSizeIterator for Iter<'_, R> {}
impl<R: Row> FusedIterator for Iter<'_, R> {}

/// The rows of a table that is used up, whose memory is given back meanwhile.
pub(crate) struct IntoIter<R> {
    blocks: vec::IntoIter<Block>,
    rows: vec::IntoIter<R>,
    left: usize,
}

impl<R: Row> Iterator for IntoIter<R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        let row = match self.rows.next() {
            Some(row) => row,
            None => {
                self.rows = self.blocks.next()?.rows().collect::<Vec<_>>().into_iter();
                self.rows.next()?
            }
        };
        self.left = self.left.saturating_sub(1);
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<R: Row> ExactSizeIterator for IntoIter<R> {}

/// Looks up rows, and keeps the block that it has read last.
pub(crate) struct Reader<'a, R> {
    table: &'a Table<R>,
    block: usize,
    rows: Vec<R>,
}

impl<R: Row> Reader<'_, R> {
    /// The row of this key.
    pub(crate) fn get(&mut self, key: &str) -> Option<&R> {
        let blocks = &self.table.blocks;
        let is_read = self.rows.first().is_some_and(|first| first.key() <= key)
            && blocks.get(self.block + 1).is_none_or(|next| key.as_bytes() < next.first());
        if !is_read {
            let block = self.table.block_of(key);
            let rows = blocks.get(block).filter(|block| block.first() <= key.as_bytes())?.rows();
            self.block = block;
            self.rows.clear();
            self.rows.extend(rows);
        }
        let at = self.rows.binary_search_by(|row| row.key().cmp(key)).ok()?;
        self.rows.get(at)
    }
}

/// The items, this many at a time.
pub(crate) fn runs<T>(items: impl IntoIterator<Item = T>, length: usize) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.into_iter();
    std::iter::from_fn(move || Some(items.by_ref().take(length).collect()).filter(|run: &Vec<T>| !run.is_empty()))
}

/// Joins two sorted runs: each key of either, with what they have of it.
pub(crate) fn join<A: Keyed, B: Keyed>(
    a: impl IntoIterator<Item = A>,
    b: impl IntoIterator<Item = B>,
) -> impl Iterator<Item = (Option<A>, Option<B>)> {
    let mut a = a.into_iter().peekable();
    let mut b = b.into_iter().peekable();
    std::iter::from_fn(move || {
        let order = match (a.peek(), b.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key().cmp(b.key()),
        };
        Some((a.next_if(|_| order.is_le()), b.next_if(|_| order.is_ge())))
    })
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self { blocks: self.blocks.clone(), len: self.len, rows: PhantomData }
    }
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { blocks: Vec::new(), len: 0, rows: PhantomData }
    }
}

impl<R: Row + PartialEq> PartialEq for Table<R> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<R: Row + Eq> Eq for Table<R> {}

impl<R: Row + fmt::Debug> fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, R: Row> IntoIterator for &'a Table<R> {
    type Item = R;
    type IntoIter = Iter<'a, R>;

    fn into_iter(self) -> Iter<'a, R> {
        self.iter()
    }
}

impl<R: Row> IntoIterator for Table<R> {
    type Item = R;
    type IntoIter = IntoIter<R>;

    fn into_iter(self) -> IntoIter<R> {
        IntoIter { blocks: self.blocks.into_iter(), rows: Vec::new().into_iter(), left: self.len }
    }
}

/// Of two rows with one key the later one counts.
impl<R: Row> Extend<R> for Table<R> {
    fn extend<I: IntoIterator<Item = R>>(&mut self, rows: I) {
        self.add(rows, |_, later| later);
    }
}

impl<R: Row> FromIterator<R> for Table<R> {
    fn from_iter<I: IntoIterator<Item = R>>(rows: I) -> Self {
        let mut table = Self::new();
        table.extend(rows);
        table
    }
}

#[cfg(test)]
mod tests;
