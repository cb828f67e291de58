//! Restores that are refused, interrupted or killed, as a shell sees them.

use std::{fs, path::Path};
#[cfg(unix)]
use std::{
    process::{Child, Command},
    time::{Duration, Instant},
};

#[cfg(unix)]
use crate::program::{Answer, start};
use crate::program::{Scratch, run};

fn backed_up(options: &[&str]) -> Scratch {
    Scratch::backed_up(&[&["--snapshots", "2"], options].concat())
}

/// The first file below a directory of this kind, relative to it.
fn file(scratch: &Scratch, below: &str, kind: &str) -> String {
    let is = |path: &Path| path.to_str().is_some_and(|path| path.contains(kind));
    let found = scratch.files(below).into_iter().find(|(path, _)| is(path)).expect("one");
    found.0.to_str().expect("UTF-8").to_owned()
}

#[test]
fn an_altered_byte_is_found_before_data_is_changed() {
    let scratch = backed_up(&[]);
    let parquet = file(&scratch, "repository/monday", ".parquet");
    let path = Path::new(&scratch.path("repository/monday")).join(&parquet);
    let mut bytes = fs::read(&path).expect("a file");
    bytes[20] ^= 1;
    fs::write(&path, bytes).expect("a write");
    let before = scratch.files("source");
    let backup = scratch.path("repository/monday");
    let source = scratch.path("source");
    for policy in ["replace", "overlay"] {
        let restore = ["restore", &backup, &source, "--policy", policy, "--servers-stopped", "--json"];
        let error = run(&restore).expect_error(4, "damaged-backup").json();
        assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains(&parquet)), "{error:#}");
        assert!(scratch.files("source") == before, "{policy}: the target is untouched");
    }
    let restore = ["restore", &backup, &source, "--policy", "replace", "--servers-stopped", "--check", "structure"];
    run(&[&restore[..], &["--json"]].concat()).expect_error(4, "damaged-backup");
    run(&["discover", &source, "--json"]).expect(0);
    run(&["certify", &source, "--json"]).expect(4);
}

#[test]
fn a_degraded_backup_needs_consent() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let source = scratch.path("source");
    let repository = scratch.path("repository");
    let target = scratch.path("target");
    fs::remove_file(Path::new(&source).join("cluster01/catalog/v3/logs/00000000000000000003.catalog")).expect("a log");
    let backup = ["backup", &source, &repository, "--name", "monday", "--max-passes", "1", "--on-violation", "degrade"];
    run(&backup).expect(3);
    let restore = ["restore", &scratch.path("repository/monday"), &target, "--json"];
    run(&restore).expect_error(5, "degraded-backup");
    run(&[&restore[..], &["--dry-run"]].concat()).expect_error(5, "degraded-backup");
    assert!(!Path::new(&target).exists(), "a refused restore makes nothing");
    run(&[&restore[..], &["--on-degraded", "accept"]].concat()).expect(0);
}

#[test]
fn a_plan_refuses_what_a_backup_refuses() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let source = scratch.path("source");
    for repository in [scratch.path("source"), scratch.path("source/backups"), scratch.path("")] {
        for verb in ["plan", "backup"] {
            run(&[verb, &source, &repository, "--json"]).expect_error(5, "overlap");
        }
    }
}

