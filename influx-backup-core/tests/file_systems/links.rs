//! Restores over a target that has links.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use crate::{
    program::{Answer, Scratch, command, run},
    refusing::Refusing,
};

/// A backup in `repository`, and what it restores in `reference`.
fn backed_up() -> Scratch {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    run(&["restore", &scratch.path("repository/monday"), &scratch.path("reference")]).expect(0);
    scratch
}

/// A backup of `source`, and a target with the same cluster, whose WAL lies on a volume of its own, beside what a plugin
/// directory holds.
fn linked() -> Scratch {
    let scratch = backed_up();
    run(&["restore", &scratch.path("repository/monday"), &scratch.path("target")]).expect(0);
    plugins(&scratch);
    let wal = PathBuf::from(scratch.path("target/ingester01/wal"));
    fs::create_dir(scratch.path("volume")).expect("made");
    fs::rename(&wal, scratch.path("volume/wal")).expect("moved");
    symlink(scratch.path("volume/wal"), wal).expect("linked");
    scratch
}

/// A virtual environment, with links of all kinds.
fn plugins(scratch: &Scratch) {
    let venv = PathBuf::from(scratch.path("target/plugins/venv"));
    fs::create_dir_all(venv.join("lib")).expect("made");
    fs::create_dir_all(venv.join("bin")).expect("made");
    fs::write(venv.join("lib/module.py"), "pass").expect("written");
    for (to, link) in [
        ("lib", "lib64"),
        ("/no/such/python3", "bin/python3"),
        ("python3", "bin/python"),
        ("../lib/module.py", "bin/module"),
        ("..", "lib/loop"),
    ] {
        symlink(to, venv.join(link)).expect("linked");
    }
    symlink(scratch.path("repository"), scratch.path("target/backups")).expect("linked");
}

fn restored(scratch: &Scratch, further: &[&str]) -> Answer {
    let (backup, target) = (scratch.path("repository/monday"), scratch.path("target"));
    run(&[&["restore", &backup, &target, "--servers-stopped", "--json"], further].concat())
}

