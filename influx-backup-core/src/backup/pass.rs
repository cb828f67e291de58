//! One pass: copy what is missing or changed, stage by stage.

use super::{Rules, index::Index, run::RunState, sink::PassSink};
use crate::{
    cluster::Cluster,
    error::Result,
    execute::{Executor, Places},
    inventory::{Inventory, Lister, Listing},
    job::EventSink,
    key::Key,
    layout::Group,
    lease::Lease,
    location::{Location, ObjectMeta},
    options::BackupOptions,
    plan::{BackupPlan, PlaceRole, Relist, Stage, StageKind},
    record::PassReport,
    table::Reader,
};

/// What a pass listed: its inventory, with the catalog as it was listed last.
#[derive(Debug, Clone, Default)]
pub(super) struct Listed {
    /// The listings that the proof is about.
    pub(super) inventory: Inventory,
    /// The compactor's summaries and details as they were after its files were copied.
    pub(super) compactor_after: Vec<Listing>,
}

impl Listed {
    /// For asking whether objects were listed, quickly in the order of their keys.
    pub(super) fn reader(&self) -> ListedReader<'_> {
        ListedReader(self.inventory.listings.iter().map(|listing| listing.entries.reader()).collect())
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

/// Looks objects up in all listings of a pass.
pub(super) struct ListedReader<'a>(Vec<Reader<'a, ObjectMeta>>);

impl ListedReader<'_> {
    /// Whether an object was listed.
    pub(super) fn has(&mut self, key: &Key) -> bool {
        self.0.iter_mut().any(|listing| listing.get(key.as_str()).is_some())
    }
}

/// One pass over what was listed.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    pub(super) executor: &'a Executor,
    pub(super) cluster: &'a Cluster,
    pub(super) to: &'a Location,
    pub(super) options: &'a BackupOptions,
    pub(super) rules: &'a Rules,
    pub(super) lease: &'a Lease,
    pub(super) events: &'a EventSink,
}

impl Pass<'_> {
    /// Copies stage by stage, and reports what was copied. What is listed again at a barrier takes the place of the earlier
    /// listing where the proof is about the later one: the catalog. The WAL listed at the start stays the fence.
    pub(super) async fn copy(
        &self,
        plan: BackupPlan,
        lister: &Lister,
        listed: &mut Listed,
        state: &mut RunState,
    ) -> Result<PassReport> {
        let mut sink = PassSink::new(self.to, state);
        for stage in plan.stages {
            self.lease.check().await?;
            match stage.relist.filter(|relist| self.rules.relist.contains(relist)) {
                None => {
                    self.run(&stage, &mut sink).await?;
                    if stage.kind == StageKind::Compactor && self.rules.recheck_compactor {
                        listed.compactor_after = compactor_again(self.cluster, lister).await?;
                    }
                }
                Some(Relist::Wal) => {
                    let nodes = self.cluster.stored_nodes().map(|node| node.id.clone());
                    let listings = lister.groups(self.cluster, &[Group::Wal], nodes).await?;
                    let stage = self.relisted(&stage, &listings, sink.index());
                    self.run(&stage, &mut sink).await?;
                }
                Some(Relist::Catalog) => self.copy_catalog(&stage, lister, listed, &mut sink).await?,
            }
        }
        let report = sink.into_report();
        state.journal.flush().await?;
        Ok(report)
    }

    /// Lists and copies the catalog again while its root moves on under the copy.
    async fn copy_catalog(
        &self,
        stage: &Stage,
        lister: &Lister,
        listed: &mut Listed,
        sink: &mut PassSink<'_>,
    ) -> Result<()> {
        for _ in 0..self.rules.catalog_attempts {
            let listing = lister.list(self.cluster, Group::Catalog, self.cluster.catalog_prefix()).await?;
            let stage = self.relisted(stage, std::slice::from_ref(&listing), sink.index());
            listed.replace(listing);
            sink.forget_changes();
            self.run(&stage, sink).await?;
            if !sink.saw_change() {
                break;
            }
        }
        Ok(())
    }

    async fn run(&self, stage: &Stage, sink: &mut PassSink<'_>) -> Result<()> {
        let places = Places::new(self.to.clone()).with(PlaceRole::Source, self.cluster.location().clone());
        self.executor.stage(stage, &places, sink).await
    }

    /// The stage with the tasks that its listings at the barrier call for.
    fn relisted(&self, stage: &Stage, listings: &[Listing], index: &mut Index) -> Stage {
        let mut held = index.reader();
        let mut is_held = |entry: &ObjectMeta| held.holds(entry);
        let tasks = BackupPlan::relisted(self.cluster.description(), listings, self.options.derived, &mut is_held);
        let relisted = Stage::new(stage.kind, stage.relist, tasks);
        // The catalog was planned for before, as it was listed then.
        let objects = relisted.objects().saturating_sub(stage.objects());
        let bytes = relisted.bytes().saturating_sub(stage.bytes());
        self.events.planned(objects, bytes);
        relisted
    }
}

/// Lists the compactor's summaries and details once more. A cleanup between the listing of `cs` and that of `c` leaves a
/// summary whose files are gone, and opaque files do not show it: only that nothing moved meanwhile does.
async fn compactor_again(cluster: &Cluster, lister: &Lister) -> Result<Vec<Listing>> {
    let compactors = cluster.compactors().map(|node| node.id.clone());
    lister.groups(cluster, &[Group::CompactionSummaries, Group::CompactionDetails], compactors).await
}
