//! [`RepositoryMarker`]: what makes a location a repository.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::WRITER;
use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::REPOSITORY_KEY,
    location::{Links, Location},
    read_limits, versioned,
};

/// The newest format of a repository that this release reads, and the one that it writes.
const FORMAT: u64 = 1;

/// The marker of a repository, `_influx_backup/repository.json`. The first backup writes it; it is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepositoryMarker {
    /// The version of the format.
    pub format: u64,
    /// The oldest version of the format whose readers can read this repository.
    pub min_reader: u64,
    /// When the repository was made.
    pub created: DateTime<Utc>,
    /// Tells this repository from every other one: 32 hexadecimal digits, chosen at random.
    pub id: String,
    /// Which program and release made it: `influx-backup 1.2.3`.
    pub written_by: String,
}

impl RepositoryMarker {
    fn new() -> Self {
        Self {
            format: FORMAT,
            min_reader: FORMAT,
            created: Utc::now(),
            id: format!("{:032x}", rand::random::<u128>()),
            written_by: WRITER.to_owned(),
        }
    }

    /// Reads the marker of a repository, or `None` where there is none.
    ///
    /// # Errors
    /// [`Error::DamagedMarker`] where it is something else than a marker, such as a link;
    /// [`Error::UnsupportedFormat`], [`Error::Store`].
    pub(crate) async fn read(repository: &Location) -> Result<Option<Self>> {
        let read = async {
            let found = repository.with_links(Links::Never);
            let found = found.get_within(&Key::parse(REPOSITORY_KEY)?, read_limits::SMALL).await?;
            let bytes = found.transpose().map_err(|large| Error::damaged(REPOSITORY_KEY, large.to_string()))?;
            bytes.map(|bytes| versioned::parse(&bytes, REPOSITORY_KEY, FORMAT)).transpose()
        };
        read.await.map_err(|error| {
            let reason = match error {
                Error::DamagedBackup { reason, .. } => reason,
                Error::Link { .. } => error.to_string(),
                error => return error,
            };
            Error::DamagedMarker { marker: format!("{repository}/{REPOSITORY_KEY}"), reason }
        })
    }

    /// Whether a repository has a marker, be it a damaged one: reading does without what is in it.
    ///
    /// # Errors
    /// [`Error::UnsupportedFormat`], [`Error::Store`].
    pub(crate) async fn is_there(repository: &Location) -> Result<bool> {
        match Self::read(repository).await {
            Ok(marker) => Ok(marker.is_some()),
            Err(Error::DamagedMarker { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Writes the marker of a repository that has none.
    pub(crate) async fn write_first(repository: &Location) -> Result<()> {
        if Self::read(repository).await?.is_some() {
            return Ok(());
        }
        let bytes = serde_json::to_vec_pretty(&Self::new())
            .map_err(|error| Error::Internal { task: "marker", source: Box::new(error) })?;
        match repository.create(&Key::parse(REPOSITORY_KEY)?, Bytes::from(bytes)).await {
            // Another backup has just made it: then it has to be one that this release can read.
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => Self::read(repository).await.map(drop),
            written => written.map(drop),
        }
    }
}
