//! A [`Certificate`] as text: what a person must know first comes first.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{AbsentTable, Basis, Certificate, Clause, ClauseResult, Finding, RecoveryPoint, Verdict};
use crate::certificate::CheckedBy;
use crate::naming::visible;

/// How many violations, findings or tables of a kind are shown; all of them are in the JSON.
const SHOWN: usize = 10;

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        writeln!(f, "clauses:")?;
        for clause in &self.clauses {
            show_clause(f, clause)?;
        }
        if let Some(sequence) = self.catalog_sequence {
            writeln!(f, "catalog sequence: {sequence}")?;
        }
        if !self.checked_by.is_empty() {
            let counts: Vec<_> =
                self.checked_by.iter().map(|(by, count)| format!("{count} by {}", compared_by(*by))).collect();
            writeln!(f, "copies verified: {}", counts.join(", "))?;
        }
        self.show_findings(f)
    }
}

impl Certificate {
    /// The first lines of every report: status, recovery point per node, absent files.
    pub(crate) fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |verdict| codes(self.clauses.iter().filter(move |result| result.verdict == verdict));
        match (with(Verdict::Violated), with(Verdict::NotAttested)) {
            (None, None) => writeln!(f, "certificate: all clauses hold")?,
            (None, Some(unknown)) => writeln!(f, "certificate: no violations; unverified: {unknown}")?,
            (Some(violated), _) => writeln!(f, "certificate: NOT CONSISTENT, {violated} violated")?,
        }
        writeln!(f, "recovery point: (what was acknowledged after it is lost if the cluster fails now)")?;
        for point in &self.recovery {
            show_point(f, point)?;
        }
        match self.absent.as_slice() {
            [] => writeln!(f, "absent files: none"),
            tables => {
                let closure = self.clauses.iter().find(|result| result.clause == Clause::Closure);
                let known = closure.is_some_and(|result| result.verdict != Verdict::NotAttested);
                let source = if known {
                    "the source did not have them either"
                } else {
                    "whether the source had them is not recorded"
                };
                writeln!(f, "absent files: {} ({source})", self.absent_files())?;
                some(f, tables, show_absent)
            }
        }
    }

    /// The findings, where there are any.
    pub(crate) fn show_findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.orphans > 0 {
            writeln!(f, "Parquet files that no manifest names: {} (copied, not certified)", self.orphans)?;
        }
        if self.findings.is_empty() {
            return Ok(());
        }
        writeln!(f, "findings:")?;
        some(f, &self.findings, show_finding)
    }
}

const fn compared_by(checked_by: CheckedBy) -> &'static str {
    match checked_by {
        CheckedBy::Content => "content",
        CheckedBy::StoreChecksum => "the stores' checksums",
        CheckedBy::Etag => "entity tag",
        CheckedBy::Size => "size only",
    }
}

/// The codes of clauses, where there are any.
fn codes<'a>(results: impl Iterator<Item = &'a ClauseResult>) -> Option<String> {
    let codes: Vec<_> = results.map(|result| result.clause.as_str()).collect();
    (!codes.is_empty()).then(|| codes.join(", "))
}

fn show_point(f: &mut fmt::Formatter<'_>, point: &RecoveryPoint) -> fmt::Result {
    write!(f, "  {}: ", visible(&point.node))?;
    let Some(time) = point.time() else { return writeln!(f, "holds no rows of its own") };
    write!(f, "{}: ", when(time))?;
    match &point.guaranteed {
        Some(at) => write!(f, "snapshot {} of {} (covers WAL up to {})", at.snapshot, when(at.time), at.wal)?,
        None => write!(f, "no snapshot yet")?,
    }
    match &point.reached {
        Some(at) => writeln!(f, ", then WAL up to {} of {}", at.wal, when(at.time)),
        None => writeln!(f, ", no WAL above it"),
    }
}

fn show_absent(f: &mut fmt::Formatter<'_>, table: &AbsentTable) -> fmt::Result {
    let AbsentTable { node, database, table, files, rows, newest } = table;
    let node = visible(node);
    let newest = when(*newest);
    writeln!(f, "  {node}: database {database}, table {table}: {files} files, {rows} rows, newest {newest}")
}

