//! A store that goes away is an error of the store within a minute, for every verb: never a hang, never a verdict.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::time::{Duration, Instant};

use http::Method;
use influx_backup_core::{
    BackupOptions, DiscoverOptions, Error, Repository, Restore, RestoreOptions, RestoreRunOptions, VerifyOptions,
    certify, discover, options::Takeover, testing::generate::Generate,
};
use servers::{Behind, Fault, Rule};

/// Issue and README promise a minute.
const LIMIT: Duration = Duration::from_secs(60);

/// How the store goes away.
#[derive(Debug, Clone, Copy)]
enum Outage {
    /// Connections end, new ones are refused: the server was stopped.
    Refused,
    /// Connections stand, and nothing comes: a network that swallows packets, a server that hangs.
    Silent,
}

impl Outage {
    async fn begin(self, behind: &Behind) {
        match self {
            Self::Refused => behind.proxy.down().await,
            Self::Silent => drop(behind.proxy.inject(Rule::new(Fault::WithholdAnswer).always())),
        }
    }
}

/// A backup of a small cluster, in a bucket behind a proxy.
async fn backed_up() -> Behind {
    let behind = Behind::new(&Generate::core("n1").snapshots(2).files_per_snapshot(2)).await;
    let cluster = discover(&behind.location("cluster"), &DiscoverOptions::default()).await.expect("discovered");
    let repository = Repository::open(behind.location("backups")).await.expect("opened");
    repository.backup(&cluster, BackupOptions::default().with_name("b")).start().await.expect("backed up");
    behind
}

#[track_caller]
fn assert_outage(what: &str, result: Result<(), Error>, began: Instant) {
    let error = result.expect_err(what);
    assert!(matches!(error.code(), "unreachable" | "stalled"), "{what}: {error:?}");
    assert!(began.elapsed() < LIMIT, "{what} took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn certify_and_verify_end_when_the_store_is_away() {
    for outage in [Outage::Refused, Outage::Silent] {
        let behind = backed_up().await;
        let backup = behind.location("backups").child("b").expect("a location");
        let repository = Repository::open(behind.location("backups")).await.expect("opened");
        outage.begin(&behind).await;
        let began = Instant::now();
        let (certified, verified) =
            tokio::join!(certify(&backup).start(), repository.verify("b", VerifyOptions::structure()).start());
        assert_outage(&format!("certify, {outage:?}"), certified.map(drop), began);
        assert_outage(&format!("verify, {outage:?}"), verified.map(drop), began);
    }
}

/// In the middle: the manifest was read, an object of the backup is read.
#[tokio::test(flavor = "multi_thread")]
async fn certify_and_verify_end_when_the_store_goes_away_meanwhile() {
    let behind = backed_up().await;
    let backup = behind.location("backups").child("b").expect("a location");
    let repository = Repository::open(behind.location("backups")).await.expect("opened");
    for part in ["backups/b/n1/wal", "backups/b/n1/snapshots"] {
        let reset = Rule::new(Fault::ResetRequest).method(Method::GET).containing(part).always();
        let injected = behind.proxy.inject(reset);
        let began = Instant::now();
        let (certified, verified) =
            tokio::join!(certify(&backup).start(), repository.verify("b", VerifyOptions::structure()).start());
        assert!(injected.count() > 0, "{part} was not read");
        assert_outage(&format!("certify without {part}"), certified.map(drop), began);
        assert_outage(&format!("verify without {part}"), verified.map(drop), began);
        behind.proxy.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_ends_when_the_store_is_away() {
    for outage in [Outage::Refused, Outage::Silent] {
        let behind = backed_up().await;
        let repository = Repository::open(behind.location("backups")).await.expect("opened");
        let backup = repository.get("b").await.expect("opened");
        let restore = Restore::new(backup, behind.location("target"), RestoreOptions::empty());
        outage.begin(&behind).await;
        let began = Instant::now();
        let restored = restore.start().await;
        assert_outage(&format!("restore, {outage:?}"), restored.map(drop), began);
    }
}

/// The guard stands and some objects are copied when the store goes away. What is resumed later is whole.
#[tokio::test(flavor = "multi_thread")]
async fn restore_ends_when_the_store_goes_away_while_it_copies() {
    for outage in [Outage::Refused, Outage::Silent] {
        let behind = backed_up().await;
        let repository = Repository::open(behind.location("backups")).await.expect("opened");
        let backup = repository.get("b").await.expect("opened");
        // One of the last stages: it never gets through.
        let blocked =
            behind.proxy.inject(Rule::new(Fault::Status(503)).method(Method::PUT).containing("target/n1/wal").always());
        let restore = Restore::new(backup.clone(), behind.location("target"), RestoreOptions::empty()).start();
        while blocked.count() == 0 {
            assert!(!restore.handle().is_finished(), "it copies");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        behind.proxy.clear();
        outage.begin(&behind).await;
        let began = Instant::now();
        let restored = restore.await;
        assert_outage(&format!("restore while it copies, {outage:?}"), restored.map(drop), began);

        behind.proxy.clear();
        behind.proxy.up().await;
        let run = RestoreRunOptions::default().resuming().with_takeover(Takeover::Immediately);
        let again = Restore::new(backup, behind.location("target"), RestoreOptions::empty()).with_run_options(run);
        let restored = again.start().await.expect("resumed");
        assert!(restored.resumed > 0, "{outage:?}: what was copied is kept");
    }
}

/// What asks to slow down is there: it is given minutes, not seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_throttles_is_waited_for() {
    let behind = backed_up().await;
    let backup = behind.location("backups").child("b").expect("a location");
    let throttled = behind.proxy.inject(Rule::new(Fault::Status(503)).method(Method::GET).times(40));
    let certificate = certify(&backup).await.expect("certified");
    assert_eq!(throttled.count(), 40);
    assert!(certificate.holds(), "{certificate}");
}
