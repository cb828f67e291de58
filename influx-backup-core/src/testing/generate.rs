//! Valid clusters of any size, made from a few numbers and a seed: the same call writes the same bytes everywhere.
//!
//! Every node numbers its rows from 0 without a hole: each Parquet file holds two of them, the WAL files that a snapshot covers
//! hold its rows again, and every file of the WAL tail one more. So the rows that a reader finds tell what is lost.

mod catalog;
mod compactor;
mod node;
mod options;
mod output;

use bytes::Bytes;

use self::node::NodeData;
pub use self::{
    options::GenerateOptions,
    output::{Generated, GeneratedNode},
};
use crate::layout::Generation;

/// A cluster to be made: what it holds, and how much of it.
///
/// ```
/// use influx_backup_core::testing::generate::Generate;
///
/// let cluster = Generate::core("node1").snapshots(3).wal_tail(2);
/// let keys: Vec<String> = cluster.objects().map(|object| object.key).collect();
/// assert!(keys.contains(&"node1/wal/00000000020.wal".to_owned()));
/// assert!(keys.contains(&"node1/catalog/v3/snapshot".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generate {
    edition: Edition,
    generations: Vec<Generation>,
    catalog_logs: u64,
    snapshots: u64,
    files_per_snapshot: u64,
    parquet_size: usize,
    wal_per_snapshot: u64,
    wal_tail: u64,
    covered_wal_kept: u64,
    checkpoints: Checkpoints,
    derived: Derived,
    license: License,
    removed: u64,
    absent: u64,
    unknown: Vec<String>,
    seed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Edition {
    Core { node: String },
    Enterprise { cluster: String, nodes: Vec<String>, query: Vec<String>, compactor: Option<(String, CompactorData)> },
}

/// Whether the nodes hold snapshot checkpoints (3.8.2 and later).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoints {
    /// None.
    None,
    /// Two for each of two months; the newest manifest is newer than all of them. Needs two snapshots.
    Monthly,
}

/// Whether the nodes hold what a server derives from its manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derived {
    /// None of it.
    None,
    /// `table-snapshots/`, `db-indices/` and `table-index-conversion-completed`.
    All,
}

/// The license file of an Enterprise cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum License {
    /// None in the store.
    None,
    /// `commercial_license`.
    Commercial,
    /// `trial_or_home_license`.
    Trial,
}

/// Whether the compactor's prefix holds the data of a node as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactorData {
    /// Nothing but `cs`, `cd` and `c`: a node that only compacts.
    None,
    /// Its own snapshots, Parquet files and WAL: a node of mode `all`.
    Own,
}

