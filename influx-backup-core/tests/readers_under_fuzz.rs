//! Every reader of bytes that somebody else controls gets what an attacker would make of valid ones: it refuses them or reads
//! them, and neither panics nor takes much memory. The targets are those of `fuzz/`.
#![cfg(feature = "testing")]

mod generated;

use std::{collections::BTreeMap, fs, path::Path};

use generated::{World, files};
use influx_backup_core::{
    BackupOptions, Component, Generation,
    testing::{
        fuzz::TARGETS,
        generate::{Checkpoints, Generate, Object},
    },
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

/// How often each target is run.
const CASES: u32 = 1_000;

/// How much the address space may grow: no reader of [`LONGEST`] bytes has a use for it.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 256 << 20;

/// The most bytes that are read.
const LONGEST: usize = 1 << 20;

/// One thing that is done to valid bytes.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index),
    /// Four bytes that may be a length.
    Length(Index, u32),
    /// Eight bytes that may be a length.
    LongLength(Index, u64),
    /// The largest number in the place of another.
    Digits(Index),
    Repeat(Index, Index, u8),
    Remove(Index, Index),
    Insert(Index, Vec<u8>),
    Nest(Index, u16),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let extreme = || select(vec![0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1, u32::MAX]);
    let longer = select(vec![1 << 31, 1 << 32, 1 << 40, i64::MAX as u64, u64::MAX - 63, u64::MAX]);
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        at().prop_map(Mutation::Cut),
        (at(), extreme()).prop_map(|(at, length)| Mutation::Length(at, length)),
        (at(), longer).prop_map(|(at, length)| Mutation::LongLength(at, length)),
        at().prop_map(Mutation::Digits),
        (at(), at(), 2..50_u8).prop_map(|(from, to, times)| Mutation::Repeat(from, to, times)),
        (at(), at()).prop_map(|(from, to)| Mutation::Remove(from, to)),
        (at(), vec(any::<u8>(), 1..16)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at(), 100..5_000_u16).prop_map(|(at, depth)| Mutation::Nest(at, depth)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let place = |index: &Index| index.index(bytes.len() + 1);
    let piece = |a: &Index, b: &Index| {
        let (a, b) = (place(a), place(b));
        a.min(b)..a.max(b)
    };
    let overwrite = |at: usize, with: &[u8]| at..(at + with.len()).min(bytes.len());
    match mutation {
        Mutation::Flip(at, byte) => {
            let at = place(at);
            if let Some(found) = bytes.get_mut(at) {
                *found ^= byte;
            }
        }
        Mutation::Cut(at) => bytes.truncate(place(at)),
        Mutation::Length(at, length) => {
            let range = overwrite(place(at), &length.to_le_bytes());
            bytes.splice(range, length.to_le_bytes());
        }
        Mutation::LongLength(at, length) => {
            let range = overwrite(place(at), &length.to_le_bytes());
            bytes.splice(range, length.to_le_bytes());
        }
        Mutation::Digits(at) => {
            let from = place(at);
            let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|found| from + found) else {
                return;
            };
            let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            bytes.splice(start..start + length, u64::MAX.to_string().into_bytes());
        }
        Mutation::Repeat(from, to, times) => {
            let range = piece(from, to);
            let repeated = bytes[range.clone()].repeat(usize::from(*times));
            bytes.splice(range, repeated);
        }
        Mutation::Remove(from, to) => drop(bytes.drain(piece(from, to))),
        Mutation::Insert(at, inserted) => {
            let at = place(at);
            bytes.splice(at..at, inserted.iter().copied());
        }
        Mutation::Nest(at, depth) => {
            let at = place(at);
            bytes.splice(at..at, std::iter::repeat_n(b'[', usize::from(*depth)));
        }
    }
}

