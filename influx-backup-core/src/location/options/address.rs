//! Names and addresses that every library between an option and a request can read.

use http::Uri;
use url::Url;

use super::kind::Flaw;

/// Whether it is letters, digits and these, and may stand in a host name.
pub(super) fn is_name(value: &str, others: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let fit = value.len() <= 255 && !value.contains("..") && value.chars().all(allowed);
    fit && is_requestable(&format!("https://a.{value}.example.com/{value}"))
}

/// Whether all that is between a URL and a request can read it: each panics where it cannot.
pub(super) fn is_requestable(url: &str) -> bool {
    Url::parse(url).is_ok_and(|parsed| parsed.as_str().parse::<Uri>().is_ok()) && url.parse::<Uri>().is_ok()
}

/// Whether a URL may have a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    Allowed,
    Refused,
}

pub(super) fn address(value: &str, query: Query) -> Result<String, Flaw> {
    let expected = "write a URL such as https://HOST:PORT";
    let Some((scheme, _)) = value.split_once("://") else { return Err(format!("it has no scheme: {expected}").into()) };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(format!("its scheme is not http or https: {expected}").into());
    }
    let url = Url::parse(value).map_err(|error| Flaw::from(format!("{error}: {expected}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials belong into options of their own, not into a URL".into());
    }
    if url.fragment().is_some() || (query == Query::Refused && url.query().is_some()) {
        return Err("it has a query or a fragment, which would be lost".into());
    }
    if url.port() == Some(0) {
        return Err("no service has port 0".into());
    }
    if !value.is_ascii() || !is_requestable(value) {
        return Err(format!("it has a character that is not encoded, or its host is none: {expected}").into());
    }
    // The scheme is compared as it is written here.
    Ok(format!("{}{}", url.scheme(), &value[scheme.len()..]))
}

pub(super) fn proxy(value: &str) -> Result<String, Flaw> {
    let whole = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let without_user = url.and_then(|mut url| {
        url.set_username("").and_then(|()| url.set_password(None)).ok()?;
        Some(url)
    });
    let fit = without_user.is_some_and(|url| url.port() != Some(0) && url.as_str().parse::<Uri>().is_ok());
    if fit { Ok(value.to_owned()) } else { Err("write the URL of a proxy, such as http://HOST:PORT".into()) }
}
