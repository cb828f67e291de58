//! [`StoreOptions`]: endpoints, credentials and the like, by name.

#[cfg(feature = "cloud")]
pub(super) mod account;
#[cfg(feature = "cloud")]
mod address;
pub(super) mod file;
#[cfg(feature = "cloud")]
pub(super) mod kind;
mod known;
pub(super) mod plain;
#[cfg(feature = "cloud")]
pub(super) mod wait;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use crate::{
    error::{Error, Result},
    naming::Naming,
};

/// Options of a location by name, under the names that InfluxDB's users know (`AWS_ENDPOINT`, `--aws-endpoint`,
/// `azure_storage_account`, `--object-store-tls-ca`, …) or object_store's.
///
/// Belongs to one location, so that a source and a target may be different accounts.
///
/// Values may be secret. So serde reads these options, as a map of names to texts, numbers or booleans, and never writes
/// them: there is no `Serialize`. `Debug` shows the names alone.
///
/// What is [given](StoreOptions::with) has to be an option of the location's provider. What comes
/// [from the environment](StoreOptions::from_env) is only a default: it is there for other programs too, so names that the
/// provider does not know are ignored, and credentials in it count only where none are given. An option given as
/// empty takes its default away.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    given: BTreeMap<String, String>,
    environment: BTreeMap<String, Variable>,
    /// How errors name them.
    naming: Naming,
}

/// A variable of the environment, by the name that it has there.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
}

impl StoreOptions {
    /// Options as another language has them: texts, numbers and booleans under names that are written like this. `null` gives
    /// none. Errors of [`Location::parse`](crate::Location::parse) name unknown ones in the same way.
    ///
    /// In camelCase a number that stands for a duration is in milliseconds, and a name that is written in another way is
    /// unknown.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for another value, [`Error::UnknownOption`] for a name that is not written like this.
    pub fn read(values: &Map<String, Value>, naming: Naming) -> Result<Self> {
        let mut options = Self { naming, ..Self::default() };
        for (name, value) in values {
            if !naming.is_used_by(name) {
                let similar = known::close_to_any(&plain(name)).iter().map(|option| naming.write(option)).collect();
                return Err(Error::UnknownOption { option: name.clone(), scope: "a store".to_owned(), similar });
            }
            let option = naming.read(name);
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Number(millis) if naming == Naming::CamelCase && known::is_duration(&option) => {
                    format!("{millis}ms")
                }
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(Error::invalid_option(name, "expected a text, a number or a boolean"));
                }
            };
            options = options.with(option, text);
        }
        Ok(options)
    }

    /// The options that the environment holds (`AWS_…`, `AZURE_…`, `GOOGLE_…`, `INFLUXDB3_…`, `OBJECT_STORE_…`), as
    /// defaults. Nothing else in this crate reads the environment.
    #[must_use]
    pub fn from_env() -> Self {
        Self::of_environment(std::env::vars_os().filter_map(|(name, value)| {
            // A name that is not UTF-8 is not an option. Such a value is refused where it counts, by the characters that take
            // its place.
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        }))
    }

    pub(super) fn of_environment(variables: impl Iterator<Item = (String, String)>) -> Self {
        const PREFIXES: [&str; 5] = ["AWS_", "AZURE_", "GOOGLE_", "INFLUXDB3_", "OBJECT_STORE_"];
        let known = |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let variables = variables.filter(|(name, value)| known(name) && !value.is_empty());
        let environment = variables.map(|(name, value)| (plain(&name), Variable { name, value })).collect();
        Self { environment, ..Self::default() }
    }

    /// The same options with one more. Names are compared without regard to case, `-` or `_`, and a leading `--`.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.given.insert(plain(name.as_ref()), value.into());
        self
    }

    /// These options, and `defaults` for those that are missing: `given.or(&StoreOptions::from_env())`.
    #[must_use]
    pub fn or(mut self, defaults: &Self) -> Self {
        add(&mut self.given, &defaults.given);
        add(&mut self.environment, &defaults.environment);
        self
    }

    /// The value of an option.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let name = plain(name);
        let value = self.given.get(&name).or_else(|| Some(&self.environment.get(&name)?.value));
        value.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Names and values, sorted by name, those given over those of the environment. Values may be secret.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.environment.keys().chain(self.given.keys()).collect::<std::collections::BTreeSet<_>>();
        names.into_iter().filter_map(|name| Some((name.as_str(), self.get(name)?)))
    }

    /// The error for an option that `scope` does not know.
    pub(super) fn unknown(&self, option: &str, scope: &str, similar: &[String]) -> Error {
        let similar = similar.iter().map(|option| self.naming.write(option)).collect();
        Error::UnknownOption { option: self.naming.write(option), scope: scope.to_owned(), similar }
    }

    /// Names and values that were given, sorted by name.
    pub(super) fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The variables of the environment by the names of options, sorted by name.
    #[cfg(feature = "cloud")]
    pub(super) fn environment(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.environment.iter().map(|(name, variable)| (name.as_str(), variable))
    }
}

