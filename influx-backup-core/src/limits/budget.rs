//! Bytes a second, and bytes held in memory: shared by all workers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use crate::units::ByteSize;

/// The unit of a [`MemoryBudget`]: a semaphore counts to 2³² at most.
const UNIT: u64 = 1024;

/// A bandwidth limit shared by all workers: first come, first served.
#[derive(Debug, Clone)]
pub struct Bandwidth(Option<Arc<Bucket>>);

#[derive(Debug)]
struct Bucket {
    bytes_a_second: u64,
    /// When everything allowed so far has been moved.
    paid_until: Mutex<Option<Instant>>,
}

impl Bandwidth {
    /// No limit.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self(None)
    }

    /// This many bytes a second, one at least.
    #[must_use]
    pub fn per_second(bytes: ByteSize) -> Self {
        Self(Some(Arc::new(Bucket { bytes_a_second: bytes.0.max(1), paid_until: Mutex::new(None) })))
    }

    /// Waits until this many bytes may be moved.
    pub async fn take(&self, bytes: u64) {
        if let Some(bucket) = &self.0 {
            sleep_until(bucket.pay(bytes, Instant::now())).await;
        }
    }
}

impl Bucket {
    fn pay(&self, bytes: u64, now: Instant) -> Instant {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_a_second);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        let start = paid_until.map_or(now, |paid| paid.max(now));
        *paid_until.insert(start.checked_add(cost).unwrap_or(start))
    }
}

/// A budget of bytes held in memory, shared by all workers.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    semaphore: Arc<Semaphore>,
    units: u32,
}

/// Bytes taken from a [`MemoryBudget`], given back on drop.
#[derive(Debug)]
pub struct MemoryPermit(#[allow(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl Default for MemoryBudget {
    /// More than any machine has.
    fn default() -> Self {
        Self::new(ByteSize(u64::MAX))
    }
}

impl MemoryBudget {
    /// A budget of this many bytes, in steps of 1 KiB.
    #[must_use]
    pub fn new(bytes: ByteSize) -> Self {
        // A 32-bit machine's semaphore holds less than a u32.
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let units = u32::try_from(bytes.0 / UNIT).unwrap_or(u32::MAX).clamp(1, most);
        Self { semaphore: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// Waits until this many bytes may be held; a request above the whole budget gets the whole budget.
    pub async fn take(&self, bytes: u64) -> MemoryPermit {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.units);
        // The semaphore is never closed.
        MemoryPermit(Arc::clone(&self.semaphore).acquire_many_owned(units).await.ok())
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_limit_holds_for_all_workers_together() {
        let bandwidth = Bandwidth::per_second(ByteSize(1000));
        let began = Instant::now();
        join_all((0..10).map(|_| bandwidth.take(500))).await;
        assert_eq!(began.elapsed().as_secs_f64().round(), 5.0);
        // Nothing is saved up while nothing is moved.
        tokio::time::advance(Duration::from_secs(60)).await;
        let began = Instant::now();
        bandwidth.take(2000).await;
        assert_eq!(began.elapsed().as_secs_f64().round(), 2.0);
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_never_waits_and_absurd_ones_do_not_panic() {
        let began = Instant::now();
        Bandwidth::unlimited().take(u64::MAX).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        let slow = Bandwidth::per_second(ByteSize(0));
        let waits = tokio::time::timeout(Duration::from_secs(1), slow.take(u64::MAX)).await;
        assert!(waits.is_err());
    }

    #[tokio::test]
    async fn what_is_held_stays_within_the_budget() {
        let budget = MemoryBudget::new(ByteSize(4096));
        let one = budget.take(1024).await;
        let two = budget.take(2000).await;
        assert_eq!(budget.semaphore.available_permits(), 1);
        assert!(futures::poll!(Box::pin(budget.take(1025))).is_pending());
        drop((one, two));
        let whole = budget.take(u64::MAX).await;
        assert_eq!(budget.semaphore.available_permits(), 0, "more than the budget gets all of it");
        drop(whole);
        assert_eq!(budget.semaphore.available_permits(), 4);
    }
}
