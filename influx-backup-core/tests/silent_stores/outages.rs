//! A store that goes away is an error of the store within a minute, for every verb and at any moment: never a hang, never a
//! verdict about the data. What is resumed afterwards is whole.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt, join_all};
use http::Method;
use influx_backup_core::{
    BackupOptions, Copier, DiscoverOptions, Error, Job, JobHandle, Limits, Location, Repository, Restore,
    RestoreOptions, RestoreRunOptions, VerifyOptions, abandon, certify,
    copier::{Copied, Copiers, CopyContext, CopyRequest, ServerSideCopier, StreamCopier},
    discover,
    error::{Category, CopyError, CopySide, StoreErrorKind},
    limits::Retry,
    options::Takeover,
    testing::generate::Generate,
    units::ByteSize,
};

use crate::servers::{Fault, FaultProxy, Minio, Rule, State, StoreServer, in_process_s3, minio, write};

/// Issue and README promise a minute.
const LIMIT: Duration = Duration::from_secs(60);

/// Larger objects are uploaded, or copied by their store, in parts: of the least size that S3 takes.
const PART: ByteSize = ByteSize::mib(5);

/// A cluster, and a backup of it, in a bucket that all cases share.
#[derive(Debug, Clone)]
pub(crate) struct Bed {
    server: &'static dyn StoreServer,
    pub(crate) bucket: String,
}

impl Bed {
    pub(crate) async fn new(server: &'static dyn StoreServer, cluster: &Generate) -> Self {
        let bed = Self { server, bucket: server.fresh_bucket().await };
        write(cluster, &bed.location("cluster")).await;
        let cluster = discover(&bed.location("cluster"), &DiscoverOptions::default()).await.expect("discovered");
        let repository = Repository::open(bed.location("backups")).await.expect("opened");
        repository.backup(&cluster, BackupOptions::default().with_name("b")).await.expect("backed up");
        bed
    }

    pub(crate) fn location(&self, prefix: &str) -> Location {
        self.server.location(&self.bucket, prefix)
    }
}

/// One outage: a proxy of its own before the server.
#[derive(Debug)]
struct Case {
    bed: Bed,
    proxy: FaultProxy,
    /// What this case alone writes to.
    own: String,
}

impl Case {
    /// A location whose store goes away.
    fn far(&self, prefix: &str) -> Location {
        self.bed.server.location_at(self.proxy.address(), &self.bed.bucket, prefix)
    }

    /// A location whose store stays.
    fn near(&self, prefix: &str) -> Location {
        self.bed.location(prefix)
    }

    fn restore(&self, backups: Location, target: Location, options: RestoreRunOptions) -> Restoring {
        Restoring { backups, target, options }
    }
}

struct Restoring {
    backups: Location,
    target: Location,
    options: RestoreRunOptions,
}

impl Restoring {
    async fn run(self) -> Result<(), Error> {
        let backup = Repository::open(self.backups).await?.get("b").await?;
        let restore = Restore::new(backup, self.target, RestoreOptions::empty()).with_run_options(self.options);
        restore.with_copier(by_parts()).await.map(drop)
    }
}

fn by_parts() -> Arc<dyn Copier> {
    let in_store = ServerSideCopier::default().with_threshold(PART).with_part_size(PART);
    let stream = StreamCopier::default().with_threshold(PART).with_part_size(PART);
    Arc::new(Copiers::new(vec![Arc::new(in_store), Arc::new(stream)]))
}

type Verb = fn(Arc<Case>) -> BoxFuture<'static, Result<(), Error>>;

fn certified(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { certify(&case.far("backups/b")).await.map(drop) }.boxed()
}

fn verified(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move {
        let repository = Repository::open(case.far("backups")).await?;
        repository.verify("b", VerifyOptions::bytes()).await.map(drop)
    }
    .boxed()
}

/// Restores from a store that stays to one that goes away.
fn restored_there(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { case.restore(case.near("backups"), case.far(&case.own), RestoreRunOptions::default()).run().await }
        .boxed()
}

/// Restores from a store that goes away to one that stays.
fn restored_from_there(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { case.restore(case.far("backups"), case.near(&case.own), RestoreRunOptions::default()).run().await }
        .boxed()
}

