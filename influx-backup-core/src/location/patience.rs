//! Trying again where a store fails for a moment.

use std::time::Duration;

use futures::future::BoxFuture;
use rand::Rng;
use tokio::time::{Instant, sleep};

use crate::error::{Error, Result, StoreErrorKind};

/// The longest first wait; doubled after each failure.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long to keep trying. Clients of real clouds have retries of their own, which come first.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long to keep trying where the store is not known to answer at all.
pub(super) const FIRST_CONTACT: Duration = Duration::from_secs(3);

/// Tries an operation again while its store is unreachable, asks to slow down or fails for no known reason.
pub(super) async fn retrying<'a, T>(
    patience: Duration,
    mut attempt: impl FnMut() -> BoxFuture<'a, Result<T>> + Send,
) -> Result<T> {
    let (began, mut longest) = (Instant::now(), FIRST_WAIT);
    loop {
        match attempt().await {
            Err(error) if is_passing(&error) && began.elapsed() < patience => {
                let wait = longest.mul_f64(rand::rng().random_range(0.0..=1.0));
                sleep(wait).await;
                longest = (longest * 2).min(LONGEST_WAIT);
            }
            done => return done,
        }
    }
}

fn is_passing(error: &Error) -> bool {
    use StoreErrorKind::{Other, Throttled, Unreachable};
    matches!(error, Error::Store { kind: Unreachable | Throttled | Other, .. })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::FutureExt;

    use super::*;

    fn failing(kind: StoreErrorKind, times: u32) -> impl FnMut() -> BoxFuture<'static, Result<u32>> + Send {
        let attempts = AtomicU32::new(0);
        move || {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            let source = Box::new(std::io::Error::other("x"));
            let (operation, key, location) = ("get", "k".to_owned(), "l".to_owned());
            let error = Error::Store { operation, key, location, kind, source };
            async move { if attempt < times { Err(error) } else { Ok(attempt) } }.boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn passing_failures_pass_and_others_are_said_at_once() {
        assert_eq!(retrying(PATIENCE, failing(StoreErrorKind::Throttled, 7)).await.expect("passes"), 7);
        let began = Instant::now();
        retrying(PATIENCE, failing(StoreErrorKind::Denied, 1)).await.expect_err("is said");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up() {
        let began = Instant::now();
        retrying(PATIENCE, failing(StoreErrorKind::Unreachable, u32::MAX)).await.expect_err("gives up");
        assert!(began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE + LONGEST_WAIT);
    }
}
