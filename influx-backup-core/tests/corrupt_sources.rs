//! Damage in the source is found when it is backed up: named under the policy that fails, recorded under the one that
//! records, never passed over.
#![cfg(all(unix, feature = "testing"))]

mod generated;

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

use generated::{World, core, files, location, names, violations};
use influx_backup_core::{
    BackupOptions, Clause, Error, FindingCode, Generation, Passes, VerifyOptions, certify,
    error::StopReason,
    options::{AbsenceTolerance, OnCorrupt, OnViolation},
    record::BackupStatus,
    testing::write,
};

fn first(world: &World, part: &str) -> String {
    files(world.source()).into_keys().find(|key| key.contains(part)).expect("a key")
}

fn last(world: &World, part: &str) -> String {
    files(world.source()).into_keys().rfind(|key| key.contains(part)).expect("a key")
}

fn change(world: &World, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(world.file(key)).expect("there");
    change(&mut bytes);
    fs::write(world.file(key), bytes).expect("written");
}

fn replace(world: &World, key: &str, from: &str, to: &str) {
    let text = fs::read_to_string(world.file(key)).expect("text");
    assert!(text.contains(from), "{key} has {from}");
    fs::write(world.file(key), text.replacen(from, to, 1)).expect("written");
}

/// What is done to a source; returns the object that has to be named.
type Damage = fn(&World) -> String;

/// Fails by name under one policy, is recorded by name under the other.
async fn is_damage(what: &str, damage: Damage, clause: Clause, code: FindingCode) {
    for generation in Generation::ALL.iter().copied() {
        let what = format!("{what}, {generation}");
        let world = World::new(&core(generation));
        let key = damage(&world);
        let error = world.back_up(BackupOptions::default()).await.expect_err(&what);
        assert_eq!(error.code(), "corrupt-source", "{what}: {error}");
        let named = error.to_string();
        assert!(named.contains(&key) && named.contains(clause.as_str()), "{what}: {error}");
        let repository = world.repository().await;
        assert_eq!(repository.get("n1").await.expect_err(&what).code(), "backup-not-found");
        fs::remove_dir_all(world.backup()).expect("removed");

        let record = BackupOptions::default().with_on_corrupt(OnCorrupt::Record);
        let report = world.back_up(record).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(report.status, BackupStatus::Degraded, "{what}");
        assert_eq!(violations(&report.certificate), [(clause, vec![code.clone()])], "{what}");
        assert!(names(&report.certificate, &key), "{what}: {}", report.certificate.summary());
        let again = certify(&location(&world.backup())).await.expect("certified");
        assert_eq!(violations(&again), violations(&report.certificate), "{what}, again");
        let verified = repository.verify("n1", VerifyOptions::structure()).await.expect("verified");
        assert!(verified.passed(), "{what}: it is what it was: {:?}", verified.problems);
    }
}

#[tokio::test]
async fn bad_wal_above_the_cut() {
    let empty: Damage = |world| {
        let key = last(world, "/wal/");
        change(world, &key, Vec::clear);
        key
    };
    let bad: Damage = |world| {
        let key = last(world, "/wal/");
        change(world, &key, |bytes| bytes[9] ^= 1);
        key
    };
    is_damage("empty WAL", empty, Clause::Wal, FindingCode::CorruptWal).await;
    is_damage("WAL with a bad checksum", bad, Clause::Wal, FindingCode::CorruptWal).await;
}

#[tokio::test]
async fn bad_wal_that_a_snapshot_covers_is_worth_a_word() {
    for damage in [Vec::clear as fn(&mut Vec<u8>), |bytes| bytes[9] ^= 1] {
        let world = World::new(&core(Generation::V3));
        let key = first(&world, "/wal/");
        change(&world, &key, damage);
        let report = world.back_up(BackupOptions::default()).await.expect("backed up");
        assert_eq!(report.status, BackupStatus::Complete);
        let finding = report.certificate.findings.iter().find(|finding| finding.code == FindingCode::CorruptCoveredWal);
        assert_eq!(finding.and_then(|finding| finding.key.as_ref()).map(AsRef::as_ref), Some(key.as_str()));
    }
}

