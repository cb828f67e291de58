//! How many requests of one kind run at once: less when a store asks to slow down, more again when it does not.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Those that are under way when a store asks to slow down all hear of it: that is asked once, not many times.
const ONE_CUT_EVERY: Duration = Duration::from_secs(1);

/// Additive increase, multiplicative decrease: halved when a store asks to slow down, one more after as many successes
/// in a row as there are places.
#[derive(Debug)]
pub(crate) struct Adaptive {
    places: Arc<Semaphore>,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    allowed: usize,
    /// Places that were cut while they were taken: not given back.
    owed: usize,
    successes: usize,
    cut: Option<Instant>,
}

/// The right to run one.
#[derive(Debug)]
pub(crate) struct Place {
    adaptive: Arc<Adaptive>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Adaptive {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let state = State { allowed: most, owed: 0, successes: 0, cut: None };
        Arc::new(Self { places: Arc::new(Semaphore::new(most)), most, state: Mutex::new(state) })
    }

    /// Waits for a place.
    pub(crate) async fn place(self: &Arc<Self>) -> Place {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        Place { adaptive: Arc::clone(self), permit }
    }

    /// How many may run at once now.
    #[cfg(test)]
    pub(crate) fn allowed(&self) -> usize {
        self.state().allowed
    }

    /// One went well.
    pub(crate) fn succeeded(&self) {
        let mut state = self.state();
        state.successes += 1;
        if state.allowed < self.most && state.successes >= state.allowed {
            (state.successes, state.allowed) = (0, state.allowed + 1);
            if state.owed > 0 { state.owed -= 1 } else { self.places.add_permits(1) }
        }
    }

    /// A store asked to slow down.
    pub(crate) fn throttled(&self) {
        let (mut state, now) = (self.state(), Instant::now());
        state.successes = 0;
        if state.cut.is_some_and(|cut| now - cut < ONE_CUT_EVERY) {
            return;
        }
        state.cut = Some(now);
        let cut = state.allowed - (state.allowed / 2).max(1);
        state.allowed -= cut;
        state.owed += cut - self.places.forget_permits(cut);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
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
        let mut places = Vec::new();
        for _ in 0..8 {
            places.push(adaptive.place().await);
        }
        adaptive.throttled();
        adaptive.throttled();
        assert_eq!(adaptive.allowed(), 4, "one burst is one cut");
        places.drain(..4).for_each(drop);
        assert_eq!(adaptive.places.available_permits(), 0, "four places are gone");
        tokio::time::advance(ONE_CUT_EVERY).await;
        adaptive.throttled();
        assert_eq!(adaptive.allowed(), 2);
        places.clear();
        assert_eq!(adaptive.places.available_permits(), 2);
        for _ in 0..2 {
            adaptive.succeeded();
        }
        assert_eq!((adaptive.allowed(), adaptive.places.available_permits()), (3, 3));
        for _ in 0..100 {
            adaptive.succeeded();
        }
        assert_eq!((adaptive.allowed(), adaptive.places.available_permits()), (8, 8), "never more than at first");
    }

    #[tokio::test(start_paused = true)]
    async fn one_place_always_stays() {
        let adaptive = Adaptive::new(1);
        for _ in 0..5 {
            adaptive.throttled();
            tokio::time::advance(ONE_CUT_EVERY).await;
        }
        assert_eq!((adaptive.allowed(), adaptive.places.available_permits()), (1, 1));
    }
}
