//! Redirects. Requests carry credentials, in headers, in their URL and in their body, and go to the host that the caller named and
//! to no other. Within that host they go where the protocol sends them.

use http::{HeaderMap, Method, StatusCode, Uri, header::LOCATION};
use object_store::client::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use url::Url;

use crate::error::Misbehavior;

/// How often one request is sent on. No store does it more than once.
const MOST: usize = 5;

/// Sends a request, and sends it on within its host.
pub(super) async fn execute(client: &HttpClient, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
    for _ in 0..MOST {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let again = request.clone();
        let response = client.execute(request).await?;
        let Some(to) = target(&uri, response.status(), response.headers()) else { return Ok(response) };
        if !is_same_host(&uri, &to) {
            return Err(refused(Misbehavior::Redirect { host: to.origin().ascii_serialization() }));
        }
        let is_kept = matches!(response.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let to = to.as_str().parse().ok().filter(|_| is_kept || matches!(method, Method::GET | Method::HEAD));
        // What would be another request is none that was asked for.
        let Some(to) = to else { return Ok(response) };
        request = again;
        *request.uri_mut() = to;
    }
    Err(refused(Misbehavior::Redirects))
}

fn refused(misbehavior: Misbehavior) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, misbehavior)
}

/// Where an answer sends a request.
fn target(uri: &Uri, status: StatusCode, headers: &HeaderMap) -> Option<Url> {
    if !matches!(status.as_u16(), 301..=303 | 307 | 308) {
        return None;
    }
    let location = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    Url::parse(&uri.to_string()).ok()?.join(location).ok()
}

fn is_same_host(uri: &Uri, to: &Url) -> bool {
    let is_bare = to.username().is_empty() && to.password().is_none();
    is_bare && Url::parse(&uri.to_string()).is_ok_and(|from| from.origin() == to.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_scheme_port_or_user_is_another_host() {
        let from: Uri = "http://store.example/b/k?x=y".parse().expect("a URI");
        for (location, same) in [
            ("/b/other", true),
            ("k2", true),
            ("http://store.example:80/b", true),
            ("HTTP://STORE.EXAMPLE/b", true),
            ("http://store.example:9000/b", false),
            ("https://store.example/b", false),
            ("//evil.example/b", false),
            ("http://store.example.evil.example/b", false),
            ("http://store.example@evil.example/b", false),
            ("http://user@store.example/b", false),
            ("\\\\evil.example/b", false),
        ] {
            let headers = HeaderMap::from_iter([(LOCATION, location.parse().expect("a header"))]);
            let to = target(&from, StatusCode::TEMPORARY_REDIRECT, &headers).expect(location);
            assert_eq!(is_same_host(&from, &to), same, "{location}");
        }
        let headers = HeaderMap::from_iter([(LOCATION, "http://evil.example".parse().expect("a header"))]);
        for status in [200, 300, 304, 400] {
            assert_eq!(target(&from, StatusCode::from_u16(status).expect("a status"), &headers), None, "{status}");
        }
    }
}
