use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use object_store::{ObjectStore, memory::InMemory, path::Path};
use proptest::prelude::*;

use super::*;
use crate::error::Error;
use crate::{
    cluster::{CatalogNode, Edition, FoundGeneration, GenerationState, Role},
    finding::FindingCode,
    key::Key,
    layout::Generation,
    location::Identity,
    testing::{
        fault::{Failure, Fault, FaultPlan, FaultyStore, Rule, Scope, When},
        generate::{CompactorData, Generate, License},
        write::{self, CatalogSpec, NodeSpec},
    },
};

/// A location that holds these clusters, side by side.
async fn holding(clusters: &[Generate]) -> Location {
    let location = Location::in_memory();
    for cluster in clusters {
        cluster.write_to(location.store(), &Path::default()).await.expect("writes into memory");
    }
    location
}

async fn put(location: &Location, keys: &[&str]) {
    for key in keys {
        put_bytes(location, key, Bytes::from_static(b"x")).await;
    }
}

async fn put_bytes(location: &Location, key: &str, bytes: Bytes) {
    location.put(&Key::parse(key).expect("a key"), bytes).await.expect("writes into memory");
}

async fn remove(location: &Location, prefix: &str) {
    for entry in location.list(prefix).await.expect("lists") {
        location.delete(&entry.key).await.expect("deletes");
    }
}

