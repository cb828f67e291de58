//! The commit: the object list, then the root manifest, create-only and last.

use std::collections::BTreeSet;

use bytes::Bytes;
use chrono::Utc;
use serde::Serialize;

use super::{BackupReport, history::PassHistory, pass::Listed, passes::Run, prove::Proof, run::RunState};
use crate::{
    checksum::sha256,
    cluster::Cluster,
    error::{Error, Result, StoreErrorKind},
    event::EventKind,
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY},
    location::{Location, make_durable},
    manifest::{FORMAT, MIN_READER, Manifest, SegmentRef, segment},
    record::{Attested, BackupStatus},
    units::ByteSize,
};

/// What no backup of an object store covers.
const NOT_COVERED: [&str; 4] = [
    "the plugin directory (`--plugin-dir`)",
    "the server's configuration",
    "TLS certificates and keys",
    "token files (`--admin-token-file`, credentials files, an offline license file)",
];

/// How often a list is written whose bytes do not read back.
const LIST_ATTEMPTS: u32 = 3;

impl Run<'_> {
    /// The manifest as it is to be committed. Its lists are written, and read back.
    pub(super) async fn draft(
        &self,
        cluster: &Cluster,
        status: BackupStatus,
        listed: &Listed,
        proof: &Proof,
        state: &RunState,
    ) -> Result<Manifest> {
        let index = &state.index;
        Ok(Manifest {
            format: FORMAT,
            min_reader: MIN_READER,
            name: self.name.to_owned(),
            status,
            written_by: concat!("influx-backup ", env!("CARGO_PKG_VERSION")).to_owned(),
            began: self.lease.began(),
            committed: Utc::now(),
            cluster: cluster.description().clone(),
            objects: self.write_list("objects", || index.records()).await?,
            absent: self.write_list("absent", || &proof.absent).await?,
            object_count: index.records().count() as u64,
            byte_count: index.records().map(|record| record.content.size).sum(),
            certificate: proof.certificate.clone(),
            passes: Vec::new(),
            attested: Attested {
                fences: proof.fences.clone(),
                differences: proof.differences.clone(),
                listings: listed.inventory.listings.iter().map(Into::into).collect(),
            },
        })
    }

    /// Writes a list and reads it back. Each attempt has lists of its own: one that was taken over and does not know it spoils
    /// nothing.
    async fn write_list<R, I>(&self, name: &str, records: impl Fn() -> I) -> Result<Vec<SegmentRef>>
    where
        R: Serialize,
        I: IntoIterator<Item = R>,
    {
        let list = format!("{name}/{:06}", self.lease.number());
        for _ in 0..LIST_ATTEMPTS {
            let segments = segment::write(self.to, &list, records()).await?;
            if self.are_whole(&segments).await? {
                return Ok(segments);
            }
        }
        Err(Error::BackupAltered { reason: format!("`{OWN_DIRECTORY}/{list}` does not read back as it was written") })
    }

    async fn are_whole(&self, segments: &[SegmentRef]) -> Result<bool> {
        for segment in segments {
            if !segment::is_whole(self.to, segment).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Commits a backup: from the moment the root manifest exists, it counts.
    pub(super) async fn commit(&self, manifest: Manifest, history: PassHistory) -> Result<BackupReport> {
        let manifest = Manifest { committed: Utc::now(), passes: history.reports, ..manifest };
        make_durable(self.to, self.options.limits.durability).await?;
        let bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|source| Error::Internal { task: "manifest", source: Box::new(source) })?;
        let bytes = Bytes::from(bytes);
        self.lease.check().await?;
        let key = Key::parse(MANIFEST_KEY)?;
        match self.to.create(&key, bytes.clone()).await {
            Ok(_) => {}
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
                return Err(Error::BackupExists { name: self.name.to_owned() });
            }
            Err(error) => return Err(error),
        }
        if let Err(lost @ Error::LeaseLost { .. }) = self.lease.check().await {
            // Another process took over between the check and the commit, and may be writing.
            if self.to.get(&key, None).await?.is_some_and(|found| found == bytes) {
                self.to.delete(&key).await?;
            }
            return Err(lost);
        }
        // Best effort: the backup is committed, and what is left is litter.
        let _ = tidy(self.to, &manifest).await;
        self.task.events.send(EventKind::Committed { name: self.name.to_owned() });
        Ok(BackupReport {
            name: manifest.name,
            status: manifest.status,
            began: manifest.began,
            committed: manifest.committed,
            certificate: manifest.certificate,
            passes: manifest.passes,
            objects: manifest.object_count,
            bytes: ByteSize(manifest.byte_count),
            skipped: history.skipped,
            unknown: manifest.cluster.unknown,
            licenses: manifest.cluster.licenses,
            manifest_sha256: sha256(&bytes),
            not_covered: NOT_COVERED.map(ToOwned::to_owned).to_vec(),
            // They are known when the run ends.
            todos: Vec::new(),
            findings: Vec::new(),
        })
    }
}

/// Deletes the journal of a committed backup, whose place the object list has taken, and the lists of dead attempts.
async fn tidy(to: &Location, manifest: &Manifest) -> Result<()> {
    let named: BTreeSet<&Key> = manifest.objects.iter().chain(&manifest.absent).map(|segment| &segment.key).collect();
    for directory in ["journal", "objects", "absent"] {
        let listed = to.list(&format!("{OWN_DIRECTORY}/{directory}")).await?;
        to.delete_all(listed.keys().filter(|key| !named.contains(key))).await?;
    }
    Ok(())
}
