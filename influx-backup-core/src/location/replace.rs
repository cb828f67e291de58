//! Conditional writes: an object is replaced only while it is the version that was read.

use bytes::Bytes;
use object_store::{PutMode, UpdateVersion};

use super::{Attributes, Location, Provider, Version, Writers};
use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    read_limits,
};

impl Location {
    /// Writes an object in the place of this version of it. Durable when it returns.
    ///
    /// Stores refuse that by themselves where another version is there. Files cannot: what is written to the file between
    /// the look at it and this call is overwritten.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreErrorKind::Changed`] where the object is another version now.
    pub(crate) async fn replace(
        &self,
        key: &Key,
        bytes: &Bytes,
        attributes: &Attributes,
        version: &Version,
    ) -> Result<Version> {
        match self.replace_conditionally(key, bytes, attributes, version).await {
            Err(Error::Store { kind: StoreErrorKind::Unsupported, .. }) => {
                self.put_with_attributes(key, bytes.clone(), attributes).await
            }
            done => done,
        }
    }

    /// The same where the store itself refuses to replace another version: then a request that arrives late does nothing.
    ///
    /// # Errors
    /// The same, and [`StoreErrorKind::Unsupported`] of files, and of stores without conditional writes.
    pub(crate) async fn replace_conditionally(
        &self,
        key: &Key,
        bytes: &Bytes,
        attributes: &Attributes,
        version: &Version,
    ) -> Result<Version> {
        if self.directory().is_some() || self.writers() == Writers::Single || version.e_tag.is_none() {
            return Err(self.unconditional(key));
        }
        let expected = expect(version, ToOwned::to_owned);
        match self.put_with(key, bytes, PutMode::Update(expected), &self.kept(attributes)).await {
            Err(changed @ Error::Store { kind: StoreErrorKind::Changed, .. }) => {
                match self.get_with_version(key, read_limits::exactly(bytes)).await? {
                    // The answer to an earlier attempt may have been lost.
                    Some(Ok((found, version))) if found == bytes => Ok(version),
                    // The store refuses its own entity tag.
                    Some(Ok((_, found))) if found == *version => Err(self.unconditional(key)),
                    _ => Err(changed),
                }
            }
            // It does not know the condition. If it is something else, a write without one will show it.
            Err(Error::Store { kind: StoreErrorKind::Invalid, .. }) => Err(self.unconditional(key)),
            done => done,
        }
    }

    /// Asks the store to write an object in the place of a version that it is not: a refusal, unless the store ignores the
    /// condition. `None` where none is sent.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreErrorKind::Changed`] as it should be.
    pub(crate) async fn replace_another(&self, key: &Key, bytes: &Bytes, version: &Version) -> Result<Option<Version>> {
        let is_asked_by_condition = matches!(self.provider(), Provider::S3 | Provider::Azure | Provider::Gcs);
        if !is_asked_by_condition || self.writers() == Writers::Single || version.e_tag.is_none() {
            return Ok(None);
        }
        self.put_with(key, bytes, PutMode::Update(expect(version, other)), &Attributes::new()).await.map(Some)
    }

    /// The error that nothing can be replaced on a condition here.
    fn unconditional(&self, key: &Key) -> Error {
        Error::io("put", key, self, std::io::ErrorKind::Unsupported.into())
    }
}

/// The condition that the object is this version, written as `write` does.
fn expect(version: &Version, write: impl Fn(&str) -> String) -> UpdateVersion {
    UpdateVersion { e_tag: version.e_tag.as_deref().map(&write), version: version.id.as_deref().map(&write) }
}

/// Another tag or generation of the same form: its last letter or digit is another.
fn other(tag: &str) -> String {
    let Some((at, last)) = tag.char_indices().rfind(|(_, c)| c.is_ascii_alphanumeric()) else {
        return format!("{tag}0");
    };
    format!("{}{}{}", &tag[..at], if last == '0' { '1' } else { '0' }, &tag[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_of_the_same_form() {
        for (tag, another) in
            [("\"9af3\"", "\"9af0\""), ("\"0x8D0\"", "\"0x8D1\""), ("1763", "1760"), ("\"\"", "\"\"0")]
        {
            assert_eq!(other(tag), another);
        }
    }

    #[tokio::test]
    async fn only_the_version_that_was_read_is_replaced() {
        let location = Location::in_memory();
        let key = Key::parse("x").expect("a key");
        let put = |text: &'static str| location.put(&key, Bytes::from_static(text.as_bytes()));
        put("1").await.expect("put");
        let (_, first) =
            location.get_with_version(&key, read_limits::SMALL).await.expect("read").expect("there").expect("small");
        put("2").await.expect("put");
        let none = Attributes::new();
        let refused = location.replace(&key, &Bytes::from_static(b"3"), &none, &first).await.expect_err("changed");
        assert_eq!(refused.code(), "object-changed");
        let (bytes, second) =
            location.get_with_version(&key, read_limits::SMALL).await.expect("read").expect("there").expect("small");
        assert_eq!(bytes, "2");
        location.replace(&key, &Bytes::from_static(b"3"), &none, &second).await.expect("replaced");
        assert_eq!(location.get(&key, None).await.expect("read").expect("there"), "3");
    }
}
