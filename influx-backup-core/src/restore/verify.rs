//! What is looked at before the boot guard is released: everything is there, and nothing else was written. Pure.

use std::collections::BTreeSet;

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
    for record in plan.copied(backup) {
        match now.get(&record.key) {
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
    let restored: BTreeSet<&Key> = plan.copied(backup).map(|record| &record.key).chain(&plan.guards).collect();
    let others = now.iter().filter(|entry| entry.key.below(OWN_DIRECTORY).is_none() && !restored.contains(&entry.key));
    for entry in others {
        match before.object(entry.key) {
            Some(held) if held.is_same(entry) => {
                if plan.deletes(entry.key) {
                    return Err(failed(entry.key, "it was to be deleted".to_owned()));
                }
            }
            _ if backup.cluster.classify(entry.key).is_none() => {}
            _ => return Err(Error::ServerRunning { location: plan.target.clone(), key: entry.key.clone() }),
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
