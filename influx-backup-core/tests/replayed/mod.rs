//! A recorded server is played into a store while a backup of it runs; the backup is restored, and the result is checked.

mod restored;

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::Utc;
use influx_backup_core::{
    BackupOptions, BackupReport, Copier, DiscoverOptions, Limits, Location, Passes, Repository, Restore,
    RestoreOptions, certify,
    copier::{Copied, Copiers, CopyContext, CopyRequest},
    default_copiers, discover,
    error::CopyError,
    record::BackupStatus,
};
use influx_backup_testing::replay::{Player, Position, Speed, Trace};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use crate::fixtures;
use restored::Restored;

/// The node of every recording.
pub(crate) const NODE: &str = "node1";

/// How many operations are played while the cluster is discovered, which is before the backup begins.
const WHILE_DISCOVERED: usize = 10;

/// How long a backup may take; nothing here takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(180);

/// A recording and its name.
pub(crate) type Recording = (&'static str, Trace);

/// Every recording, unpacked once, or `None` where there are none.
pub(crate) fn recordings() -> Option<&'static [Recording]> {
    static RECORDINGS: LazyLock<Option<Vec<Recording>>> = LazyLock::new(|| {
        let load = |name| Some((name, Trace::load(fixtures::unpack(name)?.path()).expect("a recording")));
        fixtures::TRACES.into_iter().map(load).collect()
    });
    RECORDINGS.as_deref()
}

/// How fast the recording is played beside a backup.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    speed: Speed,
    /// How many operations are played before one of the copies, however quick the copies are: the world moves between a
    /// listing and a copy on every machine.
    lead: usize,
}

impl Pace {
    pub(crate) const fn new(speed: Speed, lead: usize) -> Self {
        Self { speed, lead }
    }
}

/// One run: what is drawn from its seed.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    recording: &'static str,
    trace: Trace,
    /// Operations played before the backup begins.
    start: usize,
    pace: Pace,
    /// The copy that waits for [`Pace::lead`].
    waiting_copy: usize,
    concurrency: usize,
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recording, trace, start, pace, .. } = self;
        write!(f, "{recording} from operation {start} of {} at {:?}", trace.len(), pace.speed)
    }
}

impl Scene {
    /// The scene of a seed. In turn every recording, then every pace; the start is drawn.
    pub(crate) fn of(seed: u64, recordings: &[Recording], paces: &[Pace]) -> Self {
        let turn = usize::try_from(seed).expect("64 bits");
        let (recording, trace) = recordings[turn % recordings.len()].clone();
        let mut rng = StdRng::seed_from_u64(seed);
        Self {
            recording,
            start: trace.len() * rng.random_range(100..850) / 1000,
            trace,
            pace: paces[turn / recordings.len() % paces.len()],
            waiting_copy: rng.random_range(0..8),
            concurrency: rng.random_range(1..=8),
        }
    }

    /// The recording, to be played into a place.
    pub(crate) fn trace(&self) -> Trace {
        self.trace.clone()
    }
}

/// Where a scene takes place, all on one kind of store.
pub(crate) struct Stage {
    /// Plays into the source, not slowed down by what slows the backup.
    pub(crate) player: Player,
    pub(crate) source: Location,
    pub(crate) repository: Location,
    /// Empty, and for a restored tree alone: a directory, or a whole bucket.
    pub(crate) target: Location,
}

/// What a scene was like.
#[derive(Debug)]
pub(crate) struct CopyOutcome {
    pub(crate) recording: &'static str,
    pub(crate) passes: usize,
    /// Operations played between begin and end of the backup.
    pub(crate) played: usize,
    /// Copies made meanwhile.
    pub(crate) copied: usize,
}

/// A backup that ended.
struct BackedUp {
    report: BackupReport,
    /// Operations played when it began; the same number that were done: nothing was under way.
    begin: usize,
    /// Operations played when it had ended.
    end: usize,
    /// Operations played when the player had stopped as well: no later one was seen by the backup.
    last: usize,
}

