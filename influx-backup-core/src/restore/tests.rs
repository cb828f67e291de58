//! Restores of small generated clusters, with everything that can go wrong.

mod approval;
mod claims;
mod crash;
mod errors;
mod journal;
mod outage;
mod policies;
mod progress;
mod rules;
mod shared;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;

use self::store::Limited;
use super::*;
use influx_backup_testing::loader::{self, Release, Servers, Verdict};

use crate::{
    certificate::{Certificate, CheckedBy},
    checksum::Crc64,
    cluster::{ClusterDescription, Edition, FoundGeneration, GenerationState, Node, Role},
    copier::{Copied, Copier, CopyContext, CopyRequest},
    error::{CopyError, CopySide, Error, Result},
    key::Key,
    layout::{Component, Generation, MANIFEST_KEY},
    limits::{Limits, Retry},
    location::{Identity, Location, Version},
    manifest::{Backup, Manifest, segment},
    options::{
        AbandonOptions, ExtraNodes, Licenses, OnCatalogMismatch, OnDegraded, Ownership, RestoreOptions,
        RestoreRunOptions, ServersStopped, SourceCheck, Takeover,
    },
    plan::{RestorePlan, Stage},
    record::{Attested, BackupStatus, ContentRecord, ObjectRecord},
    target::{Changes, Phase, Target},
    testing::generate::Generate,
};

/// Copies through memory: what is tested here is the restore, not the copiers.
#[derive(Debug)]
struct Plain;

#[async_trait]
impl Copier for Plain {
    async fn copy(&self, request: &CopyRequest, _: &CopyContext) -> Result<Copied, CopyError> {
        let source = request.from.get(&request.source.key, Some(&request.source.version)).await;
        let bytes = match source {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(CopyError::Vanished),
            Err(Error::Store { kind, source, .. }) => {
                return Err(CopyError::store(CopySide::Source, "get", kind, source));
            }
            Err(_) => return Err(CopyError::Changed),
        };
        let size = bytes.len() as u64;
        let crc64 = Crc64::of(&bytes);
        match request.to.put(&request.target, bytes).await {
            Ok(_) => Ok(Copied::read_through(size, crc64, "plain")),
            Err(Error::Store { kind, source, .. }) => Err(CopyError::store(CopySide::Target, "put", kind, source)),
            Err(_) => Err(CopyError::Unsupported),
        }
    }
}

/// What the generator makes, as discovery would describe it.
fn describe(cluster: &Generate, location: &Location, generations: &[Generation]) -> ClusterDescription {
    let mut nodes = Vec::<Node>::new();
    let mut cluster_id = None;
    for object in cluster.objects() {
        let (id, tail) = object.key.split_once('/').expect("every object has a prefix");
        let component = Component::of(tail);
        let role = match component {
            Component::EnterpriseConfig => {
                cluster_id = Some(id.to_owned());
                continue;
            }
            component if component.is_compactor() => Role::Compactor,
            Component::Wal | Component::Snapshot => Role::Data,
            _ => continue,
        };
        match nodes.iter_mut().find(|node| node.id == id) {
            Some(node) if node.roles.contains(&role) => {}
            Some(node) => node.roles.push(role),
            None => nodes.push(Node { id: id.to_owned(), roles: vec![role] }),
        }
    }
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    let newest = generations.iter().copied().max();
    let found = |generation: &Generation| {
        let live = Some(*generation) == newest;
        let state = if live { GenerationState::Live } else { GenerationState::Terminated };
        FoundGeneration { generation: *generation, state }
    };
    ClusterDescription {
        catalogs: generations.iter().map(found).collect(),
        ..ClusterDescription::new(
            location.to_string(),
            Identity::File { path: "/source".to_owned() },
            cluster_id,
            nodes,
        )
    }
}

fn certificate() -> Certificate {
    Certificate {
        clauses: Vec::new(),
        recovery: Vec::new(),
        absent: Vec::new(),
        findings: Vec::new(),
        checked_by: std::collections::BTreeMap::new(),
        catalog_sequence: None,
        orphans: 0,
    }
}

