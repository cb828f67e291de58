//! The worlds bite: a backup in the documented order loses rows, a copy of one instant never does.

use object_store::{ObjectStoreExt, memory::InMemory};

use super::{
    read_back::{LoadError, LoadedRows, Tree, collect, load},
    *,
};
use futures::TryStreamExt;
use influx_backup_core::testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule as FaultRule, Scope, When};

const SEEDS: u64 = 200;

/// A world that runs while a backup is taken.
struct Running {
    model: Model,
    bucket: Arc<InMemory>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn prefix() -> Path {
    Path::from("bucket/data")
}

impl Running {
    fn start(seed: u64, options: ModelOptions) -> Self {
        let model = Model::new(seed, options);
        let bucket = Arc::new(InMemory::new());
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let model = model.clone();
            let bucket = Arc::clone(&bucket);
            let stop = stop.clone();
            async move { model.run(bucket, prefix(), stop).await }
        });
        Self { model, bucket, stop, task }
    }

    async fn end(self) -> History {
        self.stop.cancel();
        self.task.await.expect("the model does not panic");
        self.model.history()
    }
}

/// One run in its own runtime with a paused clock.
fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(run)
}

/// Lists each directory and copies what it lists, one after another, `pause` an object; what is gone by then is skipped.
async fn copy_in_order(bucket: &InMemory, directories: &[String], pause: Duration) -> Tree {
    let mut tree = Tree::new();
    for directory in directories {
        let listed: Vec<_> =
            bucket.list(Some(&Path::from(format!("{}/{directory}", prefix())))).try_collect().await.expect("lists");
        for meta in listed {
            tokio::time::sleep(pause).await;
            let Ok(found) = bucket.get(&meta.location).await else { continue };
            let key = meta.location.as_ref().strip_prefix("bucket/data/").expect("below the prefix");
            tree.insert(key.to_owned(), found.bytes().await.expect("memory answers"));
        }
        let file = Path::from(format!("{}/{directory}", prefix()));
        if let Ok(found) = bucket.get(&file).await {
            tree.insert(directory.clone(), found.bytes().await.expect("memory answers"));
        }
    }
    tree
}

/// The order of the public documentation; with a fence, each node's WAL and checkpoints come first.
fn documented(model: &Model, fence: bool) -> Vec<String> {
    let mut order = Vec::new();
    let compactor = model.compactor_id().map(str::to_owned);
    for kind in ["cs", "cd", "c"] {
        order.extend(compactor.iter().map(|id| format!("{id}/{kind}")));
    }
    let kinds: &[&str] =
        if fence { &["wal", "snapshot-checkpoints", "snapshots", "dbs"] } else { &["snapshots", "dbs", "wal"] };
    for node in model.node_ids() {
        order.extend(kinds.iter().map(|kind| format!("{node}/{kind}")));
    }
    let catalog = ["catalog/v2", "catalogs", "_catalog_checkpoint", "catalog/v3", "enterprise", "commercial_license"];
    order.extend(catalog.map(|name| format!("{}/{name}", model.cluster_id())));
    order
}

#[derive(Debug)]
enum Verdict {
    Whole,
    DoesNotStart(#[expect(dead_code, reason = "shown where a test fails")] LoadError),
    Broken(Violation),
}

fn judge(history: &History, began: Duration, ended: Duration, tree: &Tree) -> Verdict {
    match load(tree) {
        Err(error) => Verdict::DoesNotStart(error),
        Ok(restored) => match invariant(history, began, ended, &restored, &restored.reached()) {
            Ok(()) => Verdict::Whole,
            Err(violation) => Verdict::Broken(violation),
        },
    }
}

async fn naive(seed: u64, fence: bool) -> Verdict {
    let running = Running::start(seed, ModelOptions::default());
    tokio::time::sleep(running.model.suggested_start()).await;
    let began = running.model.now();
    let tree =
        copy_in_order(&running.bucket, &documented(&running.model, fence), Duration::from_millis(5 + seed % 4 * 10))
            .await;
    let ended = running.model.now();
    judge(&running.end().await, began, ended, &tree)
}

#[test]
fn a_copy_of_one_instant_is_whole_at_every_seed() {
    let mut happened: BTreeMap<Behavior, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let options = if seed % 5 == 0 { ModelOptions::core() } else { ModelOptions::default() };
        in_virtual_time(async {
            let running = Running::start(seed, options);
            // Four instants of every world, the last of them near its end.
            for _ in 0..4 {
                tokio::time::sleep(running.model.suggested_start()).await;
                let now = running.model.now();
                let tree = collect(running.bucket.as_ref(), &prefix()).await.expect("memory answers");
                let history = running.model.history();
                assert!(history.objects.tree(now) == tree, "seed {seed} at {now:?}: the chronicle differs");
                let verdict = judge(&history, now, now, &tree);
                assert!(matches!(verdict, Verdict::Whole), "seed {seed} at {now:?}: {verdict:?}");
            }
            for (behavior, times) in running.end().await.happened {
                *happened.entry(behavior).or_default() += times;
            }
        });
    }
    for behavior in Behavior::ALL {
        assert!(happened.get(&behavior).is_some_and(|times| *times > 5), "{behavior:?} is too rare: {happened:?}");
    }
}

