//! [`Backup`]: a committed backup, opened.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};

use super::{FORMAT, Manifest, SegmentRef, segment};
use crate::{
    checksum::{Ends, sha256},
    error::{Error, Result},
    key::Key,
    location::{ChecksumMatch, Comparison, Links, Location},
    plan::BackupContents,
};
use crate::{
    layout::MANIFEST_KEY,
    lease::{Clock, LeaseScope, highest},
    record::{AbsentRecord, ObjectRecord},
};

const OTHER_LENGTH: &str = "it has another length than the manifest says";

/// How many bytes of an object are read and checked at once.
const PIECE: u64 = 8 << 20;

/// A committed backup: its manifest and its object list, checked against their checksums. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backup(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    repository: Location,
    location: Location,
    manifest: Manifest,
    sha256: String,
    objects: Vec<ObjectRecord>,
    absent: Vec<AbsentRecord>,
}

impl Backup {
    /// Opens the committed backup `name` of a repository and checks its object list.
    ///
    /// # Errors
    /// [`Error::BackupNotFound`] where nothing is committed under this name, [`Error::DamagedBackup`],
    /// [`Error::UnsupportedFormat`], [`Error::Store`].
    pub async fn open(repository: &Location, name: &str) -> Result<Self> {
        let location = repository.child(name)?;
        Self::read_at(repository, &location, name).await
    }

    /// Opens the committed backup at `location` itself, where its repository is not known: its bytes must all be its own.
    ///
    /// # Errors
    /// As for [`Backup::open`].
    pub async fn at(location: &Location) -> Result<Self> {
        Self::read_at(location, location, &location.to_string()).await
    }

    async fn read_at(repository: &Location, location: &Location, name: &str) -> Result<Self> {
        let location = location.with_links(Links::Refuse);
        let Some((manifest, sha256)) = read_manifest(&location).await? else {
            let found = uncommitted(&location).await?;
            return Err(Error::BackupNotFound { name: name.to_owned(), repository: repository.to_string(), found });
        };
        let objects: Vec<ObjectRecord> = read_list(&location, &manifest.objects).await?;
        let absent = read_list(&location, &manifest.absent).await?;
        if objects.len() as u64 != manifest.object_count || !objects.is_sorted_by(|a, b| a.key < b.key) {
            return Err(damaged("its object list is not the one that was committed"));
        }
        let repository = repository.clone();
        Ok(Self(Arc::new(Inner { repository, location, manifest, sha256, objects, absent })))
    }

    /// What the backup holds.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.manifest.name
    }

    /// Where it lies. Links inside it are refused.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// The repository it lies in.
    #[must_use]
    pub fn repository(&self) -> &Location {
        &self.0.repository
    }

    /// SHA-256 of the root manifest: write it down elsewhere, and nobody can alter the backup unnoticed.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.0.sha256
    }

    /// Every object, sorted by key.
    #[must_use]
    pub fn objects(&self) -> &[ObjectRecord] {
        &self.0.objects
    }

    /// What it holds, as planning needs it.
    #[must_use]
    pub fn contents(&self) -> BackupContents<'_> {
        let Inner { manifest, sha256, objects, .. } = &*self.0;
        BackupContents {
            name: &manifest.name,
            manifest_sha256: sha256,
            status: manifest.status,
            cluster: &manifest.cluster,
            certificate: &manifest.certificate,
            objects,
        }
    }

    /// Live files that neither the backup nor the source had.
    #[must_use]
    pub fn absent(&self) -> &[AbsentRecord] {
        &self.0.absent
    }

    /// Where the bytes of an object lie: the one place that knows.
    #[must_use]
    pub fn locate(&self, record: &ObjectRecord) -> (Location, Key) {
        match &record.stored.at {
            Some(at) => (self.0.repository.clone(), at.clone()),
            None => (self.0.location.clone(), record.key.clone()),
        }
    }

    /// Holds the checksums that its store gives for an object on HEAD against those of the manifest. No byte is read. Where
    /// the two have none in common, or the object is missing, nothing is known.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn compare(&self, record: &ObjectRecord) -> Result<ChecksumMatch> {
        let known = record.checksums();
        if known.is_empty() || !record.stored.encoding.is_plain() {
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
            ChecksumMatch::Mismatch => Err(altered(record, "its store has another checksum than the manifest")),
            ChecksumMatch::NotComparable => self.check(record).await.map(drop),
        }
    }

    /// The bytes of an object, decoded and checked against size and checksum.
    ///
    /// # Errors
    /// [`Error::DamagedBackup`] where they are missing or altered.
    pub async fn read(&self, record: &ObjectRecord) -> Result<Bytes> {
        self.read_whole(record).await.map(|(bytes, _)| bytes)
    }

    async fn read_whole(&self, record: &ObjectRecord) -> Result<(Bytes, Option<Ends>)> {
        let (location, key) = self.locate(record);
        let bytes = location.get(&key, None).await?.ok_or_else(|| altered(record, "it is missing"))?;
        let known = record.checksums();
        let mut comparison = Comparison::with(&known);
        comparison.update(&bytes);
        let ends = unaltered(record, bytes.len() as u64, comparison)?;
        Ok((bytes, ends))
    }

    /// Reads the bytes of an object as [`Backup::read`] does, and keeps no more of them than a piece at a time: how they
    /// begin and end is what is left.
    pub(crate) async fn check(&self, record: &ObjectRecord) -> Result<Option<Ends>> {
        if record.size <= PIECE {
            return self.read_whole(record).await.map(|(_, ends)| ends);
        }
        let (location, key) = self.locate(record);
        let known = record.checksums();
        let (mut comparison, mut length) = (Comparison::with(&known), 0);
        // A piece behind the end of an object is an error of its own at every store.
        let found = location.head(&key).await?.ok_or_else(|| altered(record, "it is missing"))?;
        if found.size != record.size {
            return Err(altered(record, OTHER_LENGTH));
        }
        while length < record.size {
            let piece = location.get_range(&key, length..record.size.min(length + PIECE)).await?;
            let piece = piece.ok_or_else(|| altered(record, "it is missing"))?;
            if piece.is_empty() {
                break;
            }
            length += piece.len() as u64;
            comparison.update(&piece);
        }
        unaltered(record, length, comparison)
    }
}

