//! What a server would show from a tree: its own reader, sharing no code with the crate's formats, discovery or certificate.
//!
//! It does what `reference/layout.md` section 3.3 says a server does at its start: the newest catalog root and its logs; per node the
//! newest checkpoint of each month, then newer manifests in ascending order; then the WAL above what those cover, over gaps. The
//! compactor's newest summary adds compacted files. Rows of tables that the catalog does not know, or knows as dropped, are not shown.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use serde_json::Value;

/// The objects of a tree by key, relative to its prefix.
pub type Tree = BTreeMap<String, Bytes>;

/// What a server shows from a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadedRows {
    /// Every row it returns.
    pub rows: BTreeSet<u64>,
    /// Its nodes, by id.
    pub nodes: BTreeMap<String, LoadedNode>,
    /// Files that live entries name and that are not there: queries that touch them fail.
    pub missing: Vec<MissingFile>,
    /// Keys of files that are there and cannot be read: another size than the entry says, or not whole.
    pub unreadable: Vec<String>,
    /// The catalog's sequence.
    pub catalog: u64,
}

impl LoadedRows {
    /// The highest WAL number that each node's rows come from.
    #[must_use]
    pub fn reached(&self) -> BTreeMap<String, u64> {
        self.nodes.iter().map(|(id, node)| (id.clone(), node.reached)).collect()
    }
}

/// One node as a server loads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadedNode {
    /// The newest snapshot, from manifests or checkpoints.
    pub snapshot: Option<u64>,
    /// The last WAL file that it covers.
    pub covered: u64,
    /// The last WAL file replayed; what is covered where there is none.
    pub reached: u64,
    /// Numbers missing between what is covered and the last WAL file.
    pub holes: Vec<u64>,
    /// WAL files skipped because they are damaged.
    pub damaged: Vec<u64>,
}

/// A file that a live entry names and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFile {
    /// The node; the compactor for compacted files.
    pub node: String,
    /// Its key.
    pub path: String,
    /// Whether the compactor's summary says that another file holds its rows.
    pub superseded: bool,
}

/// Why a server does not start on a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is no catalog: a server would make a new, empty one.
    #[error("there is no catalog")]
    NoCatalog,
    /// An object that a start needs is missing or damaged.
    #[error("`{key}`: {reason}")]
    Object {
        /// Its key.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

fn refuse(key: &str, reason: impl Into<String>) -> LoadError {
    LoadError::Object { key: key.to_owned(), reason: reason.into() }
}

/// Reads a whole tree from a store. From a store without delays this is an instant.
///
/// # Errors
/// Whatever the store says.
pub async fn collect(store: &dyn ObjectStore, prefix: &Path) -> object_store::Result<Tree> {
    let keys: Vec<_> = store.list(Some(prefix)).try_collect().await?;
    let mut tree = Tree::new();
    for meta in keys {
        let bytes = store.get(&meta.location).await?.bytes().await?;
        let key = meta.location.as_ref().strip_prefix(prefix.as_ref()).unwrap_or_default();
        tree.insert(key.trim_start_matches('/').to_owned(), bytes);
    }
    Ok(tree)
}

/// Starts a server on a tree, in thought.
///
/// # Errors
/// [`LoadError`] where no server starts on it.
pub fn load(tree: &Tree) -> Result<LoadedRows, LoadError> {
    let catalog = load_catalog(tree)?;
    let mut loaded = LoadedRows { catalog: catalog.sequence, ..LoadedRows::default() };
    let superseded = load_compacted(tree, &catalog, &mut loaded)?;
    let nodes: BTreeSet<&str> = tree.keys().filter_map(|key| node_of(key)).collect();
    for node in nodes {
        load_node(tree, node, &catalog, &superseded, &mut loaded)?;
    }
    Ok(loaded)
}

fn node_of(key: &str) -> Option<&str> {
    let (node, tail) = key.split_once('/')?;
    ["wal/", "snapshots/", "snapshot-checkpoints/", "dbs/"].iter().any(|kind| tail.starts_with(kind)).then_some(node)
}

fn below<'a>(tree: &'a Tree, prefix: &str) -> impl Iterator<Item = (&'a str, &'a Bytes)> + use<'a> {
    let prefix = prefix.to_owned();
    let range = tree.range(prefix.clone()..);
    range.take_while(move |(key, _)| key.starts_with(&prefix)).map(|(key, bytes)| (key.as_str(), bytes))
}

