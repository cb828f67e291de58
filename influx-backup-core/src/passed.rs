//! [`PassedOver`]: what is not copied, not deleted and no reason to refuse, and why. The only list of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    finding::{Finding, FindingCode},
    layout::is_staging,
};

/// What is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PassedOver {
    // Everywhere: in the source, in a backup, in a repository and in a target.
    DirectoryMarker,
    StagingFile,
    FileSystemSnapshots,
    LostAndFound,
    Trash,
    // Outside the prefixes of the cluster. Inside it is an error: data could be missing.
    Socket,
    Pipe,
    Device,
    BrokenLink,
    Link,
    Unreadable,
    NotUtf8,
    InvalidName,
}

impl PassedOver {
    /// What it is called, one and several, and why it is passed over.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::DirectoryMarker => (
                "directory marker",
                "directory markers",
                "an empty object whose key ends in `/`, or that has objects below it: consoles, Hadoop tools and mounts leave \
                 them",
            ),
            Self::StagingFile => {
                ("staging file", "staging files", "a file that is being written, or was when its writer died")
            }
            Self::FileSystemSnapshots => (
                "directory of snapshots",
                "directories of snapshots",
                "the file system shows its own snapshots there: older states of the same files",
            ),
            Self::LostAndFound => ("`lost+found`", "`lost+found`", "file system checks keep it at the top of a volume"),
            Self::Trash => ("trash directory", "trash directories", "desktops keep deleted files there"),
            Self::Socket => ("socket", "sockets", "it has no content"),
            Self::Pipe => ("named pipe", "named pipes", "it has no content"),
            Self::Device => ("device", "devices", "it is no regular file"),
            Self::BrokenLink => ("broken link", "broken links", "it leads to nothing, or back to itself"),
            Self::Link => ("link", "links", "links are not followed here"),
            Self::Unreadable => ("unreadable entry", "unreadable entries", "this user may not read it"),
            Self::NotUtf8 => ("name that is not UTF-8", "names that are not UTF-8", "InfluxDB writes none"),
            Self::InvalidName => (
                "name that no object can have",
                "names that no object can have",
                "an empty, `.` or `..` segment or a control character: InfluxDB writes none",
            ),
        }
    }

    /// What a directory of this name is. Only for files: stores have no such directories. Any directory may be the top of a volume
    /// of its own.
    pub(crate) fn directory(name: &str) -> Option<Self> {
        // NetApp, Dell, GPFS, snapper; ZFS; NetApp over SMB; CephFS and FreeBSD; Samba.
        let is_snapshots = matches!(name, ".snapshot" | ".snapshots" | ".zfs" | "~snapshot" | ".snap");
        let is_trash = matches!(name, ".Trash" | ".Trashes" | "$RECYCLE.BIN" | "System Volume Information")
            || name.strip_prefix(".Trash-").is_some_and(|user| user.bytes().all(|b| b.is_ascii_digit()));
        match name {
            _ if is_snapshots || name.starts_with("@GMT-") => Some(Self::FileSystemSnapshots),
            "lost+found" => Some(Self::LostAndFound),
            _ if is_trash => Some(Self::Trash),
            _ => None,
        }
    }

    /// What a file or an object of this name is.
    pub(crate) fn file(name: &str) -> Option<Self> {
        is_staging(name).then_some(Self::StagingFile)
    }

    /// Whether a note says that it was passed over. Servers write staging files all the time.
    const fn is_noted(self) -> bool {
        !matches!(self, Self::StagingFile)
    }
}

/// What a job has passed over, by place and kind. Clones are one list; what is met again counts once.
#[derive(Debug, Clone, Default)]
pub(crate) struct PassedOverNotes(Arc<Mutex<BTreeMap<(String, PassedOver), Noted>>>);

#[derive(Debug, Default)]
struct Noted {
    names: BTreeSet<String>,
    is_reported: bool,
}

impl PassedOverNotes {
    /// Takes note of a name in a place.
    pub(crate) fn add(&self, place: &str, kind: PassedOver, name: &str) {
        if kind.is_noted() {
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            noted.entry((place.to_owned(), kind)).or_default().names.insert(name.to_owned());
        }
    }

    /// One finding for each kind in each place.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.iter().filter_map(|((place, kind), noted)| finding(place, *kind, noted)).collect()
    }

    /// The same, but only those that were not reported before.
    pub(crate) fn unreported(&self) -> Vec<Finding> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = Vec::new();
        for ((place, kind), noted) in noted.iter_mut().filter(|(_, noted)| !noted.is_reported) {
            noted.is_reported = true;
            new.extend(finding(place, *kind, noted));
        }
        new
    }
}

fn finding(place: &str, kind: PassedOver, noted: &Noted) -> Option<Finding> {
    let count = noted.names.len() as u64;
    let example = noted.names.first()?.escape_debug();
    let (one, several, reason) = kind.words();
    let message = match count {
        1 => format!("1 {one} in `{place}` is passed over: `{example}` ({reason})"),
        _ => format!("{count} {several} in `{place}` are passed over, such as `{example}` ({reason})"),
    };
    Some(Finding::new(FindingCode::PassedOver, message).with_numbers(None, Some(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_known_by_their_names() {
        let snapshots = [".snapshot", ".snapshots", ".zfs", "~snapshot", ".snap", "@GMT-2026.11.26-12.00.00"];
        for name in snapshots {
            assert_eq!(PassedOver::directory(name), Some(PassedOver::FileSystemSnapshots), "{name}");
        }
        for (name, kind) in [
            ("lost+found", PassedOver::LostAndFound),
            (".Trash-0", PassedOver::Trash),
            (".Trash-1000", PassedOver::Trash),
            ("$RECYCLE.BIN", PassedOver::Trash),
        ] {
            assert_eq!(PassedOver::directory(name), Some(kind), "{name}");
        }
        for name in ["snapshots", "node1", "snapshot", "zfs", ".Trash-x", "wal", "@GMT"] {
            assert_eq!(PassedOver::directory(name), None, "{name}");
        }
        assert_eq!(PassedOver::file("1.wal#12"), Some(PassedOver::StagingFile));
        assert_eq!(PassedOver::file("1.wal"), None);
    }

    #[test]
    fn each_kind_in_each_place_is_one_note() {
        let notes = PassedOverNotes::default();
        for name in ["b", "a", "b"] {
            notes.add("s3://x", PassedOver::DirectoryMarker, name);
        }
        notes.add("s3://x", PassedOver::StagingFile, "1.wal#1");
        notes.add("file:///d", PassedOver::Socket, "s\n");
        let messages: Vec<_> = notes.findings().into_iter().map(|finding| finding.message).collect();
        assert_eq!(
            messages,
            [
                "1 socket in `file:///d` is passed over: `s\\n` (it has no content)",
                "2 directory markers in `s3://x` are passed over, such as `a` (an empty object whose key ends in `/`, or that \
                 has objects below it: consoles, Hadoop tools and mounts leave them)",
            ]
        );
        assert_eq!(notes.unreported().len(), 2);
        notes.add("s3://x", PassedOver::DirectoryMarker, "c");
        assert!(notes.unreported().is_empty(), "one note each");
    }
}
