//! The lease of a target: one restore at a time, and what becomes of its lease when the run fails.

use tokio::time::timeout;

use super::journal::RestoreJournal;
use crate::{
    error::{Error, Result},
    lease::{Clock, Lease, LeaseScope, LeaseState, highest, release_timeout},
    location::Location,
    options::Takeover,
    preflight,
    target::LeaseHolder,
    units::duration::millis,
};

/// The process that restores to this target now, or `None` where there is none that is alive.
pub(super) async fn holder(target: &Location) -> Result<Option<LeaseHolder>> {
    let state = highest(target, &LeaseScope::Target, Clock::Local).await?.filter(LeaseState::is_held);
    Ok(state.map(|state| LeaseHolder { owner: state.file.to_string(), silence: millis::whole(state.silence) }))
}

/// Asks whether a target can be written to and lies apart from `others`, and what its clock says.
pub(super) async fn probe(target: &Location, others: &[&Location]) -> Result<Clock> {
    Ok(Clock::Store(preflight::target_apart_from(target, others).await?.clock_skew))
}

/// Acquires the lease of a target, to restore to it or to undo a restore; without a `cluster`, for the one that it was
/// taken for before.
pub(super) async fn acquire(
    target: &Location,
    cluster: Option<&str>,
    takeover: Takeover,
    clock: Clock,
) -> Result<Lease> {
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
    /// A journal, or it is not known: another run may resume at once.
    Journal,
}

/// Looks what a run that failed with this error leaves behind.
pub(super) async fn residue(target: &Location, error: &Error) -> Residue {
    match timeout(release_timeout(error), RestoreJournal::read(target)).await {
        Ok(Ok(None)) => Residue::None,
        _ => Residue::Journal,
    }
}

/// Ends the lease of a run that failed with this error.
pub(super) async fn end(mut lease: Lease, residue: Residue, target: &Location, error: &Error) {
    let within = release_timeout(error);
    match residue {
        Residue::Journal => lease.release(within).await,
        Residue::None => {
            // Best effort: where the store does not take it, silence has the same effect later.
            let _ = timeout(within, RestoreJournal::delete_lists(target, &mut lease)).await;
            RestoreJournal::tidy(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When};

    #[tokio::test(start_paused = true)]
    async fn a_slow_store_is_waited_for_unless_the_run_was_cancelled() {
        let slow = Fault::Delay(Duration::from_secs(2)..Duration::from_secs(3));
        let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::Get), When::Always, slow));
        let target = Location::in_memory().through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        let failed = Error::NoRestore { location: "t".to_owned() };
        assert_eq!(residue(&target, &failed).await, Residue::None);
        let cancelled = Error::Cancelled { done: 0, total: 0 };
        assert_eq!(residue(&target, &cancelled).await, Residue::Journal, "it is not known in time");
    }
}
