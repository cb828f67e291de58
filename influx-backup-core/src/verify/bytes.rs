//! The bytes of a backup's objects, against the checksums of its manifest.

use std::iter;

use futures::FutureExt;
use tokio_util::task::AbortOnDropHandle;

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

/// How many files a batch has at most.
const BATCH: usize = 64;

/// How many bytes a batch of more than one file has at most.
const BATCH_BYTES: u64 = 4 << 20;

/// Reads this many percent of the objects. Returns how many were read to their ends, which none of those is that are `wrong`: missing, or
/// of another length.
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
    let checks = batches(backup, chosen.records(backup)).map(|batch| check_batch(backup, events, batch).boxed());
    concurrent::each(checks, backup.location().max_reads(READS_AT_ONCE), |checked| {
        for (key, found) in checked {
            if found.is_none() || wrong.get(key.as_str()).is_none() {
                read += 1;
            }
            found.into_iter().for_each(|found| problems.add(found));
        }
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

/// Objects that are read one after another: small files, as one thread reads them; else each by itself.
fn batches<'a>(
    backup: &Backup,
    records: impl Iterator<Item = ObjectRecord> + 'a,
) -> impl Iterator<Item = Vec<ObjectRecord>> + 'a {
    let most = if backup.location().directory().is_some() { BATCH } else { 1 };
    let mut records = records.peekable();
    iter::from_fn(move || {
        let mut batch = vec![records.next()?];
        let mut bytes = batch[0].stored.size;
        while batch.len() < most
            && let Some(record) = records.next_if(|record| bytes + record.stored.size <= BATCH_BYTES)
        {
            bytes += record.stored.size;
            batch.push(record);
        }
        Some(batch)
    })
}

/// Each in a task or on a thread of its own: checksums take a processor.
async fn check_batch(
    backup: &Backup,
    events: &EventSink,
    batch: Vec<ObjectRecord>,
) -> Result<Vec<(Key, Option<Finding>)>> {
    let check = |record| check_bytes(backup.clone(), events.clone(), record).boxed();
    let lost = |source| Error::Internal { task: "verify", source: Box::new(source) };
    if backup.location().directory().is_some() {
        let checked = concurrent::in_turn(batch.into_iter().map(check).collect()).await;
        return checked.map_err(lost)?.into_iter().collect();
    }
    let mut checked = Vec::new();
    for record in batch {
        checked.push(AbortOnDropHandle::new(concurrent::spawn(check(record))).await.map_err(lost)??);
    }
    Ok(checked)
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
