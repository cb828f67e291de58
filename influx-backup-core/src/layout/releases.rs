//! [`ServerReleases`]: which server releases open a store.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A release of InfluxDB 3, such as 3.10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Release {
    /// The number before the point.
    pub major: u16,
    /// The number behind the point.
    pub minor: u16,
}

/// The server releases that open a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerReleases {
    /// The oldest that opens it.
    pub oldest: Release,
    /// The newest that opens it; `None`: all that are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Release>,
    /// The oldest that migrates it, so that releases after [`newest`](Self::newest) open it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrated_by: Option<Release>,
}

impl Release {
    pub(super) const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl ServerReleases {
    /// This release and all later ones.
    pub(super) const fn since(oldest: Release) -> Self {
        Self { oldest, newest: None, migrated_by: None }
    }

    /// These releases, of which those since `migrated_by` migrate it for later ones.
    pub(super) const fn until(oldest: Release, newest: Release, migrated_by: Release) -> Self {
        Self { oldest, newest: Some(newest), migrated_by: Some(migrated_by) }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for ServerReleases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(newest) = self.newest else { return write!(f, "{} or later", self.oldest) };
        write!(f, "{} to {newest}", self.oldest)?;
        match self.migrated_by {
            Some(first) => write!(
                f,
                "; open it once with {first} to {newest} before a later release, which would silently start empty on it"
            ),
            None => Ok(()),
        }
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let (major, minor) = numbers.ok_or_else(|| format!("invalid release `{text}`: expected e.g. 3.10"))?;
        Ok(Self { major, minor })
    }
}

impl Serialize for Release {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Generation;

    #[test]
    fn releases_read_as_they_are_written() {
        for generation in Generation::ALL.iter().copied() {
            let releases = generation.servers();
            let json = serde_json::to_string(&releases).expect("serializes");
            assert_eq!(serde_json::from_str::<ServerReleases>(&json).expect("reads back"), releases);
        }
        assert_eq!(serde_json::to_string(&Generation::V3.servers()).expect("serializes"), r#"{"oldest":"3.10"}"#);
        assert_eq!(Generation::V2.servers().to_string(), "3.4 or later");
        assert_eq!(
            Generation::V1.servers().to_string(),
            "3.0 to 3.9; open it once with 3.4 to 3.9 before a later release, which would silently start empty on it"
        );
        assert!(Release::new(3, 9) < Release::new(3, 10));
        assert!("3".parse::<Release>().is_err());
    }
}
