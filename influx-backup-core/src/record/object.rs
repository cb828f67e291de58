//! [`ObjectRecord`]: what the source had under a key, and what lies in the backup for it.

use serde::{Deserialize, Serialize};

use crate::{
    certificate::CheckedBy,
    checksum::{Blake3, Crc64},
    key::Key,
    location::{Attributes, StoreChecksums, Version},
    named::named,
};

/// One object of a backup.
///
/// [`content`](Self::content) describes the bytes of the source, [`stored`](Self::stored) those that lie in the repository.
/// Listings and checksums of the repository are compared with `stored`; what was read and decoded, with `content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObjectRecord {
    /// Its key in the source, and where it is restored to.
    pub key: Key,
    /// Its bytes as they were in the source.
    pub content: ContentRecord,
    /// The version of the source that was copied.
    pub version: Version,
    /// What the copy was compared by.
    pub checked_by: CheckedBy,
    /// Metadata that the source's store returned with it: content type, encoding, language and disposition, cache control,
    /// and the user's own as `x-meta-…`. A restore to an object store gives them to the object again, also where the
    /// backup lies in files. Not kept: storage class, tags, ACLs, encryption keys, object locks, other versions.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The bytes that lie in the repository.
    pub stored: Stored,
}

/// The bytes of an object as they were in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContentRecord {
    /// How many.
    pub size: u64,
    /// Their CRC-64/NVME, where they were read on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64: Option<Crc64>,
    /// Their BLAKE3, where they were read on the way and it was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<Blake3>,
}

/// The bytes that lie in the repository for an object: where, how they are encoded, and how to tell that they are unaltered.
///
/// [`Backup::read`](crate::Backup::read) finds, checks and decodes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stored {
    /// Where, relative to the repository; `None`: under the object's own key in its backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Key>,
    /// How they are encoded.
    #[serde(default, skip_serializing_if = "Encoding::is_plain")]
    pub encoding: Encoding,
    /// How many.
    pub size: u64,
    /// Checksums of them, so that no byte needs to be read where the store gives the same kind: CRC-32C at Google, MD5 at
    /// Azure and Google, CRC-64/NVME at S3. A plain object's CRC-64/NVME is that of its content, and is not repeated here.
    #[serde(default, skip_serializing_if = "StoreChecksums::is_empty")]
    pub checksums: StoreChecksums,
    /// Which version of the stored object it is, where its store told it when it was written. It holds as long as the
    /// backup is not moved to another store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// How the bytes of an object are encoded in a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// As they are in the source.
    #[default]
    Plain,
}

named!(Encoding, "encoding", {
    Plain => "plain",
});

impl ObjectRecord {
    /// An object whose bytes lie under its own key, as they are in the source.
    #[must_use]
    pub fn new(key: Key, version: Version, content: ContentRecord, checked_by: CheckedBy) -> Self {
        let stored = Stored::plain(content.size);
        Self { key, content, version, checked_by, attributes: Attributes::new(), stored }
    }

    /// Every checksum that is known of the stored bytes.
    #[must_use]
    pub fn stored_checksums(&self) -> StoreChecksums {
        let crc64 = self.content.crc64.filter(|_| self.stored.encoding.is_plain());
        StoreChecksums::with_crc64(crc64, &self.stored.checksums)
    }

    /// Every checksum that is known of the bytes in the source.
    #[must_use]
    pub fn content_checksums(&self) -> StoreChecksums {
        if self.stored.encoding.is_plain() {
            return self.stored_checksums();
        }
        StoreChecksums { crc64: self.content.crc64, ..StoreChecksums::default() }
    }

    /// The digest of the stored bytes, where it is known.
    pub(crate) fn stored_blake3(&self) -> Option<Blake3> {
        self.content.blake3.filter(|_| self.stored.encoding.is_plain())
    }

    /// Whether it has a checksum that bytes can be compared with in this build of the crate.
    pub(crate) fn is_comparable(&self) -> bool {
        let StoreChecksums { crc64, crc32c, md5 } = self.stored_checksums();
        crc64.is_some()
            || self.stored_blake3().is_some()
            || cfg!(feature = "cloud") && (crc32c.is_some() || md5.is_some())
    }

    /// Whether what it says of its content and of its stored bytes can both be true.
    pub(crate) fn is_consistent(&self) -> bool {
        !self.stored.encoding.is_plain() || self.stored.size == self.content.size
    }
}

impl ContentRecord {
    /// Bytes of which the length is known, and the checksum perhaps.
    #[must_use]
    pub const fn new(size: u64, crc64: Option<Crc64>) -> Self {
        Self { size, crc64, blake3: None }
    }

    /// Bytes with this digest, where it is known.
    #[must_use]
    pub fn with_blake3(mut self, blake3: Option<Blake3>) -> Self {
        self.blake3 = blake3;
        self
    }
}

impl Stored {
    /// This many bytes under the object's own key, as they are in the source.
    #[must_use]
    pub fn plain(size: u64) -> Self {
        Self { at: None, encoding: Encoding::Plain, size, checksums: StoreChecksums::default(), version: None }
    }

    /// Whether the bytes lie under the object's own key, as they are in the source.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.at.is_none() && self.encoding.is_plain()
    }
}

impl Encoding {
    /// Whether the bytes are as they are in the source.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As format 1 writes it.
    const WRITTEN: &str = r#"{"key":"n/wal/1.wal","content":{"size":9,"crc64":"ae8b14860a799888"},"version":{"modified":"2026-11-01T00:00:00Z"},"checked_by":"content","stored":{"size":9}}"#;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record: ObjectRecord = serde_json::from_str(WRITTEN).expect("a record");
        let known = StoreChecksums::of_crc64(Crc64::of(b"123456789"));
        assert_eq!((record.stored_checksums(), record.content_checksums()), (known.clone(), known));
        assert_eq!(serde_json::to_string(&record).expect("serializes"), WRITTEN, "nothing is added that is not known");
        let mut more = record;
        more.stored.checksums.crc32c = Some("4waSgw==".to_owned());
        let text = serde_json::to_string(&more).expect("serializes");
        assert!(text.contains(r#""stored":{"size":9,"checksums":{"crc32c":"4waSgw=="}}"#), "{text}");
        assert_eq!(serde_json::from_str::<ObjectRecord>(&text).expect("reads"), more);
        let both = StoreChecksums { crc64: more.content.crc64, ..more.stored.checksums.clone() };
        assert_eq!((more.stored_checksums(), more.content_checksums()), (both.clone(), both));
    }

    #[test]
    fn plain_bytes_are_as_many_as_in_the_source() {
        let mut record: ObjectRecord = serde_json::from_str(WRITTEN).expect("a record");
        assert!(record.is_consistent());
        record.stored.size = 8;
        assert!(!record.is_consistent());
    }
}
