//! Making files durable.

use std::{io, path::PathBuf};

use walkdir::WalkDir;

use super::{
    Known, Location, Synced, nearest_existing,
    nofollow::{Directory, open_to_change},
    publish::{is_refused, sync_directory, unless_refused},
};
use crate::{
    error::{Error, Result},
    limits::Durability,
};

/// Puts everything written so far at a location on disk. Object stores are durable when a write returns.
pub(crate) async fn make_durable(location: &Location, durability: Durability) -> Result<()> {
    let (Durability::Durable, Some(directory)) = (durability, location.directory()) else {
        return Ok(());
    };
    let mut directories = vec![nearest_existing(directory).to_owned()];
    directories.extend(location.volumes().into_iter().skip(1).map(|(_, path)| path));
    let known = location.0.abilities.clone();
    let synced = tokio::task::spawn_blocking(move || sync(&directories, &known)).await;
    let synced = synced.map_err(|source| Error::Internal { task: "sync", source: Box::new(source) })?;
    synced.map_err(|error| Error::io("sync", "", location, error))
}

/// One `syncfs` for each file system at the directories or near below them (a node's directory may be a mount).
#[cfg(target_os = "linux")]
fn sync(directories: &[PathBuf], known: &Known) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    /// Nodes and clusters, and what lies directly in them; ids rarely have a `/`.
    const DEPTH: usize = 2;
    let mut synced = std::collections::HashSet::new();
    for path in below(directories, DEPTH) {
        let opened = match Directory::open(&path).and_then(|directory| directory.as_file()) {
            // Of another user: nothing was written there.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !directories.contains(&path) => continue,
            opened => opened?,
        };
        if synced.insert(opened.metadata()?.dev()) {
            match rustix::fs::syncfs(&opened).map_err(io::Error::from) {
                Err(error) if is_refused(&error) => return sync_each(directories, known),
                done => done?,
            }
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn sync(directories: &[PathBuf], known: &Known) -> io::Result<()> {
    sync_each(directories, known)
}

/// The directories, and those below them that are at most so deep.
fn below(directories: &[PathBuf], depth: usize) -> impl Iterator<Item = PathBuf> {
    let walk = move |directory| WalkDir::new(directory).max_depth(depth).into_iter().flatten();
    let found = directories.iter().flat_map(walk).filter(|found| found.file_type().is_dir());
    found.map(walkdir::DirEntry::into_path)
}

/// `fsync` of every file and directory: what others have.
fn sync_each(directories: &[PathBuf], known: &Known) -> io::Result<()> {
    for found in directories.iter().flat_map(|directory| WalkDir::new(directory).contents_first(true)) {
        let found = found?;
        if found.file_type().is_file() {
            unless_refused(open_to_change(found.path())?.sync_all(), Synced::Nothing, known)?;
        } else if cfg!(unix) && found.file_type().is_dir() {
            sync_directory(&Directory::open(found.path())?, known)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;

    #[tokio::test]
    async fn files_are_synced_and_a_missing_directory_is_no_failure() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(directory.path().join("node/wal")).expect("made");
        std::fs::write(directory.path().join("node/wal/1"), "x").expect("written");
        let text = directory.path().to_str().expect("UTF-8");
        let location = Location::parse(text, &StoreOptions::default()).expect("a directory");
        make_durable(&location, Durability::Durable).await.expect("synced");
        let missing = location.child("not/yet").expect("a key");
        make_durable(&missing, Durability::Durable).await.expect("synced above");
        make_durable(&Location::in_memory(), Durability::Durable).await.expect("nothing to do");
    }
}
