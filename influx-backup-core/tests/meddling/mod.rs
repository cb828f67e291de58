//! Generated sources in memory, and what happens to them while they are copied.
#![allow(dead_code, reason = "each test that shares this module uses a part of it")]

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt, future::BoxFuture};
use influx_backup_core::{
    BackupOptions, BackupReport, Certificate, Clause, Copier, DiscoverOptions, Error, Finding, FindingCode, Leftover,
    Limits, Location, Passes, Repository, Result,
    backup::Rules,
    copier::{Copied, CopyContext, CopyRequest},
    default_copiers, discover,
    error::CopyError,
    leftovers::LeftoverKind,
    location::Identity,
    location::interop::object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path},
    manifest::Backup,
    testing::{
        generate::{CompactorData, Generate, Generated},
        write::{self, FileSpec, ManifestSpec},
    },
};

/// A source in memory.
#[derive(Debug, Clone)]
pub(crate) struct Source(pub(crate) Arc<InMemory>);

impl Source {
    pub(crate) async fn of(cluster: &Generate) -> (Self, Generated) {
        let source = Self(Arc::new(InMemory::new()));
        let store = Arc::clone(&source.0) as Arc<dyn ObjectStore>;
        let generated = cluster.write_to(&store, &Path::from("data")).await.expect("written");
        (source, generated)
    }

    pub(crate) fn location(&self) -> Location {
        Location::with_store(Arc::clone(&self.0) as _, Path::from("data"), Identity::Test)
    }

    pub(crate) async fn put(&self, key: &str, bytes: Bytes) {
        self.0.put(&Path::from(format!("data/{key}")), bytes.into()).await.expect("put");
    }

    pub(crate) async fn get(&self, key: &str) -> Bytes {
        let found = self.0.get(&Path::from(format!("data/{key}"))).await.expect("there");
        found.bytes().await.expect("read")
    }

    pub(crate) async fn delete(&self, key: &str) {
        self.0.delete(&Path::from(format!("data/{key}"))).await.expect("deleted");
    }

    /// The keys below a prefix.
    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        let below = Path::from(format!("data/{prefix}"));
        let listed: Vec<_> = self.0.list(Some(&below)).try_collect().await.expect("listed");
        let mut keys: Vec<_> =
            listed.into_iter().map(|meta| meta.location.as_ref()["data/".len()..].to_owned()).collect();
        keys.sort_unstable();
        keys
    }

    /// Takes a whole directory away, as an unmounted volume does, and returns what was in it.
    pub(crate) async fn unmount(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let mut gone = Vec::new();
        for key in self.keys(prefix).await {
            gone.push((key.clone(), self.get(&key).await));
            self.delete(&key).await;
        }
        assert!(!gone.is_empty(), "nothing below {prefix}");
        gone
    }
}

/// What happens to the source while it is copied.
pub(crate) type Deed = BoxFuture<'static, ()>;

/// A copier that meddles with the source just before it copies certain keys, each deed once and in order.
pub(crate) struct Meddler {
    copier: Arc<dyn Copier>,
    deeds: Mutex<VecDeque<(&'static str, Deed)>>,
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddler").finish_non_exhaustive()
    }
}

#[async_trait]
impl Copier for Meddler {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        loop {
            let deed = {
                let mut deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
                let due = deeds.front().is_some_and(|(key, _)| request.source.key.as_str().contains(key));
                due.then(|| deeds.pop_front()).flatten()
            };
            match deed {
                Some((_, deed)) => deed.await,
                None => return self.copier.copy(request, context).await,
            }
        }
    }
}

/// Before the first copy of all.
pub(crate) const FIRST: &str = "";
/// The catalog's root: copied after every node.
pub(crate) const ROOT: &str = "/catalog/v3/snapshot";

pub(crate) fn deed(when: &'static str, what: impl Future<Output = ()> + Send + 'static) -> (&'static str, Deed) {
    (when, what.boxed())
}

pub(crate) fn options() -> BackupOptions {
    BackupOptions::default()
        .with_name("n1")
        .with_limits(Limits::default().with_concurrency(1))
        .with_passes(Passes::until_closed(5, Duration::from_secs(3600)))
}

