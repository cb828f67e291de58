//! [`Incomplete`]: objects that were being written when a process died. No listing shows them.

use std::{
    io,
    path::{Path as FilePath, PathBuf},
};

use chrono::{DateTime, Utc};
use futures::FutureExt;

#[cfg(feature = "cloud")]
use super::cloud::Upload;
use super::{
    Location, MAX_CONCURRENT,
    local::blocking,
    nofollow::{list, look, remove_file},
};
use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    layout::staged,
};

/// An object that is being written, or was when a process died: a file with a staging name (`name#digits`), an upload that
/// was not completed (S3, Google), blocks that were not committed (Azure).
#[derive(Debug, Clone)]
pub(crate) struct Incomplete {
    /// The key of the object.
    pub(crate) key: String,
    /// Bytes written so far; 0 in stores, which do not report it.
    pub(crate) size: u64,
    /// When it was last written to, or when the upload began.
    pub(crate) modified: DateTime<Utc>,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    File(PathBuf),
    #[cfg(feature = "cloud")]
    Upload(Upload),
}

impl Incomplete {
    /// The same with its key relative to a directory, where it lies inside.
    pub(crate) fn below(&self, directory: &str) -> Option<Self> {
        let key = self.key.strip_prefix(directory)?.strip_prefix('/')?.to_owned();
        Some(Self { key, ..self.clone() })
    }
}

impl Location {
    /// The incomplete objects here. Links are not followed, but those that [`Location::with_linked`] names.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreErrorKind::Denied`] where the right to list uploads is missing.
    pub(crate) async fn incomplete(&self) -> Result<Vec<Incomplete>> {
        if let Some(directory) = self.directory() {
            let directory = directory.to_owned();
            let volumes = self.volumes();
            let below = move || {
                let mut found = Vec::new();
                for (name, path) in volumes {
                    files(name.strip_prefix(&directory).unwrap_or(&name), &path, &mut found);
                }
                Ok(found)
            };
            return blocking("list", below).await;
        }
        #[cfg(feature = "cloud")]
        if let Some(handle) = self.handle() {
            let list = || async {
                let listed = self.answers(handle.uploads(self.base()).boxed()).await;
                listed.map_err(|error| Error::store("list uploads", "", self, error))
            };
            let uploads = self.retry(|| list().boxed()).await?;
            return Ok(uploads.into_iter().filter_map(|upload| self.upload(upload)).collect());
        }
        Ok(Vec::new())
    }

    #[cfg(feature = "cloud")]
    fn upload(&self, upload: Upload) -> Option<Incomplete> {
        let base = self.base().as_ref();
        let key =
            if base.is_empty() { upload.path.as_str() } else { upload.path.strip_prefix(base)?.strip_prefix('/')? };
        Some(Incomplete { key: key.to_owned(), size: 0, modified: upload.begun, what: What::Upload(upload) })
    }

    /// Deletes the incomplete objects here that `is_own` accepts. A credential that may write need not be allowed to
    /// list uploads: without that right they stay.
    pub(crate) async fn delete_incomplete(&self, is_own: impl Fn(&Incomplete) -> bool) -> Result<()> {
        let found = match self.incomplete().await {
            Err(Error::Store { kind: StoreErrorKind::Denied, .. }) if self.directory().is_none() => return Ok(()),
            found => found?,
        };
        let own = found.into_iter().filter(|incomplete| is_own(incomplete));
        let deletions = own.map(|incomplete| self.delete_one(incomplete).boxed()).collect();
        concurrent::run(deletions, MAX_CONCURRENT).await.map(drop)
    }

    /// Deletes the staging files that a listing found, by their names relative to this location.
    pub(crate) async fn delete_staging(&self, names: impl Iterator<Item = String>) -> Result<()> {
        let files = names.filter_map(|name| self.file_path(&name));
        let deletions = files.map(|path| self.delete_file(path).boxed()).collect();
        concurrent::run(deletions, MAX_CONCURRENT).await.map(drop)
    }

    async fn delete_file(&self, path: PathBuf) -> Result<()> {
        let shown = self.to_string();
        let location = self.clone();
        let delete = move || {
            location.check_fence()?;
            let removed = match look(&path) {
                Ok(found) if found.is_file() => remove_file(&path),
                found => found.map(drop),
            };
            match removed {
                // Whoever wrote it has ended.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed.map_err(|e| Error::io("delete", path.display(), shown, e)),
            }
        };
        blocking("delete", delete).await
    }

    async fn delete_one(&self, incomplete: Incomplete) -> Result<()> {
        match incomplete.what {
            What::File(path) => self.delete_file(path).await,
            #[cfg(feature = "cloud")]
            What::Upload(upload) => {
                let Some(handle) = self.handle() else { return Ok(()) };
                let abort = || async {
                    self.check_fence()?;
                    let aborted = self.answers(handle.abort(&upload).boxed()).await;
                    aborted.map_err(|error| Error::store("abort upload", &upload.path, self, error))
                };
                self.retry(|| abort().boxed()).await
            }
        }
    }
}

/// The staging files below a directory that has this name in the location. What cannot be looked at is not one of this library.
fn files(name: &FilePath, path: &FilePath, incomplete: &mut Vec<Incomplete>) {
    let mut pending = vec![(name.to_owned(), path.to_owned())];
    while let Some((name, path)) = pending.pop() {
        let Ok(listing) = list(&path) else { continue };
        for (below, found) in listing.flatten() {
            let Ok(found) = found else { continue };
            let (name, path) = (name.join(&below), path.join(&below));
            let shown = name.to_string_lossy().into_owned();
            if found.is_directory() {
                pending.push((name, path));
            } else if found.is_file()
                && let Some(key) = staged(&shown)
            {
                let modified = found.modified.into();
                incomplete.push(Incomplete { key: key.to_owned(), size: found.size, modified, what: What::File(path) });
            }
        }
    }
}
