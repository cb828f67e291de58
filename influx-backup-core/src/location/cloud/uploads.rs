//! [`Upload`]: parts of an object that was never completed. The object_store crate has no request to list them.

use chrono::{DateTime, Utc};
use http::Method;
use object_store::{
    Error, Result,
    client::{HttpClient, HttpRequest},
    path::Path,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Handle,
    requests::{self, Answer},
};
use crate::{
    error::{Misbehavior, StoreErrorKind},
    location::pages::Pages,
};

/// An upload that was never completed.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// The path of the object in its bucket.
    pub(crate) path: String,
    /// Its name; blocks of Azure have none but the object's.
    id: Option<String>,
    /// When it was begun, or last written to.
    pub(crate) begun: DateTime<Utc>,
}

/// What S3 and Google answer to `?uploads`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    #[serde(default)]
    upload: Vec<Begun>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    key: String,
    upload_id: String,
    initiated: DateTime<Utc>,
}

/// Where a listing continues.
pub(super) type Marker = [(&'static str, String); 2];

impl Handle {
    /// The uploads below `base` that were never completed. None where a service does not know the request.
    pub(crate) async fn uploads(&self, base: &Path) -> Result<Vec<Upload>> {
        let mut uploads = match self {
            #[cfg(feature = "azure")]
            Self::Azure(azure) => azure.uncommitted(base).await?,
            #[cfg(any(feature = "aws", feature = "gcp"))]
            _ => self.begun().await?,
        };
        // Another key would be asked for where object_store writes this one otherwise, as without a `/` at its end.
        let is_own = |path: &Path, key: &str| path.as_ref() == key && path.prefix_matches(base);
        uploads.retain(|upload| Path::parse(&upload.path).is_ok_and(|path| is_own(&path, &upload.path)));
        Ok(uploads)
    }

    /// By `?uploads` for the whole bucket: MinIO takes a prefix for a key.
    #[cfg(any(feature = "aws", feature = "gcp"))]
    async fn begun(&self) -> Result<Vec<Upload>> {
        let mut uploads = Vec::new();
        let mut after = None;
        let pages = Pages::default();
        loop {
            let page = match self {
                #[cfg(feature = "aws")]
                Self::S3(s3) => s3.uploads(after.as_ref()).await?,
                #[cfg(feature = "gcp")]
                Self::Gcs(gcs) => gcs.uploads(after.as_ref()).await?,
                #[cfg(feature = "azure")]
                Self::Azure(_) => None,
            };
            let Some(page) = page else { return Ok(uploads) };
            let page: Uploads = parse(&page)?;
            let next = format!("{} {}", page.next_key_marker, page.next_upload_id_marker);
            let ids = page.upload.iter().map(|begun| begun.upload_id.as_str());
            pages.take(ids, Some(&next).filter(|_| page.is_truncated).map(String::as_str)).map_err(endless)?;
            uploads.extend(page.upload.into_iter().map(|begun| Upload {
                path: begun.key,
                id: Some(begun.upload_id),
                begun: begun.initiated,
            }));
            // A page that says that there are more and not where would be asked for again and again.
            if !page.is_truncated || page.next_key_marker.is_empty() {
                return Ok(uploads);
            }
            after = Some([("key-marker", page.next_key_marker), ("upload-id-marker", page.next_upload_id_marker)]);
        }
    }

    /// Deletes what was uploaded; if it is already gone, that is not an error.
    pub(crate) async fn abort(&self, upload: &Upload) -> Result<()> {
        #[cfg(any(feature = "aws", feature = "gcp"))]
        use object_store::multipart::MultipartStore;
        let path = Path::parse(&upload.path)?;
        let aborted = match (self, &upload.id) {
            #[cfg(feature = "aws")]
            (Self::S3(s3), Some(id)) => s3.store.abort_multipart(&path, id).await,
            #[cfg(feature = "gcp")]
            (Self::Gcs(gcs), Some(id)) => gcs.store.abort_multipart(&path, id).await,
            #[cfg(feature = "azure")]
            (Self::Azure(azure), _) => azure.discard_blocks(&path).await,
            #[cfg(any(feature = "aws", feature = "gcp"))]
            (_, None) => Ok(()),
        };
        match aborted {
            Err(Error::NotFound { .. }) => Ok(()),
            aborted => aborted,
        }
    }
}

/// Sends a request without a body; `None`: the service does not know it.
pub(super) async fn ask(http: &HttpClient, request: HttpRequest) -> Result<Option<Answer>> {
    let answer = requests::send(http, request).await.map_err(|error| failed(error.into()))?;
    match answer.failure() {
        None => Ok(Some(answer)),
        Some(StoreErrorKind::NotFound | StoreErrorKind::Unsupported) => Ok(None),
        Some(StoreErrorKind::Invalid | StoreErrorKind::Rejected) if answer.status.is_client_error() => Ok(None),
        Some(_) => Err(unsuccessful(&answer)),
    }
}

/// The error for a listing that does not end.
fn endless(misbehavior: Misbehavior) -> Error {
    failed(misbehavior.into())
}

/// A GET of this URL.
pub(super) fn get(url: &str) -> Result<HttpRequest> {
    requests::request(Method::GET, url).map_err(|source| failed(source.into()))
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    answer.xml().map_err(|source| failed(source.into()))
}

/// Reads a page of a listing of uploads, or an error document, whatever a service answers.
#[cfg(feature = "testing")]
pub(crate) fn read_page(body: &str) {
    let answer = Answer { status: http::StatusCode::OK, headers: http::HeaderMap::new(), body: body.to_owned() };
    drop(parse::<Uploads>(&answer));
    #[cfg(feature = "azure")]
    drop(parse::<azure::Listing>(&answer));
    drop(answer.code());
}

/// An answer that is an error, in the form that [`StoreErrorKind::of`] reads.
pub(super) fn unsuccessful(answer: &Answer) -> Error {
    failed(format!("status code: {}: {}", answer.status, answer.code()).into())
}

pub(super) fn failed(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic { store: "uploads", source }
}

#[cfg(feature = "aws")]
mod s3 {
    use std::time::Duration;

    use http::Method;
    use object_store::{
        Result,
        path::Path,
        signer::{SignedUrlOptions, Signer},
    };

    use super::{Answer, Marker, ask, get};
    use crate::location::cloud::{Capability, s3::S3};

    /// How long a signed URL is good for.
    const SIGNED_FOR: Duration = Duration::from_secs(300);

    impl S3 {
        pub(super) async fn uploads(&self, after: Option<&Marker>) -> Result<Option<Answer>> {
            if self.bare == Capability::No {
                return Ok(None);
            }
            let query = [("uploads", String::new())].into_iter().chain(after.cloned().into_iter().flatten());
            let options = SignedUrlOptions::default().with_query(query);
            let url = self.store.signed_url_opts(Method::GET, &Path::default(), SIGNED_FOR, &options).await?;
            ask(&self.http, get(url.as_str())?).await
        }
    }
}

#[cfg(feature = "gcp")]
mod gcs {
    use object_store::Result;

    use super::{Answer, Marker, ask, get};
    use crate::location::cloud::{encoded, gcs::Gcs};

    impl Gcs {
        pub(super) async fn uploads(&self, after: Option<&Marker>) -> Result<Option<Answer>> {
            let after = after.into_iter().flatten().map(|(name, value)| format!("&{name}={}", encoded(value)));
            let url = format!("{}/{}?uploads{}", self.base, encoded(&self.bucket), after.collect::<String>());
            ask(&self.http, self.authorized(get(&url)?).await?).await
        }
    }
}

#[cfg(feature = "azure")]
mod azure {
    use chrono::{DateTime, Utc};
    use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, Result, path::Path};
    use serde::Deserialize;

    use super::{Upload, ask, endless, get, parse};
    use crate::location::{
        cloud::{Capability, azure::Azure, encoded},
        pages::Pages,
    };

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    pub(super) struct Listing {
        #[serde(default)]
        blobs: Blobs,
        #[serde(default)]
        next_marker: String,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Blobs {
        #[serde(default)]
        blob: Vec<Blob>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Blob {
        name: String,
        properties: Properties,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Properties {
        #[serde(default, rename = "Content-Length")]
        length: String,
        #[serde(default, rename = "Last-Modified")]
        modified: String,
    }

    impl Azure {
        /// Objects of which there are blocks only. A listing tells them from empty ones by nothing; a request for one does.
        pub(super) async fn uncommitted(&self, base: &Path) -> Result<Vec<Upload>> {
            let mut found = Vec::new();
            let mut marker = String::new();
            let pages = Pages::default();
            loop {
                let url = format!(
                    "{}/{}?restype=container&comp=list&include=uncommittedblobs&prefix={}&marker={}",
                    self.base,
                    encoded(&self.container),
                    encoded(base.as_ref()),
                    encoded(&marker),
                );
                let Some(page) = ask(&self.http, self.authorized(get(&url)?).await?).await? else { return Ok(found) };
                let page: Listing = parse(&page)?;
                let names = page.blobs.blob.iter().map(|blob| blob.name.as_str());
                pages.take(names, Some(page.next_marker.as_str()).filter(|next| !next.is_empty())).map_err(endless)?;
                for blob in page.blobs.blob.into_iter().filter(|blob| blob.properties.is_empty()) {
                    // Of a directory marker the name is cut, and what that names is not there.
                    let Some(path) = Path::parse(&blob.name).ok().filter(|path| path.as_ref() == blob.name) else {
                        continue;
                    };
                    if self.is_uncommitted(&path).await? {
                        let begun = blob.properties.modified();
                        found.push(Upload { path: blob.name, id: None, begun });
                    }
                }
                if page.next_marker.is_empty() {
                    return Ok(found);
                }
                marker = page.next_marker;
            }
        }

        async fn is_uncommitted(&self, path: &Path) -> Result<bool> {
            match self.store.head(path).await {
                Ok(_) => Ok(false),
                Err(Error::NotFound { .. }) => Ok(true),
                Err(error) => Err(error),
            }
        }

        /// Removes the blocks of an object that was never committed. The service has no request for that, and its
        /// deletion does not find such an object: an empty object is created, which takes the blocks away, and deleted
        /// unless it was written meanwhile.
        pub(crate) async fn discard_blocks(&self, path: &Path) -> Result<()> {
            match self.store.put_opts(path, PutPayload::default(), PutMode::Create.into()).await {
                Ok(put) if self.server_side == Capability::Possible => {
                    self.delete_if_match(path, put.e_tag.as_deref().unwrap_or_default()).await.map(drop)
                }
                // Requests of this crate would lack what an option asks for.
                Ok(_) => self.store.delete(path).await,
                // Azurite creates nothing over blocks, and deletes them.
                Err(Error::AlreadyExists { .. }) if self.is_uncommitted(path).await? => self.store.delete(path).await,
                Err(Error::AlreadyExists { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        }
    }

    impl Properties {
        fn is_empty(&self) -> bool {
            matches!(self.length.as_str(), "" | "0")
        }

        /// Blocks that no object was made of may have no time.
        fn modified(&self) -> DateTime<Utc> {
            DateTime::parse_from_rfc2822(&self.modified).map_or(DateTime::UNIX_EPOCH, Into::into)
        }
    }
}
