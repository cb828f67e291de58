//! One object of a source that cannot be read, while others can: it is named within seconds, and an option takes the rest as
//! a degraded backup that names it.
#![cfg(all(unix, feature = "testing", feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use http::Method;
use influx_backup_core::{
    BackupOptions, Certificate, DiscoverOptions, Error, Finding, FindingCode, Key, Location, Repository, Restore,
    RestoreOptions, VerifyOptions, certify, discover,
    options::{OnDegraded, OnUnreadable},
    record::BackupStatus,
    testing::generate::{CompactorData, Generate, License},
};
use servers::{Behind, Fault, FaultProxy, Minio, Rule, StoreServer, in_process_s3, minio, write};

/// Tens of seconds, not minutes, on a machine that does much else.
const LIMIT: Duration = Duration::from_secs(120);

fn cluster() -> Generate {
    // So large that no server keeps a file within its metadata.
    Generate::core("n1").snapshots(2).files_per_snapshot(2).parquet_size(1 << 20)
}

/// Each request for the content of this object is answered with 503.
fn refused(key: &str) -> Rule {
    Rule::new(Fault::Status(503)).method(Method::GET).containing(key).always()
}

/// The key of a live Parquet file.
async fn live_file(source: &Location) -> String {
    let listed = source.list("n1/dbs").await.expect("listed");
    listed.iter().next().expect("a file").key.to_string()
}

async fn back_up(source: &Location, vault: &Location, on_unreadable: OnUnreadable) -> Result<BackupStatus, Error> {
    let cluster = discover(source, &DiscoverOptions::default()).await?;
    let options = BackupOptions::default().with_name("b").with_on_unreadable(on_unreadable);
    Repository::open(vault.clone()).await?.backup(&cluster, options).await.map(|report| report.status)
}

fn names(certificate: &Certificate, key: &str) -> bool {
    let is_it = |finding: &Finding| {
        finding.code == FindingCode::UnreadableObject && finding.key.as_ref().is_some_and(|named| named.as_str() == key)
    };
    certificate.violations().any(is_it)
}

/// The keys of the objects that findings call unreadable.
fn unreadable(findings: &[Finding]) -> Vec<&str> {
    let named = findings.iter().filter(|finding| finding.code == FindingCode::UnreadableObject);
    named.filter_map(|finding| finding.key.as_ref()).map(Key::as_str).collect()
}

/// The object is named by the error, and by all that is known of a backup of the rest.
async fn is_named(what: &str, source: Location, vault: Location, key: &str) {
    let began = Instant::now();
    let refused = back_up(&source, &vault, OnUnreadable::Refuse).await.expect_err(what);
    assert!(began.elapsed() < LIMIT, "{what} took {:?}", began.elapsed());
    let report = refused.report();
    assert_eq!((report.code.as_str(), report.retryable), ("object-unreadable", false), "{what}: {report:?}");
    assert_eq!(report.key.as_deref(), Some(key), "{what}");
    assert_eq!(report.location.as_deref(), Some(source.to_string().as_str()), "{what}");
    assert!(!report.causes.is_empty(), "{what}: what was answered");
    assert!(report.message.contains("redundancy") && !report.message.contains("delete"), "{what}: {}", report.message);
    let hints: Vec<_> = report.hints.iter().map(|hint| (hint.option.as_str(), hint.value.as_deref())).collect();
    assert_eq!(hints, [("on_unreadable", Some("record"))], "{what}");

    let rest = vault.child("rest").expect("a location");
    let status =
        back_up(&source, &rest, OnUnreadable::Record).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(status, BackupStatus::Degraded, "{what}");
    let repository = Repository::open(rest.clone()).await.expect("opened");
    let backup = repository.get("b").await.expect("committed");
    let manifest = backup.manifest();
    assert!(names(&manifest.certificate, key), "{what}: {}", manifest.certificate);
    let recorded: Vec<_> = manifest.attested.unreadable.iter().map(|left| (left.key.as_str(), &*left.code)).collect();
    assert_eq!(recorded, [(key, "object-unreadable")], "{what}");
    assert!(backup.objects().all(|object| object.key.as_str() != key), "{what}");
    let again = certify(&rest.child("b").expect("a location")).await.expect("certified");
    assert!(names(&again, key), "{what}: {again}");
    assert!(!again.holds(), "{what}");

    let to = vault.child("target").expect("a location");
    let refused = Restore::new(backup.clone(), to.clone(), RestoreOptions::empty()).await.expect_err(what);
    assert_eq!(refused.code(), "degraded-backup", "{what}: {refused}");
    let accepted = RestoreOptions::empty().with_on_degraded(OnDegraded::Accept);
    let planned = repository.plan_restore("b", &to, &accepted).await.expect("planned");
    assert_eq!(unreadable(&planned.findings), [key], "{what}: the plan of a restore");
    let restored = Restore::new(backup, to.clone(), accepted).await;
    let restored = restored.unwrap_or_else(|error| panic!("{what}: restored: {error:?}"));
    assert_eq!(unreadable(&restored.findings), [key], "{what}: the report of a restore");
    let restored = to.list("n1/dbs").await.expect("listed");
    assert!(!restored.is_empty() && restored.iter().all(|found| found.key.as_str() != key), "{what}");
}