/// The store copies by itself.
fn restored_inside(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { case.restore(case.far("backups"), case.far(&case.own), RestoreRunOptions::default()).run().await }
        .boxed()
}

/// Resumes a restore, or begins it where it did not get so far.
async fn resume(case: &Case) -> Result<(), Error> {
    let options = RestoreRunOptions::default().with_takeover(Takeover::Immediately);
    let restore = |options| case.restore(case.far("backups"), case.far(&case.own), options).run();
    match restore(options.clone().resuming()).await {
        Err(Error::NoRestore { .. }) => restore(options).await,
        resumed => resumed,
    }
}

/// A backup that waits no longer than a restore does.
async fn backup(case: &Case, cluster: Location, repository: Location) -> Result<(), Error> {
    let cluster = discover(&cluster, &DiscoverOptions::default()).await?;
    let limits = Limits::default().with_retry(Retry::default().with_max_outage(Duration::from_secs(25)));
    let options = BackupOptions::default().with_name(&case.own).with_limits(limits);
    Repository::open(repository).await?.backup(&cluster, options).with_copier(by_parts()).await.map(drop)
}

fn backed_up_there(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { backup(&case, case.near("cluster"), case.far("backups")).await }.boxed()
}

fn backed_up_from_there(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { backup(&case, case.far("cluster"), case.near("backups")).await }.boxed()
}

fn discovered(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { discover(&case.far("cluster"), &DiscoverOptions::default()).await.map(drop) }.boxed()
}

fn listed(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { Repository::open(case.far("backups")).await?.list().await.map(drop) }.boxed()
}

fn looked_for_leftovers(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move { Repository::open(case.far("backups")).await?.leftovers().await.map(drop) }.boxed()
}

fn backup_planned(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move {
        let cluster = discover(&case.near("cluster"), &DiscoverOptions::default()).await?;
        let cluster = cluster.description().clone();
        let cluster = influx_backup_core::Cluster::new(case.far("cluster"), cluster);
        Repository::open(case.near("backups")).await?.plan_backup(&cluster, &BackupOptions::default()).await.map(drop)
    }
    .boxed()
}

fn restore_planned(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move {
        let repository = Repository::open(case.near("backups")).await?;
        repository.plan_restore("b", &case.far(&case.own), &RestoreOptions::empty()).await.map(drop)
    }
    .boxed()
}

/// Undoes a restore that has failed.
fn abandoned(case: Arc<Case>) -> BoxFuture<'static, Result<(), Error>> {
    async move {
        let backup = Repository::open(case.near("backups")).await?.get("b").await?;
        let restore = Restore::new(backup, case.near(&case.own), RestoreOptions::empty());
        restore.with_copier(Arc::new(Denied)).await.expect_err("denied");
        abandon(
            &case.far(&case.own),
            influx_backup_core::options::AbandonOptions::default().with_takeover(Takeover::Immediately),
        )
        .await
        .map(drop)
    }
    .boxed()
}

#[derive(Debug)]
struct Denied;

#[async_trait]
impl Copier for Denied {
    async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<Copied, CopyError> {
        Err(CopyError::store(CopySide::Target, "put", StoreErrorKind::Denied, "told to"))
    }
}

/// When the store goes away: at the first request of this method whose target contains this text, once so many bytes of
/// its body have passed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Request(&'static str, &'static str, usize),
    Answer(&'static str, usize),
}
use Moment::{Answer, Request};

impl Moment {
    fn rule(self, state: State) -> Rule {
        let (fault, method, text) = match self {
            Request(method, text, bytes) => (Fault::LeaveRequestAfter(bytes, state), method, text),
            Answer(text, bytes) => (Fault::LeaveAfter(bytes, state), "GET", text),
        };
        Rule::new(fault).method(Method::from_bytes(method.as_bytes()).expect("a method")).containing(text)
    }
}

