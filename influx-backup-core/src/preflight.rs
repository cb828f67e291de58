//! What is asked of a location before a run, so that a mistake is reported within seconds.

mod files;
mod stores;

use std::{io, time::Duration};

use chrono::{TimeDelta, Utc};
use futures::FutureExt;
use object_store::{GetOptions, GetRange, ObjectMeta};
use tokio::time::timeout;

use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::OWN_DIRECTORY,
    location::{Abilities, Location, missing_directories, nearest_existing, remove_made},
    read_limits,
};

/// How long one request may take, its retries included. A store that never answered is given up sooner, and one that fails
/// in the middle of this within it, so that its answer is known.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(45);

/// How long the removal of a probe may take.
const CLEAN_UP_TIMEOUT: Duration = Duration::from_secs(15);

/// How old a probe is that its run will not delete any more: runs delete theirs within seconds.
const PROBE_EXPIRY: TimeDelta = TimeDelta::hours(1);

/// What the probe object holds.
const PROBE: &[u8] = b"influx-backup write probe; safe to delete\n";

/// How many places are looked at for a probe at once.
const LOOKS_AT_ONCE: usize = 8;

/// Asks a source for one list and one read. It is never written to.
///
/// # Errors
/// [`Error::LocationNotFound`] for a missing directory, bucket or container; [`Error::Store`] with
/// [`StoreErrorKind::Unreachable`] where nothing answers and [`StoreErrorKind::Denied`] for a wrong credential.
pub async fn source(location: &Location) -> Result<()> {
    if location.directory().is_some() {
        if !location.exists().await? {
            return Err(not_found(location));
        }
        location.list_names("").await?;
        return location.look_at_inodes().await;
    }
    let first = match within(location, "list", location.first()).await {
        // A key of another program that cannot be listed: the store has answered.
        Err(Error::InvalidKey { .. }) => return Ok(()),
        first => first?,
    };
    match first {
        Some(object) => {
            let read = location.retry(|| read_one_byte(location, &object).boxed());
            within(location, "get", read).await
        }
        None => Ok(()),
    }
}

/// What a [`target`] answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetAnswer {
    /// How far the store's clock is ahead of this machine's, to about a second; negative: behind.
    pub clock_skew: TimeDelta,
    /// What the location can do.
    pub abilities: Abilities,
}

/// Writes a probe object under `_influx_backup/` of a target, create-only, reads it back, lists it and deletes it.
/// Nothing is left of it.
///
/// # Errors
/// As for [`source`], and [`Error::Store`] for a missing permission: the operation names it; with
/// [`StoreErrorKind::Unsupported`] where the store has no conditional writes: it refuses the first create-only one, or a second
/// one of the probe, or one in the place of another version of it, does not fail.
pub async fn target(location: &Location) -> Result<TargetAnswer> {
    target_apart_from(location, &[]).await
}

/// The same as [`target`], and looks for the probe through other locations: one that shows it overlaps with the target,
/// whatever both are called. None of them is written to.
///
/// # Errors
/// As for [`target`]; [`Error::Overlap`].
pub async fn target_apart_from(location: &Location, others: &[&Location]) -> Result<TargetAnswer> {
    is_no_file(location)?;
    let key = Key::parse(format!("{OWN_DIRECTORY}/probe-{:016x}", rand::random::<u64>()))?;
    let missing = location.directory().map(missing_directories).unwrap_or_default();
    let answer = probe(location, &key, others).await;
    if answer.is_err() {
        // Best effort: it may have been written although the answer was lost.
        let _ = timeout(CLEAN_UP_TIMEOUT, location.delete(&key)).await;
    }
    if let Some(directory) = location.directory() {
        // Those that only the probe needed.
        remove_made(&[directory.join(OWN_DIRECTORY)]);
        remove_made(&missing);
    }
    answer
}

/// How far a target's clock is ahead, where something is to be deleted: also of a full disk, which takes no probe.
///
/// # Errors
/// As for [`target`].
pub(crate) async fn clock(location: &Location) -> Result<TimeDelta> {
    match target(location).await {
        Err(Error::Store { kind: StoreErrorKind::Full, .. }) if location.directory().is_some() => {
            location.directory_clock().await
        }
        answer => Ok(answer?.clock_skew),
    }
}

/// Refuses a file, and what would lie below one: no directory can be there, and retrying does not help.
pub(crate) fn is_no_file(location: &Location) -> Result<()> {
    let Some(nearest) = location.directory().map(nearest_existing).filter(|path| path.exists() && !path.is_dir())
    else {
        return Ok(());
    };
    let reason = format!("`{}` is not a directory", nearest.display());
    Err(Error::io("put", OWN_DIRECTORY, location, io::Error::new(io::ErrorKind::NotADirectory, reason)))
}

