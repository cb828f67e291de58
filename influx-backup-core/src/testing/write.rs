//! Valid bytes of the objects that a server writes, and the names that go with them.
//!
//! The shapes are those of real servers (Core 3.3, 3.6 and 3.10). Only the bodies of WAL and Parquet files are not: their rows
//! are plain numbers, written as a JSON array and padded with spaces ([`rows`]), so that a test can ask which rows a tree holds.

mod catalog;

use bytes::{BufMut, Bytes, BytesMut};
pub use catalog::{CatalogOp, CatalogSpec, DatabaseSpec, NodeSpec, catalog_log, catalog_root, terminator, uuid_text};
use chrono::DateTime;
use serde::Serialize;

const WAL_MAGIC: &[u8] = b"idb3.001";
const PARQUET_MAGIC: &[u8] = b"PAR1";

/// The bytes that a generated Parquet file has around its body: both magics and the length of the footer.
pub const PARQUET_FRAME: usize = 12;

/// The name of the manifest of snapshot `sequence`.
#[must_use]
pub fn manifest_name(sequence: u64) -> String {
    format!("{:020}.info.json", u64::MAX - sequence)
}

/// The name of the checkpoint whose last snapshot is `sequence`; it lies in a directory named after its month.
#[must_use]
pub fn checkpoint_name(sequence: u64) -> String {
    format!("{:020}.checkpoint.json", u64::MAX - sequence)
}

/// The name of catalog log `sequence`, the same in every generation.
#[must_use]
pub fn catalog_log_name(sequence: u64) -> String {
    format!("{sequence:020}.catalog")
}

/// The key of a Parquet file as v3.6 and later name it: `{node}/dbs/{db}/{table}/{date}/{time}/{wal:010}.parquet`.
///
/// `chunk_time` is in nanoseconds since 1970, `wal` the last WAL file of the snapshot that wrote it.
#[must_use]
pub fn parquet_key_by_id(node: &str, database: u32, table: u32, chunk_time: i64, wal: u64) -> String {
    format!("{node}/dbs/{database}/{table}/{}/{wal:010}.parquet", chunk_directory(chunk_time))
}

/// The key of a Parquet file as v3.0 to v3.5 name it: databases and tables are `(name, id)`.
#[must_use]
pub fn parquet_key_by_name(node: &str, db: (&str, u32), table: (&str, u32), chunk_time: i64, wal: u64) -> String {
    let chunk = chunk_directory(chunk_time);
    format!("{node}/dbs/{}-{}/{}-{}/{chunk}/{wal:010}.parquet", db.0, db.1, table.0, table.1)
}

fn chunk_directory(chunk_time: i64) -> String {
    DateTime::from_timestamp_nanos(chunk_time).format("%Y-%m-%d/%H-%M").to_string()
}

/// A body that carries these row numbers, `length` bytes long where they need less.
#[must_use]
pub fn rows(rows: impl IntoIterator<Item = u64>, length: usize) -> Bytes {
    let numbers: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
    let mut body = format!("[{}]", numbers.join(",")).into_bytes();
    body.resize(body.len().max(length), b' ');
    body.into()
}

/// The row numbers that a body carries, or `None` where [`rows`] did not write it.
#[must_use]
pub fn rows_of(body: &[u8]) -> Option<Vec<u64>> {
    serde_json::from_slice(body).ok()
}

/// A WAL file: magic, CRC over the body, body.
#[must_use]
pub fn wal(body: &[u8]) -> Bytes {
    framed(WAL_MAGIC, body)
}

/// The body of a WAL file, or `None` where magic, length or CRC are wrong.
#[must_use]
pub fn wal_body(file: &[u8]) -> Option<&[u8]> {
    let (crc, body) = file.strip_prefix(WAL_MAGIC)?.split_first_chunk::<4>()?;
    (u32::from_be_bytes(*crc) == crc32fast::hash(body)).then_some(body)
}

/// A file with the magics and the footer length of a Parquet file around `body`: [`PARQUET_FRAME`] bytes more.
#[must_use]
pub fn parquet(body: &[u8]) -> Bytes {
    // A real footer is short beside its file, also where the test makes the file large.
    let footer = u32::try_from(body.len().min(512)).unwrap_or_default();
    let mut file = BytesMut::with_capacity(body.len() + PARQUET_FRAME);
    file.put_slice(PARQUET_MAGIC);
    file.put_slice(body);
    file.put_u32_le(footer);
    file.put_slice(PARQUET_MAGIC);
    file.freeze()
}

/// The body of a file that [`parquet`] framed, or `None` where its magics or its footer length are wrong.
#[must_use]
pub fn parquet_body(file: &[u8]) -> Option<&[u8]> {
    let inner = file.strip_prefix(PARQUET_MAGIC)?.strip_suffix(PARQUET_MAGIC)?;
    let (body, footer) = inner.split_last_chunk::<4>()?;
    (u32::from_le_bytes(*footer) as usize <= body.len()).then_some(body)
}

/// An id of `magic` length, a big-endian CRC over the payload, the payload: WAL files and the catalog up to 3.9.
fn framed(magic: &[u8], payload: &[u8]) -> Bytes {
    let mut file = BytesMut::with_capacity(magic.len() + 4 + payload.len());
    file.put_slice(magic);
    file.put_u32(crc32fast::hash(payload));
    file.put_slice(payload);
    file.freeze()
}

/// One Parquet file, as manifests and checkpoints list it. Times are nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// The number of its database.
    pub database: u32,
    /// The number of its table.
    pub table: u32,
    /// The number of the file, unique in its node.
    pub id: u64,
    /// Its full key, the node's prefix included.
    pub path: String,
    /// Its exact length in bytes.
    pub size_bytes: u64,
    /// Its rows.
    pub row_count: u64,
    /// The start of its chunk.
    pub chunk_time: i64,
    /// The time of its first row.
    pub min_time: i64,
    /// The time of its last row.
    pub max_time: i64,
}

