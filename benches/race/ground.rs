//! [`Ground`]: a cluster to copy, the places that copies are made from and to, and what is done between two runs.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use influx_backup_benches::{Cost, Minio, Setup, files_below, fresh, settle};
use tempfile::TempDir;

use super::Result;

/// A cluster that the program's generator writes. It is named after the size of its Parquet files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cluster {
    Small,
    Tiny,
    Large,
}

impl Cluster {
    pub(crate) const ALL: [Self; 3] = [Self::Small, Self::Tiny, Self::Large];

    /// Whether this work is measured with it. What a store does with a file of 1 KiB is what it does with one of 64 KiB.
    pub(crate) fn races(self, work: Work) -> bool {
        self != Self::Tiny || !work.is_of_stores()
    }

    /// The name of a row.
    pub(crate) fn row(self, work: Work) -> String {
        let files = match self {
            Self::Small => "64 KiB",
            Self::Tiny => "1 KiB",
            Self::Large => "768 MiB",
        };
        format!("{files}: {work}")
    }

    /// What the generator is told: 35,030 files, 175,030, or 28, five of which are Parquet.
    fn recipe(self, percent: u64) -> Vec<String> {
        let scaled = |full: u64| (full * percent / 100).max(1);
        match self {
            Self::Small => format!("--snapshots {} --file-size 64KiB", scaled(2500)),
            Self::Tiny => format!("--snapshots {} --file-size 1KiB", scaled(12_500)),
            Self::Large => format!("--nodes 1 --snapshots 1 --file-size {}MiB", scaled(768)),
        }
        .split(' ')
        .map(str::to_owned)
        .collect()
    }
}

/// What is done with a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    FilesToFiles,
    RestoreFiles,
    Verify,
    FilesToStore,
    RestoreFromStore,
    WithinStore,
}

impl Work {
    pub(crate) const ALL: [Self; 6] = [
        Self::FilesToFiles,
        Self::RestoreFiles,
        Self::Verify,
        Self::FilesToStore,
        Self::RestoreFromStore,
        Self::WithinStore,
    ];

    pub(crate) const fn is_of_stores(self) -> bool {
        matches!(self, Self::FilesToStore | Self::RestoreFromStore | Self::WithinStore)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FilesToFiles => "files → files",
            Self::RestoreFiles => "the same restored",
            Self::Verify => "verify by bytes of that",
            Self::FilesToStore => "files → MinIO",
            Self::RestoreFromStore => "MinIO → files (restore)",
            Self::WithinStore => "MinIO → MinIO, two buckets",
        })
    }
}

