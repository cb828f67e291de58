//! A real InfluxDB 3 Core server is backed up while it is written to, killed, restored elsewhere, and asked what it holds.
//!
//! `INFLUXDB3_BIN` names the server, `INFLUXDB3_ARGS` has further arguments for it. Without it the same is done with a
//! stand-in alone, and a line says that the real one was not run.
#![cfg(feature = "testing")]

mod core_server;

use std::{io::Write, path::Path, sync::Arc};

use async_trait::async_trait;
use influx_backup_core::{
    BackupOptions, Copier, DiscoverOptions, Error, EventKind, Location, Repository, Restore, RestoreOptions,
    RestoreRunOptions, StoreOptions, certify,
    copier::{Copied, CopyContext, CopyRequest},
    discover,
    error::CopyError,
    manifest::Backup,
    record::BackupStatus,
};

use self::core_server::{CoreServer, Server, StandIn, Writer};

/// Rows before the backup begins: enough for some snapshots of a fast server.
const BEFORE: u64 = 1_500;

/// Rows after each step that follows.
const MORE: u64 = 500;

fn location(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

/// Backs a server up while it is written to. Returns the backup and how many rows were acknowledged before it began.
async fn back_up(data: &Path, vault: &Path, writer: &Writer) -> (Backup, u64) {
    writer.reach(BEFORE).await;
    let acknowledged = writer.acknowledged();
    let cluster = discover(&location(data), &DiscoverOptions::default()).await.expect("a cluster");
    let repository = Repository::open(location(vault)).await.expect("a repository");
    let options = BackupOptions::default().with_name("n1");
    let report = repository.backup(&cluster, options).start().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.status, BackupStatus::Complete, "{report}");
    let backup = repository.get("n1").await.expect("committed");
    let certificate = certify(backup.location()).await.expect("certified");
    assert!(certificate.holds(), "{certificate}");
    (backup, acknowledged)
}

async fn restored(backup: &Backup, to: &Path, options: &RestoreOptions, run: &RestoreRunOptions) {
    let restore = Restore::new(backup.clone(), location(to), options.clone()).with_run_options(run.clone());
    restore.start().await.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)));
}

/// Copies nothing, until it is told to stop.
#[derive(Debug)]
struct Stuck;

#[async_trait]
impl Copier for Stuck {
    async fn copy(&self, _: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        context.cancellation.cancelled().await;
        Err(CopyError::Cancelled)
    }
}

/// Begins a restore and breaks it off as soon as its boot guard stands.
async fn half_restored(backup: &Backup, to: &Path) {
    let restore = Restore::new(backup.clone(), location(to), RestoreOptions::empty());
    let job = restore.with_copier(Arc::new(Stuck)).start();
    let mut events = job.events();
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::GuardSet) {
            job.handle().cancel();
        }
    }
    let error = job.await.expect_err("it was broken off");
    assert!(matches!(error, Error::Cancelled { .. }), "{error}");
}

async fn story<S: Server>() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = |name: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir(&path).expect("made");
        path
    };
    let data = place("data");
    let vault = place("vault");
    let elsewhere = place("elsewhere");
    let half = place("half");

    // Written to before, while and after it is backed up; then killed.
    let server = S::start(&data).await.expect("it starts");
    let writer = Writer::start(server.client(), 0);
    let (backup, before) = back_up(&data, &vault, &writer).await;
    writer.reach(writer.acknowledged() + MORE).await;
    drop(server);
    let later = writer.end().await;

    // Elsewhere: no hole, and nothing lost that was acknowledged before the backup began.
    restored(&backup, &elsewhere, &RestoreOptions::empty(), &RestoreRunOptions::default()).await;
    let server = S::start(&elsewhere).await.expect("the restored server starts");
    let count = server.client().count().await;
    assert!(count.has_no_hole() && count.newest + 1 >= before, "{count:?}, {before} were acknowledged before");
    assert!(count.newest + 1 < later, "{count:?} of {later}: the rollback below would show nothing");
    drop(server);

    // Half-done: no server starts on it, until it is finished.
    half_restored(&backup, &half).await;
    assert!(S::start(&half).await.is_err(), "a server starts on a half-done restore");
    restored(&backup, &half, &RestoreOptions::empty(), &RestoreRunOptions::default().resuming()).await;
    let server = S::start(&half).await.expect("the resumed server starts");
    assert_eq!(server.client().count().await, count);
    drop(server);

    // Over the later state: what was written since is gone, and the server goes on from there.
    restored(&backup, &data, &RestoreOptions::replace(), &RestoreRunOptions::servers_stopped()).await;
    let server = S::start(&data).await.expect("the server that was rolled back starts");
    assert_eq!(server.client().count().await, count, "the rollback did not happen");
    let writer = Writer::start(server.client(), count.newest + 1);
    writer.reach(count.newest + 1 + MORE).await;
    drop(server);
    let acknowledged = writer.end().await;
    let server = S::start(&data).await.expect("it starts once more");
    let count = server.client().count().await;
    assert!(count.has_no_hole() && count.newest + 1 >= acknowledged, "{count:?} of {acknowledged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_server() {
    if std::env::var_os("INFLUXDB3_BIN").is_none() {
        // Written to the stream itself: the harness hides the printed output of a test that passes.
        let line = "not run: real_server (INFLUXDB3_BIN is not set): needs an InfluxDB 3 Core server";
        writeln!(std::io::stderr(), "{line}").expect("written");
        return;
    }
    story::<CoreServer>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stand_in_for_a_server() {
    story::<StandIn>().await;
}

#[tokio::test]
async fn a_hole_is_counted() {
    let data = tempfile::tempdir().expect("a directory");
    let server = StandIn::start(data.path()).await.expect("it starts");
    assert!(server.client().is_healthy().await);
    for first in [0, 40] {
        assert!(server.client().write(first).await.expect("an answer"));
    }
    let count = server.client().count().await;
    assert_eq!((count.held, count.newest), (40, 59));
    assert!(!count.has_no_hole());
    let client = server.client();
    drop(server);
    tokio::task::yield_now().await;
    assert!(!client.is_healthy().await && client.write(60).await.is_err(), "a dead server acknowledges nothing");
}
