//! A whole cluster that lives in virtual time: deterministic, seeded, small enough for thousands of runs.
//!
//! A [`Model`] writes what several ingesters, one compactor and a catalog write, in the orders in which real servers write it
//! (`reference/layout.md`, section 3), with interleavings, delays and accidents chosen by its seed. All waiting is
//! `tokio::time::sleep`: run it on a current-thread runtime with a paused clock. Rows are plain numbers; the [`History`] knows which were
//! acknowledged when and which were dropped or expired when. [`read_back`] says which rows a server would show from a tree, and
//! [`invariant`] whether that is what a backup owes.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use influx_backup_testing::model::{Model, ModelOptions, invariant, read_back};
//! # use object_store::{memory::InMemory, path::Path};
//! # use tokio_util::sync::CancellationToken;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let bucket = Arc::new(InMemory::new());
//! let model = Model::new(42, ModelOptions::default());
//! let stop = CancellationToken::new();
//! let running = tokio::spawn({
//!     let (model, bucket, stop) = (model.clone(), bucket.clone(), stop.clone());
//!     async move { model.run(bucket, Path::from("bucket"), stop).await }
//! });
//! tokio::time::sleep(model.suggested_start()).await;
//! let began = model.now();
//! let tree = read_back::collect(bucket.as_ref(), &Path::from("bucket")).await.expect("memory answers"); // the backup
//! let ended = model.now();
//! stop.cancel();
//! running.await.expect("the model does not panic");
//! let restored = read_back::load(&tree).expect("a server starts on it");
//! invariant(&model.history(), began, ended, &restored, &restored.reached()).expect("nothing is lost");
//! # }
//! ```
//!
//! What the model simplifies: catalog facts (a table is created, gets a column, is dropped) are written as databases with telling names
//! (`table-3`, `column-3-2`, `drop-3`), because the records of other changes are undocumented; one virtual second is a minute of data; WAL
//! bodies are JSON; and the compactor's files have a format of their own:
//!
//! - `cs/{number:020}.json`: `{"details": ["cd/…", …], "older_count": false}`; the one with the highest number names every detail in force;
//!   where it says that older ones count, those are in force as well while they exist (what real servers do is not public: the seed picks);
//! - `cd/{number:020}.json`: `{"generation": "c/….json"}`;
//! - `c/{aa}/{bb}/{number}.json`: `{"table": 3, "file": "c/….parquet", "supersedes": ["node/dbs/…", …]}`, and the Parquet file.
//!
//! They are written in the order Parquet, generation, detail, summary; what a summary replaces goes a cleanup wait later, summaries first.

mod catalog;
mod chronicle;
mod compactor;
mod hand;
mod history;
mod invariant;
mod node;
pub mod read_back;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use catalog::{Catalog, Change};
pub use chronicle::Chronicle;
use compactor::Compactor;
use futures::future::{BoxFuture, join_all};
use hand::{Hand, Write};
pub use history::{Hardship, History, Row, Table};
pub use invariant::{Violation, invariant};
use node::{Durable, Node};
use object_store::{ObjectStore, path::Path};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use influx_backup_core::layout::Generation;

/// Which edition a model imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// One node, whose prefix also holds the catalog; no compactor.
    Core,
    /// Several ingesters, one compactor, a cluster prefix.
    Enterprise,
}

/// What a model may do besides flushing, snapshotting and trimming. Whether and when it does is the seed's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Behavior {
    /// A WAL number is never written: its put failed too often, the rows were refused.
    BurnedNumber,
    /// A snapshot with nothing to persist stores no manifest and still trims the WAL.
    EmptySnapshot,
    /// Checkpoints with rotation, as servers from 3.8.2 write them.
    Checkpoint,
    /// Compaction with delayed cleanup.
    Compaction,
    /// Expired Parquet files are deleted; half of them no manifest ever lists as removed.
    Retention,
    /// A table is dropped; its files go before the manifest that lists them as removed.
    TableDrop,
    /// A node dies at any step and comes back: replay may write the same Parquet keys again, with other bytes.
    Crash,
    /// A table gets a column; WAL rows after it need that catalog log.
    SchemaChange,
    /// The catalog moves to the next generation: terminator, a pause, new root.
    Migration,
    /// A node joins after the others.
    NodeAdded,
    /// Catalog logs that the root contains are deleted (announced for later releases).
    LogCollection,
}

