//! Disks that are full: what frees them works there.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
};

use rustix::io::Errno;

use crate::{
    needs,
    program::{Answer, Scratch, command, run},
    refusing::Refusing,
};

/// A file system in memory.
struct Disk(String);

impl Disk {
    /// Mounted at a path that is made, with these options of tmpfs. `None` after the test has been reported as not run.
    #[track_caller]
    fn mounted(at: &str, options: &str) -> Option<Self> {
        if !needs::root() {
            return None;
        }
        fs::create_dir(at).expect("made");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs", at]).status().expect("it runs");
        if !mounted.success() {
            needs::not_run("no file system can be mounted here");
        }
        mounted.success().then(|| Self(at.to_owned()))
    }

    /// Takes all of its room for a file that is there.
    fn fill(&self) {
        let mut filler = File::options().write(true).open(format!("{}/filler", self.0)).expect("there");
        while filler.write_all(&[1; 4096]).is_ok() {}
    }

    /// What is on it.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).expect("a directory").map(|entry| entry.expect("an entry").file_name());
        names.map(|name| name.into_string().expect("UTF-8")).collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_restore_that_used_up_the_inodes_is_abandoned() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let Some(disk) = Disk::mounted(&scratch.path("disk"), "size=64m,nr_inodes=45") else { return };
    let (backup, target) = (scratch.path("repository/monday"), scratch.path("disk/target"));
    run(&["restore", &backup, &target, "--json"]).expect_error(6, "no-space");
    assert!(Path::new(&format!("{target}/_influx_backup/restore.json")).exists());
    let report = run(&["restore", &backup, &target, "--abandon", "--json"]).expect(0).json();
    assert!(report["deleted"].as_u64().is_some_and(|deleted| deleted > 0), "{report:#}");
    assert_eq!(disk.names(), [""; 0]);
}

/// By what others have written.
#[test]
fn a_restore_to_a_disk_that_is_full_now_is_abandoned() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let Some(disk) = Disk::mounted(&scratch.path("disk"), "size=64m,nr_inodes=1000") else { return };
    let (backup, target) = (scratch.path("repository/monday"), scratch.path("disk/target"));
    File::create(scratch.path("disk/filler")).expect("made");
    let Some(refusing) = Refusing::new(&scratch.path("log")) else { return };
    let quota = refusing.with("rename", Errno::DQUOT, &format!("{target}/ingester01/wal"));
    let mut restore = quota.under(command(&["restore", &backup, &target, "--json"]));
    Answer::of(restore.output().expect("it runs")).expect_error(6, "no-space");
    disk.fill();
    run(&["restore", &backup, &target, "--resume", "--json"]).expect_error(6, "no-space");
    run(&["restore", &backup, &target, "--abandon", "--json"]).expect(0);
    assert_eq!(disk.names(), ["filler"]);
}

#[test]
fn what_a_backup_left_on_a_full_disk_is_removed() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let Some(_disk) = Disk::mounted(&scratch.path("disk"), "size=64m,nr_inodes=45") else { return };
    let repository = scratch.path("disk/repository");
    run(&["backup", &scratch.path("source"), &repository, "--name", "monday", "--json"]).expect_error(6, "no-space");
    // Not one more.
    (0..).take_while(|number| File::create(scratch.path(&format!("disk/{number}"))).is_ok()).for_each(drop);
    let found = run(&["leftovers", &repository, "--remove", "--json"]).expect(0).json();
    assert_eq!(found[0]["kind"], "unfinished", "{found:#}");
    assert_eq!(run(&["leftovers", &repository, "--json"]).expect(0).json(), serde_json::json!([]));
    let left: Vec<_> = scratch.files("disk/repository").into_iter().map(|(path, _)| path).collect();
    assert_eq!(left, [Path::new("_influx_backup/repository.json")]);
}
