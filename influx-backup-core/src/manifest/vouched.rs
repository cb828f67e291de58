//! Whether what the caller gave vouches for a backup.

use super::Backup;
use crate::{
    checksum::sha256,
    error::{Error, Result},
    key::Key,
    layout::SIGNATURE_KEY,
    location::Location,
    options::Vouch,
    read_limits,
    record::ObjectRecord,
    signature::Trusted,
    table::Table,
};

impl Vouch {
    /// Checks the bytes of a root manifest, before they are parsed.
    ///
    /// # Errors
    /// [`Error::UntrustedBackup`].
    pub(crate) async fn require_root(&self, backup: &str, location: &Location, root: &[u8]) -> Result<()> {
        let found = sha256(root);
        match &self.sha256 {
            Some(expected) if !expected.eq_ignore_ascii_case(&found) => Err(Error::UntrustedBackup {
                backup: backup.to_owned(),
                reason: format!("its manifest has the SHA-256 {found}, and {expected} is expected"),
                expected: Some(expected.clone()),
                found: Some(found),
            }),
            _ => match &self.key {
                Some(key) => require_signature(key, backup, location, root).await,
                None => Ok(()),
            },
        }
    }

    /// Checks that the root, by way of the object list, vouches for the bytes of every object.
    ///
    /// # Errors
    /// [`Error::UntrustedBackup`].
    pub(super) fn require_checksums(&self, backup: &str, objects: &Table<ObjectRecord>) -> Result<()> {
        if self.is_needless() {
            return Ok(());
        }
        let mut bare = objects.iter().filter(|record| !record.is_comparable());
        let Some(first) = bare.next() else { return Ok(()) };
        let reason = match bare.count() {
            0 => format!("it has no checksum of `{}`, whose bytes may be any", first.key),
            more => format!("it has no checksum of `{}` and of {more} more, whose bytes may be any", first.key),
        };
        Err(Error::UntrustedBackup { backup: backup.to_owned(), reason, expected: None, found: None })
    }
}

async fn require_signature(key: &Trusted, backup: &str, location: &Location, root: &[u8]) -> Result<()> {
    let untrusted = |reason: &str| Error::UntrustedBackup {
        backup: backup.to_owned(),
        reason: reason.to_owned(),
        expected: Some(key.as_str().to_owned()),
        found: None,
    };
    let at = Key::parse(SIGNATURE_KEY)?;
    let found = location.get_within(&at, read_limits::SMALL).await?.ok_or_else(|| untrusted("it is not signed"))?;
    let signature = found.map_err(|_| untrusted("its signature cannot be read"))?;
    key.verify(root, &String::from_utf8_lossy(&signature)).map_err(untrusted)
}

impl Backup {
    /// Checks what vouches for a backup that is open already: the very bytes that were parsed.
    ///
    /// # Errors
    /// [`Error::UntrustedBackup`].
    pub(crate) async fn require(&self, vouch: &Vouch) -> Result<()> {
        vouch.require_root(self.name(), self.location(), &self.opened.root).await?;
        vouch.require_checksums(self.name(), &self.opened.objects)
    }
}
