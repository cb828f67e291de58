//! [`FileInfo`]: what a file system says of a file.

use std::{
    fs::Metadata,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::passed::PassedOver;

/// What a file system says of a file, or of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileInfo {
    pub(crate) kind: FileKind,
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
    /// When the file, its name or its owner last changed; when it was modified where nothing else is known.
    pub(crate) changed: SystemTime,
    /// 0 where files have no numbers.
    pub(crate) inode: u64,
}

/// What has a name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    File,
    Directory,
    Link,
    /// A socket, a pipe or a device.
    Special(PassedOver),
}

impl FileInfo {
    pub(crate) fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind == FileKind::Directory
    }
}

impl From<&Metadata> for FileInfo {
    fn from(found: &Metadata) -> Self {
        let modified = found.modified().unwrap_or(UNIX_EPOCH);
        let kind = match found.file_type() {
            kind if kind.is_file() => FileKind::File,
            kind if kind.is_dir() => FileKind::Directory,
            kind if kind.is_symlink() => FileKind::Link,
            _ => FileKind::Special(PassedOver::Device),
        };
        let (inode, changed) = numbers(found);
        Self { kind, size: found.len(), modified, changed: changed.unwrap_or(modified), inode }
    }
}

#[cfg(unix)]
fn numbers(found: &Metadata) -> (u64, Option<SystemTime>) {
    use std::os::unix::fs::MetadataExt;
    (found.ino(), Some(time(found.ctime(), found.ctime_nsec())))
}

#[cfg(not(unix))]
fn numbers(_found: &Metadata) -> (u64, Option<SystemTime>) {
    (0, None)
}

/// The time so many seconds, and nanoseconds, after 1970.
#[cfg_attr(not(unix), allow(dead_code, reason = "other systems give a time"))]
pub(super) fn time(seconds: i64, nanoseconds: i64) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let whole = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    whole.unwrap_or(UNIX_EPOCH) + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_standard_library() {
        let place = tempfile::tempdir().expect("a directory");
        let file = std::fs::File::create(place.path().join("x")).expect("made");
        let before = UNIX_EPOCH - Duration::from_nanos(1_500_000_000);
        for modified in [before, UNIX_EPOCH, UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789)] {
            file.set_modified(modified).expect("set");
            let found = file.metadata().expect("looked");
            assert_eq!(FileInfo::from(&found).modified, modified);
            let entry = super::super::nofollow::Entry::at(&place.path().join("x")).expect("opened");
            assert_eq!(entry.look().expect("looked"), FileInfo::from(&found));
        }
    }
}
