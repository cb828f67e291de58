//! Random values for every option of every provider: a location, or an error that names the option and shows
//! nothing of the value. What is taken is used for a request, which is where the libraries make headers and URLs of it.

use std::time::Duration;

use futures::FutureExt;
use object_store::{ObjectStoreExt, path::Path};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestCaseError, TestRunner},
};

use super::{AZURE, S3, environment};
use crate::{Location, StoreOptions, location::Provider};

/// It stands in every value, and in no error.
const MARK: &str = "s3cr3tMark";

/// What the names of options end with whose values are secret.
const SECRET: &[&str] = &[
    "_secret_access_key",
    "_session_token",
    "_sas_token",
    "_client_secret",
    "_storage_access_key",
    "_storage_token",
    "_bearer_token",
    "_encryption_key",
    "_customer_key_base64",
    "_service_account_key",
    "_proxy_url",
];

/// Values at which something below panicked, hung, or quoted them.
const KNOWN: &[&str] = &[
    "\n",
    "\r\n",
    " ",
    "\t",
    "\0",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{fffd}",
    "\u{fc}",
    "\"",
    "''",
    "/",
    "//",
    "?",
    "#",
    "@",
    ":",
    "%",
    "%0a",
    "&",
    "=",
    "..",
    "xn--a",
    "[",
    "[::1]:9",
    "{}",
    "[]",
    "null",
    "0",
    "-1",
    "1e99",
    "65537",
    "18446744073709551615",
    "18446744073709551616",
    "0s",
    "18446744073709551615s",
    "18446744073709551615h",
    "1y",
    "true",
    "sha256",
    "etag",
    "multipart",
    "header: a: b",
    "header: a b: c",
    "aws:kms",
    "sse-c",
    "http://",
    "http:///a",
    "http://[",
    "http://127.0.0.1:9",
    "https://127.0.0.1:9/",
    "HTTP://127.0.0.1:9",
    "http://127.0.0.1:99999",
    "http://999.9.9.9",
    "http://u:p@127.0.0.1:9",
    "http://127.0.0.1:9?a=b",
    "http://127.0.0.1:9/\u{fc}",
    "http://xn--a:9",
    "data:a",
    "file:///a",
    "sv=1&sig=a",
    "czNjcjN0",
    "client_secret",
    "managed_identity",
    "workload_identity",
    "sas_token",
    "bearer_token",
    r#"{"private_key":"x","private_key_id":"x","client_email":"x","disable_oauth":true,"gcs_base_url":"http://127.0.0.1:9"}"#,
    r#"{"private_key":"x","private_key_id":"x","client_email":"x","disable_oauth":"s3cr3tMark"}"#,
    r#"{"private_key":"x","private_key_id":"x","client_email":"x"}"#,
];

fn value() -> impl Strategy<Value = String> {
    let known = || select(KNOWN).prop_map(str::to_owned);
    prop_oneof![
        6 => known(),
        2 => known().prop_map(|value| format!("{MARK}{value}")),
        2 => known().prop_map(|value| format!("{value}{MARK}")),
        2 => any::<String>(),
        2 => "[ -~]{1,40}",
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => (1..200_000_usize).prop_map(|length| MARK.repeat(length / MARK.len() + 1)),
    ]
}

/// Where a value is from.
#[derive(Debug, Clone, Copy)]
enum From {
    Given,
    Environment,
}

/// A location of the provider at which nothing listens, but for one option.
fn options(provider: Provider, (name, value): (&str, &str), from: From) -> (&'static str, StoreOptions) {
    let (url, prefix, credentials) = match provider {
        Provider::S3 => ("s3://bucket/prefix", "aws", &[S3[0], S3[1], ("aws_endpoint", "http://127.0.0.1:9")][..]),
        Provider::Azure => {
            ("az://container/prefix", "azure", &[AZURE[0], AZURE[1], ("azure_endpoint", "http://127.0.0.1:9/a")][..])
        }
        _ => (
            "gs://bucket/prefix",
            "google",
            &[("google_base_url", "http://127.0.0.1:9"), ("google_skip_signature", "true")][..],
        ),
    };
    let mut defaults: Vec<_> =
        credentials.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    defaults.extend([
        (format!("{prefix}_allow_http"), "true".to_owned()),
        (format!("{prefix}_disable_system_certificates"), "true".to_owned()),
        ("object_store_max_retries".to_owned(), "0".to_owned()),
    ]);
    let plain = |name: &str| name.trim_start_matches("--").replace('-', "_").to_ascii_lowercase();
    defaults.retain(|(other, _)| plain(other) != name);
    let defaults: Vec<_> =
        defaults.iter().map(|(name, value)| (plain(name).to_ascii_uppercase(), value.as_str())).collect();
    let mut variables: Vec<_> = defaults.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let upper = name.to_ascii_uppercase();
    let options = match from {
        From::Given => variables.iter().copied().collect::<StoreOptions>().with(name, value),
        From::Environment => {
            variables.push((&upper, value));
            environment(&variables)
        }
    };
    (url, options)
}

