//! [`Made`]: who may use the files and directories that are made. [`Dated`]: the time that a file gets.

use std::{fs::File, io, time::SystemTime};

/// Permissions and owner of what is made. `None`: as the process makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) files: Option<u32>,
    pub(crate) directories: Option<u32>,
    /// That of files. Directories get theirs when nothing more is written to them.
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
}

impl Made {
    /// For its owner alone: a catalog holds the hashes of tokens.
    pub(crate) const PRIVATE: Self = Self { files: Some(0o600), directories: Some(0o700), user: None, group: None };

    /// Gives a file, which has no name yet that anybody reads, its owner and then its permissions. What a file system refuses
    /// of that is found when a restore looks at its files at the end.
    pub(super) fn give(&self, file: &File) {
        if self.user.is_some() || self.group.is_some() {
            let given = set_owner(file, self.user, self.group);
            if given.is_err() && self.user.is_some() && self.group.is_some() {
                // A user may give files to another group of its own.
                let _ = set_owner(file, None, self.group);
            }
        }
        if let Some(mode) = self.files {
            Self::set_mode(file, mode);
        }
    }

    /// Gives it these permissions, where it has others: those of the process take some away.
    #[cfg(unix)]
    pub(super) fn set_mode(file: &File, mode: u32) {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        if file.metadata().is_ok_and(|found| found.mode() & 0o7777 != mode) {
            // Some file systems have no permissions.
            let _ = file.set_permissions(std::fs::Permissions::from_mode(mode));
        }
    }

    #[cfg(not(unix))]
    pub(super) fn set_mode(_file: &File, _mode: u32) {}
}

/// The time that a file gets as its last change: that of its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dated(pub(crate) SystemTime);

/// Reads the permissions of files and directories: octal digits such as `640:750`. Without those of directories, they may be
/// entered by whoever may read a file.
pub(crate) fn modes(text: &str) -> Option<(u32, u32)> {
    let octal = |text| u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    match text.split_once(':') {
        None => octal(text).map(|files| (files, entered(files))),
        Some((files, directories)) => octal(files).zip(octal(directories)),
    }
}

/// The permissions of directories that go with those of files.
pub(crate) const fn entered(files: u32) -> u32 {
    files | (files & 0o444) >> 2
}

#[cfg(unix)]
fn set_owner(file: &File, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    std::os::unix::fs::fchown(file, user, group)
}

#[cfg(not(unix))]
fn set_owner(_file: &File, _user: Option<u32>, _group: Option<u32>) -> io::Result<()> {
    Ok(())
}