#[test]
fn the_documented_order_loses_rows_and_a_fence_alone_is_not_enough() {
    let count = |fence| {
        let verdicts: Vec<_> = (0..SEEDS).map(|seed| in_virtual_time(naive(seed, fence))).collect();
        verdicts.into_iter().filter(|verdict| matches!(verdict, Verdict::Broken(Violation::Lost { .. }))).count()
    };
    let documented = count(false);
    let fenced = count(true);
    assert!(documented > 20, "only {documented} of {SEEDS} worlds bite");
    assert!(fenced > 0, "one pass with a fence is whole: compaction never bit");
    assert!(fenced * 2 < documented, "a fence does not help: {fenced} of {documented}");
}

#[test]
fn the_same_seed_is_the_same_world() {
    async fn run(seed: u64) -> (History, Tree) {
        let running = Running::start(seed, ModelOptions::default());
        tokio::time::sleep(Duration::from_secs(3)).await;
        let tree = collect(running.bucket.as_ref(), &prefix()).await.expect("memory answers");
        (running.end().await, tree)
    }
    let first = in_virtual_time(run(11));
    assert!(first.0.rows.len() > 50 && first.1.len() > 50);
    assert_eq!(first, in_virtual_time(run(11)));
    assert_ne!(first.0, in_virtual_time(run(12)).0);
}

#[test]
fn a_world_goes_quiet_after_about_its_objects() {
    for seed in 0..20 {
        let (history, objects) = in_virtual_time(async {
            let running = Running::start(seed, ModelOptions::default());
            tokio::time::sleep(Duration::from_secs(600)).await;
            assert!(running.task.is_finished(), "seed {seed}");
            let tree = collect(running.bucket.as_ref(), &prefix()).await.expect("memory answers");
            (running.end().await, tree.len())
        });
        assert!(history.rows.len() > 100, "seed {seed}");
        assert!((20..=350).contains(&objects), "seed {seed}: {objects}");
    }
}

/// What the reader must notice: each of these changes to a whole tree makes it refuse, or lose rows.
#[test]
fn the_reader_notices_what_a_server_would() {
    let tree = in_virtual_time(async {
        let options = ModelOptions {
            behaviors: BTreeSet::from([Behavior::SchemaChange, Behavior::Checkpoint]),
            ..ModelOptions::core()
        };
        let running = Running::start(3, options);
        tokio::time::sleep(Duration::from_secs(6)).await;
        let tree = collect(running.bucket.as_ref(), &prefix()).await.expect("memory answers");
        running.end().await;
        tree
    });
    let whole = load(&tree).expect("whole");
    let node = &whole.nodes["node1"];
    assert!(node.snapshot.is_some() && node.reached > node.covered && whole.missing.is_empty(), "{node:?}");
    let without = |part: &str| {
        load(&tree.iter().filter(|(key, _)| !key.contains(part)).map(|(k, b)| (k.clone(), b.clone())).collect())
    };
    let fewer = |loaded: Result<LoadedRows, LoadError>| loaded.expect("starts").rows.len() < whole.rows.len();
    assert!(fewer(without("/wal/")));
    assert!(fewer(without("/dbs/")));
    assert_eq!(without("/catalog"), Err(LoadError::NoCatalog));
    assert!(matches!(without("snapshot-checkpoints"), Ok(loaded) if loaded.rows == whole.rows), "derived");
    // The newest manifest (names are inverted), but the newest WAL file and Parquet file.
    let changed = |part: &str, change: &dyn Fn(&Bytes) -> Bytes| {
        let mut tree = tree.clone();
        let mut of_kind: Vec<String> = tree.keys().filter(|key| key.contains(part)).cloned().collect();
        if part == "/wal/" || part == "/dbs/" {
            of_kind.reverse();
        }
        tree.entry(of_kind.swap_remove(0)).and_modify(|bytes| *bytes = change(bytes));
        load(&tree)
    };
    let cut = |bytes: &Bytes| bytes.slice(..bytes.len() - 1);
    assert!(changed("/snapshots/", &|_| Bytes::new()).is_err());
    let root = if tree.contains_key("node1/_catalog_checkpoint") { "_catalog_checkpoint" } else { "/snapshot" };
    assert!(changed(root, &cut).is_err());
    assert_eq!(changed("/wal/", &cut).expect("skips it").nodes["node1"].damaged.len(), 1);
    assert_eq!(changed("/dbs/", &cut).expect("starts").unreadable.len(), 1);
}

