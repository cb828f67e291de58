//! What a full disk still takes: another name and other bytes for a file that is there, and another time for a directory.

use std::{
    io::{self, Write},
    path::Path,
    time::SystemTime,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Location,
    local::blocking,
    nofollow::{Directory, Entry},
    publish::{close, is_refused},
};
use crate::{
    error::{Error, Result},
    key::Key,
};

impl Location {
    /// Gives a file the name of another that is not there yet, and then other bytes. Of several processes that do so at once, one
    /// renames it. Cut short, it has the name and not the bytes.
    ///
    /// # Errors
    /// [`Error::Store`], with `AlreadyExists` where there is a file of that name, and with `NotFound` where the file is gone.
    pub(crate) async fn reuse(&self, from: &Key, to: &Key, bytes: Bytes) -> Result<()> {
        let (location, from, to) = (self.clone(), from.clone(), to.clone());
        let reuse = move || {
            let done = || {
                let target = Entry::at(&location.require_path(&to)?)?;
                rename(&Entry::at(&location.require_path(&from)?)?, &target)?;
                rewrite(&target, &bytes)
            };
            done().map_err(|error| Error::io("rename", &to, &location, error))
        };
        blocking("rename", reuse).await
    }

    /// How far the clock of the file system is ahead of this machine's, as a directory shows that gets its time.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) async fn directory_clock(&self) -> Result<TimeDelta> {
        let Some(directory) = self.directory().map(Path::to_owned) else {
            return Err(Error::io("touch", "", self, unsupported()));
        };
        let shown = self.to_string();
        let look = move || {
            let began = Utc::now();
            let touched = touch(&directory);
            let touched: DateTime<Utc> = touched.map_err(|error| Error::io("touch", "", shown, error))?.into();
            Ok(touched - (began + (Utc::now() - began) / 2))
        };
        blocking("touch", look).await
    }
}

fn unsupported() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// As file systems can: some have no such renames, and others no links.
fn rename(from: &Entry, to: &Entry) -> io::Result<()> {
    let Entry { directory, name } = from;
    match directory.rename_no_replace(name, to) {
        Err(error) if is_refused(&error) => directory.link(name, to).and_then(|()| directory.remove_file(name)),
        renamed => renamed,
    }
}

/// Writes in the room that the file has.
fn rewrite(entry: &Entry, bytes: &[u8]) -> io::Result<()> {
    let mut file = entry.directory.open_to_write(&entry.name)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    close(file)
}

/// Gives a directory the time that its file system has, and returns it.
#[cfg(unix)]
fn touch(directory: &Path) -> io::Result<SystemTime> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    let opened = Directory::open(directory)?.as_file()?;
    futimens(&opened, &times)?;
    opened.metadata()?.modified()
}

#[cfg(not(unix))]
fn touch(directory: &Path) -> io::Result<SystemTime> {
    let opened = Directory::open(directory)?.as_file()?;
    opened.set_modified(SystemTime::now())?;
    opened.metadata()?.modified()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::StoreOptions;

    #[tokio::test]
    async fn one_of_several_reuses_a_file() {
        let place = tempfile::tempdir().expect("a directory");
        let location = Location::parse(place.path().to_str().expect("UTF-8"), &StoreOptions::default());
        let location = location.expect("a location");
        let [from, to, third] = ["x/1", "x/2", "x/3"].map(|key| Key::parse(key).expect("a key"));
        location.put(&from, Bytes::from_static(b"a longer text")).await.expect("put");
        location.reuse(&from, &to, Bytes::from_static(b"mine")).await.expect("renamed");
        let mut listed = location.list("").await.expect("listed").into_iter().map(|entry| entry.key);
        assert_eq!((listed.next().as_ref(), listed.next()), (Some(&to), None));
        assert_eq!(location.get(&to, None).await.expect("read").expect("there"), "mine");
        let gone = location.reuse(&from, &third, Bytes::from_static(b"another's")).await.expect_err("gone");
        assert_eq!(gone.code(), "object-not-found");
        location.put(&from, Bytes::from_static(b"again")).await.expect("put");
        let exists = location.reuse(&from, &to, Bytes::from_static(b"another's")).await.expect_err("there");
        assert_eq!(exists.code(), "object-exists");
        assert_eq!(location.get(&to, None).await.expect("read").expect("there"), "mine");
    }

    #[tokio::test]
    async fn a_directory_tells_the_time() {
        let place = tempfile::tempdir().expect("a directory");
        File::open(place.path()).and_then(|file| file.set_modified(std::time::UNIX_EPOCH)).expect("set");
        let location = Location::parse(place.path().to_str().expect("UTF-8"), &StoreOptions::default());
        let ahead = location.expect("a location").directory_clock().await.expect("looked");
        assert!(ahead.abs() < TimeDelta::seconds(2), "{ahead}");
    }
}
