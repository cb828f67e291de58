//! [`Files`]: the file system as an object store, without links, and with what file systems lack that the object_store crate takes
//! for granted.

mod upload;

use std::{fmt, io, ops::Range, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, Extensions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    local::LocalFileSystem, path::Path,
};

use self::upload::FileUpload;
use super::{
    abilities::Known,
    file_info::FileInfo,
    local,
    made::Made,
    nofollow::{open_file, remove_file},
    publish::{Existing, Sync, Writing},
};
use crate::concurrent;

/// How many files are deleted at once.
const DELETIONS_AT_ONCE: usize = 8;

/// The whole file system. Files are written by [`Writing`], with the [`Made`] and the [`Dated`](super::Dated) of a request's
/// extensions, and read by versions that may leave the inode out. The answer to a write has the [`FileInfo`] in its extensions.
#[derive(Debug)]
pub(super) struct Files {
    /// What is not used here itself, and how paths are spelled.
    files: Arc<LocalFileSystem>,
    sync: Sync,
    known: Known,
}

impl Files {
    pub(super) fn new(sync: Sync, known: Known) -> Self {
        Self { files: Arc::new(LocalFileSystem::new()), sync, known }
    }

    fn writing(&self, extensions: &Extensions) -> Writing {
        let made = extensions.get().copied().unwrap_or(Made::PRIVATE);
        let dated = extensions.get().copied();
        Writing { sync: self.sync, made, dated, known: self.known.clone() }
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
        let writing = self.writing(&options.extensions);
        blocking(move || {
            let chunks: Vec<&Bytes> = payload.iter().collect();
            let written = writing.write(&target, &chunks, existing).map_err(|error| failed(target, error))?;
            Ok(put(&writing.known, &written))
        })
        .await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        if !opts.attributes.is_empty() {
            // It says why not.
            return self.files.put_multipart_opts(location, opts).await;
        }
        let target = self.files.path_to_filesystem(location)?;
        let writing = self.writing(&opts.extensions);
        let begun = blocking(move || FileUpload::begin(writing, target.clone()).map_err(|error| failed(target, error)));
        Ok(Box::new(begun.await?))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = self.files.path_to_filesystem(location)?;
        let location = location.clone();
        let known = self.known.clone();
        blocking(move || {
            let opened = open_file(&path).and_then(|file| Ok((FileInfo::from(&file.metadata()?), file)));
            let (found, file) = opened.map_err(|error| failed(path.clone(), error))?;
            let tag = local::tag(&found);
            let meta = ObjectMeta {
                location,
                last_modified: found.modified.into(),
                size: found.size,
                e_tag: Some(tag.clone()),
                version: None,
            };
            match (options.check_preconditions(&meta), &options.if_match) {
                (Err(Error::Precondition { .. }), Some(wanted))
                    if known.is_same_file(&path, wanted, &tag, found.modified) => {}
                (checked, _) => checked?,
            }
            let range = match &options.range {
                Some(range) => {
                    range.as_range(meta.size).map_err(|source| failed(path.clone(), io::Error::other(source)))?
                }
                None => 0..meta.size,
            };
            let meta = ObjectMeta { e_tag: known.tag(&found), ..meta };
            let payload = GetResultPayload::File(file, path);
            Ok(GetResult { payload, meta, range, attributes: Default::default(), extensions: Default::default() })
        })
        .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let mut found = Vec::new();
        for range in ranges {
            let options = GetOptions { range: Some(range.clone().into()), ..GetOptions::default() };
            found.push(self.get_opts(location, options).await?.bytes().await?);
        }
        Ok(found)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let files = Arc::clone(&self.files);
        let deleted = locations.map(move |location| {
            let files = Arc::clone(&files);
            async move {
                let location = location?;
                let path = files.path_to_filesystem(&location)?;
                blocking(move || remove_file(&path).map_err(|error| failed(path, error))).await?;
                Ok(location)
            }
        });
        deleted.buffered(DELETIONS_AT_ONCE).boxed()
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

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(unused("copy_opts"))
    }

    async fn rename_opts(&self, _from: &Path, _to: &Path, _options: RenameOptions) -> Result<()> {
        Err(unused("rename_opts"))
    }
}

/// What no one here asks for, and would follow links.
fn unused(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: "Files".to_owned() }
}

fn put(known: &Known, written: &FileInfo) -> PutResult {
    let mut extensions = Extensions::new();
    extensions.insert(written.clone());
    PutResult { e_tag: known.tag(written), version: None, extensions }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    concurrent::blocking(work).await.map_err(|source| Error::JoinError { source })?
}

/// The error as the object_store crate has it.
pub(super) fn failed(path: PathBuf, error: io::Error) -> Error {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: error.into() },
        io::ErrorKind::NotFound => Error::NotFound { path, source: error.into() },
        _ => Error::Generic { store: "LocalFileSystem", source: error.into() },
    }
}
