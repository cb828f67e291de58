//! Whether to commit after a pass, and as what.

use super::{OnCorrupt, OnViolation, history::PassHistory, passes::Run, prove::Proof};
use crate::{
    certificate::{Clause, Violation},
    error::{Error, Result, StopReason},
    record::BackupStatus,
};

impl Run<'_> {
    /// Whether to commit, and as what; `None`: another pass.
    pub(super) fn verdict(&self, proof: &Proof, history: &PassHistory) -> Result<Option<BackupStatus>> {
        if proof.certificate.holds() {
            return Ok(Some(BackupStatus::Complete));
        }
        let passes = history.passes();
        let is_quiet = proof.differences.is_empty();
        // A source where nothing moves looks the same in every further pass. Two idle ones are needed: that a file of an
        // Enterprise cluster is absent takes the listing before the one that is copied.
        let is_stuck = is_quiet
            && history.idle_passes() >= 2
            && proof.violations.iter().all(|violation| history.violations.contains(violation));
        let limits = self.options.passes;
        let is_last = is_stuck || passes >= limits.max_passes || history.began.elapsed() >= limits.time_limit;
        let is_damage = |found: &(Clause, Violation)| {
            is_damage(&found.1, is_last || (is_quiet && history.violations.contains(found)))
        };
        match self.options.on_corrupt {
            OnCorrupt::Fail => {
                if let Some((clause, violation)) = proof.violations.iter().find(|found| is_damage(found))
                    && let Some(key) = &violation.key
                {
                    return Err(corrupt_source(*clause, key.clone(), &violation.message));
                }
            }
            OnCorrupt::Record if proof.violations.iter().all(is_damage) => return Ok(Some(BackupStatus::Degraded)),
            OnCorrupt::Record => {}
        }
        if !is_last {
            return Ok(None);
        }
        match self.options.on_violation {
            OnViolation::Degrade => Ok(Some(BackupStatus::Degraded)),
            OnViolation::Fail => {
                let halt = if is_stuck { StopReason::NoProgress } else { StopReason::LimitReached };
                Err(Error::NotConsistent { passes, halt, certificate: Box::new(proof.certificate.clone()) })
            }
        }
    }
}

fn corrupt_source(clause: Clause, key: crate::key::Key, message: &str) -> Error {
    let message = message.strip_prefix(&format!("`{key}`: ")).unwrap_or(message);
    let reason = format!("{message} ({clause}: {})", clause.title());
    Error::CorruptSource { key, reason }
}

/// Whether a violation is damage in the source itself, which no further pass can clear. `is_settled`: the source does not move,
/// and it was violated after the pass before, too; or there is no further pass.
fn is_damage(violation: &Violation, is_settled: bool) -> bool {
    match violation.code.as_str() {
        // What objects say of themselves.
        "misnamed-manifest" | "foreign-manifest" | "foreign-parquet" | "misnamed-checkpoint" | "foreign-checkpoint" => {
            true
        }
        // What should not be there, or not together.
        "new-checkpoint" | "stray-catalog-log" | "catalog-uuid" => true,
        // A server that replays its WAL after a crash writes a file again: damage is what a second look shows again in a
        // source where nothing moves.
        "wrong-size-parquet" => is_settled,
        code => code.starts_with("corrupt-"),
    }
}
