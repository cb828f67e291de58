//! `leftovers REPOSITORY`

use crate::{
    cli::{args, exit::Exit, failure::Failure, places, progress::follow_with_notes, screen::Screen},
    leftovers::LeftoverTable,
};

/// The arguments of `leftovers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Leftovers {
    /// Where the backups lie.
    repository: String,
    /// Delete what is found. An unfinished backup can no longer be resumed then.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    options: args::Writable,
}

impl Leftovers {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let repository = places::repository(&self.repository, &self.options.settings(screen)?, screen).await?;
        let leftovers = follow_with_notes(repository.leftovers().start(), screen).await?;
        if self.remove {
            for leftover in &leftovers {
                follow_with_notes(repository.remove(leftover).start(), screen).await?;
            }
        }
        let is_removed = self.remove && !leftovers.is_empty();
        let text = if is_removed {
            leftovers.iter().map(|leftover| format!("deleted: {leftover}\n")).collect()
        } else {
            LeftoverTable::new(&leftovers).to_string()
        };
        screen.answer(&leftovers, text)?;
        Ok(Exit::Done)
    }
}
