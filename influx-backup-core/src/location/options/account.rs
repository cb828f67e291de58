//! Google's JSON files with credentials, read before the object_store crate reads them: its errors quote what they hold.

use serde_json::{Map, Value};

use super::kind::{Flaw, Kind};

/// What is used of such a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::location) struct Account {
    /// The address of the service, in files of emulators.
    pub(in crate::location) base_url: Option<String>,
}

/// Reads a service account.
///
/// # Errors
/// What is wrong with it.
pub(in crate::location) fn check(json: &[u8]) -> Result<Account, Flaw> {
    let account = object(json)?;
    texts(&account, &["private_key", "private_key_id", "client_email"])?;
    if !matches!(account.get("disable_oauth"), None | Some(Value::Bool(_))) {
        return Err("its disable_oauth is not true or false".into());
    }
    let signs = account.get("disable_oauth").and_then(Value::as_bool) != Some(true);
    if signs && !account.get("private_key").and_then(Value::as_str).is_some_and(is_private_key) {
        return Err("its private_key is not an RSA key in PEM".into());
    }
    let base_url = match account.get("gcs_base_url") {
        None | Some(Value::Null) => None,
        Some(Value::String(url)) => {
            let read = Kind::Endpoint.read(url).map_err(|flaw| format!("its gcs_base_url cannot be used: {flaw}"))?;
            Some(read)
        }
        Some(_) => return Err("its gcs_base_url is not a text".into()),
    };
    Ok(Account { base_url })
}

/// Reads what `gcloud auth application-default login` writes, or a service account.
///
/// # Errors
/// What is wrong with it.
#[cfg(any(test, feature = "gcp"))]
pub(in crate::location) fn check_default(json: &[u8]) -> Result<Account, Flaw> {
    let account = object(json)?;
    match account.get("type").and_then(Value::as_str) {
        Some("service_account") => check(json),
        Some("authorized_user") => {
            texts(&account, &["client_id", "client_secret", "refresh_token"]).map(|()| Account::default())
        }
        _ => Err("its type is not service_account or authorized_user".into()),
    }
}

#[cfg(feature = "gcp")]
fn is_private_key(pem: &str) -> bool {
    object_store::gcp::ServiceAccountKey::from_pem(pem.as_bytes()).is_ok()
}

/// No other service has such accounts.
#[cfg(not(feature = "gcp"))]
const fn is_private_key(_: &str) -> bool {
    true
}

fn object(json: &[u8]) -> Result<Map<String, Value>, Flaw> {
    // The parser's own words may quote it.
    serde_json::from_slice(json).map_err(|error| format!("line {} is not JSON of an account", error.line()).into())
}

fn texts(account: &Map<String, Value>, names: &[&str]) -> Result<(), Flaw> {
    let missing = names.iter().find(|name| account.get(**name).and_then(Value::as_str).is_none_or(str::is_empty));
    missing.map_or(Ok(()), |name| Err(format!("its {name} is missing or not a text").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_account_is_said_without_its_values() {
        let good = r#"{"private_key": "k", "private_key_id": "i", "client_email": "e", "disable_oauth": true, "gcs_base_url": "http://h:1"}"#;
        assert_eq!(check(good.as_bytes()), Ok(Account { base_url: Some("http://h:1".to_owned()) }));
        for (json, flaw) in [
            ("s3cr3t", "line 1 is not JSON of an account"),
            ("\"s3cr3t\"", "line 1 is not JSON of an account"),
            (r#"{"private_key": "s3cr3t"}"#, "its private_key_id is missing or not a text"),
            (
                &good.replace("http://h:1", "h s3cr3t"),
                "its gcs_base_url cannot be used: it has no scheme: write a URL such as https://HOST:PORT",
            ),
            (&good.replace("true", "\"s3cr3t\""), "its disable_oauth is not true or false"),
            #[cfg(feature = "gcp")]
            (&good.replace("true", "false").replace("\"k\"", "\"s3cr3t\""), "its private_key is not an RSA key in PEM"),
        ] {
            assert_eq!(check(json.as_bytes()), Err(flaw.into()), "{json}");
        }
        let user = r#"{"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}"#;
        assert_eq!(check_default(user.as_bytes()), Ok(Account::default()));
        let unknown = check_default(br#"{"type": "s3cr3t"}"#).expect_err("unknown");
        assert_eq!(unknown, "its type is not service_account or authorized_user");
    }
}
