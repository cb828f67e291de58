use serde_json::Value;

use super::*;
use crate::layout::{self, Generation};

#[test]
fn bodies_are_read_back() {
    let body = rows([3, 4, 5], 100);
    assert_eq!(body.len(), 100);
    assert_eq!(rows_of(wal_body(&wal(&body)).expect("valid WAL")), Some(vec![3, 4, 5]));
    let file = parquet(&body);
    assert_eq!(file.len(), 100 + PARQUET_FRAME);
    assert_eq!(rows_of(parquet_body(&file).expect("valid Parquet")), Some(vec![3, 4, 5]));
    assert_eq!(rows_of(b"not generated"), None);
}

#[test]
fn damaged_frames_have_no_body() {
    let mut file = wal(b"[1]").to_vec();
    file[13] ^= 1;
    assert_eq!(wal_body(&file), None);
    assert_eq!(wal_body(b""), None);
    assert_eq!(wal_body(&file[..11]), None);
    let file = parquet(b"[1]");
    assert_eq!(parquet_body(&file[1..]), None);
    assert_eq!(parquet_body(&file[..file.len() - 1]), None);
    assert_eq!(parquet_body(b"PAR1"), None);
}

#[test]
fn names_are_those_of_the_layout() {
    assert_eq!(layout::snapshot_sequence(&manifest_name(44)), Some(44));
    assert_eq!(layout::checkpoint_sequence(&checkpoint_name(43)), Some(43));
    assert_eq!(layout::catalog_log_sequence(&catalog_log_name(7)), Some(7));
    let time = 1_760_007_660_000_000_000;
    assert_eq!(parquet_key_by_id("node1", 1, 0, time, 296), "node1/dbs/1/0/2025-10-09/11-01/0000000296.parquet");
    assert_eq!(
        parquet_key_by_name("n", ("metrics", 1), ("cpu", 0), time, 5),
        "n/dbs/metrics-1/cpu-0/2025-10-09/11-01/0000000005.parquet"
    );
}

/// Snapshot 44 of the recorded Core 3.10.1, two of its files, byte for byte as the server lays it out.
#[test]
fn a_manifest_has_the_shape_of_a_real_one() {
    let file = |id, minute: i64| {
        let start = 1_760_007_600_000_000_000 + minute * 60_000_000_000;
        FileSpec {
            database: 1,
            table: 0,
            id,
            path: parquet_key_by_id("node1", 1, 0, start, 296),
            size_bytes: 5098,
            row_count: 60,
            chunk_time: start,
            min_time: start,
            max_time: start + 59_000_000_000,
        }
    };
    let spec = ManifestSpec {
        node_id: "node1".into(),
        sequence: 44,
        wal: 296,
        catalog: 12,
        next_file_id: 187,
        added: vec![file(183, 1)],
        removed: vec![],
    };
    let expected = r#"{
  "version": "1",
  "node_id": "node1",
  "next_file_id": 187,
  "snapshot_sequence_number": 44,
  "wal_file_sequence_number": 296,
  "catalog_sequence_number": 12,
  "parquet_size_bytes": 5098,
  "row_count": 60,
  "min_time": 1760007660000000000,
  "max_time": 1760007719000000000,
  "databases": [
    [
      1,
      {
        "tables": [
          [
            0,
            [
              {
                "id": 183,
                "path": "node1/dbs/1/0/2025-10-09/11-01/0000000296.parquet",
                "size_bytes": 5098,
                "row_count": 60,
                "chunk_time": 1760007660000000000,
                "min_time": 1760007660000000000,
                "max_time": 1760007719000000000
              }
            ]
          ]
        ]
      }
    ]
  ],
  "removed_files": []
}"#;
    assert_eq!(manifest(&spec), expected);
}

#[test]
fn files_are_grouped_by_database_and_table() {
    let file = |database, table, id| FileSpec {
        database,
        table,
        id,
        path: format!("p{id}"),
        size_bytes: 1,
        row_count: 2,
        chunk_time: 0,
        min_time: 0,
        max_time: 9,
    };
    let spec = CheckpointSpec {
        month: "2026-11".into(),
        files: vec![file(2, 0, 0), file(1, 5, 1), file(2, 0, 2), file(1, 4, 3)],
        ..Default::default()
    };
    let value: Value = serde_json::from_slice(&checkpoint(&spec)).expect("JSON");
    let ids: Vec<_> = value["databases"]
        .as_array()
        .expect("pairs")
        .iter()
        .flat_map(|db| db[1]["tables"].as_array().expect("pairs").iter().map(move |t| (&db[0], &t[0], &t[1])))
        .map(|(db, t, files)| (db.as_u64(), t.as_u64(), files.as_array().expect("files").len()))
        .collect();
    assert_eq!(ids, [(Some(1), Some(4), 1), (Some(1), Some(5), 1), (Some(2), Some(0), 2)]);
    assert_eq!(value["row_count"], 8);
    assert_eq!(value["pending_removed_files"], Value::Array(vec![]));
}

/// The terminator, the root and log 5 that real servers wrote: same spec, same bytes.
#[test]
fn catalog_files_are_those_of_real_servers() {
    assert_eq!(terminator(Generation::V1), &b"idb3.EOF.l\x25\xcb\xfc\x4fnull"[..]);

    let uuid = 0x9e30_ed2d_527e_4464_bbf1_60ab_fb69_cb17;
    assert_eq!(uuid_text(uuid), "9e30ed2d-527e-4464-bbf1-60abfb69cb17");
    let root = catalog_root(Generation::V3, &CatalogSpec { uuid, ..Default::default() });
    let header = [0x49, 0x44, 0x42, 0x33, 1, 0, 0, 0, 0xac, 0x06, 0x31, 0x01, 1, 0, 0, 0];
    assert_eq!(root[..16], header);
    assert_eq!(root[56..60], [0x68, 0x70, 0x37, 0xf6]);
    assert_eq!(root.len(), 64 + 0x29);

    let sensors = CatalogOp::CreateDatabase(DatabaseSpec { number: 2, name: "sensors".into() });
    let log = catalog_log(Generation::V3, 5, uuid, &[sensors]);
    assert_eq!(log[8..16], [0xc2, 0xa7, 0xcc, 0x87, 0, 0, 0, 0]);
    assert_eq!(log[56..60], [0x63, 0x6a, 0x52, 0xa9]);
    assert_eq!(log.len(), 64 + 0x1b);
}

#[test]
fn json_catalogs_carry_id_crc_and_sequence() {
    let node = NodeSpec { number: 0, node_id: "node1".into(), instance: 7, mode: "Core".into() };
    let spec = CatalogSpec { catalog_id: "node1".into(), uuid: 1, sequence: 3, nodes: vec![node], databases: vec![] };
    for (generation, id) in [(Generation::V1, b"idb3.003.s"), (Generation::V2, b"idb3.004.s")] {
        let root = catalog_root(generation, &spec);
        assert_eq!(root[..10], id[..]);
        assert_eq!(root[10..14], crc32fast::hash(&root[14..]).to_be_bytes());
        let value: Value = serde_json::from_slice(&root[14..]).expect("JSON");
        assert_eq!(value["sequence"], 3);
        assert_eq!(value["nodes"]["repo"][0][1]["node_id"], "node1");
        let log = catalog_log(generation, 9, 1, &[CatalogOp::SetGenerationDuration]);
        let value: Value = serde_json::from_slice(&log[14..]).expect("JSON");
        assert_eq!(value["sequence_number"], 9);
    }
}
