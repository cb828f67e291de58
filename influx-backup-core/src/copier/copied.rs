//! [`Copied`]: what a copier reports of a copy.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    certificate::CheckedBy,
    checksum::{Blake3, Content, Crc64, Ends},
    location::{Attributes, StoreChecksums, Version},
};

/// What a copier reports of a copy.
///
/// Made by [`Copied::read_through`] or [`Copied::unverified`]; a copier sets the other fields where it knows better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Copied {
    /// The content of the object, decoded where the source or the target encodes it.
    pub content: CopiedContent,
    /// The bytes as they are stored at the target; without a transform those of the content.
    pub stored: CopiedBytes,
    /// How the copy was compared with its source.
    pub checked_by: CheckedBy,
    /// Metadata that the source's store returned.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The copier: `local`, `stream`, `server-side`, or the name of a custom one.
    pub copier: Cow<'static, str>,
    /// The copier before it in the chain whose store refused the copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<Cow<'static, str>>,
    #[serde(skip)]
    pub(crate) said_by: SaidBy,
    /// The bytes themselves, where they were [wanted](super::request::Keep) and passed through in one piece.
    #[serde(skip)]
    pub(crate) bytes: Option<Bytes>,
}

/// Who says what is at the target. Either way the backup, or the target of a restore, is listed at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SaidBy {
    /// Only the copier: the executor asks the target's store.
    #[default]
    Copier,
    /// The store itself, in its answer to the write, which this crate has read.
    Store,
}

/// The content of a copied object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CopiedContent {
    /// Its length in bytes.
    pub size: u64,
    /// Its CRC-64/NVME, where its bytes were read or both stores give the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64: Option<Crc64>,
    /// Its BLAKE3, where that was wanted and its bytes were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) blake3: Option<Blake3>,
    /// Its first and last bytes, where they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
}

/// The bytes of a copy as they are stored at the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CopiedBytes {
    /// Their length.
    pub size: u64,
    /// Their checksums. The target's store has to give the same, where it gives one; the executor adds the others that
    /// the store computes.
    #[serde(default, skip_serializing_if = "StoreChecksums::is_empty")]
    pub checksums: StoreChecksums,
    /// The version of the target, where its store names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

impl Copied {
    /// A plain copy whose every byte was read by the copier, which computed `content` over them.
    #[must_use]
    pub fn read_through(size: u64, content: impl Into<Content>, copier: impl Into<Cow<'static, str>>) -> Self {
        let Content { crc64, blake3, ends } = content.into();
        let mut copied = Self::unverified(size, copier);
        copied.content.crc64 = Some(crc64);
        copied.content.blake3 = blake3;
        copied.content.ends = ends;
        copied.stored.checksums = StoreChecksums::of_crc64(crc64);
        copied.checked_by = CheckedBy::Content;
        copied
    }

    /// A plain copy of known size and unknown content.
    #[must_use]
    pub fn unverified(size: u64, copier: impl Into<Cow<'static, str>>) -> Self {
        Self {
            content: CopiedContent { size, crc64: None, blake3: None, ends: None },
            stored: CopiedBytes { size, checksums: StoreChecksums::default(), version: None },
            checked_by: CheckedBy::Size,
            attributes: Attributes::new(),
            copier: copier.into(),
            refused_by: None,
            said_by: SaidBy::Copier,
            bytes: None,
        }
    }

    /// Every checksum that is known of the bytes of a plain copy.
    pub(crate) fn all_checksums(&self) -> StoreChecksums {
        StoreChecksums::with_crc64(self.content.crc64, &self.stored.checksums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_data() {
        let mut copied = Copied::read_through(9, Crc64::of(b"123456789"), String::from("mine"));
        copied.content.ends = Some(Ends { head: *b"1234", tail: *b"23456789" });
        copied.refused_by = Some("server-side".into());
        let json = serde_json::to_string(&copied).expect("serializes");
        assert_eq!(serde_json::from_str::<Copied>(&json).expect("reads"), copied);
        let least = r#"{"content":{"size":9},"stored":{"size":9},"checked_by":"size","copier":"mine"}"#;
        assert_eq!(serde_json::from_str::<Copied>(least).expect("reads"), Copied::unverified(9, "mine"));
    }
}
