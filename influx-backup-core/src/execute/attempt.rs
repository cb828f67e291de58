//! One object: attempts, waits between them, and the verification of the target.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::CopyOutcome;
use crate::{
    adaptive::Adaptive,
    copier::{Copied, Copier, CopyContext, CopyRequest},
    error::{CopyError, Error, StoreErrorKind},
    event::EventKind,
    job::EventSink,
    limits::Retry,
    location::{ChecksumMatch, RequestKind},
    retry::jitter,
};

/// What all copies of a stage share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) copier: Arc<dyn Copier>,
    /// Its clean-ups are those of the stage.
    pub(super) context: CopyContext,
    pub(super) retry: Retry,
    pub(super) events: EventSink,
    pub(super) adaptive: Arc<Adaptive>,
}

impl Worker {
    /// Copies one object, trying again where that may help.
    pub(super) async fn copy(&self, request: &CopyRequest) -> Result<CopyOutcome, CopyError> {
        let began = Instant::now();
        let reported = Arc::new(AtomicU64::new(0));
        let clean_ups = self.context.clean_ups.of_object();
        for attempt in 1.. {
            let context = CopyContext {
                progress: self.progress(&reported),
                clean_ups: clean_ups.clone(),
                ..self.context.clone()
            };
            let span = tracing::debug_span!("attempt", attempt);
            let error = match self.attempt(request, &context).instrument(span).await {
                Ok(copied) => return Ok(CopyOutcome::Copied(Box::new(copied))),
                Err(CopyError::Vanished) => return Ok(CopyOutcome::Vanished),
                Err(CopyError::Changed) => return Ok(CopyOutcome::Changed),
                Err(error) => error,
            };
            let wait = longest_wait(&self.retry, attempt).mul_f64(jitter(request.target.as_str(), attempt));
            if !error.is_retryable() || began.elapsed() + wait >= self.retry.max_elapsed {
                return Err(error);
            }
            let key = request.target.clone();
            self.events.send(EventKind::Retry { key, attempt, wait, code: error.code().to_owned() });
            // A late deletion by this attempt must not hit the copy of the next.
            self.unless_cancelled(async { tokio::join!(sleep(wait), clean_ups.finished()) }).await?;
        }
        Err(CopyError::Cancelled)
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, CopyError> {
        self.context.cancellation.run_until_cancelled(work).await.ok_or(CopyError::Cancelled)
    }

    async fn attempt(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let _permit = self.unless_cancelled(self.adaptive.acquire()).await?;
        // The object_store crate retries on its own: only these counts show that a store asked to slow down.
        let throttle_counts =
            || request.from.throttle_count(RequestKind::Copy) + request.to.throttle_count(RequestKind::Copy);
        let before = throttle_counts();
        let copied = self.copy_and_verify(request, context).await;
        match &copied {
            Err(CopyError::Store { kind: StoreErrorKind::Throttled, .. }) => self.adaptive.throttled(),
            _ if throttle_counts() > before => self.adaptive.throttled(),
            Ok(_) => self.adaptive.succeeded(),
            Err(_) => {}
        }
        copied
    }

    async fn copy_and_verify(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let copied = self.copier.copy(request, context).await?;
        verify_target(request, copied).await
    }

    /// Counts the bytes that an attempt moves, except those that failed attempts have already counted.
    fn progress(&self, reported: &Arc<AtomicU64>) -> Arc<dyn Fn(u64) + Send + Sync> {
        let events = self.events.clone();
        let reported = Arc::clone(reported);
        let moved = AtomicU64::new(0);
        Arc::new(move |bytes| {
            let now = moved.fetch_add(bytes, Ordering::Relaxed) + bytes;
            let before = reported.fetch_max(now, Ordering::Relaxed);
            if now > before {
                events.add_bytes(now - before);
            }
        })
    }
}

/// Checks what the copier reports against what was expected, and against what the target's store has. The checksums that
/// the store computes are added to the report, and its version where the copier reports none.
async fn verify_target(request: &CopyRequest, mut copied: Copied) -> Result<Copied, CopyError> {
    request.check_content(copied.content.size, copied.content.crc64)?;
    let found = request.to.head_with_checksums(&request.target).await.map_err(|error| match error {
        Error::Store { kind, source, .. } => CopyError::store("head target", kind, source),
        error => CopyError::store("head target", StoreErrorKind::Unknown, error),
    })?;
    let Some((found, checksums)) = found else {
        return Err(corrupt("the target does not have the object".to_owned()));
    };
    let stored = &mut copied.stored;
    if found.size != stored.size {
        return Err(corrupt(format!("the target has {} bytes, {} were written", found.size, stored.size)));
    }
    if stored.checksums.compare(&checksums) == ChecksumMatch::Mismatch {
        return Err(corrupt("the target's store has another checksum".to_owned()));
    }
    stored.checksums = std::mem::take(&mut stored.checksums).merge(checksums.computed_by(request.to.provider()));
    // The version of the write's own answer, where it has one: what is found now may be another's already.
    if stored.version.as_ref().is_none_or(|version| version.e_tag.is_none()) {
        stored.version = Some(found.version);
    }
    Ok(copied)
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
