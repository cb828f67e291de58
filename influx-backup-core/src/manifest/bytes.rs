//! The bytes of a backup's objects: found, checked and decoded.

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::Backup;
use crate::{
    checksum::Ends,
    error::{Error, Result},
    key::Key,
    location::{ChecksumMatch, Comparison, FILE_BLOCK, Location},
    read_limits::{self, TooLarge},
    record::{Encoding, ObjectRecord},
    units::ByteSize,
};

const MISSING: &str = "it is missing";
const OTHER_LENGTH: &str = "it has another length than the manifest says";

/// How many bytes of an object are read and checked at once: so many that a store needs few requests for it.
pub(crate) const PIECE: u64 = 8 << 20;

/// The same at this location: of a file, no more than one block.
fn piece(location: &Location) -> u64 {
    if location.directory().is_some() { FILE_BLOCK as u64 } else { PIECE }
}

impl Backup {
    /// Where the bytes of an object lie: the one place that knows.
    #[must_use]
    pub fn locate(&self, record: &ObjectRecord) -> (Location, Key) {
        match &record.stored.at {
            Some(at) => (self.repository().clone(), at.clone()),
            None => (self.location().clone(), record.key.clone()),
        }
    }

    /// Compares the checksums that the store gives for an object on HEAD with those of the manifest. No byte is read. Where
    /// the two have none in common, or the object is missing, nothing is known.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn compare(&self, record: &ObjectRecord) -> Result<ChecksumMatch> {
        let known = record.stored_checksums();
        if known.is_empty() {
            return Ok(ChecksumMatch::NotComparable);
        }
        let (location, key) = self.locate(record);
        let found = location.head_with_checksums(&key).await?;
        Ok(found.map_or(ChecksumMatch::NotComparable, |(_, stored)| known.compare(&stored)))
    }

    /// Checks the bytes of an object by the checksums of its store, and by reading them where it has none to compare.
    ///
    /// # Errors
    /// As for [`Backup::read`].
    pub async fn confirm(&self, record: &ObjectRecord) -> Result<()> {
        match self.compare(record).await? {
            ChecksumMatch::Equal => Ok(()),
            ChecksumMatch::Mismatch => {
                let damaged = Error::damaged(&record.key, "its store has another checksum than the manifest");
                Err(damaged.in_backup(self.location()))
            }
            ChecksumMatch::NotComparable => self.check(record).await.map(drop),
        }
    }

    /// The bytes of an object of at most 5 GiB, checked against size and checksum, and decoded.
    ///
    /// # Errors
    /// [`Error::DamagedBackup`] where they are missing, altered or more.
    pub async fn read(&self, record: &ObjectRecord) -> Result<Bytes> {
        self.read_within(record, read_limits::OBJECT).await
    }

    /// The bytes of an object of which `most` are read.
    pub(crate) async fn read_within(&self, record: &ObjectRecord, most: ByteSize) -> Result<Bytes> {
        let read = async {
            TooLarge::check(record.stored.size, most)
                .map_err(|large| Error::damaged(&record.key, large.to_string()))?;
            let (location, key) = self.locate(record);
            read_whole(record, &location, &key).await
        };
        read.await.map(|(bytes, _)| bytes).map_err(|error| error.in_backup(self.location()))
    }

    /// Checks the bytes of a plain copy of an object, which lies under its own key elsewhere.
    ///
    /// # Errors
    /// As for [`Backup::read`].
    pub(crate) async fn check_copy(&self, record: &ObjectRecord, copy: &Location) -> Result<()> {
        check_pieces(record, copy, &record.key, None).await.map(drop)
    }

    /// Reads the bytes of an object as [`Backup::read`] does, but keeps no more than a piece of them at a time. What is left
    /// is how they begin and end.
    pub(crate) async fn check(&self, record: &ObjectRecord) -> Result<Option<Ends>> {
        let (location, key) = self.locate(record);
        let checked = check_pieces(record, &location, &key, None).await;
        checked.map_err(|error| error.in_backup(self.location()))
    }

    /// The same, and hands on the pieces, of which there may be none: whether they are the right ones shows at their end.
    pub(crate) async fn pieces(&self, record: &ObjectRecord, pieces: &Sender<Bytes>) -> Result<()> {
        let (location, key) = self.locate(record);
        let checked = check_pieces(record, &location, &key, Some(pieces)).await;
        checked.map(drop).map_err(|error| error.in_backup(self.location()))
    }
}

async fn read_whole(record: &ObjectRecord, location: &Location, key: &Key) -> Result<(Bytes, Option<Ends>)> {
    let found = location.get_within(key, ByteSize(record.stored.size)).await?;
    let found = found.ok_or_else(|| Error::damaged(&record.key, MISSING))?;
    let bytes = found.map_err(|_| Error::damaged(&record.key, OTHER_LENGTH))?;
    let known = record.stored_checksums();
    let mut comparison = Comparison::with(&known).and(record.stored_blake3());
    comparison.update(&bytes);
    let ends = unaltered(record, bytes.len() as u64, comparison)?;
    Ok((decode(record.stored.encoding, bytes), ends))
}

/// Checks the bytes of an object that lie under this key, at most a piece at a time, and hands the pieces on.
async fn check_pieces(
    record: &ObjectRecord,
    location: &Location,
    key: &Key,
    pieces: Option<&Sender<Bytes>>,
) -> Result<Option<Ends>> {
    let size = record.stored.size;
    let most = piece(location);
    let _held = location.hold(size.min(most)).await;
    if size <= most && pieces.is_none() {
        return read_whole(record, location, key).await.map(|(_, ends)| ends);
    }
    let missing = || Error::damaged(&record.key, MISSING);
    let known = record.stored_checksums();
    let mut comparison = Comparison::with(&known).and(record.stored_blake3());
    let mut length = 0;
    // A piece behind the end of an object is an error of its own at every store.
    let found = location.head(key).await?.ok_or_else(missing)?;
    if found.size != size {
        return Err(Error::damaged(&record.key, OTHER_LENGTH));
    }
    while length < size {
        let piece = location.get_range(key, length..size.min(length + most)).await?;
        let piece = piece.ok_or_else(missing)?;
        if piece.is_empty() {
            break;
        }
        length += piece.len() as u64;
        comparison.update(&piece);
        if let Some(pieces) = pieces {
            // Who has seen enough of them has gone.
            let _ = pieces.send(piece).await;
        }
    }
    unaltered(record, length, comparison)
}

/// The bytes as they were in the source. An encoding that is not plain also has to compare what it decoded with
/// [`ObjectRecord::content_checksums`].
fn decode(encoding: Encoding, bytes: Bytes) -> Bytes {
    match encoding {
        Encoding::Plain => bytes,
    }
}

fn unaltered(record: &ObjectRecord, length: u64, comparison: Comparison<'_>) -> Result<Option<Ends>> {
    if length != record.stored.size {
        return Err(Error::damaged(&record.key, OTHER_LENGTH));
    }
    match comparison.finish() {
        (ChecksumMatch::Mismatch, _) => Err(Error::damaged(&record.key, "its checksum is not the one in the manifest")),
        (ChecksumMatch::Equal | ChecksumMatch::NotComparable, ends) => Ok(ends),
    }
}
