//! A cluster, a repository and a target on file systems that lack hard links, syncs, times or inodes that stay.

use std::{fs, path::Path};

use rustix::io::Errno;
use serde_json::Value;

use crate::{
    injected::injected,
    mounted::Mounted,
    program::{Answer, Scratch, command, run},
    refusing::Refusing,
};

/// A call of the program, on a file system.
type Run<'a> = dyn Fn(&[&str]) -> Answer + 'a;

fn on<'a>(refusing: &'a Refusing) -> impl Fn(&[&str]) -> Answer + 'a {
    |arguments| Answer::of(refusing.under(command(arguments)).output().expect("the program starts"))
}

/// Backs a cluster up, verifies the backup and restores it. Returns the reports of the backup and of the restore.
fn there_and_back(scratch: &Scratch, repository: &str, target: &str, run: &Run<'_>) -> [Value; 2] {
    let source = scratch.path("source");
    let backup = run(&["backup", &source, repository, "--name", "monday", "--json"]).expect(0).json();
    let again = ["backup", &source, repository, "--name", "monday", "--json"];
    run(&again).expect_error(5, "backup-exists");
    let monday = format!("{repository}/monday");
    run(&["verify", &monday, "--json"]).expect(0);
    let restore = run(&["restore", &monday, target, "--json"]).expect(0).json();
    let (before, after) = (data(&scratch.path("source")), data(target));
    assert!(after.len() > 20 && after.iter().all(|file| before.contains(file)), "restored as it was");
    [backup, restore]
}

/// Every file with its bytes, but for licenses, which are bound to a place. (What servers derive anew is not backed up.)
fn data(root: &str) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let root = Path::new(root);
    let mut files = Vec::new();
    crate::program::collect(root, root, &mut files);
    files.retain(|(path, _)| !path.to_string_lossy().contains("license"));
    files.sort();
    files
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("a list");
    let codes = findings.iter().map(|finding| finding["code"].as_str().expect("a code"));
    codes.filter(|code| *code != "retention").collect()
}

fn cluster() -> Scratch {
    Scratch::with_cluster(&["--snapshots", "2"])
}

#[test]
fn without_hard_links_files_are_renamed_where_none_is() {
    for errno in [Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS, Errno::MLINK] {
        let scratch = cluster();
        let Some(refusing) = Refusing::new(&scratch.path("log")) else { return };
        let refusing = refusing.with("link", errno, scratch.path("").trim_end_matches('/'));
        let reports = there_and_back(&scratch, &scratch.path("repository"), &scratch.path("target"), &on(&refusing));
        for report in reports {
            assert_eq!(report["abilities"]["create_only"], "rename_no_replace", "{errno}: {report:#}");
            assert_eq!(codes(&report), [""; 0], "{errno}: nothing to know");
        }
        assert!(refusing.changed().iter().any(|line| line.starts_with("link ")), "{errno}");
    }
}

#[test]
fn without_hard_links_and_such_renames_files_are_made_in_place() {
    let scratch = cluster();
    let log = scratch.path("log");
    let refused = [("linkat", Errno::PERM), ("renameat2", Errno::INVAL)];
    let run = |arguments: &[&str]| {
        let mut traced = injected(&command(arguments), &refused, &log).expect("strace was there before");
        Answer::of(traced.stdout(std::process::Stdio::piped()).output().expect("strace runs"))
    };
    if injected(&command(&["--version"]), &refused, &log).is_none() {
        return;
    }
    let reports = there_and_back(&scratch, &scratch.path("repository"), &scratch.path("target"), &run);
    for report in reports {
        assert_eq!(report["abilities"]["create_only"], "exclusive_create", "{report:#}");
        assert_eq!(codes(&report), ["created-in-place"], "{report:#}");
    }
}

#[test]
fn what_is_not_synced_is_a_note() {
    for errno in [Errno::INVAL, Errno::OPNOTSUPP] {
        let scratch = cluster();
        let Some(refusing) = Refusing::new(&scratch.path("log")) else { return };
        let refusing = refusing.with("fsync", errno, scratch.path("").trim_end_matches('/'));
        let reports = there_and_back(&scratch, &scratch.path("repository"), &scratch.path("target"), &on(&refusing));
        for report in reports {
            assert_eq!(report["abilities"]["synced"], "nothing", "{errno}: {report:#}");
            assert_eq!(codes(&report), ["directories-not-synced"], "{errno}: {report:#}");
            assert!(!report["findings"].to_string().contains("files are on disk"), "{errno}: {report:#}");
        }
    }
}

#[test]
fn where_file_systems_are_not_synced_files_are() {
    let scratch = cluster();
    let log = scratch.path("log");
    let (source, repository) = (scratch.path("source"), scratch.path("repository"));
    let backup = command(&["backup", &source, &repository, "--json"]);
    let Some(mut traced) = injected(&backup, &[("syncfs", Errno::NOSYS)], &log) else { return };
    traced.stdout(std::process::Stdio::piped());
    let report = Answer::of(traced.output().expect("strace runs")).expect(0).json();
    assert_eq!(report["abilities"]["synced"], "all", "each file was synced: {report:#}");
    assert!(fs::read_to_string(&log).expect("a log").contains("(INJECTED)"));
}

