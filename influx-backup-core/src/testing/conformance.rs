//! The contract of [`Copier`] as a test of any copier between any two locations; and that of a location's deletions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{sleep, timeout};

use crate::{
    certificate::CheckedBy,
    checksum::Crc64,
    copier::{Copied, Copier, CopyContext, CopyRequest, Expect, Transfer},
    error::CopyError,
    key::Key,
    limits::Bandwidth,
    location::{Location, ObjectMeta},
    units::ByteSize,
};

/// How long a dropped or cancelled copy may take to clean up.
const CLEANED_WITHIN: Duration = Duration::from_secs(5);

/// Tests a copier against its contract, from one location to another; both may hold other objects already.
///
/// A copy of an object that was overwritten or deleted since it was listed fails as [`CopyError::Changed`] or
/// [`CopyError::Vanished`], or is exactly the version that was asked for, whole: a bucket with versions, or one that keeps what
/// was overwritten, still has it.
///
/// `part` is the size at which the copier begins another piece (block, part, threshold): objects around it are copied,
/// and cancelled and dropped copies are stopped after the first of eight pieces.
///
/// # Panics
/// Where the copier breaks the contract: the message says which object, and how.
pub async fn copier_conformance(copier: &dyn Copier, from: &Location, to: &Location, part: ByteSize) {
    let suite = Suite { copier, from, to, part: part.0.max(2) };
    suite.sizes().await;
    suite.names().await;
    suite.overwrites().await;
    suite.vanished().await;
    suite.changed().await;
    suite.unexpected().await;
    suite.stopped_midway(Stop::Cancelled).await;
    suite.stopped_midway(Stop::Dropped).await;
    suite.cancelled_before().await;
}

/// [`copier_conformance`] for a copier that lets the store itself copy: what is stopped midway there ends complete or not at
/// all, as no bandwidth limit can hold it back. The caller looks for uploads that were left behind.
///
/// # Panics
/// As [`copier_conformance`].
pub async fn server_side_conformance(copier: &dyn Copier, from: &Location, to: &Location, part: ByteSize) {
    let suite = Suite { copier, from, to, part: part.0.max(2) };
    suite.sizes().await;
    suite.names().await;
    suite.overwrites().await;
    suite.vanished().await;
    suite.changed().await;
    suite.stopped_in_store(Stop::Cancelled).await;
    suite.stopped_in_store(Stop::Dropped).await;
    suite.cancelled_before().await;
    suite.read_through().await;
}

/// Tests that a location deletes objects by their version, below `deletions/`, of which nothing is left.
///
/// # Panics
/// Where it deletes another version, or leaves the one that was meant.
pub async fn deletion_conformance(location: &Location) {
    let first = key("deletions/ü 1");
    let second = key("deletions/2");
    for (key, bytes) in [(&first, "first"), (&second, "second")] {
        location.put(key, bytes.into()).await.expect("put");
    }
    let listed = location.list("deletions").await.expect("listed");
    let version = |key: &Key| listed.get(key).expect("it is listed").version;
    if version(&second).e_tag.is_none() {
        // Only the time tells two versions apart then, in whole seconds.
        sleep(Duration::from_secs(1)).await;
    }
    location.put(&second, "by another process".into()).await.expect("put");
    for key in [&first, &second] {
        // Twice: that the version is gone already is no error.
        for _ in 0..2 {
            location.delete_version(key, &version(key)).await.expect("deleted");
        }
    }
    let left = location.list("deletions").await.expect("listed");
    let left: Vec<_> = left.into_iter().map(|entry| entry.key).collect();
    assert_eq!(left, std::slice::from_ref(&second), "only another version stays");
    let found = location.head(&second).await.expect("asked").expect("it is there").version;
    location.delete_version(&second, &found).await.expect("deleted");
    let written = location.put(&second, "again".into()).await.expect("put");
    location.delete_version(&second, &written).await.expect("deleted");
    assert!(
        location.list("deletions").await.expect("listed").is_empty(),
        "what was just found, or written, is deleted"
    );
    let many: Vec<_> = (0..300).map(|number| key(&format!("deletions/ü&<{number}"))).collect();
    for key in &many[..20] {
        location.put(key, "many".into()).await.expect("put");
    }
    delete_all(location, many).await;
    assert!(location.list("deletions").await.expect("listed").is_empty(), "that some are gone already is no error");
}

