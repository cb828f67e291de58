//! What listings pass over.

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::path::Path;

use super::{
    Location, MAX_CONCURRENT, ObjectMeta, ObjectTable,
    list::{prefix_key, unfit},
    local::Unlisted,
};
use crate::{
    error::{Error, Result, StoreErrorKind},
    finding::Finding,
    key::Key,
    passed::{PassedOver, PassedOverNotes},
};

/// Where notes go, and what their names are relative to.
#[derive(Debug, Clone)]
pub(super) struct Passing {
    notes: PassedOverNotes,
    place: String,
    base: Path,
}

impl Location {
    /// The same location, which takes note of what it passes over.
    pub(crate) fn with_passing(&self, notes: PassedOverNotes) -> Self {
        let passing = Passing { notes, place: self.to_string(), base: self.base().clone() };
        self.with(|inner| inner.passing = Some(passing))
    }

    /// What was passed over so far: one finding for each kind in each place.
    pub(crate) fn passed_over(&self) -> Vec<Finding> {
        self.0.passing.as_ref().map(|passing| passing.notes.findings()).unwrap_or_default()
    }

    /// Takes note of a name, relative to this location.
    pub(crate) fn pass_over(&self, kind: PassedOver, name: &str) {
        let Some(passing) = &self.0.passing else { return };
        let below = self.base().as_ref().strip_prefix(passing.base.as_ref()).unwrap_or_default();
        let below = below.trim_start_matches('/');
        // The marker of this location itself, or of one below it.
        let is_own = kind == PassedOver::DirectoryMarker && name == "/";
        let name = match (below, name) {
            ("", _) if is_own => format!("{}/", self.base().filename().unwrap_or_default()),
            ("", _) => name.to_owned(),
            _ if is_own => format!("{below}/"),
            _ => format!("{below}/{name}"),
        };
        passing.notes.add(&passing.place, kind, &name);
    }

