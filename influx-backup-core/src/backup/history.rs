//! [`PassHistory`]: what passes leave to one another.

use tokio::time::Instant;

use super::{pass::Listed, prove::Proof, timeline::Timeline};
use crate::{inventory::Inventory, judge::Fingerprints, plan::Skipped, record::PassReport};

/// What passes leave to one another.
#[derive(Debug)]
pub(super) struct PassHistory {
    /// When the first pass began.
    pub(super) began: Instant,
    pub(super) reports: Vec<PassReport>,
    pub(super) skipped: Vec<Skipped>,
    /// The inventory before the one that is copied now.
    pub(super) before: Option<Inventory>,
    pub(super) timeline: Timeline,
    /// What was violated after the pass before.
    pub(super) violations: Fingerprints,
    /// How often the backup was found to differ from its records.
    pub(super) repairs: u32,
}

impl PassHistory {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            reports: Vec::new(),
            skipped: Vec::new(),
            before: None,
            timeline: Timeline::default(),
            violations: Fingerprints::default(),
            repairs: 0,
        }
    }

    /// How many passes are over.
    pub(super) fn passes(&self) -> u32 {
        u32::try_from(self.reports.len()).unwrap_or(u32::MAX)
    }

    /// How many passes in a row, up to the last, found nothing to copy.
    pub(super) fn idle_passes(&self) -> usize {
        let is_idle = |pass: &&PassReport| pass.copied + pass.vanished + pass.changed == 0;
        self.reports.iter().rev().take_while(is_idle).count()
    }

    /// Remembers a pass that another one comes after.
    pub(super) fn record(&mut self, listed: Listed, proof: Proof) {
        self.violations = proof.fingerprints;
        self.timeline.record_listing(&listed.inventory);
        self.timeline.catalog = self.timeline.catalog.max(proof.certificate.catalog_sequence);
        self.timeline.broken.extend(proof.broken);
        self.before = Some(listed.inventory);
    }
}
