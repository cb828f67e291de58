//! Listing directories, with the rules for links that the object_store crate lacks.

use std::{
    cell::RefCell,
    fs::{self, FileType, Metadata},
    io, iter,
    path::Path as FilePath,
    sync::Arc,
};

use walkdir::{DirEntry, WalkDir};

use super::{
    super::{
        OnListed,
        linked::LinkRule,
        object::{ListLevel, ObjectMeta},
    },
    NOT_A_FILE, REFUSED_LINK, blocking, entry, is_absent, link,
};
use crate::{
    error::{Error, Result},
    key::Key,
    passed::PassedOver,
};

/// How a directory is listed.
#[derive(Debug, Clone)]
pub(in crate::location) struct How {
    pub(in crate::location) links: LinkRule,
    pub(in crate::location) unfit: Unfit,
}

/// What becomes of what no key can name, is no regular file or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::location) enum Unfit {
    /// An error that names it.
    Refuse,
    /// Passed over: outside the prefixes of a cluster.
    PassOver,
    /// Passed over without a note: whoever lists the objects is told of it.
    Ignore,
}

/// What was found, and what was passed over meanwhile: each with its name relative to the location.
#[derive(Debug, Default)]
pub(in crate::location) struct Listed<T> {
    pub(in crate::location) found: T,
    pub(in crate::location) passed: Vec<(PassedOver, String)>,
    pub(in crate::location) unlisted: Vec<Unlisted>,
}

/// What cannot be listed, and is passed over unless it lies in the prefix of a cluster.
#[derive(Debug)]
pub(crate) struct Unlisted {
    pub(crate) kind: PassedOver,
    /// Its name, relative to the location.
    pub(crate) name: String,
    /// What it is where it is not passed over.
    pub(crate) error: Error,
}

/// An entry that cannot be listed: what it is outside a cluster, where it is something, and the error inside.
struct Refused(Option<PassedOver>, Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(super::super::list::unfit(&error), error)
    }
}

pub(in crate::location) async fn list(
    root: &FilePath,
    prefix: &str,
    how: How,
    on_listed: Option<OnListed>,
) -> Result<Listed<Vec<ObjectMeta>>> {
    let root = root.to_owned();
    let prefix = prefix.to_owned();
    // The walk ends soon after whoever waits for it has gone.
    let waiting = Arc::new(());
    let is_awaited = Arc::downgrade(&waiting);
    let on_entry = move || {
        on_listed.iter().for_each(|on_listed| on_listed(1));
        is_awaited.strong_count() > 0
    };
    let listed = blocking("list", move || walk(&root, &prefix, &how, &on_entry)).await;
    drop(waiting);
    listed
}

pub(in crate::location) async fn list_level(root: &FilePath, prefix: &str, how: How) -> Result<Listed<ListLevel>> {
    let root = root.to_owned();
    let prefix = prefix.to_owned();
    blocking("list", move || read_level(&root, &prefix, &how)).await
}

pub(in crate::location) async fn directories(root: &FilePath) -> Result<Listed<Vec<String>>> {
    let root = root.to_owned();
    blocking("list", move || {
        let mut listed = Listed::<Vec<String>>::default();
        match fs::read_dir(&root) {
            Ok(listing) => {
                for name in listing.flatten().filter(|found| found.path().is_dir()).map(|found| found.file_name()) {
                    match name.to_str().map(PassedOver::directory) {
                        Some(None) => listed.found.push(name.to_string_lossy().into_owned()),
                        Some(Some(kind)) => listed.passed.push((kind, name.to_string_lossy().into_owned())),
                        None => listed.passed.push((PassedOver::NotUtf8, name.to_string_lossy().into_owned())),
                    }
                }
                Ok(listed)
            }
            Err(error) if is_absent(&error) => Ok(listed),
            Err(error) => Err(Error::io("list", "", root.display(), error)),
        }
    })
    .await
}

/// Goes on as long as `on_entry` returns true.
fn walk(root: &FilePath, prefix: &str, how: &How, on_entry: &dyn Fn() -> bool) -> Result<Listed<Vec<ObjectMeta>>> {
    let start = root.join(prefix);
    let mut listed = Listed::default();
    if !start.is_dir() {
        return check_start(&start).map(|()| listed);
    }
    let passed = RefCell::new(Vec::new());
    for start in iter::once(&start).chain(how.links.followed_below(&start)) {
        let is_listed = |found: &DirEntry| {
            if how.links.is_walked_apart(found.path()) {
                return false;
            }
            let kind = match how.links {
                LinkRule::Only(_) if found.path_is_symlink() => Some(PassedOver::Link),
                _ => known(found.path(), found.file_type()),
            };
            passed.borrow_mut().extend(kind.map(|kind| (kind, relative(root, found.path()))));
            kind.is_none()
        };
        let below = WalkDir::new(start).follow_links(how.links.follows_all()).min_depth(1).into_iter();
        for found in below.filter_entry(is_listed) {
            let (path, entry) = match found {
                Ok(found) if how.links.refuses_all() && found.path_is_symlink() => {
                    (found.path().to_owned(), Err(refused_link(found.path())))
                }
                Ok(found) => {
                    let entry = file(root, found.path(), || found.metadata().map_err(io::Error::from));
                    (found.into_path(), entry)
                }
                Err(error) => (error.path().unwrap_or(root).to_owned(), walk_error(root, &error).map(|()| None)),
            };
            match entry {
                Ok(None) => {}
                Ok(Some(entry)) => {
                    listed.found.push(entry);
                    if !on_entry() {
                        return Ok(listed);
                    }
                }
                Err(Refused(Some(kind), error)) if how.unfit != Unfit::Refuse => {
                    listed.unlisted.push(Unlisted { kind, name: relative(root, &path), error });
                }
                Err(Refused(_, error)) => return Err(error),
            }
        }
    }
    listed.passed = passed.into_inner();
    Ok(listed)
}

