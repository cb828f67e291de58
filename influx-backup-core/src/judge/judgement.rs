//! What one clause found.

use crate::{
    finding::{Clause, Finding, FindingCode, Severity},
    key::Key,
};

/// What one clause found.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) violations: Vec<Finding>,
    pub(crate) findings: Vec<Finding>,
    /// What the clause is about is not recorded.
    pub(crate) not_attested: bool,
}

/// Where something was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) node: Option<&'a str>,
    pub(crate) key: Option<&'a Key>,
}

/// Nowhere in particular.
pub(crate) const ANYWHERE: At<'_> = At { node: None, key: None };

impl<'a> At<'a> {
    pub(crate) const fn node(node: &'a str) -> Self {
        Self { node: Some(node), key: None }
    }

    pub(crate) const fn object(node: Option<&'a str>, key: &'a Key) -> Self {
        Self { node, key: Some(key) }
    }
}

impl Judgement {
    /// Adds what was found: a violation where its code is an error.
    pub(crate) fn report(&mut self, at: At<'_>, code: FindingCode, message: impl Into<String>) {
        self.add(finding(at, code, message));
    }

    /// Says of everything found which clause it belongs to.
    pub(crate) fn assign(&mut self, clause: Clause) {
        self.violations.iter_mut().chain(&mut self.findings).for_each(|finding| finding.clause = Some(clause));
    }

    /// Adds a finding: a violation where its code is an error.
    pub(crate) fn add(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Error => self.violations.push(finding),
            _ => self.findings.push(finding),
        }
    }
}

/// A finding at a place.
pub(crate) fn finding(at: At<'_>, code: FindingCode, message: impl Into<String>) -> Finding {
    Finding { node: at.node.map(ToOwned::to_owned), key: at.key.cloned(), ..Finding::new(code, message) }
}