/// Adds what is missing.
fn add<V: Clone>(to: &mut BTreeMap<String, V>, from: &BTreeMap<String, V>) {
    for (name, value) in from {
        to.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// `--aws-endpoint`, `AWS_ENDPOINT` and `aws_endpoint` are one name, as are `INFLUXDB3_OBJECT_STORE_TLS_CA` and the
/// older `OBJECT_STORE_TLS_CA`.
fn plain(name: &str) -> String {
    let plain = name.trim_start_matches("--").replace('-', "_").to_ascii_lowercase();
    match plain.strip_prefix("influxdb3_") {
        Some(rest) if rest.starts_with("object_store_") => rest.to_owned(),
        _ => plain,
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for StoreOptions {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        pairs.into_iter().fold(Self::default(), |options, (name, value)| options.with(name, value))
    }
}

impl<'de> Deserialize<'de> for StoreOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Map::deserialize(deserializer)?, Naming::SnakeCase).map_err(D::Error::custom)
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> StoreOptions {
        StoreOptions::of_environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn one_name_however_it_is_written() {
        let options = StoreOptions::default().with("--aws-secret-access-key", "s3cr3t");
        assert_eq!(options.get("AWS_SECRET_ACCESS_KEY"), Some("s3cr3t"));
        assert!(!format!("{options:?}").contains("s3cr3t"));
        let options = environment(&[("INFLUXDB3_OBJECT_STORE_TLS_CA", "/ca"), ("OBJECT_STORE_MAX_RETRIES", "3")]);
        assert_eq!(options.get("--object-store-tls-ca"), Some("/ca"));
        assert_eq!(options.get("INFLUXDB3_OBJECT_STORE_MAX_RETRIES"), Some("3"));
    }

    #[test]
    fn the_environment_is_a_default() {
        let environment = environment(&[("AWS_REGION", "a"), ("AWS_ENDPOINT", "e"), ("PATH", "/bin"), ("AWS_X", "")]);
        let options = StoreOptions::default().with("aws_region", "b").with("aws-endpoint", "").or(&environment);
        assert_eq!(options.get("AWS_REGION"), Some("b"));
        assert_eq!(options.get("AWS_ENDPOINT"), None, "given as empty");
        assert_eq!(options.iter().collect::<Vec<_>>(), [("aws_region", "b")]);
        assert_eq!(environment.clone().with("aws_region", "b").get("aws_region"), Some("b"), "in either order");
    }

    #[test]
    fn they_are_read_by_names_in_camel_case() {
        let read = |values: Value| StoreOptions::read(values.as_object().expect("an object"), Naming::CamelCase);
        let values = json!({
            "awsRegion": "eu-west-1",
            "awsAllowHttp": true,
            "awsS3Express": null,
            "objectStoreMaxRetries": 3,
            "objectStoreRequestTimeout": 1500,
            "awsConnectTimeout": "2s",
        });
        let expected = [
            ("aws_allow_http", "true"),
            ("aws_connect_timeout", "2s"),
            ("aws_region", "eu-west-1"),
            ("object_store_max_retries", "3"),
            ("object_store_request_timeout", "1500ms"),
        ];
        assert_eq!(read(values).expect("options").iter().collect::<Vec<_>>(), expected);
        for name in ["aws_region", "AWS_REGION", "--aws-region", "AwsRegion"] {
            let error = read(json!({ name: "s3cr3t" })).expect_err("another naming").to_string();
            let expected = format!("`{name}` is not an option of a store: did you mean `awsRegion`");
            assert!(error.starts_with(&expected), "{error}");
        }
        let error = read(json!({ "awsRegion": ["s3cr3t"] })).expect_err("a list").to_string();
        let expected = "the value of option `awsRegion` cannot be used: expected a text, a number or a boolean";
        assert_eq!(error, expected);
    }

    #[test]
    fn an_unknown_one_is_named_as_it_was_given() {
        let values = json!({ "awsReigon": "x" });
        let values = values.as_object().expect("an object");
        let options = StoreOptions::read(values, Naming::CamelCase).expect("a name").or(&StoreOptions::default());
        let error = crate::Location::parse("/tmp", &options).expect_err("no options").to_string();
        assert_eq!(error, "`awsReigon` is not an option of files");
        let error = options.unknown("aws_reigon", "S3", &["aws_region".to_owned()]).report();
        assert_eq!(error.message, "`awsReigon` is not an option of S3: did you mean `awsRegion`?");
        assert_eq!(error.clone().with_naming(Naming::CamelCase), error);
    }

    #[test]
    fn they_are_read_and_never_shown() {
        let json = r#"{ "AWS_SECRET_ACCESS_KEY": "s3cr3t", "aws-allow-http": true, "object_store_max_retries": 3 }"#;
        let options: StoreOptions = serde_json::from_str(json).expect("a map");
        let expected = StoreOptions::default()
            .with("aws_secret_access_key", "s3cr3t")
            .with("aws_allow_http", "true")
            .with("object_store_max_retries", "3");
        assert_eq!(options, expected);
        assert!(!format!("{options:?}").contains("s3cr3t"));
        assert_eq!(serde_json::from_str::<StoreOptions>("{}").expect("none"), StoreOptions::default());
        let error =
            serde_json::from_str::<StoreOptions>(r#"{ "aws_secret_access_key": ["s3cr3t"] }"#).expect_err("a list");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }
}