#[tokio::test]
async fn bad_catalogs() {
    let root: Damage = |world| {
        let key =
            files(world.source()).into_keys().find(|key| key.ends_with("snapshot") || key.ends_with("checkpoint"));
        let key = key.expect("a root");
        change(world, &key, |bytes| bytes.truncate(30));
        key
    };
    let log: Damage = |world| {
        let key = last(world, ".catalog");
        change(world, &key, |bytes| *bytes.last_mut().expect("bytes") ^= 1);
        key
    };
    let stray: Damage = |world| {
        let directory = last(world, ".catalog").rsplit_once('/').expect("a directory").0.to_owned();
        let key = format!("{directory}/notes.txt");
        fs::write(world.file(&key), "notes").expect("written");
        key
    };
    is_damage("bad root", root, Clause::Catalog, FindingCode::CorruptCatalog).await;
    is_damage("bad log", log, Clause::Catalog, FindingCode::CorruptCatalog).await;
    is_damage("stray among the logs", stray, Clause::Catalog, FindingCode::StrayCatalogLog).await;
}

#[tokio::test]
async fn bad_manifests() {
    let oldest: Damage = |world| {
        let key = last(world, "/snapshots/");
        change(world, &key, Vec::clear);
        key
    };
    let newest: Damage = |world| {
        let key = first(world, "/snapshots/");
        change(world, &key, |bytes| bytes.truncate(100));
        key
    };
    is_damage("empty oldest manifest", oldest, Clause::Manifests, FindingCode::CorruptManifest).await;
    is_damage("cut newest manifest", newest, Clause::Manifests, FindingCode::CorruptManifest).await;
}

#[tokio::test]
async fn manifests_that_lie() {
    let size: Damage = |world| {
        let key = first(world, "/snapshots/");
        let text = fs::read_to_string(world.file(&key)).expect("text");
        let path =
            text.split("\"path\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a path").to_owned();
        replace(world, &key, "\"size_bytes\": 1", "\"size_bytes\": 2");
        path
    };
    let node: Damage = |world| {
        let key = first(world, "/snapshots/");
        replace(world, &key, "\"node_id\": \"node1\"", "\"node_id\": \"node2\"");
        key
    };
    let sequence: Damage = |world| {
        let key = first(world, "/snapshots/");
        replace(world, &key, "\"snapshot_sequence_number\": 4", "\"snapshot_sequence_number\": 5");
        key
    };
    let end_of_range: Damage = |world| {
        let key = first(world, "/snapshots/");
        replace(world, &key, "\"snapshot_sequence_number\": 4", "\"snapshot_sequence_number\": 18446744073709551615");
        replace(world, &key, "\"row_count\": 2,\n", "\"row_count\": 18446744073709551615,\n");
        key
    };
    let elsewhere: Damage = |world| {
        let key = first(world, "/snapshots/");
        replace(world, &key, "\"path\": \"node1/dbs/", "\"path\": \"../dbs/");
        key
    };
    is_damage("a wrong size", size, Clause::Closure, FindingCode::WrongSizeParquet).await;
    is_damage("another node", node, Clause::Manifests, FindingCode::ForeignManifest).await;
    is_damage("another sequence", sequence, Clause::Manifests, FindingCode::MisnamedManifest).await;
    is_damage("the last sequence", end_of_range, Clause::Manifests, FindingCode::MisnamedManifest).await;
    is_damage("a file elsewhere", elsewhere, Clause::Manifests, FindingCode::ForeignParquet).await;
}

#[tokio::test]
async fn bad_parquet() {
    let frameless: Damage = |world| {
        let key = last(world, "/dbs/");
        change(world, &key, |bytes| {
            let length = bytes.len();
            bytes[length - 8..].fill(0);
        });
        key
    };
    let longer: Damage = |world| {
        let key = last(world, "/dbs/");
        fs::write(world.file(&key), write::parquet(&[0; 2000])).expect("written");
        key
    };
    is_damage("Parquet without footer", frameless, Clause::Closure, FindingCode::CorruptParquet).await;
    is_damage("Parquet of another length", longer, Clause::Closure, FindingCode::WrongSizeParquet).await;
}

