//! Reads from a tree what the proof looks at: manifests, checkpoints, WAL and catalog.

mod pieces;

use bytes::Bytes;
use futures::FutureExt;
use tokio::sync::mpsc::Sender;

use crate::{
    cluster::ClusterDescription,
    concurrent,
    error::{Error, Result},
    judge::{
        evidence::readable,
        fact::{Fact, Facts},
        held::{Held, HeldObject},
    },
    key::Key,
    layout::Component,
    location::{Location, Version},
    manifest::Backup,
    read_limits::{self, TooLarge},
    record::ObjectRecord,
    units::{ByteSize, count_and_total},
};

/// How many objects are read at once.
const READS_AT_ONCE: usize = 16;

/// How many of them are waited for together.
const RUN: usize = 1024;

/// A tree whose objects can be read.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    /// Objects under their own keys.
    Location(Location),
    /// A committed backup, which knows where its bytes lie.
    Backup(Backup),
}

/// The bytes of one object.
enum Found {
    Bytes(Bytes),
    /// What they say, where they were parsed while they were read.
    Fact(Fact),
    /// No object of its kind has as many.
    TooLarge(TooLarge),
    /// They are not those that were written; why.
    Altered(String),
    /// The object disappeared after it was listed.
    Missing,
}

impl Tree {
    fn location(&self) -> &Location {
        match self {
            Self::Location(location) => location,
            Self::Backup(backup) => backup.location(),
        }
    }

    /// What is wrong with an object is evidence. That its store does not answer is an error.
    async fn read(&self, key: &Key, size: u64, component: Component, most: ByteSize) -> Result<Found> {
        let is_large = pieces::is_large(component, size);
        match self {
            Self::Location(location) if is_large => {
                pieces::parse(component, |to| pieces::read(location, key, size, to)).await
            }
            Self::Location(location) => Ok(match location.get_within(key, most).await? {
                Some(Ok(bytes)) => Found::Bytes(bytes),
                Some(Err(large)) => Found::TooLarge(large),
                None => Found::Missing,
            }),
            Self::Backup(backup) => {
                let Some(record) = backup.object(key) else { return Ok(Found::Missing) };
                if let Err(large) = TooLarge::check(record.stored.size, most) {
                    return Ok(Found::TooLarge(large));
                }
                if is_large {
                    let read = async |to: Sender<Bytes>| match backup.pieces(&record, &to).await {
                        Ok(()) => Ok(None),
                        Err(error) => damaged(backup, &record, error).await.map(Some),
                    };
                    return pieces::parse(component, read).await;
                }
                match backup.read(&record).await {
                    Ok(bytes) => Ok(Found::Bytes(bytes)),
                    Err(error) => damaged(backup, &record, error).await,
                }
            }
        }
    }
}

/// How an object is damaged, where that is what an error says.
async fn damaged(backup: &Backup, record: &ObjectRecord, error: Error) -> Result<Found> {
    let Error::DamagedBackup { reason, .. } = error else { return Err(error) };
    let (location, key) = backup.locate(record);
    let is_there = location.head(&key).await?.is_some();
    Ok(if is_there { Found::Altered(reason) } else { Found::Missing })
}

/// Counts objects that are to be read, and those that were.
pub(crate) trait Meter: Sync {
    fn planned(&self, objects: u64, bytes: u64);
    fn finished(&self, bytes: u64);
}

/// Counts nothing.
impl Meter for () {
    fn planned(&self, _: u64, _: u64) {}
    fn finished(&self, _: u64) {}
}

/// Reads what the proof needs and `facts` do not have yet, and forgets what is no longer held. An object that is no longer
/// there is taken out of `held`.
///
/// # Errors
/// [`Error::Store`], [`Error::Link`].
pub(crate) async fn gather(
    facts: &mut Facts,
    tree: &Tree,
    cluster: &ClusterDescription,
    held: &mut Held<'_>,
    meter: &dyn Meter,
) -> Result<()> {
    facts.retain_held(held);
    let (objects, bytes) = count_and_total(unread(cluster, facts, held.iter()).map(|(_, held)| held.size));
    meter.planned(objects, bytes);
    let at_once = tree.location().max_reads(READS_AT_ONCE);
    let is_files = tree.location().directory().is_some();
    // Whoever reads pieces waits for another thread.
    let small = |(component, held): &(Component, HeldObject)| {
        (is_files && !pieces::is_large(*component, held.size)).then_some(held.size)
    };
    let mut gone = Vec::new();
    let mut objects = held.iter();
    loop {
        let unread: Vec<_> = unread(cluster, facts, objects.by_ref()).take(RUN).collect();
        if unread.is_empty() {
            break;
        }
        let read = |(component, held)| read(tree.clone(), held, component).boxed();
        let on_read = |Read { key, version, bytes, fact }| {
            bytes.into_iter().for_each(|bytes| meter.finished(bytes));
            match fact {
                Some(fact) => facts.insert(key, version, fact),
                None => gone.push(key),
            }
        };
        concurrent::each_in_batches("read", unread.into_iter(), small, at_once, read, on_read).await?;
    }
    drop(objects);
    held.without(gone);
    Ok(())
}

/// Those of these objects, in the order of their keys, that the proof reads and nothing is known of.
fn unread<'a>(
    cluster: &'a ClusterDescription,
    facts: &'a Facts,
    objects: impl Iterator<Item = HeldObject> + 'a,
) -> impl Iterator<Item = (Component, HeldObject)> + 'a {
    let mut reader = facts.reader();
    objects.filter_map(move |held| {
        let component = readable(cluster, &held.key)?;
        (!reader.has(&held.key)).then_some((component, held))
    })
}

/// What was read of one object.
struct Read {
    key: Key,
    version: Version,
    /// How many bytes were read to be parsed.
    bytes: Option<u64>,
    /// `None` where the object is gone.
    fact: Option<Fact>,
}

async fn read(tree: Tree, HeldObject { key, size, version, .. }: HeldObject, component: Component) -> Result<Read> {
    let most = read_limits::of(component);
    // Whoever reads pieces holds one.
    let is_large = pieces::is_large(component, size);
    let _held = if is_large { None } else { tree.location().hold(size.min(most.0)).await };
    let found = match TooLarge::check(size, most) {
        Ok(()) => tree.read(&key, size, component, most).await?,
        Err(large) => Found::TooLarge(large),
    };
    let (bytes, fact) = match found {
        Found::Bytes(bytes) => (Some(bytes.len() as u64), Some(Fact::parse(component, &bytes))),
        Found::Fact(fact) => (Some(size), Some(fact)),
        Found::TooLarge(large) => (None, Some(Fact::too_large(component, large))),
        Found::Altered(reason) => (None, Some(Fact::altered(component, reason))),
        Found::Missing => (None, None),
    };
    Ok(Read { key, version, bytes, fact })
}
