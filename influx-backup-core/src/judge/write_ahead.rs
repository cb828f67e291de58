//! C3: every WAL file above the newest manifest is there and sound.

use std::collections::BTreeMap;

use super::{
    evidence::{Evidence, Provenance},
    fact::{Fact, Unreadable},
    judgement::{At, Judgement, finding},
};
use crate::{
    finding::{Clause, FindingCode},
    key::Key,
    layout::{Component, wal_number},
    record::{ConfirmedBy, Fence, Gap, Hole},
};

/// The WAL files of a node by number.
pub(crate) type Numbered<'a> = BTreeMap<u64, (&'a Key, &'a Result<(), Unreadable>)>;

/// The WAL files of a node by number.
pub(crate) fn numbered<'a>(evidence: &Evidence<'a>, node: &str) -> Numbered<'a> {
    let wal = evidence.of_kind(node, Component::Wal).into_iter().filter_map(|(key, fact)| match fact {
        Fact::Wal(sound) => Some((wal_number(key.name())?, (key, sound))),
        _ => None,
    });
    wal.collect()
}

/// The last WAL number that the cut of a node covers; replay begins after it.
pub(crate) fn covered(evidence: &Evidence<'_>, node: &str) -> u64 {
    evidence.cut_snapshot(node).map_or(0, |manifest| manifest.snapshot.wal_file_sequence_number)
}

pub(super) fn judge(evidence: &Evidence<'_>) -> Judgement {
    let mut judgement = Judgement::of(Clause::Wal);
    for node in evidence.cluster.stored_nodes() {
        let wal = numbered(evidence, &node.id);
        let covered = covered(evidence, &node.id);
        check_sound(&node.id, &wal, covered, &mut judgement);
        check_names(evidence, &node.id, &mut judgement);
        let fence = match evidence.provenance {
            Provenance::None => None,
            Provenance::Run(run) => run.fences.iter().find(|fence| fence.node == node.id),
            Provenance::Manifest(record) => record.attested.fences.iter().find(|fence| fence.node == node.id),
        };
        match (fence, evidence.provenance) {
            (Some(fence), _) => check_fence(fence, &wal, covered, &mut judgement),
            (None, Provenance::None) => report_gaps(&node.id, &wal, covered, &mut judgement),
            (None, _) => judgement.report(
                At::node(&node.id),
                FindingCode::NoFence,
                format!("no fence was recorded for {}", node.id),
            ),
        }
    }
    judgement
}

/// Zero-length and bad files: above the cut they lose rows, below it they are a finding.
fn check_sound(node: &str, wal: &Numbered<'_>, covered: u64, judgement: &mut Judgement) {
    for (number, (key, sound)) in wal {
        let Err(error) = sound else { continue };
        let at = At::object(Some(node), key);
        let message = format!("`{key}`: {error}");
        if *number > covered {
            judgement.report(at, FindingCode::CorruptWal, message);
        } else {
            judgement.report(at, FindingCode::CorruptCoveredWal, format!("{message}; a snapshot covers it"));
        }
    }
}

/// Objects with other names than WAL files: servers skip them.
fn check_names(evidence: &Evidence<'_>, node: &str, judgement: &mut Judgement) {
    for (key, _) in evidence.of_kind(node, Component::Wal) {
        if wal_number(key.name()).is_none() {
            let message = format!("`{key}` is not a valid WAL file name; servers skip it");
            judgement.report(At::object(Some(node), key), FindingCode::StrayWal, message);
        }
    }
}

/// Every number of the fence above the cut is here, or confirmed to be missing in the source itself.
fn check_fence(fence: &Fence, wal: &Numbered<'_>, covered: u64, judgement: &mut Judgement) {
    let Some(last) = fence.last else { return };
    for gap in gaps(wal, covered, last) {
        for lost in fence.unconfirmed(gap) {
            let message = format!("WAL {lost} of {} was listed above the newest manifest and is not held", fence.node);
            let missing = finding(At::node(&fence.node), FindingCode::MissingWal, message);
            judgement.add(missing.with_range(lost.first, lost.last));
        }
        for Hole { gap: hole, by } in fence.confirmed(gap) {
            let (code, known) = match by {
                ConfirmedBy::Head => (FindingCode::WalHole, "does not exist in the source"),
                _ => (FindingCode::UnconfirmedWalHole, "was not listed in the source and not asked for by its key"),
            };
            let message = format!("WAL {hole} of {} {known}; servers skip it on replay", fence.node);
            judgement.add(finding(At::node(&fence.node), code, message).with_range(hole.first, hole.last));
        }
    }
}

/// Without a fence it is not known whether a number is missing here or in the source.
fn report_gaps(node: &str, wal: &Numbered<'_>, covered: u64, judgement: &mut Judgement) {
    let Some((last, _)) = wal.last_key_value() else { return };
    for gap in gaps(wal, covered, *last) {
        let message = format!("WAL {gap} of {node} is missing; whether the source had it is not recorded");
        judgement.add(finding(At::node(node), FindingCode::WalGap, message).with_range(gap.first, gap.last));
        judgement.not_attested = true;
    }
}

/// The runs of numbers after `covered` and up to `last` that are not held.
pub(crate) fn gaps(wal: &Numbered<'_>, covered: u64, last: u64) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut expected = covered.saturating_add(1);
    let above = wal.range(expected..).map(|(number, _)| *number).take_while(|number| *number <= last);
    for number in above.chain([last.saturating_add(1)]) {
        if number > expected {
            gaps.push(Gap { first: expected, last: number - 1 });
        }
        expected = number.saturating_add(1);
    }
    gaps
}
