//! What of a backup is restored, and in which stage.

use std::collections::BTreeMap;

use super::super::{CopyTask, Reason, Skipped, Stage, StageKind, restore_order, stage_of};
use crate::{
    cluster::{Classification, ClusterDescription, GenerationState},
    error::{Error, Result},
    key::Key,
    layout::{Component, Generation, OWN_DIRECTORY},
    location::ObjectMeta,
    manifest::Backup,
    options::{Licenses, RestoreOptions},
    record::ObjectRecord,
    restore::Target,
};

/// What of the backup is restored.
pub(super) struct Chosen<'a> {
    pub(super) stages: Vec<Stage>,
    /// Roots by key: of the cluster's catalog, and of stale ones below nodes that were promoted.
    pub(super) roots: BTreeMap<Key, (&'a str, Generation)>,
    pub(super) live: Generation,
    pub(super) skipped: Vec<Skipped>,
    pub(super) licenses_skipped: Vec<Key>,
    pub(super) backup: &'a Backup,
}

impl<'a> Chosen<'a> {
    pub(super) fn of(backup: &'a Backup, target: &Target, options: &RestoreOptions) -> Result<Self> {
        let cluster = &backup.manifest().cluster;
        let live = live_generation(cluster).ok_or_else(|| no_root(cluster.catalog_prefix()))?;
        let mut tasks: BTreeMap<StageKind, Vec<CopyTask>> = BTreeMap::new();
        let mut roots = BTreeMap::new();
        let mut licenses: Vec<&ObjectRecord> = Vec::new();
        for record in backup.objects() {
            let object = cluster.classify(&record.key).filter(|_| record.key.below(OWN_DIRECTORY).is_none());
            let object = object.ok_or_else(|| Error::DamagedBackup {
                object: record.key.to_string(),
                reason: "it lies outside every prefix of the cluster".to_owned(),
            })?;
            if let Component::CatalogRoot(generation) = object.component {
                roots.insert(record.key.clone(), (object.owner, generation));
            } else if object.kind().is_license() && !restores_license(cluster, live, target, options.licenses) {
                licenses.push(record);
            } else {
                known_generation(&record.key, object)?;
                let source = ObjectMeta { key: record.key.clone(), size: record.size, version: record.version.clone() };
                let kind = stage_of(cluster.edition, object);
                tasks.entry(kind).or_default().push(CopyTask::new(source, object.kind()));
            }
        }
        let root = Key::parse(format!("{}/{}", cluster.catalog_prefix(), live.root()))?;
        if !roots.contains_key(&root) {
            return Err(no_root(root.as_str()));
        }
        let stage =
            |kind: &StageKind| Stage { kind: *kind, relist: None, tasks: tasks.remove(kind).unwrap_or_default() };
        let stages = restore_order(cluster.edition).iter().map(stage).collect();
        Ok(Self {
            stages,
            roots,
            live,
            skipped: skipped(&licenses),
            licenses_skipped: licenses.into_iter().map(|record| record.key.clone()).collect(),
            backup,
        })
    }

    /// Whether the restore puts an object under this key.
    pub(super) fn restores(&self, key: &Key) -> bool {
        let held = self.backup.objects().binary_search_by(|record| record.key.cmp(key)).is_ok();
        held && !self.licenses_skipped.contains(key)
    }

    pub(super) fn has_generation(&self, owner: &str, generation: Generation) -> bool {
        self.roots.values().any(|root| *root == (owner, generation))
    }
}

pub(super) fn no_root(object: &str) -> Error {
    let reason = "the root of the live catalog is missing: a server would start with a new, empty catalog".to_owned();
    Error::DamagedBackup { object: object.to_owned(), reason }
}

pub(super) fn live_generation(cluster: &ClusterDescription) -> Option<Generation> {
    let live = cluster.catalogs.iter().filter(|found| found.state == GenerationState::Live);
    live.map(|found| found.generation).max()
}

/// A generation that is not known cannot be guarded.
pub(super) fn known_generation(key: &Key, object: Classification<'_>) -> Result<()> {
    let tail = key.below(object.owner).and_then(|tail| tail.strip_prefix("catalog/v"));
    let number = tail.and_then(|tail| tail.split('/').next()).and_then(|number| number.parse().ok());
    match number {
        Some(found) if object.component == Component::CatalogOther && found > 3 => {
            Err(Error::UnsupportedFormat { object: key.to_string(), found, supported: 3 })
        }
        _ => Ok(()),
    }
}

/// Before 3.10 a license is bound to store and cluster id; from 3.10 it is portable.
pub(super) fn restores_license(
    cluster: &ClusterDescription,
    live: Generation,
    target: &Target,
    licenses: Licenses,
) -> bool {
    match licenses {
        Licenses::Restore => true,
        Licenses::Exclude => false,
        Licenses::Auto => live >= Generation::V3 || target.identity == cluster.identity,
    }
}

pub(super) fn skipped(licenses: &[&ObjectRecord]) -> Vec<Skipped> {
    let skipped = |record: &&ObjectRecord| Skipped {
        what: record.key.to_string(),
        reason: Reason::LicenseElsewhere,
        objects: 1,
        bytes: record.size,
    };
    licenses.iter().map(skipped).collect()
}
