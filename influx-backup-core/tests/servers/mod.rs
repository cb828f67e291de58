//! Real object-store servers for integration tests: MinIO, Azurite and fake-gcs-server as processes, an S3 server inside
//! the test binary, a proxy that injects faults, and a server with canned answers.
//!
//! Use with `mod servers;` in a test file gated by `#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]`.
//! Each server runs once per test binary and dies with it, also when a test panics or the binary is killed; every test
//! takes a bucket of its own with [`StoreServer::fresh_bucket`]. The programs come from `.ci/servers`.
#![allow(dead_code, reason = "each test binary uses a part of this module")]
#![allow(unused_imports, reason = "each test binary uses a part of this module")]

mod accounts;
mod azurite;
mod behind;
mod canned;
mod cloud;
mod counting_s3;
mod endless;
mod fake_gcs;
mod fault_proxy;
mod gcs_json;
mod gcs_shim;
mod in_process_s3;
pub(crate) mod loopback;
mod minio;
mod place;
mod process;
mod s3_account;
mod tls;
mod xml;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Write;
use std::net::SocketAddr;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use object_store::client::{HttpConnector, HttpRequestBody, ReqwestConnector};
use object_store::{ClientOptions, ObjectStore};

pub(crate) use azurite::Azurite;
pub(crate) use behind::{Behind, write};
pub(crate) use canned::{Canned, answer};
pub(crate) use cloud::Cloud;
pub(crate) use counting_s3::{Bulk, CopyAnswers, CountingS3, Counts, Kind};
pub(crate) use endless::Endless;
pub(crate) use fake_gcs::FakeGcs;
pub(crate) use fault_proxy::{Fault, FaultProxy, Injected, RequestHead, Rule, State};
pub(crate) use gcs_shim::{GcsShim, Reads};
pub(crate) use in_process_s3::InProcessS3;
pub(crate) use minio::Minio;
pub(crate) use place::Place;
pub(crate) use s3_account::S3Account;
pub(crate) use tls::Tls;

/// An upload that was begun and neither completed nor aborted, as the store's own API lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leftover {
    /// Key the upload was for.
    pub(crate) key: String,
    /// Upload id (S3, GCS) or block id (Azure).
    pub(crate) upload: String,
}

/// A running object-store server. The methods ending in `_at` take another address than the server's own, that of a
/// [`FaultProxy`] before it.
#[async_trait]
pub(crate) trait StoreServer: Debug + Send + Sync {
    /// Name for messages.
    fn name(&self) -> &'static str;

    /// Where the server listens, on loopback.
    fn address(&self) -> SocketAddr;

    /// URL scheme of its locations: `s3`, `az` or `gs`.
    fn scheme(&self) -> &'static str;

    /// Endpoint and credentials under the names that InfluxDB users know.
    fn options_at(&self, address: SocketAddr) -> BTreeMap<String, String>;

    /// A new client of one bucket. Not cached: an HTTP client must not outlive the runtime of the test that made it.
    fn store_at(&self, address: SocketAddr, bucket: &str) -> Arc<dyn ObjectStore>;

    /// Creates a bucket (Azure: a container).
    async fn create_bucket(&self, bucket: &str);

    /// How many keys a page of a listing has.
    fn page(&self) -> usize {
        1_000
    }

    /// Uploads without an end in a bucket, asked of the server itself, in order.
    async fn leftovers(&self, bucket: &str) -> Vec<Leftover>;

    /// [`Self::options_at`] the server's own address.
    fn options(&self) -> BTreeMap<String, String> {
        self.options_at(self.address())
    }

    /// [`Self::store_at`] the server's own address.
    fn store(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        self.store_at(self.address(), bucket)
    }

    /// `scheme://bucket/prefix`.
    fn url(&self, bucket: &str, prefix: &str) -> String {
        format!("{}://{bucket}/{prefix}", self.scheme())
    }

    /// A location in a bucket, opened as a user would.
    fn location_at(&self, address: SocketAddr, bucket: &str, prefix: &str) -> influx_backup_core::Location {
        let options = self.options_at(address).into_iter().collect();
        influx_backup_core::Location::parse(&self.url(bucket, prefix), &options).expect("a location")
    }

    /// [`Self::location_at`] the server's own address.
    fn location(&self, bucket: &str, prefix: &str) -> influx_backup_core::Location {
        self.location_at(self.address(), bucket, prefix)
    }

