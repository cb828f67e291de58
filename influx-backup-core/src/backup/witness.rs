//! What a run saw of its source: what was absent, and which WAL numbers were never there.

use std::collections::BTreeSet;

use futures::FutureExt;

use crate::{
    cluster::Cluster,
    concurrent,
    error::Result,
    inventory::Inventory,
    judge::{covered, evidence::Evidence, gaps, numbered},
    key::Key,
    layout::{Group, wal_name, wal_number},
    location::ObjectMeta,
    record::{ConfirmedBy, Fence, Gap, Hole},
    table::Reader,
};

/// How many WAL numbers of all nodes are asked for one by one; of the others it is recorded that only the listing lacks them.
const MAX_HEADS: u64 = 1_000;

/// How many of them at once.
const HEADS_AT_ONCE: usize = 32;

/// Which files listings of `dbs` lacked.
///
/// Core deletes files before it stores the manifest that tells of it, and what a manifest names was stored before it: what
/// the listing after the manifests lacks is gone. With a compactor more is needed: a file that it superseded may only
/// count as absent if the listing of the compactor's files, which hold its rows now, began after a listing that lacked it.
///
/// That listing may be older than the file: so this pass's own has to lack it, too. (A file that was stored, superseded and
/// cleaned up in between is in the compactor's files as they were listed, or C8 sees that they moved.)
pub(super) struct DbsListings<'a> {
    /// What this pass listed.
    listed: Vec<Reader<'a, ObjectMeta>>,
    /// Every listing that counts.
    counted: Vec<Reader<'a, ObjectMeta>>,
}

impl<'a> DbsListings<'a> {
    /// The listings that count for a pass over `listed`, which `before` was the listing before of.
    pub(super) fn new(cluster: &Cluster, before: Option<&'a Inventory>, listed: &'a Inventory) -> Self {
        let compacted = listed.group(Group::CompactionSummaries).map(|listing| listing.order).min();
        let all: Vec<_> =
            before.into_iter().chain([listed]).flat_map(|inventory| inventory.group(Group::Parquet)).collect();
        let counts = |order: u64| compacted.is_none_or(|compacted| order < compacted);
        let mut counted = Vec::new();
        for node in cluster.stored_nodes() {
            let last =
                all.iter().filter(|listing| listing.owner == node.id && counts(listing.order)).max_by_key(|l| l.order);
            counted.extend(last.map(|listing| listing.entries.reader()));
        }
        let complete = counted.len() == cluster.stored_nodes().count();
        let listed = listed.group(Group::Parquet).map(|listing| listing.entries.reader()).collect();
        Self { listed, counted: if complete { counted } else { Vec::new() } }
    }

    /// Whether the source lacks a live file that the backup lacks.
    pub(super) fn is_absent(&mut self, path: &str, rule: AbsenceRule) -> bool {
        if self.listed.iter_mut().any(|listing| listing.get(path).is_some()) {
            return rule.vanished == VanishedFile::IsAbsent;
        }
        let mut is_lacked =
            || !self.counted.is_empty() && self.counted.iter_mut().all(|listing| listing.get(path).is_none());
        rule.shown_by == AbsenceListing::Any || is_lacked()
    }
}

/// What shows that a live file is absent from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AbsenceRule {
    /// Which listings of `dbs` show it.
    pub shown_by: AbsenceListing,
    /// What a file is that was listed and gone before its copy.
    pub vanished: VanishedFile,
}

/// Which listings of `dbs` show that a file is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbsenceListing {
    /// One that ended before the listing of the compactor's files began, and this pass's own.
    BeforeCompactor,
    /// Any.
    Any,
}

/// What a file is that was listed and gone before its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
    let mut heads_left = MAX_HEADS;
    for node in cluster.stored_nodes() {
        let numbers = listed_numbers(listed, &node.id);
        let mut holes = Vec::new();
        if let Some(last) = numbers.last() {
            let gaps = gaps(&numbered(evidence, &node.id), covered(evidence, &node.id), *last);
            for gap in gaps.into_iter().flat_map(|gap| unlisted(gap, &numbers)) {
                let length = (gap.last - gap.first).saturating_add(1);
                if length > heads_left {
                    holes.push(Hole { gap, by: ConfirmedBy::Listing });
                } else {
                    heads_left -= length;
                    let missing = missing(cluster, &node.id, gap).await?;
                    holes.extend(missing.into_iter().map(|gap| Hole { gap, by: ConfirmedBy::Head }));
                }
            }
        }
        let first = numbers.first().copied();
        let last = numbers.last().copied();
        fences.push(Fence { node: node.id.clone(), first, last, holes });
    }
    Ok(fences)
}

fn listed_numbers(listed: &Inventory, node: &str) -> BTreeSet<u64> {
    let listing = listed.listing(Group::Wal, node);
    let entries = listing.into_iter().flat_map(|listing| &listing.entries);
    entries.filter_map(|entry| wal_number(entry.key.name())).collect()
}

/// The parts of `gap` that were not listed.
fn unlisted(gap: Gap, listed: &BTreeSet<u64>) -> Vec<Gap> {
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
    unlisted
}

/// The numbers of `gap` that are not there when they are asked for.
async fn missing(cluster: &Cluster, node: &str, gap: Gap) -> Result<Vec<Gap>> {
    let heads = (gap.first..=gap.last).map(|number| is_missing(cluster, node, number).boxed());
    let heads = concurrent::run(heads.collect(), HEADS_AT_ONCE).await?;
    let mut missing: Vec<Gap> = Vec::new();
    for (number, is_missing) in (gap.first..=gap.last).zip(heads) {
        match missing.last_mut() {
            _ if !is_missing => {}
            Some(last) if last.last.saturating_add(1) == number => last.last = number,
            _ => missing.push(Gap { first: number, last: number }),
        }
    }
    Ok(missing)
}

async fn is_missing(cluster: &Cluster, node: &str, number: u64) -> Result<bool> {
    let key = Key::parse(format!("{node}/wal/{}", wal_name(number)))?;
    Ok(cluster.location().head(&key).await?.is_none())
}
