//! Listings.

use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture};
use object_store::path::Path;
use tokio::time::Instant;

use super::{
    ListLevel, Location, MAX_CONCURRENT, ObjectMeta, ObjectTable,
    local::{self, Listed, Unfit, Unlisted},
    odd::is_odd,
};
use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    key::Key,
    passed::PassedOver,
};

/// What is at a place that holds other things beside a cluster.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) objects: ObjectTable,
    pub(crate) unlisted: Vec<Unlisted>,
    /// The names of the staging files, relative to the location; none in stores.
    pub(crate) staging: Vec<String>,
}

impl Location {
    /// Every object below `prefix` (`""`: the whole location). A prefix ends at a whole segment and has no
    /// `/` at its end.
    ///
    /// Listings are neither snapshots nor, on some stores, sorted: what is written behind the cursor may be missed. Of an
    /// object that is listed twice the newest version counts. Staging names (`name#digits`) are not listed.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::InvalidKey`] for a prefix or a name that no key can be; [`Error::Link`] for links that
    /// cannot be followed.
    pub async fn list(&self, prefix: &str) -> Result<ObjectTable> {
        let prefix = prefix_key(prefix)?;
        let began = Instant::now();
        let entries = if let Some(directory) = self.directory() {
            let how = local::How { links: self.0.links.clone(), unfit: Unfit::Refuse };
            let listed = local::list(directory, text(prefix.as_ref()), how, self.0.on_listed.clone()).await?;
            self.passed(listed.passed);
            self.as_versions(listed.found)
        } else {
            self.without_markers(self.list_store(prefix.as_ref()).await?).await?
        };
        let prefix = text(prefix.as_ref());
        tracing::debug!(location = %self, prefix, objects = entries.len(), elapsed = ?began.elapsed(), "listed");
        Ok(entries)
    }

    /// The same as [`Location::list`], but listing the directories directly below `prefix` in parallel, and those in them where
    /// they are few and large.
    ///
    /// # Errors
    /// As for [`Location::list`].
    pub async fn list_parallel(&self, prefix: &str) -> Result<ObjectTable> {
        if self.directory().is_some() {
            return self.list(prefix).await;
        }
        let level = self.list_level(prefix).await?;
        self.list_below(prefix, level, |directory| async move { self.list_large(&directory).await }.boxed()).await
    }

