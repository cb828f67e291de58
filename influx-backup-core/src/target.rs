//! [`Target`]: what is at the place that a backup is restored to. Data: [`restore`](crate::restore) inspects it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    format::CatalogFile,
    key::Key,
    layout::{self, Component, Generation, guard},
    location::{Identity, ObjectMeta, ObjectTable},
    named::named,
    options::{ExtraNodes, Policy},
};

/// How recent a write must be to be a sign of life.
const RECENT: TimeDelta = TimeDelta::seconds(60);

/// What is at the place that a backup is restored to. Nothing was written to find out.
///
/// It is data: written as JSON and read back, it says the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Target {
    /// The place, as a URL without credentials.
    pub location: String,
    /// Who keeps the objects there: what licenses were bound to before 3.10.
    pub identity: Identity,
    /// When it was inspected.
    pub inspected: DateTime<Utc>,
    /// The prefixes that hold files of InfluxDB, sorted by id.
    pub prefixes: Vec<Prefix>,
    /// Top-level names that hold none, sorted.
    pub others: Vec<String>,
    /// A restore that was begun here and not finished.
    pub unfinished: Option<UnfinishedRestore>,
    /// The process that restores to it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<LeaseHolder>,
    /// When anything below the prefixes was last written.
    pub last_written: Option<DateTime<Utc>>,
    /// Directories of InfluxDB that are links, relative to the place, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) linked: Vec<String>,
    /// Every object but those of this crate.
    pub(crate) objects: ObjectTable,
}

/// A restore that was begun and not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnfinishedRestore {
    /// Its id, which the boot guard names.
    pub restore: String,
    /// The backup that it restores.
    pub backup: String,
    /// SHA-256 of that backup's root manifest.
    pub manifest_sha256: String,
    /// When it was begun.
    pub began: DateTime<Utc>,
    /// Its policy, which holds for resuming as well.
    pub policy: Policy,
    /// Its answer to nodes that the backup lacks, which holds for resuming as well.
    pub extra_nodes: ExtraNodes,
    /// How far it is.
    pub phase: Phase,
    /// Whether it can be abandoned.
    pub changes: Changes,
}

/// How far a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The boot guard is being set, or was taken away again by an abandon: nothing that was copied is there.
    Guarding,
    /// The whole guard stands, copies are under way: no server may start.
    Guarded,
    /// Everything is there and verified, the roots are being put in place: servers may have started.
    Releasing,
}

named!(Phase, "phase", {
    Guarding => "guarding",
    Guarded => "guarded",
    Releasing => "releasing",
});

/// What a restore has done to objects that were there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Changes {
    /// Nothing: it can be abandoned as long as its boot guard stands.
    None,
    /// It may have overwritten or deleted some.
    Begun,
}

named!(Changes, "changes", {
    None => "none",
    Begun => "begun",
});

/// The process that restores to a target now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaseHolder {
    /// Which process, and on which host.
    pub owner: String,
    /// How long ago its last heartbeat was.
    #[serde(rename = "silence_ms", with = "crate::units::duration::millis")]
    pub silence: Duration,
}

/// A prefix of the target that holds files of InfluxDB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prefix {
    /// The node id or cluster id that it stands for.
    pub id: String,
    /// The kinds of objects found, sorted.
    pub components: Vec<Component>,
    /// The roots of its catalog, oldest generation first.
    pub roots: Vec<FoundRoot>,
}

/// A root of the catalog at the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FoundRoot {
    /// Which generation's.
    pub generation: Generation,
    /// What stands there.
    pub content: RootContent,
}

/// What stands at the root path of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RootContent {
    /// A catalog.
    #[non_exhaustive]
    Catalog {
        /// Its uuid, where the file has one.
        uuid: Option<String>,
        /// Its sequence, where the file has one.
        sequence: Option<u64>,
    },
    /// The boot guard of a restore.
    #[non_exhaustive]
    Guard {
        /// The restore's id.
        restore: String,
    },
    /// Bytes that no server would read.
    #[non_exhaustive]
    Unreadable {
        /// Why not.
        reason: String,
    },
}

impl RootContent {
    /// What it is, by its name in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Catalog { .. } => "catalog",
            Self::Guard { .. } => "guard",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

impl Prefix {
    /// Whether it holds what only nodes hold.
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.components.iter().any(|component| !component.is_cluster_wide())
    }

    /// Whether it holds any part of a catalog.
    #[must_use]
    pub fn has_catalog(&self) -> bool {
        self.components.iter().any(|component| component.is_catalog())
    }

    /// The uuid of its newest readable catalog.
    #[must_use]
    pub fn uuid(&self) -> Option<&str> {
        self.roots.iter().rev().find_map(|root| match &root.content {
            RootContent::Catalog { uuid, .. } => uuid.as_deref(),
            _ => None,
        })
    }
}

impl UnfinishedRestore {
    /// Whether the backup with this root manifest is the one that it restores, under whatever name it lies now.
    #[must_use]
    pub fn is_restore_of(&self, manifest_sha256: &str) -> bool {
        self.manifest_sha256 == manifest_sha256
    }
}

