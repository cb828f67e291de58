//! [`Heartbeat`]: renews a lease, and stops its holder where it cannot.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::FutureExt;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    SILENCE,
    held::{HeldLease, LateRenewal},
};
use crate::{concurrent, error::Error};

/// How long after a renewal the next one begins, and how long one may take.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);

/// How long after a renewal that failed the next one begins.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// How often the age of the last renewal is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// How long a request that was under way when the holder stopped may still take effect: as long as the clients of stores
/// try one, and something for what the store itself needs.
pub(super) const LONGEST_REQUEST: Duration = Duration::from_secs(200);

/// How long after it began a renewal may still take effect.
pub(super) const LONGEST_RENEWAL: Duration = INTERVAL.saturating_add(LONGEST_REQUEST);

/// How old the last renewal may become before the holder stops. What it began before has come to its end when another
/// process may take over.
pub(super) const RENEWAL_DEADLINE: Duration = SILENCE.saturating_sub(LONGEST_REQUEST);

/// When a lease was last renewed, by two clocks: the monotonic one may not run while the machine sleeps, the other may be
/// set back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renewed {
    monotonic: Instant,
    wall: SystemTime,
}

impl Renewed {
    /// Now. Taken before the store is asked, whose own time of the renewal is later.
    pub(super) fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    /// The longer of the times that have passed by the two clocks.
    fn age(self, now: Self) -> Duration {
        let monotonic = now.monotonic.saturating_duration_since(self.monotonic);
        monotonic.max(now.wall.duration_since(self.wall).unwrap_or_default())
    }
}

/// Renews a lease in the background, until it ends or is dropped.
///
/// Where the last renewal that succeeded is older than [`RENEWAL_DEADLINE`], it cancels the holder's work and renews no
/// more. That a process was suspended shows in the same way, as soon as it runs again.
#[derive(Debug)]
pub(super) struct Heartbeat {
    stop: CancellationToken,
    renewed: watch::Receiver<Renewed>,
    late: Arc<LateRenewal>,
    task: JoinHandle<()>,
}

impl Heartbeat {
    /// Renews a lease that was taken at `taken`.
    pub(super) fn start(held: HeldLease, taken: Renewed, lost: CancellationToken) -> Self {
        let stop = CancellationToken::new();
        let (sender, renewed) = watch::channel(taken);
        let late = Arc::<LateRenewal>::default();
        let beat = beat(held, sender, Arc::clone(&late), lost.clone(), stop.clone());
        let task = concurrent::spawn(async move {
            // No process renews it any more.
            if AssertUnwindSafe(beat).catch_unwind().await.is_err() {
                lost.cancel();
            }
        });
        Self { stop, renewed, late, task }
    }

    /// How old the last renewal is, where that is too old.
    pub(super) fn expiry(&self) -> Option<Duration> {
        expiry(*self.renewed.borrow())
    }

    /// When the lease was last renewed.
    pub(super) fn renewed(&self) -> watch::Receiver<Renewed> {
        self.renewed.clone()
    }

    /// Ends the heartbeat. A renewal that is under way is waited for `within` this time. Returns until when one may arrive
    /// that the store would take.
    pub(super) async fn end(&mut self, within: Duration) -> Option<Instant> {
        self.stop.cancel();
        if !self.task.is_finished() && timeout(within, &mut self.task).await.is_err() {
            self.task.abort();
        }
        self.late.borrow().filter(|until| *until > Instant::now())
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) fn expiry(renewed: Renewed) -> Option<Duration> {
    let age = renewed.age(Renewed::now());
    (age >= RENEWAL_DEADLINE).then_some(age)
}

/// Cancels `lost` where another process took over, or where the lease could not be renewed in time.
async fn beat(
    held: HeldLease,
    renewed: watch::Sender<Renewed>,
    late: Arc<LateRenewal>,
    lost: CancellationToken,
    stop: CancellationToken,
) {
    let is_lost = tokio::select! {
        biased;
        () = until_expired(&renewed) => true,
        is_taken_over = renew(&held, &renewed, &late, &stop) => is_taken_over,
    };
    if is_lost {
        lost.cancel();
    }
}

async fn until_expired(renewed: &watch::Sender<Renewed>) {
    loop {
        let last = *renewed.borrow();
        if expiry(last).is_some() {
            return;
        }
        sleep(WATCH_INTERVAL).await;
    }
}

/// Renews until the heartbeat is stopped or another process takes over; returns whether one did.
async fn renew(
    held: &HeldLease,
    renewed: &watch::Sender<Renewed>,
    late: &LateRenewal,
    stop: &CancellationToken,
) -> bool {
    let mut wait = INTERVAL;
    while stop.run_until_cancelled(sleep(wait)).await.is_some() {
        let asked = Renewed::now();
        match timeout(INTERVAL, held.renew(late)).await {
            Ok(Ok(())) => {
                renewed.send_replace(asked);
                wait = INTERVAL;
            }
            Ok(Err(Error::LeaseLost { .. })) => return true,
            Ok(Err(_)) | Err(_) => wait = RETRY_INTERVAL,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_says_more_counts() {
        let renewed = Renewed::now();
        let after = |monotonic, wall| {
            let now = Renewed { monotonic: renewed.monotonic + monotonic, wall: renewed.wall + wall };
            renewed.age(now)
        };
        let short = Duration::from_secs(1);
        let long = Duration::from_secs(3600);
        assert_eq!(after(short, long), long, "the machine was asleep");
        assert_eq!(after(long, short), long, "the clock was set back");
        let set_back = Renewed { monotonic: renewed.monotonic + short, wall: renewed.wall - long };
        assert_eq!(renewed.age(set_back), short);
    }
}
