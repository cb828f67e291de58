//! Catalog files of v1 and v2: ten bytes of identification, a checksum, and (all but the betas) JSON.
//!
//! Source: `influxdb3_catalog/src/serialize.rs` of v3.0.0, `serialize/versions/` from v3.4.0.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{CatalogFile, DatabaseRecord, DatabaseState, Evidence, Kind, NodeRecord, NodeState};
use crate::format::error::{self, End, FormatError};
use crate::format::files::Pairs;
use crate::layout::Generation;

/// Bytes of the identification and the checksum together.
const HEADER: usize = 14;

/// What follows the header.
#[derive(Debug, Clone, Copy)]
enum Payload {
    /// `001`, written by the 3.0 betas.
    Bitcode(Kind),
    Json(Generation, Kind),
    Terminator,
}

pub(super) fn parse(bytes: &[u8]) -> Result<CatalogFile, FormatError> {
    error::at_least(bytes.len() as u64, HEADER as u64)?;
    let (id, rest) = bytes.split_at(10);
    let payload = identify(id)?;
    let (stored, body) = rest.split_at(4);
    error::checksum(stored.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)), body)?;
    match payload {
        Payload::Bitcode(kind) => Ok(CatalogFile {
            generation: Some(Generation::V1),
            kind,
            sequence: None,
            uuid: None,
            nodes: Evidence::Unreadable,
            databases: Evidence::Unreadable,
        }),
        Payload::Terminator => read::<()>(body).map(|()| CatalogFile {
            generation: None,
            kind: Kind::Terminator,
            sequence: None,
            uuid: None,
            nodes: Evidence::Read(Vec::new()),
            databases: Evidence::Read(Vec::new()),
        }),
        Payload::Json(generation, Kind::Root) => root(generation, body),
        Payload::Json(generation, _) => log(generation, body),
    }
}

fn identify(id: &[u8]) -> Result<Payload, FormatError> {
    let kind = match id {
        b"idb3.EOF.l" => return Ok(Payload::Terminator),
        [b'i', b'd', b'b', b'3', b'.', _, _, _, b'.', b's'] => Kind::Root,
        [b'i', b'd', b'b', b'3', b'.', _, _, _, b'.', b'l'] => Kind::Log,
        _ => return Err(FormatError::magic(End::Start, id)),
    };
    match &id[5..8] {
        b"001" => Ok(Payload::Bitcode(kind)),
        b"002" | b"003" => Ok(Payload::Json(Generation::V1, kind)),
        b"004" => Ok(Payload::Json(Generation::V2, kind)),
        other => Err(FormatError::UnsupportedVersion {
            found: other.escape_ascii().to_string(),
            known: "001 to 004".to_owned(),
        }),
    }
}

fn root(generation: Generation, body: &[u8]) -> Result<CatalogFile, FormatError> {
    let header: RootHeader = read(body)?;
    Ok(CatalogFile {
        generation: Some(generation),
        kind: Kind::Root,
        sequence: Some(header.sequence),
        uuid: header.catalog_uuid,
        nodes: Evidence::of(read(body).ok().map(|RootNodes { nodes }| nodes.into_records())),
        databases: Evidence::of(read(body).ok().map(|RootDatabases { databases }| databases.into_records())),
    })
}

fn log(generation: Generation, body: &[u8]) -> Result<CatalogFile, FormatError> {
    let header: LogHeader = read(body)?;
    Ok(CatalogFile {
        generation: Some(generation),
        kind: Kind::Log,
        sequence: Some(header.sequence_number),
        uuid: None,
        nodes: Evidence::of(read(body).ok().map(|LogNodes { catalog_batch }| catalog_batch.node.map(NodeRecord::from))),
        databases: Evidence::of(read(body).ok().map(|LogDatabases { catalog_batch }| catalog_batch.into_records())),
    })
}

/// Reads one aspect of the JSON. A file is read once for each, so that one that is not as expected spoils no other.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, FormatError> {
    serde_json::from_slice(body).map_err(|error| FormatError::json(&error))
}

#[derive(Deserialize)]
struct RootHeader {
    sequence: u64,
    catalog_uuid: Option<String>,
}