impl Target {
    /// Whether it holds nothing at all, files of this crate apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Every object but those of this crate, sorted by key.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = ObjectMeta> {
        self.objects.iter()
    }

    /// The object of this key.
    #[must_use]
    pub fn object(&self, key: &Key) -> Option<ObjectMeta> {
        self.objects.get(key)
    }

    /// The prefix of this id.
    #[must_use]
    pub fn prefix(&self, id: &str) -> Option<&Prefix> {
        self.prefixes.iter().find(|prefix| prefix.id == id)
    }

    /// The boot guards that stand, each as the id of its restore.
    pub(crate) fn guards(&self) -> impl Iterator<Item = &str> {
        self.prefixes.iter().flat_map(|prefix| &prefix.roots).filter_map(|root| match &root.content {
            RootContent::Guard { restore } => Some(restore.as_str()),
            _ => None,
        })
    }

    /// How long before the inspection something was written, where that is so recent that a server may be running.
    #[must_use]
    pub fn signs_of_life(&self) -> Option<TimeDelta> {
        let silence = self.inspected - self.last_written?;
        (silence < RECENT).then_some(silence)
    }

    /// Drops what it says of single objects.
    pub(crate) fn forget_objects(&mut self) {
        self.objects = ObjectTable::default();
    }

    /// Whether only the release is left of the restore that was begun here.
    pub(crate) fn is_releasing(&self) -> bool {
        self.unfinished.as_ref().is_some_and(|begun| begun.phase == Phase::Releasing)
    }
}

/// The prefixes and their kinds of objects. A prefix ends before the first segment from where on a key is one that
/// InfluxDB writes.
pub(crate) fn prefixes(objects: &ObjectTable) -> BTreeMap<String, BTreeSet<Component>> {
    let mut found: BTreeMap<String, BTreeSet<Component>> = BTreeMap::new();
    for object in objects {
        if let Some((id, component)) = owner(object.key.as_str()) {
            if let Some(components) = found.get_mut(id) {
                components.insert(component);
            } else {
                found.insert(id.to_owned(), BTreeSet::from([component]));
            }
        }
    }
    // `c/` and the like inside an unknown directory of a node do not make that directory a node.
    let ids: Vec<String> = found.keys().cloned().collect();
    let is_inside =
        |id: &str| ids.iter().any(|other| id.strip_prefix(other.as_str()).is_some_and(|t| t.starts_with('/')));
    found.retain(|id, components| !is_inside(id) || components.iter().any(|component| !component.is_compactor()));
    found
}

fn owner(key: &str) -> Option<(&str, Component)> {
    let splits = key.match_indices('/').map(|(at, _)| (&key[..at], &key[at + 1..]));
    splits.map(|(id, tail)| (id, Component::of(tail))).find(|(_, component)| is_evidence(*component, key))
}

/// `c/`, `wal/` and the like are also names that other programs use: the file's name has to fit where there is a rule.
fn is_evidence(component: Component, key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    match component {
        Component::Other | Component::CatalogOther => false,
        Component::Wal => layout::wal_number(name).is_some(),
        Component::Snapshot => layout::snapshot_sequence(name).is_some(),
        Component::SnapshotCheckpoint => layout::checkpoint_sequence(name).is_some(),
        Component::Parquet => name.ends_with(".parquet"),
        Component::CatalogLog(_) => layout::catalog_log_sequence(name).is_some(),
        _ => true,
    }
}

/// An object that only the upgraded engine writes: `<cluster_id>/backups/…`, `.pt` files, its snapshots and checkpoints.
pub(crate) fn upgraded_engine(objects: &ObjectTable, found: &BTreeMap<String, BTreeSet<Component>>) -> Option<String> {
    let is_of_upgraded_engine = |object: &ObjectMeta| {
        let owned = found.keys().filter_map(|id| object.key.below(id)).min_by_key(|tail| tail.len());
        owned.is_some_and(|tail| {
            tail.starts_with("backups/")
                || tail.split('/').any(|segment| matches!(segment, "pt_snapshots" | "gen0"))
                || (Component::of(tail) == Component::Other
                    && (tail.ends_with(".pt") || tail.ends_with(".ptv2chk.lz4")))
        })
    };
    objects.iter().find(is_of_upgraded_engine).map(|object| format!("`{}`", object.key))
}

pub(crate) fn others(objects: &ObjectTable, found: &BTreeMap<String, BTreeSet<Component>>) -> Vec<String> {
    let outside = objects.iter().filter(|object| !found.keys().any(|id| object.key.below(id).is_some()));
    let names = outside.filter_map(|object| object.key.as_str().split('/').next().map(ToOwned::to_owned));
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What the bytes at a root path are.
pub(crate) fn root_content(bytes: &[u8]) -> RootContent {
    if let Some(restore) = guard::restore_of(bytes) {
        return RootContent::Guard { restore };
    }
    match CatalogFile::parse(bytes) {
        Ok(file) => RootContent::Catalog { uuid: file.uuid, sequence: file.sequence },
        Err(error) => RootContent::Unreadable { reason: error.to_string() },
    }
}