    /// Creates a bucket with a name no other test has, short for the sake of [`InProcessS3`]'s file names.
    async fn fresh_bucket(&self) -> String {
        let bucket = format!("t-{:010x}", rand::random::<u64>() >> 24);
        self.create_bucket(&bucket).await;
        bucket
    }
}

/// MinIO, started at the first call; `None` after the test has been reported as not run.
#[track_caller]
pub(crate) fn minio() -> Option<&'static Minio> {
    static SERVER: OnceLock<Option<Minio>> = OnceLock::new();
    or_report(SERVER.get_or_init(Minio::start), "minio", Location::caller())
}

/// Azurite, started at the first call; `None` after the test has been reported as not run.
#[track_caller]
pub(crate) fn azurite() -> Option<&'static Azurite> {
    static SERVER: OnceLock<Option<Azurite>> = OnceLock::new();
    or_report(SERVER.get_or_init(Azurite::start), "azurite", Location::caller())
}

/// fake-gcs-server behind its shim, started at the first call; `None` after the test has been reported as not run.
#[track_caller]
pub(crate) fn fake_gcs() -> Option<&'static FakeGcs> {
    static SERVER: OnceLock<Option<FakeGcs>> = OnceLock::new();
    or_report(SERVER.get_or_init(FakeGcs::start), "fake-gcs-server", Location::caller())
}

/// Google's storage testbench, where `INFLUX_BACKUP_TEST_GCS_TESTBENCH` says its address, such as `127.0.0.1:9000`: it is
/// extra, so nothing is reported where it is not.
pub(crate) fn gcs_testbench() -> Option<&'static FakeGcs> {
    static SERVER: OnceLock<Option<FakeGcs>> = OnceLock::new();
    let named = || {
        let address = std::env::var("INFLUX_BACKUP_TEST_GCS_TESTBENCH").ok().filter(|address| !address.is_empty())?;
        Some(FakeGcs::testbench(address.parse().expect("INFLUX_BACKUP_TEST_GCS_TESTBENCH is ADDRESS:PORT")))
    };
    SERVER.get_or_init(named).as_ref()
}

/// The S3 server inside this process; always there.
pub(crate) fn in_process_s3() -> &'static InProcessS3 {
    static SERVER: OnceLock<InProcessS3> = OnceLock::new();
    SERVER.get_or_init(InProcessS3::start)
}

/// Every server that is there; the missing ones have been reported.
#[track_caller]
pub(crate) fn all() -> Vec<&'static dyn StoreServer> {
    let mut servers: Vec<&'static dyn StoreServer> = vec![in_process_s3()];
    servers.extend(minio().map(|server| server as &dyn StoreServer));
    servers.extend(azurite().map(|server| server as &dyn StoreServer));
    servers.extend(fake_gcs().map(|server| server as &dyn StoreServer));
    servers.extend(gcs_testbench().map(|server| server as &dyn StoreServer));
    servers
}

/// A missing server is a failure where `CI=true`, else a line on stderr with the test's name. The line is written to the
/// stream itself, because the harness hides the printed output of a test that passes.
fn or_report<T>(server: &'static Option<T>, name: &str, caller: &Location<'_>) -> Option<&'static T> {
    if server.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{name} is missing: run .ci/servers, which finds or builds it"
        );
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        writeln!(std::io::stderr(), "not run: {test} ({caller}): {name} is missing, get it with .ci/servers").ok();
    }
    server.as_ref()
}

/// Options of a client that talks to loopback servers.
fn client_options() -> ClientOptions {
    ClientOptions::new().with_allow_http(true)
}

/// One plain HTTP request, for what object_store has no call for.
pub(crate) async fn send(method: Method, url: &str, headers: HeaderMap, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut request = Request::new(HttpRequestBody::from(body.into()));
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().expect("a valid URL");
    *request.headers_mut() = headers;
    send_request(request).await
}

/// As [`send`], for a request that is already there, for example because it had to be signed.
pub(crate) async fn send_request(request: Request<HttpRequestBody>) -> Response<Bytes> {
    let client = ReqwestConnector::default().connect(&client_options()).expect("an HTTP client");
    let (parts, body) = client.execute(request).await.expect("an answer from a loopback server").into_parts();
    Response::from_parts(parts, body.bytes().await.expect("the body of the answer"))
}
