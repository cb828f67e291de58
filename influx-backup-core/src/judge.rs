//! The judges of the clauses: from evidence to a [`Certificate`]. Pure.

mod attested;
mod catalog;
mod checkpoints;
mod closure;
pub(crate) mod evidence;
mod judgement;
mod manifests;
mod recovery;
#[cfg(test)]
mod tests;
mod write_ahead;

use self::evidence::{Evidence, Provenance};
pub(crate) use self::{
    closure::close,
    judgement::{ANYWHERE, At, Judgement, finding},
    write_ahead::{covered, gaps, numbered},
};
use crate::{
    certificate::{Basis, Certificate, Clause, ClauseResult, Verdict},
    record::AbsentRecord,
};

/// The proof of these clauses: pure over the evidence. It has every violation, however many.
pub(crate) fn judge(evidence: &Evidence<'_>, clauses: &[Clause]) -> (Certificate, Vec<AbsentRecord>) {
    let (closure, absent) = closure::judge(evidence);
    let (catalog, catalog_sequence) = catalog::judge(evidence);
    let (bytes, checked_by) = attested::bytes(evidence);
    let judgements = [
        (Clause::Closure, closure),
        (Clause::Manifests, manifests::judge(evidence)),
        (Clause::Wal, write_ahead::judge(evidence)),
        (Clause::Catalog, catalog),
        (Clause::Checkpoints, checkpoints::judge(evidence)),
        (Clause::Bytes, bytes),
        (Clause::Stability, attested::stability(evidence)),
        (Clause::Compactor, attested::compactor(evidence)),
        (Clause::Nodes, attested::nodes(evidence)),
    ];
    let is_judged = |(clause, _): &(Clause, Judgement)| clauses.contains(clause);
    let (mut results, mut findings) = (Vec::new(), Vec::new());
    for (clause, mut judgement) in judgements.into_iter().filter(is_judged) {
        judgement.assign(clause);
        findings.append(&mut judgement.findings);
        let mut result = result(clause, judgement);
        if let Provenance::Manifest(record) = evidence.provenance {
            keep(&mut result, &record.manifest.certificate);
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
    (certificate, absent)
}

/// What the run itself found stays found: much of it nobody can see in the backup alone.
fn keep(result: &mut ClauseResult, recorded: &Certificate) {
    let Some(recorded) = recorded.clauses.iter().find(|recorded| recorded.clause == result.clause) else { return };
    let known = result.violations.len();
    for violation in &recorded.violations {
        if !result.violations[..known].contains(violation) {
            result.violations.push(violation.clone());
            result.violated += 1;
        }
    }
    result.violated = result.violated.max(recorded.violated);
    if result.violated > 0 {
        result.verdict = Verdict::Violated;
    }
}

fn result(clause: Clause, judgement: Judgement) -> ClauseResult {
    let violated = judgement.violations.len() as u64;
    let verdict = match (violated, judgement.not_attested) {
        (0, false) => Verdict::Holds,
        (0, true) => Verdict::NotAttested,
        _ => Verdict::Violated,
    };
    let basis = match clause {
        Clause::Bytes | Clause::Stability | Clause::Nodes => Basis::Attested,
        _ => Basis::Recomputed,
    };
    ClauseResult { clause, verdict, basis, violations: judgement.violations, violated }
}
