//! What others can learn: from the permissions of what is written, by links, and by what is no file.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::program::{Answer, Scratch, command, run};

/// Every verb ends before that, whatever lies in the place of a file.
const SOON: Duration = Duration::from_secs(30);

fn below(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("listed").map(|entry| entry.expect("an entry").path());
    let deeper = |path: PathBuf| {
        let found = if path.is_dir() && !path.is_symlink() { below(&path) } else { Vec::new() };
        std::iter::once(path).chain(found)
    };
    entries.flat_map(deeper).collect()
}

/// The permissions of all directories, and of all files, and that of `path` itself.
fn modes(path: &str) -> [BTreeSet<u32>; 2] {
    let mut all = below(Path::new(path));
    all.push(path.into());
    [true, false].map(|is_directory| {
        let of_kind = all.iter().filter(|path| path.is_dir() == is_directory);
        of_kind.map(|path| fs::metadata(path).expect("there").mode() & 0o7777).collect()
    })
}

/// The program with this umask.
fn masked(mask: &str, arguments: &[&str]) -> Answer {
    let program = command(arguments);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("umask {mask}; exec \"$0\" \"$@\"")])
        .arg(program.get_program())
        .args(program.get_args());
    Answer::of(shell.stdin(Stdio::null()).arg0("sh").output().expect("sh runs"))
}

/// A catalog holds the hashes of tokens.
#[test]
fn what_is_written_is_for_its_owner_alone_whatever_the_umask() {
    for mask in ["000", "022", "277"] {
        let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
        let (source, repository, target) =
            (scratch.path("source"), scratch.path("above/repository"), scratch.path("made/target"));
        masked(mask, &["backup", &source, &repository, "--name", "monday"]).expect(0);
        assert_eq!(modes(&scratch.path("above")), [[0o700].into(), [0o600].into()], "umask {mask}");
        masked(mask, &["restore", &format!("{repository}/monday"), &target]).expect(0);
        assert_eq!(modes(&scratch.path("made")), [[0o700].into(), [0o600].into()], "umask {mask}");

        let wider = scratch.path("wider");
        let backup = ["backup", &source, &wider, "--name", "monday", "--repository-mode", "640:2750"];
        masked(mask, &backup).expect(0);
        assert_eq!(modes(&wider), [[0o2750].into(), [0o640].into()], "umask {mask}");
    }
}

#[test]
fn permissions_that_fit_no_repository_are_refused() {
    let scratch = Scratch::with_cluster(&["--snapshots", "1"]);
    let (source, repository) = (scratch.path("source"), scratch.path("repository"));
    for mode in ["666", "640:777", "240", "640:650", "rw-r--r--", "4755", "640:4755", "640:1750", "750"] {
        let backup = ["backup", &source, &repository, "--repository-mode", mode, "--json"];
        let error = run(&backup).expect_error(2, "invalid-option");
        assert!(error.stderr.contains("file_mode"), "{error:?}");
        assert!(!Path::new(&repository).exists());
    }
}

/// A service user's directory is backed up by root.
#[test]
fn links_of_a_source_are_followed_as_far_as_the_option_says() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let (source, repository) = (scratch.path("source"), scratch.path("repository"));
    let wal = PathBuf::from(format!("{source}/ingester01/wal"));
    // Within: the WAL on a volume below the source.
    fs::create_dir(format!("{source}/volume")).expect("made");
    fs::rename(&wal, format!("{source}/volume/wal")).expect("moved");
    symlink(format!("{source}/volume/wal"), &wal).expect("linked");
    run(&["backup", &source, &repository, "--name", "within"]).expect(0);
    let error = run(&["backup", &source, &repository, "--name", "never", "--links", "never", "--json"]);
    error.expect_error(5, "link");

    let secret = scratch.path("secret");
    fs::write(&secret, "root's").expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("set");
    symlink(&secret, format!("{source}/ingester01/stolen")).expect("linked");
    let refused = run(&["backup", &source, &repository, "--name", "out", "--json"]).expect_error(5, "link");
    assert!(refused.stderr.contains("ingester01/stolen"), "{refused:?}");
    assert!(refused.stderr.contains("--links anywhere: "), "{refused:?}");
    let stolen = |name: &str| fs::read_to_string(format!("{repository}/{name}/ingester01/stolen")).ok();
    assert_eq!(stolen("out"), None);
    run(&["backup", &source, &repository, "--name", "anywhere", "--links", "anywhere"]).expect(0);
    assert_eq!(stolen("anywhere").as_deref(), Some("root's"));
    for arguments in [&["plan", &source, &repository][..], &["certify", &source]] {
        let refused = run(&[arguments, &["--json"]].concat()).expect_error(5, "link");
        assert!(refused.stderr.contains("ingester01/stolen"), "{refused:?}");
    }
}

