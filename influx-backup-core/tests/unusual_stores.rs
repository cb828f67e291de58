//! Stores that lack what others have: conditional writes, and one entity tag for one version.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::Method;
use influx_backup_core::{
    BackupOptions, BackupReport, DiscoverOptions, Error, FindingCode, Limits, Location, Repository, Restore,
    RestoreOptions, RestoreRunOptions, Result, StoreOptions, VerifyOptions, certify, discover,
    limits::Retry,
    location::CreateOnly,
    options::{OnExisting, Takeover},
    preflight,
    record::BackupStatus,
    testing::{
        fault::{Fault as StoreFault, FaultPlan, FaultyStore, Op, Rule as StoreRule, Scope, When},
        generate::Generate,
    },
};
use servers::{Behind, Fault, Rule, minio};

const SINGLE_WRITER: &str = "object_store_single_writer";

/// How long what fails at once may take on a machine that has much to do.
const AT_ONCE: Duration = Duration::from_secs(60);

fn cluster() -> Generate {
    Generate::core("node1").snapshots(4)
}

fn options() -> BackupOptions {
    let retry = Retry::default().for_at_most(Duration::from_secs(20));
    BackupOptions::default().with_name("n1").with_limits(Limits::default().with_retry(retry))
}

async fn back_up(source: &Location, repository: &Location, options: BackupOptions) -> Result<BackupReport> {
    let cluster = discover(source, &DiscoverOptions::default()).await?;
    Repository::open(repository.clone()).await?.backup(&cluster, options).start().await
}

/// A location in the bucket, through the proxy, with more options.
fn open(behind: &Behind, prefix: &str, more: &[(&str, &str)]) -> Result<Location> {
    let options: StoreOptions = behind.server.options_at(behind.proxy.address()).into_iter().collect();
    let options = more.iter().fold(options, |options, (name, value)| options.with(name, *value));
    Location::parse(&behind.server.url(&behind.bucket, prefix), &options)
}

fn single(behind: &Behind, prefix: &str) -> Location {
    open(behind, prefix, &[(SINGLE_WRITER, "true")]).expect("a location")
}

/// What it says, its causes included.
fn texts(error: &Error) -> String {
    let report = error.report();
    format!("{}: {}", report.message, report.causes.join(": "))
}

fn assert_names_the_capability(error: &Error, what: &str) {
    assert_names(error, "conditional writes (`If-None-Match`)", what);
}

fn assert_names(error: &Error, capability: &str, what: &str) {
    assert_eq!(error.code(), "store-unsupported", "{what}: {error:?}");
    let text = texts(error);
    for part in [capability, "Two backups at once", "`object_store_single_writer`"] {
        assert!(text.contains(part), "{what}: {text}");
    }
    assert_eq!(error.hints()[0].option, SINGLE_WRITER, "{what}");
}