fn hides(shown: &str, value: &str) -> Result<(), TestCaseError> {
    prop_assert!(!shown.contains(MARK), "{}: {}", value.escape_debug(), shown);
    Ok(())
}

/// Everything that an error shows.
fn shown(error: &crate::Error) -> String {
    let report = error.report();
    let json = serde_json::to_string(&report).expect("serializes");
    format!("{error} {error:?} {report} {report:?} {json}")
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() })
}

#[test]
fn a_value_makes_a_location_or_a_named_error() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let all = [Provider::S3, Provider::Azure, Provider::Gcs];
    let all = all
        .into_iter()
        .flat_map(|provider| StoreOptions::known(provider).into_iter().map(move |name| (provider, name)));
    let from = select(&[From::Given, From::Environment][..]);
    let ran = runner(800).run(&(select(all.collect::<Vec<_>>()), value(), from), |((provider, name), value, from)| {
        let (url, options) = options(provider, (&name, &value), from);
        let location = match Location::parse(url, &options) {
            Ok(location) => location,
            Err(error) => {
                prop_assert_eq!(error.code(), "invalid-option");
                let report = error.report();
                let option = report.context["option"].as_str().expect("a name");
                prop_assert!(!["aws", "azure", "google"].contains(&option), "{report}");
                return hides(&shown(&error), &value);
            }
        };
        let Some(handle) = location.handle() else { return Ok(()) };
        let path = Path::from("prefix/key");
        let request = async { tokio::time::timeout(Duration::from_millis(200), handle.store().head(&path)).await };
        let asked = runtime.block_on(std::panic::AssertUnwindSafe(request).catch_unwind());
        prop_assert!(asked.is_ok(), "a request panicked");
        hides(&format!("{:?}", location.options()), "")?;
        let is_secret = SECRET.iter().any(|secret| name.ends_with(secret));
        if is_secret { hides(&format!("{location} {location:?} {:?}", location.identity()), "") } else { Ok(()) }
    });
    runtime.shutdown_background();
    ran.expect("a location or a named error");
}

#[test]
fn a_url_makes_a_location_or_a_named_error() {
    let scheme = select(&["s3", "s3a", "gs", "az", "abfss", "file", "memory", "swift", "", "S3", "http"][..]);
    let between = select(&["://", ":", ":/", ":///", ""][..]);
    let rest = prop_oneof![
        any::<String>(),
        "[ -~]{0,60}",
        (value(), value()).prop_map(|(bucket, prefix)| format!("{bucket}/{prefix}")),
        value().prop_map(|host| format!("key:{MARK}@{host}")),
        value().prop_map(|prefix| format!("bucket/{prefix}?x={MARK}")),
    ];
    let options: StoreOptions = [S3[0], S3[1]].into_iter().collect();
    let ran = runner(1500).run(&(scheme, between, rest), |(scheme, between, rest)| {
        let url = format!("{scheme}{between}{rest}");
        // Paths are shown as they are.
        let is_secret = url.contains(&format!("key:{MARK}@")) || url.contains(&format!("?x={MARK}"));
        for options in [&options, &StoreOptions::default()] {
            let Err(error) = Location::parse(&url, options) else { continue };
            let codes = ["invalid-location", "memory-location", "unknown-option", "invalid-option"];
            prop_assert!(codes.contains(&error.code()), "{}: {}", url.escape_debug(), error);
            if is_secret && between == "://" {
                let shown = shown(&error);
                prop_assert!(!shown.contains(&format!(":{MARK}@")) && !shown.contains(&format!("x={MARK}")), "{shown}");
            }
        }
        Ok(())
    });
    ran.expect("a location or a named error");
}
