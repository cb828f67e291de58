//! Every recorded store is discovered as its README says.

mod fixtures;

use influx_backup_core::{
    DiscoverOptions, Error, Location, StoreOptions,
    cluster::{Cluster, Edition, GenerationState, Role},
    discover,
};

fn location(path: &std::path::Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a path")
}

fn has_evidence(cluster: &Cluster, text: &str) -> bool {
    cluster.description().evidence.iter().any(|sentence| sentence.contains(text))
}

#[tokio::test]
async fn every_store_is_the_core_node_that_it_is_known_to_be() {
    for name in fixtures::STORES {
        let Some(directory) = fixtures::unpack(name) else { return };
        let expected = &fixtures::expected()[name];
        let found = [DiscoverOptions::default(), DiscoverOptions::default().with_node("node1")];
        for what in found {
            let cluster = discover(&location(directory.path()), &what).await.expect(name);
            assert_eq!(cluster.edition(), Edition::Core, "{name}");
            assert_eq!(cluster.description().cluster_id, None, "{name}");
            assert_eq!(cluster.catalog_prefix(), expected["node"], "{name}");
            let nodes: Vec<_> = cluster.nodes().iter().map(|node| (node.id.as_str(), &node.roles[..])).collect();
            assert_eq!(nodes, [("node1", &[Role::Data][..])], "{name}");

            let generations = expected["catalogs"].as_object().expect("catalogs");
            let found: Vec<_> =
                cluster.description().catalogs.iter().map(|found| found.generation.to_string()).collect();
            assert_eq!(found, generations.keys().cloned().collect::<Vec<_>>(), "{name}");
            let live = expected["catalog_generation"].as_str().expect("a generation");
            for found in &cluster.description().catalogs {
                let is_live = found.generation.to_string() == live;
                assert_eq!(found.state == GenerationState::Live, is_live, "{name} {}", found.generation);
            }

            let named = cluster.description().catalog_nodes.as_deref().expect("the nodes can be read");
            assert!(named.iter().all(|node| node.id == "node1" && node.in_store) && named.len() == 1, "{name}");
            for database in expected["databases"].as_array().expect("databases") {
                let quoted = format!("`{}`", database.as_str().expect("a name"));
                let deleted = !has_evidence(&cluster, &quoted);
                assert!(!deleted || database == "short" || database == "doomed", "{name}: {database}");
            }
            for (field, nothing) in [
                ("foreign", cluster.description().foreign.is_empty()),
                ("unknown", cluster.description().unknown.is_empty()),
                ("notes", cluster.notes().is_empty()),
                ("licenses", cluster.description().licenses.is_empty()),
                ("excluded nodes", cluster.description().excluded_nodes.is_empty()),
                ("unclaimed", cluster.description().unclaimed_nodes.is_empty()),
            ] {
                assert!(nothing, "{name}: {field} of {:#?}", cluster.description());
            }
            let by_name = name == "core-3.3.0" || name.contains("upgraded");
            assert_eq!(has_evidence(&cluster, "keys by name"), by_name, "{name}");
            assert_eq!(has_evidence(&cluster, "keys by number"), name != "core-3.3.0", "{name}");
        }
    }
}

#[tokio::test]
async fn every_object_of_every_store_is_listed_once() {
    for name in fixtures::STORES {
        let Some(directory) = fixtures::unpack(name) else { return };
        let source = location(directory.path());
        let cluster = discover(&source, &DiscoverOptions::default()).await.expect(name);
        let mut listed: Vec<_> = cluster.list().await.expect(name).entries().map(|entry| entry.key.clone()).collect();
        listed.sort_unstable();
        let all: Vec<_> = source.list("").await.expect(name).into_iter().map(|entry| entry.key).collect();
        assert_eq!(listed, all, "{name}");
    }
}

#[tokio::test]
async fn the_wrong_level_of_a_real_store_is_named() {
    let Some(directory) = fixtures::unpack("core-3.10.1") else { return };
    let below = ["node1", "node1/wal", "node1/snapshots", "node1/catalog", "node1/catalog/v3", "node1/dbs"];
    for tail in below {
        let error =
            discover(&location(&directory.path().join(tail)), &DiscoverOptions::default()).await.expect_err(tail);
        assert!(matches!(error, Error::NoCluster { .. }), "{tail}: {error}");
        assert!(error.to_string().contains("too deep"), "{tail}: {error}");
    }
    std::fs::create_dir(directory.path().join("data")).expect("a directory");
    std::fs::rename(directory.path().join("node1"), directory.path().join("data/node1")).expect("moves");
    let error = discover(&location(directory.path()), &DiscoverOptions::default()).await.expect_err("too shallow");
    assert!(error.to_string().contains("`data/node1`") && error.to_string().contains("/data`"), "{error}");
}
