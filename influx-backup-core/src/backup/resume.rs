//! Going on with a backup that another run began.

use std::collections::BTreeMap;

use super::journal;
use crate::{error::Result, key::Key, layout::OWN_DIRECTORY, location::Location, record::ObjectRecord};

/// What an unfinished backup holds: what its journal names and the store has with that size. Everything else that lies
/// there is deleted: an object without a journal line is copied again, never trusted by its name.
pub(super) async fn index(to: &Location) -> Result<BTreeMap<Key, ObjectRecord>> {
    let mut journalled = journal::read(to).await?;
    let (mut held, mut unknown) = (BTreeMap::new(), Vec::new());
    for entry in to.list("").await? {
        if entry.key.below(OWN_DIRECTORY).is_some() {
            continue;
        }
        match journalled.remove(&entry.key) {
            Some(record) if record.stored.size == entry.size => {
                held.insert(entry.key, record);
            }
            _ => unknown.push(entry.key),
        }
    }
    to.delete_all(&unknown).await?;
    Ok(held)
}
