//! The credentials of the machine: what object_store asks for where none are given. A machine that has none answers in many
//! ways, or not at all, within seconds as well as within minutes: the error says that none were given, and what was tried.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use object_store::{BackoffConfig, CredentialProvider, RetryConfig};
use tokio::time::timeout;

use super::issued::{self, Credential, Credentials};
use crate::error::{NoCredentials, Result};

/// How long the machine may take for the first ones: less than the store may be silent. Its services answer at once.
const LIMIT: Duration = Duration::from_secs(5);

/// What a client asks for credentials: one more time, as a service that is there seldom fails.
fn retry() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: 1, retry_timeout: LIMIT }
}

/// The credentials to use in the place of those that the object_store crate chose, which a service answers with. `None`: they
/// were given. Where they are the machine's, as they are where none are given, `again` chooses them for other retries, and
/// `tried` says where they were looked for.
pub(super) fn instead<C: Credential>(
    chosen: &Credentials<C>,
    again: impl FnOnce(RetryConfig) -> Result<Credentials<C>>,
    tried: impl FnOnce() -> String,
) -> Result<Option<Credentials<C>>> {
    Ok(match issued::asker(chosen).as_str() {
        "StaticCredentialProvider" | "SelfSignedJwt" => None,
        asker if issued::is_of_machine(asker) => Some(or_none(issued::checked(&again(retry())?), tried())),
        _ => Some(issued::checked(chosen)),
    })
}

/// The credentials of the machine, or the error that there are none.
fn or_none<C>(inner: Credentials<C>, tried: String) -> Credentials<C>
where
    C: fmt::Debug + Send + Sync + 'static,
{
    Arc::new(Machine { inner, tried, had_any: AtomicBool::new(false) })
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
        let asked = self.inner.get_credential();
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
        let credentials = or_none(scripted, "a file".to_owned());
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
        let error = or_none(scripted, "a file".to_owned()).get_credential().await.expect_err("none");
        assert_eq!(StoreErrorKind::of(&error), StoreErrorKind::NoCredentials);
        let none = std::error::Error::source(&error).and_then(|none| none.source()).expect("an answer");
        assert_eq!(none.to_string(), "no answer within 5 s");
    }
}
