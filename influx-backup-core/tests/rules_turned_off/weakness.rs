//! A rule that is turned off, and what the rules are then.

use influx_backup_core::{
    Clause,
    backup::{AbsenceListing, Rules, Trim, VanishedFile},
    inventory::RootsOrder,
    layout::Group,
    plan::Relist,
};

/// Defines the enum and the list of its variants.
macro_rules! weaknesses {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// A rule that is turned off.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Weakness {
            $($(#[$doc])+ $name,)+
            /// Does not judge this clause.
            Ignores(Clause),
        }

        impl Weakness {
            /// Every weakness.
            pub(crate) fn all() -> impl Iterator<Item = Self> {
                let rules = [$(Self::$name),+];
                rules.into_iter().chain(Clause::ALL.iter().copied().map(Self::Ignores))
            }
        }
    };
}

weaknesses! {
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
}

/// The rules without these.
pub(crate) fn rules_without(off: impl IntoIterator<Item = Weakness>) -> Rules {
    off.into_iter().fold(Rules::STANDARD, |mut rules, weakness| {
        weakness.apply(&mut rules);
        rules
    })
}

impl Weakness {
    fn apply(self, rules: &mut Rules) {
        use Group::{
            Compacted, CompactionDetails, CompactionSummaries, Licenses, NodeRest, Parquet, SnapshotCheckpoints,
            Snapshots, Wal,
        };
        let order = rules.listing_order.to_mut();
        match self {
            Self::DocumentedOrder => move_behind(order, Parquet, &[Wal, SnapshotCheckpoints]),
            Self::CheckpointsLast => move_behind(order, Parquet, &[SnapshotCheckpoints]),
            Self::ParquetFirst => move_behind(order, Parquet, &[Snapshots]),
            Self::CompactorLast => {
                move_behind(order, NodeRest, &[CompactionSummaries, CompactionDetails, Compacted]);
            }
            Self::SummariesLast => move_behind(order, Compacted, &[CompactionDetails, CompactionSummaries]),
            Self::CompactorOnce => rules.recheck_compactor = false,
            Self::CatalogFirst => {
                let others: Vec<_> = order.iter().copied().take_while(|group| *group != Group::Catalog).collect();
                move_behind(order, Licenses, &others);
            }
            Self::RootsFirst => rules.roots = RootsOrder::BeforeLogs,
            Self::CatalogAsPlanned => rules.relist.to_mut().retain(|relist| *relist != Relist::Catalog),
            Self::CatalogOnce => rules.catalog_attempts = 1,
            Self::NoTopUp => rules.relist.to_mut().retain(|relist| *relist != Relist::Wal),
            Self::AnyAbsence => rules.absence.shown_by = AbsenceListing::Any,
            Self::ForgivesVanished => rules.absence.vanished = VanishedFile::IsAbsent,
            Self::KeepsWal => keep(rules, Trim::Wal),
            Self::KeepsCheckpoints => keep(rules, Trim::Checkpoints),
            Self::KeepsOverwritten => keep(rules, Trim::Overwritten),
            Self::KeepsOutdated => keep(rules, Trim::Superseded),
            Self::Ignores(clause) => rules.judged.to_mut().retain(|judged| *judged != clause),
        }
    }
}

fn keep(rules: &mut Rules, kept: Trim) {
    rules.trim.to_mut().retain(|trimmed| *trimmed != kept);
}

/// Moves groups right behind another one.
fn move_behind(order: &mut Vec<Group>, other: Group, groups: &[Group]) {
    order.retain(|group| !groups.contains(group));
    let at = order.iter().position(|group| *group == other).map_or(order.len(), |at| at + 1);
    order.splice(at..at, groups.iter().copied());
}