#[tokio::test]
async fn bad_checkpoints() {
    let bad: Damage = |world| {
        let key = last(world, "/snapshot-checkpoints/");
        change(world, &key, |bytes| bytes.truncate(50));
        key
    };
    // The newest two manifests are lost; the newest checkpoint was made of them.
    let newer: Damage = |world| {
        for _ in 0..2 {
            fs::remove_file(world.file(&first(world, "/snapshots/"))).expect("removed");
        }
        first(world, "/snapshot-checkpoints/2025-11/")
    };
    is_damage("cut checkpoint", bad, Clause::Checkpoints, FindingCode::CorruptCheckpoint).await;
    is_damage("checkpoint without its manifest", newer, Clause::Checkpoints, FindingCode::NewCheckpoint).await;
}

/// More damage than a certificate keeps hides no other violation.
#[tokio::test]
async fn every_violation_is_looked_at() {
    let world = World::new(&core(Generation::V3));
    for number in 1_000..1_150 {
        generated::write(&world.file(&format!("node1/catalog/v3/logs/stray-{number}")), "stray");
    }
    let record = || {
        let two = Passes::until_closed(2, std::time::Duration::from_secs(60));
        BackupOptions::default().with_on_corrupt(OnCorrupt::Record).with_passes(two)
    };
    let report = world.back_up(record()).await.expect("recorded");
    assert_eq!((report.status, report.certificate.clauses[3].violated()), (BackupStatus::Degraded, 150));
    fs::remove_dir_all(world.backup()).expect("removed");

    let logs = files(world.source()).into_keys().filter(|key| key.ends_with(".catalog") && key.contains("/logs/"));
    let logs: Vec<_> = logs.collect();
    fs::remove_file(world.file(&logs[logs.len() - 2])).expect("removed");
    let error = world.back_up(record()).await.expect_err("a log is missing");
    let Error::NotConsistent { certificate, .. } = &error else { panic!("{error}") };
    assert_eq!(certificate.clauses[3].violated(), 151);
}

