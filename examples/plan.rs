//! Prints what a backup would copy, stage by stage. A plan is data: nothing is written anywhere.
//!
//! ```text
//! cargo run --example plan -- /var/lib/influxdb3
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use influx_backup_core::{BackupPlan, DiscoverOptions, Location, StoreOptions, discover, options::Derived};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let source = std::env::args().nth(1).ok_or("usage: plan SOURCE")?;
    let source = Location::parse(&source, &StoreOptions::from_env())?;
    let cluster = discover(&source, &DiscoverOptions::default()).await?;

    // One listing of the store is all that a plan needs.
    let inventory = cluster.list().await?;
    let plan = BackupPlan::new(cluster.description(), &inventory, Derived::Exclude);

    println!("{plan}");
    println!("{} objects in {} stages, plan {}", plan.objects(), plan.stages().len(), plan.hash());
    Ok(())
}
