//! [`Kind`]: what the value of an option may be. The libraries below panic at some values, and quote others in their errors;
//! so none reaches them that was not read here.

use std::{borrow::Cow, ops::RangeInclusive, time::Duration};

use http::{HeaderName, HeaderValue, StatusCode};
use object_store::{
    ClientOptions,
    client::{HttpConnector, ReqwestConnector},
};

use self::Kind::{
    Account, Address, Base64Key, Base64Secret, Certificates, Choice, CopyCondition, Endpoint, Header, Json, Name,
    Number, Path, Pem, Proxy, RelativeAddress, Secret, Signature, Text, Token, Truth, Wait,
};
use super::{
    address::{Query, address, is_name, is_requestable, proxy},
    plain::plain,
    wait::wait,
};
use crate::units::duration;

/// What is wrong with a value. It holds nothing of the value.
pub(in crate::location) type Flaw = Cow<'static, str>;

/// What the value of an option may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::location) enum Kind {
    /// It only signs requests, and so may hold any character that can be printed.
    Secret,
    /// A secret in base64.
    Base64Secret,
    /// A key of 256 bits in base64.
    Base64Key,
    /// A shared access signature.
    Signature,
    /// Part of a header: ASCII without white space.
    Token,
    /// A header: ASCII.
    Header,
    /// Whatever can be printed.
    Text,
    /// Part of a host name or of a path.
    Name,
    /// The name of a storage account.
    Account,
    /// The URL of a service: without user, query or fragment.
    Endpoint,
    /// A URL that is asked for something: it may have a query.
    Address,
    /// The path of such a URL.
    RelativeAddress,
    /// The URL of a proxy: it may have a user, and lack the scheme.
    Proxy,
    /// A path of the file system.
    Path,
    /// The path of a file with certificates.
    Certificates,
    /// Certificates.
    Pem,
    /// A service account.
    Json,
    /// Yes or no.
    Truth,
    /// A number within limits.
    Number(RangeInclusive<u64>),
    /// How long to wait for something: at least this.
    Wait(Duration),
    /// One of several names, in lower case.
    Choice(&'static [&'static str]),
    /// What object_store calls `S3CopyIfNotExists`.
    CopyCondition,
}

/// The shortest that is not none at all.
const SOME: Duration = Duration::from_millis(1);

/// No token is longer, and a URL or a header takes it.
const LONGEST_TEXT: usize = 32 * 1024;

/// What stands in a URL, where a byte may take three.
const LONGEST_IN_URL: usize = 8 * 1024;

