//! [`CopyRequest`]: one object to move, with everything a copier has to know about it.

use serde::{Deserialize, Serialize};

use super::CopyContext;
use crate::{
    checksum::{Blake3, Content, ContentHasher, Crc64},
    error::CopyError,
    key::Key,
    location::{Attributes, Location, ObjectMeta, Sent},
    named::named,
    options::ContentDigest,
};

/// One object to move.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CopyRequest {
    /// The location that is read.
    pub from: Location,
    /// The object there: its key, its size as it is stored, and the version that is wanted.
    pub source: ObjectMeta,
    /// The location that is written.
    pub to: Location,
    /// The key of the copy.
    pub target: Key,
    /// The content of the object, whatever its encoding on either side.
    pub expect: Expect,
    /// What is done to the bytes on the way.
    pub transform: Transform,
    /// How the object may be moved.
    pub transfer: Transfer,
    /// Metadata for the copy; `None`: what the source's store returns.
    pub attributes: Option<Attributes>,
    pub(crate) keep: Keep,
}

impl CopyRequest {
    /// A request to copy an object as it is, under the same key, in any way.
    #[must_use]
    pub fn new(from: Location, source: ObjectMeta, to: Location) -> Self {
        Self {
            target: source.key.clone(),
            expect: Expect::size(source.size),
            from,
            source,
            to,
            transform: Transform::None,
            transfer: Transfer::Any,
            attributes: None,
            keep: Keep::Nothing,
        }
    }

    /// Gives the copy this key.
    #[must_use]
    pub fn with_target(mut self, target: Key) -> Self {
        self.target = target;
        self
    }

    /// Expects this content.
    #[must_use]
    pub fn with_expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Does this to the bytes on the way.
    #[must_use]
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// Moves the object only in this way.
    #[must_use]
    pub fn with_transfer(mut self, transfer: Transfer) -> Self {
        self.transfer = transfer;
        self
    }

    /// Gives the copy this metadata.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = Some(attributes);
        self
    }

    /// Keeps the bytes in the [report](super::Copied), where a copier of this crate reads them in one piece.
    pub(crate) fn with_keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Fails where the content that a copier has read is not what is [expected](Self::expect). To be called before the
    /// copy gets its key.
    ///
    /// # Errors
    /// [`CopyError::Unexpected`].
    pub fn check_content(&self, size: u64, crc64: Option<Crc64>) -> Result<(), CopyError> {
        let expect = &self.expect;
        let reason = match (expect.crc64, crc64) {
            _ if size != expect.size => format!("{size} bytes instead of {}", expect.size),
            (Some(expected), Some(found)) if expected != found => {
                format!("its CRC-64/NVME is {found} instead of {expected}")
            }
            _ => return Ok(()),
        };
        Err(CopyError::Unexpected { reason })
    }

    /// The same for content that a copier of this crate has read, with its digest.
    pub(super) fn check_read(&self, size: u64, content: &Content) -> Result<(), CopyError> {
        self.check_content(size, Some(content.crc64))?;
        match (self.expect.blake3, content.blake3) {
            (Some(expected), Some(found)) if expected != found => {
                Err(CopyError::Unexpected { reason: format!("its BLAKE3 is {found} instead of {expected}") })
            }
            _ => Ok(()),
        }
    }

    /// What takes the content of the object: with its digest where that is wanted, or there is one to compare with.
    pub(super) fn hasher(&self, context: &CopyContext) -> ContentHasher {
        let hasher = ContentHasher::new();
        let is_wanted = context.digest == ContentDigest::Blake3 || self.expect.blake3.is_some();
        if is_wanted { hasher.with_blake3() } else { hasher }
    }

    /// Fails where the run that this copy is a part of may no longer write to the target: another process may have taken
    /// over. To be called directly before each request that changes the target, most of all before the copy gets its key.
    /// (Writes through [`Location`] itself do so.) It asks no store.
    ///
    /// # Errors
    /// [`CopyError::Cancelled`].
    pub fn check_lease(&self) -> Result<(), CopyError> {
        // The run says why: its lease is lost.
        self.to.check_fence().map_err(|_| CopyError::Cancelled)
    }

    /// The same, for a request of this crate's that is sent now.
    pub(super) fn send(&self) -> Result<Sent, CopyError> {
        self.to.send().map_err(|_| CopyError::Cancelled)
    }

    /// Whether the content of a file is known beforehand, which tells more than its version: a mount may give a file that it has
    /// not stored yet another time at each opening.
    pub(super) fn is_told_by_content(&self) -> bool {
        self.expect.crc64.is_some() && self.from.directory().is_some()
    }

    /// The metadata of the copy, where the source's store returned `returned`.
    pub(super) fn attributes_for_target(&self, returned: &Attributes) -> Attributes {
        self.to.kept(self.attributes.as_ref().unwrap_or(returned))
    }
}

/// The content that a copy is expected to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Expect {
    /// Its length in bytes.
    pub size: u64,
    /// Its CRC-64/NVME, where it is known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64: Option<Crc64>,
    /// Its BLAKE3, where it is known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) blake3: Option<Blake3>,
}

impl Expect {
    /// Content of this length.
    #[must_use]
    pub const fn size(size: u64) -> Self {
        Self { size, crc64: None, blake3: None }
    }

    /// Content with this checksum, where there is one.
    #[must_use]
    pub fn with_crc64(mut self, crc64: Option<Crc64>) -> Self {
        self.crc64 = crc64;
        self
    }

    /// Content with this digest, where there is one.
    #[must_use]
    pub(crate) fn with_blake3(mut self, blake3: Option<Blake3>) -> Self {
        self.blake3 = blake3;
        self
    }
}

/// What is done to the bytes of an object on the way.
///
/// A copier that does not know a transform answers [`CopyError::Unsupported`](crate::error::CopyError::Unsupported).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transform {
    /// Nothing: the copy has the bytes of the source.
    #[default]
    None,
}

named!(Transform, "transform", {
    None => "none",
});

impl Transform {
    /// Whether the copy has the bytes of the source.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// What of the bytes that pass through is kept until they were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing.
    Nothing,
    /// All of them.
    Bytes,
}

/// How an object may be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transfer {
    /// In any way, also by the store itself.
    Any,
    /// Through this process, which reads every byte.
    ReadThrough,
}

named!(Transfer, "transfer", { Any => "any", ReadThrough => "read_through" });
