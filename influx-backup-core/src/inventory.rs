//! [`Inventory`]: what one pass listed, group by group in a constant order, with when each listing ran.
//!
//! The listings carry the proof, not the copies: see [`LISTING_ORDER`].

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::{
    cluster::{Classification, Cluster, ClusterDescription, Role},
    concurrent,
    error::Result,
    key::Key,
    layout::{Component, Generation, Group},
    location::{Location, MAX_CONCURRENT, ObjectMeta, ObjectTable},
    record::ListingRecord,
    units::total,
};

/// The order of listings of one pass: compactors, nodes, catalog, each after all before it ended. The nodes are listed at once, as are
/// the compactors; of each of them a listing begins after the one before it ended.
///
/// - `cs` → `cd` → `c` first: what compaction supersedes later stays for its cleanup wait, and a file counts as absent
///   only if a `dbs` listing that ended before this one began lacked it.
/// - `wal` before `snapshots`: a WAL file is deleted only after the manifest that covers it is stored, so no gap can
///   open between the two listings. (The documented order lists them the other way round: 46 % of the rows of a
///   six-second window were lost that way on a real server.)
/// - `snapshot-checkpoints` before `snapshots`: no checkpoint may be newer than the newest manifest.
/// - `snapshots` before `dbs`: every Parquet file that a manifest names was stored before the manifest.
/// - the catalog after the last node: a newer catalog is safe, an older one drops rows.
pub const LISTING_ORDER: &[Group] = &[
    Group::CompactionSummaries,
    Group::CompactionDetails,
    Group::Compacted,
    Group::Wal,
    Group::SnapshotCheckpoints,
    Group::Snapshots,
    Group::Parquet,
    Group::NodeRest,
    Group::Catalog,
    Group::ClusterRest,
    Group::Licenses,
];

/// One listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listing {
    /// What was listed.
    pub group: Group,
    /// Whose: a node id, or the prefix of the catalog.
    pub owner: String,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// Its place in the order in which the listings of a run ended; clocks may step back, this does not. Only those of different nodes,
    /// or of different compactors, overlap.
    pub order: u64,
    /// What it found.
    pub entries: ObjectTable,
}

/// Everything one pass listed: of each node in the order in which it was listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inventory {
    /// The listings.
    pub listings: Vec<Listing>,
}

impl From<&Listing> for ListingRecord {
    fn from(listing: &Listing) -> Self {
        Self {
            group: listing.group,
            owner: listing.owner.clone(),
            order: listing.order,
            started: listing.started,
            ended: listing.ended,
            objects: listing.entries.len() as u64,
        }
    }
}

impl Inventory {
    /// Lists the cluster once.
    pub(crate) async fn list(cluster: &Cluster) -> Result<Self> {
        Lister::default().inventory(cluster).await
    }

    /// Every object listed.
    pub fn entries(&self) -> impl Iterator<Item = ObjectMeta> {
        self.listings.iter().flat_map(|listing| &listing.entries)
    }

    /// The same, which uses it up.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = ObjectMeta> {
        self.listings.into_iter().flat_map(|listing| listing.entries)
    }

    /// Shares the memory of what another inventory has in common with it.
    pub(crate) fn share(&mut self, other: &Self) {
        for listing in &mut self.listings {
            if let Some(other) = other.listing(listing.group, &listing.owner) {
                listing.entries.share(&other.entries);
            }
        }
    }

    /// The listings of one group, of every owner.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &Listing> {
        self.listings.iter().filter(move |listing| listing.group == group)
    }

    /// The listing of one group of one owner.
    #[must_use]
    pub fn listing(&self, group: Group, owner: &str) -> Option<&Listing> {
        self.group(group).find(|listing| listing.owner == owner)
    }

    /// Leaves inodes out where they have changed since `before` and files have not.
    pub(crate) fn settle_inodes(&mut self, location: &Location, before: &Self) {
        for listing in &mut self.listings {
            if let Some(before) = before.listing(listing.group, &listing.owner) {
                let now = std::mem::take(&mut listing.entries);
                listing.entries = location.settle_inodes(before.entries.iter(), now);
            }
        }
    }

    /// How many objects were listed.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.listings.iter().map(|listing| listing.entries.len() as u64).sum()
    }

    /// How many bytes they have.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        total(self.listings.iter().map(|listing| listing.entries.bytes()))
    }
}

/// Lists groups of a cluster and numbers the listings of a run.
#[derive(Debug)]
pub(crate) struct Lister {
    sequence: Vec<Group>,
    roots: RootsOrder,
    /// How many listings have ended.
    ended: AtomicU64,
}

