//! When to try something again, and how long to wait for an answer: exponential backoff with jitter until a time budget
//! is spent, and [`Patience`] with a store that is slow but none with one that is away.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::pin,
    time::Duration,
};

use tokio::time::{Instant, timeout};

/// How often and for how long to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// The longest first wait; doubled after each failure.
    pub(crate) initial_backoff: Duration,
    /// The longest wait.
    pub(crate) max_backoff: Duration,
    /// No retry begins later than this after the first attempt began.
    pub(crate) max_elapsed: Duration,
    /// How many retries are allowed even if the first attempts took longer than that.
    pub(crate) min_retries: u32,
}

/// How long to wait for the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// How long the store may answer nothing at all: neither this request nor any other.
    pub(crate) silence: Duration,
    /// How long this request may take while the store answers others.
    pub(crate) total: Duration,
}

impl Patience {
    /// Waits for the answer; `None`: too long. `probe` asks the store something small, and says whether it is there.
    pub(crate) async fn wait<T, P: Future<Output = bool>>(
        self,
        answer: impl Future<Output = T>,
        probe: impl Fn(Duration) -> P,
    ) -> Option<T> {
        timeout(self.total, unless_silent(self.silence, answer, probe)).await.ok().flatten()
    }
}

/// Does some work as long as the store is there; `None`: it was silent for `silence`.
///
/// `probe` is called whenever nothing was heard for a third of that time, with this third: the time for which an answer
/// to another request counts. It gets the rest.
pub(crate) async fn unless_silent<T, P: Future<Output = bool>>(
    silence: Duration,
    work: impl Future<Output = T>,
    probe: impl Fn(Duration) -> P,
) -> Option<T> {
    let pause = silence / 3;
    let mut work = pin!(work);
    loop {
        if let Ok(done) = timeout(pause, &mut work).await {
            return Some(done);
        }
        let is_there = timeout(silence - pause, probe(pause));
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            is_there = is_there => match is_there {
                Ok(true) => {}
                Ok(false) | Err(_) => return None,
            },
        }
    }
}

/// The waits between the attempts of one operation, by one clock.
#[derive(Debug)]
pub(crate) struct Backoff {
    began: Instant,
    failures: u32,
}

impl Backoff {
    /// Starts the clock: the first attempt begins now.
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), failures: 0 }
    }

    /// How many attempts have failed.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Records a failed attempt and returns how long to wait before the next one; `None`: give up.
    ///
    /// The policy may depend on the failure. See [`jitter`] for `seed`.
    pub(crate) fn next_wait(&mut self, policy: &RetryPolicy, seed: &str) -> Option<Duration> {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures += 1;
        let longest = policy.initial_backoff.saturating_mul(factor).min(policy.max_backoff);
        let wait = longest.mul_f64(jitter(seed, self.failures));
        let is_in_time = self.began.elapsed() + wait < policy.max_elapsed;
        (is_in_time || self.failures <= policy.min_retries).then_some(wait)
    }
}

/// A fraction of a wait, from 0 up to 1. It differs between objects and attempts, so that requests that failed together
/// do not return together, and is the same in every run, so that a failing run can be reproduced.
pub(crate) fn jitter(seed: &str, attempt: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (seed, attempt).hash(&mut hasher);
    (hasher.finish() % 1_000) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        initial_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(5),
        max_elapsed: Duration::from_secs(30),
        min_retries: 1,
    };

    const PATIENCE: Patience = Patience { silence: Duration::from_secs(15), total: Duration::from_secs(100) };

    /// What becomes of an answer that never comes, while the store is there for so long.
    async fn waited_in_vain(there: Duration) -> Duration {
        let began = Instant::now();
        let probe = |_| async move {
            if began.elapsed() > there {
                std::future::pending::<()>().await;
            }
            true
        };
        assert_eq!(PATIENCE.wait(std::future::pending::<()>(), probe).await, None);
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_is_waited_for_while_the_store_is_there() {
        assert_eq!(waited_in_vain(Duration::ZERO).await, PATIENCE.silence);
        // It was last heard of after 30 s, and could have been away since.
        assert_eq!(waited_in_vain(Duration::from_secs(33)).await, Duration::from_secs(30) + PATIENCE.silence);
        assert_eq!(waited_in_vain(PATIENCE.total).await, PATIENCE.total);
        let slow = tokio::time::sleep(Duration::from_secs(90));
        assert_eq!(PATIENCE.wait(slow, |_| std::future::ready(true)).await, Some(()));
        let late = tokio::time::sleep(PATIENCE.silence - Duration::from_secs(1));
        assert_eq!(PATIENCE.wait(late, |_| std::future::pending()).await, Some(()), "although the probe was silent");
        let refused = PATIENCE.wait(std::future::pending::<()>(), |_| std::future::ready(false));
        assert_eq!(refused.await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_up_to_the_longest_and_end_in_time() {
        let began = Instant::now();
        let mut backoff = Backoff::start();
        let mut longest = POLICY.initial_backoff;
        while let Some(wait) = backoff.next_wait(&POLICY, "key") {
            assert!(wait <= longest, "{wait:?} after {} failures", backoff.failures());
            longest = (longest * 2).min(POLICY.max_backoff);
            tokio::time::sleep(wait).await;
        }
        assert!(began.elapsed() < POLICY.max_elapsed);
        assert!(began.elapsed() > POLICY.max_elapsed - POLICY.max_backoff, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn one_long_attempt_is_followed_by_another() {
        let mut backoff = Backoff::start();
        tokio::time::sleep(POLICY.max_elapsed * 10).await;
        assert!(backoff.next_wait(&POLICY, "key").is_some());
        assert_eq!(backoff.next_wait(&POLICY, "key"), None);
    }

    #[test]
    fn attempts_that_failed_together_return_one_by_one() {
        let of = |attempt| (0..1_000).map(move |key| jitter(&format!("n/wal/{key:011}.wal"), attempt));
        let in_first_half = of(1).filter(|part| *part < 0.5).count();
        assert!((400..600).contains(&in_first_half), "{in_first_half}");
        assert!(of(1).all(|part| (0.0..1.0).contains(&part)));
        let same = of(1).zip(of(2)).filter(|(first, second)| first == second).count();
        assert!(same < 10, "{same} wait as long again");
        assert!(of(1).eq(of(1)), "a run can be reproduced");
    }
}
