//! Requests that an S3 store refuses because their credentials were replaced meanwhile.

use std::sync::Arc;

use http::{StatusCode, header::AUTHORIZATION};
use object_store::{aws::AwsAuthorizer, client::HttpRequest};

use super::credentials_file::CredentialsFile;
use crate::checksum::from_hex;

const TOKEN: &str = "x-amz-security-token";
const DIGEST: &str = "x-amz-content-sha256";

/// Signs again, with what a credentials file holds now: a key may be revoked long before it was to expire, and the
/// object_store crate gives up at the first refusal.
#[derive(Debug)]
pub(super) struct Renewal {
    pub(super) file: Arc<CredentialsFile>,
    pub(super) region: String,
}

impl Renewal {
    /// Whether an answer may be about credentials: AWS says 400 to a token that has expired.
    pub(super) fn may_help(status: StatusCode) -> bool {
        matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// The request with another signature; `None` where the file holds what it was signed with, or where the signature is
    /// in its URL.
    pub(super) async fn sign_again(&self, mut request: HttpRequest) -> Option<HttpRequest> {
        let credential = self.file.read_again().await?;
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let signed_by = format!("Credential={}/", credential.key_id);
        let is_known = text(AUTHORIZATION.as_str())?.contains(&signed_by) && text(TOKEN) == credential.token.as_deref();
        if is_known {
            return None;
        }
        let digest = text(DIGEST).and_then(from_hex);
        request.headers_mut().remove(TOKEN);
        let authorizer = AwsAuthorizer::new(&credential, "s3", &self.region).with_sign_payload(digest.is_some());
        authorizer.try_authorize(&mut request, digest.as_deref()).ok()?;
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use object_store::client::HttpRequestBody;

    use super::*;

    fn write(path: &std::path::Path, key: &str, token: Option<&str>) {
        let json = serde_json::json!({
            "aws_access_key_id": key, "aws_secret_access_key": "s3cr3t", "aws_session_token": token,
        });
        std::fs::write(path, json.to_string()).expect("written");
    }

    async fn signed(renewal: &Renewal) -> HttpRequest {
        let mut request = HttpRequest::new(HttpRequestBody::from("content".to_owned()));
        *request.uri_mut() = "http://127.0.0.1:9/bucket/key".parse().expect("a URL");
        let credential = renewal.file.read_again().await.expect("a credential");
        AwsAuthorizer::new(&credential, "s3", "eu-west-1").try_authorize(&mut request, None).expect("signed");
        request
    }

    #[tokio::test]
    async fn only_other_credentials_are_another_try() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("credentials.json");
        let file = Arc::new(CredentialsFile::new(&path));
        let renewal = Renewal { file, region: "eu-west-1".to_owned() };
        write(&path, "first", Some("t"));
        let request = signed(&renewal).await;
        assert!(renewal.sign_again(request.clone()).await.is_none(), "these were refused");

        write(&path, "second", None);
        let again = renewal.sign_again(request.clone()).await.expect("signed again");
        let header = |request: &HttpRequest, name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
        assert!(header(&again, "authorization").expect("signed").contains("Credential=second/"));
        assert_eq!(header(&again, TOKEN), None, "the token was the first one's");
        assert_eq!(header(&again, DIGEST), header(&request, DIGEST), "the content is the same");
        write(&path, "second", Some("u"));
        assert!(renewal.sign_again(again).await.is_some(), "the same key with another token");
        std::fs::remove_file(&path).expect("removed");
        assert!(renewal.sign_again(request).await.is_none(), "there is nothing to sign with");
    }
}
