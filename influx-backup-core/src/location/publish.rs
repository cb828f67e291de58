//! Writing a file whole: beside its target, then under its name; and the ways to do that where a file system lacks some.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    path::Path,
};

use super::{
    CreateOnly, Synced,
    abilities::{Abilities, Known},
    file_info::FileInfo,
    made::{Dated, Made},
    nofollow::{Directory, Entry},
    staged::Staged,
};

/// What becomes of a file of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is replaced.
    Replaced,
    /// It stays, which is an error.
    Kept,
}

/// Whether a write is on disk when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    /// As far as the file system does that.
    Durable,
    /// Left to the operating system.
    Relaxed,
}

/// The ways to create a file that must not exist yet, the best first.
const WAYS: [CreateOnly; 3] = [CreateOnly::HardLink, CreateOnly::RenameNoReplace, CreateOnly::ExclusiveCreate];

/// How files are written at a place.
#[derive(Debug, Clone)]
pub(super) struct Writing {
    pub(super) sync: Sync,
    pub(super) made: Made,
    pub(super) dated: Option<Dated>,
    pub(super) known: Known,
}

impl Writing {
    /// Writes a file. Returns what it is then.
    ///
    /// It is written as `name#<digits>` and gets its name when it is complete. Where no file system call does that for a file
    /// that must not exist yet, it is made under its name and then written: what is written so has an end that shows, as JSON
    /// has, so that no reader takes a part of it for the whole.
    pub(super) fn write(&self, target: &Path, bytes: &[impl AsRef<[u8]>], existing: Existing) -> io::Result<FileInfo> {
        let (mut staged, file) = self.stage(target)?;
        self.fill(file, bytes)?;
        let written = staged.look()?;
        let written = match existing {
            Existing::Replaced => staged.replace().map(|()| written),
            Existing::Kept => match self.publish(&mut staged)? {
                Published::Done => Ok(written),
                Published::Refused => self.create_in_place(staged.target(), bytes),
            },
        }?;
        self.sync_directory(&staged.target().directory)?;
        Ok(written)
    }

    /// Makes a file beside its target.
    pub(super) fn stage(&self, target: &Path) -> io::Result<(Staged, File)> {
        Staged::create(target, &self.made, |directory| self.sync_directory(directory))
    }

    /// Gives the file its target's name, unless there is a file of that name: by the way that worked last, or else by another.
    fn publish(&self, staged: &mut Staged) -> io::Result<Published> {
        let last = self.known.get().create_only;
        let others = WAYS.into_iter().filter(|way| *way != last);
        for way in std::iter::once(last).chain(others) {
            let published = match way {
                CreateOnly::HardLink => staged.link(),
                CreateOnly::RenameNoReplace => staged.rename_no_replace(),
                _ => continue,
            };
            match published {
                // Some answer that the disk is broken where they do not know the call: the last way tells.
                Err(error) if is_refused(&error) || is_broken(&error) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.known.learn(|abilities| abilities.create_only = way);
                    return Ok(Published::Done);
                }
            }
        }
        Ok(Published::Refused)
    }

    /// Makes the file under its own name. What could not be written whole is removed again.
    fn create_in_place(&self, target: &Entry, bytes: &[impl AsRef<[u8]>]) -> io::Result<FileInfo> {
        let file = target.directory.create(&target.name, &self.made)?;
        let filled = self.fill(file, bytes).and_then(|()| target.look());
        let written = filled.inspect_err(|_| {
            let _ = target.directory.remove_file(&target.name);
        })?;
        self.known.learn(|abilities| abilities.create_only = CreateOnly::ExclusiveCreate);
        Ok(written)
    }

    /// Writes a file that was just made, and closes it: some network file systems tell only then that they have no room, and
    /// give a file its time.
    fn fill(&self, mut file: File, bytes: &[impl AsRef<[u8]>]) -> io::Result<()> {
        bytes.iter().try_for_each(|chunk| file.write_all(chunk.as_ref()))?;
        self.finish(file)
    }

    /// Gives a file its time, puts it on disk, and closes it.
    pub(super) fn finish(&self, file: File) -> io::Result<()> {
        if let Some(Dated(modified)) = self.dated {
            self.known.set_modified(&file, modified)?;
        }
        match self.sync {
            Sync::Relaxed => {}
            Sync::Durable => unless_refused(file.sync_all(), Synced::Nothing, &self.known)?,
        }
        close(file)
    }

    /// Puts on disk which names a directory holds.
    pub(super) fn sync_directory(&self, directory: &Directory) -> io::Result<()> {
        match self.sync {
            Sync::Durable if cfg!(unix) => sync_directory(directory, &self.known),
            Sync::Durable | Sync::Relaxed => Ok(()),
        }
    }
}

