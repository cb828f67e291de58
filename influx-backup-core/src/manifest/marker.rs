//! [`RepositoryMarker`]: what makes a location a repository.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::REPOSITORY_KEY,
    location::Location,
    versioned,
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
    /// Which release of this crate made it.
    pub written_by: String,
}

impl RepositoryMarker {
    fn new() -> Self {
        Self {
            format: FORMAT,
            min_reader: FORMAT,
            created: Utc::now(),
            id: format!("{:032x}", rand::random::<u128>()),
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Reads the marker of a repository, or `None` where there is none.
    pub(crate) async fn read(repository: &Location) -> Result<Option<Self>> {
        let bytes = repository.get(&Key::parse(REPOSITORY_KEY)?, None).await?;
        bytes.map(|bytes| Self::parse(&bytes)).transpose()
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

    fn parse(bytes: &[u8]) -> Result<Self> {
        versioned::parse(bytes, REPOSITORY_KEY, FORMAT)
    }
}
