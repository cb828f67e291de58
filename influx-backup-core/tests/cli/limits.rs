//! What others wrote is read within limits: a file that is far too large, or a few bytes that stand for gigabytes, is damage
//! that is named, in bounded time and memory, and keeps nothing else from its work.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use influx_backup_core::checksum::sha256;
use serde_json::{Value, json};

use crate::program::{Answer, Scratch};

/// The most memory that the program is given, in KiB: a quarter of what the smallest attack takes without a limit.
const MEMORY: u32 = 1 << 20;

/// The longest that an attack keeps the program busy, in a build without optimizations.
const LONGEST: Duration = Duration::from_secs(20);

const TIB: u64 = 1 << 40;

/// Runs the program with little memory.
fn run(arguments: &[&str]) -> Answer {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_influx-backup")]);
    // Each arena of the allocator claims addresses that it never uses.
    command.args(arguments).env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null());
    let began = Instant::now();
    let answer = Answer::of(command.output().expect("the program starts"));
    assert!(began.elapsed() < LONGEST, "{arguments:?}: {:?}", began.elapsed());
    answer
}

/// A repository with a backup that is well and one called `poisoned`.
fn backed_up() -> Scratch {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    run(&["backup", &scratch.path("source"), &scratch.path("repository"), "--name", "poisoned"]).expect(0);
    scratch
}

/// The backup called `poisoned`, while it still is well.
struct Poisoned {
    own: PathBuf,
    manifest: PathBuf,
    /// What the manifest says.
    whole: Value,
    /// The first segment of its object list.
    segment: PathBuf,
}

impl Poisoned {
    fn of(scratch: &Scratch) -> Self {
        let own = PathBuf::from(scratch.path("repository/poisoned"));
        let manifest = own.join("_influx_backup/manifest.json");
        let whole: Value = serde_json::from_slice(&fs::read(&manifest).expect("a file")).expect("JSON");
        let segment = own.join(whole["objects"][0]["key"].as_str().expect("a key"));
        Self { own, manifest, whole, segment }
    }
}

fn make_sparse(path: impl AsRef<Path>, length: u64) {
    File::create(path).and_then(|file| file.set_len(length)).expect("a sparse file");
}

/// `length` times the same byte in frames of 16 MiB.
fn bomb(byte: u8, length: u64) -> Vec<u8> {
    const FRAME: usize = 16 << 20;
    let frame = zstd::encode_all(&vec![byte; FRAME][..], 1).expect("compressed");
    frame.repeat(usize::try_from(length).expect("few") / FRAME)
}

/// The states of the backups by their names.
fn list(scratch: &Scratch) -> Value {
    let list = run(&["list", &scratch.path("repository"), "--json"]).expect(0).json();
    let states = list.as_array().expect("a list").iter();
    states.map(|backup| (backup["name"].as_str().expect("a name").to_owned(), backup["state"].clone())).collect()
}

/// The backup is named as damaged by whatever reads it, and the other one is as it was.
fn is_damaged(scratch: &Scratch, what: &str) {
    let poisoned = scratch.path("repository/poisoned");
    for arguments in [
        &["verify", &poisoned][..],
        &["verify", &poisoned, "--level", "bytes"],
        &["certify", &poisoned],
        &["restore", &poisoned, &scratch.path("target")],
        &["restore", &poisoned, &scratch.path("target"), "--dry-run"],
    ] {
        let error = run(&[arguments, &["--json"]].concat()).expect_error(4, "damaged-backup").json();
        assert!(error["error"]["location"].to_string().contains("poisoned"), "{what}: {error:#}");
    }
    run(&["verify", &scratch.path("repository/monday")]).expect(0);
}

#[test]
fn a_manifest_of_a_tebibyte_is_damage_of_one_backup() {
    let scratch = backed_up();
    let manifest = scratch.path("repository/poisoned/_influx_backup/manifest.json");
    let listed = json!({"monday": "complete", "poisoned": "damaged"});
    make_sparse(&manifest, TIB);
    assert_eq!(list(&scratch), listed);
    is_damaged(&scratch, "sparse");
    fs::write(&manifest, "[".repeat(1 << 20)).expect("written");
    assert_eq!(list(&scratch), listed);
    is_damaged(&scratch, "nested");
}

/// Each has as many bytes as a segment may, and all of them together have more than memory.
#[test]
fn many_segments_that_expand_are_damage_of_one_backup() {
    let scratch = backed_up();
    let Poisoned { own, manifest, whole, segment } = Poisoned::of(&scratch);
    let text = zstd::decode_all(File::open(&segment).expect("there")).expect("text");
    let record = text.split(|byte| *byte == b'\n').next().expect("a record");
    let mut object: Value = serde_json::from_slice(record).expect("JSON");
    object["version"]["e_tag"] = "x".repeat(60_000).into();
    let absent = json!({
        "node": "x".repeat(60_000), "path": "x", "database": 1, "table": 1, "rows": 1, "newest": "2026-01-01T00:00:00Z",
    });
    for (list, record) in [("objects", object), ("absent", absent)] {
        let bytes = zstd::encode_all(format!("{record}\n").repeat(1_100).as_bytes(), 1).expect("compressed");
        let mut forged = whole.clone();
        let mut segments = Vec::new();
        for number in 0..60 {
            let key = format!("_influx_backup/many/{number:06}.jsonl.zst");
            fs::create_dir_all(own.join("_influx_backup/many")).expect("made");
            fs::write(own.join(&key), &bytes).expect("written");
            segments.push(json!({ "key": key, "sha256": sha256(&bytes), "records": 1_100 }));
        }
        if list == "objects" {
            forged["object_count"] = (60 * 1_100).into();
        }
        forged[list] = segments.into();
        fs::write(&manifest, forged.to_string()).expect("written");
        is_damaged(&scratch, list);
        // Some of them were read.
        let error = run(&["verify", &scratch.path("repository/poisoned"), "--json"]).json();
        let message = error["error"]["message"].as_str().expect("a message");
        assert!(message.contains("_influx_backup/many/0000") && !message.contains("000000"), "{list}: {message}");
    }
}

