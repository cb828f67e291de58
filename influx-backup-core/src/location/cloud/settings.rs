//! Which options concern a provider, and which value of several counts.

use object_store::ClientConfigKey;

use super::super::{Provider, StoreOptions};
use crate::error::Result;

/// What an option's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name<K> {
    /// One of the object_store crate's.
    Store(K),
    /// The HTTP client's, for all providers.
    Http(ClientConfigKey),
    /// One of InfluxDB's, for all providers: `object_store_` and this.
    Shared(Shared),
    /// The path of InfluxDB's JSON file with credentials.
    CredentialsFile,
    /// Of no effect here.
    Nothing,
}

/// InfluxDB's options for all providers (`influxdb3_clap_blocks/src/object_store.rs`, 3.10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    ConnectionLimit,
    Http2Only,
    Http2MaxFrameSize,
    RequestTimeout,
    MaxRetries,
    RetryTimeout,
    /// This program's own.
    SingleWriter,
    TlsAllowInsecure,
    TlsCa,
}

/// The names of one provider.
pub(super) struct Names<K> {
    /// As a person reads it.
    pub(super) provider: &'static str,
    pub(super) kind: Provider,
    /// What a name stands for.
    pub(super) read: fn(&str) -> Option<Name<K>>,
    /// Whether it is part of a credential: those of the environment count only where none is given.
    pub(super) is_credential: fn(&Name<K>) -> bool,
}

/// The settings that count: one value per name.
pub(super) type Settings<K> = Vec<(Name<K>, String)>;

impl<K: Copy + PartialEq> Names<K> {
    /// Reads options.
    pub(super) fn settings(&self, options: &StoreOptions) -> Result<Settings<K>> {
        let read = |name: &str| self.shared(name).or_else(|| (self.read)(name));
        let mut given = Vec::new();
        for (name, value) in options.given() {
            let unknown = || options.unknown(name, self.provider, &StoreOptions::close_to(name, self.kind));
            given.push((read(name).ok_or_else(unknown)?, value));
        }
        let credential_given = given.iter().any(|(name, value)| !value.is_empty() && (self.is_credential)(name));
        let environment = options.environment().filter_map(|(name, value)| Some((read(name)?, value)));
        let environment = environment.filter(|(name, _)| !(credential_given && (self.is_credential)(name)));
        let mut settings = Settings::new();
        for (name, value) in environment.chain(given) {
            settings.retain(|(other, _)| *other != name);
            settings.push((name, value.to_owned()));
        }
        settings.retain(|(_, value)| !value.is_empty());
        Ok(settings)
    }

    fn shared(&self, name: &str) -> Option<Name<K>> {
        let shared = match name.strip_prefix("object_store_")? {
            "connection_limit" => Shared::ConnectionLimit,
            "http2_only" => Shared::Http2Only,
            "http2_max_frame_size" => Shared::Http2MaxFrameSize,
            "request_timeout" => Shared::RequestTimeout,
            "max_retries" => Shared::MaxRetries,
            "retry_timeout" => Shared::RetryTimeout,
            "single_writer" => Shared::SingleWriter,
            "tls_allow_insecure" => Shared::TlsAllowInsecure,
            "tls_ca" => Shared::TlsCa,
            _ => return None,
        };
        Some(Name::Shared(shared))
    }
}

/// The value of one of the object_store crate's names.
pub(super) fn value<K: Copy + PartialEq>(settings: &Settings<K>, key: K) -> Option<&str> {
    settings.iter().find(|(name, _)| *name == Name::Store(key)).map(|(_, value)| value.as_str())
}
