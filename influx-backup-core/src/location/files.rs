//! [`Files`]: the file system as an object store, for what file systems lack that the object_store crate takes for granted.

use std::{fmt, io, ops::Range, path::PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, local::LocalFileSystem, path::Path,
};

use super::{
    Inodes,
    abilities::Known,
    publish::{Existing, Sync, write},
};

/// The whole file system. Files are written by [`write`], and read by versions that may leave the inode out.
#[derive(Debug)]
pub(super) struct Files {
    files: LocalFileSystem,
    sync: Sync,
    known: Known,
}

impl Files {
    pub(super) fn new(sync: Sync, known: Known) -> Self {
        Self { files: LocalFileSystem::new(), sync, known }
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Files {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let existing = match options.mode {
            PutMode::Overwrite if options.attributes.is_empty() => Existing::Replaced,
            PutMode::Create if options.attributes.is_empty() => Existing::Kept,
            // It says why not.
            _ => return self.files.put_opts(location, payload, options).await,
        };
        let target = self.files.path_to_filesystem(location)?;
        let (sync, known) = (self.sync, self.known.clone());
        let written = move || {
            let chunks: Vec<&Bytes> = payload.iter().collect();
            let metadata = write(&target, &chunks, existing, sync, &known).map_err(|error| failed(target, error))?;
            let e_tag = known.tag(&metadata);
            Ok(PutResult { e_tag, version: None, extensions: Default::default() })
        };
        let joined = tokio::task::spawn_blocking(written).await;
        joined.map_err(|source| Error::JoinError { source })?
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let wanted = options.if_match.clone();
        let mut found = match (self.files.get_opts(location, options.clone()).await, wanted) {
            (Err(changed @ Error::Precondition { .. }), Some(wanted)) => {
                let options = GetOptions { if_match: None, ..options };
                let found = self.files.get_opts(location, options).await?;
                let path = self.files.path_to_filesystem(location)?;
                let tag = found.meta.e_tag.as_deref();
                match tag {
                    Some(tag) if self.known.is_same_file(&path, &wanted, tag, found.meta.last_modified.into()) => found,
                    _ => return Err(changed),
                }
            }
            (found, _) => found?,
        };
        if self.known.get().inodes == Some(Inodes::Unstable) {
            found.meta.e_tag = None;
        }
        Ok(found)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await
    }
}

/// The error as the object_store crate has it.
fn failed(path: PathBuf, error: io::Error) -> Error {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: error.into() },
        io::ErrorKind::NotFound => Error::NotFound { path, source: error.into() },
        _ => Error::Generic { store: "LocalFileSystem", source: error.into() },
    }
}
