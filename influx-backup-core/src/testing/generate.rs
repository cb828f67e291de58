//! Valid clusters of any size, made from a few numbers and a seed: the same call writes the same bytes everywhere.
//!
//! Every node numbers its rows from 0 without a hole: each Parquet file holds two of them, the WAL files that a snapshot covers
//! hold its rows again, and every file of the WAL tail one more. So the rows that [`loader`](super::loader) finds say what is lost.

mod catalog;
mod compactor;
mod node;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    path::{Path as Directory, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};

use self::node::NodeData;
use super::loader::Servers;
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
    licence: Licence,
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

/// The licence file of an Enterprise cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Licence {
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
        Self { licence: Licence::Commercial, ..Self::of(edition) }
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
            licence: Licence::None,
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

    /// Which licence file lies beside the catalog.
    #[must_use]
    pub fn licence(self, licence: Licence) -> Self {
        Self { licence, ..self }
    }

    /// The oldest files of each node that retention removed, listed as removed by the newest two manifests.
    ///
    /// At most the files of all snapshots but the newest two.
    #[must_use]
    pub fn removed(self, removed: u64) -> Self {
        Self { removed, ..self }
    }

    /// The files of each node, following the removed ones, that are gone although no manifest says so.
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

    /// Writes the cluster below `prefix`.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn write_to(
        &self,
        store: &Arc<dyn ObjectStore>,
        prefix: &Path,
    ) -> Result<Generated, object_store::Error> {
        let below = if prefix.as_ref().is_empty() { String::new() } else { format!("{prefix}/") };
        let puts = self.objects().map(|Object { key, bytes }| {
            let path = Path::parse(format!("{below}{key}"));
            async move {
                let size = bytes.len() as u64;
                store.put(&path?, bytes.into()).await?;
                Ok::<_, object_store::Error>((key, size))
            }
        });
        let objects = futures::stream::iter(puts).buffer_unordered(32).try_collect().await?;
        Ok(self.summary(objects))
    }

    /// Writes the cluster into a directory, several files at a time.
    ///
    /// # Errors
    /// What the file system fails with.
    pub fn generate_into(&self, directory: &Directory) -> io::Result<Generated> {
        let source = Mutex::new(self.objects());
        let next_batch =
            || -> Vec<Object> { source.lock().unwrap_or_else(PoisonError::into_inner).by_ref().take(16).collect() };
        let write_some = || {
            let mut made: HashSet<PathBuf> = HashSet::new();
            let mut written = Vec::new();
            loop {
                let batch = next_batch();
                if batch.is_empty() {
                    return Ok::<_, io::Error>(written);
                }
                for Object { key, bytes } in batch {
                    let path = directory.join(&key);
                    if let Some(parent) = path.parent().filter(|parent| !made.contains(*parent)) {
                        std::fs::create_dir_all(parent)?;
                        made.insert(parent.to_owned());
                    }
                    std::fs::write(&path, &bytes)?;
                    written.push((key, bytes.len() as u64));
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(2, usize::from).min(8);
        let written: Vec<io::Result<Vec<_>>> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..threads).map(|_| scope.spawn(write_some)).collect();
            let lost = || Err(io::Error::other("a writing thread panicked"));
            writers.into_iter().map(|writer| writer.join().unwrap_or_else(|_| lost())).collect()
        });
        let written = written.into_iter().collect::<io::Result<Vec<_>>>()?;
        Ok(self.summary(written.into_iter().flatten().collect()))
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

    fn summary(&self, objects: BTreeMap<String, u64>) -> Generated {
        let nodes = self.data_nodes().map(|(index, id)| (id.to_owned(), NodeData::new(self, index, id).summary()));
        Generated {
            catalog_owner: self.catalog_owner().to_owned(),
            catalog_uuid: catalog::uuid(self),
            catalog_sequence: catalog::sequence(self),
            registered: self.registered().into_iter().map(|(id, _)| id.to_owned()).collect(),
            nodes: nodes.collect(),
            objects,
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

/// What was written, and what a server should make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The prefix that holds the catalog: the node's id (Core) or the cluster's.
    pub catalog_owner: String,
    /// The uuid of the catalog.
    pub catalog_uuid: u128,
    /// The sequence of the newest log of the live catalog.
    pub catalog_sequence: u64,
    /// Every node that the catalog registers.
    pub registered: BTreeSet<String>,
    /// The nodes that hold data, by their ids.
    pub nodes: BTreeMap<String, GeneratedNode>,
    /// Every object with its length in bytes, by its key below the prefix.
    pub objects: BTreeMap<String, u64>,
}

impl Generated {
    /// The bytes of all objects.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.objects.values().sum()
    }

    /// The servers that load this cluster.
    #[must_use]
    pub fn servers(&self) -> Servers {
        Servers::enterprise(self.catalog_owner.clone(), self.registered.iter().cloned())
    }
}

/// What one node holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GeneratedNode {
    /// The sequence of the newest snapshot, or `None` where there is none.
    pub last_snapshot: Option<u64>,
    /// The last WAL file that it covers; 0 where there is none.
    pub covered_wal: u64,
    /// The first and the last WAL file that are there, or `None` where none is.
    pub wal: Option<(u64, u64)>,
    /// The Parquet files that queries see, absent ones included.
    pub files: u64,
    /// The keys of the files that are gone although no manifest says so.
    pub absent: BTreeSet<String>,
    /// The rows that queries see.
    pub rows: BTreeSet<u64>,
}

#[cfg(test)]
mod tests;
