//! One object, and what can be done with it: list, head, get, put, delete.

use std::{
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::{
    GetOptions, GetRange, ObjectMeta as StoreMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path,
};
use serde::{Deserialize, Serialize};

use super::{Attributes, Location, MAX_CONCURRENT, StoreChecksums, attributes_from, local, patience::retrying};
use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    key::Key,
};

/// How often other runs may remove the directory of a file while it is written.
const DIRECTORY_REMOVED: u32 = 10;

/// Which version of an object: what a copy is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Whether both are one version: entity tags decide where both have one, times elsewhere.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.e_tag, &other.e_tag) {
            (Some(a), Some(b)) => a == b,
            _ => self.modified == other.modified,
        }
    }
}

/// One object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// Its key, relative to the location.
    pub key: Key,
    /// Its length in bytes.
    pub size: u64,
    /// Which version of it.
    pub version: Version,
}

impl ObjectMeta {
    /// Whether both are one version of one object.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key == other.key && self.size == other.size && self.version.is_same(&other.version)
    }
}

/// The object of this key in a listing, which is sorted by key.
pub(crate) fn find_object<'a>(entries: &'a [ObjectMeta], key: &Key) -> Option<&'a ObjectMeta> {
    let at = entries.binary_search_by(|entry| entry.key.cmp(key)).ok()?;
    entries.get(at)
}

/// One level of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListLevel {
    /// The names of the directories (common prefixes), sorted.
    pub directories: Vec<String>,
    /// The objects at this level, sorted by key.
    pub entries: Vec<ObjectMeta>,
}

impl ListLevel {
    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.entries.is_empty()
    }
}

