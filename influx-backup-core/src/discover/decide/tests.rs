//! Decisions without any I/O, over surveys made by hand.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    cluster::{FoundGeneration, GenerationState},
    discover::{
        catalog::{CatalogSeen, Contents},
        prefix::Level,
    },
    finding::FindingCode,
    location::Identity,
};

/// A prefix with these names below it; a name that ends with `/` is a directory.
fn prefix(names: &[&str]) -> Prefix {
    let (directories, files): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.ends_with('/'));
    let directories = directories.into_iter().map(|name| name.trim_end_matches('/').to_owned()).collect();
    let level = Level { directories, files: files.into_iter().map(ToOwned::to_owned).collect() };
    Prefix { level, ..Prefix::default() }
}

/// The same with a catalog that names these nodes, or `None` where it cannot be read.
fn rooted(names: &[&str], generation: Generation, nodes: Option<&[&str]>) -> Prefix {
    let nodes = nodes.map(|nodes| nodes.iter().map(|id| (*id).to_owned()).collect());
    let catalog = CatalogSeen {
        generations: vec![FoundGeneration { generation, state: GenerationState::Live }],
        contents: Contents { nodes, databases: None },
        shown_by: generation.root().to_owned(),
        ..CatalogSeen::default()
    };
    Prefix { catalog: Some(catalog), ..prefix(names) }
}

fn survey<const N: usize>(prefixes: [(&str, Prefix); N]) -> Survey {
    let prefixes: BTreeMap<String, Prefix> = prefixes.into_iter().map(|(id, p)| (id.to_owned(), p)).collect();
    let top = Level { directories: prefixes.keys().cloned().collect(), files: Vec::new() };
    Survey {
        location: "memory://test".to_owned(),
        identity: Identity::Test,
        top,
        own: Level::default(),
        prefixes,
        parents: BTreeMap::new(),
        excluded: BTreeSet::new(),
        below: Vec::new(),
    }
}

/// The edition, the catalog's prefix and the nodes.
fn decided(survey: &Survey, what: &DiscoverOptions) -> (Edition, String, Vec<String>) {
    let cluster = decide(survey, what).unwrap_or_else(|error| panic!("{error}"));
    let nodes = cluster.nodes.iter().map(|node| node.id.clone()).collect();
    (cluster.edition, cluster.catalog_prefix().to_owned(), nodes)
}

fn is(edition: Edition, owner: &str, nodes: &[&str]) -> (Edition, String, Vec<String>) {
    (edition, owner.to_owned(), nodes.iter().map(|id| (*id).to_owned()).collect())
}

const V2: Generation = Generation::V2;

#[test]
fn a_catalog_alone_is_a_node_s_or_a_cluster_s() {
    let alone = |named, beside: &[&str]| {
        let survey = survey([("x", rooted(&["catalog/"], V2, named)), ("n", prefix(beside))]);
        decided(&survey, &DiscoverOptions::default())
    };
    assert_eq!(alone(Some(&["x"]), &[]), is(Edition::Core, "x", &["x"]));
    assert_eq!(alone(None, &[]), is(Edition::Core, "x", &["x"]));
    assert_eq!(alone(None, &["wal/"]), is(Edition::Enterprise, "x", &["n"]));
    assert_eq!(alone(Some(&["n"]), &["wal/"]), is(Edition::Enterprise, "x", &["n"]));
    assert_eq!(alone(Some(&["gone"]), &[]), is(Edition::Enterprise, "x", &[]));
}

#[test]
fn a_core_node_that_was_renamed_stays_core() {
    // The catalog keeps the registration under the old id.
    let node = rooted(&["catalog/", "wal/"], V2, Some(&["new", "old"]));
    let what = DiscoverOptions::default();
    assert_eq!(decided(&survey([("new", node.clone())]), &what), is(Edition::Core, "new", &["new"]));
    let old = rooted(&["catalog/", "wal/"], V2, Some(&["old"]));
    let both = survey([("new", node), ("old", old)]);
    assert_eq!(decided(&both, &what.with_node("new")), is(Edition::Core, "new", &["new"]));
}

#[test]
fn a_core_node_with_a_stray_node_beside_it_says_so() {
    let node = rooted(&["catalog/", "wal/"], V2, Some(&["n"]));
    let mut without = survey([("n", node.clone())]);
    without.top.directories.push("stray".to_owned());
    without.excluded.insert("stray".to_owned());
    let survey = survey([("n", node), ("stray", prefix(&["wal/"]))]);
    let cluster = decide(&survey, &DiscoverOptions::default()).expect("a Core node");
    assert_eq!((cluster.edition, &cluster.unclaimed_nodes[..]), (Edition::Core, &["stray".to_owned()][..]));
    assert_eq!(cluster.foreign, ["stray"]);
    let left = decide(&without, &DiscoverOptions::default().with_excluded_node("stray")).expect("a Core node");
    assert_eq!(left.edition, Edition::Core);
    assert!(left.unclaimed_nodes.is_empty() && left.foreign.is_empty() && left.notes.is_empty());
    // Both given: one catalog over two nodes.
    let both = DiscoverOptions::default().with_node("n").with_node("stray");
    assert_eq!(decided(&survey, &both), is(Edition::Enterprise, "n", &["n", "stray"]));
}

#[test]
fn a_cluster_id_given_for_what_looks_like_core_is_believed() {
    let node = || rooted(&["catalog/", "wal/"], V2, Some(&["n"]));
    let survey = survey([("n", node()), ("other", node())]);
    let what = DiscoverOptions::default().with_cluster_id("n");
    assert_eq!(decided(&survey, &what), is(Edition::Enterprise, "n", &["n"]));
}

#[test]
fn a_cluster_that_lost_its_catalog_is_found_with_a_note() {
    let lost = survey([("c", prefix(&["enterprise"])), ("n", prefix(&["wal/"]))]);
    let cluster = decide(&lost, &DiscoverOptions::default()).expect("a cluster");
    assert_eq!(cluster.notes.iter().map(|note| note.code.clone()).collect::<Vec<_>>(), [FindingCode::NoCatalog]);
    let nothing_left = survey([("c", prefix(&["enterprise"]))]);
    assert_eq!(decide(&nothing_left, &DiscoverOptions::default()).expect_err("no catalog").code(), "no-cluster");
}

#[test]
fn the_engine_of_another_cluster_does_not_matter() {
    let cluster = |node| rooted(&["catalog/", "enterprise"], V2, Some(node));
    let marked = Prefix { markers: vec!["b1/pt_snapshots".to_owned()], ..prefix(&["pt_snapshots/"]) };
    let survey = survey([("a", cluster(&["a1"])), ("a1", prefix(&["wal/"])), ("b", cluster(&["b1"])), ("b1", marked)]);
    assert_eq!(
        decided(&survey, &DiscoverOptions::default().with_cluster_id("a")),
        is(Edition::Enterprise, "a", &["a1"])
    );
    let error = decide(&survey, &DiscoverOptions::default().with_cluster_id("b")).expect_err("upgraded");
    assert_eq!(error.code(), "upgraded-engine");
}