/// Were one called, it would fail.
#[test]
fn a_relaxed_run_syncs_nothing() {
    const SYNCS: [&str; 5] = ["fsync", "fdatasync", "syncfs", "sync", "sync_file_range"];
    let scratch = cluster();
    let (source, repository, target) = (scratch.path("source"), scratch.path("repository"), scratch.path("target"));
    let monday = scratch.path("repository/monday");
    let backup = ["backup", &source, &repository, "--name", "monday", "--json"];
    let restore = ["restore", &monday, &target, "--json"];
    for (arguments, log) in [(&backup[..], "backup.log"), (&restore[..], "restore.log")] {
        let log = scratch.path(log);
        let relaxed = [arguments, &["--durability", "relaxed"]].concat();
        let refused = SYNCS.map(|call| (call, Errno::IO));
        let Some(mut traced) = injected(&command(&relaxed), &refused, &log) else { return };
        traced.stdout(std::process::Stdio::piped());
        let report = Answer::of(traced.output().expect("strace runs")).expect(0).json();
        assert_eq!(report["abilities"]["synced"], "nothing", "{report:#}");
        assert_eq!(codes(&report), [""; 0], "it is what was asked for");
        let log = fs::read_to_string(&log).expect("a log");
        assert!(SYNCS.iter().all(|call| !log.contains(&format!("{call}("))), "not a single one: {log}");
    }
}

#[test]
fn times_that_are_refused_are_a_note() {
    for errno in [Errno::PERM, Errno::ACCESS, Errno::NOSYS] {
        let scratch = cluster();
        let Some(refusing) = Refusing::new(&scratch.path("log")) else { return };
        let refusing = refusing.with("utimes", errno, scratch.path("").trim_end_matches('/'));
        let reports = there_and_back(&scratch, &scratch.path("repository"), &scratch.path("target"), &on(&refusing));
        for report in reports {
            assert_eq!(report["abilities"]["times"], "not_kept", "{errno}: {report:#}");
            assert_eq!(codes(&report), ["times-not-kept"], "{errno}: {report:#}");
        }
        assert!(!refusing.changed().is_empty(), "{errno}");
    }
}

#[test]
fn inodes_that_differ_at_every_look_make_no_other_version() {
    for (place, notes) in [("source", [1, 0]), ("repository", [1, 1]), ("target", [0, 1]), ("", [2, 2])] {
        let scratch = cluster();
        let Some(refusing) = Refusing::new(&scratch.path("log")) else { return };
        let refusing = refusing.with_shuffled_inodes(scratch.path(place).trim_end_matches('/'));
        let reports = there_and_back(&scratch, &scratch.path("repository"), &scratch.path("target"), &on(&refusing));
        assert_eq!(reports[0]["passes"].as_array().map(Vec::len), Some(1), "{place}: {:#}", reports[0]);
        for (report, notes) in reports.iter().zip(notes) {
            assert_eq!(codes(report), vec!["unstable-inodes"; notes], "{place}: {report:#}");
        }
        assert!(!refusing.changed().is_empty(), "{place}");
    }
}

/// A restore gives files other inodes, and the times that they had.
#[test]
fn a_restore_over_its_own_files_shows_no_lack() {
    let scratch = cluster();
    let (source, repository, target) = (scratch.path("source"), scratch.path("repository"), scratch.path("target"));
    let monday = scratch.path("repository/monday");
    run(&["backup", &source, &repository, "--name", "monday"]).expect(0);
    run(&["restore", &monday, &target]).expect(0);
    for policy in ["replace", "overlay"] {
        let again = ["restore", &monday, &target, "--policy", policy, "--servers-stopped", "--json"];
        let report = run(&again).expect(0).json();
        assert_eq!(report["abilities"]["inodes"], "stable", "{policy}: {report:#}");
        assert!(!codes(&report).contains(&"unstable-inodes"), "{policy}: {report:#}");
    }
}

/// A real one: it has neither hard links nor renames that replace nothing.
#[test]
fn a_repository_behind_fuse() {
    let scratch = cluster();
    let (source, directory, point) = (scratch.path("source"), scratch.path("directory"), scratch.path("point"));
    fs::create_dir(&directory).expect("made");
    let Some(mounted) = Mounted::new(Path::new(&directory), Path::new(&point)) else { return };
    let repository = mounted.point().join("repository").to_str().expect("UTF-8").to_owned();
    let backup = ["backup", &source, &repository, "--name", "monday", "--json"];
    let report = run(&backup).expect(0).json();
    assert_eq!(report["abilities"]["create_only"], "exclusive_create", "{report:#}");
    assert!(codes(&report).contains(&"created-in-place"), "{report:#}");
    run(&backup).expect_error(5, "backup-exists");
    run(&["verify", &format!("{repository}/monday"), "--json"]).expect(0);
    // Names alone: rclone may not give a file that it is storing.
    let names = walkdir::WalkDir::new(&repository).into_iter().map(|entry| entry.expect("an entry").into_path());
    let names: Vec<_> = names.collect();
    assert!(names.len() > 20 && names.iter().all(|path| !path.to_string_lossy().contains('#')), "{names:?}");
}

/// As rclone does it with the cache that it recommends: until a file is stored, each opening gives it another time. Here it is
/// not stored before the test ends.
#[test]
fn a_restore_from_a_mount_that_has_not_stored_the_backup_yet() {
    let scratch = cluster();
    let (source, directory, point) = (scratch.path("source"), scratch.path("directory"), scratch.path("point"));
    fs::create_dir(&directory).expect("made");
    let Some(mounted) = Mounted::cached(Path::new(&directory), Path::new(&point), ["full", "10m"]) else { return };
    let repository = mounted.point().join("repository").to_str().expect("UTF-8").to_owned();
    run(&["backup", &source, &repository, "--name", "monday", "--json"]).expect(0);
    run(&["restore", &format!("{repository}/monday"), &scratch.path("target"), "--json"]).expect(0);
    let before = data(&source);
    assert!(data(&scratch.path("target")).iter().all(|file| before.contains(file)), "restored as it was");
}