fn number(key: &str, suffix: &str) -> Result<u64, LoadError> {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(suffix).and_then(|digits| digits.parse().ok()).ok_or_else(|| refuse(key, "a stray name"))
}

fn json(key: &str, bytes: &[u8]) -> Result<Value, LoadError> {
    serde_json::from_slice(bytes).map_err(|error| refuse(key, error.to_string()))
}

#[derive(Debug, Default)]
struct Known {
    sequence: u64,
    /// Columns of each table.
    tables: BTreeMap<u64, u64>,
    dropped: BTreeSet<u64>,
}

impl Known {
    fn shows(&self, table: u64) -> bool {
        self.tables.contains_key(&table) && !self.dropped.contains(&table)
    }

    /// The model writes each fact as a database of this name.
    fn learn(&mut self, fact: &str) {
        let mut parts = fact.split('-');
        let kind = parts.next();
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
        match (kind, number(), number()) {
            (Some("table"), Some(table), _) => {
                self.tables.insert(table, 1);
            }
            (Some("column"), Some(table), Some(column)) => {
                self.tables.insert(table, column);
            }
            (Some("drop"), Some(table), _) => {
                self.dropped.insert(table);
            }
            _ => {}
        }
    }
}

/// The root of the newest generation and the logs after it. A generation that is terminated and has no successor is migrated again.
fn load_catalog(tree: &Tree) -> Result<Known, LoadError> {
    let layouts = [
        ("catalog/v3/snapshot", "catalog/v3/logs/"),
        ("catalog/v2/snapshot", "catalog/v2/logs/"),
        ("_catalog_checkpoint", "catalogs/"),
    ];
    for (root, logs) in layouts {
        let Some((key, bytes)) = tree.iter().find(|(key, _)| key.split_once('/').is_some_and(|(_, tail)| tail == root))
        else {
            if let Some(key) =
                tree.keys().find(|key| key.split_once('/').is_some_and(|(_, tail)| tail.starts_with(logs)))
            {
                return Err(refuse(key, "the root of this log is missing"));
            }
            continue;
        };
        let owner = key.split('/').next().unwrap_or_default();
        let mut known = Known::default();
        let mut uuid = None;
        read_catalog_file(key, bytes, &mut known, &mut uuid)?;
        for (key, bytes) in below(tree, &format!("{owner}/{logs}")) {
            let sequence = number(key, ".catalog")?;
            if sequence <= known.sequence {
                continue;
            }
            if sequence != known.sequence + 1 {
                return Err(refuse(key, format!("log {} is missing", known.sequence + 1)));
            }
            if bytes.starts_with(b"idb3.EOF.l") {
                break;
            }
            read_catalog_file(key, bytes, &mut known, &mut uuid)?;
            if known.sequence != sequence {
                return Err(refuse(key, "its name is not its sequence"));
            }
        }
        return Ok(known);
    }
    Err(LoadError::NoCatalog)
}

fn read_catalog_file(key: &str, bytes: &[u8], known: &mut Known, uuid: &mut Option<[u8; 16]>) -> Result<(), LoadError> {
    if bytes.starts_with(b"IDB3") {
        read_binary(bytes, known, uuid).ok_or_else(|| refuse(key, "not a valid catalog file"))
    } else {
        let payload = checked(bytes, 10).ok_or_else(|| refuse(key, "not a valid catalog file"))?;
        read_json(&json(key, payload)?, known).ok_or_else(|| refuse(key, "a field is missing"))
    }
}

/// The payload behind an id of `id` bytes and a big-endian CRC.
fn checked(bytes: &[u8], id: usize) -> Option<&[u8]> {
    let crc = u32::from_be_bytes(bytes.get(id..id + 4)?.try_into().ok()?);
    let payload = &bytes[id + 4..];
    (crc32fast::hash(payload) == crc).then_some(payload)
}

fn read_json(file: &Value, known: &mut Known) -> Option<()> {
    if let Some(sequence) = file.get("sequence") {
        known.sequence = sequence.as_u64()?;
        for database in file["databases"]["repo"].as_array()? {
            known.learn(database[1]["name"].as_str()?);
        }
        return Some(());
    }
    known.sequence = file["sequence_number"].as_u64()?;
    for op in file["catalog_batch"]["Database"]["ops"].as_array().into_iter().flatten() {
        known.learn(op["CreateDatabase"]["database_name"].as_str()?);
    }
    Some(())
}

