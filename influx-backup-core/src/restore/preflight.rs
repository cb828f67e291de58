//! What is checked before the first write: the backup, the target's catalog, room and rights.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures::FutureExt;

use super::apply::Applied;
use crate::{
    concurrent,
    error::{Error, Result},
    event::EventKind,
    format::CatalogFile,
    job::EventSink,
    key::Key,
    layout::{Component, OWN_DIRECTORY},
    location::{Location, ObjectMeta, nearest_existing},
    manifest::{Backup, StoredObjects, StoredReader},
    options::{OnCatalogMismatch, Policy, RestoreOptions, SourceCheck},
    plan::{RestorePlan, RootAction, Stage, expected},
    read_limits,
    record::ObjectRecord,
    target::Target,
    units::{ByteSize, count_and_total},
};

/// How many objects of the backup are read at once, where no limits of a job say so.
const READS_AT_ONCE: usize = 8;

/// The backup as its store has it now.
#[derive(Debug)]
pub(super) struct Source {
    stored: StoredObjects,
    /// The bytes of the catalog's roots.
    pub(super) roots: BTreeMap<Key, Bytes>,
}

impl Source {
    /// For looking up what lies in the backup or its repository, quickly in the order of the keys.
    pub(super) fn reader(&self) -> SourceReader<'_> {
        SourceReader(self.stored.reader())
    }
}

/// Looks up what lies in the backup or its repository for objects.
pub(super) struct SourceReader<'a>(StoredReader<'a>);

impl SourceReader<'_> {
    /// What lies there for an object: its copy is pinned to that version.
    pub(super) fn stored(&mut self, record: &ObjectRecord) -> Result<&ObjectMeta> {
        self.0.of(record).ok_or_else(|| Error::damaged(&record.key, "it is missing"))
    }
}

/// Looks at what a restore refuses before its first write and reading tells, the bytes of the backup apart: what lies in the
/// backup, the owner, the target's catalog, room and permissions. The run checks it, and the plan of a dry run.
pub(super) async fn check(
    backup: &Backup,
    plan: &RestorePlan,
    target: &Target,
    place: &Location,
    options: &RestoreOptions,
) -> Result<(Source, Applied)> {
    let source = source(backup).await?;
    let applied = Applied::at(place, &options.ownership)?;
    check_target(backup, plan, &source, target, place, options)?;
    Ok((source, applied))
}

/// Checks the target against the backup that was looked at.
pub(super) fn check_target(
    backup: &Backup,
    plan: &RestorePlan,
    source: &Source,
    target: &Target,
    place: &Location,
    options: &RestoreOptions,
) -> Result<()> {
    same_cluster(backup, plan, source, target, options)?;
    room(plan, target, place)
}

/// Checks that every object of the backup is there with its size. Links inside it are refused.
async fn source(backup: &Backup) -> Result<Source> {
    let source = Source { stored: backup.list_stored().await?, roots: roots(backup).await? };
    let mut stored = source.reader();
    for record in backup.objects() {
        let size = stored.stored(&record)?.size;
        let expected = record.stored.size;
        if size != expected {
            return Err(Error::damaged(&record.key, format!("it has {size} bytes, the manifest says {expected}")));
        }
    }
    drop(stored);
    Ok(source)
}

/// Reads the backup, within its limits, as far as the restore asks for, given what there is to lose.
pub(super) async fn bytes(
    backup: &Backup,
    check: SourceCheck,
    plan: &RestorePlan,
    target: &Target,
    events: &EventSink,
) -> Result<()> {
    check_bytes(backup, depth(check, plan, target), events).await
}

/// How much of the backup is read, once it is known what there is to lose.
fn depth(check: SourceCheck, plan: &RestorePlan, target: &Target) -> SourceCheck {
    let nothing_to_lose = plan.policy == Policy::Empty || target.prefixes.is_empty() || target.is_releasing();
    match check {
        SourceCheck::Auto if nothing_to_lose => SourceCheck::Structure,
        SourceCheck::Auto => SourceCheck::Bytes,
        chosen => chosen,
    }
}

