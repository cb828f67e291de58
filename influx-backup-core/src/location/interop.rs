//! The object_store crate behind a [`Location`], for code that needs what a location does not offer.
//!
//! Everything here is tied to the version of [`object_store`] that this crate uses, and changes with it. It is the only part
//! of the API that is; [`Location::with_store`] belongs to it.

use std::sync::Arc;

pub use object_store;
use object_store::{ObjectStore, path::Path};

use super::{Identity, Inner, Location, StoreOptions};
use crate::{
    error::{Result, StoreErrorKind},
    key::Key,
};

impl Location {
    /// A location over a store of the caller's: `store` is the whole bucket, `base` where the location begins.
    #[must_use]
    pub fn with_store(store: Arc<dyn ObjectStore>, base: Path, identity: Identity) -> Self {
        Self(Arc::new(Inner::new(store, base, identity, StoreOptions::default())))
    }

    /// The same location with something of the caller's between it and its store: for tests that count or stop writes.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn through(&self, wrap: impl Fn(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>) -> Self {
        self.with(|inner| {
            inner.store = wrap(Arc::clone(&inner.store));
            inner.durable = wrap(Arc::clone(&inner.durable));
            #[cfg(feature = "cloud")]
            {
                inner.pages = None;
            }
        })
    }
}

/// The store behind a location: the whole bucket or file system, see [`path`].
#[must_use]
pub fn store(location: &Location) -> &Arc<dyn ObjectStore> {
    location.store()
}

/// The path of a key in [`store`].
#[must_use]
pub fn path(location: &Location, key: &Key) -> Path {
    location.path(key)
}

/// A path as a key, relative to the root of its store.
///
/// # Errors
/// [`Error::InvalidKey`](crate::Error::InvalidKey) where it is empty.
pub fn key(path: &Path) -> Result<Key> {
    Ok(Key::from_path(path)?)
}

/// What kind of failure an error of the store is.
#[must_use]
pub fn error_kind(error: &object_store::Error) -> StoreErrorKind {
    StoreErrorKind::of(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_paths_are_inverse_to_each_other() {
        let location = Location::in_memory().child("below/base").expect("a location");
        let wal = Key::parse("n/wal/1").expect("a key");
        assert_eq!(path(&location, &wal).as_ref(), "below/base/n/wal/1");
        assert_eq!(key(&Path::from("n/wal/1")).expect("a key"), wal);
        assert_eq!(key(&Path::default()).expect_err("empty").code(), "invalid-key");
    }
}
