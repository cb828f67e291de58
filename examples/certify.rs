//! Proves that a tree restores: a backup, a copy that a script made, or a stopped cluster.
//!
//! ```text
//! cargo run --example certify -- /backups/backup-20260102-030405
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, process::ExitCode};

use influx_backup_core::{Location, StoreOptions, certify};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let tree = std::env::args().nth(1).ok_or("usage: certify PATH")?;
    let tree = Location::parse(&tree, &StoreOptions::from_env())?;

    // What the tree itself shows is computed again. What only the run could know is attested by the backup's manifest;
    // without one the certificate marks each such clause as not attested.
    let certificate = certify(&tree).await?;

    println!("{certificate}");
    Ok(if certificate.is_proven() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
