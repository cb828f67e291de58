use proptest::prelude::*;

use super::*;

const UUID: u128 = 0xc9e2_dd11_e8ea_482e_8c48_93e7_f43a_b0ae;
/// Beginnings of bodies as InfluxDB 3.10.1 wrote them.
const REGISTER_NODE: &[u8] = b"\x04\x00\x05node1\x24965d8688-3abb-427e-98d2-a627b32fb668\x06\x00\x06\x02\x01\x00\x0a";
const STOP_NODE: &[u8] = b"\x04\x00\x05node1\x00\x8f\x15\x05\xdc\x34\x86\xea\x18\x0a\x00\x00";
const CREATE_DATABASE: &[u8] = b"\x04\x01\x07metrics\x00";
/// The same shape, what follows the fields that are read made up.
const REMOVE_NODE: &[u8] = b"\x04\x07\x06node-7, then more";
const SOFT_DELETE_DATABASE: &[u8] = b"\x04\x01, then more";
const HARD_DELETE_DATABASE: &[u8] = b"\x04\x09";

/// A file with right checksums; `groups` is written as it is and filled with as many entries.
fn file(flags: u16, groups: u32, records: &[(u16, &[u8])]) -> Vec<u8> {
    let mut payload = vec![0; GROUP * groups as usize];
    for (id, body) in records {
        payload.extend(id.to_le_bytes());
        payload.extend([0; 2]);
        payload.extend(7_u64.to_le_bytes());
        payload.extend(u32::try_from(body.len()).expect("a short body").to_le_bytes());
        payload.extend(*body);
    }
    frame(flags, groups, u32::try_from(records.len()).expect("few records"), &payload)
}

fn frame(flags: u16, groups: u32, records: u32, payload: &[u8]) -> Vec<u8> {
    let covered = [
        &flags.to_le_bytes()[..],
        &[0; 2],
        &UUID.to_le_bytes(),
        &7_u64.to_le_bytes(),
        &records.to_le_bytes(),
        &groups.to_le_bytes(),
        &(payload.len() as u64).to_le_bytes(),
        &crc32fast::hash(payload).to_le_bytes(),
        &[0; 4],
    ]
    .concat();
    [&MAGIC[..], &VERSION.to_le_bytes(), &crc32fast::hash(&covered).to_le_bytes(), &covered, payload].concat()
}

fn log(records: &[(u16, &[u8])]) -> CatalogFile {
    parse(&file(0, 0, records)).expect("parses")
}

fn node(node_id: &str, state: NodeState) -> NodeRecord {
    NodeRecord { node_id: node_id.to_owned(), state: Some(state) }
}

fn database(id: u64, name: Option<&str>, state: DatabaseState) -> DatabaseRecord {
    DatabaseRecord { id, name: name.map(str::to_owned), state }
}

#[test]
fn a_root_is_read_behind_its_index() {
    let records: &[(u16, &[u8])] = &[
        (24, b"\x01\0\0"),
        (id::REGISTER_NODE, REGISTER_NODE),
        (id::STOP_NODE, STOP_NODE),
        (id::CREATE_DATABASE, CREATE_DATABASE),
        (id::CREATE_DATABASE, b"\x02\x00\x01\x05short\x01\x04\x10\x0e"),
    ];
    for groups in [0, 1, 3] {
        assert_eq!(
            parse(&file(ROOT, groups, records)),
            Ok(CatalogFile {
                generation: Some(Generation::V3),
                kind: Kind::Root,
                sequence: Some(7),
                uuid: Some("c9e2dd11-e8ea-482e-8c48-93e7f43ab0ae".to_owned()),
                nodes: Evidence::Read(vec![node("node1", NodeState::Stopped)]),
                databases: Evidence::Read(vec![
                    database(1, Some("metrics"), DatabaseState::Present),
                    database(256, Some("short"), DatabaseState::Present),
                ]),
            })
        );
    }
}

#[test]
fn logs_are_read() {
    let after = |id, body| log(&[(id, body)]).nodes;
    let read = |state| Evidence::Read(vec![node("node1", state)]);
    assert_eq!(after(id::REGISTER_NODE, REGISTER_NODE), read(NodeState::Running));
    assert_eq!(after(id::STOP_NODE, STOP_NODE), read(NodeState::Stopped));
    assert_eq!(after(id::REQUEST_STOP_NODE, STOP_NODE), read(NodeState::Stopping));
    assert_eq!(after(id::ACKNOWLEDGE_STOP_NODE, STOP_NODE), read(NodeState::Stopped));
    assert_eq!(after(id::REMOVE_NODE, REMOVE_NODE), Evidence::Read(vec![node("node-7", NodeState::Removing)]));
    assert_eq!(after(id::UNREGISTER_NODE, REMOVE_NODE), Evidence::Read(vec![node("node-7", NodeState::Removed)]));
    assert_eq!(after(6, b"a table"), Evidence::Read(vec![]));

    let soft = log(&[(id::SOFT_DELETE_DATABASE, SOFT_DELETE_DATABASE)]).databases;
    assert_eq!(soft, Evidence::Read(vec![database(1, None, DatabaseState::SoftDeleted)]));
    let hard = log(&[(id::HARD_DELETE_DATABASE, HARD_DELETE_DATABASE)]).databases;
    assert_eq!(hard, Evidence::Read(vec![database(9, None, DatabaseState::HardDeleted)]));
    let both = log(&[(id::CREATE_DATABASE, CREATE_DATABASE), (id::SOFT_DELETE_DATABASE, SOFT_DELETE_DATABASE)]);
    assert_eq!(both.databases, Evidence::Read(vec![database(1, Some("metrics"), DatabaseState::SoftDeleted)]));
    assert_eq!((both.kind, both.sequence), (Kind::Log, Some(7)));
}

