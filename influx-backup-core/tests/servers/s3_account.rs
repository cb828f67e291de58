//! What MinIO and the in-process server have in common: S3 with one key pair.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer, AwsCredential};
use object_store::client::HttpRequestBody;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};

use super::{Leftover, client_options, send, send_request, xml};

/// A key pair; the region is always `us-east-1`.
#[derive(Debug, Clone)]
pub(crate) struct S3Account {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl S3Account {
    /// A random pair: should two test binaries ever meet on one port, they shall not share a server unnoticed.
    pub(crate) fn random() -> Self {
        Self {
            access_key_id: format!("key-{:012x}", rand::random::<u64>() >> 16),
            secret_access_key: format!("{:032x}", rand::random::<u128>()),
        }
    }

    pub(crate) fn options(&self, address: SocketAddr) -> BTreeMap<String, String> {
        [
            ("AWS_ENDPOINT", format!("http://{address}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    pub(crate) fn builder(&self, address: SocketAddr, bucket: &str) -> AmazonS3Builder {
        AmazonS3Builder::new()
            .with_endpoint(format!("http://{address}"))
            .with_client_options(client_options())
            .with_region("us-east-1")
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(&self.secret_access_key)
            .with_bucket_name(bucket)
    }

    pub(crate) fn client(&self, address: SocketAddr, bucket: &str) -> AmazonS3 {
        self.builder(address, bucket).build().expect("a client of an S3 bucket")
    }

    /// A request about the bucket as a whole.
    pub(crate) async fn bucket_request(
        &self,
        address: SocketAddr,
        method: Method,
        bucket: &str,
        query: &[(&str, &str)],
    ) -> Response<Bytes> {
        bucket_request(&self.client(address, bucket), method, query, "").await
    }

    /// Keys with a part of this account's rights, as its service for tokens gives them.
    pub(crate) async fn assumed(&self, address: SocketAddr, policy: &str) -> [(String, String); 3] {
        let (key_id, secret_key) = (self.access_key_id.clone(), self.secret_access_key.clone());
        let credential = AwsCredential { key_id, secret_key, token: None };
        let policy = percent_encoding::utf8_percent_encode(policy, percent_encoding::NON_ALPHANUMERIC);
        let form = format!("Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600&Policy={policy}");
        let mut request = Request::new(HttpRequestBody::from(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("http://{address}/").parse().expect("a URL");
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(http::header::CONTENT_TYPE, form);
        AwsAuthorizer::new(&credential, "sts", "us-east-1").try_authorize(&mut request, None).expect("signed");
        let answer = send_request(request).await;
        assert!(answer.status().is_success(), "no token was given: {answer:?}");
        let text = String::from_utf8_lossy(answer.body());
        [
            ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
            ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ("AWS_SESSION_TOKEN", "SessionToken"),
        ]
        .map(|(name, tag)| (name.to_owned(), xml::element(&text, tag)))
    }

    pub(crate) async fn create_bucket(&self, address: SocketAddr, bucket: &str) {
        let answer = self.bucket_request(address, Method::PUT, bucket, &[]).await;
        assert!(answer.status().is_success(), "bucket {bucket} could not be created: {answer:?}");
    }
}

pub(super) async fn bucket_request(
    client: &AmazonS3,
    method: Method,
    query: &[(&str, &str)],
    body: &'static str,
) -> Response<Bytes> {
    let options = SignedUrlOptions::default().with_query(query.iter().copied());
    let url = client
        .signed_url_opts(method.clone(), &Path::default(), Duration::from_secs(60), &options)
        .await
        .expect("a signed URL");
    let mut headers = HeaderMap::new();
    if method != Method::GET {
        headers.insert(http::header::CONTENT_LENGTH, body.len().into());
    }
    send(method, url.as_str(), headers, body).await
}

/// A bucket's uploads without an end, by `?uploads` without a prefix: MinIO takes a prefix for an exact key.
pub(crate) async fn uploads(client: &AmazonS3) -> Vec<Leftover> {
    let answer = bucket_request(client, Method::GET, &[("uploads", "")], "").await;
    assert!(answer.status().is_success(), "the uploads of {client} could not be listed: {answer:?}");
    let text = String::from_utf8_lossy(answer.body());
    assert_eq!(xml::element(&text, "IsTruncated"), "false", "more than one page of uploads in {client}");
    let mut leftovers: Vec<_> = xml::elements(&text, "Upload")
        .into_iter()
        .map(|upload| Leftover { key: xml::element(upload, "Key"), upload: xml::element(upload, "UploadId") })
        .collect();
    leftovers.sort();
    leftovers
}
