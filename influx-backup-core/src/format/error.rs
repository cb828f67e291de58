//! [`FormatError`]: why a file is not what its name says.

use serde::{Deserialize, Serialize};

use crate::{named::named, read_limits::TooLarge};

/// Why the bytes of a file are not what InfluxDB would read there.
///
/// Owns all it says, so that reports can keep it and pass it on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FormatError {
    /// The file has no bytes. Servers do not sync their files, so a power loss leaves such files behind.
    #[error("the file is empty")]
    Empty,
    /// Fewer bytes than any file of this kind has.
    #[error("the file has {length} bytes, at least {least} are needed")]
    #[non_exhaustive]
    TooShort {
        /// Bytes found.
        length: u64,
        /// Bytes that every file of this kind has.
        least: u64,
    },
    /// More bytes than any file of this kind has: it is not read.
    #[error("the file has {length} bytes, and no more than {most} of such a file are read")]
    #[non_exhaustive]
    TooLarge {
        /// Bytes found.
        length: u64,
        /// The most bytes that are read.
        most: u64,
    },
    /// The bytes that tell the kind of the file are others.
    #[error("the {end} of the file is `{found}`, which is not the mark of this kind of file")]
    #[non_exhaustive]
    BadMagic {
        /// At which end of the file.
        end: End,
        /// What stands there, unprintable bytes escaped.
        found: String,
    },
    /// The checksum stored in the file is not that of its bytes.
    #[error("the checksum does not match: {expected:08x} is stored, {found:08x} is that of the bytes")]
    #[non_exhaustive]
    BadChecksum {
        /// The CRC32 stored in the file.
        expected: u32,
        /// The CRC32 of the bytes.
        found: u32,
    },
    /// The file is longer or shorter than it says itself.
    #[error("the file has {found} bytes, its header says {expected}")]
    #[non_exhaustive]
    LengthMismatch {
        /// Bytes that its header announces.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The JSON does not parse, or lacks a field that a server needs.
    #[error("the JSON is not readable: {message}")]
    #[non_exhaustive]
    Json {
        /// What the parser says, with line and column.
        message: String,
    },
    /// A version of the format that is not known here.
    #[error("format version {found} is not known, only {known} is")]
    #[non_exhaustive]
    UnsupportedVersion {
        /// The version found.
        found: String,
        /// The version known.
        known: String,
    },
    /// A catalog log of 3.10 or later with a group index, which only roots have.
    #[error("the log announces an index of {groups} groups, which only a root has")]
    #[non_exhaustive]
    GroupsInLog {
        /// The number of groups.
        groups: u32,
    },
    /// A Parquet footer that does not fit into its file.
    #[error("the footer of {footer} bytes does not fit into the file of {length}")]
    #[non_exhaustive]
    FooterTooLong {
        /// Bytes of the footer, as the file says.
        footer: u64,
        /// Bytes of the file.
        length: u64,
    },
    /// A name that no server gives to a file of this kind.
    #[error("`{name}` is not the name of a file of this kind")]
    #[non_exhaustive]
    BadName {
        /// The last segment of the key.
        name: String,
    },
    /// The number in the name and the number in the file differ.
    #[error("the name says sequence {named}, the file {embedded}")]
    #[non_exhaustive]
    SequenceMismatch {
        /// The sequence that the name stands for.
        named: u64,
        /// The sequence in the file.
        embedded: u64,
    },
}

/// One end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The first bytes.
    Start,
    /// The last bytes.
    Tail,
}

named!(End, "end of a file", {
    Start => "start",
    Tail => "tail",
});

impl From<TooLarge> for FormatError {
    fn from(TooLarge { size, most }: TooLarge) -> Self {
        Self::TooLarge { length: size, most: most.0 }
    }
}

impl FormatError {
    pub(super) fn magic(end: End, found: &[u8]) -> Self {
        Self::BadMagic { end, found: found.escape_ascii().to_string() }
    }

    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::Json { message: error.to_string() }
    }
}

/// The first checks of every file: neither empty nor shorter than `least`.
pub(super) fn at_least(length: u64, least: u64) -> Result<(), FormatError> {
    match length {
        0 => Err(FormatError::Empty),
        length if length < least => Err(FormatError::TooShort { length, least }),
        _ => Ok(()),
    }
}

/// Compares the CRC32 (IEEE) of `bytes` with the stored one.
pub(super) fn checksum(expected: u32, bytes: &[u8]) -> Result<(), FormatError> {
    let found = crc32fast::hash(bytes);
    if found == expected { Ok(()) } else { Err(FormatError::BadChecksum { expected, found }) }
}

/// Compares the sequence that `name` stands for with the one in the file.
pub(super) fn same_sequence(name: &str, named: Option<u64>, embedded: u64) -> Result<(), FormatError> {
    match named {
        None => Err(FormatError::BadName { name: name.to_owned() }),
        Some(named) if named != embedded => Err(FormatError::SequenceMismatch { named, embedded }),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_shape_through_json() {
        let error = FormatError::BadMagic { end: End::Tail, found: "PAR2".to_owned() };
        let json = serde_json::to_value(&error).expect("serializes");
        assert_eq!(json, serde_json::json!({"kind": "bad_magic", "end": "tail", "found": "PAR2"}));
        assert_eq!(serde_json::from_value::<FormatError>(json).expect("reads back"), error);
    }

    #[test]
    fn unprintable_bytes_are_escaped() {
        let error = FormatError::magic(End::Start, b"\x00\x1b[1m");
        assert_eq!(
            error.to_string(),
            "the start of the file is `\\x00\\x1b[1m`, which is not the mark of this kind of file"
        );
    }
}
