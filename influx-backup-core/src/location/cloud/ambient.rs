//! Variables of the environment that libraries read by themselves: for credentials, where object_store panics if it cannot make
//! a request of them, and for proxies, where one that cannot be read would be passed by silently.

use crate::{
    error::{Error, Result},
    location::options::kind::Kind,
};

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ambient {
    #[cfg(feature = "azure")]
    AzuriteUrl,
    #[cfg(feature = "azure")]
    IdentityHeader,
    #[cfg(feature = "gcp")]
    MetadataHost,
    #[cfg(feature = "gcp")]
    MetadataRoot,
    #[cfg(feature = "gcp")]
    MetadataIp,
    /// The proxy of all requests, or of those of one scheme.
    Proxy(&'static str),
}

/// Those of proxies.
const PROXIES: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

impl Ambient {
    const fn variable(self) -> &'static str {
        match self {
            #[cfg(feature = "azure")]
            Self::AzuriteUrl => "AZURITE_BLOB_STORAGE_URL",
            #[cfg(feature = "azure")]
            Self::IdentityHeader => "IDENTITY_HEADER",
            #[cfg(feature = "gcp")]
            Self::MetadataHost => "GCE_METADATA_HOST",
            #[cfg(feature = "gcp")]
            Self::MetadataRoot => "GCE_METADATA_ROOT",
            #[cfg(feature = "gcp")]
            Self::MetadataIp => "GCE_METADATA_IP",
            Self::Proxy(variable) => variable,
        }
    }

    /// Refuses a proxy that cannot be read. One of SOCKS may concern no request; the error of one that it concerns names it.
    pub(super) fn check_proxies() -> Result<()> {
        PROXIES.into_iter().try_for_each(|variable| Self::Proxy(variable).check())
    }

    /// Refuses its value, where it has one of which no request can be made.
    pub(super) fn check(self) -> Result<()> {
        let variable = self.variable();
        std::env::var_os(variable).map_or(Ok(()), |value| self.check_value(&value.to_string_lossy()))
    }

    fn check_value(self, value: &str) -> Result<()> {
        let (option, read) = match self {
            #[cfg(feature = "azure")]
            Self::AzuriteUrl => ("azure", Kind::Endpoint.read(value)),
            #[cfg(feature = "azure")]
            Self::IdentityHeader => ("azure", Kind::Token.read(value)),
            #[cfg(feature = "gcp")]
            Self::MetadataHost | Self::MetadataRoot | Self::MetadataIp => {
                ("google", Kind::Endpoint.read(&format!("http://{value}")))
            }
            Self::Proxy(_) if value.is_empty() || value.starts_with("socks") => return Ok(()),
            Self::Proxy(_) => ("proxy_url", Kind::Proxy.read(value)),
        };
        read.map(|_| ()).map_err(|flaw| Error::InvalidOption {
            option: option.to_owned(),
            origin: Some(format!("the environment variable {}", self.variable())),
            reason: flaw.into_owned(),
        })
    }
}

#[cfg(all(test, feature = "azure", feature = "gcp"))]
mod tests {
    use super::*;

    #[test]
    fn they_are_named_where_no_request_can_be_made_of_them() {
        Ambient::MetadataHost.check_value("127.0.0.1:8080").expect("a host");
        Ambient::AzuriteUrl.check_value("http://127.0.0.1:10000").expect("a URL");
        let error = Ambient::MetadataHost.check_value("metadata\n").expect_err("a line break").to_string();
        let expected = "the value of option `google`, from the environment variable GCE_METADATA_HOST, cannot be used: it ends \
                        with a line break";
        assert!(error.starts_with(expected), "{error}");
        for proxy in ["", "proxy:3128", "http://user:s3cr3t@proxy:3128", "socks5h://proxy:1080"] {
            Ambient::Proxy("HTTPS_PROXY").check_value(proxy).expect(proxy);
        }
        for proxy in ["http://user:s3cr3t@proxy\n", "::::s3cr3t"] {
            let error = Ambient::Proxy("HTTPS_PROXY").check_value(proxy).expect_err(proxy).to_string();
            assert!(error.contains("environment variable HTTPS_PROXY") && !error.contains("s3cr3t"), "{error}");
        }
        let error = Ambient::IdentityHeader.check_value("s3cr3t x").expect_err("a space").to_string();
        assert!(error.contains("IDENTITY_HEADER") && !error.contains("s3cr3t"), "{error}");
    }
}
