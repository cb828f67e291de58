//! What a manifest may say: one list of rules, for all who open a backup and for all who restore one. What no run writes was
//! forged or altered. Pure: nothing is read.

use std::collections::BTreeSet;

use super::{Manifest, SegmentRef, segment::List};
use crate::{
    cluster::{Classification, ClusterDescription},
    error::{Error, Result},
    key::Key,
    layout::{Component, Generation, MANIFEST_KEY, OWN_DIRECTORY, SHARED_DIRECTORY, guard::root_path},
    read_limits::SEGMENT_RECORDS,
    record::{BackupStatus, ObjectRecord},
    table::Table,
    units::checked_total,
};

/// The longest id: no store has longer keys.
const LONGEST_ID: usize = 1024;

/// The rules of the root alone.
///
/// # Errors
/// [`Error::DamagedBackup`].
pub(super) fn check_root(manifest: &Manifest) -> Result<()> {
    let objects = check_segments(&manifest.objects)?;
    check_segments(&manifest.absent)?;
    if objects != Some(manifest.object_count) {
        return Err(broken("its segments have another number of objects than it says"));
    }
    check_ids(&manifest.cluster).map_err(broken)
}

/// The rules of the objects of a root that keeps its own.
///
/// # Errors
/// [`Error::DamagedBackup`], [`Error::UnsupportedFormat`].
pub(crate) fn check(manifest: &Manifest, List { rows: objects, is_sorted }: &List<ObjectRecord>) -> Result<()> {
    if objects.len() as u64 != manifest.object_count || !is_sorted {
        return Err(broken("its object list is not the one that was committed"));
    }
    if checked_total(objects.iter().map(|record| record.content.size)) != Some(manifest.byte_count) {
        return Err(broken("its objects have another number of bytes than it says"));
    }
    for record in objects {
        classify(&manifest.cluster, &record.key)?;
        check_stored(&record).map_err(|reason| Error::damaged(&record.key, reason))?;
    }
    // One that was committed with a violation may lack its catalog, and says so.
    if manifest.status == BackupStatus::Complete && manifest.certificate.holds() {
        live_root(&manifest.cluster, objects)?;
        objects.iter().try_for_each(|record| {
            let object = classify(&manifest.cluster, &record.key)?;
            require_known_generation(&record.key, object)
        })?;
    }
    Ok(())
}

/// Whether the ids of a cluster can be prefixes of keys, each of one node.
///
/// # Errors
/// The reason.
pub(crate) fn check_ids(cluster: &ClusterDescription) -> std::result::Result<(), String> {
    let mut nodes = BTreeSet::new();
    if let Some(twice) = cluster.nodes.iter().find(|node| !nodes.insert(&node.id)) {
        return Err(format!("it has two nodes `{}`", twice.id.escape_default()));
    }
    for id in cluster.prefixes() {
        let shown = || id.chars().take(80).flat_map(char::escape_default).collect::<String>();
        if id.len() > LONGEST_ID {
            return Err(format!("the id `{}\u{2026}` is longer than any key", shown()));
        }
        if let Err(invalid) = Key::parse(id) {
            return Err(format!("`{}` cannot be an id: {}", shown(), invalid.reason));
        }
        if id.chars().any(char::is_control) {
            return Err(format!("`{}` cannot be an id: it has a control character", shown()));
        }
        if is_in(id, OWN_DIRECTORY) {
            return Err(format!("`{}` cannot be an id: it is a directory of this tool", shown()));
        }
    }
    match cluster.prefixes().next() {
        Some(_) => Ok(()),
        None => Err("it names neither a node nor a cluster".to_owned()),
    }
}

/// Whose an object is.
///
/// # Errors
/// [`Error::DamagedBackup`] for one outside every prefix.
pub(crate) fn classify<'a>(cluster: &'a ClusterDescription, key: &Key) -> Result<Classification<'a>> {
    cluster.classify(key).ok_or_else(|| Error::damaged(key, "it lies outside every prefix of the cluster"))
}

/// The generation that servers load, whose root the backup has.
///
/// # Errors
/// [`Error::DamagedBackup`].
pub(crate) fn live_root(cluster: &ClusterDescription, objects: &Table<ObjectRecord>) -> Result<Generation> {
    let missing = |object: &str| {
        let reason = "the root of the live catalog is missing: a server would start with a new, empty catalog";
        Error::damaged(object, reason)
    };
    let has_root = |generation: &Generation| {
        let root = root_path(cluster.catalog_prefix(), *generation);
        // Below the id of another node it would be an object of that node.
        let object = objects.get(&root).and_then(|record| cluster.classify(&record.key));
        object.is_some_and(|object| object.component == Component::CatalogRoot(*generation))
    };
    // The cluster is described as it was found first. Servers that were upgraded since have a newer generation.
    let newest = Generation::ALL.iter().rev().copied().find(has_root);
    let live = cluster.live_catalog().max(newest).ok_or_else(|| missing(cluster.catalog_prefix()))?;
    if has_root(&live) { Ok(live) } else { Err(missing(&root_path(cluster.catalog_prefix(), live))) }
}

/// Refuses an object of a generation of the catalog that this release does not know.
///
/// # Errors
/// [`Error::UnsupportedFormat`].
pub(crate) fn require_known_generation(key: &Key, object: Classification<'_>) -> Result<()> {
    let tail = key.below(object.owner).and_then(|tail| tail.strip_prefix("catalog/v"));
    let number = tail.and_then(|tail| tail.split('/').next()).and_then(|number| number.parse().ok());
    match number {
        Some(found @ 4u64..) if object.component == Component::CatalogOther => {
            let reason = format!("belongs to generation {found} of the catalog, this release knows up to 3");
            Err(Error::UnsupportedFormat { object: key.to_string(), reason })
        }
        _ => Ok(()),
    }
}

/// How many records they have together; `None` where no number says it.
fn check_segments(segments: &[SegmentRef]) -> Result<Option<u64>> {
    if !segments.is_sorted_by(|a, b| a.key < b.key) {
        return Err(broken("its segments are not in their order"));
    }
    for segment in segments {
        if segment.key.below(OWN_DIRECTORY).is_none() {
            return Err(Error::damaged(&segment.key, "a segment lies among the files of the tool, and this does not"));
        }
        if segment.records == 0 || segment.records > SEGMENT_RECORDS as u64 {
            return Err(Error::damaged(&segment.key, format!("no segment has {} records", segment.records)));
        }
    }
    Ok(checked_total(segments.iter().map(|segment| segment.records)))
}

/// Whether the bytes of an object can be where they are said to be, and as many.
fn check_stored(record: &ObjectRecord) -> std::result::Result<(), &'static str> {
    if !record.is_consistent() {
        return Err("it is stored as it was, and with another length");
    }
    let Some(at) = &record.stored.at else { return Ok(()) };
    // `<backup>/<key>` or `_shared/<backup>/<key>`.
    let place = at.below(SHARED_DIRECTORY).unwrap_or(at.as_str());
    match place.split_once('/') {
        Some((backup, key)) if key == record.key.as_str() && !backup.starts_with(['_', '.']) => Ok(()),
        _ => Err("it is stored where no backup has its objects"),
    }
}

fn is_in(id: &str, directory: &str) -> bool {
    id.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn broken(reason: impl Into<String>) -> Error {
    Error::damaged(MANIFEST_KEY, reason)
}
