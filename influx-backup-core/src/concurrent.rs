//! Running futures with limited concurrency.

use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use crate::error::Result;

/// Runs futures, at most `max_concurrent` at a time, and returns their results in order. The first error stops it.
///
/// Takes boxed futures because the compiler cannot prove others `Send` here.
pub(crate) async fn run<'a, T: 'a>(futures: Vec<BoxFuture<'a, Result<T>>>, max_concurrent: usize) -> Result<Vec<T>> {
    stream::iter(futures).buffered(max_concurrent).try_collect().await
}
