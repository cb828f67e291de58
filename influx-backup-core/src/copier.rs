//! [`Copier`]: moves one object, knows nothing of stages. The extension point.

mod chain;
mod copied;
mod local;
mod request;
#[cfg(feature = "cloud")]
#[cfg_attr(
    not(all(feature = "aws", feature = "azure", feature = "gcp")),
    allow(dead_code, unused_imports, reason = "the copies of one provider do not need all that those of another do")
)]
mod server_side;
mod stream;
mod version;
mod wait;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "cloud")]
pub use self::server_side::ServerSideCopier;
pub use self::{
    chain::{Copiers, default_copiers},
    copied::{Copied, CopiedBytes, CopiedContent},
    local::LocalCopier,
    request::{CopyRequest, Expect, Transfer, Transform},
    stream::StreamCopier,
};
use crate::{
    error::CopyError,
    limits::{Bandwidth, MemoryBudget},
};

/// Moves one object from one location to another.
///
/// The contract:
/// - The target is complete or untouched, also when the future is dropped or the process is killed.
/// - What is copied is the version in [`CopyRequest::source`], or [`CopyError::Changed`] is said.
/// - An object that is gone is [`CopyError::Vanished`].
/// - [`CopyError::Unsupported`] and [`CopyError::Refused`] pass the request to the next copier in the chain; nothing was
///   touched then.
/// - It stops soon after [`CopyContext::cancellation`] says so, asks [`CopyContext::memory`] before it holds bytes and
///   [`CopyContext::bandwidth`] before it moves them, and tells [`CopyContext::progress`] what it moved.
///
/// Its answer is no evidence: the executor looks at the target.
#[async_trait]
pub trait Copier: fmt::Debug + Send + Sync {
    /// Copies one object.
    ///
    /// # Errors
    /// [`CopyError`]; see the contract above.
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError>;
}

/// What a copier is given besides the request.
#[derive(Clone)]
#[non_exhaustive]
pub struct CopyContext {
    /// Cancelled when the run is to stop.
    pub cancellation: CancellationToken,
    /// Told of every piece of bytes moved.
    pub progress: Arc<dyn Fn(u64) + Send + Sync>,
    /// Asked before bytes are moved; shared by all workers.
    pub bandwidth: Bandwidth,
    /// Asked before bytes are held; shared by all workers.
    pub memory: MemoryBudget,
    /// How long a connection may move nothing before it counts as stalled.
    pub stall_timeout: Duration,
}

impl Default for CopyContext {
    /// No limits, nobody listening.
    fn default() -> Self {
        Self {
            cancellation: CancellationToken::new(),
            progress: Arc::new(|_| {}),
            bandwidth: Bandwidth::unlimited(),
            memory: MemoryBudget::default(),
            stall_timeout: Duration::from_secs(60),
        }
    }
}

impl fmt::Debug for CopyContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyContext")
            .field("bandwidth", &self.bandwidth)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}
