//! Listing directories, with the rules for links that the object_store crate lacks.

mod walk;

use std::{
    fs, io,
    iter::successors,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use self::walk::walk;
use super::{
    super::{
        OnListed,
        file_info::{FileInfo, FileKind},
        linked::LinkRule,
        nofollow::{self, Directory, Found, first_link},
        object::{ListLevel, ObjectMeta},
        table::ObjectTable,
    },
    blocking, entry, is_absent, link,
};
use crate::{
    error::{Error, Refused, Result, Why},
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

impl<T> Listed<T> {
    fn with<U>(self, found: U) -> Listed<U> {
        Listed { found, passed: self.passed, unlisted: self.unlisted }
    }
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
struct Unfitting(Option<PassedOver>, Error);

impl From<Error> for Unfitting {
    fn from(error: Error) -> Self {
        Self(super::super::list::unfit(&error), error)
    }
}

pub(in crate::location) async fn list(
    root: &FilePath,
    prefix: &str,
    how: How,
    on_listed: Option<OnListed>,
) -> Result<Listed<ObjectTable>> {
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

pub(in crate::location) async fn directories(root: &FilePath, links: &LinkRule) -> Result<Listed<Vec<String>>> {
    let root = root.to_owned();
    let follows = links.follows();
    blocking("list", move || {
        let mut listed = Listed::<Vec<String>>::default();
        match fs::read_dir(&root) {
            Ok(listing) => {
                for found in listing.flatten().filter(|found| found.path().is_dir()) {
                    let name = found.file_name();
                    let is_link = found.file_type().is_ok_and(|kind| kind.is_symlink());
                    match name.to_str().map(PassedOver::directory) {
                        Some(None) if is_link && !follows => {
                            listed.passed.push((PassedOver::Link, name.to_string_lossy().into_owned()));
                        }
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

fn read_level(root: &FilePath, prefix: &str, how: &How) -> Result<Listed<ListLevel>> {
    let mut looks = Looks::new(root, how);
    let mut level = ListLevel::default();
    let mut entries = Vec::new();
    if let Some(place) = looks.start(prefix)?
        && let Some(listing) = looks.open_start(&place)?
    {
        for found in listing {
            match looks.at(&place, found)? {
                Seen::Nothing => {}
                Seen::File(entry) => entries.push(entry),
                Seen::Directory(below) => match utf8(below.name.file_name().unwrap_or_default().as_ref()) {
                    Ok(name) => level.directories.push(name.to_owned()),
                    Err(unfit) => looks.unfit(&below.name, unfit)?,
                },
            }
        }
    }
    level.entries = entries.into();
    Ok(looks.listed.with(level))
}

/// A directory that is listed.
struct Place {
    /// Its name, relative to the location.
    name: PathBuf,
    /// Where it is: without a link.
    path: PathBuf,
    /// The directories with the links that were followed to it.
    links: Option<Arc<Followed>>,
}

struct Followed {
    path: PathBuf,
    before: Option<Arc<Self>>,
}

impl Place {
    fn below(&self, name: PathBuf, path: PathBuf) -> Self {
        Self { name, path, links: self.links.clone() }
    }

    /// Where a link in this directory leads.
    fn behind(&self, name: PathBuf, path: PathBuf) -> Self {
        let link = Followed { path: self.path.clone(), before: self.links.clone() };
        Self { name, path, links: Some(Arc::new(link)) }
    }

    /// Whether a directory holds this one, or one with a link on the way to it.
    fn lies_in(&self, directory: &FilePath) -> bool {
        let links = successors(self.links.as_deref(), |link| link.before.as_deref());
        self.path.starts_with(directory) || links.into_iter().any(|link| link.path.starts_with(directory))
    }
}

/// What has a name in a directory.
enum Seen {
    /// What is passed over, and what went away meanwhile.
    Nothing,
    File(ObjectMeta),
    Directory(Place),
}

/// Looks at what is below a directory, by the rule for its links.
struct Looks<'a> {
    root: &'a FilePath,
    how: &'a How,
    listed: Listed<()>,
}

impl<'a> Looks<'a> {
    fn new(root: &'a FilePath, how: &'a How) -> Self {
        Self { root, how, listed: Listed::default() }
    }

    /// Where a listing begins. A prefix that does not exist lists as empty; one behind a broken link is an error.
    fn start(&self, prefix: &str) -> Result<Option<Place>> {
        let path = self.how.links.named(if prefix.is_empty() { self.root.to_owned() } else { self.root.join(prefix) });
        let real = match self.how.links.at(&path, |path| Directory::open(path).map(|_| path.to_owned())) {
            Ok(real) => real,
            Err(error) if is_absent(&error) => return self.check_start(&path).map(|()| None),
            // Opening it says why not.
            Err(error) if Refused::of(&error).is_none() => path,
            Err(error) => return Err(Error::io("list", prefix, self.root.display(), error)),
        };
        Ok(Some(Place { name: PathBuf::from(prefix), path: real, links: None }))
    }

    fn check_start(&self, start: &FilePath) -> Result<()> {
        let first = first_link(start);
        let is_broken = self.how.links.follows() && first.is_symlink() && !first.exists();
        if is_broken { Err(link(first, BROKEN)) } else { Ok(()) }
    }

    /// `None` for a directory that went away.
    fn open_start(&self, place: &Place) -> Result<Option<impl Iterator<Item = io::Result<Found>> + use<>>> {
        match nofollow::list(&place.path) {
            Ok(listing) => Ok(Some(listing)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io("list", place.name.display(), self.root.display(), error)),
        }
    }

    /// The same for one that was found on the way.
    fn open(&mut self, place: &Place) -> Result<Option<impl Iterator<Item = io::Result<Found>> + use<>>> {
        match self.open_start(place) {
            Err(error) if !place.name.as_os_str().is_empty() => self.unfit(&place.name, error.into()).map(|()| None),
            opened => opened,
        }
    }

    fn at(&mut self, place: &Place, found: io::Result<Found>) -> Result<Seen> {
        let found = found.map_err(|error| Error::io("list", place.name.display(), self.root.display(), error));
        let (named, found) = found?;
        let name = place.name.join(&named);
        let seen = match found {
            Ok(FileInfo { kind: FileKind::Link, .. }) => self.behind(place, name.clone(), place.path.join(&named)),
            Ok(found) => self.what(&found, place.below(name.clone(), place.path.join(&named))),
            Err(error) if is_absent(&error) => Ok(Seen::Nothing),
            Err(error) => Err(Error::io("head", name.display(), self.root.display(), error).into()),
        };
        match seen {
            Ok(seen) => Ok(seen),
            Err(unfit) => self.unfit(&name, unfit).map(|()| Seen::Nothing),
        }
    }

    /// What a link leads to.
    fn behind(&mut self, place: &Place, name: PathBuf, path: PathBuf) -> Result<Seen, Unfitting> {
        let shown = self.root.join(&name);
        let real = match &self.how.links {
            LinkRule::Never => return Err(Unfitting(Some(PassedOver::Link), link(&shown, Why::Link.as_str()))),
            LinkRule::Only(named) => match named.get(&shown) {
                Some(leads_to) => leads_to.clone(),
                None => {
                    self.pass_over(PassedOver::Link, &name);
                    return Ok(Seen::Nothing);
                }
            },
            rule => match rule.resolve(&path) {
                Ok(real) => real,
                Err(error) if is_absent(&error) => return Err(link(&shown, BROKEN).into()),
                Err(error) if is_loop(&error) => return Err(link(&shown, LOOP).into()),
                Err(error) => {
                    let kind = Refused::of(&error).is_some().then_some(PassedOver::Link);
                    return Err(Unfitting(kind, Error::io("head", name.display(), self.root.display(), error)));
                }
            },
        };
        if place.lies_in(&real) {
            return Err(link(&shown, LOOP).into());
        }
        match nofollow::look(&real) {
            Ok(found) => self.what(&found, place.behind(name, real)),
            Err(error) if is_absent(&error) => Ok(Seen::Nothing),
            Err(error) => Err(Error::io("head", name.display(), self.root.display(), error).into()),
        }
    }

    fn what(&mut self, found: &FileInfo, place: Place) -> Result<Seen, Unfitting> {
        let name = place.name.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let known = if found.is_directory() { PassedOver::directory(&name) } else { PassedOver::file(&name) };
        if let Some(kind) = known {
            self.pass_over(kind, &place.name);
            return Ok(Seen::Nothing);
        }
        match found.kind {
            FileKind::Directory => Ok(Seen::Directory(place)),
            FileKind::File => {
                let key = Key::parse(utf8(&place.name)?).map_err(Error::from)?;
                Ok(Seen::File(entry(key, found)))
            }
            // Where a link led a moment ago.
            FileKind::Link => Ok(Seen::Nothing),
            FileKind::Special(kind) => {
                Err(Unfitting(Some(kind), link(&self.root.join(&place.name), Why::NotAFile.as_str())))
            }
        }
    }

    fn pass_over(&mut self, kind: PassedOver, name: &FilePath) {
        self.listed.passed.push((kind, name.to_string_lossy().into_owned()));
    }

    /// What cannot be listed is passed over, or an error.
    fn unfit(&mut self, name: &FilePath, Unfitting(kind, error): Unfitting) -> Result<()> {
        match kind.filter(|_| self.how.unfit != Unfit::Refuse) {
            Some(kind) => {
                let name = name.to_string_lossy().into_owned();
                self.listed.unlisted.push(Unlisted { kind, name, error });
                Ok(())
            }
            None => Err(error),
        }
    }
}

const BROKEN: &str = "is a link to something that does not exist";

const LOOP: &str = "is a link that leads back to itself";

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

fn utf8(path: &FilePath) -> Result<&str, Unfitting> {
    path.to_str().ok_or_else(|| {
        let error = Error::InvalidKey { key: path.display().to_string(), reason: "it is not UTF-8" };
        Unfitting(Some(PassedOver::NotUtf8), error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: How = How { links: LinkRule::Never, unfit: Unfit::Refuse };

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
