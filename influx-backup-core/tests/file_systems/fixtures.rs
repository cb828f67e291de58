//! The fixtures do what they say.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use rustix::io::Errno;

use crate::{account::Account, injected::injected, mounted::Mounted, needs, program::Scratch, refusing::Refusing};

fn shell(script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).args(arguments);
    command
}

#[test]
fn calls_are_refused_below_a_directory_only() {
    let scratch = Scratch::empty();
    let (refused, allowed) = (scratch.path("refused"), scratch.path("allowed"));
    for directory in [&refused, &allowed] {
        fs::create_dir(directory).expect("made");
        fs::write(format!("{directory}/file"), "x").expect("written");
    }
    let Some(refusing) = Refusing::new(&scratch.path("log")) else { return };
    let refusing = refusing
        .with("link", Errno::PERM, &refused)
        .with("renameat2", Errno::NOSPC, &refused)
        .with("utimes", Errno::PERM, &refused)
        .with("fsync", Errno::INVAL, &refused)
        .with("chmod", Errno::PERM, &refused);
    for (call, script) in [
        ("link", r#"ln "$1/file" "$1/second""#),
        ("renameat2", r#"mv "$1/file" "$1/moved""#),
        ("utimes", r#"touch -d @1000000000 "$1/file""#),
        ("fsync", r#"sync "$1/file""#),
        ("chmod", r#"chmod 0600 "$1/file""#),
    ] {
        let failed = refusing.under(shell(script, &[&refused])).output().expect("sh runs");
        assert!(!failed.status.success(), "{call}");
        assert!(refusing.changed().iter().any(|line| line.starts_with(&format!("{call} {refused}"))), "{call}");
        assert!(refusing.under(shell(script, &[&allowed])).status().expect("sh runs").success(), "{call}");
    }
    assert!(refusing.changed().iter().all(|line| !line.contains(&allowed)));
}

#[test]
fn inodes_differ_at_every_look() {
    let scratch = Scratch::empty();
    let directory = scratch.path("directory");
    fs::create_dir(&directory).expect("made");
    fs::write(format!("{directory}/file"), "x").expect("written");
    let Some(refusing) = Refusing::new(&scratch.path("log")) else { return };
    let refusing = refusing.with_shuffled_inodes(&directory);
    let shown = refusing.under(shell(r#"stat -c %i "$1" "$1""#, &[&format!("{directory}/file")])).output();
    let shown = String::from_utf8(shown.expect("sh runs").stdout).expect("UTF-8");
    let inodes: Vec<_> = shown.lines().collect();
    assert!(matches!(inodes[..], [first, second] if first != second), "{inodes:?}");
}

#[test]
fn system_calls_are_refused() {
    let scratch = Scratch::empty();
    let file = scratch.path("file");
    fs::write(&file, "x").expect("written");
    let log = scratch.path("log");
    let Some(mut traced) = injected(&shell(r#"sync "$1""#, &[&file]), &[("fsync", Errno::INVAL)], &log) else { return };
    assert!(!traced.output().expect("strace runs").status.success());
    assert!(fs::read_to_string(&log).expect("a log").contains("EINVAL (Invalid argument) (INJECTED)"));
}

#[test]
fn a_program_runs_as_another_user() {
    let Some(account) = Account::new(54_321) else { return };
    let account = account.in_group(54_322);
    let scratch = Scratch::empty();
    let volume = scratch.path("volume");
    fs::create_dir(&volume).expect("made");
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o2775)).expect("set");
    std::os::unix::fs::chown(&volume, Some(0), Some(54_322)).expect("given");
    let made = format!("{volume}/made");
    let mut touch = Command::new("/usr/bin/touch");
    touch.arg(&made);
    let status = account.runs(&touch, Path::new(&scratch.path(""))).status().expect("setpriv runs");
    assert!(status.success());
    let metadata = fs::metadata(made).expect("made");
    assert_eq!((metadata.uid(), metadata.gid()), (54_321, 54_322));
}

#[test]
fn a_directory_is_mounted_and_unmounted() {
    let scratch = Scratch::empty();
    let (directory, point) = (scratch.path("directory"), scratch.path("point"));
    fs::create_dir(&directory).expect("made");
    let Some(mounted) = Mounted::new(Path::new(&directory), Path::new(&point)) else { return };
    fs::write(mounted.point().join("file"), "x").expect("written");
    assert!(fs::hard_link(mounted.point().join("file"), mounted.point().join("second")).is_err(), "FUSE of rclone");
    drop(mounted);
    assert_eq!(fs::read(format!("{directory}/file")).expect("there"), b"x");
    assert!(fs::read_dir(point).expect("a directory").next().is_none(), "unmounted");
    assert!(needs::program("sh").is_some());
}