#[test]
fn a_segment_that_expands_to_gigabytes_is_damage_of_one_backup() {
    let scratch = backed_up();
    let Poisoned { manifest, whole, segment, .. } = Poisoned::of(&scratch);
    let record = zstd::decode_all(File::open(&segment).expect("there")).expect("text");
    let record = record.split_inclusive(|byte| *byte == b'\n').next().expect("a record");
    for (what, bytes) in [
        ("zeros", bomb(0, 4 << 30)),
        ("empty lines", bomb(b'\n', 4 << 30)),
        ("spaces", bomb(b' ', 4 << 30)),
        ("records", zstd::encode_all(&record.repeat(1_000_000)[..], 1).expect("compressed")),
    ] {
        fs::write(&segment, &bytes).expect("written");
        for records in [json!(1), json!(10_000), json!(u64::MAX)] {
            let mut forged = whole.clone();
            forged["objects"][0]["sha256"] = sha256(&bytes).into();
            forged["objects"][0]["records"] = records;
            fs::write(&manifest, forged.to_string()).expect("written");
            is_damaged(&scratch, what);
        }
    }
    make_sparse(&segment, TIB);
    is_damaged(&scratch, "sparse");
}

#[test]
fn leases_and_markers_are_read_as_far_as_they_can_be_long() {
    let scratch = backed_up();
    let own = PathBuf::from(scratch.path("repository/poisoned/_influx_backup"));
    make_sparse(scratch.path("repository/_influx_backup/repository.json"), TIB);
    fs::remove_file(own.join("manifest.json")).expect("removed");
    make_sparse(own.join("claim-000009"), TIB);
    assert_eq!(list(&scratch), json!({"monday": "complete", "poisoned": "in_progress"}), "it may be a living one");
    run(&["restore", &scratch.path("repository/poisoned"), &scratch.path("target"), "--json"])
        .expect_error(5, "backup-not-found");
    let backup = ["backup", &scratch.path("source"), &scratch.path("repository"), "--name", "tuesday", "--json"];
    run(&backup).expect_error(5, "damaged-marker");
}

/// What a run has finished is a hint: what it does not say is done again.
#[test]
fn a_journal_that_is_too_large_says_nothing() {
    let scratch = backed_up();
    let own = PathBuf::from(scratch.path("repository/poisoned/_influx_backup"));
    fs::remove_file(own.join("manifest.json")).expect("removed");
    fs::create_dir_all(own.join("journal")).expect("made");
    make_sparse(own.join("journal/000001-000000.jsonl"), TIB);
    let backup = ["backup", &scratch.path("source"), &scratch.path("repository"), "--name", "poisoned"];
    run(&[&backup[..], &["--resume", "--takeover"]].concat()).expect(0);
    run(&["verify", &scratch.path("repository/poisoned"), "--level", "bytes"]).expect(0);
}

#[test]
fn a_source_with_far_too_large_files_is_corrupt() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let source = scratch.path("source");
    let files = scratch.files("source");
    for kind in ["/snapshots/", "/wal/", "/catalog/v3/logs/", "/catalog/v3/snapshot"] {
        let names = || files.iter().filter_map(|(path, bytes)| Some((path.to_str()?, bytes)));
        let (name, bytes) = names().rfind(|(name, _)| name.contains(kind)).expect("one");
        let file = Path::new(&source).join(name);
        make_sparse(&file, 5 << 30);
        run(&["discover", &source, "--json"]);
        let certificate = run(&["certify", &source, "--json"]);
        assert!(certificate.code == 4 && certificate.stdout.contains(name), "{certificate:?}");
        // A backup copies it first.
        if kind == "/snapshots/" {
            make_sparse(&file, (256 << 20) + 1);
            let error = run(&["backup", &source, &scratch.path("repository"), "--name", "monday", "--json"]);
            let error = error.expect_error(4, "corrupt-source").json();
            assert!(error.to_string().contains("268435457 bytes"), "{error:#}");
        }
        fs::write(&file, bytes).expect("written");
    }
    run(&["certify", &source]).expect(0);
}

#[test]
fn a_journal_of_a_restore_is_damaged_that_is_too_large() {
    let scratch = backed_up();
    let target = PathBuf::from(scratch.path("target"));
    fs::create_dir_all(target.join("_influx_backup")).expect("made");
    let journal = target.join("_influx_backup/restore.json");
    make_sparse(&journal, TIB);
    let restore = ["restore", &scratch.path("repository/monday"), target.to_str().expect("UTF-8"), "--json"];
    for more in [&[][..], &["--resume"], &["--abandon"]] {
        run(&[&restore[..], more].concat()).expect_error(5, "damaged-journal");
    }
}
