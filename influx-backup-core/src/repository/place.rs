//! [`Place`]: where a repository is, which may be neither in a cluster nor in a backup.

use std::sync::Arc;

use futures::{FutureExt, TryFutureExt};
use tokio::sync::OnceCell;

use crate::{
    concurrent,
    error::{Error, Result},
    job::AfterCheck,
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY},
    location::{Links, Location},
    manifest::RepositoryMarker,
};

/// How many directories are looked into for a cluster.
const DIRECTORIES_LOOKED_INTO: usize = 32;

/// How many at once.
const LOOKS_AT_ONCE: usize = 16;

/// The directories that nodes and clusters have; two of them together are enough to know one.
const NODE_DIRECTORIES: [&str; 10] =
    ["wal", "snapshots", "snapshot-checkpoints", "dbs", "table-snapshots", "catalogs", "catalog", "cs", "cd", "c"];

/// Where a repository is. Clones know together whether it was checked.
#[derive(Debug, Clone)]
pub(super) struct Place {
    location: Location,
    checked: Arc<OnceCell<()>>,
}

impl Place {
    /// Links in a repository are refused: where they lead, others may write.
    pub(super) fn new(location: Location) -> Self {
        Self { location: location.with_links(Links::Never), checked: Arc::default() }
    }

    /// One that is not looked at any more.
    #[cfg(test)]
    pub(super) fn checked(location: Location) -> Self {
        Self { location, checked: Arc::new(OnceCell::new_with(Some(()))) }
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// A verb at this place, whose job checks it first.
    pub(super) fn request<R: AfterCheck>(&self, verb: impl FnOnce(&Location) -> R) -> R {
        let place = self.clone();
        verb(&self.location).after_check(Box::new(|| async move { place.check().await }.boxed()))
    }

    /// Refuses a place that cannot hold backups. It is looked at until nothing is wrong with it.
    pub(super) async fn check(&self) -> Result<()> {
        let check = || async {
            let is_repository = RepositoryMarker::is_there(&self.location).await?;
            if is_repository { Ok(()) } else { require_free(&self.location).await }
        };
        self.checked.get_or_try_init(check).await.copied()
    }
}

/// Refuses a location that has no marker and is, or lies in, a cluster or a backup.
async fn require_free(location: &Location) -> Result<()> {
    if lies_in_backup(location).await? {
        return Err(refused(location, "it lies inside a backup"));
    }
    let directories = location.directories().await?;
    if directories.iter().any(|name| name == OWN_DIRECTORY)
        && location.head(&Key::parse(MANIFEST_KEY)?).await?.is_some()
    {
        return Err(refused(location, "it is a backup itself; give the directory that holds it"));
    }
    if is_node_like(&directories) {
        return Err(overlaps(location, "a node of a cluster"));
    }
    let looks = directories.iter().filter(|name| !name.starts_with(['_', '.'])).take(DIRECTORIES_LOOKED_INTO);
    let looks = looks.map(|name| holds_node(location, name).map_ok(move |is_node| is_node.then_some(name)).boxed());
    let nodes = concurrent::run(looks.collect(), LOOKS_AT_ONCE).await?;
    match nodes.into_iter().flatten().next() {
        Some(node) => Err(overlaps(location, &format!("the location of a cluster whose node is {node}"))),
        None => Ok(()),
    }
}

fn is_node_like(directories: &[String]) -> bool {
    directories.iter().filter(|name| NODE_DIRECTORIES.contains(&name.as_str())).count() >= 2
}

/// Whether a directory is the prefix of a node. One that may not be listed is not known to be one.
async fn holds_node(location: &Location, name: &str) -> Result<bool> {
    let Ok(child) = location.child(name) else { return Ok(false) };
    let directories = match child.directories().await {
        Err(error) if error.is_refused_look() => return Ok(false),
        directories => directories?,
    };
    Ok(is_node_like(&directories) && !directories.iter().any(|name| name == OWN_DIRECTORY))
}

/// Whether a manifest lies above. What may not be read there is not known to be one.
async fn lies_in_backup(location: &Location) -> Result<bool> {
    if let Some(directory) = location.directory() {
        return Ok(directory.ancestors().skip(1).any(|above| above.join(MANIFEST_KEY).is_file()));
    }
    let manifest = Key::parse(MANIFEST_KEY)?;
    for above in std::iter::successors(location.parent(), Location::parent) {
        match above.head(&manifest).await {
            Ok(Some(_)) => return Ok(true),
            Ok(None) => {}
            Err(error) if error.is_refused_look() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

fn overlaps(location: &Location, with: &str) -> Error {
    Error::Overlap { inner: location.to_string(), outer: with.to_owned() }
}

fn refused(location: &Location, reason: &str) -> Error {
    let reason = format!("`{location}` cannot hold backups: {reason}");
    Error::InvalidRequest { option: "repository", reason }
}
