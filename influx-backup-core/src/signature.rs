//! Signatures of root manifests, in the form of minisign.

use std::fmt;

use base64::Engine;
use minisign::{SecretKey, SecretKeyBox};
use minisign_verify::{Error as Refusal, PublicKey, Signature};

use crate::error::{Error, Result};

/// What makes signatures. Neither the key nor its password shows in any text.
#[derive(Clone)]
pub(crate) struct Signer(SecretKey);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// Reads the text of a file of a secret key. One with a password takes about a second, and up to 1 GiB of memory.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`], without anything of key or password.
    pub(crate) fn read(key: &str, password: Option<&str>) -> Result<Self> {
        // Without a password the crate would ask for one at the terminal.
        let opened = match (unprotected(key), password) {
            (Some(key), _) => Ok(key),
            (None, Some(password)) => SecretKeyBox::from(key.to_owned()).into_secret_key(Some(password.to_owned())),
            (None, None) => SecretKeyBox::from(key.to_owned()).into_unencrypted_secret_key(),
        };
        opened.map(Self).map_err(|_| {
            let reason = match password {
                Some(_) => "it is no secret key of minisign, or its password is another one",
                None => "it is no secret key of minisign, or it has a password, which was not given",
            };
            Error::invalid_request("sign", reason)
        })
    }

    /// The signature of these bytes, as the text of a file. The trusted comment is that of minisign, and is signed too.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub(crate) fn sign(&self, bytes: &[u8], file: &str, seconds: i64) -> Result<String> {
        let trusted = format!("timestamp:{seconds}\tfile:{file}\thashed");
        let signed =
            minisign::sign(None, &self.0, bytes, Some(&trusted), Some("signature of an influx-backup manifest"));
        let signed = signed.map_err(|source| Error::Internal { task: "signature", source: Box::new(source) })?;
        Ok(signed.into_string())
    }
}

/// The key of a file without a password. The program minisign writes no checksum into such a file, and the crate wants one.
fn unprotected(text: &str) -> Option<SecretKey> {
    const KDF: std::ops::Range<usize> = 2..4;
    let line = text.lines().nth(1)?.trim();
    let bytes = base64::engine::general_purpose::STANDARD.decode(line).ok()?;
    let is_plain = bytes.get(KDF)? == [0, 0];
    is_plain.then(|| SecretKey::from_bytes(&bytes).ok()).flatten()
}

/// A public key that is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trusted {
    key: PublicKey,
    text: String,
}

impl Trusted {
    /// Reads a public key: its line of base64, or the text of its file.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`].
    pub(crate) fn read(text: &str) -> Result<Self> {
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        let key = PublicKey::from_base64(line).map_err(|_| {
            Error::invalid_request(
                "trust",
                "it is no public key of minisign: the line that begins with `RW`, or its file",
            )
        })?;
        Ok(Self { key, text: line.to_owned() })
    }

    /// The key as its line of base64.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Checks that this key has signed these bytes. Returns why they are not to be trusted.
    pub(crate) fn verify(&self, bytes: &[u8], signature: &str) -> Result<(), &'static str> {
        let signature = Signature::decode(signature).map_err(|_| "its signature cannot be read")?;
        match self.key.verify(bytes, &signature, false) {
            Ok(()) => Ok(()),
            Err(Refusal::UnexpectedKeyId) => Err("it is signed with another key"),
            Err(_) => Err("its signature is not one of its manifest by this key"),
        }
    }
}
