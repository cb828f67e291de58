//! A [`VerifyReport`] as text.

use std::fmt;

use super::VerifyReport;
use crate::{naming::visible, options::VerifyLevel};

/// How many problems are shown; the JSON has more of them.
const SHOWN: usize = 50;

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            backup,
            level,
            objects,
            read,
            confirmed,
            unconfirmed,
            problems,
            findings,
            certificate,
            not_compared,
            ..
        } = self;
        let backup = visible(backup);
        let count = self.problem_count();
        let shown = problems.len().min(SHOWN);
        match count {
            0 => writeln!(f, "backup {backup}: intact")?,
            1 => writeln!(f, "backup {backup}: differs from its manifest, 1 problem")?,
            _ => writeln!(f, "backup {backup}: differs from its manifest, {count} problems")?,
        }
        write!(f, "{objects} objects looked for, ")?;
        match level {
            VerifyLevel::Checksums => {
                writeln!(f, "{confirmed} of them have the checksum at their store that the manifest says")?;
                if *unconfirmed > 0 {
                    writeln!(f, "{unconfirmed} have no store checksum: not compared (the level `bytes` does)")?;
                }
            }
            VerifyLevel::Bytes => writeln!(f, "{read} of them read and compared")?,
            _ => writeln!(f, "their bytes not compared (the level `bytes` does)")?,
        }
        if *not_compared > 0 {
            writeln!(f, "{not_compared} have no checksum in the manifest: their bytes are compared with nothing")?;
        }
        for problem in &problems[..shown] {
            writeln!(f, "  {:<9} {}", problem.code, visible(&problem.message))?;
        }
        if count > shown as u64 {
            writeln!(f, "  … and {} more", count - shown as u64)?;
        }
        findings.iter().take(SHOWN).try_for_each(|finding| writeln!(f, "note [{}]: {finding}", finding.code))?;
        certificate.iter().try_for_each(|certificate| write!(f, "{certificate}"))
    }
}
