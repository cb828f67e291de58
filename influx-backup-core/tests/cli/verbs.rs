//! What the program does: every verb on a generated cluster.

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::Value;

use crate::program::{Answer, Scratch, run, start};

/// What a backup excludes by default.
fn is_derived(path: &Path) -> bool {
    let name = |part: &str| path.iter().any(|segment| segment == part);
    name("table-snapshots") || name("db-indices") || name("table-index-conversion-completed")
}

#[test]
fn discovery_shows_edition_ids_and_roles() {
    let scratch = Scratch::with_cluster(&["--nodes", "2", "--snapshots", "2"]);
    let found = run(&["discover", &scratch.path("source"), "--json"]).expect(0).json();
    assert_eq!((&found["edition"], &found["cluster_id"]), (&"enterprise".into(), &"cluster01".into()), "{found:#}");
    let ids: Vec<_> = found["nodes"].as_array().expect("nodes").iter().map(|node| node["id"].clone()).collect();
    assert_eq!(ids, ["compactor01", "ingester01", "ingester02"]);
    let shown = run(&["discover", &scratch.path("source")]).expect(0).stdout;
    assert!(shown.contains("InfluxDB 3 Enterprise, cluster cluster01"), "{shown}");
}

#[test]
fn a_plan_is_printed_and_writes_nothing() {
    let scratch = Scratch::with_cluster(&["--snapshots", "3"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let document = run(&["plan", &source, &repository, "--json"]).expect(0).json();
    let stages = document["plan"]["stages"].as_array().expect("stages");
    assert_eq!(stages[0]["kind"], "compactor", "the documented order begins with the compactor");
    assert_eq!(document["hash"].as_str().map(str::len), Some(64));
    assert!(run(&["plan", &source, &repository]).expect(0).stdout.contains("+ re-list"));
    assert!(!Path::new(&repository).exists());
}

#[test]
fn a_backup_restores_to_what_it_was_taken_from() {
    for options in [&["--catalog", "v1"][..], &["--catalog", "v2"], &["--catalog", "v3"], &["--edition", "core"]] {
        let scratch = Scratch::backed_up(options);
        let backup = scratch.path("repository/monday");
        let target = scratch.path("target");
        run(&["certify", &backup]).expect(0);
        run(&["verify", &backup, "--level", "bytes"]).expect(0);
        run(&["restore", &backup, &target]).expect(0);
        run(&["certify", &target]).expect(0);
        let mut source = scratch.files("source");
        source.retain(|(path, _)| !is_derived(path));
        let restored = scratch.files("target");
        let paths = |files: &[(std::path::PathBuf, Vec<u8>)]| -> Vec<_> { files.iter().map(|f| f.0.clone()).collect() };
        // A license of a file store is bound to its path before 3.10 and stays behind, as the restore reports.
        let bound = |path: &Path| path.ends_with("commercial_license");
        source.retain(|(path, _)| !bound(path) || restored.iter().any(|(restored, _)| restored == path));
        assert_eq!(paths(&source), paths(&restored), "{options:?}");
        assert!(source == restored, "{options:?}: the same files, other bytes");
    }
}

#[test]
fn a_report_is_one_json_document() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let report = run(&["backup", &source, &repository, "--json"]).expect(0).json();
    assert_eq!(report["status"], "complete");
    let name = report["name"].as_str().expect("a name");
    assert!(name.starts_with("backup-") && name.len() == "backup-YYYYMMDD-HHMMSS".len(), "{name}");
    assert_eq!(report["certificate"]["clauses"].as_array().map(Vec::len), Some(9));
    let list = run(&["list", &repository, "--json"]).expect(0).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!((&list[0]["name"], &list[0]["state"]), (&name.into(), &"complete".into()));
}

#[test]
fn a_name_is_used_once() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let before = scratch.files("repository");
    let again = ["backup", &scratch.path("source"), &scratch.path("repository"), "--name", "monday", "--json"];
    run(&again).expect_error(5, "backup-exists");
    assert!(scratch.files("repository") == before, "a refused backup changes nothing");
}

