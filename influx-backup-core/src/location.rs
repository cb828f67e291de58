//! [`Location`]: where objects live, and the few operations that everything else is built on.

mod attributes;
mod budgets;
mod checksums;
#[cfg(feature = "cloud")]
#[cfg_attr(
    not(all(feature = "aws", feature = "azure", feature = "gcp")),
    allow(dead_code, unused_imports, reason = "the client of one provider does not need all that those of others do")
)]
pub(crate) mod cloud;
mod identity;
mod incomplete;
pub(crate) mod local;
mod object;
mod options;
mod patience;
mod url;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use ::object_store::{ObjectStore, path::Path};
use futures::future::BoxFuture;

pub(crate) use self::attributes::{attributes_from, attributes_of};
use self::budgets::Budgets;
#[cfg(feature = "cloud")]
pub(crate) use self::budgets::ThrottleCounts;
pub(crate) use self::budgets::{MAX_CONCURRENT, RequestKind};
pub(crate) use self::checksums::{Comparison, Put, StoreHasher};
pub(crate) use self::incomplete::Incomplete;
pub(crate) use self::local::remove_empty;
pub(crate) use self::object::find_object;
pub(crate) use self::patience::jitter;
pub use self::{
    attributes::Attributes,
    checksums::{ChecksumMatch, StoreChecksums},
    identity::{Identity, Provider},
    local::Links,
    object::{ListLevel, ObjectMeta, Version},
    options::StoreOptions,
};
use crate::{
    error::{Error, Result},
    key::Key,
};

/// Where objects live: a directory, or a bucket or container with an optional prefix.
///
/// Cheap to clone. It knows its provider identity, and neither its `Debug` nor its `Display` shows a credential.
///
/// ```
/// use influx_backup_core::{Location, Options};
///
/// let backups = Location::parse("/var/backups/influxdb", &Options::default())?;
/// assert_eq!(backups.to_string(), "file:///var/backups/influxdb");
/// # Ok::<(), influx_backup_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Location(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    /// The whole bucket, or the whole file system.
    store: Arc<dyn ObjectStore>,
    /// The same store with every write made durable, where that is a choice (files).
    durable: Arc<dyn ObjectStore>,
    /// Where this location begins inside the store.
    base: Path,
    /// How the location is shown: no credential in it.
    shown: String,
    identity: Identity,
    /// The directory, for files.
    directory: Option<PathBuf>,
    links: Links,
    options: StoreOptions,
    /// The client itself, for buckets that were opened by name.
    #[cfg(feature = "cloud")]
    handle: Option<cloud::Handle>,
    budgets: Arc<Budgets>,
    /// How long to keep trying where the store fails for a moment.
    patience: Duration,
}

impl Location {
    /// Reads a location: `file:///path`, a plain path, `s3://bucket/prefix`, `az://container/prefix` or
    /// `gs://bucket/prefix`. A plain path is taken relative to the working directory. Nothing is contacted.
    ///
    /// # Errors
    /// [`Error::InvalidLocation`], [`Error::UnknownOption`],
    /// [`Error::InvalidOption`]; [`Error::MemoryLocation`]
    /// for `memory:`.
    pub fn parse(text: &str, options: &StoreOptions) -> Result<Self> {
        url::parse(text, options)
    }

    /// A location over a store of the caller's: `store` is the whole bucket, `base` where the location begins.
    #[must_use]
    pub fn with_store(store: Arc<dyn ObjectStore>, base: Path, identity: Identity) -> Self {
        let shown = identity.url(base.as_ref());
        Self(Arc::new(Inner {
            durable: Arc::clone(&store),
            store,
            base,
            shown,
            identity,
            directory: None,
            links: Links::Follow,
            options: StoreOptions::default(),
            #[cfg(feature = "cloud")]
            handle: None,
            budgets: Budgets::new(Arc::default()),
            patience: patience::PATIENCE,
        }))
    }

