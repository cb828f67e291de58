//! The bytes of a backup's objects, against the checksums of its manifest.

use futures::FutureExt;

use super::{Problems, counted, problem};
use crate::{
    concurrent,
    error::{Error, Result, StoreErrorKind},
    finding::{Finding, FindingCode},
    format::parquet,
    job::EventSink,
    key::Key,
    layout::Component,
    manifest::Backup,
    record::ObjectRecord,
    table::Table,
    units::count_and_total,
};

/// How many objects, or batches of them, are read at once.
const READS_AT_ONCE: usize = 8;

/// Reads this many percent of the objects. Returns how many were read to their ends: none of those that are `wrong`, which are
/// missing or have another length.
pub(super) async fn check(
    backup: &Backup,
    percent: u8,
    events: &EventSink,
    wrong: &Table<Key>,
    problems: &mut Problems,
) -> Result<u64> {
    let chosen = Sample::of(backup, percent);
    let (objects, bytes) = count_and_total(chosen.records(backup).map(|record| record.stored.size));
    events.planned(objects, bytes);
    let mut read = 0;
    let mut wrong = wrong.reader();
    let is_files = backup.location().directory().is_some();
    let small = |record: &ObjectRecord| is_files.then_some(record.stored.size);
    let check = |record| check_bytes(backup.clone(), events.clone(), record).boxed();
    let at_once = backup.location().max_reads(READS_AT_ONCE);
    concurrent::each_in_batches("verify", chosen.records(backup), small, at_once, check, |(key, found)| {
        if found.is_none() || wrong.get(key.as_str()).is_none() {
            read += 1;
        }
        found.into_iter().for_each(|found| problems.add(found));
    })
    .await?;
    Ok(read)
}

/// Which objects are read, by their places in the manifest; `None`: all, where nothing needs to be remembered.
struct Sample(Option<Vec<usize>>);

impl Sample {
    /// This many percent of the objects, chosen at random, at least one.
    fn of(backup: &Backup, percent: u8) -> Self {
        let objects = backup.objects().len();
        let count = (objects * usize::from(percent)).div_ceil(100).max(1).min(objects);
        Self((count < objects).then(|| {
            let mut chosen = rand::seq::index::sample(&mut rand::rng(), objects, count).into_vec();
            chosen.sort_unstable();
            chosen
        }))
    }

    fn records<'a>(&'a self, backup: &'a Backup) -> Box<dyn Iterator<Item = ObjectRecord> + Send + 'a> {
        let Some(chosen) = &self.0 else { return Box::new(backup.objects()) };
        let mut chosen = chosen.iter().peekable();
        let is_chosen = move |(at, _): &(usize, ObjectRecord)| chosen.next_if_eq(&at).is_some();
        Box::new(backup.objects().enumerate().filter(is_chosen).map(|(_, record)| record))
    }
}

/// The bytes are those that the checksum was taken of; without one, a Parquet file at least has its frame.
async fn check_bytes(backup: Backup, events: EventSink, record: ObjectRecord) -> Result<(Key, Option<Finding>)> {
    let wrong = counted(&events, record.stored.size, find_wrong_bytes(&backup, &record)).await?;
    Ok((record.key, wrong))
}

async fn find_wrong_bytes(backup: &Backup, record: &ObjectRecord) -> Result<Option<Finding>> {
    let wrong = |message: String| Ok(Some(problem(&record.key, FindingCode::WrongBytes, message)));
    match backup.check(record).await {
        Ok(ends) => {
            let object = backup.manifest().cluster.classify(&record.key);
            if object.is_some_and(|object| object.component == Component::Parquet)
                && let Some(ends) = ends
                && let Err(error) = parquet::check(&ends.head, &ends.tail, record.stored.size)
            {
                return wrong(format!("`{}`: {error}", record.key));
            }
            Ok(None)
        }
        Err(Error::DamagedBackup { object, reason, .. }) => wrong(format!("`{object}`: {reason}")),
        Err(Error::Store { kind: kind @ (StoreErrorKind::Unreadable | StoreErrorKind::Archived), source, .. }) => {
            let message = format!("`{}` cannot be read ({}): {source}", record.key, kind.code());
            Ok(Some(problem(&record.key, FindingCode::UnreadableObject, message)))
        }
        Err(error) => Err(error),
    }
}
