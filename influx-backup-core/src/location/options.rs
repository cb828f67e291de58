//! [`Options`]: endpoints, credentials and the like, by name.

use std::{collections::BTreeMap, fmt};

/// Options of a location by name, under the names that InfluxDB's users know (`AWS_ENDPOINT`, `--aws-endpoint`,
/// `azure_storage_account`, …) or object_store's.
///
/// Belongs to one location, so that a source and a target may be different accounts. Values may be secret: neither
/// `Debug` nor serde ever shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options {
    values: BTreeMap<String, String>,
}

impl Options {
    /// The options that the environment holds (`AWS_…`, `AZURE_…`, `GOOGLE_…`, `INFLUXDB3_…`). Nothing else in this
    /// crate reads the environment.
    #[must_use]
    pub fn from_env() -> Self {
        let known = |name: &str| ["AWS_", "AZURE_", "GOOGLE_", "INFLUXDB3_"].iter().any(|p| name.starts_with(p));
        std::env::vars().filter(|(name, value)| known(name) && !value.is_empty()).collect()
    }

    /// The same options with one more; names are told apart neither by case, nor by `-` and `_`, nor by a leading
    /// `--`.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.values.insert(plain(name.as_ref()), value.into());
        self
    }

    /// The value of an option.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&plain(name)).map(String::as_str)
    }

    /// Names and values, sorted by name. Values may be secret.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// `--aws-endpoint`, `AWS_ENDPOINT` and `aws_endpoint` are one name.
fn plain(name: &str) -> String {
    name.trim_start_matches("--").replace('-', "_").to_ascii_lowercase()
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Options {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        pairs.into_iter().fold(Self::default(), |options, (name, value)| options.with(name, value))
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_however_it_is_written() {
        let options = Options::default().with("--aws-secret-access-key", "s3cr3t");
        assert_eq!(options.get("AWS_SECRET_ACCESS_KEY"), Some("s3cr3t"));
        assert!(!format!("{options:?}").contains("s3cr3t"));
    }
}
