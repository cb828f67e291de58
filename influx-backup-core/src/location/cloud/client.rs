//! How clients talk HTTP: timeouts, retries, certificates, connections.

use std::{fs, str::FromStr, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig, client::HttpClient, limit::LimitStore,
    list::PaginatedListStore,
};
use reqwest::Certificate;

use super::{
    Handle, Opened,
    ambient::Ambient,
    connector::Connector,
    settings::{Name, Setting, Settings, Shared},
};
use crate::{
    error::Result,
    location::{Writers, identity::Identity, request::PATIENCE},
    retry::Patience,
    units::duration,
};

/// How long it may take to establish a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection may be silent. Pauses of the reader count too (back-pressure, a bandwidth limit), so it is far
/// longer than any of them; copies, and requests of a location, notice a stalled connection much sooner by themselves.
const SILENCE: Duration = Duration::from_secs(300);

/// How often the object_store crate retries by itself, so that a connection that was reset does not cost a whole object:
/// within seconds in all. Longer retries are made by the callers, see `location/request.rs` and `execute/attempt.rs`;
/// the two multiply.
const CLIENT_RETRIES: usize = 5;

/// The longest wait between them.
const CLIENT_BACKOFF: Duration = Duration::from_secs(2);

/// When they end. It counts from the beginning of a request, which may be a long download.
const CLIENT_RETRY_TIMEOUT: Duration = Duration::from_secs(180);

/// What the clients of one location have in common.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) options: ClientOptions,
    pub(super) retry: RetryConfig,
    pub(super) connector: Connector,
    connections: Option<usize>,
    patience: Patience,
    writers: Writers,
}

impl Client {
    /// Reads what of `settings` concerns HTTP. There is no limit on a whole request, which would be one on the size of
    /// objects, unless object_store's `timeout` is given.
    pub(super) fn new<K: AsRef<str>>(settings: &Settings<K>) -> Result<Self> {
        let options =
            ClientOptions::new().with_timeout_disabled().with_connect_timeout(CONNECT).with_read_timeout(SILENCE);
        let secrets = settings.iter().filter_map(Setting::secret).collect();
        let connector = Connector { secrets, ..Connector::default() };
        let writers = Writers::Several;
        let mut client = Self { options, retry: retry(), connector, connections: None, patience: PATIENCE, writers };
        for setting in settings {
            match &setting.name {
                Name::Http(key) => client.options = client.options.with_config(*key, &setting.value),
                Name::Shared(shared) => {
                    client.set(*shared, &setting.value).map_err(|reason| setting.refused(reason))?
                }
                Name::Store(_) | Name::CredentialsFile | Name::Nothing => {}
            }
        }
        if client.options.get_config_value(&ClientConfigKey::ProxyUrl).is_none() {
            Ambient::check_proxies()?;
        }
        Ok(client)
    }

    /// Fails where what was read is no longer so, as a file may be.
    fn set(&mut self, shared: Shared, value: &str) -> Result<(), String> {
        let options = std::mem::take(&mut self.options);
        self.options = match shared {
            Shared::ConnectionLimit => {
                self.connections = Some(number(value)?).filter(|limit| *limit > 0);
                if self.connections.is_some() {
                    // A request may have to wait for the end of others.
                    self.patience.total = self.patience.total.max(SILENCE);
                }
                options
            }
            Shared::MaxRetries => {
                self.retry.max_retries = number(value)?;
                options
            }
            Shared::RetryTimeout => {
                self.retry.retry_timeout = wait(value)?;
                options
            }
            Shared::SingleWriter => {
                if value == "true" {
                    self.writers = Writers::Single;
                }
                options
            }
            Shared::Http2Only if value == "true" => options.with_http2_only(),
            Shared::Http2Only => options,
            Shared::Http2MaxFrameSize => options.with_http2_max_frame_size(number(value)?),
            // A server reads and writes small objects; a limit on the whole request would fail large ones here.
            Shared::RequestTimeout => {
                let silence = wait(value)?;
                self.patience.silence = silence;
                self.patience.total = if self.connections.is_some() { silence.max(SILENCE) } else { silence };
                options.with_read_timeout(silence)
            }
            Shared::TlsAllowInsecure => options.with_allow_invalid_certificates(value == "true"),
            Shared::TlsCa => {
                self.connector.certificates = certificates(value)?;
                options
            }
        };
        Ok(())
    }

    pub(super) fn allows_http(&self) -> bool {
        self.options.get_config_value(&ClientConfigKey::AllowHttp).as_deref() == Some("true")
    }

    /// A client for requests that the object_store crate does not offer.
    pub(super) fn http<K>(&self, provider: &str, settings: &Settings<K>) -> Result<HttpClient> {
        use object_store::client::HttpConnector;
        self.connector.connect(&self.options).map_err(|error| super::unusable(provider, settings, &error))
    }

    /// What was opened with this client, with no more requests at once than are allowed.
    pub(super) fn opened(
        &self,
        store: impl ObjectStore + PaginatedListStore + Clone,
        identity: Identity,
        handle: Handle,
    ) -> Opened {
        let pages = self.connections.is_none().then(|| Arc::new(store.clone()) as Arc<dyn PaginatedListStore>);
        let store: Arc<dyn ObjectStore> = match self.connections {
            Some(limit) => Arc::new(LimitStore::new(store, limit)),
            None => Arc::new(store),
        };
        let throttle_counts = Arc::clone(&self.connector.throttle_counts);
        Opened { store, pages, identity, handle, throttle_counts, patience: self.patience, writers: self.writers }
    }
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig { max_backoff: CLIENT_BACKOFF, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: CLIENT_RETRIES, retry_timeout: CLIENT_RETRY_TIMEOUT }
}

fn number<N: FromStr>(value: &str) -> Result<N, String> {
    value.parse().map_err(|_| "it is not a number".to_owned())
}

fn wait(value: &str) -> Result<Duration, String> {
    duration::parse(value).map_err(|_| "it is not a duration".to_owned())
}

fn certificates(path: &str) -> Result<Vec<Certificate>, String> {
    let pem = fs::read(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    Certificate::from_pem_bundle(&pem).map_err(|_| "the file holds no PEM certificates".to_owned())
}
