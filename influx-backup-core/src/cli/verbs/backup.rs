//! `backup SOURCE REPOSITORY`

use std::time::Duration;

use crate::{
    BackupOptions, Passes, Repository,
    cli::{
        args,
        exit::Exit,
        failure::Failure,
        places,
        progress::{follow, until_interrupted},
        screen::Screen,
    },
    discover,
    options::{AbsenceTolerance, Derived, OnCorrupt, OnExisting, OnViolation, Takeover},
    record::BackupStatus,
    units::duration,
};

/// The arguments of `backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// Where the cluster lives. It is never written to.
    source: String,
    /// Where the backups lie.
    repository: String,
    /// The backup's name [default: backup-YYYYMMDD-HHMMSS in UTC].
    #[arg(long)]
    name: Option<String>,
    /// Go on with an unfinished backup of this name.
    #[arg(long, requires = "name")]
    resume: bool,
    /// With --resume: the other process is dead, do not wait for ten minutes of silence.
    #[arg(long, requires = "resume")]
    takeover: bool,
    /// How many passes at most until the certificate closes.
    #[arg(long, value_name = "N", default_value_t = Passes::default().max_passes, value_parser = clap::value_parser!(u32).range(1..))]
    max_passes: u32,
    /// After how long no further pass is begun, such as 90s, 15m, 6h, 2d. One that is under way ends.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = duration::parse)]
    time_limit: Duration,
    /// Commit a backup marked degraded when the certificate does not close (exit code 3).
    #[arg(long)]
    allow_degraded: bool,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    ids: args::Ids,
    #[command(flatten)]
    effort: args::Effort,
    #[command(flatten)]
    source_options: args::Source,
    #[command(flatten)]
    target_options: args::Target,
}

/// What is copied, and what is made of a source that is not as it should be.
#[derive(Debug, clap::Args)]
pub(crate) struct What {
    /// Copy table-snapshots, db-indices and table-index-conversion-completed too: all three or none.
    #[arg(long)]
    include_derived: bool,
    /// What to do with corrupt objects in the source.
    /// Fail: stop where they stop a server or lose rows. Record: copy them as they are and record them; where a clause
    /// is violated, the backup is degraded (exit code 3).
    #[arg(long, default_value_t, value_parser = args::choice::<OnCorrupt>(OnCorrupt::NAMES))]
    corrupt: OnCorrupt,
    /// Core: retention removed most Parquet files, it is no volume that was not mounted.
    #[arg(long)]
    accept_missing_parquet: bool,
}

impl What {
    pub(crate) fn apply(&self, options: BackupOptions) -> BackupOptions {
        let derived = if self.include_derived { Derived::Include } else { Derived::Exclude };
        let missing = if self.accept_missing_parquet { AbsenceTolerance::Lenient } else { AbsenceTolerance::Strict };
        options.with_on_corrupt(self.corrupt).with_derived(derived).with_absence_tolerance(missing)
    }
}

impl Backup {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let source = places::location(&self.source, &self.source_options.source_options)?;
        let repository = places::location(&self.repository, &self.target_options.target_options)?;
        let options = self.options();
        let ids = self.ids.discover();
        let ready = async { Ok((Repository::open(repository).await?, discover(&source, &ids).await?)) };
        let (repository, cluster) = until_interrupted(ready).await?;
        let report = follow(repository.backup(&cluster, options).with_object_events().start(), screen).await?;
        screen.answer(&report, &report)?;
        Ok(match report.status {
            BackupStatus::Complete => Exit::leaving(&report.todos),
            _ => Exit::Degraded,
        })
    }

    fn options(&self) -> BackupOptions {
        let existing = if self.resume { OnExisting::Resume } else { OnExisting::Refuse };
        let takeover = if self.takeover { Takeover::Immediately } else { Takeover::AfterTimeout };
        let open = if self.allow_degraded { OnViolation::Degrade } else { OnViolation::Fail };
        let options = BackupOptions::default()
            .with_passes(Passes::until_closed(self.max_passes, self.time_limit))
            .with_on_violation(open)
            .with_on_existing(existing)
            .with_takeover(takeover)
            .with_limits(self.effort.limits());
        let options = self.what.apply(options);
        match &self.name {
            Some(name) => options.with_name(name),
            None => options,
        }
    }
}
