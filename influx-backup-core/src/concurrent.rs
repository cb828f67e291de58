//! Running futures with limited concurrency, in tasks of their own, and on threads that may block.

use std::cell::Cell;

use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tracing::{Instrument, instrument::WithSubscriber};

use crate::error::Result;

/// Runs futures, at most `max_concurrent` at a time, and returns their results in order. The first error stops it.
///
/// Takes boxed futures because the compiler cannot prove others `Send` here.
pub(crate) async fn run<'a, T: 'a>(futures: Vec<BoxFuture<'a, Result<T>>>, max_concurrent: usize) -> Result<Vec<T>> {
    stream::iter(futures).buffered(max_concurrent).try_collect().await
}

/// The same, which keeps no result: each is given to `on_done`, in order. There may be millions of futures, made one by one.
pub(crate) async fn each<'a, T: 'a>(
    futures: impl Iterator<Item = BoxFuture<'a, Result<T>>> + Send + 'a,
    max_concurrent: usize,
    mut on_done: impl FnMut(T),
) -> Result<()> {
    let futures: Box<dyn Iterator<Item = _> + Send + 'a> = Box::new(futures);
    let mut done = stream::iter(futures).buffered(max_concurrent);
    while let Some(result) = done.try_next().await? {
        on_done(result);
    }
    Ok(())
}

/// Runs a future in a task of its own, within the span and with the subscriber of its caller.
pub(crate) fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(traced(future))
}

/// A future to be spawned elsewhere, within the span and with the subscriber of its caller.
pub(crate) fn traced<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    // Each of these moves it more than once, and a debug build has room on its stack for all of these places.
    Box::pin(future).in_current_span().with_current_subscriber()
}

thread_local! {
    /// Whether this thread may block.
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Does work that blocks: on this thread within [`blocked`], else on another.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    if MAY_BLOCK.get() { Ok(work()) } else { spawn_blocking(work).await }
}

/// Polls futures on a thread that may block, as those of `spawn_blocking` may: what they do by [`blocking`] is done here, without
/// a change of threads.
pub(crate) fn blocked<T>(poll: impl FnOnce() -> T) -> T {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            MAY_BLOCK.set(false);
        }
    }
    MAY_BLOCK.set(true);
    let _ends = Ends;
    poll()
}
