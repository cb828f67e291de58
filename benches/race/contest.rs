//! [`Contest`]: the ways to do one work, in turns.

use std::{process::Command, time::Duration};

use influx_backup_benches::{Cost, median};

use super::{
    Result,
    ground::{Ground, Work},
    peers::Peer,
};

pub(crate) const PROGRAM: &str = "influx-backup";
pub(crate) const RELAXED: &str = "influx-backup, relaxed";

/// What came of a way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// The medians of its runs; where there is a store, with what that took of the processors.
    Measured(Cost, Option<Duration>),
    /// This machine has no such program.
    Missing,
    /// It said that it failed, or what it copied is not all.
    Failed,
}

/// A way to do the work.
#[derive(Debug)]
struct Way {
    name: &'static str,
    command: Option<Command>,
    costs: Vec<Cost>,
    /// What the store took of the processors meanwhile.
    store: Vec<Duration>,
    failed: bool,
}

/// The ways to do one work.
#[derive(Debug)]
pub(crate) struct Contest {
    work: Work,
    ways: Vec<Way>,
}

impl Contest {
    pub(crate) fn new(ground: &Ground<'_>, work: Work) -> Self {
        let way = |name, command| Way { name, command, costs: Vec::new(), store: Vec::new(), failed: false };
        let mut ways = vec![way(PROGRAM, Some(ground.program(work, "durable")))];
        // What is written to a store or read is not left to the system.
        if matches!(work, Work::FilesToFiles | Work::RestoreFiles | Work::RestoreFromStore) {
            ways.push(way(RELAXED, Some(ground.program(work, "relaxed"))));
        }
        let peers: &[Peer] = match work {
            Work::FilesToFiles | Work::RestoreFiles => &Peer::OF_FILES,
            Work::Verify => &[Peer::Cat],
            Work::FilesToStore | Work::RestoreFromStore | Work::WithinStore => &Peer::OF_STORES,
        };
        let [from, to] = ground.places(work);
        ways.extend(peers.iter().map(|peer| {
            let command = peer.version().map(|_| peer.command(&from, &to, ground.minio()));
            way(peer.name(), command)
        }));
        Self { work, ways }
    }

    /// Runs all ways in turns, and says what came of each.
    pub(crate) fn run(mut self, rounds: usize, ground: &mut Ground<'_>) -> Result<Vec<(&'static str, Outcome)>> {
        for round in 0..rounds {
            self.ways.rotate_left(usize::from(round > 0));
            for way in &mut self.ways {
                let Some(command) = &mut way.command else { continue };
                if way.failed {
                    continue;
                }
                ground.clear_copy(self.work)?;
                match Cost::of(command) {
                    Ok(cost) if ground.is_copied(self.work)? => {
                        eprintln!("  {:<24} {cost}", way.name);
                        way.costs.push(cost);
                        way.store.extend(ground.store_took());
                    }
                    Ok(_) => {
                        eprintln!("  {:<24} did not copy everything", way.name);
                        way.failed = true;
                    }
                    Err(error) => {
                        eprintln!("  {:<24} failed: {error}", way.name);
                        way.failed = true;
                    }
                }
            }
        }
        ground.clear_copy(self.work)?;
        Ok(self.ways.iter().map(|way| (way.name, way.outcome())).collect())
    }
}

impl Way {
    fn outcome(&self) -> Outcome {
        match Cost::median(&self.costs) {
            _ if self.command.is_none() => Outcome::Missing,
            Some(cost) if !self.failed => Outcome::Measured(cost, median(&self.store)),
            _ => Outcome::Failed,
        }
    }
}