/// When the roots of the catalog are looked at.
///
/// After its logs: a root holds all that the logs up to it say, and a log goes only after a root that holds it was stored.
/// So a log that was gone from the listing is in the root that is read after it. A root that was read before may be older
/// than all remaining logs, and without logs no gap shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
#[non_exhaustive]
pub enum RootsOrder {
    /// Before the logs.
    BeforeLogs,
    /// After the logs.
    AfterLogs,
}

impl Default for Lister {
    fn default() -> Self {
        Self::new(LISTING_ORDER.to_vec(), RootsOrder::AfterLogs)
    }
}

impl Lister {
    /// Lists in this order.
    pub(crate) const fn new(sequence: Vec<Group>, roots: RootsOrder) -> Self {
        Self { sequence, roots, ended: AtomicU64::new(0) }
    }

    /// One whole pass: runs of groups of one kind of owner.
    pub(crate) async fn inventory(&self, cluster: &Cluster) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        for groups in self.sequence.chunk_by(|a, b| a.owner() == b.owner()) {
            let owners = owners(cluster.description(), groups[0].owner());
            inventory.listings.extend(self.groups(cluster, groups, owners).await?);
        }
        Ok(inventory)
    }

    /// Some groups of some owners. The owners have nothing to do with one another, and are listed at once; the groups of each are listed
    /// one after another.
    pub(crate) async fn groups(
        &self,
        cluster: &Cluster,
        groups: &[Group],
        owners: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Listing>> {
        let of_owner = |owner: String| async move {
            let mut listings = Vec::new();
            for group in groups {
                listings.push(self.list(cluster, *group, &owner).await?);
            }
            Ok(listings)
        };
        let listings = owners.into_iter().map(|owner| of_owner(owner).boxed()).collect();
        Ok(concurrent::run(listings, MAX_CONCURRENT).await?.into_iter().flatten().collect())
    }

    /// One group of one owner.
    pub(crate) async fn list(&self, cluster: &Cluster, group: Group, owner: &str) -> Result<Listing> {
        let started = Utc::now();
        let mut entries = entries(cluster, group, owner, self.roots).await?;
        entries.retain(|entry| belongs(cluster.description(), entry, group, owner));
        let order = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Listing { group, owner: owner.to_owned(), started, ended: Utc::now(), order, entries })
    }
}

/// Whose objects a group is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnerKind {
    Compactor,
    Node,
    Cluster,
}

fn owners(cluster: &ClusterDescription, kind: OwnerKind) -> Vec<String> {
    match kind {
        OwnerKind::Compactor => cluster.compactors().map(|node| node.id.clone()).collect(),
        OwnerKind::Node => cluster.stored_nodes().map(|node| node.id.clone()).collect(),
        OwnerKind::Cluster => vec![cluster.catalog_prefix().to_owned()],
    }
}

async fn entries(cluster: &Cluster, group: Group, owner: &str, roots: RootsOrder) -> Result<ObjectTable> {
    match group {
        Group::NodeRest | Group::ClusterRest => rest(cluster, owner).await,
        Group::Catalog => catalog(cluster.location(), owner, roots).await,
        Group::Licenses => {
            let licenses = heads(cluster.location(), owner, &["commercial_license", "trial_or_home_license"]);
            licenses.await.map(ObjectTable::from)
        }
        Group::Parquet | Group::Compacted => {
            cluster.location().list_parallel(&format!("{owner}/{}", group.directory())).await
        }
        _ => cluster.location().list(&format!("{owner}/{}", group.directory())).await,
    }
}

/// Logs, whatever else is in their directories, and the roots.
async fn catalog(location: &Location, owner: &str, roots: RootsOrder) -> Result<ObjectTable> {
    let names: Vec<_> = Generation::ALL.iter().map(|generation| generation.root()).collect();
    let mut entries = match roots {
        RootsOrder::BeforeLogs => heads(location, owner, &names).await?,
        RootsOrder::AfterLogs => Vec::new(),
    };
    let mut logs = Vec::new();
    for directory in ["catalogs", "catalog"] {
        logs.extend(location.list(&format!("{owner}/{directory}")).await?);
    }
    if roots == RootsOrder::AfterLogs {
        entries = heads(location, owner, &names).await?;
    }
    let known: BTreeSet<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    entries.extend(logs.into_iter().filter(|entry| !known.contains(&entry.key)));
    Ok(entries.into())
}

async fn heads(location: &Location, owner: &str, names: &[&str]) -> Result<Vec<ObjectMeta>> {
    let mut entries = Vec::new();
    for name in names {
        entries.extend(location.head(&Key::parse(format!("{owner}/{name}"))?).await?);
    }
    Ok(entries)
}

