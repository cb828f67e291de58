//! One node: its checkpoints and manifests, then the WAL above what they cover.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;

use super::{Rows, Stop, Tree};
use influx_backup_core::testing::write;

/// A node as its server loaded it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadedNode {
    /// The newest snapshot, or `None` where the node never took one.
    pub last_snapshot: Option<u64>,
    /// The last WAL file that the snapshots cover; 0 where there are none.
    pub covered_wal: u64,
    /// The catalog sequence that the snapshots need.
    pub needs_catalog: u64,
    /// The Parquet files that queries see, absent and corrupt ones included.
    pub files: BTreeSet<LoadedFile>,
    /// The keys of visible files that are not there: queries that touch them fail.
    pub absent: BTreeSet<String>,
    /// The keys of visible files whose length is not what the manifest says, or that cannot be read.
    pub corrupt: BTreeSet<String>,
    /// The numbers of the WAL files that were replayed, ascending.
    pub replayed: Vec<u64>,
    /// The numbers of the WAL files above the watermark that were skipped: empty, or with a wrong checksum.
    pub skipped_wal: Vec<u64>,
    /// The rows that queries see, or `None` where they were not read or not written by [`write::rows`].
    pub rows: Option<BTreeSet<u64>>,
}

impl LoadedNode {
    /// The last WAL number whose rows are visible: covered by a snapshot or replayed.
    #[must_use]
    pub fn recovery_wal(&self) -> u64 {
        self.replayed.last().copied().unwrap_or(0).max(self.covered_wal)
    }

    /// The numbers missing above the watermark and below the last replayed file: no server looks for them.
    #[must_use]
    pub fn wal_gaps(&self) -> Vec<u64> {
        let there: BTreeSet<u64> = self.replayed.iter().copied().collect();
        (self.covered_wal + 1..=self.recovery_wal()).filter(|number| !there.contains(number)).collect()
    }
}

/// A Parquet file that queries see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadedFile {
    /// Its full key, as the manifest has it.
    pub path: String,
    /// Its number.
    pub id: u64,
    /// Its length in bytes, as the manifest has it.
    pub size_bytes: u64,
    /// Its rows, as the manifest has it.
    pub row_count: u64,
}

pub(super) async fn load(tree: &Tree, node: &str, rows: Rows) -> Result<LoadedNode, Stop> {
    let mut loaded = LoadedNode::default();
    check_marker(tree, node).await?;
    let files = snapshots(tree, node, &mut loaded).await?;
    let bodies = wal(tree, node, &mut loaded).await?;
    for file in files.values() {
        match tree.size(&file.path) {
            None => _ = loaded.absent.insert(file.path.clone()),
            Some(size) if size != file.size_bytes => _ = loaded.corrupt.insert(file.path.clone()),
            Some(_) => {}
        }
    }
    loaded.files = files.into_values().collect();
    if rows == Rows::Read {
        loaded.rows = visible_rows(tree, &mut loaded, &bodies).await?;
    }
    Ok(loaded)
}

/// A marker that does not parse makes a server panic; everything else about the derived indices is harmless.
async fn check_marker(tree: &Tree, node: &str) -> Result<(), Stop> {
    let key = format!("{node}/table-index-conversion-completed");
    if tree.size(&key).is_none() {
        return Ok(());
    }
    match serde_json::from_slice::<Value>(&tree.read(&key).await?) {
        Ok(value) if value["last_sequence_number"].is_u64() => Ok(()),
        _ => Err(Stop::at(&key, "the marker does not parse")),
    }
}

/// The newest checkpoint of every month, then the manifests above the newest of them; without checkpoints every manifest.
async fn snapshots(
    tree: &Tree,
    node: &str,
    loaded: &mut LoadedNode,
) -> Result<BTreeMap<(String, u64), LoadedFile>, Stop> {
    let mut files = BTreeMap::new();

    let mut months = BTreeMap::new();
    for (key, tail) in tree.below(&format!("{node}/snapshot-checkpoints")) {
        let (month, name) = tail.split_once('/').ok_or_else(|| Stop::at(key, "a stray file among the checkpoints"))?;
        let sequence =
            inverted(name, ".checkpoint.json").ok_or_else(|| Stop::at(key, "a stray file among the checkpoints"))?;
        let newest = months.entry(month).or_insert((sequence, key));
        *newest = (*newest).max((sequence, key));
    }
    let covered = months.values().map(|(sequence, _)| *sequence).max();
    for (key, bytes) in tree.read_all(months.values().map(|(_, key)| *key)).await? {
        let json = parse(key, &bytes)?;
        take_watermarks(key, &json, "last_snapshot_sequence_number", loaded)?;
        fold(key, &json, "pending_removed_files", &mut files)?;
    }

    let mut manifests = Vec::new();
    for (key, name) in tree.below(&format!("{node}/snapshots")) {
        let sequence = inverted(name, ".info.json").ok_or_else(|| Stop::at(key, "a stray file among the manifests"))?;
        if covered.is_none_or(|covered| sequence > covered) {
            manifests.push((sequence, key));
        }
    }
    manifests.sort_unstable();
    let bytes = tree.read_all(manifests.iter().map(|(_, key)| *key)).await?;
    for ((sequence, key), (_, bytes)) in manifests.into_iter().zip(bytes) {
        let json = parse(key, &bytes)?;
        if json["snapshot_sequence_number"].as_u64() != Some(sequence) {
            return Err(Stop::at(key, "the sequence is not that of its name"));
        }
        take_watermarks(key, &json, "snapshot_sequence_number", loaded)?;
        fold(key, &json, "removed_files", &mut files)?;
    }
    Ok(files)
}

