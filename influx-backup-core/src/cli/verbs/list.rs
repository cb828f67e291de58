//! `list REPOSITORY`

use std::{collections::BTreeSet, fmt};

use crate::{
    cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen},
    repository::{BackupState, BackupSummary},
};

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Where the backups lie.
    repository: String,
    #[command(flatten)]
    options: args::Source,
}

impl List {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let repository = places::repository(&self.repository, &self.options.source_options, screen).await?;
        let backups = follow(repository.list().start(), screen).await?;
        screen.answer(&backups, Shown(&backups))?;
        Ok(Exit::Done)
    }
}

struct Shown<'a>(&'a [BackupSummary]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no backups");
        }
        show_row(f, ["name", "state", "cluster", "committed", "objects", "bytes"])?;
        self.0.iter().try_for_each(|backup| show(f, backup))?;
        let states: BTreeSet<&str> = self.0.iter().filter_map(|backup| advice(backup.state)).collect();
        states.iter().try_for_each(|advice| writeln!(f, "{advice}"))
    }
}

fn show(f: &mut fmt::Formatter<'_>, backup: &BackupSummary) -> fmt::Result {
    let BackupSummary { name, cluster, committed, objects, bytes, .. } = backup;
    let cluster = cluster.as_deref().unwrap_or("-");
    let committed = committed.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%SZ").to_string());
    let objects = objects.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let bytes = bytes.map_or_else(|| "-".to_owned(), |size| size.to_string());
    show_row(f, [name, backup.state.as_str(), cluster, &committed, &objects, &bytes])?;
    backup.reason.iter().try_for_each(|reason| writeln!(f, "  [{}] {}", reason.code, reason.message))
}

fn show_row(f: &mut fmt::Formatter<'_>, [name, state, cluster, committed, objects, bytes]: [&str; 6]) -> fmt::Result {
    writeln!(f, "{name:<28} {state:<12} {cluster:<20} {committed:<20} {objects:>10} {bytes:>10}")
}

/// What can be done about a backup in this state.
const fn advice(state: BackupState) -> Option<&'static str> {
    match state {
        BackupState::Unfinished => Some("unfinished: continue with `backup … --name NAME --resume`"),
        BackupState::Damaged => Some("damaged: `verify` shows where"),
        BackupState::Newer => Some("newer: written in a newer format; use a newer release of this program"),
        BackupState::Foreign => Some("foreign: directories that are not backups"),
        _ => None,
    }
}