#[tokio::test]
async fn a_missing_volume_is_no_backup_unless_the_caller_says_so() {
    let world = World::new(&core(Generation::V3));
    fs::remove_dir_all(world.file("node1/dbs")).expect("removed");
    let two = || BackupOptions::default().with_passes(Passes::until_closed(2, std::time::Duration::from_secs(60)));
    for corrupt in [OnCorrupt::Fail, OnCorrupt::Record] {
        let error = world.back_up(two().with_on_corrupt(corrupt)).await.expect_err("refused");
        let Error::NotConsistent { passes: 2, stop_reason: StopReason::LimitReached, certificate, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(violations(certificate), [(Clause::Closure, vec![FindingCode::MostParquetMissing])]);
        assert!(error.to_string().contains("node1/dbs"), "{error}");
        fs::remove_dir_all(world.backup()).expect("removed");
    }
    let error = world.back_up(BackupOptions::default()).await.expect_err("refused");
    let Error::NotConsistent { passes, stop_reason: StopReason::NoProgress, .. } = &error else { panic!("{error}") };
    assert!(
        *passes < Passes::default().max_passes && error.to_string().contains("the source is not changing"),
        "{error}"
    );
    fs::remove_dir_all(world.backup()).expect("removed");
    let report = world.back_up(two().with_on_violation(OnViolation::Degrade)).await.expect("degraded");
    assert_eq!(report.status, BackupStatus::Degraded);
    let again = certify(&location(&world.backup())).await.expect("certified");
    assert_eq!(violations(&again), [(Clause::Closure, vec![FindingCode::MostParquetMissing])], "said again");
    fs::remove_dir_all(world.backup()).expect("removed");

    let report = world.back_up(two().with_absence_tolerance(AbsenceTolerance::Lenient)).await.expect("accepted");
    assert_eq!((report.status, report.certificate.absent_files()), (BackupStatus::Complete, 16));
    assert!(report.to_string().contains("absent files: 16"), "{report}");
}

#[tokio::test]
async fn links_are_followed_where_they_lead_to_files_and_errors_elsewhere() {
    use std::os::unix::fs::symlink;
    let world = World::new(&core(Generation::V3));
    let parquet = last(&world, "/dbs/");
    let beside = world.file("volume");
    fs::create_dir(&beside).expect("made");
    fs::rename(world.file(&parquet), beside.join("file")).expect("moved");
    symlink(beside.join("file"), world.file(&parquet)).expect("linked");
    let report = world.back_up(BackupOptions::default()).await.expect("backed up");
    assert_eq!(report.status, BackupStatus::Complete);
    assert!(!world.backup().join(&parquet).is_symlink());
    fs::remove_dir_all(world.backup()).expect("removed");

    for directory in ["node1/dbs", "node1/wal", "node1/snapshots", "node1/catalog/v3/logs", "node1"] {
        for (name, target) in [("broken", "nowhere"), ("loop", "loop"), ("up", "..")] {
            let link = world.file(directory).join(name);
            symlink(target, &link).expect("linked");
            for corrupt in [OnCorrupt::Fail, OnCorrupt::Record] {
                let what = format!("{directory}/{name}");
                let error = world.back_up(BackupOptions::default().with_on_corrupt(corrupt)).await.expect_err(&what);
                assert_eq!(error.code(), "link", "{what}: {error}");
                assert!(error.to_string().contains(&what), "{what}: {error}");
                let _ = fs::remove_dir_all(world.backup());
            }
            fs::remove_file(&link).expect("removed");
        }
    }
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(&core(Generation::V3));
    let key = last(&world, "/wal/");
    fs::set_permissions(world.file(&key), fs::Permissions::from_mode(0o000)).expect("set");
    let readable = fs::read(world.file(&key)).is_ok();
    for corrupt in [OnCorrupt::Fail, OnCorrupt::Record] {
        let result = world.back_up(BackupOptions::default().with_on_corrupt(corrupt)).await;
        let _ = fs::remove_dir_all(world.backup());
        match result {
            // A superuser reads everything.
            Ok(report) => assert!(readable && report.status == BackupStatus::Complete),
            Err(error) => {
                assert!(!readable, "{error}");
                assert_eq!(error.code(), "access-denied", "{error}");
                assert!(error.to_string().contains(&key), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn odd_names_are_copied_byte_for_byte_or_refused() {
    let world = World::new(&core(Generation::V3));
    let odd = ["a b", "ü", "100%", "%2F", "a+b=c&d", "quote'\"", "back\\slash", "#1a", "~", "*?", "日本"];
    for name in odd {
        generated::write(&world.file(&format!("node1/dbs/{name}/{name}.parquet")), name);
        generated::write(&world.file(&format!("node1/{name}")), name);
    }
    let report = world.back_up(BackupOptions::default()).await.expect("backed up");
    assert_eq!((report.status, report.certificate.orphans), (BackupStatus::Complete, odd.len() as u64));
    let mut held = files(&world.backup());
    held.retain(|key, _| !key.starts_with("_influx_backup/"));
    assert_eq!(held, files(world.source()));
    let verified = world.repository().await.verify("n1", VerifyOptions::bytes()).await.expect("verified");
    let structure: Vec<_> =
        verified.problems.iter().filter(|problem| problem.code != FindingCode::WrongBytes).collect();
    assert!(structure.is_empty(), "{structure:?}");
    fs::remove_dir_all(world.backup()).expect("removed");

    for name in [&b"new\nline"[..], b"\x7f", b"not \xff UTF-8"] {
        let path = world.file("node1/dbs").join(OsStr::from_bytes(name));
        fs::write(&path, "x").expect("written");
        let error = world.back_up(BackupOptions::default()).await.expect_err("refused");
        assert_eq!(error.code(), "invalid-key", "{error}");
        let _ = fs::remove_dir_all(world.backup());
        fs::remove_file(&path).expect("removed");
    }
}
