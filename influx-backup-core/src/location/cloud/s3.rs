//! S3, and what speaks it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::{
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey as Key, AwsCredentialProvider},
    client::HttpClient,
};

use super::{
    Capability, Client, Handle, Opened, check_scheme,
    credentials_file::CredentialsFile,
    machine,
    renewal::Renewal,
    settings::{Name, Names, Setting, Settings, find, require, value},
    unusable,
};
use crate::{
    error::Result,
    location::{Provider, StoreOptions, identity::Identity, options::kind::Kind},
};

const NAMES: Names<Key> = Names { provider: "S3", kind: Provider::S3, read, is_credential };

/// Where credentials are looked for, and where not.
const TRIED: &str = "the options or variables `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY`, `AWS_CREDENTIALS_FILE`, \
    `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`, `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, \
    `AWS_CONTAINER_CREDENTIALS_FULL_URI` with `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`, and the instance metadata service; \
    the files and profiles of the AWS CLI are not read";

/// A bucket, for copies within the service.
#[derive(Debug)]
pub(crate) struct S3 {
    /// Without a checksum algorithm: a part that the service copies has none, and would be refused. Deletes many objects by one
    /// request.
    pub(crate) store: AmazonS3,
    pub(crate) bucket: String,
    /// Empty for AWS.
    pub(crate) endpoint: String,
    pub(crate) http: HttpClient,
    pub(crate) server_side: Capability,
    /// The same for requests that need no header for encryption.
    pub(crate) bare: Capability,
    /// The same for a request that deletes many objects.
    pub(crate) bulk_deletion: Capability,
}

fn read(name: &str) -> Option<Name<Key>> {
    match name {
        "aws_credentials_file" => return Some(Name::CredentialsFile),
        // InfluxDB writes differently for it; what is needed of S3 here it has.
        "aws_s3_custom_backend" => return Some(Name::Nothing),
        _ => {}
    }
    match name.parse().ok()? {
        // It is in the URL.
        Key::Bucket => None,
        Key::Client(key) => Some(Name::Http(key)),
        // Several names for one thing: what is given last counts, and what is given counts over the environment.
        Key::DefaultRegion => Some(Name::Store(Key::Region)),
        Key::S3Endpoint => Some(Name::Store(Key::Endpoint)),
        key => Some(Name::Store(key)),
    }
}

fn is_credential(name: &Name<Key>) -> bool {
    matches!(
        name,
        Name::CredentialsFile
            | Name::Store(
                Key::AccessKeyId
                    | Key::SecretAccessKey
                    | Key::Token
                    | Key::WebIdentityTokenFile
                    | Key::RoleArn
                    | Key::ContainerCredentialsRelativeUri
                    | Key::ContainerCredentialsFullUri
                    | Key::ContainerAuthorizationTokenFile
                    | Key::SkipSignature
            )
    )
}

