//! [`NoCredentials`]: what was tried for a request that needs credentials.

use super::Source;

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
