//! Backups of simulated clusters while they live, fail and are written to: what was acknowledged before a backup began
//! is in it, nothing else is, and the certificate says what the world's own history shows.
//!
//! `INFLUX_BACKUP_SEEDS=2000` runs that many worlds, from `INFLUX_BACKUP_FIRST_SEED` on; `INFLUX_BACKUP_SEED=17` runs one.
#![cfg(feature = "testing")]

mod seeds;
mod worlds;

use std::{collections::BTreeMap, time::Duration};

use influx_backup_core::{Clause, Finding, FindingCode, Key, backup::Rules};
use seeds::{in_parallel, seeds};
use worlds::{Ending, World, Wrong, explain::Knowledge, let_live, run};

/// How many worlds are run by default; CI runs 2,000 in an optimized build.
const SEEDS: u64 = 60;

/// Worlds that `make soak` found: a catalog log was listed and went before its copy; a file counted as absent that was newer
/// than the listing which lacked it. And sources that were called corrupt because a file was written again after its copy
/// and then superseded.
const ONCE_WRONG: [u64; 4] = [23_644_421_336_170, 23_644_421_335_846, 644, 4327];

#[test]
fn what_once_was_wrong_is_right() {
    for seed in ONCE_WRONG {
        run(seed, &World::of(seed), &Rules::STANDARD)
            .unwrap_or_else(|wrong| panic!("{}\n    {wrong}", reproduction(seed)));
    }
}

/// What is said of objects that are there, and do not move, is made up: every violation that a world can explain, of a world
/// where it is not so.
#[test]
fn what_a_world_does_not_show_is_made_up() {
    for seed in [1, 5] {
        let now = Duration::from_secs(5);
        let model = let_live(seed, &World::of(seed), now);
        let history = model.history();
        let knowledge = Knowledge { model: &model, objects: &history.objects, began: now };
        let tree = history.objects.tree(now);
        assert!(tree.len() > 50, "{}", tree.len());
        for (key, bytes) in &tree {
            let node = key.split('/').next().unwrap_or_default();
            let size = bytes.len();
            let more = bytes.len() + 1;
            let number =
                key.rsplit('/').next().and_then(|name| name.split('.').next()?.parse::<u64>().ok()).unwrap_or(1);
            let size = Some(size as u64);
            let more = Some(more as u64);
            let number = Some(number);
            let reported = [
                (Clause::Closure, FindingCode::MissingParquet, None, None),
                (Clause::Closure, FindingCode::WrongSizeParquet, more, size),
                (Clause::Closure, FindingCode::WrongSizeParquet, size, more),
                (Clause::Closure, FindingCode::MostParquetMissing, Some(3), Some(1)),
                (Clause::Manifests, FindingCode::MissingManifest, None, None),
                (Clause::Manifests, FindingCode::NoManifests, None, None),
                (Clause::Wal, FindingCode::MissingWal, number, number),
                (Clause::Catalog, FindingCode::NoLiveCatalog, None, None),
                (Clause::Catalog, FindingCode::CatalogWentBack, None, None),
                (Clause::Catalog, FindingCode::OldCatalog, number, None),
                (Clause::Catalog, FindingCode::MissingCatalogLog, None, None),
                (Clause::Catalog, FindingCode::CatalogGap, number, None),
                (Clause::Catalog, FindingCode::CorruptCatalog, None, None),
                (Clause::Checkpoints, FindingCode::MissingCheckpoint, None, None),
                (Clause::Stability, FindingCode::ListedNotHeld, None, None),
                (Clause::Stability, FindingCode::CompactorMoved, None, None),
                (Clause::Stability, FindingCode::MostParquetMissing, None, None),
                (Clause::Compactor, FindingCode::MissingCompactorFile, None, None),
                (Clause::Compactor, FindingCode::OtherCompactorFile, None, None),
                (Clause::Compactor, FindingCode::CompactorActive, None, None),
                (Clause::Nodes, FindingCode::NodeAppeared, None, None),
            ];
            for (clause, code, expected, found) in reported {
                let mut violation = Finding::new(code, "").with_clause(clause).with_node(node);
                violation.key = Key::parse(key).ok();
                match (&violation.code, expected, found) {
                    (FindingCode::MissingWal, Some(first), Some(last)) => violation = violation.with_range(first, last),
                    _ => violation = violation.with_numbers(expected, found),
                }
                assert!(!knowledge.explains(&violation, &(now..=now)), "seed {seed}: {clause} {violation:?}");
            }
        }
    }
}

/// A failing seed is worth something: its world is the same in every run, and so is what the backup does in it.
#[test]
fn a_seed_ends_the_same_in_every_run() {
    let run_all = || {
        in_parallel(0..SEEDS, |seed| run(seed, &World::of(seed), &Rules::STANDARD))
            .into_iter()
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(run_all(), run_all());
}

/// Writes that were given up and made again arrive half a minute later: without the wait for them, they spoil backups.
#[test]
fn late_arrivals_spoil_backups_that_do_not_wait_for_them() {
    let mut rules = Rules::STANDARD;
    rules.await_cut_off = false;
    // Every fourth world has such writes.
    let endings = in_parallel(0..SEEDS, |index| {
        let seed = 4 * index + 1;
        run(seed, &World::of(seed), &rules)
    });
    let wrong: Vec<_> = endings.into_iter().filter_map(|(_, ending)| ending.err()).collect();
    assert!(wrong.iter().any(|wrong| matches!(wrong, Wrong::Differs(_))), "the worlds do not bite: {wrong:?}");
}

/// What shows one failing world again.
fn reproduction(seed: u64) -> String {
    seeds::reproduction(seed, "--no-default-features --features testing", "simulated_worlds nothing_acknowledged")
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_made_up() {
    let endings = in_parallel(seeds(SEEDS), |seed| run(seed, &World::of(seed), &Rules::STANDARD));
    let failures = endings.iter().filter_map(|(seed, ending)| Some((seed, ending.as_ref().err()?)));
    let failures: Vec<_> = failures.map(|(seed, wrong)| format!("{}\n    {wrong}", reproduction(*seed))).collect();
    assert!(failures.is_empty(), "{} of {} worlds:\n{}", failures.len(), endings.len(), failures.join("\n"));

    let mut open = Vec::new();
    let mut several = 0;
    let mut seen = BTreeMap::new();
    for (seed, ending) in &endings {
        match ending {
            Ok(Ending::Closed { passes, seen: here }) => {
                several += usize::from(*passes > 1);
                for (what, times) in here {
                    *seen.entry(what).or_insert(0) += times;
                }
            }
            Ok(Ending::Open { violations }) => open.push((seed, violations)),
            Err(_) => {}
        }
    }
    if endings.len() >= 20 {
        assert!(several > 0, "no world needed a second pass: the worlds do not bite");
    }
    if endings.len() >= 1000 {
        // Each of these is right, and no backup: an engine that gives up early would be right, too.
        assert!(
            open.len() * 100 <= endings.len(),
            "{} of {} backups did not close: {open:?}",
            open.len(),
            endings.len()
        );
        let never: Vec<_> = seen.iter().filter(|(_, times)| **times == 0).map(|(what, _)| what).collect();
        assert!(never.is_empty(), "no backup lived through {never:?}: {seen:?}");
    }
}
