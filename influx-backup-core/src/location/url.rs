//! From text to [`Location`].

use std::{path::PathBuf, sync::Arc};

use object_store::{local::LocalFileSystem, path::Path};

#[cfg(feature = "cloud")]
use super::cloud;
use super::{Budgets, Inner, Links, Location, StoreOptions, identity::Identity, local, patience::PATIENCE};
use crate::error::{Error, Result};

pub(super) fn parse(text: &str, options: &StoreOptions) -> Result<Location> {
    match text.split_once(':') {
        Some(("memory" | "mem", _)) => Err(Error::MemoryLocation),
        Some(("file", rest)) => {
            let path = rest.strip_prefix("//").ok_or_else(|| invalid(text, "write file:///path"))?;
            if !path.starts_with('/') {
                return Err(invalid(text, "the path of a file URL is absolute: write file:///path"));
            }
            let decoded = url::Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
            file(text, decoded.unwrap_or_else(|| PathBuf::from(path)), options)
        }
        Some((scheme, rest)) if rest.starts_with("//") => cloud(text, scheme, options),
        _ if text.is_empty() => Err(invalid(text, "it is empty")),
        _ => file(text, PathBuf::from(text), options),
    }
}

fn file(text: &str, path: PathBuf, options: &StoreOptions) -> Result<Location> {
    if let Some((option, _)) = options.given().find(|(_, value)| !value.is_empty()) {
        return Err(Error::UnknownOption { option: option.to_owned(), provider: "files".to_owned() });
    }
    let path = std::path::absolute(path).map_err(|error| invalid(text, &error.to_string()))?;
    let path = clean(&local::resolve(&path));
    let shown = path.to_str().ok_or_else(|| invalid(text, "it is not UTF-8"))?.to_owned();
    let base = Path::parse(shown.trim_matches('/')).map_err(|_| invalid(text, "it has a control character"))?;
    let identity = Identity::File { path: shown };
    Ok(Location(Arc::new(Inner {
        store: Arc::new(LocalFileSystem::new()),
        durable: Arc::new(LocalFileSystem::new().with_fsync(true)),
        base,
        shown: identity.url(""),
        identity,
        directory: Some(path),
        links: Links::Follow,
        options: options.clone(),
        #[cfg(feature = "cloud")]
        handle: None,
        budgets: Budgets::new(Arc::default()),
        patience: PATIENCE,
    })))
}

/// Takes `.` and `..` out of what does not exist yet.
fn clean(path: &std::path::Path) -> PathBuf {
    use std::path::Component;
    path.components().fold(PathBuf::new(), |mut clean, component| {
        match component {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
        clean
    })
}

fn cloud(text: &str, scheme: &str, options: &StoreOptions) -> Result<Location> {
    let url = url::Url::parse(text).map_err(|error| invalid(text, &error.to_string()))?;
    let bucket = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| invalid(text, "no bucket is named"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(&format!("{scheme}://{bucket}"), "credentials belong into options, not into the URL"));
    }
    let rest = text.splitn(4, '/').nth(3).unwrap_or("").trim_matches('/');
    let base = Path::parse(rest).map_err(|_| invalid(text, "its prefix has an empty, `.` or `..` segment"))?;
    #[cfg(feature = "cloud")]
    if let Some(opened) = cloud::open(scheme, bucket, options) {
        let cloud::Opened { store, identity, handle, throttle_counts } = opened?;
        return Ok(Location(Arc::new(Inner {
            durable: Arc::clone(&store),
            shown: identity.url(base.as_ref()),
            store,
            base,
            identity,
            directory: None,
            links: Links::Follow,
            options: options.clone(),
            handle: Some(handle),
            budgets: Budgets::new(throttle_counts),
            patience: PATIENCE,
        })));
    }
    #[cfg(not(feature = "cloud"))]
    let _ = (options, base);
    let reason = match scheme {
        "s3" | "s3a" => "this build has no support for it: build with the feature `aws`",
        "az" | "azure" | "abfs" | "abfss" => "this build has no support for it: build with the feature `azure`",
        "gs" => "this build has no support for it: build with the feature `gcp`",
        _ => "its scheme is none of file, s3, az, gs",
    };
    Err(invalid(text, reason))
}

fn invalid(location: &str, reason: &str) -> Error {
    Error::InvalidLocation { location: location.to_owned(), reason: reason.to_owned() }
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
    fn credentials_in_urls_are_refused_and_not_repeated() {
        let error = Location::parse("s3://key:secret@bucket/x", &StoreOptions::default()).expect_err("credentials");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn dots_are_taken_out() {
        assert_eq!(clean(std::path::Path::new("/a/./b/../c")), PathBuf::from("/a/c"));
    }
}
