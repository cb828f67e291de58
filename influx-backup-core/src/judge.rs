//! The judges of the clauses: from evidence to a [`Certificate`]. Pure.

mod attested;
mod catalog;
mod checkpoints;
mod closure;
pub(crate) mod evidence;
pub(crate) mod fact;
pub(crate) mod held;
mod judgement;
mod manifests;
mod recovery;
#[cfg(test)]
mod tests;
mod write_ahead;

use std::collections::HashSet;

use self::evidence::{Evidence, Provenance};
pub(crate) use self::{
    evidence::Cut,
    judgement::{ANYWHERE, At, Fingerprints, finding, fingerprint},
    write_ahead::{covered, gaps, numbered},
};
use crate::{
    certificate::{Certificate, ClauseResult, Verdict},
    finding::{Clause, Finding},
    record::AbsentRecord,
    table::Table,
};

/// What judging gives.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) certificate: Certificate,
    /// Live files that the source lacks too.
    pub(crate) absent: Table<AbsentRecord>,
    /// Of every violation, also of those that the certificate does not keep.
    pub(crate) fingerprints: Fingerprints,
}

/// Judges these clauses: pure over the evidence.
pub(crate) fn judge(evidence: &Evidence<'_>, clauses: &[Clause]) -> Judged {
    let (closure, absent) = closure::judge(evidence);
    let (catalog, catalog_sequence) = catalog::judge(evidence);
    let (bytes, checked_by) = attested::bytes(evidence);
    let judgements = [
        closure,
        manifests::judge(evidence),
        write_ahead::judge(evidence),
        catalog,
        checkpoints::judge(evidence),
        bytes,
        attested::stability(evidence),
        attested::compactor(evidence),
        attested::nodes(evidence),
    ];
    let mut results = Vec::new();
    let mut findings = Vec::new();
    let mut fingerprints = Fingerprints::default();
    for mut judgement in judgements.into_iter().filter(|judgement| clauses.contains(&judgement.clause)) {
        findings.append(&mut judgement.findings);
        fingerprints.extend(std::mem::take(&mut judgement.fingerprints));
        let mut result = judgement.into_result();
        if let Provenance::Manifest(record) = evidence.provenance {
            keep(&mut result, record.certificate);
        }
        results.push(result);
    }
    let certificate = Certificate {
        clauses: results,
        recovery: recovery::points(evidence),
        absent: closure::by_table(&absent),
        findings,
        checked_by,
        catalog_sequence,
        orphans: closure::orphans(evidence),
    };
    Judged { certificate, absent, fingerprints }
}

/// What the run itself found stays found: much of it cannot be seen in the backup alone.
fn keep(result: &mut ClauseResult, recorded: &Certificate) {
    let Some(recorded) = recorded.clauses.iter().find(|recorded| recorded.clause == result.clause) else { return };
    let found: HashSet<&Finding> = result.violations.iter().collect();
    let lost: Vec<_> = recorded.violations.iter().filter(|violation| !found.contains(violation)).cloned().collect();
    let kept = Certificate::VIOLATIONS_KEPT;
    for violation in lost {
        // Where one side does not keep all of them, which ones are lost is not known.
        let recorded = recorded.counts.get(&violation.code).copied().unwrap_or(0);
        let count = result.counts.entry(violation.code.clone()).or_default();
        if recorded <= kept && *count < kept {
            *count += 1;
            result.violations.push(violation);
        }
    }
    for (code, recorded) in &recorded.counts {
        let count = result.counts.entry(code.clone()).or_default();
        *count = (*recorded).max(*count);
    }
    if result.violated() > 0 {
        result.verdict = Verdict::Violated;
    }
}
