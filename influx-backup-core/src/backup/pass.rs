//! One pass: copy what is missing or changed, stage by stage.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::BackupOptions;
use crate::{
    certificate::evidence::Facts,
    copier::Copied,
    discover::Cluster,
    error::Result,
    execute::{Executor, Ledger, Outcome},
    inventory::{Group, Inventory, Lister, Listing},
    key::Key,
    layout::Component,
    location::{Entry, Location},
    manifest::{Journal, JournalLine, ObjectRecord, Stored},
    observe::{Event, Events, PassReport},
    plan::{BackupPlan, CopyTask, Relist, Stage},
};

/// How often the catalog is listed again within a pass because its root moved on while it was copied.
const CATALOG_ATTEMPTS: u32 = 5;

/// What a pass listed: its inventory, with the catalog as it was listed last.
#[derive(Debug, Clone, Default)]
pub(super) struct Listed {
    /// The listings that the proof is about.
    pub(super) inventory: Inventory,
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
pub(super) struct Holdings {
    pub(super) objects: BTreeMap<Key, ObjectRecord>,
    pub(super) journal: Journal,
    pub(super) facts: Facts,
    pub(super) events: Events,
    pub(super) pass: PassReport,
    /// Whether an object changed while it was copied, since this was last asked.
    changed: bool,
}

impl Holdings {
    pub(super) fn new(objects: BTreeMap<Key, ObjectRecord>, journal: Journal, events: Events) -> Self {
        Self { objects, journal, facts: Facts::default(), events, pass: PassReport::default(), changed: false }
    }

    /// Whether the backup has this version of an object.
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        let record = self.objects.get(&entry.key);
        record.is_some_and(|record| record.size == entry.size && record.version.is_same(&entry.version))
    }
}

#[async_trait]
impl Ledger for Holdings {
    async fn finished(&mut self, task: &CopyTask, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Copied(copied) => {
                self.pass.copied += 1;
                self.pass.bytes += copied.size;
                *self.pass.copiers.entry(copied.copier.to_owned()).or_default() += 1;
                let record = record(task, copied);
                if let (Component::Parquet, Some(ends)) = (task.component, record.1) {
                    self.facts.saw_parquet(task.source.key.clone(), task.source.version.clone(), ends);
                }
                self.objects.insert(task.source.key.clone(), record.0.clone());
                self.journal.add(JournalLine::Copied(record.0)).await
            }
            Outcome::Vanished => {
                self.pass.vanished += 1;
                self.events.send(Event::Vanished { key: task.source.key.clone() });
                Ok(())
            }
            Outcome::Changed => {
                self.pass.changed += 1;
                self.changed = true;
                self.events.send(Event::Changed { key: task.source.key.clone() });
                Ok(())
            }
        }
    }
}

type Ends = Option<Result<(), crate::format::FormatError>>;

fn record(task: &CopyTask, copied: Copied) -> (ObjectRecord, Ends) {
    let record = ObjectRecord {
        key: task.source.key.clone(),
        size: copied.size,
        version: task.source.version.clone(),
        crc64: copied.crc64,
        checked_by: copied.checked_by,
        attributes: copied.attributes,
        stored: Stored::default(),
    };
    (record, None)
}

/// Runs one pass over what was listed. What is listed again at a barrier takes the place of the earlier listing where
/// the proof is about the later one: the catalog. The WAL listed at the start stays the fence.
pub(super) async fn copy(
    executor: &Executor,
    cluster: &Cluster,
    lister: &mut Lister,
    to: &Location,
    options: &BackupOptions,
    listed: &mut Listed,
    holdings: &mut Holdings,
) -> Result<BackupPlan> {
    let plan = BackupPlan::missing(cluster, &listed.inventory, options, &|entry| holdings.holds(entry))?;
    for stage in &plan.stages {
        match stage.relist {
            None => executor.stage(stage, cluster.location(), to, holdings).await?,
            Some(Relist::Wal) => {
                let mut listings = Vec::new();
                for node in cluster.stored_nodes() {
                    listings.push(lister.list(cluster, Group::Wal, &node.id).await?);
                }
                let stage = relisted(cluster, stage, &listings, options, holdings);
                executor.stage(&stage, cluster.location(), to, holdings).await?;
            }
            Some(Relist::Catalog) => {
                for _ in 0..CATALOG_ATTEMPTS {
                    let listing = lister.list(cluster, Group::Catalog, cluster.catalog_prefix()).await?;
                    let stage = relisted(cluster, stage, std::slice::from_ref(&listing), options, holdings);
                    listed.replace(listing);
                    holdings.changed = false;
                    executor.stage(&stage, cluster.location(), to, holdings).await?;
                    if !holdings.changed {
                        break;
                    }
                }
            }
        }
    }
    holdings.journal.flush().await?;
    Ok(plan)
}

/// The stage with the tasks that its listings at the barrier call for.
fn relisted(
    cluster: &Cluster,
    stage: &Stage,
    listings: &[Listing],
    options: &BackupOptions,
    holdings: &Holdings,
) -> Stage {
    let tasks = BackupPlan::relisted(cluster, listings, options, &|entry| holdings.holds(entry));
    Stage { kind: stage.kind, relist: stage.relist, tasks }
}
