//! `list REPOSITORY`

use crate::{
    cli::{args, exit::Exit, failure::Failure, places, progress::follow_with_notes, screen::Screen},
    summary::BackupTable,
};

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Where the backups lie.
    repository: String,
    #[command(flatten)]
    options: args::Source,
}

impl List {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let repository = places::repository(&self.repository, &self.options.settings(screen)?, screen).await?;
        let backups = follow_with_notes(repository.list().start(), screen).await?;
        screen.answer(&backups, BackupTable::new(&backups))?;
        Ok(Exit::Done)
    }
}
