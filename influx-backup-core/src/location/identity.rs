//! Who keeps the objects of a location.

use serde::{Deserialize, Serialize};

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Provider {
    /// A local file system.
    File,
    /// AWS S3 or a store that speaks S3.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Gcs,
    /// Memory: tests only.
    Memory,
}

/// What tells one store from another, without any secret.
///
/// Before 3.10 InfluxDB binds a license to exactly this (and to the cluster id).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Identity {
    /// A directory, links resolved as far as it exists.
    File {
        /// Its absolute path.
        path: String,
    },
    /// An S3 bucket.
    S3 {
        /// The endpoint, empty for AWS.
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// The region.
        region: String,
    },
    /// An Azure container.
    Azure {
        /// The storage account.
        account: String,
        /// The container.
        container: String,
    },
    /// A Google bucket.
    Gcs {
        /// The base URL, empty for Google's own.
        base_url: String,
        /// The bucket.
        bucket: String,
    },
    /// Memory, in tests.
    Test,
}

impl Identity {
    /// The kind of the store.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::File { .. } => Provider::File,
            Self::S3 { .. } => Provider::S3,
            Self::Azure { .. } => Provider::Azure,
            Self::Gcs { .. } => Provider::Gcs,
            Self::Test => Provider::Memory,
        }
    }

    /// Whether both name one bucket, container or file system.
    #[must_use]
    pub fn same_store(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { .. }, Self::File { .. }) => true,
            _ => self == other,
        }
    }

    pub(super) fn child(&self, tail: &str) -> Self {
        match self {
            Self::File { path } => Self::File { path: format!("{}/{tail}", path.trim_end_matches('/')) },
            other => other.clone(),
        }
    }

    /// The URL of `base` in this store.
    pub(super) fn url(&self, base: &str) -> String {
        let (scheme, bucket) = match self {
            Self::File { path } => return format!("file://{path}"),
            Self::S3 { bucket, .. } => ("s3", bucket.as_str()),
            Self::Azure { container, .. } => ("az", container.as_str()),
            Self::Gcs { bucket, .. } => ("gs", bucket.as_str()),
            Self::Test => ("memory", "test"),
        };
        if base.is_empty() { format!("{scheme}://{bucket}") } else { format!("{scheme}://{bucket}/{base}") }
    }
}
