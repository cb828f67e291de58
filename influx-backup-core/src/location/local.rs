//! Files as objects, with the rules for links that the object_store crate lacks.

mod list;

use std::{
    fs, io,
    path::{Path as FilePath, PathBuf},
    time::UNIX_EPOCH,
};

use walkdir::WalkDir;

pub(crate) use self::list::Unlisted;
pub(super) use self::list::{How, Listed, Unfit, directories, list, list_level};
use super::object::{ObjectMeta, Version};
use crate::{
    error::{Error, Result},
    key::Key,
};

/// What to do with symbolic links below a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Links {
    /// Followed; a loop or a broken link is an error. The rule for sources.
    Follow,
    /// An error. The rule for backups.
    Refuse,
}

/// Why a link is refused.
pub(super) const REFUSED_LINK: &str = "is a link, and links are refused here";

/// Why a pipe, a socket or a device is refused; and a directory where an object is read.
const NOT_A_FILE: &str = "is not a regular file";

/// The path with its links resolved as far as it exists.
pub(super) fn resolve(path: &FilePath) -> PathBuf {
    if let Ok(resolved) = fs::canonicalize(path) {
        return resolved;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolve(parent).join(name),
        _ => path.to_owned(),
    }
}

/// The path itself, or the nearest one above it that exists.
pub(crate) fn nearest_existing(path: &FilePath) -> &FilePath {
    path.ancestors().find(|path| path.exists()).unwrap_or(path)
}

/// The path itself and those above it that do not exist, the deepest first.
pub(crate) fn missing_directories(path: &FilePath) -> Vec<PathBuf> {
    path.ancestors().take_while(|path| !path.exists()).map(FilePath::to_owned).collect()
}

/// Removes directories that were made for nothing. It fails for those that hold anything, which stay.
pub(crate) fn remove_made(directories: &[PathBuf]) {
    directories.iter().for_each(|directory| drop(fs::remove_dir(directory)));
}

/// The bytes that a directory has room for, or the nearest one above it that exists.
#[cfg(unix)]
pub(super) fn available(root: &FilePath) -> Result<u64> {
    let stat =
        rustix::fs::statvfs(nearest_existing(root)).map_err(|e| Error::io("measure", "", root.display(), e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
pub(super) fn available(_root: &FilePath) -> Result<u64> {
    Ok(u64::MAX)
}

pub(super) async fn head(root: &FilePath, key: &Key) -> Result<Option<ObjectMeta>> {
    let path = root.join(key.as_str());
    let key = key.clone();
    let root = root.to_owned();
    blocking("head", move || match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(entry(key, &metadata))),
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(_) => Err(link(&path, NOT_A_FILE)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("head", key, root.display(), error)),
    })
    .await
}

/// Removes a directory and those below it, as far as they are empty. Best effort.
pub(crate) fn remove_empty(directory: &FilePath) {
    for found in WalkDir::new(directory).contents_first(true).into_iter().flatten() {
        if found.file_type().is_dir() {
            // It fails where it is not empty, which is to stay so.
            let _ = fs::remove_dir(found.path());
        }
    }
}

/// Refuses a key where something else than a file lies: opening a pipe or a device may block without end.
pub(super) fn check_file(root: &FilePath, key: &Key) -> Result<()> {
    let path = root.join(key.as_str());
    match fs::metadata(&path) {
        Ok(metadata) if !metadata.is_file() => Err(link(&path, NOT_A_FILE)),
        // What else is wrong shows when it is opened.
        _ => Ok(()),
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    task: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|source| Err(Error::Internal { task, source: Box::new(source) }))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(super) fn link(path: &FilePath, reason: &'static str) -> Error {
    Error::Link { path: path.display().to_string(), reason }
}

/// The same version as the object_store crate gives a file, so that its conditional reads accept it.
pub(super) fn entry(key: Key, metadata: &fs::Metadata) -> ObjectMeta {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    ObjectMeta {
        key,
        size: metadata.len(),
        version: Version { e_tag: Some(tag(metadata).into()), id: None, modified: modified.into() },
    }
}

/// The entity tag of a file, with its inode.
pub(super) fn tag(metadata: &fs::Metadata) -> String {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let micros = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    format!("\"{:x}-{micros:x}-{:x}\"", inode(metadata), metadata.len())
}

#[cfg(unix)]
pub(super) fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
pub(super) fn inode(_metadata: &fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_measured_where_nothing_exists_yet() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(available(&directory.path().join("not/yet")).expect("measured") > 0);
    }
}
