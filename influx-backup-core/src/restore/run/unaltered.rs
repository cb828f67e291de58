//! Whether what was restored is still there as it was written.

use futures::FutureExt;

use super::{super::journal::Finished, Run};
use crate::{
    concurrent,
    error::Result,
    key::Key,
    location::{Location, ObjectMeta, ObjectTable, Version},
    record::ObjectRecord,
    table::{Builder, Table},
};

/// How many objects are asked about at once.
const HEADS_AT_ONCE: usize = 32;

impl Run {
    /// The finished objects that a listing of the target shows in the version that was written. Where it shows another one or
    /// none, stores are asked about the object: some have no entity tags in listings, or spell them differently.
    pub(super) async fn unaltered(&self, finished: &Table<Finished>, listed: &ObjectTable) -> Result<Table<Key>> {
        let mut objects = listed.reader();
        let mut records = self.request.backup.reader();
        let mut shown = Builder::default();
        let mut asked = Builder::default();
        let doubtful = finished.iter().filter_map(|Finished { key, version }| {
            let found = objects.get(key.as_str())?;
            match version {
                Some(written) if !self.shows(records.get(key.as_str()), &written, found) => Some((key, written)),
                _ => {
                    shown.push(key);
                    None
                }
            }
        });
        let looks = doubtful.map(|(key, written)| look(&self.place, key, written).boxed());
        concurrent::each(looks, HEADS_AT_ONCE, |unaltered| unaltered.into_iter().for_each(|key| asked.push(key)))
            .await?;
        let mut unaltered = shown.finish();
        unaltered.extend(asked.finish());
        Ok(unaltered)
    }

    /// Whether a listing shows this version. Files may have their times back already.
    fn shows(&self, record: Option<&ObjectRecord>, written: &Version, found: &ObjectMeta) -> bool {
        let its_time = record.map(|source| source.version.modified);
        let has_time = written.modified == found.version.modified || its_time == Some(found.version.modified);
        written.has_tag_of(&found.version) || self.place.directory().is_some() && has_time
    }
}

/// The key, where the object is the version that was written, as far as its store has versions.
async fn look(place: &Location, key: Key, written: Version) -> Result<Option<Key>> {
    if place.directory().is_some() {
        return Ok(None);
    }
    let found = place.head(&key).await?;
    let has_no_tags = |found: &Version| written.e_tag.is_none() || found.e_tag.is_none();
    let is_unaltered = found.is_some_and(|now| has_no_tags(&now.version) || written.has_tag_of(&now.version));
    Ok(is_unaltered.then_some(key))
}