impl Kind {
    /// The kind of an option, by its name in the object_store crate or among InfluxDB's.
    pub(in crate::location) fn of(option: &str) -> Option<Self> {
        Some(match option {
            "aws_secret_access_key" | "azure_storage_client_secret" => Secret,
            "azure_storage_account_key" => Base64Secret,
            "aws_sse_customer_key_base64" | "azure_storage_encryption_key" => Base64Key,
            "azure_storage_sas_key" => Signature,
            "aws_session_token"
            | "aws_sse_kms_key_id"
            | "azure_storage_token"
            | "azure_fabric_session_token"
            | "google_bearer_token" => Token,
            "aws_access_key_id"
            | "azure_fabric_cluster_identifier"
            | "azure_fabric_workload_host"
            | "default_content_type"
            | "user_agent" => Header,
            "aws_role_arn"
            | "aws_role_session_name"
            | "aws_s3_custom_backend"
            | "azure_storage_client_id"
            | "azure_object_id"
            | "azure_msi_resource_id"
            | "proxy_excludes" => Text,
            "aws_region" | "aws_default_region" | "azure_storage_tenant_id" => Name,
            "azure_storage_account_name" => Account,
            "aws_endpoint"
            | "aws_endpoint_url_s3"
            | "aws_endpoint_url_sts"
            | "aws_metadata_endpoint"
            | "azure_storage_authority_host"
            | "azure_storage_endpoint"
            | "google_base_url" => Endpoint,
            "aws_container_credentials_full_uri" | "azure_fabric_token_service_url" | "azure_msi_endpoint" => Address,
            "aws_container_credentials_relative_uri" => RelativeAddress,
            "proxy_url" => Proxy,
            "aws_container_authorization_token_file"
            | "aws_credentials_file"
            | "aws_web_identity_token_file"
            | "azure_federated_token_file"
            | "google_application_credentials"
            | "google_service_account" => Path,
            "object_store_tls_ca" => Certificates,
            "proxy_ca_certificate" => Pem,
            "google_service_account_key" => Json,
            "aws_disable_bulk_delete"
            | "aws_disable_tagging"
            | "aws_imdsv1_fallback"
            | "aws_request_payer"
            | "aws_s3_express"
            | "aws_skip_signature"
            | "aws_sse_bucket_key_enabled"
            | "aws_unsigned_payload"
            | "aws_virtual_hosted_style_request"
            | "azure_disable_tagging"
            | "azure_skip_signature"
            | "azure_storage_use_emulator"
            | "azure_use_azure_cli"
            | "azure_use_fabric_endpoint"
            | "google_skip_signature"
            | "allow_http"
            | "allow_invalid_certificates"
            | "disable_system_certificates"
            | "http1_only"
            | "http2_keep_alive_while_idle"
            | "http2_only"
            | "randomize_addresses"
            | "object_store_http2_only"
            | "object_store_single_writer"
            | "object_store_tls_allow_insecure" => Truth,
            "object_store_connection_limit" | "object_store_max_retries" | "pool_max_idle_per_host" => {
                Number(0..=65_536)
            }
            // What HTTP/2 allows.
            "http2_max_frame_size" | "object_store_http2_max_frame_size" => Number(16_384..=16_777_215),
            "pool_idle_timeout" | "object_store_retry_timeout" => Wait(Duration::ZERO),
            "connect_timeout"
            | "http2_keep_alive_interval"
            | "http2_keep_alive_timeout"
            | "read_timeout"
            | "timeout"
            | "object_store_request_timeout" => Wait(SOME),
            "aws_checksum_algorithm" => Choice(&["sha256", "crc64nvme"]),
            "aws_conditional_put" => Choice(&["etag", "disabled"]),
            "aws_copy_if_not_exists" => CopyCondition,
            "aws_server_side_encryption" => Choice(&["aes256", "aws:kms", "aws:kms:dsse", "sse-c"]),
            "azure_credential_type" => Choice(&[
                "auto",
                "bearer_token",
                "access_key",
                "client_secret",
                "workload_identity",
                "sas_token",
                "azure_cli",
                "managed_identity",
            ]),
            _ => return None,
        })
    }

    /// Whether it is secret, or may hold a secret.
    pub(in crate::location) const fn is_secret(&self) -> bool {
        matches!(self, Secret | Base64Secret | Base64Key | Signature | Token | Proxy | Json)
    }

    /// The value as the libraries read it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::location) fn read(&self, value: &str) -> Result<String, Flaw> {
        match self {
            Pem | Json if value.contains('\u{fffd}') => return Err("it is not UTF-8".into()),
            Pem | Json => {}
            _ => plain(value).map_err(Flaw::from)?,
        }
        let longest = match self {
            Pem | Json => usize::MAX,
            Secret | Token => LONGEST_TEXT,
            _ => LONGEST_IN_URL,
        };
        if value.len() > longest {
            return Err("it is far too long".into());
        }
        let fits =
            |fits: bool, otherwise: &'static str| if fits { Ok(value.to_owned()) } else { Err(otherwise.into()) };
        match self {
            Secret | Text | Path => Ok(value.to_owned()),
            Base64Secret => fits(base64(value).is_some(), "it is not base64"),
            Base64Key => {
                let holds_a_key = base64(value).is_some_and(|key| key.len() == 32);
                fits(holds_a_key, "it is not a key of 256 bits in base64")
            }
            Signature => fits(is_signature(value), "it is not a list of NAME=VALUE, with `&` between them"),
            Token => fits(
                value.bytes().all(|byte| byte.is_ascii_graphic()),
                "it has white space, or a character beyond ASCII",
            ),
            Header => fits(value.is_ascii(), "it has a character beyond ASCII"),
            Name => fits(is_name(value, ".-_"), "it has a character other than letters, digits, `-`, `_` and `.`"),
            Account => fits(is_name(value, "-_"), "it has a character other than letters, digits, `-` and `_`"),
            Endpoint => address(value, Query::Refused),
            Address => address(value, Query::Allowed),
            RelativeAddress => {
                let whole = format!("http://localhost{value}");
                let fit = value.starts_with('/') && is_requestable(&whole);
                fits(fit, "write a path that begins with `/` and is encoded as in a URL")
            }
            Proxy => proxy(value),
            Certificates => certificates(value),
            Pem => fits(is_trustable(value.as_bytes()), "it holds no PEM certificates"),
            Json => super::account::check(value.as_bytes()).map(|_| value.to_owned()),
            Truth => truth(value).map(|truth| truth.to_string()).ok_or_else(|| "write `true` or `false`".into()),
            Number(range) => {
                let number = value.parse::<u64>().ok().filter(|number| range.contains(number));
                let allowed = || format!("write a whole number from {} to {}", range.start(), range.end()).into();
                number.map(|number| number.to_string()).ok_or_else(allowed)
            }
            Wait(least) => wait(value, *least).map(duration::format),
            Choice(names) => {
                let lower = value.to_ascii_lowercase();
                let name = names.iter().find(|name| **name == lower);
                name.map(|name| as_written(name)).ok_or_else(|| format!("write {}", listed(names)).into())
            }
            CopyCondition => fits(
                is_copy_condition(value),
                "write `multipart`, `header: NAME: VALUE`, or `header-with-status: NAME: VALUE: STATUS`",
            ),
        }
    }
}

