//! `list REPOSITORY`

use crate::{
    cli::{args, exit::Exit, failure::Failure, places, progress::follow_with_notes, screen::Screen},
    options::ListOptions,
    summary::BackupTable,
};

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Where the backups lie.
    repository: String,
    #[command(flatten)]
    key: args::TrustedKey,
    #[command(flatten)]
    options: args::Source,
}

impl List {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let options = self.key.read()?.into_iter().fold(ListOptions::default(), ListOptions::with_trust);
        options.check()?;
        let repository = places::repository(&self.repository, &self.options.settings(screen)?, screen).await?;
        let backups = follow_with_notes(repository.list_with(options).start(), screen).await?;
        screen.answer(&backups, BackupTable::new(&backups))?;
        Ok(Exit::Done)
    }
}
