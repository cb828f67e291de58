//! How many requests an object costs, by verb and by kind of request.
//!
//! Each verb runs over two clusters, one of which has many more objects. What a further object costs is exact; what a run costs
//! besides, listings and its own files among it, is the same for both.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use influx_backup_core::{
    BackupOptions, BackupReport, Copier, DiscoverOptions, Key, Location, Repository, Restore, RestoreOptions,
    StoreOptions, VerifyOptions,
    copier::{Copied, CopyContext, CopyRequest, StreamCopier},
    default_copiers, discover,
    error::CopyError,
    options::SourceCheck,
    testing::{conformance::delete_all, generate::Generate},
};
use servers::{Bulk, Canned, CopyAnswers, CountingS3, Counts, Kind, answer, write};

/// Snapshots of the small and of the large cluster.
const SIZES: [u64; 2] = [5, 30];

fn cluster(snapshots: u64) -> Generate {
    Generate::core("n1").snapshots(snapshots).files_per_snapshot(4).wal_per_snapshot(3).covered_wal_kept(u64::MAX)
}

/// What each of some objects costs.
type Cost = (Kind, usize, fn(&Key) -> bool);

const EVERY: fn(&Key) -> bool = |_| true;

const PARQUET: fn(&Key) -> bool = |key| key.as_str().ends_with(".parquet");

/// What the proof reads.
const OTHERS: fn(&Key) -> bool = |key| !PARQUET(key);

/// Runs something over a small and a large cluster: what the large one costs more is what its further objects cost.
async fn assert_costs(what: &str, counts_of: impl AsyncFn(Generate) -> Counts, costs: &[Cost]) {
    let keys = SIZES.map(|size| {
        let cluster = cluster(size);
        let keys = cluster.objects().map(|object| Key::parse(object.key).expect("a key"));
        keys.collect::<Vec<_>>()
    });
    let further_objects = |of: fn(&Key) -> bool| {
        let [few, many] = [0, 1].map(|size| keys[size].iter().filter(|key| of(key)).count());
        many - few
    };
    let [few, many] = [counts_of(cluster(SIZES[0])).await, counts_of(cluster(SIZES[1])).await];
    for kind in Kind::ALL {
        let of = |counts: &Counts| counts.get(&kind).copied().unwrap_or_default();
        let costs = costs.iter().filter(|(of, ..)| *of == kind);
        let expected: usize = costs.map(|(_, cost, objects)| cost * further_objects(*objects)).sum();
        assert_eq!(of(&many) - of(&few), expected, "{what}: {kind:?} of {few:?}, {many:?}");
    }
}

fn files() -> (tempfile::TempDir, Location) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let location = Location::parse(path, &StoreOptions::default()).expect("a location");
    (directory, location)
}

/// A server that holds a cluster below `data`, and has counted nothing yet.
async fn filled(cluster: &Generate) -> CountingS3 {
    let server = CountingS3::start();
    write(cluster, &server.location("data")).await;
    server.counts();
    server
}

