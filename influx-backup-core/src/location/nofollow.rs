//! The file system without links: what is opened, made, renamed or removed lies where its path says, or it is an error.
//!
//! Paths are absolute. A [`Location`](super::Location) resolves the links that may be followed; one that somebody puts on a
//! path afterwards is refused, so that nothing outside is read, written, given away or deleted. A name is used in its directory,
//! which is open: on Unix, what becomes of the path meanwhile does not matter. On other systems each path is looked at just before.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

#[cfg(not(unix))]
pub(crate) use self::portable::{Directory, list};
#[cfg(unix)]
pub(crate) use self::unix::{Directory, list};
use super::{file_info::FileInfo, made::Made};
use crate::error::{Refused, Why};

/// A name in a directory that was listed, and what has it; or why that is not known.
pub(crate) type Found = (OsString, io::Result<FileInfo>);

/// A name in a directory that is open.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) directory: Directory,
    pub(crate) name: OsString,
}

impl Entry {
    /// What lies, or will lie, at this path.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        Ok(Self { directory: Directory::open(parent)?, name: name.to_owned() })
    }

    /// What lies there. A link is not followed.
    pub(crate) fn look(&self) -> io::Result<FileInfo> {
        self.directory.look(&self.name)
    }

    /// The same name with something behind it, in the same directory.
    pub(crate) fn with_suffix(&self, suffix: &str) -> OsString {
        let mut name = self.name.clone();
        name.push(suffix);
        name
    }

    /// The same, with the directories above it, which are made where they are missing.
    pub(crate) fn make(
        path: &Path,
        made: &Made,
        mut on_made: impl FnMut(&Directory) -> io::Result<()>,
    ) -> io::Result<Self> {
        let (Some(mut parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let mut missing = Vec::new();
        let mut directory = loop {
            match (Directory::open(parent), parent.parent(), parent.file_name()) {
                (Err(error), Some(above), Some(name)) if error.kind() == ErrorKind::NotFound => {
                    missing.push(name);
                    parent = above;
                }
                (opened, ..) => break opened?,
            }
        };
        for name in missing.into_iter().rev() {
            match directory.make(name, made) {
                // Another run was quicker.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                done => {
                    done?;
                    on_made(&directory)?;
                }
            }
            directory = directory.below(name)?;
        }
        Ok(Self { directory, name: name.to_owned() })
    }
}

/// Opens a regular file to read it. Nothing else that lies there is waited for.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = Directory::open_path(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Refused::error(path, Why::NotAFile)) }
}

/// Opens a file to put it on disk, or to give it a time.
pub(crate) fn open_to_change(path: &Path) -> io::Result<File> {
    if cfg!(windows) {
        // Only what may be written can be changed.
        let Entry { directory, name } = Entry::at(path)?;
        return directory.open_to_write(&name);
    }
    open_file(path)
}

/// Removes a directory that is empty.
pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    let Entry { directory, name } = Entry::at(path)?;
    directory.remove_directory(&name)
}

/// What lies at a path. A link at its end is not followed.
pub(crate) fn look(path: &Path) -> io::Result<FileInfo> {
    match Entry::at(path) {
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(FileInfo::from(&fs::symlink_metadata(path)?)),
        entry => entry?.look(),
    }
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    let Entry { directory, name } = Entry::at(path)?;
    directory.remove_file(&name)
}

/// Removes a directory and those below it, as far as they are empty. Best effort.
pub(crate) fn remove_empty(path: &Path) {
    let mut directories = vec![path.to_owned()];
    let mut next = 0;
    while let Some(directory) = directories.get(next).cloned() {
        next += 1;
        let Ok(listing) = list(&directory) else { continue };
        let below = listing.flatten().filter(|(_, found)| found.as_ref().is_ok_and(FileInfo::is_directory));
        directories.extend(below.map(|(name, _)| directory.join(name)));
    }
    // It fails where one is not empty, which is to stay so.
    directories.iter().rev().for_each(|directory| drop(remove_directory(directory)));
}

/// The path itself and those above it that do not exist, the deepest first.
pub(crate) fn missing_directories(path: &Path) -> Vec<PathBuf> {
    path.ancestors().take_while(|path| !path.exists()).map(Path::to_owned).collect()
}

/// The first link on a path, or the path.
pub(super) fn first_link(path: &Path) -> &Path {
    let mut above: Vec<&Path> = path.ancestors().collect();
    above.reverse();
    above.into_iter().find(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())).unwrap_or(path)
}
