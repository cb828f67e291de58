//! `certify PATH`

use crate::{
    CertifyOptions, certify,
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
    vouchers: args::Vouchers,
    #[command(flatten)]
    effort: args::Reads,
    #[command(flatten)]
    options: args::Cluster,
}

impl Certify {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let tree = places::location(&self.path, &self.options.settings(screen)?)?;
        let options = CertifyOptions::default().with_discover(self.ids.discover()).with_limits(self.effort.limits());
        let options = self.vouchers.key.read()?.into_iter().fold(options, CertifyOptions::with_trust);
        let options = self.vouchers.expect_sha256.into_iter().fold(options, CertifyOptions::with_expect_sha256);
        options.check()?;
        let job = certify(&tree).with_options(options).start();
        let certificate = follow(job, screen).await?;
        screen.answer(&certificate, &certificate)?;
        Ok(if certificate.is_proven() { Exit::Done } else { Exit::NotConsistent })
    }
}