/// A cluster in `source`, a backup of it named `n` in `backups`, and `copy`, which every run makes anew. Directories of these
/// names and, from the first work that needs one, buckets.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    setup: &'a Setup,
    minio: Option<Minio>,
    scratch: TempDir,
    files: usize,
    bytes: u64,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(setup: &'a Setup, cluster: Cluster, percent: u64) -> Result<Self> {
        let mut ground = Self { setup, minio: None, scratch: setup.scratch()?, files: 0, bytes: 0 };
        let recipe = cluster.recipe(percent);
        let source = ground.path("source");
        let arguments = ["generate", &source].into_iter().chain(recipe.iter().map(String::as_str));
        Cost::of(&mut setup.program(arguments))?;
        (ground.files, ground.bytes) = files_below(source.as_ref())?;
        Ok(ground)
    }

    /// How much there is to copy.
    pub(crate) fn amount(&self) -> String {
        #[allow(clippy::cast_precision_loss)]
        let gib = self.bytes as f64 / f64::from(1 << 30);
        format!("{} files, {gib:.2} GiB", self.files)
    }

    pub(crate) const fn minio(&self) -> Option<&Minio> {
        self.minio.as_ref()
    }

    /// What MinIO took of the processors since the copy was cleared.
    pub(crate) fn store_took(&self) -> Option<Duration> {
        self.minio.as_ref()?.processor().ok()
    }

    /// From where to where: directories or `s3://` URLs.
    pub(crate) fn places(&self, work: Work) -> [String; 2] {
        match work {
            Work::FilesToFiles => [self.path("source"), self.path("copy")],
            Work::RestoreFiles | Work::Verify => [self.path("backups/n"), self.path("copy")],
            Work::FilesToStore => [self.path("source"), "s3://copy".to_owned()],
            Work::RestoreFromStore => ["s3://backups/n".to_owned(), self.path("copy")],
            Work::WithinStore => ["s3://source".to_owned(), "s3://copy".to_owned()],
        }
    }

    /// The program, doing this.
    pub(crate) fn program(&self, work: Work, durability: &str) -> Command {
        let [from, to] = &self.places(work);
        let with = ["--durability", durability];
        match work {
            Work::FilesToFiles | Work::FilesToStore | Work::WithinStore => self.backup(from, to, with),
            Work::RestoreFiles | Work::RestoreFromStore => self.command(["restore", from, to].into_iter().chain(with)),
            Work::Verify => self.command(["verify", from, "--level", "bytes"]),
        }
    }

    /// Makes what the work starts from, and deletes what no later one needs.
    pub(crate) fn prepare(&mut self, work: Work) -> Result {
        let with = ["--durability", "relaxed"];
        if matches!(work, Work::RestoreFiles | Work::Verify) && !Path::new(&self.path("backups")).exists() {
            Cost::of(&mut self.backup(&self.path("source"), &self.path("backups"), with))?;
        }
        if work.is_of_stores() && self.minio.is_none() {
            fresh(self.path("backups").as_ref())?;
            let minio = self.minio.insert(Minio::start(&self.scratch.path().join("minio"))?);
            minio.empty(&["source", "backups", "copy"])?;
        }
        let Some(minio) = &self.minio else { return Ok(()) };
        if matches!(work, Work::RestoreFromStore | Work::WithinStore)
            && fs::read_dir(minio.bucket("backups"))?.count() == 0
        {
            Cost::of(&mut self.backup(&self.path("source"), "s3://backups", with))?;
        }
        if work == Work::WithinStore {
            Cost::of(&mut self.command(["restore", "s3://backups/n", "s3://source"]))?;
            fresh(self.path("source").as_ref())?;
            self.clear(&["backups", "copy"])?;
        }
        Ok(())
    }

    /// Deletes what a run has made, and waits for the disk.
    pub(crate) fn clear_copy(&mut self, work: Work) -> Result {
        self.clear(if work.is_of_stores() { &["copy"] } else { &[] })
    }

    /// Whether a copy has about as many bytes as the source: a program that fails without saying so is not fast.
    pub(crate) fn is_copied(&self, work: Work) -> Result<bool> {
        let copy = match &self.minio {
            _ if work == Work::Verify => return Ok(true),
            Some(minio) if work != Work::RestoreFromStore => minio.bucket("copy"),
            _ => PathBuf::from(self.path("copy")),
        };
        // A backup has a manifest more, and not what servers make again.
        Ok(files_below(&copy)?.1 >= self.bytes / 10 * 9)
    }

    fn clear(&mut self, buckets: &[&str]) -> Result {
        fresh(self.path("copy").as_ref())?;
        if let Some(minio) = &mut self.minio {
            minio.empty(buckets)?;
        }
        Ok(settle()?)
    }

    fn backup(&self, from: &str, to: &str, with: [&str; 2]) -> Command {
        self.command(["backup", from, to, "--name", "n"].into_iter().chain(with))
    }

    fn command<'s>(&self, arguments: impl IntoIterator<Item = &'s str>) -> Command {
        let mut command = self.setup.program(arguments);
        if let Some(minio) = &self.minio {
            minio.give_to(&mut command);
        }
        command
    }

    fn path(&self, name: &str) -> String {
        self.scratch.path().join(name).to_string_lossy().into_owned()
    }
}
