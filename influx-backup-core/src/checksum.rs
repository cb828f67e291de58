//! CRC-64/NVME and BLAKE3 over the bytes of objects, SHA-256 over the segments of a manifest.

use std::{fmt, str::FromStr};

use crc_fast::{CrcAlgorithm, Digest as CrcDigest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A CRC-64/NVME: what S3 keeps as `x-amz-checksum-crc64nvme`. Sixteen hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crc64(pub u64);

impl Crc64 {
    /// The checksum of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = ContentHasher::new();
        hasher.update(bytes);
        hasher.finish().crc64
    }

    /// Reads what S3 writes: eight bytes, the highest first, in base64.
    #[cfg(feature = "cloud")]
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        use base64::{Engine, prelude::BASE64_STANDARD};
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        Some(Self(u64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl fmt::Display for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc64({self})")
    }
}

impl FromStr for Crc64 {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for Crc64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Crc64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A BLAKE3: unlike a CRC, no forger makes other bytes with the same one. 64 hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Blake3([u8; 32]);

impl Blake3 {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).into())
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Blake3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Blake3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blake3({self})")
    }
}

impl Serialize for Blake3 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Blake3 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = from_hex(&String::deserialize(deserializer)?).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("not a BLAKE3 of 64 hexadecimal digits"))
    }
}

/// What is kept of bytes that were read: their checksum, and how they begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Content {
    /// The checksum.
    pub crc64: Crc64,
    /// Their digest, where it was taken.
    pub blake3: Option<Blake3>,
    /// How they begin and end, where that is known: what a Parquet file is recognized by.
    pub ends: Option<Ends>,
}

impl From<Crc64> for Content {
    fn from(crc64: Crc64) -> Self {
        Self { crc64, blake3: None, ends: None }
    }
}

/// The first four and the last eight bytes; of shorter content what there is, the rest zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ends {
    /// The first bytes.
    pub head: [u8; 4],
    /// The last bytes.
    pub tail: [u8; 8],
}

/// Takes the [`Content`] of bytes piece by piece.
#[derive(Debug)]
pub struct ContentHasher {
    crc: CrcDigest,
    blake3: Option<Box<blake3::Hasher>>,
    length: usize,
    ends: Ends,
}

impl ContentHasher {
    /// Nothing so far.
    #[must_use]
    pub fn new() -> Self {
        Self { crc: CrcDigest::new(CrcAlgorithm::Crc64Nvme), blake3: None, length: 0, ends: Ends::default() }
    }

    /// The same, which takes the BLAKE3 too.
    #[must_use]
    pub fn with_blake3(mut self) -> Self {
        self.blake3 = Some(Box::default());
        self
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        if let Some(blake3) = &mut self.blake3 {
            blake3.update(bytes);
        }
        let Ends { head, tail } = &mut self.ends;
        if let Some(rest) = head.get_mut(self.length..) {
            let first = rest.len().min(bytes.len());
            rest[..first].copy_from_slice(&bytes[..first]);
        }
        let last = &bytes[bytes.len().saturating_sub(tail.len())..];
        tail.rotate_left(last.len());
        let kept = tail.len() - last.len();
        tail[kept..].copy_from_slice(last);
        self.length += bytes.len();
    }

    /// What was added.
    #[must_use]
    pub fn finish(self) -> Content {
        let blake3 = self.blake3.map(|blake3| Blake3(blake3.finalize().into()));
        Content { crc64: Crc64(self.crc.finalize()), blake3, ends: Some(self.ends) }
    }
}

impl Default for ContentHasher {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-256 in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The inverse of [`to_hex`], of either case; `None` for anything else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

/// SHA-256 of what is written to it.
#[derive(Debug, Default)]
pub(crate) struct HashWriter(Sha256);

impl HashWriter {
    /// The hash, in hex.
    pub(crate) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        // CRC RevEng catalogue, CRC-64/NVME: check = 0xae8b14860a799888 over "123456789".
        assert_eq!(Crc64::of(b"123456789").to_string(), "ae8b14860a799888");
        assert_eq!("ae8b14860a799888".parse(), Ok(Crc64(0xae8b_1486_0a79_9888)));
    }

    #[test]
    fn the_digest_is_blake3() {
        // The test vectors of the reference implementation: input_len 0 and 1.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        let zero = "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213";
        assert_eq!((Blake3::of(b"").to_string(), Blake3::of(&[0]).to_string()), (empty.to_owned(), zero.to_owned()));
        let mut hasher = ContentHasher::new().with_blake3();
        hasher.update(&[0]);
        assert_eq!(hasher.finish().blake3, Some(Blake3::of(&[0])));
        assert_eq!(ContentHasher::new().finish().blake3, None);
        let json = serde_json::to_string(&Blake3::of(&[0])).expect("serializes");
        assert_eq!(serde_json::from_str::<Blake3>(&json).expect("reads"), Blake3::of(&[0]));
        assert!(serde_json::from_str::<Blake3>("\"2d3a\"").is_err());
    }

    #[test]
    fn hexadecimal_is_read_as_it_is_written() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(to_hex(&bytes[..18]), "000102030405060708090a0b0c0d0e0f1011");
        assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
        assert_eq!(from_hex("0F"), Some(vec![15]));
        for bad in ["0", "0g", "+1", "\u{e9}"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_ends_are_kept_however_the_bytes_come() {
        let bytes: Vec<u8> = (0..100).collect();
        for piece in [1, 3, 7, 8, 9, 50, 100] {
            let mut hasher = ContentHasher::new();
            bytes.chunks(piece).for_each(|chunk| hasher.update(chunk));
            let content = hasher.finish();
            assert_eq!(content.crc64, Crc64::of(&bytes), "{piece}");
            let ends = content.ends.expect("seen");
            assert_eq!((&ends.head[..], &ends.tail[..]), (&bytes[..4], &bytes[92..]), "{piece}");
        }
    }
}
