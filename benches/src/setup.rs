//! [`Setup`]: which program is measured, where, and where the results go.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// The arguments that all benches of processes take.
#[derive(Debug, clap::Args)]
pub struct Setup {
    /// The program that is measured, built with the profile `release`.
    #[arg(long, env = "INFLUX_BACKUP_BENCH_PROGRAM", value_name = "FILE")]
    program: PathBuf,
    /// A directory on the disk that is measured, for all that is written; it needs 12 GiB in full.
    #[arg(long, env = "INFLUX_BACKUP_BENCH_SCRATCH", value_name = "DIRECTORY")]
    scratch: PathBuf,
    /// Where the tables and plots go.
    #[arg(long, env = "INFLUX_BACKUP_BENCH_RESULTS", value_name = "DIRECTORY")]
    results: PathBuf,
}

impl Setup {
    /// The program with these arguments.
    pub fn program<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    /// A new directory on the disk that is measured. It goes away with what this returns.
    ///
    /// # Errors
    ///
    /// Where it cannot be made.
    pub fn scratch(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix("bench.").tempdir_in(self.disk()?)
    }

    /// The directory that all others are made in.
    ///
    /// # Errors
    ///
    /// Where it cannot be made.
    pub fn disk(&self) -> io::Result<&Path> {
        fs::create_dir_all(&self.scratch).map(|()| &*self.scratch)
    }

    /// Where the tables and plots go.
    #[must_use]
    pub fn results(&self) -> &Path {
        &self.results
    }
}

/// Waits until what earlier runs wrote or deleted is on disk, so that the next one does not pay for it.
///
/// # Errors
///
/// Where there is no `sync`.
pub fn settle() -> io::Result<()> {
    Command::new("sync").status()?;
    thread::sleep(Duration::from_millis(500));
    Ok(())
}

/// Deletes a directory, if it is there.
///
/// # Errors
///
/// Where it cannot be deleted.
pub fn fresh(directory: &Path) -> io::Result<()> {
    if directory.exists() { fs::remove_dir_all(directory) } else { Ok(()) }
}

/// How many files there are below a directory, and how many bytes they have.
///
/// # Errors
///
/// Where it cannot be read.
pub fn files_below(directory: &Path) -> io::Result<(usize, u64)> {
    fs::read_dir(directory)?.try_fold((0, 0), |(files, bytes), entry| {
        let entry = entry?;
        let below =
            if entry.file_type()?.is_dir() { files_below(&entry.path())? } else { (1, entry.metadata()?.len()) };
        Ok((files + below.0, bytes + below.1))
    })
}
