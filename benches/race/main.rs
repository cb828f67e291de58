//! How fast the program is beside what a user would pick instead, and what both take of processors and memory.
//!
//! Each run is a process. All ways to do the same take turns, and each round begins with another, so that a slow moment of
//! the machine hits all of them; medians count.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod contest;
mod ground;
mod peers;
mod results;

use std::error::Error;

use clap::Parser;
use influx_backup_benches::Setup;

use self::{
    contest::Contest,
    ground::{Cluster, Ground, Work},
    results::Results,
};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    setup: Setup,
    /// How often each way runs.
    #[arg(long, env = "INFLUX_BACKUP_BENCH_ROUNDS", value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// How much is copied, in percent of the full form.
    #[arg(long, env = "INFLUX_BACKUP_BENCH_SCALE", value_name = "PERCENT", default_value_t = 100)]
    scale: u64,
    /// Only rows whose name contains one of these, such as "64 KiB" or "files → files".
    #[arg(long, env = "INFLUX_BACKUP_BENCH_ONLY", value_name = "TEXT,…", value_delimiter = ',', default_value = "")]
    only: Vec<String>,
}

fn main() -> Result {
    let Arguments { setup, rounds, scale, only } = Arguments::parse();
    let mut results = Results::new(setup.disk()?, rounds);
    for cluster in Cluster::ALL {
        let is_wanted = |row: &str| only.iter().any(|text| row.contains(text));
        let works: Vec<_> =
            Work::ALL.into_iter().filter(|&work| cluster.races(work) && is_wanted(&cluster.row(work))).collect();
        if works.is_empty() {
            continue;
        }
        let mut ground = Ground::new(&setup, cluster, scale)?;
        for work in works {
            let row = format!("{} ({})", cluster.row(work), ground.amount());
            eprintln!("{row}");
            match ground.prepare(work) {
                Ok(()) => results.add(work, row, Contest::new(&ground, work).run(rounds, &mut ground)?),
                // Where there is no MinIO.
                Err(why) => results.not_run(work, row, &*why),
            }
            // After each row: a run of an hour that ends early leaves what it measured.
            results.write(setup.results())?;
        }
    }
    println!("{results}");
    Ok(())
}
