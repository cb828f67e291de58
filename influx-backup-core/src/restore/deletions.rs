//! Deletes many objects of a target, and stops soon after it is cancelled.

use crate::{
    error::Result,
    event::EventKind,
    job::RunContext,
    key::Key,
    lease::Lease,
    location::{Location, Version},
};

/// How many objects are deleted before the next look at whether the run was cancelled or another process took over.
const CHUNK: usize = 100;

/// Deletes these versions of objects, with an event for each. What was written meanwhile stays: the restore may have been
/// taken over, and a server started.
pub(super) async fn delete(
    target: &Location,
    objects: &[(Key, Option<Version>)],
    lease: &Lease,
    task: &RunContext,
) -> Result<()> {
    for objects in objects.chunks(CHUNK) {
        let delete = async {
            lease.check().await?;
            target.delete_versions(objects.iter().cloned()).await
        };
        task.unless_cancelled(delete).await?;
        objects.iter().for_each(|(key, _)| task.events.send(EventKind::Deleted { key: key.clone() }));
    }
    Ok(())
}
