//! [`BackupTable`]: the backups of a repository as text.

use std::{collections::BTreeSet, fmt};

use super::{BackupState, BackupSummary};
use crate::naming::visible;

/// The list of a repository as a table, with what can be done about the states in it.
#[derive(Debug, Clone, Copy)]
pub struct BackupTable<'a>(&'a [BackupSummary]);

impl<'a> BackupTable<'a> {
    /// A table of these backups.
    #[must_use]
    pub const fn new(backups: &'a [BackupSummary]) -> Self {
        Self(backups)
    }
}

impl fmt::Display for BackupTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no backups");
        }
        row(f, ["name", "state", "cluster", "committed", "objects", "bytes"])?;
        writeln!(f)?;
        self.0.iter().try_for_each(|backup| writeln!(f, "{backup}"))?;
        let states: BTreeSet<&str> = self.0.iter().filter_map(|backup| advice(backup.state)).collect();
        states.iter().try_for_each(|advice| writeln!(f, "{advice}"))
    }
}

/// One row of a [`BackupTable`], and the reason where there is one.
impl fmt::Display for BackupSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, cluster, committed, objects, bytes, .. } = self;
        let cluster = cluster.as_deref().unwrap_or("-");
        let committed = committed.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%SZ").to_string());
        let objects = objects.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let bytes = bytes.map_or_else(|| "-".to_owned(), |size| size.to_string());
        row(f, [&visible(name), self.state.as_str(), &visible(cluster), &committed, &objects, &bytes])?;
        self.reason.iter().try_for_each(|reason| write!(f, "\n  [{}] {}", reason.code, reason.message))
    }
}

fn row(f: &mut fmt::Formatter<'_>, [name, state, cluster, committed, objects, bytes]: [&str; 6]) -> fmt::Result {
    write!(f, "{name:<28} {state:<12} {cluster:<20} {committed:<20} {objects:>10} {bytes:>10}")
}

/// What can be done about a backup in this state.
const fn advice(state: BackupState) -> Option<&'static str> {
    match state {
        BackupState::Unfinished => Some("unfinished: back up under the same name and resume, to continue"),
        BackupState::Damaged => Some("damaged: `verify` shows where"),
        BackupState::Newer => Some("newer: written in a newer format; use a newer release"),
        BackupState::Foreign => Some("foreign: directories that are not backups"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn a_table_has_a_row_for_each_backup_and_says_what_can_be_done() {
        assert_eq!(BackupTable::new(&[]).to_string(), "no backups\n");
        let reason = Error::damaged("manifest.json", "it is empty");
        let backups =
            [BackupSummary::unread("a".to_owned(), &reason), BackupSummary::new("b".to_owned(), BackupState::Foreign)];
        let text = BackupTable::new(&backups).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 6, "{text}");
        assert!(lines[0].starts_with("name ") && lines[1].starts_with("a ") && lines[3].starts_with("b "), "{text}");
        assert_eq!(lines[2], format!("  [damaged-backup] {reason}"));
        assert_eq!(lines[3], backups[1].to_string());
        assert_eq!(lines[4..], ["damaged: `verify` shows where", "foreign: directories that are not backups"]);
    }
}
