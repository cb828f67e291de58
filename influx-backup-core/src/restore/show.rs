//! The reports of a restore as text.

use std::fmt;

use super::{AbandonReport, RestoreReport};

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} restored to {}: {} objects, {}", self.backup, self.target, self.objects, self.bytes)?;
        writeln!(f, "servers that may open it: {}", self.servers)?;
        for point in &self.recovery {
            let time = point.reached.as_ref().map(|at| at.time).or(point.guaranteed.as_ref().map(|at| at.time));
            match time {
                Some(time) => writeln!(f, "node {} restored to {}", point.node, time.format("%Y-%m-%d %H:%M:%S UTC"))?,
                None => writeln!(f, "node {} holds no rows", point.node)?,
            }
        }
        if self.deleted > 0 {
            writeln!(f, "deleted, the backup does not hold them: {} objects", self.deleted)?;
        }
        self.licenses_skipped.iter().try_for_each(|key| writeln!(f, "license skipped: {key}"))?;
        self.kept.iter().try_for_each(|name| writeln!(f, "kept, not part of the backup: {name}"))?;
        self.findings.iter().try_for_each(|note| writeln!(f, "note [{}]: {}", note.code, note.message))?;
        self.todos.iter().try_for_each(|note| writeln!(f, "to do [{}]: {}", note.code, note.message))
    }
}

impl fmt::Display for AbandonReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "restore of {} undone, {} objects deleted again", self.backup, self.deleted)
    }
}
