//! Every recorded store is backed up, certified and restored, and backup and restored tree are the source without what
//! is excluded.

mod fixtures;

use std::collections::BTreeMap;

use influx_backup_core::{
    BackupOptions, Cluster, Component, DiscoverOptions, Key, Location, Repository, Restore, RestoreOptions,
    StoreOptions, certify, discover, record::BackupStatus,
};

async fn open(path: &std::path::Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

async fn bytes(location: &Location, cluster: &Cluster) -> BTreeMap<Key, Vec<u8>> {
    let mut bytes = BTreeMap::new();
    for entry in location.list("").await.expect("listed") {
        let Some(object) = cluster.classify(&entry.key) else { continue };
        if !object.component.is_derived() {
            let content = location.get(&entry.key, None).await.expect("read").expect("there");
            bytes.insert(entry.key, content.to_vec());
        }
    }
    bytes
}

#[tokio::test]
async fn recorded_stores_are_backed_up_whole() {
    for name in fixtures::STORES {
        let Some(store) = fixtures::unpack(name) else { return };
        let source = open(store.path()).await;
        let cluster = discover(&source, &DiscoverOptions::default()).await.expect(name);
        let repository = tempfile::tempdir().expect("a directory");
        let repository = Repository::open(open(repository.path()).await).await.expect("opened");
        let options = BackupOptions::default().with_name("n1");
        let report =
            repository.backup(&cluster, options).start().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.status, BackupStatus::Complete, "{name}");
        assert_eq!(report.passes.len(), 1, "{name}: a stopped store takes one pass");
        let all = fixtures::expected();
        let expected = &all[name];
        let point = &report.certificate.recovery[0];
        assert_eq!(point.reached.as_ref().expect("a WAL tail").wal, expected["recovery_wal"], "{name}");
        assert_eq!(point.guaranteed.as_ref().expect("a snapshot").snapshot, expected["last_snapshot"], "{name}");
        let times = report.recovery_points()[&point.node];
        assert_eq!(times.reached, point.reached.as_ref().map(|wal| wal.time), "{name}");
        assert_eq!(times.guaranteed, point.guaranteed.as_ref().map(|snapshot| snapshot.time), "{name}");
        let backup = repository.get("n1").await.expect("committed");
        assert_eq!(bytes(backup.location(), &cluster).await, bytes(&source, &cluster).await, "{name}");
        let restored = tempfile::tempdir().expect("a directory");
        let target = open(restored.path()).await;
        let restore = Restore::new(backup.clone(), target.clone(), RestoreOptions::empty());
        let restore_report = restore.start().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(restore_report.recovery_points(), report.recovery_points(), "{name}");
        assert_eq!(bytes(&target, &cluster).await, bytes(&source, &cluster).await, "{name}, restored");
        let again = certify(backup.location()).await.expect("certified");
        assert!(again.is_proven(), "{name}: {again}");
        let stopped = certify(&source).await.expect("certified");
        // Whether a number of the WAL was burned or lost only a run that looked for it can tell.
        let holds = stopped.holds();
        let proven = stopped.is_proven();
        assert_eq!((holds, proven), (true, !name.contains("wal-hole")), "{name}: {stopped}");
        let derived = backup
            .objects()
            .any(|record| Component::of(record.key.below("node1").expect("below the node")).is_derived());
        assert!(!derived, "{name}");
    }
}
