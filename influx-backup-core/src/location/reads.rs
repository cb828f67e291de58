//! [`Reads`]: the limits of a job that only reads, shared by all locations that it reads.

use std::{sync::Arc, time::Duration};

use super::{Location, request::OUTAGE};
use crate::{
    limits::{Bandwidth, Limits, MemoryBudget, MemoryPermit, Retry},
    retry::{Patience, RetryPolicy},
};

/// What the reads of one job share.
#[derive(Debug)]
pub(crate) struct Reads {
    concurrency: usize,
    memory: MemoryBudget,
    bandwidth: Bandwidth,
    retry: Retry,
    max_outage: Duration,
    stall_timeout: Duration,
}

impl Reads {
    /// Reads within these limits. Where they do not say how long a store may be away, it is as long as for any other
    /// request.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let mut limits = limits.clone();
        let max_outage = *limits.retry.max_outage.get_or_insert(OUTAGE.max_elapsed);
        Arc::new(Self {
            concurrency: limits.concurrency.max(1),
            memory: MemoryBudget::new(limits.memory),
            bandwidth: limits.bandwidth.map_or_else(Bandwidth::unlimited, Bandwidth::per_second),
            stall_timeout: limits.stall_timeout(),
            retry: limits.retry,
            max_outage,
        })
    }

    /// How long requests are tried again.
    pub(super) fn policy(&self, is_outage: bool) -> RetryPolicy {
        let Retry { initial_backoff, max_backoff, max_elapsed, .. } = self.retry;
        let max_elapsed = if is_outage { self.max_outage.min(max_elapsed) } else { max_elapsed };
        RetryPolicy { initial_backoff, max_backoff, max_elapsed, min_retries: 0 }
    }

    /// How long an object that is read may take to move.
    pub(super) fn patience(&self) -> Patience {
        Patience { silence: self.stall_timeout, total: self.stall_timeout }
    }
}

impl Location {
    /// The same location, read within the limits of a job.
    pub(crate) fn with_reads(&self, reads: &Arc<Reads>) -> Self {
        self.with(|inner| inner.reads = Some(Arc::clone(reads)))
    }

    /// How many objects are read at once: what the limits of the job say, or else this many.
    pub(crate) fn max_reads(&self, otherwise: usize) -> usize {
        self.0.reads.as_ref().map_or(otherwise, |reads| reads.concurrency)
    }

    /// Waits until this many bytes of objects may be held in memory. Nothing may be waited for here by who holds some.
    pub(crate) async fn hold(&self, bytes: u64) -> Option<MemoryPermit> {
        match &self.0.reads {
            Some(reads) => Some(reads.memory.take(bytes).await),
            None => None,
        }
    }

    /// Waits until this many bytes may be moved.
    pub(super) async fn pace(&self, bytes: usize) {
        if let Some(reads) = &self.0.reads {
            reads.bandwidth.take(bytes as u64).await;
        }
    }
}
