//! Whether what the caller gave vouches for a backup.

use super::Backup;
use crate::{
    checksum::sha256,
    error::{Error, Result},
    options::Vouch,
    record::ObjectRecord,
};

impl Vouch {
    /// Checks the bytes of a root manifest, before they are parsed.
    ///
    /// # Errors
    /// [`Error::UntrustedBackup`].
    pub(super) fn require_root(&self, backup: &str, root: &[u8]) -> Result<()> {
        let found = sha256(root);
        match &self.sha256 {
            Some(expected) if !expected.eq_ignore_ascii_case(&found) => Err(Error::UntrustedBackup {
                backup: backup.to_owned(),
                reason: format!("its manifest has the SHA-256 {found}, and {expected} is expected"),
                expected: Some(expected.clone()),
                found: Some(found),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that the root, by way of the object list, vouches for the bytes of every object.
    ///
    /// # Errors
    /// [`Error::UntrustedBackup`].
    pub(super) fn require_checksums(&self, backup: &str, objects: &[ObjectRecord]) -> Result<()> {
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

impl Backup {
    /// Checks what vouches for a backup that is open already: the very bytes that were parsed.
    ///
    /// # Errors
    /// [`Error::UntrustedBackup`].
    pub(crate) fn require(&self, vouch: &Vouch) -> Result<()> {
        vouch.require_root(self.name(), &self.opened.root)?;
        vouch.require_checksums(self.name(), &self.opened.objects)
    }
}
