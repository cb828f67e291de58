//! Checks that a backup still is what it was: the certificate again, and one object in twenty byte by byte.
//!
//! ```text
//! cargo run --example verify -- /backups backup-20260102-030405
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, process::ExitCode};

use influx_backup_core::{Location, Repository, StoreOptions, VerifyOptions};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(repository), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err("usage: verify REPOSITORY NAME".into());
    };
    let repository = Repository::open(Location::parse(&repository, &StoreOptions::from_env())?).await?;

    // Cheaper: `listing()` (presence and size), `structure()` (that, and the certificate), `checksums()` (that, and the
    // checksums that the store gives).
    let report = repository.verify(&name, VerifyOptions::bytes_sample(5)).await?;

    println!("{}: {} objects, {} of them read", report.backup, report.objects, report.read);
    for problem in &report.problems {
        println!("  {}: {}", problem.code, problem.message);
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