fn base64(value: &str) -> Option<Vec<u8>> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.decode(value).ok()
}

fn is_signature(value: &str) -> bool {
    let Ok(decoded) = percent_encoding::percent_decode_str(value).decode_utf8() else { return false };
    let mut pairs = decoded.trim_start_matches('?').split('&').filter(|pair| !pair.trim().is_empty()).peekable();
    pairs.peek().is_some() && pairs.all(|pair| pair.contains('=')) && !decoded.chars().any(char::is_control)
}

fn certificates(path: &str) -> Result<String, Flaw> {
    let pem = std::fs::read(path).map_err(|error| Flaw::from(format!("the file cannot be read: {error}")))?;
    if is_trustable(&pem) { Ok(path.to_owned()) } else { Err("the file holds no PEM certificates".into()) }
}

/// Whether these are certificates that a client takes. What stands between their first and last lines, only a client reads.
fn is_trustable(pem: &[u8]) -> bool {
    let Ok(found) = object_store::Certificate::from_pem_bundle(pem) else { return false };
    let is_empty = found.is_empty();
    let options = found.into_iter().fold(ClientOptions::new(), ClientOptions::with_root_certificate);
    !is_empty && ReqwestConnector::default().connect(&options).is_ok()
}

pub(in crate::location) fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" => Some(true),
        "false" | "0" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// The name as the object_store crate compares it.