/// Small files are read whole, large ones in blocks.
#[test]
fn an_altered_byte_is_found() {
    for (options, offset) in [
        (&["--snapshots", "2"][..], 20),
        (&["--snapshots", "1", "--file-size", "3MiB"], 20),
        (&["--snapshots", "1", "--file-size", "3MiB"], 600_000),
        (&["--snapshots", "1", "--file-size", "3MiB"], (3 << 20) - 20),
    ] {
        let scratch = Scratch::backed_up(options);
        let backup = scratch.path("repository/monday");
        let (path, mut bytes) = scratch
            .files("repository/monday")
            .into_iter()
            .find(|(path, _)| path.extension().is_some_and(|extension| extension == "parquet"))
            .expect("a Parquet file");
        bytes[offset] ^= 1;
        fs::write(Path::new(&backup).join(&path), bytes).expect("a write");
        let report = run(&["verify", &backup, "--level", "bytes", "--json"]).expect(4).json();
        let problem = &report["problems"][0];
        assert_eq!((&problem["code"], &problem["key"]), (&"wrong-bytes".into(), &path.to_str().into()), "{report:#}");
    }
}

#[test]
fn what_was_not_compared_is_said() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let verify = ["verify", &scratch.path("repository/monday"), "--level", "checksums"];
    let report = run(&[&verify[..], &["--json"]].concat()).expect(0).json();
    let objects = report["objects"].as_u64().expect("a count");
    assert_eq!((&report["confirmed"], &report["unconfirmed"]), (&0.into(), &objects.into()), "files have no checksums");
    let shown = run(&verify).expect(0).stdout;
    assert!(shown.contains(&format!("{objects} have no store checksum: not compared")), "{shown}");
}

#[test]
fn a_lost_object_is_found_by_a_listing() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let backup = scratch.path("repository/monday");
    let (path, _) = scratch
        .files("repository/monday")
        .into_iter()
        .rfind(|(path, _)| path.extension().is_some_and(|extension| extension == "wal"))
        .expect("a WAL file above the newest snapshot");
    fs::remove_file(Path::new(&backup).join(&path)).expect("a deletion");
    let report = run(&["verify", &backup, "--level", "listing", "--json"]).expect(4).json();
    assert_eq!(report["problems"][0]["code"], "missing-object", "{report:#}");
    let report = run(&["verify", &backup, "--level", "bytes", "--json"]).expect(4).json();
    let objects = report["objects"].as_u64().expect("a count");
    assert_eq!(report["read"].as_u64(), Some(objects - 1), "the lost one was not read");
    let shown = run(&["verify", &backup, "--level", "listing"]).expect(4).stdout;
    assert!(shown.starts_with("backup monday: differs from its manifest, 1 problem\n"), "{shown}");
    run(&["certify", &backup, "--json"]).expect(4);
    run(&["restore", &backup, &scratch.path("target")]).expect(4);
}

#[test]
fn a_restore_deletes_the_staging_files_of_its_own_objects() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let (restored, _) = scratch
        .files("repository/monday")
        .into_iter()
        .find(|(path, _)| !path.starts_with("_influx_backup"))
        .expect("an object");
    let target = scratch.path("target");
    let own = Path::new(&target).join(format!("{}#5", restored.display()));
    let other = own.with_file_name("of-another-program#5");
    fs::create_dir_all(own.parent().expect("a directory")).expect("made");
    [&own, &other].into_iter().for_each(|path| fs::write(path, "half").expect("written"));
    run(&["restore", &scratch.path("repository/monday"), &target]).expect(0);
    assert!(!own.exists(), "a run that was killed left it");
    assert!(other.exists(), "no object of the backup has this name");
}

#[test]
fn a_full_target_is_restored_only_when_told_how() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let backup = scratch.path("repository/monday");
    let source = scratch.path("source");
    let before = scratch.files("source");
    run(&["restore", &backup, &source, "--json"]).expect_error(5, "target-not-empty");
    run(&["restore", &backup, &source, "--policy", "replace", "--json"]).expect_error(5, "servers-not-stopped");
    assert!(scratch.files("source") == before, "a refused restore changes nothing");

    let stray = Path::new(&source).join("ingester01/wal/99999999999.wal");
    fs::write(&stray, "written after the backup").expect("a write");
    let replace = ["restore", &backup, &source, "--policy", "replace", "--servers-stopped"];
    run(&[&replace[..], &["--dry-run", "--json"]].concat()).expect(0).json();
    assert!(stray.exists(), "a dry run deletes nothing");
    run(&replace).expect(0);
    assert!(!stray.exists(), "what is newer than the backup would undo the rollback");
    run(&["certify", &source]).expect(0);
}

