//! [`Vouch`]: what has to vouch for a backup.

use crate::{
    checksum::from_hex,
    error::{Error, Result},
};

/// How many bytes a SHA-256 has.
const SHA256_BYTES: usize = 32;

/// What has to vouch for a backup before anything in it is believed. By default nothing has to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Vouch {
    /// SHA-256 of the root manifest, in hex.
    pub(crate) sha256: Option<String>,
}

impl Vouch {
    /// Whether a backup is believed as it is.
    pub(crate) fn is_needless(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that it can be compared with.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the name of the option that cannot.
    pub(crate) fn check(&self) -> Result<()> {
        match self.sha256.as_deref().map(from_hex) {
            None => Ok(()),
            Some(Some(bytes)) if bytes.len() == SHA256_BYTES => Ok(()),
            Some(_) => {
                let reason = "it takes the 64 hexadecimal digits that the report of a backup gives as its SHA-256";
                Err(Error::invalid_request("expect_sha256", reason))
            }
        }
    }
}
