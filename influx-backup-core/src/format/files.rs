//! The nested lists of Parquet files that snapshot manifests and checkpoints share.

use std::fmt;
use std::io::{BufReader, Read};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::FormatError;
use crate::table::{Builder, Keyed, Packer, Row, Table, Unpacker, each_run};

/// The version of both files, the only one so far.
const VERSION: &str = "1";

/// A Parquet file as a snapshot manifest or a checkpoint names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileRef {
    /// The number of the database.
    pub database: u64,
    /// The number of the table in its database.
    pub table: u64,
    /// The number of the file, counted per node.
    pub id: u64,
    /// The whole key, node id included.
    pub path: String,
    /// The exact length in bytes: queries read the file by it without asking the store.
    pub size_bytes: u64,
    /// Rows.
    pub row_count: u64,
    /// The start of the chunk of time, in nanoseconds since 1970.
    pub chunk_time: i64,
    /// The oldest row, in nanoseconds since 1970.
    pub min_time: i64,
    /// The newest row, in nanoseconds since 1970.
    pub max_time: i64,
}

/// The files of all databases as the JSON holds them.
#[derive(Debug, Default)]
pub(super) struct Databases(Pairs<Tables>);

impl Databases {
    /// The files with the numbers of their database and table. A server that replayed its WAL after a crash names one object
    /// under two ids: what it wrote last is what is there.
    pub(super) fn into_files(self) -> Table<FileRef> {
        let mut files = Builder::default();
        for (database, Tables { tables }) in self.0.0 {
            for (table, Files(entries)) in tables.0 {
                entries.into_iter().for_each(|file| files.push(FileRef { database, table, ..file }));
            }
        }
        files.finish()
    }
}

impl<'de> Deserialize<'de> for Databases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pairs::deserialize(deserializer).map(Self)
    }
}

#[derive(Debug, Deserialize)]
struct Tables {
    tables: Pairs<Files>,
}

/// The files of one table, of which there may be a million: they are packed while they are read.
#[derive(Debug)]
struct Files(Table<FileRef>);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut files = Table::new();
        each_run(deserializer, |run: Vec<Entry>| files.extend(run.into_iter().map(Into::into)))?;
        Ok(Self(files))
    }
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: u64,
    path: String,
    size_bytes: u64,
    row_count: u64,
    chunk_time: i64,
    min_time: i64,
    max_time: i64,
}

impl From<Entry> for FileRef {
    fn from(Entry { id, path, size_bytes, row_count, chunk_time, min_time, max_time }: Entry) -> Self {
        Self { database: 0, table: 0, id, path, size_bytes, row_count, chunk_time, min_time, max_time }
    }
}

impl Keyed for FileRef {
    fn key(&self) -> &str {
        &self.path
    }
}

impl Row for FileRef {
    /// The numbers of the file before it.
    type Before = [u64; 8];

    fn pack(&self, before: &mut [u64; 8], packer: &mut Packer) {
        let Self { database, table, id, path: _, size_bytes, row_count, chunk_time, min_time, max_time } = self;
        let [chunk, min, max] = [chunk_time, min_time, max_time].map(|time| time.cast_unsigned());
        packer.differences(before, [*database, *table, *id, *size_bytes, *row_count, chunk, min, max]);
    }

    fn unpack(key: &str, before: &mut [u64; 8], packed: &mut Unpacker<'_>) -> Self {
        let [database, table, id, size_bytes, row_count, times @ ..] = packed.differences(before);
        let [chunk_time, min_time, max_time] = times.map(u64::cast_signed);
        let path = key.to_owned();
        Self { database, table, id, path, size_bytes, row_count, chunk_time, min_time, max_time }
    }
}

