//! Making files durable.

use std::{fs::File, io, path::Path};

use walkdir::WalkDir;

use super::{
    Known, Location, Synced, nearest_existing,
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
    let directory = nearest_existing(directory).to_owned();
    let known = location.0.abilities.clone();
    let synced = tokio::task::spawn_blocking(move || sync(&directory, &known)).await;
    let synced = synced.map_err(|source| Error::Internal { task: "sync", source: Box::new(source) })?;
    synced.map_err(|error| Error::io("sync", "", location, error))
}

/// One `syncfs` for each file system at the directory or near below it (a node's directory may be a mount).
#[cfg(target_os = "linux")]
fn sync(directory: &Path, known: &Known) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    /// Nodes and clusters, and what lies directly in them; ids rarely have a `/`.
    const DEPTH: usize = 2;
    let mut synced = std::collections::HashSet::new();
    let below = WalkDir::new(directory).follow_links(true).max_depth(DEPTH).into_iter();
    let below = below.filter_map(|found| found.ok().filter(|found| found.file_type().is_dir()));
    for path in std::iter::once(directory.to_owned()).chain(below.map(walkdir::DirEntry::into_path)) {
        let opened = match File::open(&path) {
            // Of another user: nothing was written there.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path != directory => continue,
            opened => opened?,
        };
        if synced.insert(opened.metadata()?.dev()) {
            match rustix::fs::syncfs(&opened).map_err(io::Error::from) {
                Err(error) if is_refused(&error) => return sync_each(directory, known),
                done => done?,
            }
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn sync(directory: &Path, known: &Known) -> io::Result<()> {
    sync_each(directory, known)
}

/// `fsync` of every file and directory: what others have.
fn sync_each(directory: &Path, known: &Known) -> io::Result<()> {
    for found in WalkDir::new(directory).follow_links(true).contents_first(true) {
        let found = found?;
        if found.file_type().is_file() {
            // Windows flushes only what may be written.
            let file = std::fs::OpenOptions::new().read(true).write(cfg!(windows)).open(found.path())?;
            unless_refused(file.sync_all(), Synced::Nothing, known)?;
        } else if cfg!(unix) && found.file_type().is_dir() {
            sync_directory(found.path(), known)?;
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
