//! What InfluxDB 3 writes where: [`Component`] and the numbers inside names. Pure: no I/O.
//!
//! The rules come from the public Core source, v3.0.0 to v3.10.1 (`influxdb3_wal/src/object_store.rs`,
//! `influxdb3_write/src/paths.rs`, `influxdb3_catalog/src/object_store/versions/`) and, for what only Enterprise writes,
//! from its documentation. A key is classified by what follows the prefix of its owner (a node id or the cluster id);
//! ids may contain `/`, so the owner is never guessed from the first segment.

mod group;
pub(crate) mod guard;
mod releases;

use crate::named::named;

pub use self::{
    group::Group,
    releases::{Release, ServerReleases},
};

/// The directory of this library's own files inside a backup or a target.
pub const OWN_DIRECTORY: &str = "_influx_backup";

/// The directory of a repository for objects that several backups share, each below the name of the first.
pub(crate) const SHARED_DIRECTORY: &str = "_shared";

/// The key of the marker inside a repository.
pub const REPOSITORY_KEY: &str = "_influx_backup/repository.json";

/// The key of the root manifest inside a backup.
pub const MANIFEST_KEY: &str = "_influx_backup/manifest.json";

/// The key of the signature of the root manifest, where the backup is signed.
pub const SIGNATURE_KEY: &str = "_influx_backup/manifest.json.minisig";

/// The generations of the catalog's layout that InfluxDB 3 has used so far, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Generation {
    /// `catalogs/` and `_catalog_checkpoint`: 3.0 to 3.3.
    V1,
    /// `catalog/v2/`: 3.4 to 3.9.
    V2,
    /// `catalog/v3/`: from 3.10.
    V3,
}

named!(Generation, "generation", {
    V1 => "v1",
    V2 => "v2",
    V3 => "v3",
});

impl Generation {
    /// The name of the root (snapshot, "checkpoint") below its owner's prefix.
    #[must_use]
    pub const fn root(self) -> &'static str {
        match self {
            Self::V1 => "_catalog_checkpoint",
            Self::V2 => "catalog/v2/snapshot",
            Self::V3 => "catalog/v3/snapshot",
        }
    }

    /// The directory of the logs below its owner's prefix.
    #[must_use]
    pub const fn logs(self) -> &'static str {
        match self {
            Self::V1 => "catalogs",
            Self::V2 => "catalog/v2/logs",
            Self::V3 => "catalog/v3/logs",
        }
    }

    /// The server releases that open a store whose newest generation is this one.
    #[must_use]
    pub const fn servers(self) -> ServerReleases {
        match self {
            Self::V1 => ServerReleases::until(Release::new(3, 0), Release::new(3, 9), Release::new(3, 4)),
            Self::V2 => ServerReleases::since(Release::new(3, 4)),
            Self::V3 => ServerReleases::since(Release::new(3, 10)),
        }
    }
}

/// The kind of one object. Every key below a node's or a cluster's prefix is exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Component {
    /// `wal/{seq:011}.wal`: write-ahead log, create-only.
    Wal,
    /// `snapshots/{INV(seq):020}.info.json`: snapshot manifest.
    Snapshot,
    /// `snapshot-checkpoints/{YYYY-MM}/{INV(seq):020}.checkpoint.json` (3.8.2 and later).
    SnapshotCheckpoint,
    /// `dbs/…`: Parquet files of tables, in either key shape.
    Parquet,
    /// `table-snapshots/…`: derived, transient.
    TableSnapshot,
    /// `db-indices/…`: derived, overwritten in place.
    TableIndex,
    /// `table-index-conversion-completed`: derived marker.
    TableIndexMarker,
    /// `cs/…`: compaction summaries (Enterprise compactor; opaque).
    CompactionSummary,
    /// `cd/…`: compaction details (Enterprise compactor; opaque).
    CompactionDetail,
    /// `c/…`: generation details and compacted Parquet (Enterprise compactor; opaque).
    Compacted,
    /// The root of the catalog: the file that a server loads first.
    CatalogRoot(Generation),
    /// A log of the catalog, create-only.
    CatalogLog(Generation),
    /// `catalog/restores/…`: staging of a built-in restore (3.10 and later).
    CatalogRestore,
    /// Anything else in the catalog's directories: a generation that this release does not know yet.
    CatalogOther,
    /// `enterprise`: Enterprise configuration.
    EnterpriseConfig,
    /// `commercial_license`.
    CommercialLicense,
    /// `trial_or_home_license`.
    TrialOrHomeLicense,
    /// Anything else: kept and reported, never dropped silently.
    Other,
}

