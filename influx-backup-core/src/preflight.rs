//! What is asked of a location before a run, so that what cannot work is said within seconds.

use std::{fs, io, path::Path, time::Duration};

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use futures::{FutureExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectMeta};
use tokio::time::timeout;

use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::OWN_DIRECTORY,
    location::Location,
};

/// How long one request may take, with what little is tried again.
const PATIENCE: Duration = Duration::from_secs(15);

/// How old a probe is that nobody will delete any more: those of runs under way live for seconds.
const FORGOTTEN: TimeDelta = TimeDelta::hours(1);

/// What the probe object holds.
const PROBE: &[u8] = b"written by influx-backup to see whether it can be; may be deleted\n";

/// Asks a source for one list and one read. It is never written to.
///
/// # Errors
/// [`Error::LocationNotFound`] for a missing directory, bucket or container; [`Error::Store`] with
/// [`StoreErrorKind::Unreachable`] where no one answers and [`StoreErrorKind::Denied`] for a wrong credential;
/// [`Error::InvalidKey`] for a key that cannot be listed.
pub async fn source(location: &Location) -> Result<()> {
    if location.directory().is_some() {
        return match location.exists().await? {
            true => location.list_level("").await.map(drop),
            false => Err(not_found(location)),
        };
    }
    let contact = location.for_first_contact()?;
    let first = contact.retried(|| first_of(&contact).boxed());
    match within(location, "list", first).await? {
        Some(object) => {
            let read = contact.retried(|| read_one_byte(&contact, &object).boxed());
            within(location, "get", read).await
        }
        None => Ok(()),
    }
}

/// What a [`target`] answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetAnswer {
    /// How far the store's clock is ahead of ours, to about a second; negative: behind.
    pub clock_skew: TimeDelta,
}

/// Writes a probe object under `_influx_backup/` of a target, create-only, reads it back, lists it and deletes it.
/// Nothing is left of it.
///
/// # Errors
/// As for [`source`], and [`Error::Store`] for a right that is missing: the operation says which.
pub async fn target(location: &Location) -> Result<TargetAnswer> {
    is_no_file(location)?;
    let contact = location.for_first_contact()?;
    let key = Key::parse(format!("{OWN_DIRECTORY}/probe-{:016x}", rand::random::<u64>()))?;
    let missing = location.directory().filter(|directory| !directory.exists());
    let answer = probe(location, &contact, &key).await;
    if answer.is_err() {
        // It may have been written although the answer was lost.
        let _ = timeout(PATIENCE, contact.delete(&key)).await;
    }
    if let Some(directory) = location.directory() {
        forget_directories(directory, missing);
    }
    answer
}

/// Refuses a file, and what would lie below one: no directory can be there, and trying again does not help.
pub(crate) fn is_no_file(location: &Location) -> Result<()> {
    let nearest = location.directory().and_then(|directory| directory.ancestors().find(|path| path.exists()));
    match nearest.filter(|path| !path.is_dir()) {
        None => Ok(()),
        Some(file) => {
            let reason = format!("`{}` is not a directory", file.display());
            Err(Error::io("put", OWN_DIRECTORY, location, io::Error::new(io::ErrorKind::NotADirectory, reason)))
        }
    }
}

async fn probe(location: &Location, contact: &Location, key: &Key) -> Result<TargetAnswer> {
    let unlike = |what: &str| Error::VerifyFailed { key: Some(key.clone()), reason: format!("the probe {what}") };
    let began = Utc::now();
    within(location, "put", contact.create(key, Bytes::from_static(PROBE))).await?;
    let half_way = began + (Utc::now() - began) / 2;
    let read = within(location, "get", contact.get(key, None)).await?;
    if read.as_deref() != Some(PROBE) {
        return Err(unlike("does not read as it was written"));
    }
    let listed = within(location, "list", contact.list(OWN_DIRECTORY)).await?;
    let Some(entry) = listed.iter().find(|entry| entry.key == *key) else {
        return Err(unlike("is not listed after it was written"));
    };
    for old in listed.iter().filter(|other| is_probe(&other.key)) {
        if entry.version.modified - old.version.modified > FORGOTTEN {
            // What a killed run left. It is litter: that it stays is no failure.
            let _ = timeout(PATIENCE, contact.delete(&old.key)).await;
        }
    }
    within(location, "delete", contact.delete(key)).await?;
    Ok(TargetAnswer { clock_skew: entry.version.modified - half_way })
}

/// Whether an object is the probe of this run or of another.
pub(crate) fn is_probe(key: &Key) -> bool {
    key.below(OWN_DIRECTORY).is_some_and(|name| name.starts_with("probe-"))
}

/// The directories that only the probe needed.
fn forget_directories(directory: &Path, missing: Option<&Path>) {
    // Those that hold anything else stay.
    let _ = fs::remove_dir(directory.join(OWN_DIRECTORY));
    if let Some(missing) = missing {
        let _ = fs::remove_dir(missing);
    }
}

async fn first_of(location: &Location) -> Result<Option<ObjectMeta>> {
    let first = location.store().list(Some(location.base())).try_next().await;
    first.map_err(|error| location.not_listed("", error))
}

async fn read_one_byte(location: &Location, object: &ObjectMeta) -> Result<()> {
    let range = (object.size > 0).then_some(GetRange::Bounded(0..1));
    let options = GetOptions { range, ..GetOptions::default() };
    let read = async { location.store().get_opts(&object.location, options).await?.bytes().await };
    match read.await {
        // Gone since it was listed: the store has answered.
        Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Error::store("get", &object.location, location, error)),
    }
}

/// Waits for seconds. What is not there is the bucket: no object was asked for that the store had not named.
async fn within<T>(location: &Location, operation: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(PATIENCE, work).await {
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
    use std::sync::Arc;

    use super::*;
    use crate::{
        location::StoreOptions,
        testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    fn files(path: &Path) -> Location {
        Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_probe() {
        let place = tempfile::tempdir().expect("a directory");
        for directory in [place.path().to_owned(), place.path().join("new")] {
            let location = files(&directory);
            let answer = target(&location).await.expect("a directory that can be written to");
            assert!(answer.clock_skew.abs() < TimeDelta::seconds(2), "{answer:?}");
            assert_eq!(fs::read_dir(place.path()).expect("listed").count(), 0);
        }
        let location = Location::in_memory();
        target(&location).await.expect("memory");
        assert_eq!(location.list("").await.expect("listed"), []);
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
