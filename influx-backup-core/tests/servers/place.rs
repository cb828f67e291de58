//! Where a test keeps clusters, backups and copies: files, a bucket of each server, and what the environment names.

use influx_backup_core::{ByteSize, Location, StoreOptions};
use tempfile::TempDir;

use super::{Cloud, Leftover, Minio, StoreServer};

/// A place of its own; what is below one prefix of it has nothing to do with what is below another.
#[derive(Debug)]
pub(crate) enum Place {
    Files(TempDir),
    /// A bucket of its own.
    Server(&'static dyn StoreServer, String),
    /// A bucket of its own that keeps what is overwritten or deleted.
    Versioned(&'static Minio, String),
    /// A prefix of its own.
    Cloud(Cloud),
}

impl Place {
    /// One of each kind that there is: servers that are missing have been reported, clouds are extra.
    pub(crate) async fn all() -> Vec<Self> {
        let mut places = vec![Self::Files(tempfile::tempdir().expect("a directory"))];
        for server in super::all() {
            places.push(Self::Server(server, server.fresh_bucket().await));
        }
        if let Some(minio) = super::minio() {
            places.push(Self::Versioned(minio, minio.fresh_versioned_bucket().await));
        }
        places.extend(Cloud::of_environment().into_iter().map(Self::Cloud));
        places
    }

    /// Name for messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Files(_) => "file",
            Self::Server(server, _) => server.name(),
            Self::Versioned(..) => "minio with versions",
            Self::Cloud(cloud) => cloud.url(),
        }
    }

    /// The location below a prefix, opened as a user would.
    pub(crate) fn location(&self, prefix: &str) -> Location {
        match self {
            Self::Files(directory) => {
                let path = directory.path().join(prefix);
                std::fs::create_dir_all(&path).expect("a directory");
                Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
            }
            Self::Server(server, bucket) => server.location(bucket, prefix),
            Self::Versioned(minio, bucket) => minio.location(bucket, prefix),
            Self::Cloud(cloud) => cloud.location(prefix),
        }
    }

    /// The least size of a part of an upload: S3 and Google refuse smaller ones, emulators of the others take any.
    pub(crate) fn least_part(&self) -> ByteSize {
        match self {
            Self::Server(server, _) if server.scheme() == "s3" => ByteSize::mib(5),
            Self::Versioned(..) | Self::Cloud(_) => ByteSize::mib(5),
            _ => ByteSize(64 << 10),
        }
    }

    /// How many keys a page of a listing has; files have no pages.
    pub(crate) fn page(&self) -> usize {
        match self {
            Self::Files(_) => 0,
            Self::Server(server, _) => server.page(),
            Self::Versioned(minio, _) => minio.page(),
            Self::Cloud(cloud) => cloud.page(),
        }
    }

    /// What the store itself says of uploads that were neither completed nor aborted.
    pub(crate) async fn leftovers(&self) -> Vec<Leftover> {
        match self {
            Self::Files(_) => Vec::new(),
            Self::Server(server, bucket) => server.leftovers(bucket).await,
            Self::Versioned(minio, bucket) => minio.leftovers(bucket).await,
            Self::Cloud(cloud) => cloud.leftovers().await,
        }
    }
}
