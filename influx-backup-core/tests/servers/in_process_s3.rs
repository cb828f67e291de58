//! An S3 server inside the test binary, so that every clone has an S3 test without any other program.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use object_store::ObjectStore;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::sync::Mutex;

use super::accounts::Accounts;
use super::loopback::Loopback;
use super::process::Scratch;
use super::s3_account::S3Account;
use super::{Leftover, StoreServer};

/// s3s with its file-system backend. Requests with a precondition take turns, since s3s-fs checks first and writes later:
/// of 16 create-only puts at once all 16 won. It checks signatures, has multipart uploads, ranged part copies, conditional puts
/// and checksums; it does not list uploads, so
/// [`StoreServer::leftovers`] looks at its files. A key longer than about 120 bytes is too much for its file names.
#[derive(Debug)]
pub(crate) struct InProcessS3 {
    server: Loopback,
    account: S3Account,
    accounts: Accounts,
    data: Scratch,
}

impl InProcessS3 {
    pub(crate) fn start() -> Self {
        let data = Scratch::new("in-process-s3");
        let account = S3Account::random();
        let accounts = Accounts::default();
        accounts.admit(&account);
        let root = data.path().to_owned();
        let rights = accounts.clone();
        let server = Loopback::http(move || {
            let mut service = S3ServiceBuilder::new(FileSystem::new(root).expect("a store in the data directory"));
            service.set_auth(rights.clone());
            let service = service.build();
            let conditional = Arc::new(Mutex::new(()));
            service_fn(move |request: Request<Incoming>| {
                let service = service.clone();
                let conditional = Arc::clone(&conditional);
                let allowed = rights.allow(&request);
                async move {
                    if !allowed {
                        let body = "<Error><Code>AccessDenied</Code></Error>".to_owned();
                        return Ok(Response::builder().status(403).body(s3s::Body::from(body)).expect("an answer"));
                    }
                    let headers = request.headers();
                    let guarded = [IF_MATCH, IF_NONE_MATCH].iter().any(|name| headers.contains_key(name));
                    let _turn = if guarded { Some(conditional.lock().await) } else { None };
                    service.call(request.map(s3s::Body::from)).await
                }
            })
        });
        Self { server, account, accounts, data }
    }

    /// Who may use it.
    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub(crate) fn account(&self) -> &S3Account {
        &self.account
    }
}

#[async_trait]
impl StoreServer for InProcessS3 {
    fn name(&self) -> &'static str {
        "in-process S3"
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn scheme(&self) -> &'static str {
        "s3"
    }

    fn options_at(&self, address: SocketAddr) -> BTreeMap<String, String> {
        self.account.options(address)
    }

    fn store_at(&self, address: SocketAddr, bucket: &str) -> Arc<dyn ObjectStore> {
        Arc::new(self.account.client(address, bucket))
    }

    async fn create_bucket(&self, bucket: &str) {
        self.account.create_bucket(self.address(), bucket).await;
    }

    /// The server's own files: one per upload, and beside it one with its id and the encoded bucket and key as name.
    async fn leftovers(&self, bucket: &str) -> Vec<Leftover> {
        let entries = std::fs::read_dir(self.data.path()).expect("the data directory");
        let names: BTreeSet<String> = entries
            .filter_map(|entry| entry.expect("an entry of the data directory").file_name().into_string().ok())
            .collect();
        let mut leftovers: Vec<_> = names
            .iter()
            .filter_map(|name| {
                let name = name.strip_prefix(".bucket-")?.strip_suffix(".metadata.json")?;
                let (of_bucket, name) = name.split_once(".object-")?;
                let (key, upload) = name.split_once(".upload-")?;
                let is_of_bucket = decode(of_bucket) == bucket && names.contains(&format!(".upload-{upload}.json"));
                is_of_bucket.then(|| Leftover { key: decode(key), upload: upload.to_owned() })
            })
            .collect();
        leftovers.sort();
        leftovers
    }
}

/// URL-safe base64 without padding, of text.
fn decode(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte).expect("a base64 digit");
        bits = (bits << 6 | digit as u32) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    String::from_utf8(bytes).expect("text")
}