async fn check_bytes(backup: &Backup, check: SourceCheck, events: &EventSink) -> Result<()> {
    let cluster = &backup.manifest().cluster;
    let is_checked = |record: &ObjectRecord| match check {
        SourceCheck::Listing => false,
        SourceCheck::Structure => cluster.classify(&record.key).is_some_and(|object| !object.component.is_bulk()),
        SourceCheck::Auto | SourceCheck::Checksums | SourceCheck::Bytes => true,
    };
    let checked = || backup.objects().filter(is_checked);
    let (objects, bytes) = count_and_total(checked().map(|record| record.stored.size));
    events.send(EventKind::CheckStarted { objects, bytes });
    events.planned(objects, bytes);
    let is_files = backup.location().directory().is_some();
    let small = |record: &ObjectRecord| is_files.then_some(record.stored.size);
    let check = |record| check_one(backup.clone(), check, record, events.clone()).boxed();
    let at_once = backup.location().max_reads(READS_AT_ONCE);
    concurrent::each_in_batches("check", checked(), small, at_once, check, |()| ()).await
}

async fn check_one(backup: Backup, check: SourceCheck, record: ObjectRecord, events: EventSink) -> Result<()> {
    match check {
        SourceCheck::Checksums => backup.confirm(&record).await?,
        _ => drop(backup.check(&record).await?),
    }
    events.add_bytes(record.stored.size);
    events.add_object();
    Ok(())
}

/// The roots of every generation, read and parsed: the last thing that a restore writes must not be what fails.
async fn roots(backup: &Backup) -> Result<BTreeMap<Key, Bytes>> {
    let cluster = &backup.manifest().cluster;
    let mut roots = BTreeMap::new();
    // They are all held until they are written.
    let mut left = read_limits::CATALOG_ROOTS;
    for record in backup.objects() {
        let Some(object) = cluster.classify(&record.key) else { continue };
        if matches!(object.component, Component::CatalogRoot(_)) {
            let bytes = backup.read_within(&record, left).await?;
            left = ByteSize(left.0 - bytes.len() as u64);
            // No server of the cluster reads the stale root of a node that was promoted.
            if object.node.is_none() {
                CatalogFile::parse(&bytes).map_err(|error| Error::damaged(&record.key, error.to_string()))?;
            }
            roots.insert(record.key, bytes);
        }
    }
    Ok(roots)
}

/// Checks that the target's catalog, where it can be read, is the backup's cluster and not another of the same ids.
fn same_cluster(
    backup: &Backup,
    plan: &RestorePlan,
    source: &Source,
    target: &Target,
    options: &RestoreOptions,
) -> Result<()> {
    let cluster = &backup.manifest().cluster;
    let live = plan.release.iter().rev().find(|step| step.generation == plan.live && step.action == RootAction::Put);
    let root = live.and_then(|step| source.roots.get(&step.key));
    let backed_up = root.and_then(|bytes| CatalogFile::parse(bytes).ok()).and_then(|file| file.uuid);
    let found = target.prefix(cluster.catalog_prefix()).and_then(|prefix| prefix.uuid());
    match (backed_up, found) {
        (Some(backed_up), Some(found))
            if backed_up != found && options.on_catalog_mismatch == OnCatalogMismatch::Refuse =>
        {
            Err(Error::TargetForeign {
                location: target.location.clone(),
                found: format!("the catalog {found}"),
                expected: format!("{} with the catalog {backed_up}", expected(cluster)),
            })
        }
        _ => Ok(()),
    }
}

/// A file system, by a directory on it, and what the copies to it need.
struct Volume {
    directory: PathBuf,
    needed: Needed,
}

/// Checks that the target has room, and that every directory of it can be written to.
fn room(plan: &RestorePlan, target: &Target, place: &Location) -> Result<()> {
    let Some(directory) = place.directory() else { return Ok(()) };
    // Directories that are links lie on volumes of their own.
    let mut volumes: BTreeMap<u64, Volume> = BTreeMap::new();
    let mut devices: BTreeMap<PathBuf, u64> = BTreeMap::new();
    let mut held = target.objects.reader();
    for task in plan.stages().flat_map(Stage::tasks) {
        let Some(above) = place.volume(&task.to, &target.linked) else { continue };
        let device = *devices.entry(above.clone()).or_insert_with(|| device(&above));
        let volume = volumes.entry(device).or_insert_with(|| Volume { directory: above, needed: Needed::default() });
        volume.needed.add(task.expect.size, held.get(task.to.as_str()));
    }
    for volume in volumes.into_values() {
        let needed = volume.needed.bytes();
        let is_target = volume.directory == directory;
        if is_target { place.require_room(needed) } else { place.require_room_in(&volume.directory, needed) }?;
    }
    writable(directory, plan, place)
}

