//! A connection that stops and never ends is noticed: what passes does not stop a backup, what lasts is an error of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::Method;
use influx_backup_core::{
    BackupOptions, BackupReport, ByteSize, DiscoverOptions, EventKind, Key, Limits, Location, Repository, StoreOptions,
    certify, copier::StreamCopier, discover, limits::Retry, testing::generate::Generate,
};

use crate::servers::{Behind, Fault, Rule, minio};

/// How long a copy's connection may be silent here, and how long any other one.
const STALL: Duration = Duration::from_secs(1);

/// S3 refuses smaller parts. Parquet files here have two: the longer a part, the longer it may take, and the second is short.
const PART: ByteSize = ByteSize::mib(5);
const PARQUET: usize = (5 << 20) + (100 << 10);

fn cluster() -> Generate {
    Generate::core("n1").snapshots(2).files_per_snapshot(1).parquet_size(PARQUET)
}

impl Behind {
    fn with_silence(&self, prefix: &str, silence: &str) -> Location {
        let options: StoreOptions = self.server.options_at(self.proxy.address()).into_iter().collect();
        let options = options.with("object_store_request_timeout", silence);
        Location::parse(&self.server.url(&self.bucket, prefix), &options).expect("a location")
    }

    /// A backup with a little patience for copies, and `silence` for all other requests.
    async fn back_up(&self, silence: &str, max_elapsed: Duration) -> Backed {
        let began = Instant::now();
        let cluster =
            discover(&self.with_silence("cluster", silence), &DiscoverOptions::default()).await.expect("discovered");
        let repository = Repository::open(self.with_silence("backups", silence)).await.expect("opened");
        let retry = Retry::default().for_at_most(max_elapsed);
        let mut options = BackupOptions::default().with_name("b");
        options.limits = Limits::default().with_stall_timeout(STALL).with_retry(retry);
        let parts = StreamCopier::default().with_threshold(PART).with_part_size(PART);
        let job = repository.backup(&cluster, options).with_copier(Arc::new(parts)).with_object_events().start();
        let mut stalled = 0;
        let mut events = job.events();
        while let Some(event) = events.next().await {
            stalled += usize::from(matches!(event.kind, EventKind::Retry { code, .. } if code == "stalled"));
        }
        Backed { report: job.await, stalled, took: began.elapsed() }
    }

    async fn assert_right(&self, what: &str) {
        let backup = self.server.location(&self.bucket, "backups").child("b").expect("a location");
        let certificate = certify(&backup).await.expect("certified");
        assert!(certificate.holds(), "{what}: {}", certificate.summary());
        for (key, bytes) in &self.written {
            let copied = backup.get(&Key::parse(key).expect("a key"), None).await.expect("read");
            assert!(copied.is_some_and(|copied| copied == *bytes), "{what}: {key} has other bytes");
        }
        self.assert_nothing_left(what).await;
    }

    /// Aborts run in the background for a moment.
    async fn assert_nothing_left(&self, what: &str) {
        self.proxy.clear();
        let began = Instant::now();
        while !self.server.leftovers(&self.bucket).await.is_empty() {
            assert!(began.elapsed() < Duration::from_secs(10), "{what}: an upload was left");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

struct Backed {
    report: influx_backup_core::Result<BackupReport>,
    /// Attempts that were given up because nothing moved.
    stalled: usize,
    took: Duration,
}

/// In the middle of a body, and of a part's body, on the way here and on the way there.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_stalls_is_tried_again() {
    let get = Method::GET;
    let put = Method::PUT;
    for (fault, method, text, times) in [
        (Fault::HangAfter(5), &get, "cluster/n1/wal", 3),
        (Fault::HangAfter(100_000), &get, "cluster/n1/dbs", 1),
        (Fault::HangRequestAfter(5), &put, "backups/b/n1/wal", 3),
        (Fault::HangRequestAfter(50_000), &put, "partNumber=2", 1),
        // The server has it all, and says nothing.
        (Fault::WithholdAnswer, &put, "backups/b/n1/wal", 3),
        (Fault::WithholdAnswer, &put, "partNumber=2", 1),
    ] {
        let what = format!("{fault:?} {method} {text}");
        let behind = Behind::new(&cluster()).await;
        let injected = behind.proxy.inject(Rule::new(fault).method(method.clone()).containing(text).times(times));
        let Backed { report, stalled, took } = behind.back_up("300s", Duration::from_secs(200)).await;
        report.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
        assert_eq!(injected.count(), times, "{what}");
        assert!(stalled > 0, "{what}: no stall was noticed");
        assert!(took < Duration::from_secs(100), "{what}: noticed after {took:?}");
        behind.assert_right(&what).await;
    }
}

/// Permanently: the error `stalled`, and nothing that looks like a backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_always_stalls_is_an_error() {
    for (fault, method, text) in [
        (Fault::HangAfter(5), Method::GET, "cluster/n1/wal"),
        (Fault::HangRequestAfter(5), Method::PUT, "backups/b/n1/wal"),
        (Fault::HangRequestAfter(50_000), Method::PUT, "partNumber=2"),
    ] {
        let what = format!("{fault:?} {method} {text}");
        let behind = Behind::new(&cluster()).await;
        behind.proxy.inject(Rule::new(fault).method(method).containing(text).always());
        let Backed { report, took, .. } = behind.back_up("300s", STALL * 3).await;
        let error = report.expect_err(&what);
        assert_eq!(error.code(), "stalled", "{what}: {error}");
        assert!(took < Duration::from_secs(200), "{what}: noticed after {took:?}");
        behind.assert_nothing_left(&what).await;
        let repository = Repository::open(behind.server.location(&behind.bucket, "backups")).await.expect("opened");
        assert!(repository.get("b").await.is_err(), "{what}: committed");
    }
}

/// The upload is complete, and the client, which asks again, hears that there is none: the copy is done again.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_completion_is_not_answered_is_begun_again() {
    // The in-process server answers otherwise than S3 does.
    let Some(server) = minio() else { return };
    let behind = Behind::before(server, &cluster()).await;
    let rule = Rule::new(Fault::LoseAnswer).method(Method::POST).containing("uploadId=").times(1);
    let injected = behind.proxy.inject(rule);
    let Backed { report, .. } = behind.back_up("300s", Duration::from_secs(200)).await;
    report.unwrap_or_else(|error| panic!("{error}: {error:?}"));
    assert_eq!(injected.count(), 1);
    behind.assert_right("a lost completion").await;
}

/// Requests other than copies have the timeout of the client, which is an option: a listing, a read, a write, a HEAD.
#[tokio::test(flavor = "multi_thread")]
async fn other_requests_that_stall_are_tried_again() {
    for (fault, method, text) in [
        (Fault::HangAfter(100), Method::GET, "prefix=cluster%2Fn1%2Fwal"),
        (Fault::HangAfter(10), Method::GET, "cluster/n1/catalog"),
        (Fault::WithholdAnswer, Method::HEAD, "backups/b/n1/wal"),
        (Fault::HangRequestAfter(10), Method::PUT, "backups/b/_influx_backup/objects"),
    ] {
        let what = format!("{fault:?} {method} {text}");
        let behind = Behind::new(&cluster()).await;
        let injected = behind.proxy.inject(Rule::new(fault).method(method).containing(text).times(2));
        let Backed { report, took, .. } = behind.back_up("2s", Duration::from_secs(200)).await;
        report.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
        assert_eq!(injected.count(), 2, "{what}");
        assert!((Duration::from_secs(2)..Duration::from_secs(100)).contains(&took), "{what}: {took:?}");
        behind.assert_right(&what).await;
    }
}
