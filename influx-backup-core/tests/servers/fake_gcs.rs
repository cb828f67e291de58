//! fake-gcs-server as a process, behind its shim.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use object_store::ObjectStore;
use object_store::client::{HttpConnector, HttpRequestBody};
use object_store::gcp::GoogleCloudStorageBuilder;

use super::gcs_shim::{GcsShim, Reads};
use super::loopback::Loopback;
use super::process::{Healthy, Process, Scratch, find_program};
use super::{Leftover, StoreServer, client_options, send};

/// A fake-gcs-server that keeps its objects in memory. [`StoreServer::address`] is that of a loopback server which
/// translates by [`GcsShim`], so that clients of any kind need nothing but the address.
#[derive(Debug)]
pub(crate) struct FakeGcs {
    name: &'static str,
    upstream: SocketAddr,
    /// `None`: somebody else's.
    process: Option<Process>,
    files: Scratch,
    shim: GcsShim,
    front: Loopback,
}

impl FakeGcs {
    /// `None` where there is no such program.
    pub(crate) fn start() -> Option<Self> {
        let program = find_program("fake-gcs-server")?;
        let process =
            Process::start("fake-gcs-server", Healthy::Status(200, "/_internal/healthcheck"), |_, address| {
                let mut command = Command::new(&program);
                command
                    .args(["-scheme", "http", "-backend", "memory", "-log-level", "warn"])
                    .args(["-host", &address.ip().to_string(), "-port", &address.port().to_string()])
                    // Else the first part of a path is not taken for the bucket.
                    .args(["-public-host", &address.to_string()]);
                command
            });
        let upstream = process.address();
        Some(Self { process: Some(process), ..Self::before("fake-gcs-server", upstream, Reads::Xml) })
    }

    /// Google's storage testbench, which runs already.
    pub(crate) fn testbench(upstream: SocketAddr) -> Self {
        Self::before("storage-testbench", upstream, Reads::Json)
    }

    fn before(name: &'static str, upstream: SocketAddr, reads: Reads) -> Self {
        let shim = GcsShim::reading(reads);
        let front = front(shim.clone(), upstream);
        Self { name, upstream, process: None, files: Scratch::new("service-accounts"), shim, front }
    }

    pub(crate) fn started_in(&self) -> Duration {
        self.process.as_ref().map(Process::started_in).unwrap_or_default()
    }

    /// The server without the shim: for its JSON API, and for clients with a [`GcsShim`] of their own.
    pub(crate) fn direct_address(&self) -> SocketAddr {
        self.upstream
    }

    /// Puts an object of any name, also of one that object_store cannot write.
    pub(crate) async fn put_object(&self, bucket: &str, name: &str, bytes: Bytes) {
        let name = name.replace('/', "%2F");
        let url = format!("http://{}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}", self.upstream);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        let answer = send(Method::POST, &url, headers, bytes).await;
        assert!(answer.status().is_success(), "{name}: {answer:?}");
    }

    /// Deletes one.
    pub(crate) async fn delete_object(&self, bucket: &str, name: &str) {
        let name = name.replace('/', "%2F");
        let url = format!("http://{}/storage/v1/b/{bucket}/o/{name}", self.upstream);
        let answer = send(Method::DELETE, &url, HeaderMap::new(), Bytes::new()).await;
        assert!(answer.status().is_success(), "{name}: {answer:?}");
    }

    /// The names of all objects of a bucket.
    pub(crate) async fn names(&self, bucket: &str) -> Vec<String> {
        let url = format!("http://{}/storage/v1/b/{bucket}/o", self.upstream);
        let answer = send(Method::GET, &url, HeaderMap::new(), Bytes::new()).await;
        let listing: serde_json::Value = serde_json::from_slice(answer.body()).expect("JSON");
        assert!(listing.get("nextPageToken").is_none(), "one page: {listing}");
        let items = listing["items"].as_array().expect("objects");
        items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// A client's builder without credentials.
    pub(crate) fn builder(address: SocketAddr, bucket: &str) -> GoogleCloudStorageBuilder {
        GoogleCloudStorageBuilder::new()
            .with_client_options(client_options())
            .with_service_account_key(service_account(address))
            .with_bucket_name(bucket)
    }
}

/// Renames a file into place: another test may read it at the same moment.
fn write_whole(file: &std::path::Path, text: &str) {
    let directory = file.parent().expect("a directory");
    let mut staged = tempfile::NamedTempFile::new_in(directory).expect("a temporary file");
    std::io::Write::write_all(&mut staged, text.as_bytes()).expect("written");
    staged.persist(file).expect("renamed");
}

/// A service account that asks no one for a token.
fn service_account(address: SocketAddr) -> String {
    serde_json::json!({
        "private_key": "none", "private_key_id": "none", "client_email": "test@example.com",
        "disable_oauth": true, "gcs_base_url": format!("http://{address}"),
    })
    .to_string()
}

/// The shim as a server.
fn front(shim: GcsShim, upstream: SocketAddr) -> Loopback {
    Loopback::http(move || {
        let client = shim.connect(&client_options()).expect("an HTTP client");
        service_fn(move |request: Request<Incoming>| {
            let client = client.clone();
            async move {
                let (mut parts, body) = request.into_parts();
                let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
                parts.uri = format!("http://{upstream}{target}").parse().expect("a valid URL");
                parts.headers.remove(header::HOST);
                let body: Bytes = body.collect().await?.to_bytes();
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                    client.execute(Request::from_parts(parts, HttpRequestBody::from(body))).await?,
                )
            }
        })
    })
}

/// Readers see one text or the other while it is written again and again, never a part.
#[test]
fn a_file_that_is_written_again_is_never_seen_half_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("account.json");
    let texts = ["a".repeat(100_000), "b".repeat(50_000)];
    write_whole(&file, &texts[0]);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..200).for_each(|turn| write_whole(&file, &texts[turn % 2])));
        while !writer.is_finished() {
            let read = std::fs::read_to_string(&file).expect("it is always there");
            assert!(texts.contains(&read), "{} bytes", read.len());
        }
    });
}

#[async_trait]
impl StoreServer for FakeGcs {
    fn name(&self) -> &'static str {
        self.name
    }

    fn address(&self) -> SocketAddr {
        self.front.address()
    }

    fn scheme(&self) -> &'static str {
        "gs"
    }

    fn options_at(&self, address: SocketAddr) -> BTreeMap<String, String> {
        let file = self.files.path().join(format!("{}.json", address.port()));
        write_whole(&file, &service_account(address));
        [
            ("GOOGLE_SERVICE_ACCOUNT".to_owned(), file.display().to_string()),
            ("GOOGLE_ALLOW_HTTP".to_owned(), "true".to_owned()),
        ]
        .into()
    }

    fn store_at(&self, address: SocketAddr, bucket: &str) -> Arc<dyn ObjectStore> {
        Arc::new(Self::builder(address, bucket).build().expect("a client of a GCS bucket"))
    }

    async fn create_bucket(&self, bucket: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        let url = format!("http://{}/storage/v1/b?project=test", self.direct_address());
        let answer = send(Method::POST, &url, headers, serde_json::json!({ "name": bucket }).to_string()).await;
        assert!(answer.status().is_success(), "bucket {bucket} could not be created: {answer:?}");
    }

    /// The shim's, as the server has no multipart uploads.
    async fn leftovers(&self, bucket: &str) -> Vec<Leftover> {
        self.shim.leftovers(bucket)
    }
}
