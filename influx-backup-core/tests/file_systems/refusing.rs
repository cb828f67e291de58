//! libc calls that fail below a directory, and inodes that differ at every look. `refusing.c` is the shim.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use rustix::io::Errno;

use crate::needs;

/// What a file system refuses to one process.
#[derive(Debug)]
pub(crate) struct Refusing {
    shim: &'static Path,
    rules: String,
    log: PathBuf,
}

impl Refusing {
    /// Nothing yet; `log` is a file that gets one line for each answer that was changed. `None` after the test has been
    /// reported as not run.
    #[track_caller]
    pub(crate) fn new(log: &str) -> Option<Self> {
        static SHIM: OnceLock<PathBuf> = OnceLock::new();
        let compiler = needs::program("cc")?;
        let shim = SHIM.get_or_init(|| compiled(&compiler));
        Some(Self { shim, rules: String::new(), log: log.into() })
    }

    /// These calls fail below `directory`: `link`, `rename`, `renameat2`, `fsync`, `fdatasync`, `syncfs`, `utimes`, `chown`,
    /// `chmod`, each with all its variants.
    pub(crate) fn with(mut self, call: &str, errno: Errno, directory: &str) -> Self {
        self.rules += &format!("{call} {} {directory}\n", errno.raw_os_error());
        self
    }

    /// Each look at a file below `directory` shows another inode.
    pub(crate) fn with_shuffled_inodes(mut self, directory: &str) -> Self {
        self.rules += &format!("inode 0 {directory}\n");
        self
    }

    /// The same command on this file system.
    pub(crate) fn under(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", self.shim).env("REFUSING", &self.rules).env("REFUSING_LOG", &self.log);
        command
    }

    /// The answers that were changed, as `CALL PATH`.
    pub(crate) fn changed(&self) -> Vec<String> {
        fs::read_to_string(&self.log).unwrap_or_default().lines().map(ToOwned::to_owned).collect()
    }
}

/// Compiled once for each version of the test, and never seen half-written by others.
fn compiled(compiler: &Path) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let made = tempfile::Builder::new().prefix("refusing-").tempfile_in(directory).expect("a file").into_temp_path();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/file_systems/refusing.c");
    let output = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .args([made.as_os_str(), source.as_os_str(), "-ldl".as_ref()])
        .output()
        .expect("cc runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shim = directory.join("refusing.so");
    made.persist(&shim).expect("renamed");
    shim
}
