//! What is looked at before the boot guard is released: everything is there, and nothing else was written. Pure.

use crate::{
    error::{Error, Result},
    key::Key,
    layout::OWN_DIRECTORY,
    location::ObjectTable,
    plan::RestorePlan,
    record::BackupContents,
    target::Target,
};

/// Compares a listing of the target with the backup and with what was there when it was planned.
pub(super) fn check(plan: &RestorePlan, backup: BackupContents<'_>, before: &Target, now: &ObjectTable) -> Result<()> {
    let mut found = now.reader();
    for record in plan.copied(backup) {
        match found.get(record.key.as_str()) {
            None => return Err(failed(&record.key, "it is missing".to_owned())),
            Some(found) if found.size != record.content.size => {
                return Err(failed(
                    &record.key,
                    format!("it has {} bytes instead of {}", found.size, record.content.size),
                ));
            }
            Some(_) => {}
        }
    }
    let mut is_restored = plan.writes(backup);
    let mut held = before.objects.reader();
    let mut deletions = plan.deletions.reader();
    for entry in now.iter().filter(|entry| entry.key.below(OWN_DIRECTORY).is_none() && !is_restored(&entry.key)) {
        match held.get(entry.key.as_str()) {
            Some(held) if held.is_same(&entry) => {
                if deletions.get(entry.key.as_str()).is_some() {
                    return Err(failed(&entry.key, "it was to be deleted".to_owned()));
                }
            }
            _ if backup.cluster.classify(&entry.key).is_none() => {}
            _ => return Err(Error::ServerRunning { location: plan.target.clone(), key: entry.key }),
        }
    }
    Ok(())
}

/// Something else has written it since it was restored.
pub(super) fn altered(key: &Key) -> Error {
    failed(key, "it was changed after it was restored: stop what writes to the target, then resume".to_owned())
}

fn failed(key: &Key, reason: String) -> Error {
    Error::VerifyFailed { key: Some(key.clone()), reason }
}
