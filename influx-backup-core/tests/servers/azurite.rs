//! Azurite, Microsoft's emulator of Azure Blob Storage, as a process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use object_store::ObjectStore;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::HttpRequestBody;

use super::process::{Healthy, Process, find_program};
use super::{Leftover, StoreServer, client_options, send_request, xml};

/// The account every Azurite has; name and key are published in its documentation.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// An Azurite blob service that keeps its objects in memory.
#[derive(Debug)]
pub(crate) struct Azurite {
    process: Process,
}

impl Azurite {
    /// `None` where there is no such program.
    pub(crate) fn start() -> Option<Self> {
        let program = find_program("azurite-blob")?;
        let process =
            Process::start("azurite", Healthy::AnyAnswer("/"), |_, address| {
                let mut command = Command::new(&program);
                command
                    .args(["--blobHost", &address.ip().to_string(), "--blobPort", &address.port().to_string()])
                    .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]);
                command
            });
        Some(Self { process })
    }

    pub(crate) fn started_in(&self) -> Duration {
        self.process.started_in()
    }

    pub(crate) fn client(address: SocketAddr, bucket: &str) -> MicrosoftAzure {
        MicrosoftAzureBuilder::new()
            .with_endpoint(endpoint(address))
            .with_client_options(client_options())
            .with_account(ACCOUNT)
            .with_access_key(KEY)
            .with_container_name(bucket)
            .build()
            .expect("a client of an Azure container")
    }

    /// A request signed with the account's key; `target` is what follows the account in the path.
    pub(crate) async fn request(&self, method: Method, target: &str) -> Response<Bytes> {
        self.send(method, target, Bytes::new()).await
    }

    /// Puts a blob of any name, also of one that object_store cannot write.
    pub(crate) async fn put_blob(&self, container: &str, name: &str, bytes: Bytes) {
        let answer = self.send(Method::PUT, &format!("{container}/{name}"), bytes).await;
        assert!(answer.status().is_success(), "{name}: {answer:?}");
    }

    /// The names of all blobs of a container.
    pub(crate) async fn names(&self, container: &str) -> Vec<String> {
        let listing = self.request(Method::GET, &format!("{container}?restype=container&comp=list")).await;
        let text = String::from_utf8_lossy(listing.body()).into_owned();
        xml::elements(&text, "Blob").into_iter().map(|blob| xml::element(blob, "Name")).collect()
    }

    async fn send(&self, method: Method, target: &str, body: Bytes) -> Response<Bytes> {
        let length = body.len();
        let mut request = Request::new(HttpRequestBody::from(body));
        *request.uri_mut() = format!("{}/{target}", endpoint(self.address())).parse().expect("a valid URL");
        if method != Method::GET {
            request.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
        }
        if method == Method::PUT && !target.contains('?') {
            request.headers_mut().insert("x-ms-blob-type", http::HeaderValue::from_static("BlockBlob"));
        }
        *request.method_mut() = method;
        let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(KEY).expect("a valid key"));
        AzureAuthorizer::new(&credential, ACCOUNT).try_authorize(&mut request).expect("a signed request");
        send_request(request).await
    }
}

fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}/{ACCOUNT}")
}

#[async_trait]
impl StoreServer for Azurite {
    fn name(&self) -> &'static str {
        "azurite"
    }

    fn address(&self) -> SocketAddr {
        self.process.address()
    }

    fn scheme(&self) -> &'static str {
        "az"
    }

    fn options_at(&self, address: SocketAddr) -> BTreeMap<String, String> {
        [
            ("AZURE_ENDPOINT", endpoint(address)),
            ("AZURE_ALLOW_HTTP", "true".to_owned()),
            ("AZURE_STORAGE_ACCOUNT", ACCOUNT.to_owned()),
            ("AZURE_STORAGE_ACCESS_KEY", KEY.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn store_at(&self, address: SocketAddr, bucket: &str) -> Arc<dyn ObjectStore> {
        Arc::new(Self::client(address, bucket))
    }

    async fn create_bucket(&self, bucket: &str) {
        let answer = self.request(Method::PUT, &format!("{bucket}?restype=container")).await;
        assert!(answer.status().is_success(), "container {bucket} could not be created: {answer:?}");
    }

    fn page(&self) -> usize {
        5_000
    }

    /// Uncommitted blocks, blob by blob. A block staged for a blob that exists is one, too.
    async fn leftovers(&self, bucket: &str) -> Vec<Leftover> {
        let target = format!("{bucket}?restype=container&comp=list&include=uncommittedblobs");
        let listing = self.request(Method::GET, &target).await;
        assert!(listing.status().is_success(), "container {bucket} could not be listed: {listing:?}");
        let text = String::from_utf8_lossy(listing.body()).into_owned();
        assert_eq!(xml::element(&text, "NextMarker"), "", "more than one page of blobs in {bucket}");
        let mut leftovers = Vec::new();
        for blob in xml::elements(&text, "Blob") {
            let key = xml::element(blob, "Name");
            let mut url = url::Url::parse("http://host").expect("a valid URL");
            url.path_segments_mut().expect("a base URL").clear().push(bucket).extend(key.split('/'));
            let target = format!("{}?comp=blocklist&blocklisttype=uncommitted", url.path().trim_start_matches('/'));
            let blocks = self.request(Method::GET, &target).await;
            assert!(blocks.status().is_success(), "blocks of {key} could not be listed: {blocks:?}");
            let blocks = String::from_utf8_lossy(blocks.body());
            let blocks = xml::elements(&blocks, "Block");
            leftovers
                .extend(blocks.iter().map(|block| Leftover { key: key.clone(), upload: xml::element(block, "Name") }));
        }
        leftovers.sort();
        leftovers
    }
}
