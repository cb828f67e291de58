//! [`Group`]: objects that are listed at once.

use crate::named::named;

/// A group of objects that is listed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// `cs` of a compactor.
    CompactionSummaries,
    /// `cd` of a compactor.
    CompactionDetails,
    /// `c` of a compactor.
    Compacted,
    /// `wal` of a node: the fence.
    Wal,
    /// `snapshot-checkpoints` of a node.
    SnapshotCheckpoints,
    /// `snapshots` of a node.
    Snapshots,
    /// `dbs` of a node.
    Parquet,
    /// Everything else below a node: derived files, unknown names, a stale catalog after promotion.
    NodeRest,
    /// Roots, logs, and whatever else is in the catalog's directories.
    Catalog,
    /// `enterprise` and unknown names below the cluster.
    ClusterRest,
    /// The license files.
    Licenses,
}

named!(Group, "group", {
    CompactionSummaries => "compaction_summaries",
    CompactionDetails => "compaction_details",
    Compacted => "compacted",
    Wal => "wal",
    SnapshotCheckpoints => "snapshot_checkpoints",
    Snapshots => "snapshots",
    Parquet => "parquet",
    NodeRest => "node_rest",
    Catalog => "catalog",
    ClusterRest => "cluster_rest",
    Licenses => "licenses",
});
