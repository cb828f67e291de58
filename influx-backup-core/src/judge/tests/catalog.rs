use bytes::Bytes;

use super::{
    findings, names, only,
    tree::{Tree, UUID, log, manifest},
};
use crate::{
    certificate::Clause,
    finding::FindingCode,
    layout::Generation,
    testing::write::{self, CatalogOp, ManifestSpec},
};

fn put_log(tree: &mut Tree, generation: Generation, sequence: u64, bytes: Bytes) -> String {
    let key = tree.catalog(&format!("{}/{}", generation.logs(), write::catalog_log_name(sequence)));
    tree.put(&key, bytes);
    key
}

fn remove_live(tree: &mut Tree) {
    tree.remove(&tree.catalog(Generation::V3.root()));
    tree.remove(&tree.log_key(3));
}

/// A generation up to `sequence`, with a terminator where an upgrade froze it.
fn put_generation(tree: &mut Tree, generation: Generation, sequence: u64, frozen: bool) {
    tree.root(generation, sequence - 1);
    let bytes = write::catalog_log(generation, sequence, UUID, &[CatalogOp::SetGenerationDuration]);
    put_log(tree, generation, sequence, bytes);
    if frozen {
        put_log(tree, generation, sequence + 1, write::terminator(generation));
    }
}

#[test]
fn a_tree_without_a_catalog_violates_only_c4() {
    let mut tree = Tree::core();
    remove_live(&mut tree);
    tree.catalog_before = None;
    let certificate = tree.judge();
    assert_eq!(certificate.violated_clauses(), [Clause::Catalog], "{}", certificate.summary());
    let codes: Vec<_> = certificate.clauses[3].violations.iter().map(|violation| violation.code.clone()).collect();
    assert_eq!(codes, [FindingCode::NoCatalog, FindingCode::OldCatalog]);
}

#[test]
fn every_generation_can_be_the_live_one() {
    for (index, live) in Generation::ALL.iter().copied().enumerate() {
        let mut tree = Tree::core();
        remove_live(&mut tree);
        for older in &Generation::ALL[..index] {
            put_generation(&mut tree, *older, 2, true);
        }
        put_generation(&mut tree, live, 3, false);
        assert_eq!(findings(&tree.judge()), [], "{live}");
        assert_eq!(tree.judge().catalog_sequence, Some(3), "{live}");
    }
}

#[test]
fn where_every_generation_is_frozen_the_newer_one_is_missing() {
    let mut tree = Tree::core();
    remove_live(&mut tree);
    put_generation(&mut tree, Generation::V1, 2, true);
    put_generation(&mut tree, Generation::V2, 3, true);
    tree.manifest(2, ManifestSpec { catalog: 0, ..manifest(2, &[2], &[]) });
    for sequence in [1, 2] {
        tree.manifest(sequence, ManifestSpec { catalog: 3, ..manifest(sequence, &[sequence], &[]) });
    }
    tree.catalog_before = None;
    let certificate = tree.judge();
    assert_eq!(certificate.violated_clauses(), [Clause::Catalog]);
    assert_eq!(certificate.clauses[3].violations[0].code, FindingCode::NoLiveCatalog, "{}", certificate.summary());
    // A log after the terminator does not thaw it.
    let bytes = write::catalog_log(Generation::V2, 5, UUID, &[CatalogOp::SetGenerationDuration]);
    put_log(&mut tree, Generation::V2, 5, bytes);
    assert_eq!(tree.judge().clauses[3].violations[0].code, FindingCode::NoLiveCatalog);
}

#[test]
fn a_missing_root_is_damage() {
    let mut tree = Tree::core();
    tree.remove(&tree.catalog(Generation::V3.root()));
    only(Clause::Catalog, FindingCode::MissingCatalogRoot, &tree.judge());
    only(Clause::Catalog, FindingCode::MissingCatalogRoot, &tree.judge_alone());
    // Also where an older generation would do: a server finds the logs of the newer one.
    put_generation(&mut tree, Generation::V2, 9, false);
    only(Clause::Catalog, FindingCode::MissingCatalogRoot, &tree.judge());
}

#[test]
fn a_generation_of_strays_alone_hides_none() {
    let mut tree = Tree::core();
    remove_live(&mut tree);
    put_generation(&mut tree, Generation::V2, 3, false);
    tree.put(&tree.catalog("catalog/v3/logs/notes.txt"), "notes");
    let certificate = tree.judge();
    assert_eq!(certificate.violated_clauses(), [Clause::Catalog], "{}", certificate.summary());
    let found =
        certificate.clauses[3].violations.iter().any(|violation| violation.code == FindingCode::StrayCatalogLog);
    assert!(found, "{}", certificate.summary());
}

