//! The catalog: the root of one generation, then its logs above the root.

use serde_json::Value;

use super::{Release, Stop, Tree};
use influx_backup_core::layout::Generation;

/// The catalog as a server loaded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedCatalog {
    /// The generation whose files were read.
    pub generation: Generation,
    /// The sequence of the newest log, or of the root where there is none above it.
    pub sequence: u64,
    /// The uuid as text.
    pub uuid: String,
    /// Numbers that are missing between the root and the newest log: servers up to 3.10.1 do not look for them.
    pub missing_logs: Vec<u64>,
}

/// One valid file of a catalog.
struct File {
    sequence: u64,
    /// JSON logs carry none.
    uuid: Option<String>,
}

enum Log {
    Changes(File),
    Terminator,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A server that writes this generation.
    Own,
    /// A server of the next generation, which migrates this one.
    Migrating,
}

/// The catalog below `owner`, or `None` where a server finds none and makes a new one.
pub(super) async fn load(tree: &Tree, owner: &str, release: Release) -> Result<Option<LoadedCatalog>, Stop> {
    let exists = |generation: Generation| {
        let root = format!("{owner}/{}", generation.root());
        tree.size(&root).is_some() || tree.below(&format!("{owner}/{}", generation.logs())).next().is_some()
    };
    let own = match release {
        Release::Writing(generation) => generation,
        Release::OfTheStore => match Generation::ALL.iter().copied().rev().find(|generation| exists(*generation)) {
            Some(generation) => generation,
            None => return Ok(None),
        },
    };
    if exists(own) {
        return read(tree, owner, own, Reader::Own).await.map(Some);
    }
    // A server migrates one step only: 3.10 does not see a v1 catalog.
    match Generation::ALL.iter().copied().rev().find(|generation| *generation < own) {
        Some(previous) if exists(previous) => read(tree, owner, previous, Reader::Migrating).await.map(Some),
        _ => Ok(None),
    }
}

async fn read(tree: &Tree, owner: &str, generation: Generation, reader: Reader) -> Result<LoadedCatalog, Stop> {
    let root_key = format!("{owner}/{}", generation.root());
    if tree.size(&root_key).is_none() {
        // A server rebuilds it once, under a new uuid, and refuses to start the second time.
        return Err(Stop::at(&root_key, "the catalog has logs but no root"));
    }
    let root = root(generation, &tree.read(&root_key).await?).map_err(|why| Stop::at(&root_key, why))?;
    let uuid = root.uuid.unwrap_or_default();

    let mut logs = Vec::new();
    for (key, name) in tree.below(&format!("{owner}/{}", generation.logs())) {
        let number = name.strip_suffix(".catalog").filter(|digits| digits.len() == 20);
        let number: u64 = number.and_then(|digits| digits.parse().ok()).ok_or_else(|| stray(key))?;
        if number > root.sequence {
            logs.push((number, key));
        }
    }
    let bytes = tree.read_all(logs.iter().map(|(_, key)| *key)).await?;
    let mut sequence = root.sequence;
    let mut missing_logs = Vec::new();
    for ((number, key), (_, bytes)) in logs.into_iter().zip(bytes) {
        match log(generation, &bytes).map_err(|why| Stop::at(key, why))? {
            Log::Terminator if reader == Reader::Own => {
                return Err(Stop::at(key, "a newer server has taken this catalog over"));
            }
            Log::Terminator => break,
            Log::Changes(log) if log.sequence != number => {
                return Err(Stop::at(key, "the log's sequence is not that of its name"));
            }
            Log::Changes(log) if log.uuid.as_ref().is_some_and(|log| *log != uuid) => {
                return Err(Stop::at(key, "the log belongs to another catalog"));
            }
            Log::Changes(_) => {
                missing_logs.extend(sequence + 1..number);
                sequence = number;
            }
        }
    }
    Ok(LoadedCatalog { generation, sequence, uuid, missing_logs })
}

fn stray(key: &str) -> Stop {
    Stop::at(key, "a stray file among the catalog's logs")
}

fn root(generation: Generation, bytes: &[u8]) -> Result<File, &'static str> {
    if generation == Generation::V3 {
        return binary(bytes, 1);
    }
    let value = json(bytes, b".s")?;
    let sequence = value["sequence"].as_u64().ok_or("the root has no sequence")?;
    Ok(File { sequence, uuid: value["catalog_uuid"].as_str().map(str::to_owned) })
}

fn log(generation: Generation, bytes: &[u8]) -> Result<Log, &'static str> {
    if bytes.starts_with(b"idb3.EOF.l") {
        return Ok(Log::Terminator);
    }
    if generation == Generation::V3 {
        return binary(bytes, 0).map(Log::Changes);
    }
    let sequence = json(bytes, b".l")?["sequence_number"].as_u64().ok_or("the log has no sequence")?;
    Ok(Log::Changes(File { sequence, uuid: None }))
}

/// `idb3.00N.s|l`, a big-endian CRC over what follows it, JSON.
fn json(bytes: &[u8], kind: &[u8]) -> Result<Value, &'static str> {
    let (id, rest) = bytes.split_at_checked(10).ok_or("shorter than its header")?;
    let (crc, payload) = rest.split_at_checked(4).ok_or("shorter than its header")?;
    if !id.starts_with(b"idb3.00") || !id.ends_with(kind) {
        return Err("unrecognized format");
    }
    if crc != crc32fast::hash(payload).to_be_bytes() {
        return Err("the checksum is wrong");
    }
    serde_json::from_slice(payload).map_err(|_| "not JSON")
}

/// The 64-byte header of 3.10 and the payload's checksum.
fn binary(bytes: &[u8], flags: u16) -> Result<File, &'static str> {
    let (header, payload) = bytes.split_at_checked(64).ok_or("shorter than its header")?;
    let number = |at: usize, length: usize| {
        header[at..at + length].iter().rev().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte))
    };
    if !header.starts_with(b"IDB3") || number(4, 4) != 1 {
        return Err("unrecognized format");
    }
    if number(8, 4) != u128::from(crc32fast::hash(&header[12..])) {
        return Err("the header's checksum is wrong");
    }
    if number(12, 2) & 1 != u128::from(flags) {
        return Err("a log in the place of a root, or a root in the place of a log");
    }
    if number(0x30, 8) != payload.len() as u128 || number(0x38, 4) != u128::from(crc32fast::hash(payload)) {
        return Err("the checksum is wrong");
    }
    let hex = format!("{:032x}", number(0x10, 16));
    let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    let sequence = u64::try_from(number(0x20, 8)).map_err(|_| "the sequence is not a u64")?;
    Ok(File { sequence, uuid: Some(uuid) })
}
