//! [`Copier`]: moves one object, knows nothing of stages. The extension point.

mod chain;
mod local;
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
    local::LocalCopier,
    stream::StreamCopier,
};
use crate::{
    certificate::CheckedBy,
    checksum::{Content, Crc64, Ends},
    error::CopyError,
    key::Key,
    limits::{Bandwidth, MemoryBudget},
    location::{Attributes, Location, ObjectMeta, StoreChecksums, Version},
    named::named,
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

/// One object to move.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CopyRequest {
    /// Where it is.
    pub from: Location,
    /// The object and the version of it that is wanted.
    pub source: ObjectMeta,
    /// Where it goes.
    pub to: Location,
    /// Under which key.
    pub key: Key,
    /// How it may be moved.
    pub transfer: Transfer,
    /// Metadata to give the target instead of what the source's store returns (restores: the manifest's).
    pub attributes: Option<Attributes>,
}

impl CopyRequest {
    /// A request for one object, under the same key.
    #[must_use]
    pub fn new(from: Location, source: ObjectMeta, to: Location, transfer: Transfer) -> Self {
        let key = source.key.clone();
        Self { from, source, to, key, transfer, attributes: None }
    }

    /// The metadata that the target is given, where the source's store returned this.
    fn attributes_for_target(&self, returned: &Attributes) -> Attributes {
        self.to.kept(self.attributes.as_ref().unwrap_or(returned))
    }
}

/// How an object may be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transfer {
    /// By whatever copier takes it, the store itself included.
    Any,
    /// Through this process, which reads every byte.
    ReadThrough,
}

named!(Transfer, "transfer", { Any => "any", ReadThrough => "read_through" });

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

/// What a copier says it did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// How many bytes the target has.
    pub size: u64,
    /// CRC-64/NVME of what was read, where the bytes passed through us; else the one that both stores give, if they do.
    pub crc64: Option<Crc64>,
    /// How the bytes begin and end, where they passed through us.
    pub ends: Option<Ends>,
    /// Checksums of what was copied: the target's store has to give the same, where it gives one. What else it gives is
    /// added when the target is looked at.
    pub checksums: StoreChecksums,
    /// What the copy's bytes were compared by.
    pub checked_by: CheckedBy,
    /// Metadata that the source's store returned.
    pub attributes: Attributes,
    /// The version of the target, where its store says.
    pub version: Option<Version>,
    /// Which copier it was: `local`, `stream`, `server-side`, or a name of the caller's.
    pub copier: &'static str,
    /// The copier that was asked before, and whose store said no.
    pub refused_by: Option<&'static str>,
}

impl Copied {
    /// A copy whose every byte passed through us.
    #[must_use]
    pub fn read_through(size: u64, content: impl Into<Content>, copier: &'static str) -> Self {
        let Content { crc64, ends } = content.into();
        let (crc64, checksums, checked_by) = (Some(crc64), StoreChecksums::of_crc64(crc64), CheckedBy::Content);
        Self { crc64, ends, checksums, checked_by, ..Self::unverified(size, copier) }
    }

    /// Every checksum that is known of the bytes that were copied.
    pub(crate) fn all_checksums(&self) -> StoreChecksums {
        StoreChecksums::with_crc64(self.crc64, &self.checksums)
    }

    /// A copy that only its size speaks for.
    #[must_use]
    pub fn unverified(size: u64, copier: &'static str) -> Self {
        let (checksums, checked_by, attributes) = (StoreChecksums::default(), CheckedBy::Size, Attributes::new());
        Self {
            size,
            crc64: None,
            ends: None,
            checksums,
            checked_by,
            attributes,
            version: None,
            copier,
            refused_by: None,
        }
    }
}
