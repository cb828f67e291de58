//! Catalog files of v3: a header of 64 bytes, little-endian, then records.
//!
//! Source: `influxdb3_catalog/src/format/` of v3.10.1, where the encoding of a shipped record never changes.

use std::collections::BTreeMap;

use super::{CatalogFile, DatabaseRecord, DatabaseState, Evidence, Kind, NodeRecord, NodeState};
use crate::format::error::{self, FormatError};
use crate::layout::Generation;

pub(super) const MAGIC: &[u8; 4] = b"IDB3";
const VERSION: u32 = 1;
const HEADER: usize = 64;
/// Flag of a root.
const ROOT: u16 = 1;
/// Bytes of one entry of the index that stands before the records of a root.
const GROUP: usize = 24;

pub(super) fn parse(bytes: &[u8]) -> Result<CatalogFile, FormatError> {
    error::at_least(bytes.len() as u64, HEADER as u64)?;
    let (header, payload) = bytes.split_at(HEADER);
    let header =
        Header::read(header).ok_or(FormatError::TooShort { length: bytes.len() as u64, least: HEADER as u64 })?;
    if header.version != VERSION {
        let found = header.version.to_string();
        let known = VERSION.to_string();
        return Err(FormatError::UnsupportedVersion { found, known });
    }
    error::checksum(header.own_checksum, &bytes[12..HEADER])?;
    let expected = header.payload_length.saturating_add(HEADER as u64);
    if expected != bytes.len() as u64 {
        return Err(FormatError::LengthMismatch { expected, found: bytes.len() as u64 });
    }
    error::checksum(header.payload_checksum, payload)?;
    let kind = if header.flags & ROOT == 0 { Kind::Log } else { Kind::Root };
    if kind == Kind::Log && header.groups != 0 {
        return Err(FormatError::GroupsInLog { groups: header.groups });
    }
    let records = records(payload, &header);
    let evidence = records.as_deref();
    Ok(CatalogFile {
        generation: Some(Generation::V3),
        kind,
        sequence: Some(header.sequence),
        uuid: Some(hyphenated(header.uuid)),
        nodes: Evidence::of(evidence.and_then(nodes)),
        databases: Evidence::of(evidence.and_then(databases)),
    })
}

struct Header {
    version: u32,
    own_checksum: u32,
    flags: u16,
    uuid: u128,
    sequence: u64,
    records: u32,
    groups: u32,
    payload_length: u64,
    payload_checksum: u32,
}

impl Header {
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let from = &mut bytes;
        let _magic: [u8; 4] = take(from)?;
        let version = u32::from_le_bytes(take(from)?);
        let own_checksum = u32::from_le_bytes(take(from)?);
        let flags = u16::from_le_bytes(take(from)?);
        let _reserved: [u8; 2] = take(from)?;
        let uuid = u128::from_le_bytes(take(from)?);
        let sequence = u64::from_le_bytes(take(from)?);
        let records = u32::from_le_bytes(take(from)?);
        let groups = u32::from_le_bytes(take(from)?);
        let payload_length = u64::from_le_bytes(take(from)?);
        let payload_checksum = u32::from_le_bytes(take(from)?);
        Some(Self { version, own_checksum, flags, uuid, sequence, records, groups, payload_length, payload_checksum })
    }
}

