//! A restore that dies at any write: no server opens what is not whole, and a resumed one ends whole.
#![cfg(unix)]

mod crash;

use std::{path::Path, sync::Arc};

use influx_backup_core::{
    Backup, DiscoverOptions, Error, Key, Location, Repository, Restore, RestoreOptions, RestoreReport,
    RestoreRunOptions, Target, abandon, discover,
    location::Identity,
    location::interop::{
        self,
        object_store::{ObjectStore, memory::InMemory, path::Path as StorePath},
    },
    options::{Policy, Takeover},
    target::{Changes, Phase},
    testing::fault::{FaultPlan, FaultyStore},
};
use influx_backup_testing::loader::Verdict;

use crash::{Moment, NAME, Orders, Verb};

#[test]
#[ignore = "the other tests run it as a process of its own"]
fn a_process_of_its_own() {
    crash::run_if_ordered();
}

/// What is restored over what.
#[derive(Clone, Copy)]
enum Over {
    Nothing,
    /// A later state of the same cluster, which has to go.
    LaterState,
}

impl Over {
    const fn policy(self) -> Policy {
        match self {
            Self::Nothing => Policy::Empty,
            Self::LaterState => Policy::Replace,
        }
    }
}

fn options() -> RestoreRunOptions {
    RestoreRunOptions::servers_stopped().with_limits(crash::one_by_one())
}

async fn run(
    backup: &Backup,
    target: &Location,
    policy: Policy,
    options: &RestoreRunOptions,
) -> Result<RestoreReport, Error> {
    let restore = Restore::new(backup.clone(), target.clone(), RestoreOptions::default().with_policy(policy));
    restore.with_run_options(options.clone()).start().await
}

/// A backup of the small cluster in a repository.
async fn backed_up(source: &Location, repository: &Location) -> Backup {
    let cluster = discover(source, &DiscoverOptions::default()).await.expect("discovered");
    let opened = Repository::open(repository.clone()).await.expect("opened");
    opened.backup(&cluster, crash::options()).start().await.expect("backed up");
    opened.get(NAME).await.expect("committed")
}

/// A target as it was before the restore, as the restore leaves it, and as it is now.
struct Watched<'a> {
    backup: &'a Backup,
    target: Location,
    /// The target without anything between, and where it begins there.
    store: Arc<dyn ObjectStore>,
    before: &'a [Verdict],
}

