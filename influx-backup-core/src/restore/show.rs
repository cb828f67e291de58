//! The reports of a restore as text.

use std::fmt;

use super::{AbandonReport, RestoreReport};
use crate::naming::visible;

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [backup, target] = [&self.backup, &self.target].map(visible);
        writeln!(f, "{backup} restored to {target}: {} objects, {}", self.objects, self.bytes)?;
        writeln!(f, "servers that may open it: {}", self.servers)?;
        for point in &self.recovery {
            let node = visible(&point.node);
            let time = point.reached.as_ref().map(|at| at.time).or(point.guaranteed.as_ref().map(|at| at.time));
            match time {
                Some(time) => writeln!(f, "node {node} restored to {}", time.format("%Y-%m-%d %H:%M:%S UTC"))?,
                None => writeln!(f, "node {node} holds no rows")?,
            }
        }
        if self.deleted > 0 {
            writeln!(f, "deleted, the backup does not hold them: {} objects", self.deleted)?;
        }
        self.licenses_skipped.iter().try_for_each(|key| writeln!(f, "license skipped: {}", visible(key)))?;
        self.kept.iter().try_for_each(|name| writeln!(f, "kept, not part of the backup: {}", visible(name)))?;
        self.findings.iter().try_for_each(|note| writeln!(f, "note [{}]: {note}", note.code))?;
        self.todos.iter().try_for_each(|note| writeln!(f, "to do [{}]: {note}", note.code))
    }
}

impl fmt::Display for AbandonReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "restore of {} undone, {} objects deleted again", visible(&self.backup), self.deleted)
    }
}
