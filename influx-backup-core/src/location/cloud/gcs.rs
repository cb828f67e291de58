//! Google Cloud Storage.

use std::sync::Arc;

use http::{HeaderValue, header::AUTHORIZATION};
use object_store::{
    client::{HttpClient, HttpRequest},
    gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey as Key},
};

use super::{
    Client, Handle, Opened, check_scheme,
    settings::{Name, Names, Settings, value},
    unusable,
};
use crate::{
    error::Result,
    location::{Provider, StoreOptions, identity::Identity},
};

const NAMES: Names<Key> = Names { provider: "Google Cloud Storage", kind: Provider::Gcs, read, is_credential };

/// The service's own address.
const GOOGLE: &str = "https://storage.googleapis.com";

/// A bucket, for copies within the service.
#[derive(Debug)]
pub(crate) struct Gcs {
    pub(crate) store: GoogleCloudStorage,
    pub(crate) bucket: String,
    /// The URL of the service, without a slash at its end.
    pub(crate) base: String,
    pub(crate) http: HttpClient,
}

impl Gcs {
    /// A request that does not go through `object_store`, authorized where the bucket asks for it.
    pub(crate) async fn authorized(&self, mut request: HttpRequest) -> object_store::Result<HttpRequest> {
        let credential = self.store.credentials().get_credential().await?;
        if !credential.bearer.is_empty() {
            let value = HeaderValue::try_from(format!("Bearer {}", credential.bearer));
            let value = value.map_err(|source| object_store::Error::Generic { store: "GCS", source: source.into() })?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

fn read(name: &str) -> Option<Name<Key>> {
    match name.parse().ok()? {
        // It is in the URL.
        Key::Bucket => None,
        Key::Client(key) => Some(Name::Http(key)),
        key => Some(Name::Store(key)),
    }
}

fn is_credential(name: &Name<Key>) -> bool {
    matches!(
        name,
        Name::Store(
            Key::ServiceAccount
                | Key::ServiceAccountKey
                | Key::ApplicationCredentials
                | Key::BearerToken
                | Key::SkipSignature
        )
    )
}

pub(super) fn open(bucket: &str, options: &StoreOptions) -> Result<Opened> {
    let settings = NAMES.settings(options)?;
    let client = Client::new(&settings)?;
    let base_url = value(&settings, Key::BaseUrl).map(ToOwned::to_owned).or_else(|| of_service_account(&settings));
    check_scheme("google_base_url", base_url.as_deref(), &client)?;
    let builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_client_options(client.options.clone())
        .with_retry(client.retry.clone())
        .with_http_connector(client.connector.clone());
    let builder = settings.iter().fold(builder, |builder, (name, value)| match name {
        Name::Store(key) => builder.with_config(*key, value),
        Name::Http(_) | Name::Shared(_) | Name::CredentialsFile | Name::Nothing => builder,
    });
    let store = builder.build().map_err(|error| unusable("google", &error))?;
    let base_url = base_url.unwrap_or_default().trim_end_matches('/').to_owned();
    let base = if base_url.is_empty() { GOOGLE.to_owned() } else { base_url.clone() };
    let identity = Identity::Gcs { base_url, bucket: bucket.to_owned() };
    let handle = Gcs { store: store.clone(), bucket: bucket.to_owned(), base, http: client.http("google")? };
    Ok(client.opened(store, identity, Handle::Gcs(Arc::new(handle))))
}

/// A service account may name the service, as those of emulators do. One that cannot be read is for the builder to say.
fn of_service_account(settings: &Settings<Key>) -> Option<String> {
    let from_file = || std::fs::read_to_string(value(settings, Key::ServiceAccount)?).ok();
    let json = value(settings, Key::ServiceAccountKey).map(ToOwned::to_owned).or_else(from_file)?;
    let account: serde_json::Value = serde_json::from_str(&json).ok()?;
    Some(account.get("gcs_base_url")?.as_str()?.to_owned())
}
