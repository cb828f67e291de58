//! Shows which InfluxDB 3 cluster lives at a location.
//!
//! ```text
//! cargo run --example discover -- /var/lib/influxdb3
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use influx_backup_core::{DiscoverOptions, Location, StoreOptions, discover};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let source = std::env::args().nth(1).ok_or("usage: discover SOURCE")?;
    let source = Location::parse(&source, &StoreOptions::from_env())?;

    // `auto` finds ids and roles. Several clusters in one bucket: `DiscoverOptions::default().with_cluster_id("prod")`.
    let cluster = discover(&source, &DiscoverOptions::default()).await?;

    println!("{:?} {}", cluster.edition(), cluster.id());
    for node in cluster.nodes() {
        println!("  {} {:?}", node.id, node.roles);
    }
    for evidence in &cluster.description().evidence {
        println!("  because: {evidence}");
    }
    Ok(())
}