fn read_binary(bytes: &[u8], known: &mut Known, uuid: &mut Option<[u8; 16]>) -> Option<()> {
    let u32_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let payload = bytes.get(64..)?;
    let id: [u8; 16] = bytes.get(0x10..0x20)?.try_into().ok()?;
    let valid = u32_at(8)? == crc32fast::hash(&bytes[0x0c..0x40])
        && u32_at(0x38)? == crc32fast::hash(payload)
        && *uuid.get_or_insert(id) == id;
    if !valid {
        return None;
    }
    known.sequence = u64::from_le_bytes(bytes.get(0x20..0x28)?.try_into().ok()?);
    let mut records = payload.get(u32_at(0x2c)? as usize * 24..)?;
    while !records.is_empty() {
        let kind = u16::from_le_bytes(records.get(..2)?.try_into().ok()?);
        let length = u32::from_le_bytes(records.get(12..16)?.try_into().ok()?) as usize;
        let body = records.get(16..16 + length)?;
        if kind == 4 {
            let name = body.get(3..3 + usize::from(*body.get(2)?))?;
            known.learn(std::str::from_utf8(name).ok()?);
        }
        records = &records[16 + length..];
    }
    Some(())
}

/// The rows of a Parquet file of the model, or `None` where it is not whole.
fn parquet_rows(bytes: &[u8]) -> Option<Vec<u64>> {
    let inner = bytes.strip_prefix(b"PAR1")?.strip_suffix(b"PAR1")?;
    serde_json::from_slice(inner.get(..inner.len().checked_sub(4)?)?).ok()
}

