//! Deletions on a condition, which the object_store crate does not have.

use http::{HeaderName, HeaderValue, header::InvalidHeaderValue};
use object_store::{
    Error, Result,
    client::{HttpClient, HttpRequest},
    path::Path,
};

use super::{
    Capability, Handle, requests,
    uploads::{failed, unsuccessful},
};
use crate::{
    error::StoreErrorKind,
    location::{Deletion, Version},
};

impl Handle {
    /// Deletes an object while it is this version, as a look has just found it; another one stays.
    ///
    /// # Errors
    /// [`Error::NotSupported`] where this crate's requests cannot be made, or the version is not known.
    pub(crate) async fn delete_version(&self, path: &Path, version: &Version) -> Result<Deletion> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => s3.delete_if_match(path, known(version.e_tag.as_deref())?).await,
            #[cfg(feature = "azure")]
            Self::Azure(azure) => azure.delete_if_match(path, known(version.e_tag.as_deref())?).await,
            #[cfg(feature = "gcp")]
            Self::Gcs(gcs) => gcs.delete_if_generation(path, known(version.id.as_deref())?).await,
        }
    }
}

impl Handle {
    /// Whether there is a request that deletes many objects, and it may be used.
    pub(crate) fn deletes_many(&self) -> bool {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => s3.bulk_deletion == Capability::Possible,
            #[cfg(feature = "azure")]
            Self::Azure(_) => true,
            #[cfg(feature = "gcp")]
            Self::Gcs(_) => false,
        }
    }
}

fn known(condition: Option<&str>) -> Result<&str> {
    condition.ok_or_else(|| unsupported("the version of the object is not known"))
}

fn unsupported(reason: &'static str) -> Error {
    Error::NotSupported { source: reason.into() }
}

/// Adds a condition to a request.
fn on_condition(mut request: HttpRequest, name: HeaderName, value: &str) -> Result<HttpRequest> {
    let value: HeaderValue = value.parse().map_err(|error: InvalidHeaderValue| failed(error.into()))?;
    request.headers_mut().insert(name, value);
    Ok(request)
}

/// Sends a deletion. That the object is gone, or another version, is no error.
async fn delete(http: &HttpClient, request: HttpRequest) -> Result<Deletion> {
    let answer = requests::send(http, request).await.map_err(|error| failed(error.into()))?;
    match answer.failure() {
        None | Some(StoreErrorKind::NotFound) => Ok(Deletion::Done),
        Some(StoreErrorKind::Changed) => Ok(Deletion::Replaced),
        Some(_) => Err(unsuccessful(&answer)),
    }
}

#[cfg(feature = "aws")]
mod s3 {
    use std::time::Duration;

    use http::{Method, header::IF_MATCH};
    use object_store::{Result, path::Path, signer::Signer};

    use super::{delete, failed, on_condition, requests, unsupported};
    use crate::location::{
        Deletion,
        cloud::{Capability, s3::S3},
    };

    /// How long a signed URL is good for.
    const SIGNED_FOR: Duration = Duration::from_secs(300);

    impl S3 {
        pub(super) async fn delete_if_match(&self, path: &Path, e_tag: &str) -> Result<Deletion> {
            if self.bare == Capability::No {
                return Err(unsupported("requests to this bucket cannot be signed"));
            }
            let url = self.store.signed_url(Method::DELETE, path, SIGNED_FOR).await?;
            let request = requests::request(Method::DELETE, url.as_str()).map_err(|error| failed(error.into()))?;
            delete(&self.http, on_condition(request, IF_MATCH, e_tag)?).await
        }
    }
}

#[cfg(feature = "azure")]
mod azure {
    use http::{Method, header::IF_MATCH};
    use object_store::{Result, path::Path};

    use super::{delete, failed, on_condition, requests, unsupported};
    use crate::location::{
        Deletion,
        cloud::{Capability, azure::Azure},
    };

    impl Azure {
        /// Deletes an object that still has this entity tag; another one is left alone.
        pub(crate) async fn delete_if_match(&self, path: &Path, e_tag: &str) -> Result<Deletion> {
            if self.server_side == Capability::No {
                return Err(unsupported("an option asks for what this request would lack"));
            }
            let request = requests::request(Method::DELETE, &self.url(path)).map_err(|error| failed(error.into()))?;
            delete(&self.http, self.authorized(on_condition(request, IF_MATCH, e_tag)?).await?).await
        }
    }
}

#[cfg(feature = "gcp")]
mod gcs {
    use http::{HeaderName, Method};
    use object_store::{Result, path::Path};

    use super::{delete, failed, on_condition, requests};
    use crate::location::{
        Deletion,
        cloud::{encoded, gcs::Gcs},
    };

    const IF_GENERATION: HeaderName = HeaderName::from_static("x-goog-if-generation-match");

    impl Gcs {
        pub(super) async fn delete_if_generation(&self, path: &Path, generation: &str) -> Result<Deletion> {
            let url = format!("{}/{}/{}", self.base, encoded(&self.bucket), encoded(path.as_ref()));
            let request = requests::request(Method::DELETE, &url).map_err(|error| failed(error.into()))?;
            delete(&self.http, self.authorized(on_condition(request, IF_GENERATION, generation)?).await?).await
        }
    }
}
