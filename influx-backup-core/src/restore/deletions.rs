//! Deletes many objects of a target, and stops soon after it is cancelled.

use crate::{error::Result, event::EventKind, job::RunContext, key::Key, lease::Lease, location::Location};

/// How many objects are deleted before the next look at whether the run was cancelled or another process took over.
const CHUNK: usize = 100;

/// Deletes these objects, with an event for each.
pub(super) async fn delete(target: &Location, keys: &[Key], lease: &Lease, task: &RunContext) -> Result<()> {
    for keys in keys.chunks(CHUNK) {
        let delete = async {
            let _ = lease;
            target.delete_all(keys).await
        };
        task.unless_cancelled(delete).await?;
        keys.iter().for_each(|key| task.events.send(EventKind::Deleted { key: key.clone() }));
    }
    Ok(())
}
