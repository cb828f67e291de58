//! From text to [`Location`].

use std::{borrow::Cow, path::PathBuf, sync::Arc};

use object_store::path::Path;

use super::{
    Abilities, Inner, Known, LinkRule, Location, StoreOptions, bucket,
    files::Files,
    identity::Identity,
    local,
    options::{file::FileOptions, plain::plain},
    publish::Sync,
};
#[cfg(feature = "cloud")]
use super::{Budgets, Writers, cloud};
use crate::{
    error::{Error, Result},
    naming::visible,
};

pub(super) fn parse(text: &str, options: &StoreOptions) -> Result<Location> {
    match text.split_once(':') {
        Some(("memory" | "mem", _)) => Err(Error::MemoryLocation),
        Some(("file", rest)) => {
            let path = rest.strip_prefix("//").ok_or_else(|| invalid(text, "write file:///path"))?;
            if !path.starts_with('/') {
                return Err(invalid(text, "the path of a file URL is absolute: write file:///path"));
            }
            require_plain(text)?;
            if text.chars().any(char::is_control) {
                return Err(invalid(text, "it has a control character"));
            }
            let decoded = url::Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
            file(text, decoded.unwrap_or_else(|| PathBuf::from(path)), options)
        }
        Some((scheme, rest)) if rest.starts_with("//") => cloud(text, scheme, options),
        Some((scheme @ ("s3" | "az" | "gs"), _)) => Err(invalid(text, &format!("write {scheme}://BUCKET"))),
        _ if text == "~" || text.starts_with("~/") => {
            Err(invalid(text, "only shells know what `~` is: give the whole path"))
        }
        _ if text.is_empty() => Err(invalid(text, "it is empty")),
        _ => file(text, PathBuf::from(text), options),
    }
}

/// A URL has no query and no fragment: an option or a key with `?` would be lost silently.
fn require_plain(url: &str) -> Result<()> {
    if url.contains(['?', '#']) {
        let reason = "a URL of a location has no query and no fragment: encode `?` as `%3F` and `#` as `%23`";
        return Err(invalid(url, reason));
    }
    Ok(())
}

fn file(text: &str, path: PathBuf, options: &StoreOptions) -> Result<Location> {
    let FileOptions { links, made } = FileOptions::read(options)?;
    let path = std::path::absolute(path).map_err(|error| invalid(text, &error.to_string()))?;
    let path = clean(&local::resolve(&path));
    let shown = path.to_str().ok_or_else(|| invalid(text, "it is not UTF-8"))?.to_owned();
    let base = Path::parse(shown.trim_matches('/')).map_err(|_| invalid(text, "it has a control character"))?;
    let abilities = Known::new(Abilities::FILES);
    let store = Arc::new(Files::new(Sync::Relaxed, abilities.clone()));
    let inner = Inner::new(store, base, Identity::File { path: shown }, options.clone());
    let durable = Arc::new(Files::new(Sync::Durable, abilities.clone()));
    let links = LinkRule::new(links, Some(&path));
    Ok(Location(Arc::new(Inner { durable, directory: Some(path), links, made, abilities, ..inner })))
}

/// Resolves `.` and `..` in what does not exist yet.
fn clean(path: &std::path::Path) -> PathBuf {
    use std::path::Component;
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                // At the root there is nothing to remove.
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

fn cloud(text: &str, scheme: &str, options: &StoreOptions) -> Result<Location> {
    let unreadable = |error: url::ParseError| invalid(&format!("{scheme}://"), &error.to_string());
    let url = url::Url::parse(text).map_err(unreadable)?;
    let bucket = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| invalid(text, "no bucket is named"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(&format!("{scheme}://{bucket}"), "credentials belong into options, not into the URL"));
    }
    require_plain(text)?;
    plain(text).map_err(|flaw| invalid(text, flaw))?;
    if url.port().is_some() {
        return Err(invalid(text, "a bucket has no port: that of a server belongs into the option of its endpoint"));
    }
    bucket::check(scheme, bucket).map_err(|flaw| invalid(text, flaw))?;
    #[cfg(feature = "cloud")]
    if let Some(opened) = cloud::open(scheme, bucket, options) {
        let base = prefix(text)?;
        let cloud::Opened { store, pages, identity, handle, throttle_counts, patience, writers } = opened?;
        let inner = Inner::new(store, base, identity, options.clone());
        let budgets = Budgets::new(throttle_counts);
        let location = Location(Arc::new(Inner { handle: Some(handle), pages, budgets, patience, ..inner }));
        return Ok(match writers {
            Writers::Several => location,
            Writers::Single => location.for_single_writer(),
        });
    }
    #[cfg(not(feature = "cloud"))]
    let _ = options;
    let reason = match scheme {
        "s3" | "s3a" => "this build has no support for it: build with the feature `aws`",
        "az" | "azure" | "abfs" | "abfss" => "this build has no support for it: build with the feature `azure`",
        "gs" => "this build has no support for it: build with the feature `gcp`",
        _ => "its scheme is not one of file, s3, az, gs",
    };
    Err(invalid(text, reason))
}

