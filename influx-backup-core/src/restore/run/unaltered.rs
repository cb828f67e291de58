//! Whether what was restored is still there as it was written.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;

use super::Run;
use crate::{
    concurrent,
    error::Result,
    key::Key,
    location::{Location, ObjectTable, Version},
};

/// How many objects are asked about at once.
const HEADS_AT_ONCE: usize = 32;

impl Run {
    /// The finished objects that a listing of the target shows in the version that was written. Where it shows another one or
    /// none, stores are asked about the object: some have no entity tags in listings, or spell them differently.
    pub(super) async fn unaltered(
        &self,
        finished: &BTreeMap<Key, Option<Version>>,
        listed: &ObjectTable,
    ) -> Result<BTreeSet<Key>> {
        let mut unaltered = BTreeSet::new();
        let mut doubtful = Vec::new();
        for (key, written) in finished {
            match (listed.get(key), written) {
                (None, _) => {}
                (Some(found), Some(written)) if !self.shows(key, written, found.version) => {
                    doubtful.push(look(&self.place, key, written).boxed());
                }
                (Some(_), _) => {
                    unaltered.insert(key.clone());
                }
            }
        }
        unaltered.extend(concurrent::run(doubtful, HEADS_AT_ONCE).await?.into_iter().flatten());
        Ok(unaltered)
    }

    /// Whether a listing shows this version. Files may have their times back already.
    fn shows(&self, key: &Key, written: &Version, found: &Version) -> bool {
        let its_time = self.request.backup.object(key).map(|source| source.version.modified);
        let has_time = written.modified == found.modified || its_time == Some(found.modified);
        written.has_tag_of(found) || self.place.directory().is_some() && has_time
    }
}

/// The key, where the object is the version that was written, as far as its store has versions.
async fn look(place: &Location, key: &Key, written: &Version) -> Result<Option<Key>> {
    if place.directory().is_some() {
        return Ok(None);
    }
    let found = place.head(key).await?;
    let has_no_tags = |found: &Version| written.e_tag.is_none() || found.e_tag.is_none();
    let is_unaltered = found.is_some_and(|now| has_no_tags(&now.version) || written.has_tag_of(&now.version));
    Ok(is_unaltered.then(|| key.clone()))
}