/// The device that a directory, or the nearest one above it that exists, lies on.
#[cfg(unix)]
fn device(directory: &Path) -> u64 {
    std::fs::metadata(nearest_existing(directory)).map_or(0, |found| std::os::unix::fs::MetadataExt::dev(&found))
}

#[cfg(not(unix))]
fn device(_directory: &Path) -> u64 {
    0
}

/// What copies need at the worst moment: an object that is overwritten gives its room back.
#[derive(Debug, Default)]
struct Needed {
    copied: u64,
    given: u64,
    largest: u64,
}

impl Needed {
    fn add(&mut self, size: u64, overwritten: Option<&ObjectMeta>) {
        self.copied = self.copied.saturating_add(size);
        self.given = self.given.saturating_add(overwritten.map_or(0, |entry| entry.size));
        self.largest = self.largest.max(size);
    }

    fn bytes(self) -> u64 {
        self.copied.saturating_sub(self.given).max(self.largest)
    }
}

/// Every directory that is written to and exists has to allow it.
fn writable(directory: &Path, plan: &RestorePlan, place: &Location) -> Result<()> {
    let copied = plan.stages().flat_map(Stage::keys);
    let written = copied.chain(plan.guards.iter().cloned()).chain(plan.deletions());
    let mut last = PathBuf::new();
    // The uppermost directory above the last object that is still to be made: all below it is made by the restore.
    let mut missing: Option<PathBuf> = None;
    for key in written {
        let path = directory.join(key.as_str());
        // Most objects lie in the directory of the one before them.
        let Some(parent) = path.parent().filter(|parent| *parent != last) else { continue };
        if missing.as_ref().is_none_or(|missing| !parent.starts_with(missing)) {
            let existing = nearest_existing(parent);
            access(existing).map_err(|error| Error::io("write", format!("{}/", existing.display()), place, error))?;
            missing = parent.ancestors().take_while(|above| *above != existing).last().map(Path::to_owned);
        }
        parent.clone_into(&mut last);
    }
    Ok(())
}

#[cfg(unix)]
fn access(directory: &Path) -> std::io::Result<()> {
    use rustix::fs::Access;
    rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).map_err(std::io::Error::from)
}

#[cfg(not(unix))]
fn access(_directory: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Checks that owner and mode can be set at the target: on what is there, and on a small probe object, which is deleted again.
pub(super) async fn rights(place: &Location, applied: &Applied, plan: &RestorePlan) -> Result<()> {
    applied.check_existing(place, plan.stages().flat_map(Stage::keys).chain(plan.guards.iter().cloned()))?;
    let key = Key::parse(format!("{OWN_DIRECTORY}/restore/probe"))?;
    place.put(&key, Bytes::from_static(b"influx-backup write probe; safe to delete\n")).await?;
    let set = match place.directory() {
        Some(_) => applied.to_file(place, &key, None).map(drop),
        None => Ok(()),
    };
    place.delete(&key).await?;
    set
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::location::{ObjectMeta, Version};

    fn entry(key: &str, size: u64) -> ObjectMeta {
        let version = Version { e_tag: None, id: None, modified: Utc::now() };
        ObjectMeta { key: Key::parse(key).expect("a key"), size, version }
    }

    #[test]
    fn a_full_disk_is_found_before_the_first_write() {
        let needed = |overwritten: &ObjectMeta| {
            let mut needed = Needed::default();
            needed.add(60, Some(overwritten));
            needed.add(50, None);
            needed.bytes()
        };
        assert_eq!(needed(&entry("a", 30)), 80, "what is overwritten gives its room back");
        assert_eq!(needed(&entry("a", 100)), 60, "but there must be room for one");
    }
}
