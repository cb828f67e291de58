//! Which options concern a provider, and which value of several counts.

use object_store::ClientConfigKey;

use super::super::{Provider, StoreOptions, options::kind::Kind};
use crate::error::{Error, Result, from_origin};

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

/// An option that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting<K> {
    pub(super) name: Name<K>,
    /// As the libraries read it.
    pub(super) value: String,
    /// The name that it was given by.
    option: String,
    /// The variable of the environment that it is from.
    variable: Option<String>,
}

impl<K: AsRef<str>> Setting<K> {
    /// Its value, where nothing may repeat it.
    pub(super) fn secret(&self) -> Option<String> {
        self.name.kind().is_secret().then(|| self.value.clone())
    }
}

impl<K> Setting<K> {
    /// The error for its value.
    pub(super) fn refused(&self, reason: impl Into<String>) -> Error {
        Error::InvalidOption { option: self.option.clone(), origin: self.origin(), reason: reason.into() }
    }

    /// The error for an option that is not there, without which this one is of no use.
    pub(super) fn needs(&self, missing: &str) -> Error {
        let origin = from_origin(self.origin().as_deref());
        Error::invalid_option(missing, format!("it is missing, and `{}`{origin} needs it", self.option))
    }

    fn origin(&self) -> Option<String> {
        self.variable.as_ref().map(|variable| format!("the environment variable {variable}"))
    }
}

/// The settings that count: one value per name.
pub(super) type Settings<K> = Vec<Setting<K>>;

impl<K: Copy + PartialEq + AsRef<str>> Names<K> {
    /// Reads options, and checks the values of those that count.
    pub(super) fn settings(&self, options: &StoreOptions) -> Result<Settings<K>> {
        let read = |name: &str| shared(name).map(Name::Shared).or_else(|| (self.read)(name));
        let mut given = Vec::new();
        for (option, value) in options.given() {
            let unknown = || options.unknown(option, self.provider, &StoreOptions::close_to(option, self.kind));
            let name = read(option).ok_or_else(unknown)?;
            given.push(Setting { name, value: value.to_owned(), option: option.to_owned(), variable: None });
        }
        let credential_given = given.iter().any(|given| !given.value.is_empty() && (self.is_credential)(&given.name));
        let environment = options.environment().filter_map(|(option, variable)| {
            let (value, variable) = (variable.value.clone(), Some(variable.name.clone()));
            Some(Setting { name: read(option)?, value, option: option.to_owned(), variable })
        });
        let environment = environment.filter(|found| !(credential_given && (self.is_credential)(&found.name)));
        let mut settings = Settings::new();
        for setting in environment.chain(given) {
            settings.retain(|other| other.name != setting.name);
            settings.push(setting);
        }
        settings.retain(|setting| !setting.value.is_empty());
        for setting in &mut settings {
            let read = setting.name.kind().read(&setting.value);
            setting.value = read.map_err(|flaw| setting.refused(flaw))?;
        }
        Ok(settings)
    }
}

impl<K: AsRef<str>> Name<K> {
    fn kind(&self) -> Kind {
        let option = match self {
            Self::Store(key) => key.as_ref(),
            Self::Http(key) => key.as_ref(),
            Self::Shared(shared) => shared.option(),
            Self::CredentialsFile => "aws_credentials_file",
            Self::Nothing => "aws_s3_custom_backend",
        };
        Kind::of(option).unwrap_or(Kind::Text)
    }
}

impl Shared {
    const ALL: [Self; 9] = [
        Self::ConnectionLimit,
        Self::Http2Only,
        Self::Http2MaxFrameSize,
        Self::RequestTimeout,
        Self::MaxRetries,
        Self::RetryTimeout,
        Self::SingleWriter,
        Self::TlsAllowInsecure,
        Self::TlsCa,
    ];

    const fn option(self) -> &'static str {
        match self {
            Self::ConnectionLimit => "object_store_connection_limit",
            Self::Http2Only => "object_store_http2_only",
            Self::Http2MaxFrameSize => "object_store_http2_max_frame_size",
            Self::RequestTimeout => "object_store_request_timeout",
            Self::MaxRetries => "object_store_max_retries",
            Self::RetryTimeout => "object_store_retry_timeout",
            Self::SingleWriter => "object_store_single_writer",
            Self::TlsAllowInsecure => "object_store_tls_allow_insecure",
            Self::TlsCa => "object_store_tls_ca",
        }
    }
}

fn shared(name: &str) -> Option<Shared> {
    Shared::ALL.into_iter().find(|shared| shared.option() == name)
}

/// Refuses where one of `needed` has no value, without which `setting` is of no use.
pub(super) fn require<K: Copy + PartialEq + AsRef<str>>(
    settings: &Settings<K>,
    setting: &Setting<K>,
    needed: &[K],
) -> Result<()> {
    let missing = needed.iter().find(|key| find(settings, **key).is_none());
    missing.map_or(Ok(()), |missing| Err(setting.needs(missing.as_ref())))
}

/// One of the object_store crate's names, where it has a value.
pub(super) fn find<K: Copy + PartialEq>(settings: &Settings<K>, key: K) -> Option<&Setting<K>> {
    settings.iter().find(|setting| setting.name == Name::Store(key))
}

/// The value of one of the object_store crate's names.
pub(super) fn value<K: Copy + PartialEq>(settings: &Settings<K>, key: K) -> Option<&str> {
    find(settings, key).map(|setting| setting.value.as_str())
}
