//! [`Proxies`]: which requests go through a proxy. Where that cannot be reached, errors name an endpoint that may be up.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use object_store::{ClientConfigKey, ClientOptions, client::HttpError};

/// The proxies of a client, as reqwest finds them: it asks the same matcher.
#[derive(Debug)]
pub(super) struct Proxies {
    matcher: Matcher,
    origin: Origin,
}

/// Where they are from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    Option,
    Environment,
}

/// An error of a request that went through a proxy. Its URL may hold a password, and is not told.
#[derive(Debug, thiserror::Error)]
#[error("the request went through the proxy of {named}")]
struct ThroughProxy {
    named: String,
    source: HttpError,
}

impl Proxies {
    /// Those of the option, or else of the environment.
    pub(super) fn of(options: &ClientOptions) -> Self {
        let value = |key: ClientConfigKey| options.get_config_value(&key);
        let Some(url) = value(ClientConfigKey::ProxyUrl) else {
            return Self { matcher: Matcher::from_system(), origin: Origin::Environment };
        };
        let excludes = value(ClientConfigKey::ProxyExcludes).unwrap_or_default();
        Self { matcher: Matcher::builder().all(url).no(excludes).build(), origin: Origin::Option }
    }

    /// The error of a request to `uri`, with the proxy that it went through.
    pub(super) fn named_in(&self, error: HttpError, uri: &Uri) -> HttpError {
        let Some(named) = self.name(uri) else { return error };
        HttpError::new(error.kind(), ThroughProxy { named, source: error })
    }

    /// What the proxy of such a request is told who asks.
    pub(super) fn authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        self.matcher.intercept(uri)?.basic_auth().cloned()
    }

    /// What names the proxy of such a request; `None`: it goes through none.
    fn name(&self, uri: &Uri) -> Option<String> {
        self.matcher.intercept(uri)?;
        Some(match self.origin {
            Origin::Option => "the option `proxy_url`".to_owned(),
            Origin::Environment => variable(uri).map_or_else(
                || "the system's settings".to_owned(),
                |variable| format!("the environment variable {variable}"),
            ),
        })
    }
}

/// The variable that names it: of each pair the first one that is set, unless that is empty.
fn variable(uri: &Uri) -> Option<&'static str> {
    let of_scheme = match uri.scheme_str() {
        Some("https") => ["HTTPS_PROXY", "https_proxy"],
        _ => ["HTTP_PROXY", "http_proxy"],
    };
    [of_scheme, ["ALL_PROXY", "all_proxy"]].into_iter().find_map(|pair| {
        let (variable, value) =
            pair.into_iter().find_map(|variable| Some((variable, std::env::var(variable).ok()?)))?;
        (!value.is_empty()).then_some(variable)
    })
}

#[cfg(test)]
mod tests {
    use object_store::client::HttpErrorKind;

    use super::*;

    #[test]
    fn only_what_goes_through_a_proxy_names_it_and_never_its_password() {
        let options =
            ClientOptions::new().with_proxy_url("http://user:s3cr3t@proxy:3128").with_proxy_excludes("inside");
        let proxies = Proxies::of(&options);
        let named = |uri: &str| {
            let refused = HttpError::new(HttpErrorKind::Connect, std::io::Error::other("refused"));
            let error = proxies.named_in(refused, &uri.parse().expect("a URI"));
            assert_eq!(error.kind(), HttpErrorKind::Connect, "{uri}");
            assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
            error.to_string()
        };
        for through in ["http://outside/b", "https://outside/b"] {
            assert!(named(through).contains("the proxy of the option `proxy_url`"), "{}", named(through));
        }
        assert_eq!(named("http://inside:9000/b"), "HTTP error: refused");
    }
}