fn unaltered(record: &ObjectRecord, length: u64, comparison: Comparison<'_>) -> Result<Option<Ends>> {
    if length != record.size {
        return Err(altered(record, OTHER_LENGTH));
    }
    match comparison.finish() {
        (ChecksumMatch::Mismatch, _) => Err(altered(record, "its checksum is not the one in the manifest")),
        (ChecksumMatch::Equal | ChecksumMatch::NotComparable, ends) => Ok(ends),
    }
}

/// What is at `location`, where nothing was committed.
async fn uncommitted(location: &Location) -> Result<String> {
    if !location.exists().await? {
        return Ok("nothing has this name".to_owned());
    }
    match highest(location, &LeaseScope::Backup(String::new()), Clock::Ours).await? {
        Some(claimed) if claimed.is_held() => return Ok(format!("it is being written by {}", claimed.file)),
        Some(_) => return Ok("it was begun and never committed: resume it".to_owned()),
        None => {}
    }
    for name in location.list_level("").await.map(|level| level.directories).unwrap_or_default() {
        let Ok(manifest) = Key::parse(format!("{name}/{MANIFEST_KEY}")) else { continue };
        if let Ok(Some(_)) = location.head(&manifest).await {
            return Ok(format!("this is a repository of backups: give one of them, such as `{location}/{name}`"));
        }
    }
    Ok("there is something of this name that is no backup".to_owned())
}

/// The root manifest of the backup at `location` and its SHA-256, or `None` where nothing was committed.
pub(crate) async fn read_manifest(location: &Location) -> Result<Option<(Manifest, String)>> {
    let Some(bytes) = location.get(&Key::parse(MANIFEST_KEY)?, None).await? else { return Ok(None) };
    Ok(Some((parse_manifest(&bytes)?, sha256(&bytes))))
}

fn parse_manifest(bytes: &[u8]) -> Result<Manifest> {
    /// The one field that every format has.
    #[derive(Deserialize)]
    struct Versioned {
        format: u64,
    }
    let versioned: Versioned = serde_json::from_slice(bytes).map_err(|error| damaged(&error.to_string()))?;
    if versioned.format != FORMAT {
        let object = MANIFEST_KEY.to_owned();
        return Err(Error::UnsupportedFormat { object, found: versioned.format, supported: FORMAT });
    }
    serde_json::from_slice(bytes).map_err(|error| damaged(&error.to_string()))
}

async fn read_list<R: DeserializeOwned>(location: &Location, segments: &[SegmentRef]) -> Result<Vec<R>> {
    let mut records = Vec::new();
    for reference in segments {
        records.extend(segment::read(location, reference).await?);
    }
    Ok(records)
}

fn altered(record: &ObjectRecord, reason: &str) -> Error {
    Error::DamagedBackup { object: record.key.to_string(), reason: reason.to_owned() }
}

fn damaged(reason: &str) -> Error {
    Error::DamagedBackup { object: MANIFEST_KEY.to_owned(), reason: reason.to_owned() }
}
