//! How hard a run may work.

mod budget;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::budget::{Bandwidth, MemoryBudget, MemoryPermit};
use crate::units::ByteSize;

/// How hard a run may work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// How many objects are copied at once. Listings and deletions have budgets of their own, 16 at once each.
    pub concurrency: usize,
    /// How many bytes of objects are held in memory at once, by all workers together.
    pub memory: ByteSize,
    /// How many bytes are moved a second, by all workers together; `None`: as many as go.
    pub bandwidth: Option<ByteSize>,
    /// What happens when something fails.
    pub retry: Retry,
    /// How long a connection may move nothing before it counts as stalled.
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
    /// Copies this many objects at once.
    #[must_use]
    pub const fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Holds this many bytes at most.
    #[must_use]
    pub const fn with_memory(mut self, memory: ByteSize) -> Self {
        self.memory = memory;
        self
    }

    /// Moves this many bytes a second at most.
    #[must_use]
    pub const fn with_bandwidth(mut self, bandwidth: ByteSize) -> Self {
        self.bandwidth = Some(bandwidth);
        self
    }

    /// Tries again like this.
    #[must_use]
    pub const fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Gives a connection up that has moved nothing for this long.
    #[must_use]
    pub const fn with_stall_timeout(mut self, stall_timeout: Duration) -> Self {
        self.stall_timeout = stall_timeout;
        self
    }

    /// Makes files durable like this.
    #[must_use]
    pub const fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}

/// What happens when something fails: exponential backoff with full jitter, for minutes rather than seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Retry {
    /// The longest first wait; doubled after each failure.
    pub initial_backoff: Duration,
    /// The longest wait.
    pub max_backoff: Duration,
    /// How long to keep trying one object.
    pub max_elapsed: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(20),
            max_elapsed: Duration::from_secs(300),
        }
    }
}

impl Retry {
    /// Never tries again.
    #[must_use]
    pub const fn never() -> Self {
        Self { initial_backoff: Duration::ZERO, max_backoff: Duration::ZERO, max_elapsed: Duration::ZERO }
    }

    /// Keeps trying one object for this long.
    #[must_use]
    pub const fn for_at_most(mut self, max_elapsed: Duration) -> Self {
        self.max_elapsed = max_elapsed;
        self
    }
}

/// Whether files are on disk before a stage counts as done: one `syncfs` per barrier on Linux, `fsync` of files and
/// directories elsewhere. Object stores are durable when a write returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Durability {
    /// On disk.
    #[default]
    Durable,
    /// Left to the operating system: after power loss files may be empty.
    Relaxed,
}
