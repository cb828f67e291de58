//! [`BackupPlan`] and [`RestorePlan`]: ordered stages of copies. Pure: built from what was listed, no I/O.

mod backup;
mod document;
mod packed;
mod restore;
mod show;
mod skipped;
mod stage;

use serde::Serialize;

pub(crate) use self::restore::{Approval, expected};
use self::stage::StageTasks;
pub use self::{
    backup::BackupPlan,
    restore::{RestorePlan, RootAction, RootStep},
    skipped::{Reason, Skipped, SkippedItem},
    stage::{CopyTask, Place, PlaceRole, Stage},
};
use crate::{
    checksum::HashWriter,
    cluster::{Classification, Edition},
    layout::Component,
    named::named,
};

/// A step of a backup or a restore, with a barrier before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StageKind {
    /// `cs`, `cd`, `c` of the compactor.
    Compactor,
    /// The WAL as listed before the manifests, at once.
    WalFence,
    /// `snapshot-checkpoints` of all nodes.
    SnapshotCheckpoints,
    /// `snapshots` of all nodes.
    Snapshots,
    /// `dbs` of all nodes.
    Parquet,
    /// `wal` of all nodes; in a backup the top-up of the fence.
    Wal,
    /// Everything else below the nodes.
    NodeRest,
    /// The catalog, root first.
    Catalog,
    /// `enterprise` and everything else below the cluster.
    ClusterRest,
    /// The license files.
    Licenses,
}

named!(StageKind, "stage", {
    Compactor => "compactor",
    WalFence => "wal_fence",
    SnapshotCheckpoints => "snapshot_checkpoints",
    Snapshots => "snapshots",
    Parquet => "parquet",
    Wal => "wal",
    NodeRest => "node_rest",
    Catalog => "catalog",
    ClusterRest => "cluster_rest",
    Licenses => "licenses",
});

/// The order of a backup of an Enterprise cluster.
///
/// As documented: "Compactor node directories (cs, cd, c) · All nodes' snapshots, dbs, wal directories · Cluster
/// catalog and checkpoint · License files", with a WAL fence and the snapshot checkpoints before `snapshots`.
const BACKUP_ORDER_ENTERPRISE: &[StageKind] = &[
    StageKind::Compactor,
    StageKind::WalFence,
    StageKind::SnapshotCheckpoints,
    StageKind::Snapshots,
    StageKind::Parquet,
    StageKind::Wal,
    StageKind::NodeRest,
    StageKind::Catalog,
    StageKind::ClusterRest,
    StageKind::Licenses,
];

/// The order of a backup of a Core node: its data (snapshots, dbs, wal), then its catalog.
const BACKUP_ORDER_CORE: &[StageKind] = &[
    StageKind::WalFence,
    StageKind::SnapshotCheckpoints,
    StageKind::Snapshots,
    StageKind::Parquet,
    StageKind::Wal,
    StageKind::NodeRest,
    StageKind::Catalog,
    StageKind::ClusterRest,
];

/// The order of a restore of an Enterprise cluster.
///
/// As documented: "Cluster catalog and checkpoint · License files · All nodes' snapshots, dbs, wal directories ·
/// Compactor node directories (cs, cd, c)". The roots of the catalog come last, behind the boot guard.
const RESTORE_ORDER_ENTERPRISE: &[StageKind] = &[
    StageKind::Catalog,
    StageKind::ClusterRest,
    StageKind::Licenses,
    StageKind::Snapshots,
    StageKind::SnapshotCheckpoints,
    StageKind::Parquet,
    StageKind::Wal,
    StageKind::NodeRest,
    StageKind::Compactor,
];

/// The order of a restore of a Core node: "checkpoint, catalog, wal, dbs, snapshots".
const RESTORE_ORDER_CORE: &[StageKind] = &[
    StageKind::Catalog,
    StageKind::ClusterRest,
    StageKind::Wal,
    StageKind::Parquet,
    StageKind::Snapshots,
    StageKind::SnapshotCheckpoints,
    StageKind::NodeRest,
];

