//! Where a repository may be: neither in a cluster nor in a backup.

use futures::{FutureExt, TryFutureExt};

use crate::{
    concurrent,
    error::{Error, Result},
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY},
    location::Location,
};

/// How many directories are looked into for a cluster.
const DIRECTORIES_LOOKED_INTO: usize = 32;

/// How many at once.
const LOOKS_AT_ONCE: usize = 16;

/// The directories that nodes and clusters have; two of them together are enough to know one.
const NODE_DIRECTORIES: [&str; 10] =
    ["wal", "snapshots", "snapshot-checkpoints", "dbs", "table-snapshots", "catalogs", "catalog", "cs", "cd", "c"];

/// Refuses a location that has no marker and is, or lies in, a cluster or a backup.
pub(super) async fn require_free(location: &Location) -> Result<()> {
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
        match above.for_first_contact().head(&manifest).await {
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