/// Deletes objects as a run deletes those that nothing else writes.
///
/// # Panics
/// Where it cannot.
pub async fn delete_all(location: &Location, keys: impl IntoIterator<Item = Key>) {
    location.delete_all(keys).await.expect("deleted");
}

struct Suite<'a> {
    copier: &'a dyn Copier,
    from: &'a Location,
    to: &'a Location,
    part: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Cancelled,
    Dropped,
}

impl Suite<'_> {
    async fn sizes(&self) {
        let part = self.part;
        for size in [0, 1, part - 1, part, part + 1, 3 * part, 3 * part + 1] {
            let what = format!("an object of {size} bytes");
            self.copies(&format!("conformance/sizes/{size}"), &bytes_of(size), &what).await;
        }
    }

    async fn names(&self) {
        for name in ["ü", "100%25", "a b", "~", "a%2Fb", "x#y", "q?r&s=t", "plus+plus", "[1]{2}"] {
            let what = format!("the name `{name}`");
            self.copies(&format!("conformance/names {name}/{name}"), name.as_bytes(), &what).await;
        }
        let listed = self.to.list("conformance").await.expect("the target can be listed");
        let odd = listed.iter().filter(|entry| entry.key.as_str().starts_with("conformance/names ")).count();
        assert_eq!(odd, 9, "names: the target lists other names than were copied: {listed:?}");
    }

    async fn overwrites(&self) {
        let name = "conformance/overwritten";
        let key = key(name);
        self.to.put(&key, Bytes::from_static(b"something longer that was there before")).await.expect("put");
        self.copies(name, b"new", "an object over another").await;
    }

    async fn vanished(&self) {
        let bytes = bytes_of(self.part * 2);
        let source = self.source("conformance/vanished", &bytes).await;
        self.from.delete(&source.key).await.expect("deleted");
        let is_expected = |error: &CopyError| matches!(error, CopyError::Vanished);
        self.fails_or_is_pinned(&source, &bytes, is_expected, "a source that is gone").await;
    }

    async fn changed(&self) {
        for (name, size) in [("small", 2), ("large", self.part * 2 + 1)] {
            let bytes = bytes_of(size);
            let source = self.source(&format!("conformance/changed/{name}"), &bytes).await;
            // Entity tags of files know microseconds, their clocks only ticks.
            sleep(Duration::from_millis(20)).await;
            for again in [bytes_of(size).iter().rev().copied().collect(), bytes_of(size + 1)] {
                self.from.put(&source.key, again.into()).await.expect("put");
                let is_expected = |error: &CopyError| matches!(error, CopyError::Changed);
                self.fails_or_is_pinned(&source, &bytes, is_expected, &format!("a {name} source that changed")).await;
            }
        }
    }

    /// A copy of a version that is no longer the current one: nothing is at the target, or that version is, and then goes.
    async fn fails_or_is_pinned(
        &self,
        source: &ObjectMeta,
        bytes: &[u8],
        is_expected: impl Fn(&CopyError) -> bool,
        what: &str,
    ) {
        let context = CopyContext::default();
        match self.copy(source, &context).await {
            Err(error) => assert!(is_expected(&error), "{what}: {error:?}"),
            Ok(copied) => {
                assert!(source.version.id.is_some(), "{what}: copied, though nothing names the version");
                assert_eq!(copied.content.size, bytes.len() as u64, "{what}: another size was recorded");
                let found = self.to.get(&source.key, None).await.expect("the target can be read");
                assert!(found.is_some_and(|found| found == bytes), "{what}: the target has another version");
                self.to.delete(&source.key).await.expect("deleted");
            }
        }
        self.assert_absent(&source.key, &context, what).await;
    }

    /// Content that is not what the request expects is found before the copy gets its key.
    async fn unexpected(&self) {
        for (name, size) in [("small", 2), ("large", self.part * 2 + 1)] {
            let source = self.source(&format!("conformance/unexpected/{name}"), &bytes_of(size)).await;
            let expect = Expect::size(size).with_crc64(Some(Crc64(0)));
            let request = CopyRequest::new(self.from.clone(), source.clone(), self.to.clone()).with_expect(expect);
            let context = CopyContext::default();
            let answer = self.copier.copy(&request, &context).await;
            let what = format!("a {name} source with unexpected content");
            assert!(matches!(answer, Err(CopyError::Unexpected { .. })), "{what}: {answer:?}");
            self.assert_absent(&source.key, &context, &what).await;
        }
    }

    async fn cancelled_before(&self) {
        let source = self.source("conformance/cancelled", b"x").await;
        let context = CopyContext::default();
        context.cancellation.cancel();
        let answer = self.copy(&source, &context).await;
        assert!(matches!(answer, Err(CopyError::Cancelled)), "cancelled before it began: {answer:?}");
        self.assert_absent(&source.key, &context, "cancelled before it began").await;
    }

    /// What has to be read is not for the store to copy.
    async fn read_through(&self) {
        let source = self.source("conformance/read through", b"x").await;
        let request =
            CopyRequest::new(self.from.clone(), source.clone(), self.to.clone()).with_transfer(Transfer::ReadThrough);
        let context = CopyContext::default();
        let answer = self.copier.copy(&request, &context).await;
        assert!(matches!(answer, Err(CopyError::Unsupported)), "a copy that has to be read: {answer:?}");
        self.assert_absent(&source.key, &context, "a copy that has to be read").await;
    }

    /// Stopped as soon as anything was moved.
    async fn stopped_in_store(&self, stop: Stop) {
        let what = format!("{stop:?} while the store copies");
        let bytes = bytes_of(self.part * 8);
        let source = self.source(&format!("conformance/stopped in store/{stop:?}"), &bytes).await;
        let seen = Arc::new(tokio::sync::Notify::new());
        let progress = {
            let seen = Arc::clone(&seen);
            move |_| seen.notify_one()
        };
        let context = CopyContext { progress: Arc::new(progress), ..CopyContext::default() };
        let mut copy = Box::pin(self.copy(&source, &context));
        let mut answer = None;
        tokio::select! {
            biased;
            () = seen.notified() => {}
            done = &mut copy => answer = Some(done),
        }
        if stop == Stop::Cancelled && answer.is_none() {
            context.cancellation.cancel();
            answer = Some(timeout(CLEANED_WITHIN, &mut copy).await.expect("a cancelled copy ends"));
        }
        drop(copy);
        let done = answer.is_some_and(|answer| match answer {
            Ok(_) => true,
            Err(error) => {
                assert!(matches!(error, CopyError::Cancelled), "{what}: {error:?}");
                false
            }
        });
        match self.to.get(&source.key, None).await.expect("the target answers") {
            None => assert!(!done, "{what}: the copy was reported as done"),
            Some(found) => assert!(found == bytes, "{what}: the target has other bytes"),
        }
    }

    /// The bandwidth limit stops the copy after its first piece for far longer than the test runs.
    async fn stopped_midway(&self, stop: Stop) {
        let what = format!("{stop:?} midway");
        let size = self.part * 8;
        let source = self.source(&format!("conformance/stopped/{stop:?}"), &bytes_of(size)).await;
        let moved = Arc::new(AtomicU64::new(0));
        let seen = Arc::new(tokio::sync::Notify::new());
        let progress = {
            let moved = Arc::clone(&moved);
            let seen = Arc::clone(&seen);
            move |bytes| {
                moved.fetch_add(bytes, Ordering::Relaxed);
                seen.notify_one();
            }
        };
        let bandwidth = Bandwidth::per_second(ByteSize((self.part * 5).max(1)));
        let context = CopyContext { bandwidth, progress: Arc::new(progress), ..CopyContext::default() };
        let mut copy = Box::pin(self.copy(&source, &context));
        tokio::select! {
            answer = &mut copy => panic!("{what}: the copy was over before it could be stopped: {answer:?}"),
            () = seen.notified() => {}
        }
        // What a killed process would leave.
        self.assert_absent(&source.key, &context, "midway").await;
        match stop {
            Stop::Dropped => drop(copy),
            Stop::Cancelled => {
                context.cancellation.cancel();
                let answer = timeout(Duration::from_secs(1), copy).await;
                let answer = answer.unwrap_or_else(|_| panic!("{what}: it did not stop within a second"));
                assert!(matches!(answer, Err(CopyError::Cancelled)), "{what}: {answer:?}");
            }
        }
        assert!(moved.load(Ordering::Relaxed) < size, "{what}: everything was moved before it was stopped");
        self.assert_absent(&source.key, &context, &what).await;
        // A copy that continues in the background would be complete by now.
        sleep(Duration::from_millis(100)).await;
        self.assert_absent(&source.key, &context, &what).await;
        self.assert_clean(&what).await;
    }

    async fn copies(&self, name: &str, bytes: &[u8], what: &str) {
        let source = self.source(name, bytes).await;
        let moved = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&moved);
        let progress = Arc::new(move |bytes| {
            count.fetch_add(bytes, Ordering::Relaxed);
        });
        let context = CopyContext { progress, ..CopyContext::default() };
        let copied = match self.copy(&source, &context).await {
            Ok(copied) => copied,
            Err(error) => panic!("{what}: not copied: {error:?}"),
        };
        let found = self.to.get(&source.key, None).await.expect("the target can be read");
        let found = found.unwrap_or_else(|| panic!("{what}: it is not at the target"));
        assert!(found == bytes, "{what}: the target has other bytes");
        assert_eq!(copied.content.size, bytes.len() as u64, "{what}: another size was recorded");
        if copied.checked_by == CheckedBy::Content {
            assert_eq!(copied.content.crc64, Some(Crc64::of(bytes)), "{what}: another checksum was recorded");
            assert_eq!(moved.load(Ordering::Relaxed), copied.content.size, "{what}: progress told another size");
        }
        self.assert_version(&source, &copied, what).await;
        self.assert_clean(what).await;
    }

    async fn assert_version(&self, source: &ObjectMeta, copied: &Copied, what: &str) {
        let head = self.to.head(&source.key).await.expect("the target answers");
        let head = head.unwrap_or_else(|| panic!("{what}: it is not at the target"));
        if let Some(version) = &copied.stored.version {
            assert!(version.is_same(&head.version), "{what}: {version:?} was recorded, the target has {head:?}");
        }
        if self.to.directory().is_some() {
            let micros = |entry: &ObjectMeta| entry.version.modified.timestamp_micros();
            assert_eq!(micros(&head), micros(source), "{what}: the file has another modification time");
        }
    }

    async fn source(&self, name: &str, bytes: &[u8]) -> ObjectMeta {
        let key = key(name);
        self.from.put(&key, bytes.to_vec().into()).await.expect("the source can be written");
        self.from.head(&key).await.expect("the source answers").expect("the source has what was written")
    }

    async fn copy(&self, source: &ObjectMeta, context: &CopyContext) -> Result<Copied, CopyError> {
        let request = CopyRequest::new(self.from.clone(), source.clone(), self.to.clone());
        self.copier.copy(&request, context).await
    }

    /// Looks once clean-ups are over: on Azure an empty object is there while blocks are discarded.
    async fn assert_absent(&self, key: &Key, context: &CopyContext, what: &str) {
        let cleaned = timeout(CLEANED_WITHIN, context.clean_ups.finished()).await;
        assert!(cleaned.is_ok(), "{what}: the clean-up goes on");
        let found = self.to.head(key).await.expect("the target answers");
        assert!(found.is_none(), "{what}: something is at the target: {found:?}");
    }

    /// Nothing is left beside the target (files).
    async fn assert_clean(&self, what: &str) {
        let Some(directory) = self.to.directory() else { return };
        let left = || {
            let files = walkdir::WalkDir::new(directory).into_iter().filter_map(Result::ok);
            let mut names = files.map(|file| file.file_name().to_string_lossy().into_owned());
            names.find(|name| crate::layout::is_staging(name))
        };
        let clean = timeout(CLEANED_WITHIN, async {
            while left().is_some() {
                sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(clean.await.is_ok(), "{what}: `{}` was left behind", left().unwrap_or_default());
    }
}

fn key(name: &str) -> Key {
    Key::parse(name).expect("a key")
}

/// Bytes that differ from place to place, so that swapped parts show.
fn bytes_of(size: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size as usize + 8);
    for number in 1..=size.div_ceil(8) {
        bytes.extend_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    }
    bytes.truncate(size as usize);
    bytes
}
