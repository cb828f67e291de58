//! CRC-64/NVME over the bytes of objects, SHA-256 over our own segments.

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
        let mut hasher = Crc64Hasher::new();
        hasher.update(bytes);
        hasher.finish()
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

/// Takes a [`Crc64`] piece by piece.
#[derive(Debug)]
pub struct Crc64Hasher(CrcDigest);

impl Crc64Hasher {
    /// A checksum of nothing so far.
    #[must_use]
    pub fn new() -> Self {
        Self(CrcDigest::new(CrcAlgorithm::Crc64Nvme))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of everything added.
    #[must_use]
    pub fn finish(self) -> Crc64 {
        Crc64(self.0.finalize())
    }
}

impl Default for Crc64Hasher {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-256 in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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
}
