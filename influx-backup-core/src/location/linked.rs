//! Links in the target of a restore: which of them lie where it writes.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use walkdir::WalkDir;

use super::{Links, Location, local};
use crate::{error::Result, key::Key, layout::Component};

/// What to do with symbolic links below a directory, and with which.
#[derive(Debug, Clone)]
pub(super) enum LinkRule {
    /// The same for all of them.
    All(Links),
    /// These directories are followed. Others are passed over in listings, and refused on the way of a key.
    Only(Arc<BTreeSet<PathBuf>>),
}

impl LinkRule {
    /// Whether any link is an error.
    pub(super) fn refuses_all(&self) -> bool {
        matches!(self, Self::All(Links::Refuse))
    }

    /// Whether any link is followed.
    pub(super) fn follows_all(&self) -> bool {
        matches!(self, Self::All(Links::Follow))
    }

    /// The followed links below a directory: each is walked by itself.
    pub(super) fn followed_below(&self, start: &FilePath) -> impl Iterator<Item = &PathBuf> {
        let followed = match self {
            Self::All(_) => None,
            Self::Only(followed) => Some(followed.iter()),
        };
        followed.into_iter().flatten().filter(move |link| link.as_path() != start && link.starts_with(start))
    }

    /// Whether a path is such a link.
    pub(super) fn is_walked_apart(&self, path: &FilePath) -> bool {
        matches!(self, Self::Only(followed) if followed.contains(path) && path.is_symlink())
    }

    /// Refuses a key with a link on its way that is not followed.
    pub(super) fn check(&self, root: &FilePath, key: &str) -> Result<()> {
        let is_refused = |path: &FilePath| match self {
            Self::All(Links::Follow) => false,
            Self::All(Links::Refuse) => path.is_symlink(),
            Self::Only(followed) => path.is_symlink() && !followed.contains(path),
        };
        let mut path = root.to_owned();
        for segment in key.split('/').filter(|_| !matches!(self, Self::All(Links::Follow))) {
            path.push(segment);
            if is_refused(&path) {
                return Err(local::link(&path, local::REFUSED_LINK));
            }
        }
        Ok(())
    }
}

impl Location {
    /// The same location, where links to these directories, relative to it, are followed, and no others: listings pass over
    /// them (files only).
    pub(crate) fn with_linked(&self, directories: &[String]) -> Self {
        let root = self.directory().unwrap_or(FilePath::new("")).to_owned();
        let followed = directories.iter().map(|directory| root.join(directory)).collect();
        self.with(|inner| inner.links = LinkRule::Only(Arc::new(followed)))
    }

    /// The directories that [`Location::with_linked`] has named.
    pub(crate) fn linked(&self) -> Vec<PathBuf> {
        match &self.0.links {
            LinkRule::Only(followed) => followed.iter().cloned().collect(),
            LinkRule::All(_) => Vec::new(),
        }
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
