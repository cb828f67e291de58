//! Listing directories, with the rules for links that the object_store crate lacks.

use std::{ffi::OsStr, fs, io, path::Path as FilePath, sync::Arc};

use walkdir::WalkDir;

use super::{
    super::{
        OnListed,
        object::{ListLevel, ObjectMeta},
    },
    Links, NOT_A_FILE, blocking, entry, is_absent, link,
};
use crate::{
    error::{Error, Result},
    key::Key,
    layout::is_staging,
};

/// What fsck keeps at the top of a file system, and only root may enter.
pub(crate) const LOST_AND_FOUND: &str = "lost+found";

pub(in crate::location) async fn list(
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

pub(in crate::location) async fn list_level(root: &FilePath, prefix: &str, links: Links) -> Result<ListLevel> {
    let root = root.to_owned();
    let prefix = prefix.to_owned();
    blocking("list", move || read_level(&root, &prefix, links)).await
}

pub(in crate::location) async fn directories(root: &FilePath) -> Result<Vec<String>> {
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

fn utf8(path: &FilePath) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::InvalidKey { key: path.display().to_string(), reason: "it is not UTF-8" })
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
}