#[test]
fn the_invariant_tells_every_violation() {
    let second = Duration::from_secs;
    let row = |id, wal, written, acknowledged| Row { id, node: "n".into(), table: 0, wal, written, acknowledged };
    let mut history = History {
        rows: vec![
            row(0, 1, second(1), Some(second(2))),
            row(1, 2, second(3), Some(second(4))),
            row(2, 3, second(9), None),
        ],
        tables: BTreeMap::from([(0, Table::default())]),
        ..History::default()
    };
    let loaded = |rows: &[u64]| LoadedRows { rows: rows.iter().copied().collect(), ..LoadedRows::default() };
    let check = |history: &History, rows: &[u64], reached| {
        invariant(history, second(5), second(6), &loaded(rows), &BTreeMap::from([("n".to_owned(), reached)]))
    };
    assert_eq!(check(&history, &[0, 1], 2), Ok(()));
    assert!(matches!(check(&history, &[0], 2), Err(Violation::Lost { rows, owed: 2, wal: 2, .. }) if rows == [1]));
    assert!(matches!(check(&history, &[0, 1], 1), Err(Violation::Beyond { row: 1, reached: Some(1), .. })));
    assert_eq!(check(&history, &[0, 1, 2], 3), Err(Violation::Unknown { row: 2 }));
    assert_eq!(check(&history, &[0, 1, 7], 3), Err(Violation::Unknown { row: 7 }));
    history.tables.insert(0, Table { drop_began: Some(second(5)), dropped: Some(second(5)), retention: None });
    assert_eq!(check(&history, &[], 2), Ok(()), "dropped before the backup ended");
    assert_eq!(check(&history, &[0], 2), Ok(()), "but not before it began");
    history.tables.insert(0, Table { drop_began: Some(second(3)), dropped: Some(second(4)), retention: None });
    assert_eq!(check(&history, &[0], 2), Err(Violation::Resurrected { row: 0, table: 0 }));
    history.tables.insert(0, Table { retention: Some(second(4)), ..Table::default() });
    assert!(
        matches!(check(&history, &[], 2), Err(Violation::Lost { rows, owed: 1, .. }) if rows == [1]),
        "row 0 expired"
    );
}

/// The rules that a backup may break, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// WAL is listed before manifests.
    Fence,
    /// Checkpoints are listed before manifests.
    CheckpointsFirst,
    /// `cs`, then `cd`, then `c`.
    SummariesFirst,
    /// `cs` and `cd` are the same when they are listed again after `c`.
    SummariesStable,
    /// The compactor's files are listed before the nodes'.
    CompactorFirst,
    /// The catalog's last listing comes after the last WAL listing.
    CatalogLast,
    /// The root is read before its logs, and again where it moved meanwhile.
    RootAgain,
    /// A file that is not there counts as absent only if an earlier pass's listing lacked it.
    Absence,
    /// What was listed and gone before its copy forces another pass.
    Vanished,
    /// What is overwritten or opaque is trimmed to the last pass's listing.
    Trim,
}

impl Rule {
    const ALL: [Self; 10] = [
        Self::Fence,
        Self::CheckpointsFirst,
        Self::SummariesFirst,
        Self::SummariesStable,
        Self::CompactorFirst,
        Self::CatalogLast,
        Self::RootAgain,
        Self::Absence,
        Self::Vanished,
        Self::Trim,
    ];
}

/// A throw-away backup by the rules of the design, to show that these worlds can be won, and that each rule is needed: passes in the
/// constant order of listings, everything copied right after its listing, until a pass misses nothing that is not explained.
struct Passes {
    model: Model,
    store: Arc<dyn ObjectStore>,
    pause: Duration,
    broken: Vec<Rule>,
    kept: BTreeMap<String, (Option<String>, Bytes)>,
    listed: BTreeSet<String>,
    vanished: usize,
}

impl Passes {
    fn new(model: &Model, store: Arc<dyn ObjectStore>, pause: Duration, broken: &[Rule]) -> Self {
        Self {
            model: model.clone(),
            store,
            pause,
            broken: broken.to_vec(),
            kept: BTreeMap::new(),
            listed: BTreeSet::new(),
            vanished: 0,
        }
    }

