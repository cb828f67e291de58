//! [`Copier`]: moves one object, and knows nothing of stages. The extension point.

mod chain;
mod clean_up;
mod copied;
mod local;
mod request;
#[cfg(feature = "cloud")]
#[cfg_attr(
    not(all(feature = "aws", feature = "azure", feature = "gcp")),
    allow(dead_code, unused_imports, reason = "the copies of one provider do not need all that those of another do")
)]
mod server_side;
mod source_file;
mod stream;
mod version;
mod wait;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

#[cfg(feature = "cloud")]
pub use self::server_side::ServerSideCopier;
pub use self::{
    chain::{Copiers, default_copiers},
    clean_up::CleanUps,
    copied::{Copied, CopiedBytes, CopiedContent},
    local::LocalCopier,
    request::{CopyRequest, Expect, Transfer, Transform},
    stream::StreamCopier,
};
pub(crate) use self::{copied::SaidBy, request::Keep};
use crate::{
    cancellation::Cancellation,
    error::CopyError,
    limits::{Bandwidth, MemoryBudget},
    options::ContentDigest,
};

/// Moves one object from one location to another. The extension point of a backup and a restore.
///
/// # The contract
///
/// - The target is complete or untouched, also when the future is dropped or the process is killed. What cannot be undone in
///   `Drop` is removed through [`CopyContext::clean_ups`].
/// - The version in [`CopyRequest::source`] is copied. Another version is [`CopyError::Changed`], a missing object
///   [`CopyError::Vanished`].
/// - [`CopyRequest::check_lease`] is called directly before each request that changes the target, unless it is made through
///   [`Location`](crate::Location).
/// - Content that [differs from what is expected](CopyRequest::check_content) is [`CopyError::Unexpected`].
/// - What the copier cannot do, a [`Transform`] or a [`Transfer`] that it does not know among it, is
///   [`CopyError::Unsupported`]; where its store refuses, [`CopyError::Refused`]. Both pass the request to the next copier of
///   the chain, and the target is untouched then.
/// - It ends soon after [`CopyContext::cancellation`] was cancelled, asks [`CopyContext::memory`] before it holds bytes and
///   [`CopyContext::bandwidth`] before it moves them, and reports to [`CopyContext::progress`] what it has moved.
///
/// A copier retries nothing: the executor does, where [`CopyError::is_retryable`] says that it may help. The executor also
/// drops a copy where one of the stores has answered nothing at all for [`CopyContext::stall_timeout`]. Its answer is no
/// evidence: the executor asks the target's store about the copy, unless a copier of this crate has read what the store answered
/// to the write, and the target is listed at the end.
///
/// With the feature `testing`, `testing::copier_conformance` holds a copier against this contract.
///
/// # Example
///
/// A copier that lets another one do the work, and counts:
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// use async_trait::async_trait;
/// use influx_backup_core::{Copier, copier::{Copied, CopyContext, CopyRequest}, default_copiers, error::CopyError};
///
/// #[derive(Debug)]
/// struct Counting {
///     inner: Arc<dyn Copier>,
///     objects: AtomicU64,
/// }
///
/// #[async_trait]
/// impl Copier for Counting {
///     async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
///         let copied = self.inner.copy(request, context).await?;
///         self.objects.fetch_add(1, Ordering::Relaxed);
///         Ok(copied)
///     }
/// }
///
/// # use influx_backup_core::{Key, Location, StoreOptions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
/// # let from = Location::parse(&path("from"), &StoreOptions::default())?;
/// # let to = Location::parse(&path("to"), &StoreOptions::default())?;
/// let copier = Counting { inner: default_copiers(), objects: AtomicU64::new(0) };
/// let key = Key::parse("n1/wal/00000000001.wal")?;
/// # from.put(&key, "bytes".into()).await?;
/// let source = from.head(&key).await?.expect("it was written");
/// let request = CopyRequest::new(from, source, to.clone());
/// let copied = copier.copy(&request, &CopyContext::default()).await?;
/// assert_eq!((copied.content.size, &*copied.copier), (5, "local"));
/// assert_eq!(copier.objects.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
///
/// A copier that moves the bytes itself reports them by [`Copied::read_through`], which takes the checksum of a
/// [`ContentHasher`](crate::checksum::ContentHasher).
#[async_trait]
pub trait Copier: fmt::Debug + Send + Sync {
    /// Copies one object.
    ///
    /// # Errors
    /// [`CopyError`]; see the contract above.
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError>;
}

/// What copies of a store by itself are called in errors.
pub(crate) const COPY_IN_STORE: &str = "copy in the store";

/// What a copier may use besides the request: limits that all copies share, and the ways to report and to be stopped.
#[derive(Clone)]
#[non_exhaustive]
pub struct CopyContext {
    /// Asks the copy to stop.
    pub cancellation: Cancellation,
    /// Called with the number of bytes of each piece that was moved.
    pub progress: Arc<dyn Fn(u64) + Send + Sync>,
    /// Is asked before bytes are moved. Shared by all copies.
    pub bandwidth: Bandwidth,
    /// Is asked before bytes are held. Shared by all copies.
    pub memory: MemoryBudget,
    /// How long a connection may transfer nothing before it counts as stalled.
    pub stall_timeout: Duration,
    /// Where a copier removes what a failed or dropped copy has left at the target.
    pub clean_ups: CleanUps,
    /// The digest that is taken of bytes that pass through, besides their CRC-64/NVME.
    pub(crate) digest: ContentDigest,
}

impl Default for CopyContext {
    /// No limits but that of the memory, and no one who listens.
    fn default() -> Self {
        Self {
            cancellation: Cancellation::new(),
            progress: Arc::new(|_| {}),
            bandwidth: Bandwidth::unlimited(),
            memory: MemoryBudget::default(),
            stall_timeout: Duration::from_secs(60),
            clean_ups: CleanUps::default(),
            digest: ContentDigest::None,
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
