//! MinIO as a process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use object_store::ObjectStore;

use super::process::{Healthy, Process, find_program};
use super::s3_account::{self, S3Account};
use super::{Leftover, StoreServer};

/// A MinIO server with one data directory.
#[derive(Debug)]
pub(crate) struct Minio {
    process: Process,
    account: S3Account,
}

impl Minio {
    /// `None` where there is no such program.
    pub(crate) fn start() -> Option<Self> {
        let program = find_program("minio")?;
        let account = S3Account::random();
        // Its health checks say 200 before it serves requests: until then it answers 503 to them, later 403 to an unknown key.
        let process = Process::start("minio", Healthy::Status(403, "/"), |data, address| {
            let mut command = Command::new(&program);
            command
                .arg("server")
                .arg(data)
                .args(["--address", &address.to_string(), "--console-address", "127.0.0.1:0", "--quiet"])
                .env("MINIO_ROOT_USER", &account.access_key_id)
                .env("MINIO_ROOT_PASSWORD", &account.secret_access_key)
                .env("MINIO_BROWSER", "off")
                .env("MINIO_UPDATE", "off");
            command
        });
        Some(Self { process, account })
    }

    pub(crate) fn started_in(&self) -> Duration {
        self.process.started_in()
    }

    /// Sends the server a signal, such as `KILL` or `STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// The directory of its drive.
    pub(crate) fn data(&self) -> &Path {
        self.process.data()
    }

    pub(crate) fn account(&self) -> &S3Account {
        &self.account
    }

    /// The options of credentials that are good for the objects below a prefix, and nothing else of the bucket.
    pub(crate) async fn options_below(&self, bucket: &str, prefix: &str) -> BTreeMap<String, String> {
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": [format!("arn:aws:s3:::{bucket}/{prefix}/*")],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [format!("arn:aws:s3:::{bucket}")],
                "Condition": {"StringLike": {"s3:prefix": [format!("{prefix}/*")]}},
            },
        ]});
        let keys = self.account.assumed(self.address(), &policy.to_string()).await;
        self.options().into_iter().chain(keys).collect()
    }

    /// A bucket that keeps what is overwritten or deleted.
    pub(crate) async fn fresh_versioned_bucket(&self) -> String {
        let bucket = self.fresh_bucket().await;
        let client = self.account.client(self.address(), &bucket);
        let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let answer = s3_account::bucket_request(&client, Method::PUT, &[("versioning", "")], body).await;
        assert!(answer.status().is_success(), "bucket {bucket} got no versions: {answer:?}");
        bucket
    }
}

#[async_trait]
impl StoreServer for Minio {
    fn name(&self) -> &'static str {
        "minio"
    }

    fn address(&self) -> SocketAddr {
        self.process.address()
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

    async fn leftovers(&self, bucket: &str) -> Vec<Leftover> {
        s3_account::uploads(&self.account.client(self.address(), bucket)).await
    }
}
