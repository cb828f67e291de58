//! Directories of another user beside the nodes.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        net::UnixListener,
    },
    path::Path,
};

use crate::{
    account::Account,
    program::{Answer, Scratch, command},
};

fn close(path: &str) {
    fs::create_dir_all(format!("{path}/files")).expect("made");
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("set");
}

#[test]
fn directories_that_cannot_be_read_stop_nothing_beside_the_cluster() {
    let Some(account) = Account::new(4711) else { return };
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let (source, repository, target) = (scratch.path("source"), scratch.path("repository"), scratch.path("target"));
    let own = scratch.path("");
    for directory in [&repository, &target] {
        fs::create_dir(directory).expect("made");
    }
    [&source, &repository, &target].iter().for_each(|directory| account.owns(Path::new(directory)));
    for directory in [&source, &repository, &target] {
        close(&format!("{directory}/private"));
        close(&format!("{directory}/.Trash-0"));
    }
    let run = |arguments: &[&str]| {
        Answer::of(account.runs(&command(arguments), Path::new(&own)).output().expect("setpriv runs"))
    };
    let found = run(&["discover", &source, "--json"]).expect(0).json().to_string();
    assert!(found.contains("passed-over") && found.contains("private"), "{found}");
    let report = run(&["backup", &source, &repository, "--name", "monday", "--json"]).expect(0);
    assert!(report.stdout.contains("passed-over"), "{}", report.stdout);
    run(&["list", &repository, "--json"]).expect(0);
    run(&["leftovers", &repository, "--json"]).expect(0);
    let backup = format!("{repository}/monday");
    run(&["verify", &backup, "--json"]).expect(0);
    run(&["certify", &backup, "--json"]).expect(0);
    run(&["restore", &backup, &target, "--json"]).expect(0);
    run(&["restore", &backup, &target, "--policy", "replace", "--servers-stopped", "--json"]).expect(0);
    assert!(Path::new(&format!("{target}/private/files")).exists(), "it is still there");

    // A node that cannot be read is an error, never left behind.
    for node in fs::read_dir(&source).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if node.join("wal").exists() {
            chown(&node, Some(0), Some(0)).expect("given");
            fs::set_permissions(&node, fs::Permissions::from_mode(0o700)).expect("set");
        }
    }
    let refused = run(&["discover", &source, "--json"]).json();
    assert_eq!(refused["error"]["code"], "access-denied");
    assert!(!refused.to_string().contains("unreadable entr"), "no node is passed over: {refused:#}");
}

#[test]
fn a_node_that_cannot_be_read_is_excluded_by_name() {
    let Some(account) = Account::new(4713) else { return };
    let scratch = Scratch::with_cluster(&["--edition", "enterprise", "--nodes", "2", "--snapshots", "2"]);
    let (source, repository, own) = (scratch.path("source"), scratch.path("repository"), scratch.path(""));
    fs::create_dir(&repository).expect("made");
    [&source, &repository].iter().for_each(|directory| account.owns(Path::new(directory)));
    let closed = format!("{source}/ingester02");
    close(&closed);
    chown(&closed, Some(0), Some(0)).expect("given");
    let run = |arguments: &[&str]| {
        Answer::of(account.runs(&command(arguments), Path::new(&own)).output().expect("setpriv runs"))
    };
    for arguments in [&["discover", &source][..], &["plan", &source, &repository], &["backup", &source, &repository]] {
        let refused = run(&[arguments, &["--json"]].concat()).expect_error(6, "access-denied");
        let document = refused.json();
        assert!(document.to_string().contains("ingester02"), "{arguments:?}: {document:#}");
        assert!(!document.to_string().contains("passed-over"), "it is not: {arguments:?}: {document:#}");
        let without = run(&[arguments, &["--exclude-node", "ingester02", "--json"]].concat()).expect(0);
        assert!(without.stdout.contains("ingester02"), "what is skipped is said: {arguments:?}: {without:?}");
        assert!(!without.stdout.contains("passed-over"), "{arguments:?}: {without:?}");
    }
    // Not even by those who may enter and not list.
    fs::set_permissions(&source, fs::Permissions::from_mode(0o311)).expect("set");
    let ids = ["--cluster-id", "cluster01", "--node-id", "ingester01", "--node-id", "compactor01"];
    let found = run(&[&["discover", &source, "--json", "--exclude-node", "ingester02"], &ids[..]].concat()).expect(0);
    let named: Vec<_> = found.json()["catalog_nodes"].as_array().expect("readable").clone();
    assert!(named.iter().all(|node| node["in_store"] == true), "{named:?}");
}

#[test]
fn with_all_ids_given_the_top_need_not_be_listed() {
    let Some(account) = Account::new(4712) else { return };
    let scratch = Scratch::with_cluster(&["--edition", "enterprise", "--snapshots", "2"]);
    let (source, repository, own) = (scratch.path("source"), scratch.path("repository"), scratch.path(""));
    fs::create_dir(&repository).expect("made");
    [&source, &repository].iter().for_each(|directory| account.owns(Path::new(directory)));
    let run = |arguments: &[&str]| {
        Answer::of(account.runs(&command(arguments), Path::new(&own)).output().expect("setpriv runs"))
    };
    let found = run(&["discover", &source, "--json"]).expect(0).json();
    let mut ids = vec!["--cluster-id", found["cluster_id"].as_str().expect("an id")];
    for node in found["nodes"].as_array().expect("nodes") {
        ids.extend(["--node-id", node["id"].as_str().expect("an id")]);
    }
    assert!(ids.len() >= 4, "{ids:?}");
    close(&format!("{source}/private"));
    UnixListener::bind(format!("{source}/socket")).expect("bound");
    // To enter and not to list, and to list.
    for (mode, name) in [(0o311, "monday"), (0o755, "tuesday")] {
        fs::set_permissions(&source, fs::Permissions::from_mode(mode)).expect("set");
        let report = run(&[&["backup", &source, &repository, "--name", name, "--json"], &ids[..]].concat()).expect(0);
        assert!(!report.stdout.contains("passed-over"), "{name}: {}", report.stdout);
    }
    // Without them it is looked at.
    let report = run(&["backup", &source, &repository, "--name", "wednesday", "--json"]).expect(0);
    assert!(report.stdout.contains("passed-over"), "{}", report.stdout);
    fs::set_permissions(&source, fs::Permissions::from_mode(0o311)).expect("set");
    run(&["backup", &source, &repository, "--name", "thursday", "--json"]).expect_error(6, "access-denied");
}
