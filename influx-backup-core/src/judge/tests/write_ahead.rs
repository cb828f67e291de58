use super::{
    findings, names, only,
    tree::{Tree, hole, wal_key},
    verdict,
};
use crate::{
    certificate::{Clause, Verdict},
    finding::FindingCode,
    testing::write,
};

#[test]
fn a_wal_file_of_the_fence_that_is_not_held_violates_only_c3() {
    let mut tree = Tree::core();
    tree.lose(&wal_key(11));
    let violation = only(Clause::Wal, FindingCode::MissingWal, &tree.judge());
    assert!(violation.message.contains("WAL 11 of n1"), "{violation:?}");
    let committed = Tree::core();
    assert_eq!(tree.judge_record_of(&committed).violated_clauses(), [Clause::Wal, Clause::Bytes]);
}

#[test]
fn the_last_wal_files_of_the_fence_count_too() {
    let mut tree = Tree::core();
    tree.lose(&wal_key(11));
    tree.lose(&wal_key(12));
    let violation = only(Clause::Wal, FindingCode::MissingWal, &tree.judge());
    assert!(violation.message.contains("WAL 11 to 12 of n1"), "{violation:?}");
}

#[test]
fn covered_wal_may_be_missing() {
    let mut tree = Tree::core();
    tree.remove(&wal_key(9));
    tree.remove(&wal_key(10));
    assert_eq!(findings(&tree.judge()), []);
    tree.remove(&wal_key(11));
    tree.remove(&wal_key(12));
    tree.fences[0].last = None;
    assert_eq!(findings(&tree.judge()), []);
    assert_eq!(tree.judge().recovery[0].reached, None);
}

#[test]
fn an_empty_or_bad_wal_file_above_the_cut_violates_only_c3() {
    let mut bad_checksum = write::wal(b"rows").to_vec();
    bad_checksum[9] ^= 1;
    for bytes in [Vec::new(), b"idb3.0".to_vec(), b"xdb3.001....rows".to_vec(), bad_checksum] {
        let mut tree = Tree::core();
        tree.put(&wal_key(12), bytes);
        for certificate in [tree.judge(), tree.judge_record(), tree.judge_alone()] {
            names(&only(Clause::Wal, FindingCode::CorruptWal, &certificate), &wal_key(12));
            assert_eq!(certificate.recovery[0].reached.as_ref().map(|at| at.wal), Some(11));
        }
    }
}

#[test]
fn an_empty_wal_file_that_a_snapshot_covers_is_only_named() {
    let mut tree = Tree::core();
    tree.put(&wal_key(10), "");
    assert_eq!(findings(&tree.judge()), [(Clause::Wal, FindingCode::CorruptCoveredWal)]);
    assert_eq!(tree.judge().findings[0].key.as_ref().map(AsRef::as_ref), Some(wal_key(10).as_str()));
}

#[test]
fn every_node_has_a_fence() {
    let mut tree = Tree::core();
    tree.fences.clear();
    assert_eq!(only(Clause::Wal, FindingCode::NoFence, &tree.judge()).node.as_deref(), Some("n1"));
    only(Clause::Wal, FindingCode::NoFence, &tree.judge_record());
}

#[test]
fn holes_of_the_source_are_findings_and_what_follows_them_counts() {
    let mut tree = Tree::core();
    for number in [15, 16, 18] {
        tree.put(&wal_key(number), write::wal(b"rows"));
    }
    tree.fence();
    tree.fences[0].holes = vec![hole(13, 14), hole(17, 17)];
    for certificate in [tree.judge(), tree.judge_record()] {
        assert_eq!(findings(&certificate), [(Clause::Wal, FindingCode::WalHole), (Clause::Wal, FindingCode::WalHole)]);
        assert_eq!(certificate.recovery[0].reached.as_ref().map(|at| at.wal), Some(18));
    }
    // A hole that is only partly confirmed is half a violation.
    tree.fences[0].holes = vec![hole(13, 13), hole(17, 17)];
    let violation = only(Clause::Wal, FindingCode::MissingWal, &tree.judge());
    assert!(violation.message.contains("WAL 14 of n1"), "{violation:?}");
}

#[test]
fn without_a_record_it_is_not_known_whether_a_gap_is_a_hole() {
    let mut tree = Tree::core();
    tree.remove(&wal_key(11));
    let certificate = tree.judge_alone();
    assert_eq!(findings(&certificate), [(Clause::Wal, FindingCode::WalGap)]);
    assert_eq!(verdict(&certificate, Clause::Wal), Verdict::NotAttested);
}

#[test]
fn a_stray_name_is_a_finding() {
    let mut tree = Tree::core();
    tree.put("n1/wal/notes.txt", "notes");
    assert_eq!(findings(&tree.judge()), [(Clause::Wal, FindingCode::StrayWal)]);
}
