//! [`Cancellation`]: asks work to stop.

use std::future::Future;

use tokio_util::sync::{CancellationToken, DropGuard};

/// Asks work to stop. Clones are cancelled together, from any thread; cancelling cannot be undone.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(CancellationToken);

impl Cancellation {
    /// Not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the work is to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the work is to stop.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }

    /// Runs `work` to its end, or drops it and returns `None` as soon as it is to stop.
    pub fn run_until_cancelled<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        // On the heap: each future that it is part of would hold it twice or more, and so would the stack that polls it.
        self.0.run_until_cancelled(Box::pin(work))
    }

    /// A cancellation of a part of the work: cancelled with the whole, and also alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Cancels the work when the guard is dropped.
    pub(crate) fn cancel_on_drop(&self) -> DropGuard {
        self.0.clone().drop_guard()
    }
}
