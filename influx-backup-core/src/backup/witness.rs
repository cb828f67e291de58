//! What a run saw of its source: what was absent, and which WAL numbers were never there.

use std::collections::BTreeSet;

use crate::{
    cluster::Cluster,
    error::Result,
    inventory::{Group, Inventory},
    judge::{covered, evidence::Evidence, gaps, numbered},
    key::Key,
    layout::{wal_name, wal_number},
    record::{Fence, Gap},
};

/// How many WAL numbers are asked for one by one; beyond that the listing's word is taken.
const HEADS: u64 = 1_000;

/// Which files listings of `dbs` lacked.
///
/// Core deletes files before it stores the manifest that says so, and what a manifest names was stored before it: what
/// the listing after the manifests lacks is gone. With a compactor more is needed: a file that it superseded may only
/// count as absent if the listing of the compactor's files, which hold its rows now, began after a listing that lacked it.
///
/// That listing may be older than the file: so this pass's own has to lack it, too. (A file that was stored, superseded and
/// cleaned up in between is in the compactor's files as they were listed, or C8 sees that they moved.)
#[derive(Debug)]
pub(super) struct DbsListings {
    /// What this pass listed.
    listed: BTreeSet<Key>,
    /// The keys of every listing that counts.
    counted: Vec<BTreeSet<Key>>,
}

impl DbsListings {
    /// The listings that count for a pass over `listed`, which `before` was the listing before of.
    pub(super) fn new(cluster: &Cluster, before: Option<&Inventory>, listed: &Inventory) -> Self {
        let compacted = listed.group(Group::CompactionSummaries).map(|listing| listing.order).min();
        let all: Vec<_> =
            before.into_iter().chain([listed]).flat_map(|inventory| inventory.group(Group::Parquet)).collect();
        let counts = |order: u64| compacted.is_none_or(|compacted| order < compacted);
        let mut counted = Vec::new();
        for node in cluster.stored_nodes() {
            let last =
                all.iter().filter(|listing| listing.owner == node.id && counts(listing.order)).max_by_key(|l| l.order);
            counted.extend(last.map(|listing| listing.entries.iter().map(|entry| entry.key.clone()).collect()));
        }
        let complete = counted.len() == cluster.stored_nodes().count();
        let listed = listed.group(Group::Parquet).flat_map(|listing| &listing.entries);
        let listed = listed.map(|entry| entry.key.clone()).collect();
        Self { listed, counted: if complete { counted } else { Vec::new() } }
    }
}

impl DbsListings {
    /// Whether the source lacks a live file that the backup lacks.
    pub(super) fn is_absent(&self, path: &str, rule: AbsenceRule) -> bool {
        if self.listed.contains(path) {
            return rule.vanished == VanishedFile::IsAbsent;
        }
        let is_lacked = || !self.counted.is_empty() && self.counted.iter().all(|keys| !keys.contains(path));
        rule.shown_by == AbsenceListing::Any || is_lacked()
    }
}

/// What shows that a live file is absent from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbsenceRule {
    /// Which listings of `dbs` show it.
    pub shown_by: AbsenceListing,
    /// What a file is that was listed and gone before its copy.
    pub vanished: VanishedFile,
}

/// Which listings of `dbs` show that a file is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsenceListing {
    /// One that ended before the listing of the compactor's files began, and this pass's own.
    BeforeCompactor,
    /// Any.
    Any,
}

/// What a file is that was listed and gone before its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VanishedFile {
    /// Something for another pass to look at.
    NeedsAnotherPass,
    /// Absent.
    IsAbsent,
}

impl AbsenceRule {
    /// The rule of every backup.
    pub const STANDARD: Self =
        Self { shown_by: AbsenceListing::BeforeCompactor, vanished: VanishedFile::NeedsAnotherPass };
}

/// The fence of each node: what was listed before its manifests, and which numbers the source itself lacks.
pub(super) async fn fences(cluster: &Cluster, evidence: &Evidence<'_>, listed: &Inventory) -> Result<Vec<Fence>> {
    let mut fences = Vec::new();
    for node in cluster.stored_nodes() {
        let listing = listed.listing(Group::Wal, &node.id);
        let numbers: BTreeSet<_> = listing
            .into_iter()
            .flat_map(|listing| &listing.entries)
            .filter_map(|entry| wal_number(entry.key.name()))
            .collect();
        let mut fence = Fence {
            node: node.id.clone(),
            first: numbers.first().copied(),
            last: numbers.last().copied(),
            holes: Vec::new(),
        };
        if let Some(last) = fence.last {
            for gap in gaps(&numbered(evidence, &node.id), covered(evidence, &node.id), last) {
                confirm(cluster, &node.id, gap, &numbers, &mut fence.holes).await?;
            }
        }
        fences.push(fence);
    }
    Ok(fences)
}

/// Adds the numbers of `gap` that the source lacks: that were not listed and are not there when asked for.
async fn confirm(cluster: &Cluster, node: &str, gap: Gap, listed: &BTreeSet<u64>, holes: &mut Vec<Gap>) -> Result<()> {
    let mut unlisted = Vec::new();
    let mut next = gap.first;
    for number in listed.range(gap.first..=gap.last) {
        if *number > next {
            unlisted.push(Gap { first: next, last: number - 1 });
        }
        next = number.saturating_add(1);
    }
    if next <= gap.last {
        unlisted.push(Gap { first: next, last: gap.last });
    }
    for gap in unlisted {
        if gap.last - gap.first >= HEADS {
            holes.push(gap);
            continue;
        }
        for number in gap.first..=gap.last {
            let key = Key::parse(format!("{node}/wal/{}", wal_name(number)))?;
            if cluster.location().head(&key).await?.is_none() {
                extend(holes, number);
            }
        }
    }
    Ok(())
}

fn extend(holes: &mut Vec<Gap>, number: u64) {
    match holes.last_mut() {
        Some(last) if last.last.saturating_add(1) == number => last.last = number,
        _ => holes.push(Gap { first: number, last: number }),
    }
}