#[test]
fn a_newer_backup_is_listed_as_such() {
    let scratch = backed_up(&[]);
    let manifest = Path::new(&scratch.path("repository/monday")).join("_influx_backup/manifest.json");
    fs::write(manifest, r#"{"format":2,"min_reader":2}"#).expect("a write");
    let list = run(&["list", &scratch.path("repository"), "--json"]).expect(0).json();
    assert_eq!(list[0]["state"], "newer");
    assert_eq!(
        (&list[0]["reason"]["code"], &list[0]["reason"]["category"]),
        (&"unsupported-format".into(), &"refused".into())
    );
    let shown = run(&["list", &scratch.path("repository")]).expect(0).stdout;
    assert!(shown.contains("newer format") && shown.contains("newer release"), "{shown}");
    assert!(shown.contains("\n  [unsupported-format] "), "{shown}");
    run(&["verify", &scratch.path("repository/monday"), "--json"]).expect_error(5, "unsupported-format");
}

/// A restore that copies slowly, once its journal stands.
#[cfg(unix)]
fn under_way(scratch: &Scratch) -> Child {
    let backup = scratch.path("repository/monday");
    let target = scratch.path("target");
    let program = start(&["restore", &backup, &target, "--bandwidth", "64KiB", "--json"]);
    let journal = Path::new(&target).join("_influx_backup/restore.json");
    let since = Instant::now();
    while !(journal.exists() && holds_an_object(Path::new(&target))) {
        assert!(since.elapsed() < Duration::from_secs(60), "nothing was restored into {target}");
        std::thread::sleep(Duration::from_millis(20));
    }
    program
}

/// Whether a catalog's root, the first that a restore writes beside its journal, is there.
#[cfg(unix)]
fn holds_an_object(target: &Path) -> bool {
    let Ok(prefixes) = fs::read_dir(target) else { return false };
    prefixes.flatten().any(|prefix| prefix.path().join("catalog/v3/snapshot").exists())
}

#[cfg(unix)]
fn signal(program: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &program.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

/// The backup is restored, and no file of the tool is left.
#[cfg(unix)]
fn is_restored(scratch: &Scratch) {
    run(&["certify", &scratch.path("target"), "--json"]).expect(0);
    assert!(!Path::new(&scratch.path("target")).join("_influx_backup").exists());
}

#[test]
#[cfg(unix)]
fn an_interrupted_restore_is_resumed_or_undone() {
    let scratch = backed_up(&[]);
    let backup = scratch.path("repository/monday");
    let target = scratch.path("target");
    let restore = ["restore", &backup, &target, "--json"];
    for undone in [true, false] {
        let program = under_way(&scratch);
        let asked = Instant::now();
        signal(&program, "-INT");
        Answer::of(program.wait_with_output().expect("an end")).expect_error(130, "cancelled");
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "a second, and some for a busy machine: {:?}",
            asked.elapsed()
        );
        run(&["certify", &target, "--json"]).expect(4);
        run(&restore).expect_error(5, "restore-unfinished");
        if undone {
            run(&[&restore[..], &["--abandon"]].concat()).expect(0).json();
            assert!(!Path::new(&target).exists(), "it was not there before");
        }
    }
    run(&[&restore[..], &["--resume"]].concat()).expect(0).json();
    is_restored(&scratch);
}

#[test]
#[cfg(unix)]
fn a_killed_restore_is_taken_over() {
    let scratch = backed_up(&[]);
    let backup = scratch.path("repository/monday");
    let target = scratch.path("target");
    let mut program = under_way(&scratch);
    let restore = ["restore", &backup, &target, "--json"];
    let resume = [&restore[..], &["--resume"]].concat();
    let refusals = || {
        for more in [&[][..], &["--resume"], &["--abandon"], &["--dry-run"]] {
            let error = run(&[&restore[..], more].concat()).expect_error(5, "restore-in-progress").json();
            let message = error["error"]["message"].as_str().expect("a message").to_owned();
            assert!(message.contains(&format!("process {} on ", program.id())), "{message}");
        }
    };
    refusals();
    signal(&program, "-KILL");
    refusals();
    program.wait().expect("an end");
    run(&[&resume[..], &["--takeover"]].concat()).expect(0);
    is_restored(&scratch);
}

#[test]
fn people_read_what_to_do_and_each_name_once() {
    let scratch = backed_up(&[]);
    let backup = scratch.path("repository/monday");
    let source = scratch.path("source");
    let refused = run(&["restore", &backup, &source]).expect(5);
    assert!(refused.stdout.is_empty() && refused.stderr.contains("--policy replace"), "{refused:?}");
    let refused = run(&["restore", &backup, &source, "--policy", "replace"]).expect(5);
    assert!(refused.stderr.contains("--servers-stopped"), "{refused:?}");

    let lost = file(&scratch, "repository/monday", ".wal");
    fs::remove_file(Path::new(&backup).join(&lost)).expect("a deletion");
    let shown = run(&["verify", &backup, "--level", "listing"]).expect(4).stdout;
    let lines: Vec<_> = shown.lines().filter(|line| line.contains(&lost)).collect();
    assert!(lines.len() == 1 && lines[0].matches(&lost).count() == 1, "{shown}");
}

#[test]
fn what_was_approved_runs_or_nothing_does() {
    let scratch = backed_up(&[]);
    let backup = scratch.path("repository/monday");
    let target = scratch.path("source");
    let plan = scratch.path("plan.json");
    let replace = ["restore", &backup, &target, "--policy", "replace", "--servers-stopped", "--json"];
    let document = run(&[&replace[..], &["--dry-run"]].concat()).expect(0).json();
    let hash = document["hash"].as_str().expect("a hash").to_owned();
    fs::write(&plan, document.to_string()).expect("a write");
    let by_file = ["restore", &backup, &target, "--servers-stopped", "--json", "--plan", &plan];
    let by_hash = [&replace[..], &["--plan", &hash]].concat();

    let wal = file(&scratch, "source", ".wal");
    let newer = Path::new(&target).join(&wal).with_file_name("00000000099.wal");
    fs::write(&newer, "acknowledged since").expect("a write");
    let before = scratch.files("source");
    let error = run(&by_file).expect_error(5, "plan-changed").json();
    assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains("00000000099.wal")), "{error:#}");
    run(&by_hash).expect_error(5, "plan-changed");
    assert!(scratch.files("source") == before, "nothing was written or deleted");

    fs::remove_file(&newer).expect("removed");
    run(&by_hash).expect(0);
    run(&by_file).expect(0);
    run(&[&replace[..], &["--plan", "no-such-file"]].concat()).expect(2);
}

