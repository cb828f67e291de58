//! One pass: copy what is missing or changed, stage by stage.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::Weakness;
use crate::{
    cluster::Cluster,
    copier::Copied,
    error::Result,
    execute::{CopyOutcome, CopySink, Executor, Places},
    format::parquet,
    inventory::{Group, Inventory, Lister, Listing},
    job::EventSink,
    judge::evidence::Facts,
    key::Key,
    layout::Component,
    location::{Location, ObjectMeta, StoreChecksums},
    manifest::{Journal, JournalLine},
    options::BackupOptions,
    plan::{BackupPlan, CopyTask, PlaceRole, Relist, Stage, StageKind},
    record::{ObjectRecord, PassReport, Stored},
};

/// How often the catalog is listed again within a pass because its root moved on while it was copied.
const CATALOG_ATTEMPTS: u32 = 5;

/// What a pass listed: its inventory, with the catalog as it was listed last.
#[derive(Debug, Clone, Default)]
pub(super) struct Listed {
    /// The listings that the proof is about.
    pub(super) inventory: Inventory,
    /// The compactor's summaries and details as they were after its files were copied.
    pub(super) compactor_after: Vec<Listing>,
}

impl Listed {
    /// Every key of the listings.
    pub(super) fn keys(&self) -> BTreeSet<&Key> {
        self.inventory.entries().map(|entry| &entry.key).collect()
    }

    /// Puts a later listing of a group in place of the earlier one.
    fn replace(&mut self, listing: Listing) {
        let listings = &mut self.inventory.listings;
        match listings.iter_mut().find(|old| old.group == listing.group && old.owner == listing.owner) {
            Some(old) => *old = listing,
            None => listings.push(listing),
        }
    }
}

/// What a backup holds so far, and where it is written down.
#[derive(Debug)]
pub(super) struct BackupIndex {
    to: Location,
    pub(super) objects: BTreeMap<Key, ObjectRecord>,
    pub(super) journal: Journal,
    pub(super) facts: Facts,
    pub(super) events: EventSink,
    pub(super) pass: PassReport,
    /// Whether an object changed while it was copied, since this was last asked.
    changed: bool,
}

impl BackupIndex {
    pub(super) fn new(
        to: &Location,
        objects: BTreeMap<Key, ObjectRecord>,
        journal: Journal,
        events: EventSink,
    ) -> Self {
        Self {
            to: to.clone(),
            objects,
            journal,
            facts: Facts::default(),
            events,
            pass: PassReport::default(),
            changed: false,
        }
    }

    /// An object that could not be copied is not in the backup: an attempt whose answer was lost may have left it there.
    async fn drop_object(&mut self, key: &Key) -> Result<()> {
        self.to.delete(key).await?;
        match self.objects.remove(key) {
            Some(_) => self.journal.add(JournalLine::Deleted(key.clone())).await,
            None => Ok(()),
        }
    }

    /// Whether the backup has this version of an object.
    pub(super) fn holds(&self, entry: &ObjectMeta) -> bool {
        let record = self.objects.get(&entry.key);
        record.is_some_and(|record| record.size == entry.size && record.version.is_same(&entry.version))
    }
}

#[async_trait]
impl CopySink for BackupIndex {
    async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()> {
        match outcome {
            CopyOutcome::Copied(copied) => {
                self.pass.copied += 1;
                self.pass.bytes += copied.content.size;
                *self.pass.copiers.entry(copied.copier.to_string()).or_default() += 1;
                if let Some(refused) = &copied.refused_by {
                    *self.pass.refused.entry(refused.to_string()).or_default() += 1;
                }
                if let (Component::Parquet, Some(ends)) = (task.component, copied.content.ends) {
                    let framed = parquet::check(&ends.head, &ends.tail, copied.content.size);
                    self.facts.record_parquet(task.to.clone(), task.from.version.clone(), framed);
                }
                let record = record(task, *copied);
                self.objects.insert(record.key.clone(), record.clone());
                self.journal.add(JournalLine::Copied(record)).await
            }
            CopyOutcome::Vanished => {
                self.pass.vanished += 1;
                self.drop_object(&task.to).await
            }
            CopyOutcome::Changed => {
                self.pass.changed += 1;
                self.changed = true;
                self.drop_object(&task.to).await
            }
        }
    }
}

fn record(task: &CopyTask, copied: Copied) -> ObjectRecord {
    // Once is enough.
    let checksums = copied.stored.checksums;
    let crc64 = checksums.crc64.filter(|crc64| copied.content.crc64 != Some(*crc64));
    ObjectRecord {
        key: task.to.clone(),
        size: copied.content.size,
        version: task.from.version.clone(),
        crc64: copied.content.crc64,
        store_checksums: StoreChecksums { crc64, ..checksums },
        checked_by: copied.checked_by,
        attributes: copied.attributes,
        stored: Stored::default(),
    }
}

