//! HTTP as object_store speaks it, with the answers' checksums kept, which it would drop, requests to slow down counted and
//! errors remembered, which it hides, errors final that no repetition helps, proxies named in errors, and requests signed again
//! whose credentials were replaced.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode, Uri};
use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService},
};

use super::{
    bounded::{self, Asked},
    issued, odd_keys,
    proxies::Proxies,
    redirects,
    refusal::{Refusal, Sent},
    requests::{self, MadeOnce},
    transport,
};
use crate::{
    error::StoreAnswer,
    location::{LastAnswer, RequestKind, ThrottleCounts},
};

/// The headers of the answer that a result of the object_store crate was made of: in its `extensions`.
#[derive(Debug, Clone)]
pub(crate) struct Answered(pub(crate) HeaderMap);

#[cfg(feature = "aws")]
use super::renewal::Renewal;

/// Makes clients that count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Connector {
    pub(super) throttle_counts: Arc<ThrottleCounts>,
    /// Those that are trusted beside the system's.
    pub(super) certificates: Vec<reqwest::Certificate>,
    /// What no error may repeat.
    pub(super) secrets: Vec<String>,
    /// Where credentials are renewed from.
    #[cfg(feature = "aws")]
    pub(super) renewal: Option<Arc<Renewal>>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = transport::connect(options, &self.certificates)?;
        Ok(HttpClient::new(Observed { inner, connector: self.clone(), proxies: Proxies::of(options) }))
    }
}

#[derive(Debug)]
struct Observed {
    inner: HttpClient,
    connector: Connector,
    proxies: Proxies,
}

impl Observed {
    #[cfg(feature = "aws")]
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(renewal) = &self.connector.renewal else { return redirects::execute(&self.inner, request).await };
        let response = redirects::execute(&self.inner, request.clone()).await?;
        if !Renewal::may_help(response.status()) {
            return Ok(response);
        }
        match renewal.sign_again(request).await {
            Some(again) => redirects::execute(&self.inner, again).await,
            None => Ok(response),
        }
    }

    #[cfg(not(feature = "aws"))]
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        redirects::execute(&self.inner, request).await
    }

    /// An answer that is an error, with what of it may be shown. One that would be hidden is remembered, and one that no
    /// repetition helps is an error that is not made again.
    async fn refused(&self, response: HttpResponse, sent: &Sent, is_hidden: bool) -> Result<HttpResponse, HttpError> {
        let (parts, body) = response.into_parts();
        let mut answer =
            StoreAnswer { status: Some(parts.status.as_u16()), code: requests::code_in_headers(&parts.headers) };
        if is_hidden {
            // The body may never come.
            LastAnswer::hear(Some(&answer));
        }
        let refusal = Refusal::read(body).await;
        answer.code = refusal.code().map(ToOwned::to_owned).or(answer.code);
        if is_hidden {
            LastAnswer::hear(Some(&answer));
            if !answer.kind().is_transient() {
                return Err(HttpError::new(HttpErrorKind::Unknown, answer));
            }
        }
        let secrets = &self.connector.secrets;
        let document =
            if issued::is_asked() { refusal.bare_document(sent, secrets) } else { refusal.document(sent, secrets) };
        Ok(HttpResponse::from_parts(parts, document.into_bytes().into()))
    }
}

#[async_trait]
impl HttpService for Observed {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let kind = kind_of(request.method(), request.uri());
        let is_made_again = request.extensions().get::<MadeOnce>().is_none();
        let (asked, sent) = (Asked::by(&request, kind), Sent::with(&request));
        let uri = request.uri().clone();
        let response = self.execute(request).await;
        let response = response.map_err(|error| self.proxies.named_in(bounded::named(error), &uri))?;
        let status = response.status();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            self.connector.throttle_counts.add(kind);
        }
        let misbehaves = |misbehavior| HttpError::new(HttpErrorKind::Unknown, misbehavior);
        let mut response = if status.is_success() {
            LastAnswer::hear(None);
            asked.bounded(response).map_err(misbehaves)?
        } else {
            let sent = sent.and(self.proxies.authorization(&uri));
            self.refused(response, &sent, is_made_again && is_hidden(status)).await?
        };
        let headers = Answered(response.headers().clone());
        response.extensions_mut().insert(headers);
        if kind == RequestKind::List && response.status().is_success() {
            let (parts, body) = response.into_parts();
            let page = body.bytes().await?;
            odd_keys::check(&page).map_err(misbehaves)?;
            return Ok(HttpResponse::from_parts(parts, odd_keys::renamed(page).into()));
        }
        Ok(response)
    }
}

/// The object_store crate makes a request with such an answer again, and says nothing of it before it gives up.
fn is_hidden(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// What a request is for: S3, Google's XML API and Azure say it in the query.
fn kind_of(method: &Method, uri: &Uri) -> RequestKind {
    let asks = |what: &str| uri.query().unwrap_or_default().split('&').any(|pair| pair == what);
    match *method {
        Method::GET if asks("list-type=2") || asks("comp=list") => RequestKind::List,
        Method::POST if asks("delete") || asks("delete=") || asks("comp=batch") => RequestKind::Delete,
        // Aborting an upload belongs to its copy.
        Method::DELETE if !uri.query().is_some_and(|query| query.contains("uploadId=")) => RequestKind::Delete,
        _ => RequestKind::Copy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let of = |method, uri: &str| kind_of(&method, &uri.parse().expect("a URI"));
        for list in ["http://h/b?list-type=2&prefix=a", "http://h/c?restype=container&comp=list&prefix=a"] {
            assert_eq!(of(Method::GET, list), RequestKind::List, "{list}");
        }
        for (method, delete) in [
            (Method::POST, "http://h/b?delete"),
            (Method::POST, "http://h/b?delete="),
            (Method::POST, "http://h/c?restype=container&comp=batch"),
            (Method::DELETE, "http://h/b/key"),
        ] {
            assert_eq!(of(method, delete), RequestKind::Delete, "{delete}");
        }
        for (method, copy) in [
            (Method::GET, "http://h/b/list-type=2"),
            (Method::HEAD, "http://h/b/key"),
            (Method::PUT, "http://h/c/key?comp=blocklist"),
            (Method::POST, "http://h/b/key?uploads"),
            (Method::DELETE, "http://h/b/key?uploadId=x"),
        ] {
            assert_eq!(of(method, copy), RequestKind::Copy, "{copy}");
        }
    }
}
