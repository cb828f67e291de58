//! Waiting for work that may be cancelled, that blocks, or that may never end.

use std::{future::Future, panic::resume_unwind, time::Duration};

use tokio::task::JoinError;

use crate::{
    cancellation::Cancellation,
    concurrent,
    error::{CopyError, CopySide},
    location::LastAnswer,
};

/// Waits for work until it is cancelled.
pub(super) fn unless_cancelled<T>(
    cancellation: &Cancellation,
    work: impl Future<Output = T>,
) -> impl Future<Output = Result<T, CopyError>> {
    let done = cancellation.run_until_cancelled(work);
    async { done.await.ok_or(CopyError::Cancelled) }
}

/// Waits for work at one side that transfers no bytes meanwhile. What the store answered meanwhile is the error where there is
/// one.
pub(super) async fn within<T>(side: CopySide, after: Duration, work: impl Future<Output = T>) -> Result<T, CopyError> {
    let last = LastAnswer::default();
    tokio::time::timeout(after, last.during(work)).await.map_err(|_| match last.get() {
        Some(answer) => CopyError::store(side, "request", answer.kind(), answer),
        None => CopyError::Stalled { after, side: Some(side) },
    })
}

/// Runs work that blocks, on a thread where it may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CopyError> + Send + 'static,
) -> Result<T, CopyError> {
    concurrent::blocking(work).await.map_err(lost)?
}

/// A task that ended without an answer.
pub(super) fn lost(error: JoinError) -> CopyError {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        // The runtime shuts down.
        Err(_) => CopyError::Cancelled,
    }
}