#[derive(Deserialize)]
struct RootNodes {
    nodes: Repository<RootNode>,
}

#[derive(Deserialize)]
struct RootDatabases {
    databases: Repository<RootDatabase>,
}

#[derive(Deserialize)]
struct Repository<T> {
    repo: Pairs<T>,
}

impl<T> Repository<T> {
    fn into_records<R: From<T>>(self) -> impl Iterator<Item = R> {
        self.repo.0.into_iter().map(|(_, entry)| R::from(entry))
    }
}

#[derive(Deserialize)]
struct RootNode {
    node_id: String,
    state: Option<Tag>,
}

impl From<RootNode> for NodeRecord {
    fn from(node: RootNode) -> Self {
        Self { node_id: node.node_id, state: node.state.and_then(Tag::into_name).map(named_state) }
    }
}

#[derive(Deserialize)]
struct RootDatabase {
    id: u64,
    name: String,
    #[serde(default)]
    deleted: bool,
}

impl From<RootDatabase> for DatabaseRecord {
    fn from(database: RootDatabase) -> Self {
        let state = if database.deleted { DatabaseState::SoftDeleted } else { DatabaseState::Present };
        Self { id: database.id, name: Some(database.name), state }
    }
}

#[derive(Deserialize)]
struct LogHeader {
    sequence_number: u64,
    #[serde(rename = "catalog_batch")]
    _catalog_batch: IgnoredAny,
}

#[derive(Deserialize)]
struct LogNodes {
    catalog_batch: NodeBatches,
}

#[derive(Deserialize)]
struct NodeBatches {
    #[serde(rename = "Node")]
    node: Option<NodeBatch>,
}

#[derive(Deserialize)]
struct NodeBatch {
    node_id: String,
    ops: Vec<Tag>,
}

impl From<NodeBatch> for NodeRecord {
    fn from(batch: NodeBatch) -> Self {
        let last = batch.ops.into_iter().next_back().and_then(Tag::into_name);
        Self { node_id: batch.node_id, state: last.map(state_after) }
    }
}

#[derive(Deserialize)]
struct LogDatabases {
    catalog_batch: DatabaseBatches,
}

#[derive(Deserialize)]
struct DatabaseBatches {
    #[serde(rename = "Database")]
    database: Option<DatabaseBatch>,
    #[serde(rename = "Delete")]
    delete: Option<DeleteBatch>,
}

impl DatabaseBatches {
    fn into_records(self) -> impl Iterator<Item = DatabaseRecord> {
        let deleted = self.delete.map(|batch| batch.ops).unwrap_or_default();
        let deleted = deleted.into_iter().filter_map(|op| op.database).map(|id| DatabaseRecord {
            id,
            name: None,
            state: DatabaseState::HardDeleted,
        });
        self.database.map(DatabaseRecord::from).into_iter().chain(deleted)
    }
}

#[derive(Deserialize)]
struct DatabaseBatch {
    database_id: u64,
    database_name: String,
    ops: Vec<Tag>,
}

impl From<DatabaseBatch> for DatabaseRecord {
    fn from(batch: DatabaseBatch) -> Self {
        let deleted = batch.ops.into_iter().filter_map(Tag::into_name).any(|op| op == "SoftDeleteDatabase");
        let state = if deleted { DatabaseState::SoftDeleted } else { DatabaseState::Present };
        Self { id: batch.database_id, name: Some(batch.database_name), state }
    }
}

#[derive(Deserialize)]
struct DeleteBatch {
    ops: Vec<DeleteOp>,
}

#[derive(Deserialize)]
struct DeleteOp {
    #[serde(rename = "DeleteDatabase")]
    database: Option<u64>,
}

/// The name of a variant of an enum, in serde's default form: `"Name"` or `{"Name": …}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Tag {
    Alone(String),
    WithContent(BTreeMap<String, IgnoredAny>),
}

impl Tag {
    fn into_name(self) -> Option<String> {
        match self {
            Self::Alone(name) => Some(name),
            Self::WithContent(content) => content.into_keys().next(),
        }
    }
}