/// A map with numbers as keys: servers write `[[1, value], …]`, and `{"1": value, …}` is accepted as well.
#[derive(Debug)]
pub(super) struct Pairs<T>(pub(super) Vec<(u64, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of pairs or an object, with numbers as keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = seq.next_element()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

/// Reads a versioned JSON file in one pass.
pub(super) fn parse<T: DeserializeOwned + Versioned>(bytes: &[u8]) -> Result<T, FormatError> {
    if bytes.is_empty() {
        return Err(FormatError::Empty);
    }
    let known = |found: &str| found == VERSION;
    match serde_json::from_slice::<T>(bytes) {
        Ok(file) if known(file.version()) => Ok(file),
        Ok(file) => Err(unsupported(file.version())),
        // Another version may well have other fields: that it is another version is then the better answer.
        Err(error) => match serde_json::from_slice::<VersionOnly>(bytes) {
            Ok(VersionOnly { version }) if !known(&version) => Err(unsupported(&version)),
            _ => Err(FormatError::json(&error)),
        },
    }
}

/// The same from a file that is too large to be held. Of what cannot be read, the version is not known then.
pub(super) fn read<T: DeserializeOwned + Versioned>(file: impl Read) -> Result<T, FormatError> {
    let file: T = serde_json::from_reader(BufReader::new(file)).map_err(|error| FormatError::json(&error))?;
    if file.version() == VERSION { Ok(file) } else { Err(unsupported(file.version())) }
}

/// A file that tells its version.
pub(super) trait Versioned {
    fn version(&self) -> &str;
}

#[derive(Deserialize)]
struct VersionOnly {
    version: String,
}

fn unsupported(found: &str) -> FormatError {
    FormatError::UnsupportedVersion { found: found.to_owned(), known: VERSION.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};

    use super::*;

    fn files(json: &str) -> Result<Vec<FileRef>, serde_json::Error> {
        serde_json::from_str::<Databases>(json).map(|databases| databases.into_files().iter().collect())
    }

    const ENTRY: &str = r#"{"id":7,"path":"n/dbs/1/2/a.parquet","size_bytes":5,"row_count":3,"chunk_time":-1,"min_time":-2,"max_time":9,"new":[]}"#;

    #[test]
    fn pairs_and_objects_read_alike() {
        let pairs = files(&format!(r#"[[1,{{"tables":[[2,[{ENTRY}]],[3,[]]]}}]]"#)).expect("pairs");
        let objects = files(&format!(r#"{{"1":{{"tables":{{"2":[{ENTRY}],"3":[]}}}}}}"#)).expect("objects");
        assert_eq!(pairs, objects);
        assert_eq!(
            pairs,
            [FileRef {
                database: 1,
                table: 2,
                id: 7,
                path: "n/dbs/1/2/a.parquet".to_owned(),
                size_bytes: 5,
                row_count: 3,
                chunk_time: -1,
                min_time: -2,
                max_time: 9,
            }]
        );
    }

    proptest! {
        #[test]
        fn whatever_is_said_of_a_file_is_kept(
            files in btree_map("[a-z]{1,9}(/[0-9]{1,9}){0,3}", (any::<[u64; 5]>(), any::<[i64; 3]>()), 1..100),
        ) {
            let file = |(path, (numbers, [chunk_time, min_time, max_time])): (String, ([u64; 5], [i64; 3]))| {
                let [database, table, id, size_bytes, row_count] = numbers;
                FileRef { database, table, id, path, size_bytes, row_count, chunk_time, min_time, max_time }
            };
            let files: Vec<FileRef> = files.into_iter().map(file).collect();
            let table: Table<FileRef> = files.iter().cloned().collect();
            prop_assert!(table.iter().eq(files));
        }
    }

    #[test]
    fn what_was_written_last_under_a_path_is_there() {
        let later = ENTRY.replace(r#""id":7"#, r#""id":8"#);
        let read = files(&format!(r#"[[1,{{"tables":[[2,[{ENTRY},{later}]]]}}]]"#)).expect("reads");
        assert_eq!(read.iter().map(|file| file.id).collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn other_shapes_are_refused() {
        for json in ["7", "null", "[1]", "[[1]]", r#"[["a",{"tables":[]}]]"#, "[[1,{}]]", r#"{"x":{"tables":[]}}"#] {
            assert!(files(json).is_err(), "{json}");
        }
    }
}
