//! One object: what a listing shows of it, and reading it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{FutureExt, TryStreamExt};
use object_store::{
    GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta as StoreMeta, ObjectStoreExt, path::Path,
};
use serde::{Deserialize, Serialize};

use super::{Location, ObjectTable, StoreChecksums, files::failed};
use crate::{
    concurrent,
    error::{Error, Refused, Result, Why},
    key::Key,
    read_limits::{self, TooLarge},
    units::ByteSize,
};

/// Which version of an object: what a copy is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Version {
    /// The store's entity tag, where it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_tag: Option<Box<str>>,
    /// The store's version id, in versioned buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// When it was last modified.
    pub modified: DateTime<Utc>,
}

impl Version {
    /// A version of which only the time is known, as of a file.
    #[must_use]
    pub const fn new(modified: DateTime<Utc>) -> Self {
        Self { e_tag: None, id: None, modified }
    }

    /// The version with the store's entity tag.
    #[must_use]
    pub fn with_e_tag(mut self, e_tag: impl Into<Box<str>>) -> Self {
        self.e_tag = Some(e_tag.into());
        self
    }

    /// The version with the store's version id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Whether both are one version: entity tags decide where both have one, times elsewhere.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.e_tag, &other.e_tag) {
            (Some(a), Some(b)) => a == b,
            _ => self.modified == other.modified,
        }
    }

    /// Whether an entity tag shows that both are one version. Some stores quote tags in one answer and not in the other.
    pub(crate) fn has_tag_of(&self, other: &Self) -> bool {
        let unquoted = |version: &Self| {
            let tag = version.e_tag.as_deref()?;
            Some(tag.trim_start_matches("W/").trim_matches('"').to_owned())
        };
        let tag = unquoted(self);
        tag.is_some() && tag == unquoted(other)
    }

    /// Whether both have the same time. Many answers have times of whole seconds.
    pub(crate) fn is_as_old(&self, other: &Self) -> bool {
        let is_whole = |version: &Self| version.modified.timestamp_subsec_nanos() == 0;
        let is_same_second = self.modified.timestamp() == other.modified.timestamp();
        self.modified == other.modified || is_same_second && (is_whole(self) || is_whole(other))
    }
}

/// One object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObjectMeta {
    /// Its key, relative to the location.
    pub key: Key,
    /// Its length in bytes.
    pub size: u64,
    /// Which version of it.
    pub version: Version,
}

impl ObjectMeta {
    /// An object of this key and length, in this version.
    #[must_use]
    pub const fn new(key: Key, size: u64, version: Version) -> Self {
        Self { key, size, version }
    }

    /// Whether both are one version of one object.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key == other.key && self.size == other.size && self.version.is_same(&other.version)
    }
}

/// One level of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListLevel {
    /// The names of the directories (common prefixes), sorted.
    pub directories: Vec<String>,
    /// The objects at this level.
    pub entries: ObjectTable,
}

impl ListLevel {
    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.entries.is_empty()
    }
}

