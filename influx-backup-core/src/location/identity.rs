//! Who keeps the objects of a location.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::named::named;

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// A local file system.
    File,
    /// AWS S3 or a store that speaks S3.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Gcs,
    /// Any other store, which the caller made.
    Other,
    /// Memory: tests only.
    Memory,
}

named!(Provider, "provider", {
    File => "file",
    S3 => "s3",
    Azure => "azure",
    Gcs => "gcs",
    Other => "other",
    Memory => "memory",
});

/// What tells one store from another, without any secret.
///
/// Before 3.10 InfluxDB binds a license to exactly this (and to the cluster id).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Identity {
    /// A directory, links resolved as far as it exists.
    File {
        /// Its absolute path.
        path: String,
    },
    /// An S3 bucket.
    S3 {
        /// The endpoint, empty for AWS.
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// The region.
        region: String,
    },
    /// An Azure container.
    Azure {
        /// The storage account.
        account: String,
        /// The container.
        container: String,
    },
    /// A Google bucket.
    Gcs {
        /// The base URL, empty for Google's own.
        base_url: String,
        /// The bucket.
        bucket: String,
    },
    /// A store of another kind, which the caller made: see [`Location::with_store`](super::Location::with_store).
    Other {
        /// The URL of its root, without a `/` at the end and without credentials.
        url: String,
    },
    /// Memory, in tests: no release build has it.
    #[cfg(any(test, feature = "testing"))]
    Test,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |text: &str, own: &str| if text.is_empty() { own.to_owned() } else { text.to_owned() };
        match self {
            Self::File { path } => write!(f, "directory {path}"),
            Self::S3 { endpoint, bucket, region } => {
                write!(f, "S3 bucket {bucket} at {}", name(endpoint, "AWS"))?;
                if region.is_empty() { Ok(()) } else { write!(f, " in {region}") }
            }
            Self::Azure { account, container } => write!(f, "Azure container {container} of account {account}"),
            Self::Gcs { base_url, bucket } => write!(f, "Google bucket {bucket} at {}", name(base_url, "Google")),
            Self::Other { url } => write!(f, "store {url}"),
            #[cfg(any(test, feature = "testing"))]
            Self::Test => f.write_str("memory"),
        }
    }
}

impl Identity {
    /// The kind of the store.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::File { .. } => Provider::File,
            Self::S3 { .. } => Provider::S3,
            Self::Azure { .. } => Provider::Azure,
            Self::Gcs { .. } => Provider::Gcs,
            Self::Other { .. } => Provider::Other,
            #[cfg(any(test, feature = "testing"))]
            Self::Test => Provider::Memory,
        }
    }

    /// Whether both name one bucket, container or file system.
    ///
    /// Names of buckets are global at AWS and at Google, so there the bucket alone counts. Elsewhere the host of the
    /// endpoint counts too, and neither its spelling nor the region does. One server under two host names is not
    /// recognized.
    #[must_use]
    pub fn same_store(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { .. }, Self::File { .. }) => true,
            (Self::S3 { endpoint, bucket, .. }, Self::S3 { endpoint: other_endpoint, bucket: other_bucket, .. }) => {
                let of_aws = ["amazonaws.com", "amazonaws.com.cn"];
                bucket == other_bucket && service(endpoint, &of_aws) == service(other_endpoint, &of_aws)
            }
            (Self::Gcs { base_url, bucket }, Self::Gcs { base_url: other_base_url, bucket: other_bucket }) => {
                let of_google = ["googleapis.com"];
                bucket == other_bucket && service(base_url, &of_google) == service(other_base_url, &of_google)
            }
            _ => self == other,
        }
    }

    pub(super) fn child(&self, tail: &str) -> Self {
        match self {
            Self::File { path } => Self::File { path: format!("{}/{tail}", path.trim_end_matches('/')) },
            other => other.clone(),
        }
    }

    pub(super) fn parent(&self) -> Self {
        match self {
            Self::File { path } => {
                let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                Self::File { path: if parent.is_empty() { "/" } else { parent }.to_owned() }
            }
            other => other.clone(),
        }
    }

    /// Writes the URL of `base` in this store, which [`Location::parse`](super::Location::parse) reads.
    pub(super) fn write_url(&self, base: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path } => return write!(f, "file://{}", escaped(path)),
            Self::S3 { bucket, .. } => write!(f, "s3://{bucket}")?,
            Self::Azure { container, .. } => write!(f, "az://{container}")?,
            Self::Gcs { bucket, .. } => write!(f, "gs://{bucket}")?,
            Self::Other { url } => f.write_str(url)?,
            #[cfg(any(test, feature = "testing"))]
            Self::Test => f.write_str("memory://test")?,
        }
        if base.is_empty() { Ok(()) } else { write!(f, "/{}", escaped(base)) }
    }
}

