//! Rolls a cluster that runs under Docker Compose back to a backup: stops its services in the right order, restores,
//! starts them again.
//!
//! ```text
//! cargo run --example docker -- examples/docker/compose.yaml /backups monday examples/docker/data
//! ```

#![allow(clippy::print_stdout)]

mod compose;

use std::{error::Error, sync::Arc};

use influx_backup_core::{Event, Location, Repository, RestoreOptions, RestorePlan, StoreOptions, Target, restore};

use self::compose::Compose;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, repository, name, data] = arguments.as_slice() else {
        return Err("usage: docker COMPOSE_FILE REPOSITORY NAME DATA_DIRECTORY".into());
    };
    let repository = Repository::open(Location::parse(repository, &StoreOptions::from_env())?).await?;
    let backup = repository.get(name).await?;
    let target = Target::inspect(&Location::parse(data, &StoreOptions::default())?).await?;
    let plan = RestorePlan::new(&backup, &target, &RestoreOptions::replace())?;
    println!("{plan}");

    let mut job = restore(plan).with_orchestrator(Arc::new(Compose::new(file))).start();
    while let Some(event) = job.next_event().await {
        match event {
            Event::NodeStopped { node } => println!("{node} stopped"),
            Event::NodeStarted { node } => println!("{node} started"),
            Event::Finding(finding) => println!("{}: {finding}", finding.severity),
            _ => {}
        }
    }
    let report = job.await?;
    println!("{} objects restored to {}", report.objects, report.target);
    Ok(())
}
