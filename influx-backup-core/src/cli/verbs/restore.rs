//! `restore BACKUP TARGET`

use std::fmt;

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
    options::{
        ExtraNodes, Licenses, Modes, OnDegraded, OnUnfinished, Owner, Ownership, Policy, ServersStopped, SourceCheck,
        Takeover,
    },
    restore::RestoreReport,
};

/// The arguments of `restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup: REPOSITORY/NAME.
    backup: String,
    /// The place to restore to: what the servers use as their store.
    target: String,
    /// What to do with a target that is not empty.
    /// Empty: refuse it. Replace: make it exactly what the backup holds; what the backup lacks is deleted. Overlay: write
    /// over it and delete nothing but derived files.
    #[arg(long, default_value_t, value_parser = args::choice::<Policy>(Policy::NAMES))]
    policy: Policy,
    /// With --policy replace: what to do with nodes that the target has and the backup lacks.
    #[arg(long, default_value_t, value_parser = args::choice::<ExtraNodes>(ExtraNodes::NAMES))]
    extra_nodes: ExtraNodes,
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
    #[arg(long = "take-over")]
    takeover: bool,
    /// How much of the backup is read and compared before the first write; every copy is compared in any case.
    /// Auto: all bytes where data at the target would be changed (that reads the backup twice), structure where there is
    /// none. Listing: presence and sizes. Structure: everything but Parquet and the compactor's files. Checksums: all, by
    /// the checksums that the store gives, and by reading what it has none for. Bytes: all, by reading it.
    #[arg(long, default_value_t, value_parser = args::choice::<SourceCheck>(SourceCheck::NAMES))]
    check: SourceCheck,
    /// Print the plan and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Restore a backup that was committed degraded.
    #[arg(long)]
    accept_degraded: bool,
    /// Which license files are restored; before 3.10 they are bound to the place they were issued for.
    /// Auto: those that are valid at the target.
    #[arg(long, default_value_t, value_parser = args::choice::<Licenses>(Licenses::NAMES))]
    licenses: Licenses,
    /// The owner of the files, USER or USER:GROUP, by name or number [default: that of the target directory].
    #[arg(long, value_name = "OWNER")]
    owner: Option<Owner>,
    /// The mode of the files, such as 640, or of files and directories, such as 640:750; otherwise directories can be entered where files can be read [default: that of the
    /// target directory].
    #[arg(long, value_name = "MODE")]
    mode: Option<Modes>,
    #[command(flatten)]
    effort: args::Effort,
    #[command(flatten)]
    source_options: args::Source,
    #[command(flatten)]
    target_options: args::Target,
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
        let ownership = self.owner.iter().cloned().fold(Ownership::default(), Ownership::with_owner);
        RestoreOptions::default()
            .with_policy(self.policy)
            .with_extra_nodes(self.extra_nodes)
            .with_licenses(self.licenses)
            .with_check(self.check)
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
