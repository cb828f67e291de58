mod random;

use super::super::Location;
use crate::{
    StoreOptions,
    location::{Identity, Provider},
};

/// The options that follow `--`, or the environment's `NAME`, with the same effect.
fn parse(url: &str, given: &[(&str, &str)]) -> crate::Result<Location> {
    Location::parse(url, &given.iter().copied().collect())
}

const S3: [(&str, &str); 2] = [("--aws-access-key-id", "k"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t")];
/// A key is base64.
const AZURE: [(&str, &str); 2] = [("--azure-storage-account", "a"), ("AZURE_STORAGE_ACCESS_KEY", "czNjcjN0")];

fn code(url: &str, given: &[(&str, &str)]) -> String {
    let error = parse(url, given).expect_err(url);
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    assert!(!text.contains("s3cr3t") && !text.contains("czNjcjN0"), "{text}");
    error.code().to_owned()
}

#[test]
fn names_that_influxdb_users_know() {
    for name in [
        "--aws-session-token",
        "AWS_DEFAULT_REGION",
        "aws_region",
        "region",
        "--aws-s3-custom-backend",
        "AWS_CREDENTIALS_FILE",
        "aws_virtual_hosted_style_request",
        "--object-store-connection-limit",
        "INFLUXDB3_OBJECT_STORE_MAX_RETRIES",
        "OBJECT_STORE_HTTP2_MAX_FRAME_SIZE",
    ] {
        let value = if name.contains("virtual") { "false" } else { "20000" };
        parse("s3://b/p", &[S3[0], S3[1], (name, value)]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for (name, value) in [
        ("--aws-allow-http", "true"),
        ("aws_skip_signature", "true"),
        ("--object-store-http2-only", "true"),
        ("--object-store-request-timeout", "30s"),
        ("OBJECT_STORE_RETRY_TIMEOUT", "3m"),
        ("--object-store-tls-allow-insecure", "true"),
    ] {
        parse("s3://b/p", &[S3[0], S3[1], (name, value)]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    parse("az://c/p", &[AZURE[0], AZURE[1], ("--azure-allow-http", "true")]).expect("Azure's names");
    parse(
        "az://c",
        &[AZURE[0], ("AZURE_CLIENT_ID", "i"), ("AZURE_TENANT_ID", "t"), ("AZURE_FEDERATED_TOKEN_FILE", "/t")],
    )
    .expect("a workload identity");
    let account = r#"{"private_key":"x","private_key_id":"x","client_email":"x","disable_oauth":true}"#;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), account).expect("written");
    let path = file.path().to_str().expect("UTF-8");
    parse("gs://b/p", &[("--google-service-account", path)]).expect("Google's name");
    parse("gs://b/p", &[("google_service_account_key", account)]).expect("object_store's name");
}

#[test]
fn what_is_given_has_to_be_known() {
    assert_eq!(code("s3://b", &[("--aws-endpiont", "x")]), "unknown-option");
    assert_eq!(code("s3://b", &[("azure_storage_account", "x")]), "unknown-option");
    assert_eq!(code("s3://b", &[("--bucket", "x")]), "unknown-option", "it is in the URL");
    assert_eq!(code("az://b", &[("--aws-endpoint", "x")]), "unknown-option");
    assert_eq!(code("gs://b", &[("--object-store-tls-cert", "x")]), "unknown-option");
    assert_eq!(code("/tmp", &[("aws_endpoint", "x")]), "unknown-option");
    assert_eq!(code("s3://b", &[("aws_access_key_id", "s3cr3t")]), "invalid-option");
    assert_eq!(code("az://c", &[AZURE[0], ("azure_storage_access_key", "s3cr3t!")]), "invalid-option");
    assert_eq!(code("az://c", &[]), "invalid-option", "no account");
    assert_eq!(code("gs://b", &[("google_service_account_key", "s3cr3t")]), "invalid-option");
    assert_eq!(code("s3://b", &[S3[0], S3[1], ("object_store_tls_ca", "/no/such/file")]), "invalid-option");
    for timeout in ["soon", "0s"] {
        let options = [S3[0], S3[1], ("object_store_request_timeout", timeout)];
        assert_eq!(code("s3://b", &options), "invalid-option", "{timeout}");
    }
    assert_eq!(code("swift://b", &[]), "invalid-location");
}

#[test]
fn an_option_that_is_not_known_is_answered_with_those_that_are_close() {
    let message = |url, name| parse(url, &[(name, "x")]).expect_err(name).to_string();
    let close = "`aws_endpiont` is not an option of S3: did you mean `aws_endpoint`?";
    assert_eq!(message("s3://b", "--aws-endpiont"), close);
    let close = "`azure_account` is not an option of Azure: did you mean `azure_storage_account`?";
    assert_eq!(message("az://b", "AZURE_ACCOUNT"), close);
    assert_eq!(message("gs://b", "color"), "`color` is not an option of Google Cloud Storage");
    let report = parse("s3://b", &[("aws_reigon", "x")]).expect_err("unknown").report();
    assert_eq!(report.context["similar"], serde_json::json!(["aws_region"]));
}

#[test]
fn every_option_that_is_listed_is_known() {
    for (provider, url) in [(Provider::S3, "s3://b"), (Provider::Azure, "az://c"), (Provider::Gcs, "gs://b")] {
        let names = StoreOptions::known(provider);
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            let refused = parse(url, &[(&name, "x")]).err().map(|error| error.code());
            assert_ne!(refused, Some("unknown-option"), "{name} of {provider}");
        }
    }
}

#[test]
fn a_prefix_is_decoded_and_shown_as_it_can_be_read_again() {
    for (url, base, shown) in [
        ("s3://b/a%20b/c", "a b/c", "s3://b/a b/c"),
        ("s3://b/a b/", "a b", "s3://b/a b"),
        ("s3://b/100%25", "100%", "s3://b/100%25"),
        ("s3://b/a%3Fb%23c", "a?b#c", "s3://b/a%3Fb%23c"),
        ("s3://b/%C3%BC", "\u{fc}", "s3://b/\u{fc}"),
        ("s3://b", "", "s3://b"),
    ] {
        let location = parse(url, &S3).expect(url);
        assert_eq!((location.base().as_ref(), location.to_string().as_str()), (base, shown), "{url}");
        assert_eq!(parse(shown, &S3).expect(shown).base(), location.base(), "{url}");
    }
    for url in
        ["s3://b/p?x=y", "s3://b/p#x", "s3://b?x", "s3://b/a%2F%2Fb", "s3://b/%2E%2E/c", "s3://b/../c", "s3://b/%ff"]
    {
        assert_eq!(code(url, &S3), "invalid-location", "{url}");
    }
}

#[test]
fn requests_may_be_silent_as_long_as_an_option_says() {
    let seconds = |options: &[(&str, &str)]| {
        let patience = parse("s3://b", &[&S3[..2], options].concat()).expect("parsed").0.patience;
        (patience.silence.as_secs(), patience.total.as_secs())
    };
    let timeout = ("object_store_request_timeout", "90s");
    let connections = ("object_store_connection_limit", "4");
    assert_eq!(seconds(&[]), (15, 20));
    assert_eq!(seconds(&[timeout]), (90, 90));
    assert_eq!(seconds(&[connections]), (15, 300), "requests wait for one another");
    assert_eq!(seconds(&[timeout, connections]), (90, 300));
}

#[test]
fn plain_http_only_when_asked_for() {
    let endpoint = ("--aws-endpoint", "http://127.0.0.1:9");
    assert_eq!(code("s3://b", &[S3[0], S3[1], endpoint]), "invalid-option");
    parse("s3://b", &[S3[0], S3[1], endpoint, ("--aws-allow-http", "true")]).expect("asked for");
    let endpoint = ("azure_endpoint", "http://127.0.0.1:9/a");
    assert_eq!(code("az://c", &[AZURE[0], AZURE[1], endpoint]), "invalid-option");
    let account =
        r#"{"private_key":"x","private_key_id":"x","client_email":"x","disable_oauth":true,"gcs_base_url":"http://h"}"#;
    assert_eq!(code("gs://b", &[("google_service_account_key", account)]), "invalid-option");
    parse("gs://b", &[("google_service_account_key", account), ("google_allow_http", "true")]).expect("asked for");
}

fn environment(pairs: &[(&str, &str)]) -> StoreOptions {
    StoreOptions::of_environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn unknown_names_in_the_environment_are_ignored() {
    let environment = environment(&[
        ("AWS_PROFILE", "dev"),
        ("AWS_PAGER", "cat"),
        ("INFLUXDB3_BUCKET", "other"),
        ("INFLUXDB3_OBJECT_STORE", "s3"),
        ("INFLUXDB3_NODE_ID", "n1"),
        ("AWS_ACCESS_KEY_ID", "k"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AZURE_STORAGE_ACCOUNT", "a"),
        ("AWS_ENDPOINT", "http://minio:9000"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ]);
    let identity = |options: &StoreOptions| Location::parse("s3://b/p", options).expect("parsed").identity().clone();
    let endpoint = "http://minio:9000".to_owned();
    let bucket = "b".to_owned();
    let region = "eu-west-1".to_owned();
    assert_eq!(identity(&environment), Identity::S3 { endpoint, bucket: bucket.clone(), region });
    // Another account in the same run, whichever of its names is used.
    let other = StoreOptions::default().with("aws_region", "us-west-2").with("endpoint", "").or(&environment);
    let region = "us-west-2".to_owned();
    assert_eq!(identity(&other), Identity::S3 { endpoint: String::new(), bucket, region });
    Location::parse("/tmp", &environment).expect("files need none of it");
}

#[tokio::test]
async fn credentials_are_never_mixed_of_two_sources() {
    let environment = environment(&[
        ("AWS_ACCESS_KEY_ID", "env"),
        ("AWS_SECRET_ACCESS_KEY", "env"),
        ("AWS_SESSION_TOKEN", "env"),
        ("AWS_CREDENTIALS_FILE", "/env"),
    ]);
    let options = S3.iter().copied().collect::<StoreOptions>().or(&environment);
    let location = Location::parse("s3://b", &options).expect("parsed");
    let Some(super::Handle::S3(s3)) = location.handle() else { panic!("an S3 bucket") };
    let credential = s3.store.credentials().get_credential().await.expect("a credential");
    assert_eq!((credential.key_id.as_str(), credential.token.as_deref()), ("k", None));
}

#[tokio::test]
async fn the_credentials_file_of_influxdb() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), r#"{"aws_access_key_id": "of the file", "aws_secret_access_key": "s3cr3t"}"#)
        .expect("written");
    let location =
        parse("s3://b", &[("--aws-credentials-file", file.path().to_str().expect("UTF-8"))]).expect("parsed");
    let Some(super::Handle::S3(s3)) = location.handle() else { panic!("an S3 bucket") };
    assert_eq!(s3.store.credentials().get_credential().await.expect("a credential").key_id, "of the file");
    assert!(!format!("{location:?} {:?}", location.options()).contains("s3cr3t"));
}

#[test]
fn a_value_is_refused_by_its_option_and_by_where_it_is_from() {
    for (name, value, option) in [
        ("AWS_ACCESS_KEY_ID", "s3cr3t\n", "aws_access_key_id"),
        ("AWS_SECRET_ACCESS_KEY", "s3cr3t\r\n", "aws_secret_access_key"),
        ("AWS_SESSION_TOKEN", "s3cr3t\n", "aws_session_token"),
        ("AWS_DEFAULT_REGION", "eu-west-1\n", "aws_default_region"),
        ("AWS_ENDPOINT_URL_S3", "https://minio\n", "aws_endpoint_url_s3"),
        ("INFLUXDB3_OBJECT_STORE_MAX_RETRIES", "3\n", "object_store_max_retries"),
    ] {
        let others = S3.iter().filter(|(other, _)| !other.ends_with(name)).copied();
        let environment = environment(&others.chain([(name, value)]).collect::<Vec<_>>());
        let options = StoreOptions::default().or(&environment);
        let error = Location::parse("s3://b", &options).expect_err(name);
        let expected = format!(
            "the value of option `{option}`, from the environment variable {name}, cannot be used: it ends with a line break: a \
             Kubernetes secret made with `echo` has one, use `echo -n`"
        );
        assert_eq!(error.to_string(), expected);
        let report = error.report();
        assert_eq!(report.context["origin"], format!("the environment variable {name}"));
        assert_eq!((report.code.as_str(), &report.context["option"]), ("invalid-option", &option.into()));
        let given = parse("s3://b", &[S3[0], S3[1], (name, value)]).expect_err(name).report();
        assert!(!given.context.contains_key("origin"), "{given:?}");
        assert!(given.message.contains(&format!("`{option}` cannot be used: it ends")), "{given:?}");
        Location::parse("s3://b", &options.with(name, "")).map(|_| ()).or_else(only_missing).expect("taken away");
    }
    let unset = environment(&[("AWS_PROFILE", "a\n"), ("AZURE_STORAGE_ACCOUNT", "a\n")]);
    Location::parse("s3://b", &unset).expect("they are of no account there");
}

/// What the builders of object_store refuse, naming no option.
#[test]
fn what_an_option_needs_is_named() {
    let key = ("aws_access_key_id", "k");
    let express = ("aws_s3_express", "true");
    let kind = |kind| [AZURE[0], ("azure_credential_type", kind)];
    for (url, given, missing) in [
        ("s3://b", vec![key], "aws_secret_access_key"),
        ("s3://b", vec![S3[1]], "aws_access_key_id"),
        ("s3://b", vec![key, ("aws_skip_signature", "true")], "aws_secret_access_key"),
        ("s3://b", vec![S3[0], S3[1], ("aws_server_side_encryption", "sse-c")], "aws_sse_customer_key_base64"),
        ("s3://b", vec![S3[0], S3[1], express], "aws_s3_express"),
        ("az://c", vec![], "azure_storage_account"),
        ("az://c", vec![AZURE[1], ("azure_endpoint", "https://h/a")], "azure_storage_account"),
        ("az://c", kind("bearer_token").into(), "azure_storage_token"),
        ("az://c", kind("access_key").into(), "azure_storage_account_key"),
        ("az://c", kind("client_secret").into(), "azure_storage_client_id"),
        ("az://c", kind("workload_identity").into(), "azure_storage_client_id"),
        ("az://c", kind("sas_token").into(), "azure_storage_sas_key"),
    ] {
        let report = parse(url, &given).expect_err(missing).report();
        assert_eq!(
            (report.code.as_str(), &report.context["option"]),
            ("invalid-option", &missing.into()),
            "{report:?}"
        );
        assert!(!format!("{report:?}").contains("s3cr3t"), "{report:?}");
    }
    parse("s3://b--use1-az4--x-s3", &[S3[0], S3[1], express]).expect("a bucket with its zone");
    parse("az://c", &[("azure_storage_use_emulator", "true")]).expect("an emulator has an account of its own");
    let error = Location::parse("s3://b", &environment(&[("AWS_ACCESS_KEY_ID", "only")])).expect_err("no secret");
    let expected = "the value of option `aws_secret_access_key` cannot be used: it is missing, and `aws_access_key_id`, from the \
                    environment variable AWS_ACCESS_KEY_ID, needs it";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_flaw_in_an_account_is_named_with_its_file() {
    let account = |key: &str| format!(r#"{{"private_key":"{key}","private_key_id":"x","client_email":"x"}}"#);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), account("s3cr3t")).expect("written");
    let path = file.path().to_str().expect("UTF-8");
    let error = Location::parse("gs://b", &environment(&[("GOOGLE_SERVICE_ACCOUNT", path)])).expect_err("no key");
    let expected = format!(
        "the value of option `google_service_account`, from the environment variable GOOGLE_SERVICE_ACCOUNT, cannot be used: of \
         what `{path}` holds: its private_key is not an RSA key in PEM"
    );
    assert_eq!(error.to_string(), expected);
    let both = [
        ("google_service_account", path),
        ("google_service_account_key", &*account("x").replace("\"x\"}", "\"x\",\"disable_oauth\":true}")),
    ];
    let report = parse("gs://b", &both).expect_err("two accounts").report();
    assert_eq!(report.context["option"], "google_service_account_key");

    let home = tempfile::tempdir().expect("a directory");
    super::gcs::check_default_account(home.path()).expect("there is none");
    let below = if cfg!(windows) { "gcloud" } else { ".config/gcloud" };
    let file = home.path().join(below).join("application_default_credentials.json");
    std::fs::create_dir_all(file.parent().expect("a directory")).expect("made");
    std::fs::write(&file, account("s3cr3t").replace('{', r#"{"type":"service_account","#)).expect("written");
    let error = super::gcs::check_default_account(home.path()).expect_err("no key").to_string();
    assert!(error.contains("application_default_credentials.json`, cannot be used: its private_key"), "{error}");
    assert!(!error.contains("s3cr3t"), "{error}");
}

#[test]
fn what_only_looks_like_a_certificate_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let pem = "-----BEGIN CERTIFICATE-----\nczNjcjN0\n-----END CERTIFICATE-----\n";
    std::fs::write(file.path(), pem).expect("written");
    for (option, value) in
        [("object_store_tls_ca", file.path().to_str().expect("UTF-8")), ("aws_proxy_ca_certificate", pem)]
    {
        let report = parse("s3://b", &[S3[0], S3[1], (option, value)]).expect_err(option).report();
        assert_eq!(report.context["option"], option, "{report:?}");
    }
}

/// Of a key and its secret each needs the other.
fn only_missing(error: crate::Error) -> crate::Result<()> {
    if error.to_string().contains("issing") { Ok(()) } else { Err(error) }
}

#[test]
fn every_option_that_is_listed_has_a_kind_of_value() {
    for (provider, url) in [(Provider::S3, "s3://b"), (Provider::Azure, "az://c"), (Provider::Gcs, "gs://b")] {
        for name in StoreOptions::known(provider) {
            for value in ["s3cr3t\u{fffd}", "a\n"] {
                let refused = parse(url, &[(&name, value)]).expect_err(&name).report();
                assert_eq!(
                    (refused.code.as_str(), &refused.context["option"]),
                    ("invalid-option", &name.clone().into())
                );
                assert!(!format!("{refused:?}").contains("s3cr3t"), "{refused:?}");
            }
        }
    }
}

#[test]
fn plain_http_may_be_asked_for_in_any_word_for_yes() {
    let endpoint = ("aws_endpoint", "HTTP://127.0.0.1:9");
    assert_eq!(code("s3://b", &[S3[0], S3[1], endpoint]), "invalid-option", "whatever its case");
    for yes in ["1", "yes", "TRUE", "on"] {
        parse("s3://b", &[S3[0], S3[1], endpoint, ("aws_allow_http", yes)]).expect(yes);
    }
}
