//! A directory that is open, by its descriptor.

#![allow(clippy::unnecessary_cast, reason = "these types differ between systems")]

#[cfg(target_os = "linux")]
use std::{collections::VecDeque, mem::MaybeUninit};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io, iter,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{self as system, AtFlags, CWD, Mode, OFlags, RawMode, Stat},
    io::Errno,
};

use super::{
    super::{file_info::FileInfo, made::Made},
    Entry, Found, first_link,
};
use crate::error::{Refused, Why};

/// A directory that is open.
#[derive(Debug)]
pub(crate) struct Directory {
    opened: OwnedFd,
    /// For errors alone.
    path: PathBuf,
}

/// A directory through which others are reached: no right to list it is needed.
#[cfg(target_os = "linux")]
const PASSED: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
#[cfg(not(target_os = "linux"))]
const PASSED: OFlags = OFlags::DIRECTORY;

/// A directory that is synced, or given away.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A file, in its directory. Whatever lies there is opened without waiting for it: a pipe without a writer, a terminal.
const FILE: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Directory {
    /// Opens the directory at this path.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { opened: open(path, PASSED)?, path: path.to_owned() })
    }

    /// Opens what lies at a path, to read it.
    pub(super) fn open_path(path: &Path) -> io::Result<File> {
        Ok(open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?.into())
    }

    /// Makes a file, which must not exist yet, to read and write it.
    pub(crate) fn create(&self, name: &OsStr, made: &Made) -> io::Result<File> {
        let mode = made.files.map_or(0o666, |mode| mode & 0o600);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | FILE;
        let file = File::from(self.open_name(name, flags, mode)?);
        made.give(&file);
        Ok(file)
    }

    /// Opens a regular file to write to it.
    pub(crate) fn open_to_write(&self, name: &OsStr) -> io::Result<File> {
        let file = File::from(self.open_name(name, OFlags::WRONLY | FILE, 0)?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(Refused::error(self.path.join(name), Why::NotAFile)) }
    }

    /// Makes a directory, which must not exist yet.
    pub(crate) fn make(&self, name: &OsStr, made: &Made) -> io::Result<()> {
        let mode = made.directories.map_or(0o777, |mode| mode & 0o700);
        system::mkdirat(&self.opened, name, Mode::from_raw_mode(mode as RawMode))?;
        if let Some(mode) = made.directories {
            Made::set_mode(&File::from(self.open_name(name, DIRECTORY, 0)?), mode);
        }
        Ok(())
    }

    /// Opens a directory in this one.
    pub(super) fn below(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.path.join(name);
        let flags = PASSED | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = system::openat(&self.opened, name, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOTDIR if is_link(&self.opened, name) => Errno::LOOP,
            error => error,
        });
        Ok(Self { opened: opened.map_err(|error| refused(error, &path))?, path })
    }

    /// What lies there. A link is not followed.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<FileInfo> {
        Ok(FileInfo::from(&system::statat(&self.opened, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Gives what lies there another name, over what has that.
    pub(crate) fn rename(&self, from: &OsStr, to: &Entry) -> io::Result<()> {
        Ok(system::renameat(&self.opened, from, &to.directory.opened, &to.name)?)
    }

    /// The same where nothing has that name yet.
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    pub(crate) fn rename_no_replace(&self, from: &OsStr, to: &Entry) -> io::Result<()> {
        use system::{RenameFlags, renameat_with};
        Ok(renameat_with(&self.opened, from, &to.directory.opened, &to.name, RenameFlags::NOREPLACE)?)
    }

    /// The same where nothing has that name yet.
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    pub(crate) fn rename_no_replace(&self, _from: &OsStr, _to: &Entry) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a file a second name, which nothing has yet.
    pub(crate) fn link(&self, from: &OsStr, to: &Entry) -> io::Result<()> {
        Ok(system::linkat(&self.opened, from, &to.directory.opened, &to.name, AtFlags::empty())?)
    }

    /// Removes a file, or a link.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(system::unlinkat(&self.opened, name, AtFlags::empty())?)
    }

    /// Removes a directory that is empty.
    pub(crate) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        Ok(system::unlinkat(&self.opened, name, AtFlags::REMOVEDIR)?)
    }

    /// The directory as a file, to sync it, to date it or to give it away.
    pub(crate) fn as_file(&self) -> io::Result<File> {
        Ok(self.open_name(OsStr::new("."), DIRECTORY, 0)?.into())
    }

    fn open_name(&self, name: &OsStr, flags: OFlags, mode: u32) -> io::Result<OwnedFd> {
        let opened = system::openat(&self.opened, name, flags, Mode::from_raw_mode(mode as RawMode));
        opened.map_err(|error| refused(error, &self.path.join(name)))
    }
}