fn show_clause(f: &mut fmt::Formatter<'_>, result: &ClauseResult) -> fmt::Result {
    let verdict = match result.verdict {
        Verdict::Holds => "holds",
        Verdict::Violated => "VIOLATED",
        Verdict::NotAttested => "unverified",
    };
    let basis = match (result.verdict, result.basis) {
        (Verdict::NotAttested, _) => "known only to the run that took the backup",
        (_, Basis::Recomputed) => "from the bytes",
        (_, Basis::Attested) => "as the run recorded it",
    };
    writeln!(f, "  {}  {:<44} {verdict:<10}  {basis}", result.clause, result.clause.title())?;
    for violation in result.violations.iter().take(SHOWN) {
        show_violation(f, violation)?;
    }
    let shown = result.violations.len().min(SHOWN) as u64;
    more(f, result.violated().saturating_sub(shown))
}

fn show_violation(f: &mut fmt::Formatter<'_>, violation: &Finding) -> fmt::Result {
    writeln!(f, "      {}: {violation}", violation.code)
}

fn show_finding(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let clause = finding.clause.map_or("", Clause::as_str);
    writeln!(f, "  {clause:<2}  {}: {finding}", finding.code)
}

/// The first few of many, and how many more there are.
fn some<T>(
    f: &mut fmt::Formatter<'_>,
    many: &[T],
    show: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    many.iter().take(SHOWN).try_for_each(|one| show(f, one))?;
    more(f, many.len().saturating_sub(SHOWN) as u64)
}

fn more(f: &mut fmt::Formatter<'_>, count: u64) -> fmt::Result {
    if count > 0 { writeln!(f, "      … and {count} more") } else { Ok(()) }
}

fn when(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::certificate::{FindingCode, Guaranteed, Reached};

    fn certificate() -> Certificate {
        let holds = |clause| ClauseResult {
            clause,
            verdict: Verdict::Holds,
            basis: Basis::Recomputed,
            violations: Vec::new(),
            counts: BTreeMap::new(),
        };
        let time = |second| DateTime::from_timestamp(second, 0).expect("a time");
        Certificate {
            clauses: Clause::ALL.iter().copied().map(holds).collect(),
            recovery: vec![RecoveryPoint {
                node: "n1".to_owned(),
                guaranteed: Some(Guaranteed { snapshot: 7, wal: 40, time: time(1_700_000_000) }),
                reached: Some(Reached { wal: 43, time: time(1_700_000_001) }),
            }],
            absent: Vec::new(),
            findings: Vec::new(),
            checked_by: BTreeMap::from([(CheckedBy::Content, 9)]),
            catalog_sequence: Some(5),
            orphans: 0,
        }
    }

    #[test]
    fn status_recovery_point_and_absent_files_come_first() {
        let text = certificate().to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "certificate: all clauses hold");
        let point = "  n1: 2023-11-14 22:13:21 UTC: snapshot 7 of 2023-11-14 22:13:20 UTC (covers WAL up to 40), then WAL \
                     up to 43 of 2023-11-14 22:13:21 UTC";
        assert!(lines[1].ends_with("lost if the cluster fails now)"), "{text}");
        assert_eq!(lines[2], point);
        assert_eq!(lines[3], "absent files: none");
        assert!(text.contains("copies verified: 9 by content"), "{text}");
    }

    #[test]
    fn a_violated_clause_is_named_first_and_its_violations_are_counted() {
        let mut certificate = certificate();
        let violation =
            |number: usize| Finding::new(FindingCode::MissingWal, format!("WAL {number} is missing")).with_node("n1");
        let wal = &mut certificate.clauses[2];
        wal.verdict = Verdict::Violated;
        wal.violations = (0..20).map(violation).collect();
        wal.counts = BTreeMap::from([(FindingCode::MissingWal, 500)]);
        let text = certificate.to_string();
        assert!(text.starts_with("certificate: NOT CONSISTENT, C3 violated\n"), "{text}");
        assert!(text.contains("missing-wal: WAL 9 is missing\n      … and 490 more"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_unverified() {
        let mut certificate = certificate();
        certificate.clauses[0].verdict = Verdict::NotAttested;
        certificate.clauses[8].verdict = Verdict::NotAttested;
        certificate.orphans = 3;
        let text = certificate.to_string();
        assert!(text.starts_with("certificate: no violations; unverified: C1, C9\n"), "{text}");
        assert!(text.ends_with("Parquet files that no manifest names: 3 (copied, not certified)\n"), "{text}");
    }
}
