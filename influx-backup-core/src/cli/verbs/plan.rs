//! `plan SOURCE REPOSITORY`

use crate::{
    BackupOptions, Repository, Source,
    cli::{
        args,
        exit::Exit,
        failure::Failure,
        places,
        progress::{follow, until_interrupted},
        screen::Screen,
    },
};

use super::backup::What;

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// Where the cluster lives.
    source: String,
    /// Where the backups lie.
    repository: String,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    ids: args::Ids,
    #[command(flatten)]
    source_options: args::Cluster,
    #[command(flatten)]
    target_options: args::Writable,
}

impl Plan {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let source = places::location(&self.source, &self.source_options.settings(screen)?)?;
        let repository = places::location(&self.repository, &self.target_options.settings(screen)?)?;
        let options = self.what.apply(BackupOptions::default());
        let source = Source::at(&source, self.ids.discover());
        let repository = until_interrupted(Repository::open(repository), screen).await?;
        let plan = follow(repository.plan_backup(source, &options).start(), screen).await?;
        screen.answer(&plan.document(), &plan)?;
        Ok(Exit::Done)
    }
}
