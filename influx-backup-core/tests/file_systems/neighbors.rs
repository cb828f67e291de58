//! Neighbors who can write to a directory of a restore or of a repository, and swap what is in it for links meanwhile.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::program::{Answer, Scratch, command, run};

/// How long one directory is swapped, in all runs.
const RACE: Duration = Duration::from_secs(3);

/// The same where a busy machine never swapped at the right moment.
const LONGEST_RACE: Duration = Duration::from_secs(60);

/// Swaps a directory for a link to another one, and back, as fast as it can.
struct Swapper {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Swapper {
    fn begin(directory: PathBuf, link: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let swaps = Arc::new(AtomicU64::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&swaps));
        let swap = move || {
            while !stopped.load(Ordering::Relaxed) {
                // There is nothing to swap yet, or no longer.
                if renameat_with(CWD, &directory, CWD, &link, RenameFlags::EXCHANGE).is_ok() {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        Self { stop, swaps, thread: Some(thread::spawn(swap)) }
    }

    /// Returns how often it swapped.
    fn end(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("once").join().expect("no panic");
        self.swaps.load(Ordering::Relaxed)
    }
}

/// Content, mode, owner, time.
type State = (Option<Vec<u8>>, [u32; 2], [i64; 2]);

/// What lies below a directory.
fn state(directory: &Path) -> BTreeMap<PathBuf, State> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).expect("there");
        if metadata.is_dir() {
            pending.extend(fs::read_dir(&path).expect("listed").map(|entry| entry.expect("an entry").path()));
        }
        let bytes = metadata.is_file().then(|| fs::read(&path).expect("read"));
        found.insert(path, (bytes, [metadata.mode(), metadata.uid()], [metadata.mtime(), metadata.mtime_nsec()]));
    }
    found
}

/// A copy of a directory in which each file says that it is the neighbor's aim, for its owner alone.
fn aim(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).into_iter().flatten().map(|entry| entry.expect("an entry").path()) {
        let copy = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            aim(&entry, &copy);
        } else {
            fs::write(&copy, "not to be touched").expect("written");
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).expect("set");
        }
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("set");
}

/// Runs the program again and again while a directory is swapped for a link out of it, and checks that nothing is touched
/// there. `prepare` makes the place anew.
fn race(scratch: &Scratch, swapped: &str, prepare: impl Fn(), arguments: &[&str]) {
    let outside = PathBuf::from(scratch.path("outside"));
    prepare();
    fs::create_dir_all(scratch.path(swapped)).expect("made");
    aim(Path::new(&scratch.path(swapped)), &outside);
    let before = state(&outside);
    let mut swaps = 0;
    let mut refusals = 0;
    let began = Instant::now();
    while began.elapsed() < RACE || refusals == 0 && began.elapsed() < LONGEST_RACE {
        let link = PathBuf::from(scratch.path("link"));
        prepare();
        symlink(&outside, &link).expect("linked");
        let swapper = Swapper::begin(scratch.path(swapped).into(), link.clone());
        let answer = Answer::of(command(arguments).output().expect("it runs"));
        swaps += swapper.end();
        refusals += u32::from(answer.code != 0);
        assert!(state(&outside) == before, "{swapped}: {answer:?}");
        // Whichever of the two lies there.
        let removed = if link.is_symlink() { fs::remove_file(&link) } else { fs::remove_dir_all(&link) };
        removed.expect("removed");
    }
    assert!(swaps > 0 && refusals > 0, "{swapped}: {swaps} swaps, {refusals} refusals: no race");
    fs::remove_dir_all(&outside).expect("removed");
}

/// A backup, and what it restores in `reference`.
fn backed_up() -> Scratch {
    let scratch = Scratch::backed_up(&["--snapshots", "3"]);
    run(&["restore", &scratch.path("repository/monday"), &scratch.path("reference")]).expect(0);
    scratch
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed").map(|entry| entry.expect("an entry").path()) {
        let copied = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copy(&entry, &copied);
        } else {
            fs::copy(&entry, &copied).expect("copied");
        }
    }
}

fn clear(path: &str) {
    let path = Path::new(path);
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).expect("removed"),
        Ok(_) => fs::remove_file(path).expect("removed"),
        Err(_) => {}
    }
}

/// Writes, deletions, owner, mode, guard and journal of a restore.
#[test]
fn a_restore_touches_nothing_outside_its_target() {
    let scratch = backed_up();
    let (backup, target, reference) =
        (scratch.path("repository/monday"), scratch.path("target"), scratch.path("reference"));
    let prepare = || {
        clear(&target);
        copy(Path::new(&reference), Path::new(&target));
        // What a restore deletes: the aim has files of these names, too.
        for stray in ["ingester01/wal/00000099999.wal", "ingester01/snapshots/00000000001.info.json"] {
            fs::write(format!("{target}/{stray}"), "newer than the backup").expect("written");
        }
    };
    let owner = if rustix::process::geteuid().is_root() { "54321:54321" } else { "inherit" };
    let arguments = [
        "restore",
        &backup,
        &target,
        "--policy",
        "replace",
        "--servers-stopped",
        "--owner",
        owner,
        "--modes",
        "666:777",
    ];
    prepare();
    let cluster = Path::new(&reference).join("cluster01");
    let catalog = fs::read_dir(&cluster).expect("listed").map(|entry| entry.expect("an entry").file_name());
    let catalog = catalog.into_iter().find(|name| name.to_string_lossy().starts_with("catalog")).expect("a catalog");
    let guard = format!("target/cluster01/{}", catalog.to_string_lossy());
    for swapped in
        ["target/ingester01/wal", "target/ingester01/dbs", "target/ingester01", &guard, "target/_influx_backup"]
    {
        race(&scratch, swapped, prepare, &arguments);
    }
}

/// Marker, claim, journal, manifest and copies of a backup.
#[test]
fn a_backup_touches_nothing_outside_its_repository() {
    let scratch = backed_up();
    let (source, repository) = (scratch.path("source"), scratch.path("other"));
    let prepare = || {
        clear(&repository);
        for below in ["_influx_backup", "tuesday/_influx_backup", "tuesday/ingester01/wal"] {
            fs::create_dir_all(format!("{repository}/{below}")).expect("made");
        }
    };
    let arguments = ["backup", &source, &repository, "--name", "tuesday"];
    for swapped in ["other/_influx_backup", "other/tuesday/_influx_backup", "other/tuesday/ingester01/wal"] {
        race(&scratch, swapped, prepare, &arguments);
    }
}
