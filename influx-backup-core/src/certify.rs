//! [`certify`]: makes the certificate of a tree.

use std::collections::BTreeMap;

use crate::{
    certificate::Certificate,
    cluster::{Cluster, DiscoverOptions},
    discover::discover,
    error::{Error, Result},
    facts::{Tree, gather},
    judge::{
        AbsenceTolerance, Cut,
        evidence::{Evidence, Facts, HeldObject, ManifestProvenance, Provenance},
        judge,
    },
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY},
    location::{Links, Location, ObjectMeta},
    manifest::{Backup, read_manifest},
    record::ObjectRecord,
};

/// Makes the certificate of any tree: a committed backup, a directory that a script copied, or a stopped store.
///
/// C1 to C5 and the contents of C8 are recomputed from the tree's own bytes. C6, C7, C9 and the order of the listings
/// are what the run that took the backup recorded; without such a record they are not attested.
///
/// # Errors
/// As for [`discover`], and [`Error::Store`] where the tree cannot be read. What is wrong with the tree is in the certificate.
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
/// [`Error::Store`] where it cannot be read. What is wrong with it is in the certificate.
pub async fn certify_cluster(cluster: &Cluster) -> Result<Certificate> {
    let inventory = cluster.list().await?;
    let mut held: BTreeMap<_, _> = inventory.entries().map(|entry| (entry.key.clone(), held_as_listed(entry))).collect();
    let mut facts = Facts::default();
    gather(&mut facts, Tree::Location(cluster.location()), cluster.description(), &mut held).await?;
    let cut = Cut::newest(cluster.description(), &facts);
    let strict = AbsenceTolerance::Strict;
    Ok(judge(&Evidence::new(cluster.description(), &held, &facts, &cut, Provenance::None, strict)).certificate)
}

fn held_as_listed(entry: &ObjectMeta) -> HeldObject {
    HeldObject { size: entry.size, version: entry.version.clone(), checked_by: None }
}

/// Makes the certificate of a committed backup again, from the bytes it has now.
///
/// # Errors
/// [`Error::Store`] where it cannot be read. What is wrong with the backup is in the certificate.
pub async fn certify_backup(backup: &Backup) -> Result<Certificate> {
    let mut held = held_by(backup).await?;
    let manifest = backup.manifest();
    let mut facts = Facts::default();
    gather(&mut facts, Tree::Backup(backup), &manifest.cluster, &mut held).await?;
    Ok(judge_backup(backup, &held, &facts, &Cut::newest(&manifest.cluster, &facts)))
}

/// Judges a backup up to a cut.
fn judge_backup(backup: &Backup, held: &BTreeMap<Key, HeldObject>, facts: &Facts, cut: &Cut) -> Certificate {
    let manifest = backup.manifest();
    let objects = || backup.objects().iter();
    let is_altered = |record: &&ObjectRecord| held.get(&record.key).is_some_and(|held| held.size != record.size);
    let record = ManifestProvenance {
        certificate: &manifest.certificate,
        attested: &manifest.attested,
        absent: backup.absent().iter().map(|record| record.path.as_str()).collect(),
        lost: objects().map(|record| &record.key).filter(|key| !held.contains_key(*key)).collect(),
        altered: objects().filter(is_altered).map(|record| &record.key).collect(),
    };
    let provenance = Provenance::Manifest(&record);
    judge(&Evidence::new(&manifest.cluster, held, facts, cut, provenance, AbsenceTolerance::Lenient)).certificate
}

/// The objects of a backup that are really there, with the sizes that they really have.
async fn held_by(backup: &Backup) -> Result<BTreeMap<Key, HeldObject>> {
    let location = backup.location().with_links(Links::Refuse);
    let listed: BTreeMap<_, _> = location.list("").await?.into_iter().map(|entry| (entry.key, entry.size)).collect();
    let mut held = BTreeMap::new();
    for record in backup.objects() {
        if record.key.below(OWN_DIRECTORY).is_some() {
            let reason = format!("it lists `{}`, which is not an object of a cluster", record.key);
            return Err(Error::DamagedBackup { object: MANIFEST_KEY.to_owned(), reason });
        }
        let size = match &record.stored.at {
            None => listed.get(&record.key).copied(),
            Some(at) => backup.repository().head(at).await?.map(|entry| entry.size),
        };
        let Some(size) = size else { continue };
        let checked_by = Some(record.checked_by);
        held.insert(record.key.clone(), HeldObject { size, version: record.version.clone(), checked_by });
    }
    Ok(held)
}
