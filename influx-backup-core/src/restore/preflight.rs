//! What is checked before the first write: the backup, the target's catalog, room and rights.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use super::apply::Applied;
use crate::{
    error::{Error, Result},
    event::EventKind,
    format::CatalogFile,
    job::EventSink,
    key::Key,
    layout::{Component, OWN_DIRECTORY},
    location::{Location, ObjectTable, ObjectView, nearest_existing},
    manifest::{Backup, StoredObjects},
    options::{OnCatalogMismatch, Policy, RestoreOptions, SourceCheck},
    plan::{RestorePlan, RootAction, Stage, expected},
    read_limits,
    record::ObjectRecord,
    target::Target,
    units::{ByteSize, total},
};

/// How many objects of the backup are read at once, where no limits of a job say so.
const READS_AT_ONCE: usize = 8;

/// For how many objects the reads are prepared at once.
const CHECK_CHUNK: usize = 1_000;

/// The backup as its store has it now.
#[derive(Debug)]
pub(super) struct Source {
    stored: StoredObjects,
    /// The bytes of the catalog's roots.
    pub(super) roots: BTreeMap<Key, Bytes>,
}

impl Source {
    /// What lies in the backup or its repository for an object: its copy is pinned to that version.
    pub(super) fn stored(&self, record: &ObjectRecord) -> Result<ObjectView<'_>> {
        self.stored.of(record).ok_or_else(|| Error::damaged(&record.key, "it is missing"))
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
    for record in backup.objects() {
        let size = source.stored(record)?.size;
        let expected = record.stored.size;
        if size != expected {
            return Err(Error::damaged(&record.key, format!("it has {size} bytes, the manifest says {expected}")));
        }
    }
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
    let is_checked = |record: &&ObjectRecord| match check {
        SourceCheck::Listing => false,
        SourceCheck::Structure => cluster.classify(&record.key).is_some_and(|object| !object.component.is_bulk()),
        SourceCheck::Auto | SourceCheck::Checksums | SourceCheck::Bytes => true,
    };
    let checked: Vec<&ObjectRecord> = backup.objects().filter(is_checked).collect();
    let bytes = total(checked.iter().map(|record| record.stored.size));
    events.send(EventKind::CheckStarted { objects: checked.len() as u64, bytes });
    events.planned(checked.len() as u64, bytes);
    // A future of each object of a large backup at once would take more memory than the backup's records.
    for records in checked.chunks(CHECK_CHUNK) {
        let checks: Vec<_> =
            records.iter().copied().map(|record| check_one(backup, check, record, events).boxed()).collect();
        stream::iter(checks).buffer_unordered(backup.location().max_reads(READS_AT_ONCE)).try_collect::<()>().await?;
    }
    Ok(())
}

async fn check_one(backup: &Backup, check: SourceCheck, record: &ObjectRecord, events: &EventSink) -> Result<()> {
    match check {
        SourceCheck::Checksums => backup.confirm(record).await?,
        _ => drop(backup.check(record).await?),
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
            let bytes = backup.read_within(record, left).await?;
            left = ByteSize(left.0 - bytes.len() as u64);
            // No server of the cluster reads the stale root of a node that was promoted.
            if object.node.is_none() {
                CatalogFile::parse(&bytes).map_err(|error| Error::damaged(&record.key, error.to_string()))?;
            }
            roots.insert(record.key.clone(), bytes);
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

/// A file system, by a directory on it, and what is copied to it.
struct Volume<'a> {
    directory: PathBuf,
    copies: Vec<(&'a Key, u64)>,
}

/// Checks that the target has room, and that every directory of it can be written to.
fn room(plan: &RestorePlan, target: &Target, place: &Location) -> Result<()> {
    let Some(directory) = place.directory() else { return Ok(()) };
    // Directories that are links lie on volumes of their own.
    let mut volumes: BTreeMap<u64, Volume<'_>> = BTreeMap::new();
    let mut devices: BTreeMap<PathBuf, u64> = BTreeMap::new();
    for task in plan.stages().flat_map(Stage::tasks) {
        let Some(above) = place.volume(&task.to, &target.linked) else { continue };
        let device = *devices.entry(above.clone()).or_insert_with(|| device(&above));
        let volume = volumes.entry(device).or_insert_with(|| Volume { directory: above, copies: Vec::new() });
        volume.copies.push((&task.to, task.expect.size));
    }
    for volume in volumes.into_values() {
        let needed = needed(volume.copies.into_iter(), &target.objects);
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

/// The bytes that the copies need at the worst moment: an object that is overwritten gives its room back.
fn needed<'a>(copies: impl Iterator<Item = (&'a Key, u64)>, held: &ObjectTable) -> u64 {
    let mut needed: u64 = 0;
    let mut given: u64 = 0;
    let mut largest: u64 = 0;
    for (key, size) in copies {
        needed = needed.saturating_add(size);
        given = given.saturating_add(held.get(key).map_or(0, |entry| entry.size));
        largest = largest.max(size);
    }
    needed.saturating_sub(given).max(largest)
}

/// Every directory that is written to and exists has to allow it.
fn writable(directory: &Path, plan: &RestorePlan, place: &Location) -> Result<()> {
    let copied = plan.stages().flat_map(Stage::keys);
    let written = copied.chain(&plan.guards).chain(plan.deletions());
    let parents = written.filter_map(|key| directory.join(key.as_str()).parent().map(Path::to_owned));
    for parent in parents.collect::<BTreeSet<PathBuf>>() {
        let parent = nearest_existing(&parent);
        access(parent).map_err(|error| Error::io("write", format!("{}/", parent.display()), place, error))?;
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
    applied.check_existing(place, plan.stages().flat_map(Stage::keys).chain(&plan.guards))?;
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
        let copies = [entry("a", 60), entry("b", 50)];
        let copies = || copies.iter().map(|copy| (&copy.key, copy.size));
        let held = ObjectTable::from_iter([entry("a", 30), entry("z", 1000)]);
        assert_eq!(needed(copies(), &held), 80, "what is overwritten gives its room back, what is deleted later not");
        let larger = ObjectTable::from_iter([entry("a", 100)]);
        assert_eq!(needed(copies(), &larger), 60, "but there must be room for one");
    }
}
