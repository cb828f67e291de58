//! Lists what attempts that ended without a commit left in a repository, and deletes it where it is told to.
//!
//! ```text
//! cargo run --example leftovers -- /backups remove
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use influx_backup_core::{Location, Repository, StoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let repository = arguments.next().ok_or("usage: leftovers REPOSITORY [remove]")?;
    let repository = Repository::open(Location::parse(&repository, &StoreOptions::from_env())?).await?;
    let is_removed = arguments.next().as_deref() == Some("remove");

    for leftover in repository.leftovers().await? {
        println!("{} ({}): {} objects, {}", leftover.name, leftover.kind, leftover.objects, leftover.bytes);
        if is_removed {
            // An unfinished backup that somebody has resumed meanwhile is kept, and an error.
            repository.remove(&leftover).await?;
        }
    }
    Ok(())
}
