//! Credentials as services answer them, read before a request is made of them: where none can be, the object_store crate panics.
//! What else a service answers is said to be its answer, and not the store's.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures::FutureExt;
use object_store::CredentialProvider;

use crate::{
    error::{NotIssued, StoreErrorKind},
    location::options::kind::Kind,
};

tokio::task_local! {
    static ASKED: ();
}

/// Whether the request under way asks a service for credentials.
pub(super) fn is_asked() -> bool {
    ASKED.try_with(|()| ()).is_ok()
}

pub(super) type Credentials<C> = Arc<dyn CredentialProvider<Credential = C>>;

/// A credential that requests are made of.
pub(super) trait Credential: fmt::Debug + Send + Sync + 'static {
    /// What of it becomes part of requests, by name, and what that may be.
    fn parts(&self) -> Vec<(&'static str, Kind, &str)>;
}

#[cfg(feature = "aws")]
impl Credential for object_store::aws::AwsCredential {
    fn parts(&self) -> Vec<(&'static str, Kind, &str)> {
        let token = self.token.as_ref().map(|token| ("session token", Kind::Token, token.as_str()));
        let keys =
            [("access key id", Kind::Header, &*self.key_id), ("secret access key", Kind::Secret, &*self.secret_key)];
        keys.into_iter().chain(token).collect()
    }
}

#[cfg(feature = "azure")]
impl Credential for object_store::azure::AzureCredential {
    fn parts(&self) -> Vec<(&'static str, Kind, &str)> {
        match self {
            Self::BearerToken(token) => vec![("token", Kind::Token, token)],
            // No service answers with these: they are options.
            Self::AccessKey(_) | Self::SASToken(_) => Vec::new(),
        }
    }
}

#[cfg(feature = "gcp")]
impl Credential for object_store::gcp::GcpCredential {
    fn parts(&self) -> Vec<(&'static str, Kind, &str)> {
        vec![("token", Kind::Token, &self.bearer)]
    }
}

/// The services by the names of what asks them.
const SERVICES: [(&str, &str); 10] = [
    ("InstanceCredentialProvider", "the metadata service of the machine"),
    ("TaskCredentialProvider", "the service of `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`"),
    ("EKSPodCredentialProvider", "the service of `AWS_CONTAINER_CREDENTIALS_FULL_URI`"),
    ("WebIdentityProvider", "the security token service (STS)"),
    ("ImdsManagedIdentityProvider", "the service of managed identities"),
    ("ClientSecretOAuthProvider", "the token service of Azure"),
    ("WorkloadIdentityOAuthProvider", "the token service of Azure"),
    ("FabricTokenOAuthProvider", "the token service of Fabric"),
    ("AzureCliCredential", "the Azure CLI"),
    ("AuthorizedUserCredentials", "the token service of Google"),
];

/// What asks for credentials, as the object_store crate calls it: it decides which count, and shows its decision only here.
pub(super) fn asker<C>(credentials: &Credentials<C>) -> String {
    let shown = format!("{credentials:?}");
    let asker = shown.strip_prefix("TokenCredentialProvider { inner: ").unwrap_or(&shown);
    asker.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// The same credentials, or an error that says what of an answer cannot be used.
pub(super) fn checked<C: Credential>(credentials: &Credentials<C>) -> Credentials<C> {
    let asker = asker(credentials);
    let service =
        SERVICES.iter().find(|(name, _)| *name == asker).map_or("the service of credentials", |found| found.1);
    let refusal = if is_of_machine(&asker) { StoreErrorKind::Unknown } else { StoreErrorKind::Denied };
    Arc::new(Checked { inner: Arc::clone(credentials), service, refusal })
}

/// Whether the machine is asked, which a cloud manages: it may not know for a moment which credentials it has.
pub(super) fn is_of_machine(asker: &str) -> bool {
    matches!(asker, "InstanceCredentialProvider" | "ImdsManagedIdentityProvider")
}

#[derive(Debug)]
struct Checked<C> {
    inner: Credentials<C>,
    service: &'static str,
    /// What it means where the service refuses.
    refusal: StoreErrorKind,
}

impl<C> Checked<C> {
    fn unfit(&self, flaw: &str) -> object_store::Error {
        let source = format!("what {} answered cannot be used: {flaw}", self.service).into();
        object_store::Error::Unauthenticated { path: String::new(), source }
    }

    /// What has no answer, or fails, may pass; it is no reason to ask the store for less.
    fn not_issued(&self, answer: object_store::Error) -> object_store::Error {
        let kind = match StoreErrorKind::of(&answer) {
            kind @ (StoreErrorKind::Unreachable | StoreErrorKind::Untrusted) => kind,
            StoreErrorKind::Throttled | StoreErrorKind::Unknown => StoreErrorKind::Unknown,
            _ => self.refusal,
        };
        let source = Box::new(NotIssued { service: self.service, kind, answer: Box::new(Said::of(&answer)) });
        object_store::Error::Unauthenticated { path: String::new(), source }
    }
}

/// An error in words. The address of a service may have a secret in its query, which is not among them.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Said {
    text: String,
    source: Option<Box<Self>>,
}

