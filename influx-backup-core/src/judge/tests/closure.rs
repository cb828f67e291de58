use super::{
    findings, names, only,
    tree::{Tree, file, file_key, manifest, snapshot_key},
    verdict,
};
use crate::{
    certificate::{AbsentTable, Clause, Verdict},
    finding::FindingCode,
    format::FormatError,
    options::AbsenceTolerance,
    testing::write::{self, ManifestSpec},
};

#[test]
fn a_live_file_that_is_not_held_violates_only_c1() {
    for mut tree in [Tree::enterprise(), Tree::core()] {
        tree.lose(&file_key(2));
        names(&only(Clause::Closure, FindingCode::MissingParquet, &tree.judge()), &file_key(2));
    }
}

#[test]
fn a_live_file_must_have_the_size_of_its_manifest() {
    let mut tree = Tree::core();
    tree.put(&file_key(2), write::parquet(b"shorter"));
    names(&only(Clause::Closure, FindingCode::WrongSizeParquet, &tree.judge()), &file_key(2));
}

#[test]
fn a_live_file_without_its_frame_is_named() {
    let mut tree = Tree::core();
    tree.see(&file_key(2), Err(FormatError::Empty));
    names(&only(Clause::Closure, FindingCode::CorruptParquet, &tree.judge()), &file_key(2));
    let mut orphan = Tree::core();
    orphan.file(9);
    orphan.see(&file_key(9), Err(FormatError::Empty));
    assert!(orphan.judge().holds(), "no server reads a file that no manifest names");
    assert_eq!(orphan.judge().orphans, 1);
}

#[test]
fn a_file_that_the_source_lacks_too_is_absent() {
    let mut tree = Tree::enterprise();
    tree.remove(&file_key(2));
    tree.lacking.insert(file_key(2));
    for certificate in [tree.judge(), tree.judge_record()] {
        assert_eq!(findings(&certificate), [(Clause::Closure, FindingCode::AbsentParquet)]);
        let table = AbsentTable {
            node: "n1".to_owned(),
            database: 1,
            table: 2,
            files: 1,
            rows: 10,
            newest: chrono::DateTime::from_timestamp_nanos(2),
        };
        assert_eq!(certificate.absent, [table]);
        assert_eq!(verdict(&certificate, Clause::Closure), Verdict::Holds);
    }
}

#[test]
fn without_a_record_it_is_not_known_whether_a_missing_file_is_absent() {
    let mut tree = Tree::enterprise();
    tree.remove(&file_key(2));
    let certificate = tree.judge_alone();
    assert_eq!(findings(&certificate), [(Clause::Closure, FindingCode::AbsentParquet)]);
    assert_eq!(verdict(&certificate, Clause::Closure), Verdict::NotAttested);
    assert!(certificate.to_string().contains("whether the source had them is not recorded"), "{certificate}");
}

#[test]
fn core_with_more_than_half_of_its_files_gone_lacks_a_volume() {
    let gone = |count: u64, of: u64| {
        let mut tree = Tree::core();
        (3..=of).for_each(|id| tree.file(id));
        tree.snapshot(3, 10, &(3..=of).collect::<Vec<_>>());
        for id in 1..=count {
            tree.remove(&file_key(id));
            tree.lacking.insert(file_key(id));
        }
        tree
    };
    assert!(gone(2, 4).judge().holds(), "half of them is not more than half");
    only(Clause::Closure, FindingCode::MostParquetMissing, &gone(3, 5).judge());
    let empty = only(Clause::Closure, FindingCode::MostParquetMissing, &gone(4, 4).judge());
    assert_eq!(empty.node.as_deref(), Some("n1"));
    only(Clause::Closure, FindingCode::MostParquetMissing, &gone(3, 5).judge_record());

    let mut accepted = gone(4, 4);
    accepted.absence_tolerance = AbsenceTolerance::Lenient;
    assert!(accepted.judge().holds());
    assert!(accepted.judge_record().holds());
}

#[test]
fn an_empty_dbs_is_a_missing_volume_only_under_live_references_and_only_in_core() {
    let empty = |mut tree: Tree| {
        for id in [1, 2] {
            tree.remove(&file_key(id));
            tree.lacking.insert(file_key(id));
        }
        tree
    };
    only(Clause::Closure, FindingCode::MostParquetMissing, &empty(Tree::core()).judge());
    assert!(empty(Tree::enterprise()).judge().holds());
    let mut expired = empty(Tree::core());
    expired.manifest(3, ManifestSpec { wal: 10, ..manifest(3, &[], &[1, 2]) });
    let certificate = expired.judge();
    assert_eq!(findings(&certificate), [], "nothing is live");
}

#[test]
fn a_removed_file_is_not_live_and_one_added_again_is() {
    let mut tree = Tree::core();
    tree.manifest(3, ManifestSpec { wal: 10, ..manifest(3, &[], &[1]) });
    tree.remove(&file_key(1));
    assert_eq!(findings(&tree.judge()), []);
    tree.manifest(4, ManifestSpec { wal: 10, ..manifest(4, &[1], &[]) });
    names(&only(Clause::Closure, FindingCode::MissingParquet, &tree.judge()), &file_key(1));
}

#[test]
fn of_two_entries_of_a_file_the_later_one_wins() {
    let mut tree = Tree::core();
    let mut rewritten = file(2);
    rewritten.size_bytes += 50;
    tree.manifest(3, ManifestSpec { wal: 10, added: vec![rewritten.clone()], ..manifest(3, &[], &[]) });
    names(&only(Clause::Closure, FindingCode::WrongSizeParquet, &tree.judge()), &file_key(2));
    tree.put(&file_key(2), write::parquet(&write::rows([2], 150)));
    assert_eq!(findings(&tree.judge()), []);
}

#[test]
fn a_file_that_only_a_checkpoint_names_is_live() {
    let mut tree = Tree::core();
    tree.remove(&snapshot_key(1));
    assert_eq!((findings(&tree.judge()), tree.judge().orphans), (vec![], 0));
    tree.lose(&file_key(1));
    names(&only(Clause::Closure, FindingCode::MissingParquet, &tree.judge()), &file_key(1));
}

#[test]
fn what_a_later_checkpoint_lists_as_pending_removal_is_not_live() {
    let mut tree = Tree::core();
    tree.remove(&snapshot_key(1));
    tree.checkpoint("2025-11", 2, &[2], &[1]);
    tree.remove(&file_key(1));
    assert_eq!(findings(&tree.judge()), []);
    // Added again by a manifest after it.
    tree.manifest(3, ManifestSpec { wal: 10, ..manifest(3, &[1], &[]) });
    names(&only(Clause::Closure, FindingCode::MissingParquet, &tree.judge()), &file_key(1));
}

#[test]
fn a_manifest_that_removes_a_checkpoints_file_has_the_last_word() {
    let mut tree = Tree::core();
    tree.remove(&snapshot_key(1));
    tree.manifest(2, manifest(2, &[2], &[1]));
    tree.remove(&file_key(1));
    assert_eq!(findings(&tree.judge()), []);
}
