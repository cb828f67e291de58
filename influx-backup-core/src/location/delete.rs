//! Deleting objects.
//!
//! What another process may have written meanwhile is deleted by its version: by a process that was suspended, a server may
//! have been started, or the backup committed, before its last request arrives. Which store does what:
//!
//! | store | how a version is deleted |
//! |---|---|
//! | Azure | `If-Match` with the entity tag |
//! | Google | `x-goog-if-generation-match` with the generation |
//! | S3 | `If-Match` with the entity tag; services that ignore it or do not know it, and buckets without signatures: as files |
//! | files, memory, stores of the caller | a look just before; what is written between the look and the deletion is deleted |
//!
//! The look comes first everywhere: listings spell versions differently, and have no generations.
//!
//! What nothing else writes is deleted without a condition, many objects by one request where the store has one: `bulk.rs`.

use futures::FutureExt;
use object_store::ObjectStoreExt;

use super::{Location, MAX_CONCURRENT, ObjectMeta, Version};
use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    key::Key,
};

/// What became of a version that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// It is gone.
    Done,
    /// Another version has taken its place, and stays.
    Replaced,
}

impl Location {
    /// Deletes an object; if it is already gone, that is not an error.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn delete(&self, key: &Key) -> Result<()> {
        self.retry(|| self.deletion(self.delete_once(key)).boxed()).await
    }

    /// Deletes objects: many by one request where the store has such, else as many at once as the budget for deletions allows.
    pub(crate) async fn delete_all(&self, keys: impl IntoIterator<Item = Key>) -> Result<()> {
        #[cfg(feature = "cloud")]
        let keys = self.delete_in_bulk(keys.into_iter().collect()).await?;
        let deletions = keys.into_iter().map(|key| async move { self.delete(&key).await }.boxed()).collect();
        concurrent::run(deletions, MAX_CONCURRENT).await.map(drop)
    }

    /// Deletes this version of an object. Another version stays. If it is already gone, that is not an error.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Link`] as for [`Location::head`].
    pub async fn delete_version(&self, key: &Key, version: &Version) -> Result<()> {
        self.delete_unless_replaced(key, version).await.map(drop)
    }

    async fn delete_unless_replaced(&self, key: &Key, version: &Version) -> Result<Deletion> {
        // Each attempt looks anew: the answer to the one before may have been lost.
        let attempt = || async move {
            match self.head(key).await? {
                Some(found) if self.is_version(version, &found.version) || self.is_named(version, &found).await? => {
                    self.deletion(self.delete_found(key, &found.version)).await
                }
                Some(_) => Ok(Deletion::Replaced),
                None => Ok(Deletion::Done),
            }
        };
        self.retry(|| attempt().boxed()).await
    }

    /// The same where the version may not be known: then the one that is there now is meant.
    pub(crate) async fn delete_version_or_current(&self, key: &Key, version: Option<&Version>) -> Result<Deletion> {
        if let Some(version) = version {
            return self.delete_unless_replaced(key, version).await;
        }
        match self.head(key).await? {
            Some(found) => self.delete_unless_replaced(key, &found.version).await,
            None => Ok(Deletion::Done),
        }
    }

    /// The same for many objects, with an answer for each in their order, as many at once as the budget for deletions allows.
    pub(crate) async fn delete_versions(
        &self,
        objects: impl IntoIterator<Item = (Key, Option<Version>)>,
    ) -> Result<Vec<Deletion>> {
        let delete = |(key, version): (Key, Option<Version>)| async move {
            self.delete_version_or_current(&key, version.as_ref()).await
        };
        let deletions = objects.into_iter().map(|object| delete(object).boxed()).collect();
        concurrent::run(deletions, MAX_CONCURRENT).await
    }

    /// Whether `found` is the version that is meant.
    pub(crate) fn is_version(&self, meant: &Version, found: &Version) -> bool {
        if self.directory().is_some() {
            // Some network file systems number their files anew.
            return meant.has_tag_of(found) || meant.modified == found.modified;
        }
        if meant.e_tag.is_none() || found.e_tag.is_none() {
            // Not every store gives tags in listings.
            return meant.is_as_old(found);
        }
        meant.has_tag_of(found)
    }

    /// Whether the store only shows another entity tag for what was found than its listing did. Each object is looked at: what
    /// is deleted is gone.
    async fn is_named(&self, meant: &Version, found: &ObjectMeta) -> Result<bool> {
        if self.directory().is_some() || !meant.is_as_old(&found.version) {
            return Ok(false);
        }
        let listed = self.list_one(&found.key).await?;
        let is_there = self.head(&found.key).await?.as_ref() == Some(found);
        Ok(is_there && listed.is_some_and(|listed| listed.version.is_same(meant) && listed.size == found.size))
    }

    /// Deletes the version that a look has just found, on that condition where the store takes one.
    #[cfg(feature = "cloud")]
    async fn delete_found(&self, key: &Key, found: &Version) -> Result<Deletion> {
        let Some(handle) = self.handle() else { return self.delete_once(key).await.map(|()| Deletion::Done) };
        let sent = self.send()?;
        let answer = self.answer(handle.delete_version(&self.path(key), found).boxed()).await;
        sent.end(&answer);
        match answer {
            Ok(Deletion::Replaced) if self.has_still(key, found).await? => {
                self.delete_once(key).await.map(|()| Deletion::Done)
            }
            Ok(deletion) => Ok(deletion),
            Err(error) => match StoreErrorKind::of(&error) {
                StoreErrorKind::NotFound => Ok(Deletion::Done),
                StoreErrorKind::Changed => Ok(Deletion::Replaced),
                kind if kind.is_transient() => Err(Error::store("delete", key, self, error)),
                // Without conditions, or without the right to more than a deletion.
                _ => self.delete_once(key).await.map(|()| Deletion::Done),
            },
        }
    }

    #[cfg(not(feature = "cloud"))]
    async fn delete_found(&self, key: &Key, _found: &Version) -> Result<Deletion> {
        self.delete_once(key).await.map(|()| Deletion::Done)
    }

    /// Whether a version is there after the store said that it is another one: such a store refuses its own entity tag.
    #[cfg(feature = "cloud")]
    async fn has_still(&self, key: &Key, version: &Version) -> Result<bool> {
        Ok(self.head(key).await?.is_some_and(|found| found.version == *version))
    }

    async fn delete_once(&self, key: &Key) -> Result<()> {
        let sent = self.send()?;
        let path = self.store_path(key).map_err(|error| Error::store("delete", key, self, error))?;
        let answer = self.answer(self.store().delete(&path)).await;
        sent.end(&answer);
        match answer {
            Ok(()) => Ok(()),
            Err(error) => match StoreErrorKind::of(&error) {
                StoreErrorKind::NotFound => Ok(()),
                _ => Err(Error::store("delete", key, self, error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;
    use tokio::time::sleep;
    #[cfg(feature = "aws")]
    use {
        crate::location::fence::{Counting, OpenWhile},
        std::sync::atomic::{AtomicU32, Ordering},
        tokio::{
            io::{AsyncReadExt, AsyncWriteExt},
            net::TcpListener,
        },
    };

    use super::*;
    use crate::{
        location::StoreOptions,
        testing::{
            conformance::deletion_conformance,
            fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
        },
    };

    #[tokio::test]
    async fn memory_and_files_delete_versions() {
        let directory = tempfile::tempdir().expect("made");
        let files = Location::parse(directory.path().to_str().expect("UTF-8"), &StoreOptions::default());
        for location in [Location::in_memory(), files.expect("a location")] {
            deletion_conformance(&location).await;
        }
    }

    /// The first deletion is done and its answer is lost; before the second, another process writes.
    #[tokio::test(start_paused = true)]
    async fn what_is_written_after_a_lost_answer_stays() {
        let memory = Location::in_memory();
        let plan = FaultPlan::none().with(Rule::new(
            Scope::of(Op::Delete),
            When::Nth(1),
            Fault::LoseAnswer(Failure::Unreachable),
        ));
        let location = memory.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        let key = Key::parse("n/wal/00000000051.wal").expect("a key");
        memory.put(&key, Bytes::from_static(b"before")).await.expect("put");
        let version = memory.head(&key).await.expect("asked").expect("there").version;
        let server = async {
            sleep(Duration::from_millis(1)).await;
            memory.put(&key, Bytes::from_static(b"a server's")).await.expect("put");
        };
        let (deleted, ()) = tokio::join!(location.delete_version(&key, &version), server);
        deleted.expect("deleted");
        assert_eq!(memory.get(&key, None).await.expect("read").expect("there"), "a server's");
    }

    /// A store of one object, which answers its first deletion with this status, or by the end of the connection.
    #[cfg(feature = "aws")]
    async fn store_of_one_object(first: Option<u16>) -> (Location, Arc<AtomicU32>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let deletions = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&deletions);
        tokio::spawn(async move {
            let mut has_refused = false;
            while let Ok((mut client, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && client.read_buf(&mut request).await.is_ok_and(|read| read > 0)
                {
                }
                let request = String::from_utf8_lossy(&request).to_lowercase();
                let status = if request.starts_with("delete ") {
                    assert!(request.contains("if-match: \"one\""), "{request}");
                    let is_first = counted.fetch_add(1, Ordering::Relaxed) == 0;
                    has_refused = is_first && first == Some(412);
                    if is_first { first } else { Some(204) }
                } else {
                    Some(200)
                };
                // What it refused was another version for a moment.
                let tag =
                    if !request.starts_with("delete ") && std::mem::take(&mut has_refused) { "two" } else { "one" };
                let object =
                    format!("etag: \"{tag}\"\r\nlast-modified: Wed, 21 Oct 2015 07:28:00 GMT\r\ncontent-length: 0\r\n");
                if let Some(status) = status {
                    let answer = format!("HTTP/1.1 {status} Status\r\n{object}connection: close\r\n\r\n");
                    client.write_all(answer.as_bytes()).await.expect("sent");
                }
            }
        });
        let options = [
            ("aws_endpoint", endpoint.as_str()),
            ("aws_allow_http", "true"),
            ("aws_access_key_id", "k"),
            ("aws_secret_access_key", "s"),
        ];
        (Location::parse("s3://bucket", &options.into_iter().collect()).expect("a location"), deletions)
    }

    /// A deletion on a condition is a request of this crate's own: where its answer is missing, it is cut off like any other.
    #[cfg(feature = "aws")]
    #[tokio::test]
    async fn a_deletion_of_a_version_is_recorded_as_sent() {
        let key = Key::parse("n/wal/1").expect("a key");
        for (first, cut_off, sent) in
            [(Some(204), 0, 1), (Some(412), 0, 1), (Some(503), 0, 2), (Some(502), 1, 2), (None, 1, 2)]
        {
            let (location, deletions) = store_of_one_object(first).await;
            let fence = Arc::new(Counting::default());
            let fenced = location.fenced(Arc::clone(&fence) as _);
            let version = fenced.head(&key).await.expect("asked").expect("there").version;
            fenced.delete_version(&key, &version).await.expect("deleted");
            assert_eq!((fence.count(), deletions.load(Ordering::Relaxed)), (cut_off, sent), "{first:?}");
            let shut = location.fenced(Arc::new(OpenWhile(|| false)));
            let error = shut.delete_version(&key, &version).await.expect_err("another process has taken over");
            assert_eq!(
                (error.code(), deletions.load(Ordering::Relaxed)),
                ("lease-lost", sent),
                "{first:?}: none is sent"
            );
        }
    }
}