/// What is in the directory at this path.
#[cfg(target_os = "linux")]
pub(crate) fn list(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Found>> + use<>> {
    let directory = open(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let mut names = VecDeque::new();
    let mut is_read = false;
    Ok(iter::from_fn(move || {
        if names.is_empty() && !is_read {
            let read = read_names(&directory, &mut names);
            is_read = names.is_empty() || read.is_err();
            if let Err(error) = read {
                return Some(Err(error.into()));
            }
        }
        names.pop_front().map(|name| Ok(look_at(&directory, name)))
    }))
}

/// Reads the next names of a directory; none at its end. The buffer is on the stack: most directories have few names, and a walk may
/// meet a million directories.
#[cfg(target_os = "linux")]
fn read_names(directory: &OwnedFd, names: &mut VecDeque<OsString>) -> Result<(), Errno> {
    let mut buffer = [MaybeUninit::uninit(); 8 << 10];
    let mut entries = system::RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = match entry {
            // It was removed.
            Err(Errno::NOENT) => return Ok(()),
            entry => entry?,
        };
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push_back(OsStr::from_bytes(name).to_owned());
        }
        if entries.is_buffer_empty() && !names.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

/// What is in the directory at this path.
#[cfg(not(target_os = "linux"))]
pub(crate) fn list(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Found>> + use<>> {
    let mut directory = system::Dir::new(open(path, OFlags::RDONLY | OFlags::DIRECTORY)?)?;
    Ok(iter::from_fn(move || {
        loop {
            let name = match directory.next()? {
                Ok(found) => OsStr::from_bytes(found.file_name().to_bytes()).to_owned(),
                Err(error) => return Some(Err(error.into())),
            };
            if name != "." && name != ".." {
                return Some(directory.fd().map(|opened| look_at(opened, name)).map_err(io::Error::from));
            }
        }
    }))
}

fn look_at(directory: impl AsFd, name: OsString) -> Found {
    let found = system::statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW);
    (name, found.map(|found| FileInfo::from(&found)).map_err(io::Error::from))
}

/// Opens what lies at an absolute path, unless there is a link on it.
fn open(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    {
        use system::ResolveFlags;
        let refusing = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match system::openat2(CWD, path, flags, Mode::empty(), refusing) {
            // An older kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => {}
            opened => return opened.map_err(|error| refused(error, path)),
        }
    }
    walk(path, flags).map_err(|error| refused(error, path))
}

/// The same, one name after another.
fn walk(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut at = system::open("/", PASSED | OFlags::CLOEXEC, Mode::empty())?;
    let mut names = path.components().filter(|component| matches!(component, Component::Normal(_))).peekable();
    if names.peek().is_none() {
        return system::openat(&at, ".", flags, Mode::empty());
    }
    while let Some(name) = names.next() {
        let flags = if names.peek().is_some() { PASSED | OFlags::CLOEXEC } else { flags };
        let opened = system::openat(&at, name.as_os_str(), flags | OFlags::NOFOLLOW, Mode::empty());
        at = match opened {
            Err(Errno::NOTDIR) if is_link(&at, name.as_os_str()) => return Err(Errno::LOOP),
            opened => opened?,
        };
    }
    Ok(at)
}

fn is_link(directory: &OwnedFd, name: &OsStr) -> bool {
    system::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|found| system::FileType::from_raw_mode(found.st_mode) == system::FileType::Symlink)
}

fn refused(error: Errno, path: &Path) -> io::Error {
    match error {
        Errno::LOOP => Refused::error(first_link(path), Why::Link),
        // A socket, and a device without a driver.
        Errno::NXIO | Errno::NODEV => Refused::error(path, Why::NotAFile),
        error => error.into(),
    }
}

impl From<&Stat> for FileInfo {
    fn from(found: &Stat) -> Self {
        use super::super::file_info::{FileKind, time};
        use crate::passed::PassedOver;
        use system::FileType;
        Self {
            kind: match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => FileKind::File,
                FileType::Directory => FileKind::Directory,
                FileType::Symlink => FileKind::Link,
                FileType::Socket => FileKind::Special(PassedOver::Socket),
                FileType::Fifo => FileKind::Special(PassedOver::Pipe),
                _ => FileKind::Special(PassedOver::Device),
            },
            size: u64::try_from(found.st_size).unwrap_or(0),
            modified: time(found.st_mtime as i64, found.st_mtime_nsec as i64),
            changed: time(found.st_ctime as i64, found.st_ctime_nsec as i64),
            inode: found.st_ino as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    /// Both ways to open refuse the same.
    #[test]
    fn no_way_follows_a_link() {
        let place = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(place.path()).expect("resolved");
        fs::create_dir_all(root.join("real/below")).expect("made");
        fs::write(root.join("real/below/file"), "x").expect("written");
        symlink(root.join("real"), root.join("linked")).expect("linked");
        symlink("file", root.join("real/below/alias")).expect("linked");
        symlink("nowhere", root.join("dangling")).expect("linked");
        let ways = [open, |path: &Path, flags| walk(path, flags).map_err(|error| refused(error, path))];
        for (number, way) in ways.into_iter().enumerate() {
            let opened = |path: &str, flags| way(&root.join(path), flags).map(drop);
            opened("real/below/file", OFlags::RDONLY).expect("opened");
            opened("real/below", PASSED).expect("opened");
            way(Path::new("/"), PASSED).expect("opened");
            let links = [
                ("linked/below/file", "linked", OFlags::RDONLY),
                ("linked/below", "linked", PASSED),
                ("linked", "linked", PASSED),
                ("real/below/alias", "real/below/alias", OFlags::RDONLY),
                ("dangling", "dangling", OFlags::RDONLY),
            ];
            for (path, link, flags) in links {
                let error = opened(path, flags).expect_err(path);
                let refused = Refused::of(&error).unwrap_or_else(|| panic!("{number}: {path}: {error}"));
                assert_eq!((refused.path.as_path(), refused.why), (root.join(link).as_path(), Why::Link));
            }
            let kind = |path: &str| opened(path, PASSED).expect_err(path).kind();
            assert_eq!(kind("real/below/file"), io::ErrorKind::NotADirectory);
            assert_eq!(kind("real/none"), io::ErrorKind::NotFound);
            assert_eq!(kind("none/below"), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn a_directory_of_any_length_is_listed() {
        for count in [0, 1, 30, 2000] {
            let place = tempfile::tempdir().expect("a directory");
            let root = fs::canonicalize(place.path()).expect("resolved");
            let name = |number: usize| OsString::from(format!("{number}-{}", "x".repeat(number * 7 % 250)));
            (0..count).for_each(|number| fs::write(root.join(name(number)), "x").expect("written"));
            let mut listed: Vec<_> = list(&root).expect("opened").map(|found| found.expect("read").0).collect();
            listed.sort();
            let mut names: Vec<_> = (0..count).map(name).collect();
            names.sort();
            assert_eq!(listed, names);
        }
    }

    #[test]
    fn a_listing_ends_where_its_directory_goes() {
        let place = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(place.path()).expect("resolved");
        fs::create_dir(root.join("gone")).expect("made");
        let listing = list(&root.join("gone")).expect("opened");
        fs::remove_dir(root.join("gone")).expect("removed");
        assert_eq!(listing.count(), 0);
    }
}
