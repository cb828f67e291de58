//! Which links are followed; and in the target of a restore, which of them lie where it writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use walkdir::WalkDir;

use super::{Links, Location, local, nofollow::first_link};
use crate::{
    error::{Refused, Result, Why},
    key::Key,
    layout::Component,
};

/// Which links are followed below a directory.
#[derive(Debug, Clone)]
pub(super) enum LinkRule {
    /// Those that end inside this directory, to read what is there.
    Within(Arc<FilePath>),
    /// All of them, to read what is there.
    Anywhere,
    /// None.
    Never,
    /// These directories, to where they led when they were named. Others are passed over in listings, and refused on the way of
    /// a key.
    Only(Arc<BTreeMap<PathBuf, PathBuf>>),
}

impl LinkRule {
    /// The rule for a location at this directory.
    pub(super) fn new(links: Links, directory: Option<&FilePath>) -> Self {
        match (links, directory) {
            (Links::Within, Some(directory)) => Self::Within(directory.into()),
            (Links::Never, _) => Self::Never,
            (Links::Within | Links::Anywhere, _) => Self::Anywhere,
        }
    }

    /// The same for a location that has moved above the directory in which links are followed.
    pub(super) fn above(self, directory: Option<&FilePath>) -> Self {
        match (self, directory) {
            (Self::Within(within), Some(directory)) if within.starts_with(directory) => Self::Within(directory.into()),
            (rule, _) => rule,
        }
    }

    /// Whether links are followed to read what is there.
    pub(super) fn follows(&self) -> bool {
        matches!(self, Self::Within(_) | Self::Anywhere)
    }

    /// Whether some directories lie elsewhere.
    pub(super) fn has_names(&self) -> bool {
        matches!(self, Self::Only(named) if !named.is_empty())
    }

    /// Where a path with links leads, where they are followed.
    pub(super) fn resolve(&self, path: &FilePath) -> io::Result<PathBuf> {
        match self {
            Self::Never | Self::Only(_) => Err(Refused::error(first_link(path), Why::Link)),
            Self::Anywhere => fs::canonicalize(path),
            Self::Within(root) => match fs::canonicalize(path)? {
                resolved if resolved.starts_with(root) => Ok(resolved),
                _ => Err(Refused::error(first_link(path), Why::LeadsOut)),
            },
        }
    }

    /// Does some work at a path, and where a link is refused there that is followed here, at where it leads.
    pub(super) fn at<T>(&self, path: &FilePath, work: impl Fn(&FilePath) -> io::Result<T>) -> io::Result<T> {
        match work(path) {
            Err(error) if self.follows() && Refused::why(&error) == Some(Why::Link) => work(&self.resolve(path)?),
            done => done,
        }
    }

    /// The path below the directory where a link leads that was named, where the path lies below one.
    pub(super) fn named(&self, path: PathBuf) -> PathBuf {
        let Self::Only(named) = self else { return path };
        let above = named.iter().filter_map(|(link, leads_to)| Some((link, path.strip_prefix(link).ok()?, leads_to)));
        match above.max_by_key(|(link, ..)| link.as_os_str().len()) {
            // Joined with nothing, a path would end in `/`.
            Some((_, below, leads_to)) if below.as_os_str().is_empty() => leads_to.clone(),
            Some((_, below, leads_to)) => leads_to.join(below),
            None => path,
        }
    }
}

impl Location {
    /// The same location, where links to these directories, relative to it, are followed, and no others: listings pass over
    /// them (files only).
    pub(crate) fn with_linked(&self, directories: &[String]) -> Self {
        let root = self.directory().unwrap_or(FilePath::new("")).to_owned();
        let named = directories.iter().map(|directory| root.join(directory));
        // One that leads nowhere is a link as any other.
        let named = named.filter_map(|link| Some((link.clone(), fs::canonicalize(link).ok()?))).collect();
        self.with(|inner| inner.links = LinkRule::Only(Arc::new(named)))
    }

    /// The directories here in which files lie: this one, and those to which the links lead that [`Location::with_linked`] has
    /// named; each with its name here.
    pub(super) fn volumes(&self) -> Vec<(PathBuf, PathBuf)> {
        let Some(root) = self.directory() else { return Vec::new() };
        let mut volumes = vec![(root.to_owned(), root.to_owned())];
        if let LinkRule::Only(named) = &self.0.links {
            volumes.extend(named.iter().map(|(link, leads_to)| (link.clone(), leads_to.clone())));
        }
        volumes
    }