/// What the nodes and the cluster hold, links followed.
fn cluster(scratch: &Scratch, below: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let ids = fs::read_dir(scratch.path("reference")).expect("a directory").map(|id| id.expect("an entry").file_name());
    let mut all: Vec<_> = ids
        .flat_map(|id| {
            let name = format!("{below}/{}", id.to_str().expect("UTF-8"));
            let files = scratch.files(&name).into_iter();
            files.map(move |(path, bytes)| (Path::new(&id).join(path), bytes)).collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all
}

fn is_link(scratch: &Scratch, name: &str) -> bool {
    Path::new(&scratch.path(name)).is_symlink()
}

#[test]
fn links_beside_the_cluster_do_not_matter() {
    let scratch = backed_up();
    plugins(&scratch);
    for policy in ["empty", "replace", "overlay"] {
        restored(&scratch, &["--policy", policy]).expect(0);
        assert!(cluster(&scratch, "target") == cluster(&scratch, "reference"), "{policy}");
    }
    for link in ["plugins/venv/lib64", "plugins/venv/bin/python3", "plugins/venv/bin/python", "backups"] {
        assert!(is_link(&scratch, &format!("target/{link}")), "{link}");
    }
    run(&["verify", &scratch.path("repository/monday"), "--json"]).expect(0);
}

#[test]
fn a_linked_directory_is_written_through_when_that_was_asked_for() {
    for policy in ["replace", "overlay"] {
        let scratch = linked();
        let stray = scratch.path("volume/wal/00000099999.wal");
        fs::write(&stray, "newer than the backup").expect("written");
        let other = scratch.path("volume/of another program");
        fs::write(&other, "kept").expect("written");
        let before = scratch.files("volume");

        let refused = restored(&scratch, &["--policy", policy]).expect_error(5, "link");
        let error = &refused.json()["error"];
        assert!(error["message"].as_str().is_some_and(|message| message.contains("ingester01/wal")), "{error:#}");
        assert_eq!(
            (&error["hints"][0]["option"], &error["hints"][0]["value"]),
            (&"linked_directories".into(), &"follow".into())
        );
        assert!(refused.stderr.contains("--linked-directories follow: "), "{refused:?}");
        assert!(scratch.files("volume") == before, "{policy}: nothing was changed");

        let through = ["--policy", policy, "--linked-directories", "follow"];
        restored(&scratch, &through).expect(0);
        assert!(is_link(&scratch, "target/ingester01/wal"), "{policy}: the link stays");
        assert_eq!(Path::new(&stray).exists(), policy == "overlay", "{policy}: what the backup lacks");
        assert_eq!(fs::read(&other).expect("there"), b"kept");
        if policy == "replace" {
            assert!(cluster(&scratch, "target") == cluster(&scratch, "reference"));
        }
        assert!(!Path::new(&scratch.path("target/_influx_backup")).exists());
    }
}

#[test]
fn an_empty_target_whose_directories_are_links_is_filled() {
    let scratch = backed_up();
    fs::create_dir_all(scratch.path("target/ingester01")).expect("made");
    for directory in ["volume/lost+found", "catalog"] {
        fs::create_dir_all(scratch.path(directory)).expect("made");
    }
    symlink(scratch.path("volume"), scratch.path("target/ingester01/wal")).expect("linked");
    // All of the catalog, with the boot guard, lies elsewhere.
    symlink(scratch.path("catalog"), scratch.path("target/cluster01")).expect("linked");
    restored(&scratch, &[]).expect_error(5, "link");
    restored(&scratch, &["--linked-directories", "follow"]).expect(0);
    assert!(cluster(&scratch, "target") == cluster(&scratch, "reference"));
    assert!(!scratch.files("volume").is_empty() && !scratch.files("catalog").is_empty());
}

#[test]
fn what_no_restore_writes_through_is_refused() {
    let scratch = linked();
    let follow = ["--policy", "replace", "--linked-directories", "follow"];
    let link = PathBuf::from(scratch.path("target/ingester01/wal"));
    let leads_to = |place: &Path| {
        fs::remove_file(&link).expect("removed");
        symlink(place, &link).expect("linked");
    };
    fs::create_dir(scratch.path("repository/place")).expect("made");
    for (place, code) in [
        ("unmounted", "link"),
        ("target/ingester01/dbs", "link"),
        ("target", "link"),
        ("repository/monday/ingester01", "overlap"),
        ("repository/place", "overlap"),
    ] {
        leads_to(Path::new(&scratch.path(place)));
        let before = scratch.files("repository");
        restored(&scratch, &follow).expect_error(5, code);
        assert!(scratch.files("repository") == before, "{place}");
    }
    leads_to(Path::new(&scratch.path("volume/wal")));
    let file = scratch.files("volume/wal").first().expect("one").0.clone();
    let file = Path::new(&scratch.path("volume/wal")).join(file);
    fs::rename(&file, scratch.path("elsewhere")).expect("moved");
    symlink(scratch.path("elsewhere"), &file).expect("linked");
    let before = fs::read(scratch.path("elsewhere")).expect("there");
    restored(&scratch, &follow).expect_error(5, "link");
    assert_eq!(fs::read(scratch.path("elsewhere")).expect("there"), before);
}

/// Its journal knows where it has written through: neither needs the option again.
#[test]
fn an_interrupted_restore_through_links_is_resumed_and_abandoned() {
    let scratch = backed_up();
    let (backup, target) = (scratch.path("repository/monday"), scratch.path("target"));
    for directory in ["target/ingester01", "volume", "catalog"] {
        fs::create_dir_all(scratch.path(directory)).expect("made");
    }
    symlink(scratch.path("volume"), scratch.path("target/ingester01/wal")).expect("linked");
    symlink(scratch.path("catalog"), scratch.path("target/cluster01")).expect("linked");
    for (last, is_restored) in [("--abandon", false), ("--resume", true)] {
        let restore = command(&["restore", &backup, &target, "--linked-directories", "follow", "--json"]);
        let Some(full) = Refusing::new(&scratch.path("log")) else { return };
        let full = full.with("rename", Errno::NOSPC, &scratch.path("volume"));
        let failed = Answer::of(full.under(restore).output().expect("the program starts"));
        failed.expect_error(6, "no-space");
        assert!(!scratch.files("catalog").is_empty(), "behind the boot guard");
        run(&["restore", &backup, &target, last, "--json"]).expect(0);
        assert!(is_link(&scratch, "target/ingester01/wal") && is_link(&scratch, "target/cluster01"), "{last}");
        assert!(!Path::new(&scratch.path("target/_influx_backup")).exists(), "{last}");
        if is_restored {
            assert!(cluster(&scratch, "target") == cluster(&scratch, "reference"), "{last}");
            assert!(!scratch.files("volume").is_empty(), "{last}");
        } else {
            assert!(scratch.files("volume").is_empty() && scratch.files("catalog").is_empty(), "{last}");
        }
    }
}
