//! A cold backup: servers stopped in order before it, and always started again.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use influx_backup_core::{
    BackupOptions, BackupReport, Cluster, Copier, DiscoverOptions, EventKind, FindingCode, Job, Limits, Location,
    Orchestrator, Repository,
    cluster::Node,
    copier::{Copied, CopyContext, CopyRequest},
    default_copiers, discover,
    error::{CopyError, Source},
    limits::Retry,
    location::Identity,
    location::interop::object_store::{ObjectStore, memory::InMemory, path::Path as StorePath},
    record::BackupStatus,
    repository::BackupState,
    testing::generate::{CompactorData, Generate},
};

/// Servers that obey, and record each command.
#[derive(Debug, Default)]
struct Servers {
    told: Mutex<Vec<String>>,
    /// Those that never stop.
    stubborn: BTreeSet<String>,
    /// Those that do not start.
    broken: BTreeSet<String>,
    /// The call that is never answered.
    silent: Option<&'static str>,
}

impl Servers {
    fn tell(&self, what: &str, node: &Node) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{what} {}", node.id));
    }

    async fn answer(&self, what: &str) {
        if self.silent == Some(what) {
            std::future::pending::<()>().await;
        }
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Orchestrator for Servers {
    async fn stop(&self, node: &Node) -> Result<(), Source> {
        self.tell("stop", node);
        self.answer("stop").await;
        Ok(())
    }

    async fn stopped(&self, node: &Node) -> Result<bool, Source> {
        self.answer("stopped").await;
        Ok(!self.stubborn.contains(&node.id))
    }

    async fn start(&self, node: &Node) -> Result<(), Source> {
        self.tell("start", node);
        self.answer("start").await;
        if self.broken.contains(&node.id) { Err("its disk is gone".into()) } else { Ok(()) }
    }
}

/// Copies nothing.
#[derive(Debug, Clone, Copy)]
enum Bad {
    Fails,
    Hangs,
}

#[async_trait]
impl Copier for Bad {
    async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<Copied, CopyError> {
        match self {
            Self::Fails => Err(CopyError::corrupt("always")),
            Self::Hangs => std::future::pending().await,
        }
    }
}

async fn cluster() -> Cluster {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let made = Generate::enterprise("cluster1")
        .nodes(["a", "b"])
        .compactor("another", CompactorData::None)
        .snapshots(1)
        .files_per_snapshot(1);
    made.write_to(&store, &StorePath::default()).await.expect("written");
    let source = Location::with_store(store, StorePath::default(), Identity::Test);
    discover(&source, &DiscoverOptions::default()).await.expect("discovered")
}

fn options() -> BackupOptions {
    BackupOptions::default().with_name("n1").with_limits(Limits::default().with_retry(Retry::never()))
}

async fn started(repository: &Repository, servers: &Arc<Servers>, copier: Arc<dyn Copier>) -> Job<BackupReport> {
    repository
        .backup(&cluster().await, options())
        .with_copier(copier)
        .with_orchestrator(Arc::<Servers>::clone(servers))
        .start()
}

async fn repository() -> Repository {
    Repository::open(Location::in_memory()).await.expect("opened")
}

const IN_ORDER: [&str; 6] = ["stop another", "stop b", "stop a", "start a", "start b", "start another"];

#[tokio::test]
async fn servers_are_stopped_and_started_in_order() {
    let repository = repository().await;
    let servers = Arc::<Servers>::default();
    let job = started(&repository, &servers, default_copiers()).await;
    let mut seen = Vec::new();
    let mut events = job.events();
    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::NodeStopped { node, .. } => seen.push(format!("stop {node}")),
            EventKind::NodeStarted { node, .. } => seen.push(format!("start {node}")),
            EventKind::PassStarted { .. } => assert_eq!(seen.len(), 3, "all are stopped before the first listing"),
            _ => {}
        }
    }
    let report = job.await.expect("backed up");
    assert_eq!(report.passes.len(), 1, "a stopped cluster takes one pass");
    assert_eq!(servers.told(), IN_ORDER);
    assert_eq!(seen, IN_ORDER);
}

#[tokio::test]
async fn they_are_started_again_when_it_fails() {
    let repository = repository().await;
    let servers = Arc::<Servers>::default();
    let job = started(&repository, &servers, Arc::new(Bad::Fails)).await;
    assert_eq!(job.await.expect_err("nothing is copied").code(), "copy-corrupt");
    assert_eq!(servers.told(), IN_ORDER);
}

#[tokio::test]
async fn they_are_started_again_when_it_is_cancelled() {
    let repository = repository().await;
    let servers = Arc::<Servers>::default();
    let job = started(&repository, &servers, Arc::new(Bad::Hangs)).await;
    let mut events = job.events();
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::StageStarted { .. }) {
            job.handle().cancel();
        }
    }
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
    assert_eq!(servers.told(), IN_ORDER);
}

