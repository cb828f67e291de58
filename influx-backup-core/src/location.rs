//! [`Location`]: where objects live, and the few operations that everything else is built on.

mod abilities;
mod attributes;
mod bucket;
mod budgets;
#[cfg(feature = "cloud")]
mod bulk;
mod checksums;
#[cfg(feature = "cloud")]
#[cfg_attr(
    not(all(feature = "aws", feature = "azure", feature = "gcp")),
    allow(dead_code, unused_imports, reason = "the client of one provider does not need all that those of others do")
)]
pub(crate) mod cloud;
mod delete;
mod durable;
mod fence;
mod file_info;
mod files;
mod full_disk;
mod identity;
mod incomplete;
mod inodes;
pub mod interop;
mod last_answer;
mod linked;
mod list;
pub(crate) mod local;
mod made;
mod nofollow;
mod object;
mod odd;
mod options;
mod packed;
#[cfg(feature = "cloud")]
mod paged;
#[cfg(feature = "cloud")]
mod pages;
mod passed;
mod publish;
mod reads;
mod replace;
mod request;
mod spelling;
mod staged;
mod table;
mod unreadable;
mod url;
mod write;
mod writers;

use std::{
    fmt,
    hash::{Hash, Hasher},
    path::PathBuf,
    sync::Arc,
};

use ::object_store::{ObjectStore, path::Path};

pub(crate) use self::attributes::{attributes_from, attributes_of};
#[cfg(feature = "cloud")]
pub(crate) use self::budgets::ThrottleCounts;
pub(crate) use self::budgets::{MAX_CONCURRENT, RequestKind};
pub(crate) use self::checksums::{Comparison, Put, StoreHasher};
pub(crate) use self::delete::Deletion;
pub(crate) use self::durable::make_durable;
#[cfg(test)]
pub(crate) use self::fence::OpenWhile;
pub(crate) use self::fence::{Fence, Sent};
pub(crate) use self::file_info::FileInfo;
pub(crate) use self::incomplete::Incomplete;
pub(crate) use self::last_answer::LastAnswer;
pub(crate) use self::list::{Around, unfit};
pub(crate) use self::local::{nearest_existing, remove_made};
pub(crate) use self::made::{Dated, Made, entered, modes};
pub(crate) use self::nofollow::{Directory, missing_directories, open_file, remove_directory, remove_empty};
pub(crate) use self::object::{FILE_BLOCK, Whole};
pub(crate) use self::packed::VersionBefore;
pub(crate) use self::publish::close;
pub(crate) use self::reads::Reads;
pub(crate) use self::spelling::{Look, Pin};
pub(crate) use self::staged::Staged;
pub(crate) use self::unreadable::Suspicion;
#[cfg(feature = "cli")]
pub(crate) use self::url::without_secrets;
pub(crate) use self::writers::Writers;
use self::{abilities::Known, budgets::Budgets, linked::LinkRule, spelling::Spelling};
pub use self::{
    abilities::{Abilities, CreateOnly, Inodes, Synced, Times},
    attributes::Attributes,
    checksums::{ChecksumMatch, StoreChecksums},
    identity::{Identity, Provider},
    local::Links,
    object::{ListLevel, ObjectMeta, Version},
    options::StoreOptions,
    table::ObjectTable,
};
use crate::{
    error::{Error, Result},
    key::Key,
    limits::Durability,
    retry::Patience,
};

/// Where objects live: a directory, or a bucket or container with an optional prefix.
///
/// Cheap to clone. It knows its provider identity, and neither its `Debug` nor its `Display` shows a credential.
///
/// ```
/// use influx_backup_core::{Location, StoreOptions};
///
/// let backups = Location::parse("/var/backups/influxdb", &StoreOptions::default())?;
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
    identity: Identity,
    /// The directory, for files.
    directory: Option<PathBuf>,
    links: LinkRule,
    made: Made,
    /// Asked before each write, where there is one.
    fence: Option<Arc<dyn Fence>>,
    options: StoreOptions,
    /// The client itself, for buckets that were opened by name.
    #[cfg(feature = "cloud")]
    handle: Option<cloud::Handle>,
    /// The same for listings page by page.
    #[cfg(feature = "cloud")]
    pages: Option<Arc<dyn ::object_store::list::PaginatedListStore>>,
    budgets: Arc<Budgets>,
    abilities: Known,
    /// How long an answer may take.
    patience: Patience,
    spelling: Arc<Spelling>,
    /// Counts what is listed.
    on_listed: Option<OnListed>,
    /// Takes note of what is passed over.
    passing: Option<passed::Passing>,
    /// The limits of the job that reads it, where it has some.
    reads: Option<Arc<Reads>>,
}

/// Counts objects as they are listed. An object that is listed again is counted again.
pub(crate) type OnListed = Arc<dyn Fn(u64) + Send + Sync>;

impl Location {
    /// Reads a location: `file:///path`, a plain path, `s3://bucket/prefix`, `az://container/prefix` or
    /// `gs://bucket/prefix`. A plain path is taken as it is, relative to the working directory; a URL is percent-decoded.
    /// Nothing is contacted.
    ///
    /// # Errors
    /// [`Error::InvalidLocation`], also for a URL with a query or a fragment; [`Error::UnknownOption`],
    /// [`Error::InvalidOption`]; [`Error::MemoryLocation`] for `memory:`.
    pub fn parse(text: &str, options: &StoreOptions) -> Result<Self> {
        url::parse(text, options)
    }