#[test]
fn a_root_is_a_valid_root_of_its_generation() {
    let of_v2 = {
        let mut tree = Tree::core();
        tree.root(Generation::V2, 2);
        tree.bytes(&tree.catalog(Generation::V2.root()))
    };
    let cut = of_v2.slice(..20);
    for bytes in [Bytes::new(), Bytes::from_static(b"a boot guard"), log(UUID, 2), of_v2, cut] {
        let mut tree = Tree::core();
        let root = tree.catalog(Generation::V3.root());
        tree.put(&root, bytes);
        for certificate in [tree.judge(), tree.judge_alone()] {
            names(&only(Clause::Catalog, FindingCode::CorruptCatalog, &certificate), &root);
        }
    }
}

#[test]
fn a_log_above_the_root_is_a_valid_log_of_its_generation() {
    let (root, of_v2) = {
        let tree = Tree::core();
        let of_v2 = write::catalog_log(Generation::V2, 3, UUID, &[CatalogOp::SetGenerationDuration]);
        (tree.bytes(&tree.catalog(Generation::V3.root())), of_v2)
    };
    for bytes in [Bytes::new(), Bytes::from_static(b"x"), root, of_v2, log(UUID, 4)] {
        let mut tree = Tree::core();
        let key = tree.log_key(3);
        tree.put(&key, bytes);
        names(&only(Clause::Catalog, FindingCode::CorruptCatalog, &tree.judge()), &key);
    }
}

#[test]
fn a_bad_log_that_the_root_contains_is_a_finding() {
    let mut tree = Tree::core();
    tree.put(&tree.log_key(2), "x");
    assert_eq!(findings(&tree.judge()), [(Clause::Catalog, FindingCode::CorruptOldCatalogLog)]);
}

#[test]
fn logs_start_anywhere_up_to_the_root_and_have_no_gap_above_it() {
    let mut tree = Tree::core();
    tree.log(1);
    assert_eq!(findings(&tree.judge()), [], "log 2 is below the root");
    tree.log(5);
    let gap = only(Clause::Catalog, FindingCode::CatalogGap, &tree.judge());
    names(&gap, &tree.log_key(5));
    assert!(gap.message.contains("catalog log 4 is missing"), "{gap:?}");
    tree.log(4);
    assert_eq!(findings(&tree.judge()), []);
}

#[test]
fn a_stray_name_among_the_logs_stops_a_server() {
    let mut tree = Tree::core();
    let key = tree.catalog("catalog/v3/logs/notes.txt");
    tree.put(&key, "notes");
    names(&only(Clause::Catalog, FindingCode::StrayCatalogLog, &tree.judge()), &key);
}

#[test]
fn root_and_logs_are_of_one_catalog() {
    let mut tree = Tree::core();
    let key = tree.log_key(3);
    tree.put(&key, log(UUID + 1, 3));
    names(&only(Clause::Catalog, FindingCode::CatalogUuid, &tree.judge()), &key);
}

#[test]
fn the_catalog_is_as_new_as_every_manifest_needs() {
    let mut tree = Tree::enterprise();
    tree.manifest(1, ManifestSpec { catalog: 4, ..manifest(1, &[1], &[]) });
    assert_eq!(only(Clause::Catalog, FindingCode::OldCatalog, &tree.judge()).node.as_deref(), Some("n1"));
    tree.log(4);
    assert_eq!(findings(&tree.judge()), []);
}

#[test]
fn the_catalog_does_not_go_back_between_passes() {
    let mut tree = Tree::core();
    tree.catalog_before = Some(4);
    only(Clause::Catalog, FindingCode::CatalogWentBack, &tree.judge());
}

#[test]
fn damage_in_a_frozen_generation_is_a_finding() {
    let mut tree = Tree::core();
    put_generation(&mut tree, Generation::V2, 2, true);
    tree.put(&tree.catalog(Generation::V2.root()), "x");
    assert_eq!(findings(&tree.judge()), [(Clause::Catalog, FindingCode::CorruptFrozenCatalog)]);
}

#[test]
fn a_missing_enterprise_file_is_named() {
    let mut tree = Tree::enterprise();
    tree.remove("c1/enterprise");
    assert_eq!(findings(&tree.judge()), [(Clause::Catalog, FindingCode::NoEnterpriseFile)]);
}

/// Its last log was listed and went before its copy: no gap shows, and rows of the WAL may need it.
#[test]
fn every_log_above_the_root_that_was_listed_is_held() {
    let mut tree = Tree::core();
    tree.log(4);
    let key = tree.log_key(4);
    tree.lose(&key);
    names(&only(Clause::Catalog, FindingCode::MissingCatalogLog, &tree.judge()), &key);
    tree.root(Generation::V3, 4);
    assert_eq!(findings(&tree.judge()), [], "a root that holds it takes its place");
}
