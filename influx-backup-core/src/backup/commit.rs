//! The commit: the object list, then the root manifest, create-only and last.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::BackupReport;
use crate::{
    certificate::Certificate,
    checksum::sha256,
    discover::Cluster,
    error::{Error, Result, StoreErrorKind},
    execute::{Durability, make_durable},
    key::Key,
    location::Location,
    manifest::{AbsentRecord, Attested, BackupStatus, FORMAT, MANIFEST_KEY, Manifest, ObjectRecord, segment},
    observe::{ByteSize, PassReport},
    plan::LeftOut,
};

/// What no backup of an object store covers.
const NOT_COVERED: [&str; 4] = [
    "the plugin directory (`--plugin-dir`)",
    "the server's configuration",
    "TLS certificates and keys",
    "token files (`--admin-token-file`, credentials files, an offline licence file)",
];

/// Everything a commit writes down.
pub(super) struct Commit<'a> {
    pub(super) name: &'a str,
    pub(super) to: &'a Location,
    pub(super) cluster: &'a Cluster,
    pub(super) status: BackupStatus,
    pub(super) began: DateTime<Utc>,
    pub(super) objects: &'a BTreeMap<Key, ObjectRecord>,
    pub(super) absent: &'a [AbsentRecord],
    pub(super) certificate: Certificate,
    pub(super) passes: Vec<PassReport>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) attested: Attested,
    pub(super) durability: Durability,
}

/// Commits a backup: from the moment the root manifest exists, it counts.
pub(super) async fn commit(commit: Commit<'_>) -> Result<BackupReport> {
    let manifest = Manifest {
        format: FORMAT,
        name: commit.name.to_owned(),
        status: commit.status,
        written_by: concat!("influx-backup ", env!("CARGO_PKG_VERSION")).to_owned(),
        began: commit.began,
        committed: Utc::now(),
        cluster: commit.cluster.description().clone(),
        objects: segment::write(commit.to, "objects", commit.objects.values()).await?,
        absent: segment::write(commit.to, "absent", commit.absent).await?,
        object_count: commit.objects.len() as u64,
        byte_count: commit.objects.values().map(|record| record.size).sum(),
        certificate: commit.certificate,
        passes: commit.passes,
        attested: commit.attested,
    };
    make_durable(commit.to, commit.durability).await?;
    let bytes = serde_json::to_vec_pretty(&manifest)
        .map_err(|source| Error::Internal { task: "manifest", source: Box::new(source) })?;
    let manifest_sha256 = sha256(&bytes);
    match commit.to.create(&Key::parse(MANIFEST_KEY)?, Bytes::from(bytes)).await {
        Ok(_) => {}
        Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
            return Err(Error::BackupExists { name: commit.name.to_owned() });
        }
        Err(error) => return Err(error),
    }
    Ok(BackupReport {
        name: manifest.name,
        status: manifest.status,
        began: manifest.began,
        committed: manifest.committed,
        certificate: manifest.certificate,
        passes: manifest.passes,
        objects: manifest.object_count,
        bytes: ByteSize(manifest.byte_count),
        left_out: commit.left_out,
        licences: manifest.cluster.licences,
        manifest_sha256,
        not_covered: NOT_COVERED.map(ToOwned::to_owned).to_vec(),
    })
}