/// One object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key, below the prefix that the cluster is written to.
    pub key: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Generate {
    /// A Core server: catalog v3, ten snapshots of four files, a WAL tail of three files.
    #[must_use]
    pub fn core(node: impl Into<String>) -> Self {
        Self::of(Edition::Core { node: node.into() })
    }

    /// An Enterprise cluster, still without nodes; otherwise as [`Generate::core`].
    #[must_use]
    pub fn enterprise(cluster: impl Into<String>) -> Self {
        let cluster = cluster.into();
        let edition = Edition::Enterprise { cluster, nodes: Vec::new(), query: Vec::new(), compactor: None };
        Self { license: License::Commercial, ..Self::of(edition) }
    }

    fn of(edition: Edition) -> Self {
        Self {
            edition,
            generations: vec![Generation::V3],
            catalog_logs: 0,
            snapshots: 10,
            files_per_snapshot: 4,
            parquet_size: 1024,
            wal_per_snapshot: 6,
            wal_tail: 3,
            covered_wal_kept: 4,
            checkpoints: Checkpoints::None,
            derived: Derived::None,
            license: License::None,
            removed: 0,
            absent: 0,
            unknown: Vec::new(),
            seed: 0,
        }
    }

    /// Adds nodes that hold data. Core has its one node: no effect there.
    #[must_use]
    pub fn nodes(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        if let Edition::Enterprise { nodes, .. } = &mut self.edition {
            nodes.extend(ids.into_iter().map(Into::into));
        }
        self
    }

    /// Adds a node that is registered in the catalog and stores nothing. No effect on Core.
    #[must_use]
    pub fn query_node(mut self, id: impl Into<String>) -> Self {
        if let Edition::Enterprise { query, .. } = &mut self.edition {
            query.push(id.into());
        }
        self
    }

    /// Adds the compactor, which holds one compaction for every snapshot of a node. No effect on Core.
    #[must_use]
    pub fn compactor(mut self, id: impl Into<String>, data: CompactorData) -> Self {
        if let Edition::Enterprise { compactor, .. } = &mut self.edition {
            *compactor = Some((id.into(), data));
        }
        self
    }

    /// The generation of the catalog; the shape of Parquet keys goes with it (v1 by name, later by number).
    #[must_use]
    pub fn catalog(self, generation: Generation) -> Self {
        self.upgraded([generation])
    }

    /// The generations that the store went through, oldest first: all but the last are frozen behind a terminator log, and the
    /// snapshots are spread over them evenly.
    #[must_use]
    pub fn upgraded(mut self, generations: impl IntoIterator<Item = Generation>) -> Self {
        self.generations = generations.into_iter().collect();
        self
    }

    /// Further logs of the live catalog. The root stands at the last full hundred.
    #[must_use]
    pub fn catalog_logs(self, catalog_logs: u64) -> Self {
        Self { catalog_logs, ..self }
    }

    /// The snapshots of each node.
    #[must_use]
    pub fn snapshots(self, snapshots: u64) -> Self {
        Self { snapshots, ..self }
    }

    /// The Parquet files that each snapshot adds.
    #[must_use]
    pub fn files_per_snapshot(self, files_per_snapshot: u64) -> Self {
        Self { files_per_snapshot, ..self }
    }

    /// The length of a Parquet file in bytes: at least this, and up to 63 more, so that sizes differ.
    #[must_use]
    pub fn parquet_size(self, parquet_size: usize) -> Self {
        Self { parquet_size, ..self }
    }

    /// The WAL files that each snapshot covers.
    #[must_use]
    pub fn wal_per_snapshot(self, wal_per_snapshot: u64) -> Self {
        Self { wal_per_snapshot, ..self }
    }

    /// The WAL files above the newest snapshot.
    #[must_use]
    pub fn wal_tail(self, wal_tail: u64) -> Self {
        Self { wal_tail, ..self }
    }

    /// The WAL files that are still there although a snapshot covers them.
    #[must_use]
    pub fn covered_wal_kept(self, covered_wal_kept: u64) -> Self {
        Self { covered_wal_kept, ..self }
    }

    /// Whether there are snapshot checkpoints.
    #[must_use]
    pub fn checkpoints(self, checkpoints: Checkpoints) -> Self {
        Self { checkpoints, ..self }
    }

    /// Whether there are derived objects.
    #[must_use]
    pub fn derived(self, derived: Derived) -> Self {
        Self { derived, ..self }
    }

    /// Which license file lies beside the catalog.
    #[must_use]
    pub fn license(self, license: License) -> Self {
        Self { license, ..self }
    }

    /// The oldest files of each node that retention removed, listed as removed by the newest two manifests.
    ///
    /// At most the files of all snapshots but the newest two.
    #[must_use]
    pub fn removed(self, removed: u64) -> Self {
        Self { removed, ..self }
    }

    /// The files of each node, following the removed ones, that are gone without a manifest that records it.
    #[must_use]
    pub fn absent(self, absent: u64) -> Self {
        Self { absent, ..self }
    }

    /// Adds an object that InfluxDB does not write, under this key.
    #[must_use]
    pub fn unknown(mut self, key: impl Into<String>) -> Self {
        self.unknown.push(key.into());
        self
    }

    /// Another seed: other uuids and sizes.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Every object, made one by one as the iterator goes.
    pub fn objects(&self) -> impl Iterator<Item = Object> + Send + '_ {
        let nodes = self.data_nodes().flat_map(|(index, id)| NodeData::new(self, index, id).objects());
        let unknown = self.unknown.iter().map(|key| Object { key: key.clone(), bytes: Bytes::from_static(b"unknown") });
        compactor::objects(self).chain(nodes).chain(catalog::objects(self)).chain(unknown)
    }

    /// The prefix that holds the catalog.
    fn catalog_owner(&self) -> &str {
        match &self.edition {
            Edition::Core { node } => node,
            Edition::Enterprise { cluster, .. } => cluster,
        }
    }

    /// The nodes that hold data, with a number that tells them apart.
    fn data_nodes(&self) -> impl Iterator<Item = (u64, &str)> + Send {
        let (nodes, compactor) = match &self.edition {
            Edition::Core { node } => (std::slice::from_ref(node), None),
            Edition::Enterprise { nodes, compactor, .. } => (nodes.as_slice(), compactor.as_ref()),
        };
        let compactor = compactor.filter(|(_, data)| *data == CompactorData::Own).map(|(id, _)| id);
        (0..).zip(nodes.iter().chain(compactor).map(String::as_str))
    }

    /// Every registered node with its mode, data or not.
    fn registered(&self) -> Vec<(&str, &'static str)> {
        match &self.edition {
            Edition::Core { node } => vec![(node, "Core")],
            Edition::Enterprise { nodes, query, compactor, .. } => {
                let nodes = nodes.iter().map(|id| (id.as_str(), "Ingest"));
                let query = query.iter().map(|id| (id.as_str(), "Query"));
                let compactor = compactor.iter().map(|(id, data)| match data {
                    CompactorData::None => (id.as_str(), "Compact"),
                    CompactorData::Own => (id.as_str(), "All"),
                });
                nodes.chain(query).chain(compactor).collect()
            }
        }
    }

    /// A number that depends on the seed and on `salt` alone.
    fn random(&self, salt: u64) -> u64 {
        // SplitMix64: one call for each number, in any order.
        let mut z = self.seed.wrapping_add(salt.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn random_uuid(&self, salt: u64) -> u128 {
        u128::from(self.random(salt)) << 64 | u128::from(self.random(!salt))
    }
}
