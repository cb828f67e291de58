use bytes::Bytes;

use super::*;
use crate::{certificate::CheckedBy, checksum::Crc64, record::ContentRecord};

/// A backup of these objects, each with its own key as its bytes, and what was written down of them.
async fn backup(keys: &[&str]) -> (Location, Index) {
    let location = Location::in_memory();
    let mut index = Index::default();
    for key in keys {
        let (key, bytes) = (Key::parse(*key).expect("a key"), Bytes::from((*key).to_owned()));
        let written = location.put(&key, bytes.clone()).await.expect("put");
        let content = ContentRecord::new(bytes.len() as u64, Some(Crc64::of(&bytes)));
        index.insert(record(key, content, Some(written)));
    }
    location.put(&Key::parse("_influx_backup/claim-000001").expect("a key"), Bytes::new()).await.expect("put");
    (location, index)
}

fn record(key: Key, content: ContentRecord, written: Option<Version>) -> ObjectRecord {
    let source = Version { e_tag: None, id: None, modified: chrono::DateTime::UNIX_EPOCH };
    let mut record = ObjectRecord::new(key, source, content, CheckedBy::Content);
    record.stored.version = written;
    record
}

const KEYS: [&str; 4] = ["c/catalog/v3/snapshot", "n/dbs/1.parquet", "n/wal/00000000001.wal", "top"];

async fn found(location: &Location, index: &mut Index) -> (Vec<String>, Vec<String>) {
    let differences = audit(location, index).await.expect("audited");
    let altered =
        differences.altered.iter().map(|altered| format!("{} {}", altered.key, altered.reason.as_str())).collect();
    (altered, differences.unrecorded.iter().map(|entry| entry.key.to_string()).collect())
}

#[tokio::test]
async fn a_backup_that_is_as_it_was_written_has_no_difference() {
    let (location, mut index) = backup(&KEYS).await;
    assert_eq!(found(&location, &mut index).await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn what_is_lost_cut_or_replaced_is_named() {
    let key = Key::parse(KEYS[2]).expect("a key");
    let same_length = Bytes::from("x".repeat(KEYS[2].len()));
    for (bytes, reason) in [
        (None, "is no longer there"),
        (Some(Bytes::from_static(b"x")), "has another length than was written"),
        (Some(same_length), "is another version than was written"),
    ] {
        let (location, mut index) = backup(&KEYS).await;
        match bytes {
            None => location.delete(&key).await.expect("deleted"),
            Some(bytes) => {
                location.put(&key, bytes).await.expect("put");
            }
        }
        assert_eq!(found(&location, &mut index).await, (vec![format!("{key} {reason}")], Vec::new()));
    }
}

#[tokio::test]
async fn unrecorded_objects_are_named_but_not_files_of_the_tool() {
    let (location, mut index) = backup(&KEYS).await;
    let strays = ["a", "n/dbs/0.parquet", "n/dbs/2.parquet", "z/1"];
    for key in strays {
        location.put(&Key::parse(key).expect("a key"), Bytes::new()).await.expect("put");
    }
    assert_eq!(found(&location, &mut index).await, (Vec::new(), strays.map(ToOwned::to_owned).to_vec()));
}

/// A journal of an earlier release has no versions.
#[tokio::test]
async fn an_unrecorded_version_counts_as_written() {
    let (location, mut index) = backup(&KEYS).await;
    let known: Vec<_> = index.records().iter().collect();
    known.into_iter().for_each(|known| index.insert(record(known.key, known.content, None)));
    assert_eq!(found(&location, &mut index).await, (Vec::new(), Vec::new()));
    assert!(index.records().iter().all(|record| record.stored.version.is_some()), "the version is known from here on");
}

#[tokio::test]
async fn a_file_that_is_replaced_in_its_own_length_is_named() {
    let directory = tempfile::tempdir().expect("made");
    let location = Location::parse(directory.path().to_str().expect("UTF-8"), &crate::StoreOptions::default());
    let location = location.expect("a location");
    let key = Key::parse("n/dbs/1.parquet").expect("a key");
    location.put(&key, Bytes::from_static(b"one")).await.expect("put");
    let entry = location.head(&key).await.expect("asked").expect("there");
    let mut index = Index::default();
    index.insert(record(key.clone(), ContentRecord::new(3, None), Some(entry.version)));
    assert_eq!(found(&location, &mut index).await, (Vec::new(), Vec::new()));
    std::fs::write(directory.path().join("n/dbs/1.parquet"), "two").expect("written");
    let replaced = format!("{key} is another version than was written");
    assert_eq!(found(&location, &mut index).await, (vec![replaced], Vec::new()));
}
