//! Volumes of other users: what a restored file belongs to.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use rustix::io::Errno;
use serde_json::Value;

use crate::{
    account::Account,
    needs,
    program::{Answer, Scratch, command, run},
    refusing::Refusing,
};

const USER: u32 = 54_321;
const GROUP: u32 = 54_322;

/// A backup that everyone can read, and an empty volume of a group, as Kubernetes makes it for `fsGroup`.
fn fs_group() -> Scratch {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    open(Path::new(&scratch.path("repository")));
    let volume = scratch.path("volume");
    fs::create_dir(&volume).expect("made");
    chown(&volume, Some(0), Some(GROUP)).expect("given");
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o2775)).expect("set");
    scratch
}

/// Readable by everyone.
fn open(path: &Path) {
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    if path.is_dir() {
        fs::read_dir(path).expect("a directory").for_each(|entry| open(&entry.expect("an entry").path()));
    }
}

/// A user in the group of the volume.
#[track_caller]
fn member() -> Option<Account> {
    Some(Account::new(USER)?.in_group(GROUP))
}

fn restored(account: &Account, scratch: &Scratch, further: &[&str]) -> Answer {
    let (backup, volume) = (scratch.path("repository/monday"), scratch.path("volume"));
    let restore = command(&[&["restore", &backup, &volume, "--json"], further].concat());
    Answer::of(account.runs(&restore, Path::new(&scratch.path(""))).output().expect("setpriv runs"))
}

/// All below the volume, directories and files.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let below = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    below
        .flat_map(|path| if path.is_dir() { [vec![path.clone()], entries(&path)].concat() } else { vec![path] })
        .collect()
}

/// User, group and mode of all directories, and of all files.
fn owners(scratch: &Scratch) -> [BTreeSet<(u32, u32, u32)>; 2] {
    let all = entries(Path::new(&scratch.path("volume")));
    assert!(all.len() > 10, "{all:?}");
    [true, false].map(|is_directory| {
        let of_kind = all.iter().filter(|path| path.is_dir() == is_directory);
        let metadata = of_kind.map(|path| fs::metadata(path).expect("there"));
        metadata.map(|found| owner(&found)).collect()
    })
}

/// User, group and mode.
fn owner(found: &fs::Metadata) -> (u32, u32, u32) {
    (found.uid(), found.gid(), found.mode() & 0o7777)
}

fn notes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let notes = findings.filter(|finding| finding["code"] == "owner-not-kept");
    notes.map(|finding| finding["message"].as_str().expect("a message")).collect()
}

#[test]
fn a_member_of_the_group_restores_to_a_volume_of_root() {
    let Some(member) = member() else { return };
    let scratch = fs_group();
    let report = restored(&member, &scratch, &[]).expect(0).json();
    assert_eq!(owners(&scratch), [[(USER, GROUP, 0o2775)].into(), [(USER, GROUP, 0o664)].into()]);
    let notes = notes(&report);
    let [note] = notes[..] else { panic!("{report:#}") };
    let count: usize = note.split(' ').next().and_then(|count| count.parse().ok()).expect("a count");
    let all = entries(Path::new(&scratch.path("volume"))).len();
    assert_eq!(count, all, "{note}");
}

#[test]
fn files_as_they_are_made_need_no_note() {
    let Some(member) = member() else { return };
    let scratch = fs_group();
    let report = restored(&member, &scratch, &["--owner", "as-made"]).expect(0).json();
    assert_eq!(owners(&scratch), [[(USER, GROUP, 0o2775)].into(), [(USER, GROUP, 0o664)].into()]);
    assert_eq!(notes(&report), [""; 0]);
}

#[test]
fn an_owner_that_was_asked_for_is_given_or_nothing_is_restored() {
    let Some(member) = member() else { return };
    let scratch = fs_group();
    for owner in ["1000:1000", "0"] {
        restored(&member, &scratch, &["--owner", owner]).expect_error(6, "ownership");
        assert_eq!(entries(Path::new(&scratch.path("volume"))), Vec::<PathBuf>::new(), "{owner}: nothing was copied");
    }
    let own = format!("{USER}:{GROUP}");
    let report = restored(&member, &scratch, &["--owner", &own, "--modes", "640:2750"]).expect(0).json();
    assert_eq!(notes(&report), [""; 0]);
    assert_eq!(owners(&scratch), [[(USER, GROUP, 0o2750)].into(), [(USER, GROUP, 0o640)].into()]);
}