fn as_written(name: &str) -> String {
    if name == "aes256" { "AES256".to_owned() } else { name.to_owned() }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{}`", as_written(name))).collect::<Vec<_>>().join(" or ")
}

fn is_copy_condition(value: &str) -> bool {
    if value == "multipart" {
        return true;
    }
    let parts: Vec<_> = value.split(':').map(str::trim).collect();
    let is_header =
        |name: &str, value: &str| name.parse::<HeaderName>().is_ok() && HeaderValue::from_str(value).is_ok();
    match parts[..] {
        ["header", name, value] => is_header(name, value),
        ["header-with-status", name, value, status] => is_header(name, value) && status.parse::<StatusCode>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(option: &str, value: &str) -> Result<String, Flaw> {
        Kind::of(option).expect(option).read(value)
    }

    #[test]
    fn a_line_break_is_named_and_where_it_mostly_comes_from() {
        let expected = "it ends with a line break: a Kubernetes secret made with `echo` has one, use `echo -n`";
        for option in ["aws_access_key_id", "aws_secret_access_key", "aws_region", "aws_endpoint", "user_agent"] {
            assert_eq!(read(option, "https://x\n"), Err(expected.into()), "{option}");
            assert_eq!(read(option, "https://x\r\n"), Err(expected.into()), "{option}");
        }
        for value in ["a\nb", "\ta", "a\0", "a\u{7f}", "a\u{85}b", " a", "a ", "a\u{a0}", "\"a\"", "'a'", "a\u{fffd}"] {
            assert!(read("aws_secret_access_key", value).is_err(), "{value:?}");
        }
        assert_eq!(read("aws_secret_access_key", "a b/+=\u{fc}\"").as_deref(), Ok("a b/+=\u{fc}\""));
    }

    #[test]
    fn an_endpoint_is_the_url_of_a_service() {
        for endpoint in [
            "https://s3.eu-west-1.amazonaws.com",
            "http://127.0.0.1:9000",
            "http://[::1]:9000/",
            "http://minio_1.local:9000/path",
            "https://xn--mnchen-3ya.example.com",
        ] {
            assert_eq!(read("aws_endpoint", endpoint).as_deref(), Ok(endpoint));
        }
        assert_eq!(read("aws_endpoint", "HTTP://minio:9000").as_deref(), Ok("http://minio:9000"));
        for (endpoint, flaw) in [
            ("minio:9000", "it has no scheme: write a URL such as https://HOST:PORT"),
            ("ftp://minio", "its scheme is not http or https: write a URL such as https://HOST:PORT"),
            ("http://", "empty host: write a URL such as https://HOST:PORT"),
            ("http://minio:99999", "invalid port number: write a URL such as https://HOST:PORT"),
            ("http://minio:0", "no service has port 0"),
            ("http://key:s3cr3t@minio", "credentials belong into options of their own, not into a URL"),
            ("http://minio?x=s3cr3t", "it has a query or a fragment, which would be lost"),
            ("http://minio#x", "it has a query or a fragment, which would be lost"),
            ("http://999.1.1.1", "invalid IPv4 address: write a URL such as https://HOST:PORT"),
        ] {
            assert_eq!(read("aws_endpoint", endpoint), Err(flaw.into()), "{endpoint}");
        }
        for endpoint in ["http://m\u{fc}nchen", "http://a/\u{fc}", "http://a b", "http:///a", "http://xn--a", "http:/a"]
        {
            assert!(read("aws_endpoint", endpoint).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn numbers_and_durations_have_limits() {
        assert_eq!(read("object_store_connection_limit", "0").as_deref(), Ok("0"));
        for value in ["-1", "65537", "1e3", "18446744073709551616", "one", "1.5"] {
            assert_eq!(
                read("object_store_connection_limit", value),
                Err("write a whole number from 0 to 65536".into()),
                "{value}"
            );
        }
        for value in ["16383", "16777216"] {
            assert!(read("http2_max_frame_size", value).is_err(), "{value}: the HTTP library panics");
        }
        for (value, expected) in
            [("30", "30s"), ("1h 30m", "90m"), ("1hour 12min 5s", "4325s"), ("1500ms", "1500ms"), ("7d", "7d")]
        {
            assert_eq!(read("timeout", value).as_deref(), Ok(expected), "{value}");
        }
        for value in
            ["8d", "18446744073709551615s", "18446744073709551615h", "99999999999999999999", "0s", "0", "s", "1 2"]
        {
            assert!(read("timeout", value).is_err(), "{value}");
        }
        assert_eq!(read("pool_idle_timeout", "0").as_deref(), Ok("0s"));
    }

    #[test]
    fn names_and_choices_are_those_that_are_known() {
        for region in ["eu-west-1", "us-east-1", "auto", "my_region", "Region.One"] {
            assert_eq!(read("aws_region", region).as_deref(), Ok(region));
        }
        for region in ["eu west", "a/b", "a@b", "\u{fc}", "xn--a", "a..b"] {
            assert!(read("aws_region", region).is_err(), "{region}");
        }
        assert_eq!(read("allow_http", "1").as_deref(), Ok("true"));
        assert_eq!(read("allow_http", "maybe"), Err("write `true` or `false`".into()));
        assert_eq!(read("aws_server_side_encryption", "AES256").as_deref(), Ok("AES256"));
        assert_eq!(read("aws_checksum_algorithm", "SHA256").as_deref(), Ok("sha256"));
        assert_eq!(read("aws_conditional_put", "no"), Err("write `etag` or `disabled`".into()));
        for value in ["multipart", "header: cf-copy: *", "header-with-status: a: b: 409"] {
            assert_eq!(read("aws_copy_if_not_exists", value).as_deref(), Ok(value));
        }
        for value in ["header: a b: c", "header: a", "header-with-status: a: b: 99", "dynamo"] {
            assert!(read("aws_copy_if_not_exists", value).is_err(), "{value}");
        }
    }

    #[test]
    fn secrets_have_a_shape_of_which_nothing_is_shown() {
        assert_eq!(read("azure_storage_account_key", "czNjcjN0!"), Err("it is not base64".into()));
        assert!(read("azure_storage_encryption_key", "czNjcjN0").is_err());
        assert!(read("azure_storage_sas_key", "?sv=2022&sig=a%2Bb%3D").is_ok());
        assert!(read("azure_storage_sas_key", "s3cr3t").is_err());
        assert!(read("aws_session_token", "a b").is_err() && read("aws_session_token", "\u{fc}").is_err());
        for proxy in ["http://user:s3cr3t@proxy:3128", "proxy:3128", "https://proxy"] {
            assert_eq!(read("proxy_url", proxy).as_deref(), Ok(proxy));
        }
        for proxy in ["ftp://proxy", "http://", "http://proxy:99999"] {
            assert!(read("proxy_url", proxy).is_err(), "{proxy}");
        }
    }
}