enum Published {
    Done,
    /// No way to do that for a finished file works here.
    Refused,
}

/// Closes a file, and tells what dropping it would not.
pub(crate) fn close(file: File) -> io::Result<()> {
    #[cfg(unix)]
    nix::unistd::close(file)?;
    #[cfg(not(unix))]
    drop(file);
    Ok(())
}

/// Puts on disk which names a directory holds.
pub(super) fn sync_directory(directory: &Directory, known: &Known) -> io::Result<()> {
    unless_refused(directory.as_file()?.sync_all(), Synced::Files, known)
}

/// Learns that a file system does not sync what it is asked to: that is no error. What it could not write is one.
pub(super) fn unless_refused(synced: io::Result<()>, left: Synced, known: &Known) -> io::Result<()> {
    match synced {
        Err(error) if is_refused(&error) => {
            known.learn(|Abilities { synced, .. }| {
                if *synced != Some(Synced::Nothing) {
                    *synced = Some(left);
                }
            });
            Ok(())
        }
        done => done,
    }
}

/// Whether a file system answered that it does not do this at all. Those that do not know a call answer in many ways.
pub(crate) fn is_refused(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        const REFUSALS: [Errno; 6] =
            [Errno::PERM, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOSYS, Errno::INVAL, Errno::MLINK];
        error.raw_os_error().is_some_and(|code| REFUSALS.iter().any(|refusal| refusal.raw_os_error() == code))
            || error.kind() == ErrorKind::Unsupported
    }
    #[cfg(not(unix))]
    {
        error.kind() == ErrorKind::Unsupported
    }
}

/// Whether the disk, or what stands for it, failed.
fn is_broken(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn known(create_only: CreateOnly) -> Known {
        Known::new(Abilities { create_only, ..Abilities::FILES })
    }

    fn names(directory: &Path) -> Vec<String> {
        let names = fs::read_dir(directory).expect("listed").map(|found| found.expect("found").file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    #[test]
    fn each_way_creates_a_file_once_and_leaves_nothing_beside_it() {
        for way in WAYS {
            let place = tempfile::tempdir().expect("a directory");
            let target = place.path().join("below/manifest.json");
            let writing = Writing { sync: Sync::Durable, made: Made::PRIVATE, dated: None, known: known(way) };
            let known = &writing.known;
            let write = |bytes: &str, existing| writing.write(&target, &[bytes], existing);
            let create = |bytes: &str| match way {
                CreateOnly::ExclusiveCreate => {
                    fs::create_dir_all(place.path().join("below")).expect("made");
                    writing.create_in_place(&Entry::at(&target).expect("opened"), &[bytes])
                }
                _ => write(bytes, Existing::Kept),
            };
            assert_eq!(create("one").expect("created").size, 3, "{way}");
            assert_eq!(create("another").expect_err("a second").kind(), ErrorKind::AlreadyExists, "{way}");
            assert_eq!(fs::read_to_string(&target).expect("read"), "one", "{way}");
            assert_eq!(known.get().create_only, way);
            assert_eq!(write("third", Existing::Replaced).expect("written").size, 5, "{way}");
            assert_eq!(fs::read_to_string(&target).expect("read"), "third", "{way}");
            assert_eq!(names(&place.path().join("below")), ["manifest.json"], "{way}");
        }
    }

    #[test]
    fn only_what_was_refused_is_refused() {
        let known = known(CreateOnly::HardLink);
        let failed = |kind: rustix::io::Errno| Err(io::Error::from(kind));
        unless_refused(failed(rustix::io::Errno::IO), Synced::Files, &known).expect_err("the disk");
        assert_eq!(known.get(), Abilities::FILES);
        unless_refused(failed(rustix::io::Errno::INVAL), Synced::Files, &known).expect("skipped");
        assert_eq!(known.get().synced, Some(Synced::Files));
        unless_refused(failed(rustix::io::Errno::NOSYS), Synced::Nothing, &known).expect("skipped");
        unless_refused(failed(rustix::io::Errno::INVAL), Synced::Files, &known).expect("skipped");
        assert_eq!(known.get().synced, Some(Synced::Nothing), "less is not forgotten");
    }
}
