//! Documents with a format version: which of them this release can read.
//!
//! A document says in which format it was written and which format a reader has to know, `min_reader`. A release that
//! adds something that older ones may ignore raises its format alone; one that adds what they would misread, such as an
//! encoding, raises `min_reader` as well. Older formats are always read.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// What every document begins with, in every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormatVersion {
    /// The format that it was written in.
    pub(crate) format: u64,
    /// The oldest format whose readers understand it.
    pub(crate) min_reader: u64,
}

impl FormatVersion {
    /// Refuses a document that needs a newer reader than one of format `supported`.
    ///
    /// # Errors
    /// [`Error::UnsupportedFormat`].
    pub(crate) fn require(self, object: &str, supported: u64) -> Result<()> {
        if self.min_reader > supported {
            return Err(Error::UnsupportedFormat { object: object.to_owned(), found: self.min_reader, supported });
        }
        Ok(())
    }
}

/// Parses a JSON document; its version is checked before the rest.
///
/// # Errors
/// [`Error::UnsupportedFormat`] where it needs a newer reader than one of format `supported`, [`Error::DamagedBackup`]
/// where it cannot be read.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], object: &str, supported: u64) -> Result<T> {
    let version: FormatVersion = parse_json(bytes, object, supported)?;
    version.require(object, supported)?;
    parse_json(bytes, object, supported)
}

/// Parses JSON whose version is known to be supported: a variant that this release does not know comes from a newer one
/// all the same.
///
/// # Errors
/// As for [`parse`].
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8], object: &str, supported: u64) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        if is_unknown_variant(&error) {
            Error::UnsupportedFormat { object: object.to_owned(), found: supported + 1, supported }
        } else {
            Error::damaged(object, error.to_string())
        }
    })
}

/// `serde_json` tells this kind of error only by its text, which comes from `serde::de::Error::unknown_variant`.
fn is_unknown_variant(error: &serde_json::Error) -> bool {
    error.is_data() && error.to_string().starts_with("unknown variant ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Document {
        encoding: Encoding,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Encoding {
        Plain,
    }

    fn code(text: &str) -> &'static str {
        match parse::<Document>(text.as_bytes(), "x", 3) {
            Ok(_) => "read",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn a_document_is_read_by_every_release_that_it_allows() {
        assert_eq!(code(r#"{"format":3,"min_reader":1,"encoding":"plain"}"#), "read");
        assert_eq!(code(r#"{"format":1,"min_reader":1,"encoding":"plain"}"#), "read", "an older one");
        let newer = r#"{"format":9,"min_reader":3,"encoding":"plain","more":1}"#;
        assert_eq!(code(newer), "read", "a newer one that says that it can be read");
        assert_eq!(code(r#"{"format":9,"min_reader":4,"encoding":"plain"}"#), "unsupported-format");
        assert_eq!(code(r#"{"format":9,"min_reader":4,"encoding":7}"#), "unsupported-format", "before the rest");
    }

    #[test]
    fn what_this_release_does_not_know_is_no_damage() {
        assert_eq!(code(r#"{"format":1,"min_reader":1,"encoding":"zstd"}"#), "unsupported-format");
        assert_eq!(code(r#"{"format":1,"min_reader":1,"encoding":7}"#), "damaged-backup");
        assert_eq!(code(r#"{"format":1,"encoding":"plain"}"#), "damaged-backup");
        assert_eq!(code("{"), "damaged-backup");
    }
}