impl Said {
    fn of(error: &dyn std::error::Error) -> Self {
        let text = error.to_string();
        let words = text.split(' ').map(|word| match word.split_once('?') {
            Some((address, _)) if address.contains("://") => address,
            _ => word,
        });
        Self { text: words.collect::<Vec<_>>().join(" "), source: error.source().map(Self::of).map(Box::new) }
    }
}

#[async_trait]
impl<C: Credential> CredentialProvider for Checked<C> {
    type Credential = C;

    async fn get_credential(&self) -> object_store::Result<Arc<C>> {
        let asked = AssertUnwindSafe(ASKED.scope((), self.inner.get_credential())).catch_unwind();
        let asked = asked.await.map_err(|_| self.unfit("no request can be made of it"))?;
        let credential = asked.map_err(|answer| self.not_issued(answer))?;
        for (part, kind, value) in credential.parts() {
            kind.read(value).map_err(|flaw| self.unfit(&format!("its {part}: {flaw}")))?;
        }
        Ok(credential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StoreErrorKind;

    #[derive(Debug)]
    struct Token(&'static str);

    impl Credential for Token {
        fn parts(&self) -> Vec<(&'static str, Kind, &str)> {
            vec![("token", Kind::Token, self.0)]
        }
    }

    /// Panics at a text without a token, and fails with its status where it is a number.
    #[derive(Debug)]
    struct WebIdentityProvider(&'static str);

    #[async_trait]
    impl CredentialProvider for WebIdentityProvider {
        type Credential = Token;

        async fn get_credential(&self) -> object_store::Result<Arc<Token>> {
            assert!(!self.0.is_empty(), "no token");
            if self.0.parse::<u16>().is_ok() {
                let source = format!("Server returned non-2xx status code: {}: ", self.0).into();
                return Err(object_store::Error::Generic { store: "STS", source });
            }
            Ok(Arc::new(Token(self.0)))
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_no_credential_is_named_by_its_service() {
        let ask = async |token| {
            let credentials: Credentials<Token> = Arc::new(WebIdentityProvider(token));
            checked(&credentials).get_credential().await
        };
        assert_eq!(ask("good").await.expect("a token").0, "good");
        let before = "what the security token service (STS) answered cannot be used: ";
        for (token, flaw) in [
            ("s3cr3t\nx", "its token: it has a line break or another control character"),
            ("s3cr3t x", "its token: it has white space, or a character beyond ASCII"),
            ("", "no request can be made of it"),
        ] {
            let error = ask(token).await.expect_err(token);
            assert_eq!(StoreErrorKind::of(&error), StoreErrorKind::Denied);
            let text = std::error::Error::source(&error).expect("a source").to_string();
            assert_eq!(text, format!("{before}{flaw}"));
            assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        }
    }
    #[tokio::test]
    async fn what_a_service_answers_says_nothing_of_an_object() {
        for (status, kind) in [
            ("400", StoreErrorKind::Denied),
            ("403", StoreErrorKind::Denied),
            ("404", StoreErrorKind::Denied),
            ("412", StoreErrorKind::Denied),
            ("429", StoreErrorKind::Unknown),
            ("503", StoreErrorKind::Unknown),
            ("507", StoreErrorKind::Denied),
        ] {
            let credentials: Credentials<Token> = Arc::new(WebIdentityProvider(status));
            let error = checked(&credentials).get_credential().await.expect_err(status);
            assert_eq!(StoreErrorKind::of(&error), kind, "{status}");
            let service = std::error::Error::source(&error).expect("the service");
            assert_eq!(service.to_string(), "the security token service (STS) gave no credentials");
        }
        assert!(is_of_machine(&asker(&(Arc::new(ImdsManagedIdentityProvider) as Credentials<Token>))));
        let machine: Credentials<Token> = Arc::new(ImdsManagedIdentityProvider);
        let error = checked(&machine).get_credential().await.expect_err("not now");
        assert_eq!(StoreErrorKind::of(&error), StoreErrorKind::Unknown, "it may pass");
    }

    #[derive(Debug)]
    struct ImdsManagedIdentityProvider;

    #[async_trait]
    impl CredentialProvider for ImdsManagedIdentityProvider {
        type Credential = Token;

        async fn get_credential(&self) -> object_store::Result<Arc<Token>> {
            Err(object_store::Error::NotFound { path: String::new(), source: "404".into() })
        }
    }
}