#[test]
fn an_interrupted_restore_is_resumed_by_the_member() {
    let Some(member) = member() else { return };
    let scratch = fs_group();
    let (backup, volume) = (scratch.path("repository/monday"), scratch.path("volume"));
    let Some(full) = Refusing::new(&scratch.path("log")) else { return };
    let full = full.with("rename", Errno::NOSPC, &format!("{volume}/ingester01/wal"));
    let restore = full.under(command(&["restore", &backup, &volume, "--json"]));
    let failed = Answer::of(member.runs(&restore, Path::new(&scratch.path(""))).output().expect("setpriv runs"));
    let failed = failed.expect_error(6, "no-space");
    let begun = entries(Path::new(&volume));
    assert!(begun.iter().any(|path| path.ends_with("_influx_backup/restore.json")), "{begun:?}\n{failed:?}");
    let report = restored(&member, &scratch, &["--resume"]).expect(0).json();
    assert_eq!(owners(&scratch), [[(USER, GROUP, 0o2775)].into(), [(USER, GROUP, 0o664)].into()]);
    assert_eq!(notes(&report).len(), 1, "{report:#}");
    assert!(report["resumed"].as_u64().is_some_and(|resumed| resumed > 0), "{report:#}");
}

/// A restore that makes the target's own directory, and those above it, gives them to whom the nearest one above belongs, or to
/// whom is asked for; an abandoned one changes no other.
#[test]
fn directories_that_the_restore_makes_belong_to_whom_the_volume_does() {
    if !needs::root() {
        return;
    }
    let cases: [(u32, u32, u32, &[&str], _); 4] = [
        (0, GROUP, 0o2775, &[], [(0, GROUP, 0o2770), (0, GROUP, 0o660)]),
        (USER, GROUP, 0o750, &[], [(USER, GROUP, 0o700), (USER, GROUP, 0o600)]),
        (0, 0, 0o755, &["--owner", "1500:1500", "--modes", "640:2750"], [(1500, 1500, 0o2750), (1500, 1500, 0o640)]),
        // Everyone's directory suggests nothing.
        (USER, GROUP, 0o1777, &[], [(0, 0, 0o700), (0, 0, 0o600)]),
    ];
    for (user, group, mode, asked, [directories, files]) in cases {
        let scratch = fs_group();
        let (backup, volume) = (scratch.path("repository/monday"), scratch.path("volume"));
        chown(&volume, Some(user), Some(group)).expect("given");
        fs::set_permissions(&volume, fs::Permissions::from_mode(mode)).expect("set");
        let (above, store) = (format!("{volume}/above"), format!("{volume}/above/further/store"));
        let Some(full) = Refusing::new(&scratch.path("log")) else { return };
        let full = full.with("rename", Errno::NOSPC, &format!("{store}/ingester01/wal"));
        let begin = [&["restore", &backup, &store, "--json"], asked].concat();
        let fail = || Answer::of(full.under(command(&begin)).output().expect("it runs")).expect_error(6, "no-space");
        let of = |path: &str| owner(&fs::metadata(path).expect("there"));
        fail();
        run(&["restore", &backup, &store, "--abandon"]).expect(0);
        assert!(!Path::new(&store).exists() && of(&above) == directories, "{mode:o}");
        fail();
        run(&[&begin[..], &["--resume"]].concat()).expect(0);
        assert_eq!(owners(&scratch), [[directories].into(), [files].into()], "{mode:o}");
        assert_eq!(of(&volume), (user, group, mode));
    }
}

/// Directories that are there already and belong to root cannot be changed by the member.
#[test]
fn directories_of_another_user_stay_as_they_are() {
    let Some(member) = member() else { return };
    let scratch = fs_group();
    let (backup, volume) = (scratch.path("repository/monday"), scratch.path("volume"));
    run(&["restore", &backup, &volume, "--json"]).expect(0);
    for path in entries(Path::new(&volume)).iter().filter(|path| path.is_dir()) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o775)).expect("set");
    }
    let before = scratch.files("volume");
    let asked = ["--policy", "replace", "--servers-stopped", "--modes", "640:2750"];
    restored(&member, &scratch, &asked).expect_error(6, "ownership");
    assert!(scratch.files("volume") == before, "found before the boot guard");
    let report = restored(&member, &scratch, &asked[..3]).expect(0).json();
    let notes = notes(&report);
    assert!(matches!(notes[..], [note] if note.contains("other permissions")), "{report:#}");
    assert_eq!(owners(&scratch)[0], [(0, GROUP, 0o775)].into());
}

#[test]
fn the_set_gid_bit_and_the_group_stay_when_root_restores() {
    if !needs::root() {
        return;
    }
    let scratch = fs_group();
    let report =
        run(&["restore", &scratch.path("repository/monday"), &scratch.path("volume"), "--json"]).expect(0).json();
    assert_eq!(owners(&scratch), [[(0, GROUP, 0o2775)].into(), [(0, GROUP, 0o664)].into()]);
    assert_eq!(notes(&report), [""; 0]);
}
