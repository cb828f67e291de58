//! Why a request that needs credentials was not made: [`NoCredentials`], [`NotIssued`].

use super::{Source, StoreErrorKind};

/// No credentials were given, and the machine has none.
#[derive(Debug, thiserror::Error)]
#[error("no credentials were given (tried: {tried})")]
pub(crate) struct NoCredentials {
    /// Options, variables and services, in words.
    pub(crate) tried: String,
    /// What the last of them answered.
    #[source]
    pub(crate) answer: Source,
}

/// A service did not answer with credentials. What it answered is not the store's answer: nothing is known of the object.
#[derive(Debug, thiserror::Error)]
#[error("{service} gave no credentials")]
pub(crate) struct NotIssued {
    /// The service, in words.
    pub(crate) service: &'static str,
    /// What this means for the request.
    pub(crate) kind: StoreErrorKind,
    /// What it answered.
    #[source]
    pub(crate) answer: Source,
}
