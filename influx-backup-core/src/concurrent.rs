//! Futures that run some at a time.

use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use crate::error::Result;

/// Runs futures, `at_once` of them at a time, and gives their results in order. The first error ends it.
///
/// Boxed futures, because the compiler cannot show of others that they may move between threads.
pub(crate) async fn run<'a, T: 'a>(futures: Vec<BoxFuture<'a, Result<T>>>, at_once: usize) -> Result<Vec<T>> {
    stream::iter(futures).buffered(at_once).try_collect().await
}