/// What a snapshot manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestSpec {
    /// The node that wrote it.
    pub node_id: String,
    /// The sequence of the snapshot.
    pub sequence: u64,
    /// The last WAL file it covers.
    pub wal: u64,
    /// The catalog's sequence when it was taken.
    pub catalog: u64,
    /// The number of the node's next Parquet file.
    pub next_file_id: u64,
    /// The files that this snapshot added.
    pub added: Vec<FileSpec>,
    /// The files that went away before it.
    pub removed: Vec<FileSpec>,
}

/// What a snapshot checkpoint (3.8.2 and later) says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointSpec {
    /// The node that wrote it.
    pub node_id: String,
    /// Its month, `YYYY-MM`.
    pub month: String,
    /// The sequence of the last snapshot in it.
    pub sequence: u64,
    /// The last WAL file it covers.
    pub wal: u64,
    /// The catalog's sequence.
    pub catalog: u64,
    /// The number of the node's next Parquet file.
    pub next_file_id: u64,
    /// Every file that the month's snapshots added and none of them removed.
    pub files: Vec<FileSpec>,
    /// Removed files that snapshots of other months added.
    pub pending_removed: Vec<FileSpec>,
}

/// The bytes of a snapshot manifest.
#[must_use]
pub fn manifest(spec: &ManifestSpec) -> Bytes {
    let totals = Totals::of(&spec.added);
    pretty(&ManifestJson {
        version: "1",
        node_id: &spec.node_id,
        next_file_id: spec.next_file_id,
        snapshot_sequence_number: spec.sequence,
        wal_file_sequence_number: spec.wal,
        catalog_sequence_number: spec.catalog,
        totals,
        databases: nested(&spec.added),
        removed_files: nested(&spec.removed),
    })
}

/// The bytes of a snapshot checkpoint.
#[must_use]
pub fn checkpoint(spec: &CheckpointSpec) -> Bytes {
    let totals = Totals::of(&spec.files);
    pretty(&CheckpointJson {
        version: "1",
        node_id: &spec.node_id,
        year_month: &spec.month,
        last_snapshot_sequence_number: spec.sequence,
        next_file_id: Some(spec.next_file_id),
        wal_file_sequence_number: spec.wal,
        catalog_sequence_number: spec.catalog,
        totals,
        databases: nested(&spec.files),
        pending_removed_files: nested(&spec.pending_removed),
    })
}

#[derive(Serialize)]
struct ManifestJson<'a> {
    version: &'static str,
    node_id: &'a str,
    next_file_id: u64,
    snapshot_sequence_number: u64,
    wal_file_sequence_number: u64,
    catalog_sequence_number: u64,
    #[serde(flatten)]
    totals: Totals,
    databases: Nested<'a>,
    removed_files: Nested<'a>,
}

#[derive(Serialize)]
struct CheckpointJson<'a> {
    version: &'static str,
    node_id: &'a str,
    year_month: &'a str,
    last_snapshot_sequence_number: u64,
    next_file_id: Option<u64>,
    wal_file_sequence_number: u64,
    catalog_sequence_number: u64,
    #[serde(flatten)]
    totals: Totals,
    databases: Nested<'a>,
    pending_removed_files: Nested<'a>,
}

/// A manifest without files has the empty range: from `i64::MAX` to `i64::MIN`.
#[derive(Serialize)]
struct Totals {
    parquet_size_bytes: u64,
    row_count: u64,
    min_time: i64,
    max_time: i64,
}

impl Totals {
    fn of(files: &[FileSpec]) -> Self {
        Self {
            parquet_size_bytes: files.iter().map(|file| file.size_bytes).sum(),
            row_count: files.iter().map(|file| file.row_count).sum(),
            min_time: files.iter().map(|file| file.min_time).min().unwrap_or(i64::MAX),
            max_time: files.iter().map(|file| file.max_time).max().unwrap_or(i64::MIN),
        }
    }
}

/// `[[db_id, {"tables": [[table_id, [file, …]], …]}], …]`: the server writes its maps as lists of pairs.
type Nested<'a> = Vec<(u32, Tables<'a>)>;

#[derive(Serialize, Default)]
struct Tables<'a> {
    tables: Vec<(u32, Vec<FileJson<'a>>)>,
}

#[derive(Serialize)]
struct FileJson<'a> {
    id: u64,
    path: &'a str,
    size_bytes: u64,
    row_count: u64,
    chunk_time: i64,
    min_time: i64,
    max_time: i64,
}

fn nested(files: &[FileSpec]) -> Nested<'_> {
    let mut sorted: Vec<&FileSpec> = files.iter().collect();
    sorted.sort_by_key(|file| (file.database, file.table));
    let mut nested = Nested::new();
    for file in sorted {
        if nested.last().is_none_or(|(database, _)| *database != file.database) {
            nested.push((file.database, Tables::default()));
        }
        let Some((_, Tables { tables })) = nested.last_mut() else { continue };
        if tables.last().is_none_or(|(table, _)| *table != file.table) {
            tables.push((file.table, Vec::new()));
        }
        let Some((_, files)) = tables.last_mut() else { continue };
        let FileSpec { id, ref path, size_bytes, row_count, chunk_time, min_time, max_time, .. } = *file;
        files.push(FileJson { id, path, size_bytes, row_count, chunk_time, min_time, max_time });
    }
    nested
}

fn pretty(value: &impl Serialize) -> Bytes {
    // Numbers, strings and lists only: nothing here can fail to serialize.
    serde_json::to_vec_pretty(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
