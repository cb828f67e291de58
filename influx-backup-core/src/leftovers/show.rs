//! [`LeftoverTable`]: leftovers as text.

use std::fmt;

use super::{Leftover, LeftoverKind};
use crate::naming::visible;

/// Leftovers as a table.
#[derive(Debug, Clone, Copy)]
pub struct LeftoverTable<'a>(&'a [Leftover]);

impl<'a> LeftoverTable<'a> {
    /// A table of these leftovers.
    #[must_use]
    pub const fn new(leftovers: &'a [Leftover]) -> Self {
        Self(leftovers)
    }
}

impl fmt::Display for LeftoverTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "nothing is left over");
        }
        self.0.iter().try_for_each(|leftover| writeln!(f, "found: {leftover}"))
    }
}

/// One row of a [`LeftoverTable`].
impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, objects, bytes, kind } = self;
        let kind = match kind {
            LeftoverKind::Unfinished => "unfinished backup",
            LeftoverKind::Staging => "half-written objects",
        };
        write!(f, "{:<28} {kind:<20} {objects:>10} {bytes:>10}", visible(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ByteSize;

    #[test]
    fn a_table_has_a_row_for_each_leftover() {
        assert_eq!(LeftoverTable::new(&[]).to_string(), "nothing is left over\n");
        let leftover = Leftover { name: "a".to_owned(), kind: LeftoverKind::Staging, objects: 2, bytes: ByteSize(7) };
        let row = format!("{:<28} half-written objects          2        7 B", "a");
        assert_eq!(leftover.to_string(), row);
        assert_eq!(LeftoverTable::new(&[leftover]).to_string(), format!("found: {row}\n"));
    }
}
