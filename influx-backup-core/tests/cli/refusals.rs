//! What the program refuses: exit codes, and the one JSON document that says why.

use crate::program::{Scratch, run};

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let wrong: [&[&str]; 6] = [
        &[],
        &["frobnicate"],
        &["discover"],
        &["backup", "source", "repository", "--time-limit", "soon"],
        &["backup", "source", "repository", "--source-option", "novalue"],
        &["restore", "backup", "target", "--resume", "--abandon"],
    ];
    for arguments in wrong {
        run(&[arguments, &["--json"]].concat()).expect_error(2, "usage");
        let answer = run(arguments).expect(2);
        assert!(answer.stdout.is_empty() && answer.stderr.starts_with("error [usage]: "), "{answer:?}");
    }
}

/// The library refuses them, before anything is looked at.
#[test]
fn options_that_contradict_each_other_are_refused_as_usage() {
    let (source, repository) = ("/no/such/source", "/no/such/repository");
    let wrong: [&[&str]; 9] = [
        &["backup", source, repository, "--resume"],
        &["backup", source, repository, "--name", "n", "--takeover"],
        &["backup", source, repository, "--max-passes", "0"],
        &["backup", source, repository, "--bandwidth", "0"],
        &["restore", repository, source, "--extra-nodes", "keep"],
        &["restore", repository, source, "--policy", "overlay", "--extra-nodes", "delete"],
        &["restore", repository, source, "--concurrency", "0"],
        &["verify", repository, "--level", "bytes", "--sample-percent", "0"],
        &["verify", repository, "--sample-percent", "5"],
    ];
    for arguments in wrong {
        run(&[arguments, &["--json"]].concat()).expect_error(2, "invalid-request");
    }
}

#[test]
fn a_command_is_required() {
    assert_eq!(run(&[]).expect(2).stderr, "error [usage]: a command is required, see --help\n");
}

#[test]
fn help_and_version_are_answers() {
    for arguments in [["--help"], ["--version"]] {
        let answer = run(&arguments).expect(0);
        assert!(answer.stdout.contains("influx-backup") && answer.stderr.is_empty(), "{answer:?}");
    }
}

#[test]
fn what_is_no_location_is_a_usage_error() {
    run(&["discover", "ftp://host/x", "--json"]).expect_error(2, "invalid-location");
    run(&["backup", "/nowhere", "ftp://host/x", "--json"]).expect_error(2, "invalid-location");
    run(&["verify", "s3://bucket", "--json"]).expect_error(2, "usage");
}

#[test]
fn memory_is_refused() {
    run(&["discover", "memory://", "--json"]).expect_error(5, "memory-location");
}

#[test]
fn a_missing_source_is_refused() {
    let scratch = Scratch::empty();
    for verb in ["discover", "certify", "list"] {
        run(&[verb, &scratch.path("nothing"), "--json"]).expect_error(5, "location-not-found");
    }
    let source = scratch.path("nothing");
    let repository = scratch.path("repository");
    run(&["backup", &source, &repository, "--json"]).expect_error(5, "location-not-found");
    assert!(!std::path::Path::new(&repository).exists(), "a refused backup writes nothing");
}

#[test]
fn an_unknown_id_is_refused() {
    let scratch = Scratch::with_cluster(&[]);
    let source = scratch.path("source");
    run(&["discover", &source, "--cluster-id", "other", "--json"]).expect_error(5, "unknown-id");
    run(&["discover", &source, "--node-id", "other", "--json"]).expect_error(5, "unknown-id");
    run(&["discover", &source, "--query-only", "reader", "--json"]).expect(0);
}

#[test]
fn a_missing_backup_is_not_found() {
    let scratch = Scratch::empty();
    let backup = scratch.path("repository/monday");
    let target = scratch.path("target");
    run(&["verify", &backup, "--json"]).expect_error(5, "backup-not-found");
    run(&["restore", &backup, &target, "--json"]).expect_error(5, "backup-not-found");
    let url = format!("file://{backup}");
    run(&["verify", &url, "--json"]).expect_error(5, "backup-not-found");
}

#[test]
fn a_restore_that_was_not_begun_cannot_be_abandoned() {
    let scratch = Scratch::with_cluster(&[]);
    let backup = scratch.path("repository/monday");
    let target = scratch.path("source");
    run(&["restore", &backup, &target, "--abandon", "--json"]).expect_error(5, "no-restore");
}

#[test]
fn a_repository_that_cannot_be_written_is_a_store_error() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    std::fs::write(scratch.path("file"), "not a directory").expect("a file");
    let answer = run(&["backup", &scratch.path("source"), &scratch.path("file/repository"), "--json"]).expect(6);
    assert!(!answer.json()["error"]["causes"].as_array().expect("causes").is_empty(), "{answer:?}");
}

#[test]
fn the_generator_writes_into_nothing_but_an_empty_directory() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let before = scratch.files("source");
    run(&["generate", &scratch.path("source"), "--json"]).expect_error(2, "invalid-request");
    assert_eq!(scratch.files("source"), before);
}
