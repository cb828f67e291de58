//! `verify BACKUP`

use crate::{
    VerifyLevel, VerifyOptions,
    cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen},
};

/// The arguments of `verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The backup: REPOSITORY/NAME.
    backup: String,
    /// How deep to look.
    /// Listing: presence and size of every object. Structure: that, and the certificate again. Checksums: that, and the
    /// checksums that the store gives on HEAD; no Parquet file is read. Bytes: the structure, and the bytes against their
    /// checksums.
    #[arg(long, default_value_t, value_parser = args::choice::<VerifyLevel>(VerifyLevel::NAMES))]
    level: VerifyLevel,
    /// With --level bytes: how many percent of the objects are read, chosen at random.
    /// [default: 100]
    #[arg(long, value_name = "PERCENT")]
    sample_percent: Option<u8>,
    #[command(flatten)]
    vouchers: args::Vouchers,
    #[command(flatten)]
    effort: args::Reads,
    #[command(flatten)]
    options: args::Source,
}

impl Verify {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let options = VerifyOptions::at(self.level).with_limits(self.effort.limits());
        let options = self.sample_percent.into_iter().fold(options, VerifyOptions::with_sample_percent);
        let options = self.vouchers.key.read()?.into_iter().fold(options, VerifyOptions::with_trust);
        let options = self.vouchers.expect_sha256.into_iter().fold(options, VerifyOptions::with_expect_sha256);
        options.check()?;
        let (repository, name) = places::backup(&self.backup, &self.options.settings(screen)?, screen).await?;
        let report = follow(repository.verify(&name, options).start(), screen).await?;
        screen.answer(&report, &report)?;
        Ok(if report.passed() { Exit::Done } else { Exit::NotConsistent })
    }
}
