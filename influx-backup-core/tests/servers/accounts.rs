//! Who may use an [`InProcessS3`](super::InProcessS3), and which of its buckets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{Request, header::AUTHORIZATION};
use s3s::{
    S3Result,
    auth::{S3Auth, SecretKey},
    s3_error,
};

use super::s3_account::S3Account;

/// Accounts that can be changed while the server runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accounts(Arc<Mutex<Vec<Account>>>);

#[derive(Debug)]
struct Account {
    keys: S3Account,
    /// The only bucket it may use; `None`: all of them.
    bucket: Option<String>,
}

impl Accounts {
    /// Takes another pair of keys, for all buckets.
    pub(crate) fn admit(&self, keys: &S3Account) {
        self.lock().push(Account { keys: keys.clone(), bucket: None });
    }

    /// Takes another pair of keys, for one bucket.
    pub(crate) fn admit_to(&self, bucket: &str, keys: &S3Account) {
        self.lock().push(Account { keys: keys.clone(), bucket: Some(bucket.to_owned()) });
    }

    /// No longer takes a pair of keys.
    pub(crate) fn expel(&self, keys: &S3Account) {
        self.lock().retain(|account| account.keys.access_key_id != keys.access_key_id);
    }

    /// Whether an account has a right to the buckets that a request names; who it is from s3s finds out.
    pub(super) fn allow<B>(&self, request: &Request<B>) -> bool {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signed = format!("{} {}", header(AUTHORIZATION.as_str()), request.uri().query().unwrap_or_default());
        let bucket = |path: &str| path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
        let named = [bucket(request.uri().path()), bucket(header("x-amz-copy-source"))];
        let accounts = self.lock();
        let account = accounts.iter().find(|account| signed.contains(&account.keys.access_key_id));
        account
            .and_then(|account| account.bucket.as_ref())
            .is_none_or(|only| named.iter().all(|bucket| bucket.is_empty() || bucket == only))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl S3Auth for Accounts {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let accounts = self.lock();
        match accounts.iter().find(|account| account.keys.access_key_id == access_key) {
            Some(account) => Ok(account.keys.secret_access_key.clone().into()),
            None => Err(s3_error!(InvalidAccessKeyId, "no such key")),
        }
    }
}