async fn probe(location: &Location, key: &Key, others: &[&Location]) -> Result<TargetAnswer> {
    let unlike = |what: &str| Error::VerifyFailed { key: Some(key.clone()), reason: format!("the probe {what}") };
    let began = Utc::now();
    let written = stores::create(location, key).await?;
    let half_way = began + (Utc::now() - began) / 2;
    stores::require_create_only(location, key).await?;
    stores::require_replace_only(location, key, &written).await?;
    let read = within(location, "get", location.get_within(key, read_limits::exactly(PROBE))).await?;
    if !matches!(read, Some(Ok(bytes)) if bytes == PROBE) {
        return Err(unlike("does not read as it was written"));
    }
    let listed = within(location, "list", location.list(OWN_DIRECTORY)).await?;
    let Some(entry) = listed.get(key) else {
        return Err(unlike("is not listed after it was written"));
    };
    for other in others {
        require_hidden(location, key, other).await?;
    }
    for old in listed.iter().filter(|other| is_probe(&other.key)) {
        if entry.version.modified - old.version.modified > PROBE_EXPIRY {
            // Best effort: left by a run that was killed.
            let _ = timeout(CLEAN_UP_TIMEOUT, location.delete(&old.key)).await;
        }
    }
    within(location, "put", files::probe(location, key, &written)).await?;
    within(location, "delete", location.delete(key)).await?;
    Ok(TargetAnswer { clock_skew: entry.version.modified - half_way, abilities: location.abilities() })
}

/// Refuses an overlap that the names of two locations do not show: the same bucket by another endpoint, the same
/// directory by another mount, a bucket that a server keeps in a directory.
///
/// The target lies at or below `other` where the probe is found below `other`, at what the end of the target's own path
/// may be; `other` lies below the target where it is found beside one of the directories that `other` lies in.
async fn require_hidden(target: &Location, probe: &Key, other: &Location) -> Result<()> {
    let segments: Vec<_> = target.base().parts().map(|part| part.as_ref().to_owned()).collect();
    let below = (0..=segments.len()).map(|start| {
        let path = segments[start..].iter().map(String::as_str).chain([probe.as_str()]);
        Ok((other.clone(), Key::parse(path.collect::<Vec<_>>().join("/"))?))
    });
    if shows(below.collect::<Result<_>>()?).await? {
        return Err(target.overlap_inside(other));
    }
    let above = std::iter::successors(other.parent(), Location::parent).map(|directory| (directory, probe.clone()));
    if shows(above.collect()).await? {
        return Err(other.overlap_inside(target));
    }
    Ok(())
}

