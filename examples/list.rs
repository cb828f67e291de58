//! Lists the backups of a repository: complete ones, degraded ones, and what unfinished ones left behind.
//!
//! ```text
//! cargo run --example list -- /backups
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use influx_backup_core::{Location, Repository, StoreOptions, repository::BackupState};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let repository = std::env::args().nth(1).ok_or("usage: list REPOSITORY")?;
    let repository = Repository::open(Location::parse(&repository, &StoreOptions::from_env())?).await?;

    for backup in repository.list().await? {
        // The only state that restores without a second thought.
        let mark = if backup.state == BackupState::Complete { "*" } else { " " };
        println!("{mark} {} {:?}", backup.name, backup.state);
    }
    Ok(())
}
