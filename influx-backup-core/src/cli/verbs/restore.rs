//! `restore BACKUP TARGET`

use std::fs;

use crate::{
    RestoreOptions, RestorePlan, RestoreRunOptions, abandon,
    cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen},
    options::{
        AbandonOptions, ExtraNodes, Licenses, LinkedDirectories, Modes, OnCatalogMismatch, OnDegraded, OnUnfinished,
        Owner, Ownership, Policy, SourceCheck, Takeover,
    },
};

/// The arguments of `restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup: REPOSITORY/NAME.
    backup: String,
    /// The place to restore to: what the servers use as their store.
    target: String,
    #[command(flatten)]
    choices: Choices,
    /// Confirm that the servers of the target are stopped.
    #[arg(long)]
    servers_stopped: bool,
    /// Continue a restore of this backup that was interrupted.
    #[arg(long, conflicts_with = "abandon")]
    resume: bool,
    /// Undo a restore that was interrupted, as long as it has overwritten nothing.
    #[arg(long, conflicts_with = "dry_run")]
    abandon: bool,
    /// The process that was restoring to this target is no longer running; do not wait for ten minutes without a
    /// heartbeat.
    #[arg(long)]
    takeover: bool,
    /// Print the plan and write nothing. With --json: the document that --plan takes.
    #[arg(long, conflicts_with = "takeover")]
    dry_run: bool,
    /// Do only what this plan contains: the file with the document of --dry-run --json, or the hash that --dry-run
    /// prints, together with the options that it was printed with. The file holds the options; next to it only
    /// --servers-stopped, --resume, --takeover and the limits count.
    #[arg(long, value_name = "FILE|HASH", conflicts_with_all = ["abandon", "dry_run"])]
    plan: Option<String>,
    #[command(flatten)]
    effort: args::Effort,
    #[command(flatten)]
    source_options: args::Source,
    #[command(flatten)]
    target_options: args::Target,
}

/// What a plan is made with: `--plan FILE` holds all of it.
#[derive(Debug, Default, PartialEq, clap::Args)]
struct Choices {
    /// What to do with a target that is not empty.
    /// Empty: refuse it. Replace: make it exactly what the backup holds; what the backup lacks is deleted. Overlay: write
    /// over it and delete nothing but derived files.
    /// [default: empty]
    #[arg(long, value_parser = args::choice::<Policy>(Policy::NAMES))]
    policy: Option<Policy>,
    /// What to do with nodes that the target has and the backup lacks. Delete needs --policy replace, keep needs
    /// --policy replace or overlay.
    /// [default: refuse]
    #[arg(long, value_parser = args::choice::<ExtraNodes>(ExtraNodes::NAMES))]
    extra_nodes: Option<ExtraNodes>,
    /// How much of the backup is read and compared before the first write; every copy is compared in any case.
    /// Auto: all bytes where data at the target would be changed (that reads the backup twice), structure where there is
    /// none. Listing: presence and sizes. Structure: everything but Parquet and the compactor's files. Checksums: all, by
    /// the checksums that the store gives, and by reading what it has none for. Bytes: all, by reading it.
    /// [default: auto]
    #[arg(long, value_parser = args::choice::<SourceCheck>(SourceCheck::NAMES))]
    check: Option<SourceCheck>,
    /// What to do with a backup that was committed degraded.
    /// [default: refuse]
    #[arg(long, value_parser = args::choice::<OnDegraded>(OnDegraded::NAMES))]
    on_degraded: Option<OnDegraded>,
    /// What to do with a target of the same ids whose catalog has another uuid: a cluster that was set up again.
    /// [default: refuse]
    #[arg(long, value_parser = args::choice::<OnCatalogMismatch>(OnCatalogMismatch::NAMES))]
    on_catalog_mismatch: Option<OnCatalogMismatch>,
    /// What to do with directories of the target that are links to others, such as wal on a volume of its own.
    /// Follow: restore to where they lead, and delete there what --policy deletes.
    /// [default: refuse]
    #[arg(long, value_parser = args::choice::<LinkedDirectories>(LinkedDirectories::NAMES))]
    linked_directories: Option<LinkedDirectories>,
    /// Which license files are restored; before 3.10 they are bound to the place they were issued for.
    /// Auto: those that are valid at the target.
    /// [default: auto]
    #[arg(long, value_parser = args::choice::<Licenses>(Licenses::NAMES))]
    licenses: Option<Licenses>,
    /// The owner of the files, USER or USER:GROUP, by name or number, or as-made [default: that of the target directory,
    /// where this user may set it].
    #[arg(long, value_name = "OWNER")]
    owner: Option<Owner>,
    /// The mode of the files, such as 640, or of files and directories, such as 640:750; otherwise directories can be
    /// entered where files can be read; or as-made [default: that of the target directory, where this user may set it].
    #[arg(long, value_name = "MODES")]
    modes: Option<Modes>,
    #[command(flatten)]
    vouchers: args::Vouchers,
}

