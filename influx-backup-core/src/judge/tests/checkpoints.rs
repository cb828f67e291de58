use super::{
    findings, names, only,
    tree::{Tree, checkpoint, checkpoint_key, snapshot_key},
};
use crate::{
    certificate::Clause,
    finding::FindingCode,
    testing::write::{self, CheckpointSpec},
};

/// The tree with this as its second checkpoint.
fn with(key: &str, spec: &CheckpointSpec) -> Tree {
    let mut tree = Tree::core();
    tree.put(key, write::checkpoint(spec));
    tree
}

#[test]
fn a_checkpoint_that_does_not_parse_violates_only_c5() {
    for (key, bytes) in [(checkpoint_key("2025-10", 1), ""), ("n1/snapshot-checkpoints/notes.txt".to_owned(), "notes")]
    {
        let mut tree = Tree::core();
        tree.put(&key, bytes);
        names(&only(Clause::Checkpoints, FindingCode::CorruptCheckpoint, &tree.judge()), &key);
        only(Clause::Checkpoints, FindingCode::CorruptCheckpoint, &tree.judge_alone());
    }
}

#[test]
fn a_checkpoint_is_of_the_sequence_and_the_month_of_its_key() {
    for spec in [checkpoint("2025-11", 1, &[], &[]), checkpoint("2025-10", 2, &[], &[])] {
        let key = checkpoint_key("2025-11", 2);
        names(&only(Clause::Checkpoints, FindingCode::MisnamedCheckpoint, &with(&key, &spec).judge()), &key);
    }
}

#[test]
fn a_checkpoint_belongs_to_its_node() {
    let key = checkpoint_key("2025-11", 2);
    let spec = CheckpointSpec { node_id: "n2".to_owned(), ..checkpoint("2025-11", 2, &[], &[]) };
    names(&only(Clause::Checkpoints, FindingCode::ForeignCheckpoint, &with(&key, &spec).judge()), &key);
}

#[test]
fn a_checkpoint_is_not_newer_than_the_newest_manifest() {
    let newer = checkpoint_key("2025-11", 3);
    let tree = with(&newer, &CheckpointSpec { wal: 10, ..checkpoint("2025-11", 3, &[], &[]) });
    for certificate in [tree.judge(), tree.judge_record(), tree.judge_alone()] {
        names(&only(Clause::Checkpoints, FindingCode::NewCheckpoint, &certificate), &newer);
    }
    let covers_more = checkpoint_key("2025-11", 2);
    let tree = with(&covers_more, &CheckpointSpec { wal: 11, ..checkpoint("2025-11", 2, &[], &[]) });
    names(&only(Clause::Checkpoints, FindingCode::NewCheckpoint, &tree.judge()), &covers_more);
}

#[test]
fn a_newer_checkpoint_of_the_source_is_not_trimmed_without_a_word() {
    let key = checkpoint_key("2025-11", 3);
    let mut tree = with(&key, &checkpoint("2025-11", 3, &[], &[]));
    tree.lose(&key);
    names(&only(Clause::Checkpoints, FindingCode::NewCheckpoint, &tree.judge()), &key);
    // Unless its manifest was listed, and only its copy is missing: that is for the clause of manifests.
    tree.snapshot(3, 10, &[]);
    tree.lose(&snapshot_key(3));
    only(Clause::Manifests, FindingCode::MissingManifest, &tree.judge());
}

#[test]
fn the_newest_checkpoint_of_every_month_is_held_or_none_at_all() {
    let mut tree = Tree::core();
    tree.checkpoint("2025-11", 2, &[2], &[]);
    tree.lose(&checkpoint_key("2025-11", 2));
    names(&only(Clause::Checkpoints, FindingCode::MissingCheckpoint, &tree.judge()), &checkpoint_key("2025-11", 2));
    tree.lose(&checkpoint_key("2025-10", 1));
    assert_eq!(findings(&tree.judge()), [], "none at all");
}

#[test]
fn an_older_checkpoint_of_a_month_may_be_missing() {
    let mut tree = Tree::core();
    tree.checkpoint("2025-10", 2, &[1, 2], &[]);
    tree.lose(&checkpoint_key("2025-10", 1));
    assert_eq!(findings(&tree.judge()), []);
    let mut tree = Tree::core();
    tree.checkpoint("2025-10", 2, &[1, 2], &[]);
    tree.lose(&checkpoint_key("2025-10", 2));
    names(&only(Clause::Checkpoints, FindingCode::MissingCheckpoint, &tree.judge()), &checkpoint_key("2025-10", 2));
}
