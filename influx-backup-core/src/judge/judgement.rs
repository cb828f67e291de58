//! What one clause found, and [`Fingerprints`] of all of it.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    certificate::{Basis, Certificate, ClauseResult, Verdict},
    finding::{Clause, Finding, FindingCode, Severity},
    key::Key,
};

/// What one clause found.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(super) clause: Clause,
    /// The first [`Certificate::VIOLATIONS_KEPT`] of each code.
    pub(crate) violations: Vec<Finding>,
    /// How many there are, by code.
    pub(crate) counts: BTreeMap<FindingCode, u64>,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) findings: Vec<Finding>,
    /// What the clause is about is not recorded.
    pub(crate) not_attested: bool,
}

/// A hash of every violation, so that two proofs can be compared without keeping all violations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fingerprints(HashSet<u64>);

impl Fingerprints {
    /// Whether this violation is among them.
    pub(crate) fn contains(&self, violation: &Finding) -> bool {
        self.0.contains(&fingerprint(violation))
    }

    /// Whether all of them are among the others.
    pub(crate) fn is_subset(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// What is as good as the same only for the same.
pub(crate) fn fingerprint(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
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
    /// Nothing found yet.
    pub(crate) fn of(clause: Clause) -> Self {
        Self {
            clause,
            violations: Vec::new(),
            counts: BTreeMap::new(),
            fingerprints: Fingerprints::default(),
            findings: Vec::new(),
            not_attested: false,
        }
    }

    /// Adds what was found: a violation where its code is an error.
    pub(crate) fn report(&mut self, at: At<'_>, code: FindingCode, message: impl Into<String>) {
        self.add(finding(at, code, message));
    }

    /// Adds a finding: a violation where its code is an error.
    pub(crate) fn add(&mut self, finding: Finding) {
        let finding = finding.with_clause(self.clause);
        if finding.severity != Severity::Error {
            self.findings.push(finding);
            return;
        }
        self.fingerprints.0.insert(fingerprint(&finding));
        let count = self.counts.entry(finding.code.clone()).or_default();
        *count += 1;
        if *count <= Certificate::VIOLATIONS_KEPT {
            self.violations.push(finding);
        }
    }

    pub(crate) fn into_result(self) -> ClauseResult {
        let verdict = match (self.counts.is_empty(), self.not_attested) {
            (false, _) => Verdict::Violated,
            (true, true) => Verdict::NotAttested,
            (true, false) => Verdict::Holds,
        };
        let basis = match self.clause {
            Clause::Bytes | Clause::Stability | Clause::Nodes => Basis::Attested,
            _ => Basis::Recomputed,
        };
        ClauseResult { clause: self.clause, verdict, basis, violations: self.violations, counts: self.counts }
    }

    /// Whether anything of this code violates the clause.
    pub(crate) fn has(&self, code: &FindingCode) -> bool {
        self.counts.contains_key(code)
    }
}

/// A finding at a place.
pub(crate) fn finding(at: At<'_>, code: FindingCode, message: impl Into<String>) -> Finding {
    Finding { node: at.node.map(ToOwned::to_owned), key: at.key.cloned(), ..Finding::new(code, message) }
}
