//! `discover SOURCE`

use crate::cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen};

/// The arguments of `discover`.
#[derive(Debug, clap::Args)]
pub(crate) struct Discover {
    /// Where the cluster lives.
    source: String,
    #[command(flatten)]
    ids: args::Ids,
    #[command(flatten)]
    options: args::Cluster,
}

impl Discover {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let source = places::location(&self.source, &self.options.settings(screen)?)?;
        let what = self.ids.discover();
        let cluster = follow(crate::discover(&source, &what).start(), screen).await?;
        screen.answer(cluster.description(), &cluster)?;
        Ok(Exit::Done)
    }
}
