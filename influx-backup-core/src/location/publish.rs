//! Writing a file whole: beside its target, then under its name; and the ways to do that where a file system lacks some.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::{
    CreateOnly, Synced,
    abilities::{Abilities, Known},
    missing_directories,
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

/// Writes a file. Returns what it is then.
///
/// It is written as `name#<digits>` and gets its name when it is complete. Where no file system call does that for a file
/// that must not exist yet, it is made under its name and then written: what is written so has an end that shows, as JSON
/// has, so that no reader takes a part of it for the whole.
pub(super) fn write(
    target: &Path,
    bytes: &[impl AsRef<[u8]>],
    existing: Existing,
    sync: Sync,
    known: &Known,
) -> io::Result<fs::Metadata> {
    let (mut staged, file) = Staged::create(target, sync, known)?;
    let metadata = fill(file, &staged.path, bytes, sync, known)?;
    let metadata = match existing {
        Existing::Replaced => staged.rename(|from| fs::rename(from, target)).map(|()| metadata),
        Existing::Kept => match staged.publish(target, known)? {
            Published::Done => Ok(metadata),
            Published::Refused => create_in_place(target, bytes, sync, known),
        },
    }?;
    sync_parent(target, sync, known)?;
    Ok(metadata)
}

/// A file beside its target. Its own name is deleted when it is dropped.
struct Staged {
    path: PathBuf,
    /// It has its target's name instead: its own may be another's by now.
    is_renamed: bool,
}

enum Published {
    Done,
    /// No way to do that for a finished file works here.
    Refused,
}

impl Staged {
    fn create(target: &Path, sync: Sync, known: &Known) -> io::Result<(Self, File)> {
        let mut number = 1_u64;
        let mut is_directory_made = false;
        loop {
            let mut path = target.to_owned().into_os_string();
            path.push(format!("#{number}"));
            let path = PathBuf::from(path);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path, is_renamed: false }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) if error.kind() == ErrorKind::NotFound && !is_directory_made => {
                    make_directories(target, sync, known)?;
                    is_directory_made = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(&mut self, rename: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        rename(&self.path)?;
        self.is_renamed = true;
        Ok(())
    }

    /// Gives the file its target's name, unless there is a file of that name: by the way that worked last, or else by another.
    fn publish(&mut self, target: &Path, known: &Known) -> io::Result<Published> {
        let last = known.get().create_only;
        let others = WAYS.into_iter().filter(|way| *way != last);
        for way in std::iter::once(last).chain(others) {
            let published = match way {
                CreateOnly::HardLink => fs::hard_link(&self.path, target),
                CreateOnly::RenameNoReplace => self.rename(|from| rename_no_replace(from, target)),
                _ => continue,
            };
            match published {
                // Some answer that the disk is broken where they do not know the call: the last way tells.
                Err(error) if is_refused(&error) || is_broken(&error) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    known.learn(|abilities| abilities.create_only = way);
                    return Ok(Published::Done);
                }
            }
        }
        Ok(Published::Refused)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_renamed {
            // Best effort: listings leave staging names out.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the file under its own name. What could not be written whole is removed again.
fn create_in_place(target: &Path, bytes: &[impl AsRef<[u8]>], sync: Sync, known: &Known) -> io::Result<fs::Metadata> {
    let file = OpenOptions::new().write(true).create_new(true).open(target)?;
    let metadata = fill(file, target, bytes, sync, known).inspect_err(|_| {
        let _ = fs::remove_file(target);
    })?;
    known.learn(|abilities| abilities.create_only = CreateOnly::ExclusiveCreate);
    Ok(metadata)
}

/// Writes a file that was just made, and closes it: some network file systems tell only then that they have no room, and give
/// a file its time.
fn fill(
    mut file: File,
    path: &Path,
    bytes: &[impl AsRef<[u8]>],
    sync: Sync,
    known: &Known,
) -> io::Result<fs::Metadata> {
    bytes.iter().try_for_each(|chunk| file.write_all(chunk.as_ref()))?;
    sync_file(&file, sync, known)?;
    close(file)?;
    fs::metadata(path)
}

/// Closes a file, and tells what dropping it would not.
pub(crate) fn close(file: File) -> io::Result<()> {
    #[cfg(unix)]
    nix::unistd::close(file)?;
    #[cfg(not(unix))]
    drop(file);
    Ok(())
}

fn make_directories(target: &Path, sync: Sync, known: &Known) -> io::Result<()> {
    let Some(parent) = target.parent() else { return Ok(()) };
    let missing = missing_directories(parent);
    fs::create_dir_all(parent)?;
    missing.iter().try_for_each(|made| sync_parent(made, sync, known))
}

fn sync_file(file: &File, sync: Sync, known: &Known) -> io::Result<()> {
    match sync {
        Sync::Relaxed => Ok(()),
        Sync::Durable => unless_refused(file.sync_all(), Synced::Nothing, known),
    }
}

/// Puts the name of a file on disk, which its directory holds.
fn sync_parent(path: &Path, sync: Sync, known: &Known) -> io::Result<()> {
    match path.parent() {
        Some(parent) if sync == Sync::Durable && cfg!(unix) => sync_directory(parent, known),
        _ => Ok(()),
    }
}

/// Puts on disk which names a directory holds.
pub(super) fn sync_directory(directory: &Path, known: &Known) -> io::Result<()> {
    unless_refused(File::open(directory)?.sync_all(), Synced::Files, known)
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

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(super) fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn rename_no_replace(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
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
            let known = known(way);
            let write = |bytes: &str, existing| write(&target, &[bytes], existing, Sync::Durable, &known);
            let create = |bytes: &str| match way {
                CreateOnly::ExclusiveCreate => {
                    fs::create_dir_all(place.path().join("below")).expect("made");
                    create_in_place(&target, &[bytes], Sync::Durable, &known)
                }
                _ => write(bytes, Existing::Kept),
            };
            assert_eq!(create("one").expect("created").len(), 3, "{way}");
            assert_eq!(create("another").expect_err("a second").kind(), ErrorKind::AlreadyExists, "{way}");
            assert_eq!(fs::read_to_string(&target).expect("read"), "one", "{way}");
            assert_eq!(known.get().create_only, way);
            assert_eq!(write("third", Existing::Replaced).expect("written").len(), 5, "{way}");
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
