//! A backup that is killed at any moment while the server writes: the resumed one proves itself, and loses nothing.
#![cfg(unix)]

mod crash;
mod fixtures;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use influx_backup_core::{
    BackupOptions, DiscoverOptions, Limits, Repository, discover,
    layout::Generation,
    limits::Durability,
    location::interop::object_store::{ObjectStore, local::LocalFileSystem, path::Path as StorePath},
};
use influx_backup_testing::{
    loader,
    loader::{Rows, Servers},
    replay::{Player, Speed, Trace},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use crash::{NAME, Orders, Verb};

#[test]
#[ignore = "the other tests run it as a process of its own"]
fn a_process_of_its_own() {
    crash::run_if_ordered();
}

/// How many backups are killed.
const KILLS: u64 = 20;

/// How long each copy takes at least, so that the backup takes a while.
const PAUSE: Duration = Duration::from_millis(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_under_load() {
    let Some(recorded) = fixtures::unpack("trace-3.10.1") else { return };
    let trace = Trace::load(recorded.path()).expect("a recording");
    let typical = round(&trace, 0, None).await.1;
    let mut killed = 0;
    for seed in 1..=KILLS {
        let at = typical.mul_f64(StdRng::seed_from_u64(seed).random_range(0.1..1.0));
        killed += u64::from(round(&trace, seed, Some(at)).await.0);
    }
    assert!(killed > KILLS / 3, "most processes should die before they are done: {killed} of {KILLS}");
}

/// One backup that is killed after a time, while the recording plays on, and resumed. Says whether it was killed before
/// it had committed, and how long it ran.
async fn round(trace: &Trace, seed: u64, kill_after: Option<Duration>) -> (bool, Duration) {
    let when = format!("seed {seed}, killed after {kill_after:?}");
    let root = tempfile::tempdir().expect("a directory");
    let source = root.path().join("source");
    let repository = root.path().join("repository");
    std::fs::create_dir(&source).expect("made");
    let mut player = Player::into_directory(trace.clone(), &source).expect("a player");
    let begin = trace.len() * StdRng::seed_from_u64(!seed).random_range(3..7) / 10;
    player.jump(begin).await.expect("plays");
    let stop = CancellationToken::new();
    let load = tokio::spawn({
        let stop = stop.clone();
        async move { player.play(Speed::Times(20.0), stop).await.expect("plays") }
    });

    let acknowledged = trace.acknowledged_at("node1", begin);
    let began = Instant::now();
    let outcome = root.path().join("outcome");
    let mut process = Orders { pause: PAUSE, ..Orders::new(Verb::Backup, &source, &repository, &outcome) }.start();
    match kill_after {
        Some(after) => {
            tokio::time::sleep(after).await;
            process.kill().expect("killed");
            process.wait().expect("waited");
        }
        None => drop(tokio::task::spawn_blocking(move || process.wait()).await),
    }
    let ran = began.elapsed();
    let place = crash::place(&repository);
    let done = crash::only_whole_backups_are_listed(&place, &when).await;
    let opened = Repository::open(place).await.expect("opened");
    if !done {
        let cluster = discover(&crash::place(&source), &DiscoverOptions::default()).await.expect("discovered");
        let limits = Limits::default().with_durability(Durability::Relaxed);
        let options: BackupOptions = crash::resuming().with_limits(limits);
        let report = opened.backup(&cluster, options).start().await.unwrap_or_else(|error| panic!("{when}: {error}"));
        assert!(report.certificate.holds(), "{when}: {}", report.certificate.summary());
    }
    stop.cancel();
    load.await.expect("the load goes on");
    assert!(crash::only_whole_backups_are_listed(opened.location(), &when).await, "{when}");

    // What a server makes of it, which shares no code with the certificate.
    let tree: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(repository.join(NAME)).expect("there"));
    let servers = Servers::core("node1").with_rows(Rows::Skip);
    let loaded = loader::load(&tree, &StorePath::default(), &servers).await.expect("loaded").loaded().expect("starts");
    assert_eq!(loaded.catalog.generation, Generation::V3, "{when}");
    let node = &loaded.nodes["node1"];
    assert_eq!(node.wal_gaps(), Vec::<u64>::new(), "{when}");
    assert!(node.corrupt.is_empty() && node.skipped_wal.is_empty() && loaded.catalog.missing_logs.is_empty(), "{when}");
    assert!(Some(node.recovery_wal()) >= acknowledged.wal, "{when}: {} of {acknowledged:?}", node.recovery_wal());
    assert!(node.last_snapshot >= acknowledged.snapshot, "{when}: {acknowledged:?}");
    no_object_is_torn(trace, &opened, &when).await;
    (!done, ran)
}

/// The bytes of every object are those that the server wrote at some time.
async fn no_object_is_torn(trace: &Trace, repository: &Repository, when: &str) {
    let backup = repository.get(NAME).await.expect("committed");
    for (key, bytes) in crash::content(backup.location()).await {
        assert!(trace.is_version(key.as_str(), &bytes), "{when}: `{key}` is torn");
    }
}