named!(Component, "component", {
    Wal => "wal",
    Snapshot => "snapshot",
    SnapshotCheckpoint => "snapshot_checkpoint",
    Parquet => "parquet",
    TableSnapshot => "table_snapshot",
    TableIndex => "table_index",
    TableIndexMarker => "table_index_marker",
    CompactionSummary => "compaction_summary",
    CompactionDetail => "compaction_detail",
    Compacted => "compacted",
    CatalogRoot(Generation::V1) => "catalog_root_v1",
    CatalogRoot(Generation::V2) => "catalog_root_v2",
    CatalogRoot(Generation::V3) => "catalog_root_v3",
    CatalogLog(Generation::V1) => "catalog_log_v1",
    CatalogLog(Generation::V2) => "catalog_log_v2",
    CatalogLog(Generation::V3) => "catalog_log_v3",
    CatalogRestore => "catalog_restore",
    CatalogOther => "catalog_other",
    EnterpriseConfig => "enterprise_config",
    CommercialLicense => "commercial_license",
    TrialOrHomeLicense => "trial_or_home_license",
    Other => "other",
});

impl Component {
    /// The component of the object whose key continues with `tail` after the prefix of its owner.
    ///
    /// ```
    /// use influx_backup_core::{Component, Generation};
    ///
    /// assert_eq!(Component::of("wal/00000000001.wal"), Component::Wal);
    /// assert_eq!(Component::of("catalog/v3/snapshot"), Component::CatalogRoot(Generation::V3));
    /// assert_eq!(Component::of("something/else"), Component::Other);
    /// ```
    #[must_use]
    pub fn of(tail: &str) -> Self {
        if let Some(generation) = Generation::ALL.iter().copied().find(|g| g.root() == tail) {
            return Self::CatalogRoot(generation);
        }
        if let Some(generation) = Generation::ALL.iter().copied().find(|g| is_below(tail, g.logs())) {
            return Self::CatalogLog(generation);
        }
        if is_below(tail, "catalog/restores") {
            return Self::CatalogRestore;
        }
        if is_below(tail, "catalog") {
            return Self::CatalogOther;
        }
        match tail.split_once('/') {
            Some((directory, _)) => {
                let known = Self::DIRECTORIES.iter().find(|(_, name)| *name == directory);
                known.map_or(Self::Other, |(component, _)| *component)
            }
            None => match tail {
                "table-index-conversion-completed" => Self::TableIndexMarker,
                "enterprise" => Self::EnterpriseConfig,
                "commercial_license" => Self::CommercialLicense,
                "trial_or_home_license" => Self::TrialOrHomeLicense,
                _ => Self::Other,
            },
        }
    }

    /// The kinds that the compactor of an Enterprise cluster writes.
    pub const COMPACTOR: &[Self] = &[Self::CompactionSummary, Self::CompactionDetail, Self::Compacted];

    /// The kinds that have a directory of their own below a node.
    const DIRECTORIES: [(Self, &str); 9] = [
        (Self::Wal, "wal"),
        (Self::Snapshot, "snapshots"),
        (Self::SnapshotCheckpoint, "snapshot-checkpoints"),
        (Self::Parquet, "dbs"),
        (Self::TableSnapshot, "table-snapshots"),
        (Self::TableIndex, "db-indices"),
        (Self::CompactionSummary, "cs"),
        (Self::CompactionDetail, "cd"),
        (Self::Compacted, "c"),
    ];

    /// The directory below a node that holds objects of this kind and no others.
    #[must_use]
    pub fn directory(self) -> Option<&'static str> {
        Self::DIRECTORIES.iter().find(|(component, _)| *component == self).map(|(_, directory)| *directory)
    }

    /// How often the server writes a key of this kind, which decides what another version of it means.
    #[must_use]
    pub const fn mutability(self) -> Mutability {
        match self {
            Self::Wal | Self::CatalogLog(_) => Mutability::CreateOnly,
            Self::Snapshot | Self::SnapshotCheckpoint | Self::Parquet => Mutability::WrittenOnce,
            _ => Mutability::Overwritten,
        }
    }

    /// Whether InfluxDB makes this object again from others: excluded from a backup by default.
    #[must_use]
    pub const fn is_derived(self) -> bool {
        matches!(self, Self::TableSnapshot | Self::TableIndex | Self::TableIndexMarker)
    }

    /// Whether this is one of the two license files.
    #[must_use]
    pub const fn is_license(self) -> bool {
        matches!(self, Self::CommercialLicense | Self::TrialOrHomeLicense)
    }

    /// Whether this belongs to an Enterprise compactor.
    #[must_use]
    pub const fn is_compactor(self) -> bool {
        matches!(self, Self::CompactionSummary | Self::CompactionDetail | Self::Compacted)
    }

    /// Whether this is part of the catalog, in any generation.
    #[must_use]
    pub const fn is_catalog(self) -> bool {
        matches!(self, Self::CatalogRoot(_) | Self::CatalogLog(_) | Self::CatalogRestore | Self::CatalogOther)
    }

    /// Whether the cluster's prefix holds this (for Core: whether it goes with the catalog).
    #[must_use]
    pub const fn is_cluster_wide(self) -> bool {
        self.is_catalog() || self.is_license() || matches!(self, Self::EnterpriseConfig)
    }

    /// Whether the bytes may be moved by the store itself; everything else passes through this process and is read.
    #[must_use]
    pub const fn is_bulk(self) -> bool {
        matches!(self, Self::Parquet | Self::Compacted | Self::CompactionSummary | Self::CompactionDetail)
    }
}