/// Verifies the backup, restores it, and compares what was restored with what was written.
async fn assert_whole(behind: &Behind, vault: &Location, restored: &Location) {
    let repository = Repository::open(vault.clone()).await.expect("opened");
    let verified = repository.verify("n1", VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{:?}", verified.problems);
    let certificate = certify(&vault.child("n1").expect("a location")).await.expect("certified");
    assert!(certificate.holds(), "{certificate}");
    let backup = repository.get("n1").await.expect("opened");
    let report = Restore::new(backup, restored.clone(), RestoreOptions::empty()).start().await.expect("restored");
    assert_eq!(report.findings.iter().any(|finding| finding.code == FindingCode::SingleWriter), is_single(restored));
    for (key, bytes) in &behind.written {
        let key = influx_backup_core::Key::parse(key).expect("a key");
        if let Some(found) = restored.get(&key, None).await.expect("read") {
            assert!(found == *bytes, "{key}");
        }
    }
    let parquet = behind.written.keys().filter(|key| key.ends_with(".parquet")).count();
    let listed = restored.list("").await.expect("listed");
    assert_eq!(listed.iter().filter(|entry| entry.key.as_str().ends_with(".parquet")).count(), parquet);
    assert!(listed.iter().all(|entry| !entry.key.name().starts_with("claim-")), "{listed:?}");
}

fn is_single(location: &Location) -> bool {
    location.options().get(SINGLE_WRITER) == Some("true")
}

fn assert_says_single_writer(report: &BackupReport) {
    assert_eq!(report.status, BackupStatus::Complete, "{report}");
    assert_eq!(report.passes.len(), 1, "{report}");
    assert!(report.findings.iter().any(|finding| finding.code == FindingCode::SingleWriter), "{report}");
    let create_only = report.abilities.map(|abilities| abilities.create_only);
    assert_eq!(create_only, Some(CreateOnly::SingleWriter), "{report}");
}

/// What such a store answers to a condition.
const REFUSALS: [Fault; 3] = [
    Fault::Answer(501, "NotImplemented", "A header you provided implies functionality that is not implemented."),
    Fault::Answer(400, "InvalidArgument", "If-None-Match is not supported."),
    Fault::Answer(400, "NotImplemented", "A header you provided implies functionality that is not implemented."),
];

/// Everything that a repository is for, on a store that refuses conditions.
async fn whole_life(behind: &Behind, refusal: Fault) {
    let what = format!("{refusal:?} before {}", behind.server.name());
    let refused = behind.proxy.inject(Rule::new(refusal.clone()).header("if-none-match").always());
    behind.proxy.inject(Rule::new(refusal).method(Method::PUT).header("if-match").always());
    let source = behind.server.location(&behind.bucket, "cluster");

    let began = Instant::now();
    let vault = open(behind, "vault", &[]).expect("a location");
    let error = back_up(&source, &vault, options()).await.expect_err(&what);
    assert_names_the_capability(&error, &what);
    assert!(began.elapsed() < AT_ONCE, "{what}: it took {:?}", began.elapsed());
    let left = behind.server.location(&behind.bucket, "vault").list("").await.expect("listed");
    assert!(left.is_empty(), "{what}: {left:?}");

    let before = refused.count();
    assert!(before > 0, "{what}");
    let vault = single(behind, "vault");
    let report = back_up(&source, &vault, options()).await.expect(&what);
    assert_says_single_writer(&report);
    let again = back_up(&source, &vault, options()).await.expect_err("it is there");
    assert_eq!(again.code(), "backup-exists", "{what}: {again:?}");
    assert_whole(behind, &vault, &single(behind, "restored")).await;
    assert_eq!(refused.count(), before, "{what}: no condition is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_conditional_writes() {
    for refusal in REFUSALS {
        whole_life(&Behind::new(&cluster()).await, refusal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn minio_behind_a_gateway_that_refuses_conditional_writes() {
    let Some(minio) = minio() else { return };
    let [refusal, ..] = REFUSALS;
    whole_life(&Behind::before(minio, &cluster()).await, refusal).await;
}

/// The option that turns them off is no dead end.
#[tokio::test(flavor = "multi_thread")]
async fn conditional_writes_that_are_turned_off() {
    let behind = Behind::new(&cluster()).await;
    let disabled = ("aws_conditional_put", "disabled");
    let vault = open(&behind, "vault", &[disabled]).expect("a location");
    assert_names_the_capability(&preflight::target(&vault).await.expect_err("a target"), "disabled");
    let vault = open(&behind, "vault", &[disabled, (SINGLE_WRITER, "true")]).expect("a location");
    let source = behind.location("cluster");
    assert_says_single_writer(&back_up(&source, &vault, options()).await.expect("backed up"));
    let restored = open(&behind, "restored", &[disabled, (SINGLE_WRITER, "true")]).expect("a location");
    assert_whole(&behind, &vault, &restored).await;
}

/// A store that takes the header and does not look at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_ignores_conditional_writes() {
    let behind = Behind::new(&cluster()).await;
    let ignored = StoreRule::new(Scope::of(Op::Put), When::Always, StoreFault::IgnoreCreateOnly);
    let plan = FaultPlan::none().with(ignored);
    let ignoring =
        |location: &Location| location.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
    let vault = ignoring(&open(&behind, "vault", &[]).expect("a location"));
    let source = behind.location("cluster");
    assert_names_the_capability(&back_up(&source, &vault, options()).await.expect_err("refused"), "ignored");
    let vault = ignoring(&single(&behind, "vault"));
    assert_says_single_writer(&back_up(&source, &vault, options()).await.expect("backed up"));
    assert_whole(&behind, &vault, &ignoring(&single(&behind, "restored"))).await;
}

/// A store that creates only where there is nothing, and says that it cannot replace one version: a lease can do without.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_to_replace_one_version() {
    for (status, code) in [(501, "NotImplemented"), (400, "InvalidArgument"), (405, "MethodNotAllowed")] {
        let what = format!("{status} {code}");
        let behind = Behind::new(&cluster()).await;
        let refusal =
            Fault::Answer(status, code, "A header you provided implies functionality that is not implemented.");
        let refused = behind.proxy.inject(Rule::new(refusal).method(Method::PUT).header("if-match").always());
        let source = behind.server.location(&behind.bucket, "cluster");
        let vault = open(&behind, "vault", &[]).expect("a location");
        let report = back_up(&source, &vault, options()).await.expect(&what);
        assert!(report.findings.iter().all(|finding| finding.code != FindingCode::SingleWriter), "{what}: {report}");
        assert!(refused.count() > 0, "{what}");
    }
}

/// A store that takes `If-Match` and does not look at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_replaces_any_version() {
    let behind = Behind::new(&cluster()).await;
    let plan = FaultPlan::none().with(StoreRule::new(Scope::of(Op::Put), When::Always, StoreFault::IgnoreVersion));
    let ignoring =
        |location: &Location| location.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
    let source = behind.location("cluster");
    let vault = ignoring(&open(&behind, "vault", &[]).expect("a location"));
    let error = back_up(&source, &vault, options()).await.expect_err("refused");
    assert_names(&error, "conditional writes (`If-Match`)", "ignored");
    let vault = ignoring(&single(&behind, "vault"));
    assert_says_single_writer(&back_up(&source, &vault, options()).await.expect("backed up"));
    assert_whole(&behind, &vault, &ignoring(&single(&behind, "restored"))).await;
}

/// Two runs of one name: the later one is refused while the first is alive, and continues it once it has ended.
#[tokio::test(flavor = "multi_thread")]
async fn with_one_writer_a_run_that_is_alive_is_found() {
    let behind = Behind::new(&cluster()).await;
    let [refusal, ..] = REFUSALS;
    behind.proxy.inject(Rule::new(refusal).header("if-none-match").always());
    let source = behind.location("cluster");
    let vault = single(&behind, "vault");
    // Its copies hang, so it neither fails nor ends.
    let held = behind.proxy.inject(Rule::new(Fault::HangAfter(0)).method(Method::PUT).containing("parquet").always());
    let running = {
        let vault = vault.clone();
        let source = source.clone();
        let mut options = options();
        options.limits.stall_timeout = Duration::from_secs(120);
        tokio::spawn(async move { back_up(&source, &vault, options).await })
    };
    while held.count() == 0 {
        assert!(!running.is_finished(), "it waits: {:?}", running.await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for existing in [OnExisting::Refuse, OnExisting::Resume] {
        let error = back_up(&source, &vault, options().with_on_existing(existing)).await.expect_err("it is alive");
        assert_eq!(error.code(), "backup-in-progress", "{existing:?}: {error:?}");
    }
    running.abort();
    assert!(running.await.is_err(), "it is gone");
    behind.proxy.clear();
    let [refusal, ..] = REFUSALS;
    behind.proxy.inject(Rule::new(refusal).header("if-none-match").always());
    let resume = options().with_on_existing(OnExisting::Resume).with_takeover(Takeover::Immediately);
    let report = back_up(&source, &vault, resume).await.expect("taken over");
    assert_eq!(report.status, BackupStatus::Complete, "{report}");
    assert_whole(&behind, &vault, &single(&behind, "restored")).await;
}

/// Shows in listings the entity tags of another encoding, as SeaweedFS does.
fn other_tags_in_listings() -> Rule {
    let rewrite = |_: &servers::RequestHead, body: bytes::Bytes| {
        let text = String::from_utf8(body.to_vec()).expect("XML is text");
        let (quoted, plain) = ("<ETag>&#34;", "<ETag>\"");
        assert!(!text.contains("<Contents>") || text.contains(quoted) || text.contains(plain), "{text}");
        bytes::Bytes::from(text.replace(quoted, "<ETag>&#34;0ther-").replace(plain, "<ETag>\"0ther-"))
    };
    Rule::new(Fault::Rewrite(Arc::new(rewrite))).method(Method::GET).containing("list-type=2").always()
}

const CHANGED: Fault =
    Fault::Answer(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.");

/// No object can be read, replaced or deleted by the entity tag that the store gave for it.
fn own_tags_are_refused() -> [Rule; 2] {
    ["if-match", "x-amz-copy-source-if-match"].map(|header| Rule::new(CHANGED).header(header).always())
}

fn assert_says_tags_differ(report: &BackupReport, parts: &[&str]) {
    let said: Vec<_> = report.findings.iter().filter(|finding| finding.code == FindingCode::EntityTagsDiffer).collect();
    for part in parts {
        assert!(said.iter().any(|finding| finding.message.contains(part)), "{part}: {said:?}");
    }
    assert_eq!(report.status, BackupStatus::Complete, "{report}");
    assert_eq!(report.passes.len(), 1, "{report}");
}

/// Source, repository and target of a restore in a store that names versions in more than one way; copied by the store
/// itself, or through this program, in which case the source alone is such a store.
async fn named_differently(rules: impl Fn() -> Vec<Rule>, parts: &[&str]) {
    for is_copied_by_store in [true, false] {
        let Some(minio) = minio() else { return };
        let behind = Behind::before(minio, &cluster()).await;
        rules().into_iter().for_each(|rule| drop(behind.proxy.inject(rule)));
        let began = Instant::now();
        let place = tempfile::tempdir().expect("a directory");
        let vault = if is_copied_by_store {
            behind.location("vault")
        } else {
            Location::parse(place.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place")
        };
        let report = back_up(&behind.location("cluster"), &vault, options()).await.expect("backed up");
        assert_says_tags_differ(&report, parts);
        let notes = report.findings.iter().filter(|finding| finding.code == FindingCode::EntityTagsDiffer).count();
        assert_eq!(notes, parts.len() / 2, "each is said once: {report}");
        assert_whole(&behind, &vault, &behind.location("restored")).await;
        let replaced = Repository::open(vault.clone()).await.expect("opened").get("n1").await.expect("opened");
        let again = RestoreOptions::replace();
        let again = Restore::new(replaced, behind.location("restored"), again);
        again.with_run_options(RestoreRunOptions::servers_stopped()).start().await.expect("restored again");
        assert!(began.elapsed() < 3 * AT_ONCE, "it took {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entity_tags_of_listings_are_others() {
    named_differently(|| vec![other_tags_in_listings()], &["0ther-", "when it is asked for it"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_its_own_entity_tags() {
    named_differently(|| own_tags_are_refused().into(), &["refuses a condition", "sizes and times are compared"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_both() {
    let rules = || own_tags_are_refused().into_iter().chain([other_tags_in_listings()]).collect();
    named_differently(rules, &["0ther-", "when it is asked for it", "refuses a condition", "sizes and times"]).await;
}