pub(super) fn open(bucket: &str, options: &StoreOptions) -> Result<Opened> {
    let settings = NAMES.settings(options)?;
    let mut client = Client::new(&settings)?;
    check_token_file(&settings)?;
    check_needs(bucket, &settings)?;
    check_scheme("aws", find(&settings, Key::Endpoint), &client)?;
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-amz-checksum-mode"), HeaderValue::from_static("ENABLED"));
    client.options = client.options.with_default_headers(headers);

    let endpoint = value(&settings, Key::Endpoint).unwrap_or_default().trim_end_matches('/').to_owned();
    let region = value(&settings, Key::Region).unwrap_or("us-east-1").to_owned();
    let file = settings.iter().find(|setting| setting.name == Name::CredentialsFile);
    let file = file.map(|file| Arc::new(CredentialsFile::new(&file.value)));
    client.connector.renewal = file.clone().map(|file| Arc::new(Renewal { file, region: region.clone() }));
    let identity = Identity::S3 { endpoint: endpoint.clone(), bucket: bucket.to_owned(), region };
    let mut credentials = file.clone().map(|file| file as AwsCredentialProvider);
    if credentials.is_none() && value(&settings, Key::AccessKeyId).is_none() {
        let choose = |retry| {
            let built = builder(bucket, &client, &mut settings.iter()).with_retry(retry).build();
            Ok(Arc::clone(built.map_err(|error| unusable("aws", &settings, &error))?.credentials()))
        };
        credentials = machine::instead(&choose(client.retry.clone())?, choose, || tried(options))?;
    }
    let build = |chosen: &mut dyn Iterator<Item = &Setting<Key>>, one_by_one| {
        let mut builder = builder(bucket, &client, chosen).with_config(Key::DisableBulkDelete, one_by_one);
        if let Some(credentials) = &credentials {
            builder = builder.with_credentials(Arc::clone(credentials));
        }
        builder.build().map_err(|error| unusable("aws", &settings, &error))
    };
    // One object is deleted by the request that every service knows.
    let store = build(&mut settings.iter(), "true")?;
    let plain = build(&mut settings.iter().filter(|setting| setting.name != Name::Store(Key::Checksum)), "false")?;
    // Signed URLs carry no headers for encryption.
    let encrypts = |name: &Name<Key>| matches!(name, Name::Store(Key::Encryption(_)));
    let unsigned = |name: &Name<Key>| matches!(name, Name::Store(Key::SkipSignature | Key::S3Express));
    let server_side =
        Capability::unless(settings.iter().any(|setting| encrypts(&setting.name) || unsigned(&setting.name)));
    let bare = Capability::unless(settings.iter().any(|setting| unsigned(&setting.name)));
    let bulk_deletion = Capability::unless(value(&settings, Key::DisableBulkDelete) == Some("true"));
    let http = client.http("aws", &settings)?;
    let handle = S3 { store: plain, bucket: bucket.to_owned(), endpoint, http, server_side, bare, bulk_deletion };
    Ok(client.opened(store, identity, Handle::S3(Arc::new(handle))))
}

/// Refuses options that lack what the object_store crate needs beside them: its errors name no option.
fn check_needs(bucket: &str, settings: &Settings<Key>) -> Result<()> {
    let has_file = settings.iter().any(|setting| setting.name == Name::CredentialsFile);
    for (given, needed) in [(Key::AccessKeyId, Key::SecretAccessKey), (Key::SecretAccessKey, Key::AccessKeyId)] {
        if let Some(given) = find(settings, given).filter(|_| !has_file) {
            require(settings, given, &[needed])?;
        }
    }
    if let (Ok(kind), Ok(key)) = ("aws_server_side_encryption".parse(), "aws_sse_customer_key_base64".parse())
        && let Some(kind) = find(settings, kind).filter(|kind| kind.value == "sse-c")
    {
        require(settings, kind, &[key])?;
    }
    let zone = ["--x-s3", "--xa-s3"].iter().find_map(|end| bucket.strip_suffix(end)?.rsplit_once("--"));
    match find(settings, Key::S3Express) {
        Some(express) if express.value == "true" && zone.is_none() => {
            Err(express.refused("the name of the bucket does not end with a zone, as in NAME--ZONE--x-s3"))
        }
        _ => Ok(()),
    }
}

/// What this file holds goes into a header, of which the object_store crate expects that it can be made.
fn check_token_file(settings: &Settings<Key>) -> Result<()> {
    let Some(file) = find(settings, Key::ContainerAuthorizationTokenFile) else { return Ok(()) };
    // One that is not there yet is not there when it is asked for credentials, either: that is an error of its own.
    let Ok(token) = std::fs::read(&file.value) else { return Ok(()) };
    let token = Kind::Token.read(&String::from_utf8_lossy(&token));
    token.map(|_| ()).map_err(|flaw| file.refused(format!("of what the file holds: {flaw}")))
}

/// Where credentials were looked for.
fn tried(options: &StoreOptions) -> String {
    if options.get("aws_profile").is_none() {
        return TRIED.to_owned();
    }
    tracing::warn!("`AWS_PROFILE` is set and not read, and no credentials are given beside it");
    format!("{TRIED}, although `AWS_PROFILE` is set: `aws configure export-credentials --format env` writes its keys")
}

fn builder(bucket: &str, client: &Client, settings: &mut dyn Iterator<Item = &Setting<Key>>) -> AmazonS3Builder {
    let builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_client_options(client.options.clone())
        .with_retry(client.retry.clone())
        .with_http_connector(client.connector.clone());
    settings.fold(builder, |builder, setting| match setting.name {
        Name::Store(key) => builder.with_config(key, &setting.value),
        Name::Http(_) | Name::Shared(_) | Name::CredentialsFile | Name::Nothing => builder,
    })
}