/// The store answers 503 to every GET of one object, within milliseconds, and to all others as it should.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_answers_503_for_one_object() {
    let behind = Behind::new(&cluster()).await;
    let key = live_file(&behind.location("cluster")).await;
    let rotten = behind.proxy.inject(refused(&key));
    is_named("503", behind.location("cluster"), behind.server.location(&behind.bucket, "vault"), &key).await;
    assert!(rotten.count() > 0);
}

/// Several passes ask for a WAL file that no snapshot covers. That it is refused for seconds is shown once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_to_be_unreadable_is_not_waited_for_again() {
    let behind = Behind::new(&cluster()).await;
    let key = behind.written.keys().rfind(|key| key.starts_with("n1/wal/")).expect("a WAL file");
    let rotten = behind.proxy.inject(refused(key));
    let vault = behind.server.location(&behind.bucket, "vault");
    let status = back_up(&behind.location("cluster"), &vault, OnUnreadable::Record).await;
    assert_eq!(status.expect("backed up"), BackupStatus::Degraded);
    // Three passes ask twice each, each time at most twice in six requests; the first time until some seconds are over.
    assert!(rotten.count() <= 120, "{} requests", rotten.count());
}

/// What a backup lacks since it was taken, as it says itself, is no change of it: whatever it is, however deep one looks.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_as_missing_is_known() {
    let server = in_process_s3();
    let bucket = server.fresh_bucket().await;
    let source = server.location(&bucket, "cluster");
    let cluster = Generate::enterprise("c1").nodes(["n1", "n2"]).compactor("comp", CompactorData::None);
    write(&cluster.license(License::Commercial).snapshots(3).catalog_logs(2).unknown("n1/future/x"), &source).await;
    let listed = source.list("").await.expect("listed");
    let keys = |prefix: &str| -> Vec<String> {
        listed.iter().map(|found| found.key.to_string()).filter(|key| key.starts_with(prefix)).collect()
    };
    for kind in [
        "n1/dbs/",
        "n1/wal/",
        "n1/snapshots/",
        "n1/future/",
        "c1/commercial_license",
        "c1/enterprise",
        "comp/cs/",
        "comp/cd/",
        "comp/c/",
        "c1/catalog/v3/logs/",
    ] {
        let keys = keys(kind);
        for key in [keys.first(), keys.last()].map(|key| key.expect(kind)) {
            let proxy = FaultProxy::before(server.address());
            let archived = Fault::Answer(403, "InvalidObjectState", "it is in an archive");
            proxy.inject(Rule::new(archived).method(Method::GET).containing(key).always());
            let vault = Location::in_memory();
            let from = server.location_at(proxy.address(), &bucket, "cluster");
            let done = back_up(&from, &vault, OnUnreadable::Record).await;
            if kind.contains("catalog") {
                let error = done.expect_err("nothing is known of a cluster without its catalog");
                assert_eq!(error.code(), "object-archived", "{key}: {error}");
                assert!(error.to_string().contains(key), "{error}");
                continue;
            }
            assert_eq!(done.unwrap_or_else(|error| panic!("{key}: {error:?}")), BackupStatus::Degraded, "{key}");
            let repository = Repository::open(vault.clone()).await.expect("opened");
            for options in [
                VerifyOptions::listing(),
                VerifyOptions::structure(),
                VerifyOptions::checksums(),
                VerifyOptions::bytes(),
            ] {
                let level = options.level;
                let report = repository.verify("b", options).await.expect("verified");
                assert!(report.passed(), "{key} at the level {level}: {:#?}", report.problems);
            }
            let certificate = repository.certify("b").await.expect("certified");
            assert!(names(&certificate, key) && !certificate.holds(), "{key}: {certificate}");
        }
    }
}

