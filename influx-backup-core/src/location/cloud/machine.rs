//! The credentials of the machine: what object_store asks for where none are given. A machine that has none answers in many
//! ways, or not at all, within seconds as well as within minutes: the error says that none were given, and what was tried.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::FutureExt;
use object_store::{BackoffConfig, CredentialProvider, RetryConfig};
use tokio::time::timeout;

use crate::error::NoCredentials;

/// How long the machine may take for the first ones: less than the store may be silent. Its services answer at once.
const LIMIT: Duration = Duration::from_secs(5);

/// What a client asks for credentials: one more time, as a service that is there seldom fails.
pub(super) fn retry() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: 1, retry_timeout: LIMIT }
}

type Credentials<C> = Arc<dyn CredentialProvider<Credential = C>>;

/// Whether `credentials` are the machine's, as they are where none are given.
pub(super) fn is_asked<C>(credentials: &Credentials<C>) -> bool {
    // The crate decides which credentials count, and shows its decision only here.
    let kind = format!("{credentials:?}");
    let services = ["InstanceCredentialProvider", "ImdsManagedIdentityProvider"];
    let kind = kind.strip_prefix("TokenCredentialProvider { inner: ");
    kind.is_some_and(|kind| services.iter().any(|service| kind.starts_with(service)))
}

/// The credentials of the machine, or the error that there are none. `tried` says where they were looked for.
pub(super) fn or_none<C>(credentials: &Credentials<C>, tried: &str) -> Credentials<C>
where
    C: fmt::Debug + Send + Sync + 'static,
{
    let inner = Arc::clone(credentials);
    Arc::new(Machine { inner, tried: tried.to_owned(), had_any: AtomicBool::new(false) })
}

#[derive(Debug)]
struct Machine<C> {
    inner: Credentials<C>,
    tried: String,
    /// From then on, it has some, and what it fails with may pass.
    had_any: AtomicBool,
}

#[async_trait]
impl<C: fmt::Debug + Send + Sync> CredentialProvider for Machine<C> {
    type Credential = C;

    async fn get_credential(&self) -> object_store::Result<Arc<C>> {
        // Tokens become headers, and the crate panics at those that none can be.
        let asked = AssertUnwindSafe(self.inner.get_credential()).catch_unwind();
        let asked = asked.map(|answer| answer.unwrap_or_else(|_| Err(unfit())));
        if self.had_any.load(Ordering::Relaxed) {
            return asked.await;
        }
        let answer = match timeout(LIMIT, asked).await {
            Ok(Ok(credential)) => {
                self.had_any.store(true, Ordering::Relaxed);
                return Ok(credential);
            }
            Ok(Err(error)) => error.into(),
            Err(_) => format!("no answer within {} s", LIMIT.as_secs()).into(),
        };
        let source = Box::new(NoCredentials { tried: self.tried.clone(), answer });
        Err(object_store::Error::Unauthenticated { path: String::new(), source })
    }
}

fn unfit() -> object_store::Error {
    object_store::Error::Generic { store: "credentials", source: "the answer of the service is no credential".into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use object_store::Error;

    use super::*;
    use crate::error::StoreErrorKind;

    /// Answers with these, the last one first, and then never.
    #[derive(Debug)]
    struct Scripted(Mutex<Vec<object_store::Result<Arc<String>>>>);

    #[async_trait]
    impl CredentialProvider for Scripted {
        type Credential = String;

        async fn get_credential(&self) -> object_store::Result<Arc<String>> {
            let next = self.0.lock().expect("a script").pop();
            match next {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    }

    fn refused() -> Error {
        Error::Generic { store: "metadata", source: "404 Not Found".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_machine_that_never_had_any_has_none() {
        let answers = vec![Err(refused()), Ok(Arc::new("key".to_owned())), Err(refused())];
        let scripted: Credentials<String> = Arc::new(Scripted(Mutex::new(answers)));
        let credentials = or_none(&scripted, "a file");
        let error = credentials.get_credential().await.expect_err("none");
        assert_eq!(StoreErrorKind::of(&error), StoreErrorKind::NoCredentials);
        let none = std::error::Error::source(&error).expect("what was tried");
        assert_eq!(none.to_string(), "no credentials were given (tried: a file)");
        assert!(none.source().expect("the answer").to_string().contains("404"), "{none:?}");
        assert_eq!(credentials.get_credential().await.expect("some").as_str(), "key");
        let error = credentials.get_credential().await.expect_err("for a moment");
        assert_eq!(StoreErrorKind::of(&error), StoreErrorKind::Unknown, "it may pass");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_machine_is_waited_for_for_seconds() {
        let scripted: Credentials<String> = Arc::new(Scripted(Mutex::default()));
        let error = or_none(&scripted, "a file").get_credential().await.expect_err("none");
        assert_eq!(StoreErrorKind::of(&error), StoreErrorKind::NoCredentials);
        let none = std::error::Error::source(&error).and_then(|none| none.source()).expect("an answer");
        assert_eq!(none.to_string(), "no answer within 5 s");
    }
}
