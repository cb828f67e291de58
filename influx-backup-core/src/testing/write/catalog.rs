//! The catalog's files: JSON behind a ten-byte id up to 3.9, binary records behind a 64-byte header from 3.10.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use super::framed;
use crate::layout::Generation;

/// The time of every generated catalog entry, in nanoseconds since 1970: nothing reads it.
const TIME_NS: i64 = 1_760_000_000_000_000_000;

/// A node as the catalog registers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSpec {
    /// Its number in the catalog, from 0.
    pub number: u8,
    /// Its id, at most 255 bytes.
    pub node_id: String,
    /// The uuid of its instance.
    pub instance: u128,
    /// Its mode as the catalog spells it, such as `Core` or `Ingest`.
    pub mode: String,
}

/// A database as the catalog creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSpec {
    /// Its number, from 0.
    pub number: u8,
    /// Its name, at most 255 bytes.
    pub name: String,
}

/// What a catalog root holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogSpec {
    /// The prefix of its owner: the node's id (Core) or the cluster's (Enterprise). Not in v3.
    pub catalog_id: String,
    /// The catalog's uuid.
    pub uuid: u128,
    /// The sequence of the last log that it contains.
    pub sequence: u64,
    /// The nodes registered up to then.
    pub nodes: Vec<NodeSpec>,
    /// The databases created up to then.
    pub databases: Vec<DatabaseSpec>,
}

/// One change in a catalog log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogOp {
    /// A node registers itself.
    RegisterNode(NodeSpec),
    /// A database is created.
    CreateDatabase(DatabaseSpec),
    /// The duration of the first generation is set, to one minute.
    SetGenerationDuration,
}

