//! Whatever cluster is backed up: copies are executed stage by stage, in the documented order, and no copy of a stage
//! begins before every copy of the stages before it has ended.
#![cfg(all(unix, feature = "testing"))]

mod generated;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use generated::World;
use influx_backup_core::{
    BackupOptions, BackupPlan, Copier, Generation, Limits,
    cluster::Edition,
    copier::{Copied, CopyContext, CopyRequest},
    default_copiers,
    error::CopyError,
    limits::Durability,
    plan::{StageKind, backup_order},
    record::BackupStatus,
    testing::generate::{Checkpoints, CompactorData, Derived, Generate, License},
};
use proptest::prelude::*;

/// Begin and end of every copy, in the order in which they happened.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Began(String),
    Ended(String),
}

#[derive(Debug)]
struct Recording {
    inner: Arc<dyn Copier>,
    steps: Mutex<Vec<Step>>,
}

impl Recording {
    fn record(&self, step: Step) {
        self.steps.lock().expect("not poisoned").push(step);
    }
}

#[async_trait]
impl Copier for Recording {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        self.record(Step::Began(request.target.to_string()));
        // Lets others go first, more or less often: copies overtake one another.
        for _ in 0..request.target.as_str().len() % 7 {
            tokio::task::yield_now().await;
        }
        let copied = self.inner.copy(request, context).await;
        self.record(Step::Ended(request.target.to_string()));
        copied
    }
}

fn clusters() -> impl Strategy<Value = Generate> {
    let shape = (1..5_u64, 0..6_u64, 0..4_u64, 0..6_u64, 0..4_u64, any::<u64>());
    let kind = (any::<bool>(), 0..3_usize, 1..4_usize, 0..3_u8, any::<bool>());
    (shape, kind).prop_map(
        |((snapshots, files, tail, covered, logs, seed), (core, generation, nodes, compactor, more))| {
            let cluster = if core {
                Generate::core("node1")
            } else {
                let cluster = Generate::enterprise("cluster1").nodes((1..=nodes).map(|number| format!("node{number}")));
                match compactor {
                    0 => cluster,
                    1 => cluster.compactor("compactor1", CompactorData::None),
                    _ => cluster.compactor("compactor1", CompactorData::Own),
                }
            };
            let cluster = cluster
                .catalog(Generation::ALL[generation])
                .snapshots(snapshots)
                .files_per_snapshot(files)
                .wal_tail(tail)
                .covered_wal_kept(covered)
                .catalog_logs(logs)
                .parquet_size(64)
                .seed(seed);
            if more {
                cluster
                    .checkpoints(Checkpoints::Monthly)
                    .derived(Derived::All)
                    .license(if core { License::None } else { License::Trial })
                    .unknown("node1/notes/today.txt")
            } else {
                cluster
            }
        },
    )
}

/// The place of an object's stage in the order of its edition, by the text of the documentation, not by the planner.
fn place(edition: Edition, key: &str) -> usize {
    let (owner, tail) = key.split_once('/').expect("an owner");
    let kind = match (owner, tail.split('/').next().expect("a segment")) {
        (_, "cs" | "cd" | "c") => StageKind::Compactor,
        // All of it is listed at the start: nothing writes more meanwhile.
        (_, "wal") => StageKind::WalFence,
        (_, "snapshot-checkpoints") => StageKind::SnapshotCheckpoints,
        (_, "snapshots") => StageKind::Snapshots,
        (_, "dbs") => StageKind::Parquet,
        (_, "catalog" | "catalogs" | "_catalog_checkpoint") => StageKind::Catalog,
        ("cluster1", "commercial_license" | "trial_or_home_license") => StageKind::Licenses,
        ("cluster1", _) => StageKind::ClusterRest,
        _ => StageKind::NodeRest,
    };
    backup_order(edition).iter().position(|stage| *stage == kind).expect("a stage of the edition")
}

/// Whether the steps are a linear extension of the plan.
fn check(steps: &[Step], place: impl Fn(&str) -> usize) -> Result<(), String> {
    let mut running: BTreeSet<&str> = BTreeSet::new();
    let mut stage = 0;
    for step in steps {
        match step {
            Step::Began(key) => {
                let now = place(key);
                if now < stage {
                    return Err(format!("`{key}` of stage {now} begins in stage {stage}"));
                }
                if now > stage && !running.is_empty() {
                    return Err(format!("`{key}` of stage {now} begins while {running:?} run"));
                }
                stage = now;
                running.insert(key);
            }
            Step::Ended(key) => {
                running.remove(key.as_str());
            }
        }
    }
    if running.is_empty() { Ok(()) } else { Err(format!("{running:?} never ended")) }
}

async fn run(cluster: &Generate, concurrency: usize) -> Result<(), TestCaseError> {
    let world = World::new(cluster);
    let found = world.cluster().await;
    let inventory = found.list().await.expect("listed");
    let copier = Arc::new(Recording { inner: default_copiers(), steps: Mutex::default() });
    let limits = Limits::default().with_concurrency(concurrency).with_durability(Durability::Relaxed);
    let options = BackupOptions::default().with_limits(limits);
    let plan = BackupPlan::new(found.description(), &inventory, options.derived);
    let kinds: Vec<_> = plan.stages().map(|stage| stage.kind).collect();
    prop_assert_eq!(kinds, backup_order(found.edition()));

    let report = world.back_up_with(options, Arc::<Recording>::clone(&copier)).await.expect("backed up");
    prop_assert_eq!(report.status, BackupStatus::Complete);
    let steps = copier.steps.lock().expect("not poisoned").clone();
    let began = steps.iter().filter_map(|step| match step {
        Step::Began(key) => Some(key.clone()),
        Step::Ended(_) => None,
    });
    let began: BTreeSet<_> = began.collect();
    let planned: BTreeSet<_> = plan.stages().flat_map(|stage| stage.keys()).map(|key| key.to_string()).collect();
    prop_assert_eq!(began, planned);
    prop_assert_eq!(steps.len() as u64, 2 * plan.objects(), "each once");
    check(&steps, |key| place(found.edition(), key)).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn execution_is_a_linear_extension_of_the_plan(cluster in clusters(), concurrency in 1..9_usize) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(run(&cluster, concurrency))?;
    }
}

#[test]
fn the_check_sees_what_it_is_for() {
    let began = |key: &str| Step::Began(key.to_owned());
    let ended = |key: &str| Step::Ended(key.to_owned());
    let place = |key: &str| usize::from(key == "b");
    assert_eq!(check(&[began("a"), ended("a"), began("b"), ended("b")], place), Ok(()));
    check(&[began("a"), began("b"), ended("a"), ended("b")], place).expect_err("before the barrier");
    check(&[began("b"), ended("b"), began("a"), ended("a")], place).expect_err("backwards");
    check(&[began("a")], place).expect_err("never ended");
}