    /// A new location in memory, for tests. Clusters in memory are refused by discovery unless they say so here.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn in_memory() -> Self {
        let store = Arc::new(::object_store::memory::InMemory::new());
        Self::with_store(store, Path::default(), Identity::Test)
    }

    /// The same location with something of the caller's between it and its store: for tests that count or stop writes.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn through(&self, wrap: impl Fn(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>) -> Self {
        let inner = &*self.0;
        Self(Arc::new(Inner {
            store: wrap(Arc::clone(&inner.store)),
            durable: wrap(Arc::clone(&inner.durable)),
            ..inner.clone()
        }))
    }

    /// The location `tail` below this one.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] where `tail` is no key.
    pub fn child(&self, tail: &str) -> Result<Self> {
        let tail = Key::parse(tail)?;
        let inner = &*self.0;
        Ok(Self(Arc::new(Inner {
            base: self.path(&tail),
            shown: format!("{}/{tail}", inner.shown.trim_end_matches('/')),
            identity: inner.identity.child(tail.as_str()),
            directory: inner.directory.as_ref().map(|directory| directory.join(tail.as_str())),
            ..inner.clone()
        })))
    }

    /// The same location with another rule for symbolic links (files only).
    #[must_use]
    pub fn with_links(&self, links: Links) -> Self {
        Self(Arc::new(Inner { links, ..Inner::clone(&self.0) }))
    }

    /// The same location for a first contact: a bucket's client gives up after seconds, where it would otherwise try
    /// for minutes.
    pub(crate) fn for_first_contact(&self) -> Result<Self> {
        #[cfg(feature = "cloud")]
        if self.0.handle.is_some() {
            let options = self.options().clone().with("object_store_max_retries", "2");
            let contact = Self::parse(&self.0.shown, &options.with("object_store_retry_timeout", "5s"))?;
            return Ok(contact.with_patience(patience::FIRST_CONTACT));
        }
        Ok(self.with_patience(patience::FIRST_CONTACT))
    }

    /// Tries something again while the store fails for a moment.
    pub(crate) async fn retried<'a, T>(&self, attempt: impl FnMut() -> BoxFuture<'a, Result<T>> + Send) -> Result<T> {
        patience::retrying(self.0.patience, attempt).await
    }

    fn with_patience(&self, patience: Duration) -> Self {
        Self(Arc::new(Inner { patience, ..Inner::clone(&self.0) }))
    }

    /// The client itself, for buckets that were opened by name.
    #[cfg(feature = "cloud")]
    pub(crate) fn handle(&self) -> Option<&cloud::Handle> {
        self.0.handle.as_ref()
    }

    /// Who keeps the objects: what licenses were bound to before 3.10.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Which kind of store this is.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.0.identity.provider()
    }

    /// The directory, where this is one.
    #[must_use]
    pub fn directory(&self) -> Option<&std::path::Path> {
        self.0.directory.as_deref()
    }

    /// The store behind the location: the whole bucket or file system, see [`Location::path`].
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.0.store
    }

    /// Where the location begins in [`Location::store`].
    pub(crate) fn base(&self) -> &Path {
        &self.0.base
    }

    /// The options the location was made with.
    #[must_use]
    pub fn options(&self) -> &StoreOptions {
        &self.0.options
    }

    /// The path of a key in [`Location::store`].
    #[must_use]
    pub fn path(&self, key: &Key) -> Path {
        self.0.base.parts().chain(key.to_path().parts()).collect()
    }

    /// Refuses `key` (or the directories of one) where a link lies on its way and links are refused here.
    pub(crate) fn check_links(&self, key: &str) -> Result<()> {
        match self.directory() {
            Some(directory) if self.0.links == Links::Refuse => local::check_links(directory, key),
            _ => Ok(()),
        }
    }

    /// How many bytes there is room for, or `None` where nobody can say: object stores.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn available(&self) -> Result<Option<u64>> {
        self.directory().map(local::available).transpose()
    }

    /// Whether there is room for this many bytes more, as far as can be said.
    pub(crate) fn require_room(&self, needed: u64) -> Result<()> {
        match self.available()? {
            Some(available) if available < needed => {
                Err(Error::NoSpace { location: self.to_string(), needed, available })
            }
            _ => Ok(()),
        }
    }

    /// Refuses two places of which one lies inside the other.
    pub(crate) fn require_apart(&self, other: &Self) -> Result<()> {
        let overlap = |outer: &Self, inner: &Self| {
            outer.contains(inner).then(|| Error::Overlap { inner: inner.to_string(), outer: outer.to_string() })
        };
        overlap(self, other).or_else(|| overlap(other, self)).map_or(Ok(()), Err)
    }

    /// Whether `other` is this location or lies inside it. Links are resolved for files.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        match (self.directory(), other.directory()) {
            (Some(outer), Some(inner)) => local::resolve(inner).starts_with(local::resolve(outer)),
            (None, None) => {
                self.0.identity.same_store(&other.0.identity)
                    && (Arc::ptr_eq(&self.0.store, &other.0.store) || self.provider() != Provider::Memory)
                    && other.0.base.prefix_matches(&self.0.base)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shown)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Location").field(&self.0.shown).finish()
    }
}
