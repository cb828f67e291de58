//! A repository that goes away while its backup is read: an unmounted volume is no damage.
#![cfg(feature = "testing")]

use std::path::Path;

use influx_backup_core::{
    Backup, BackupOptions, DiscoverOptions, Error, Location, Repository, Restore, RestoreOptions, StoreOptions,
    VerifyOptions, discover, error::Category, options::VerifyLevel, testing::generate::Generate, verify,
};

fn at(path: &Path) -> Location {
    Location::parse(&path.display().to_string(), &StoreOptions::default()).expect("a location")
}

/// A backup that was opened before its repository went away.
async fn opened(directory: &Path) -> Backup {
    let data = directory.join("data");
    Generate::core("node1").generate_into(&data).expect("generated");
    let cluster = discover(&at(&data), &DiscoverOptions::default()).await.expect("a cluster");
    let repository = Repository::open(at(&directory.join("volume"))).await.expect("a repository");
    repository.backup(&cluster, BackupOptions::default().with_name("n1")).await.expect("a backup");
    repository.get("n1").await.expect("opened")
}

fn assert_gone(error: &Error, backup: &Backup) {
    assert_eq!(error.code(), "location-not-found", "{error}");
    assert_eq!(error.category(), Category::NotFound);
    assert_eq!(error.location(), Some(backup.location().to_string().as_str()));
}

#[tokio::test]
async fn nothing_is_said_of_a_backup_that_is_no_longer_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let backup = opened(directory.path()).await;
    std::fs::rename(directory.path().join("volume"), directory.path().join("unmounted")).expect("renamed");

    for level in VerifyLevel::ALL {
        let mut options = VerifyOptions::default();
        options.level = *level;
        let error = verify(&backup, options).await.expect_err("gone");
        assert_gone(&error, &backup);
    }
    let target = at(&directory.path().join("target"));
    let restored = Restore::new(backup.clone(), target, RestoreOptions::default()).await;
    assert_gone(&restored.expect_err("gone"), &backup);
}

/// What is missing of a backup that is there is damage.
#[tokio::test]
async fn a_missing_object_of_a_backup_is_damage() {
    let directory = tempfile::tempdir().expect("a directory");
    let backup = opened(directory.path()).await;
    let key = &backup.objects().next().expect("an object").key;
    std::fs::remove_file(directory.path().join("volume/n1").join(key.as_str())).expect("removed");

    let report = verify(&backup, VerifyOptions::default()).await.expect("verified");
    assert_eq!(report.problems[0].code.as_str(), "missing-object");
    let target = at(&directory.path().join("target"));
    let error = Restore::new(backup, target, RestoreOptions::default()).await.expect_err("damaged");
    assert_eq!(error.code(), "damaged-backup", "{error}");
}