const CASES: [(Verb, &str, Moment); 29] = [
    (certified, "certify", Request("GET", "list-type=2", 0)),
    (certified, "certify", Request("GET", "b/n1/wal", 0)),
    (certified, "certify", Answer("b/n1/snapshots", 10)),
    (verified, "verify", Request("GET", "b/n1/wal", 0)),
    (verified, "verify", Answer("/dbs/", 100_000)),
    (restored_there, "restore to it", Request("PUT", "restore/claim-", 0)),
    (restored_there, "restore to it", Request("PUT", "/n1/wal/", 10)),
    (restored_there, "restore to it", Request("POST", "?uploads", 0)),
    (restored_there, "restore to it", Request("PUT", "partNumber=", 100_000)),
    (restored_there, "restore to it", Request("POST", "uploadId=", 0)),
    (restored_there, "restore to it", Request("HEAD", "/dbs/", 0)),
    (restored_there, "restore to it", Request("GET", "?uploads", 0)),
    (restored_there, "restore to it", Request("DELETE", "_influx_backup/restore/", 0)),
    (restored_from_there, "restore from it", Request("GET", "b/n1/wal", 0)),
    (restored_from_there, "restore from it", Answer("/dbs/", 100_000)),
    (restored_inside, "restore inside it", Request("PUT", "/n1/wal/", 0)),
    (restored_inside, "restore inside it", Request("PUT", "partNumber=", 0)),
    (restored_inside, "restore inside it", Request("POST", "uploadId=", 0)),
    (backed_up_there, "backup to it", Request("PUT", "/n1/wal/", 10)),
    (backed_up_there, "backup to it", Request("PUT", "partNumber=", 100_000)),
    (backed_up_there, "backup to it", Request("PUT", "_influx_backup/manifest", 0)),
    (backed_up_from_there, "backup from it", Answer("/dbs/", 100_000)),
    (discovered, "discover", Request("GET", "catalog", 0)),
    (listed, "list", Request("GET", "b/_influx_backup/manifest", 0)),
    (looked_for_leftovers, "leftovers", Request("GET", "b/_influx_backup/manifest", 0)),
    (looked_for_leftovers, "leftovers", Request("GET", "?uploads", 0)),
    (backup_planned, "plan_backup", Request("GET", "list-type=2", 0)),
    (restore_planned, "plan_restore", Request("GET", "list-type=2", 0)),
    (abandoned, "abandon", Request("PUT", "_influx_backup/restore/", 0)),
];

/// The store goes away in the middle of a verb. Returns the case once the verb has failed as it should.
async fn fails(what: &str, case: Case, verb: Verb, moment: Moment, state: State) -> Arc<Case> {
    let case = Arc::new(case);
    let injected = case.proxy.inject(moment.rule(state));
    let struck = injected.clone();
    let began = tokio::spawn(async move {
        while struck.count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Instant::now()
    });
    let result = verb(Arc::clone(&case)).await;
    assert!(injected.count() > 0, "{what}: there was no such request: {result:?}");
    let took = began.await.expect("a time").elapsed();
    assert_outage(what, result, took);
    case
}

