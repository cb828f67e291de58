//! Every rule of a backup and every clause of its certificate, turned off: something breaks, or the table has the reason why nothing can.
//!
//! A rule that another one covers is turned off together with its cover, in a world where the cover alone can be spared.
#![cfg(feature = "testing")]

#[path = "../meddling/mod.rs"]
mod meddling;
mod scenes;
#[path = "../seeds/mod.rs"]
mod seeds;
mod weakness;
#[path = "../worlds/mod.rs"]
mod worlds;

use std::{pin::Pin, time::Duration};

use influx_backup_core::{Clause, Generation};
use influx_backup_testing::model::{Behavior, Habits, ModelOptions, Violation};

use seeds::in_parallel;
use weakness::{
    Weakness::{
        self, AnyAbsence, CatalogAsPlanned, CatalogFirst, CatalogOnce, CheckpointsLast, CompactorLast, CompactorOnce,
        DocumentedOrder, ForgivesVanished, Ignores, KeepsCheckpoints, KeepsOutdated, KeepsOverwritten, KeepsWal,
        NoTopUp, ParquetFirst, RootsFirst, SummariesLast,
    },
    rules_without,
};
use worlds::{Weather, World, Wrong, run};

/// One rule, and how it is shown that it is needed.
struct Rule {
    /// As the design says it.
    says: &'static str,
    /// What turns it off; rules that no hook turns off have a scene.
    off: Option<Weakness>,
    shown: Shown,
}

enum Shown {
    /// In a world of this kind, from this seed on, a backup without the rule and its covers is wrong in this way. Without the
    /// covers alone all worlds up to there are right.
    World { kind: fn() -> World, covers: &'static [Weakness], sign: Sign, from: u64 },
    /// In a scene made by hand.
    Scene(Scene),
}

type Scene = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// How a backup is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Rows that it owes are not there.
    Lost,
    /// Rows are there that lie beyond the recovery point.
    Beyond,
    /// No server starts on it.
    DoesNotStart,
    /// It shows something else than its certificate says.
    Certificate,
}