#[test]
fn an_altered_plan_is_refused() {
    let scratch = backed_up(&[]);
    let backup = scratch.path("repository/monday");
    let target = scratch.path("target");
    let plan = scratch.path("plan.json");
    let document = run(&["restore", &backup, &target, "--dry-run", "--json"]).expect(0).json();
    let by_file = ["restore", &backup, &target, "--json", "--plan", &plan];
    let altered = [
        ("/hash", "0".repeat(64)),
        ("/plan/options/policy", "replace".to_owned()),
        ("/plan/options/check", "listing".to_owned()),
        ("/plan/options/extra_nodes", "delete".to_owned()),
        ("/plan/options/licenses", "exclude".to_owned()),
    ];
    for (pointer, value) in altered {
        let mut document = document.clone();
        let field = document.pointer_mut(pointer).expect("a field");
        assert_ne!(*field, value, "{pointer}");
        *field = value.into();
        fs::write(&plan, document.to_string()).expect("a write");
        let error = run(&by_file).expect_error(2, "invalid-document").json();
        assert!(
            error["error"]["message"].as_str().is_some_and(|text| text.contains("altered")),
            "{pointer}: {error:#}"
        );
        assert!(!Path::new(&target).exists(), "{pointer}");
    }
    fs::write(&plan, document.to_string()).expect("a write");
    run(&by_file).expect(0);
}

#[test]
fn the_file_of_a_plan_holds_the_options() {
    let scratch = backed_up(&[]);
    let backup = scratch.path("repository/monday");
    let target = scratch.path("target");
    let plan = scratch.path("plan.json");
    let document = run(&["restore", &backup, &target, "--dry-run", "--json"]).expect(0).json();
    fs::write(&plan, document.to_string()).expect("a write");
    let by_file = ["restore", &backup, &target, "--json", "--plan", &plan];
    let held: [&[&str]; 8] = [
        &["--policy", "empty"],
        &["--extra-nodes", "refuse"],
        &["--check", "listing"],
        &["--on-degraded", "accept"],
        &["--on-catalog-mismatch", "replace"],
        &["--licenses", "exclude"],
        &["--owner", "root"],
        &["--modes", "640"],
    ];
    for option in held {
        let error = run(&[&by_file, option].concat()).expect_error(2, "usage").json();
        assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains(option[0])), "{error:#}");
    }
    assert!(!Path::new(&target).exists());
    run(&[&by_file[..], &["--servers-stopped", "--takeover", "--concurrency", "2"]].concat()).expect(0);
}

#[test]
#[cfg(unix)]
fn an_unknown_owner_is_refused_before_anything_is_planned() {
    let scratch = backed_up(&[]);
    let backup = scratch.path("repository/monday");
    let target = scratch.path("target");
    for owner in ["no-such-user", "root:no-such-group"] {
        for more in [&["--dry-run"][..], &[]] {
            let restore = ["restore", &backup, &target, "--json", "--owner", owner];
            let error = run(&[&restore, more].concat()).expect_error(2, "invalid-request").json();
            let message = error["error"]["message"].as_str().expect("a message");
            assert!(message.contains("unknown user or group `no-such-"), "{message}");
            assert!(!Path::new(&target).exists(), "{owner} {more:?}");
        }
    }
}