impl Behavior {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::BurnedNumber,
        Self::EmptySnapshot,
        Self::Checkpoint,
        Self::Compaction,
        Self::Retention,
        Self::TableDrop,
        Self::Crash,
        Self::SchemaChange,
        Self::Migration,
        Self::NodeAdded,
        Self::LogCollection,
    ];
}

/// The size and the habits of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOptions {
    /// Core or Enterprise.
    pub edition: Edition,
    /// The cluster goes quiet after about this many writes of objects.
    pub objects: usize,
    /// The mean time between two WAL flushes of a node.
    pub pace: Duration,
    /// How long an operation of a server on its store takes.
    pub latency: Range<Duration>,
    /// How long superseded files live on; the seed picks from this range.
    pub cleanup_wait: Range<Duration>,
    /// What may happen.
    pub behaviors: BTreeSet<Behavior>,
    /// Whether every world has all of `behaviors`.
    pub habits: Habits,
    /// The catalog's first generation; `None` where the seed picks.
    pub generation: Option<Generation>,
}

/// Which of the behaviors allowed a world has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habits {
    /// A mixture that the seed picks.
    Mixed,
    /// All of them.
    All,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            edition: Edition::Enterprise,
            objects: 300,
            pace: Duration::from_millis(100),
            latency: Duration::from_millis(1)..Duration::from_millis(20),
            cleanup_wait: Duration::from_millis(200)..Duration::from_secs(3),
            behaviors: Behavior::ALL.into(),
            habits: Habits::Mixed,
            generation: None,
        }
    }
}

impl ModelOptions {
    /// A single Core node.
    #[must_use]
    pub fn core() -> Self {
        Self { edition: Edition::Core, ..Self::default() }
    }

    /// The same without one behavior, to find out which of them a failing seed needs.
    #[must_use]
    pub fn without(mut self, behavior: Behavior) -> Self {
        self.behaviors.remove(&behavior);
        self
    }
}

/// A simulated cluster. Clones are the same cluster.
#[derive(Debug, Clone)]
pub struct Model {
    seed: u64,
    options: ModelOptions,
    nodes: Vec<String>,
    cluster: String,
    compactor: Option<String>,
    history: Arc<Mutex<History>>,
    began: Arc<OnceLock<Instant>>,
}

impl Model {
    /// The cluster of this seed. Nothing happens before [`run`](Self::run).
    #[must_use]
    pub fn new(seed: u64, options: ModelOptions) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ 0x006d_6f64_656c);
        let (nodes, cluster, compactor) = match options.edition {
            Edition::Core => (vec!["node1".to_owned()], "node1".to_owned(), None),
            Edition::Enterprise => {
                let nodes: Vec<String> = (0..rng.random_range(1..4)).map(|n| format!("ingest-{n}")).collect();
                // With mode `all` the compactor is a data node, too.
                let compactor = if rng.random_bool(0.3) { nodes[0].clone() } else { "compact".to_owned() };
                (nodes, "cluster1".to_owned(), Some(compactor))
            }
        };
        Self { seed, options, nodes, cluster, compactor, history: Arc::default(), began: Arc::default() }
    }

    /// The node ids of the ingesters, those included that join later.
    #[must_use]
    pub fn node_ids(&self) -> &[String] {
        &self.nodes
    }

    /// The prefix of the catalog: the cluster id, for Core the node id.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster
    }

    /// The node id of the compactor; one of the ingesters where that runs in mode `all`.
    #[must_use]
    pub fn compactor_id(&self) -> Option<&str> {
        self.compactor.as_deref()
    }

    /// A moment of the seed's choice at which a backup may begin: there is data then, and more to come.
    #[must_use]
    pub fn suggested_start(&self) -> Duration {
        let mut rng = StdRng::seed_from_u64(self.seed ^ 0x0073_7461_7274);
        self.options.pace.mul_f64(rng.random_range(3.0..35.0))
    }

    /// The cluster's time: how long ago its run began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.began.get().map(Instant::elapsed).unwrap_or_default()
    }

    /// What happened so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lives: writes into `store` below `prefix` until it is told to stop or has written as many objects as it may. Stops at once, in the
    /// middle of anything, like machines without power. A model runs once.
    pub async fn run(&self, store: Arc<dyn ObjectStore>, prefix: Path, stop: CancellationToken) {
        let began = *self.began.get_or_init(Instant::now);
        let mut rng = StdRng::seed_from_u64(self.seed);
        let world = Arc::new(World::new(self, store, prefix, began, &mut rng));
        stop.run_until_cancelled(world.live(&mut rng)).await;
    }
}

