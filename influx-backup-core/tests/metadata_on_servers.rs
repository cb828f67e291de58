//! Content type and the user's own metadata are in the manifest, or kept by the store that has copied the object itself, and
//! restored objects have them again.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use influx_backup_core::{
    BackupOptions, Copier, DiscoverOptions, Key, Location, Repository, Restore, RestoreOptions, StoreOptions,
    copier::{Copiers, ServerSideCopier, StreamCopier},
    discover,
    location::Attributes,
    location::interop::{
        self,
        object_store::{Attribute, AttributeValue, GetOptions, PutOptions},
    },
    testing::generate::Generate,
};
use servers::StoreServer;

/// A small cluster.
fn cluster() -> BTreeMap<String, Bytes> {
    Generate::core("n1").snapshots(2).wal_tail(3).objects().map(|object| (object.key, object.bytes)).collect()
}

/// The objects that have metadata: one that passes through this process, one that a store may copy itself, and the catalog's root, which
/// is restored last.
fn marked() -> [String; 3] {
    let cluster = cluster();
    let one = |part: &str| cluster.keys().find(|key| key.contains(part)).expect("one of each").clone();
    [one("/wal/"), one("/dbs/"), one("/catalog/v3/snapshot")]
}

fn key(name: &str) -> Key {
    Key::parse(name).expect("a key")
}

/// What the objects have. Names with a hyphen are none that Azure takes.
fn marks(server: &dyn StoreServer) -> Attributes {
    let mut marks = Attributes::from([
        ("content-type".to_owned(), "application/x-influx".to_owned()),
        ("x-meta-owner".to_owned(), "team a; 50 %".to_owned()),
    ]);
    if server.scheme() != "az" {
        marks.insert("x-meta-cost-centre".to_owned(), "4711".to_owned());
    }
    marks
}

/// The cluster, with its marked objects.
async fn write(server: &dyn StoreServer, to: &Location) -> Attributes {
    let marks = marks(server);
    let marked = marked();
    for (name, bytes) in cluster() {
        let attributes = if marked.contains(&name) { object_store_s(&marks) } else { Default::default() };
        let options = PutOptions { attributes, ..PutOptions::default() };
        interop::store(to).put_opts(&interop::path(to, &key(&name)), bytes.into(), options).await.expect("written");
    }
    assert_eq!(read(to).await, expected(&marks), "{} keeps them", server.name());
    marks
}

fn object_store_s(marks: &Attributes) -> influx_backup_core::location::interop::object_store::Attributes {
    let attribute = |name: &str| match name.strip_prefix("x-meta-") {
        Some(name) => Attribute::Metadata(name.to_owned().into()),
        None => Attribute::ContentType,
    };
    marks.iter().map(|(name, value)| (attribute(name), AttributeValue::from(value.clone()))).collect()
}

fn expected(marks: &Attributes) -> BTreeMap<String, Attributes> {
    marked().into_iter().map(|name| (name, marks.clone())).collect()
}

/// What the store itself says of the marked objects.
async fn read(place: &Location) -> BTreeMap<String, Attributes> {
    let mut found = BTreeMap::new();
    for name in marked() {
        let head = GetOptions { head: true, ..GetOptions::default() };
        let head = interop::store(place).get_opts(&interop::path(place, &key(&name)), head).await.expect("head");
        let named = head.attributes.iter().filter_map(|(attribute, value)| match attribute {
            Attribute::ContentType => Some(("content-type".to_owned(), value.to_string())),
            Attribute::Metadata(name) => Some((format!("x-meta-{name}"), value.to_string())),
            _ => None,
        });
        found.insert(name, named.collect());
    }
    found
}

/// Backs up and restores; says which copiers have made the backup.
async fn there_and_back(
    source: &Location,
    repository: &Location,
    restored: &Location,
    copier: &Arc<dyn Copier>,
    marks: &Attributes,
    what: &str,
) -> BTreeMap<String, u64> {
    let cluster = discover(source, &DiscoverOptions::default()).await.expect("discovered");
    let repository = Repository::open(repository.clone()).await.expect("opened");
    let options = BackupOptions::default().with_name("b");
    let report = repository.backup(&cluster, options).with_copier(Arc::clone(copier)).start().await;
    let report = report.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
    let backup = repository.get("b").await.expect("opened");
    for name in marked() {
        let record = backup.objects().find(|record| record.key.as_str() == name).expect("in the manifest");
        // What a store copies by one request is not asked for them: it keeps them by itself.
        let is_unasked = name.contains("/dbs/") && report.passes[0].copiers.contains_key("server-side");
        let none = Attributes::new();
        let expected = if is_unasked && record.attributes.is_empty() { &none } else { marks };
        assert_eq!((&record.attributes, record.stored.is_plain()), (expected, true), "{what}: {name}");
    }
    let restore = Restore::new(backup, restored.clone(), RestoreOptions::empty()).with_copier(Arc::clone(copier));
    restore.start().await.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
    report.passes[0].copiers.clone()
}

fn by_stream() -> Arc<dyn Copier> {
    Arc::new(StreamCopier::default())
}

fn by_the_store() -> Arc<dyn Copier> {
    Arc::new(Copiers::new(vec![Arc::new(ServerSideCopier::default()), by_stream()]))
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_kept_by_both_copiers() {
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let at = |prefix: &str| server.location(&bucket, prefix);
        let marks = write(server, &at("cluster")).await;
        for (copier, by) in [(by_stream(), "stream"), (by_the_store(), "the store")] {
            let what = format!("{}, copied by {by}", server.name());
            let to = at(&format!("backups {by}"));
            let restored = at(&format!("restored {by}"));
            let copiers = there_and_back(&at("cluster"), &to, &restored, &copier, &marks, &what).await;
            assert_eq!(copiers.contains_key("server-side"), by == "the store", "{what}: {copiers:?}");
            assert_eq!(read(&to.child("b").expect("a location")).await, expected(&marks), "{what}: the backup");
            assert_eq!(read(&restored).await, expected(&marks), "{what}: restored");
        }
    }
}

/// Files keep none: the manifest does.
#[tokio::test(flavor = "multi_thread")]
async fn they_come_back_from_files() {
    for server in servers::all() {
        let bucket = server.fresh_bucket().await;
        let marks = write(server, &server.location(&bucket, "cluster")).await;
        let files = tempfile::tempdir().expect("a directory");
        let files =
            Location::parse(files.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location");
        let restored = server.location(&bucket, "restored");
        let source = server.location(&bucket, "cluster");
        there_and_back(&source, &files, &restored, &by_stream(), &marks, server.name()).await;
        assert_eq!(read(&restored).await, expected(&marks), "{}", server.name());
    }
}

/// The backup's store cannot have all of them, and the manifest has.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_azure_does_not_take_come_back_from_there() {
    let Some(azurite) = servers::azurite() else { return };
    let server = servers::in_process_s3();
    let bucket = server.fresh_bucket().await;
    let marks = write(server, &server.location(&bucket, "cluster")).await;
    assert!(marks.contains_key("x-meta-cost-centre"));
    let there = azurite.location(&azurite.fresh_bucket().await, "");
    let restored = server.location(&bucket, "restored");
    let source = server.location(&bucket, "cluster");
    there_and_back(&source, &there, &restored, &by_stream(), &marks, "through Azurite").await;
    assert_eq!(read(&restored).await, expected(&marks));
    let mut known = marks;
    known.remove("x-meta-cost-centre");
    assert_eq!(read(&there.child("b").expect("a location")).await, expected(&known), "the backup");
}