/// What no other group lists: one level, then each directory that no other group has. What is excluded is not looked at,
/// however deep it lies.
async fn rest(cluster: &Cluster, owner: &str) -> Result<ObjectTable> {
    let (location, description) = (cluster.location(), cluster.description());
    let is_excluded_below = |prefix: &str| {
        let below = |id: &String| id.strip_prefix(prefix).is_some_and(|tail| tail.starts_with('/'));
        description.excluded_nodes.iter().any(below)
    };
    let mut entries = Vec::new();
    let mut levels = vec![owner.to_owned()];
    while let Some(parent) = levels.pop() {
        let level = location.list_level(&parent).await?;
        entries.extend(level.entries);
        for directory in level.directories {
            let prefix = format!("{parent}/{directory}");
            // A nested node is listed by itself.
            let is_other = description.excluded_nodes.contains(&prefix) || cluster.is_node(&prefix);
            if is_other || parent == owner && listed_elsewhere(description, owner, &directory) {
                continue;
            }
            if is_excluded_below(&prefix) {
                levels.push(prefix);
            } else {
                entries.extend(location.list(&prefix).await?);
            }
        }
    }
    Ok(entries.into())
}

/// Keeps what the group of this owner is about: ids may contain `/`, and a cluster id may equal a node id.
fn belongs(cluster: &ClusterDescription, entry: &ObjectMeta, group: Group, owner: &str) -> bool {
    let Some(object) = cluster.classify(&entry.key) else { return false };
    object.owner == owner && group_in(cluster, &object) == group
}

/// The group that lists an object in this cluster: files of a compactor below a node that was not a compactor when
/// it was discovered have no listing of their own, and are not dropped.
fn group_in(cluster: &ClusterDescription, object: &Classification<'_>) -> Group {
    let group = Group::of(object);
    let is_compactor = || cluster.compactors().any(|node| node.id == object.owner);
    if group.owner() == OwnerKind::Compactor && !is_compactor() { Group::NodeRest } else { group }
}

/// Whether `directory` of `owner` has a group of its own.
fn listed_elsewhere(cluster: &ClusterDescription, owner: &str, directory: &str) -> bool {
    let node = cluster.nodes.iter().find(|node| node.id == owner);
    let has_group = |owner| LISTING_ORDER.iter().any(|group| group.owner() == owner && group.directory() == directory);
    let of_node = node.is_some() && has_group(OwnerKind::Node);
    let of_compactor = node.is_some_and(|n| n.is(Role::Compactor)) && has_group(OwnerKind::Compactor);
    let of_catalog = owner == cluster.catalog_prefix() && ["catalogs", "catalog"].contains(&directory);
    of_node || of_compactor || of_catalog
}

impl Group {
    /// The group that lists an object.
    #[must_use]
    pub fn of(object: &Classification<'_>) -> Self {
        match (object.node, object.component) {
            (Some(_), component) => match component {
                Component::CompactionSummary => Self::CompactionSummaries,
                Component::CompactionDetail => Self::CompactionDetails,
                Component::Compacted => Self::Compacted,
                Component::Wal => Self::Wal,
                Component::SnapshotCheckpoint => Self::SnapshotCheckpoints,
                Component::Snapshot => Self::Snapshots,
                Component::Parquet => Self::Parquet,
                _ => Self::NodeRest,
            },
            (None, component) if component.is_license() => Self::Licenses,
            (None, component) if component.is_catalog() => Self::Catalog,
            (None, _) => Self::ClusterRest,
        }
    }

    /// The one kind of objects that the group is about, where it is about one.
    #[must_use]
    pub const fn component(self) -> Option<Component> {
        match self {
            Self::CompactionSummaries => Some(Component::CompactionSummary),
            Self::CompactionDetails => Some(Component::CompactionDetail),
            Self::Compacted => Some(Component::Compacted),
            Self::Wal => Some(Component::Wal),
            Self::SnapshotCheckpoints => Some(Component::SnapshotCheckpoint),
            Self::Snapshots => Some(Component::Snapshot),
            Self::Parquet => Some(Component::Parquet),
            Self::NodeRest | Self::Catalog | Self::ClusterRest | Self::Licenses => None,
        }
    }

    fn directory(self) -> &'static str {
        self.component().and_then(Component::directory).unwrap_or_default()
    }

    const fn owner(self) -> OwnerKind {
        match self {
            Self::CompactionSummaries | Self::CompactionDetails | Self::Compacted => OwnerKind::Compactor,
            Self::Wal | Self::SnapshotCheckpoints | Self::Snapshots | Self::Parquet | Self::NodeRest => OwnerKind::Node,
            Self::Catalog | Self::ClusterRest | Self::Licenses => OwnerKind::Cluster,
        }
    }
}

#[cfg(test)]
mod tests;
