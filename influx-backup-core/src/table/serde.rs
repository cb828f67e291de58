//! A table as a list of its rows.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
};

use super::{RUN, Row, Table};

impl<R: Row + Serialize> Serialize for Table<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, R: Row + Deserialize<'de>> Deserialize<'de> for Table<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::new();
        each_run(deserializer, |run: Vec<R>| table.extend(run))?;
        Ok(table)
    }
}

/// Reads a list of rows some thousand at a time.
pub(crate) fn each_run<'de, R: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    on_run: impl FnMut(Vec<R>),
) -> Result<(), D::Error> {
    deserializer.deserialize_seq(Runs { on_run, rows: PhantomData })
}

struct Runs<R, F> {
    on_run: F,
    rows: PhantomData<R>,
}

impl<'de, R: Deserialize<'de>, F: FnMut(Vec<R>)> Visitor<'de> for Runs<R, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut run = Vec::new();
        while let Some(row) = seq.next_element()? {
            run.push(row);
            if run.len() == RUN {
                (self.on_run)(std::mem::take(&mut run));
            }
        }
        (self.on_run)(run);
        Ok(())
    }
}