/// What all actors share.
#[derive(Debug)]
struct World {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    options: ModelOptions,
    /// The behaviors that this seed has.
    habits: BTreeSet<Behavior>,
    began: Instant,
    /// Nanoseconds since 1970 at which the data begins.
    epoch: i64,
    puts: AtomicUsize,
    history: Arc<Mutex<History>>,
    catalog: tokio::sync::Mutex<Catalog>,
    /// The catalog's sequence, readable while the catalog changes.
    sequence: AtomicU64,
    /// Tables that a node may write to, with their columns.
    tables: Mutex<BTreeMap<u32, u32>>,
    nodes: Vec<(String, Arc<Mutex<Durable>>)>,
    cluster: String,
    compactor: Option<String>,
}

impl World {
    fn new(model: &Model, store: Arc<dyn ObjectStore>, prefix: Path, began: Instant, rng: &mut StdRng) -> Self {
        let options = model.options.clone();
        // Rare accidents are in every world; what changes the whole picture is in some.
        let habits = options.behaviors.iter().copied().filter(|behavior| match behavior {
            _ if options.habits == Habits::All => true,
            Behavior::Migration => rng.random_bool(0.3),
            Behavior::LogCollection => rng.random_bool(0.5),
            Behavior::NodeAdded | Behavior::Checkpoint => rng.random_bool(0.6),
            _ => rng.random_bool(0.85),
        });
        let habits: BTreeSet<Behavior> = habits.collect();
        // Some worlds live through the end of a month.
        let epoch = if rng.random_bool(0.4) { 1_793_491_200 - rng.random_range(60..600) } else { 1_792_000_000 };
        let generation = options.generation.unwrap_or_else(|| match rng.random_range(0..10) {
            0 => Generation::V1,
            1..6 => Generation::V2,
            _ => Generation::V3,
        });
        Self {
            store,
            prefix: if prefix.as_ref().is_empty() { String::new() } else { format!("{prefix}/") },
            habits,
            began,
            epoch: epoch * 1_000_000_000,
            puts: AtomicUsize::new(0),
            history: Arc::clone(&model.history),
            catalog: tokio::sync::Mutex::new(Catalog::new(&model.cluster, generation, rng)),
            sequence: AtomicU64::new(0),
            tables: Mutex::default(),
            nodes: model.nodes.iter().map(|node| (node.clone(), Arc::default())).collect(),
            cluster: model.cluster.clone(),
            compactor: model.compactor.clone(),
            options,
        }
    }

    async fn live(self: &Arc<Self>, rng: &mut StdRng) {
        let mut admin = Hand::new(Arc::clone(self), rng.random());
        self.found(&mut admin).await;
        let mut actors: Vec<BoxFuture<'_, ()>> = Vec::new();
        for (index, (id, durable)) in self.nodes.iter().enumerate() {
            let late = index > 0 && index + 1 == self.nodes.len() && self.has(Behavior::NodeAdded);
            let joins = if late { self.options.pace.mul_f64(rng.random_range(2.0..40.0)) } else { Duration::ZERO };
            let node = Node::new(Hand::new(Arc::clone(self), rng.random()), id, Arc::clone(durable));
            actors.push(Box::pin(async move {
                tokio::time::sleep(joins).await;
                if late {
                    self.note(Behavior::NodeAdded);
                    self.endure(Hardship::NodeAdded);
                }
                node.live().await;
            }));
        }
        if let Some(compactor) = self.compactor.as_ref().filter(|_| self.has(Behavior::Compaction)) {
            let wait = self.options.cleanup_wait.clone();
            let wait = wait.start + wait.end.saturating_sub(wait.start).mul_f64(rng.random());
            actors.push(Box::pin(Compactor::new(Hand::new(Arc::clone(self), rng.random()), compactor, wait).live()));
        }
        if self.has(Behavior::Retention) {
            actors.push(Box::pin(node::retention(Hand::new(Arc::clone(self), rng.random()))));
        }
        actors.push(Box::pin(self.administrate(admin)));
        join_all(actors).await;
    }

