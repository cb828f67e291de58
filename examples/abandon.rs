//! Brings a target back to what it was before a restore was begun that has changed nothing yet.
//!
//! ```text
//! cargo run --example abandon -- /var/lib/influxdb3
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use influx_backup_core::{Location, StoreOptions, abandon, options::AbandonOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::args().nth(1).ok_or("usage: abandon TARGET")?;
    let target = Location::parse(&target, &StoreOptions::from_env())?;

    // Refused as `cannot-abandon` once data was overwritten or deleted: resume the restore then.
    let report = abandon(&target, AbandonOptions::default()).await?;
    println!("{report}");
    Ok(())
}
