//! [`Vouch`]: what has to vouch for a backup.

use crate::{
    checksum::from_hex,
    error::{Error, Result},
    signature::Trusted,
};

/// How many bytes a SHA-256 has.
const SHA256_BYTES: usize = 32;

/// What has to vouch for a backup before anything in it is believed. By default nothing has to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Vouch {
    /// SHA-256 of the root manifest, in hex.
    pub(crate) sha256: Option<String>,
    /// The key that has to have signed the root manifest.
    pub(crate) key: Option<Trusted>,
}

impl Vouch {
    /// Reads what options give.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the name of the option that cannot be used.
    pub(super) fn new(expect_sha256: Option<&str>, trust: Option<&str>) -> Result<Self> {
        let is_sha256 = |text: &str| from_hex(text).is_some_and(|bytes| bytes.len() == SHA256_BYTES);
        if expect_sha256.is_some_and(|text| !is_sha256(text)) {
            let reason = "it takes the 64 hexadecimal digits that the report of a backup gives as its SHA-256";
            return Err(Error::invalid_request("expect_sha256", reason));
        }
        Ok(Self { sha256: expect_sha256.map(ToOwned::to_owned), key: trust.map(Trusted::read).transpose()? })
    }

    /// Whether a backup is believed as it is.
    pub(crate) fn is_needless(&self) -> bool {
        *self == Self::default()
    }
}
