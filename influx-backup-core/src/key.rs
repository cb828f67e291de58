//! [`Key`]: the name of one object, relative to its location.

use std::{borrow::Borrow, fmt, sync::Arc};

use object_store::path::Path;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::table::{Keyed, Packer, Row, Unpacker};

/// The name of one object, relative to its location: segments joined by `/`, byte for byte as the store has it.
///
/// A key never climbs out of its location: empty, `.` and `..` segments, a leading or trailing `/` and control
/// characters are refused, also when a key is read back from a manifest.
///
/// ```
/// use influx_backup_core::Key;
///
/// let key = Key::parse("node1/wal/00000000001.wal")?;
/// assert_eq!(key.name(), "00000000001.wal");
/// assert!(Key::parse("../etc/passwd").is_err());
/// # Ok::<(), influx_backup_core::key::InvalidKey>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// No path is longer, nor a key in any store. A far longer one makes no URL, which the object_store crate expects of each.
const LONGEST: usize = 4096;

/// A name that climbs out of its location or that no store can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` cannot be the key of an object: {reason}")]
#[non_exhaustive]
pub struct InvalidKey {
    /// The name, escaped.
    pub key: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Key {
    /// Parses a key from text.
    ///
    /// # Errors
    /// [`InvalidKey`] where the name has an empty, `.` or `..` segment or a control character, or is longer
    /// than 4096 bytes.
    pub fn parse(text: impl AsRef<str>) -> Result<Self, InvalidKey> {
        let text = text.as_ref();
        if text.len() > LONGEST {
            let begin: String = text.chars().take(80).collect();
            let key = format!("{}\u{2026}", begin.escape_default());
            return Err(InvalidKey { key, reason: "it is longer than any path or key" });
        }
        let reason = text.split('/').find_map(|segment| match segment {
            "" => Some("it has an empty segment"),
            "." | ".." => Some("it has a `.` or `..` segment"),
            _ if segment.chars().any(|c| c.is_ascii_control()) => Some("it has a control character"),
            _ => None,
        });
        match reason {
            Some(reason) => Err(InvalidKey { key: text.escape_default().to_string(), reason }),
            None => Ok(Self(Arc::from(text))),
        }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The rest of the key below `prefix`, or `None` where it does not lie below it.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Option<&str> {
        self.0.strip_prefix(prefix)?.strip_prefix('/')
    }

    /// The key `tail` below this one.
    ///
    /// # Errors
    /// [`InvalidKey`] as for [`Key::parse`].
    pub fn join(&self, tail: &str) -> Result<Self, InvalidKey> {
        Self::parse(format!("{}/{tail}", self.0))
    }

    /// A key that this process has parsed before.
    pub(crate) fn known(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The key as a path of the object_store crate, not encoded again.
    pub(crate) fn to_path(&self) -> Path {
        path_of(&self.0)
    }

    /// A path of the object_store crate as a key.
    pub(crate) fn from_path(path: &Path) -> Result<Self, InvalidKey> {
        Self::parse(path.as_ref())
    }
}

/// The path of this name. A name that no path can be is encoded: it must never become the root of its store.
fn path_of(name: &str) -> Path {
    Path::parse(name).unwrap_or_else(|_| Path::from(name))
}

impl Keyed for Key {
    fn key(&self) -> &str {
        &self.0
    }
}

impl Row for Key {
    type Before = ();

    fn pack(&self, (): &mut (), _: &mut Packer) {}

    fn unpack(key: &str, (): &mut (), _: &mut Unpacker<'_>) -> Self {
        Self::known(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_climb_out_are_refused() {
        let long = "a".repeat(4097);
        for bad in ["", &long, "/", "/a", "a/", "a//b", "a/../b", "..", ".", "a/./b", "a\nb", "a\u{7f}"] {
            let error = Key::parse(bad).expect_err(bad);
            assert_eq!(crate::error::Error::from(error).code(), "invalid-key", "{bad:?}");
        }
        assert!(serde_json::from_str::<Key>("\"../x\"").is_err());
    }

    #[test]
    fn odd_names_are_kept_byte_for_byte() {
        for name in ["a b", "ü", "100%25", "a?b#c", "~", "a\\b"] {
            let key = Key::parse(name).expect(name);
            assert_eq!(key.to_path().as_ref(), name);
        }
    }

    #[test]
    fn no_name_becomes_the_root() {
        for name in ["..", "a\nb", "a/../b", "."] {
            assert!(path_of(name).parts().count() > 0, "{name:?}");
        }
    }

    #[test]
    fn below_cuts_whole_segments() {
        let key = Key::parse("node1/wal/1").expect("valid");
        assert_eq!(key.below("node1"), Some("wal/1"));
        assert_eq!(key.below("node"), None);
        assert_eq!(key.below("node1/wal/1"), None);
    }
}
