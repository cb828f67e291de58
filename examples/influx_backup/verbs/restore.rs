//! `restore BACKUP TARGET`

use clap::ValueEnum;
use influx_backup_core::{
    RestoreOptions, RestorePlan, Target, abandon, restore,
    restore::{Existing, ExtraNodes, Policy, Stopped},
};
use serde::Serialize;

use crate::{
    args,
    exit::Exit,
    failure::Failure,
    places,
    progress::{follow, until_interrupted},
    screen::Screen,
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
    /// Print the plan and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// The owner of the files, USER or USER:GROUP, by name or number [default: that of the target directory].
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// The mode of the files, such as 640 [default: that of the target directory].
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
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

/// A restore given up.
#[derive(Debug, Serialize)]
struct Abandoned {
    abandoned: String,
}

impl Restore {
    pub(crate) async fn run(self, screen: Screen) -> Result<Exit, Failure> {
        let options = self.options();
        let target = places::location(&self.target, &self.target_options.target_options)?;
        if self.abandon {
            until_interrupted(abandon(&target)).await?;
            let text = format!("the restore on {target} is undone\n");
            screen.answer(&Abandoned { abandoned: target.to_string() }, text)?;
            return Ok(Exit::Done);
        }
        let (repository, name) = places::backup(&self.backup, &self.source_options.source_options).await?;
        let plan = until_interrupted(async {
            let backup = repository.get(&name).await?;
            RestorePlan::new(&backup, &Target::inspect(&target).await?, &options)
        });
        let plan = plan.await?;
        if self.dry_run {
            screen.answer(&plan, &plan)?;
            return Ok(Exit::Done);
        }
        let report = follow(restore(plan).start(), screen).await?;
        screen.answer(&report, &report)?;
        Ok(Exit::Done)
    }

    fn options(&self) -> RestoreOptions {
        let policy = match self.policy {
            Choice::Empty => Policy::Empty,
            Choice::Replace => Policy::Replace,
            Choice::Overlay => Policy::Overlay,
        };
        let extra = match self.extra_nodes {
            Extra::Refuse => ExtraNodes::Refuse,
            Extra::Delete => ExtraNodes::Delete,
            Extra::Keep => ExtraNodes::Keep,
        };
        let servers = if self.servers_stopped { Stopped::ByCaller } else { Stopped::Unknown };
        let existing = if self.resume { Existing::Resume } else { Existing::Refuse };
        let options = RestoreOptions::default()
            .with_policy(policy)
            .with_extra_nodes(extra)
            .with_servers(servers)
            .with_existing(existing)
            .with_limits(self.effort.limits());
        let options = self.owner.iter().fold(options, RestoreOptions::with_owner);
        self.mode.iter().fold(options, RestoreOptions::with_mode)
    }
}