/// A uuid as text, in lower-case hexadecimal with dashes.
#[must_use]
pub fn uuid_text(uuid: u128) -> String {
    let hex = format!("{uuid:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The bytes of a catalog's root.
#[must_use]
pub fn catalog_root(generation: Generation, spec: &CatalogSpec) -> Bytes {
    let magic: &[u8] = match generation {
        Generation::V1 => b"idb3.003.s",
        Generation::V2 => b"idb3.004.s",
        Generation::V3 => return binary_root(spec),
    };
    framed(magic, json_root(spec).to_string().as_bytes())
}

/// The bytes of one catalog log.
///
/// A v1 or v2 log holds one batch of one kind: the first change decides which, and changes of another kind are skipped.
#[must_use]
pub fn catalog_log(generation: Generation, sequence: u64, uuid: u128, ops: &[CatalogOp]) -> Bytes {
    let magic: &[u8] = match generation {
        Generation::V1 => b"idb3.003.l",
        Generation::V2 => b"idb3.004.l",
        Generation::V3 => {
            let records = ops.iter().map(|op| record(sequence, op)).collect::<Vec<_>>();
            return binary(Kind::Log, uuid, sequence, &records);
        }
    };
    let log = json!({ "catalog_batch": json_batch(ops), "sequence_number": sequence });
    framed(magic, log.to_string().as_bytes())
}

/// The log that the next generation leaves at the end of this one; the same in every generation that has a successor.
#[must_use]
pub fn terminator(_generation: Generation) -> Bytes {
    framed(b"idb3.EOF.l", b"null")
}

fn json_root(spec: &CatalogSpec) -> Value {
    let nodes: Vec<Value> = spec.nodes.iter().map(json_node).collect();
    let databases: Vec<Value> = spec.databases.iter().map(json_database).collect();
    json!({
        "generation_config": { "generation_durations": [] },
        "nodes": { "next_id": nodes.len(), "repo": nodes },
        "databases": { "next_id": databases.len(), "repo": databases },
        "sequence": spec.sequence,
        "tokens": { "repo": [], "next_id": 0 },
        "catalog_id": spec.catalog_id,
        "catalog_uuid": uuid_text(spec.uuid),
    })
}

fn json_node(node: &NodeSpec) -> Value {
    json!([node.number, {
        "node_id": node.node_id,
        "node_catalog_id": node.number,
        "instance_id": uuid_text(node.instance),
        "mode": [node.mode],
        "state": { "Running": { "registered_time_ns": TIME_NS } },
        "core_count": 2,
        "cli_params": null,
    }])
}

fn json_database(database: &DatabaseSpec) -> Value {
    json!([database.number, {
        "id": database.number,
        "name": database.name,
        "tables": { "repo": [], "next_id": 0 },
        "retention_period": "Indefinite",
        "processing_engine_triggers": { "repo": [], "next_id": 0 },
        "deleted": false,
        "hard_delete_time": null,
    }])
}

fn json_batch(ops: &[CatalogOp]) -> Value {
    match ops.first() {
        Some(CatalogOp::RegisterNode(first)) => json!({ "Node": {
            "time_ns": TIME_NS, "node_catalog_id": first.number, "node_id": first.node_id,
            "ops": ops.iter().filter_map(json_register).collect::<Vec<_>>(),
        }}),
        Some(CatalogOp::CreateDatabase(first)) => json!({ "Database": {
            "time_ns": TIME_NS, "database_id": first.number, "database_name": first.name,
            "ops": ops.iter().filter_map(json_create).collect::<Vec<_>>(),
        }}),
        Some(CatalogOp::SetGenerationDuration) | None => json!({ "Generation": {
            "time_ns": TIME_NS,
            "ops": [{ "SetGenerationDuration": { "level": 1, "duration": { "secs": 60, "nanos": 0 } } }],
        }}),
    }
}

fn json_register(op: &CatalogOp) -> Option<Value> {
    let CatalogOp::RegisterNode(node) = op else { return None };
    Some(json!({ "RegisterNode": {
        "node_id": node.node_id, "instance_id": uuid_text(node.instance), "registered_time_ns": TIME_NS,
        "core_count": 2, "mode": [node.mode], "process_uuid": uuid_text(!node.instance),
    }}))
}

fn json_create(op: &CatalogOp) -> Option<Value> {
    let CatalogOp::CreateDatabase(database) = op else { return None };
    Some(json!({ "CreateDatabase": {
        "database_id": database.number, "database_name": database.name, "retention_period": null,
    }}))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Log,
}

fn binary_root(spec: &CatalogSpec) -> Bytes {
    // A fresh root is never empty: it begins with the storage mode.
    let mut records = vec![record_of(STORAGE_MODE, spec.sequence, &[0])];
    records.extend(spec.nodes.iter().map(|node| record_of(REGISTER_NODE, spec.sequence, &node_body(node))));
    records.extend(spec.databases.iter().map(|db| record_of(CREATE_DATABASE, spec.sequence, &database_body(db))));
    binary(Kind::Root, spec.uuid, spec.sequence, &records)
}

fn binary(kind: Kind, uuid: u128, sequence: u64, records: &[Vec<u8>]) -> Bytes {
    let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
    let records = records.concat();
    let mut payload = BytesMut::with_capacity(records.len() + 24);
    if kind == Kind::Root {
        // The index of the one group: its offset, its records, their length.
        payload.put_u64_le(0);
        payload.put_u32_le(count);
        payload.put_u64_le(records.len() as u64);
        payload.put_u32_le(0);
    }
    payload.put_slice(&records);

    let mut checked = BytesMut::with_capacity(52);
    checked.put_u16_le((kind == Kind::Root).into());
    checked.put_u16_le(0);
    checked.put_u128_le(uuid);
    checked.put_u64_le(sequence);
    checked.put_u32_le(count);
    checked.put_u32_le((kind == Kind::Root).into());
    checked.put_u64_le(payload.len() as u64);
    checked.put_u32_le(crc32fast::hash(&payload));
    checked.put_u32_le(0);

    let mut file = BytesMut::with_capacity(64 + payload.len());
    file.put_slice(b"IDB3");
    file.put_u32_le(1);
    file.put_u32_le(crc32fast::hash(&checked));
    file.put_slice(&checked);
    file.put_slice(&payload);
    file.freeze()
}

const REGISTER_NODE: u16 = 2;
const CREATE_DATABASE: u16 = 4;
const SET_GENERATION_DURATION: u16 = 24;
const STORAGE_MODE: u16 = 25;

fn record(sequence: u64, op: &CatalogOp) -> Vec<u8> {
    match op {
        CatalogOp::RegisterNode(node) => record_of(REGISTER_NODE, sequence, &node_body(node)),
        CatalogOp::CreateDatabase(database) => record_of(CREATE_DATABASE, sequence, &database_body(database)),
        CatalogOp::SetGenerationDuration => {
            record_of(SET_GENERATION_DURATION, sequence, &[1, 0, 0, 0x58, 0x47, 0xf8, 0x0d, 0, 0, 0])
        }
    }
}

fn record_of(id: u16, sequence: u64, body: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(16 + body.len());
    record.put_u16_le(id);
    record.put_u16_le(0);
    record.put_u64_le(sequence);
    record.put_u32_le(u32::try_from(body.len()).unwrap_or(u32::MAX));
    record.put_slice(body);
    record
}

fn node_body(node: &NodeSpec) -> Vec<u8> {
    let mut body = numbered(node.number, &node.node_id);
    put_text(&mut body, &uuid_text(node.instance));
    // Registration time and what follows it: recorded from a server, undocumented.
    body.put_u8(0);
    body.put_i64_le(TIME_NS);
    body.put_slice(&[6, 2, 1, 0, 0]);
    body
}

fn database_body(database: &DatabaseSpec) -> Vec<u8> {
    let mut body = numbered(database.number, &database.name);
    body.put_u8(0);
    body
}

fn numbered(number: u8, name: &str) -> Vec<u8> {
    let mut body = vec![4, number];
    put_text(&mut body, name);
    body
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    body.put_u8(u8::try_from(text.len()).unwrap_or(u8::MAX));
    body.put_slice(text.as_bytes());
}