/// Whether any of these objects exists, as far as the credential may see them.
async fn shows(places: Vec<(Location, Key)>) -> Result<bool> {
    let looks = places.into_iter().map(|(location, key)| async move {
        match within(&location, "head", location.head(&key)).await {
            Ok(found) => Ok(found.is_some()),
            // A name that this store cannot have, or one that is not for this credential.
            Err(Error::Store { kind: StoreErrorKind::Denied | StoreErrorKind::Invalid, .. } | Error::Link { .. }) => {
                Ok(false)
            }
            Err(Error::LocationNotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    });
    let found = concurrent::run(looks.map(FutureExt::boxed).collect(), LOOKS_AT_ONCE).await?;
    Ok(found.contains(&true))
}

/// Whether an object is the probe of this run or of another.
pub(crate) fn is_probe(key: &Key) -> bool {
    key.below(OWN_DIRECTORY).is_some_and(|name| name.starts_with("probe-"))
}

async fn read_one_byte(location: &Location, object: &ObjectMeta) -> Result<()> {
    let range = (object.size > 0).then_some(GetRange::Bounded(0..1));
    let options = GetOptions { range, ..GetOptions::default() };
    let read = async { location.store().get_opts(&object.location, options).await?.bytes().await };
    match read.await {
        // Deleted since it was listed: the store has answered.
        Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Error::store("get", &object.location, location, error)),
    }
}

/// Waits for seconds. What is not found is the bucket: no object was asked for that the store had not named.
async fn within<T>(location: &Location, operation: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(REQUEST_TIMEOUT, work).await {
        Ok(Err(Error::Store { kind: StoreErrorKind::NotFound, .. })) => Err(not_found(location)),
        Ok(done) => done,
        Err(elapsed) => Err(Error::Store {
            operation,
            key: String::new(),
            location: location.to_string(),
            kind: StoreErrorKind::Unreachable,
            source: Box::new(elapsed),
        }),
    }
}

fn not_found(location: &Location) -> Error {
    Error::LocationNotFound { location: location.to_string() }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, sync::Arc};

    use object_store::ObjectStore;

    use super::*;
    use crate::{
        location::{Identity, ObjectTable, StoreOptions},
        testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    fn files(path: &Path) -> Location {
        Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_probe() {
        let place = tempfile::tempdir().expect("a directory");
        for directory in [place.path().to_owned(), place.path().join("new/below")] {
            let location = files(&directory);
            let answer = target(&location).await.expect("a directory that can be written to");
            assert!(answer.clock_skew.abs() < TimeDelta::seconds(2), "{answer:?}");
            assert_eq!(fs::read_dir(place.path()).expect("listed").count(), 0);
        }
        let location = Location::in_memory();
        target(&location).await.expect("memory");
        assert_eq!(location.list("").await.expect("listed"), ObjectTable::default());
    }

    #[tokio::test]
    async fn a_source_is_only_read() {
        let place = tempfile::tempdir().expect("a directory");
        let error = source(&files(&place.path().join("none"))).await.expect_err("a missing directory");
        assert_eq!(error.code(), "location-not-found");
        source(&files(place.path())).await.expect("an empty directory");
        assert_eq!(fs::read_dir(place.path()).expect("listed").count(), 0);
        let location = Location::in_memory();
        for size in [0, 10] {
            location.put(&Key::parse("a").expect("a key"), vec![1; size].into()).await.expect("put");
            source(&location).await.expect("a source with an object");
        }
    }

    /// Two locations in one store, by names that do not show it.
    fn aliases(target: &str, other: &str) -> [Location; 2] {
        let store: Arc<dyn ObjectStore> = Arc::new(object_store::memory::InMemory::new());
        [("http://127.0.0.1:9000", target), ("http://localhost:9000", other)].map(|(endpoint, base)| {
            let endpoint = endpoint.to_owned();
            let bucket = "b".to_owned();
            let region = "r".to_owned();
            let identity = Identity::S3 { endpoint, bucket, region };
            Location::with_store(Arc::clone(&store), base.into(), identity)
        })
    }

    #[tokio::test]
    async fn one_store_under_two_names_is_noticed_by_its_probe() {
        for (repository, source, overlaps) in [
            ("", "", true),
            ("cluster", "cluster", true),
            ("cluster/backups", "cluster", true),
            ("a/b/c", "", true),
            ("a", "a/b/c", true),
            ("", "a/b", true),
            ("backups", "cluster", false),
            ("a/backups", "a/cluster", false),
            ("cluster2", "cluster", false),
        ] {
            let what = format!("{repository:?} and {source:?}");
            let [repository, source] = aliases(repository, source);
            repository.require_apart(&source).expect("not by their names");
            let answer = target_apart_from(&repository, &[&source]).await.map(drop).map_err(|error| error.code());
            assert_eq!(answer, if overlaps { Err("overlap") } else { Ok(()) }, "{what}");
            assert_eq!(repository.list("").await.expect("listed"), ObjectTable::default(), "{what}: nothing is left");
        }
    }

    /// A bucket that a server keeps in a directory, as seen from that directory.
    #[tokio::test]
    async fn a_bucket_kept_in_the_directory_of_the_source_is_noticed() {
        let place = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(place.path().join("bucket/cluster")).expect("made");
        let server =
            object_store::local::LocalFileSystem::new_with_prefix(place.path().join("bucket")).expect("a store");
        let identity = Identity::Other { url: "http://localhost/bucket".to_owned() };
        let server: Arc<dyn ObjectStore> = Arc::new(server);
        let at = |base: &str| Location::with_store(Arc::clone(&server), base.into(), identity.clone());
        let source = files(&place.path().join("bucket/cluster"));
        for (base, code) in [("cluster/backups", Some("overlap")), ("", Some("overlap")), ("backups", None)] {
            let answer = target_apart_from(&at(base), &[&source]).await;
            assert_eq!(answer.err().map(|error| error.code()), code, "{base}");
        }
    }

    /// What they need only for a probe, other runs remove while this one makes it.
    #[tokio::test]
    async fn a_directory_that_is_removed_meanwhile_is_made_again() {
        let place = tempfile::tempdir().expect("a directory");
        let removed = Rule::new(Scope::of(Op::Put), When::Always, Fault::Fail(Failure::NotFound));
        for (times, outcome) in [(3, Ok(())), (u64::MAX, Err("location-not-found"))] {
            let plan = FaultPlan::none().with(removed.clone().at_most(times));
            let location =
                files(place.path()).through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
            assert_eq!(target(&location).await.map(drop).map_err(|error| error.code()), outcome);
        }
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_written_to() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("file");
        fs::write(&file, "x").expect("written");
        for place in [file.clone(), file.join("below")] {
            let began = tokio::time::Instant::now();
            let error = target(&files(&place)).await.expect_err("a file");
            assert!(matches!(error, Error::Store { operation: "put", .. }), "{error:?}");
            assert!(began.elapsed() < Duration::from_secs(1), "trying again does not help");
        }
    }
}
