//! Trying again where a store fails for a moment.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep};

use crate::error::{Error, Result};

/// The longest first wait; doubled after each failure.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Failures that are forgiven however short the patience is.
const ATTEMPTS: u32 = 3;

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
    for failures in 0.. {
        match attempt().await {
            Err(error) if is_passing(&error) && (began.elapsed() < patience || failures < ATTEMPTS) => {
                sleep(longest.mul_f64(jitter(&drawn_from(&error), failures))).await;
                longest = (longest * 2).min(LONGEST_WAIT);
            }
            done => return done,
        }
    }
    attempt().await
}

/// What a wait is drawn from: the failure as it is said, but for a probe's name, which is another one in every run.
fn drawn_from(error: &Error) -> String {
    let said = error.to_string();
    said.split_once("/probe-").map_or_else(|| said.clone(), |(before, _)| before.to_owned())
}

/// A part of a wait, between nothing and all of it: another one for every object and attempt, so that those who failed
/// together do not come back together, and the same one in every run, so that a failing run can be shown again.
pub(crate) fn jitter(what: &str, attempt: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (what, attempt).hash(&mut hasher);
    (hasher.finish() % 1_000) as f64 / 1_000.0
}

fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Store { kind, .. } if kind.is_transient())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::FutureExt;

    use super::*;
    use crate::error::StoreErrorKind;

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

    #[test]
    fn those_who_failed_together_come_back_one_by_one() {
        let of = |attempt| (0..1_000).map(move |key| jitter(&format!("n/wal/{key:011}.wal"), attempt));
        let in_the_first_half = of(1).filter(|part| *part < 0.5).count();
        assert!((400..600).contains(&in_the_first_half), "{in_the_first_half}");
        assert!(of(1).all(|part| (0.0..1.0).contains(&part)));
        let same = of(1).zip(of(2)).filter(|(first, second)| first == second).count();
        assert!(same < 10, "{same} wait as long again");
        assert!(of(1).eq(of(1)), "a run can be shown again");
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up() {
        let began = Instant::now();
        retrying(PATIENCE, failing(StoreErrorKind::Unreachable, u32::MAX)).await.expect_err("gives up");
        assert!(began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE + LONGEST_WAIT);
    }
}
