//! [`certify`]: makes the certificate of a tree.

use std::collections::BTreeMap;

use crate::{
    certificate::{Certificate, Clause},
    cluster::{Cluster, DiscoverOptions},
    discover::discover,
    error::Result,
    judge::{
        AbsenceTolerance,
        evidence::{Cut, Evidence, Facts, HeldObject, ManifestProvenance, Provenance, Tree},
        judge,
    },
    key::Key,
    layout::OWN_DIRECTORY,
    location::{Links, Location},
    manifest::{Backup, read_manifest},
    record::ObjectRecord,
};

/// Makes the certificate of any tree: a backup of ours, a directory that a script copied, or a stopped store.
///
/// C1 to C5 and the contents of C8 are recomputed from the tree's own bytes. C6, C7, C9 and the order of the listings
/// are what the run that took the backup recorded; without such a record they are said to be not attested.
///
/// # Errors
/// As for [`discover`], and [`Error::Store`](crate::Error::Store). What is wrong with the tree is in the certificate.
pub async fn certify(location: &Location, what: &DiscoverOptions) -> Result<Certificate> {
    if read_manifest(location).await?.is_some() {
        return certify_backup(&Backup::at(location).await?).await;
    }
    let cluster = discover(location, what).await?;
    certify_cluster(&cluster).await
}

/// Makes the certificate of a stopped cluster or of a copy of one.
///
/// # Errors
/// [`Error::Store`](crate::Error::Store). What is wrong with the tree is in the certificate.
pub async fn certify_cluster(cluster: &Cluster) -> Result<Certificate> {
    let inventory = cluster.list().await?;
    let held = |entry: &crate::location::ObjectMeta| {
        (entry.key.clone(), HeldObject { size: entry.size, version: entry.version.clone(), checked_by: None })
    };
    let held: BTreeMap<_, _> = inventory.entries().map(held).collect();
    let mut facts = Facts::default();
    facts.gather(Tree::Location(cluster.location()), cluster, &held).await?;
    let cut = Cut::newest(cluster, &facts);
    let evidence = Evidence {
        cluster,
        held: &held,
        facts: &facts,
        cut: &cut,
        provenance: Provenance::None,
        absence_tolerance: AbsenceTolerance::Strict,
    };
    Ok(judge(&evidence, &Clause::ALL).0.abridged())
}

/// Makes the certificate of a committed backup again, from the bytes it has now.
///
/// # Errors
/// [`Error::Store`](crate::Error::Store). What is wrong with the backup is in the certificate.
pub async fn certify_backup(backup: &Backup) -> Result<Certificate> {
    let held = held_by(backup).await?;
    let manifest = backup.manifest();
    let mut facts = Facts::default();
    facts.gather(Tree::Backup(backup), &manifest.cluster, &held).await?;
    let cut = Cut::newest(&manifest.cluster, &facts);
    let objects = || backup.objects().iter();
    let is_altered = |record: &&ObjectRecord| held.get(&record.key).is_some_and(|held| held.size != record.size);
    let record = ManifestProvenance {
        manifest,
        absent: backup.absent().iter().map(|record| record.path.as_str()).collect(),
        lost: objects().map(|record| &record.key).filter(|key| !held.contains_key(*key)).collect(),
        altered: objects().filter(is_altered).map(|record| &record.key).collect(),
    };
    let evidence = Evidence {
        cluster: &manifest.cluster,
        held: &held,
        facts: &facts,
        cut: &cut,
        provenance: Provenance::Manifest(&record),
        absence_tolerance: AbsenceTolerance::Lenient,
    };
    Ok(judge(&evidence, &Clause::ALL).0.abridged())
}

/// The objects of a backup that are really there, with the sizes that they really have.
async fn held_by(backup: &Backup) -> Result<BTreeMap<Key, HeldObject>> {
    let location = backup.location().with_links(Links::Refuse);
    let listed: BTreeMap<_, _> = location.list("").await?.into_iter().map(|entry| (entry.key, entry.size)).collect();
    let mut held = BTreeMap::new();
    for record in backup.objects() {
        let size = match &record.stored.at {
            None => listed.get(&record.key).copied(),
            Some(at) => backup.repository().head(at).await?.map(|entry| entry.size),
        };
        let Some(size) = size else { continue };
        let checked_by = Some(record.checked_by);
        held.insert(record.key.clone(), HeldObject { size, version: record.version.clone(), checked_by });
    }
    debug_assert!(held.keys().all(|key| key.below(OWN_DIRECTORY).is_none()));
    Ok(held)
}