/// Valid bytes, by the target that reads them.
async fn seeds() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut seeds = BTreeMap::<_, Vec<Vec<u8>>>::new();
    let core = |generation| Generate::core("c").snapshots(3).catalog(generation).checkpoints(Checkpoints::Monthly);
    for cluster in Generation::ALL.iter().map(|generation| core(*generation).removed(2)) {
        for Object { key, bytes } in cluster.objects() {
            let target = match Component::of(key.split_once('/').expect("an owner").1) {
                Component::Wal => "wal",
                Component::Parquet => "parquet",
                Component::Snapshot => "snapshot",
                Component::SnapshotCheckpoint => "checkpoint",
                Component::CatalogLog(_) | Component::CatalogRoot(_) => "catalog",
                _ => continue,
            };
            seeds.entry(target).or_default().push(bytes.to_vec());
        }
    }
    let world = World::new(&core(Generation::V3));
    world.back_up(BackupOptions::default()).await.expect("backed up");
    for (key, bytes) in files(&world.backup()) {
        if key.ends_with("manifest.json") {
            let root: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            seeds.entry("documents").or_default().push(root["certificate"].to_string().into_bytes());
            seeds.entry("objects").or_default().push(root.to_string().into_bytes());
            seeds.entry("manifest").or_default().push(bytes);
        } else if key.ends_with(".jsonl.zst") {
            let lines = zstd::decode_all(&bytes[..]).expect("decoded");
            let root = seeds.entry("objects").or_default().pop().expect("the manifest is read before");
            seeds.entry("objects").or_default().push([&root[..], b"\n", &lines].concat());
            seeds.entry("segment").or_default().push(bytes);
        } else if key.contains("claim-") {
            seeds.entry("claim").or_default().push(bytes);
        }
    }
    let marker = fs::read(world.vault().join("_influx_backup/repository.json")).expect("a marker");
    seeds.entry("marker").or_default().push(marker);
    for (target, text) in TEXTS {
        seeds.entry(target).or_default().push(text.as_bytes().to_vec());
    }
    seeds
}

/// Those that no run leaves.
const TEXTS: &[(&str, &str)] = &[
    (
        "claim",
        r#"{"owner":"0123456789abcdef","host":"h","pid":1,"began":"2026-11-01T00:00:00Z","cluster":"c","unsettled":9}"#,
    ),
    ("journal", "{\"format\":1,\"min_reader\":1}\nae8b14860a799888 123456789\n"),
    (
        "list_page",
        "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker><Upload><Key>k</Key><UploadId>u</UploadId><Initiated>2026-11-01T00:00:00Z</Initiated></Upload></ListMultipartUploadsResult>",
    ),
    (
        "list_page",
        "<EnumerationResults><Blobs><Blob><Name>n</Name><Properties><Last-Modified>Sun, 01 Nov 2026 00:00:00 GMT</Last-Modified></Properties></Blob></Blobs><NextMarker>m</NextMarker></EnumerationResults>",
    ),
    ("options", r#"{"limits":{"concurrency":3,"memory":"1.5 GiB","stall_timeout":"10s"},"name":"monday"}"#),
    ("options", "1.5 GiB"),
    (
        "restore_journal",
        r#"{"format":1,"min_reader":1,"restore":"0123456789abcdef","backup":"n1","manifest_sha256":"ab","began":"2026-11-01T00:00:00Z","policy":"empty","extra_nodes":"refuse","phase":"guarding","changes":"none","old_roots":[{"key":"a/catalog/v3/snapshot","bytes":"00ff"}],"guards":["a/catalog/v3/snapshot"],"created":[]}"#,
    ),
    ("url", "s3://bucket/prefix/%41?x=y#z"),
    ("url", "file:///var/backups"),
    ("url", "az://container/a"),
    ("url", "gs://bucket"),
];

#[test]
fn readers_neither_panic_nor_take_much_memory() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let seeds = runtime.block_on(seeds());
    drop(runtime);
    limit_memory();
    for (name, target) in TARGETS {
        let of_target = seeds.get(name).unwrap_or_else(|| panic!("{name} has no seeds"));
        of_target.iter().for_each(|seed| target(seed));
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let cases = (select(of_target.clone()), vec(mutation(), 0..5));
        let run = TestRunner::new(config).run(&cases, |(mut bytes, mutations)| {
            for mutation in &mutations {
                mutate(&mut bytes, mutation);
                bytes.truncate(LONGEST);
            }
            target(&bytes);
            Ok(())
        });
        run.unwrap_or_else(|failed| panic!("{name}: {failed}"));
    }
}

/// From here on, whoever takes memory at the word of a length ends the test.
fn limit_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let status = fs::read_to_string("/proc/self/status").expect("the state of the process");
        let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("its size");
        let kib: u64 = size.trim().trim_end_matches(" kB").parse().expect("a number");
        let most = (kib << 10) + MEMORY;
        let limit = Rlimit { current: Some(most), ..getrlimit(Resource::As) };
        setrlimit(Resource::As, limit).expect("a lower limit");
    }
}

#[test]
fn each_target_has_a_file_for_the_fuzzer() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let cargo = fs::read_to_string(directory.join("Cargo.toml")).expect("a manifest");
    let mut found: Vec<_> = fs::read_dir(directory.join("fuzz_targets"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    let names: Vec<_> = found.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
    assert_eq!(names, TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, path) in names.iter().zip(&found) {
        assert!(fs::read_to_string(path).expect("text").contains(&format!("run(\"{name}\", bytes)")), "{name}");
        assert!(cargo.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
