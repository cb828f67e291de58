//! What a backup lived through: a proof by worlds is worth what happens in them.

use std::{collections::BTreeMap, time::Duration};

use influx_backup_core::{
    BackupReport,
    testing::fault::{Entry, Failure, Op, Outcome},
};
use influx_backup_testing::model::{Behavior, Hardship, Model};

/// How often each thing happened between begin and end of a backup; what did not is there with a zero.
pub(super) fn seen(
    report: &BackupReport,
    model: &Model,
    before: &BTreeMap<Behavior, u64>,
    source: &[Entry],
    began: Duration,
    ended: Duration,
) -> BTreeMap<String, u64> {
    let history = model.history();
    let mut seen = BTreeMap::new();
    for behavior in Behavior::ALL {
        let times = |happened: &BTreeMap<_, _>| happened.get(&behavior).copied().unwrap_or(0);
        seen.insert(format!("{behavior:?}"), times(&history.happened) - times(before));
    }
    let meanwhile = history.hardships.iter().filter(|(at, _)| (began..ended).contains(at));
    let mut count = |what: &str, times: usize| {
        seen.insert(what.to_owned(), times as u64);
    };
    let hardships =
        |is: &dyn Fn(Duration, Hardship) -> bool| meanwhile.clone().filter(|(at, what)| is(*at, *what)).count();
    count("a WAL number burned", hardships(&|_, what| what == Hardship::BurnedNumber));
    count("a snapshot that stores no manifest and trims", hardships(&|_, what| what == Hardship::TrimWithoutManifest));
    count("an expired file that no manifest lists", hardships(&|_, what| what == Hardship::ExpiredUnlisted));
    count("a node added", hardships(&|_, what| what == Hardship::NodeAdded));

    // Listings of the source, in the model's time.
    let listings = |part: &'static str| {
        let is_it = move |entry: &&Entry| entry.op == Op::List && entry.path.trim_end_matches('/').ends_with(part);
        source.iter().filter(is_it).map(move |entry| began + entry.at)
    };
    let between = |published: Duration, cleaned: Duration| {
        let compactor = listings("/cs").filter(|at| *at < published).max();
        compactor.is_some_and(|at| {
            let nodes = listings("/dbs").filter(|dbs| *dbs > at).min();
            nodes.is_some_and(|nodes| cleaned < nodes && !listings("/cs").any(|at| (published..nodes).contains(&at)))
        })
    };
    let cleaned = |at, what| matches!(what, Hardship::CleanedUp { published } if between(published, at));
    count("compaction and its cleanup between the listings of compactor and nodes", hardships(&cleaned));
    let caught = |at, what| match what {
        Hardship::Migrated { terminated } => {
            listings("/catalog").chain(listings("/catalogs")).any(|listing| (terminated..at).contains(&listing))
        }
        _ => false,
    };
    count("a catalog between terminator and new root", hardships(&caught));

    let outcomes = |is: &dyn Fn(&Entry) -> bool| source.iter().filter(|entry| is(entry)).count();
    count("a request refused with 503", outcomes(&|entry| entry.outcome == Outcome::Failed(Failure::Throttled)));
    count("a request unanswered", outcomes(&|entry| entry.outcome == Outcome::Failed(Failure::Unreachable)));
    count("a body cut", outcomes(&|entry| entry.op == Op::Get && entry.outcome == Outcome::Spoilt));
    count(
        "a listing slow, cut or doubled",
        outcomes(&|entry| entry.op == Op::List && entry.outcome == Outcome::Spoilt),
    );
    let vanished = report.passes.iter().map(|pass| pass.vanished).sum::<u64>();
    count("an object gone before its copy", usize::try_from(vanished).expect("few"));
    let changed = report.passes.iter().map(|pass| pass.changed).sum::<u64>();
    count("an object changed before its copy", usize::try_from(changed).expect("few"));
    seen
}