/// Writes a committed backup by hand, without the code that takes backups.
async fn write_backup(
    repository: &Location,
    cluster: &Generate,
    generations: &[Generation],
    change: impl FnOnce(&mut Manifest, &mut Vec<ObjectRecord>),
) -> Result<Backup> {
    let location = repository.child("n1")?;
    let mut records = Vec::new();
    for object in cluster.objects() {
        let key = Key::parse(&object.key)?;
        let modified = "2026-11-01T00:00:00Z".parse().expect("a time");
        let version = Version { e_tag: None, id: None, modified };
        let content = ContentRecord::new(object.bytes.len() as u64, Some(Crc64::of(&object.bytes)));
        records.push(ObjectRecord::new(key.clone(), version, content, CheckedBy::Content));
        location.put(&key, object.bytes).await?;
    }
    records.sort_by(|a, b| a.key.cmp(&b.key));
    let mut manifest = Manifest {
        format: 1,
        min_reader: 1,
        name: "n1".to_owned(),
        status: BackupStatus::Complete,
        written_by: "test".to_owned(),
        began: Utc::now(),
        committed: Utc::now(),
        cluster: describe(cluster, &location, generations),
        objects: Vec::new(),
        absent: Vec::new(),
        object_count: records.len() as u64,
        byte_count: records.iter().map(|record| record.content.size).sum(),
        certificate: certificate(),
        passes: Vec::new(),
        attested: Attested::default(),
    };
    change(&mut manifest, &mut records);
    manifest.objects = segment::write(&location, "objects", &records).await?;
    let json = serde_json::to_vec(&manifest).expect("serializes");
    location.create(&Key::parse(MANIFEST_KEY)?, json.into()).await?;
    Backup::open(repository, "n1").await
}

/// A backup in one store, and a target in another whose writes can be made to fail.
struct Bed {
    backup: Backup,
    store: Arc<Limited>,
    target: Location,
    servers: Servers,
}

impl Bed {
    async fn new(cluster: &Generate, generations: &[Generation]) -> Self {
        let cluster = cluster.clone().upgraded(generations.iter().copied());
        let backup = write_backup(&Location::in_memory(), &cluster, generations, |_, _| {}).await.expect("a backup");
        Self::over(backup)
    }

    fn over(backup: Backup) -> Self {
        let store = Arc::new(Limited::default());
        let shared: Arc<dyn object_store::ObjectStore> = Arc::clone(&store) as _;
        let target = Location::with_store(shared, object_store::path::Path::default(), Identity::Test);
        let description = &backup.manifest().cluster;
        let nodes: Vec<_> = description.nodes.iter().map(|node| node.id.clone()).collect();
        let servers = Servers::enterprise(description.catalog_prefix(), nodes);
        Self { backup, store, target, servers }
    }

    /// Fills the target with another state.
    async fn holding(self, cluster: &Generate, generations: &[Generation]) -> Self {
        for object in cluster.clone().upgraded(generations.iter().copied()).objects() {
            let key = Key::parse(&object.key).expect("a key");
            self.target.put(&key, object.bytes).await.expect("written");
        }
        self
    }

    async fn plan(&self, how: &How) -> Result<RestorePlan> {
        RestorePlan::new(&self.backup.contents(), &self.inspect().await, &how.options)
    }

    async fn inspect(&self) -> Target {
        Target::inspect(&self.target).await.expect("inspected")
    }

    fn request(&self, how: &How) -> Restore {
        Restore::new(self.backup.clone(), self.target.clone(), how.options.clone())
            .with_run_options(how.run.clone())
            .with_copier(Arc::new(Plain))
    }

    async fn restore(&self, how: &How) -> Result<RestoreReport> {
        self.request(how).start().await
    }

    /// What servers of every release make of the target, past all injected failures.
    async fn verdicts(&self) -> Vec<Verdict> {
        let releases =
            influx_backup_core::Generation::ALL.iter().copied().map(Release::Writing).chain([Release::OfTheStore]);
        let store = self.store.inner();
        let mut verdicts = Vec::new();
        for release in releases {
            let servers = self.servers.clone().with_release(release);
            verdicts.push(loader::load(&store, &object_store::path::Path::default(), &servers).await.expect("loaded"));
        }
        verdicts
    }

    async fn keys(&self) -> Vec<String> {
        let entries = self.target.list("").await.expect("listed");
        entries.into_iter().map(|entry| entry.key.to_string()).collect()
    }

    fn backup_keys(&self) -> Vec<String> {
        self.backup.objects().map(|record| record.key.to_string()).collect()
    }
}

/// What a restore does, and how it runs.
#[derive(Debug, Clone)]
struct How {
    options: RestoreOptions,
    run: RestoreRunOptions,
}

impl How {
    fn resuming(self) -> Self {
        Self { run: self.run.resuming(), ..self }
    }

    fn unconfirmed(self) -> Self {
        Self { run: self.run.with_servers_stopped(ServersStopped::NotConfirmed), ..self }
    }
}

/// As it runs in tests: one copy at a time, nothing tried twice.
fn quick(options: RestoreOptions) -> How {
    let limits = Limits::default().with_concurrency(1).with_retry(Retry::never());
    How { options, run: RestoreRunOptions::servers_stopped().with_limits(limits) }
}

/// Says that the other process is dead, as it is in these tests.
fn alone(options: RestoreOptions) -> How {
    let how = quick(options);
    How { run: how.run.with_takeover(Takeover::Immediately), ..how }
}

fn core(snapshots: u64) -> Generate {
    Generate::core("node1")
        .snapshots(snapshots)
        .files_per_snapshot(1)
        .wal_per_snapshot(2)
        .wal_tail(2)
        .covered_wal_kept(1)
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}