/// One pass over what was listed.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    pub(super) executor: &'a Executor,
    pub(super) cluster: &'a Cluster,
    pub(super) to: &'a Location,
    pub(super) options: &'a BackupOptions,
    pub(super) plan: &'a BackupPlan,
}

impl Pass<'_> {
    /// Copies stage by stage. What is listed again at a barrier takes the place of the earlier listing where the proof is
    /// about the later one: the catalog. The WAL listed at the start stays the fence.
    pub(super) async fn copy(&self, lister: &mut Lister, listed: &mut Listed, index: &mut BackupIndex) -> Result<()> {
        for stage in &self.plan.stages {
            match stage.relist {
                None => {
                    self.run(stage, index).await?;
                    if stage.kind == StageKind::Compactor && !self.options.lacks(Weakness::CompactorOnce) {
                        listed.compactor_after = compactor_again(self.cluster, lister).await?;
                    }
                }
                Some(Relist::Wal) => {
                    let mut listings = Vec::new();
                    for node in self.cluster.stored_nodes() {
                        listings.push(lister.list(self.cluster, Group::Wal, &node.id).await?);
                    }
                    self.run(&self.relisted(stage, &listings, index), index).await?;
                }
                Some(Relist::Catalog) => self.copy_catalog(stage, lister, listed, index).await?,
            }
        }
        index.journal.flush().await
    }

    /// Lists and copies the catalog again while its root moves on under the copy.
    async fn copy_catalog(
        &self,
        stage: &Stage,
        lister: &mut Lister,
        listed: &mut Listed,
        index: &mut BackupIndex,
    ) -> Result<()> {
        let attempts = if self.options.lacks(Weakness::CatalogOnce) { 1 } else { CATALOG_ATTEMPTS };
        for _ in 0..attempts {
            let listing = lister.list(self.cluster, Group::Catalog, self.cluster.catalog_prefix()).await?;
            let stage = self.relisted(stage, std::slice::from_ref(&listing), index);
            listed.replace(listing);
            index.changed = false;
            self.run(&stage, index).await?;
            if !index.changed {
                break;
            }
        }
        Ok(())
    }

    async fn run(&self, stage: &Stage, index: &mut BackupIndex) -> Result<()> {
        let places = Places::new(self.to.clone()).with(PlaceRole::Source, self.cluster.location().clone());
        self.executor.stage(stage, &places, index).await
    }

    /// The stage with the tasks that its listings at the barrier call for.
    fn relisted(&self, stage: &Stage, listings: &[Listing], index: &BackupIndex) -> Stage {
        let tasks = BackupPlan::relisted(self.cluster, listings, self.options.derived, &|entry| index.holds(entry));
        let relisted = Stage::new(stage.kind, stage.relist, tasks);
        // The catalog was planned for before, as it was listed then.
        let more = |now: u64, planned: u64| now.saturating_sub(planned);
        let (objects, bytes) = (more(relisted.objects(), stage.objects()), more(relisted.bytes(), stage.bytes()));
        index.events.planned(objects, bytes);
        relisted
    }
}

/// Lists the compactor's summaries and details once more. A cleanup between the listing of `cs` and that of `c` leaves a
/// summary whose files are gone, and opaque files do not show it: only that nothing moved meanwhile does.
async fn compactor_again(cluster: &Cluster, lister: &mut Lister) -> Result<Vec<Listing>> {
    let mut listings = Vec::new();
    for node in cluster.compactors() {
        for group in [Group::CompactionSummaries, Group::CompactionDetails] {
            listings.push(lister.list(cluster, group, &node.id).await?);
        }
    }
    Ok(listings)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::{checksum::Crc64, location::Version};

    #[test]
    fn what_a_store_knows_is_written_down_once() {
        let version = Version { e_tag: None, id: None, modified: Utc::now() };
        let source = ObjectMeta { key: Key::parse("n/wal/1.wal").expect("a key"), size: 9, version };
        let task = CopyTask::new(PlaceRole::Source, source, Component::Wal);
        let kept = |crc64, checksums| {
            let mut copied = Copied::unverified(9, "test");
            copied.content.crc64 = crc64;
            copied.stored.checksums = checksums;
            record(&task, copied).store_checksums
        };
        let crc64 = Some(Crc64::of(b"123456789"));
        let both = StoreChecksums { crc64, md5: Some("JfnnlDI7RTiF9RgfG2JNCw==".to_owned()), ..Default::default() };
        assert_eq!(kept(crc64, both.clone()), StoreChecksums { crc64: None, ..both.clone() });
        assert_eq!(kept(None, both.clone()), both, "the store made the copy itself");
        assert_eq!(kept(crc64, StoreChecksums::default()), StoreChecksums::default());
    }
}
