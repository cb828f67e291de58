//! [`Limits`]: how many resources a run uses.

mod budget;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::budget::{Bandwidth, MemoryBudget, MemoryPermit};
use crate::{
    error::{Error, Result},
    named::named,
    setters::setters,
    units::{ByteSize, duration},
};

/// However short the outage that is allowed: no store answers everything at once.
const LEAST_STALL_TIMEOUT: Duration = Duration::from_secs(1);

/// How many resources a run uses: a backup, a restore, a verification or a certification. Those two write nothing, so
/// [`durability`](Self::durability) has no effect on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// How many objects are copied, or verified, concurrently, at least 1. Listings and deletions have budgets of their own,
    /// 16 each.
    pub concurrency: usize,
    /// How many bytes of objects are held in memory, by all workers together; at least 1.
    pub memory: ByteSize,
    /// How many bytes are moved per second, by all workers together, at least 1; `None`: no limit.
    pub bandwidth: Option<ByteSize>,
    /// How often, and for how long, a failed request is tried again.
    pub retry: Retry,
    /// How long a connection may move nothing before it counts as stalled, and a store may answer nothing before a copy is
    /// given up; more than 0. At most half of [`retry.max_outage`](Retry::max_outage), so that one stalled connection is tried
    /// again. In all but a backup that is 12.5 s, unless `max_outage` is set as well.
    #[serde(with = "duration")]
    pub stall_timeout: Duration,
    /// Whether files are on disk before a stage counts as done.
    pub durability: Durability,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 16,
            memory: ByteSize::mib(256),
            bandwidth: None,
            retry: Retry::default(),
            stall_timeout: Duration::from_secs(60),
            durability: Durability::default(),
        }
    }
}

impl Limits {
    setters! {
        /// Sets how many objects are copied concurrently.
        with_concurrency(concurrency: usize),

        /// Sets how many bytes are held in memory.
        with_memory(memory: ByteSize),

        /// Sets how failed requests are tried again.
        with_retry(retry: Retry),

        /// Sets how long a connection may move nothing.
        with_stall_timeout(stall_timeout: Duration),

        /// Sets whether files are on disk before a stage counts as done.
        with_durability(durability: Durability),
    }

    /// Sets how many bytes are moved per second.
    #[must_use]
    pub fn with_bandwidth(mut self, bandwidth: ByteSize) -> Self {
        self.bandwidth = Some(bandwidth);
        self
    }

    /// Checks that something can be done within these limits.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the name of the limit.
    pub fn check(&self) -> Result<()> {
        let zero = if self.concurrency == 0 {
            "limits.concurrency"
        } else if self.memory == ByteSize(0) {
            "limits.memory"
        } else if self.bandwidth == Some(ByteSize(0)) {
            "limits.bandwidth"
        } else if self.stall_timeout.is_zero() {
            "limits.stall_timeout"
        } else {
            return Ok(());
        };
        Err(Error::invalid_request(zero, "with 0 nothing is ever moved: set more"))
    }

    /// The stall timeout of a copy: a store that is silent is away.
    pub(crate) fn stall_timeout(&self) -> Duration {
        let half = self.retry.max_outage.map(|max_outage| (max_outage / 2).max(LEAST_STALL_TIMEOUT));
        half.map_or(self.stall_timeout, |half| half.min(self.stall_timeout))
    }
}

/// How failed requests are tried again: exponential backoff with full jitter, for minutes rather than seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Retry {
    /// The longest first wait. It doubles after each failure.
    #[serde(with = "duration")]
    pub initial_backoff: Duration,
    /// The longest wait.
    #[serde(with = "duration")]
    pub max_backoff: Duration,
    /// How long one object is tried: no attempt begins later. More than six minutes only helps against a source that is
    /// away: where the repository of a backup, or the target of a restore, is, the run ends with
    /// [`LeaseNotRenewed`](crate::Error::LeaseNotRenewed) by then.
    #[serde(with = "duration")]
    pub max_elapsed: Duration,
    /// How long a store may be away, refusing connections or silent, before a copy fails: no attempt begins later. A store
    /// that asks to slow down is not away. `None`: a backup waits as long as [`max_elapsed`](Self::max_elapsed), which also says
    /// how much is of use; all others wait 25 s.
    #[serde(with = "duration::optional")]
    pub max_outage: Option<Duration>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(20),
            max_elapsed: Duration::from_secs(300),
            max_outage: None,
        }
    }
}

impl Retry {
    /// Nothing is tried again.
    #[must_use]
    pub const fn never() -> Self {
        let none = Duration::ZERO;
        Self { initial_backoff: none, max_backoff: none, max_elapsed: none, max_outage: None }
    }

    /// Sets how long one object is tried.
    #[must_use]
    pub fn for_at_most(mut self, max_elapsed: Duration) -> Self {
        self.max_elapsed = max_elapsed;
        self
    }

    /// Sets how long a store may be away.
    #[must_use]
    pub fn with_max_outage(mut self, max_outage: Duration) -> Self {
        self.max_outage = Some(max_outage);
        self
    }
}

/// Whether files are on disk before a stage counts as done: one `syncfs` per barrier on Linux, `fsync` of files and
/// directories elsewhere. Object stores are durable when a write returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// On disk.
    #[default]
    Durable,
    /// Left to the operating system: after power loss files may be empty.
    Relaxed,
}

named!(Durability, "durability", { Durable => "durable", Relaxed => "relaxed" });
