//! Recorded servers are played into a store, faster or slower than it is copied, while backups of it are taken.
#![cfg(feature = "testing")]

mod fixtures;
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
mod servers;

use std::{path::Path as FilePath, sync::Arc, time::Duration};

use influx_backup_core::{
    BackupOptions, BackupReport, Discover, Limits, Location, Options, Passes, Repository, certify, discover,
    location::Identity,
    object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory, path::Path},
    testing::{
        fault::{FaultPlan, FaultyStore},
        loader::{self, Servers, Verdict},
        replay::{Player, Speed, Trace},
    },
};
use tokio_util::sync::CancellationToken;

/// The node of every recording.
const NODE: &str = "node1";

/// Where in a recording backups begin, in thousandths.
const STARTS: [usize; 3] = [120, 450, 750];

/// One player and one backup beside it.
struct Run {
    report: BackupReport,
    /// Operations played before the backup began.
    start: usize,
}

async fn back_up_while_playing(
    trace: &Trace,
    mut player: Player,
    source: &Location,
    repository: Location,
    start: usize,
    speed: Speed,
) -> Run {
    player.jump(start).await.expect("the store takes it");
    let stop = CancellationToken::new();
    let playing = tokio::spawn({
        let stop = stop.clone();
        async move { player.play(speed, stop).await.expect("the store takes it") }
    });
    let cluster = discover(source, &Discover::auto()).await.expect("a cluster");
    let repository = Repository::open(repository).await.expect("a repository");
    let options = BackupOptions::default()
        .with_name("n1")
        .with_limits(Limits::default().with_concurrency(4))
        .with_passes(Passes::until_closed(60, Duration::from_secs(60)));
    let report = repository.backup(&cluster, options).start().await;
    stop.cancel();
    playing.await.expect("the player does not panic");
    let report = report.unwrap_or_else(|error| panic!("from {start} of {} at {speed:?}: {error}", trace.len()));
    Run { report, start }
}

/// What the backup restores to: by the model of a server that shares no code with the certificate, and by the recording.
async fn check(what: &str, trace: &Trace, run: &Run, backup: &Location, store: Arc<dyn ObjectStore>, prefix: &Path) {
    let certificate = certify(backup, &Discover::auto()).await.expect("certified again");
    assert!(certificate.holds(), "{what}: {}", certificate.summary());
    for entry in backup.list(NODE).await.expect("listed") {
        let bytes = backup.get(&entry.key, None).await.expect("read").expect("there");
        assert!(trace.is_version(entry.key.as_str(), &bytes), "{what}: `{}` is no version ever written", entry.key);
    }
    let verdict = loader::load(&store, prefix, &Servers::core(NODE)).await.expect("read");
    let Verdict::Loaded(loaded) = verdict else { panic!("{what}: {verdict:?}") };
    let node = &loaded.nodes[NODE];
    assert!(node.corrupt.is_empty() && node.skipped_wal.is_empty(), "{what}: {node:?}");
    assert!(node.needs_catalog <= loaded.catalog.sequence && loaded.catalog.missing_logs.is_empty(), "{what}");
    assert_eq!(node.absent.len() as u64, run.report.certificate.absent_files(), "{what}: {:?}", node.absent);
    let acknowledged = trace.acknowledged_at(NODE, run.start);
    assert!(Some(node.recovery_wal()) >= acknowledged.wal, "{what}: {:?} before {acknowledged:?}", node.recovery_wal());
    assert!(node.last_snapshot >= acknowledged.snapshot, "{what}: {:?} before {acknowledged:?}", node.last_snapshot);
    let at_start = trace.state_at(run.start);
    for number in node.wal_gaps() {
        let path = format!("{NODE}/wal/{number:011}.wal");
        assert!(!at_start.contains_key(path.as_str()), "{what}: `{path}` was there when the backup began");
    }
}

fn starts(trace: &Trace) -> impl Iterator<Item = usize> {
    STARTS.into_iter().map(|thousandths| trace.len() * thousandths / 1000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_files() {
    for name in fixtures::TRACES {
        let Some(unpacked) = fixtures::unpack(name) else { return };
        let trace = Trace::load(unpacked.path()).expect("a recording");
        for (index, start) in starts(&trace).enumerate() {
            let speed = [Speed::Times(20.0), Speed::Times(60.0), Speed::Full][index];
            let (data, vault) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
            let parse = |path: &FilePath| {
                Location::parse(path.to_str().expect("UTF-8"), &Options::default()).expect("a location")
            };
            let player = Player::into_directory(trace.clone(), data.path()).expect("a directory");
            let repository = parse(vault.path());
            let run =
                back_up_while_playing(&trace, player, &parse(data.path()), repository.clone(), start, speed).await;
            let backup = repository.child("n1").expect("a name");
            let store = LocalFileSystem::new_with_prefix(vault.path().join("n1")).expect("a directory");
            check(&format!("{name} from {start}"), &trace, &run, &backup, Arc::new(store), &Path::default()).await;
        }
    }
}

/// Slow stores in virtual time: the copying takes up to a hundred times as long as the recording.
#[tokio::test(start_paused = true)]
async fn on_slow_stores() {
    for name in fixtures::TRACES {
        let Some(unpacked) = fixtures::unpack(name) else { return };
        let trace = Trace::load(unpacked.path()).expect("a recording");
        for (index, start) in starts(&trace).enumerate() {
            for speed in [1.0, 10.0, 60.0] {
                let seed = index as u64 * 100 + speed as u64;
                let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
                let slow = FaultPlan::seeded(seed).latency(Duration::ZERO..Duration::from_millis(20));
                let slow: Arc<dyn ObjectStore> = Arc::new(FaultyStore::new(Arc::clone(&bucket), slow));
                let source = Location::with_store(slow, Path::default(), Identity::Test);
                let vault: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
                let repository = Location::with_store(Arc::clone(&vault), Path::default(), Identity::Test);
                let player = Player::new(trace.clone(), bucket, Path::default());
                let speed = Speed::Times(speed);
                let run = back_up_while_playing(&trace, player, &source, repository.clone(), start, speed).await;
                let backup = repository.child("n1").expect("a name");
                let what = format!("{name} from {start} at {speed:?}");
                check(&what, &trace, &run, &backup, vault, &Path::from("n1")).await;
            }
        }
    }
}

/// Through the protocol of S3, on a server in this process.
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_s3() {
    use servers::StoreServer;

    let server = servers::in_process_s3();
    for name in fixtures::TRACES {
        let Some(unpacked) = fixtures::unpack(name) else { return };
        let trace = Trace::load(unpacked.path()).expect("a recording");
        for (start, speed) in starts(&trace).skip(1).zip([Speed::Times(30.0), Speed::Full]) {
            let (data, vault) = (server.fresh_bucket().await, server.fresh_bucket().await);
            let player = Player::new(trace.clone(), server.store(&data), Path::from("data"));
            let (source, repository) = (server.location(&data, "data"), server.location(&vault, "vault"));
            let run = back_up_while_playing(&trace, player, &source, repository.clone(), start, speed).await;
            let backup = repository.child("n1").expect("a name");
            let what = format!("{name} from {start} at {speed:?} on S3");
            check(&what, &trace, &run, &backup, server.store(&vault), &Path::from("vault/n1")).await;
        }
    }
}