/// The compactor's newest summary, its details, their generations and files; gives the gen1 files that they replace.
fn load_compacted(tree: &Tree, catalog: &Known, loaded: &mut LoadedRows) -> Result<BTreeSet<String>, LoadError> {
    let mut superseded = BTreeSet::new();
    let mut summaries = Vec::new();
    for (key, bytes) in
        tree.iter().filter(|(key, _)| key.split_once('/').is_some_and(|(_, tail)| tail.starts_with("cs/")))
    {
        summaries.push(json(key, bytes)?);
    }
    // Names sort by number: the last one is the newest.
    if summaries.last().is_some_and(|newest| newest["older_count"] != true) {
        summaries.drain(..summaries.len() - 1);
    }
    let details: BTreeSet<&str> = summaries
        .iter()
        .flat_map(|body| body["details"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let object =
        |key: &str| tree.get(key).ok_or_else(|| refuse(key, "a compaction summary needs it and it is missing"));
    for detail in details {
        let detail_body = json(detail, object(detail)?)?;
        let generation = detail_body["generation"].as_str().ok_or_else(|| refuse(detail, "no generation"))?;
        let body = json(generation, object(generation)?)?;
        let file = body["file"].as_str().ok_or_else(|| refuse(generation, "no file"))?;
        superseded
            .extend(body["supersedes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        let shown = body["table"].as_u64().is_some_and(|table| catalog.shows(table));
        match tree.get(file).map(|bytes| parquet_rows(bytes)) {
            Some(Some(rows)) if shown => loaded.rows.extend(rows),
            Some(Some(_)) => {}
            Some(None) => loaded.unreadable.push(file.to_owned()),
            None => {
                let node = file.split('/').next().unwrap_or_default().to_owned();
                loaded.missing.push(MissingFile { node, path: file.to_owned(), superseded: false });
            }
        }
    }
    Ok(superseded)
}

#[derive(Debug)]
struct LiveFile {
    table: u64,
    size: u64,
}

/// `[[db, {"tables": [[table, [file, …]], …]}], …]` → path, file.
fn entries(value: &Value) -> Vec<(String, LiveFile)> {
    let mut files = Vec::new();
    for table in value.as_array().into_iter().flatten().flat_map(|db| db[1]["tables"].as_array().into_iter().flatten())
    {
        let number = table[0].as_u64().unwrap_or_default();
        for file in table[1].as_array().into_iter().flatten() {
            let (Some(path), Some(size)) = (file["path"].as_str(), file["size_bytes"].as_u64()) else { continue };
            files.push((path.to_owned(), LiveFile { table: number, size }));
        }
    }
    files
}

fn load_node(
    tree: &Tree,
    id: &str,
    catalog: &Known,
    superseded: &BTreeSet<String>,
    loaded: &mut LoadedRows,
) -> Result<(), LoadError> {
    let mut node = LoadedNode::default();
    let live = load_snapshots(tree, id, &mut node)?;
    for (path, file) in live {
        match tree.get(&path) {
            None => {
                loaded.missing.push(MissingFile { node: id.to_owned(), superseded: superseded.contains(&path), path })
            }
            Some(bytes) => match parquet_rows(bytes).filter(|_| bytes.len() as u64 == file.size) {
                None => loaded.unreadable.push(path),
                Some(rows) if catalog.shows(file.table) => loaded.rows.extend(rows),
                Some(_) => {}
            },
        }
    }
    replay(tree, id, catalog, &mut node, &mut loaded.rows)?;
    loaded.nodes.insert(id.to_owned(), node);
    Ok(())
}

/// Checkpoints first (the newest of each month), then newer manifests, oldest first.
fn load_snapshots(tree: &Tree, id: &str, node: &mut LoadedNode) -> Result<BTreeMap<String, LiveFile>, LoadError> {
    let mut live = BTreeMap::new();
    let mut months: BTreeMap<&str, (&str, &Bytes)> = BTreeMap::new();
    let directory = format!("{id}/snapshot-checkpoints/");
    for (key, bytes) in below(tree, &directory) {
        let month = key[directory.len()..].split('/').next().unwrap_or_default();
        // Names are inverted, so the first is the newest.
        months.entry(month).or_insert((key, bytes));
    }
    let mut pending = Vec::new();
    for (key, bytes) in months.into_values() {
        let body = json(key, bytes)?;
        watermark(key, &body, "last_snapshot_sequence_number", node)?;
        live.extend(entries(&body["databases"]));
        pending.extend(entries(&body["pending_removed_files"]));
    }
    for (path, _) in pending {
        live.remove(&path);
    }
    let checkpointed = node.snapshot;
    let manifests: Vec<_> = below(tree, &format!("{id}/snapshots/")).collect();
    for (key, bytes) in manifests.into_iter().rev() {
        let sequence = u64::MAX - number(key, ".info.json")?;
        if checkpointed.is_some_and(|newest| sequence <= newest) {
            continue;
        }
        let body = json(key, bytes)?;
        watermark(key, &body, "snapshot_sequence_number", node)?;
        live.extend(entries(&body["databases"]));
        for (path, _) in entries(&body["removed_files"]) {
            live.remove(&path);
        }
    }
    Ok(live)
}

fn watermark(key: &str, body: &Value, sequence: &str, node: &mut LoadedNode) -> Result<(), LoadError> {
    let field = |name: &str| body[name].as_u64().ok_or_else(|| refuse(key, format!("no {name}")));
    node.snapshot = node.snapshot.max(Some(field(sequence)?));
    node.covered = node.covered.max(field("wal_file_sequence_number")?);
    node.reached = node.covered;
    Ok(())
}

/// WAL above what is covered, in order, over gaps. Damaged files are skipped; a column that the catalog lacks stops a server.
fn replay(
    tree: &Tree,
    id: &str,
    catalog: &Known,
    node: &mut LoadedNode,
    rows: &mut BTreeSet<u64>,
) -> Result<(), LoadError> {
    let mut next = node.covered + 1;
    for (key, bytes) in below(tree, &format!("{id}/wal/")) {
        let number = number(key, ".wal")?;
        if number <= node.covered {
            continue;
        }
        node.holes.extend(next..number);
        next = number + 1;
        let Some(body) = bytes.starts_with(b"idb3.001").then(|| checked(bytes, 8)).flatten() else {
            node.damaged.push(number);
            continue;
        };
        node.reached = number;
        for row in json(key, body)?["rows"].as_array().into_iter().flatten() {
            let (Some(row), Some(table), Some(columns)) = (row[0].as_u64(), row[1].as_u64(), row[2].as_u64()) else {
                return Err(refuse(key, "a row that is none"));
            };
            if catalog.tables.get(&table).is_some_and(|known| *known < columns) {
                return Err(refuse(key, format!("table {table} has a column that the catalog does not know")));
            }
            if catalog.shows(table) {
                rows.insert(row);
            }
        }
    }
    Ok(())
}
