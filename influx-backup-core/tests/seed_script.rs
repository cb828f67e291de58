//! The documented restore script, as its authors wrote it, restores a backup of this crate.
#![cfg(all(unix, feature = "testing"))]

mod generated;

use std::{fs, path::Path, process::Command};

use generated::{World, directory, enterprise, files};
use influx_backup_core::{BackupOptions, Generation, record::BackupStatus, testing::generate::License};

/// "File system restore example" of the documentation, word for word.
const SCRIPT: &str = include_str!("seed/restore.sh");

/// The script with its five variables set, and nothing else.
fn script(backup: &Path, data: &Path) -> String {
    let variables = [
        ("CLUSTER_ID=\"CLUSTER_ID\"", "CLUSTER_ID=\"cluster1\"".to_owned()),
        ("COMPACTOR_NODE=\"COMPACTOR_NODE\"", "COMPACTOR_NODE=\"compactor1\"".to_owned()),
        ("DATA_NODES=(\"NODE1\" \"NODE2\" \"NODE3\")", "DATA_NODES=(\"node1\" \"node2\")".to_owned()),
        ("BACKUP_DIR=\"/backup/BACKUP_DATE\"", format!("BACKUP_DIR=\"{}\"", backup.display())),
        ("DATA_DIR=\"/path/to/data\"", format!("DATA_DIR=\"{}\"", data.display())),
    ];
    let set = |script: String, (from, to): (&str, String)| {
        assert_eq!(script.matches(from).count(), 1, "{from}");
        script.replace(from, &to)
    };
    variables.into_iter().fold(SCRIPT.to_owned(), set)
}

/// Runs the script with a `chown` that does nothing first on the path: not every machine has the user `influxdb`.
fn run(backup: &Path, data: &Path) -> String {
    let bin = directory();
    let chown = bin.path().join("chown");
    fs::write(&chown, "#!/bin/sh\necho \"chown $*\"\n").expect("written");
    fs::set_permissions(&chown, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let path = std::env::var("PATH").expect("a path");
    let mut command = Command::new("bash");
    command.arg("-c").arg(script(backup, data)).env("PATH", format!("{}:{path}", bin.path().display()));
    let output = command.output().expect("bash runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let done = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(done.ends_with(&format!("chown -R influxdb:influxdb {}\n", data.display())), "{done}");
    stderr
}

#[tokio::test]
async fn the_documented_script_restores_a_backup_byte_for_byte() {
    for license in [License::Commercial, License::Trial] {
        let world = World::new(&enterprise(Generation::V1).license(license));
        let report = world.back_up(BackupOptions::default()).await.expect("backed up");
        assert_eq!(report.status, BackupStatus::Complete);
        let data = directory();
        // What lies there is cleared by the script.
        generated::write(&data.path().join("node1/wal/00000000099.wal"), "left over");
        generated::write(&data.path().join("cluster1/catalogs/00000000000000000099.catalog"), "left over");
        assert_eq!(run(&world.backup(), data.path()), "", "no copy fails");
        assert_eq!(files(data.path()), files(world.source()));
    }
}

#[tokio::test]
async fn for_newer_catalogs_the_script_lacks_one_line() {
    for generation in [Generation::V2, Generation::V3] {
        let world = World::new(&enterprise(generation));
        world.back_up(BackupOptions::default()).await.expect("backed up");
        let data = directory();
        let stderr = run(&world.backup(), data.path());
        assert!(stderr.contains("_catalog_checkpoint") && stderr.contains("catalogs"), "{stderr}");
        let restored = files(data.path());
        let mut source = files(world.source());
        source.retain(|key, _| !key.starts_with("cluster1/catalog/"));
        assert_eq!(restored, source, "everything but the catalog");
        let copied = Command::new("cp")
            .arg("-r")
            .arg(world.backup().join("cluster1/catalog"))
            .arg(data.path().join("cluster1/"))
            .status();
        assert!(copied.expect("cp runs").success());
        assert_eq!(files(data.path()), files(world.source()), "and with that line, all of it");
    }
}