/// The longest key that stores take, in bytes.
#[cfg(feature = "cloud")]
const LONGEST_PREFIX: usize = 1024;

/// What follows the bucket, percent-decoded. (A parsed URL has its `.` and `..` resolved, which no key may have.)
#[cfg(feature = "cloud")]
fn prefix(url: &str) -> Result<Path> {
    let encoded = url.splitn(4, '/').nth(3).unwrap_or("").trim_matches('/');
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8();
    let decoded = decoded.map_err(|_| invalid(url, "its prefix is not UTF-8"))?;
    if decoded.len() > LONGEST_PREFIX {
        let begin: String = url.chars().take(80).collect();
        return Err(invalid(&format!("{begin}\u{2026}"), "its prefix is longer than a key may be"));
    }
    Path::parse(&decoded)
        .map_err(|_| invalid(url, "its prefix has an empty, `.` or `..` segment, or a control character"))
}

fn invalid(location: &str, reason: &str) -> Error {
    Error::InvalidLocation { location: visible(without_secrets(location)), reason: reason.to_owned() }
}

/// The text without what may be a credential: what stands before an `@` in a URL, and what follows a `?` or a `#`.
pub(crate) fn without_secrets(location: &str) -> Cow<'_, str> {
    let is_url = location.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//"));
    let plain = location.split(['?', '#']).next().filter(|_| is_url).unwrap_or(location);
    match plain.split_once(':').and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}:\u{2026}@{rest}").into(),
        None => plain.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_file_urls_are_one() {
        let path = Location::parse("/tmp/a b", &StoreOptions::default()).expect("a path");
        let url = Location::parse("file:///tmp/a%20b", &StoreOptions::default()).expect("a file URL");
        assert_eq!(path.directory(), url.directory());
        assert_eq!(path.to_string(), "file:///tmp/a b");
    }

    #[test]
    fn what_is_no_location_is_said() {
        let code = |text: &str| Location::parse(text, &StoreOptions::default()).expect_err(text).code();
        assert_eq!(code(""), "invalid-location");
        assert_eq!(code("ftp://host/x"), "invalid-location");
        assert_eq!(code("file://host/x"), "invalid-location");
        assert_eq!(code("memory://"), "memory-location");
        assert_eq!(code("s3://"), "invalid-location");
    }

    #[test]
    fn what_is_nearly_a_location_names_what_to_write() {
        for (text, expected) in [
            ("s3:/vault/nightly", "`s3:/vault/nightly` is not a location: write s3://BUCKET"),
            ("gs:vault", "`gs:vault` is not a location: write gs://BUCKET"),
            ("~/backups", "`~/backups` is not a location: only shells know what `~` is: give the whole path"),
            ("a\0\u{1b}[1m", "`a\\u{0}\\u{1b}[1m` is not a location: it has a control character"),
        ] {
            let error = Location::parse(text, &StoreOptions::default()).expect_err(text);
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_query_or_a_fragment_is_refused_and_not_repeated() {
        for url in ["file:///tmp/a?b=s3cr3t", "file:///tmp/a#s3cr3t", "s3://bucket/p?x=s3cr3t", "gs://bucket/p#s3cr3t"]
        {
            let error = Location::parse(url, &StoreOptions::default()).expect_err(url);
            assert_eq!(error.code(), "invalid-location", "{url}");
            assert!(error.to_string().contains("%3F") && !error.to_string().contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for name in ["a b", "100%25", "a?b", "a#b", "ü"] {
            let location =
                Location::parse("/tmp", &StoreOptions::default()).expect("a path").child(name).expect("a child");
            let again = Location::parse(&location.to_string(), &StoreOptions::default()).expect(name);
            assert_eq!(again.directory(), location.directory(), "{location}");
        }
    }

    #[test]
    fn credentials_in_urls_are_refused_and_not_repeated() {
        let error = Location::parse("s3://key:secret@bucket/x", &StoreOptions::default()).expect_err("credentials");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_url_is_read_as_it_is_written_or_not_at_all() {
        let long = format!("s3://bucket/{}", "a".repeat(2000));
        for (text, reason) in [
            ("s3://buc\nket", "it has a line break or another control character"),
            ("s3://bucket/x\n", "it ends with a line break"),
            ("file:///tmp/x\ny", "it has a control character"),
            ("gs://bucket ", "it has white space at an end"),
            ("s3://bucket:9000/x", "a bucket has no port"),
            ("az://Nightly", "the name of a container"),
            (&long, "its prefix is longer than a key may be"),
        ] {
            let error = Location::parse(text, &StoreOptions::default()).expect_err(text);
            assert_eq!(error.code(), "invalid-location", "{text}");
            assert!(error.to_string().contains(reason), "{error}");
        }
        for text in ["s3:/key:s3cr3t@bucket", "file://key:s3cr3t@host/x", "s3://key:s3cr3t@bucket\n", "s3://:s3cr3t@"] {
            let error = Location::parse(text, &StoreOptions::default()).expect_err(text).to_string();
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn dots_are_taken_out() {
        assert_eq!(clean(std::path::Path::new("/a/./b/../c")), PathBuf::from("/a/c"));
    }
}