/// What an unlucky source goes through: each deed once, in order.
pub(crate) fn meddler(deeds: impl IntoIterator<Item = (&'static str, Deed)>) -> Arc<dyn Copier> {
    let deeds = Mutex::new(deeds.into_iter().collect());
    Arc::new(Meddler { copier: default_copiers(), deeds })
}

pub(crate) async fn back_up(
    source: &Location,
    deeds: impl IntoIterator<Item = (&'static str, Deed)>,
    options: BackupOptions,
) -> (Result<BackupReport>, Repository) {
    back_up_only(source, &DiscoverOptions::default(), deeds, options).await
}

pub(crate) async fn back_up_by(
    source: &Location,
    deeds: impl IntoIterator<Item = (&'static str, Deed)>,
    options: BackupOptions,
    rules: Rules,
) -> (Result<BackupReport>, Repository) {
    let repository = repository().await;
    let cluster = discover(source, &DiscoverOptions::default()).await.expect("a cluster");
    let request = repository.backup(&cluster, options).with_copier(meddler(deeds)).with_rules(rules);
    (request.start().await, repository)
}

/// An empty repository in memory.
pub(crate) async fn repository() -> Repository {
    let vault = Location::with_store(Arc::new(InMemory::new()), Path::from("vault"), Identity::Test);
    Repository::open(vault).await.expect("a repository")
}

pub(crate) async fn back_up_only(
    source: &Location,
    what: &DiscoverOptions,
    deeds: impl IntoIterator<Item = (&'static str, Deed)>,
    options: BackupOptions,
) -> (Result<BackupReport>, Repository) {
    let repository = repository().await;
    let cluster = discover(source, what).await.expect("a cluster");
    (repository.backup(&cluster, options).with_copier(meddler(deeds)).start().await, repository)
}

/// The certificate of a backup that could not be committed.
pub(crate) fn refused(result: Result<BackupReport>) -> Box<Certificate> {
    match result {
        Err(Error::NotConsistent { certificate, .. }) => certificate,
        Err(error) => panic!("another error: {error}"),
        Ok(report) => panic!("a silent pass:\n{report}"),
    }
}

pub(crate) fn violations(certificate: &Certificate, clause: Clause) -> &[Finding] {
    let result = certificate.clauses.iter().find(|result| result.clause == clause);
    &result.expect("every clause is judged").violations
}

/// The violation of this code, which has to be there.
pub(crate) fn violated(certificate: &Certificate, clause: Clause, code: FindingCode) -> &Finding {
    let found = violations(certificate, clause).iter().find(|violation| violation.code == code);
    found.unwrap_or_else(|| panic!("no `{code}`:\n{certificate}"))
}

pub(crate) fn holds(backup: &Backup, prefix: &str) -> bool {
    backup.objects().any(|record| record.key.as_str().starts_with(prefix))
}

pub(crate) fn core() -> Generate {
    Generate::core("node1").catalog_logs(5)
}

pub(crate) fn enterprise() -> Generate {
    let cluster = Generate::enterprise("cluster1").nodes(["ingest1", "ingest2"]);
    cluster.compactor("compact1", CompactorData::None).snapshots(4)
}

/// Retention takes one file away before its copy: another pass is needed.
pub(crate) fn one_more_pass(source: &Source) -> (&'static str, Deed) {
    let source = source.clone();
    deed(FIRST, async move {
        let dbs = source.keys("node1/dbs").await;
        source.delete(&dbs[0]).await;
    })
}

pub(crate) fn wal_key(number: u64) -> String {
    format!("node1/wal/{number:011}.wal")
}

/// The next manifest after a generated cluster, with one new file that is there.
pub(crate) async fn next_manifest(source: &Source, generated: &Generated, id: &str) -> ManifestSpec {
    let node = &generated.nodes[id];
    let wal = node.wal.expect("a tail").1;
    let bytes = write::parquet(b"[]");
    let path = write::parquet_key_by_id(id, 1, 1, 0, wal);
    source.put(&path, bytes.clone()).await;
    let file = FileSpec {
        database: 1,
        table: 1,
        id: 1_000_000,
        path,
        size_bytes: bytes.len() as u64,
        row_count: 1,
        chunk_time: 0,
        min_time: 0,
        max_time: 0,
    };
    ManifestSpec {
        node_id: id.to_owned(),
        sequence: node.last_snapshot.expect("a snapshot") + 1,
        wal,
        catalog: generated.catalog_sequence,
        next_file_id: 1_000_001,
        added: vec![file],
        removed: Vec::new(),
    }
}

/// Begins a backup that ends before its commit: its source is damaged.
pub(crate) async fn end_before_commit(repository: &Repository) {
    let (source, generated) = Source::of(&core()).await;
    source.put(&wal_key(generated.nodes["node1"].wal.expect("a tail").1), Bytes::new()).await;
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let error = repository.backup(&cluster, options()).start().await.expect_err("damaged");
    assert_eq!(error.code(), "corrupt-source");
}

/// Names, kinds and counts of what is left over.
pub(crate) fn kinds(leftovers: &[Leftover]) -> Vec<(&str, LeftoverKind, u64)> {
    leftovers.iter().map(|leftover| (leftover.name.as_str(), leftover.kind, leftover.objects)).collect()
}
