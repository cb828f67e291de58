//! What of a backup is restored, and in which stage.

use std::collections::BTreeMap;

use super::super::{CopyTask, PlaceRole, Skipped, Stage, StageTasks, restore_order, stage_of};
use crate::{
    cluster::ClusterDescription,
    copier::Expect,
    error::Result,
    key::Key,
    layout::{Component, Generation},
    location::ObjectMeta,
    manifest::rules,
    options::Licenses,
    record::{BackupContents, ObjectRecord},
    target::Target,
};

/// What of the backup is restored.
pub(super) struct Selection<'a> {
    pub(super) stages: Vec<Stage>,
    /// Roots by key: of the cluster's catalog, and of stale ones below nodes that were promoted.
    pub(super) roots: BTreeMap<Key, (&'a str, Generation)>,
    pub(super) live: Generation,
    pub(super) skipped: Vec<Skipped>,
    /// Sorted.
    pub(super) licenses_skipped: Vec<Key>,
    pub(super) backup: BackupContents<'a>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(backup: &BackupContents<'a>, target: &Target, licenses: Licenses) -> Result<Self> {
        let cluster = backup.cluster;
        let live = rules::live_root(cluster, backup.objects)?;
        let restores_licenses = restores_licenses(cluster, live, target, licenses);
        let mut stages = StageTasks::default();
        let mut roots = BTreeMap::new();
        let mut skipped = Vec::new();
        let mut licenses_skipped = Vec::new();
        for record in backup.objects {
            let object = rules::classify(cluster, &record.key)?;
            if let Component::CatalogRoot(generation) = object.component {
                roots.insert(record.key.clone(), (object.owner, generation));
            } else if object.kind().is_license() && !restores_licenses {
                skipped.push(Skipped::license(&record.key, record.content.size));
                licenses_skipped.push(record.key.clone());
            } else {
                rules::require_known_generation(&record.key, object)?;
                let stage = stage_of(cluster.edition, object);
                stages.add(stage, copy_of(&record, object.kind()));
            }
        }
        let stages = stages.in_order(restore_order(cluster.edition), |_| None);
        Ok(Self { stages, roots, live, skipped, licenses_skipped, backup: *backup })
    }

    /// Whether an object of the backup is not restored.
    pub(super) fn skips(&self, key: &Key) -> bool {
        self.licenses_skipped.binary_search(key).is_ok()
    }

    pub(super) fn has_generation(&self, owner: &str, generation: Generation) -> bool {
        self.roots.values().any(|root| *root == (owner, generation))
    }
}

/// The copy of an object from where its bytes lie to its own key.
fn copy_of(record: &ObjectRecord, component: Component) -> CopyTask {
    let (role, key) = match &record.stored.at {
        Some(shared) => (PlaceRole::Shared, shared),
        None => (PlaceRole::Backup, &record.key),
    };
    let stored = ObjectMeta { key: key.clone(), size: record.stored.size, version: record.version.clone() };
    let task = CopyTask::new(role, stored, component).with_target(record.key.clone()).with_expect(
        Expect::size(record.content.size).with_crc64(record.content.crc64).with_blake3(record.content.blake3),
    );
    if record.attributes.is_empty() { task } else { task.with_attributes(record.attributes.clone()) }
}

/// Before 3.10 a license is bound to store and cluster id; from 3.10 it is portable.
fn restores_licenses(cluster: &ClusterDescription, live: Generation, target: &Target, licenses: Licenses) -> bool {
    match licenses {
        Licenses::Restore => true,
        Licenses::Exclude => false,
        Licenses::Auto => live >= Generation::V3 || target.identity == cluster.identity,
    }
}
