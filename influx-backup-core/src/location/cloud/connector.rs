//! HTTP as object_store speaks it, with the answers' checksums kept, which it would drop, requests to slow down counted,
//! which it hides, and requests signed again whose credentials were replaced.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector},
};

/// The headers of the answer that a result of the object_store crate was made of: in its `extensions`.
#[derive(Debug, Clone)]
pub(crate) struct Answered(pub(crate) HeaderMap);

#[cfg(feature = "aws")]
use super::renewal::Renewal;

/// Makes clients that count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Connector {
    pub(super) slow_downs: Arc<AtomicU64>,
    /// Where credentials are renewed from.
    #[cfg(feature = "aws")]
    pub(super) renewal: Option<Arc<Renewal>>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Observed { inner, connector: self.clone() }))
    }
}

#[derive(Debug)]
struct Observed {
    inner: HttpClient,
    connector: Connector,
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
        let mut response = self.execute(request).await?;
        if matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            self.connector.slow_downs.fetch_add(1, Ordering::Relaxed);
        }
        let headers = Answered(response.headers().clone());
        response.extensions_mut().insert(headers);
        Ok(response)
    }
}
