//! Deletes many objects of a target, and stops soon after it is cancelled.

use crate::{
    error::Result,
    event::EventKind,
    job::RunContext,
    key::Key,
    lease::Lease,
    location::{Deletion, Location, Version},
    table::runs,
};

/// How many objects are deleted before the next look at whether the run was cancelled or another process took over.
const CHUNK: usize = 100;

/// Deletes these versions of objects, with an event for each. What was written meanwhile stays: the restore may have been
/// taken over, and a server started. Returns how many were deleted.
pub(super) async fn delete(
    target: &Location,
    objects: impl IntoIterator<Item = (Key, Option<Version>)>,
    lease: &Lease,
    task: &RunContext,
) -> Result<u64> {
    let mut count = 0;
    for objects in runs(objects, CHUNK) {
        let delete = async {
            lease.check().await?;
            target.delete_versions(objects.iter().cloned()).await
        };
        let deletions = task.unless_cancelled(delete).await?;
        for ((key, _), deletion) in objects.into_iter().zip(deletions) {
            if deletion == Deletion::Done {
                count += 1;
                task.events.send(EventKind::Deleted { key });
            }
        }
    }
    Ok(count)
}
