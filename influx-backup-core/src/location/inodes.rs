//! The version of a file: inode, time and size, as the object_store crate has it. Where a file has another inode at each look,
//! as on sshfs and mergerfs, time and size alone.

use std::{
    fs::File,
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    Inodes, Location, ObjectMeta, ObjectTable, Times, Version,
    abilities::Known,
    file_info::FileInfo,
    local,
    nofollow::{self, open_file, open_to_change},
    publish::{close, is_refused},
};
use crate::{error::Result, key::Key};

/// How much older a probe is made. Younger than what other runs delete.
const PROBE_AGE: Duration = Duration::from_secs(600);

/// The longest time in which a kernel gives the same time, but for file systems whose times are whole seconds, and more.
const LONGEST_TICK: Duration = Duration::from_millis(500);

/// How far times are rounded: FAT has every other second.
const COARSEST: Duration = Duration::from_secs(2);

/// How far the clock of a file server may be behind.
const LONGEST_SKEW: Duration = Duration::from_secs(60);

/// How many files are looked at that have another inode than they had.
const LOOKS: usize = 100;

impl Known {
    /// The entity tag of a file, where it has one here.
    pub(super) fn tag(&self, found: &FileInfo) -> Option<String> {
        self.has_inodes().then(|| local::tag(found))
    }

    /// Whether a file has the entity tag but for the inode.
    fn is_same_but_for_inode(&self, tag: Option<&str>, found: &FileInfo) -> bool {
        tag.is_some_and(|tag| without_inode(tag) == without_inode(&local::tag(found)))
    }

    /// Whether the inode of a file counts that has another one than it was listed with, and the same size and time. Where its
    /// time is exact, not of this moment, and was not given to it since, no other file can have it: FUSE gives a file another
    /// inode once its cache forgets it.
    fn is_other_file(&self, path: &Path, modified: SystemTime) -> bool {
        let is_past = modified.elapsed().is_ok_and(|age| age > LONGEST_TICK);
        if is_exact(modified) && is_past && self.is_unreplaced(path) {
            self.forget_inodes();
        }
        self.look_twice(path).unwrap_or_else(|_| self.has_inodes())
    }

    /// Whether a file is the one that was there before, as its last change shows: a copy that was put in its place changed
    /// when it got its time or its name.
    fn is_unreplaced(&self, path: &Path) -> bool {
        let Ok(found) = nofollow::look(path) else { return false };
        let is_older = self.begun.duration_since(found.changed).is_ok_and(|age| age > LONGEST_SKEW);
        cfg!(unix) && (is_older || found.changed == found.modified)
    }

    /// Whether entity tags tell only inodes apart that say nothing here. A look at the file shows that.
    pub(super) fn is_same_file(&self, path: &Path, wanted: &str, found: &str, modified: SystemTime) -> bool {
        without_inode(wanted) == without_inode(found) && !self.is_other_file(path, modified)
    }

    /// Gives an open file a time, where the file system lets it have that.
    pub(super) fn set_modified(&self, file: &File, modified: SystemTime) -> io::Result<()> {
        if self.get().times == Some(Times::NotKept) {
            return Ok(());
        }
        match file.set_modified(modified) {
            Err(error) if is_refused(&error) || error.kind() == io::ErrorKind::PermissionDenied => {
                self.learn(|abilities| abilities.times = Some(Times::NotKept));
                Ok(())
            }
            done => done,
        }
    }

    /// Looks twice at a file. Returns whether its inode counts.
    pub(super) fn look_twice(&self, path: &Path) -> io::Result<bool> {
        if self.has_inodes() {
            let opened = FileInfo::from(&open_file(path)?.metadata()?);
            let seen = [nofollow::look(path)?, opened, nofollow::look(path)?];
            if seen.windows(2).any(|pair| is_inode_all(&pair[0], &pair[1])) {
                self.forget_inodes();
            }
        }
        Ok(self.has_inodes())
    }

    fn has_inodes(&self) -> bool {
        self.get().inodes != Some(Inodes::Unstable)
    }

    fn forget_inodes(&self) {
        if self.learn(|abilities| abilities.inodes = Some(Inodes::Unstable)) {
            tracing::info!("a file has another inode at each look: versions are told by size and time");
        }
    }
}

/// Whether a time is finer than seconds.
fn is_exact(time: SystemTime) -> bool {
    time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() > 0)
}

fn without_inode(tag: &str) -> &str {
    tag.split_once('-').map_or(tag, |(_, rest)| rest)
}

/// Whether the inode is all that differs.
fn is_inode_all(one: &FileInfo, other: &FileInfo) -> bool {
    one.inode != other.inode && one.size == other.size && one.modified == other.modified
}

impl Location {
    /// What a file here is as an object.
    pub(crate) fn file(&self, key: &Key, found: &FileInfo) -> ObjectMeta {
        self.as_version(local::entry(key.clone(), found))
    }

    /// Whether only its time tells a version here.
    pub(super) fn is_told_by_time(&self, version: &Version) -> bool {
        version.e_tag.is_none() && self.abilities().inodes == Some(Inodes::Unstable)
    }

