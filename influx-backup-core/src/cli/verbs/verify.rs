//! `verify BACKUP`

use std::fmt;

use crate::{
    VerifyLevel, VerifyOptions,
    cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen},
    verify::VerifyReport,
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
    options: args::Source,
}

impl Verify {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let options = VerifyOptions::at(self.level);
        let options = self.sample_percent.into_iter().fold(options, VerifyOptions::with_sample_percent);
        options.check()?;
        let (repository, name) = places::backup(&self.backup, &self.options.source_options, screen).await?;
        let report = follow(repository.verify(&name, options).start(), screen).await?;
        screen.answer(&report, Shown(&report))?;
        Ok(if report.passed() { Exit::Done } else { Exit::NotConsistent })
    }
}

/// How many problems are shown; the JSON has more of them.
const SHOWN: usize = 50;

struct Shown<'a>(&'a VerifyReport);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VerifyReport {
            backup, level, objects, read, confirmed, unconfirmed, problems, findings, certificate, ..
        } = self.0;
        let count = self.0.problem_count();
        let shown = problems.len().min(SHOWN);
        match count {
            0 => writeln!(f, "backup {backup}: intact")?,
            1 => writeln!(f, "backup {backup}: differs from its manifest, 1 problem")?,
            _ => writeln!(f, "backup {backup}: differs from its manifest, {count} problems")?,
        }
        write!(f, "{objects} objects looked for, ")?;
        match level {
            VerifyLevel::Checksums => {
                writeln!(f, "{confirmed} of them have the checksum at their store that the manifest says")?;
                if *unconfirmed > 0 {
                    writeln!(f, "{unconfirmed} have no store checksum: not compared (--level bytes does)")?;
                }
            }
            VerifyLevel::Bytes => writeln!(f, "{read} of them read and compared")?,
            _ => writeln!(f, "their bytes not compared (--level bytes does)")?,
        }
        for problem in &problems[..shown] {
            writeln!(f, "  {:<9} {}", problem.code, problem.message)?;
        }
        if count > shown as u64 {
            writeln!(f, "  … and {} more", count - shown as u64)?;
        }
        findings.iter().try_for_each(|finding| writeln!(f, "note [{}]: {}", finding.code, finding.message))?;
        certificate.iter().try_for_each(|certificate| write!(f, "{certificate}"))
    }
}
