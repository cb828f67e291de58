//! Each clause, each violation, each finding: one tree that is whole, and one thing wrong with it.

mod attested;
mod catalog;
mod checkpoints;
mod closure;
mod manifests;
mod tree;
mod write_ahead;

use self::tree::Tree;
use crate::{
    certificate::{Basis, Certificate, Verdict},
    finding::{Clause, Finding, FindingCode},
};

/// The one violation of a certificate in which only this clause is open.
#[track_caller]
fn only(clause: Clause, code: FindingCode, certificate: &Certificate) -> Finding {
    assert_eq!(certificate.violated_clauses(), [clause], "{}", certificate.summary());
    let result = certificate.clauses.iter().find(|result| result.clause == clause).expect("every clause is judged");
    let codes: Vec<_> = result.violations.iter().map(|violation| violation.code.clone()).collect();
    assert_eq!((codes, result.violated()), (vec![code], 1), "{}", certificate.summary());
    assert!(!certificate.holds());
    result.violations[0].clone()
}

/// Asserts that a violation names this object.
#[track_caller]
fn names(violation: &Finding, key: &str) {
    assert_eq!(violation.key.as_ref().map(AsRef::as_ref), Some(key), "{violation:?}");
    assert!(violation.message.contains(key), "{violation:?}");
}

/// The codes of the findings of a certificate that holds.
#[track_caller]
fn findings(certificate: &Certificate) -> Vec<(Clause, FindingCode)> {
    assert!(certificate.holds(), "{}", certificate.summary());
    certificate
        .findings
        .iter()
        .map(|finding| (finding.clause.expect("every finding has one"), finding.code.clone()))
        .collect()
}

fn verdict(certificate: &Certificate, clause: Clause) -> Verdict {
    certificate.clauses.iter().find(|result| result.clause == clause).expect("every clause is judged").verdict
}

#[test]
fn a_whole_tree_holds_in_every_clause_without_findings() {
    for tree in [Tree::enterprise(), Tree::core()] {
        for certificate in [tree.judge(), tree.judge_record()] {
            let verdicts: Vec<_> = certificate.clauses.iter().map(|result| (result.clause, result.verdict)).collect();
            assert_eq!(
                verdicts,
                Clause::ALL.iter().map(|clause| (*clause, Verdict::Holds)).collect::<Vec<_>>(),
                "{}",
                certificate.summary()
            );
            assert_eq!(certificate.findings, []);
            assert_eq!(certificate.absent, []);
            assert_eq!((certificate.catalog_sequence, certificate.orphans), (Some(3), 0));
            let point = &certificate.recovery[0];
            let guaranteed = point.guaranteed.as_ref();
            let reached = point.reached.as_ref();
            assert_eq!(guaranteed.map(|at| (at.snapshot, at.wal)), Some((2, 10)));
            assert_eq!(reached.map(|at| at.wal), Some(12));
        }
    }
}

#[test]
fn without_a_record_only_what_the_bytes_tell_is_said_to_hold() {
    let certificate = Tree::enterprise().judge_alone();
    let unknown: Vec<_> =
        Clause::ALL.iter().copied().filter(|c| verdict(&certificate, *c) == Verdict::NotAttested).collect();
    assert_eq!(unknown, [Clause::Bytes, Clause::Stability, Clause::Compactor, Clause::Nodes]);
    assert!(certificate.holds() && certificate.is_proven());
    let basis = |clause| certificate.clauses.iter().find(|c| c.clause == clause).map(|result| result.basis);
    assert_eq!(basis(Clause::Closure), Some(Basis::Recomputed));
    assert_eq!(basis(Clause::Stability), Some(Basis::Attested));
}

#[test]
fn what_a_run_found_stays_found_when_the_backup_is_certified_again() {
    let mut tree = Tree::core();
    tree.catalog_before = Some(9);
    let run = tree.judge();
    only(Clause::Catalog, FindingCode::CatalogWentBack, &run);
    let again = tree.judge_record();
    assert_eq!(only(Clause::Catalog, FindingCode::CatalogWentBack, &again), run.clauses[3].violations[0]);
}

#[test]
fn many_violations_are_counted_and_the_first_are_kept() {
    let mut tree = Tree::core();
    for number in 1_000..1_300 {
        tree.put(&format!("n1/catalog/v3/logs/stray-{number}"), "stray");
    }
    for certificate in [tree.judge(), tree.judge_record()] {
        let result = &certificate.clauses[3];
        assert_eq!((result.violations.len() as u64, result.violated()), (Certificate::VIOLATIONS_KEPT, 300));
    }
}

#[test]
fn numbers_at_the_end_of_their_range_do_not_panic() {
    let mut tree = Tree::core();
    tree.snapshot(u64::MAX, u64::MAX, &[]);
    tree.put("n1/wal/18446744073709551615.wal", super::super::testing::write::wal(b"x"));
    tree.log(u64::MAX);
    let certificate = tree.judge();
    assert_eq!(certificate.violated_clauses(), [Clause::Catalog], "{}", certificate.summary());
    assert!(!tree.judge_alone().holds());
}
