//! What is looked at before the boot guard is released: everything is there, and nobody else has written. Pure.

use std::collections::BTreeSet;

use super::Target;
use crate::{
    cluster::ClusterDescription,
    error::{Error, Result},
    key::Key,
    layout::OWN_DIRECTORY,
    location::{ObjectMeta, find_object},
    plan::{RestorePlan, Stage},
};

/// Compares a listing of the target with the plan and with what was there when it was planned.
pub(super) fn check(
    plan: &RestorePlan,
    cluster: &ClusterDescription,
    before: &Target,
    now: &[ObjectMeta],
) -> Result<()> {
    let copies = plan.stages.iter().flat_map(|stage| &stage.tasks);
    for copy in copies {
        let key = &copy.source.key;
        match find_object(now, key) {
            None => return Err(failed(key, "it is missing".to_owned())),
            Some(found) if found.size != copy.source.size => {
                return Err(failed(key, format!("it has {} bytes instead of {}", found.size, copy.source.size)));
            }
            Some(_) => {}
        }
    }
    let restored: BTreeSet<&Key> = plan.stages.iter().flat_map(Stage::keys).chain(&plan.guards).collect();
    let others = now.iter().filter(|entry| entry.key.below(OWN_DIRECTORY).is_none() && !restored.contains(&entry.key));
    for entry in others {
        match find_object(&before.entries, &entry.key) {
            Some(_) if plan.deletions().binary_search(&entry.key).is_ok() => {
                return Err(failed(&entry.key, "it was to be deleted".to_owned()));
            }
            Some(held) if held.is_same(entry) => {}
            _ if cluster.classify(&entry.key).is_none() => {}
            _ => return Err(Error::ServerRunning { location: plan.target.clone(), key: entry.key.clone() }),
        }
    }
    Ok(())
}

fn failed(key: &Key, reason: String) -> Error {
    Error::VerifyFailed { key: Some(key.clone()), reason }
}
