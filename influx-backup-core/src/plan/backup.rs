//! [`BackupPlan`]: what a pass copies, in which order.

use serde::{Deserialize, Serialize};

use super::{
    CopyTask, PlaceRole, Reason, Skipped, SkippedItem, Stage, StageKind, StageTasks, backup_order, stable_hash,
    stage_of,
};
use crate::{
    cluster::{ClusterDescription, Edition},
    finding::Finding,
    inventory::{Inventory, Listing},
    layout::Component,
    location::ObjectMeta,
    options::Derived,
    units::total,
};

/// What a backup copies, in order.
///
/// Data: made from an inventory without any I/O, printed with `Display`, kept as JSON without loss, identified by
/// [`BackupPlan::hash`]. A dry run is a plan that is printed and not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BackupPlan {
    /// The cluster's id.
    pub cluster: String,
    /// Core or Enterprise.
    pub edition: Edition,
    /// Where it is copied from, as a URL without credentials.
    pub source: String,
    /// What is skipped, and why.
    pub skipped: Vec<Skipped>,
    /// What is worth knowing.
    #[serde(default)]
    pub findings: Vec<Finding>,
    pub(crate) stages: Vec<Stage>,
}

impl BackupPlan {
    /// Plans the first pass of a backup.
    #[must_use]
    pub fn new(cluster: &ClusterDescription, inventory: &Inventory, derived: Derived) -> Self {
        Self::missing(cluster, inventory, derived, &mut |_| false)
    }

    /// Plans a pass: what `held` does not say the backup has in the version listed.
    pub(crate) fn missing(
        cluster: &ClusterDescription,
        inventory: &Inventory,
        derived: Derived,
        held: &mut dyn FnMut(&ObjectMeta) -> bool,
    ) -> Self {
        let mut stages = StageTasks::default();
        let mut skipped = SkippedSummary::default();
        for entry in inventory.entries() {
            match choose(cluster, &entry, derived, held) {
                Choice::Copy(stage, component) => {
                    stages.add(stage, CopyTask::new(PlaceRole::Source, entry, component));
                }
                Choice::Exclude(item, reason) => skipped.add(item, reason, entry.size),
            }
        }
        for name in &cluster.foreign {
            skipped.0.push(Skipped::unlisted(SkippedItem::Name(name.clone()), Reason::Foreign));
        }
        for node in &cluster.excluded_nodes {
            skipped.0.push(Skipped::unlisted(SkippedItem::Node(node.clone()), Reason::NodeExcluded));
        }
        Self {
            cluster: cluster.id().to_owned(),
            edition: cluster.edition,
            source: cluster.location.clone(),
            stages: stages.in_order(backup_order(cluster.edition), StageKind::relist),
            skipped: skipped.0,
            findings: Vec::new(),
        }
    }

    /// The tasks of a stage with a re-list rule, from what was listed at its barrier. The same choice as for the plan.
    pub(crate) fn relisted<'a>(
        cluster: &'a ClusterDescription,
        listings: &'a [Listing],
        derived: Derived,
        held: &'a mut dyn FnMut(&ObjectMeta) -> bool,
    ) -> impl Iterator<Item = CopyTask> + 'a {
        let entries = listings.iter().flat_map(|listing| &listing.entries);
        entries.filter_map(move |entry| match choose(cluster, &entry, derived, held) {
            Choice::Copy(_, component) => Some(CopyTask::new(PlaceRole::Source, entry, component)),
            Choice::Exclude(..) => None,
        })
    }

    /// All stages, in order, including those that copy nothing.
    pub fn stages(&self) -> impl ExactSizeIterator<Item = &Stage> {
        self.stages.iter()
    }

    /// How many objects it copies.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.stages.iter().map(Stage::objects).sum()
    }

    /// How many bytes it copies.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        total(self.stages.iter().map(Stage::bytes))
    }

    /// SHA-256, in hex, over what the plan copies and skips: two plans that do the same have the same hash on every machine.
    #[must_use]
    pub fn hash(&self) -> String {
        stable_hash(&(&self.cluster, self.edition, &self.source, &self.skipped, &self.stages))
    }
}

enum Choice {
    Copy(StageKind, Component),
    Exclude(SkippedItem, Reason),
}

/// The one place that decides whether an object is copied, and in which stage.
fn choose(
    cluster: &ClusterDescription,
    entry: &ObjectMeta,
    derived: Derived,
    held: &mut dyn FnMut(&ObjectMeta) -> bool,
) -> Choice {
    let Some(object) = cluster.classify(&entry.key) else {
        return Choice::Exclude(SkippedItem::Objects, Reason::Foreign);
    };
    if object.component.is_derived() && derived == Derived::Exclude {
        return Choice::Exclude(SkippedItem::Component(object.component), Reason::Derived);
    }
    if held(entry) {
        return Choice::Exclude(SkippedItem::Objects, Reason::Held);
    }
    // What is listed first is the fence; the WAL stage tops it up.
    let kind = match stage_of(cluster.edition, object) {
        StageKind::Wal => StageKind::WalFence,
        kind => kind,
    };
    Choice::Copy(kind, object.kind())
}

/// What is skipped, counted by item and reason.
#[derive(Default)]
struct SkippedSummary(Vec<Skipped>);

impl SkippedSummary {
    fn add(&mut self, item: SkippedItem, reason: Reason, size: u64) {
        match self.0.iter_mut().find(|skipped| skipped.item == item && skipped.reason == reason) {
            Some(skipped) => {
                skipped.objects += 1;
                skipped.bytes = skipped.bytes.saturating_add(size);
            }
            None => self.0.push(Skipped { item, reason, objects: 1, bytes: size }),
        }
    }
}