/// The state of a backup in a repository, as `list` says.
fn state(repository: &str, name: &str) -> Option<String> {
    let list = run(&["list", repository, "--json"]).expect(0).json();
    let backup = list.as_array()?.iter().find(|backup| backup["name"] == name)?;
    backup["state"].as_str().map(str::to_owned)
}

#[test]
fn a_corrupt_source_fails_unless_it_is_to_be_recorded() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let mut wal: Vec<_> = fs::read_dir(Path::new(&source).join("ingester01/wal"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    wal.sort();
    fs::write(&wal[wal.len() - 2], "").expect("a write");

    run(&["backup", &source, &repository, "--name", "a", "--json"]).expect_error(4, "corrupt-source");
    assert_ne!(state(&repository, "a").as_deref(), Some("complete"));
    let recorded =
        ["backup", &source, &repository, "--name", "b", "--max-passes", "1", "--on-corrupt", "record", "--json"];
    assert_eq!(run(&recorded).expect(3).json()["status"], "degraded");
    assert_eq!(state(&repository, "b").as_deref(), Some("degraded"));
}

#[test]
fn an_open_certificate_fails_unless_the_caller_consents() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let log = "cluster01/catalog/v3/logs/00000000000000000003.catalog";
    fs::remove_file(Path::new(&source).join(log)).expect("a log in the middle");

    let backup = ["backup", &source, &repository, "--max-passes", "1", "--json", "--name"];
    let refused = run(&[&backup[..], &["a"]].concat()).expect_error(4, "not-consistent").json();
    let clauses = refused["error"]["certificate"]["clauses"].as_array().expect("clauses").clone();
    let violated: Vec<_> = clauses.iter().filter(|clause| clause["verdict"] == "violated").collect();
    assert_eq!(violated.iter().map(|clause| clause["clause"].clone()).collect::<Vec<_>>(), ["C4"]);
    assert_ne!(state(&repository, "a").as_deref(), Some("complete"));

    let degraded = run(&[&backup[..], &["b", "--on-violation", "degrade"]].concat()).expect(3).json();
    assert_eq!(degraded["status"], "degraded");
    assert_eq!(state(&repository, "b").as_deref(), Some("degraded"));
    run(&["certify", &scratch.path("repository/b"), "--json"]).expect(4);
}

/// All of it would take minutes.
#[test]
#[cfg(unix)]
fn generate_stops_when_it_is_interrupted() {
    let scratch = Scratch::empty();
    let program = start(&["generate", &scratch.path("source"), "--snapshots", "1000000", "--json"]);
    wait_for(Path::new(&scratch.path("source")));
    let signalled = Command::new("kill").args(["-INT", &program.id().to_string()]).status().expect("kill runs");
    assert!(signalled.success());
    Answer::of(program.wait_with_output().expect("an end")).expect_error(130, "cancelled");
}

