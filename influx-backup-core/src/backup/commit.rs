//! The commit: the object list, then the root manifest, create-only and last.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::Utc;

use super::BackupReport;
use crate::{
    certificate::Certificate,
    checksum::sha256,
    cluster::Cluster,
    error::{Error, Result, StoreErrorKind},
    execute::make_durable,
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY},
    lease::Lease,
    limits::Durability,
    location::Location,
    manifest::{FORMAT, MIN_READER, Manifest, segment},
    plan::Skipped,
    record::{AbsentRecord, Attested, BackupStatus, ObjectRecord, PassReport},
    units::ByteSize,
};

/// What no backup of an object store covers.
const NOT_COVERED: [&str; 4] = [
    "the plugin directory (`--plugin-dir`)",
    "the server's configuration",
    "TLS certificates and keys",
    "token files (`--admin-token-file`, credentials files, an offline license file)",
];

/// Everything a commit writes down.
pub(super) struct Commit<'a> {
    pub(super) name: &'a str,
    pub(super) to: &'a Location,
    pub(super) cluster: &'a Cluster,
    pub(super) status: BackupStatus,
    pub(super) claim: &'a Lease,
    pub(super) objects: &'a BTreeMap<Key, ObjectRecord>,
    pub(super) absent: &'a [AbsentRecord],
    pub(super) certificate: Certificate,
    pub(super) passes: Vec<PassReport>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) attested: Attested,
    pub(super) durability: Durability,
}

/// Commits a backup: from the moment the root manifest exists, it counts.
pub(super) async fn commit(commit: Commit<'_>) -> Result<BackupReport> {
    // Each attempt has lists of its own: one that was taken over and does not know it spoils nothing.
    let list = |name: &str| format!("{name}/{:06}", commit.claim.number());
    let manifest = Manifest {
        format: FORMAT,
        min_reader: MIN_READER,
        name: commit.name.to_owned(),
        status: commit.status,
        written_by: concat!("influx-backup ", env!("CARGO_PKG_VERSION")).to_owned(),
        began: commit.claim.began(),
        committed: Utc::now(),
        cluster: commit.cluster.description().clone(),
        objects: segment::write(commit.to, &list("objects"), commit.objects.values()).await?,
        absent: segment::write(commit.to, &list("absent"), commit.absent).await?,
        object_count: commit.objects.len() as u64,
        byte_count: commit.objects.values().map(|record| record.content.size).sum(),
        certificate: commit.certificate,
        passes: commit.passes,
        attested: commit.attested,
    };
    make_durable(commit.to, commit.durability).await?;
    let bytes = serde_json::to_vec_pretty(&manifest)
        .map_err(|source| Error::Internal { task: "manifest", source: Box::new(source) })?;
    let manifest_sha256 = sha256(&bytes);
    commit.claim.check().await?;
    match commit.to.create(&Key::parse(MANIFEST_KEY)?, Bytes::from(bytes)).await {
        Ok(_) => {}
        Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
            return Err(Error::BackupExists { name: commit.name.to_owned() });
        }
        Err(error) => return Err(error),
    }
    // It is committed: what cannot be tidied up is litter, and no failure of the backup.
    let _ = tidy(commit.to, &manifest).await;
    Ok(BackupReport {
        name: manifest.name,
        status: manifest.status,
        began: manifest.began,
        committed: manifest.committed,
        certificate: manifest.certificate,
        passes: manifest.passes,
        objects: manifest.object_count,
        bytes: ByteSize(manifest.byte_count),
        skipped: commit.skipped,
        unknown: manifest.cluster.unknown,
        licenses: manifest.cluster.licenses,
        manifest_sha256,
        not_covered: NOT_COVERED.map(ToOwned::to_owned).to_vec(),
    })
}

/// Deletes the journal of a committed backup, whose place the object list has taken, and the lists of dead attempts.
async fn tidy(to: &Location, manifest: &Manifest) -> Result<()> {
    let named: BTreeSet<&Key> = manifest.objects.iter().chain(&manifest.absent).map(|segment| &segment.key).collect();
    for directory in ["journal", "objects", "absent"] {
        let listed = to.list(&format!("{OWN_DIRECTORY}/{directory}")).await?;
        to.delete_all(listed.iter().map(|entry| &entry.key).filter(|key| !named.contains(key))).await?;
    }
    Ok(())
}
