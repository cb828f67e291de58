//! How a store names the version of an object: in listings, when it is asked for the object, and in conditions.
//!
//! Most use one entity tag for all three. Some gateways show another one in listings, and some refuse a condition with the tag
//! that they gave just before. That is found out by a [second look](Location::look_again) at the first object for which it
//! matters, and holds for the store from then on.

use std::sync::atomic::{AtomicU8, Ordering};

use futures::{FutureExt, TryStreamExt};
use object_store::{GetOptions, path::Path};

use super::{Location, ObjectMeta, Version};
use crate::{
    error::{Error, Result, StoreErrorKind},
    finding::{Finding, FindingCode},
    key::Key,
};

/// What requests for one version of an object name, so that no other is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pin {
    /// The entity tag of the listing.
    Listed,
    /// The entity tag that the store gives when it is asked for the object.
    Asked,
    /// Nothing: size and time of what is read are compared.
    Nothing,
}

/// What is known of a store. It only ever grows.
#[derive(Debug, Default)]
pub(super) struct Spelling(AtomicU8);

impl Spelling {
    fn pin(&self) -> Pin {
        match self.0.load(Ordering::Relaxed) {
            0 => Pin::Listed,
            1 => Pin::Asked,
            _ => Pin::Nothing,
        }
    }

    /// Returns whether it is news.
    fn learn(&self, pin: Pin) -> bool {
        self.0.fetch_max(pin as u8, Ordering::Relaxed) < pin as u8
    }
}

/// What a second look at an object shows that seemed to be another version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Look {
    /// It is another version.
    Changed,
    /// It is the same version, which has to be asked for in another way: what a report says of that, where it is news.
    Same(Option<Finding>),
}

impl Location {
    /// What requests for one version name here.
    pub(crate) fn pin(&self) -> Pin {
        self.0.spelling.pin()
    }

    /// The object with its version as this store wants it to be asked for. One that is no longer there, or has changed, is
    /// returned as it was wanted: the store's answer will say so.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) async fn pinned(&self, wanted: &ObjectMeta) -> Result<ObjectMeta> {
        let pin = self.pin();
        if pin == Pin::Listed {
            return Ok(wanted.clone());
        }
        let Some(found) = self.head(&wanted.key).await?.filter(|found| may_be(wanted, found)) else {
            return Ok(wanted.clone());
        };
        let version = match pin {
            Pin::Nothing => Version::new(found.version.modified),
            _ => found.version,
        };
        Ok(ObjectMeta { version, ..wanted.clone() })
    }

    /// Looks again at an object that seemed to be another version than was `wanted`, when it was asked for by `used`: whether
    /// the store only names the version differently.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) async fn look_again(&self, wanted: &ObjectMeta, used: Pin) -> Result<Look> {
        if self.directory().is_some() || used == Pin::Nothing {
            return Ok(Look::Changed);
        }
        if self.pin() > used {
            return Ok(Look::Same(None));
        }
        let Some(found) = self.head(&wanted.key).await?.filter(|found| may_be(wanted, found)) else {
            return Ok(Look::Changed);
        };
        let listed = self.list_one(&wanted.key).await?;
        if self.head(&wanted.key).await?.as_ref() != Some(&found) {
            return Ok(Look::Changed);
        }
        let is_named = wanted.version.has_tag_of(&found.version);
        let is_listed = listed.as_ref().is_some_and(|listed| listed.is_same(wanted) && listed.size == found.size);
        let pin = match used {
            Pin::Listed if !is_named && is_listed => Pin::Asked,
            _ if (is_named || is_listed) && self.refuses_own_tag(&found).await? => Pin::Nothing,
            _ => return Ok(Look::Changed),
        };
        let is_news = self.0.spelling.learn(pin);
        Ok(Look::Same(is_news.then(|| self.note(pin, wanted, &found))))
    }

    fn note(&self, pin: Pin, wanted: &ObjectMeta, found: &ObjectMeta) -> Finding {
        let tag = |meta: &ObjectMeta| meta.version.e_tag.as_deref().unwrap_or("none").to_owned();
        let key = &wanted.key;
        let asked = tag(found);
        let message = match pin {
            Pin::Nothing => format!(
                "`{self}` refuses a condition with the entity tag {asked}, which it gives for `{key}` itself: objects are read \
                 without a condition, and their sizes and times are compared"
            ),
            _ => format!(
                "`{self}` shows the entity tag {} for `{key}` in its listing and {asked} when it is asked for it: objects are \
                 read by the latter",
                tag(wanted)
            ),
        };
        Finding::new(FindingCode::EntityTagsDiffer, message)
    }

    /// Whether the store answers that an object has changed where its own entity tag is named.
    async fn refuses_own_tag(&self, found: &ObjectMeta) -> Result<bool> {
        let options =
            || GetOptions { if_match: found.version.e_tag.as_deref().map(ToOwned::to_owned), ..GetOptions::default() };
        let ask = || async move {
            match self.answer(self.store().get_opts(&self.path(&found.key), options())).await {
                Ok(_) => Ok(false),
                Err(error) if StoreErrorKind::of(&error) == StoreErrorKind::Changed => Ok(true),
                Err(error) => Err(Error::store("get", &found.key, self, error)),
            }
        };
        self.retry(|| ask().boxed()).await
    }

    /// The object as a listing shows it now.
    pub(super) async fn list_one(&self, key: &Key) -> Result<Option<ObjectMeta>> {
        let path = self.path(key);
        let directory: Path = self.path(key).parts().take(path.parts().count() - 1).collect();
        // What follows the name without its last character: few others lie between.
        let mut name = path.as_ref().to_owned();
        name.pop();
        let before = Path::from(name);
        let list = || async {
            let mut listing = self.store().list_with_offset(Some(&directory), &before);
            while let Some(meta) =
                self.answer(listing.try_next()).await.map_err(|e| Error::store("list", key, self, e))?
            {
                if meta.location == path {
                    return self.entry(meta).map(Some);
                }
            }
            Ok(None)
        };
        self.retry(|| list().boxed()).await
    }
}