#[test]
#[cfg(unix)]
fn an_interrupted_backup_is_resumed() {
    let scratch = Scratch::with_cluster(&["--snapshots", "8"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let slow = ["backup", &source, &repository, "--name", "monday", "--bandwidth", "256KiB", "--json"];
    let program = start(&slow);
    // Long enough to have claimed the name, far too short for some 5 MiB at 256 KiB a second.
    wait_for(&Path::new(&repository).join("monday/_influx_backup"));
    let signalled = Command::new("kill").args(["-INT", &program.id().to_string()]).status().expect("kill runs");
    assert!(signalled.success());
    let answer = Answer::of(program.wait_with_output().expect("an end"));
    answer.expect_error(130, "cancelled");

    let list: Value = run(&["list", &repository, "--json"]).expect(0).json();
    assert_ne!(list[0]["state"], "complete", "{list:#}");
    let backup = ["backup", &source, &repository, "--name", "monday", "--json"];
    run(&backup).expect_error(5, "backup-unfinished");
    run(&[&backup[..], &["--resume"]].concat()).expect(0);
    run(&["verify", &scratch.path("repository/monday"), "--level", "bytes"]).expect(0);
}

#[cfg(unix)]
fn wait_for(path: &Path) {
    for _ in 0..200 {
        if path.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} did not appear", path.display());
}

#[test]
fn what_a_failed_backup_left_is_listed_and_goes() {
    let scratch = Scratch::with_cluster(&["--edition", "core"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let wal =
        scratch.files("source").into_iter().map(|(path, _)| path).rfind(|path| path.iter().any(|part| part == "wal"));
    fs::write(Path::new(&source).join(wal.expect("a WAL file")), "").expect("written");
    run(&["backup", &source, &repository, "--name", "monday"]).expect(4);
    let found = run(&["leftovers", &repository, "--json"]).expect(0).json();
    assert_eq!((&found[0]["name"], &found[0]["kind"]), (&"monday".into(), &"unfinished".into()), "{found:#}");
    assert!(run(&["leftovers", &repository]).expect(0).stdout.contains("unfinished backup"));
    assert!(run(&["leftovers", &repository, "--remove"]).expect(0).stdout.starts_with("deleted: monday"));
    assert!(run(&["leftovers", &repository]).expect(0).stdout.contains("nothing is left over"));
    assert_eq!(run(&["list", &repository, "--json"]).expect(0).json(), Value::Array(Vec::new()));
}

#[test]
fn what_is_passed_over_is_a_note_of_every_verb_on_a_repository() {
    let scratch = Scratch::backed_up(&["--edition", "core"]);
    let repository = scratch.path("repository");
    let quiet = run(&["list", &repository]).expect(0);
    assert!(!quiet.stderr.contains("note ["), "{quiet:?}");
    for directory in ["lost+found", ".snapshot", "monday/.snapshot"] {
        fs::create_dir(Path::new(&repository).join(directory)).expect("a directory");
    }
    for arguments in [["list", &repository], ["leftovers", &repository]] {
        let shown = run(&arguments).expect(0);
        assert_eq!(shown.stderr.matches("note [passed-over]: 1 ").count(), 2, "a kind each: {shown:?}");
        assert!(!shown.stdout.contains("passed-over"), "{shown:?}");
        let document = run(&[arguments[0], arguments[1], "--json"]).expect(0);
        assert_eq!(document.stderr, shown.stderr);
        assert!(document.json().is_array(), "{document:?}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_passed_over_is_a_note_of_every_answer_with_notes() {
    use std::os::unix::net::UnixListener;
    let scratch = Scratch::backed_up(&["--edition", "core"]);
    let (source, repository, target) = (scratch.path("source"), scratch.path("repository"), scratch.path("target"));
    let backup = format!("{repository}/monday");
    fs::create_dir(&target).expect("made");
    for place in [&source, &backup, &target] {
        UnixListener::bind(Path::new(place).join("s")).expect("bound");
        fs::create_dir(Path::new(place).join(".snapshot")).expect("made");
    }
    // Two kinds in each place.
    for (arguments, notes) in [
        (&["discover", &source][..], 2),
        (&["plan", &source, &repository], 2),
        (&["backup", &source, &repository, "--name", "tuesday"], 2),
        (&["verify", &backup], 2),
        (&["verify", &backup, "--level", "listing"], 2),
        (&["certify", &backup], 2),
        (&["certify", &source], 2),
        (&["restore", &backup, &target, "--dry-run"], 4),
        (&["restore", &backup, &target], 4),
    ] {
        let text = run(arguments).expect(0);
        assert_eq!(text.stdout.matches("passed-over").count(), notes, "{arguments:?}: {text:?}");
        assert!(!text.stderr.contains("passed-over"), "once: {arguments:?}: {text:?}");
        if !arguments.contains(&"--name") && arguments.last() != Some(&target.as_str()) {
            let json = run(&[arguments, &["--json"]].concat()).expect(0).json().to_string();
            assert_eq!(json.matches("\"passed-over\"").count(), notes, "{arguments:?}: {json}");
        }
    }
}

#[test]
fn verbose_shows_what_is_done_and_the_answer_stays_one_document() {
    let scratch = Scratch::with_cluster(&["--edition", "core"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let quiet = run(&["backup", &source, &repository, "--name", "a", "--json"]).expect(0);
    assert!(!quiet.stderr.contains("stage started"), "{}", quiet.stderr);
    let verbose = run(&["backup", &source, &repository, "--name", "b", "--json", "-v"]).expect(0);
    for shown in ["pass started", "stage started", "committed name=\"b\""] {
        assert!(verbose.stderr.contains(shown), "{shown}: {}", verbose.stderr);
    }
    assert_eq!(verbose.json()["name"], "b");
}
