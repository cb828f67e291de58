//! Recorded servers are played into a store, faster or slower than it is copied, while backups of it are taken; every backup
//! is restored, and held against the recording by code that shares nothing with the certificate.
//!
//! Recordings, starts and speeds are drawn from a seed. `INFLUX_BACKUP_SEEDS=500` runs that many, from
//! `INFLUX_BACKUP_FIRST_SEED` on; `INFLUX_BACKUP_SEED=17` runs one.
#![cfg(feature = "testing")]

mod fixtures;
mod replayed;
mod seeds;
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
mod servers;

use std::{panic::AssertUnwindSafe, path::Path as FilePath, sync::Arc, time::Duration};

use futures::FutureExt;
use influx_backup_core::{
    Location, StoreOptions,
    location::Identity,
    location::interop::object_store::{ObjectStore, memory::InMemory, path::Path},
    testing::fault::{FaultPlan, FaultyStore},
};
use influx_backup_testing::replay::{Player, Speed};

use replayed::{CopyOutcome, Pace, Recording, Scene, Stage};

/// Beside real stores. With the last one every recording ends before the backup does.
const PACES: [Pace; 4] = [
    Pace::new(Speed::Times(0.5), 1),
    Pace::new(Speed::Times(10.0), 20),
    Pace::new(Speed::Times(50.0), 150),
    Pace::new(Speed::Full, 400),
];

/// How often every recording is played at every pace on files.
const STARTS_ON_FILES: usize = 3;

/// The same on the S3 server.
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
const STARTS_ON_S3: usize = 1;

/// The same in virtual time, where it costs next to nothing.
const STARTS_ON_SLOW_STORES: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_files() {
    let Some(recordings) = replayed::recordings() else { return };
    // One for all runs: ext4 is slow to create files where many have just been deleted.
    let root = tempfile::tempdir().expect("made");
    let mut outcomes = Vec::new();
    for seed in seeds::seeds(runs(recordings, &PACES, STARTS_ON_FILES)) {
        let scene = Scene::of(seed, recordings, &PACES);
        let place = |name: &str| directory(&root.path().join(format!("{seed}/{name}")));
        let source = place("source");
        let repository = place("repository");
        let target = place("target");
        let player = Player::into_directory(scene.trace(), source.directory().expect("one")).expect("it exists");
        let stage = Stage { player, source, repository, target };
        outcomes.push((seed, play(&scene, stage).await));
    }
    let outcomes = succeeded("on_files", outcomes);
    assert_some_were_faster_and_some_slower(&outcomes, runs(recordings, &PACES, 1));
}

fn directory(path: &FilePath) -> Location {
    std::fs::create_dir_all(path).expect("made");
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

/// Through the protocol of S3, on a server in this process.
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_s3() {
    use servers::StoreServer;

    let Some(recordings) = replayed::recordings() else { return };
    let server = servers::in_process_s3();
    let mut outcomes = Vec::new();
    for seed in seeds::seeds(runs(recordings, &PACES, STARTS_ON_S3)) {
        let scene = Scene::of(seed, recordings, &PACES);
        let (data, vault, bucket) =
            (server.fresh_bucket().await, server.fresh_bucket().await, server.fresh_bucket().await);
        let player = Player::new(scene.trace(), server.store(&data), Path::from("data"));
        let source = server.location(&data, "data");
        let repository = server.location(&vault, "vault");
        let stage = Stage { player, source, repository, target: server.location(&bucket, "") };
        outcomes.push((seed, play(&scene, stage).await));
        for bucket in [vault, bucket] {
            assert_eq!(server.leftovers(&bucket).await, [], "{scene}: uploads without an end");
        }
    }
    let outcomes = succeeded("on_s3", outcomes);
    assert_some_were_faster_and_some_slower(&outcomes, runs(recordings, &PACES, 1));
}

/// Beside slow stores in virtual time.
const SLOW_PACES: [Pace; 6] = [
    Pace::new(Speed::Times(0.5), 1),
    Pace::new(Speed::Times(1.0), 1),
    Pace::new(Speed::Times(3.0), 1),
    Pace::new(Speed::Times(10.0), 1),
    Pace::new(Speed::Times(30.0), 1),
    Pace::new(Speed::Times(100.0), 1),
];

/// In virtual time every run of a seed is the same, so that more can be asked: of every recording some runs take several passes,
/// and some are faster and some slower than the copying.
#[test]
fn on_slow_stores() {
    let Some(recordings) = replayed::recordings() else { return };
    let seeds = seeds::seeds(runs(recordings, &SLOW_PACES, STARTS_ON_SLOW_STORES));
    let outcomes = seeds::in_parallel(seeds, |seed| {
        let scene = Scene::of(seed, recordings, &SLOW_PACES);
        let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let slow = FaultPlan::seeded(seed).latency(Duration::ZERO..Duration::from_millis(20));
        let source: Arc<dyn ObjectStore> = Arc::new(FaultyStore::new(Arc::clone(&bucket), slow));
        let stage = Stage {
            player: Player::new(scene.trace(), bucket, Path::default()),
            source: Location::with_store(source, Path::default(), Identity::Test),
            repository: Location::in_memory(),
            target: Location::in_memory(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(play(&scene, stage))
    });
    let outcomes = succeeded("on_slow_stores", outcomes);
    for (recording, _) in recordings {
        let of_it = outcomes.iter().filter(|outcome| outcome.recording == *recording).collect::<Vec<_>>();
        assert_some_were_faster_and_some_slower(of_it, SLOW_PACES.len() as u64);
    }
}

/// How many seeds it takes until every recording was played at every pace this many times.
fn runs(recordings: &[Recording], paces: &[Pace], starts: usize) -> u64 {
    (recordings.len() * paces.len() * starts) as u64
}

/// Plays a scene; `Err` says what was wrong.
async fn play(scene: &Scene, stage: Stage) -> Result<CopyOutcome, String> {
    let played = AssertUnwindSafe(replayed::run(scene, stage)).catch_unwind().await;
    played.map_err(|panic| format!("{scene}: {}", replayed::said(panic.as_ref())))
}

/// The outcomes of a test, unless one is wrong.
fn succeeded(test: &str, outcomes: Vec<(u64, Result<CopyOutcome, String>)>) -> Vec<CopyOutcome> {
    let count = outcomes.len();
    let reproduction = |seed| seeds::reproduction(seed, "--all-features", &format!("replayed_traces {test}"));
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    for (seed, outcome) in outcomes {
        match outcome {
            Ok(outcome) => right.push(outcome),
            Err(why) => wrong.push(format!("{}\n    {why}", reproduction(seed))),
        }
    }
    assert!(wrong.is_empty(), "{} of {count} runs:\n{}", wrong.len(), wrong.join("\n"));
    right
}

/// Some recordings were played faster than they were copied, some slower, and some took more than one pass; unless there were
/// fewer runs than it takes to play every pace.
fn assert_some_were_faster_and_some_slower<'a>(outcomes: impl IntoIterator<Item = &'a CopyOutcome>, enough: u64) {
    let outcomes: Vec<_> = outcomes.into_iter().collect();
    if (outcomes.len() as u64) < enough {
        return;
    }
    let some = |is: fn(&CopyOutcome) -> bool| outcomes.iter().any(|outcome| is(outcome));
    assert!(some(|outcome| outcome.played > outcome.copied), "none was faster than the copying: {outcomes:#?}");
    assert!(some(|outcome| outcome.played < outcome.copied), "none was slower than the copying: {outcomes:#?}");
    assert!(some(|outcome| outcome.passes > 1), "none took more than one pass: {outcomes:#?}");
}
