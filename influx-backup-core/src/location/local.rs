//! Listing directories, with the rules for links that the object_store crate lacks.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use walkdir::WalkDir;

use super::{
    OnListed,
    object::{ListLevel, ObjectMeta, Version},
};
use crate::{
    error::{Error, Result},
    key::Key,
    layout::is_staging,
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

/// What fsck keeps at the top of a file system, and only root may enter.
pub(crate) const LOST_AND_FOUND: &str = "lost+found";

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

pub(super) async fn list(
    root: &FilePath,
    prefix: &str,
    links: Links,
    on_listed: Option<OnListed>,
) -> Result<Vec<ObjectMeta>> {
    let root = root.to_owned();
    let prefix = prefix.to_owned();
    // The walk ends soon after whoever waits for it has gone.
    let waiting = Arc::new(());
    let is_awaited = Arc::downgrade(&waiting);
    let on_entry = move || {
        on_listed.iter().for_each(|on_listed| on_listed(1));
        is_awaited.strong_count() > 0
    };
    let listed = blocking("list", move || walk(&root, &prefix, links, &on_entry)).await;
    drop(waiting);
    listed
}

pub(super) async fn list_level(root: &FilePath, prefix: &str, links: Links) -> Result<ListLevel> {
    let root = root.to_owned();
    let prefix = prefix.to_owned();
    blocking("list", move || read_level(&root, &prefix, links)).await
}

pub(super) async fn directories(root: &FilePath) -> Result<Vec<String>> {
    let root = root.to_owned();
    blocking("list", move || match fs::read_dir(&root) {
        Ok(listing) => {
            let found = listing.flatten().filter(|found| found.path().is_dir());
            Ok(found.filter_map(|found| found.file_name().into_string().ok()).collect())
        }
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(Error::io("list", "", root.display(), error)),
    })
    .await
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

/// Refuses a key with a link on its way.
pub(super) fn check_links(root: &FilePath, key: &str) -> Result<()> {
    let mut path = root.to_owned();
    for segment in key.split('/') {
        path.push(segment);
        if path.is_symlink() {
            return Err(link(&path, "is a link, and links are refused here"));
        }
    }
    Ok(())
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

/// Goes on as long as `on_entry` returns true.
fn walk(root: &FilePath, prefix: &str, links: Links, on_entry: &dyn Fn() -> bool) -> Result<Vec<ObjectMeta>> {
    let start = root.join(prefix);
    let mut entries = Vec::new();
    if !start.is_dir() {
        return check_start(&start).map(|()| entries);
    }
    let is_listed = |name: &OsStr, depth| depth != 1 || !prefix.is_empty() || name != LOST_AND_FOUND;
    let below = WalkDir::new(&start).follow_links(true).min_depth(1).into_iter();
    for found in below.filter_entry(|found| is_listed(found.file_name(), found.depth())) {
        match found {
            Ok(found) => {
                if links == Links::Refuse && found.path_is_symlink() {
                    return Err(link(found.path(), "is a link, and links are refused here"));
                }
                if let Some(entry) = file(root, found.path(), || found.metadata().map_err(io::Error::from))? {
                    entries.push(entry);
                    if !on_entry() {
                        break;
                    }
                }
            }
            Err(error) => walk_error(root, &error)?,
        }
    }
    Ok(entries)
}

/// A prefix that does not exist lists as empty; one behind a broken link is an error.
fn check_start(start: &FilePath) -> Result<()> {
    if start.is_symlink() { Err(link(start, "is a link to something that does not exist")) } else { Ok(()) }
}

fn read_level(root: &FilePath, prefix: &str, links: Links) -> Result<ListLevel> {
    let start = root.join(prefix);
    let mut level = ListLevel::default();
    let mut entries = Vec::new();
    let listing = match fs::read_dir(&start) {
        Ok(listing) => listing,
        Err(error) if is_absent(&error) => return check_start(&start).map(|()| level),
        Err(error) => return Err(Error::io("list", prefix, root.display(), error)),
    };
    for found in listing {
        let path = found.map_err(|e| Error::io("list", prefix, root.display(), e))?.path();
        if links == Links::Refuse && path.is_symlink() {
            return Err(link(&path, "is a link, and links are refused here"));
        }
        if path.is_dir() {
            level.directories.push(utf8(path.file_name().unwrap_or_default().as_ref())?.to_owned());
        } else {
            entries.extend(file(root, &path, || fs::metadata(&path))?);
        }
    }
    level.entries = entries.into();
    Ok(level)
}

/// The entry of one path, or `None` for directories, staging names and files that went away meanwhile.
fn file(
    root: &FilePath,
    path: &FilePath,
    metadata: impl Fn() -> io::Result<fs::Metadata>,
) -> Result<Option<ObjectMeta>> {
    let name = path.file_name().unwrap_or_default();
    if is_staging(&name.to_string_lossy()) {
        return Ok(None);
    }
    match metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(metadata) if metadata.is_file() => {
            let relative = path.strip_prefix(root).unwrap_or(path);
            Ok(Some(entry(Key::parse(utf8(relative)?)?, &metadata)))
        }
        Ok(_) => Err(link(path, NOT_A_FILE)),
        Err(error) if is_absent(&error) => check_start(path).map(|()| None),
        Err(error) if is_loop(&error) => Err(link(path, "is a link that leads back to itself")),
        Err(error) => Err(Error::io("head", path.display(), root.display(), error)),
    }
}

fn walk_error(root: &FilePath, error: &walkdir::Error) -> Result<()> {
    let path = error.path().unwrap_or(root);
    if error.loop_ancestor().is_some() {
        return Err(link(path, "is a link that leads back to itself"));
    }
    match error.io_error() {
        Some(cause) if is_absent(cause) => check_start(path),
        Some(cause) if is_loop(cause) => Err(link(path, "is a link that leads back to itself")),
        cause => {
            let kind = cause.map_or(io::ErrorKind::Other, io::Error::kind);
            Err(Error::io("list", path.display(), root.display(), io::Error::new(kind, error.to_string())))
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A link that leads back to itself.
fn is_loop(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

fn link(path: &FilePath, reason: &'static str) -> Error {
    Error::Link { path: path.display().to_string(), reason }
}

fn utf8(path: &FilePath) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::InvalidKey { key: path.display().to_string(), reason: "it is not UTF-8" })
}

/// The same version as the object_store crate gives a file, so that its conditional reads accept it.
pub(crate) fn entry(key: Key, metadata: &fs::Metadata) -> ObjectMeta {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let micros = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let e_tag = format!("\"{:x}-{micros:x}-{:x}\"", inode(metadata), metadata.len());
    ObjectMeta {
        key,
        size: metadata.len(),
        version: Version { e_tag: Some(e_tag.into()), id: None, modified: modified.into() },
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_walk_ends_when_no_caller_waits_for_it_any_more() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["1", "2", "3"] {
            fs::write(directory.path().join(name), "bytes").expect("written");
        }
        let (tell, told) = std::sync::mpsc::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let on_listed = move |objects| {
            tell.send(objects).expect("the test listens");
            // An error: the test has gone on.
            let _ = wait.lock().expect("no panic").recv();
        };
        let mut listing = Box::pin(list(directory.path(), "", Links::Refuse, Some(Arc::new(on_listed))));
        assert!(futures::poll!(&mut listing).is_pending());
        assert_eq!(told.recv(), Ok(1));
        drop(listing);
        drop(go_on);
        assert_eq!(told.iter().count(), 0, "no further file is looked at");
    }

    #[test]
    fn what_fsck_keeps_is_no_object() {
        let directory = tempfile::tempdir().expect("a directory");
        for path in ["lost+found/1", "n1/wal/1", "n1/lost+found/1"] {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "bytes").expect("written");
        }
        let keys = |prefix| {
            let entries = walk(directory.path(), prefix, Links::Refuse, &|| true).expect("listed");
            entries.into_iter().map(|entry| entry.key.to_string()).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(keys(""), ["n1/lost+found/1", "n1/wal/1"].map(str::to_owned).into());
        assert_eq!(keys("n1"), keys(""));
    }

    #[test]
    fn room_is_measured_where_nothing_exists_yet() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(available(&directory.path().join("not/yet")).expect("measured") > 0);
    }
}
