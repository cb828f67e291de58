use super::{
    findings, names, only,
    tree::{Tree, wal_key},
    verdict,
};
use crate::{
    certificate::{CheckedBy, Clause, Verdict},
    cluster::CatalogNode,
    finding::FindingCode,
    judge::{At, finding},
};

#[test]
fn an_object_that_no_longer_is_what_was_copied_violates_c6() {
    let committed = Tree::enterprise();
    let mut lost = committed.clone();
    lost.lose(&wal_key(9));
    names(&only(Clause::Bytes, FindingCode::MissingObject, &lost.judge_record_of(&committed)), &wal_key(9));
    let mut altered = committed.clone();
    altered.alter("c1/enterprise", "longer than it was");
    names(&only(Clause::Bytes, FindingCode::WrongSize, &altered.judge_record_of(&committed)), "c1/enterprise");
}

#[test]
fn copies_are_counted_by_what_they_were_compared_by() {
    let mut tree = Tree::core();
    tree.checked_by = CheckedBy::Etag;
    let certificate = tree.judge();
    assert_eq!(findings(&certificate), []);
    assert_eq!(certificate.checked_by.into_iter().collect::<Vec<_>>(), [(CheckedBy::Etag, 11)]);
    tree.checked_by = CheckedBy::Size;
    assert_eq!(findings(&tree.judge()), [(Clause::Bytes, FindingCode::SizeOnly)]);
}

#[test]
fn what_moved_without_a_reason_violates_only_c7() {
    let mut tree = Tree::core();
    let key = crate::Key::parse(wal_key(12)).expect("a key");
    tree.unstable =
        vec![finding(At::object(Some("n1"), &key), FindingCode::CreateOnlyRewritten, format!("`{key}` changed"))];
    names(&only(Clause::Stability, FindingCode::CreateOnlyRewritten, &tree.judge()), &wal_key(12));
    names(&only(Clause::Stability, FindingCode::CreateOnlyRewritten, &tree.judge_record()), &wal_key(12));
}

#[test]
fn a_listed_compactor_file_that_is_not_held_violates_only_c8() {
    let committed = Tree::enterprise();
    for key in ["k1/cs/1.json", "k1/cd/1.json", "k1/c/2b/56d/67c/79.parquet"] {
        let mut tree = committed.clone();
        tree.lose(key);
        names(&only(Clause::Compactor, FindingCode::MissingCompactorFile, &tree.judge()), key);
        let again = tree.judge_record_of(&committed);
        assert_eq!(again.violated_clauses(), [Clause::Bytes, Clause::Compactor], "{}", again.summary());
    }
}

#[test]
fn a_compactor_file_is_held_in_the_version_listed() {
    let committed = Tree::enterprise();
    let mut version = committed.clone();
    version.other_version.insert("k1/cs/1.json".to_owned());
    names(&only(Clause::Compactor, FindingCode::OtherCompactorFile, &version.judge()), "k1/cs/1.json");
    let mut size = committed.clone();
    size.alter("k1/cs/1.json", "cut");
    names(&only(Clause::Compactor, FindingCode::OtherCompactorFile, &size.judge()), "k1/cs/1.json");
    let again = size.judge_record_of(&committed);
    assert_eq!(again.violated_clauses(), [Clause::Bytes, Clause::Compactor], "{}", again.summary());
}

#[test]
fn a_compactor_file_that_was_not_listed_violates_only_c8() {
    let mut tree = Tree::enterprise();
    tree.unlist("k1/cd/1.json");
    names(&only(Clause::Compactor, FindingCode::ExtraCompactorFile, &tree.judge()), "k1/cd/1.json");
}

#[test]
fn summaries_and_details_do_not_move_while_they_are_copied() {
    for key in ["k1/cs/1.json", "k1/cd/1.json"] {
        let mut tree = Tree::enterprise();
        tree.moved.insert(key.to_owned());
        assert_eq!(only(Clause::Compactor, FindingCode::CompactorActive, &tree.judge()).node.as_deref(), Some("k1"));
    }
    let mut tree = Tree::enterprise();
    tree.moved.insert("k1/c/2b/56d/67c/79.parquet".to_owned());
    assert!(tree.judge().holds(), "what they name may be written meanwhile");
}

#[test]
fn an_unclaimed_node_violates_only_c9() {
    let mut tree = Tree::enterprise();
    tree.cluster.unclaimed_nodes.push("n2".to_owned());
    assert_eq!(only(Clause::Nodes, FindingCode::UnclaimedNode, &tree.judge()).node.as_deref(), Some("n2"));
    only(Clause::Nodes, FindingCode::UnclaimedNode, &tree.judge_record());
    let alone = tree.judge_alone();
    assert_eq!(alone.violated_clauses(), [Clause::Nodes], "seen without a record too");
}

#[test]
fn a_node_that_came_while_the_backup_ran_violates_only_c9() {
    let mut tree = Tree::enterprise();
    tree.unheld_nodes = vec![finding(At::node("n2"), FindingCode::NodeAppeared, "node `n2` appeared")];
    only(Clause::Nodes, FindingCode::NodeAppeared, &tree.judge());
    only(Clause::Nodes, FindingCode::NodeAppeared, &tree.judge_record());
}

#[test]
fn nodes_that_are_excluded_empty_or_unreadable_are_named() {
    let mut tree = Tree::enterprise();
    tree.cluster.excluded_nodes.push("n9".to_owned());
    assert_eq!(findings(&tree.judge()), [(Clause::Nodes, FindingCode::NodeExcluded)]);
    let mut tree = Tree::enterprise();
    tree.cluster.catalog_nodes = Some(vec![CatalogNode { id: "q1".to_owned(), in_store: false }]);
    assert_eq!(findings(&tree.judge()), [(Clause::Nodes, FindingCode::NodeWithoutObjects)]);
    let mut tree = Tree::enterprise();
    tree.cluster.catalog_nodes = None;
    assert_eq!(findings(&tree.judge()), [(Clause::Nodes, FindingCode::CatalogNodesUnreadable)]);
}

#[test]
fn a_cluster_without_a_compactor_holds_c8_on_any_tree() {
    let tree = Tree::core();
    assert_eq!(verdict(&tree.judge_alone(), Clause::Compactor), Verdict::Holds);
}