    /// A new location in memory, for tests.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn in_memory() -> Self {
        let store = Arc::new(::object_store::memory::InMemory::new());
        Self::with_store(store, Path::default(), Identity::Test)
    }

    /// The location `tail` below this one.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] where `tail` is not a key.
    pub fn child(&self, tail: &str) -> Result<Self> {
        let tail = Key::parse(tail)?;
        Ok(self.with(|inner| {
            inner.base = self.path(&tail);
            inner.identity = inner.identity.child(tail.as_str());
            inner.directory = inner.directory.as_ref().map(|directory| directory.join(tail.as_str()));
        }))
    }

    /// The location one segment above this one; `None` at the top of a bucket or file system.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let mut segments: Vec<_> = self.base().parts().collect();
        segments.pop()?;
        let base = segments.into_iter().collect();
        Some(self.with(|inner| {
            inner.base = base;
            inner.identity = inner.identity.parent();
            inner.directory = inner.directory.as_ref().and_then(|directory| directory.parent()).map(Into::into);
            inner.links = inner.links.clone().above(inner.directory.as_deref());
        }))
    }

    /// The last segment of the location, which is its name below [`Location::parent`]; `None` at the top.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.base().filename()
    }

    /// The same location with another rule for symbolic links (files only).
    #[must_use]
    pub fn with_links(&self, links: Links) -> Self {
        self.with(|inner| inner.links = LinkRule::new(links, inner.directory.as_deref()))
    }

    /// The same location, where files and directories are made so (files only).
    pub(crate) fn with_made(&self, made: Made) -> Self {
        self.with(|inner| inner.made = made)
    }

    /// How files and directories are made here.
    pub(crate) fn made(&self) -> &Made {
        &self.0.made
    }

    /// The same location, where a write is on disk when it returns, or is not waited for (files only).
    pub(crate) fn with_durability(&self, durability: Durability) -> Self {
        match durability {
            Durability::Durable => self.clone(),
            Durability::Relaxed => self.with(|inner| inner.durable = Arc::clone(&inner.store)),
        }
    }

    /// The same location, which tells of every object that is listed in it.
    pub(crate) fn with_on_listed(&self, on_listed: OnListed) -> Self {
        self.with(|inner| inner.on_listed = Some(on_listed))
    }

    /// A copy with a change.
    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner::clone(&self.0);
        change(&mut inner);
        Self(Arc::new(inner))
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

    /// The store behind the location: the whole bucket or file system.
    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.0.store
    }

    /// Where the location begins in its store.
    pub(crate) fn base(&self) -> &Path {
        &self.0.base
    }

    /// The options the location was made with.
    #[must_use]
    pub fn options(&self) -> &StoreOptions {
        &self.0.options
    }

    /// The path of a key in the store.
    pub(crate) fn path(&self, key: &Key) -> Path {
        self.0.base.parts().chain(key.to_path().parts()).collect()
    }

    /// How many bytes there is room for, or `None` where that is not known: object stores.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn available(&self) -> Result<Option<u64>> {
        self.directory().map(local::available).transpose()
    }

    /// Checks that there is room for this many more bytes in a directory of this location that may be a link.
    pub(crate) fn require_room_in(&self, directory: &std::path::Path, needed: u64) -> Result<()> {
        let available = local::available(directory)?;
        if available < needed {
            return Err(Error::NoSpace { location: directory.display().to_string(), needed, available });
        }
        Ok(())
    }

    /// Checks that there is room for this many more bytes, where that is known.
    pub(crate) fn require_room(&self, needed: u64) -> Result<()> {
        match self.available()? {
            Some(available) if available < needed => {
                Err(Error::NoSpace { location: self.to_string(), needed, available })
            }
            _ => Ok(()),
        }
    }

    /// Refuses two locations of which one lies inside the other, as far as their names show it. See
    /// [`preflight::target_apart_from`](crate::preflight::target_apart_from) for what names do not show.
    pub(crate) fn require_apart(&self, other: &Self) -> Result<()> {
        if self.contains(other) {
            return Err(other.overlap_inside(self));
        }
        if other.contains(self) {
            return Err(self.overlap_inside(other));
        }
        Ok(())
    }

    /// The error that this location lies inside `outer`.
    pub(crate) fn overlap_inside(&self, outer: &Self) -> Error {
        Error::Overlap { inner: self.to_string(), outer: outer.to_string() }
    }

    /// Whether `other` is this location or lies inside it, as far as their names show it. Links are resolved for files.
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

/// Two locations are equal that name the same place: links are not resolved, and options may differ.
impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        self.0.identity.same_store(&other.0.identity)
            && self.0.directory == other.0.directory
            && self.0.base == other.0.base
            && (Arc::ptr_eq(&self.0.store, &other.0.store) || self.provider() != Provider::Memory)
    }
}

impl Eq for Location {}

impl Hash for Location {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.provider().hash(state);
        self.0.base.hash(state);
    }
}

impl Inner {
    fn new(store: Arc<dyn ObjectStore>, base: Path, identity: Identity, options: StoreOptions) -> Self {
        Self {
            durable: Arc::clone(&store),
            store,
            base,
            identity,
            directory: None,
            links: LinkRule::Anywhere,
            made: Made::PRIVATE,
            fence: None,
            options,
            #[cfg(feature = "cloud")]
            handle: None,
            #[cfg(feature = "cloud")]
            pages: None,
            budgets: Budgets::new(Arc::default()),
            abilities: Known::new(Abilities::STORE),
            patience: request::PATIENCE,
            spelling: Arc::default(),
            on_listed: None,
            passing: None,
            reads: None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.identity.write_url(self.0.base.as_ref(), f)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Location").field(&self.to_string()).finish()
    }
}

#[cfg(test)]
mod tests;
