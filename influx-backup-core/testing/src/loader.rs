//! What a server would make of a tree: an independent model of its start, which shares no code with the certificate.
//!
//! The rules are those read from the public Core source up to v3.10.1 and tried on Core 3.3, 3.6 and 3.10: the catalog first, then
//! per node checkpoints and manifests, then the WAL above what they cover. Not modelled: licenses, the compactor's files (opaque),
//! the limit of 4320 manifests that a server without checkpoints loads, and retention, which a running server applies at once.

mod catalog;
mod node;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};

pub use self::{
    catalog::LoadedCatalog,
    node::{LoadedFile, LoadedNode},
};
use influx_backup_core::{
    layout::{Generation, is_staging},
    testing::generate::Generated,
};

/// The servers that load the tree: the ids they are started with, and how new they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// The prefix that holds the catalog: the node's id (Core) or the cluster's (Enterprise).
    pub catalog: String,
    /// The nodes.
    pub nodes: Vec<String>,
    /// How new the servers are.
    pub release: Release,
    /// Whether the rows are read as well.
    pub rows: Rows,
}

/// How new a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// As new as the newest catalog in the store, so that nothing is migrated.
    OfTheStore,
    /// One that writes catalogs of this generation: it migrates the generation before, and knows no newer one.
    Writing(Generation),
}

/// Whether [`load`] reads the bodies of Parquet and WAL files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Read every visible file: [`LoadedNode::rows`] where all of them were written by [`rows`](influx_backup_core::testing::write::rows).
    Read,
    /// Leave Parquet files unread.
    Skip,
}

impl Servers {
    /// One Core server.
    #[must_use]
    pub fn core(node: impl Into<String>) -> Self {
        let node = node.into();
        Self { catalog: node.clone(), nodes: vec![node], release: Release::OfTheStore, rows: Rows::Read }
    }

    /// The servers of an Enterprise cluster.
    #[must_use]
    pub fn enterprise(cluster: impl Into<String>, nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let nodes = nodes.into_iter().map(Into::into).collect();
        Self { catalog: cluster.into(), nodes, release: Release::OfTheStore, rows: Rows::Read }
    }

    /// The servers that load a generated cluster.
    #[must_use]
    pub fn of(generated: &Generated) -> Self {
        Self::enterprise(generated.catalog_owner.clone(), generated.registered.iter().cloned())
    }

    /// The same servers in another release.
    #[must_use]
    pub fn with_release(self, release: Release) -> Self {
        Self { release, ..self }
    }

    /// The same, with or without reading the rows.
    #[must_use]
    pub fn with_rows(self, rows: Rows) -> Self {
        Self { rows, ..self }
    }
}

/// What became of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The servers start and answer queries.
    Loaded(Loaded),
    /// The servers start with a new, empty catalog: all data is out of reach, without an error.
    Empty,
    /// At least one server refuses to start.
    WontStart {
        /// The object it stumbles over, below the prefix of the tree.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Verdict {
    /// What was loaded, or `None` where nothing was.
    #[must_use]
    pub fn loaded(self) -> Option<Loaded> {
        match self {
            Self::Loaded(loaded) => Some(loaded),
            Self::Empty | Self::WontStart { .. } => None,
        }
    }
}

/// What the servers loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The catalog.
    pub catalog: LoadedCatalog,
    /// The nodes by their ids.
    pub nodes: BTreeMap<String, LoadedNode>,
}

impl Loaded {
    /// Whether nothing is missing or damaged anywhere and the catalog is new enough for every node.
    ///
    /// Gaps in the WAL are not part of this: healthy stores have them, see [`LoadedNode::wal_gaps`].
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let whole = |node: &LoadedNode| {
            node.absent.is_empty()
                && node.corrupt.is_empty()
                && node.skipped_wal.is_empty()
                && node.needs_catalog <= self.catalog.sequence
        };
        self.catalog.missing_logs.is_empty() && self.nodes.values().all(whole)
    }
}

/// Loads the tree below `prefix`.
///
/// # Errors
/// What the store fails with; what is wrong with the tree is the [`Verdict`].
pub async fn load(
    store: &Arc<dyn ObjectStore>,
    prefix: &Path,
    servers: &Servers,
) -> Result<Verdict, object_store::Error> {
    let tree = Tree::list(Arc::clone(store), prefix).await?;
    match start(&tree, servers).await {
        Ok(Some(loaded)) => Ok(Verdict::Loaded(loaded)),
        Ok(None) => Ok(Verdict::Empty),
        Err(Stop::Refused { key, why }) => Ok(Verdict::WontStart { key, why }),
        Err(Stop::Store(error)) => Err(error),
    }
}

async fn start(tree: &Tree, servers: &Servers) -> Result<Option<Loaded>, Stop> {
    let Some(catalog) = catalog::load(tree, &servers.catalog, servers.release).await? else { return Ok(None) };
    let mut nodes = BTreeMap::new();
    for id in &servers.nodes {
        nodes.insert(id.clone(), node::load(tree, id, servers.rows).await?);
    }
    Ok(Some(Loaded { catalog, nodes }))
}

/// Why a start ended early.
enum Stop {
    Refused { key: String, why: &'static str },
    Store(object_store::Error),
}

impl Stop {
    fn at(key: &str, why: &'static str) -> Self {
        Self::Refused { key: key.to_owned(), why }
    }
}

impl From<object_store::Error> for Stop {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

/// One listing of the whole tree: keys below its prefix, with their sizes. Staging files are hidden, as a server's store hides them.
struct Tree {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    sizes: BTreeMap<String, u64>,
}

impl Tree {
    async fn list(store: Arc<dyn ObjectStore>, prefix: &Path) -> Result<Self, object_store::Error> {
        let below = if prefix.as_ref().is_empty() { String::new() } else { format!("{prefix}/") };
        let sizes = store
            .list((!below.is_empty()).then_some(prefix))
            .try_filter_map(|object| {
                let key = object.location.as_ref().strip_prefix(&below).filter(|key| !is_staging(key));
                std::future::ready(Ok(key.map(|key| (key.to_owned(), object.size))))
            })
            .try_collect()
            .await?;
        Ok(Self { store, prefix: below, sizes })
    }

    fn size(&self, key: &str) -> Option<u64> {
        self.sizes.get(key).copied()
    }

    /// The keys below a directory, in order, with what follows the directory.
    fn below<'a>(&'a self, directory: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let directory = format!("{directory}/");
        self.sizes
            .range(directory.clone()..)
            .map_while(move |(key, _)| key.strip_prefix(&directory).map(|name| (key.as_str(), name)))
    }

    async fn read(&self, key: &str) -> Result<Bytes, Stop> {
        let path = Path::parse(format!("{}{key}", self.prefix)).map_err(object_store::Error::from)?;
        Ok(self.store.get(&path).await?.bytes().await?)
    }

    /// Reads many objects, several at a time, in the order of the keys.
    async fn read_all<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Result<Vec<(&'a str, Bytes)>, Stop> {
        let reads: Vec<_> = keys.into_iter().map(|key| async move { Ok((key, self.read(key).await?)) }).collect();
        futures::stream::iter(reads).buffered(16).try_collect().await
    }
}

#[cfg(test)]
mod tests;
