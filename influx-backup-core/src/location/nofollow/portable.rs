//! A directory, by its path: where there are no descriptors of directories, each path is looked at just before it is used.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{
    super::{file_info::FileInfo, made::Made},
    Entry, Found, first_link,
};
use crate::error::{Refused, Why};

/// A directory without a link on its path.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// The directory at this path.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        check(path)?;
        if fs::metadata(path)?.is_dir() { Ok(Self(path.to_owned())) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Opens what lies at a path, to read it.
    pub(super) fn open_path(path: &Path) -> io::Result<File> {
        check(path)?;
        if fs::metadata(path)?.is_file() { File::open(path) } else { Err(Refused::error(path, Why::NotAFile)) }
    }

    /// Makes a file, which must not exist yet, to read and write it.
    pub(crate) fn create(&self, name: &OsStr, made: &Made) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(self.0.join(name))?;
        made.give(&file);
        Ok(file)
    }

    /// Opens a file to write to it.
    pub(crate) fn open_to_write(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.path(name)?)
    }

    /// Makes a directory, which must not exist yet.
    pub(crate) fn make(&self, name: &OsStr, _made: &Made) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    /// The directory of this name in this one.
    pub(super) fn below(&self, name: &OsStr) -> io::Result<Self> {
        Self::open(&self.0.join(name))
    }

    /// What lies there. A link is not followed.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<FileInfo> {
        Ok(FileInfo::from(&fs::symlink_metadata(self.0.join(name))?))
    }

    /// Gives what lies there another name, over what has that.
    pub(crate) fn rename(&self, from: &OsStr, to: &Entry) -> io::Result<()> {
        fs::rename(self.0.join(from), to.directory.0.join(&to.name))
    }

    /// The same where nothing has that name yet.
    pub(crate) fn rename_no_replace(&self, _from: &OsStr, _to: &Entry) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a file a second name, which nothing has yet.
    pub(crate) fn link(&self, from: &OsStr, to: &Entry) -> io::Result<()> {
        fs::hard_link(self.0.join(from), to.directory.0.join(&to.name))
    }

    /// Removes a file, or a link.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    /// Removes a directory that is empty.
    pub(crate) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }

    /// The directory as a file.
    pub(crate) fn as_file(&self) -> io::Result<File> {
        File::open(&self.0)
    }

    fn path(&self, name: &OsStr) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        check(&path).map(|()| path)
    }
}

/// What is in the directory at this path.
pub(crate) fn list(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Found>> + use<>> {
    check(path)?;
    let look = |found: fs::DirEntry| (found.file_name(), found.metadata().map(|found| FileInfo::from(&found)));
    Ok(fs::read_dir(path)?.map(move |found| found.map(look)))
}

fn check(path: &Path) -> io::Result<()> {
    let link = first_link(path);
    if link.is_symlink() { Err(Refused::error(link, Why::Link)) } else { Ok(()) }
}
