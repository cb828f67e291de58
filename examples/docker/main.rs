//! Rolls a cluster that runs under Docker Compose back to a backup: stops its services in the right order, restores,
//! starts them again.
//!
//! ```text
//! cargo run --example docker -- examples/docker/compose.yaml /backups monday examples/docker/data
//! ```

#![allow(clippy::print_stdout)]

mod compose;

use std::{error::Error, sync::Arc};

use influx_backup_core::{EventKind, Location, Repository, RestoreOptions, StoreOptions};

use self::compose::Compose;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, repository, name, data] = arguments.as_slice() else {
        return Err("usage: docker COMPOSE_FILE REPOSITORY NAME DATA_DIRECTORY".into());
    };
    let repository = Repository::open(Location::parse(repository, &StoreOptions::from_env())?).await?;
    let target = Location::parse(data, &StoreOptions::default())?;
    let options = RestoreOptions::replace();
    println!("{}", repository.plan_restore(name, &target, &options).await?);

    // Servers that are still running write until they are stopped: the plan is made again then, and may delete more.
    let restore = repository.restore_backup(name, &target, options);
    let job = restore.with_orchestrator(Arc::new(Compose::new(file))).start();
    let mut events = job.events();
    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::NodeStopped { node, .. } => println!("{node} stopped"),
            EventKind::NodeStarted { node, .. } => println!("{node} started"),
            EventKind::Finding(finding) => println!("{}: {finding}", finding.severity),
            _ => {}
        }
    }
    let report = job.await?;
    println!("{} objects restored to {}", report.objects, report.target);
    Ok(())
}