impl Sign {
    const fn of(wrong: &Wrong) -> Option<Self> {
        match wrong {
            Wrong::Rows(Violation::Lost { .. }) => Some(Self::Lost),
            Wrong::Rows(Violation::Beyond { .. }) => Some(Self::Beyond),
            Wrong::DoesNotStart(_) => Some(Self::DoesNotStart),
            Wrong::Certificate(_) => Some(Self::Certificate),
            Wrong::Rows(_) | Wrong::Failed(_) | Wrong::Differs(_) | Wrong::MadeUp(_) => None,
        }
    }
}
/// The habits of worlds in which one thing happens and little else forces another pass.
fn only(options: ModelOptions, habits: &[Behavior]) -> ModelOptions {
    let behaviors = habits.iter().copied().collect();
    ModelOptions { behaviors, habits: Habits::All, generation: Some(Generation::V3), ..options }
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// As CI runs them.
fn mixed() -> World {
    World { options: ModelOptions::default(), weather: Weather::BadDay }
}

/// One node that flushes and snapshots; all copies and half of the listings take a while.
fn plain() -> World {
    World { options: only(ModelOptions::core(), &[]), weather: Weather::Slow }
}

/// The same with checkpoints.
fn checkpoints() -> World {
    World { options: only(ModelOptions::core(), &[Behavior::Checkpoint]), weather: Weather::Slow }
}

/// One node that is busy; so is its catalog, whose logs are collected.
fn busy_catalog() -> World {
    let options = only(ModelOptions::core(), &[Behavior::LogCollection, Behavior::SchemaChange]);
    let options = ModelOptions { pace: ms(20), latency: ms(1)..ms(4), ..options };
    World { options, weather: Weather::BadDay }
}

/// One node whose store answers soon.
fn quick_node() -> World {
    let options = only(ModelOptions::core(), &[Behavior::LogCollection, Behavior::SchemaChange]);
    World { options: ModelOptions { latency: ms(1)..ms(4), objects: 600, ..options }, weather: Weather::BadDay }
}

/// Compaction that cleans up soon.
fn compaction() -> World {
    let options = only(ModelOptions::default(), &[Behavior::Compaction]);
    World { options: ModelOptions { cleanup_wait: ms(20)..ms(300), ..options }, weather: Weather::BadDay }
}

/// Compaction that cleans up at once, of nodes that write twice as fast.
fn quick_compaction() -> World {
    let World { options, weather } = compaction();
    let options = ModelOptions { pace: ms(50), latency: ms(1)..ms(5), cleanup_wait: ms(1)..ms(50), ..options };
    World { options, weather }
}

/// The same under requests so slow that its files go between a listing and their copies.
fn slower_than_compaction() -> World {
    let World { options, weather } = quick_compaction();
    World { options: ModelOptions { latency: ms(1)..ms(10), ..options }, weather }
}

/// Quick compaction under slow listings.
fn quick_compaction_slowly() -> World {
    World { weather: Weather::Slow, ..quick_compaction() }
}

/// Compaction that follows right behind nodes that write as fast as they can.
fn furious_compaction() -> World {
    let World { options, weather } = quick_compaction_slowly();
    let options =
        ModelOptions { pace: ms(10), latency: ms(1)..ms(4), cleanup_wait: ms(1)..ms(20), objects: 800, ..options };
    World { options, weather }
}

/// A rule that worlds show.
const fn world(
    says: &'static str,
    off: Weakness,
    covers: &'static [Weakness],
    kind: fn() -> World,
    sign: Sign,
    from: u64,
) -> Rule {
    Rule { says, off: Some(off), shown: Shown::World { kind, covers, sign, from } }
}

/// A rule that a scene shows.
const fn scene(says: &'static str, off: Option<Weakness>, scene: Scene) -> Rule {
    Rule { says, off, shown: Shown::Scene(scene) }
}

/// Section 3 of the design, then section 4. A search in worlds begins right before the first seed that was seen to bite.
const RULES: &[Rule] = &[
    world("a WAL fence comes before the snapshots", DocumentedOrder, &[], quick_node, Sign::Lost, 5),
    world(
        "checkpoints come before the snapshots",
        CheckpointsLast,
        &[KeepsCheckpoints, Ignores(Clause::Checkpoints)],
        checkpoints,
        Sign::Certificate,
        89,
    ),
    world("snapshots come before dbs", ParquetFirst, &[], plain, Sign::Certificate, 5),
    scene("cs comes before cd, and cd before c", Some(SummariesLast), || {
        Box::pin(scenes::a_summary_is_not_held_without_its_files())
    }),
    world(
        "cs and cd are listed again after their files",
        CompactorOnce,
        &[ForgivesVanished],
        slower_than_compaction,
        Sign::Certificate,
        114,
    ),
    world("the compactor comes before the nodes", CompactorLast, &[NoTopUp], furious_compaction, Sign::Beyond, 17),
    world("the catalog comes after all WAL", CatalogFirst, &[CatalogAsPlanned], mixed, Sign::DoesNotStart, 91),
    scene("the catalog's roots are looked at after its logs", Some(RootsFirst), || {
        Box::pin(scenes::roots_are_looked_at_after_their_logs())
    }),
    world(
        "the catalog is read again where its root moved",
        CatalogOnce,
        &[Ignores(Clause::Catalog), Ignores(Clause::Stability)],
        mixed,
        Sign::DoesNotStart,
        1601,
    ),
    world("the catalog is listed again at its barrier", CatalogAsPlanned, &[], busy_catalog, Sign::DoesNotStart, 52),
    scene("the WAL is topped up at its barrier", Some(NoTopUp), || Box::pin(scenes::wal_is_topped_up())),
    world(
        "only a listing before the compactor's shows that a file is absent",
        AnyAbsence,
        &[Ignores(Clause::Compactor)],
        quick_compaction_slowly,
        Sign::Lost,
        7,
    ),
    scene("an object that is gone before its copy forces another pass", Some(ForgivesVanished), || {
        Box::pin(scenes::a_file_that_comes_back_is_held())
    }),
    scene("so does one that is newer than the listing before", None, || {
        Box::pin(scenes::a_new_file_that_comes_back_is_held())
    }),
    world("WAL is kept while it continues the fence", KeepsWal, &[], plain, Sign::Certificate, 3),
    world(
        "checkpoints are kept up to the cut",
        KeepsCheckpoints,
        &[CheckpointsLast, Ignores(Clause::Checkpoints)],
        checkpoints,
        Sign::Certificate,
        89,
    ),
    scene(
        "what is overwritten or opaque is the last listing; what left the source is deleted",
        Some(KeepsOverwritten),
        || Box::pin(scenes::what_left_the_source_is_not_kept()),
    ),
    scene("so is a file that its manifest names in another size", Some(KeepsOutdated), || {
        Box::pin(scenes::a_file_that_was_written_again_and_went_is_absent())
    }),
    scene("what could not be copied is deleted, too", None, || Box::pin(scenes::lost_answers_leave_nothing())),
    scene(
        "copies are pinned to the version listed",
        None,
        || Box::pin(scenes::a_copy_is_the_version_that_was_listed()),
    ),
    scene("the claim is create-only", None, || Box::pin(scenes::of_two_claims_one_wins())),
    scene("create-only is proved", None, || Box::pin(scenes::a_store_without_create_only_is_refused())),
    scene("the claim is checked again before the commit", None, || {
        Box::pin(scenes::the_claim_is_checked_before_the_commit())
    }),
    scene("staging names are never copied", None, || Box::pin(scenes::staging_names_are_not_copied())),
    scene("unknown keys are copied", None, || Box::pin(scenes::unknown_keys_are_copied())),
    scene("derived files: all three kinds or none", None, || Box::pin(scenes::derived_files_are_all_there_or_none())),
    world("C1", Ignores(Clause::Closure), &[], compaction, Sign::Certificate, 1),
    scene("C2", Some(Ignores(Clause::Manifests)), || Box::pin(scenes::manifests_are_what_they_say())),
    world("C3", Ignores(Clause::Wal), &[], plain, Sign::Lost, 13),
    scene("C4", Some(Ignores(Clause::Catalog)), || Box::pin(scenes::the_catalog_is_whole())),
    scene("C5", Some(Ignores(Clause::Checkpoints)), || Box::pin(scenes::checkpoints_fit_the_manifests())),
    scene("C6", Some(Ignores(Clause::Bytes)), || Box::pin(scenes::what_was_copied_is_still_there())),
    scene("C7", Some(Ignores(Clause::Stability)), || Box::pin(scenes::what_only_goes_on_does_not_go_back())),
    world("C8", Ignores(Clause::Compactor), &[AnyAbsence], quick_compaction_slowly, Sign::Lost, 7),
    scene("C9", Some(Ignores(Clause::Nodes)), || Box::pin(scenes::every_node_is_there())),
];

/// How many worlds a search looks at.
const SEEDS: u64 = 400;

impl Rule {
    /// Shows that it is needed, or says why it could not be shown.
    fn show(&self) -> Result<(), String> {
        match &self.shown {
            Shown::World { kind, covers, sign, from } => {
                let with = rules_without(covers.iter().copied());
                let without = rules_without(covers.iter().copied().chain(self.off));
                for seed in *from..from + SEEDS {
                    run(seed, &kind(), &with).map_err(|wrong| format!("seed {seed} is wrong with it: {wrong}"))?;
                    if run(seed, &kind(), &without).is_err_and(|wrong| Sign::of(&wrong) == Some(*sign)) {
                        return Ok(());
                    }
                }
                Err(format!("no world of {SEEDS} shows {sign:?}"))
            }
            Shown::Scene(scene) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                std::thread::scope(|scope| {
                    let played = scope.spawn(|| runtime.block_on(scene())).join();
                    played.map_err(|_| "its scene fails, as printed above".to_owned())
                })
            }
        }
    }
}

#[test]
fn every_rule_is_needed() {
    let shown = in_parallel(0..RULES.len() as u64, |index| {
        let rule = &RULES[usize::try_from(index).expect("small")];
        rule.show().map_err(|why| format!("{} ({:?}): {why}", rule.says, rule.off))
    });
    let missing: Vec<_> = shown.into_iter().filter_map(|(_, shown)| shown.err()).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_weakness_has_its_rule() {
    for weakness in Weakness::all() {
        let rules = RULES.iter().filter(|rule| rule.off == Some(weakness)).count();
        assert_eq!(rules, 1, "{weakness:?}");
    }
}