fn inverted(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix).filter(|digits| digits.len() == 20)?;
    digits.parse().ok().map(|number: u64| u64::MAX - number)
}

fn parse(key: &str, bytes: &[u8]) -> Result<Value, Stop> {
    let json: Value = serde_json::from_slice(bytes).map_err(|_| Stop::at(key, "not JSON"))?;
    if json["version"] != "1" || !json["node_id"].is_string() {
        return Err(Stop::at(key, "neither version nor node id"));
    }
    Ok(json)
}

fn take_watermarks(key: &str, json: &Value, sequence: &str, loaded: &mut LoadedNode) -> Result<(), Stop> {
    let number = |field: &str| json[field].as_u64().ok_or_else(|| Stop::at(key, "a number is missing"));
    loaded.last_snapshot = loaded.last_snapshot.max(Some(number(sequence)?));
    loaded.covered_wal = loaded.covered_wal.max(number("wal_file_sequence_number")?);
    loaded.needs_catalog = loaded.needs_catalog.max(number("catalog_sequence_number")?);
    Ok(())
}

fn fold(key: &str, json: &Value, removed: &str, files: &mut BTreeMap<(String, u64), LoadedFile>) -> Result<(), Stop> {
    let malformed = || Stop::at(key, "the list of files is malformed");
    for file in listed(&json["databases"]).ok_or_else(malformed)? {
        files.insert((file.path.clone(), file.id), file);
    }
    // Manifests before 3.2 have no removed files.
    if !json[removed].is_null() {
        for file in listed(&json[removed]).ok_or_else(malformed)? {
            files.remove(&(file.path, file.id));
        }
    }
    Ok(())
}

/// `[[db, {"tables": [[table, [file, …]], …]}], …]`
fn listed(pairs: &Value) -> Option<Vec<LoadedFile>> {
    let mut files = Vec::new();
    for database in pairs.as_array()? {
        for table in database.get(1)?.get("tables")?.as_array()? {
            for file in table.get(1)?.as_array()? {
                files.push(LoadedFile {
                    path: file["path"].as_str()?.to_owned(),
                    id: file["id"].as_u64()?,
                    size_bytes: file["size_bytes"].as_u64()?,
                    row_count: file["row_count"].as_u64()?,
                });
            }
        }
    }
    Some(files)
}

/// The files that are replayed: all above the watermark, over gaps, without those that are empty or damaged.
async fn wal(tree: &Tree, node: &str, loaded: &mut LoadedNode) -> Result<Vec<Bytes>, Stop> {
    let mut above = Vec::new();
    for (key, name) in tree.below(&format!("{node}/wal")) {
        let digits = name.strip_suffix(".wal").filter(|digits| digits.len() == 11);
        let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
        above.extend(number.filter(|number| *number > loaded.covered_wal).map(|number| (number, key)));
    }
    let mut bodies = Vec::new();
    let bytes = tree.read_all(above.iter().map(|(_, key)| *key)).await?;
    for ((number, _), (_, bytes)) in above.iter().zip(bytes) {
        match write::wal_body(&bytes) {
            Some(body) if !body.is_empty() => {
                loaded.replayed.push(*number);
                bodies.push(bytes.slice_ref(body));
            }
            _ => loaded.skipped_wal.push(*number),
        }
    }
    Ok(bodies)
}

/// The rows of every file that is there and of the replayed WAL, or `None` where one body carries none.
async fn visible_rows(tree: &Tree, loaded: &mut LoadedNode, wal: &[Bytes]) -> Result<Option<BTreeSet<u64>>, Stop> {
    let there = |file: &&LoadedFile| !loaded.absent.contains(&file.path) && !loaded.corrupt.contains(&file.path);
    let keys: Vec<&str> = loaded.files.iter().filter(there).map(|file| file.path.as_str()).collect();
    let mut rows = Some(BTreeSet::new());
    let mut unreadable = Vec::new();
    let mut take = |body: &[u8]| match (write::rows_of(body), &mut rows) {
        (Some(found), Some(rows)) => rows.extend(found),
        _ => rows = None,
    };
    wal.iter().for_each(|body| take(body));
    // In batches, so that a large tree is never in memory at once.
    for batch in keys.chunks(64) {
        for (key, bytes) in tree.read_all(batch.iter().copied()).await? {
            match write::parquet_body(&bytes) {
                Some(body) => take(body),
                None => unreadable.push(key.to_owned()),
            }
        }
    }
    loaded.corrupt.extend(unreadable);
    Ok(rows)
}
