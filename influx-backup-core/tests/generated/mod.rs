//! Generated clusters in directories, and backups of them.
#![allow(dead_code, reason = "each test that shares this module uses a part of it")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use influx_backup_core::{
    BackupOptions, BackupReport, Certificate, Clause, Cluster, Copier, DiscoverOptions, FindingCode, Generation,
    Location, Repository, Result, StoreOptions,
    certificate::Verdict,
    default_copiers, discover,
    testing::generate::{Checkpoints, CompactorData, Generate, License},
};
use tempfile::TempDir;

/// A cluster in a directory, and a repository beside it.
pub(crate) struct World {
    source: TempDir,
    vault: TempDir,
}

impl World {
    pub(crate) fn new(cluster: &Generate) -> Self {
        let world = Self { source: directory(), vault: directory() };
        cluster.generate_into(world.source.path()).expect("written");
        world
    }

    pub(crate) fn source(&self) -> &Path {
        self.source.path()
    }

    /// A file of the source.
    pub(crate) fn file(&self, key: &str) -> PathBuf {
        self.source.path().join(key)
    }

    pub(crate) async fn repository(&self) -> Repository {
        Repository::open(location(self.vault.path())).await.expect("opened")
    }

    /// The directory of the backup `n1`.
    pub(crate) fn backup(&self) -> PathBuf {
        self.vault.path().join("n1")
    }

    pub(crate) fn vault(&self) -> &Path {
        self.vault.path()
    }

    pub(crate) async fn cluster(&self) -> Cluster {
        discover(&location(self.source.path()), &DiscoverOptions::default()).await.expect("a cluster")
    }

    /// Backs up as `n1`.
    pub(crate) async fn back_up(&self, options: BackupOptions) -> Result<BackupReport> {
        self.back_up_with(options, default_copiers()).await
    }

    /// Backs up as `n1`, with this copier.
    pub(crate) async fn back_up_with(&self, options: BackupOptions, copier: Arc<dyn Copier>) -> Result<BackupReport> {
        let cluster = discover(&location(self.source.path()), &DiscoverOptions::default()).await?;
        self.repository().await.backup(&cluster, options.with_name("n1")).with_copier(copier).start().await
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

pub(crate) fn location(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

/// A small Core server with checkpoints and catalog logs above its root.
pub(crate) fn core(generation: Generation) -> Generate {
    Generate::core("node1").catalog(generation).snapshots(4).checkpoints(Checkpoints::Monthly).catalog_logs(2)
}

/// A small Enterprise cluster: two data nodes, a compactor, a license.
pub(crate) fn enterprise(generation: Generation) -> Generate {
    Generate::enterprise("cluster1")
        .nodes(["node1", "node2"])
        .compactor("compactor1", CompactorData::None)
        .catalog(generation)
        .license(License::Commercial)
        .snapshots(4)
        .checkpoints(Checkpoints::Monthly)
        .catalog_logs(2)
}

/// Every file below a directory, by its key.
pub(crate) fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let found = walkdir::WalkDir::new(root).into_iter().map(|entry| entry.expect("readable"));
    let files = found.filter(|entry| entry.file_type().is_file());
    let key = |path: &Path| path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
    files.map(|entry| (key(entry.path()), fs::read(entry.path()).expect("readable"))).collect()
}

/// Writes files below a directory, as a script that copies them would.
pub(crate) fn write_all(root: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (key, bytes) in files {
        write(&root.join(key), bytes);
    }
}

/// Writes one file, with its directories.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("below a directory")).expect("made");
    fs::write(path, bytes).expect("written");
}

/// The codes of the violations of every clause that is open.
pub(crate) fn violations(certificate: &Certificate) -> Vec<(Clause, Vec<FindingCode>)> {
    let open = certificate.clauses.iter().filter(|result| result.verdict == Verdict::Violated);
    open.map(|result| (result.clause, result.violations.iter().map(|v| v.code.clone()).collect())).collect()
}

/// Whether a violation names this object.
pub(crate) fn names(certificate: &Certificate, key: &str) -> bool {
    let mut violations = certificate.clauses.iter().flat_map(|result| &result.violations);
    violations.any(|violation| violation.key.as_ref().is_some_and(|named| named.as_str() == key))
}
