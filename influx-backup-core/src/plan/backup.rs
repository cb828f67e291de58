//! [`BackupPlan`]: what a pass copies, in which order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CopyTask, Reason, Skipped, Stage, StageKind, backup_order, stable_hash, stage_of};
use crate::{
    cluster::{ClusterDescription, Edition},
    error::Result,
    inventory::{Inventory, Listing},
    layout::Component,
    location::ObjectMeta,
    options::{BackupOptions, Derived},
};

/// What a backup copies, in order.
///
/// Pure: built from an inventory, printed with `Display`, kept as JSON, identified by [`BackupPlan::hash`]. A dry run
/// is a plan that is printed and not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPlan {
    /// The cluster's id.
    pub cluster: String,
    /// Core or Enterprise.
    pub edition: Edition,
    /// Where it is copied from, as a URL without credentials.
    pub source: String,
    /// The stages, in order; none is left out, even where it copies nothing.
    pub stages: Vec<Stage>,
    /// What is left out, and why.
    pub skipped: Vec<Skipped>,
}

impl BackupPlan {
    /// Plans the first pass of a backup.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) where an option does not fit the cluster.
    pub fn new(cluster: &ClusterDescription, inventory: &Inventory, options: &BackupOptions) -> Result<Self> {
        Self::missing(cluster, inventory, options, &|_| false)
    }

    /// Plans a pass: what `held` does not say the backup has in the version listed.
    ///
    /// # Errors
    /// As for [`BackupPlan::new`].
    pub fn missing(
        cluster: &ClusterDescription,
        inventory: &Inventory,
        options: &BackupOptions,
        held: &dyn Fn(&ObjectMeta) -> bool,
    ) -> Result<Self> {
        let mut tasks: BTreeMap<StageKind, Vec<CopyTask>> = BTreeMap::new();
        let mut skipped = Left::default();
        for entry in inventory.entries() {
            match choose(cluster, entry, options.derived, held) {
                Choice::Copy(stage, component) => {
                    tasks.entry(stage).or_default().push(CopyTask::new(entry.clone(), component));
                }
                Choice::Exclude(what, reason) => skipped.add(what, reason, entry),
            }
        }
        for name in &cluster.foreign {
            skipped.name(name, Reason::Foreign);
        }
        for node in &cluster.excluded_nodes {
            skipped.name(node, Reason::NodeExcluded);
        }
        let stage = |kind: &StageKind| Stage {
            kind: *kind,
            relist: kind.relist(),
            tasks: tasks.remove(kind).unwrap_or_default(),
        };
        Ok(Self {
            cluster: cluster.id().to_owned(),
            edition: cluster.edition,
            source: cluster.location.clone(),
            stages: backup_order(cluster.edition).iter().map(stage).collect(),
            skipped: skipped.0,
        })
    }

    /// The tasks of a stage with a re-list rule, from what was listed at its barrier. The same choice as for the plan.
    #[must_use]
    pub fn relisted(
        cluster: &ClusterDescription,
        listings: &[Listing],
        options: &BackupOptions,
        held: &dyn Fn(&ObjectMeta) -> bool,
    ) -> Vec<CopyTask> {
        let entries = listings.iter().flat_map(|listing| &listing.entries);
        let task = |entry: &ObjectMeta| match choose(cluster, entry, options.derived, held) {
            Choice::Copy(_, component) => Some(CopyTask::new(entry.clone(), component)),
            Choice::Exclude(..) => None,
        };
        entries.filter_map(task).collect()
    }

    /// How many objects it copies.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.stages.iter().map(Stage::objects).sum()
    }

    /// How many bytes it copies.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.stages.iter().map(Stage::bytes).sum()
    }

    /// SHA-256 over the plan's JSON, in hex.
    #[must_use]
    pub fn hash(&self) -> String {
        stable_hash(self)
    }
}

enum Choice {
    Copy(StageKind, Component),
    Exclude(&'static str, Reason),
}

/// The one place that decides whether an object is copied, and in which stage.
fn choose(
    cluster: &ClusterDescription,
    entry: &ObjectMeta,
    derived: Derived,
    held: &dyn Fn(&ObjectMeta) -> bool,
) -> Choice {
    let Some(object) = cluster.classify(&entry.key) else {
        return Choice::Exclude("outside every prefix", Reason::Foreign);
    };
    if object.component.is_derived() && derived == Derived::Exclude {
        let what = match object.component {
            Component::TableSnapshot => "table-snapshots",
            Component::TableIndex => "db-indices",
            _ => "table-index-conversion-completed",
        };
        return Choice::Exclude(what, Reason::Derived);
    }
    if held(entry) {
        return Choice::Exclude("held", Reason::Held);
    }
    // What is listed first is the fence; the WAL stage tops it up.
    let kind = match stage_of(cluster.edition, object) {
        StageKind::Wal => StageKind::WalFence,
        kind => kind,
    };
    Choice::Copy(kind, object.kind())
}

#[derive(Default)]
struct Left(Vec<Skipped>);

impl Left {
    fn add(&mut self, what: &str, reason: Reason, entry: &ObjectMeta) {
        let at = self.name(what, reason);
        self.0[at].objects += 1;
        self.0[at].bytes += entry.size;
    }

    fn name(&mut self, what: &str, reason: Reason) -> usize {
        if let Some(at) = self.0.iter().position(|left| left.what == what && left.reason == reason) {
            return at;
        }
        self.0.push(Skipped { what: what.to_owned(), reason, objects: 0, bytes: 0 });
        self.0.len() - 1
    }
}
