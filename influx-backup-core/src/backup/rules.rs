//! [`Rules`]: how a backup goes about it, as data.

use std::borrow::Cow;

use super::witness::AbsenceRule;
use crate::{
    certificate::Clause,
    inventory::{LISTING_ORDER, RootsOrder},
    layout::Group,
    plan::Relist,
};

/// How a backup goes about it. One value is right: [`Rules::STANDARD`]. Tests change fields to show what each rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// The order in which the groups of a source are listed.
    pub listing_order: Cow<'static, [Group]>,
    /// When the roots of the catalog are looked at.
    pub roots: RootsOrder,
    /// What is listed again at the barrier before its stage.
    pub relist: Cow<'static, [Relist]>,
    /// How often the catalog is listed and copied within a pass because its root moved while it was copied.
    pub catalog_attempts: u32,
    /// Whether the summaries and details of the compactor are listed again after its files were copied.
    pub recheck_compactor: bool,
    /// What shows that a live file is absent from the source.
    pub absence: AbsenceRule,
    /// What is deleted from the backup before its commit.
    pub trim: Cow<'static, [Trim]>,
    /// Whether the last look at the backup waits until requests that were cut off can no longer take effect.
    pub await_cut_off: bool,
    /// Which clauses are judged.
    pub judged: Cow<'static, [Clause]>,
}

/// What is deleted from a backup before its commit, so that it is one cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trim {
    /// WAL that does not continue the fence.
    Wal,
    /// Checkpoints newer than the cut.
    Checkpoints,
    /// Overwritten or opaque objects that the last listing lacks.
    Overwritten,
    /// Parquet files that are not those that their manifests name, and that the last listing lacks.
    Superseded,
}

impl Trim {
    /// Everything.
    pub const ALL: &[Self] = &[Self::Wal, Self::Checkpoints, Self::Overwritten, Self::Superseded];
}

impl Rules {
    /// The rules of every backup.
    pub const STANDARD: Self = Self {
        listing_order: Cow::Borrowed(LISTING_ORDER),
        roots: RootsOrder::AfterLogs,
        relist: Cow::Borrowed(&[Relist::Wal, Relist::Catalog]),
        catalog_attempts: 5,
        recheck_compactor: true,
        absence: AbsenceRule::STANDARD,
        trim: Cow::Borrowed(Trim::ALL),
        await_cut_off: true,
        judged: Cow::Borrowed(Clause::ALL),
    };
}
