//! Writing and deleting objects.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use chrono::Utc;
use futures::FutureExt;
use object_store::{ObjectStoreExt, PutMode, PutOptions};

use super::{Attributes, Location, MAX_CONCURRENT, Version, attributes_from};
use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    key::Key,
};

/// How often the directory of a file may be removed by other runs while the file is written.
const MAX_DIRECTORY_REMOVALS: u32 = 10;

impl Location {
    /// Writes an object that must not exist yet. Durable when it returns.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreErrorKind::AlreadyExists`] where the object exists.
    pub async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version> {
        self.put_with(key, &bytes, PutMode::Create, &Attributes::new()).await
    }

    /// The same as [`Location::create`], with those of these attributes that [can be kept](Location::keeps).
    pub(crate) async fn create_with_attributes(
        &self,
        key: &Key,
        bytes: Bytes,
        attributes: &Attributes,
    ) -> Result<Version> {
        self.put_with(key, &bytes, PutMode::Create, &self.kept(attributes)).await
    }

    /// Writes an object, over another if there is one. Durable when it returns.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn put(&self, key: &Key, bytes: Bytes) -> Result<Version> {
        self.put_with_attributes(key, bytes, &Attributes::new()).await
    }

    /// The same as [`Location::put`], with those of these attributes that [can be kept](Location::keeps).
    pub(crate) async fn put_with_attributes(
        &self,
        key: &Key,
        bytes: Bytes,
        attributes: &Attributes,
    ) -> Result<Version> {
        self.put_with(key, &bytes, PutMode::Overwrite, &self.kept(attributes)).await
    }

    pub(super) async fn put_with(
        &self,
        key: &Key,
        bytes: &Bytes,
        mode: PutMode,
        attributes: &Attributes,
    ) -> Result<Version> {
        let attempts = AtomicU32::new(0);
        let put = || async {
            attempts.fetch_add(1, Ordering::Relaxed);
            let attributes = attributes_from(attributes);
            let options = PutOptions { mode: mode.clone(), attributes, ..PutOptions::default() };
            let path = self.path(key);
            let put = self.0.durable.put_opts(&path, bytes.clone().into(), options);
            self.answer_to(bytes.len(), put).await.map_err(|error| Error::store("put", key, self, error))
        };
        match self.retry(|| self.in_its_directory(&put).boxed()).await {
            Ok(put) => {
                Ok(Version { e_tag: put.e_tag.map(Into::into), id: put.version.map(Into::into), modified: Utc::now() })
            }
            // The answer to an earlier attempt may have been lost: the object is this one's if it has its bytes.
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. })
                if attempts.into_inner() > 1 && self.has(key, bytes).await? =>
            {
                self.head(key).await?.map_or_else(|| self.gone(key), |entry| Ok(entry.version))
            }
            Err(error) => Err(error),
        }
    }

    async fn has(&self, key: &Key, bytes: &Bytes) -> Result<bool> {
        Ok(self.get(key, None).await?.is_some_and(|found| found == bytes))
    }

    fn gone<T>(&self, key: &Key) -> Result<T> {
        Err(Error::io("head", key, self, std::io::ErrorKind::NotFound.into()))
    }

    /// Writes again where the directory of a file is gone: another run that ends removes it while it is empty, which it
    /// is until this write is done.
    async fn in_its_directory<T, F: Future<Output = Result<T>>>(&self, put: impl Fn() -> F) -> Result<T> {
        for _ in 0..MAX_DIRECTORY_REMOVALS {
            match put().await {
                Err(Error::Store { kind: StoreErrorKind::NotFound, .. }) if self.directory().is_some() => {}
                done => return done,
            }
        }
        put().await
    }

    /// Deletes an object; if it is already gone, that is not an error.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn delete(&self, key: &Key) -> Result<()> {
        self.retry(|| self.deletion(self.delete_once(key)).boxed()).await
    }

    /// Deletes objects, as many at once as the budget for deletions allows.
    pub(crate) async fn delete_all<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) -> Result<()> {
        let deletions = keys.into_iter().map(|key| self.delete(key).boxed()).collect();
        concurrent::run(deletions, MAX_CONCURRENT).await.map(drop)
    }

    async fn delete_once(&self, key: &Key) -> Result<()> {
        match self.answer(self.store().delete(&self.path(key))).await {
            Ok(()) => Ok(()),
            Err(error) => match StoreErrorKind::of(&error) {
                StoreErrorKind::NotFound => Ok(()),
                _ => Err(Error::store("delete", key, self, error)),
            },
        }
    }
}