    /// The same without the inode, where that says nothing here.
    pub(super) fn as_version(&self, mut file: ObjectMeta) -> ObjectMeta {
        if self.abilities().inodes == Some(Inodes::Unstable) {
            file.version.e_tag = None;
        }
        file
    }

    /// The same for a listing.
    pub(super) fn as_versions(&self, files: ObjectTable) -> ObjectTable {
        match self.abilities().inodes {
            Some(Inodes::Unstable) => files.into_iter().map(|file| self.as_version(file)).collect(),
            _ => files,
        }
    }

    /// Gives an open file the time of its source, where the file system lets it have that.
    pub(crate) fn set_modified(&self, file: &File, modified: SystemTime) -> io::Result<()> {
        self.0.abilities.set_modified(file, modified)
    }

    /// Gives a file the time of its source. Returns what it is then.
    pub(crate) fn date(&self, key: &Key, modified: SystemTime) -> io::Result<FileInfo> {
        let path = self.require_path(key)?;
        let file = open_to_change(&path)?;
        self.set_modified(&file, modified)?;
        close(file)?;
        nofollow::look(&path)
    }

    /// Looks at a probe that was written as this version, and gives it a time.
    pub(crate) async fn probe_file(&self, key: &Key, written: &Version) -> io::Result<()> {
        let Some(path) = self.file_path(key.as_str()) else { return Ok(()) };
        let place = self.clone();
        let key = key.clone();
        let written = written.clone();
        let probe = move || {
            let known = &place.0.abilities;
            let found = nofollow::look(&path)?;
            let has_moved = known.has_inodes() && place.file(&key, &found).version.e_tag != written.e_tag;
            if has_moved && known.is_same_but_for_inode(written.e_tag.as_deref(), &found) {
                // It was written under another name.
                known.forget_inodes();
            }
            known.look_twice(&path)?;
            let time = found.modified - PROBE_AGE;
            let found = place.date(&key, time)?.modified;
            if found.duration_since(time).or_else(|_| time.duration_since(found)).is_ok_and(|off| off > COARSEST) {
                known.learn(|abilities| abilities.times = Some(Times::NotKept));
            }
            Ok(())
        };
        tokio::task::spawn_blocking(probe).await?
    }

    /// Whether an open file is the version that is wanted.
    pub(crate) fn is_open(&self, wanted: &ObjectMeta, found: &FileInfo) -> bool {
        if self.file(&wanted.key, found).is_same(wanted) {
            return true;
        }
        let entry = local::entry(wanted.key.clone(), found);
        let is_alike = entry.size == wanted.size && entry.version.modified == wanted.version.modified;
        let path = self.file_path(wanted.key.as_str()).filter(|_| is_alike);
        path.is_some_and(|path| !self.0.abilities.is_other_file(&local::resolve(&path), found.modified))
    }

    /// Looks twice at one file here, where there is one: before a run, so that it begins with versions that stay.
    pub(crate) async fn look_at_inodes(&self) -> Result<()> {
        let Some(directory) = self.directory().map(ToOwned::to_owned) else { return Ok(()) };
        let known = self.0.abilities.clone();
        let look = move || {
            // What cannot be looked at is for those to say who need it.
            let files = walkdir::WalkDir::new(directory).into_iter().flatten();
            if let Some(file) = files.into_iter().find(|found| found.file_type().is_file()) {
                let _ = known.look_twice(file.path());
            }
            Ok(())
        };
        local::blocking("look at inodes", look).await
    }

