//! The journal of a restore: `_influx_backup/restore.json` at the target, outside every prefix of InfluxDB.
//!
//! Durable before the step that it announces. Beside it, below `_influx_backup/restore/`: the leases, the keys that the
//! restore will create (what [`abandon`](super::abandon) deletes again), and the keys that are finished.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    checksum,
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::{OWN_DIRECTORY, staged},
    lease::Lease,
    limits::Durability,
    location::{Location, Version, VersionBefore, remove_empty},
    log::{self, SegmentedLog},
    manifest::{SegmentRef, segment},
    options::{ExtraNodes, Policy},
    preflight,
    read_limits::{self, TooLarge},
    table::{Builder, Keyed, Packer, Row, Table, Unpacker},
    target::{Changes, Phase, UnfinishedRestore},
    versioned,
};

/// The newest format of the journal that this release reads, and the one that it writes.
const FORMAT: u64 = 1;

/// The oldest format whose readers understand what this release writes.
const MIN_READER: u64 = 1;

/// What a restore has to remember, to be finished or abandoned by another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RestoreJournal {
    pub(crate) format: u64,
    /// The oldest format whose readers understand it.
    pub(crate) min_reader: u64,
    /// The restore's id, which the guard names.
    pub(crate) restore: String,
    pub(crate) backup: String,
    pub(crate) manifest_sha256: String,
    pub(crate) began: DateTime<Utc>,
    pub(crate) policy: Policy,
    pub(crate) extra_nodes: ExtraNodes,
    pub(crate) phase: Phase,
    pub(crate) changes: Changes,
    /// The roots that stood where the guard stands, with their bytes.
    pub(crate) old_roots: Vec<OldRoot>,
    /// Where the guard stands, in the order in which it was set.
    pub(crate) guards: Vec<Key>,
    /// The keys that the target lacked.
    pub(crate) created: Vec<SegmentRef>,
    /// The uppermost directories that the target lacked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) made: Vec<String>,
    /// The directories that are links, and are written through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) linked: Vec<String>,
}

/// A root as it was before the guard took its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OldRoot {
    pub(crate) key: Key,
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub(crate) bytes: Vec<u8>,
}

/// An object that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finished {
    pub(crate) key: Key,
    /// What was written, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Version>,
}

impl Keyed for Finished {
    fn key(&self) -> &str {
        self.key.as_str()
    }
}

impl Row for Finished {
    type Before = VersionBefore;

    fn pack(&self, before: &mut VersionBefore, packer: &mut Packer) {
        packer.option(self.version.as_ref(), |packer, version| version.pack(0, before, packer));
    }

    fn unpack(key: &str, before: &mut VersionBefore, packed: &mut Unpacker<'_>) -> Self {
        let version = packed.option(|packed| Version::unpack(0, before, packed));
        Self { key: Key::known(key), version }
    }
}

impl RestoreJournal {
    pub(crate) fn new(backup: &str, manifest_sha256: &str, policy: Policy, extra_nodes: ExtraNodes) -> Self {
        Self {
            format: FORMAT,
            min_reader: MIN_READER,
            restore: format!("{:016x}", rand::random::<u64>()),
            backup: backup.to_owned(),
            manifest_sha256: manifest_sha256.to_owned(),
            began: Utc::now(),
            policy,
            extra_nodes,
            phase: Phase::Guarding,
            changes: Changes::None,
            old_roots: Vec::new(),
            guards: Vec::new(),
            created: Vec::new(),
            made: Vec::new(),
            linked: Vec::new(),
        }
    }

    pub(crate) fn key() -> Result<Key> {
        Ok(Key::parse(format!("{OWN_DIRECTORY}/restore.json"))?)
    }

    /// The journal at a target, or `None` where no restore was begun.
    pub(crate) async fn read(target: &Location) -> Result<Option<Self>> {
        let key = Self::key()?;
        let object = format!("{target}/{key}");
        match target.get_within(&key, read_limits::RESTORE_JOURNAL).await? {
            Some(Ok(bytes)) => Self::parse(&bytes, &object).map(Some),
            Some(Err(large)) => Err(Error::DamagedJournal { journal: object, reason: large.to_string() }),
            None => Ok(None),
        }
    }

    pub(crate) fn parse(bytes: &[u8], object: &str) -> Result<Self> {
        versioned::parse(bytes, object, FORMAT).map_err(|error| own_damage(error, object))
    }

