//! What one clause found.

use crate::certificate::{Clause, Finding, Violation};
use crate::key::Key;

/// What one clause found.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) violations: Vec<Violation>,
    pub(crate) findings: Vec<Finding>,
    /// Nobody recorded what the clause is about.
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
    pub(crate) fn violate(&mut self, at: At<'_>, code: &str, message: impl Into<String>) {
        self.violations.push(violation(at, code, message));
    }

    pub(crate) fn find(&mut self, clause: Clause, at: At<'_>, code: &str, message: impl Into<String>) {
        let (node, key) = (at.node.map(ToOwned::to_owned), at.key.cloned());
        self.findings.push(Finding { clause, code: code.to_owned(), node, key, message: message.into() });
    }
}

pub(crate) fn violation(at: At<'_>, code: &str, message: impl Into<String>) -> Violation {
    let (node, key) = (at.node.map(ToOwned::to_owned), at.key.cloned());
    Violation { code: code.to_owned(), node, key, message: message.into() }
}
