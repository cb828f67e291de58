//! `restore BACKUP TARGET`

use std::fmt;

use clap::ValueEnum;

use crate::{
    Restore as Request, RestoreOptions, abandon,
    cli::{
        args,
        exit::Exit,
        failure::Failure,
        places,
        progress::{follow, until_interrupted},
        screen::Screen,
    },
    lease::Takeover,
    restore::{
        ExtraNodes, Licenses, Modes, OnDegraded, OnUnfinished, Owner, Ownership, RestoreReport, ServersStopped,
        SourceCheck,
    },
};

/// The arguments of `restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup: REPOSITORY/NAME.
    backup: String,
    /// The place to restore to: what the servers use as their store.
    target: String,
    /// What to do with a target that is not empty.
    #[arg(long, value_enum, default_value_t = Choice::Empty)]
    policy: Choice,
    /// With --policy replace: what to do with nodes that the target has and the backup lacks.
    #[arg(long, value_enum, default_value_t = Extra::Refuse)]
    extra_nodes: Extra,
    /// State that the servers of the target are stopped.
    #[arg(long)]
    servers_stopped: bool,
    /// Go on with a restore of this backup that was interrupted.
    #[arg(long, conflicts_with = "abandon")]
    resume: bool,
    /// Undo a restore that was interrupted, as long as it has overwritten nothing.
    #[arg(long, conflicts_with = "dry_run")]
    abandon: bool,
    /// The process that was restoring to this target is dead: do not wait for ten minutes of silence.
    #[arg(long)]
    takeover: bool,
    /// How much of the backup is read and compared before the first write; every copy is compared in any case.
    #[arg(long, value_enum, default_value_t = Check::Auto)]
    check: Check,
    /// Print the plan and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Restore a backup that was committed degraded.
    #[arg(long)]
    accept_degraded: bool,
    /// Which license files are restored; before 3.10 they are bound to the place they were issued for.
    #[arg(long, value_enum, default_value_t = License::Auto)]
    licenses: License,
    /// The owner of the files, USER or USER:GROUP, by name or number [default: that of the target directory].
    #[arg(long, value_name = "OWNER")]
    owner: Option<Owner>,
    /// The mode of the files, such as 640; directories can be entered where files can be read [default: that of the
    /// target directory].
    #[arg(long, value_name = "MODE", value_parser = modes)]
    mode: Option<Modes>,
    #[command(flatten)]
    effort: args::Effort,
    #[command(flatten)]
    source_options: args::Source,
    #[command(flatten)]
    target_options: args::Target,
}

/// What to do with a target that is not empty.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Choice {
    /// Refuse it.
    Empty,
    /// Make it exactly what the backup holds: what the backup lacks is deleted.
    Replace,
    /// Write over it and delete nothing but derived files.
    Overlay,
}

/// What to do with nodes that the backup lacks.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Extra {
    /// Refuse the target.
    Refuse,
    /// Delete them.
    Delete,
    /// Keep them.
    Keep,
}

/// How much of the backup is read before the first write.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Check {
    /// All bytes where data at the target would be changed, structure where there is none. The former reads the backup
    /// twice.
    Auto,
    /// Nothing but presence and sizes.
    Listing,
    /// Everything but Parquet and the compactor's files.
    Structure,
    /// Everything: by the checksums that the store gives, and by reading what it has none for.
    Checksums,
    /// Everything, by reading it.
    Bytes,
}

/// Which license files are restored.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum License {
    /// Those that are valid at the target.
    Auto,
    /// All of them.
    Restore,
    /// None.
    Exclude,
}

/// Reads `640` as files 0640, directories 0750.
fn modes(text: &str) -> Result<Modes, &'static str> {
    match u32::from_str_radix(text, 8) {
        Ok(files) if files <= 0o777 => Ok(Modes::Explicit { files, directories: files | (files & 0o444) >> 2 }),
        _ => Err("write three octal digits, such as 640"),
    }
}

