//! Azure Blob Storage.

use std::sync::Arc;

use object_store::{
    azure::{AzureAuthorizer, AzureConfigKey as Key, MicrosoftAzure, MicrosoftAzureBuilder},
    client::{HttpClient, HttpRequest},
    path::Path,
};

use super::{
    Capability, Client, Handle, Opened,
    ambient::Ambient,
    check_scheme, encoded, machine,
    settings::{Name, Names, Settings, find, require, value},
    unusable,
};
use crate::{
    error::{Error, Result},
    location::{Provider, StoreOptions, identity::Identity},
};

const NAMES: Names<Key> = Names { provider: "Azure", kind: Provider::Azure, read, is_credential };

/// Where credentials are looked for, and where not.
const TRIED: &str = "the options or variables `AZURE_STORAGE_ACCESS_KEY`, `AZURE_STORAGE_SAS_TOKEN`, `AZURE_STORAGE_TOKEN`, \
    `AZURE_CLIENT_ID` and `AZURE_TENANT_ID` with `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE`, and the managed \
    identity of the machine; the login of the Azure CLI counts only with `AZURE_USE_AZURE_CLI`";

/// A container, for copies within the service.
#[derive(Debug, Clone)]
pub(crate) struct Azure {
    pub(crate) store: MicrosoftAzure,
    pub(crate) account: String,
    pub(crate) container: String,
    /// The URL of the account, without a slash at its end.
    pub(crate) base: String,
    pub(crate) http: HttpClient,
    pub(crate) server_side: Capability,
}

impl Azure {
    /// The URL of an object.
    pub(crate) fn url(&self, path: &Path) -> String {
        format!("{}/{}/{}", self.base, encoded(&self.container), encoded(path.as_ref()))
    }

    /// A request of this crate, authorized.
    pub(crate) async fn authorized(&self, mut request: HttpRequest) -> object_store::Result<HttpRequest> {
        let credential = self.store.credentials().get_credential().await?;
        AzureAuthorizer::new(&credential, &self.account).try_authorize(&mut request)?;
        Ok(request)
    }
}

fn read(name: &str) -> Option<Name<Key>> {
    if name == "azure_storage_account" {
        return Some(Name::Store(Key::AccountName));
    }
    match name.parse().ok()? {
        // It is in the URL.
        Key::ContainerName => None,
        Key::Client(key) => Some(Name::Http(key)),
        key => Some(Name::Store(key)),
    }
}

/// The account belongs to them: a key of the environment is another account's where the account is given.
fn is_credential(name: &Name<Key>) -> bool {
    matches!(
        name,
        Name::Store(
            Key::AccountName
                | Key::AccessKey
                | Key::SasKey
                | Key::Token
                | Key::ClientId
                | Key::ClientSecret
                | Key::AuthorityId
                | Key::FederatedTokenFile
                | Key::MsiEndpoint
                | Key::ObjectId
                | Key::MsiResourceId
                | Key::UseAzureCli
                | Key::CredentialType
                | Key::SkipSignature
        )
    )
}

/// Refuses options that lack what the object_store crate needs beside them: its errors name no option.
fn check_needs(settings: &Settings<Key>) -> Result<()> {
    if find(settings, Key::AccountName).is_none() {
        let reason =
            "it is missing: name the storage account, here or in the environment variable AZURE_STORAGE_ACCOUNT";
        return Err(Error::invalid_option("azure_storage_account", reason));
    }
    let Some(kind) = find(settings, Key::CredentialType) else { return Ok(()) };
    let needed: &[Key] = match kind.value.as_str() {
        "bearer_token" => &[Key::Token],
        "access_key" => &[Key::AccessKey],
        "client_secret" => &[Key::ClientId, Key::ClientSecret, Key::AuthorityId],
        "workload_identity" => &[Key::ClientId, Key::AuthorityId, Key::FederatedTokenFile],
        "sas_token" => &[Key::SasKey],
        _ => &[],
    };
    require(settings, kind, needed)
}

pub(super) fn open(container: &str, options: &StoreOptions) -> Result<Opened> {
    let settings = NAMES.settings(options)?;
    let client = Client::new(&settings)?;
    let endpoint = value(&settings, Key::Endpoint);
    if value(&settings, Key::UseEmulator) == Some("true") {
        Ambient::AzuriteUrl.check()?;
    } else {
        check_needs(&settings)?;
    }
    let others =
        [Key::AccessKey, Key::SasKey, Key::Token, Key::ClientSecret, Key::FederatedTokenFile, Key::SkipSignature];
    if others.iter().all(|key| find(&settings, *key).is_none()) {
        Ambient::IdentityHeader.check()?;
    }
    check_scheme("azure", find(&settings, Key::Endpoint), &client)?;
    let account = value(&settings, Key::AccountName).unwrap_or_default().to_owned();
    let base = endpoint.map_or_else(
        || format!("https://{account}.blob.core.windows.net"),
        |endpoint| endpoint.trim_end_matches('/').to_owned(),
    );
    let builder = MicrosoftAzureBuilder::new()
        .with_container_name(container)
        .with_client_options(client.options.clone())
        .with_retry(client.retry.clone())
        .with_http_connector(client.connector.clone());
    let builder = settings.iter().fold(builder, |builder, setting| match setting.name {
        Name::Store(key) => builder.with_config(key, &setting.value),
        Name::Http(_) | Name::Shared(_) | Name::CredentialsFile | Name::Nothing => builder,
    });
    let build = |builder: MicrosoftAzureBuilder| builder.build().map_err(|error| unusable("azure", &settings, &error));
    let mut store = build(builder.clone())?;
    let again = |retry| Ok(Arc::clone(build(builder.clone().with_retry(retry))?.credentials()));
    if let Some(credentials) = machine::instead(store.credentials(), again, || TRIED.to_owned())? {
        store = build(builder.with_credentials(credentials))?;
    }
    let identity = Identity::Azure { account: account.clone(), container: container.to_owned() };
    let http = client.http("azure", &settings)?;
    let unfit = |name: &Name<Key>| {
        // Those with an address, or with headers, that the requests sent here would lack.
        let unfit = [Key::SkipSignature, Key::UseEmulator, Key::UseFabricEndpoint, Key::EncryptionKey];
        matches!(name, Name::Store(key) if unfit.contains(key))
    };
    let server_side = Capability::unless(settings.iter().any(|setting| unfit(&setting.name)));
    let handle = Azure { store: store.clone(), account, container: container.to_owned(), base, http, server_side };
    Ok(client.opened(store, identity, Handle::Azure(Arc::new(handle))))
}
