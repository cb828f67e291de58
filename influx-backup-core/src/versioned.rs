//! Documents with a format version: which of them this release can read.
//!
//! A document says in which format it was written and which format a reader has to know, `min_reader`. A release that
//! adds something that older ones may ignore raises its format alone; one that adds what they would misread, such as an
//! encoding, raises `min_reader` as well. Older formats are always read.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    certificate::Certificate,
    error::{Error, ErrorReport, Result},
};

/// What every document begins with, in every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub(crate) struct FormatVersion {
    /// The format that it was written in.
    pub(crate) format: u64,
    /// The oldest format whose readers understand it.
    pub(crate) min_reader: u64,
}

/// The version as it is written: without `min_reader`, only readers of the format itself are known to understand it.
#[derive(Deserialize)]
struct Written {
    format: u64,
    min_reader: Option<u64>,
}

impl From<Written> for FormatVersion {
    fn from(Written { format, min_reader }: Written) -> Self {
        Self { format, min_reader: min_reader.unwrap_or(format) }
    }
}

impl FormatVersion {
    /// Refuses a document that needs a newer reader than one of format `supported`.
    ///
    /// # Errors
    /// [`Error::UnsupportedFormat`].
    pub(crate) fn require(self, object: &str, supported: u64) -> Result<()> {
        if self.min_reader > supported {
            let reason =
                format!("requires a reader of format {}, this release reads up to {supported}", self.min_reader);
            return Err(Error::UnsupportedFormat { object: object.to_owned(), reason });
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
    let version: FormatVersion = parse_json(bytes, object)?;
    version.require(object, supported)?;
    parse_json(bytes, object)
}

/// Parses JSON whose version is known to be supported: a variant that this release does not know still
/// comes from a newer one.
///
/// # Errors
/// As for [`parse`].
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8], object: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        if is_unknown_variant(&error) {
            let reason = format!("contains a value that this release does not know ({error})");
            Error::UnsupportedFormat { object: object.to_owned(), reason }
        } else {
            Error::damaged(object, error.to_string())
        }
    })
}

/// Writes a document for the caller to keep.
///
/// # Errors
/// [`Error::Internal`].
pub(crate) fn to_json(document: &impl Serialize) -> Result<String> {
    serde_json::to_string(document).map_err(|source| Error::Internal { task: "write JSON", source: Box::new(source) })
}

/// Reads a document that a caller kept, whose version is known to be supported.
///
/// # Errors
/// [`Error::UnsupportedFormat`] where it holds a value that this release does not know, [`Error::InvalidDocument`] where
/// it is no such document.
pub(crate) fn from_json<T: DeserializeOwned>(json: &str, document: &'static str) -> Result<T> {
    parse_json(json.as_bytes(), document).map_err(|error| match error {
        Error::DamagedBackup { reason, .. } => Error::InvalidDocument { document, reason },
        error => error,
    })
}

/// Gives a certificate or a report its JSON form.
macro_rules! document {
    ($name:ty, $what:literal) => {
        impl $name {
            /// Writes it as JSON, without loss.
            ///
            /// # Errors
            /// [`Error::Internal`](crate::Error::Internal).
            pub fn to_json(&self) -> $crate::error::Result<String> {
                $crate::versioned::to_json(self)
            }

            /// Reads what [`to_json`](Self::to_json) wrote.
            ///
            /// # Errors
            /// [`Error::UnsupportedFormat`](crate::Error::UnsupportedFormat) where it holds a value that this release does
            /// not know, [`Error::InvalidDocument`](crate::Error::InvalidDocument) where it is something else.
            pub fn from_json(json: &str) -> $crate::error::Result<Self> {
                $crate::versioned::from_json(json, $what)
            }
        }
    };
}
pub(crate) use document;

document!(Certificate, "certificate");
document!(ErrorReport, "error report");

/// `serde_json` tells this kind of error only by its text, which comes from `serde::de::Error::unknown_variant`.
fn is_unknown_variant(error: &serde_json::Error) -> bool {
    error.is_data() && error.to_string().starts_with("unknown variant ")
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

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
        assert_eq!(code(r#"{"format":1,"encoding":7}"#), "damaged-backup");
        assert_eq!(code("{"), "damaged-backup");
    }

    #[test]
    fn without_a_reader_the_format_itself_counts() {
        assert_eq!(code(r#"{"format":3,"encoding":"plain"}"#), "read");
        assert_eq!(code(r#"{"format":4,"encoding":"plain"}"#), "unsupported-format");
    }

    #[test]
    fn what_is_not_known_is_named() {
        let message = |text: &str| parse::<Document>(text.as_bytes(), "x", 1).expect_err("newer").to_string();
        assert_eq!(
            message(r#"{"format":99,"min_reader":99}"#),
            "`x` needs a newer release: it requires a reader of format 99, this release reads up to 1"
        );
        let variant = message(r#"{"format":1,"min_reader":1,"encoding":"zstd"}"#);
        let expected =
            "`x` needs a newer release: it contains a value that this release does not know (unknown variant `zstd`";
        assert!(variant.starts_with(expected), "{variant}");
    }

    /// A valid document with one byte replaced and its end cut off.
    fn damaged(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
        (0..text.len(), any::<u8>(), 0..=text.len()).prop_map(move |(at, byte, end)| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = byte;
            bytes.truncate(end);
            bytes
        })
    }

    proptest! {
        #[test]
        fn whatever_lies_there_is_read_or_is_an_error(
            bytes in prop_oneof![
                vec(any::<u8>(), 0..200),
                damaged(r#"{"format":1,"min_reader":1,"encoding":"plain"}"#),
            ]
        ) {
            if let Err(error) = parse::<Document>(&bytes, "x", 1) {
                prop_assert!(["damaged-backup", "unsupported-format"].contains(&error.code()), "{}", error);
            }
            if let Err(error) = parse::<crate::Manifest>(&bytes, "x", 1) {
                prop_assert!(["damaged-backup", "unsupported-format"].contains(&error.code()), "{}", error);
            }
        }
    }
}
