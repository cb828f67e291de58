//! [`StoredObjects`]: what really lies where a manifest says that the bytes of its objects are.

use std::collections::BTreeSet;

use futures::FutureExt;

use super::Backup;
use crate::{
    concurrent,
    error::Result,
    key::Key,
    layout::OWN_DIRECTORY,
    location::{Around, MAX_CONCURRENT, ObjectMeta, ObjectTable},
    record::ObjectRecord,
    table::Reader,
};

/// The listings of every place where a backup has bytes.
#[derive(Debug)]
pub(crate) struct StoredObjects {
    /// Below the backup itself, without the files of the backup tool.
    own: ObjectTable,
    /// Elsewhere in the repository.
    shared: ObjectTable,
}

impl Backup {
    /// Lists what is stored for the objects: the backup's own directory, and each directory of the repository that shared
    /// objects lie in. No request for a single object. What cannot be listed outside the prefixes of the cluster is passed over.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store); [`Error::Link`](crate::Error::Link) for a link in the place of an object.
    pub(crate) async fn list_stored(&self) -> Result<StoredObjects> {
        let Around { objects: mut own, unlisted, .. } = self.location().list_around().await?;
        let ids = self.manifest().cluster.prefixes();
        self.location().pass_over_outside(unlisted, ids.chain([OWN_DIRECTORY]))?;
        own.retain(|entry| entry.key.below(OWN_DIRECTORY).is_none());
        let shared = self.objects().filter_map(|record| record.stored.at);
        let directories: BTreeSet<String> = shared.map(|key| shared_directory(&key)).collect();
        let listings = directories.into_iter();
        let listings =
            listings.map(|directory| async move { self.repository().list_parallel(&directory).await }.boxed());
        let shared = concurrent::run(listings.collect(), MAX_CONCURRENT).await?.into_iter().flatten().collect();
        Ok(StoredObjects { own, shared })
    }
}

impl StoredObjects {
    /// For looking up many objects in the order of their keys.
    pub(crate) fn reader(&self) -> StoredReader<'_> {
        StoredReader { own: self.own.reader(), shared: self.shared.reader() }
    }

    /// The objects below the backup itself that its manifest does not name as lying there.
    pub(crate) fn unlisted<'a>(&'a self, backup: &'a Backup) -> impl Iterator<Item = Key> {
        let mut records = backup.reader();
        let mut is_named = move |key: &Key| records.get(key.as_str()).is_some_and(|record| record.stored.at.is_none());
        self.own.iter().map(|object| object.key).filter(move |key| !is_named(key))
    }
}

/// Looks up what lies somewhere for the objects of a manifest.
pub(crate) struct StoredReader<'a> {
    own: Reader<'a, ObjectMeta>,
    shared: Reader<'a, ObjectMeta>,
}

impl StoredReader<'_> {
    /// What lies there for an object, or `None` where it is missing. Its key is relative to the location that
    /// [`Backup::locate`] says.
    pub(crate) fn of(&mut self, record: &ObjectRecord) -> Option<&ObjectMeta> {
        match &record.stored.at {
            Some(at) => self.shared.get(at.as_str()),
            None => self.own.get(record.key.as_str()),
        }
    }
}

/// What is listed to find a shared object: the first two segments of its key.
fn shared_directory(key: &Key) -> String {
    let end = key.as_str().match_indices('/').nth(1).map_or(key.as_str().len(), |(at, _)| at);
    key.as_str()[..end].to_owned()
}
