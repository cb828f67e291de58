//! `certify PATH`

use crate::{
    certify,
    cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen},
};

/// The arguments of `certify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Certify {
    /// A backup, a copy that a script made, or a stopped cluster.
    path: String,
    #[command(flatten)]
    ids: args::Ids,
    #[command(flatten)]
    options: args::Source,
}

impl Certify {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let tree = places::location(&self.path, &self.options.source_options)?;
        let job = certify(&tree).with_options(self.ids.discover()).start();
        let certificate = follow(job, screen).await?;
        screen.answer(&certificate, &certificate)?;
        Ok(if certificate.is_proven() { Exit::Done } else { Exit::NotConsistent })
    }
}