    /// What is at a level, and what `list` finds in each of its directories.
    async fn list_below<'a>(
        &self,
        prefix: &str,
        level: ListLevel,
        list: impl Fn(String) -> BoxFuture<'a, Result<ObjectTable>>,
    ) -> Result<ObjectTable> {
        let child = |name: String| if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let listings = level.directories.into_iter().map(|name| list(child(name))).collect();
        let mut entries = level.entries;
        for listing in concurrent::run(listings, MAX_CONCURRENT).await? {
            entries.extend(listing);
        }
        Ok(entries)
    }

    /// Lists a directory, by the directories in it where they are few and large.
    async fn list_large(&self, prefix: &str) -> Result<ObjectTable> {
        #[cfg(feature = "cloud")]
        if let Some(listing) = self.paged(prefix_key(prefix)?.as_ref()) {
            return match listing.all_or_level().await? {
                Ok(entries) => self.without_markers(entries).await,
                Err(level) => {
                    self.list_below(prefix, level, |directory| async move { self.list(&directory).await }.boxed()).await
                }
            };
        }
        self.list(prefix).await
    }

    /// Every object here, and what cannot be listed: in places that hold other things beside a cluster.
    ///
    /// A store cannot list below a prefix with a key that no path can be. What lies beside such a prefix is listed.
    pub(crate) async fn list_around(&self) -> Result<Around> {
        if let Some(directory) = self.directory() {
            let how = local::How { links: self.0.links.clone(), unfit: Unfit::PassOver };
            let listed = local::list(directory, "", how, self.0.on_listed.clone()).await?;
            let is_staging =
                |(kind, name): &(PassedOver, String)| (*kind == PassedOver::StagingFile).then(|| name.clone());
            let staging = listed.passed.iter().filter_map(is_staging).collect();
            self.passed(listed.passed);
            return Ok(Around { objects: self.as_versions(listed.found), unlisted: listed.unlisted, staging });
        }
        match self.list_parallel("").await {
            Err(error) if unfit(&error).is_some() => self.list_in_parts().await,
            objects => Ok(Around { objects: objects?, ..Around::default() }),
        }
    }

    async fn list_in_parts(&self) -> Result<Around> {
        let mut entries = ObjectTable::default();
        let mut unlisted = Vec::new();
        let mut levels = vec![String::new()];
        while let Some(name) = levels.pop() {
            let key = prefix_key(&name)?;
            let level = match self.store_level(key.as_ref()).await {
                Ok(level) => level,
                Err(error) => match unfit(&error).filter(|_| !name.is_empty()) {
                    Some(kind) => {
                        unlisted.push(Unlisted { kind, name, error });
                        continue;
                    }
                    None => return Err(error),
                },
            };
            unlisted.extend(level.unlisted);
            let level = level.found;
            entries.extend(level.entries);
            for directory in level.directories {
                let below = if name.is_empty() { directory } else { format!("{name}/{directory}") };
                match self.list(&below).await {
                    Err(error) if unfit(&error).is_some() => levels.push(below),
                    listed => entries.extend(listed?),
                }
            }
        }
        Ok(Around { objects: entries, unlisted, staging: Vec::new() })
    }

    /// One level below `prefix`.
    ///
    /// # Errors
    /// As for [`Location::list`].
    pub async fn list_level(&self, prefix: &str) -> Result<ListLevel> {
        self.level(prefix, Unfit::Refuse).await
    }

    /// The same as [`Location::list_level`] outside the prefixes of a cluster: what no key can name, or cannot be read, is
    /// passed over, and so is a prefix that cannot be read. `None` for the latter.
    pub(crate) async fn list_level_outside(&self, prefix: &str) -> Result<Option<ListLevel>> {
        match self.level(prefix, Unfit::PassOver).await {
            Ok(level) => Ok(Some(level)),
            Err(error) => match unfit(&error) {
                Some(kind) if !prefix.is_empty() => {
                    self.pass_over(kind, prefix);
                    Ok(None)
                }
                _ => Err(error),
            },
        }
    }

    /// The names at one level, which nothing keeps from being read but a level that cannot be. Sockets and the like are not
    /// among them: whoever lists the objects is told of them.
    pub(crate) async fn list_names(&self, prefix: &str) -> Result<ListLevel> {
        self.level(prefix, Unfit::Ignore).await
    }

    async fn level(&self, prefix: &str, unfit: Unfit) -> Result<ListLevel> {
        let prefix = prefix_key(prefix)?;
        let mut level = if let Some(directory) = self.directory() {
            let how = local::How { links: self.0.links.clone(), unfit };
            let listed = local::list_level(directory, text(prefix.as_ref()), how).await?;
            self.passed(listed.passed);
            if unfit == Unfit::PassOver {
                listed.unlisted.iter().for_each(|unlisted| self.pass_over(unlisted.kind, &unlisted.name));
            }
            ListLevel { entries: self.as_versions(listed.found.entries), ..listed.found }
        } else {
            let level = self.store_level(prefix.as_ref()).await?;
            for Unlisted { kind, name, error } in level.unlisted {
                match unfit {
                    Unfit::Refuse => return Err(error),
                    Unfit::PassOver => self.pass_over(kind, &name),
                    Unfit::Ignore => {}
                }
            }
            level.found
        };
        self.listed(level.entries.len() as u64);
        level.directories.sort_unstable();
        level.directories.dedup();
        Ok(level)
    }

    /// The names of the directories right here, sorted. Other entries, broken links included, are ignored.
    pub(crate) async fn directories(&self) -> Result<Vec<String>> {
        let mut names = match self.directory() {
            Some(directory) => {
                let listed = local::directories(directory, &self.0.links).await?;
                self.passed(listed.passed);
                listed.found
            }
            None => self.level("", Unfit::PassOver).await?.directories,
        };
        names.sort_unstable();
        Ok(names)
    }

    /// Whether anything is there: a directory for files, any object elsewhere.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn exists(&self) -> Result<bool> {
        match self.directory() {
            Some(directory) => Ok(directory.is_dir()),
            None => match self.first().await {
                // A key that cannot be listed is there.
                Err(Error::InvalidKey { .. }) => Ok(true),
                first => Ok(first?.is_some()),
            },
        }
    }

    /// The object that the store lists first, as the store describes it. It may be a directory marker.
    pub(crate) async fn first(&self) -> Result<Option<object_store::ObjectMeta>> {
        let first = || async move {
            let mut listing = self.store().list(Some(self.base()));
            // A directory marker of the location itself is no object.
            while let Some(found) = self.answer(listing.try_next()).await.map_err(|error| self.not_listed("", error))? {
                if is_odd(&found.location) {
                    return Err(unlistable(&self.real_name(&found.location)));
                }
                if found.location != *self.base() {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        };
        self.retry(|| self.listing(first()).boxed()).await
    }

    async fn list_store(&self, prefix: Option<&Key>) -> Result<ObjectTable> {
        #[cfg(feature = "cloud")]
        if let Some(listing) = self.paged(prefix) {
            return listing.all().await;
        }
        self.retry(|| self.listing(self.list_stream(prefix)).boxed()).await
    }

    /// The same where the store does not tell its pages.
    async fn list_stream(&self, prefix: Option<&Key>) -> Result<ObjectTable> {
        let mut listing = self.store().list(Some(&self.prefix_path(prefix)));
        let mut entries = ObjectTable::builder();
        while let Some(meta) = self.answer(listing.next().map(Option::transpose)).await.transpose() {
            let meta = meta.map_err(|error| self.not_listed(text(prefix), error))?;
            if let Some(entry) = self.listed_entry(prefix, meta)? {
                entries.push(entry);
                self.listed(1);
            }
        }
        Ok(entries.into())
    }

    /// Tells whoever counts.
    pub(super) fn listed(&self, objects: u64) {
        self.0.on_listed.iter().for_each(|on_listed| on_listed(objects));
    }

    /// The entry of an object that is listed below `prefix`, unless it is passed over.
    pub(super) fn listed_entry(
        &self,
        prefix: Option<&Key>,
        meta: object_store::ObjectMeta,
    ) -> Result<Option<ObjectMeta>> {
        // A listing of `prefix/` has no object of the name `prefix`: its key ended in `/`.
        if meta.size == 0 && meta.location == self.prefix_path(prefix) {
            self.pass_over(PassedOver::DirectoryMarker, &format!("{}/", text(prefix)));
            return Ok(None);
        }
        if is_odd(&meta.location) {
            return Err(unlistable(&self.real_name(&meta.location)));
        }
        let entry = self.entry(meta)?;
        Ok(PassedOver::file(entry.key.name()).is_none().then_some(entry))
    }

    /// Takes note of what a listing passed over.
    fn passed(&self, passed: Vec<(PassedOver, String)>) {
        passed.iter().for_each(|(kind, name)| self.pass_over(*kind, name));
    }

    /// One level of a store, and what of it no key can name.
    async fn store_level(&self, prefix: Option<&Key>) -> Result<Listed<ListLevel>> {
        let path = self.prefix_path(prefix);
        let list = || async {
            let found = self.answer(self.store().list_with_delimiter(Some(&path))).await;
            found.map_err(|error| self.not_listed(text(prefix), error))
        };
        let found = self.retry(|| self.listing(list()).boxed()).await?;
        let mut listed = Listed::<ListLevel>::default();
        for path in &found.common_prefixes {
            if is_odd(path) {
                let name = format!("{}/", self.real_name(path));
                let error = Error::InvalidKey { key: name.escape_default().to_string(), reason: UNLISTABLE };
                listed.unlisted.push(Unlisted { kind: PassedOver::InvalidName, name, error });
            } else {
                listed.found.directories.extend(path.filename().map(ToOwned::to_owned));
            }
        }
        let mut entries = Vec::new();
        for meta in found.objects {
            let path = meta.location.clone();
            match self.listed_entry(prefix, meta) {
                Err(error @ Error::InvalidKey { .. }) => {
                    let name = self.real_name(&path);
                    listed.unlisted.push(Unlisted { kind: PassedOver::InvalidName, name, error });
                }
                entry => entries.extend(entry?),
            }
        }
        listed.found.entries = self.level_without_markers(entries.into(), &listed.found.directories).await?;
        Ok(listed)
    }

    pub(super) fn prefix_path(&self, prefix: Option<&Key>) -> Path {
        prefix.map_or_else(|| self.base().clone(), |key| self.path(key))
    }

    /// A key that object_store cannot hold ends its whole listing: the key is named.
    pub(super) fn not_listed(&self, prefix: &str, error: object_store::Error) -> Error {
        use object_store::path::Error as PathError;
        let (key, reason) = match &error {
            object_store::Error::InvalidPath { source: PathError::EmptySegment { path } } => {
                (path, "it has an empty segment, which object_store cannot list; rename or delete the object")
            }
            object_store::Error::InvalidPath { source: PathError::BadSegment { path, .. } } => {
                (path, "it has a segment that object_store cannot list; rename or delete the object")
            }
            // A prefix that holds nothing lists nothing: the bucket or container is missing.
            error if self.directory().is_none() && StoreErrorKind::of(error) == StoreErrorKind::NotFound => {
                return Error::LocationNotFound { location: self.to_string() };
            }
            _ => return Error::store("list", prefix, self, error),
        };
        Error::InvalidKey { key: key.escape_default().to_string(), reason }
    }
}

const UNLISTABLE: &str =
    "an empty, `.` or `..` segment or a control character cannot be listed; rename or delete the object";

/// An object of a name that object_store cannot hold.
fn unlistable(name: &str) -> Error {
    let reason = if name.ends_with('/') {
        "it ends in `/`, which object_store cuts off, and it is not empty; rename or delete the object"
    } else {
        UNLISTABLE
    };
    Error::InvalidKey { key: name.escape_default().to_string(), reason }
}

/// What is passed over outside a cluster where a listing fails so.
pub(crate) fn unfit(error: &Error) -> Option<PassedOver> {
    match error {
        Error::Store { kind: StoreErrorKind::Denied, .. } => Some(PassedOver::Unreadable),
        Error::InvalidKey { .. } => Some(PassedOver::InvalidName),
        Error::Link { .. } => Some(PassedOver::BrokenLink),
        _ => None,
    }
}

/// `""` stands for everything; any other prefix is a key.
pub(super) fn prefix_key(prefix: &str) -> Result<Option<Key>> {
    if prefix.is_empty() { Ok(None) } else { Ok(Some(Key::parse(prefix)?)) }
}

fn text(prefix: Option<&Key>) -> &str {
    prefix.map_or("", Key::as_str)
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use object_store::memory::InMemory;

    use super::*;
    use crate::{
        StoreOptions,
        location::Identity,
        testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Rule, Scope, When},
    };

    fn keys(entries: &ObjectTable) -> Vec<String> {
        entries.iter().map(|entry| entry.key.to_string()).collect()
    }

    /// The same objects in memory and in files, the latter with the directory that holds them.
    async fn both(names: &[&str]) -> ([Location; 2], tempfile::TempDir) {
        let memory = Location::in_memory();
        let directory = tempfile::tempdir().expect("a directory");
        for name in names {
            memory.put(&Key::parse(name).expect("a key"), "x".into()).await.expect("put");
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "x").expect("written");
        }
        let files = Location::parse(directory.path().to_str().expect("UTF-8"), &StoreOptions::default());
        ([memory, files.expect("a location")], directory)
    }

    #[tokio::test]
    async fn a_bucket_that_is_missing_is_a_location_that_is_not_there() {
        let missing = Rule::new(Scope::any(), When::Always, Fault::Fail(Failure::NotFound));
        let store = FaultyStore::new(Arc::new(InMemory::new()), FaultPlan::none().with(missing));
        let identity = Identity::Other { url: "https://example.com/missing".to_owned() };
        let location = Location::with_store(Arc::new(store), Path::default(), identity);
        let codes = [
            location.list("").await.expect_err("missing").code(),
            location.list_level("node1").await.expect_err("missing").code(),
            location.exists().await.expect_err("missing").code(),
        ];
        assert_eq!(codes, ["location-not-found"; 3]);
    }

    #[tokio::test]
    async fn a_prefix_that_is_no_key_lists_nothing_else() {
        let (locations, _directory) = both(&["node1/wal/1", "node2/wal/1"]).await;
        for location in &locations {
            for bad in ["node1/", "/node1", "node1//wal", "/", "..", "node1/../node2"] {
                let codes = [
                    location.list(bad).await.expect_err(bad).code(),
                    location.list_parallel(bad).await.expect_err(bad).code(),
                    location.list_level(bad).await.expect_err(bad).code(),
                ];
                assert_eq!(codes, ["invalid-key"; 3], "{location}: {bad}");
            }
            assert_eq!(keys(&location.list("node1").await.expect("listed")), ["node1/wal/1"], "{location}");
            assert!(location.list("node").await.expect("listed").is_empty(), "{location}: not a whole segment");
            assert_eq!(location.list("").await.expect("listed").len(), 2, "{location}");
        }
    }

    #[tokio::test]
    async fn staging_names_are_not_listed() {
        let (locations, _directory) = both(&["n/wal/1", "n/wal/2#17", "n/wal/3#x", "top#1"]).await;
        for location in &locations {
            let expected = ["n/wal/1", "n/wal/3#x"];
            assert_eq!(keys(&location.list("").await.expect("listed")), expected, "{location}");
            assert_eq!(keys(&location.list_parallel("").await.expect("listed")), expected, "{location}");
            assert_eq!(keys(&location.list_level("n/wal").await.expect("listed").entries), expected, "{location}");
            assert!(location.list_level("").await.expect("listed").entries.is_empty(), "{location}");
        }
    }
}
