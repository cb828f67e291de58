//! Backs up a cluster and prints the certificate.
//!
//! ```text
//! cargo run --example backup -- /var/lib/influxdb3 /backups
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, time::Duration};

use influx_backup_core::{BackupOptions, EventKind, Limits, Location, Passes, Repository, StoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(source), Some(repository)) = (arguments.next(), arguments.next()) else {
        return Err("usage: backup SOURCE REPOSITORY".into());
    };
    let source = Location::parse(&source, &StoreOptions::from_env())?;
    let repository = Repository::open(Location::parse(&repository, &StoreOptions::from_env())?).await?;

    // The cluster is discovered first. It may be running: passes are repeated until the certificate closes, here for an hour at most.
    let options = BackupOptions::default()
        .with_passes(Passes::until_closed(5, Duration::from_secs(3600)))
        .with_limits(Limits::default().with_concurrency(32));
    let job = repository.backup(&source, options).start();

    let mut events = job.events();
    while let Some(event) = events.next().await {
        if let EventKind::PassStarted { pass, objects, .. } = event.kind {
            println!("pass {pass}: {objects} objects to copy");
        }
    }
    let report = job.await?;

    println!("{report}");
    println!("{}", report.certificate);
    Ok(())
}