/// What is passed over everywhere, by its name.
fn known(path: &FilePath, kind: FileType) -> Option<PassedOver> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if kind.is_dir() { PassedOver::directory(&name) } else { PassedOver::file(&name) }
}

fn relative(root: &FilePath, path: &FilePath) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// A prefix that does not exist lists as empty; one behind a broken link is an error.
fn check_start(start: &FilePath) -> Result<()> {
    if start.is_symlink() { Err(link(start, "is a link to something that does not exist")) } else { Ok(()) }
}

fn read_level(root: &FilePath, prefix: &str, how: &How) -> Result<Listed<ListLevel>> {
    let start = root.join(prefix);
    let mut listed = Listed::<ListLevel>::default();
    let mut entries = Vec::new();
    let listing = match fs::read_dir(&start) {
        Ok(listing) => listing,
        Err(error) if is_absent(&error) => return check_start(&start).map(|()| listed),
        Err(error) => return Err(Error::io("list", prefix, root.display(), error)),
    };
    for found in listing {
        let path = found.map_err(|e| Error::io("list", prefix, root.display(), e))?.path();
        let metadata = fs::metadata(&path);
        let kind = match &how.links {
            LinkRule::Only(followed) if path.is_symlink() && !followed.contains(&path) => Some(PassedOver::Link),
            _ => metadata.as_ref().ok().and_then(|found| known(&path, found.file_type())),
        };
        if let Some(kind) = kind {
            listed.passed.push((kind, relative(root, &path)));
            continue;
        }
        let entry = if how.links.refuses_all() && path.is_symlink() {
            Err(refused_link(&path))
        } else if metadata.as_ref().is_ok_and(Metadata::is_dir) {
            let name = utf8(path.file_name().unwrap_or_default().as_ref());
            name.map(|name| {
                listed.found.directories.push(name.to_owned());
                None
            })
        } else {
            file(root, &path, || fs::metadata(&path))
        };
        match entry {
            Ok(entry) => entries.extend(entry),
            Err(Refused(Some(kind), error)) if how.unfit != Unfit::Refuse => {
                listed.unlisted.push(Unlisted { kind, name: relative(root, &path), error });
            }
            Err(Refused(_, error)) => return Err(error),
        }
    }
    listed.found.entries = entries.into();
    Ok(listed)
}

/// The entry of one path, or `None` for directories, what is passed over and files that went away meanwhile.
fn file(
    root: &FilePath,
    path: &FilePath,
    metadata: impl Fn() -> io::Result<Metadata>,
) -> Result<Option<ObjectMeta>, Refused> {
    let name = path.file_name().unwrap_or_default();
    if PassedOver::file(&name.to_string_lossy()).is_some() {
        return Ok(None);
    }
    match metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(metadata) if metadata.is_file() => {
            let name = utf8(path.strip_prefix(root).unwrap_or(path))?;
            let key = Key::parse(name).map_err(Error::from)?;
            Ok(Some(entry(key, &metadata)))
        }
        Ok(metadata) => Err(Refused(Some(special(metadata.file_type())), link(path, NOT_A_FILE))),
        Err(error) if is_absent(&error) => Ok(check_start(path).map(|()| None)?),
        Err(error) if is_loop(&error) => Err(link(path, "is a link that leads back to itself").into()),
        Err(error) => Err(Error::io("head", path.display(), root.display(), error).into()),
    }
}

/// What is neither a file nor a directory.
#[cfg(unix)]
fn special(kind: FileType) -> PassedOver {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        _ if kind.is_socket() => PassedOver::Socket,
        _ if kind.is_fifo() => PassedOver::Pipe,
        _ => PassedOver::Device,
    }
}

#[cfg(not(unix))]
fn special(_kind: FileType) -> PassedOver {
    PassedOver::Device
}

fn refused_link(path: &FilePath) -> Refused {
    Refused(Some(PassedOver::Link), link(path, REFUSED_LINK))
}

fn walk_error(root: &FilePath, error: &walkdir::Error) -> Result<(), Refused> {
    let path = error.path().unwrap_or(root);
    if error.loop_ancestor().is_some() {
        return Err(link(path, "is a link that leads back to itself").into());
    }
    match error.io_error() {
        Some(cause) if is_absent(cause) => Ok(check_start(path)?),
        Some(cause) if is_loop(cause) => Err(link(path, "is a link that leads back to itself").into()),
        cause => {
            let kind = cause.map_or(io::ErrorKind::Other, io::Error::kind);
            let source = io::Error::new(kind, error.to_string());
            Err(Error::io("list", path.display(), root.display(), source).into())
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

fn utf8(path: &FilePath) -> Result<&str, Refused> {
    path.to_str().ok_or_else(|| {
        let error = Error::InvalidKey { key: path.display().to_string(), reason: "it is not UTF-8" };
        Refused(Some(PassedOver::NotUtf8), error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Links;

    const STRICT: How = How { links: LinkRule::All(Links::Refuse), unfit: Unfit::Refuse };

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
        let mut listing = Box::pin(list(directory.path(), "", STRICT, Some(Arc::new(on_listed))));
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
            let entries = walk(directory.path(), prefix, &STRICT, &|| true).expect("listed").found;
            entries.into_iter().map(|entry| entry.key.to_string()).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(keys(""), ["n1/wal/1".to_owned()].into(), "also at the top of a volume for one node");
        assert_eq!(keys("n1"), keys(""));
    }
}
