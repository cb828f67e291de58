//! Where each node can be recovered to.

use super::{
    evidence::Evidence,
    fact::Manifest,
    write_ahead::{covered, numbered},
};
use crate::certificate::{Guaranteed, Reached, RecoveryPoint};

pub(super) fn points(evidence: &Evidence<'_>) -> Vec<RecoveryPoint> {
    evidence.cluster.stored_nodes().map(|node| point(evidence, &node.id)).collect()
}

fn point(evidence: &Evidence<'_>, node: &str) -> RecoveryPoint {
    let guaranteed = evidence.cut_snapshot(node).and_then(|Manifest { key, snapshot, .. }| {
        Some(Guaranteed {
            snapshot: snapshot.snapshot_sequence_number,
            wal: snapshot.wal_file_sequence_number,
            time: evidence.modified(key)?,
        })
    });
    let wal = numbered(evidence, node);
    let mut above = wal.range(covered(evidence, node).saturating_add(1)..).filter(|(_, (_, sound))| sound.is_ok());
    let reached =
        above.next_back().and_then(|(number, (key, _))| Some(Reached { wal: *number, time: evidence.modified(key)? }));
    RecoveryPoint { node: node.to_owned(), guaranteed, reached }
}
