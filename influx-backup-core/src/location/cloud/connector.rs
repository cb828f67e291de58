//! HTTP as object_store speaks it, with the answers' checksums kept, which it would drop, and requests to slow down
//! counted, which it hides.

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

/// Makes clients that count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Connector {
    pub(super) slow_downs: Arc<AtomicU64>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Observed { inner, slow_downs: Arc::clone(&self.slow_downs) }))
    }
}

#[derive(Debug)]
struct Observed {
    inner: HttpClient,
    slow_downs: Arc<AtomicU64>,
}

#[async_trait]
impl HttpService for Observed {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.inner.execute(request).await?;
        if matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            self.slow_downs.fetch_add(1, Ordering::Relaxed);
        }
        let headers = Answered(response.headers().clone());
        response.extensions_mut().insert(headers);
        Ok(response)
    }
}