    /// Passes over what cannot be listed outside the prefixes of these ids. What lies below one, or on the way to it, is an error.
    pub(crate) fn pass_over_outside<'a>(
        &self,
        unlisted: Vec<Unlisted>,
        ids: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<()> {
        let is_below = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|tail| tail.is_empty() || tail.starts_with('/'))
        };
        for Unlisted { kind, name, error } in unlisted {
            if ids.clone().any(|id| is_below(&name, id) || is_below(id, &name)) {
                return Err(error);
            }
            self.pass_over(kind, &name);
        }
        Ok(())
    }

    /// Drops directory markers: empty objects whose key ends in `/`, which object_store cuts off, or that have objects below them.
    /// An empty object is looked at again: under the name without `/` there is none where it is a marker.
    pub(super) async fn without_markers(&self, mut entries: ObjectTable) -> Result<ObjectTable> {
        let empty: Vec<_> = entries.iter().filter(|entry| entry.size == 0).collect();
        if empty.is_empty() {
            return Ok(entries);
        }
        entries.retain(|entry| entry.size > 0);
        let mut kept = entries;
        let looks = stream::iter(empty).map(|entry| async move {
            match self.head(&entry.key).await {
                Err(Error::Store { kind: StoreErrorKind::Denied, .. }) => Ok((entry.clone(), Some(entry))),
                found => Ok::<_, Error>((entry, found?)),
            }
        });
        let looked: Vec<_> = looks.buffer_unordered(MAX_CONCURRENT).try_collect().await?;
        let mut empty = Vec::new();
        for (entry, found) in looked {
            match found {
                Some(found) if found.size == 0 => empty.push(entry),
                // Written meanwhile, or beside a marker of the same name: the table keeps the object once.
                Some(found) => kept.extend([found]),
                None => self.pass_over(PassedOver::DirectoryMarker, &format!("{}/", entry.key)),
            }
        }
        let empty: ObjectTable = empty.into_iter().collect();
        let is_marker = |entry: &ObjectMeta| {
            let below = format!("{}/", entry.key);
            kept.below(&below).chain(empty.below(&below)).next().is_some()
        };
        let (markers, objects): (Vec<_>, Vec<_>) = empty.iter().partition(is_marker);
        markers.iter().for_each(|marker| self.pass_over(PassedOver::DirectoryMarker, marker.key.as_str()));
        kept.extend(objects);
        Ok(kept)
    }

    /// The same for one level, of which these are the directories.
    pub(super) async fn level_without_markers(
        &self,
        entries: ObjectTable,
        directories: &[String],
    ) -> Result<ObjectTable> {
        let mut kept = Vec::new();
        for entry in self.without_markers(entries).await? {
            let has_directory = || directories.iter().any(|directory| directory == entry.key.name());
            if entry.size == 0 && has_directory() && self.holds_object(entry.key.as_str()).await? {
                self.pass_over(PassedOver::DirectoryMarker, entry.key.as_str());
            } else {
                kept.push(entry);
            }
        }
        Ok(kept.into())
    }

    /// Whether a prefix of a store holds an object beside directory markers. A directory of files is one, with or without files.
    pub(crate) async fn holds_object(&self, prefix: &str) -> Result<bool> {
        if self.directory().is_some() {
            return Ok(true);
        }
        let prefix = prefix_key(prefix)?;
        match self.retry(|| self.listing(self.only_empty(prefix.as_ref())).boxed()).await {
            Ok(Some(empty)) => Ok(!self.without_markers(empty.into()).await?.is_empty()),
            Ok(None) => Ok(true),
            // What is there cannot be seen, or has a key that cannot be listed.
            Err(error) => {
                if unfit(&error).is_some() {
                    Ok(true)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// The objects below a prefix, where all are empty. Looks no further than to one that is not.
    async fn only_empty(&self, prefix: Option<&Key>) -> Result<Option<Vec<ObjectMeta>>> {
        let mut listing = self.store().list(Some(&self.prefix_path(prefix)));
        let mut empty = Vec::new();
        while let Some(meta) = self.answer(listing.next().map(Option::transpose)).await.transpose() {
            let meta = meta.map_err(|error| self.not_listed(prefix.map_or("", Key::as_str), error))?;
            match self.listed_entry(prefix, meta)? {
                Some(object) if object.size > 0 => return Ok(None),
                object => empty.extend(object),
            }
        }
        Ok(Some(empty))
    }
}

#[cfg(test)]
mod tests {
    use std::{fmt, sync::Arc};

    use async_trait::async_trait;
    use futures::stream::BoxStream;
    use object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta as StoreMeta, ObjectStore,
        PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
    };

    use super::*;

    /// What stands for nothing at the end of a key: `x/@` is listed as object_store lists `x/`, which is as `x`.
    const MARKER: &str = "@";

    #[derive(Debug)]
    struct Marked(Arc<dyn ObjectStore>);

    fn shown(mut meta: StoreMeta) -> StoreMeta {
        if meta.location.filename() == Some(MARKER) {
            let parent = meta.location.as_ref().trim_end_matches(MARKER);
            meta.location = Path::parse(parent).expect("a path");
        }
        meta
    }

    impl fmt::Display for Marked {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("marked")
        }
    }

    #[async_trait]
    impl ObjectStore for Marked {
        async fn put_opts(&self, at: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
            self.0.put_opts(at, payload, options).await
        }

        async fn put_multipart_opts(
            &self,
            at: &Path,
            options: PutMultipartOptions,
        ) -> StoreResult<Box<dyn MultipartUpload>> {
            self.0.put_multipart_opts(at, options).await
        }

        async fn get_opts(&self, at: &Path, options: GetOptions) -> StoreResult<GetResult> {
            self.0.get_opts(at, options).await
        }

        fn delete_stream(&self, paths: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
            self.0.delete_stream(paths)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<StoreMeta>> {
            self.0.list(prefix).map_ok(shown).boxed()
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
            let mut listed = self.0.list_with_delimiter(prefix).await?;
            listed.objects = listed.objects.into_iter().map(shown).collect();
            Ok(listed)
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
            self.0.copy_opts(from, to, options).await
        }
    }

    /// As Azure has them for directories.
    #[tokio::test]
    async fn an_empty_object_with_objects_below_is_a_marker() {
        let notes = PassedOverNotes::default();
        let location = Location::in_memory().with_passing(notes.clone());
        for (key, bytes) in [("n", ""), ("n/wal", ""), ("n/wal-", ""), ("n/wal/1", "x"), ("n/walk", ""), ("n/c/d", "x")]
        {
            location.put(&Key::parse(key).expect("a key"), bytes.into()).await.expect("put");
        }
        let keys =
            |table: &crate::location::ObjectTable| table.iter().map(|entry| entry.key.to_string()).collect::<Vec<_>>();
        assert_eq!(keys(&location.list("").await.expect("listed")), ["n/c/d", "n/wal-", "n/wal/1", "n/walk"]);
        let level = location.list_level("n").await.expect("listed");
        assert_eq!(keys(&level.entries), ["n/wal-", "n/walk"]);
        assert_eq!(level.directories, ["c", "wal"]);
        assert!(notes.findings()[0].message.starts_with("2 directory markers"), "{:?}", notes.findings());
    }

    #[tokio::test]
    async fn markers_are_passed_over_and_empty_objects_are_not() {
        let whole = Location::in_memory().through(|store| Arc::new(Marked(store)) as Arc<_>);
        for (key, bytes) in [
            ("base/@", ""),
            ("base/n1/@", ""),
            ("base/n1/wal/@", ""),
            ("base/n1/wal/1", "x"),
            ("base/n1/empty", ""),
            // A marker beside an object of its name, which is older.
            ("base/n1/file", "content"),
            ("base/n1/file/@", ""),
        ] {
            whole.put(&Key::parse(key).expect("a key"), bytes.into()).await.expect("put");
        }
        let notes = PassedOverNotes::default();
        let base = whole.child("base").expect("a location").with_passing(notes.clone());
        let shown = |objects: &super::super::ObjectTable| -> Vec<(String, u64)> {
            objects.iter().map(|object| (object.key.to_string(), object.size)).collect()
        };
        let expected = [("n1/empty", 0), ("n1/file", 7), ("n1/wal/1", 1)].map(|(key, size)| (key.to_owned(), size));
        assert_eq!(shown(&base.list("").await.expect("listed")), expected);
        assert_eq!(shown(&base.list_parallel("").await.expect("listed")), expected);
        assert_eq!(shown(&base.list("n1/wal").await.expect("listed")), expected[2..]);
        let level = base.list_level("n1").await.expect("listed");
        assert_eq!(
            (level.directories, shown(&level.entries)),
            (vec!["file".to_owned(), "wal".to_owned()], expected[..2].to_vec())
        );
        let below = base.child("n1").expect("a location");
        assert_eq!(below.list("").await.expect("listed").len(), 3);
        let messages: Vec<_> = notes.findings().into_iter().map(|finding| finding.message).collect();
        assert!(matches!(&messages[..], [one] if one.starts_with("3 directory markers in ")), "{messages:?}");
        assert!(messages[0].contains("such as `base/` ("), "the marker of the place itself has a name: {messages:?}");
    }

    #[tokio::test]
    async fn markers_alone_are_no_objects() {
        let whole = Location::in_memory().through(|store| Arc::new(Marked(store)) as Arc<_>);
        for (key, bytes) in [
            ("marked/@", ""),
            ("marked/below/@", ""),
            ("staged/1.wal#12", "x"),
            ("filled/@", ""),
            ("filled/deep/below/1", "x"),
            ("empty/@", ""),
            ("empty/file", ""),
        ] {
            whole.put(&Key::parse(key).expect("a key"), bytes.into()).await.expect("put");
        }
        for (prefix, holds) in
            [("marked", false), ("staged", false), ("none", false), ("filled", true), ("empty", true)]
        {
            assert_eq!(whole.holds_object(prefix).await.expect("looked"), holds, "{prefix}");
        }
    }
}