impl Location {
    /// The object, or `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Link`] for a link on its way, where links are refused, and for what is neither a
    /// file nor a directory.
    pub async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>> {
        if self.directory().is_some() {
            return self.head_file(key).await;
        }
        let head = || async move {
            match self.answer(self.store().head(&self.path(key))).await {
                Ok(meta) => Ok(Some(self.entry(meta)?)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(Error::store("head", key, self, error)),
            }
        };
        self.retry(|| head().boxed()).await
    }

    /// The object and the checksums that the store gives for it, or `None` where there is none. As many requests as
    /// [`Location::head`].
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn head_with_checksums(&self, key: &Key) -> Result<Option<(ObjectMeta, StoreChecksums)>> {
        if self.directory().is_some() {
            return Ok(self.head(key).await?.map(|entry| (entry, StoreChecksums::default())));
        }
        let head = || async move {
            let options = GetOptions { head: true, ..GetOptions::default() };
            match self.answer(self.store().get_opts(&self.path(key), options)).await {
                Ok(answer) => {
                    let checksums = StoreChecksums::of_answer(&answer.extensions);
                    Ok(Some((self.entry(answer.meta)?, checksums)))
                }
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(Error::store("head", key, self, error)),
            }
        };
        self.retry(|| head().boxed()).await
    }

    /// The bytes of an object, of one version where `version` is given, or `None` where there is no such object. At most
    /// 5 GiB are read.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreErrorKind::Changed`](crate::error::StoreErrorKind::Changed) where the object is
    /// another version now; [`Error::Link`] for a link on its way, where links are refused, and for what is not a regular file.
    pub async fn get(&self, key: &Key, version: Option<&Version>) -> Result<Option<Bytes>> {
        let options = || GetOptions {
            if_match: version.and_then(|version| version.e_tag.as_deref().map(ToOwned::to_owned)),
            version: version.and_then(|version| version.id.as_deref().map(ToOwned::to_owned)),
            ..GetOptions::default()
        };
        let found = self.retry(|| self.get_by(key, options(), read_limits::OBJECT).boxed()).await?;
        let too_large = |large| Error::io("get", key, self, io::Error::new(io::ErrorKind::FileTooLarge, large));
        let found = found.transpose().map_err(too_large)?;
        match (&found, version) {
            (Some((_, now)), Some(version)) if self.is_told_by_time(version) && now.modified != version.modified => {
                Err(Error::store(
                    "get",
                    key,
                    self,
                    object_store::Error::Precondition { path: key.to_string(), source: "it has another time".into() },
                ))
            }
            _ => Ok(found.map(|(bytes, _)| bytes)),
        }
    }

    /// The bytes of an object of which `most` are read, or `None` where there is none: what this crate itself reads.
    ///
    /// # Errors
    /// As for [`Location::get`].
    pub(crate) async fn get_within(&self, key: &Key, most: ByteSize) -> Result<Option<Whole<Bytes>>> {
        let found = self.get_with_version(key, most).await?;
        Ok(found.map(|found| found.map(|(bytes, _)| bytes)))
    }

    /// The bytes of an object of which `most` are read and the version that they are of, or `None` where there is none.
    ///
    /// # Errors
    /// As for [`Location::get`].
    pub(crate) async fn get_with_version(&self, key: &Key, most: ByteSize) -> Result<Option<Whole<(Bytes, Version)>>> {
        self.retry(|| self.get_by(key, GetOptions::default(), most).boxed()).await
    }

    /// These bytes of an object, or as many of them as there are.
    ///
    /// # Errors
    /// As for [`Location::get`].
    pub(crate) async fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Option<Bytes>> {
        let options = || GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let most = ByteSize(range.end.saturating_sub(range.start));
        let found = self.retry(|| self.get_by(key, options(), most).boxed()).await?;
        // A store that answers with more than it was asked for is not one that serves ranges.
        let found = found.transpose().map_err(|large| Error::io("get", key, self, io::Error::other(large)))?;
        Ok(found.map(|(bytes, _)| bytes))
    }

    async fn get_by(&self, key: &Key, options: GetOptions, most: ByteSize) -> Result<Option<Whole<(Bytes, Version)>>> {
        let got = async {
            let found = self.bytes(self.ask(key, options)).await?;
            let size = found.range.end.saturating_sub(found.range.start);
            if let Err(large) = TooLarge::check(size, most) {
                return Ok(Err(large));
            }
            let meta = found.meta.clone();
            self.body(found, size).await.map(|body| Ok((body, meta)))
        };
        match got.await {
            Ok(Ok((body, meta))) => {
                let bytes = body.map_err(|error| Error::io("get", key, self, error))?;
                Ok(Some(Ok((bytes, self.entry(meta)?.version))))
            }
            Ok(Err(large)) => Ok(Some(Err(large))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::store("get", key, self, error)),
        }
    }

    /// Asks the store for an object. Links of files are followed as the location lets them be.
    pub(crate) async fn ask(&self, key: &Key, options: GetOptions) -> object_store::Result<GetResult> {
        let found = self.store().get_opts(&self.store_path(key)?, options.clone()).await;
        let found = match found {
            Err(error) if self.0.links.follows() && Refused::of_store(&error).is_some_and(|it| it.why == Why::Link) => {
                let resolve = || self.0.links.resolve(&self.require_path(key)?);
                let resolved = resolve().map_err(|error| failed(key.as_str().into(), error))?;
                self.store().get_opts(&file_path(&resolved)?, options).await
            }
            found => found,
        };
        // A file that lies elsewhere has the name that it has here.
        found.map(|found| GetResult { meta: StoreMeta { location: self.path(key), ..found.meta }, ..found })
    }

    /// Where an object lies in the store: its path, but below a link that [`Location::with_linked`] has named.
    pub(crate) fn store_path(&self, key: &Key) -> object_store::Result<Path> {
        match self.file_path(key.as_str()) {
            Some(path) if self.0.links.has_names() => file_path(&path),
            _ => Ok(self.path(key)),
        }
    }

    /// A large body may take its time as long as it moves. What is wrong with it is an error beside that of its store.
    async fn body(&self, found: GetResult, size: u64) -> object_store::Result<io::Result<Bytes>> {
        let start = found.range.start;
        let mut chunks = match found.payload {
            GetResultPayload::File(file, _) => {
                self.pace(usize::try_from(size).unwrap_or(usize::MAX)).await;
                let read = concurrent::blocking(move || read_file(file, start, size)).await;
                return Ok(read.map_err(io::Error::from).flatten());
            }
            GetResultPayload::Stream(chunks) => chunks,
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = self.bytes(chunks.try_next()).await? {
            self.pace(chunk.len()).await;
            // Most bodies are one chunk.
            if bytes.is_empty() && chunk.len() as u64 == size {
                return Ok(Ok(chunk));
            }
            let length = bytes.len() as u64 + chunk.len() as u64;
            if length > size {
                return Ok(Err(io::Error::new(io::ErrorKind::InvalidData, "the body is longer than its store said")));
            }
            let wanted = size.min(length.max(MAX_RESERVED)) - bytes.len() as u64;
            if let Err(error) = reserve(&mut bytes, wanted) {
                return Ok(Err(error));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(whole(bytes, size))
    }

    pub(crate) fn entry(&self, meta: StoreMeta) -> Result<ObjectMeta> {
        let below_base = meta.location.parts().skip(self.base().parts().count());
        Ok(ObjectMeta {
            key: Key::from_path(&below_base.collect::<Path>())?,
            size: meta.size,
            version: Version {
                e_tag: meta.e_tag.map(Into::into),
                id: meta.version.map(Into::into),
                modified: meta.last_modified,
            },
        })
    }
}

/// An object of which no more is read than one of its kind can have.
pub(crate) type Whole<T> = std::result::Result<T, TooLarge>;

/// A path of the file system, as the object_store crate has it.
fn file_path(path: &std::path::Path) -> object_store::Result<Path> {
    Ok(Path::parse(path.to_string_lossy().trim_matches('/'))?)
}

/// How much is reserved for a body at the word of its store.
const MAX_RESERVED: u64 = 64 << 20;

/// The most of a file that is read into one piece of memory, where nothing needs it whole. An allocator reuses memory of that size; larger
/// pieces come from the system each time, which clears them.
pub(crate) const FILE_BLOCK: usize = 512 << 10;

fn read_file(mut file: File, start: u64, size: u64) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    reserve(&mut bytes, size)?;
    file.seek(SeekFrom::Start(start))?;
    file.take(size).read_to_end(&mut bytes)?;
    whole(bytes, size)
}

/// A connection that breaks may look like the end of a body.
fn whole(bytes: Vec<u8>, size: u64) -> io::Result<Bytes> {
    if bytes.len() as u64 == size {
        return Ok(bytes.into());
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body ended early"))
}

/// Memory that there may not be.
fn reserve(bytes: &mut Vec<u8>, more: u64) -> io::Result<()> {
    let more = usize::try_from(more).unwrap_or(usize::MAX);
    bytes.try_reserve(more).map_err(|error| io::Error::new(io::ErrorKind::OutOfMemory, error))
}
