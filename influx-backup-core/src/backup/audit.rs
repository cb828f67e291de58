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
    location::{ChecksumMatch, Location, MAX_CONCURRENT, ObjectMeta, ObjectTable, Version, VersionBefore},
    record::ObjectRecord,
    table::{Keyed, Packer, Row, Table, Unpacker, join},
};

/// How many objects are asked about at once.
const HEADS_AT_ONCE: usize = 32;

/// How a backup differs from its records.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Recorded objects that are not there as they were written.
    pub(super) altered: Table<Altered>,
    /// Objects that no record names, with the versions that were found.
    pub(super) unrecorded: ObjectTable,
}

/// An object that is not there as it was written.
#[derive(Debug)]
pub(super) struct Altered {
    pub(super) key: Key,
    reason: Reason,
    /// The version that was found, where one was.
    found: Option<Version>,
}

/// How an object is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Missing,
    OtherLength,
    OtherChecksum,
    OtherVersion,
}

impl Reason {
    const ALL: &[Self] = &[Self::Missing, Self::OtherLength, Self::OtherChecksum, Self::OtherVersion];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "is no longer there",
            Self::OtherLength => "has another length than was written",
            Self::OtherChecksum => "has another checksum than what was written",
            Self::OtherVersion => "is another version than was written",
        }
    }
}

impl Differences {
    pub(super) fn is_empty(&self) -> bool {
        self.altered.is_empty() && self.unrecorded.is_empty()
    }

    /// What was found and is not to stay.
    pub(super) fn to_delete(&self) -> impl Iterator<Item = (Key, Option<Version>)> {
        let altered = self.altered.iter().filter_map(|Altered { key, found, .. }| Some((key, found?)));
        let unrecorded = self.unrecorded.iter().map(|entry| (entry.key, entry.version));
        altered.chain(unrecorded).map(|(key, found)| (key, Some(found)))
    }

    /// The first of them in words.
    pub(super) fn summary(&self) -> String {
        match (self.altered.iter().next(), self.unrecorded.iter().next()) {
            (Some(Altered { key, reason, .. }), _) => format!("`{key}` {}", reason.as_str()),
            (None, Some(entry)) => format!("`{}` was not written by this run", entry.key),
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
    let listed = list(to).await?;
    let mut altered = Vec::new();
    let mut unrecorded = ObjectTable::default();
    let mut as_written = ObjectTable::default();
    let doubtful = join(index.records(), listed).filter_map(|pair| match pair {
        (Some(record), Some(entry)) if is_as_written(&record, &entry) => None,
        (Some(record), _) => Some(record),
        (None, entry) => {
            unrecorded.extend(entry);
            None
        }
    });
    let looks = doubtful.map(|record| look(to, record).boxed());
    concurrent::each(looks, HEADS_AT_ONCE, |found| match found {
        Found::AsWritten(found) => as_written.extend([found]),
        Found::Altered(found) => altered.push(found),
    })
    .await?;
    index.confirm(as_written);
    Ok(Differences { altered: altered.into_iter().collect(), unrecorded })
}

/// The objects of a backup, without this library's own files.
async fn list(to: &Location) -> Result<ObjectTable> {
    let top = to.list_level_outside("").await?.unwrap_or_default();
    let mut objects = top.entries;
    let directories = top.directories.into_iter().filter(|directory| directory != OWN_DIRECTORY);
    let listings = directories.map(|directory| async move { to.list_parallel(&directory).await }.boxed());
    for listing in concurrent::run(listings.collect(), MAX_CONCURRENT).await? {
        objects.extend(listing);
    }
    Ok(objects)
}

/// Whether a listing shows an object as it was written.
fn is_as_written(record: &ObjectRecord, found: &ObjectMeta) -> bool {
    let has_version = |written: &Version| written.has_tag_of(&found.version);
    found.size == record.stored.size && record.stored.version.as_ref().is_some_and(has_version)
}

/// What a second look at an object shows.
enum Found {
    AsWritten(ObjectMeta),
    Altered(Altered),
}

async fn look(to: &Location, record: ObjectRecord) -> Result<Found> {
    let key = record.key.clone();
    let Some((found, checksums)) = to.head_with_checksums(&key).await? else {
        return Ok(Found::Altered(Altered { key, reason: Reason::Missing, found: None }));
    };
    let compared = record.stored_checksums().compare(&checksums.computed_by(to.provider()));
    let reason = match compared {
        _ if found.size != record.stored.size => Reason::OtherLength,
        ChecksumMatch::Equal => return Ok(Found::AsWritten(found)),
        ChecksumMatch::Mismatch => Reason::OtherChecksum,
        ChecksumMatch::NotComparable if is_untouched(to, &record, &found.version) => {
            return Ok(Found::AsWritten(found));
        }
        ChecksumMatch::NotComparable => Reason::OtherVersion,
    };
    Ok(Found::Altered(Altered { key, reason, found: Some(found.version) }))
}

/// A version that no record has counts as written.
fn is_untouched(to: &Location, record: &ObjectRecord, found: &Version) -> bool {
    record.stored.version.as_ref().is_none_or(|written| to.is_version(written, found))
}

impl Keyed for Altered {
    fn key(&self) -> &str {
        self.key.as_str()
    }
}

impl Row for Altered {
    type Before = VersionBefore;

    fn pack(&self, before: &mut VersionBefore, packer: &mut Packer) {
        packer.one_of(Reason::ALL, &self.reason);
        packer.option(self.found.as_ref(), |packer, found| found.pack(0, before, packer));
    }

    fn unpack(key: &str, before: &mut VersionBefore, packed: &mut Unpacker<'_>) -> Self {
        let reason = packed.one_of(Reason::ALL);
        let found = packed.option(|packed| Version::unpack(0, before, packed));
        Self { key: Key::known(key), reason, found }
    }
}

#[cfg(test)]
mod tests;
