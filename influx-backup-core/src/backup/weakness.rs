//! What the rules do when a test turns some of them off. Each one changes what the engine works on: an order, a plan, a set, a
//! verdict.

use std::collections::BTreeSet;

use super::witness::DbsListings;
use crate::{
    certificate::{Certificate, Clause, Verdict},
    cluster::ClusterDescription,
    inventory::{Group, LISTING_ORDER, Lister, Roots},
    judge::evidence::Lacking,
    key::Key,
    layout::{Component, Mutability},
    options::BackupOptions,
    plan::{BackupPlan, Relist},
};

/// A rule that tests turn off, to show that it is needed: `tests/rules_turned_off` has the world or the scene for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Lists `snapshots`, `dbs`, `wal` in the order of the documentation: no fence.
    DocumentedOrder,
    /// Lists the snapshot checkpoints after the manifests and their files.
    CheckpointsLast,
    /// Lists `dbs` before `snapshots`.
    ParquetFirst,
    /// Lists the compactor's files after the nodes.
    CompactorLast,
    /// Lists `c`, `cd`, `cs` instead of `cs`, `cd`, `c`.
    SummariesLast,
    /// Does not list `cs` and `cd` again after their files were copied.
    CompactorOnce,
    /// Lists the catalog before the nodes.
    CatalogFirst,
    /// Looks at the catalog's roots before its logs.
    RootsFirst,
    /// Does not list the catalog again at its barrier.
    CatalogAsPlanned,
    /// Does not list the catalog again where its root moved on while it was copied.
    CatalogOnce,
    /// Does not list the WAL again at its barrier.
    NoTopUp,
    /// Takes every listing of `dbs` for proof that a file is absent.
    AnyAbsence,
    /// Takes a file that was listed and gone before its copy for absent, without another look.
    ForgivesVanished,
    /// Keeps the whole top-up of the WAL, over gaps.
    KeepsWal,
    /// Keeps checkpoints that are newer than the cut.
    KeepsCheckpoints,
    /// Keeps what is overwritten or opaque from earlier passes, although it left the source.
    KeepsOverwritten,
    /// Keeps Parquet files that are not those that their manifests name, although they left the source.
    KeepsOutdated,
    /// Looks away from this clause: it holds.
    Ignores(Clause),
}

impl Weakness {
    /// A lister in the order that is left.
    pub(super) fn lister(off: &[Self]) -> Lister {
        use Group::{
            Compacted, CompactionDetails, CompactionSummaries, Licenses, NodeRest, Parquet, SnapshotCheckpoints,
            Snapshots, Wal,
        };
        let (mut order, mut roots) = (LISTING_ORDER.to_vec(), Roots::AfterLogs);
        for weakness in off {
            match weakness {
                Self::DocumentedOrder => move_behind(&mut order, Parquet, &[Wal, SnapshotCheckpoints]),
                Self::CheckpointsLast => move_behind(&mut order, Parquet, &[SnapshotCheckpoints]),
                Self::ParquetFirst => move_behind(&mut order, Parquet, &[Snapshots]),
                Self::CompactorLast => {
                    move_behind(&mut order, NodeRest, &[CompactionSummaries, CompactionDetails, Compacted]);
                }
                Self::SummariesLast => {
                    move_behind(&mut order, Compacted, &[CompactionDetails, CompactionSummaries]);
                }
                Self::CatalogFirst => {
                    let others: Vec<_> = order.iter().copied().take_while(|group| *group != Group::Catalog).collect();
                    move_behind(&mut order, Licenses, &others);
                }
                Self::RootsFirst => roots = Roots::BeforeLogs,
                _ => {}
            }
        }
        Lister::in_order(order, roots)
    }

    /// Takes re-list rules out of a plan.
    pub(super) fn forget_barriers(options: &BackupOptions, plan: &mut BackupPlan) {
        for stage in &mut plan.stages {
            let forgotten = match stage.relist {
                Some(Relist::Wal) => options.lacks(Self::NoTopUp),
                Some(Relist::Catalog) => options.lacks(Self::CatalogAsPlanned),
                None => false,
            };
            stage.relist = stage.relist.filter(|_| !forgotten);
        }
    }

    /// Who tells that a file is absent.
    pub(super) fn lacking(options: &BackupOptions, listings: DbsListings) -> Box<dyn Lacking> {
        let (any, vanished) = (options.lacks(Self::AnyAbsence), options.lacks(Self::ForgivesVanished));
        if !any && !vanished {
            return Box::new(listings);
        }
        Box::new(Rash { any, vanished, listings })
    }

    /// Keeps what should be trimmed.
    pub(super) fn keep(options: &BackupOptions, cluster: &ClusterDescription, trimmed: &mut BTreeSet<Key>) {
        trimmed.retain(|key| match cluster.classify(key).map(|object| object.kind()) {
            Some(Component::Wal) => !options.lacks(Self::KeepsWal),
            Some(Component::SnapshotCheckpoint) => !options.lacks(Self::KeepsCheckpoints),
            Some(Component::Parquet) => !options.lacks(Self::KeepsOutdated),
            Some(kind) if kind.mutability() == Mutability::Overwritten => !options.lacks(Self::KeepsOverwritten),
            _ => true,
        });
    }

    /// Takes a clause for true.
    pub(super) fn look_away(options: &BackupOptions, certificate: &mut Certificate) {
        for result in &mut certificate.clauses {
            if options.lacks(Self::Ignores(result.clause)) {
                (result.verdict, result.violated) = (Verdict::Holds, 0);
                result.violations.clear();
            }
        }
    }
}

/// Moves groups right behind another one.
fn move_behind(order: &mut Vec<Group>, other: Group, groups: &[Group]) {
    order.retain(|group| !groups.contains(group));
    let at = order.iter().position(|group| *group == other).map_or(order.len(), |at| at + 1);
    order.splice(at..at, groups.iter().copied());
}

/// Takes files for absent that nobody has looked for.
#[derive(Debug)]
struct Rash {
    any: bool,
    vanished: bool,
    listings: DbsListings,
}

impl Lacking for Rash {
    fn lacks(&self, node: &str, path: &str) -> bool {
        let rash = if self.listings.listed(path) { self.vanished } else { self.any };
        rash || self.listings.lacks(node, path)
    }
}
