//! Every reader of bytes that somebody else controls, each as a function of bytes: [`TARGETS`].
//!
//! `fuzz/` feeds them what libFuzzer finds, `tests/readers_under_fuzz.rs` what a minute of mutations makes. They may refuse
//! whatever they get, and must neither panic nor take more memory than a small multiple of it.

use std::hint::black_box;

use crate::{
    certificate::Certificate,
    format::{CatalogFile, Checkpoint, Snapshot, parquet, wal},
    key::Key,
    lease::LeaseFile,
    location::{Location, StoreOptions},
    log,
    manifest::{RepositoryMarker, SegmentRef, parse_manifest, rules, segment},
    options::{BackupOptions, RestoreOptions, VerifyOptions},
    plan::RestorePlan,
    record::{AbsentRecord, ObjectRecord},
    restore::{Finished, RestoreJournal},
    units::ByteSize,
    versioned,
};

/// A reader, which is given anything.
pub type Target = fn(&[u8]);

/// The readers by name: a name is a file of `fuzz/fuzz_targets`.
pub const TARGETS: &[(&str, Target)] = &[
    ("catalog", |bytes| drop(black_box(CatalogFile::parse(bytes)))),
    ("checkpoint", |bytes| drop(black_box(Checkpoint::parse(bytes)))),
    ("claim", |bytes| drop(black_box(LeaseFile::parse(bytes, chrono::DateTime::UNIX_EPOCH)))),
    ("documents", documents),
    ("journal", |bytes| drop(black_box(log::decode::<ObjectRecord>(bytes, &key())))),
    ("list_page", list_page),
    ("manifest", |bytes| drop(black_box(parse_manifest(bytes)))),
    ("marker", |bytes| drop(black_box(versioned::parse::<RepositoryMarker>(bytes, "marker", 1)))),
    ("objects", objects),
    ("options", options),
    ("parquet", |bytes| drop(black_box(parquet::check_whole(bytes)))),
    ("restore_journal", restore_journal),
    ("segment", segment_of_records),
    ("snapshot", |bytes| drop(black_box(Snapshot::parse(bytes)))),
    ("url", url),
    ("wal", |bytes| drop(black_box(wal::check(bytes)))),
];

/// Gives bytes to the reader of this name.
///
/// # Panics
/// Where there is none of this name, or the reader panics.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    target(bytes);
}

fn key() -> Key {
    Key::parse("x").expect("a key")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A segment as it lies in a repository.
fn segment_of_records(bytes: &[u8]) {
    for records in [1, 10_000] {
        let segment = SegmentRef { key: key(), sha256: String::new(), records };
        drop(black_box(segment::decode(bytes, &segment, crate::read_limits::SEGMENT, |record: ObjectRecord| {
            drop(black_box(record))
        })));
        drop(black_box(segment::decode(bytes, &segment, crate::read_limits::SEGMENT, |record: AbsentRecord| {
            drop(black_box(record))
        })));
    }
}

/// A manifest and, in the lines behind its own, its objects: what the rules say of them.
fn objects(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let Some(Ok(manifest)) = lines.next().map(parse_manifest) else { return };
    let records: Vec<ObjectRecord> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let is_sorted = records.is_sorted_by(|a: &ObjectRecord, b| a.key < b.key);
    let list = segment::List { rows: records.into_iter().collect(), is_sorted };
    drop(black_box(rules::check(&manifest, &list)));
}

fn restore_journal(bytes: &[u8]) {
    drop(black_box(RestoreJournal::parse(bytes, "journal")));
    drop(black_box(log::decode::<Finished>(bytes, &key())));
}

/// What a caller kept and gives back.
fn documents(bytes: &[u8]) {
    drop(black_box(Certificate::from_json(text(bytes))));
    drop(black_box(RestorePlan::from_json(text(bytes))));
}

fn url(bytes: &[u8]) {
    drop(black_box(Location::parse(text(bytes), &StoreOptions::default())));
}

fn options(bytes: &[u8]) {
    drop(black_box(serde_json::from_slice::<BackupOptions>(bytes)));
    drop(black_box(serde_json::from_slice::<RestoreOptions>(bytes)));
    drop(black_box(serde_json::from_slice::<VerifyOptions>(bytes)));
    drop(black_box(serde_json::from_slice::<StoreOptions>(bytes)));
    drop(black_box(text(bytes).parse::<ByteSize>()));
}

#[cfg(feature = "cloud")]
fn list_page(bytes: &[u8]) {
    crate::location::cloud::read_page(text(bytes));
}

#[cfg(not(feature = "cloud"))]
fn list_page(_: &[u8]) {}