/// Plays a scene, restores its backup and checks everything that is owed.
///
/// # Panics
/// Where something is not as it must be.
pub(crate) async fn run(scene: &Scene, stage: Stage) -> CopyOutcome {
    let before = Utc::now();
    let Stage { player, source, repository, target } = stage;
    let done = back_up_beside(scene, player, &source, &repository).await;
    let report = &done.report;
    let played = done.end - done.begin;
    let lead = scene.pace.lead.min(scene.trace.len() - done.begin);
    assert!(played >= lead && played > 0, "{played} operations were played beside the backup");
    assert_eq!(report.status, BackupStatus::Complete);
    assert!(report.certificate.holds(), "{}", report.certificate.summary());
    restored::assert_times_are_those_of_the_source(report, &source, before).await;

    let backup = Repository::open(repository).await.expect("opened").get("n1").await.expect("committed");
    let certificate = certify(backup.location()).await.expect("certified again");
    assert!(certificate.holds(), "certified again: {}", certificate.summary());
    let recovery = &report.certificate.recovery;
    assert_eq!(&certificate.recovery, recovery, "certified again");
    assert_eq!(&backup.manifest().certificate.recovery, recovery, "in the manifest");

    let restored = Restore::new(backup, target.clone(), RestoreOptions::empty()).start().await.expect("restored");
    assert_eq!(&restored.recovery, recovery, "in the report of the restore");

    let restored = Restored::read(&target).await;
    assert_eq!(restored.objects() as u64, report.objects, "a restore brings what the backup holds");
    restored.check(&scene.trace, done.begin..=done.last, &report.certificate).await;
    CopyOutcome {
        recording: scene.recording,
        passes: report.passes.len(),
        played,
        copied: report.passes.iter().map(|pass| usize::try_from(pass.copied).expect("64 bits")).sum(),
    }
}

async fn back_up_beside(scene: &Scene, mut player: Player, source: &Location, repository: &Location) -> BackedUp {
    player.jump(scene.start - WHILE_DISCOVERED).await.expect("the store takes it");
    let what = DiscoverOptions::default();
    let (played, cluster) = tokio::join!(player.apply(WHILE_DISCOVERED), discover(source, &what));
    played.expect("the store takes it");
    let (cluster, repository) =
        (cluster.expect("a cluster"), Repository::open(repository.clone()).await.expect("opened"));

    let position = player.position();
    let begin = scene.start;
    let speed = scene.pace.speed;
    let wait = WaitForTheWorld {
        at: scene.waiting_copy,
        until: scene.trace.len().min(begin + scene.pace.lead),
        position: position.clone(),
        copies: AtomicUsize::new(0),
    };
    let options = BackupOptions::default()
        .with_name("n1")
        .with_limits(Limits::default().with_concurrency(scene.concurrency))
        .with_passes(Passes::until_closed(60, Duration::from_secs(60)));
    let copier = Arc::new(Copiers::new(vec![Arc::new(wait), default_copiers()]));

    let stop = CancellationToken::new();
    let _stopped_in_any_case = stop.clone().drop_guard();
    let playing = tokio::spawn({
        let stop = stop.clone();
        async move { player.play(speed, stop).await.expect("the store takes it") }
    });
    let report = tokio::time::timeout(PATIENCE, repository.backup(&cluster, options).with_copier(copier).start()).await;
    let end = position.get();
    stop.cancel();
    let last = playing.await.expect("the player does not panic");
    let report = report.unwrap_or_else(|_| panic!("no end in {PATIENCE:?}; {} operations were played", end - begin));
    BackedUp { report: report.unwrap_or_else(|error| panic!("{error}: {error:?}")), begin, end, last }
}

/// Copies nothing, but lets one copy wait until the recording has been played to some position; the next copier does them all.
#[derive(Debug)]
struct WaitForTheWorld {
    /// The copy that waits, counted from 0.
    at: usize,
    until: usize,
    position: Position,
    copies: AtomicUsize,
}

#[async_trait]
impl Copier for WaitForTheWorld {
    async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<Copied, CopyError> {
        if self.copies.fetch_add(1, Ordering::Relaxed) == self.at {
            while self.position.get() < self.until {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Err(CopyError::Unsupported)
    }
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no text").to_owned()
}
