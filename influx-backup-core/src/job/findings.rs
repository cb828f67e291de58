//! What a job has found so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::finding::{Finding, Severity};

/// The findings of a job, in the order in which they were sent. Clones are one list.
///
/// A job has a few of them: what was found in a cluster or a backup is in its certificate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings(Arc<Mutex<Vec<Finding>>>);

impl Findings {
    pub(super) fn add(&self, finding: Finding) {
        self.lock().push(finding);
    }

    pub(super) fn has(&self, finding: &Finding) -> bool {
        self.lock().contains(finding)
    }

    pub(super) fn all(&self) -> Vec<Finding> {
        self.lock().clone()
    }

    /// As reports have them: first what the caller has to do, then the rest.
    pub(crate) fn todos_and_rest(&self) -> (Vec<Finding>, Vec<Finding>) {
        self.all().into_iter().partition(|finding| finding.severity == Severity::Todo)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Finding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
