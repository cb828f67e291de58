//! How many requests of one kind run at once: fewer after a store asks to slow down, more again once requests succeed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Requests in flight are throttled together, so a burst of refusals within this time counts as one.
const MIN_CUT_INTERVAL: Duration = Duration::from_secs(1);

/// Additive increase, multiplicative decrease: halved when a store asks to slow down, raised by one after as many
/// successes in a row as there are permits.
#[derive(Debug)]
pub(crate) struct Adaptive {
    permits: Arc<Semaphore>,
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    allowed: usize,
    /// Permits that were withdrawn while in use: they are not given back when they are dropped.
    owed: usize,
    successes: usize,
    last_cut: Option<Instant>,
}

/// The right to run one request.
#[derive(Debug)]
pub(crate) struct Permit {
    adaptive: Arc<Adaptive>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Adaptive {
    /// Allows `max` requests at once to begin with, and never more.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        let state = State { allowed: max, owed: 0, successes: 0, last_cut: None };
        Arc::new(Self { permits: Arc::new(Semaphore::new(max)), max, state: Mutex::new(state) })
    }

    /// Waits for a permit.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Permit {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        Permit { adaptive: Arc::clone(self), permit }
    }

    /// How many may run at once now.
    #[cfg(test)]
    pub(crate) fn allowed(&self) -> usize {
        self.state().allowed
    }

    /// Records a request that succeeded.
    pub(crate) fn succeeded(&self) {
        let mut state = self.state();
        state.successes += 1;
        if state.allowed == self.max || state.successes < state.allowed {
            return;
        }
        state.successes = 0;
        state.allowed += 1;
        if state.owed > 0 {
            state.owed -= 1;
        } else {
            self.permits.add_permits(1);
        }
    }

    /// Records that the store asked to slow down.
    pub(crate) fn throttled(&self) {
        let mut state = self.state();
        let now = Instant::now();
        state.successes = 0;
        if state.last_cut.is_some_and(|last_cut| now - last_cut < MIN_CUT_INTERVAL) {
            return;
        }
        state.last_cut = Some(now);
        let cut = state.allowed - (state.allowed / 2).max(1);
        state.allowed -= cut;
        state.owed += cut - self.permits.forget_permits(cut);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.adaptive.state();
        if state.owed > 0
            && let Some(permit) = self.permit.take()
        {
            state.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_halves_once_a_burst_and_recovers_by_one() {
        let adaptive = Adaptive::new(8);
        let mut permits = Vec::new();
        for _ in 0..8 {
            permits.push(adaptive.acquire().await);
        }
        adaptive.throttled();
        adaptive.throttled();
        assert_eq!(adaptive.allowed(), 4, "one burst is one cut");
        permits.drain(..4).for_each(drop);
        assert_eq!(adaptive.permits.available_permits(), 0, "four permits are gone");
        tokio::time::advance(MIN_CUT_INTERVAL).await;
        adaptive.throttled();
        assert_eq!(adaptive.allowed(), 2);
        permits.clear();
        assert_eq!(adaptive.permits.available_permits(), 2);
        for _ in 0..2 {
            adaptive.succeeded();
        }
        assert_eq!((adaptive.allowed(), adaptive.permits.available_permits()), (3, 3));
        for _ in 0..100 {
            adaptive.succeeded();
        }
        assert_eq!((adaptive.allowed(), adaptive.permits.available_permits()), (8, 8), "never more than at first");
    }

    #[tokio::test(start_paused = true)]
    async fn one_permit_always_stays() {
        let adaptive = Adaptive::new(1);
        for _ in 0..5 {
            adaptive.throttled();
            tokio::time::advance(MIN_CUT_INTERVAL).await;
        }
        assert_eq!((adaptive.allowed(), adaptive.permits.available_permits()), (1, 1));
    }
}