fn hyphenated(uuid: u128) -> String {
    let hex = format!("{uuid:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// One record: a change, with a body that is opaque but for its first fields.
struct Record<'a> {
    id: u16,
    body: &'a [u8],
}

/// The kinds of records that say something about nodes and databases.
mod id {
    pub(super) const REGISTER_NODE: u16 = 2;
    pub(super) const STOP_NODE: u16 = 3;
    pub(super) const CREATE_DATABASE: u16 = 4;
    pub(super) const SOFT_DELETE_DATABASE: u16 = 5;
    pub(super) const HARD_DELETE_DATABASE: u16 = 22;
    pub(super) const REQUEST_STOP_NODE: u16 = 43;
    pub(super) const ACKNOWLEDGE_STOP_NODE: u16 = 44;
    pub(super) const REMOVE_NODE: u16 = 45;
    pub(super) const UNREGISTER_NODE: u16 = 46;
    /// Replaces the whole catalog by one inside the body (Enterprise).
    pub(super) const RESTORE_CATALOG: u16 = 0x8006;
}

/// The records, or nothing if they disagree with the header.
fn records<'a>(payload: &'a [u8], header: &Header) -> Option<Vec<Record<'a>>> {
    let index = usize::try_from(header.groups).ok()?.checked_mul(GROUP)?;
    let mut rest = payload.get(index..)?;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let id = u16::from_le_bytes(take(&mut rest)?);
        let _flags: [u8; 2] = take(&mut rest)?;
        let _sequence: [u8; 8] = take(&mut rest)?;
        let length = u32::from_le_bytes(take(&mut rest)?);
        let body;
        (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        records.push(Record { id, body });
    }
    (records.len() as u64 == u64::from(header.records)).then_some(records)
}

fn nodes(records: &[Record<'_>]) -> Option<impl Iterator<Item = NodeRecord> + use<>> {
    let mut nodes = BTreeMap::new();
    for record in records {
        let state = match record.id {
            id::REGISTER_NODE => NodeState::Running,
            id::REQUEST_STOP_NODE => NodeState::Stopping,
            id::STOP_NODE | id::ACKNOWLEDGE_STOP_NODE => NodeState::Stopped,
            id::REMOVE_NODE => NodeState::Removing,
            id::UNREGISTER_NODE => NodeState::Removed,
            id::RESTORE_CATALOG => return None,
            _ => continue,
        };
        let mut body = record.body;
        number(&mut body)?;
        let node_id = text(&mut body)?;
        if record.id == id::REGISTER_NODE {
            text(&mut body)?; // the instance id: that it is readable shows that the node id ended where it seemed to
        }
        nodes.insert(node_id.to_owned(), state);
    }
    Some(nodes.into_iter().map(|(node_id, state)| NodeRecord { node_id, state: Some(state) }))
}

fn databases(records: &[Record<'_>]) -> Option<impl Iterator<Item = DatabaseRecord> + use<>> {
    let mut databases: BTreeMap<u64, DatabaseRecord> = BTreeMap::new();
    for record in records {
        let state = match record.id {
            id::CREATE_DATABASE => DatabaseState::Present,
            id::SOFT_DELETE_DATABASE => DatabaseState::SoftDeleted,
            id::HARD_DELETE_DATABASE => DatabaseState::HardDeleted,
            id::RESTORE_CATALOG => return None,
            _ => continue,
        };
        let mut body = record.body;
        let id = number(&mut body)?;
        let database = databases.entry(id).or_insert(DatabaseRecord { id, name: None, state });
        database.state = state;
        if state == DatabaseState::Present {
            database.name = Some(text(&mut body)?.to_owned());
        }
    }
    Some(databases.into_values())
}

/// A 32-bit number: how many bytes it takes (0: four, 2: two, 4: one), then these.
fn number(from: &mut &[u8]) -> Option<u64> {
    let [packing] = take(from)?;
    match packing {
        0 => Some(u32::from_le_bytes(take(from)?).into()),
        2 => Some(u16::from_le_bytes(take(from)?).into()),
        4 => Some(u8::from_le_bytes(take(from)?).into()),
        _ => None,
    }
}

/// A text: its length in one byte (255 stands for a longer one, which no id or name is), then its bytes.
fn text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let [length] = take(from)?;
    let (text, rest) = from.split_at_checked(usize::from(length))?;
    *from = rest;
    let text = std::str::from_utf8(text).ok()?;
    let plain = length != u8::MAX && !text.is_empty() && !text.chars().any(char::is_control);
    plain.then_some(text)
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests;
