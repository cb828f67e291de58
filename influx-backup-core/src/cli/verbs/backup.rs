//! `backup SOURCE REPOSITORY`

use std::time::Duration;

use crate::{
    BackupOptions, Passes, Repository, Source,
    cli::{
        args,
        exit::Exit,
        failure::Failure,
        places,
        progress::{follow, until_interrupted},
        screen::Screen,
    },
    options::{AbsenceTolerance, ContentDigest, Derived, OnCorrupt, OnExisting, OnUnreadable, OnViolation, Takeover},
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
    /// Continue an unfinished backup of this name.
    #[arg(long)]
    resume: bool,
    /// With --resume: the other process is no longer running; do not wait for ten minutes without a heartbeat.
    #[arg(long)]
    takeover: bool,
    /// The highest number of passes until the certificate closes.
    #[arg(long, value_name = "N", default_value_t = Passes::default().max_passes)]
    max_passes: u32,
    /// After how long no further pass begins, such as 90s, 15m, 6h, 2d. One that is running ends normally.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = duration::parse)]
    time_limit: Duration,
    /// What to do when clauses of the certificate are violated at the end.
    /// Fail: commit nothing. Degrade: commit a backup marked degraded (exit code 3).
    #[arg(long, default_value_t, value_parser = args::choice::<OnViolation>(OnViolation::NAMES))]
    on_violation: OnViolation,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    signature: args::Signature,
    #[command(flatten)]
    ids: args::Ids,
    #[command(flatten)]
    effort: args::Effort,
    #[command(flatten)]
    source_options: args::Cluster,
    #[command(flatten)]
    target_options: args::Writable,
}

/// What is copied, and what is done about a source that is damaged.
#[derive(Debug, clap::Args)]
pub(crate) struct What {
    /// Whether the derived files are copied: table-snapshots, db-indices and table-index-conversion-completed, all
    /// three or none. Servers make them again.
    #[arg(long, default_value_t, value_parser = args::choice::<Derived>(Derived::NAMES))]
    derived: Derived,
    /// What to do with corrupt objects in the source.
    /// Fail: commit nothing where they would stop a server or lose rows. Record: copy them as they are and record them;
    /// where a clause is violated, the backup is degraded (exit code 3).
    #[arg(long, default_value_t, value_parser = args::choice::<OnCorrupt>(OnCorrupt::NAMES))]
    on_corrupt: OnCorrupt,
    /// What to do with objects in the source that cannot be read while others can, or that are archived.
    /// Refuse: commit nothing. Record: leave them out and record them; the backup is degraded (exit code 3).
    #[arg(long, default_value_t, value_parser = args::choice::<OnUnreadable>(OnUnreadable::NAMES))]
    on_unreadable: OnUnreadable,
    /// The digest that objects get in the manifest beside their CRC-64/NVME, where their bytes pass through this process.
    /// Blake3: no forger makes other bytes that have it.
    #[arg(long, default_value_t, value_parser = args::choice::<ContentDigest>(ContentDigest::NAMES))]
    digest: ContentDigest,
    /// What to do when most live Parquet files are gone from the source.
    /// Strict: violate C1, as a volume is probably not mounted. Lenient: report it, as retention removed them.
    #[arg(long, default_value_t, value_parser = args::choice::<AbsenceTolerance>(AbsenceTolerance::NAMES))]
    absence_tolerance: AbsenceTolerance,
}

impl What {
    pub(crate) fn apply(&self, options: BackupOptions) -> BackupOptions {
        options
            .with_derived(self.derived)
            .with_on_corrupt(self.on_corrupt)
            .with_on_unreadable(self.on_unreadable)
            .with_digest(self.digest)
            .with_absence_tolerance(self.absence_tolerance)
    }
}

impl Backup {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let source = places::location(&self.source, &self.source_options.settings(screen)?)?;
        let repository = places::location(&self.repository, &self.target_options.settings(screen)?)?;
        let options = self.signature.apply(self.options())?;
        options.check()?;
        let source = Source::at(&source, self.ids.discover());
        let repository = until_interrupted(Repository::open(repository), screen).await?;
        let report = follow(repository.backup(source, options).with_object_events().start(), screen).await?;
        screen.answer(&report, &report)?;
        Ok(match report.status {
            BackupStatus::Complete => Exit::leaving(&report.todos),
            _ => Exit::Degraded,
        })
    }

    fn options(&self) -> BackupOptions {
        let existing = if self.resume { OnExisting::Resume } else { OnExisting::Refuse };
        let takeover = if self.takeover { Takeover::Immediately } else { Takeover::AfterTimeout };
        let options = BackupOptions::default()
            .with_passes(Passes::until_closed(self.max_passes, self.time_limit))
            .with_on_violation(self.on_violation)
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
