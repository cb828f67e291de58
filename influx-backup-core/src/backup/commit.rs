//! The commit: the object list, then the root manifest, create-only and last.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use chrono::Utc;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::{BackupReport, history::PassHistory, pass::Listed, passes::Run, prove::Proof, run::RunState};
use crate::{
    checksum::sha256,
    cluster::Cluster,
    error::{Error, Result, StoreErrorKind},
    event::EventKind,
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY, SIGNATURE_KEY},
    location::{Location, Version, make_durable},
    manifest::{FORMAT, MIN_READER, Manifest, SegmentRef, WRITER, segment},
    read_limits::{self, TooLarge},
    record::{Attested, BackupStatus},
    table::{Row, Table},
    units::{ByteSize, total},
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

/// How long a run that is cancelled waits for a manifest that is on its way.
const CANCELLED_COMMIT: Duration = Duration::from_millis(500);

/// How long it then waits for the answer whether the manifest is there.
const CANCELLED_LOOK: Duration = Duration::from_millis(300);

/// A backup that is as its manifest says, and that is not committed yet.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) manifest: Manifest,
    pub(super) history: PassHistory,
}

impl Run<'_> {
    /// The manifest as it is to be committed. Its lists are written, and read back.
    pub(super) async fn draft(
        &self,
        cluster: &Cluster,
        status: BackupStatus,
        listed: &Listed,
        proof: &Proof,
        state: &mut RunState,
    ) -> Result<Manifest> {
        let records = state.index.records();
        Ok(Manifest {
            format: FORMAT,
            min_reader: MIN_READER,
            name: self.name.to_owned(),
            status,
            written_by: WRITER.to_owned(),
            began: self.lease.began(),
            committed: Utc::now(),
            cluster: cluster.description().clone(),
            objects: self.write_list("objects", records).await?,
            absent: self.write_list("absent", &proof.absent).await?,
            object_count: records.len() as u64,
            byte_count: total(records.iter().map(|record| record.content.size)),
            certificate: proof.certificate.clone(),
            passes: Vec::new(),
            attested: Attested {
                fences: proof.fences.clone(),
                differences: proof.differences.clone(),
                listings: listed.inventory.listings.iter().map(Into::into).collect(),
                unreadable: proof.unreadable.clone(),
            },
        })
    }

    /// Writes a list and reads it back. Each attempt has lists of its own: one that was taken over and does not know it spoils
    /// nothing.
    async fn write_list<R: Row + Serialize>(&self, name: &str, records: &Table<R>) -> Result<Vec<SegmentRef>> {
        let list = format!("{name}/{:06}", self.lease.number());
        for _ in 0..LIST_ATTEMPTS {
            let segments = segment::write(self.to, &list, records).await?;
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
    ///
    /// Once the manifest is on its way, the run ends with an answer, or with the error that there is none. Where it is
    /// cancelled, it waits only a moment for that.
    pub(super) async fn commit(&self, Ready { manifest, history }: Ready) -> Result<BackupReport> {
        let manifest = Manifest { committed: Utc::now(), passes: history.reports, ..manifest };
        let bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|source| Error::Internal { task: "manifest", source: Box::new(source) })?;
        // What no reader would read again is not written.
        TooLarge::check(bytes.len() as u64, read_limits::MANIFEST)
            .map_err(|source| Error::Internal { task: "manifest", source: Box::new(source) })?;
        let bytes = Bytes::from(bytes);
        let may_commit = async {
            make_durable(self.to, self.options.limits.durability).await?;
            self.lease.check().await
        };
        self.unless_ended(may_commit).await?;
        self.unless_ended(self.sign(&bytes)).await?;
        let cancelled = async {
            self.task.cancellation.cancelled().await;
            sleep(CANCELLED_COMMIT).await;
        };
        tokio::select! {
            biased;
            created = self.create_manifest(&bytes) => created?,
            () = cancelled => match timeout(CANCELLED_LOOK, self.is_committed(&bytes)).await {
                Ok(Ok(true)) => {}
                _ => return Err(self.unconfirmed("the run was cancelled meanwhile", self.task.cancelled())),
            },
        }
        self.task.events.send(EventKind::Committed { name: self.name.to_owned() });
        // Best effort: the backup is committed, and what is left is litter.
        let _ = self.task.unless_cancelled(tidy(self.to, &manifest)).await;
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
            abilities: None,
            todos: Vec::new(),
            findings: Vec::new(),
        })
    }

    /// Writes the signature of the manifest before the manifest, whose presence is the commit. One that an earlier run left is
    /// replaced.
    async fn sign(&self, manifest: &Bytes) -> Result<()> {
        let Some(signer) = self.signer else { return Ok(()) };
        let key = Key::parse(SIGNATURE_KEY)?;
        let signature = Bytes::from(signer.sign(manifest, "manifest.json", Utc::now().timestamp())?);
        match self.to.create(&key, signature.clone()).await {
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
                self.remove_late_manifest(&key).await?;
                // A deletion that arrives late would remove the signature of this run.
                self.task.settled(self.lease).await?;
                self.to.create(&key, signature).await.map(drop)
            }
            created => created.map(drop),
        }
    }

    /// Creates the root manifest, and makes sure that it counts. Who takes a backup over looks for a manifest after it has
    /// written its lease, and this run for a later lease after it has written its manifest: one of both sees the other.
    async fn create_manifest(&self, bytes: &Bytes) -> Result<()> {
        let key = Key::parse(MANIFEST_KEY)?;
        let created = match self.send_manifest(&key, bytes).await? {
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
                self.remove_late_manifest(&key).await?;
                // A deletion that arrives late would remove the manifest of this run.
                self.task.settled(self.lease).await?;
                self.send_manifest(&key, bytes).await?
            }
            created => created,
        };
        match created {
            Ok(_) => {}
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
                return Err(Error::BackupExists { name: self.name.to_owned() });
            }
            Err(error) if is_unanswered(&error) => {
                // Only the answer may be missing, and the request may still be on its way.
                match self.to.get_within(&key, read_limits::exactly(bytes)).await {
                    Ok(Some(Ok(found))) if found == *bytes => {}
                    Ok(None) if self.to.directory().is_some() => return Err(error),
                    _ => return Err(self.unconfirmed("the store did not confirm that it has the manifest", error)),
                }
            }
            Err(error) => return Err(error),
        }
        let Err(error) = self.lease.confirm().await else { return Ok(()) };
        match self.remove_manifest(&key, bytes).await {
            Ok(()) => Err(error),
            Err(_) if matches!(error, Error::LeaseLost { .. }) => Err(self.unconfirmed(
                "another process took it over before its manifest was written, and the manifest could not be removed",
                error,
            )),
            Err(_) => Err(self.unconfirmed(
                "its objects were checked and its manifest is written, but the store did not confirm that no other process \
                 had taken it over before, and the manifest could not be removed",
                error,
            )),
        }
    }

    /// Returns the answer.
    ///
    /// # Errors
    /// Why nothing was sent.
    async fn send_manifest(&self, key: &Key, bytes: &Bytes) -> Result<Result<Version>> {
        if self.to.check_fence().is_err() {
            return Err(self.lease.loss().await);
        }
        Ok(self.to.create(key, bytes.clone()).await)
    }

    /// Removes a manifest that was not there when this run had written its lease: it is of a run that was taken over, and
    /// arrived late.
    async fn remove_late_manifest(&self, key: &Key) -> Result<()> {
        let Some(found) = self.to.head(key).await? else { return Ok(()) };
        // No later run has begun: with the manifest there, none can until it is removed.
        self.lease.check().await?;
        self.to.delete_version(key, &found.version).await
    }

    /// Whether the manifest of this run is there, and was written before another process took over.
    async fn is_committed(&self, bytes: &Bytes) -> Result<bool> {
        let found = self.to.get_within(&Key::parse(MANIFEST_KEY)?, read_limits::exactly(bytes)).await?;
        self.lease.confirm().await?;
        Ok(found.is_some_and(|found| found.as_ref() == Ok(bytes)))
    }

    /// Removes the manifest of this run, so that nothing looks done that may not be.
    async fn remove_manifest(&self, key: &Key, bytes: &Bytes) -> Result<()> {
        // Also once another process may have taken over: it is this run's own.
        let to = self.to.unfenced();
        match to.get_with_version(key, read_limits::exactly(bytes)).await? {
            Some(Ok((found, version))) if found == *bytes => to.delete_version(key, &version).await,
            _ => Ok(()),
        }
    }

    fn unconfirmed(&self, reason: &'static str, source: Error) -> Error {
        Error::CommitUnconfirmed { name: self.name.to_owned(), reason, source: Box::new(source) }
    }
}

/// Whether a write that failed so may have been done: a first attempt without an answer, the last one perhaps too late.
fn is_unanswered(error: &Error) -> bool {
    match error {
        Error::Store { kind, .. } => kind.is_transient(),
        error => error.is_lease_lost(),
    }
}

/// Deletes the journal of a committed backup, whose place the object list has taken, and the lists of dead attempts.
async fn tidy(to: &Location, manifest: &Manifest) -> Result<()> {
    let named: BTreeSet<&Key> = manifest.objects.iter().chain(&manifest.absent).map(|segment| &segment.key).collect();
    for directory in ["journal", "objects", "absent"] {
        let listed = to.list(&format!("{OWN_DIRECTORY}/{directory}")).await?;
        to.delete_all(listed.into_iter().map(|entry| entry.key).filter(|key| !named.contains(key))).await?;
    }
    Ok(())
}
