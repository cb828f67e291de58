//! A [`BackupReport`] as text: what a person must know first comes first.

use std::fmt;

use super::BackupReport;
use crate::{
    naming::visible,
    plan::Reason,
    record::{BackupStatus, PassReport},
    units::ByteSize,
};

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            BackupStatus::Complete => "complete",
            BackupStatus::Degraded => "DEGRADED: committed with your consent, do not count on it",
        };
        writeln!(f, "backup {}: {status}", visible(&self.name))?;
        self.todos.iter().try_for_each(|todo| writeln!(f, "to do [{}]: {todo}", todo.code))?;
        self.certificate.head(f)?;
        self.show_licenses(f)?;
        writeln!(f, "not in any backup of the object store: {}", self.not_covered.join("; "))?;
        writeln!(f, "{} objects, {}", self.objects, self.bytes)?;
        for left in self.skipped.iter().filter(|left| left.reason != Reason::LicenseElsewhere) {
            writeln!(f, "skipped: {left}")?;
        }
        for name in &self.unknown {
            writeln!(f, "unknown to this release, copied: {}", visible(name))?;
        }
        for (number, pass) in (1..).zip(&self.passes) {
            show_pass(f, number, pass)?;
        }
        self.certificate.show_findings(f)?;
        self.findings.iter().try_for_each(|found| writeln!(f, "note [{}]: {found}", found.code))?;
        writeln!(f, "manifest SHA-256 {} (keep it elsewhere too)", self.manifest_sha256)
    }
}

impl BackupReport {
    fn show_licenses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut elsewhere = self.skipped.iter().filter(|skipped| skipped.reason == Reason::LicenseElsewhere).peekable();
        if elsewhere.peek().is_none() {
            writeln!(f, "licenses skipped: none")?;
        }
        for skipped in elsewhere {
            writeln!(f, "license skipped: {} ({})", skipped.item, skipped.reason.text())?;
        }
        match self.licenses.len() {
            0 => Ok(()),
            count => writeln!(f, "license files held: {count} (before 3.10 they are bound to this place)"),
        }
    }
}

fn show_pass(f: &mut fmt::Formatter<'_>, number: u32, pass: &PassReport) -> fmt::Result {
    let PassReport { listed, copied, vanished, changed, altered, unrecorded, elapsed_ms, failed_clauses, .. } = pass;
    let PassReport { copiers, refused, .. } = pass;
    let bytes = ByteSize(pass.bytes);
    write!(f, "pass {number}: {listed} listed, {copied} copied ({bytes})")?;
    if vanished + changed > 0 {
        write!(f, ", {vanished} vanished, {changed} changed")?;
    }
    if !failed_clauses.is_empty() {
        let codes: Vec<_> = failed_clauses.iter().map(|clause| clause.as_str()).collect();
        write!(f, ", violated: {}", codes.join(", "))?;
    }
    if altered + unrecorded > 0 {
        write!(f, ", {altered} altered in the backup, {unrecorded} unrecorded")?;
    }
    if !copiers.is_empty() {
        let by: Vec<_> = copiers.iter().map(|(copier, objects)| format!("{} {objects}", visible(copier))).collect();
        write!(f, ", by {}", by.join(", "))?;
    }
    for (copier, objects) in refused {
        write!(f, ", {objects} of them because the store refused {}", visible(copier))?;
    }
    writeln!(f, ", {}.{:01} s", elapsed_ms / 1000, elapsed_ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        certificate::Certificate,
        finding::{Finding, FindingCode},
        key::Key,
        plan::{Skipped, SkippedItem},
    };

    #[test]
    fn what_the_backup_lacks_comes_before_what_it_holds() {
        let time = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let certificate = Certificate::new(Vec::new());
        let report = BackupReport {
            name: "monday".to_owned(),
            status: BackupStatus::Complete,
            began: time,
            committed: time,
            certificate,
            passes: vec![PassReport {
                listed: 12,
                copied: 10,
                bytes: 2048,
                elapsed_ms: 1250,
                copiers: [("stream".to_owned(), 10)].into(),
                refused: [("server-side".to_owned(), 4)].into(),
                ..PassReport::default()
            }],
            objects: 10,
            bytes: ByteSize(2048),
            skipped: vec![Skipped {
                item: SkippedItem::Object(Key::parse("c1/commercial_license").expect("a key")),
                reason: Reason::LicenseElsewhere,
                objects: 1,
                bytes: 9,
            }],
            unknown: vec!["n1/odd".to_owned()],
            licenses: vec![Key::parse("c1/trial_or_home_license").expect("a key")],
            manifest_sha256: "ab".to_owned(),
            not_covered: vec!["the plugin directory".to_owned()],
            abilities: None,
            todos: vec![Finding::new(FindingCode::ServersStopped, "start node `n1`")],
            findings: vec![Finding::new(FindingCode::ClockSkew, "the clock is ahead")],
        };
        let text = report.to_string();
        let at = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("no `{needle}` in\n{text}"));
        let order = [
            at("backup monday: complete"),
            at("to do [servers-stopped]: start node `n1`"),
            at("certificate:"),
            at("recovery point:"),
            at("absent files: none"),
            at("license skipped: c1/commercial_license"),
            at("not in any backup of the object store: the plugin directory"),
            at("10 objects, 2.0 KiB"),
            at("unknown to this release, copied: n1/odd"),
            at(
                "pass 1: 12 listed, 10 copied (2.0 KiB), by stream 10, 4 of them because the store refused server-side, 1.2 s",
            ),
            at("note [clock-skew]: the clock is ahead"),
        ];
        assert!(order.is_sorted(), "{text}");
    }
}
