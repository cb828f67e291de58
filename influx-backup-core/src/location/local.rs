//! Files as objects, with the rules for links that the object_store crate lacks.

mod list;

use std::{
    fs::{self, File},
    io,
    path::{Path as FilePath, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) use self::list::Unlisted;
pub(super) use self::list::{How, Listed, Unfit, directories, list, list_level};
use super::{
    Location,
    file_info::{FileInfo, FileKind},
    nofollow::{self, remove_directory},
    object::{ObjectMeta, Version},
};
use crate::{
    concurrent,
    error::{Error, Refused, Result, Why},
    key::Key,
    named::named,
};

/// What to do with symbolic links below a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Links {
    /// Followed to read what is there, where they end inside the location as it was given; others are errors, and so are loops and
    /// broken links. The rule for sources.
    Within,
    /// Followed wherever they lead.
    Anywhere,
    /// An error. The rule for backups.
    Never,
}

named!(Links, "links", {
    Within => "within",
    Anywhere => "anywhere",
    Never => "never",
});

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

/// Removes directories that were made for nothing. It fails for those that hold anything, which stay.
pub(crate) fn remove_made(directories: &[PathBuf]) {
    directories.iter().for_each(|directory| drop(remove_directory(directory)));
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

impl Location {
    /// The path of a file here.
    pub(crate) fn file_path(&self, key: &str) -> Option<PathBuf> {
        let directory = self.directory()?;
        Some(self.0.links.named(if key.is_empty() { directory.to_owned() } else { directory.join(key) }))
    }

    /// Opens a file to read it.
    pub(crate) fn open_file(&self, key: &Key) -> io::Result<File> {
        self.0.links.at(&self.require_path(key)?, nofollow::open_file)
    }

    /// What the file system says of a file.
    pub(crate) fn look_at_file(&self, key: &Key) -> io::Result<FileInfo> {
        let look = |path: &FilePath| match nofollow::look(path)? {
            FileInfo { kind: FileKind::Link, .. } => Err(Refused::error(path, Why::Link)),
            found => Ok(found),
        };
        self.0.links.at(&self.require_path(key)?, look)
    }

    pub(super) fn require_path(&self, key: &Key) -> io::Result<PathBuf> {
        self.file_path(key.as_str()).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// The same as [`Location::head`](super::Location::head), of a file.
    pub(super) async fn head_file(&self, key: &Key) -> Result<Option<ObjectMeta>> {
        let (location, key) = (self.clone(), key.clone());
        blocking("head", move || match location.look_at_file(&key) {
            Ok(found) if found.is_file() => Ok(Some(location.file(&key, &found))),
            Ok(found) if found.is_directory() => Ok(None),
            Ok(_) => {
                let path = location.require_path(&key).unwrap_or_default();
                Err(Error::io("head", &key, &location, Refused::error(path, Why::NotAFile)))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io("head", &key, &location, error)),
        })
        .await
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    task: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let joined = concurrent::blocking(work).await;
    joined.unwrap_or_else(|source| Err(Error::Internal { task, source: Box::new(source) }))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(super) fn link(path: &FilePath, reason: &'static str) -> Error {
    Error::Link { path: path.display().to_string(), reason }
}

/// The same version as the object_store crate gives a file, so that its conditional reads accept it.
pub(super) fn entry(key: Key, found: &FileInfo) -> ObjectMeta {
    ObjectMeta {
        key,
        size: found.size,
        version: Version { e_tag: Some(tag(found).into()), id: None, modified: found.modified.into() },
    }
}

/// The entity tag of a file, with its inode.
pub(super) fn tag(found: &FileInfo) -> String {
    tag_of(found.inode, found.modified, found.size)
}

/// The entity tag of a file with this inode, time and size.
pub(super) fn tag_of(inode: u64, modified: SystemTime, size: u64) -> String {
    let micros = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    // By hand: a table of a million files makes each of them several times.
    let mut tag = String::with_capacity(48);
    for (before, number) in [('"', inode), ('-', u64::try_from(micros).unwrap_or(u64::MAX)), ('-', size)] {
        tag.push(before);
        let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
        let digits = (0..digits).rev().map(|digit| (number >> (4 * digit)) as u32 & 0xf);
        tag.extend(digits.filter_map(|digit| char::from_digit(digit, 16)));
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// As the object_store crate writes them.
    #[test]
    fn tags_are_hexadecimal() {
        for (inode, micros, size) in [(0, 0, 0), (0x2a, 1_764_000_000_123_456, 0x10), (u64::MAX, 15, u64::MAX)] {
            let tag = tag_of(inode, UNIX_EPOCH + Duration::from_micros(micros), size);
            assert_eq!(tag, format!("\"{inode:x}-{micros:x}-{size:x}\""));
        }
    }

    #[test]
    fn room_is_measured_where_nothing_exists_yet() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(available(&directory.path().join("not/yet")).expect("measured") > 0);
    }
}
