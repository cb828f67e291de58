//! The names of the options that each provider has.

use super::{super::Provider, StoreOptions};
use crate::similar::similar;

/// InfluxDB's options for all providers of object stores.
const SHARED: &[&str] = &[
    "object_store_connection_limit",
    "object_store_http2_max_frame_size",
    "object_store_http2_only",
    "object_store_max_retries",
    "object_store_request_timeout",
    "object_store_retry_timeout",
    "object_store_single_writer",
    "object_store_tls_allow_insecure",
    "object_store_tls_ca",
];

/// Options of the HTTP client. Each provider has them, after its own prefix.
const HTTP: &[&str] = &[
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "default_content_type",
    "disable_system_certificates",
    "http1_only",
    "http2_keep_alive_interval",
    "http2_keep_alive_timeout",
    "http2_keep_alive_while_idle",
    "http2_max_frame_size",
    "http2_only",
    "pool_idle_timeout",
    "pool_max_idle_per_host",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "randomize_addresses",
    "read_timeout",
    "timeout",
    "user_agent",
];

const S3: &[&str] = &[
    "aws_access_key_id",
    "aws_checksum_algorithm",
    "aws_conditional_put",
    "aws_container_authorization_token_file",
    "aws_container_credentials_full_uri",
    "aws_container_credentials_relative_uri",
    "aws_copy_if_not_exists",
    "aws_credentials_file",
    "aws_default_region",
    "aws_disable_bulk_delete",
    "aws_disable_tagging",
    "aws_endpoint",
    "aws_endpoint_url_s3",
    "aws_endpoint_url_sts",
    "aws_imdsv1_fallback",
    "aws_metadata_endpoint",
    "aws_region",
    "aws_request_payer",
    "aws_role_arn",
    "aws_role_session_name",
    "aws_s3_custom_backend",
    "aws_s3_express",
    "aws_secret_access_key",
    "aws_server_side_encryption",
    "aws_session_token",
    "aws_skip_signature",
    "aws_sse_bucket_key_enabled",
    "aws_sse_customer_key_base64",
    "aws_sse_kms_key_id",
    "aws_unsigned_payload",
    "aws_virtual_hosted_style_request",
    "aws_web_identity_token_file",
];

const AZURE: &[&str] = &[
    "azure_authority_host",
    "azure_client_id",
    "azure_client_secret",
    "azure_credential_type",
    "azure_disable_tagging",
    "azure_endpoint",
    "azure_fabric_cluster_identifier",
    "azure_fabric_session_token",
    "azure_fabric_token_service_url",
    "azure_fabric_workload_host",
    "azure_federated_token_file",
    "azure_msi_endpoint",
    "azure_msi_resource_id",
    "azure_object_id",
    "azure_skip_signature",
    "azure_storage_access_key",
    "azure_storage_account",
    "azure_storage_encryption_key",
    "azure_storage_sas_token",
    "azure_storage_token",
    "azure_storage_use_emulator",
    "azure_tenant_id",
    "azure_use_azure_cli",
    "azure_use_fabric_endpoint",
];

const GCS: &[&str] = &[
    "google_application_credentials",
    "google_base_url",
    "google_bearer_token",
    "google_service_account",
    "google_service_account_key",
    "google_skip_signature",
];

const FILE: &[&str] = &["file_links", "file_mode"];

/// The names of any provider's options that are close to this one.
pub(super) fn close_to_any(name: &str) -> Vec<String> {
    similar(name, &Provider::ALL.iter().flat_map(|provider| StoreOptions::known(*provider)).collect::<Vec<_>>())
}

/// Whether the value of this option is a duration.
pub(super) fn is_duration(name: &str) -> bool {
    name.ends_with("_timeout") || name.ends_with("_interval")
}

impl StoreOptions {
    /// The names of the options that a provider has, sorted. Some have further names, as the object_store crate has them. A
    /// directory has none of those that are for requests.
    #[must_use]
    pub fn known(provider: Provider) -> Vec<String> {
        let (prefix, own) = match provider {
            Provider::S3 => ("aws_", S3),
            Provider::Azure => ("azure_", AZURE),
            Provider::Gcs => ("google_", GCS),
            Provider::File => return FILE.iter().map(|name| (*name).to_owned()).collect(),
            Provider::Memory | Provider::Other => return Vec::new(),
        };
        let own = own.iter().chain(SHARED).map(|name| (*name).to_owned());
        let mut names: Vec<_> = own.chain(HTTP.iter().map(|name| format!("{prefix}{name}"))).collect();
        names.sort_unstable();
        names
    }

    /// The names of a provider's options that are close to this one.
    #[cfg(feature = "cloud")]
    pub(in crate::location) fn close_to(name: &str, provider: Provider) -> Vec<String> {
        similar(name, &Self::known(provider))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming::Naming;

    #[test]
    fn names_are_written_as_they_are_read() {
        for provider in Provider::ALL {
            let names = StoreOptions::known(*provider);
            assert!(names.iter().all(|name| *name == super::super::plain(name)), "{names:?}");
            let camel_case = names.iter().map(|name| Naming::CamelCase.write(name));
            assert_eq!(camel_case.map(|name| Naming::CamelCase.read(&name)).collect::<Vec<_>>(), names);
            assert!(names.windows(2).all(|two| two[0] < two[1]), "sorted, each once: {names:?}");
        }
        assert!(StoreOptions::known(Provider::S3).iter().any(|name| name == "aws_allow_http"));
        assert_eq!(StoreOptions::known(Provider::File), FILE);
    }
}