/// The host and port of an endpoint; empty for a provider's own service, under any of its names.
fn service(endpoint: &str, own_domains: &[&str]) -> String {
    let Ok(url) = url::Url::parse(endpoint) else { return endpoint.trim_end_matches('/').to_owned() };
    let host = url.host_str().unwrap_or_default();
    let is_own = |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if own_domains.iter().any(is_own) {
        return String::new();
    }
    format!("{host}:{}{}", url.port_or_known_default().unwrap_or_default(), url.path().trim_end_matches('/'))
}

/// A path as it stands in a URL, encoded no more than is needed to read it back.
fn escaped(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_in_plain_words() {
        assert_eq!(s3("", "b", "eu-west-1").to_string(), "S3 bucket b at AWS in eu-west-1");
        assert_eq!(s3("http://localhost:9000", "b", "").to_string(), "S3 bucket b at http://localhost:9000");
        assert_eq!(Identity::File { path: "/data".to_owned() }.to_string(), "directory /data");
        let azure = Identity::Azure { account: "a".to_owned(), container: "c".to_owned() };
        assert_eq!(azure.to_string(), "Azure container c of account a");
        let gcs = Identity::Gcs { base_url: String::new(), bucket: "b".to_owned() };
        assert_eq!(gcs.to_string(), "Google bucket b at Google");
        let other = Identity::Other { url: "http://dav/files".to_owned() };
        assert_eq!((other.to_string(), other.provider()), ("store http://dav/files".to_owned(), Provider::Other));
    }

    #[test]
    fn a_store_of_the_caller_s_is_shown_by_its_url() {
        let store = std::sync::Arc::new(object_store::memory::InMemory::new());
        let identity = Identity::Other { url: "http://dav/files".to_owned() };
        let location = crate::Location::with_store(store, "a/b".into(), identity);
        assert_eq!(location.to_string(), "http://dav/files/a/b");
        assert!(location.contains(&location.child("c").expect("a key")));
    }

    fn s3(endpoint: &str, bucket: &str, region: &str) -> Identity {
        Identity::S3 { endpoint: endpoint.to_owned(), bucket: bucket.to_owned(), region: region.to_owned() }
    }

    #[test]
    fn one_bucket_has_many_names() {
        let aws = s3("", "b", "us-east-1");
        for same in
            ["", "https://s3.eu-central-1.amazonaws.com", "https://s3.amazonaws.com/", "https://b.s3.amazonaws.com"]
        {
            assert!(aws.same_store(&s3(same, "b", "eu-central-1")), "{same}");
        }
        assert!(!aws.same_store(&s3("", "c", "us-east-1")));
        assert!(!aws.same_store(&s3("https://notamazonaws.com", "b", "us-east-1")));
        let minio = s3("http://minio:9000", "b", "us-east-1");
        assert!(minio.same_store(&s3("http://MINIO:9000/", "b", "eu-west-1")));
        assert!(s3("https://s3.example.com", "b", "").same_store(&s3("https://s3.example.com:443", "b", "")));
        assert!(!minio.same_store(&s3("http://minio:9001", "b", "us-east-1")));
        assert!(!minio.same_store(&aws));
        let gcs = |base_url: &str| Identity::Gcs { base_url: base_url.to_owned(), bucket: "b".to_owned() };
        assert!(gcs("").same_store(&gcs("https://storage.googleapis.com")));
        assert!(!gcs("").same_store(&gcs("http://127.0.0.1:4443")));
    }
}