/// Whether what was found may be the version that is wanted, by another name.
fn may_be(wanted: &ObjectMeta, found: &ObjectMeta) -> bool {
    wanted.size == found.size && (wanted.version.is_as_old(&found.version) || wanted.version.has_tag_of(&found.version))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn key() -> Key {
        Key::parse("n/wal/2.wal").expect("a key")
    }

    async fn put(location: &Location, text: &'static str) -> ObjectMeta {
        location.put(&key(), Bytes::from_static(text.as_bytes())).await.expect("put");
        location.head(&key()).await.expect("asked").expect("there")
    }

    #[tokio::test]
    async fn one_object_is_listed_among_many() {
        let location = Location::in_memory().child("base").expect("a location");
        for name in ["n/wal/1.wal", "n/wal/2.wa", "n/wal/2.wal", "n/wal/2.wal.x", "n/wal/3.wal", "o"] {
            location.put(&Key::parse(name).expect("a key"), Bytes::from_static(b"x")).await.expect("put");
        }
        for name in ["n/wal/2.wal", "o"] {
            let key = Key::parse(name).expect("a key");
            let listed = location.list_one(&key).await.expect("listed").expect("there");
            assert_eq!(Some(listed), location.head(&key).await.expect("asked"));
        }
        assert_eq!(location.list_one(&Key::parse("n/wal/4.wal").expect("a key")).await.expect("listed"), None);
    }

    /// A store that names a version always in one way has changed objects, and nothing is learned.
    #[tokio::test]
    async fn what_has_changed_has_changed() {
        let location = Location::in_memory();
        let first = put(&location, "1").await;
        put(&location, "2").await;
        assert_eq!(location.look_again(&first, Pin::Listed).await.expect("asked"), Look::Changed);
        let second = put(&location, "3").await;
        assert_eq!(location.look_again(&second, Pin::Listed).await.expect("asked"), Look::Changed, "it takes its tag");
        location.delete(&key()).await.expect("deleted");
        assert_eq!(location.look_again(&second, Pin::Listed).await.expect("asked"), Look::Changed);
        assert_eq!(location.pin(), Pin::Listed);
    }

    #[tokio::test]
    async fn what_is_known_is_used_at_once() {
        let location = Location::in_memory();
        let found = put(&location, "1").await;
        let listed = ObjectMeta { version: found.version.clone().with_e_tag("listed"), ..found.clone() };
        assert_eq!(location.pinned(&listed).await.expect("asked"), listed);
        assert!(location.0.spelling.learn(Pin::Asked) && !location.0.spelling.learn(Pin::Asked));
        assert_eq!(location.look_again(&listed, Pin::Listed).await.expect("asked"), Look::Same(None));
        let below = location.child("n").expect("a location");
        assert_eq!(below.pin(), Pin::Asked, "it is one store");
        assert_eq!(location.pinned(&listed).await.expect("asked"), found);
        assert!(location.0.spelling.learn(Pin::Nothing));
        assert_eq!(location.pinned(&listed).await.expect("asked").version, Version::new(found.version.modified));
        let other = ObjectMeta { size: 2, ..listed };
        assert_eq!(location.pinned(&other).await.expect("asked"), other, "the answer will say that it has changed");
    }
}