impl Restore {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let options = self.options();
        let target = places::location(&self.target, &self.target_options.target_options)?;
        if self.abandon {
            let report = follow(abandon(&target, options.takeover).start(), screen).await?;
            let text = format!("restore of {} undone, {} objects deleted again\n", report.backup, report.deleted);
            screen.answer(&report, text)?;
            return Ok(Exit::Done);
        }
        let (repository, name) = places::backup(&self.backup, &self.source_options.source_options).await?;
        if self.dry_run {
            let plan = until_interrupted(repository.plan_restore(&name, &target, &options)).await?;
            screen.answer(&plan, &plan)?;
            return Ok(Exit::Done);
        }
        let backup = until_interrupted(repository.get(&name)).await?;
        let request = Request::new(backup, target, options).with_object_events();
        let report = follow(request.start(), screen).await?;
        screen.answer(&report, Shown(&report))?;
        Ok(Exit::Done)
    }

    fn options(&self) -> RestoreOptions {
        let options = match self.policy {
            Choice::Empty => RestoreOptions::empty(),
            Choice::Replace => RestoreOptions::replace(),
            Choice::Overlay => RestoreOptions::overlay(),
        };
        let extra = match self.extra_nodes {
            Extra::Refuse => ExtraNodes::Refuse,
            Extra::Delete => ExtraNodes::Delete,
            Extra::Keep => ExtraNodes::Keep,
        };
        let licenses = match self.licenses {
            License::Auto => Licenses::Auto,
            License::Restore => Licenses::Restore,
            License::Exclude => Licenses::Exclude,
        };
        let check = match self.check {
            Check::Auto => SourceCheck::Auto,
            Check::Listing => SourceCheck::Listing,
            Check::Structure => SourceCheck::Structure,
            Check::Checksums => SourceCheck::Checksums,
            Check::Bytes => SourceCheck::Bytes,
        };
        let ownership = self.owner.iter().cloned().fold(Ownership::default(), Ownership::with_owner);
        options
            .with_extra_nodes(extra)
            .with_licenses(licenses)
            .with_check(check)
            .with_servers(if self.servers_stopped {
                ServersStopped::ConfirmedByCaller
            } else {
                ServersStopped::NotConfirmed
            })
            .with_on_unfinished(if self.resume { OnUnfinished::Resume } else { OnUnfinished::Refuse })
            .with_takeover(if self.takeover { Takeover::Immediately } else { Takeover::AfterTimeout })
            .with_on_degraded(if self.accept_degraded { OnDegraded::Accept } else { OnDegraded::Refuse })
            .with_ownership(self.mode.into_iter().fold(ownership, Ownership::with_modes))
            .with_limits(self.effort.limits())
    }
}

struct Shown<'a>(&'a RestoreReport);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        writeln!(f, "{} restored to {}: {} objects, {}", report.backup, report.target, report.objects, report.bytes)?;
        writeln!(f, "servers that may open it: {}", report.servers)?;
        for point in &report.recovery {
            let time = point.reached.as_ref().map(|at| at.time).or(point.guaranteed.as_ref().map(|at| at.time));
            match time {
                Some(time) => writeln!(f, "node {} restored to {}", point.node, time.format("%Y-%m-%d %H:%M:%S UTC"))?,
                None => writeln!(f, "node {} holds no rows of its own", point.node)?,
            }
        }
        if report.deleted > 0 {
            writeln!(f, "deleted, the backup does not hold them: {} objects", report.deleted)?;
        }
        report.licenses_skipped.iter().try_for_each(|key| writeln!(f, "license left out: {key}"))?;
        report.kept.iter().try_for_each(|name| writeln!(f, "kept, not part of the backup: {name}"))?;
        report.findings.iter().try_for_each(|note| writeln!(f, "note [{}]: {}", note.code, note.message))?;
        report.todos.iter().try_for_each(|note| writeln!(f, "to do: {}", note.message))
    }
}
