//! The HTTP client, built as the object_store crate builds it but for two things: it follows no redirects, which see
//! [`redirects`](super::redirects), and it decodes nothing. Following one, reqwest would hand `x-amz-security-token` and the like
//! to whatever host the answer names.

use std::{net::ToSocketAddrs, time::Duration};

use object_store::{ClientConfigKey as Key, ClientOptions, Error, Result, client::HttpClient};
use rand::seq::SliceRandom;
use reqwest::{
    Certificate, ClientBuilder, NoProxy, Proxy,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

use crate::location::options::wait::wait;

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// A client with these options, and these certificates beside those of the system.
pub(super) fn connect(options: &ClientOptions, certificates: &[Certificate]) -> Result<HttpClient> {
    let builder = Given(options).applied(certificates.to_vec()).map_err(|error| unusable(error.without_url()))?;
    let builder = builder.no_gzip().no_brotli().no_zstd().no_deflate().redirect(Policy::none());
    Ok(HttpClient::new(builder.build().map_err(|error| unusable(error.without_url()))?))
}

fn unusable(source: reqwest::Error) -> Error {
    Error::Generic { store: "HTTP client", source: source.into() }
}

struct Given<'a>(&'a ClientOptions);

impl Given<'_> {
    fn text(&self, key: Key) -> Option<String> {
        self.0.get_config_value(&key)
    }

    fn is(&self, key: Key) -> bool {
        self.text(key).as_deref() == Some("true")
    }

    fn time(&self, key: Key) -> Option<Duration> {
        wait(&self.text(key)?, Duration::ZERO).ok()
    }

    fn number<N: std::str::FromStr>(&self, key: Key) -> Option<N> {
        self.text(key)?.parse().ok()
    }

    /// The options that this names are all that there are.
    fn applied(&self, mut certificates: Vec<Certificate>) -> reqwest::Result<ClientBuilder> {
        let mut builder = ClientBuilder::new()
            .user_agent(self.text(Key::UserAgent).unwrap_or_else(|| USER_AGENT.to_owned()))
            .https_only(!self.is(Key::AllowHttp))
            .http2_keep_alive_while_idle(self.is(Key::Http2KeepAliveWhileIdle))
            .danger_accept_invalid_certs(self.is(Key::AllowInvalidCertificates));
        if let Some(headers) = self.0.get_default_headers() {
            builder = builder.default_headers(headers.clone());
        }
        if let Some(url) = self.text(Key::ProxyUrl) {
            let excludes = self.text(Key::ProxyExcludes).and_then(|hosts| NoProxy::from_string(&hosts));
            builder = builder.proxy(Proxy::all(url)?.no_proxy(excludes));
            if let Some(pem) = self.text(Key::ProxyCaCertificate) {
                certificates.push(Certificate::from_pem(pem.as_bytes())?);
            }
        }
        builder = if self.is(Key::NoSystemCertificates) {
            builder.tls_certs_only(certificates)
        } else {
            builder.tls_certs_merge(certificates)
        };
        type Set<V> = fn(ClientBuilder, V) -> ClientBuilder;
        let times: [(Key, Set<Duration>); 6] = [
            (Key::Timeout, ClientBuilder::timeout),
            (Key::ConnectTimeout, ClientBuilder::connect_timeout),
            (Key::ReadTimeout, ClientBuilder::read_timeout),
            (Key::PoolIdleTimeout, ClientBuilder::pool_idle_timeout),
            (Key::Http2KeepAliveInterval, ClientBuilder::http2_keep_alive_interval),
            (Key::Http2KeepAliveTimeout, ClientBuilder::http2_keep_alive_timeout),
        ];
        for (key, set) in times {
            if let Some(time) = self.time(key) {
                builder = set(builder, time);
            }
        }
        if let Some(idle) = self.number(Key::PoolMaxIdlePerHost) {
            builder = builder.pool_max_idle_per_host(idle);
        }
        if let Some(size) = self.number::<u32>(Key::Http2MaxFrameSize) {
            builder = builder.http2_max_frame_size(size);
        }
        if self.is(Key::Http1Only) {
            builder = builder.http1_only();
        }
        if self.is(Key::Http2Only) {
            builder = builder.http2_prior_knowledge();
        }
        if self.is(Key::RandomizeAddresses) {
            builder = builder.dns_resolver(Shuffled);
        }
        Ok(builder)
    }
}

/// The addresses of a host in any order, which spreads load.
#[derive(Debug, Clone, Copy)]
struct Shuffled;

impl Resolve for Shuffled {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs()).await??;
            let mut found: Vec<_> = found.collect();
            found.shuffle(&mut rand::rng());
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
