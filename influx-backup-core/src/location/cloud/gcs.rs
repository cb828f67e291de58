//! Google Cloud Storage.

use std::{path::Path, sync::Arc};

use http::{HeaderValue, header::AUTHORIZATION};
use object_store::{
    client::{HttpClient, HttpRequest},
    gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey as Key},
};

use super::{
    Client, Handle, Opened,
    ambient::Ambient,
    check_scheme, is_plain, machine, plain_http,
    settings::{Name, Names, Setting, Settings, find},
    unusable,
};
use crate::{
    error::{Error, Result},
    location::{
        Provider, StoreOptions,
        identity::Identity,
        options::{account, kind::Flaw},
    },
};

const NAMES: Names<Key> = Names { provider: "Google Cloud Storage", kind: Provider::Gcs, read, is_credential };

/// The service's own address.
const GOOGLE: &str = "https://storage.googleapis.com";

/// Where credentials are looked for, and where not.
const TRIED: &str = "the options or variables `GOOGLE_SERVICE_ACCOUNT`, `GOOGLE_SERVICE_ACCOUNT_KEY`, \
    `GOOGLE_APPLICATION_CREDENTIALS`, `GOOGLE_BEARER_TOKEN`, the application default credentials in \
    `~/.config/gcloud/application_default_credentials.json`, and the metadata service of the machine";

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
    let base_url = base_url(&settings, &client)?;
    let own = [Key::ServiceAccount, Key::ServiceAccountKey, Key::ApplicationCredentials, Key::BearerToken];
    if own.iter().all(|key| find(&settings, *key).is_none()) {
        let home = std::env::var_os(if cfg!(windows) { "APPDATA" } else { "HOME" });
        home.map_or(Ok(()), |home| check_default_account(Path::new(&home)))?;
    }
    let others = [Key::ServiceAccount, Key::ServiceAccountKey, Key::ApplicationCredentials, Key::SkipSignature];
    if others.iter().all(|key| find(&settings, *key).is_none()) {
        [Ambient::MetadataHost, Ambient::MetadataRoot, Ambient::MetadataIp].into_iter().try_for_each(Ambient::check)?;
    }
    let builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_client_options(client.options.clone())
        .with_retry(client.retry.clone())
        .with_http_connector(client.connector.clone());
    let builder = settings.iter().fold(builder, |builder, setting| match setting.name {
        Name::Store(key) => builder.with_config(key, &setting.value),
        Name::Http(_) | Name::Shared(_) | Name::CredentialsFile | Name::Nothing => builder,
    });
    let build =
        |builder: GoogleCloudStorageBuilder| builder.build().map_err(|error| unusable("google", &settings, &error));
    let mut store = build(builder.clone())?;
    let again = |retry| Ok(Arc::clone(build(builder.clone().with_retry(retry))?.credentials()));
    if let Some(credentials) = machine::instead(store.credentials(), again, || TRIED.to_owned())? {
        store = build(builder.with_credentials(credentials))?;
    }
    let base_url = base_url.unwrap_or_default().trim_end_matches('/').to_owned();
    let base = if base_url.is_empty() { GOOGLE.to_owned() } else { base_url.clone() };
    let identity = Identity::Gcs { base_url, bucket: bucket.to_owned() };
    let handle = Gcs { store: store.clone(), bucket: bucket.to_owned(), base, http: client.http("google", &settings)? };
    Ok(client.opened(store, identity, Handle::Gcs(Arc::new(handle))))
}

/// Refuses the application default credentials of the user, which count where none are given, if they cannot be used.
pub(super) fn check_default_account(home: &Path) -> Result<()> {
    let below = if cfg!(windows) { "gcloud" } else { ".config/gcloud" };
    let path = home.join(below).join("application_default_credentials.json");
    if !path.exists() {
        return Ok(());
    }
    let read = std::fs::read(&path).map_err(|error| Flaw::from(format!("the file cannot be read: {error}")));
    read.and_then(|json| account::check_default(&json)).map(drop).map_err(|flaw| Error::InvalidOption {
        option: Key::ApplicationCredentials.as_ref().to_owned(),
        origin: Some(format!("the file `{}`", path.display())),
        reason: flaw.into_owned(),
    })
}

/// The address that is given, or the one that a service account names, as those of emulators do. Reads the files with
/// credentials on the way, as the object_store crate's errors quote them.
fn base_url(settings: &Settings<Key>, client: &Client) -> Result<Option<String>> {
    let read = |setting: &Setting<Key>| {
        std::fs::read(&setting.value).map_err(|error| setting.refused(format!("the file cannot be read: {error}")))
    };
    let held = |setting: &Setting<Key>, flaw| setting.refused(format!("of what `{}` holds: {flaw}", setting.value));
    if let (Some(key), Some(_)) = (find(settings, Key::ServiceAccountKey), find(settings, Key::ServiceAccount)) {
        return Err(key.refused("the path of a service account is given as well: give one of the two"));
    }
    let mut of_account = None;
    if let Some(setting) = find(settings, Key::ServiceAccountKey) {
        let account = account::check(setting.value.as_bytes()).map_err(|flaw| setting.refused(flaw))?;
        of_account = account.base_url.map(|url| (setting, url));
    }
    if let Some(setting) = find(settings, Key::ServiceAccount) {
        let account = account::check(&read(setting)?).map_err(|flaw| held(setting, flaw))?;
        of_account = of_account.or(account.base_url.map(|url| (setting, url)));
    } else if let Some(setting) = find(settings, Key::ApplicationCredentials) {
        account::check_default(&read(setting)?).map_err(|flaw| held(setting, flaw))?;
    }
    let given = find(settings, Key::BaseUrl);
    check_scheme("google", given, client)?;
    match (given, of_account) {
        (Some(given), _) => Ok(Some(given.value.clone())),
        (None, Some((account, url))) if is_plain(&url) && !client.allows_http() => {
            Err(account.refused(format!("its gcs_base_url: {}", plain_http("google"))))
        }
        (None, of_account) => Ok(of_account.map(|(_, url)| url)),
    }
}