    /// The directories of InfluxDB in the prefixes of these ids that are links, relative to this location, sorted.
    ///
    /// # Errors
    /// [`Error::Link`](crate::Error::Link) for a link there that leads to a file or nowhere, or into this location, or where another one leads.
    pub(crate) async fn linked_below(&self, ids: Vec<String>) -> Result<Vec<String>> {
        let Some(root) = self.directory().map(FilePath::to_owned) else { return Ok(Vec::new()) };
        let look = move || {
            let mut found = BTreeSet::new();
            for id in &ids {
                linked_of(&root, id, &mut found)?;
            }
            require_apart(&root, &found)?;
            Ok(found.into_iter().collect())
        };
        local::blocking("list", look).await
    }

    /// Checks that no directory that is a link leads into `other`, or `other` into it.
    ///
    /// # Errors
    /// [`Error::Overlap`](crate::Error::Overlap).
    pub(crate) fn require_linked_apart(&self, linked: &[String], other: &Self) -> Result<()> {
        linked.iter().try_for_each(|directory| self.child(directory)?.require_apart(other))
    }

    /// The keys by the directory in whose file system they lie: one that is a link, or this location.
    pub(crate) fn volume(&self, key: &Key, linked: &[String]) -> Option<PathBuf> {
        let above = linked.iter().filter(|directory| key.below(directory).is_some()).max_by_key(|above| above.len());
        let root = self.directory()?;
        Some(above.map_or_else(|| root.to_owned(), |directory| root.join(directory)))
    }
}

/// The links on the way to the prefix of an id, and among what InfluxDB writes in it.
fn linked_of(root: &FilePath, id: &str, found: &mut BTreeSet<String>) -> Result<()> {
    let above = id.match_indices('/').map(|(end, _)| &id[..end]).chain([id]);
    for directory in above {
        if root.join(directory).is_symlink() {
            add(root, directory, found)?;
        }
    }
    let mut walks = vec![id.to_owned()];
    while let Some(directory) = walks.pop() {
        let start = root.join(&directory);
        if !start.is_dir() {
            continue;
        }
        // What cannot be read is an error of the listing.
        for entry in WalkDir::new(&start).min_depth(1).into_iter().flatten().filter(|entry| entry.path_is_symlink()) {
            let Some(path) = entry.path().strip_prefix(root).ok().and_then(FilePath::to_str) else { continue };
            if is_written(path, id) && add(root, path, found)? {
                walks.push(path.to_owned());
            }
        }
    }
    Ok(())
}

/// Whether a path is, or lies in, what InfluxDB writes in the prefix of this id.
fn is_written(path: &str, id: &str) -> bool {
    let tail = path.strip_prefix(id).and_then(|tail| tail.strip_prefix('/'));
    tail.is_some_and(|tail| {
        [tail.to_owned(), format!("{tail}/x")].iter().any(|tail| Component::of(tail) != Component::Other)
    })
}

/// Adds a link to a directory. Returns whether it is a new one.
fn add(root: &FilePath, path: &str, found: &mut BTreeSet<String>) -> Result<bool> {
    let link = root.join(path);
    match fs::metadata(&link) {
        Ok(metadata) if metadata.is_dir() => Ok(found.insert(path.to_owned())),
        Ok(_) => {
            Err(local::link(&link, "is a link to a file, and a restore does not write through such a link: remove it"))
        }
        Err(_) => Err(local::link(&link, "is a link that leads to nothing that can be read: is its volume mounted?")),
    }
}

/// No two names may lead to one file: what is written by one would be deleted by the other.
fn require_apart(root: &FilePath, linked: &BTreeSet<String>) -> Result<()> {
    let whole = local::resolve(root);
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in linked {
        let link = root.join(path);
        let leads_to = local::resolve(&link);
        if leads_to.starts_with(&whole) || whole.starts_with(&leads_to) {
            return Err(local::link(&link, "is a link into the target itself, or to what holds the target"));
        }
        // A link in a linked directory lies below another name, and leads elsewhere.
        if seen.iter().any(|other| leads_to.starts_with(other) || other.starts_with(&leads_to)) {
            return Err(local::link(&link, "is a link to where another link of the target leads"));
        }
        seen.push(leads_to);
    }
    Ok(())
}