impl Watched<'_> {
    /// No server opens anything but the old state, untouched, or the backup, whole.
    async fn nothing_half_done_boots(&self, when: &str) {
        let whole = verdicts_of(self.backup).await;
        let now = crash::verdicts(&self.store, &StorePath::default()).await;
        let unfinished = Target::inspect(&self.target).await.expect("inspected").unfinished;
        let untouched =
            unfinished.is_none_or(|begun| begun.phase != Phase::Releasing && begun.changes == Changes::None);
        for ((now, before), whole) in now.iter().zip(self.before).zip(&whole) {
            let refused = matches!(now, Verdict::WontStart { .. });
            assert!(refused || (untouched && now == before) || now == whole, "{when}: {now:?}");
        }
    }

    /// The target is the backup, and no file of the tool is left there.
    async fn is_restored(&self, when: &str) {
        assert_eq!(crash::verdicts(&self.store, &StorePath::default()).await, verdicts_of(self.backup).await, "{when}");
        assert_eq!(crash::content(&self.target).await, crash::content(self.backup.location()).await, "{when}");
        self.holds_no_file_of_the_tool(when).await;
    }

    async fn holds_no_file_of_the_tool(&self, when: &str) {
        let own = self.target.list("_influx_backup").await.expect("listed");
        assert!(own.is_empty(), "{when}: {own:?}");
        if let Some(directory) = self.target.directory() {
            assert_eq!(crash::staging(directory), Vec::<String>::new(), "{when}: left over");
        }
    }

    /// The claim of a dead process looks like that of a live one: others wait, or say that it is dead.
    async fn its_claim_keeps_others_out(&self, policy: Policy, when: &str) {
        let target = Target::inspect(&self.target).await.expect("inspected");
        if target.holder.is_none() {
            return;
        }
        let before = self.target.list("").await.expect("listed");
        for options in [options(), options().resuming()] {
            let refused = run(self.backup, &self.target, policy, &options).await.expect_err("it may be alive");
            assert_eq!(refused.code(), "restore-in-progress", "{when}: {refused}");
        }
        let refused = abandon(&self.target, influx_backup_core::options::AbandonOptions::default())
            .await
            .expect_err("it may be alive");
        assert_eq!(refused.code(), "restore-in-progress", "{when}: {refused}");
        assert_eq!(self.target.list("").await.expect("listed"), before, "{when}: untouched");
    }

    /// Restores again, to the end.
    async fn resumes(&self, policy: Policy, when: &str) {
        let begun = Target::inspect(&self.target).await.expect("inspected").unfinished.is_some();
        let options = options().with_takeover(Takeover::Immediately);
        let options = if begun { options.resuming() } else { options };
        match run(self.backup, &self.target, policy, &options).await {
            Ok(report) => {
                assert_eq!(report.objects, self.backup.objects().len() as u64, "{when}");
                let empty = self.target.directory().map(|directory| directory.join("_influx_backup"));
                assert!(
                    !empty.is_some_and(|empty| empty.exists()),
                    "{when}: an empty directory of the restore is left over"
                );
            }
            // It died after its end: what is restored is not empty any more.
            Err(error) => assert!(!begun && error.code() == "target-not-empty", "{when}: {error}"),
        }
        self.is_restored(when).await;
    }

    /// No directory was made that stayed empty, and none that was there is gone.
    fn has_the_directories_of(&self, other: &Location, when: &str) {
        if let (Some(this), Some(other)) = (self.target.directory(), other.directory()) {
            assert_eq!(crash::directories(this), crash::directories(other), "{when}");
        }
    }

    /// Abandons where that is promised: the target is what it was. Says whether it was promised.
    async fn is_abandoned(&self, before: &Location, when: &str) -> bool {
        let begun = Target::inspect(&self.target).await.expect("inspected").unfinished;
        let abandoned = abandon(
            &self.target,
            influx_backup_core::options::AbandonOptions::default().with_takeover(Takeover::Immediately),
        )
        .await;
        match begun.map(|begun| (begun.phase, begun.changes)) {
            Some((Phase::Guarding | Phase::Guarded, Changes::None)) => {
                abandoned.unwrap_or_else(|error| panic!("{when}: {error}"));
                assert_eq!(crash::content(&self.target).await, crash::content(before).await, "{when}");
                assert_eq!(crash::verdicts(&self.store, &StorePath::default()).await, self.before, "{when}");
                self.holds_no_file_of_the_tool(when).await;
                self.has_the_directories_of(before, when);
                true
            }
            Some(_) => {
                assert_eq!(abandoned.expect_err("data has changed").code(), "cannot-abandon", "{when}");
                false
            }
            None => {
                assert_eq!(abandoned.expect_err("nothing was begun").code(), "no-restore", "{when}");
                let own = self.target.list("_influx_backup/restore").await.expect("listed");
                assert!(own.iter().all(|entry| !entry.key.name().starts_with("claim-")), "{when}: {own:?}");
                false
            }
        }
    }
}

/// What servers make of the backup itself: it has the structure of the store.
async fn verdicts_of(backup: &Backup) -> Vec<Verdict> {
    let prefix = interop::path(backup.location(), &Key::parse("_influx_backup/x").expect("a key"));
    let own = prefix.as_ref().strip_suffix("_influx_backup/x").expect("below the backup").trim_end_matches('/');
    let whole = crash::verdicts(interop::store(backup.location()), &StorePath::from(own)).await;
    assert!(whole.iter().all(|verdict| verdict.clone().loaded().is_some_and(|loaded| loaded.is_whole())), "{whole:?}");
    whole
}

async fn in_memory(over: Over, plan: FaultPlan) -> (FaultyStore, Location) {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    if let Over::LaterState = over {
        crash::cluster(4).write_to(&inner, &StorePath::default()).await.expect("written");
    }
    let store = FaultyStore::new(inner, plan);
    let target = Location::with_store(Arc::new(store.clone()), StorePath::default(), Identity::Test);
    (store, target)
}