    fn breaks(&self, rule: Rule) -> bool {
        self.broken.contains(&rule)
    }

    async fn copy(&mut self, directory: &str) {
        let below = Path::from(format!("{}/{directory}", prefix()));
        tokio::time::sleep(self.pause).await;
        let listed: Vec<_> = self.store.list(Some(&below)).try_collect().await.expect("lists");
        for meta in listed {
            let key = meta.location.as_ref().strip_prefix("bucket/data/").expect("below the prefix").to_owned();
            self.listed.insert(key.clone());
            if self.kept.get(&key).is_some_and(|(version, _)| *version == meta.e_tag) {
                continue;
            }
            tokio::time::sleep(self.pause).await;
            match self.store.get(&meta.location).await {
                Ok(found) => {
                    let version = found.meta.e_tag.clone();
                    self.vanished += usize::from(version != meta.e_tag);
                    self.kept.insert(key, (version, found.bytes().await.expect("whole")));
                }
                Err(_) => self.vanished += 1,
            }
        }
    }

    async fn copy_root(&mut self, key: &str) -> Option<String> {
        let found = self.store.get(&Path::from(format!("{}/{key}", prefix()))).await.ok()?;
        let version = found.meta.e_tag.clone();
        self.listed.insert(key.to_owned());
        self.kept.insert(key.to_owned(), (version.clone(), found.bytes().await.expect("whole")));
        version
    }

    async fn copy_compactor(&mut self) {
        let Some(compactor) = self.model.compactor_id().map(str::to_owned) else { return };
        let kinds = if self.breaks(Rule::SummariesFirst) { ["c", "cd", "cs"] } else { ["cs", "cd", "c"] };
        for kind in kinds {
            self.copy(&format!("{compactor}/{kind}")).await;
        }
        if !self.breaks(Rule::SummariesStable) {
            self.vanished +=
                self.moved(&format!("{compactor}/cs")).await + self.moved(&format!("{compactor}/cd")).await;
        }
    }

    /// How many objects below `directory` are not as they were listed.
    async fn moved(&self, directory: &str) -> usize {
        let below = Path::from(format!("{}/{directory}", prefix()));
        let now: Vec<_> = self.store.list(Some(&below)).try_collect().await.expect("lists");
        let now: BTreeMap<_, _> = now.into_iter().map(|meta| (meta.location.to_string(), meta.e_tag)).collect();
        let prefix = format!("{directory}/");
        let before = self.listed.iter().filter(|key| key.starts_with(&prefix));
        let before: BTreeMap<_, _> = before
            .map(|key| (format!("bucket/data/{key}"), self.kept.get(key).and_then(|kept| kept.0.clone())))
            .collect();
        usize::from(now != before)
    }

    async fn copy_nodes(&mut self) {
        let kinds = if self.breaks(Rule::Fence) {
            ["snapshot-checkpoints", "snapshots", "dbs", "wal"]
        } else if self.breaks(Rule::CheckpointsFirst) {
            ["wal", "snapshots", "dbs", "snapshot-checkpoints"]
        } else {
            ["wal", "snapshot-checkpoints", "snapshots", "dbs"]
        };
        for node in self.model.node_ids().to_vec() {
            for kind in kinds {
                self.copy(&format!("{node}/{kind}")).await;
            }
        }
    }

    async fn copy_catalog(&mut self) {
        for generation in Generation::ALL.iter().copied() {
            let root = format!("{}/{}", self.model.cluster_id(), generation.root());
            let logs = format!("{}/{}", self.model.cluster_id(), generation.logs());
            let before = self.copy_root(&root).await;
            self.copy(&logs).await;
            if !self.breaks(Rule::RootAgain) {
                self.vanished += usize::from(self.copy_root(&root).await != before);
            }
        }
    }

    async fn pass(&mut self) {
        self.listed.clear();
        self.vanished = 0;
        if self.breaks(Rule::CatalogLast) {
            self.copy_catalog().await;
        }
        if !self.breaks(Rule::CompactorFirst) {
            self.copy_compactor().await;
        }
        self.copy_nodes().await;
        if self.breaks(Rule::CompactorFirst) {
            self.copy_compactor().await;
        }
        if !self.breaks(Rule::CatalogLast) {
            self.copy_catalog().await;
        }
    }