#[track_caller]
fn assert_outage(what: &str, result: Result<(), Error>, took: Duration) {
    assert!(took < LIMIT, "{what} took {took:?}");
    let report = result.expect_err(what).report();
    if report.code == "commit-unconfirmed" {
        assert!(what.starts_with("backup to it") && what.contains("manifest"), "{what}: {report:?}");
        assert_eq!(report.category, Category::Store, "{what}: {report:?}");
        return;
    }
    assert_eq!((report.category, report.retryable), (Category::Store, true), "{what}: {report:?}");
    if what.contains("BadGateway") {
        assert_eq!(report.code, "store-error", "{what}: {report:?}");
        return;
    }
    assert!(matches!(report.code.as_str(), "unreachable" | "stalled"), "{what}: {report:?}");
    assert!(report.message.contains("the network"), "{what}: what to look at: {}", report.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_ends_within_a_minute_of_an_outage_at_any_moment() {
    let cluster = Generate::core("n1").snapshots(1).files_per_snapshot(1).parquet_size(6 << 20);
    let bed = Bed::new(in_process_s3(), &cluster).await;
    let states = [State::Down, State::Silent];
    let all = states.iter().flat_map(|state| CASES.iter().map(move |case| (*state, *case)));
    // A gateway answers whenever it is asked: one moment of each verb is enough.
    let one_of_each = CASES.chunk_by(|one, next| one.1 == next.1).map(|moments| (State::BadGateway, moments[0]));
    let cases = all.chain(one_of_each).enumerate();
    let cases = cases.map(|(number, (state, (verb, name, moment)))| {
        let case =
            Case { proxy: FaultProxy::before(bed.server.address()), bed: bed.clone(), own: format!("own-{number}") };
        tokio::spawn(async move {
            let what = format!("{name}, {state:?} at {moment:?}");
            let case = fails(&what, case, verb, moment, state).await;
            if name.starts_with("restore") {
                case.proxy.up().await;
                resume(&case).await.unwrap_or_else(|error| panic!("{what}: resumed: {error:?}"));
                let certificate = certify(&case.near(&case.own)).await.expect("certified");
                assert!(certificate.holds(), "{what}: {certificate}");
            }
        })
    });
    let failed = join_all(cases).await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 0, "see above");
}

/// What asks to slow down is there: it is given minutes, not seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_throttles_is_waited_for() {
    let bed = Bed::new(in_process_s3(), &Generate::core("n1").snapshots(2).files_per_snapshot(2)).await;
    let case = Case { proxy: FaultProxy::before(bed.server.address()), bed, own: String::new() };
    let throttled = case.proxy.inject(Rule::new(Fault::Status(503)).method(Method::GET).times(40));
    let certificate = certify(&case.far("backups/b")).await.expect("certified");
    assert_eq!(throttled.count(), 40);
    assert!(certificate.holds(), "{certificate}");
}

/// A server that is killed, or stopped so that the kernel takes what is sent to it and nothing comes back.
#[tokio::test(flavor = "multi_thread")]
async fn every_verb_ends_when_a_real_server_is_killed_or_stopped() {
    let cluster = Generate::core("n1").snapshots(150).files_per_snapshot(2);
    let mut cases = Vec::new();
    for signal in ["KILL", "STOP"] {
        for (verb, objects) in [("certify", 20), ("verify", 200), ("restore", 200)] {
            let Some(server) = minio_alone() else { return };
            let bed = Bed::new(server, &cluster).await;
            cases.push(tokio::spawn(ends_without(server, bed, verb, objects, signal)));
        }
    }
    let failed = join_all(cases).await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 0, "see above");
}

/// A server that no other test uses. It ends with the test binary.
fn minio_alone() -> Option<&'static Minio> {
    minio()?;
    Minio::start().map(|server| &*Box::leak(Box::new(server)))
}

/// The server goes away once the verb is done with this many objects.
async fn ends_without(server: &Minio, bed: Bed, verb: &str, objects: u64, signal: &str) {
    let what = format!("{verb}, {signal}");
    let repository = Repository::open(bed.location("backups")).await.expect("opened");
    let backup = repository.get("b").await.expect("opened");
    let restore = |options| {
        let restore = Restore::new(backup.clone(), bed.location("target"), RestoreOptions::empty());
        restore.with_run_options(options)
    };
    let (handle, result) = match verb {
        "certify" => in_background(certify(&bed.location("backups/b")).start()),
        "verify" => in_background(repository.verify("b", VerifyOptions::bytes()).start()),
        _ => in_background(restore(RestoreRunOptions::default()).start()),
    };
    while handle.progress().objects < objects {
        assert!(!handle.is_finished(), "{what}: it ended too soon");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.signal(signal);
    let began = Instant::now();
    assert_outage(&what, result.await, began.elapsed());
    if signal == "STOP" {
        server.signal("CONT");
        if verb == "restore" {
            let options = RestoreRunOptions::default().resuming().with_takeover(Takeover::Immediately);
            restore(options).await.expect("resumed");
        }
        let prefix = if verb == "restore" { "target" } else { "backups/b" };
        let certificate = certify(&bed.location(prefix)).await.expect("certified");
        assert!(certificate.holds(), "{what}: {certificate}");
    }
}

fn in_background<T: Send + 'static>(job: Job<T>) -> (JobHandle, BoxFuture<'static, Result<(), Error>>) {
    (job.handle(), async move { job.await.map(drop) }.boxed())
}