async fn a_store_that_dies(over: Over) {
    let source: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    crash::cluster(2).write_to(&source, &StorePath::default()).await.expect("written");
    let source = Location::with_store(source, StorePath::default(), Identity::Test);
    let backup = backed_up(&source, &Location::in_memory()).await;
    let (store, target) = in_memory(over, FaultPlan::none()).await;
    let before = crash::verdicts(&store.inner(), &StorePath::default()).await;
    run(&backup, &target, over.policy(), &options()).await.expect("undisturbed");
    let writes = store.log().iter().filter(|entry| entry.op.is_write()).count() as u64;
    let mut abandoned = 0;
    for write in 0..writes {
        let when = format!("died at write {write} of {writes}");
        let died = || async {
            let (store, target) = in_memory(over, FaultPlan::none().crash_after_writes(write)).await;
            run(&backup, &target, over.policy(), &options()).await.expect_err(&when);
            store.heal();
            Watched { backup: &backup, target, store: store.inner(), before: &before }
        };
        let watched = died().await;
        watched.nothing_half_done_boots(&when).await;
        watched.its_claim_keeps_others_out(over.policy(), &when).await;
        watched.resumes(over.policy(), &when).await;
        let (_, old) = in_memory(over, FaultPlan::none()).await;
        abandoned += u64::from(died().await.is_abandoned(&old, &when).await);
    }
    assert!(abandoned > 3, "{abandoned}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_dies_at_any_write_while_empty() {
    a_store_that_dies(Over::Nothing).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_dies_at_any_write_over_a_later_state() {
    a_store_that_dies(Over::LaterState).await;
}

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).expect("listed").next().is_none()
}

fn target_below(root: &Path, name: &str, over: Over) -> std::path::PathBuf {
    let target = root.join(name);
    match over {
        Over::Nothing => std::fs::create_dir(&target).expect("made"),
        Over::LaterState => drop(crash::cluster(4).generate_into(&target).expect("generated")),
    }
    target
}

async fn killed_at_every_write(over: Over, moment: Moment) {
    let root = tempfile::tempdir().expect("a directory");
    let source = root.path().join("source");
    let repository = root.path().join("repository");
    crash::cluster(2).generate_into(&source).expect("generated");
    let backup = backed_up(&crash::place(&source), &crash::place(&repository)).await;
    let outcome = root.path().join("outcome");
    let old = target_below(root.path(), "old", over);
    let before = crash::verdicts(&crash::store(&old), &StorePath::default()).await;
    let orders = |write: u64| {
        let target = target_below(root.path(), &format!("target-{write}"), over);
        let orders = Orders::new(Verb::Restore(over.policy()), &target, &repository, &outcome);
        (orders.dying_at(write, moment), target)
    };
    let undisturbed = orders(0).0.run().expect("lives");
    assert_eq!(undisturbed.code, "ok");
    assert!(undisturbed.writes > 30, "{undisturbed:?}");
    let mut abandoned = 0;
    for write in 1..=undisturbed.writes {
        let when = format!("killed {moment:?} write {write} of {}", undisturbed.writes);
        let (orders, target) = orders(write);
        let lived = orders.run();
        // A deletion has no middle.
        assert!(lived.is_none() || moment == Moment::Within, "{when}: {lived:?}");
        let place = crash::place(&target);
        let watched = Watched { backup: &backup, target: place, store: crash::store(&target), before: &before };
        watched.nothing_half_done_boots(&when).await;
        watched.its_claim_keeps_others_out(over.policy(), &when).await;
        // Every other one is undone first, where it can be.
        let undo = write % 2 == 0 && Target::inspect(&watched.target).await.expect("inspected").unfinished.is_some();
        if undo {
            abandoned += u64::from(watched.is_abandoned(&crash::place(&old), &when).await);
        }
        watched.resumes(over.policy(), &when).await;
        let empty = crash::directories(&target).into_iter().filter(|path| is_empty(&target.join(path)));
        let new: Vec<_> = empty.filter(|path| !old.join(path).exists()).collect();
        assert!(new.is_empty(), "{when}: {new:?} were made and stay empty");
        std::fs::remove_dir_all(target).expect("removed");
    }
    assert!(abandoned > 1, "{abandoned}");
}

#[tokio::test]
async fn a_process_killed_before_any_write_while_empty() {
    killed_at_every_write(Over::Nothing, Moment::Before).await;
}

#[tokio::test]
async fn a_process_killed_within_any_write_while_empty() {
    killed_at_every_write(Over::Nothing, Moment::Within).await;
}

#[tokio::test]
async fn a_process_killed_within_any_write_over_a_later_state() {
    killed_at_every_write(Over::LaterState, Moment::Within).await;
}

#[tokio::test]
async fn a_process_killed_after_any_write_over_a_later_state() {
    killed_at_every_write(Over::LaterState, Moment::After).await;
}