/// Each file and directory of a backup, in turn, is a link to a copy of itself elsewhere.
#[test]
fn links_in_a_repository_are_refused() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let (backup, target, elsewhere) =
        (scratch.path("repository/monday"), scratch.path("target"), scratch.path("elsewhere"));
    // A finished backup is read without its lease and its journal.
    let is_read = |path: &Path| {
        let below = path.strip_prefix(&backup).expect("below");
        let is_own = below.starts_with("_influx_backup");
        let is_list = below.extension().is_some_and(|extension| extension == "zst");
        !is_own || is_list || below.ends_with("manifest.json") || below.ends_with("_influx_backup")
    };
    for path in below(Path::new(&backup)).iter().filter(|path| is_read(path)) {
        fs::rename(path, &elsewhere).expect("moved");
        symlink(&elsewhere, path).expect("linked");
        for arguments in [&["verify", &backup][..], &["restore", &backup, &target]] {
            let answer = run(&[arguments, &["--json"]].concat());
            assert!(answer.code != 0 && answer.stderr.contains("link"), "{}: {answer:?}", path.display());
        }
        let _ = fs::remove_dir_all(&target);
        fs::remove_file(path).expect("removed");
        fs::rename(&elsewhere, path).expect("moved back");
    }
    run(&["verify", &backup]).expect(0);
    // A backup that is a link itself.
    fs::rename(&backup, &elsewhere).expect("moved");
    symlink(&elsewhere, &backup).expect("linked");
    for arguments in [&["verify", &backup][..], &["restore", &backup, &target]] {
        run(&[arguments, &["--json"]].concat()).expect_error(5, "link");
    }
    assert!(!Path::new(&scratch.path("target")).exists());
}

/// Runs it, and kills it where it hangs.
fn ends(arguments: &[&str]) -> Answer {
    let mut child = command(arguments).spawn().expect("it starts");
    let began = Instant::now();
    while child.try_wait().expect("asked").is_none() {
        if began.elapsed() > SOON {
            child.kill().expect("killed");
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Answer::of(child.wait_with_output().expect("it has ended"))
}

/// A pipe without a writer, in the place of each file in turn.
#[test]
fn pipes_in_the_place_of_files_are_not_waited_for() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let (repository, backup, target) =
        (scratch.path("repository"), scratch.path("repository/monday"), scratch.path("target"));
    let (source, kept) = (scratch.path("source"), scratch.path("kept"));
    let mut files = below(Path::new(&repository));
    files.retain(|path| path.is_file());
    // Some of each kind are enough.
    files.sort();
    let own = files.iter().filter(|path| path.to_string_lossy().contains("_influx_backup")).cloned();
    let others = files.iter().filter(|path| !path.to_string_lossy().contains("_influx_backup")).step_by(7).cloned();
    for path in own.chain(others).collect::<Vec<_>>() {
        fs::rename(&path, &kept).expect("moved");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        ends(&["list", &repository]).expect(0);
        for arguments in [
            vec!["verify", &backup, "--level", "bytes"],
            vec!["certify", &backup],
            vec!["restore", &backup, &target],
            vec!["leftovers", &repository],
            vec!["backup", &source, &repository, "--name", "monday", "--resume"],
        ] {
            let answer = ends(&arguments);
            assert!(answer.code != 101 && answer.code != 1, "{}: {arguments:?}: {answer:?}", path.display());
        }
        let _ = fs::remove_dir_all(&target);
        fs::remove_file(&path).expect("removed");
        fs::rename(&kept, &path).expect("moved back");
    }
}
