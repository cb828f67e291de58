//! Plans as tables that a person can read.

use std::fmt;

use super::{BackupPlan, RestorePlan, RootAction, Skipped, Stage};
use crate::{
    finding::Finding,
    naming::visible,
    options::Policy,
    units::{ByteSize, total},
};

/// How many deletions a table names.
const SHOWN: usize = 20;

impl fmt::Display for BackupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Backup of {} from {}", visible(&self.cluster), visible(&self.source))?;
        stages(f, &self.stages)?;
        writeln!(f, "plan {}", self.hash())?;
        skipped(f, &self.skipped)?;
        notes(f, &self.findings)
    }
}

pub(super) fn stages(f: &mut fmt::Formatter<'_>, stages: &[Stage]) -> fmt::Result {
    writeln!(f, "  {:>2}  {:<34} {:>10} {:>12}", "#", "stage", "objects", "bytes")?;
    for (index, stage) in stages.iter().enumerate() {
        let relist = if stage.relist.is_some() { "  + re-list" } else { "" };
        let title = stage.kind.title();
        let objects = stage.objects();
        let bytes = ByteSize(stage.bytes()).to_string();
        writeln!(f, "  {:>2}  {title:<34} {objects:>10} {bytes:>12}{relist}", index + 1)?;
    }
    let objects: u64 = stages.iter().map(Stage::objects).sum();
    let bytes = ByteSize(total(stages.iter().map(Stage::bytes))).to_string();
    writeln!(f, "  {:>2}  {:<34} {objects:>10} {bytes:>12}", "", "total")
}

pub(super) fn skipped(f: &mut fmt::Formatter<'_>, skipped: &[Skipped]) -> fmt::Result {
    for skipped in skipped {
        writeln!(f, "skipped: {skipped}")?;
    }
    Ok(())
}

fn notes(f: &mut fmt::Formatter<'_>, findings: &[Finding]) -> fmt::Result {
    findings.iter().try_for_each(|note| writeln!(f, "note [{}]: {note}", note.code))
}

impl fmt::Display for RestorePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = match self.policy {
            Policy::Empty => "into an empty target",
            Policy::Replace => "replacing the target's contents",
            Policy::Overlay => "over the target's contents",
        };
        let [cluster, backup, target] = [&self.cluster, &self.backup, &self.target].map(visible);
        writeln!(f, "Restore of {cluster} from backup {backup} to {target} ({policy})")?;
        if let Some(restore) = &self.resumes {
            writeln!(f, "resumes restore {}", visible(restore))?;
        }
        writeln!(f, "  boot guard at {} root paths", self.guards.len())?;
        stages(f, &self.stages)?;
        let deletions = self.deletions().len();
        let overwrites = self.overwrites().len();
        writeln!(f, "  {overwrites} objects are overwritten, {deletions} deleted")?;
        for key in self.deletions().take(SHOWN) {
            writeln!(f, "    delete {}", visible(key))?;
        }
        if deletions > SHOWN {
            writeln!(f, "    … and {} more", deletions - SHOWN)?;
        }
        for step in &self.release {
            let action = match step.action {
                RootAction::Put => "release: put",
                RootAction::Remove => "release: remove the guard from",
            };
            writeln!(f, "  {action} {}", visible(&step.key))?;
        }
        writeln!(f, "plan {}", self.hash())?;
        skipped(f, &self.skipped)?;
        for name in &self.kept {
            writeln!(f, "kept: {}", visible(name))?;
        }
        writeln!(f, "servers that may open the result: {}", self.servers)?;
        for todo in &self.todos {
            writeln!(f, "to do: {todo}")?;
        }
        notes(f, &self.findings)
    }
}
