//! InfluxDB's JSON file with AWS credentials, which another program writes again before they expire.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use object_store::{CredentialProvider, aws::AwsCredential};
use serde::Deserialize;

use crate::location::options::kind::Kind;

/// Read again so long before credentials expire, so that a request that is under way outlives them.
const BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// The file is read again after this time in any case: one without `expiry` may be replaced at any time.
const AT_MOST: Duration = Duration::from_secs(60);

/// `aws_access_key_id`, `aws_secret_access_key` and, where the credentials are temporary, `aws_session_token` and
/// `expiry` in seconds since 1970.
#[derive(Deserialize)]
struct File {
    aws_access_key_id: String,
    aws_secret_access_key: String,
    aws_session_token: Option<String>,
    expiry: Option<i64>,
}

/// Credentials from the file, read again before they expire.
pub(super) struct CredentialsFile {
    path: PathBuf,
    read: Mutex<Option<Read>>,
}

#[derive(Clone)]
struct Read {
    credential: Arc<AwsCredential>,
    at: DateTime<Utc>,
    expiry: Option<DateTime<Utc>>,
}

impl Read {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        let soon = self.expiry.is_some_and(|expiry| now + BEFORE_EXPIRY >= expiry);
        !soon && now >= self.at && now < self.at + AT_MOST
    }

    fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.expiry.is_none_or(|expiry| now < expiry)
    }
}

impl CredentialsFile {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read: Mutex::new(None) }
    }

    async fn read(&self) -> Result<Read, String> {
        let bytes = tokio::fs::read(&self.path).await.map_err(|error| format!("it cannot be read: {error}"))?;
        // The parser's own words may quote the file.
        let file: File = serde_json::from_slice(&bytes).map_err(|error| {
            format!("line {} is not JSON with aws_access_key_id and aws_secret_access_key", error.line())
        })?;
        let key_id = file.aws_access_key_id;
        let secret_key = file.aws_secret_access_key;
        let token = file.aws_session_token;
        let values = [
            ("aws_access_key_id", Some(&key_id)),
            ("aws_secret_access_key", Some(&secret_key)),
            ("aws_session_token", token.as_ref()),
        ];
        for (option, value) in values {
            let read = value.map_or(Ok(String::new()), |value| Kind::of(option).unwrap_or(Kind::Token).read(value));
            read.map_err(|flaw| format!("its {option} cannot be used: {flaw}"))?;
        }
        let expiry = file.expiry.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        Ok(Read { credential: Arc::new(AwsCredential { key_id, secret_key, token }), at: Utc::now(), expiry })
    }

    /// What the file holds now, however fresh what was read before is. `None` where it cannot be read.
    pub(super) async fn read_again(&self) -> Option<Arc<AwsCredential>> {
        let read = self.read().await.ok()?;
        let credential = Arc::clone(&read.credential);
        self.keep(read);
        Some(credential)
    }

    fn keep(&self, read: Read) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
    }

    fn kept(&self) -> Option<Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl CredentialProvider for CredentialsFile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let kept = self.kept();
        let now = Utc::now();
        if let Some(read) = kept.as_ref().filter(|read| read.is_fresh(now)) {
            return Ok(Arc::clone(&read.credential));
        }
        match (self.read().await, kept) {
            (Ok(read), _) => {
                let credential = Arc::clone(&read.credential);
                self.keep(read);
                Ok(credential)
            }
            // It may just be being written.
            (Err(_), Some(kept)) if kept.is_valid(now) => Ok(kept.credential),
            (Err(reason), _) => Err(object_store::Error::Unauthenticated {
                path: self.path.display().to_string(),
                source: format!("credentials file `{}`: {reason}", self.path.display()).into(),
            }),
        }
    }
}

impl std::fmt::Debug for CredentialsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialsFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &std::path::Path, key: &str, expires_in: Option<i64>) {
        let expiry = expires_in.map(|seconds| Utc::now().timestamp() + seconds);
        let json = serde_json::json!({
            "aws_access_key_id": key, "aws_secret_access_key": "s3cr3t", "aws_session_token": "t", "expiry": expiry,
        });
        std::fs::write(path, json.to_string()).expect("written");
    }

    #[tokio::test]
    async fn it_is_read_again_before_it_expires() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("credentials.json");
        let file = CredentialsFile::new(&path);
        assert!(file.get_credential().await.is_err(), "there is none yet");

        write(&path, "first", Some(30));
        let first = file.get_credential().await.expect("read");
        assert_eq!((first.key_id.as_str(), first.token.as_deref()), ("first", Some("t")));
        write(&path, "second", Some(3600));
        assert_eq!(file.get_credential().await.expect("read again").key_id, "second");
        write(&path, "third", Some(3600));
        assert_eq!(file.get_credential().await.expect("kept").key_id, "second", "it is valid for an hour");
    }

    #[tokio::test]
    async fn a_file_that_is_being_written_does_not_fail_a_run() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("credentials.json");
        let file = CredentialsFile::new(&path);
        write(&path, "first", Some(30));
        file.get_credential().await.expect("read");
        std::fs::write(&path, "{ \"aws_secret_access_key\": \"s3cr3t").expect("written");
        assert_eq!(file.get_credential().await.expect("still valid").key_id, "first");

        let error = CredentialsFile::new(&path).get_credential().await.expect_err("half a file");
        assert!(error.to_string().contains("credentials.json") && !format!("{error:?}").contains("s3cr3t"), "{error}");
        assert!(!format!("{file:?}").contains("s3cr3t"));
    }

    #[tokio::test]
    async fn a_value_of_which_no_header_can_be_made_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("credentials.json");
        write(&path, "s3cr3t\n", None);
        let error = CredentialsFile::new(&path).get_credential().await.expect_err("a line break");
        let text = format!("{error} {error:?}");
        assert!(text.contains("its aws_access_key_id cannot be used: it ends with a line break"), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }

    #[test]
    fn without_expiry_it_is_looked_at_every_minute() {
        let credential = AwsCredential { key_id: String::new(), secret_key: String::new(), token: None };
        let read = Read { credential: Arc::new(credential), at: Utc::now(), expiry: None };
        assert!(read.is_fresh(read.at + Duration::from_secs(59)) && !read.is_fresh(read.at + AT_MOST));
    }
}
