//! C7 from pass to pass: what only grows in a cluster must not shrink.
//!
//! Servers count WAL files and snapshots upwards and keep the newest manifest for good. Where a later listing shows less
//! than an earlier one, a volume was unmounted or the source was restored meanwhile: what was listed before and never
//! copied would be missing unnoticed, or two timelines would be mixed.

use std::collections::{BTreeMap, BTreeSet};

use crate::options::AbsenceTolerance;
use crate::{
    cluster::Edition,
    finding::{Finding, FindingCode},
    inventory::{Inventory, Listing},
    judge::{At, covered, evidence::Evidence, finding},
    layout::{Group, snapshot_sequence, wal_number},
};

/// What the passes so far have seen.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The newest WAL file listed, by node.
    wal: BTreeMap<String, u64>,
    /// The newest manifest listed, by node.
    snapshots: BTreeMap<String, u64>,
    /// Nodes that had Parquet files.
    parquet: BTreeSet<String>,
    /// The highest sequence of the catalog.
    pub(super) catalog: Option<u64>,
    /// What no later pass can clear.
    pub(super) broken: Vec<Finding>,
}

impl Timeline {
    /// Remembers what a pass listed.
    pub(super) fn record_listing(&mut self, listed: &Inventory) {
        raise(&mut self.wal, listed.group(Group::Wal), wal_number);
        raise(&mut self.snapshots, listed.group(Group::Snapshots), snapshot_sequence);
        let stored = listed.group(Group::Parquet).filter(|listing| !listing.entries.is_empty());
        self.parquet.extend(stored.map(|listing| listing.owner.clone()));
    }

    /// What `listed` no longer shows although it must.
    pub(super) fn regressions(&self, evidence: &Evidence<'_>, listed: &Inventory) -> Vec<Finding> {
        let mut violations = Vec::new();
        for node in evidence.cluster.stored_nodes() {
            let newest = |group, number: fn(&str) -> Option<u64>| newest(listed.listing(group, &node.id)?, number);
            let mut violate = |code, message| violations.push(finding(At::node(&node.id), code, message));
            let snapshot = newest(Group::Snapshots, snapshot_sequence);
            if let Some(before) = self.snapshots.get(&node.id).filter(|before| Some(**before) > snapshot) {
                violate(
                    FindingCode::ManifestsWentBack,
                    format!("manifest {before} of {} was listed and is gone", node.id),
                );
            }
            // A snapshot that covers it is the only reason for the newest WAL file to go.
            let wal = newest(Group::Wal, wal_number).max(Some(covered(evidence, &node.id)));
            if let Some(before) = self.wal.get(&node.id).filter(|before| Some(**before) > wal) {
                violate(FindingCode::WalWentBack, format!("WAL {before} of {} was listed and is gone", node.id));
            }
            if self.is_emptied(evidence, listed, &node.id) {
                let message = format!("all files are gone from `{}/dbs`: is a volume missing?", node.id);
                violate(FindingCode::MostParquetMissing, message);
            }
        }
        violations
    }

    /// Enterprise: files that a compactor superseded go, but not all of a node at once while its manifests name files that
    /// the backup lacks. (For Core, C1 looks after it.)
    fn is_emptied(&self, evidence: &Evidence<'_>, listed: &Inventory, node: &str) -> bool {
        evidence.cluster.edition == Edition::Enterprise
            && evidence.absence_tolerance == AbsenceTolerance::Strict
            && self.parquet.contains(node)
            && listed.listing(Group::Parquet, node).is_none_or(|listing| listing.entries.is_empty())
            && !evidence.closure(node).missing.is_empty()
    }
}

fn newest(listing: &Listing, number: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    listing.entries.iter().filter_map(|entry| number(entry.key.name())).max()
}

fn raise<'a>(
    seen: &mut BTreeMap<String, u64>,
    listings: impl Iterator<Item = &'a Listing>,
    number: impl Fn(&str) -> Option<u64> + Copy,
) {
    for listing in listings {
        if let Some(newest) = newest(listing, number) {
            let seen = seen.entry(listing.owner.clone()).or_default();
            *seen = newest.max(*seen);
        }
    }
}