impl Location {
    /// Every object below `prefix` (`""`: the whole location), sorted by key.
    ///
    /// Listings are neither snapshots nor, on some stores, sorted: what is written behind the cursor may be missed.
    /// Staging names (`name#digits`) are not listed.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::InvalidKey`] for a name that no key can be; [`Error::Link`] for links that cannot
    /// be followed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        let mut entries = match self.directory() {
            Some(directory) => local::list(directory, prefix, self.0.links).await?,
            None => {
                retrying(self.0.patience, || self.listing(self.list_store(self.prefix_path(prefix))).boxed()).await?
            }
        };
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        entries.dedup_by(|a, b| a.key == b.key);
        Ok(entries)
    }

    /// The same as [`Location::list`], but listing the directories directly below `prefix` in parallel.
    ///
    /// # Errors
    /// As for [`Location::list`].
    pub async fn list_parallel(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        if self.directory().is_some() {
            return self.list(prefix).await;
        }
        let top = self.list_level(prefix).await?;
        let below =
            top.directories.iter().map(|directory| format!("{prefix}/{directory}").trim_start_matches('/').to_owned());
        let listings = below.map(|directory| async move { self.list(&directory).await }.boxed());
        let listings = concurrent::run(listings.collect(), MAX_CONCURRENT).await?;
        let mut entries: Vec<_> = top.entries.into_iter().chain(listings.into_iter().flatten()).collect();
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(entries)
    }

    /// One level below `prefix`.
    ///
    /// # Errors
    /// As for [`Location::list`].
    pub async fn list_level(&self, prefix: &str) -> Result<ListLevel> {
        let mut shallow = match self.directory() {
            Some(directory) => local::list_level(directory, prefix, self.0.links).await?,
            None => retrying(self.0.patience, || self.listing(self.list_store_level(prefix)).boxed()).await?,
        };
        shallow.directories.sort_unstable();
        shallow.entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(shallow)
    }

    /// The names of the directories right here, sorted. What else lies here, links that lead nowhere included, is no matter.
    pub(crate) async fn directories(&self) -> Result<Vec<String>> {
        let mut names = match self.directory() {
            Some(directory) => local::directories(directory).await?,
            None => self.list_level("").await?.directories,
        };
        names.sort_unstable();
        Ok(names)
    }

    /// The object, or `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Link`] for a link on its way, where links are refused.
    pub async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>> {
        if let Some(directory) = self.directory() {
            self.check_links(key.as_str())?;
            return local::head(directory, key).await;
        }
        let head = || async move {
            match self.store().head(&self.path(key)).await {
                Ok(meta) => Ok(Some(self.entry(meta)?)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(Error::store("head", key, self, error)),
            }
        };
        retrying(self.0.patience, || head().boxed()).await
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
            match self.store().get_opts(&self.path(key), options).await {
                Ok(answer) => {
                    let checksums = StoreChecksums::of_answer(&answer);
                    Ok(Some((self.entry(answer.meta)?, checksums)))
                }
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(Error::store("head", key, self, error)),
            }
        };
        retrying(self.0.patience, || head().boxed()).await
    }

    /// The bytes of an object, of one version where `version` says so, or `None` where there is no such object.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreErrorKind::Changed`] where the object is another version now; [`Error::Link`] as for
    /// [`Location::head`].
    pub async fn get(&self, key: &Key, version: Option<&Version>) -> Result<Option<Bytes>> {
        retrying(self.0.patience, || self.get_once(key, version).boxed()).await
    }

    /// These bytes of an object, or as many of them as there are.
    ///
    /// # Errors
    /// As for [`Location::get`].
    pub(crate) async fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Option<Bytes>> {
        let options = || GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        retrying(self.0.patience, || self.get_by(key, options()).boxed()).await
    }

    async fn get_once(&self, key: &Key, version: Option<&Version>) -> Result<Option<Bytes>> {
        let options = GetOptions {
            if_match: version.and_then(|version| version.e_tag.as_deref().map(ToOwned::to_owned)),
            version: version.and_then(|version| version.id.as_deref().map(ToOwned::to_owned)),
            ..GetOptions::default()
        };
        self.get_by(key, options).await
    }

    async fn get_by(&self, key: &Key, options: GetOptions) -> Result<Option<Bytes>> {
        self.check_links(key.as_str())?;
        let got = async {
            let found = self.store().get_opts(&self.path(key), options).await?;
            let size = found.range.end - found.range.start;
            found.bytes().await.map(|bytes| (size, bytes))
        };
        match got.await {
            // A connection that breaks may look like the end of a body.
            Ok((size, bytes)) if bytes.len() as u64 != size => {
                let short = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the body ended early");
                Err(Error::io("get", key, self, short))
            }
            Ok((_, bytes)) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::store("get", key, self, error)),
        }
    }

    /// Writes an object that must not exist yet. Durable when it returns.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreErrorKind::AlreadyExists`] where the object exists.
    pub async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version> {
        self.put_with(key, &bytes, PutMode::Create, &Attributes::new()).await
    }

    async fn has(&self, key: &Key, bytes: &Bytes) -> Result<bool> {
        Ok(self.get(key, None).await?.is_some_and(|found| found == bytes))
    }

    fn gone<T>(&self, key: &Key) -> Result<T> {
        Err(Error::io("head", key, self, std::io::ErrorKind::NotFound.into()))
    }

    /// Writes an object, over another if there is one. Durable when it returns.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn put(&self, key: &Key, bytes: Bytes) -> Result<Version> {
        self.put_with_attributes(key, bytes, &Attributes::new()).await
    }

    /// The same as [`Location::put`], with what of these attributes [can be kept](Location::keeps).
    pub(crate) async fn put_with_attributes(
        &self,
        key: &Key,
        bytes: Bytes,
        attributes: &Attributes,
    ) -> Result<Version> {
        self.put_with(key, &bytes, PutMode::Overwrite, &self.kept(attributes)).await
    }

    async fn put_with(&self, key: &Key, bytes: &Bytes, mode: PutMode, attributes: &Attributes) -> Result<Version> {
        let attempts = AtomicU32::new(0);
        let put = || async {
            attempts.fetch_add(1, Ordering::Relaxed);
            let attributes = attributes_from(attributes);
            let options = PutOptions { mode: mode.clone(), attributes, ..PutOptions::default() };
            let put = self.0.durable.put_opts(&self.path(key), bytes.clone().into(), options).await;
            put.map_err(|e| Error::store("put", key, self, e))
        };
        match retrying(self.0.patience, || self.in_its_directory(&put).boxed()).await {
            Ok(put) => {
                Ok(Version { e_tag: put.e_tag.map(Into::into), id: put.version.map(Into::into), modified: Utc::now() })
            }
            // Of an attempt whose answer was lost, only the object is left: it is ours if it has our bytes.
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. })
                if attempts.into_inner() > 1 && self.has(key, bytes).await? =>
            {
                self.head(key).await?.map_or_else(|| self.gone(key), |entry| Ok(entry.version))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes again where the directory of a file is gone: another run that ends removes it while it is empty, which it
    /// is until this write is done.
    async fn in_its_directory<T, F: Future<Output = Result<T>>>(&self, put: impl Fn() -> F) -> Result<T> {
        for _ in 0..DIRECTORY_REMOVED {
            match put().await {
                Err(Error::Store { kind: StoreErrorKind::NotFound, .. }) if self.directory().is_some() => {}
                done => return done,
            }
        }
        put().await
    }

    /// Deletes an object; that it is gone already is no error.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn delete(&self, key: &Key) -> Result<()> {
        retrying(self.0.patience, || self.deletion(self.delete_once(key)).boxed()).await
    }

    /// Deletes objects, as many at once as may be.
    pub(crate) async fn delete_all<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) -> Result<()> {
        let deletions = keys.into_iter().map(|key| self.delete(key).boxed()).collect();
        concurrent::run(deletions, MAX_CONCURRENT).await.map(drop)
    }

    async fn delete_once(&self, key: &Key) -> Result<()> {
        match self.store().delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => match StoreErrorKind::of(&error) {
                StoreErrorKind::NotFound => Ok(()),
                _ => Err(Error::store("delete", key, self, error)),
            },
        }
    }

    /// Whether anything is there: a directory for files, any object elsewhere.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn exists(&self) -> Result<bool> {
        match self.directory() {
            Some(directory) => Ok(directory.is_dir()),
            None => {
                let first = || async move {
                    let first = self.store().list(Some(&self.0.base)).try_next().await;
                    first.map_err(|e| self.not_listed("", e))
                };
                Ok(retrying(self.0.patience, || self.listing(first()).boxed()).await?.is_some())
            }
        }
    }

    pub(crate) fn entry(&self, meta: StoreMeta) -> Result<ObjectMeta> {
        let mut parts = meta.location.parts();
        self.0.base.parts().for_each(|_| drop(parts.next()));
        let key: Path = parts.collect();
        Ok(ObjectMeta {
            key: Key::try_from(&key)?,
            size: meta.size,
            version: Version {
                e_tag: meta.e_tag.map(Into::into),
                id: meta.version.map(Into::into),
                modified: meta.last_modified,
            },
        })
    }

    /// A key that object_store cannot hold ends its whole listing: the key is named.
    pub(crate) fn not_listed(&self, prefix: &str, error: object_store::Error) -> Error {
        use object_store::path::Error as PathError;
        let (key, reason) = match &error {
            object_store::Error::InvalidPath { source: PathError::EmptySegment { path } } => {
                (path, "it has an empty segment, which object_store cannot list; rename or delete the object")
            }
            object_store::Error::InvalidPath { source: PathError::BadSegment { path, .. } } => {
                (path, "it has a segment that object_store cannot list; rename or delete the object")
            }
            _ => return Error::store("list", prefix, self, error),
        };
        Error::InvalidKey { key: key.escape_default().to_string(), reason }
    }

    fn prefix_path(&self, prefix: &str) -> Path {
        match Key::parse(prefix) {
            Ok(key) => self.path(&key),
            Err(_) => self.0.base.clone(),
        }
    }

    async fn list_store_level(&self, prefix: &str) -> Result<ListLevel> {
        let found = self.store().list_with_delimiter(Some(&self.prefix_path(prefix))).await;
        let found = found.map_err(|e| self.not_listed(prefix, e))?;
        Ok(ListLevel {
            directories: found
                .common_prefixes
                .iter()
                .filter_map(|path| path.filename().map(ToOwned::to_owned))
                .collect(),
            entries: found.objects.into_iter().map(|meta| self.entry(meta)).collect::<Result<_>>()?,
        })
    }

    async fn list_store(&self, path: Path) -> Result<Vec<ObjectMeta>> {
        let mut listing = self.store().list(Some(&path));
        let mut entries = Vec::new();
        while let Some(meta) = listing.next().await {
            entries.push(self.entry(meta.map_err(|e| self.not_listed(path.as_ref(), e))?)?);
        }
        Ok(entries)
    }
}
