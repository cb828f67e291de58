//! A directory behind FUSE.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::needs;

/// Unmounts when standard input closes, however the test ends, or when `rclone` ends.
const GUARD: &str = r#"
point=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
{ read -r _ <&3; fusermount3 -u "$point" || fusermount3 -uz "$point"; } 2>/dev/null &
wait "$!" "$(jobs -p %1)"
"#;

const START_LIMIT: Duration = Duration::from_secs(60);

/// A directory as `rclone mount` shows it; unmounted on drop.
#[derive(Debug)]
pub(crate) struct Mounted {
    guard: Child,
    point: PathBuf,
}

impl Mounted {
    /// Shows `directory` at `point`, which is made; writes are kept in a cache until a file is closed. `None` after the test has
    /// been reported as not run.
    #[track_caller]
    pub(crate) fn new(directory: &Path, point: &Path) -> Option<Self> {
        Self::cached(directory, point, ["writes", "0s"])
    }

    /// The same with a cache of this mode, which stores files when they have been closed for this long.
    #[track_caller]
    pub(crate) fn cached(directory: &Path, point: &Path, [mode, write_back]: [&str; 2]) -> Option<Self> {
        let rclone = needs::program("rclone")?;
        needs::program("fusermount3")?;
        if fs::File::options().read(true).write(true).open("/dev/fuse").is_err() {
            needs::not_run("/dev/fuse cannot be opened");
            return None;
        }
        fs::create_dir_all(point).expect("made");
        let mut mounted = Self {
            guard: Command::new("sh")
                .args(["-c", GUARD, "guard"])
                .arg(point)
                .arg(rclone)
                .arg("mount")
                .args([directory, point])
                .args([
                    "--config",
                    "/dev/null",
                    "--vfs-cache-mode",
                    mode,
                    "--vfs-write-back",
                    write_back,
                    "--cache-dir",
                ])
                .arg(point.with_extension("cache"))
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("sh runs"),
            point: point.to_owned(),
        };
        let began = Instant::now();
        while !is_mounted(point) {
            if mounted.guard.try_wait().expect("its state").is_some() {
                let mut said = String::new();
                mounted.guard.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
                // Containers have the device and may not mount.
                assert!(
                    said.to_lowercase().contains("not permitted"),
                    "rclone mount of {}: {said}",
                    directory.display()
                );
                needs::not_run("nothing may be mounted here");
                return None;
            }
            assert!(began.elapsed() < START_LIMIT, "rclone mount of {} does not start", directory.display());
            thread::sleep(Duration::from_millis(20));
        }
        Some(mounted)
    }

    pub(crate) fn point(&self) -> &Path {
        &self.point
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

fn is_mounted(point: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    mounts.lines().any(|line| line.split(' ').nth(1).is_some_and(|mounted| Path::new(mounted) == point))
}
