//! Whether to commit after a pass, and as what.

use super::{history::PassHistory, passes::Run, prove::Proof};
use crate::{
    error::{Error, Result, StopReason},
    finding::{Finding, FindingCode},
    key::Key,
    options::{OnCorrupt, OnViolation},
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
        let is_stuck = is_quiet && history.idle_passes() >= 2 && proof.fingerprints.is_subset(&history.violations);
        let limits = &self.options.passes;
        let is_last = is_stuck || passes >= limits.max_passes || history.began.elapsed() >= limits.time_limit;
        let is_damage = |violation: &Finding| {
            let is_settled = || is_last || (is_quiet && history.violations.contains(violation));
            violation.code.is_source_damage() && (!violation.code.needs_second_look() || is_settled())
        };
        match self.options.on_corrupt {
            OnCorrupt::Fail => {
                if let Some(violation) = proof.certificate.violations().find(|violation| is_damage(violation))
                    && let Some(key) = violation.key.clone()
                {
                    return Err(Error::CorruptSource { key, finding: Box::new(violation.clone()) });
                }
            }
            OnCorrupt::Record if proof.certificate.violations().all(is_damage) => {
                return Ok(Some(BackupStatus::Degraded));
            }
            OnCorrupt::Record => {}
        }
        let is_recorded = |violation: &Finding| {
            let is_of = |key: &Key| proof.unreadable.iter().any(|left| left.key == *key);
            violation.code == FindingCode::UnreadableObject
                || violation.key.as_ref().is_some_and(is_of)
                || (is_last && violation.code.is_lack())
                || (self.options.on_corrupt == OnCorrupt::Record && is_damage(violation))
        };
        // Only where it is wanted is anything unreadable here.
        if !proof.unreadable.is_empty() && proof.certificate.violations().all(is_recorded) {
            return Ok(Some(BackupStatus::Degraded));
        }
        if !is_last {
            return Ok(None);
        }
        match self.options.on_violation {
            OnViolation::Degrade => Ok(Some(BackupStatus::Degraded)),
            OnViolation::Fail => {
                let stop_reason = if is_stuck { StopReason::NoProgress } else { StopReason::LimitReached };
                Err(Error::NotConsistent { passes, stop_reason, certificate: Box::new(proof.certificate.clone()) })
            }
        }
    }
}
