//! The object list in segments: JSON lines, compressed, each with its SHA-256 in the root manifest.

use serde::{Deserialize, Serialize};

use crate::key::Key;

/// One segment of the object list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRef {
    /// Its key in the backup.
    pub key: Key,
    /// SHA-256 of the stored bytes, in hex.
    pub sha256: String,
    /// How many records.
    pub records: u64,
}
