//! Running futures with limited concurrency, in tasks of their own, and on threads that may block.

use std::{cell::Cell, iter};

use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio_util::task::AbortOnDropHandle;
use tracing::{
    Instrument, Span,
    dispatcher::{get_default, with_default},
    instrument::WithSubscriber,
};

use crate::error::{Error, Result};

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

/// Does work on a thread that may block, within the span and with the subscriber of its caller.
pub(crate) fn spawn_on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let subscriber = get_default(Clone::clone);
    let span = Span::current();
    spawn_blocking(move || with_default(&subscriber, || span.in_scope(work)))
}

/// How many files a batch has at most.
const BATCH: usize = 64;

/// How many bytes a batch of more than one file has at most: a thread that has begun it reads so many, though no caller waits
/// any more.
const BATCH_BYTES: u64 = 4 << 20;

/// Does `future` for each item, and gives each result to `on_done`, in any order. Items go in batches, at most `max_concurrent`
/// of them at a time: small files, whose size `small` tells, are done together on a thread that may block. `task` is what it is for.
pub(crate) async fn each_in_batches<'a, I: Send + 'a, T: Send + 'static>(
    task: &'static str,
    items: impl Iterator<Item = I> + Send + 'a,
    small: impl Fn(&I) -> Option<u64> + Send + 'a,
    max_concurrent: usize,
    future: impl Fn(I) -> BoxFuture<'static, Result<T>> + Send + 'a,
    mut on_done: impl FnMut(T),
) -> Result<()> {
    let done = move |futures| async move {
        let done = in_turn(futures).await.map_err(|source| Error::Internal { task, source: Box::new(source) })?;
        done.into_iter().collect::<Result<Vec<_>>>()
    };
    let batches = batches(items, small).map(move |batch| done(batch.into_iter().map(&future).collect()).boxed());
    let batches: Box<dyn Iterator<Item = BoxFuture<'a, Result<Vec<T>>>> + Send + 'a> = Box::new(batches);
    let mut done = stream::iter(batches).buffer_unordered(max_concurrent);
    while let Some(results) = done.try_next().await? {
        results.into_iter().for_each(&mut on_done);
    }
    Ok(())
}

/// What is done together by [`in_turn`]: small files, whose size `small` tells. Anything else is a batch by itself.
fn batches<T>(items: impl Iterator<Item = T>, small: impl Fn(&T) -> Option<u64>) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.peekable();
    iter::from_fn(move || {
        let first = items.next()?;
        let mut bytes = small(&first);
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Some(before) = bytes
            && let Some(item) = items.next_if(|item| small(item).is_some_and(|size| before + size <= BATCH_BYTES))
        {
            bytes = small(&item).map(|size| before + size);
            batch.push(item);
        }
        Some(batch)
    })
}

/// Runs the futures of a batch: one by itself in a task of its own, several one after another and, as far as they need not wait, on
/// a thread that may block, which spares each of them the changes of threads. Returns their results in order.
async fn in_turn<T: Send + 'static>(mut futures: Vec<BoxFuture<'static, T>>) -> Result<Vec<T>, JoinError> {
    if futures.len() == 1
        && let Some(future) = futures.pop()
    {
        return AbortOnDropHandle::new(spawn(future)).await.map(|result| vec![result]);
    }
    let mut results = Vec::with_capacity(futures.len());
    loop {
        let (done, waits, left) = spawn_on_thread(move || until_one_waits(futures)).await?;
        results.extend(done);
        let Some(waits) = waits else { return Ok(results) };
        results.push(waits.await);
        futures = left;
    }
}

/// What became of those before the one that waits; that one; and those after it.
type Turns<T> = (Vec<T>, Option<BoxFuture<'static, T>>, Vec<BoxFuture<'static, T>>);

fn until_one_waits<T>(futures: Vec<BoxFuture<'static, T>>) -> Turns<T> {
    let mut done = Vec::with_capacity(futures.len());
    let mut futures = futures.into_iter();
    while let Some(mut future) = futures.next() {
        match blocked(|| future.as_mut().now_or_never()) {
            Some(result) => done.push(result),
            None => return (done, Some(future), futures.collect()),
        }
    }
    (done, None, Vec::new())
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Sleeps where it is odd.
    async fn tenfold(number: u64) -> u64 {
        if number % 2 == 1 {
            tokio::time::sleep(Duration::from_secs(number)).await;
        }
        blocking(move || number * 10).await.expect("no panic")
    }

    #[tokio::test(start_paused = true)]
    async fn results_are_in_order_also_where_some_wait() {
        let futures = (0..6).map(|number| tenfold(number).boxed()).collect();
        assert_eq!(in_turn(futures).await.expect("no panic"), [0, 10, 20, 30, 40, 50]);
        assert!(in_turn::<u64>(Vec::new()).await.expect("no panic").is_empty());
    }

    #[tokio::test]
    async fn what_does_not_wait_stays_on_one_thread() {
        let thread = || async { blocking(|| std::thread::current().id()).await.expect("no panic") };
        let threads = in_turn(vec![thread().boxed(), thread().boxed()]).await.expect("no panic");
        assert_eq!(threads[0], threads[1]);
        assert_ne!(threads[0], std::thread::current().id());
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        for futures in [1, 2] {
            let all = (0..futures).map(|_| async { panic!("on purpose") }.boxed()).collect();
            assert!(in_turn::<()>(all).await.expect_err("a panic").is_panic());
        }
    }

    #[test]
    fn a_batch_has_few_small_files_or_one_other() {
        let lengths = |sizes: Vec<Option<u64>>| {
            let batches: Vec<_> = batches(sizes.iter().copied(), |size| *size).collect();
            assert_eq!(batches.concat(), sizes, "all of them, in order");
            batches.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(vec![Some(1); BATCH + 1]), [BATCH, 1]);
        assert_eq!(lengths(vec![Some(1), None, None, Some(1), Some(1)]), [1, 1, 1, 2]);
        assert_eq!(lengths(vec![Some(BATCH_BYTES), Some(1), Some(BATCH_BYTES - 1), Some(1)]), [1, 2, 1]);
        assert_eq!(lengths(vec![Some(2 * BATCH_BYTES), Some(1)]), [1, 1]);
        assert!(lengths(Vec::new()).is_empty());
    }
}
