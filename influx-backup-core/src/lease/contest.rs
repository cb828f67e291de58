//! Who holds a lease where the store does not decide it: see [`Writers::Single`](crate::location::Writers::Single).
//!
//! Each process writes a lease of its own name and then lists them. Of those with one number, the oldest by the store's clock
//! is held; whoever sees one that is as old as its own, or older, removes its own and is refused. Two that begin at the same
//! moment may both be refused. It is as good as the store's listing: one that shows a write late may let both pass.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{heartbeat::INTERVAL, held::HeldLease, state};
use crate::error::Result;

/// How long a write may take to be in listings.
const SHOWN_AFTER: Duration = Duration::from_secs(2);

/// How long it may take to find out who is first. Later the other may have renewed its lease, which looks younger then.
const CONTEST: Duration = Duration::from_secs(30);

const _: () = assert!(CONTEST.as_secs() < INTERVAL.as_secs(), "no lease is renewed before");

/// Whether a lease that was written after `began` is the first of its number.
pub(super) async fn is_first(held: &HeldLease, began: Instant) -> Result<bool> {
    sleep(SHOWN_AFTER).await;
    let key = held.key()?;
    let leases = state::list(&held.location, &held.scope).await?;
    let Some((_, own)) = leases.iter().find(|(_, entry)| entry.key == key) else { return Ok(false) };
    let is_before =
        |number: u64, modified| number > held.number || (number == held.number && modified <= own.version.modified);
    let others = leases.iter().filter(|(_, entry)| entry.key != key);
    let is_first = !others.into_iter().any(|(number, entry)| is_before(*number, entry.version.modified));
    Ok(is_first && began.elapsed() < CONTEST)
}
