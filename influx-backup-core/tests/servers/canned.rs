//! An HTTP server with canned answers, for what the emulators cannot do: rewrite loops, generation preconditions, Put
//! Block From URL, pending copies, and errors that come with status 200.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use influx_backup_core::{Location, StoreOptions};

use super::loopback::Loopback;

/// Answers every request with what a function says, and remembers the requests.
pub(crate) struct Canned {
    server: Loopback,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Canned {
    /// Answers by a function of the request.
    pub(crate) fn serve(answer: impl Fn(&Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        let server = Loopback::http(move || {
            service_fn(move |request: Request<Incoming>| {
                let seen = Arc::clone(&seen);
                let answer = Arc::clone(&answer);
                async move {
                    let (parts, body) = request.into_parts();
                    let request = Request::from_parts(parts, body.collect().await?.to_bytes());
                    let response = answer(&request);
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    Ok::<_, hyper::Error>(response.map(Full::new))
                }
            })
        });
        Self { server, requests }
    }

    /// Answers the first request with the first answer and so on; a request without an answer gets a 500.
    pub(crate) fn script(answers: impl IntoIterator<Item = Response<Bytes>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::serve(move |_| {
            let next = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.unwrap_or_else(|| answer(500, &[], "the script has no more answers"))
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A location of S3 here.
    pub(crate) fn s3(&self, url: &str) -> Location {
        let options = StoreOptions::default()
            .with("aws_endpoint", self.endpoint())
            .with("aws_allow_http", "true")
            .with("aws_access_key_id", "k")
            .with("aws_secret_access_key", "s");
        Location::parse(url, &options).expect("a location")
    }

    /// A location of Azure here, with an option that is a credential.
    pub(crate) fn azure(&self, url: &str, credential: (&str, &str)) -> Location {
        let options = StoreOptions::default()
            .with("azure_endpoint", self.endpoint())
            .with("azure_allow_http", "true")
            .with("azure_storage_account", "account")
            .with(credential.0, credential.1);
        Location::parse(url, &options).expect("a location")
    }

    /// A location of Google here.
    pub(crate) fn google(&self, url: &str) -> Location {
        let account = serde_json::json!({
            "private_key": "x", "private_key_id": "x", "client_email": "x", "disable_oauth": true,
            "gcs_base_url": self.endpoint(),
        });
        let options = StoreOptions::default()
            .with("google_service_account_key", account.to_string())
            .with("google_allow_http", "true");
        Location::parse(url, &options).expect("a location")
    }

    /// The requests so far, in the order in which they were answered.
    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canned").field("address", &self.address()).finish_non_exhaustive()
    }
}

/// One answer of a [`Canned`] server.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).expect("a valid answer")
}
