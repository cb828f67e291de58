//! Restores a backup into an empty place.
//!
//! ```text
//! cargo run --example restore -- /backups backup-20260102-030405 /var/lib/influxdb3
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use influx_backup_core::{Location, Repository, RestoreOptions, StoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(repository), Some(name), Some(target)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: restore REPOSITORY NAME TARGET".into());
    };
    let repository = Repository::open(Location::parse(&repository, &StoreOptions::from_env())?).await?;
    let target = Location::parse(&target, &StoreOptions::from_env())?;

    // Only looks. A target that holds another cluster is refused by the plan. The default wants an empty target;
    // `RestoreOptions::replace()` makes a full one exactly what the backup holds.
    let plan = repository.plan_restore(&name, &target, &RestoreOptions::default()).await?;
    println!("{plan}");

    // What runs is what was printed, or nothing.
    let restore = repository.restore(&plan).with_target(target);

    // Until the last byte is verified a boot guard keeps every server from starting on the target.
    let report = restore.start().await?;
    println!("{} objects restored; to be opened by {}", report.objects, report.servers);
    for todo in &report.todos {
        println!("to do: {}", todo.message);
    }
    Ok(())
}
