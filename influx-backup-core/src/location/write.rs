//! Writing objects.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use chrono::Utc;
use futures::FutureExt;
use object_store::{Extensions, PutMode, PutOptions};

use super::{Attributes, Location, Provider, Version, Writers, attributes_from};
use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    read_limits,
};

/// How often the directory of a file may be removed by other runs while the file is written.
const MAX_DIRECTORY_REMOVALS: u32 = 10;

impl Location {
    /// Writes an object that must not exist yet. Durable when it returns.
    ///
    /// An object of these very bytes counts as written by this call where an answer may have been lost: after a failed
    /// attempt, and always in S3, Azure and Google, whose clients try again by themselves. So that only one of several
    /// writers succeeds, each has to write bytes of its own.
    ///
    /// Where the option `object_store_single_writer` is set, it is a look and then a write: there, the caller sees to it that
    /// there is one writer.
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
            let mode = match (&mode, self.writers()) {
                (PutMode::Create, Writers::Single) => {
                    self.require_vacant(key).await?;
                    PutMode::Overwrite
                }
                _ => mode.clone(),
            };
            let sent = self.send()?;
            let attributes = attributes_from(attributes);
            let options = PutOptions { mode, attributes, extensions: self.extensions(), ..PutOptions::default() };
            let path = self.store_path(key).map_err(|error| Error::store("put", key, self, error))?;
            let put = self.0.durable.put_opts(&path, bytes.clone().into(), options);
            let answer = self.answer_to(bytes.len(), put).await;
            sent.end(&answer);
            answer.map_err(|error| Error::store("put", key, self, error))
        };
        match self.retry(|| self.in_its_directory(&put).boxed()).await {
            // What it wrote has no tag that says which version it is.
            Ok(put) if put.e_tag.is_none() && self.directory().is_some() => {
                self.head(key).await?.map_or_else(|| self.gone(key), |entry| Ok(entry.version))
            }
            Ok(put) => {
                Ok(Version { e_tag: put.e_tag.map(Into::into), id: put.version.map(Into::into), modified: Utc::now() })
            }
            // The answer to an earlier attempt may have been lost: the object is this one's if it has its bytes.
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. })
                if (attempts.into_inner() > 1 || self.client_retries()) && self.has(key, bytes).await? =>
            {
                self.head(key).await?.map_or_else(|| self.gone(key), |entry| Ok(entry.version))
            }
            Err(error) => Err(error),
        }
    }

    /// What a request to write carries: how files are made here.
    pub(crate) fn extensions(&self) -> Extensions {
        let mut extensions = Extensions::new();
        if self.directory().is_some() {
            extensions.insert(*self.made());
        }
        extensions
    }

    /// Whether the client of the store makes a request again without being asked to.
    fn client_retries(&self) -> bool {
        matches!(self.provider(), Provider::S3 | Provider::Azure | Provider::Gcs)
    }

    async fn has(&self, key: &Key, bytes: &Bytes) -> Result<bool> {
        let found = self.get_within(key, read_limits::exactly(bytes)).await?;
        Ok(found.is_some_and(|found| found.as_ref() == Ok(bytes)))
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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::{
        location::Identity,
        testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    /// The store did it, and its answer was lost on the way.
    #[tokio::test(start_paused = true)]
    async fn an_object_whose_answer_was_lost_is_created() {
        let lost = Rule::new(Scope::of(Op::Put), When::Nth(1), Fault::LoseAnswer(Failure::Unreachable));
        let memory = Location::in_memory();
        let location =
            memory.through(|store| Arc::new(FaultyStore::new(store, FaultPlan::none().with(lost.clone()))) as Arc<_>);
        let key = Key::parse("_influx_backup/manifest.json").expect("a key");
        let version = location.create(&key, Bytes::from_static(b"own")).await.expect("created");
        assert_eq!(version.e_tag, memory.head(&key).await.expect("asked").expect("there").version.e_tag);
        let again = location.create(&key, Bytes::from_static(b"own")).await.expect_err("a second one");
        assert_eq!(again.code(), "object-exists");
    }

    /// Clients of clouds answer so where they tried twice and only the first answer was lost.
    #[tokio::test]
    async fn an_own_object_is_told_from_that_of_another_where_clients_retry() {
        let identity = Identity::S3 { endpoint: String::new(), bucket: "b".to_owned(), region: "r".to_owned() };
        let location = Location::with_store(Arc::new(InMemory::new()), "x".into(), identity);
        let key = Key::parse("_influx_backup/claim-000001").expect("a key");
        location.put(&key, Bytes::from_static(b"own")).await.expect("put");
        location.create(&key, Bytes::from_static(b"own")).await.expect("it is its own");
        let error = location.create(&key, Bytes::from_static(b"another's")).await.expect_err("another's");
        assert_eq!(error.code(), "object-exists");
    }
}
