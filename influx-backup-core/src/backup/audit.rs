//! The look at the backup before its commit: every record is compared with what the backup's store has.
//!
//! A record says what was written, which may be hours ago. Since then a lifecycle rule, another program, or a request of an
//! earlier attempt that arrived late may have removed or replaced the object, or written one that no record names.

use futures::FutureExt;

use super::index::Index;
use crate::{
    concurrent,
    error::{Error, Result},
    key::Key,
    layout::OWN_DIRECTORY,
    location::{ChecksumMatch, Location, ObjectTable, Version},
    record::ObjectRecord,
};

/// How many objects are asked about at once.
const HEADS_AT_ONCE: usize = 32;

/// How a backup differs from its records.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Recorded objects that are not there as they were written.
    pub(super) altered: Vec<Altered>,
    /// Objects that no record names, with the versions that were found.
    pub(super) unrecorded: Vec<(Key, Version)>,
}

/// An object that is not there as it was written.
#[derive(Debug)]
pub(super) struct Altered {
    pub(super) key: Key,
    reason: &'static str,
    /// The version that was found, where one was.
    found: Option<Version>,
}

impl Differences {
    pub(super) fn is_empty(&self) -> bool {
        self.altered.is_empty() && self.unrecorded.is_empty()
    }

    /// What was found and is not to stay.
    pub(super) fn to_delete(&self) -> impl Iterator<Item = (Key, Option<Version>)> {
        let altered = self.altered.iter().filter_map(|Altered { key, found, .. }| Some((key, found.as_ref()?)));
        let unrecorded = self.unrecorded.iter().map(|(key, found)| (key, found));
        altered.chain(unrecorded).map(|(key, found)| (key.clone(), Some(found.clone())))
    }

    /// The first of them in words.
    pub(super) fn summary(&self) -> String {
        match (self.altered.first(), self.unrecorded.first()) {
            (Some(Altered { key, reason, .. }), _) => format!("`{key}` {reason}"),
            (None, Some((key, _))) => format!("`{key}` was not written by this run"),
            (None, None) => String::new(),
        }
    }

    /// They come again and again.
    pub(super) fn into_error(self) -> Error {
        let altered = self.altered.len();
        let unrecorded = self.unrecorded.len();
        let reason = format!("{}; {altered} objects altered, {unrecorded} unrecorded", self.summary());
        Error::BackupAltered { reason }
    }
}

/// Lists the backup and compares it with its records. What the listing does not show as it was written is checked
/// again: some stores spell versions in listings differently, and a listing is not a snapshot.
pub(super) async fn audit(to: &Location, index: &mut Index) -> Result<Differences> {
    let (doubtful, unrecorded) = compare(index.records(), list(to).await?);
    let looks = doubtful.iter().map(|record| look(to, record).boxed()).collect();
    let looks = concurrent::run(looks, HEADS_AT_ONCE).await?;
    let mut differences = Differences { altered: Vec::new(), unrecorded };
    for (key, found) in looks {
        match found {
            Found::AsWritten(version) => {
                if let Some(record) = index.get_mut(&key) {
                    record.stored.version = Some(version);
                }
            }
            Found::Altered(reason, found) => differences.altered.push(Altered { key, reason, found }),
        }
    }
    Ok(differences)
}

/// The objects of a backup, without this library's own files.
async fn list(to: &Location) -> Result<ObjectTable> {
    let top = to.list_level_outside("").await?.unwrap_or_default();
    let mut objects = Vec::from_iter(top.entries);
    for directory in top.directories.iter().filter(|directory| *directory != OWN_DIRECTORY) {
        objects.extend(to.list_parallel(directory).await?);
    }
    Ok(objects.into())
}

/// The objects that a listing does not show as they were written, and the unrecorded ones. Both sides are sorted by key.
fn compare<'a>(
    written: impl Iterator<Item = &'a ObjectRecord>,
    listed: ObjectTable,
) -> (Vec<ObjectRecord>, Vec<(Key, Version)>) {
    let mut listed = listed.into_iter().peekable();
    let mut doubtful = Vec::new();
    let mut unrecorded = Vec::new();
    for record in written {
        let key = &record.key;
        while let Some(other) = listed.next_if(|entry| entry.key < *key) {
            unrecorded.push((other.key, other.version));
        }
        match listed.next_if(|entry| entry.key == *key) {
            Some(entry) if entry.size == record.stored.size && has_version(record, &entry.version) => {}
            _ => doubtful.push(record.clone()),
        }
    }
    unrecorded.extend(listed.map(|entry| (entry.key, entry.version)));
    (doubtful, unrecorded)
}

/// Whether an entity tag shows that this is the version that was written.
fn has_version(record: &ObjectRecord, found: &Version) -> bool {
    record.stored.version.as_ref().is_some_and(|written| written.has_tag_of(found))
}

/// What a second look at an object shows.
enum Found {
    AsWritten(Version),
    Altered(&'static str, Option<Version>),
}

async fn look(to: &Location, record: &ObjectRecord) -> Result<(Key, Found)> {
    let key = record.key.clone();
    let Some((found, checksums)) = to.head_with_checksums(&key).await? else {
        return Ok((key, Found::Altered("is no longer there", None)));
    };
    if found.size != record.stored.size {
        return Ok((key, Found::Altered("has another length than was written", Some(found.version))));
    }
    let compared = record.stored_checksums().compare(&checksums.computed_by(to.provider()));
    let found = match compared {
        ChecksumMatch::Equal => Found::AsWritten(found.version),
        ChecksumMatch::Mismatch => Found::Altered("has another checksum than what was written", Some(found.version)),
        ChecksumMatch::NotComparable if is_untouched(to, record, &found.version) => Found::AsWritten(found.version),
        ChecksumMatch::NotComparable => Found::Altered("is another version than was written", Some(found.version)),
    };
    Ok((key, found))
}

/// A version that no record has counts as written.
fn is_untouched(to: &Location, record: &ObjectRecord, found: &Version) -> bool {
    record.stored.version.as_ref().is_none_or(|written| to.is_version(written, found))
}

#[cfg(test)]
mod tests;
