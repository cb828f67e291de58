//! [`Staged`]: a file beside its target, which gets the target's name when it is complete.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, ErrorKind},
    path::Path,
};

use super::{
    file_info::FileInfo,
    made::Made,
    nofollow::{Directory, Entry},
};

/// The name of a file beside its target, `name#<digits>`. Listings leave such names out.
///
/// The file is removed when this is dropped, unless it has another name by then.
#[derive(Debug)]
pub(crate) struct Staged {
    target: Entry,
    /// Its own name, until it has the target's: then it may be another's.
    name: Option<OsString>,
}

impl Staged {
    /// Makes the file, and the directories above it. `on_made` is told in which directory one was made.
    pub(crate) fn create(
        target: &Path,
        made: &Made,
        on_made: impl FnMut(&Directory) -> io::Result<()>,
    ) -> io::Result<(Self, File)> {
        let target = Entry::make(target, made, on_made)?;
        let mut number = 1_u64;
        loop {
            let name = target.with_suffix(&format!("#{number}"));
            match target.directory.create(&name, made) {
                Ok(file) => return Ok((Self { target, name: Some(name) }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The target.
    pub(super) fn target(&self) -> &Entry {
        &self.target
    }

    /// What the file is.
    pub(crate) fn look(&self) -> io::Result<FileInfo> {
        self.target.directory.look(self.name()?)
    }

    /// Gives it the target's name, over what has that.
    pub(crate) fn replace(&mut self) -> io::Result<()> {
        self.target.directory.rename(self.name()?, &self.target)?;
        self.name = None;
        Ok(())
    }

    /// The same where nothing has that name yet.
    pub(super) fn rename_no_replace(&mut self) -> io::Result<()> {
        self.target.directory.rename_no_replace(self.name()?, &self.target)?;
        self.name = None;
        Ok(())
    }

    /// Gives it the target's name beside its own, where nothing has that yet.
    pub(super) fn link(&self) -> io::Result<()> {
        self.target.directory.link(self.name()?, &self.target)
    }

    fn name(&self) -> io::Result<&OsString> {
        self.name.as_ref().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Best effort: listings leave staging names out.
            let _ = self.target.directory.remove_file(name);
        }
    }
}
