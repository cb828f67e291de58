//! Where a cluster goes, a store or a directory, and the summary of what was written.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    path::{Path as Directory, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use serde::{Deserialize, Serialize};

use super::{Generate, NodeData, Object, catalog};
use crate::{cancellation::Cancellation, testing::write::uuid_text};

impl Generate {
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
        self.write_unless_cancelled(directory, &Cancellation::new())
    }

    /// The same until it is cancelled: then no further file is begun, and the error is of the kind `Interrupted`.
    pub(super) fn write_unless_cancelled(
        &self,
        directory: &Directory,
        cancellation: &Cancellation,
    ) -> io::Result<Generated> {
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
                    if cancellation.is_cancelled() {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
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

    fn summary(&self, objects: BTreeMap<String, u64>) -> Generated {
        let nodes = self.data_nodes().map(|(index, id)| (id.to_owned(), NodeData::new(self, index, id).summary()));
        Generated {
            catalog_owner: self.catalog_owner().to_owned(),
            catalog_uuid: uuid_text(catalog::uuid(self)),
            catalog_sequence: catalog::sequence(self),
            registered: self.registered().into_iter().map(|(id, _)| id.to_owned()).collect(),
            nodes: nodes.collect(),
            objects,
        }
    }
}

/// What was written, and what a server should make of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// The prefix that holds the catalog: the node's id (Core) or the cluster's.
    pub catalog_owner: String,
    /// The uuid of the catalog.
    pub catalog_uuid: String,
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
}

/// What one node holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedNode {
    /// The sequence of the newest snapshot, or `None` where there is none.
    pub last_snapshot: Option<u64>,
    /// The last WAL file that it covers; 0 where there is none.
    pub covered_wal: u64,
    /// The first and the last WAL file that are there, or `None` where none is.
    pub wal: Option<(u64, u64)>,
    /// The Parquet files that queries see, absent ones included.
    pub files: u64,
    /// The keys of the files that are gone without a manifest that records it.
    pub absent: BTreeSet<String>,
    /// The rows that queries see.
    pub rows: BTreeSet<u64>,
}