    /// Compares a listing with an earlier one, of files that this run has not written. Where most of them have got another
    /// inode and nothing else, inodes are dropped from the new one.
    pub(crate) fn settle_inodes(&self, before: impl Iterator<Item = ObjectMeta>, now: ObjectTable) -> ObjectTable {
        let Some(directory) = self.directory() else { return now };
        let mut kept: u64 = 0;
        let mut others: u64 = 0;
        let mut lost = Vec::new();
        let mut files = now.reader();
        for old in before {
            let Some(file) = files.get(old.key.as_str()) else { continue };
            if old.is_same(file) {
                kept += 1;
            } else if old.size == file.size && old.version.modified == file.version.modified {
                others += 1;
                lost.extend((lost.len() < LOOKS).then(|| file.clone()));
            }
        }
        if others > kept {
            let looks = lost.len();
            lost.retain(|file| self.0.abilities.is_unreplaced(&local::resolve(&directory.join(file.key.as_str()))));
            // Of two files with one time in whole seconds, one may have replaced the other.
            let is_enough = lost.len() > 1 || lost.iter().any(|file| is_exact(file.version.modified.into()));
            if is_enough && 2 * lost.len() > looks {
                self.0.abilities.forget_inodes();
            }
        }
        self.as_versions(now)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::StoreOptions;

    fn place() -> (tempfile::TempDir, Location) {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["1", "2", "3"] {
            fs::write(directory.path().join(name), name).expect("written");
        }
        let location = Location::parse(directory.path().to_str().expect("UTF-8"), &StoreOptions::default());
        (directory, location.expect("a location"))
    }

    /// The listing with another inode for the first files of it.
    fn with_other_inodes(listing: &ObjectTable, files: usize) -> ObjectTable {
        let other = |(at, mut file): (usize, ObjectMeta)| {
            if at < files {
                let tag = file.version.e_tag.take().expect("a tag");
                file.version.e_tag = Some(format!("\"abc-{}", without_inode(&tag)).into());
            }
            file
        };
        listing.iter().enumerate().map(other).collect()
    }

    #[tokio::test]
    async fn inodes_that_change_together_say_nothing() {
        let (_directory, place) = place();
        let before = place.list("").await.expect("listed");
        let one = place.settle_inodes(before.iter(), with_other_inodes(&before, 1));
        assert_eq!(one, with_other_inodes(&before, 1), "one file was replaced");
        assert!(place.lacks().is_empty());
        let now = place.settle_inodes(before.iter(), with_other_inodes(&before, 3));
        assert!(before.iter().zip(&now).all(|(before, now)| before.is_same(&now)), "{now:?}");
        assert_eq!(place.abilities().inodes, Some(Inodes::Unstable));
        assert!(place.list("").await.expect("listed").iter().all(|file| file.version.e_tag.is_none()));
    }

    #[tokio::test]
    async fn a_version_without_inode_is_told_by_its_time() {
        let (directory, place) = place();
        let key = Key::parse("1").expect("a key");
        let tagged = place.head(&key).await.expect("asked").expect("there").version;
        place.0.abilities.forget_inodes();
        let version = place.head(&key).await.expect("asked").expect("there").version;
        assert_eq!((version.e_tag.as_deref(), version.modified), (None, tagged.modified));
        for version in [&tagged, &version] {
            assert_eq!(place.get(&key, Some(version)).await.expect("read").expect("there"), "1");
        }
        let file = File::options().write(true).open(directory.path().join("1")).expect("open");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        for version in [&tagged, &version] {
            let changed = place.get(&key, Some(version)).await.expect_err("another time");
            assert_eq!(changed.code(), "object-changed");
        }
    }

    /// A copy of a file in its place, with its time.
    fn replace(directory: &Path, name: &str) {
        let path = directory.join(name);
        let modified = fs::metadata(&path).and_then(|found| found.modified()).expect("a time");
        let copy = directory.join("copy");
        fs::write(&copy, name).expect("written");
        File::options().write(true).open(&copy).and_then(|file| file.set_modified(modified)).expect("set");
        fs::rename(&copy, &path).expect("renamed");
    }

    /// A time that is exact and long ago, as restored files have.
    fn long_ago() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789)
    }

    fn age(directory: &Path, name: &str) {
        let file = File::options().write(true).open(directory.join(name)).expect("open");
        file.set_modified(long_ago()).expect("set");
    }

    #[tokio::test]
    async fn copies_with_the_time_of_what_they_replaced_are_other_files() {
        let (directory, place) = place();
        ["1", "2", "3"].into_iter().for_each(|name| age(directory.path(), name));
        let before = place.list("").await.expect("listed");
        ["1", "2", "3"].into_iter().for_each(|name| replace(directory.path(), name));
        let listed = place.list("").await.expect("listed");
        let now = place.settle_inodes(before.iter(), listed.clone());
        assert_eq!(now, listed, "inodes stay");
        for (old, new) in before.iter().zip(&now) {
            assert!(!old.is_same(&new), "{new:?}");
            let read = place.get(&old.key, Some(&old.version)).await;
            assert_eq!(read.expect_err("another file").code(), "object-changed");
            let found = nofollow::look(&directory.path().join(old.key.as_str())).expect("there");
            assert!(!place.is_open(&old, &found), "{new:?}");
        }
        assert!(place.lacks().is_empty(), "{}", place.abilities());
    }

    /// As FUSE has it, once its cache has forgotten a file.
    #[test]
    fn a_file_that_was_not_changed_since_is_the_same() {
        let (directory, place) = place();
        age(directory.path(), "1");
        let path = directory.path().join("1");
        let tag = local::tag(&nofollow::look(&path).expect("there"));
        let wanted = format!("\"abc-{}", without_inode(&tag));
        let mut known = place.0.abilities.clone();
        assert!(!known.is_same_file(&path, &wanted, &tag, long_ago()), "it got its time just now");
        known.begun = SystemTime::now() + 2 * LONGEST_SKEW;
        assert!(known.is_same_file(&path, &wanted, &tag, long_ago()));
        assert!(!known.has_inodes());
    }

    #[tokio::test]
    async fn a_probe_of_a_whole_file_system_shows_no_lack() {
        let (directory, place) = place();
        let key = Key::parse("probe").expect("a key");
        let written = place.create(&key, "probe".into()).await.expect("created");
        place.probe_file(&key, &written).await.expect("looked at");
        assert!(place.lacks().is_empty(), "{}", place.abilities());
        let modified = fs::metadata(directory.path().join("probe")).and_then(|found| found.modified()).expect("a time");
        assert!(modified.elapsed().expect("in the past") >= PROBE_AGE);
    }
}