    /// The first start: catalog root, license, the first tables.
    async fn found(&self, hand: &mut Hand) {
        catalog::found(self, hand).await;
        if self.options.edition == Edition::Enterprise {
            for (name, body) in [("enterprise", "{\"version\":1}"), ("commercial_license", "header.claims.signature")] {
                hand.put(&format!("{}/{name}", self.cluster), Bytes::from(body), Write::Overwrite, || ()).await.ok();
            }
        }
        if let Some(compactor) = self.compactor.as_ref().filter(|id| self.nodes.iter().all(|(node, _)| node != *id)) {
            catalog::change(self, hand, Change::Register(compactor.clone())).await.ok();
        }
        for _ in 0..hand.rng.random_range(1..4) {
            catalog::change(self, hand, Change::CreateTable).await.ok();
        }
    }

    /// New tables, columns, drops, a migration, changes of the Enterprise configuration.
    async fn administrate(&self, mut hand: Hand) {
        let mut migrates = self.has(Behavior::Migration);
        while !self.is_done() {
            hand.pause(self.options.pace..self.options.pace * 5).await;
            let table = self.pick_table(&mut hand.rng);
            match (hand.rng.random_range(0..10), table) {
                (0..2, _) => catalog::change(self, &mut hand, Change::CreateTable).await.ok(),
                (2..5, Some(table)) if self.has(Behavior::SchemaChange) => {
                    catalog::change(self, &mut hand, Change::AddColumn(table)).await.ok()
                }
                (5, Some(table)) if self.has(Behavior::TableDrop) && self.tables().len() > 1 => {
                    catalog::change(self, &mut hand, Change::Drop(table)).await.ok()
                }
                (6, _) if migrates => {
                    migrates = false;
                    catalog::migrate(self, &mut hand).await.ok()
                }
                (7, _) if self.options.edition == Edition::Enterprise => {
                    let body = format!("{{\"version\":{}}}", hand.rng.random_range(2..1000));
                    hand.put(&format!("{}/enterprise", self.cluster), Bytes::from(body), Write::Overwrite, || ())
                        .await
                        .ok()
                }
                _ => None,
            };
        }
    }

    fn has(&self, behavior: Behavior) -> bool {
        self.habits.contains(&behavior)
    }

    /// Counts that something happened, for tests that ask whether worlds contain it.
    fn note(&self, behavior: Behavior) {
        *self.history().happened.entry(behavior).or_default() += 1;
    }

    /// Remembers that something happened that is hard on a backup.
    fn endure(&self, hardship: Hardship) {
        let now = self.now();
        self.history().hardships.push((now, hardship));
    }

    fn is_done(&self) -> bool {
        self.puts.load(Ordering::SeqCst) >= self.options.objects
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables(&self) -> MutexGuard<'_, BTreeMap<u32, u32>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pick_table(&self, rng: &mut StdRng) -> Option<u32> {
        let tables = self.tables();
        let index = rng.random_range(0..tables.len().max(1));
        tables.keys().nth(index).copied()
    }

    /// A time of the cluster as its servers write it: nanoseconds since 1970, sixty times as fast.
    fn nanoseconds(&self, time: Duration) -> i64 {
        self.epoch + i64::try_from(time.as_nanos() * 60).unwrap_or(i64::MAX)
    }

    /// The start of the chunk, one minute long, that a time lies in.
    fn chunk(&self, time: Duration) -> i64 {
        let minute = 60_000_000_000;
        self.nanoseconds(time) / minute * minute
    }

    /// The month that a time lies in, `YYYY-MM`.
    fn month(&self, time: Duration) -> String {
        chrono::DateTime::from_timestamp_nanos(self.nanoseconds(time)).format("%Y-%m").to_string()
    }
}