/// The order of a backup of this edition.
#[must_use]
pub const fn backup_order(edition: Edition) -> &'static [StageKind] {
    match edition {
        Edition::Core => BACKUP_ORDER_CORE,
        Edition::Enterprise => BACKUP_ORDER_ENTERPRISE,
    }
}

/// The order of a restore of this edition.
#[must_use]
pub const fn restore_order(edition: Edition) -> &'static [StageKind] {
    match edition {
        Edition::Core => RESTORE_ORDER_CORE,
        Edition::Enterprise => RESTORE_ORDER_ENTERPRISE,
    }
}

impl StageKind {
    /// The stage that copies objects of this kind (in a backup, the listed WAL belongs to the fence).
    #[must_use]
    pub const fn of(component: Component) -> Self {
        match component {
            Component::CompactionSummary | Component::CompactionDetail | Component::Compacted => Self::Compactor,
            Component::Wal => Self::Wal,
            Component::SnapshotCheckpoint => Self::SnapshotCheckpoints,
            Component::Snapshot => Self::Snapshots,
            Component::Parquet => Self::Parquet,
            Component::CommercialLicense | Component::TrialOrHomeLicense => Self::Licenses,
            Component::EnterpriseConfig => Self::ClusterRest,
            component if component.is_catalog() => Self::Catalog,
            _ => Self::NodeRest,
        }
    }

    /// What is listed again at the barrier before the stage of a backup, because the source has moved on.
    #[must_use]
    pub const fn relist(self) -> Option<Relist> {
        match self {
            Self::Wal => Some(Relist::Wal),
            Self::Catalog => Some(Relist::Catalog),
            _ => None,
        }
    }

    /// The stage in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Compactor => "compactor (cs, cd, c)",
            Self::WalFence => "WAL fence",
            Self::SnapshotCheckpoints => "snapshot-checkpoints",
            Self::Snapshots => "snapshots",
            Self::Parquet => "dbs",
            Self::Wal => "wal",
            Self::NodeRest => "other node files",
            Self::Catalog => "catalog",
            Self::ClusterRest => "enterprise, other cluster files",
            Self::Licenses => "licenses",
        }
    }
}

/// The stage that copies an object, in a backup as in a restore.
fn stage_of(edition: Edition, object: Classification<'_>) -> StageKind {
    let kind = match (object.kind(), object.node) {
        (Component::Other, None) => StageKind::ClusterRest,
        (component, _) => StageKind::of(component),
    };
    // Core keeps license files that a user put there with the rest of the cluster's files.
    match (edition, kind) {
        (Edition::Core, StageKind::Licenses) => StageKind::ClusterRest,
        (Edition::Core, StageKind::Compactor) => StageKind::NodeRest,
        (_, kind) => kind,
    }
}

/// What the caller of [`Executor::stage`](crate::execute::Executor::stage) lists again before a stage, to plan its copies anew: the
/// source has moved on since the plan was made. A [backup](crate::Repository::backup) does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Relist {
    /// `wal` of every node.
    Wal,
    /// Root and logs of the catalog.
    Catalog,
}

named!(Relist, "re-list rule", {
    Wal => "wal",
    Catalog => "catalog",
});

/// SHA-256 of the JSON form, in hex: the same plan has the same hash on every machine. The JSON is not held in memory.
pub(crate) fn stable_hash(plan: &impl Serialize) -> String {
    let mut writer = HashWriter::default();
    // All map keys of a plan are texts, and the writer never fails.
    let _ = serde_json::to_writer(&mut writer, plan);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::sha256;

    #[test]
    fn the_hash_is_that_of_the_json() {
        let stage = Stage::new(StageKind::Wal, Some(Relist::Wal), []);
        let json = serde_json::to_vec(&stage).expect("serializes");
        assert_eq!(stable_hash(&stage), sha256(&json));
    }
}
