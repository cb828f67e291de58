//! One restore a target at a time: its claim, and what becomes of it when the run fails.

use std::time::Duration;

use tokio::time::timeout;

use super::journal::RestoreJournal;
use crate::{
    error::Result,
    lease::{Clock, Lease, LeaseScope, highest},
    location::Location,
    options::Takeover,
    preflight,
    target::LeaseHolder,
};

/// How long a run that failed waits for the store before it ends.
const RESIDUE_TIMEOUT: Duration = Duration::from_millis(500);

/// The process that restores to this target now, or `None`: a dead one holds nothing.
pub(super) async fn holder(target: &Location) -> Result<Option<LeaseHolder>> {
    let claimed = highest(target, &LeaseScope::Target, Clock::Ours).await?.filter(|claimed| claimed.is_held());
    Ok(claimed.map(|claimed| LeaseHolder { owner: claimed.file.to_string(), silence: claimed.silence }))
}

/// Asks whether a target can be written to, and what its clock says.
pub(super) async fn probe(target: &Location) -> Result<Clock> {
    Ok(Clock::Stores(preflight::target(target).await?.clock_skew))
}

/// Takes the right to restore to this target, or to undo a restore there.
pub(super) async fn claim(target: &Location, cluster: &str, takeover: Takeover, clock: Clock) -> Result<Lease> {
    match highest(target, &LeaseScope::Target, clock).await? {
        Some(before) if !before.is_free(takeover) => Err(LeaseScope::Target.held(target, Some(&before))),
        before => Lease::take(target, LeaseScope::Target, cluster, before.as_ref()).await,
    }
}

/// What a run that failed leaves behind at its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Residue {
    /// Nothing of it.
    None,
    /// A journal, or nobody knows: another run may go on at once.
    Journal,
}

/// Looks what a run that failed leaves behind.
pub(super) async fn residue(target: &Location) -> Residue {
    match timeout(RESIDUE_TIMEOUT, RestoreJournal::read(target)).await {
        Ok(Ok(None)) => Residue::None,
        _ => Residue::Journal,
    }
}

/// Ends the claim of a run that failed.
pub(super) async fn end(mut claim: Lease, left: Residue, target: &Location) {
    match left {
        Residue::Journal => claim.release().await,
        Residue::None => {
            // Where the store does not take it, its silence says the same later.
            let _ = timeout(RESIDUE_TIMEOUT, RestoreJournal::delete_lists(target, &mut claim)).await;
            RestoreJournal::tidy(target);
        }
    }
}