impl Choices {
    fn options(&self) -> Result<RestoreOptions, Failure> {
        let ownership =
            Ownership { owner: self.owner.clone().unwrap_or_default(), modes: self.modes.unwrap_or_default() };
        let options = RestoreOptions::default()
            .with_policy(self.policy.unwrap_or_default())
            .with_extra_nodes(self.extra_nodes.unwrap_or_default())
            .with_licenses(self.licenses.unwrap_or_default())
            .with_check(self.check.unwrap_or_default())
            .with_on_degraded(self.on_degraded.unwrap_or_default())
            .with_on_catalog_mismatch(self.on_catalog_mismatch.unwrap_or_default())
            .with_linked_directories(self.linked_directories.unwrap_or_default())
            .with_ownership(ownership);
        let options = self.vouchers.key.read()?.into_iter().fold(options, RestoreOptions::with_trust);
        Ok(self.vouchers.expect_sha256.iter().fold(options, RestoreOptions::with_expect_sha256))
    }
}

impl Restore {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let approved = self.plan.as_deref().map(Approved::read).transpose()?;
        let options = self.options(approved.as_ref())?;
        let run_options = self.run_options();
        run_options.check()?;
        let target = places::location(&self.target, &self.target_options.settings(screen)?)?;
        if self.abandon {
            let abandoning = AbandonOptions::default().with_takeover(run_options.takeover);
            let report = follow(abandon(&target, abandoning).start(), screen).await?;
            screen.answer(&report, &report)?;
            return Ok(Exit::Done);
        }
        let (repository, name) = places::backup(&self.backup, &self.source_options.settings(screen)?, screen).await?;
        if self.dry_run {
            let plan = follow(repository.plan_restore(&name, &target, &options).start(), screen).await?;
            screen.answer(&plan.document(), &plan)?;
            return Ok(Exit::Done);
        }
        let request = repository.restore_backup(&name, &target, options);
        let request = request.with_run_options(run_options).with_object_events();
        let request = match &approved {
            None => request,
            Some(Approved::Plan(plan)) => request.approving(plan),
            Some(Approved::Hash(hash)) => request.approving_hash(hash),
        };
        let report = follow(request.start(), screen).await?;
        screen.answer(&report, &report)?;
        Ok(Exit::leaving(&report.todos))
    }

    /// What is restored: as the approved plan says, or the command line.
    fn options(&self, approved: Option<&Approved>) -> Result<RestoreOptions, Failure> {
        let options = match approved {
            Some(Approved::Plan(_)) if self.choices != Choices::default() => {
                return Err(Failure::usage(
                    "the file of --plan holds the options of the restore: remove --policy, --extra-nodes, --check, \
                     --on-degraded, --on-catalog-mismatch, --linked-directories, --licenses, --owner, --modes, --expect-sha256 and \
                     --trust",
                ));
            }
            Some(Approved::Plan(plan)) => plan.options.clone(),
            Some(Approved::Hash(_)) | None => self.choices.options()?,
        };
        options.check()?;
        Ok(options)
    }

    /// How it runs, independent of what was approved.
    fn run_options(&self) -> RestoreRunOptions {
        RestoreRunOptions::default()
            .with_servers_stopped(self.servers_stopped.into())
            .with_on_unfinished(if self.resume { OnUnfinished::Resume } else { OnUnfinished::Refuse })
            .with_takeover(if self.takeover { Takeover::Immediately } else { Takeover::AfterTimeout })
            .with_limits(self.effort.limits())
    }
}

/// What was approved.
#[derive(Debug, Clone)]
enum Approved {
    /// The plan of this hash.
    Hash(String),
    /// This plan.
    Plan(Box<RestorePlan>),
}

impl Approved {
    /// Reads the argument of `--plan`.
    fn read(text: &str) -> Result<Self, Failure> {
        if text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Self::Hash(text.to_ascii_lowercase()));
        }
        let json = fs::read_to_string(text)
            .map_err(|error| Failure::usage(format!("--plan takes a hash or a file that can be read ({error})")))?;
        Ok(Self::Plan(Box::new(RestorePlan::from_json(&json)?)))
    }
}