    /// What is overwritten or opaque as the last pass listed it; everything else from any pass.
    fn tree(&self) -> Tree {
        let stays = |key: &str| {
            let tail = key.split_once('/').map_or(key, |(_, tail)| tail);
            let once = ["wal/", "snapshots/", "dbs/"].iter().any(|kind| tail.starts_with(kind));
            once || self.breaks(Rule::Trim) || self.listed.contains(key)
        };
        self.kept.iter().filter(|(key, _)| stays(key)).map(|(key, (_, bytes))| (key.clone(), bytes.clone())).collect()
    }

    /// The tree when it closed, or `None` after many passes.
    async fn run(&mut self) -> Option<Tree> {
        let mut before: Option<BTreeSet<String>> = None;
        for _ in 0..15 {
            self.pass().await;
            let tree = self.tree();
            let lacked = |path: &String| before.as_ref().is_some_and(|listed| !listed.contains(path));
            let whole = match load(&tree) {
                Ok(loaded) => {
                    // What the compactor's files name does not count: they are opaque.
                    let mut gen1 = loaded.missing.iter().filter(|file| file.path.contains("/dbs/"));
                    let explained = gen1.all(|file| self.breaks(Rule::Absence) || lacked(&file.path));
                    explained && !loaded.unreadable.iter().any(|path| path.contains("/dbs/"))
                }
                Err(LoadError::Object { key, .. }) if ["/cs/", "/cd/", "/c/"].iter().any(|kind| key.contains(kind)) => {
                    true
                }
                Err(_) => self.breaks(Rule::RootAgain) || self.breaks(Rule::CatalogLast),
            };
            if whole && (self.vanished == 0 || self.breaks(Rule::Vanished)) {
                return Some(tree);
            }
            before = Some(self.listed.clone());
        }
        None
    }
}

/// `None` where the backup did not close. Half of the listings are slow ones.
fn by_the_rules(seed: u64, options: ModelOptions, broken: &[Rule]) -> Option<Verdict> {
    in_virtual_time(async {
        let running = Running::start(seed, options);
        tokio::time::sleep(running.model.suggested_start()).await;
        let began = running.model.now();
        let pause = Duration::from_millis(2 + seed * 7 % 60);
        let slow =
            FaultRule::new(Scope::of(Op::List), When::Chance(0.5), Fault::SlowList { page: 5, pause: pause / 4 });
        let store = FaultyStore::new(Arc::<InMemory>::clone(&running.bucket), FaultPlan::seeded(seed).with(slow));
        let tree = Passes::new(&running.model, Arc::new(store), pause, broken).run().await?;
        let ended = running.model.now();
        Some(judge(&running.end().await, began, ended, &tree))
    })
}

#[test]
fn the_rules_of_the_design_win_in_these_worlds() {
    let mut closed = 0;
    for seed in 0..SEEDS {
        if let Some(verdict) = by_the_rules(seed, ModelOptions::default(), &[]) {
            assert!(matches!(verdict, Verdict::Whole), "seed {seed}: {verdict:?}");
            closed += 1;
        }
    }
    assert!(closed > SEEDS * 9 / 10, "only {closed} of {SEEDS} closed");
}

/// A single node with few behaviors, where little else forces another pass.
fn only(behaviors: &[Behavior]) -> ModelOptions {
    let behaviors = behaviors.iter().copied().collect();
    ModelOptions { behaviors, habits: Habits::All, generation: Some(Generation::V3), ..ModelOptions::core() }
}

#[test]
fn each_rule_is_needed_in_these_worlds() {
    let ms = Duration::from_millis;
    for rule in Rule::ALL {
        // Where another rule covers for this one, that is broken, too, and must hold alone.
        let (options, other) = match rule {
            Rule::Absence => (ModelOptions { cleanup_wait: ms(20)..ms(300), ..ModelOptions::default() }, None),
            // A checkpoint that is too new names files that the backup lacks.
            Rule::CheckpointsFirst => (only(&[Behavior::Checkpoint]), Some(Rule::Absence)),
            // A busy catalog, and WAL that vanishes, which would force another pass.
            Rule::RootAgain => {
                let busy = only(&[Behavior::LogCollection, Behavior::SchemaChange]);
                (ModelOptions { pace: ms(20), latency: ms(1)..ms(4), ..busy }, Some(Rule::Vanished))
            }
            _ => (ModelOptions::default(), None),
        };
        let fails = |seed, broken: &[Rule]| {
            by_the_rules(seed, options.clone(), broken).is_some_and(|verdict| !matches!(verdict, Verdict::Whole))
        };
        let broken: Vec<Rule> = other.into_iter().chain([rule]).collect();
        let bites = (0..600).find(|seed| fails(*seed, &broken) && other.is_none_or(|other| !fails(*seed, &[other])));
        assert!(bites.is_some(), "no world of 600 needs {rule:?}");
    }
}