async fn back_up(source: &Location, repository: &Location, copier: Arc<dyn Copier>) -> BackupReport {
    let found = discover(source, &DiscoverOptions::default()).await.expect("discovered");
    let repository = Repository::open(repository.clone()).await.expect("opened");
    let backup = repository.backup(&found, BackupOptions::default().with_name("b")).with_copier(copier);
    backup.start().await.expect("backed up")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_from_store_to_store_reads_and_writes_each_object_once() {
    for (side, cost) in [("source", Kind::Get), ("target", Kind::Put)] {
        let run = async |cluster: Generate| {
            let (from, to) = (filled(&cluster).await, CountingS3::start());
            let report =
                back_up(&from.location("data"), &to.location("backups"), Arc::new(StreamCopier::default())).await;
            assert_eq!(report.passes.len(), 1);
            if side == "source" { from.counts() } else { to.counts() }
        };
        assert_costs(side, run, &[(cost, 1, EVERY)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_from_files_writes_each_object_once() {
    let run = async |cluster: Generate| {
        let (_kept, from) = files();
        let to = CountingS3::start();
        write(&cluster, &from).await;
        back_up(&from, &to.location("backups"), default_copiers()).await;
        to.counts()
    };
    assert_costs("to a store", run, &[(Kind::Put, 1, EVERY)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_to_files_reads_each_object_once() {
    let run = async |cluster: Generate| {
        let from = filled(&cluster).await;
        let (_kept, to) = files();
        back_up(&from.location("data"), &to, default_copiers()).await;
        from.counts()
    };
    assert_costs("from a store", run, &[(Kind::Get, 1, EVERY)]).await;
}

/// What the proof reads passes through; Parquet does not.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_copies_is_one_request_unless_its_answer_lacks_the_checksum() {
    for (answers, heads) in [(CopyAnswers::WithChecksum, 0), (CopyAnswers::TagOnly, 1)] {
        let run = async |cluster: Generate| {
            let server = filled(&cluster).await;
            server.set_copy_answers(answers);
            back_up(&server.location("data"), &server.location("backups"), default_copiers()).await;
            server.counts()
        };
        // Where the answer lacks the checksum, the store is asked for it: only the manifest tells other bytes later.
        let costs =
            [(Kind::Copy, 1, PARQUET), (Kind::Head, heads, PARQUET), (Kind::Get, 1, OTHERS), (Kind::Put, 1, OTHERS)];
        assert_costs(&format!("within a store, {answers:?}"), run, &costs).await;
    }
}

/// The answer to a write is held against what was written.
#[tokio::test]
async fn another_checksum_in_the_answer_is_found() {
    let target = Canned::serve(|_| answer(200, &[("etag", "\"x\""), ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")], ""));
    let (_kept, from) = files();
    let key = Key::parse("n1/wal/00000000001.wal").expect("a key");
    from.put(&key, "bytes".into()).await.expect("written");
    let source = from.head(&key).await.expect("asked").expect("there");
    let request = CopyRequest::new(from, source, target.s3("s3://bucket/b"));
    let copied = StreamCopier::default().copy(&request, &CopyContext::default()).await;
    assert!(matches!(copied, Err(CopyError::Corrupt { .. })), "{copied:?}");
    assert_eq!(target.requests().len(), 1);
}

/// Removes an object from the source before its copy, so that there is a second pass.
#[derive(Debug)]
struct Removing {
    source: Arc<CountingS3>,
    inner: StreamCopier,
    done: AtomicBool,
}

#[async_trait]
impl Copier for Removing {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        if PARQUET(&request.target) && !self.done.swap(true, Ordering::Relaxed) {
            self.source.remove(&format!("data/{}", request.target));
        }
        self.inner.copy(request, context).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pass_over_unchanged_objects_costs_listings() {
    for side in ["source", "target"] {
        let run = async |cluster: Generate| {
            let (from, to) = (Arc::new(filled(&cluster).await), CountingS3::start());
            let inner = StreamCopier::default();
            let copier = Removing { source: Arc::clone(&from), inner, done: AtomicBool::new(false) };
            let report = back_up(&from.location("data"), &to.location("backups"), Arc::new(copier)).await;
            assert_eq!(report.passes.len(), 2);
            if side == "source" { from.counts() } else { to.counts() }
        };
        let cost = if side == "source" { Kind::Get } else { Kind::Put };
        assert_costs(side, run, &[(cost, 1, EVERY)]).await;
    }
}

/// A backup in a store of its own, which has forgotten the requests for it.
async fn backup_of(cluster: Generate) -> (CountingS3, Repository) {
    let (_kept, from) = files();
    let server = CountingS3::start();
    write(&cluster, &from).await;
    let place = server.location("backups");
    back_up(&from, &place, default_copiers()).await;
    let repository = Repository::open(place).await.expect("opened");
    server.counts();
    (server, repository)
}

#[tokio::test(flavor = "multi_thread")]
async fn verifying_costs_what_it_looks_at() {
    for (options, costs) in [
        (VerifyOptions::listing(), &[][..]),
        (VerifyOptions::structure(), &[(Kind::Get, 1, OTHERS)][..]),
        (VerifyOptions::checksums(), &[(Kind::Head, 1, EVERY), (Kind::Get, 1, OTHERS)][..]),
        (VerifyOptions::bytes(), &[(Kind::Get, 1, EVERY), (Kind::Get, 1, OTHERS)][..]),
    ] {
        let run = async |cluster: Generate| {
            let (server, repository) = backup_of(cluster).await;
            let report = repository.verify("b", options.clone()).await.expect("verified");
            assert!(report.passed(), "{report:?}");
            server.counts()
        };
        assert_costs(&format!("{options:?}"), run, costs).await;
    }
}

/// Presence and proof are told by one listing.
#[tokio::test(flavor = "multi_thread")]
async fn verifying_lists_a_backup_once_at_every_level() {
    let (server, repository) = backup_of(cluster(5)).await;
    let mut lists = Vec::new();
    for options in
        [VerifyOptions::listing(), VerifyOptions::structure(), VerifyOptions::checksums(), VerifyOptions::bytes()]
    {
        repository.verify("b", options).await.expect("verified");
        lists.push(server.counts().get(&Kind::List).copied().expect("listings"));
    }
    assert!(lists.iter().all(|listings| *listings == lists[0]), "{lists:?}");
}

/// By default a restore to an empty target looks at the structure of the backup before it writes.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_reads_and_writes_each_object_once() {
    let structure = &[(Kind::Get, 1, EVERY), (Kind::Get, 1, OTHERS)][..];
    for (check, costs) in [(SourceCheck::Listing, &[(Kind::Get, 1, EVERY)][..]), (SourceCheck::Auto, structure)] {
        let run = async |cluster: Generate| {
            let (server, repository) = backup_of(cluster).await;
            restore(&repository, &CountingS3::start().location("data"), check).await;
            server.counts()
        };
        assert_costs(check.as_str(), run, costs).await;
    }
    let run = async |cluster: Generate| {
        let (_server, repository) = backup_of(cluster).await;
        let to = CountingS3::start();
        restore(&repository, &to.location("data"), SourceCheck::Listing).await;
        to.counts()
    };
    assert_costs("the target", run, &[(Kind::Put, 1, EVERY)]).await;
}

/// What was copied within a store, and back.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_within_a_store() {
    let run = async |cluster: Generate| {
        let server = filled(&cluster).await;
        back_up(&server.location("data"), &server.location("backups"), default_copiers()).await;
        let repository = Repository::open(server.location("backups")).await.expect("opened");
        server.counts();
        restore(&repository, &server.location("restored"), SourceCheck::Listing).await;
        server.counts()
    };
    // The checksum in the manifest is held against that of the backup's object before the store copies it.
    let costs = [(Kind::Head, 1, PARQUET), (Kind::Copy, 1, PARQUET), (Kind::Get, 1, OTHERS), (Kind::Put, 1, OTHERS)];
    assert_costs("within a store", run, &costs).await;
}

async fn restore(repository: &Repository, to: &Location, check: SourceCheck) {
    let backup = repository.get("b").await.expect("opened");
    let mut options = RestoreOptions::empty();
    options.check = check;
    Restore::new(backup, to.clone(), options).start().await.expect("restored");
}

/// A page that fails more often than the client tries is asked for again, and those before it are not.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_fails_is_the_only_one_that_is_asked_for_again() {
    let server = CountingS3::start();
    (0..3_500).for_each(|number| server.add(&format!("p/a/{number:05}")));
    let failures = 7;
    server.fail_pages(failures);
    let listed = server.location("p").list("").await.expect("listed");
    assert_eq!(listed.len(), 3_500);
    let pages = 4;
    assert_eq!(server.counts(), Counts::from([(Kind::List, pages + failures)]));
}

/// A database with much in few tables is listed table by table. That costs its first page and the names of the tables.
#[tokio::test(flavor = "multi_thread")]
async fn large_tables_are_listed_by_themselves() {
    for (names, expected) in [
        // The level, and the database at once.
        (
            Box::new(|number: usize| (number < 900).then(|| format!("1/{}/{number}", number % 3)))
                as Box<dyn Fn(usize) -> _>,
            2,
        ),
        // Three tables of 3,000.
        (Box::new(|number: usize| Some(format!("1/{}/{number}", number % 3))), 1 + 1 + 1 + 3 * 3),
        // One table: the names are asked for in vain.
        (Box::new(|number: usize| Some(format!("1/t/{number}"))), 1 + 1 + 9),
        // Many small tables.
        (Box::new(|number: usize| Some(format!("1/{}/{number}", number / 100))), 1 + 9),
        // No tables.
        (Box::new(|number: usize| Some(format!("1/{number}"))), 1 + 9),
    ] {
        let server = CountingS3::start();
        (0..9_000).filter_map(names).for_each(|name| server.add(&format!("p/n/dbs/{name}")));
        let place = server.location("p");
        let whole = place.list("n/dbs").await.expect("listed");
        server.counts();
        assert_eq!(place.list_parallel("n/dbs").await.expect("listed"), whole);
        assert_eq!(server.counts(), Counts::from([(Kind::List, expected)]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_deletes_a_thousand_objects() {
    let server = CountingS3::start();
    let keys = |objects: usize| (0..objects).map(|number| Key::parse(format!("a/{number}")).expect("a key"));
    let deletions = async |objects| {
        keys(objects).for_each(|key| server.add(&format!("p/{key}")));
        delete_all(&server.location("p"), keys(objects)).await;
        assert_eq!(server.objects(), 0);
        server.counts()
    };
    assert_eq!(deletions(0).await, Counts::new());
    assert_eq!(deletions(1).await, Counts::from([(Kind::Delete, 1)]));
    assert_eq!(deletions(1_000).await, Counts::from([(Kind::DeleteMany, 1)]));
    assert_eq!(deletions(2_500).await, Counts::from([(Kind::DeleteMany, 3)]));
    // What is left is deleted by itself.
    server.refuse_among_many("p/a/7");
    assert_eq!(deletions(1_000).await, Counts::from([(Kind::DeleteMany, 1), (Kind::Delete, 1)]));
    server.set_bulk(Bulk::Unknown);
    assert_eq!(deletions(100).await, Counts::from([(Kind::DeleteMany, 1), (Kind::Delete, 100)]));
}
