//! What the caller of a restore has to do, and what is worth knowing.

use super::selection::Selection;
use crate::{
    finding::{Finding, FindingCode},
    layout::Generation,
    options::{Licenses, RestoreOptions},
    target::Target,
};

pub(super) fn notes(
    target: &Target,
    options: &RestoreOptions,
    selection: &Selection<'_>,
    kept: &[String],
) -> (Vec<Finding>, Vec<Finding>) {
    let mut todos = Vec::new();
    if options.licenses == Licenses::Auto && !selection.licenses_skipped.is_empty() {
        todos.push(Finding::new(
            FindingCode::LicenseElsewhere,
            "license files were skipped: before 3.10 a license is bound to the place and cluster it was issued for; ask \
             InfluxData support for one for this target",
        ));
    }
    if selection.live == Generation::V1 {
        todos.push(Finding::new(
            FindingCode::CatalogV1,
            format!("open the result with servers {}", Generation::V1.servers()),
        ));
    }
    todos.push(Finding::new(
        FindingCode::NotCovered,
        "plugin directory, server configuration, TLS and token files and offline license files are in no backup of an \
         object store: restore them separately",
    ));
    let mut findings = Vec::new();
    if let Some(silence) = target.signs_of_life().filter(|_| target.unfinished.is_none()) {
        let seconds = silence.num_seconds().max(0);
        let message = format!("the target was written to {seconds} s before it was inspected: is a server running?");
        findings.push(Finding::new(FindingCode::RecentlyWritten, message));
    }
    if !kept.is_empty() {
        let message = format!("the target keeps what is not part of the backup: {}", kept.join(", "));
        findings.push(Finding::new(FindingCode::KeptEntries, message));
    }
    let unreadable =
        selection.backup.certificate.violations().filter(|violation| violation.code == FindingCode::UnreadableObject);
    findings.extend(unreadable.cloned());
    let absent = selection.backup.certificate.absent_files();
    if absent > 0 {
        let message = format!("{absent} live files were absent from the source already; queries on them fail");
        findings.push(Finding::new(FindingCode::AbsentParquet, message));
    }
    findings.push(Finding::new(
        FindingCode::Retention,
        "retention goes by the clock: expired data is deleted soon after the servers start",
    ));
    (todos, findings)
}
