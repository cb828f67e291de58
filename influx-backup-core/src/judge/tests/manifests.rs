use super::{
    names, only,
    tree::{Tree, checkpoint_key, file, manifest, snapshot_key, wal_key},
};
use crate::{
    certificate::Clause,
    finding::FindingCode,
    record::Gap,
    testing::write::{self, ManifestSpec},
};

#[test]
fn a_manifest_that_does_not_parse_violates_only_c2() {
    for bytes in ["", "{", "[]", r#"{"version":"2"}"#] {
        let mut tree = Tree::core();
        tree.put(&snapshot_key(1), bytes);
        names(&only(Clause::Manifests, FindingCode::CorruptManifest, &tree.judge()), &snapshot_key(1));
        only(Clause::Manifests, FindingCode::CorruptManifest, &tree.judge_alone());
    }
}

#[test]
fn a_stray_file_among_the_manifests_stops_a_server() {
    let mut tree = Tree::core();
    tree.put("n1/snapshots/notes.txt", "notes");
    names(&only(Clause::Manifests, FindingCode::CorruptManifest, &tree.judge()), "n1/snapshots/notes.txt");
    let mut copy = Tree::core();
    copy.put("n1/snapshots/copy.info.json", write::manifest(&manifest(1, &[1], &[])));
    names(&only(Clause::Manifests, FindingCode::MisnamedManifest, &copy.judge()), "n1/snapshots/copy.info.json");
}

#[test]
fn a_manifest_is_of_the_sequence_in_its_name() {
    let mut tree = Tree::core();
    tree.manifest(1, ManifestSpec { sequence: 0, ..manifest(1, &[1], &[]) });
    names(&only(Clause::Manifests, FindingCode::MisnamedManifest, &tree.judge()), &snapshot_key(1));
}

#[test]
fn a_manifest_belongs_to_its_node() {
    let mut tree = Tree::core();
    tree.manifest(1, ManifestSpec { node_id: "n2".to_owned(), ..manifest(1, &[1], &[]) });
    names(&only(Clause::Manifests, FindingCode::ForeignManifest, &tree.judge()), &snapshot_key(1));
}

#[test]
fn a_manifest_names_files_of_its_own_node() {
    let mut tree = Tree::core();
    let mut elsewhere = file(3);
    elsewhere.path = "n12/dbs/1/2/3.parquet".to_owned();
    tree.put(&elsewhere.path, write::parquet(&write::rows([3], 100)));
    tree.manifest(2, ManifestSpec { added: vec![file(2), elsewhere], ..manifest(2, &[], &[]) });
    names(&only(Clause::Manifests, FindingCode::ForeignParquet, &tree.judge()), &snapshot_key(2));
}

#[test]
fn a_listed_manifest_that_is_not_held_violates_only_c2() {
    let mut tree = Tree::core();
    let committed = tree.clone();
    tree.lose(&snapshot_key(1));
    names(&only(Clause::Manifests, FindingCode::MissingManifest, &tree.judge()), &snapshot_key(1));
    let again = tree.judge_record_of(&committed);
    assert_eq!(again.violated_clauses(), [Clause::Manifests, Clause::Bytes], "{}", again.summary());
    let mut other = Tree::core();
    other.other_version.insert(snapshot_key(1));
    names(&only(Clause::Manifests, FindingCode::MissingManifest, &other.judge()), &snapshot_key(1));
}

#[test]
fn trimmed_wal_and_parquet_without_any_manifest_violate_only_c2() {
    let lost = |first_wal: u64| {
        let mut tree = Tree::core();
        for key in [snapshot_key(1), snapshot_key(2), checkpoint_key("2025-10", 1)] {
            tree.remove(&key);
        }
        (first_wal..9).for_each(|number| tree.put(&wal_key(number), write::wal(b"rows")));
        tree.fences[0].holes = vec![Gap { first: 1, last: first_wal.saturating_sub(1) }];
        tree
    };
    only(Clause::Manifests, FindingCode::NoManifests, &lost(9).judge());
    only(Clause::Manifests, FindingCode::NoManifests, &lost(9).judge_alone());
    assert!(lost(1).judge().holds(), "a server that died before its first manifest");
}
