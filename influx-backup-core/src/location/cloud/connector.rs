//! HTTP as object_store speaks it, with the answers' checksums kept, which it would drop, requests to slow down counted and
//! errors remembered, which it hides, errors final that no repetition helps, proxies named in errors, and requests signed again
//! whose credentials were replaced.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode, Uri};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
    },
};

use super::{
    odd_keys,
    proxies::Proxies,
    requests::{self, MadeOnce},
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
    /// Where credentials are renewed from.
    #[cfg(feature = "aws")]
    pub(super) renewal: Option<Arc<Renewal>>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
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
        let Some(renewal) = &self.connector.renewal else { return self.inner.execute(request).await };
        let response = self.inner.execute(request.clone()).await?;
        if !Renewal::may_help(response.status()) {
            return Ok(response);
        }
        match renewal.sign_again(request).await {
            Some(again) => self.inner.execute(again).await,
            None => Ok(response),
        }
    }

    #[cfg(not(feature = "aws"))]
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.inner.execute(request).await
    }
}

#[async_trait]
impl HttpService for Observed {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let kind = kind_of(request.method(), request.uri());
        let is_made_again = request.extensions().get::<MadeOnce>().is_none();
        let uri = request.uri().clone();
        let response = self.execute(request).await.map_err(|error| self.proxies.named_in(error, &uri))?;
        let status = response.status();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            self.connector.throttle_counts.add(kind);
        }
        let mut response = if is_made_again && is_hidden(status) { known(response).await? } else { response };
        if status.is_success() {
            LastAnswer::hear(None);
        }
        let headers = Answered(response.headers().clone());
        response.extensions_mut().insert(headers);
        if kind == RequestKind::List && response.status().is_success() {
            return odd_keys::renamed(response).await;
        }
        Ok(response)
    }
}

/// The object_store crate makes a request with such an answer again, and says nothing of it before it gives up.
fn is_hidden(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// Remembers an answer that would be hidden. One that no repetition helps is an error that is not made again.
async fn known(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let mut answer =
        StoreAnswer { status: Some(parts.status.as_u16()), code: requests::code_in_headers(&parts.headers) };
    // The body may never come.
    LastAnswer::hear(Some(&answer));
    let body = body.bytes().await.unwrap_or_default();
    answer.code = StoreAnswer::of(0, &String::from_utf8_lossy(&body)).code.or(answer.code);
    LastAnswer::hear(Some(&answer));
    if !answer.kind().is_transient() {
        return Err(HttpError::new(HttpErrorKind::Unknown, answer));
    }
    Ok(HttpResponse::from_parts(parts, body.into()))
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
