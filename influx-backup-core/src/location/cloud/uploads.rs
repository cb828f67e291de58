//! [`Upload`]: parts of an object that was never completed, which the object_store crate has no request to list.

use chrono::{DateTime, Utc};
use http::Method;
use object_store::{
    Error, Result,
    client::{HttpClient, HttpRequest, HttpRequestBody},
    path::Path,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::Handle;

/// An upload without an end.
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
    upload: Vec<Acquired>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Acquired {
    key: String,
    upload_id: String,
    initiated: DateTime<Utc>,
}

/// Where a listing goes on.
pub(super) type Marker = [(&'static str, String); 2];

impl Handle {
    /// The uploads without an end below `base`. None where a service does not know the request.
    pub(crate) async fn uploads(&self, base: &Path) -> Result<Vec<Upload>> {
        let mut uploads = match self {
            #[cfg(feature = "azure")]
            Self::Azure(azure) => azure.uncommitted(base).await?,
            #[cfg(any(feature = "aws", feature = "gcp"))]
            _ => self.begun().await?,
        };
        uploads.retain(|upload| Path::parse(&upload.path).is_ok_and(|path| path.prefix_matches(base)));
        Ok(uploads)
    }

    /// By `?uploads` for the whole bucket: MinIO takes a prefix for a key.
    #[cfg(any(feature = "aws", feature = "gcp"))]
    async fn begun(&self) -> Result<Vec<Upload>> {
        let (mut uploads, mut after) = (Vec::new(), None);
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
            uploads.extend(page.upload.into_iter().map(|begun| Upload {
                path: begun.key,
                id: Some(begun.upload_id),
                begun: begun.initiated,
            }));
            // A page that says that there are more and not where would be asked for again for ever.
            if !page.is_truncated || page.next_key_marker.is_empty() {
                return Ok(uploads);
            }
            after = Some([("key-marker", page.next_key_marker), ("upload-id-marker", page.next_upload_id_marker)]);
        }
    }

    /// Deletes what was uploaded; that it is gone already is no error.
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
            (Self::Azure(azure), _) => azure.forget_blocks(&path).await,
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
pub(super) async fn ask(http: &HttpClient, request: HttpRequest) -> Result<Option<String>> {
    let failed = |source| Error::Generic { store: "list uploads", source };
    let (parts, body) = http.execute(request).await.map_err(|error| failed(error.into()))?.into_parts();
    let body = body.bytes().await.map_err(|error| failed(error.into()))?;
    let body = String::from_utf8_lossy(&body).into_owned();
    match parts.status.as_u16() {
        200..=299 => Ok(Some(body)),
        // What they say of credentials they may say with status 400.
        400 | 404 | 405 | 501 if !body.contains("Token") => Ok(None),
        _ => {
            let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
            Err(failed(format!("status code: {}: {}", parts.status, code.unwrap_or_default()).into()))
        }
    }
}

/// A GET of this URL.
pub(super) fn get(url: &str) -> Result<HttpRequest> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::GET;
    let invalid = |source: http::uri::InvalidUri| Error::Generic { store: "list uploads", source: source.into() };
    *request.uri_mut() = url.parse().map_err(invalid)?;
    Ok(request)
}

fn parse<T: DeserializeOwned>(xml: &str) -> Result<T> {
    quick_xml::de::from_str(xml).map_err(|source| Error::Generic { store: "list uploads", source: source.into() })
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

    use super::{Marker, ask, get};
    use crate::location::cloud::{ServerSide, s3::S3};

    /// How long a signed URL is good for.
    const SIGNED_FOR: Duration = Duration::from_secs(300);

    impl S3 {
        pub(super) async fn uploads(&self, after: Option<&Marker>) -> Result<Option<String>> {
            if self.bare == ServerSide::No {
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

    use super::{Marker, ask, get};
    use crate::location::cloud::{encoded, gcs::Gcs};

    impl Gcs {
        pub(super) async fn uploads(&self, after: Option<&Marker>) -> Result<Option<String>> {
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

    use super::{Upload, ask, get, parse};
    use crate::location::cloud::{azure::Azure, encoded};

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Listing {
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
            let (mut found, mut marker) = (Vec::new(), String::new());
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
                for blob in page.blobs.blob.into_iter().filter(|blob| blob.properties.is_empty()) {
                    if self.is_uncommitted(&Path::parse(&blob.name)?).await? {
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

        /// The service's deletion does not find an object of blocks only: writing one makes an end of them. Azurite's
        /// finds it, and takes it for one that exists.
        pub(super) async fn forget_blocks(&self, path: &Path) -> Result<()> {
            match self.store.put_opts(path, PutPayload::default(), PutMode::Create.into()).await {
                Err(Error::AlreadyExists { .. }) if !self.is_uncommitted(path).await? => Ok(()),
                Ok(_) | Err(Error::AlreadyExists { .. }) => self.store.delete(path).await,
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
