//! Deletions of many objects by one request. What such a request leaves is deleted object by object, which says why it was left.

use std::collections::HashSet;

use futures::{FutureExt, StreamExt, stream};

use super::{Location, MAX_CONCURRENT, cloud::Handle};
use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    key::Key,
};

/// How many objects a request of S3 names. The client cuts them into less for Azure.
const AT_ONCE: usize = 1_000;

impl Location {
    /// Deletes objects by requests for many, and returns those that are left.
    pub(super) async fn delete_in_bulk(&self, keys: Vec<Key>) -> Result<Vec<Key>> {
        // A store of the caller's that wraps this one, or counts its requests, sees each deletion.
        let handle = self.handle().filter(|handle| keys.len() > 1 && self.0.pages.is_some() && handle.deletes_many());
        let Some(handle) = handle else { return Ok(keys) };
        let delete = |keys| self.retry(move || self.deletion(self.delete_many(handle, keys)).boxed());
        let requests = keys.chunks(AT_ONCE).map(|keys| delete(keys).boxed()).collect();
        Ok(concurrent::run(requests, MAX_CONCURRENT).await?.concat())
    }

    /// Deletes objects by one request, and returns those that are left: all of them where the store does not know the request, or
    /// refuses it.
    async fn delete_many(&self, handle: &Handle, keys: &[Key]) -> Result<Vec<Key>> {
        let sent = self.send()?;
        let paths: Vec<_> = keys.iter().map(|key| Ok(self.path(key))).collect();
        let mut answers = handle.store().delete_stream(stream::iter(paths).boxed());
        let mut deleted = HashSet::new();
        let all = async {
            let mut failure = Ok(());
            while let Some(answer) = answers.next().await {
                match answer {
                    Ok(path) => drop(deleted.insert(path)),
                    Err(error) => failure = Err(error),
                }
            }
            failure
        };
        let answer = self.answer(all).await;
        sent.end(&answer);
        if let Err(error) = answer
            && StoreErrorKind::of(&error) == StoreErrorKind::Unreachable
        {
            return Err(Error::store("delete", &keys[0], self, error));
        }
        Ok(keys.iter().filter(|key| !deleted.contains(&self.path(key))).cloned().collect())
    }
}
