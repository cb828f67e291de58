//! [`Setting`]: an option of a store, as people give it. Nothing of one that cannot be read is repeated: it may be a secret.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde_json::{Map, Value};

use crate::{
    StoreOptions,
    cli::{failure::Failure, screen::Screen},
    naming::{Naming, visible},
};

/// `K=V`, as in `--source-option aws_endpoint=http://localhost:9000`.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
}

/// Far more than the options of a store take.
const LONGEST_FILE: u64 = 1 << 20;

/// The longest name is shorter by half.
const LONGEST_NAME: usize = 64;

impl Setting {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned() }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Setting").field(&self.name).finish()
    }
}

impl std::str::FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A key in base64 ends with `=`.
        let setting = text.split_once('=').filter(|(name, value)| is_name(name) && (value.is_empty() || *value != "="));
        setting.map(|(name, value)| Self::new(name, value)).ok_or("write NAME=VALUE")
    }
}

/// Whether it may be a name, and so be shown. A key may be letters and digits, but is longer than any word.
fn is_name(name: &str) -> bool {
    let plain = name.trim_start_matches("--");
    let fit = plain.len() <= LONGEST_NAME && plain.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    fit && !plain.is_empty() && plain.split(['_', '-']).all(|word| word.len() <= 16)
}

/// The options that a file holds: a line each as `NAME=VALUE`, or one JSON object.
pub(crate) fn read(path: &Path, flag: &str, screen: &Screen) -> Result<Vec<Setting>, Failure> {
    let refused = |reason: String| Failure::usage(format!("{flag} `{}`: {reason}", visible(path.to_string_lossy())));
    let file = File::open(path).and_then(|file| {
        let metadata = file.metadata()?;
        if metadata.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, metadata)) }
    });
    let (file, metadata) = file.map_err(|error| refused(format!("it cannot be read: {error}")))?;
    if is_open_to_others(&metadata) {
        let path = visible(path.to_string_lossy());
        screen.say(format_args!("warning: other users can read `{path}`: `chmod 600` keeps its secrets"));
    }
    let mut text = String::new();
    let read = file.take(LONGEST_FILE + 1).read_to_string(&mut text);
    read.map_err(|error| refused(format!("it cannot be read: {error}")))?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(refused("it is far too long".to_owned()));
    }
    settings(&text).map_err(refused)
}

#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.is_file() && metadata.mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

fn settings(text: &str) -> Result<Vec<Setting>, String> {
    if text.trim_start().starts_with('{') {
        // The parser's own words may quote the file.
        let values: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| format!("line {} is no JSON of one object", error.line()))?;
        if !values.keys().all(|name| is_name(name)) {
            return Err("a name in it is none of an option".to_owned());
        }
        let options = StoreOptions::read(&values, Naming::SnakeCase).map_err(|error| error.to_string())?;
        return Ok(options.iter().map(|(name, value)| Setting::new(name, value)).collect());
    }
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim_end_matches('\r')));
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    lines.map(|(number, line)| line.parse().map_err(|flaw| format!("line {number}: {flaw}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
        Ok(settings(text)?.into_iter().map(|Setting { name, value }| (name, value)).collect())
    }

    #[test]
    fn a_file_has_lines_or_json() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let lines = "# AWS\naws_region=eu-west-1\r\n\nAWS_SECRET_ACCESS_KEY=a=b #c\n";
        assert_eq!(pairs(lines), Ok(vec![pair("aws_region", "eu-west-1"), pair("AWS_SECRET_ACCESS_KEY", "a=b #c")]));
        let json = r#" { "aws_region": "eu-west-1", "aws_allow_http": true } "#;
        assert_eq!(pairs(json), Ok(vec![pair("aws_allow_http", "true"), pair("aws_region", "eu-west-1")]));
        assert_eq!(pairs(""), Ok(Vec::new()));
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        for text in [
            "aws_region=x\ns3cr3t",
            "=s3cr3t",
            "s3cr3t/s3cr3t+s3cr3t=",
            "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t==",
            "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t=x",
            "{ \"aws_secret_access_key\": s3cr3t }",
            "{ \"aws_secret_access_key\": [\"s3cr3t\"] }",
            "{ \"s3cr3t/s3cr3t\": \"x\" }",
            "{ \"aws_secret_access_key\": \"s3cr3t\"",
        ] {
            let flaw = pairs(text).expect_err(text);
            assert!(!flaw.contains("s3cr3t"), "{text}: {flaw}");
        }
        let setting = Setting::new("aws_secret_access_key", "s3cr3t");
        assert_eq!(format!("{setting:?}"), "Setting(\"aws_secret_access_key\")");
    }
}