/// What another version under the same key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mutability {
    /// Written with a create-only put: another version is another timeline.
    CreateOnly,
    /// Written once, but written again, with the same rows, when a server replays its WAL after a crash.
    WrittenOnce,
    /// Overwritten in place.
    Overwritten,
}

/// The number of a WAL file from its name (`{seq:011}.wal`).
#[must_use]
pub fn wal_number(name: &str) -> Option<u64> {
    decimal(name.strip_suffix(".wal")?, 11)
}

/// The sequence of a snapshot manifest from its name (`{u64::MAX - seq:020}.info.json`).
#[must_use]
pub fn snapshot_sequence(name: &str) -> Option<u64> {
    decimal(name.strip_suffix(".info.json")?, 20).map(|inverted| u64::MAX - inverted)
}

/// The sequence of a snapshot checkpoint from its name (`{u64::MAX - seq:020}.checkpoint.json`).
#[must_use]
pub fn checkpoint_sequence(name: &str) -> Option<u64> {
    decimal(name.strip_suffix(".checkpoint.json")?, 20).map(|inverted| u64::MAX - inverted)
}

/// The sequence of a catalog log from its name (`{seq:020}.catalog`).
#[must_use]
pub fn catalog_log_sequence(name: &str) -> Option<u64> {
    decimal(name.strip_suffix(".catalog")?, 20)
}

/// The name of WAL file `number`.
#[must_use]
pub fn wal_name(number: u64) -> String {
    format!("{number:011}.wal")
}

/// Whether a last segment is the name of a staging file of the object_store crate (`name#digits`).
///
/// InfluxDB's file store writes these before it renames them; its listings hide them.
#[must_use]
pub fn is_staging(name: &str) -> bool {
    staged(name).is_some()
}

/// What a staging file becomes: its name, or its key, without the digits. `None` for other files.
pub(crate) fn staged(name: &str) -> Option<&str> {
    let (staged, tail) = name.rsplit_once('#')?;
    (!tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit())).then_some(staged)
}

fn is_below(tail: &str, directory: &str) -> bool {
    tail.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn decimal(digits: &str, width: usize) -> Option<u64> {
    let plain = digits.len() >= width && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_documented_key_is_its_component() {
        let cases = [
            ("wal/00000000001.wal", Component::Wal),
            ("snapshots/18446744073709551614.info.json", Component::Snapshot),
            ("snapshot-checkpoints/2026-11/18446744073709551572.checkpoint.json", Component::SnapshotCheckpoint),
            ("dbs/metrics-1/cpu-0/2025-10-09/09-50/0000000005.parquet", Component::Parquet),
            ("dbs/1/0/2025-10-09/11-01/0000000296.parquet", Component::Parquet),
            ("table-snapshots/1/0/00000000000000000001.info.json", Component::TableSnapshot),
            ("db-indices/1/0/index.info.json", Component::TableIndex),
            ("table-index-conversion-completed", Component::TableIndexMarker),
            ("cs/1", Component::CompactionSummary),
            ("cd/1", Component::CompactionDetail),
            ("c/2b/56d/67c/79.json", Component::Compacted),
            ("_catalog_checkpoint", Component::CatalogRoot(Generation::V1)),
            ("catalogs/00000000000000000001.catalog", Component::CatalogLog(Generation::V1)),
            ("catalog/v2/snapshot", Component::CatalogRoot(Generation::V2)),
            ("catalog/v3/logs/00000000000000000001.catalog", Component::CatalogLog(Generation::V3)),
            ("catalog/restores/17/x", Component::CatalogRestore),
            ("enterprise", Component::EnterpriseConfig),
            ("commercial_license", Component::CommercialLicense),
            ("trial_or_home_license", Component::TrialOrHomeLicense),
            ("catalog/v4/snapshot", Component::CatalogOther),
            ("walnut", Component::Other),
            ("wal", Component::Other),
        ];
        for (tail, component) in cases {
            assert_eq!(Component::of(tail), component, "{tail}");
        }
    }

    #[test]
    fn staging_names_are_known() {
        assert!(is_staging("x.wal#12"));
        assert_eq!(staged("n1/wal/x#1.wal#12"), Some("n1/wal/x#1.wal"));
        assert!(!is_staging("x.wal#"));
        assert!(!is_staging("x#1a"));
        assert!(!is_staging("x"));
    }

    #[test]
    fn foreign_names_have_no_number() {
        for name in ["1.wal", "0000000000a.wal", "00000000001.wal#3", "+0000000001.wal", "99999999999999999999999.wal"]
        {
            assert_eq!(wal_number(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn numbers_survive_their_names(seq in any::<u64>()) {
            prop_assert_eq!(wal_number(&wal_name(seq)), Some(seq));
            prop_assert_eq!(snapshot_sequence(&format!("{:020}.info.json", u64::MAX - seq)), Some(seq));
            prop_assert_eq!(checkpoint_sequence(&format!("{:020}.checkpoint.json", u64::MAX - seq)), Some(seq));
            prop_assert_eq!(catalog_log_sequence(&format!("{seq:020}.catalog")), Some(seq));
        }
    }
}