async fn found(location: &Location, what: DiscoverOptions) -> Cluster {
    discover(location, &what).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The error, which always says where.
async fn refused(location: &Location, what: DiscoverOptions) -> Error {
    let error = match discover(location, &what).await {
        Ok(cluster) => panic!("{:#?}", cluster.description()),
        Err(error) => error,
    };
    let about_an_id = matches!(error, Error::InvalidKey { .. });
    assert!(about_an_id || error.to_string().contains(&location.to_string()), "{error}");
    error
}

fn small(cluster: Generate) -> Generate {
    cluster.snapshots(2).files_per_snapshot(1)
}

fn core(node: &str) -> Generate {
    small(Generate::core(node))
}

fn enterprise(cluster: &str, nodes: &[&str]) -> Generate {
    small(Generate::enterprise(cluster)).nodes(nodes.iter().copied())
}

fn nodes(cluster: &Cluster) -> Vec<(&str, &[Role])> {
    cluster.nodes().iter().map(|node| (node.id.as_str(), &node.roles[..])).collect()
}

fn ids(cluster: &Cluster) -> Vec<&str> {
    cluster.nodes().iter().map(|node| node.id.as_str()).collect()
}

fn codes(cluster: &Cluster) -> Vec<FindingCode> {
    cluster.notes().iter().map(|note| note.code.clone()).collect()
}

const DATA: &[Role] = &[Role::Data];
const COMPACTOR: &[Role] = &[Role::Compactor];
const BOTH: &[Role] = &[Role::Data, Role::Compactor];

#[tokio::test]
async fn discovery_and_listing_may_move_between_threads() {
    let location = holding(&[core("node1")]).await;
    let job = tokio::spawn(async move { discover(&location, &DiscoverOptions::default()).await?.list().await });
    assert!(job.await.expect("no panic").expect("lists").objects() > 0);
}

#[tokio::test]
async fn core_of_every_generation_is_found() {
    for generation in Generation::ALL.iter().copied() {
        let location = holding(&[core("node1").catalog(generation)]).await;
        let cluster = found(&location, DiscoverOptions::default()).await;
        assert_eq!((cluster.edition(), cluster.description().cluster_id.as_deref()), (Edition::Core, None));
        assert_eq!(nodes(&cluster), [("node1", DATA)]);
        let live = FoundGeneration { generation, state: GenerationState::Live };
        assert_eq!(
            (cluster.description().catalogs.clone(), cluster.description().live_catalog()),
            (vec![live], Some(generation))
        );
        assert_eq!(
            cluster.description().catalog_nodes,
            Some(vec![CatalogNode { id: "node1".to_owned(), in_store: true }])
        );
        assert!(
            cluster.notes().is_empty()
                && cluster.description().foreign.is_empty()
                && cluster.description().unknown.is_empty()
        );
        let first = format!("`node1/{}`, ", generation.root());
        assert!(cluster.description().evidence[0].starts_with(&first), "{:?}", cluster.description().evidence);
        assert!(
            cluster.description().evidence[0].ends_with("make node1 a Core node"),
            "{:?}",
            cluster.description().evidence
        );
    }
}

#[tokio::test]
async fn older_generations_are_told_apart_by_their_terminators() {
    let location = holding(&[core("node1").upgraded(Generation::ALL.iter().copied())]).await;
    let states = |cluster: &Cluster| cluster.description().catalogs.iter().map(|found| found.state).collect::<Vec<_>>();
    let cluster = found(&location, DiscoverOptions::default()).await;
    use GenerationState::{Live, Terminated};
    assert_eq!(states(&cluster), [Terminated, Terminated, Live]);
    assert_eq!(cluster.description().live_catalog(), Some(Generation::V3));

    remove(&location, "node1/catalog/v3").await;
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!((states(&cluster), cluster.description().live_catalog()), (vec![Terminated, Terminated], None));
    assert_eq!(codes(&cluster), [FindingCode::NoLiveCatalog]);
    assert!(cluster.description().catalog_nodes.is_some(), "the newest frozen one still says which nodes there were");
}

#[tokio::test]
async fn an_enterprise_cluster_is_found_with_all_its_parts() {
    for generation in Generation::ALL.iter().copied() {
        let generated = enterprise("cluster1", &["node1", "node2"])
            .catalog(generation)
            .query_node("query1")
            .compactor("compactor1", CompactorData::None)
            .unknown("cluster1/notes.txt")
            .unknown("node1/future/x")
            .unknown("cluster1/catalog/v4/snapshot")
            .unknown("README")
            .unknown("elsewhere/x");
        let location = holding(&[generated]).await;
        put(&location, &["cluster1/trial_or_home_license", "cluster1/catalog/restores/1/x"]).await;
        let cluster = found(&location, DiscoverOptions::default()).await;
        assert_eq!(
            (cluster.edition(), cluster.description().cluster_id.as_deref()),
            (Edition::Enterprise, Some("cluster1"))
        );
        assert_eq!(nodes(&cluster), [("compactor1", COMPACTOR), ("node1", DATA), ("node2", DATA)]);
        let licenses: Vec<_> = cluster.description().licenses.iter().map(Key::as_str).collect();
        assert_eq!(licenses, ["cluster1/commercial_license", "cluster1/trial_or_home_license"]);
        assert_eq!(cluster.description().unknown, ["cluster1/notes.txt", "cluster1/catalog/v4", "node1/future"]);
        assert_eq!(cluster.description().foreign, ["README", "elsewhere"]);
        let named = cluster.description().catalog_nodes.clone().expect("readable");
        let absent: Vec<_> = named.iter().filter(|node| !node.in_store).map(|node| node.id.as_str()).collect();
        assert_eq!((named.len(), absent), (4, vec!["query1"]));
        assert_eq!(codes(&cluster), [FindingCode::NodeWithoutObjects]);

        let cluster = found(&location, DiscoverOptions::default().with_query_only("query1")).await;
        assert_eq!(nodes(&cluster)[3], ("query1", &[Role::QueryOnly][..]));
        assert!(cluster.notes().is_empty(), "{:?}", cluster.notes());
        let cluster =
            found(&location, DiscoverOptions::default().with_excluded_node("query1").with_excluded_node("node2")).await;
        assert_eq!(
            (ids(&cluster), cluster.description().excluded_nodes.clone()),
            (vec!["compactor1", "node1"], vec!["node2".to_owned(), "query1".to_owned()],)
        );
        assert!(cluster.notes().is_empty() && !cluster.description().foreign.contains(&"node2".to_owned()));
    }
}

#[tokio::test]
async fn each_of_the_compactors_directories_makes_a_compactor() {
    for directory in ["cs", "cd", "c"] {
        let location = holding(&[enterprise("cluster1", &["node1"])]).await;
        put(&location, &[&format!("k/{directory}/1"), &format!("node1/{directory}/1")]).await;
        let cluster = found(&location, DiscoverOptions::default()).await;
        assert_eq!(nodes(&cluster), [("k", COMPACTOR), ("node1", BOTH)]);
        assert_eq!(codes(&cluster), [FindingCode::NodeNotInCatalog], "the generated catalog does not know k");
    }
}

#[tokio::test]
async fn a_single_node_that_does_all_is_found() {
    let location = holding(&[enterprise("cluster1", &[]).compactor("node1", CompactorData::Own)]).await;
    assert_eq!(nodes(&found(&location, DiscoverOptions::default()).await), [("node1", BOTH)]);
}

#[tokio::test]
async fn a_fresh_core_node_is_no_cluster() {
    let location = holding(&[Generate::core("node1").snapshots(0).wal_tail(0)]).await;
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!((cluster.edition(), nodes(&cluster)), (Edition::Core, vec![("node1", DATA)]));
}

#[tokio::test]
async fn a_cluster_without_license_and_configuration_is_known_by_its_catalog() {
    let location = holding(&[enterprise("cluster1", &["node1"]).license(License::None)]).await;
    location.delete(&Key::parse("cluster1/enterprise").expect("a key")).await.expect("deletes");
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!((cluster.description().cluster_id.as_deref(), ids(&cluster)), (Some("cluster1"), vec!["node1"]));
    // Also where the catalog cannot be read: a node beside it has none of its own.
    put(&location, &["cluster1/catalog/v3/snapshot"]).await;
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!((cluster.description().cluster_id.as_deref(), ids(&cluster)), (Some("cluster1"), vec!["node1"]));
    assert_eq!(
        (codes(&cluster), cluster.description().catalog_nodes.is_none()),
        (vec![FindingCode::CatalogDamaged, FindingCode::CatalogNodesUnreadable], true)
    );
}

#[tokio::test]
async fn ids_may_be_given_and_nested() {
    let generated = enterprise("org/cluster1", &["org/a/node1", "org/node2", "node3"]).unknown("org/a/other/x");
    let location = holding(&[generated]).await;
    let what = DiscoverOptions::default()
        .with_cluster_id("org/cluster1")
        .with_node("org/a/node1")
        .with_node("org/node2")
        .with_node("node3");
    let cluster = found(&location, what.clone()).await;
    assert_eq!(ids(&cluster), ["node3", "org/a/node1", "org/node2"]);
    assert_eq!(cluster.description().foreign, ["org/a/other"]);
    assert!(cluster.notes().is_empty() && cluster.description().unknown.is_empty());

    // A node that the catalog names and the caller did not is never dropped silently.
    let mut fewer = what.clone();
    fewer.node_ids.remove(1);
    let cluster = found(&location, fewer).await;
    assert_eq!(
        (cluster.description().unclaimed_nodes.clone(), codes(&cluster)),
        (vec!["org/node2".to_owned()], vec![FindingCode::UnclaimedNode])
    );

    // A node below another one: its prefix is not unknown below the outer one.
    let location = holding(&[enterprise("c", &["a", "a/b"])]).await;
    let cluster =
        found(&location, DiscoverOptions::default().with_cluster_id("c").with_node("a").with_node("a/b")).await;
    assert!(
        cluster.description().unknown.is_empty() && cluster.description().foreign.is_empty(),
        "{:#?}",
        cluster.description()
    );
}

#[tokio::test]
async fn given_ids_must_have_objects() {
    let location = holding(&[enterprise("cluster1", &["node1"])]).await;
    let unknown = |error: Error| match error {
        Error::UnknownId { kind, id, .. } => (kind, id),
        other => panic!("{other}"),
    };
    let given = DiscoverOptions::default().with_node("node1");
    assert_eq!(
        unknown(refused(&location, DiscoverOptions::default().with_cluster_id("x")).await),
        ("cluster", "x".to_owned())
    );
    assert_eq!(unknown(refused(&location, given.clone().with_node("x")).await), ("node", "x".to_owned()));
    assert_eq!(
        unknown(refused(&location, DiscoverOptions::default().with_excluded_node("x")).await),
        ("node", "x".to_owned())
    );
    let cluster = found(&location, given.clone().with_node("x").with_query_only("x")).await;
    assert_eq!(nodes(&cluster), [("node1", DATA), ("x", &[Role::QueryOnly][..])]);
    let cluster = found(&location, DiscoverOptions::default().with_query_only("node1")).await;
    assert_eq!((nodes(&cluster), codes(&cluster)), (vec![("node1", DATA)], vec![FindingCode::QueryOnlyStores]));
    assert!(matches!(
        refused(&location, given.clone().with_excluded_node("node1")).await,
        Error::InvalidRequest { .. }
    ));
    assert!(matches!(refused(&location, given.with_node("../x")).await, Error::InvalidKey { .. }));
    let own = DiscoverOptions::default().with_node("_influx_backup");
    assert!(matches!(refused(&location, own).await, Error::InvalidRequest { .. }));
    let core = holding(&[core("node1")]).await;
    assert_eq!(unknown(refused(&core, DiscoverOptions::default().with_node("x")).await), ("node", "x".to_owned()));
    assert!(matches!(
        refused(&core, DiscoverOptions::default().with_excluded_node("node1")).await,
        Error::InvalidRequest { .. }
    ));
    assert!(matches!(
        refused(&core, DiscoverOptions::default().with_query_only("q")).await,
        Error::InvalidRequest { .. }
    ));
}

/// It may be unreadable, which is why it is excluded.
#[tokio::test]
async fn nothing_is_asked_of_a_node_that_is_excluded() {
    for excluded in ["n2", "org/n2", "c/n2", "n1/n2", "n1/x/n2", "n1/x/y/n2", "c/x/y/n2"] {
        let store = Arc::new(InMemory::new()) as Arc<dyn ObjectStore>;
        enterprise("c", &["n1", excluded]).write_to(&store, &Path::default()).await.expect("writes into memory");
        let denied = Rule::new(Scope::any().below(excluded), When::Always, Fault::Fail(Failure::Denied));
        let store = FaultyStore::new(store, FaultPlan::none().with(denied));
        let location = Location::with_store(Arc::new(store), Path::default(), Identity::Test);
        let cluster = found(&location, DiscoverOptions::default().with_excluded_node(excluded)).await;
        assert_eq!((ids(&cluster), codes(&cluster)), (vec!["n1"], vec![]), "{excluded}");
        let description = cluster.description();
        assert_eq!((&description.excluded_nodes[..], &description.foreign), (&[excluded.to_owned()][..], &vec![]));
        let named = description.catalog_nodes.as_ref().expect("readable");
        assert!(named.iter().all(|node| node.in_store), "{named:?}");
        cluster.list().await.unwrap_or_else(|error| panic!("{excluded}: {error}"));
        let error = refused(&location, DiscoverOptions::default()).await;
        assert_eq!(error.code(), "access-denied", "{excluded}: {error}");
        assert!(error.to_string().contains(excluded), "{excluded}: {error}");
    }
}

/// Nodes of which the cluster cannot be read are not nodes without a cluster.
#[tokio::test]
async fn a_part_of_the_cluster_that_cannot_be_read_is_named() {
    for denied in ["c", "c/catalog", "c/odd"] {
        let store = Arc::new(InMemory::new()) as Arc<dyn ObjectStore>;
        enterprise("c", &["n1"]).unknown("c/odd/deep/x").write_to(&store, &Path::default()).await.expect("written");
        let rule = Rule::new(Scope::any().below(denied), When::Always, Fault::Fail(Failure::Denied));
        let store = FaultyStore::new(store, FaultPlan::none().with(rule));
        let location = Location::with_store(Arc::new(store), Path::default(), Identity::Test);
        let error = match discover(&location, &DiscoverOptions::default()).await {
            Ok(cluster) => cluster.list().await.expect_err(denied),
            Err(error) => error,
        };
        assert_eq!(error.code(), "access-denied", "{denied}: {error}");
        assert!(error.to_string().contains(denied), "{denied}: {error}");
    }
}

#[tokio::test]
async fn a_promoted_core_node_is_a_member_with_a_stale_catalog() {
    let location = holding(&[core("node1"), enterprise("cluster1", &["node1", "node2"])]).await;
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!(
        (cluster.description().cluster_id.as_deref(), ids(&cluster)),
        (Some("cluster1"), vec!["node1", "node2"])
    );
    assert_eq!(codes(&cluster), [FindingCode::StaleCatalog]);
    let stale = Key::parse("node1/catalog/v3/snapshot").expect("a key");
    assert_eq!(cluster.classify(&stale).map(|object| object.kind()), Some(crate::Component::Other));
}

#[tokio::test]
async fn a_cluster_id_that_is_a_node_id_is_accepted() {
    let location = holding(&[enterprise("node1", &["node1", "node2"])]).await;
    for what in [DiscoverOptions::default(), DiscoverOptions::default().with_cluster_id("node1")] {
        let cluster = found(&location, what).await;
        assert_eq!(
            (cluster.description().cluster_id.as_deref(), ids(&cluster)),
            (Some("node1"), vec!["node1", "node2"])
        );
        assert_eq!(codes(&cluster), [FindingCode::ClusterIdIsNodeId]);
    }
}

#[tokio::test]
async fn several_clusters_ask_for_a_choice() {
    let v2 = |cluster: &str, nodes: &[&str]| enterprise(cluster, nodes).catalog(Generation::V2);
    let location = holding(&[v2("east", &["e1", "e2"]), v2("west", &["w1"])]).await;
    let error = refused(&location, DiscoverOptions::default()).await;
    assert!(matches!(&error, Error::SeveralClusters { clusters, .. } if clusters == &["east", "west"]), "{error}");
    let cluster = found(&location, DiscoverOptions::default().with_cluster_id("east")).await;
    assert_eq!(
        (ids(&cluster), cluster.description().foreign.clone()),
        (vec!["e1", "e2"], vec!["w1".to_owned(), "west".to_owned()])
    );
    assert!(cluster.notes().is_empty() && cluster.description().unclaimed_nodes.is_empty());
    let cluster = found(&location, DiscoverOptions::default().with_node("w1")).await;
    assert_eq!(cluster.description().cluster_id.as_deref(), Some("west"), "only one catalog names the node");

    for unreadable in [Generation::V3, Generation::V2] {
        let other = enterprise("west", &["w1"]).catalog(unreadable);
        let location = holding(&[v2("east", &["e1"]), other]).await;
        if unreadable == Generation::V2 {
            put(&location, &["west/catalog/v2/snapshot"]).await;
        }
        let what = DiscoverOptions::default().with_cluster_id("west");
        let error = refused(&location, what.clone()).await;
        let asked = matches!(&error, Error::NodesRequired { cluster, candidates, .. }
            if cluster == "west" && candidates == &["e1", "w1"]);
        assert!(asked, "{error}");
        let cluster = found(&location, what.with_node("w1")).await;
        assert_eq!((ids(&cluster), cluster.description().unclaimed_nodes.is_empty()), (vec!["w1"], true));
    }
}

#[tokio::test]
async fn several_core_nodes_are_several_clusters() {
    let location = holding(&[core("node1"), core("node2")]).await;
    let error = refused(&location, DiscoverOptions::default()).await;
    assert!(matches!(&error, Error::SeveralClusters { clusters, .. } if clusters == &["node1", "node2"]), "{error}");
    let cluster = found(&location, DiscoverOptions::default().with_node("node2")).await;
    assert_eq!((cluster.edition(), ids(&cluster)), (Edition::Core, vec!["node2"]));
    assert_eq!(
        (cluster.description().foreign.clone(), cluster.description().unclaimed_nodes.is_empty()),
        (vec!["node1".to_owned()], true)
    );
    let both = DiscoverOptions::default().with_node("node1").with_node("node2");
    assert!(matches!(refused(&location, both).await, Error::SeveralClusters { .. }));

    // Beside a cluster that does not know it, a Core server can be chosen.
    let location = holding(&[core("alone"), enterprise("cluster1", &["node1"])]).await;
    let cluster = found(&location, DiscoverOptions::default().with_node("alone")).await;
    assert_eq!(
        (cluster.edition(), ids(&cluster), cluster.description().unclaimed_nodes.len()),
        (Edition::Core, vec!["alone"], 0)
    );
}

#[tokio::test]
async fn the_upgraded_engine_is_refused_by_each_of_its_markers() {
    let markers = [
        "node1/pt_snapshots/1",
        "node1/gen0/1",
        "node1/x.pt",
        "node1/future/1.pt",
        "fresh/pt_snapshots/1",
        "cluster1/1.ptv2chk.lz4",
        "cluster1/backups/b1/manifest",
    ];
    for marker in markers {
        let location = holding(&[enterprise("cluster1", &["node1"])]).await;
        put(&location, &[marker]).await;
        let error = refused(&location, DiscoverOptions::default()).await;
        assert!(matches!(error, Error::UpgradedEngine { .. }), "{marker}: {error}");
        let message = error.to_string();
        let shown = marker.trim_end_matches("/1").trim_end_matches("/b1/manifest");
        assert!(message.contains("influxdb3 create backup") && message.contains(&format!("(`{shown}`)")), "{message}");
    }
    let location = holding(&[core("node1")]).await;
    put(&location, &["models/x.pt", "node1/backups/x"]).await;
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!(cluster.description().foreign, ["models"], "other programs have `.pt` files, too");
    assert_eq!(cluster.description().unknown, ["node1/backups"], "Core has no built-in backup");
}

#[tokio::test]
async fn the_storage_mode_in_the_catalog_is_refused() {
    let location = holding(&[core("node1").catalog(Generation::V2)]).await;
    let node = NodeSpec { number: 0, node_id: "node1".to_owned(), instance: 1, mode: "Core".to_owned() };
    let spec =
        CatalogSpec { catalog_id: "node1".to_owned(), uuid: 1, sequence: 9, nodes: vec![node], ..Default::default() };
    let root = write::catalog_root(Generation::V2, &spec);
    let json = String::from_utf8(root[14..].to_vec()).expect("JSON");
    let json = json.replacen('{', r#"{"storage_mode":"PachaTree","#, 1);
    let bytes = [&root[..10], &crc32fast::hash(json.as_bytes()).to_be_bytes(), json.as_bytes()].concat();
    put_bytes(&location, "node1/catalog/v2/snapshot", bytes.into()).await;
    let error = refused(&location, DiscoverOptions::default()).await;
    assert!(error.to_string().contains("storage mode PachaTree in `node1/catalog/v2/snapshot`"), "{error}");
}

/// The text of the `NoCluster` that a location with these keys gives.
async fn no_cluster(keys: &[&str]) -> String {
    let location = Location::in_memory();
    put(&location, keys).await;
    let error = refused(&location, DiscoverOptions::default()).await;
    assert!(matches!(error, Error::NoCluster { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("looked for") && text.contains("catalog/v3/snapshot"), "{text}");
    text
}

#[tokio::test]
async fn a_location_without_a_cluster_says_what_is_there() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "found nothing; check the path"),
        (&["photos/a.jpg", "notes.txt"], "not InfluxDB's (`photos`, `notes.txt`)"),
        (&["node1/wal/00000000001.wal"], "nodes without a catalog (`node1`)"),
        (&["wal/00000000001.wal", "snapshots/1", "catalog/v3/snapshot"], "too deep; give the directory one level up"),
        (&["enterprise", "catalog/v3/snapshot"], "too deep; give the directory one level up"),
        (&["00000000001.wal", "00000000002.wal"], "the `wal` of a node or a cluster"),
        (&["18446744073709551614.info.json"], "the `snapshots` of a node or a cluster"),
        (&["v3/snapshot", "v3/logs/00000000000000000001.catalog"], "give the directory two levels up"),
        (&["snapshot", "logs/00000000000000000001.catalog"], "give the directory three levels up"),
        (&["data/node1/wal/1", "data/node1/catalog/v3/snapshot"], "too shallow; give `memory://test/data`"),
        (
            &["b1/_influx_backup/manifest.json", "b1/node1/wal/1", "b2/_influx_backup/claim-000001"],
            "a repository of backups (`b1`, `b2`)",
        ),
        (&["_influx_backup/claim-000001"], "a backup that holds no object"),
        (&["_influx_backup/restore.json"], "a restore that has written no object yet"),
    ];
    for (keys, expected) in cases {
        let text = no_cluster(keys).await;
        assert!(text.contains(expected), "{keys:?}: {text}");
    }
}

#[tokio::test]
async fn a_wrong_location_is_named_also_where_ids_are_given() {
    let location = Location::in_memory();
    let what = DiscoverOptions::default().with_cluster_id("cluster1").with_node("node1");
    assert!(matches!(refused(&location, what.clone()).await, Error::NoCluster { .. }), "empty");
    put(&location, &["data/cluster1/catalog/v3/snapshot", "data/node1/wal/1"]).await;
    assert!(refused(&location, what).await.to_string().contains("too shallow"));

    let location = holding(&[core("node1"), enterprise("cluster1", &["node1"])]).await;
    put(&location, &["photos/1"]).await;
    let error = refused(&location, DiscoverOptions::default().with_cluster_id("photos")).await;
    assert!(error.to_string().contains("the catalog of cluster `photos`"), "{error}");
}

#[tokio::test]
async fn a_backup_and_a_script_s_copy_are_discovered_like_what_they_hold() {
    let location = holding(&[enterprise("cluster1", &["node1"])]).await;
    put(&location, &["_influx_backup/manifest.json"]).await;
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!(
        (ids(&cluster), codes(&cluster), cluster.description().foreign.is_empty()),
        (vec!["node1"], vec![FindingCode::IsBackup], true)
    );
    let location = holding(&[core("node1")]).await;
    put(&location, &["_influx_backup/restore.json"]).await;
    assert_eq!(codes(&found(&location, DiscoverOptions::default()).await), [FindingCode::RestoreUnfinished]);
    let below = holding(&[core("node1")]).await;
    let backup = below.child("x").expect("a key");
    core("node1").write_to(below.store(), &Path::from("x")).await.expect("writes into memory");
    assert_eq!(ids(&found(&backup, DiscoverOptions::default()).await), ["node1"], "below a prefix of a bucket");
}

#[tokio::test]
async fn directories_are_looked_at_like_stores() {
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let at = |tail: &str| {
        let path = temporary.path().join(tail);
        Location::parse(path.to_str().expect("UTF-8"), &crate::StoreOptions::default()).expect("a path")
    };
    enterprise("cluster1", &["node1"]).generate_into(&temporary.path().join("data")).expect("writes");
    std::fs::create_dir_all(temporary.path().join("data/empty")).expect("writes");
    std::fs::write(temporary.path().join("data/README"), "").expect("writes");
    let cluster = found(&at("data"), DiscoverOptions::default()).await;
    assert_eq!((ids(&cluster), cluster.description().foreign.clone()), (vec!["node1"], vec!["README".to_owned()]));

    assert!(matches!(refused(&at("missing"), DiscoverOptions::default()).await, Error::LocationNotFound { .. }));
    assert!(refused(&at("data/README"), DiscoverOptions::default()).await.to_string().contains("found a file"));
    assert!(refused(&at("data/empty"), DiscoverOptions::default()).await.to_string().contains("found nothing"));
    assert!(refused(&at(""), DiscoverOptions::default()).await.to_string().contains("too shallow"));
    for deep in ["data/node1", "data/node1/wal", "data/node1/dbs", "data/cluster1"] {
        assert!(refused(&at(deep), DiscoverOptions::default()).await.to_string().contains("too deep"), "{deep}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn tables_wal_and_compacted_data_are_not_listed() {
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let generated = enterprise("cluster1", &["node1"]).compactor("k", CompactorData::None);
    generated.generate_into(temporary.path()).expect("writes");
    // Whoever lists one of these directories finds a broken link, which is an error.
    for directory in ["node1/wal", "node1/snapshots", "node1/dbs/1", "k/cs", "k/cd", "k/c"] {
        let link = temporary.path().join(directory).join("broken");
        std::os::unix::fs::symlink("nowhere", link).expect("a link");
    }
    let path = temporary.path().to_str().expect("UTF-8");
    let location = Location::parse(path, &crate::StoreOptions::default()).expect("a path");
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!(ids(&cluster), ["k", "node1"]);
    assert_eq!(cluster.list().await.expect_err("a link that leads nowhere").code(), "link");
}

#[tokio::test]
async fn a_guard_or_a_missing_root_is_noted_and_refuses_nothing() {
    let location = holding(&[core("node1").catalog(Generation::V2)]).await;
    put(&location, &["node1/catalog/v2/snapshot"]).await;
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert_eq!(
        (cluster.edition(), codes(&cluster)),
        (Edition::Core, vec![FindingCode::CatalogDamaged, FindingCode::CatalogNodesUnreadable])
    );
    location.delete(&Key::parse("node1/catalog/v2/snapshot").expect("a key")).await.expect("deletes");
    let cluster = found(&location, DiscoverOptions::default()).await;
    assert!(
        cluster.notes().is_empty() && cluster.description().catalog_nodes.is_some(),
        "all logs are there: {:?}",
        cluster.notes()
    );
    remove(&location, "node1/catalog/v2/logs").await;
    assert!(refused(&location, DiscoverOptions::default()).await.to_string().contains("nodes without a catalog"));
}

const ANY_ID: [&str; 7] = ["a", "a/b", "c", "node1", "cluster1", "other", "_influx_backup"];

const ANY_TAIL: [&str; 20] = [
    "wal/00000000001.wal",
    "snapshots/18446744073709551614.info.json",
    "dbs/1/0/x.parquet",
    "cs/1",
    "c/1",
    "catalog/v2/snapshot",
    "catalog/v3/snapshot",
    "catalog/v3/logs/00000000000000000001.catalog",
    "catalogs/00000000000000000001.catalog",
    "_catalog_checkpoint",
    "catalog/v4/x",
    "enterprise",
    "commercial_license",
    "pt_snapshots/1",
    "backups/1",
    "x.pt",
    "_influx_backup/manifest.json",
    "manifest.json",
    "unknown",
    "un/known",
];

fn any_discover() -> impl Strategy<Value = DiscoverOptions> {
    let id = || prop::sample::select(ANY_ID.to_vec());
    let ids = move || prop::collection::vec(id().prop_map(ToOwned::to_owned), 0..2);
    (prop::option::weighted(0.3, id()), ids(), ids(), ids()).prop_map(
        |(cluster, node_ids, query_only, excluded_nodes)| DiscoverOptions {
            cluster_id: cluster.map(ToOwned::to_owned),
            node_ids,
            query_only,
            excluded_nodes,
        },
    )
}

/// The real bytes of a catalog that names `node`, for keys of the catalog; anything else is opaque here.
fn any_bytes(key: &str, node: &str) -> Bytes {
    let registered = NodeSpec { number: 0, node_id: node.to_owned(), instance: 1, mode: "Core".to_owned() };
    let spec =
        CatalogSpec { catalog_id: "x".to_owned(), uuid: 1, sequence: 1, nodes: vec![registered], ..Default::default() };
    match () {
        () if key.ends_with("catalog/v2/snapshot") => write::catalog_root(Generation::V2, &spec),
        () if key.ends_with("catalog/v3/snapshot") => write::catalog_root(Generation::V3, &spec),
        () if key.ends_with("_catalog_checkpoint") => write::catalog_root(Generation::V1, &spec),
        () if key.contains("catalogs/") => write::terminator(Generation::V1),
        () => Bytes::from_static(b"x"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever lies there and whatever is asked for: an answer, and every object is the cluster's, or named as not its.
    #[test]
    fn every_object_is_accounted_for(
        objects in prop::collection::btree_set((0..ANY_ID.len(), 0..ANY_TAIL.len()), 0..16),
        named in prop::sample::select(ANY_ID.to_vec()),
        what in any_discover(),
        auto: bool,
    ) {
        let what = if auto { DiscoverOptions::default() } else { what };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let location = Location::in_memory();
            let keys = objects.iter().map(|(id, tail)| format!("{}/{}", ANY_ID[*id], ANY_TAIL[*tail]));
            stream::iter(keys).for_each(|key| {
                let location = &location;
                async move { put_bytes(location, &key, any_bytes(&key, named)).await }
            }).await;
            let cluster = match discover(&location, &what).await {
                Ok(cluster) => cluster,
                Err(error) => {
                    prop_assert!(!error.to_string().is_empty());
                    return Ok(());
                }
            };
            prop_assert!(cluster.edition() == Edition::Enterprise || cluster.nodes().len() == 1);
            prop_assert_eq!(cluster.edition() == Edition::Enterprise, cluster.description().cluster_id.is_some());
            for entry in location.list("").await.expect("lists") {
                let below = |name: &String| entry.key.as_str() == name || entry.key.below(name).is_some();
                let own = entry.key.below(crate::layout::OWN_DIRECTORY).is_some();
                let is_own = cluster.classify(&entry.key).is_some();
                let named = cluster.description().foreign.iter().chain(&cluster.description().excluded_nodes).any(below) || own;
                let is_unseen = what.cluster_id.is_some() && !what.node_ids.is_empty();
                prop_assert!(is_own || named || is_unseen, "{}: {:#?}", entry.key, cluster.description());
                let foreign = cluster.description().foreign.iter().any(below);
                prop_assert!(!(is_own && foreign), "{} is of the cluster and foreign: {:#?}", entry.key, cluster.description());
                if is_own && cluster.classify(&entry.key).is_some_and(|o| o.component == crate::Component::Other) {
                    prop_assert!(cluster.description().unknown.iter().any(below), "{}: {:#?}", entry.key, cluster.description());
                }
            }
            Ok(())
        })?;
    }
}
