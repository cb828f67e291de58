//! One object: attempts, waits between them, and the look at the target.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::CopyOutcome;
use crate::limits::{Bandwidth, MemoryBudget, Retry};
use crate::{
    adaptive::Adaptive,
    copier::{Copied, Copier, CopyContext, CopyRequest},
    error::{CopyError, Error, StoreErrorKind},
    event::EventKind,
    job::EventSink,
    location::{ChecksumMatch, Location, RequestKind, jitter},
    plan::CopyTask,
};

/// What all copies of a stage share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) copier: Arc<dyn Copier>,
    pub(super) from: Location,
    pub(super) to: Location,
    pub(super) retry: Retry,
    pub(super) stall_timeout: Duration,
    pub(super) stop: CancellationToken,
    pub(super) events: EventSink,
    pub(super) bandwidth: Bandwidth,
    pub(super) memory: MemoryBudget,
    pub(super) adaptive: Arc<Adaptive>,
}

impl Worker {
    /// Copies one object, trying again where that may help.
    pub(super) async fn copy(&self, task: &CopyTask) -> Result<CopyOutcome, CopyError> {
        let request = CopyRequest::new(self.from.clone(), task.source.clone(), self.to.clone(), task.transfer);
        let (began, told) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        for attempt in 1.. {
            let error = match self.attempt(&request, &told).await {
                Ok(copied) => return Ok(CopyOutcome::Copied(Box::new(copied))),
                Err(CopyError::Vanished) => return Ok(CopyOutcome::Vanished),
                Err(CopyError::Changed) => return Ok(CopyOutcome::Changed),
                Err(error) => error,
            };
            let wait = longest_wait(&self.retry, attempt).mul_f64(jitter(task.source.key.as_str(), attempt));
            if !error.is_retryable() || began.elapsed() + wait >= self.retry.max_elapsed {
                return Err(error);
            }
            let (key, code) = (request.key.clone(), error.code().to_owned());
            self.events.send(EventKind::Retry { key, attempt, wait, code });
            self.stop.run_until_cancelled(sleep(wait)).await.ok_or(CopyError::Cancelled)?;
        }
        Err(CopyError::Cancelled)
    }

    async fn attempt(&self, request: &CopyRequest, told: &Arc<AtomicU64>) -> Result<Copied, CopyError> {
        let _permit = self.stop.run_until_cancelled(self.adaptive.acquire()).await.ok_or(CopyError::Cancelled)?;
        let context = CopyContext {
            cancellation: self.stop.clone(),
            progress: self.progress(told),
            bandwidth: self.bandwidth.clone(),
            memory: self.memory.clone(),
            stall_timeout: self.stall_timeout,
        };
        // The object_store crate tries again by itself: that a store asked to slow down shows only here.
        let throttle_counts =
            || self.from.throttle_count(RequestKind::Copy) + self.to.throttle_count(RequestKind::Copy);
        let before = throttle_counts();
        let copied = async { look(request, self.copier.copy(request, &context).await?).await };
        let copied = copied.await;
        match &copied {
            Err(CopyError::Store { kind: StoreErrorKind::Throttled, .. }) => self.adaptive.throttled(),
            _ if throttle_counts() > before => self.adaptive.throttled(),
            Ok(_) => self.adaptive.succeeded(),
            Err(_) => {}
        }
        copied
    }

    /// Tells of bytes moved, but not again of those that a failed attempt had moved before.
    fn progress(&self, told: &Arc<AtomicU64>) -> Arc<dyn Fn(u64) + Send + Sync> {
        let (events, told, moved) = (self.events.clone(), Arc::clone(told), AtomicU64::new(0));
        Arc::new(move |bytes| {
            let now = moved.fetch_add(bytes, Ordering::Relaxed) + bytes;
            let before = told.fetch_max(now, Ordering::Relaxed);
            if now > before {
                events.add_bytes(now - before);
            }
        })
    }
}

/// A copier's answer is no evidence: the target has to hold the object, in its length, and where its store gives a checksum,
/// with that one. Its version there is kept, and what else its store says of its bytes.
async fn look(request: &CopyRequest, mut copied: Copied) -> Result<Copied, CopyError> {
    let found = request.to.head_with_checksums(&request.key).await.map_err(|error| match error {
        Error::Store { kind, source, .. } => CopyError::Store { operation: "head target", kind, source },
        error => CopyError::Store { operation: "head target", kind: StoreErrorKind::Unknown, source: Box::new(error) },
    })?;
    let wanted = request.source.size;
    match found {
        None => Err(corrupt("the target does not have it".to_owned())),
        Some((found, _)) if found.size != wanted => {
            Err(corrupt(format!("the target has {} bytes, the source {wanted}", found.size)))
        }
        Some(_) if copied.size != wanted => {
            Err(corrupt(format!("the copier moved {} bytes, the source has {wanted}", copied.size)))
        }
        Some((_, stored)) if copied.checksums.compare(&stored) == ChecksumMatch::Mismatch => {
            Err(corrupt("the target's store gives another checksum than what was copied has".to_owned()))
        }
        Some((found, stored)) => {
            copied.version = Some(found.version);
            copied.checksums = copied.checksums.merge(stored.computed_by(request.to.provider()));
            Ok(copied)
        }
    }
}

fn corrupt(reason: String) -> CopyError {
    CopyError::Corrupt { reason }
}

/// Doubled after each failed attempt, up to the most.
fn longest_wait(retry: &Retry, attempt: u32) -> Duration {
    let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
    retry.initial_backoff.saturating_mul(factor).min(retry.max_backoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most() {
        let waits = |attempt| longest_wait(&Retry::default(), attempt).as_millis();
        assert_eq!((1..=9).map(waits).collect::<Vec<_>>(), [200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000]);
        assert_eq!(waits(u32::MAX), 20000);
        assert_eq!(longest_wait(&Retry::never(), 1), Duration::ZERO);
    }
}