/// The rest of a backup is verified all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_a_backup_that_cannot_be_read_is_a_problem_of_it() {
    let behind = Behind::new(&cluster()).await;
    let (source, vault) = (behind.location("cluster"), behind.location("vault"));
    let key = live_file(&source).await;
    back_up(&source, &vault, OnUnreadable::Refuse).await.expect("backed up");
    behind.proxy.inject(refused(&key));
    let began = Instant::now();
    let repository = Repository::open(vault).await.expect("opened");
    let report = repository.verify("b", VerifyOptions::bytes()).await.expect("verified");
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    let problems: Vec<_> =
        report.problems.iter().map(|problem| (&problem.code, problem.key.as_ref().map(Key::as_str))).collect();
    assert_eq!(problems, [(&FindingCode::UnreadableObject, Some(key.as_str()))]);
}

/// MinIO with a part of which bytes are damaged on its drive; it copies by itself, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_minio_with_a_damaged_part() {
    if minio().is_none() {
        return;
    }
    let server = Minio::start().expect("it is there");
    let bucket = server.fresh_bucket().await;
    let source = server.location(&bucket, "cluster");
    write(&cluster(), &source).await;
    let key = live_file(&source).await;
    let object = server.data().join(&bucket).join("cluster").join(&key);
    let part = find_part(&object).expect("a part of its own");
    let mut bytes = fs::read(&part).expect("readable");
    bytes.iter_mut().skip(100).step_by(1_000).for_each(|byte| *byte ^= 0xff);
    fs::write(&part, bytes).expect("damaged");

    let elsewhere = tempfile::tempdir().expect("a directory");
    let files = Location::parse(elsewhere.path().to_str().expect("UTF-8"), &Default::default()).expect("a location");
    is_named("MinIO, to files", source.clone(), files, &key).await;
    is_named("MinIO, within it", source, server.location(&bucket, "vault"), &key).await;
}

/// The file of a part below the directory of an object.
fn find_part(object: &Path) -> Option<PathBuf> {
    let files = walkdir::WalkDir::new(object).into_iter().filter_map(Result::ok);
    files.map(walkdir::DirEntry::into_path).find(|path| path.file_name().is_some_and(|name| name == "part.1"))
}

fn not_run(why: &str) {
    writeln!(io::stderr(), "not run: a_disk_that_answers_eio_for_one_file ({}): {why}", file!()).ok();
}

/// A disk that has lost some sectors: reads of one file fail with EIO.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_answers_eio_for_one_file() {
    if Command::new("strace").arg("-V").output().is_err() {
        not_run("strace is missing");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let of = |name: &str| directory.path().join(name);
    cluster().generate_into(&of("cluster")).expect("written");
    let source = Location::parse(of("cluster").to_str().expect("UTF-8"), &Default::default()).expect("a location");
    let key = live_file(&source).await;
    let run = |vault: &str, on_unreadable: &str| {
        let began = Instant::now();
        let output = Command::new("strace")
            .args([
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                "trace=read,pread64",
                "-e",
                "inject=read,pread64:error=EIO",
                "-P",
            ])
            .arg(of("cluster").join(&key))
            .arg(env!("CARGO_BIN_EXE_influx-backup"))
            .args(["backup", "--name", "b", "--json", "--on-unreadable", on_unreadable])
            .args([of("cluster"), of(vault)])
            .output()
            .expect("started");
        assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
        output
    };
    let refused = run("refused", "refuse");
    let text = String::from_utf8_lossy(&refused.stdout).into_owned() + &String::from_utf8_lossy(&refused.stderr);
    if text.contains("ptrace") && text.contains("not permitted") {
        not_run("strace may not trace");
        return;
    }
    assert_eq!(refused.status.code(), Some(6), "{text}");
    assert!(text.contains("object-unreadable") && text.contains(&key), "{text}");
    let recorded = run("recorded", "record");
    let text = String::from_utf8_lossy(&recorded.stdout).into_owned() + &String::from_utf8_lossy(&recorded.stderr);
    assert_eq!(recorded.status.code(), Some(3), "{text}");
    assert!(text.contains("unreadable-object") && text.contains(&key), "{text}");
}