fn named_state(name: String) -> NodeState {
    match name.as_str() {
        "Running" => NodeState::Running,
        "Stopping" => NodeState::Stopping,
        "ServersStopped" => NodeState::Stopped,
        "Removing" => NodeState::Removing,
        _ => NodeState::Other(name),
    }
}

fn state_after(operation: String) -> NodeState {
    match operation.as_str() {
        "RegisterNode" => NodeState::Running,
        "StopNode" => NodeState::Stopped,
        _ => NodeState::Other(operation),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn file(id: &str, body: &[u8]) -> Vec<u8> {
        [id.as_bytes(), &crc32fast::hash(body).to_be_bytes(), body].concat()
    }

    fn with_json(id: &str, body: &Value) -> Result<CatalogFile, FormatError> {
        parse(&file(id, &serde_json::to_vec(body).expect("serializes")))
    }

    fn root() -> Value {
        json!({
            "nodes": {"repo": [
                [0, {"node_id": "node1", "node_catalog_id": 0, "state": {"ServersStopped": {"stopped_time_ns": 5}}}],
                [1, {"node_id": "a/b", "node_catalog_id": 1, "state": {"Paused": {}}}],
            ], "next_id": 2},
            "databases": {"repo": [
                [0, {"id": 0, "name": "_internal", "deleted": false, "tables": {}}],
                [7, {"id": 7, "name": "old-20251009", "deleted": true}],
            ], "next_id": 8},
            "sequence": 13, "catalog_id": "node1", "catalog_uuid": "c9e2dd11-e8ea-482e-8c48-93e7f43ab0ae",
        })
    }

    fn log(batch: &Value) -> CatalogFile {
        with_json("idb3.003.l", &json!({"catalog_batch": batch, "sequence_number": 8})).expect("parses")
    }

    #[test]
    fn a_root_is_read() {
        let read = with_json("idb3.004.s", &root()).expect("parses");
        let node = |id: &str, state| NodeRecord { node_id: id.to_owned(), state: Some(state) };
        let database = |id, name: &str, state| DatabaseRecord { id, name: Some(name.to_owned()), state };
        assert_eq!(
            read,
            CatalogFile {
                generation: Some(Generation::V2),
                kind: Kind::Root,
                sequence: Some(13),
                uuid: Some("c9e2dd11-e8ea-482e-8c48-93e7f43ab0ae".to_owned()),
                nodes: Evidence::Read(vec![
                    node("node1", NodeState::Stopped),
                    node("a/b", NodeState::Other("Paused".to_owned())),
                ]),
                databases: Evidence::Read(vec![
                    database(0, "_internal", DatabaseState::Present),
                    database(7, "old-20251009", DatabaseState::SoftDeleted),
                ]),
            }
        );
        assert_eq!(with_json("idb3.002.s", &root()).expect("parses").generation, Some(Generation::V1));
    }

    #[test]
    fn logs_are_read() {
        let node =
            |op: &str| json!({"Node": {"node_catalog_id": 0, "node_id": "node1", "ops": [{op: {"core_count": 2}}]}});
        let state = |op: &str| match log(&node(op)).nodes {
            Evidence::Read(nodes) => nodes.into_iter().map(|node| (node.node_id, node.state)).collect::<Vec<_>>(),
            Evidence::Unreadable => Vec::new(),
        };
        assert_eq!(state("RegisterNode"), [("node1".to_owned(), Some(NodeState::Running))]);
        assert_eq!(state("StopNode"), [("node1".to_owned(), Some(NodeState::Stopped))]);
        assert_eq!(state("Exile"), [("node1".to_owned(), Some(NodeState::Other("Exile".to_owned())))]);

        let database = |op: &str| {
            log(
                &json!({"Database": {"database_id": 3, "database_name": "short", "ops": [{op: {}}, {"AddFields": {}}]}}),
            )
        };
        let record = |state| Evidence::Read(vec![DatabaseRecord { id: 3, name: Some("short".to_owned()), state }]);
        assert_eq!(database("CreateDatabase").databases, record(DatabaseState::Present));
        assert_eq!(database("SoftDeleteDatabase").databases, record(DatabaseState::SoftDeleted));
        assert_eq!(database("CreateDatabase").nodes, Evidence::Read(vec![]));

        let deleted = log(&json!({"Delete": {"ops": [{"DeleteTable": [2, 0]}, {"DeleteDatabase": 3}]}}));
        assert_eq!(
            deleted.databases,
            Evidence::Read(vec![DatabaseRecord { id: 3, name: None, state: DatabaseState::HardDeleted }])
        );
        assert_eq!((deleted.generation, deleted.kind, deleted.sequence), (Some(Generation::V1), Kind::Log, Some(8)));
    }

    #[test]
    fn a_log_about_something_else_names_nothing() {
        let generation = log(&json!({"Generation": {"ops": [{"SetGenerationDuration": {}}]}}));
        assert_eq!((generation.nodes, generation.databases), (Evidence::Read(vec![]), Evidence::Read(vec![])));
    }

    #[test]
    fn other_shapes_are_unreadable_one_by_one() {
        let mut other = root();
        other["nodes"] = json!(["node1"]);
        let read = with_json("idb3.004.s", &other).expect("the frame is fine");
        assert_eq!(read.nodes, Evidence::Unreadable);
        assert_eq!(read.databases.records().map(<[_]>::len), Some(2));
        assert_eq!(log(&json!({"Node": {"id": "node1"}})).nodes, Evidence::Unreadable);
    }

    #[test]
    fn a_terminator_and_a_beta_are_recognized() {
        let terminator = parse(&file("idb3.EOF.l", b"null")).expect("parses");
        assert_eq!((terminator.generation, terminator.kind, terminator.sequence), (None, Kind::Terminator, None));
        let beta = parse(&file("idb3.001.s", b"\x01\x02")).expect("parses");
        assert_eq!((beta.generation, beta.kind, beta.sequence), (Some(Generation::V1), Kind::Root, None));
        assert_eq!((beta.nodes, beta.databases), (Evidence::Unreadable, Evidence::Unreadable));
    }

    #[test]
    fn each_damage_has_its_error() {
        assert_eq!(parse(b""), Err(FormatError::Empty));
        assert_eq!(parse(b"idb3.004.s\0\0\0"), Err(FormatError::TooShort { length: 13, least: 14 }));
        assert_eq!(
            parse(&file("idb3.004.x", b"{}")),
            Err(FormatError::BadMagic { end: End::Start, found: "idb3.004.x".to_owned() })
        );
        assert_eq!(
            parse(&file("idb3.005.l", b"{}")),
            Err(FormatError::UnsupportedVersion { found: "005".to_owned(), known: "001 to 004".to_owned() })
        );
        assert!(matches!(parse(b"idb3.004.s\0\0\0\0{}"), Err(FormatError::BadChecksum { expected: 0, .. })));
        assert!(matches!(parse(&file("idb3.004.s", b"{}")), Err(FormatError::Json { .. })), "no sequence");
        assert!(matches!(parse(&file("idb3.004.l", br#"{"sequence_number":1}"#)), Err(FormatError::Json { .. })));
        assert!(matches!(parse(&file("idb3.EOF.l", b"{}")), Err(FormatError::Json { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>, id in "idb3\\.00[0-9]\\.[sl]|idb3\\.EOF\\.l") {
            prop_assert!(parse(&bytes).is_err());
            let bitcode = id.starts_with("idb3.001");
            prop_assert_eq!(parse(&file(&id, &bytes)).is_ok(), bitcode);
        }

        #[test]
        fn any_changed_byte_after_the_id_is_found(at in 10_usize..400, by in 1..=u8::MAX) {
            let mut bytes = file("idb3.004.s", root().to_string().as_bytes());
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= by;
            let found = matches!(parse(&bytes), Err(FormatError::BadChecksum { .. }));
            prop_assert!(found);
        }

        #[test]
        fn any_json_is_answered(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut body = root().to_string().into_bytes();
            for (at, byte) in changes {
                let at = at.index(body.len());
                body[at] = byte;
            }
            if let Ok(read) = parse(&file("idb3.004.s", &body)) {
                prop_assert!(read.sequence.is_some());
            }
        }
    }
}
