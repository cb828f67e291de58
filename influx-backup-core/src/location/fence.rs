//! [`Fence`]: whether this process may still write to a location.

use std::{fmt, sync::Arc};

use super::Location;
use crate::error::{Result, StoreErrorKind};

/// Asked directly before each request that changes a location. Cheap: it asks no store.
pub(crate) trait Fence: fmt::Debug + Send + Sync {
    /// Checks that this process may still write.
    ///
    /// # Errors
    /// Why it may not.
    fn check(&self) -> Result<()>;

    /// A request was sent whose answer is no longer waited for: it may still take effect.
    fn cut_off(&self);
}

/// A request that changes a store. Where it is dropped before it is answered, it counts as cut off.
#[derive(Debug)]
pub(crate) struct Sent(Option<Arc<dyn Fence>>);

impl Sent {
    /// Ends it, as it was answered, whatever the answer.
    pub(crate) fn answered(mut self) {
        self.0 = None;
    }

    /// Ends it with its answer.
    pub(crate) fn end<T>(self, answer: &object_store::Result<T>) {
        self.end_as(answer.as_ref().err().map(StoreErrorKind::of));
    }

    /// Ends it, as it failed or did not. What may come from a gateway is no answer: the store behind it may still work on the
    /// request.
    pub(crate) fn end_as(self, failure: Option<StoreErrorKind>) {
        if !failure.is_some_and(StoreErrorKind::is_outage) {
            self.answered();
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(fence) = &self.0 {
            fence.cut_off();
        }
    }
}

impl Location {
    /// The same location, where nothing is written or deleted once `fence` forbids it.
    pub(crate) fn fenced(&self, fence: Arc<dyn Fence>) -> Self {
        self.with(|inner| inner.fence = Some(fence))
    }

    /// The same location without a fence: for what has to be undone in any case.
    pub(crate) fn unfenced(&self) -> Self {
        self.with(|inner| inner.fence = None)
    }

    /// Checks that this process may still write here.
    ///
    /// # Errors
    /// What the fence says, where there is one.
    pub(crate) fn check_fence(&self) -> Result<()> {
        self.0.fence.as_ref().map_or(Ok(()), |fence| fence.check())
    }

    /// The same, for a request that is sent now. To files, nothing is sent.
    pub(crate) fn send(&self) -> Result<Sent> {
        self.check_fence()?;
        Ok(Sent(self.0.fence.clone().filter(|_| self.directory().is_none())))
    }
}

/// A fence that is open as long as a condition holds.
#[cfg(test)]
pub(crate) struct OpenWhile<F>(pub(crate) F);

#[cfg(test)]
impl<F> fmt::Debug for OpenWhile<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenWhile").finish_non_exhaustive()
    }
}

#[cfg(test)]
impl<F: Fn() -> bool + Send + Sync> Fence for OpenWhile<F> {
    fn cut_off(&self) {}

    fn check(&self) -> Result<()> {
        let lease = || crate::error::LeaseSubject::Target { location: "a target".to_owned() };
        let lost = || crate::error::Error::LeaseLost { lease: lease(), owner: "a test".to_owned() };
        if self.0() { Ok(()) } else { Err(lost()) }
    }
}

/// A fence that is open, and counts the requests that are cut off.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Counting(std::sync::atomic::AtomicU32);

#[cfg(test)]
impl Counting {
    pub(crate) fn count(&self) -> u32 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
impl Fence for Counting {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn cut_off(&self) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::Key,
        testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    /// A gateway answers 502 or 504 while the store behind it still works: that is neither a success nor a refusal.
    #[tokio::test(start_paused = true)]
    async fn a_request_that_may_still_be_under_way_is_cut_off() {
        let key = Key::parse("n/wal/1").expect("a key");
        for (failure, cut_off) in [
            (Failure::Unreachable, 1),
            (Failure::Other, 1),
            (Failure::Throttled, 0),
            (Failure::Denied, 0),
            (Failure::Full, 0),
        ] {
            for op in [Op::Put, Op::Delete] {
                let plan = FaultPlan::none().with(Rule::new(Scope::of(op), When::Nth(1), Fault::Fail(failure)));
                let fence = Arc::new(Counting::default());
                let location = Location::in_memory().through(|store| Arc::new(FaultyStore::new(store, plan.clone())));
                let location = location.fenced(Arc::clone(&fence) as _);
                let put = location.put(&key, "x".into()).await;
                let deleted = location.delete(&key).await;
                let is_final = matches!(failure, Failure::Denied | Failure::Full);
                assert_eq!(put.is_err() || deleted.is_err(), is_final, "{op:?} {failure:?}");
                assert_eq!(fence.count(), cut_off, "{op:?} {failure:?}");
            }
        }
    }
}
