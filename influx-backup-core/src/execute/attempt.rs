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

use super::{CopyOutcome, pin::pinned};
use crate::{
    adaptive::Adaptive,
    copier::{COPY_IN_STORE, Copied, Copier, CopyContext, CopyRequest, SaidBy},
    error::{CopyError, CopySide, Error, StoreErrorKind},
    event::EventKind,
    job::EventSink,
    limits::Retry,
    location::{ChecksumMatch, Pin, RequestKind, Suspicion},
    retry::{Backoff, RetryPolicy},
    units::duration::millis,
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
        let policy = policy(&self.retry);
        let mut backoff = Backoff::start();
        let mut outage = None;
        let mut suspicion = Suspicion::default();
        let reported = Arc::new(AtomicU64::new(0));
        let clean_ups = self.context.clean_ups.of_object();
        loop {
            let mut answered = Instant::now();
            let pin = request.from.pin();
            let context = CopyContext {
                progress: self.progress(&reported),
                clean_ups: clean_ups.clone(),
                ..self.context.clone()
            };
            let span = tracing::debug_span!("attempt", attempt = backoff.failures() + 1);
            let error = match self.attempt(request, &context, &mut answered).instrument(span).await {
                Ok(copied) => return Ok(CopyOutcome::Copied(Box::new(copied))),
                Err(CopyError::Vanished) => return Ok(CopyOutcome::Vanished),
                Err(CopyError::Changed) if self.is_only_named_differently(request, pin).await? => continue,
                Err(CopyError::Changed) => return Ok(CopyOutcome::Changed),
                Err(error) => self.told_apart(request, error, &mut suspicion).await,
            };
            if !error.is_retryable() {
                return Err(error);
            }
            outage = error.is_outage().then(|| outage.unwrap_or(answered));
            let outlasts = |wait| outage.is_some_and(|since| self.outlasts(since.elapsed() + wait));
            let wait = backoff.next_wait(&policy, request.target.as_str()).filter(|wait| !outlasts(*wait));
            if let Some(wait) = wait {
                let key = request.target.clone();
                let attempt = backoff.failures();
                let code = error.code().to_owned();
                self.events.send(EventKind::Retry { key, attempt, wait: millis::whole(wait), code });
                // A late deletion by this attempt must not hit the copy of the next.
                self.unless_cancelled(async { tokio::join!(sleep(wait), clean_ups.finished()) }).await?;
            }
            if wait.is_none() || outlasts(Duration::ZERO) {
                if outage.is_some() {
                    request.from.suspect_outage();
                    request.to.suspect_outage();
                }
                return Err(error);
            }
        }
    }

    /// Whether it is the one object that cannot be read, or the store that cannot be asked now: that may pass.
    async fn told_apart(&self, request: &CopyRequest, error: CopyError, suspicion: &mut Suspicion) -> CopyError {
        let CopyError::Store { side, operation, kind, source } = error else {
            *suspicion = Suspicion::default();
            return error;
        };
        let is_read = side == Some(CopySide::Source) && ["open", "get", "read", "request"].contains(&&*operation);
        let is_copy = operation == COPY_IN_STORE;
        let source_key = &request.source.key;
        let is_suspected = (is_read || is_copy) && request.from.suspects(source_key, suspicion, kind);
        let is_unreadable = request.from.refuses_only(source_key);
        let kind = match kind {
            _ if is_suspected && self.unless_cancelled(is_unreadable).await.unwrap_or(false) => {
                StoreErrorKind::Unreadable
            }
            StoreErrorKind::Unreadable if is_read => StoreErrorKind::Unknown,
            kind => kind,
        };
        let side = if kind == StoreErrorKind::Unreadable { Some(CopySide::Source) } else { side };
        CopyError::Store { side, operation, kind, source }
    }

    /// Whether an outage of this length is longer than allowed.
    fn outlasts(&self, outage: Duration) -> bool {
        self.retry.max_outage.is_some_and(|max_outage| outage >= max_outage)
    }

    pub(super) fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = Result<T, CopyError>> {
        let done = self.context.cancellation.run_until_cancelled(work);
        async { done.await.ok_or(CopyError::Cancelled) }
    }

    /// One attempt. Sets `answered` to when the stores last answered.
    async fn attempt(
        &self,
        request: &CopyRequest,
        context: &CopyContext,
        answered: &mut Instant,
    ) -> Result<Copied, CopyError> {
        let _permit = self.unless_cancelled(self.adaptive.acquire()).await?;
        // The object_store crate retries on its own: only these counts show that a store asked to slow down.
        let throttle_counts =
            || request.from.throttle_count(RequestKind::Copy) + request.to.throttle_count(RequestKind::Copy);
        let before = throttle_counts();
        let copied = self.copy_and_verify(request, context, answered).await;
        match &copied {
            Err(CopyError::Store { kind: StoreErrorKind::Throttled, .. }) => self.adaptive.throttled(),
            _ if throttle_counts() > before => self.adaptive.throttled(),
            Ok(_) => self.adaptive.succeeded(),
            Err(_) => {}
        }
        copied
    }

    async fn copy_and_verify(
        &self,
        request: &CopyRequest,
        context: &CopyContext,
        answered: &mut Instant,
    ) -> Result<Copied, CopyError> {
        let copied = match request.from.pin() {
            Pin::Listed => copy(&*self.copier, request, context).await,
            _ => copy(&*self.copier, &pinned(request).await?, context).await,
        };
        let silence = match copied {
            // Where it is more, the store answered others.
            Err(CopyError::Stalled { after, .. }) => after.min(context.stall_timeout),
            _ => Duration::ZERO,
        };
        let now = Instant::now();
        *answered = now.checked_sub(silence).unwrap_or(now);
        verify_target(request, copied?).await
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

/// Copies one object as long as both stores are there. A copy may take minutes in which nothing moves: a store makes it by
/// itself, or puts thousands of parts together. That a store is away shows in that it answers nothing else either.
async fn copy(copier: &dyn Copier, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
    let silence = context.stall_timeout;
    let copy = request.from.unless_silent(silence, copier.copy(request, context));
    let copied = request.to.unless_silent(silence, copy).await;
    let silent = |side| Err(CopyError::Stalled { after: silence, side: Some(side) });
    copied.map_or_else(|| silent(CopySide::Target), |copied| copied.unwrap_or_else(|| silent(CopySide::Source)))
}

/// Checks what the copier reports against what was expected, and, where only the copier says so, against what the target's
/// store has. The checksums that the store computes are added to the report then, and its version where the copier reports
/// none.
async fn verify_target(request: &CopyRequest, mut copied: Copied) -> Result<Copied, CopyError> {
    request.check_content(copied.content.size, copied.content.crc64)?;
    if copied.said_by == SaidBy::Store {
        return Ok(copied);
    }
    let found = request.to.head_with_checksums(&request.target).await;
    let found = found.map_err(|error| of_store(CopySide::Target, "head", error))?;
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

/// An error of a location, as one of a copy.
pub(super) fn of_store(side: CopySide, operation: &'static str, error: Error) -> CopyError {
    match error {
        Error::Store { kind, source, .. } => CopyError::store(side, operation, kind, source),
        error => CopyError::store(side, operation, StoreErrorKind::Unknown, error),
    }
}

fn corrupt(reason: String) -> CopyError {
    CopyError::Corrupt { reason }
}

fn policy(retry: &Retry) -> RetryPolicy {
    RetryPolicy {
        initial_backoff: retry.initial_backoff,
        max_backoff: retry.max_backoff,
        max_elapsed: retry.max_elapsed,
        min_retries: 0,
    }
}
