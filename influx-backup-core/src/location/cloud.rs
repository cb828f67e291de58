//! Buckets and containers: from [`StoreOptions`] to clients of the object_store crate.

mod ambient;
#[cfg(feature = "azure")]
pub(crate) mod azure;
mod bounded;
mod client;
mod connector;
#[cfg(feature = "aws")]
mod credentials_file;
mod delete;
#[cfg(feature = "gcp")]
pub(crate) mod gcs;
mod issued;
mod machine;
mod odd_keys;
mod proxies;
mod redirects;
mod refusal;
#[cfg(feature = "aws")]
mod renewal;
pub(crate) mod requests;
#[cfg(feature = "aws")]
pub(crate) mod s3;
mod settings;
mod transport;
mod uploads;

use std::sync::Arc;

use object_store::{ObjectStore, list::PaginatedListStore};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

#[cfg(feature = "testing")]
pub(crate) use self::uploads::read_page;
use self::{
    client::Client,
    settings::{Setting, Settings},
};
pub(crate) use self::{connector::Answered, uploads::Upload};
use super::{StoreOptions, ThrottleCounts, Writers, identity::Identity};
use crate::{
    error::{Error, Result},
    retry::Patience,
};

/// A bucket or container that was opened.
pub(super) struct Opened {
    pub(super) store: Arc<dyn ObjectStore>,
    /// For listings page by page; `None`: their number at once is limited, and `store` counts them.
    pub(super) pages: Option<Arc<dyn PaginatedListStore>>,
    pub(super) identity: Identity,
    pub(super) handle: Handle,
    /// How often the store asked to slow down.
    pub(super) throttle_counts: Arc<ThrottleCounts>,
    /// How long an answer may take.
    pub(super) patience: Patience,
    pub(super) writers: Writers,
}

/// The client itself, for what [`ObjectStore`] cannot do: copies between buckets.
#[derive(Debug, Clone)]
pub(crate) enum Handle {
    #[cfg(feature = "aws")]
    S3(Arc<s3::S3>),
    #[cfg(feature = "azure")]
    Azure(Arc<azure::Azure>),
    #[cfg(feature = "gcp")]
    Gcs(Arc<gcs::Gcs>),
}

impl Handle {
    /// The object_store crate's client.
    pub(super) fn store(&self) -> &dyn ObjectStore {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => &s3.store,
            #[cfg(feature = "azure")]
            Self::Azure(azure) => &azure.store,
            #[cfg(feature = "gcp")]
            Self::Gcs(gcs) => &gcs.store,
        }
    }
}

/// Whether a bucket can be asked for something by requests that the object_store crate lacks or leaves to an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capability {
    /// It can.
    Possible,
    /// The requests lack a header or an address that an option asks for, or an option forbids them.
    No,
}

impl Capability {
    const fn unless(unfit: bool) -> Self {
        if unfit { Self::No } else { Self::Possible }
    }
}

/// Opens a bucket; `None`: this build does not know the scheme.
pub(super) fn open(scheme: &str, bucket: &str, options: &StoreOptions) -> Option<Result<Opened>> {
    match scheme {
        #[cfg(feature = "aws")]
        "s3" | "s3a" => Some(s3::open(bucket, options)),
        #[cfg(feature = "azure")]
        "az" | "azure" | "abfs" | "abfss" => Some(azure::open(bucket, options)),
        #[cfg(feature = "gcp")]
        "gs" => Some(gcs::open(bucket, options)),
        _ => None,
    }
}

/// What need not be encoded in a key.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A key as it stands in URLs and in `x-amz-copy-source`.
pub(crate) fn encoded(key: &str) -> String {
    utf8_percent_encode(key, KEY).to_string()
}

/// What the object_store crate reports about a configuration. Where its text holds a value of an option, that one is named and
/// the text not shown. What it is known to refuse was looked for before.
fn unusable<K>(provider: &str, settings: &Settings<K>, error: &object_store::Error) -> Error {
    let reason = match error {
        object_store::Error::Generic { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    let quoted = settings.iter().find(|setting| setting.value.len() > 4 && reason.contains(&setting.value));
    quoted.map_or_else(
        || Error::invalid_option(provider, reason.as_str()),
        |setting| setting.refused("it does not fit together with the other options"),
    )
}

/// Plain HTTP is an accident unless it was asked for.
fn check_scheme<K>(provider: &str, endpoint: Option<&Setting<K>>, client: &Client) -> Result<()> {
    match endpoint {
        Some(endpoint) if is_plain(&endpoint.value) && !client.allows_http() => {
            Err(endpoint.refused(plain_http(provider)))
        }
        _ => Ok(()),
    }
}

fn is_plain(endpoint: &str) -> bool {
    endpoint.starts_with("http://")
}

fn plain_http(provider: &str) -> String {
    format!("it is plain HTTP: write https, or set `{provider}_allow_http` to `true`")
}

#[cfg(test)]
mod tests;