    /// Writes the journal where there is none: of two restores that begin at once, one is refused.
    pub(crate) async fn create(&self, target: &Location) -> Result<()> {
        match target.create(&Self::key()?, self.bytes()?).await {
            Ok(_) => Ok(()),
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
                Err(Error::RestoreUnfinished { location: target.to_string(), backup: self.backup.clone() })
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the journal again.
    pub(crate) async fn update(&self, target: &Location) -> Result<()> {
        target.put(&Self::key()?, self.bytes()?).await.map(drop)
    }

    /// Removes everything of this tool at the target, the leases before the journal: a run that finds a part of it can finish.
    pub(crate) async fn delete(&self, target: &Location, lease: &mut Lease) -> Result<()> {
        Self::delete_lists(target, lease).await?;
        // From here on another restore may have begun, with a journal of its own.
        let key = Self::key()?;
        if let Some(Ok((bytes, version))) = target.get_with_version(&key, read_limits::RESTORE_JOURNAL).await?
            && Self::parse(&bytes, key.as_str()).is_ok_and(|found| found.restore == self.restore)
        {
            target.delete_version(&key, &version).await?;
        }
        Self::tidy(target);
        Ok(())
    }

    /// Removes everything of this tool at the target but a journal, the leases last.
    pub(crate) async fn delete_lists(target: &Location, lease: &mut Lease) -> Result<()> {
        // What another run that took over has written is not to be deleted.
        lease.check().await?;
        let lists = format!("{OWN_DIRECTORY}/restore");
        let listed = target.list(OWN_DIRECTORY).await?;
        let is_list = |key: &Key| key.below(&lists).is_some() && !lease.is_lease_key(key);
        let is_removed = |key: &Key| is_list(key) || preflight::is_probe(key);
        target.delete_all(listed.into_iter().map(|entry| entry.key).filter(is_removed)).await?;
        lease.remove().await
    }

    /// Deletes the staging files that killed runs left for its guards, for keys that `is_copied`, and for its own files: other
    /// files have such names, too.
    pub(crate) async fn delete_incomplete(&self, target: &Location, is_copied: impl Fn(&str) -> bool) -> Result<()> {
        target.delete_incomplete(|file| self.writes(&file.key, &is_copied)).await
    }

    /// The same for the staging files that a listing of the target has just found.
    pub(crate) async fn delete_staging(
        &self,
        target: &Location,
        found: Vec<String>,
        is_copied: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let is_own = |name: &String| staged(name).is_some_and(|key| self.writes(key, &is_copied));
        target.delete_staging(found.into_iter().filter(is_own)).await
    }

    /// Whether the restore writes this key.
    fn writes(&self, key: &str, is_copied: impl Fn(&str) -> bool) -> bool {
        let is_own = key.strip_prefix(OWN_DIRECTORY).is_some_and(|below| below.starts_with('/'));
        is_own || self.guards.iter().any(|guard| guard.as_str() == key) || is_copied(key)
    }

    /// Removes this library's own directories at a target, as far as they are empty. Tidiness only: no failure matters.
    pub(crate) fn tidy(target: &Location) {
        if let Some(directory) = target.directory() {
            remove_empty(&directory.join(OWN_DIRECTORY));
        }
    }

    pub(crate) fn summary(&self) -> UnfinishedRestore {
        UnfinishedRestore {
            restore: self.restore.clone(),
            backup: self.backup.clone(),
            manifest_sha256: self.manifest_sha256.clone(),
            began: self.began,
            policy: self.policy,
            extra_nodes: self.extra_nodes,
            phase: self.phase,
            changes: self.changes,
        }
    }

    /// The name of the list of keys that the target lacked as run `run` found it, below
    /// [`OWN_DIRECTORY`](crate::layout::OWN_DIRECTORY).
    pub(crate) fn created_list(&self, run: u64) -> String {
        format!("restore/{}/created/{run:06}", self.restore)
    }

    /// The keys that the target lacked: all that the restore has created is among them.
    ///
    /// # Errors
    /// [`Error::DamagedJournal`] where a list is missing or altered, [`Error::Store`].
    pub(crate) async fn created(&self, target: &Location) -> Result<Table<Key>> {
        let created = segment::read_all::<Key>(target, &self.created).await;
        created.map(|list| list.rows).map_err(|error| match &error {
            Error::DamagedBackup { object, .. } => {
                let journal = format!("{target}/{object}");
                own_damage(error, &journal)
            }
            _ => error,
        })
    }

    /// Where this run writes down what it has finished.
    pub(crate) fn finished_log(&self, target: &Location, run: u64, durability: Durability) -> SegmentedLog<Finished> {
        SegmentedLog::new(target, self.finished_directory(), run, durability)
    }

    /// What runs have finished, in the version that the last one has written.
    pub(crate) async fn finished(&self, target: &Location) -> Result<Table<Finished>> {
        let mut finished = Builder::default();
        log::read(target, &self.finished_directory(), |line| finished.push(line)).await?;
        Ok(finished.finish())
    }

    /// Forgets what earlier runs have finished.
    pub(crate) async fn forget_finished(&self, target: &Location) -> Result<()> {
        let finished = target.list(&self.finished_directory()).await?;
        target.delete_all(finished.into_iter().map(|entry| entry.key)).await
    }

    fn finished_directory(&self) -> String {
        format!("{OWN_DIRECTORY}/restore/{}/finished", self.restore)
    }

    fn bytes(&self) -> Result<Bytes> {
        let json = serde_json::to_vec(self).map_err(internal)?;
        // What no run could read again is not written.
        TooLarge::check(json.len() as u64, read_limits::RESTORE_JOURNAL).map_err(internal)?;
        Ok(json.into())
    }
}

fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal { task: "restore journal", source: Box::new(source) }
}

/// Damage of the journal is not damage of the backup.
fn own_damage(error: Error, journal: &str) -> Error {
    match error {
        Error::DamagedBackup { reason, .. } => Error::DamagedJournal { journal: journal.to_owned(), reason },
        error => error,
    }
}

fn to_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&checksum::to_hex(bytes))
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    checksum::from_hex(&text).ok_or_else(|| D::Error::custom("not hexadecimal"))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;
    use crate::lease::LeaseScope;

    fn journal() -> RestoreJournal {
        let key = Key::parse("node1/catalog/v3/snapshot").expect("a key");
        let old_roots = vec![OldRoot { key, bytes: (0..=255).collect() }];
        RestoreJournal { old_roots, ..RestoreJournal::new("n1", "abc", Policy::Replace, ExtraNodes::Keep) }
    }

    #[tokio::test]
    async fn journals_survive_and_only_one_restore_begins() {
        let target = Location::in_memory();
        assert_eq!(RestoreJournal::read(&target).await.expect("read"), None);
        let journal = journal();
        journal.create(&target).await.expect("created");
        assert_eq!(RestoreJournal::read(&target).await.expect("read"), Some(journal.clone()));
        assert_eq!(journal.create(&target).await.expect_err("a second one").code(), "restore-unfinished");
        let mut lease = Lease::take(&target, LeaseScope::Target, Some("c1"), None).await.expect("free");
        journal.delete(&target, &mut lease).await.expect("deleted");
        assert!(target.list("").await.expect("listed").is_empty());
    }

    #[tokio::test]
    async fn journals_of_newer_releases_are_refused() {
        let target = Location::in_memory();
        RestoreJournal { format: 99, min_reader: 99, ..journal() }.create(&target).await.expect("created");
        assert_eq!(RestoreJournal::read(&target).await.expect_err("newer").code(), "unsupported-format");
        target.put(&RestoreJournal::key().expect("a key"), Bytes::from_static(b"{")).await.expect("put");
        assert_eq!(RestoreJournal::read(&target).await.expect_err("torn").code(), "damaged-journal");
    }

    #[tokio::test]
    async fn finished_keys_add_up_over_runs() {
        let target = Location::in_memory();
        let journal = journal();
        for (run, name) in [(1, "a"), (2, "b")] {
            let mut finished = journal.finished_log(&target, run, Durability::Durable);
            let key = Key::parse(name).expect("a key");
            finished.add(Finished { key, version: None }).await.expect("added");
            finished.flush().await.expect("flushed");
        }
        let keys = journal.finished(&target).await.expect("read");
        assert_eq!(keys.iter().map(|finished| finished.key.to_string()).collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn whatever_lies_there_is_read_or_is_an_error(
            at in any::<Index>(),
            byte in any::<u8>(),
            end in any::<Index>(),
            garbage in vec(any::<u8>(), 0..100),
        ) {
            let mut altered = journal().bytes().expect("serializes").to_vec();
            let at = at.index(altered.len());
            altered[at] = byte;
            let cut = altered[..end.index(altered.len() + 1)].to_vec();
            for bytes in [altered, cut, garbage] {
                if let Err(error) = RestoreJournal::parse(&bytes, "x") {
                    prop_assert!(["damaged-journal", "unsupported-format"].contains(&error.code()), "{}", error);
                }
            }
        }
    }
}