#[test]
fn what_does_not_parse_is_unreadable() {
    let bodies: [&[u8]; 7] = [
        b"",
        b"\x04\x00",
        b"\x06\x00\x05node1\x01x",
        b"\x04\x00\x06node1",
        b"\x04\x00\x00\x01x",
        b"\x04\x00\x05node\n\x01x",
        b"\x04\x00\x05node1\xff\x04",
    ];
    for body in bodies {
        let read = log(&[(id::REGISTER_NODE, body), (id::CREATE_DATABASE, CREATE_DATABASE)]);
        assert_eq!(read.nodes, Evidence::Unreadable, "{}", body.escape_ascii());
        assert_eq!(read.databases.records().map(<[_]>::len), Some(1), "databases are another matter");
    }
    let nameless = log(&[(id::CREATE_DATABASE, b"\x04\x01"), (id::REGISTER_NODE, REGISTER_NODE)]);
    assert_eq!(nameless.databases, Evidence::Unreadable);
    assert_eq!(nameless.nodes.records().map(<[_]>::len), Some(1));
    let restored = log(&[(id::REGISTER_NODE, REGISTER_NODE), (id::RESTORE_CATALOG, b"a whole catalog")]);
    assert_eq!((restored.nodes, restored.databases), (Evidence::Unreadable, Evidence::Unreadable));
}

#[test]
fn records_that_do_not_add_up_are_unreadable() {
    let whole = file(0, 0, &[(id::REGISTER_NODE, REGISTER_NODE)]);
    let payload = &whole[HEADER..];
    for bytes in
        [frame(0, 0, 2, payload), frame(0, 0, 1, &payload[..payload.len() - 1]), frame(ROOT, u32::MAX, 1, payload)]
    {
        let read = parse(&bytes).expect("the frame is fine");
        assert_eq!((read.nodes, read.databases), (Evidence::Unreadable, Evidence::Unreadable));
    }
}

#[test]
fn each_damage_has_its_error() {
    let whole = file(ROOT, 1, &[(id::REGISTER_NODE, REGISTER_NODE)]);
    assert_eq!(parse(&whole[..63]), Err(FormatError::TooShort { length: 63, least: 64 }));
    let length = whole.len() as u64;
    assert_eq!(
        parse(&whole[..whole.len() - 1]),
        Err(FormatError::LengthMismatch { expected: length, found: length - 1 })
    );
    let longer = [&whole[..], b"x"].concat();
    assert_eq!(parse(&longer), Err(FormatError::LengthMismatch { expected: length, found: length + 1 }));
    let with = |at: usize, by: u8| {
        let mut bytes = whole.clone();
        bytes[at] ^= by;
        parse(&bytes)
    };
    assert_eq!(with(4, 3), Err(FormatError::UnsupportedVersion { found: "2".to_owned(), known: "1".to_owned() }));
    assert!(matches!(with(0x20, 1), Err(FormatError::BadChecksum { .. })), "in the header");
    assert!(matches!(with(HEADER, 1), Err(FormatError::BadChecksum { .. })), "in the payload");
    assert_eq!(parse(&file(0, 2, &[])), Err(FormatError::GroupsInLog { groups: 2 }));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        prop_assert!(parse(&[&MAGIC[..], &bytes].concat()).is_err());
    }

    #[test]
    fn any_payload_is_answered(payload: Vec<u8>, flags in 0..2_u16, records in 0..4_u32, groups in 0..3_u32) {
        let groups = groups * u32::from(flags);
        let read = parse(&frame(flags, groups, records, &payload));
        prop_assert_eq!(read.map(|file| file.sequence), Ok(Some(7)));
    }

    #[test]
    fn any_body_is_answered(body: Vec<u8>, id in 0..50_u16) {
        let read = log(&[(id, &body), (id::CREATE_DATABASE, CREATE_DATABASE), (id::REGISTER_NODE, REGISTER_NODE)]);
        for node in read.nodes.records().unwrap_or_default() {
            prop_assert!(!node.node_id.is_empty());
        }
    }

    #[test]
    fn any_changed_byte_is_found(at: prop::sample::Index, by in 1..=u8::MAX) {
        let mut bytes = file(ROOT, 1, &[(id::REGISTER_NODE, REGISTER_NODE), (id::CREATE_DATABASE, CREATE_DATABASE)]);
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(CatalogFile::parse(&bytes).is_err());
    }
}