#[tokio::test(start_paused = true)]
async fn they_are_started_again_when_its_job_is_dropped() {
    let repository = repository().await;
    let servers = Arc::<Servers>::default();
    let job = started(&repository, &servers, Arc::new(Bad::Hangs)).await;
    let mut events = job.events();
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::StageStarted { .. }) {
            break;
        }
    }
    drop(job);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(servers.told(), IN_ORDER);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_stops_is_an_error() {
    let servers = Arc::new(Servers { stubborn: BTreeSet::from(["b".to_owned()]), ..Servers::default() });
    let repository = repository().await;
    let began = tokio::time::Instant::now();
    let error = started(&repository, &servers, default_copiers()).await.await.expect_err("it never stops");
    assert_eq!(error.code(), "orchestrator");
    assert!(error.to_string().contains("`b`"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(660), "{:?}", began.elapsed());
    assert_eq!(servers.told(), ["stop another", "stop b", "start b", "start another"], "`a` was never asked to");
    assert!(repository.get("n1").await.is_err(), "nothing is backed up warm that was to be cold");
}

#[tokio::test]
async fn a_server_that_does_not_start_keeps_no_other_from_it() {
    let servers = Arc::new(Servers { broken: BTreeSet::from(["a".to_owned()]), ..Servers::default() });
    let repository = repository().await;
    let report = started(&repository, &servers, default_copiers()).await.await.expect("it is committed");
    assert_eq!(servers.told(), IN_ORDER);
    assert_eq!(report.status, BackupStatus::Complete);
    let todos: Vec<_> = report.todos.iter().map(|todo| (todo.code.clone(), todo.node.as_deref())).collect();
    assert_eq!(todos, [(FindingCode::ServersStopped, Some("a"))]);
    assert!(report.todos[0].message.contains("its disk is gone"), "{}", report.todos[0]);
    assert!(report.to_string().contains("to do [servers-stopped]: the server of node `a`"), "{report}");
    let listed = repository.list().await.expect("listed");
    assert_eq!(listed.iter().map(|backup| backup.state).collect::<Vec<_>>(), [BackupState::Complete]);
}

#[tokio::test]
async fn a_backup_that_fails_names_the_servers_that_are_still_stopped() {
    let servers = Arc::new(Servers { broken: ["a", "b"].map(str::to_owned).into(), ..Servers::default() });
    let job = started(&repository().await, &servers, Arc::new(Bad::Fails)).await;
    let handle = job.handle();
    let error = job.await.expect_err("nothing is copied");
    let report = handle.report(&error);
    assert_eq!(report.code, "copy-corrupt");
    let found: Vec<_> = report.findings.iter().map(|found| (found.code.clone(), found.node.as_deref())).collect();
    assert_eq!(found, [(FindingCode::ServersStopped, Some("a")), (FindingCode::ServersStopped, Some("b"))]);
}

#[tokio::test]
async fn a_refused_backup_stops_no_server() {
    let repository = repository().await;
    let servers = Arc::<Servers>::default();
    started(&repository, &servers, default_copiers()).await.await.expect("backed up");
    let again = Arc::<Servers>::default();
    let error = started(&repository, &again, default_copiers()).await.await.expect_err("it exists");
    assert_eq!((error.code(), again.told()), ("backup-exists", Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn an_orchestrator_that_is_silent_is_given_up() {
    for silent in ["stop", "stopped"] {
        let servers = Arc::new(Servers { silent: Some(silent), ..Servers::default() });
        let began = tokio::time::Instant::now();
        let error = started(&repository().await, &servers, default_copiers()).await.await.expect_err("no answer");
        assert_eq!(error.code(), "orchestrator", "{silent}");
        let stop_timeout = options().stop_timeout;
        assert!(began.elapsed() < stop_timeout + Duration::from_secs(1), "{silent}: {:?}", began.elapsed());
        assert_eq!(servers.told(), ["stop another", "start another"], "{silent}");
    }
    let servers = Arc::new(Servers { silent: Some("start"), ..Servers::default() });
    let report = started(&repository().await, &servers, default_copiers()).await.await.expect("it is committed");
    assert_eq!(servers.told(), IN_ORDER);
    let todos: Vec<_> = report.todos.iter().map(|todo| (todo.code.clone(), todo.node.as_deref())).collect();
    assert_eq!(todos, ["a", "b", "another"].map(|node| (FindingCode::ServersStopped, Some(node))));
}

#[tokio::test(start_paused = true)]
async fn an_orchestrator_that_is_silent_does_not_delay_cancellation() {
    for silent in ["stop", "stopped"] {
        let servers = Arc::new(Servers { silent: Some(silent), ..Servers::default() });
        let job = started(&repository().await, &servers, default_copiers()).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        job.handle().cancel();
        let ended = tokio::time::timeout(Duration::from_secs(1), job).await.expect(silent);
        assert_eq!(ended.expect_err("cancelled").code(), "cancelled", "{silent}");
        assert_eq!(servers.told(), ["stop another", "start another"], "{silent}");
    }
}
