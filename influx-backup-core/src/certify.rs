//! [`certify`]: makes the certificate of a tree.

use std::collections::BTreeMap;

use crate::{
    certificate::{Certificate, Clause},
    cluster::{Cluster, DiscoverOptions},
    discover::discover,
    error::Result,
    job::{ObjectEvents, RunContext, request},
    judge::{
        evidence::{self, Cut, Evidence, Facts, HeldObject, ManifestProvenance, Meter, Provenance},
        judge,
    },
    key::Key,
    location::Location,
    manifest::{Backup, read_manifest},
    options::AbsenceTolerance,
    record::ObjectRecord,
};

/// Makes the certificate of any tree: a backup of ours, a directory that a script copied, or a stopped store.
///
/// C1 to C5 and the contents of C8 are recomputed from the tree's own bytes. C6, C7, C9 and the order of the listings
/// are what the run that took the backup recorded; without such a record they are not attested.
///
/// The job fails as [`discover`] does, and with [`Error::Store`](crate::Error::Store). What is wrong with the tree is in the
/// certificate.
pub fn certify(location: &Location) -> CertifyRequest {
    CertifyRequest::new(Tree::Location(location.clone(), DiscoverOptions::default()))
}

/// Makes the certificate of a stopped cluster or of a copy of one.
///
/// The job fails with [`Error::Store`](crate::Error::Store). What is wrong with the tree is in the certificate.
pub fn certify_cluster(cluster: &Cluster) -> CertifyRequest {
    CertifyRequest::new(Tree::Cluster(cluster.clone()))
}

/// Makes the certificate of a committed backup again, from the bytes it has now.
///
/// The job fails with [`Error::Store`](crate::Error::Store). What is wrong with the backup is in the certificate.
pub fn certify_backup(backup: &Backup) -> CertifyRequest {
    CertifyRequest::new(Tree::Backup(backup.clone()))
}

/// A certification about to start. Its progress counts the objects that are read.
#[derive(Debug)]
#[must_use = "nothing is certified until it is started or awaited"]
pub struct CertifyRequest {
    tree: Tree,
    object_events: ObjectEvents,
}

/// What is certified.
#[derive(Debug)]
enum Tree {
    Location(Location, DiscoverOptions),
    Cluster(Cluster),
    Backup(Backup),
}

impl CertifyRequest {
    fn new(tree: Tree) -> Self {
        Self { tree, object_events: ObjectEvents::default() }
    }

    /// Says which cluster, and which of its nodes, where the location holds no backup. Without effect on a cluster or a
    /// backup that is open already.
    pub fn with_options(mut self, options: DiscoverOptions) -> Self {
        if let Tree::Location(_, chosen) = &mut self.tree {
            *chosen = options;
        }
        self
    }

    async fn run(self, context: RunContext) -> Result<Certificate> {
        let meter = &context.events;
        let certify = async {
            match self.tree {
                Tree::Location(location, options) => location_certificate(&location, &options, meter).await,
                Tree::Cluster(cluster) => cluster_certificate(&cluster, meter).await,
                Tree::Backup(backup) => backup_certificate(&backup, meter).await,
            }
        };
        context.unless_cancelled(certify).await
    }
}

request!(CertifyRequest => Certificate);

async fn location_certificate(
    location: &Location,
    options: &DiscoverOptions,
    meter: &dyn Meter,
) -> Result<Certificate> {
    if read_manifest(location).await?.is_some() {
        return backup_certificate(&Backup::at(location).await?, meter).await;
    }
    cluster_certificate(&discover(location, options).await?, meter).await
}

async fn cluster_certificate(cluster: &Cluster, meter: &dyn Meter) -> Result<Certificate> {
    let inventory = cluster.list().await?;
    let held = |entry: &crate::location::ObjectMeta| {
        (entry.key.clone(), HeldObject { size: entry.size, version: entry.version.clone(), checked_by: None })
    };
    let held: BTreeMap<_, _> = inventory.entries().map(held).collect();
    let mut facts = Facts::default();
    facts.gather_metered(evidence::Tree::Location(cluster.location()), cluster, &held, meter).await?;
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

pub(crate) async fn backup_certificate(backup: &Backup, meter: &dyn Meter) -> Result<Certificate> {
    let held = held_by(backup).await?;
    let manifest = backup.manifest();
    let mut facts = Facts::default();
    facts.gather_metered(evidence::Tree::Backup(backup), &manifest.cluster, &held, meter).await?;
    let cut = Cut::newest(&manifest.cluster, &facts);
    let is_altered =
        |record: &&ObjectRecord| held.get(&record.key).is_some_and(|held| held.size != record.content.size);
    let record = ManifestProvenance {
        manifest,
        absent: backup.absent().map(|record| record.path.as_str()).collect(),
        lost: backup.objects().map(|record| &record.key).filter(|key| !held.contains_key(*key)).collect(),
        altered: backup.objects().filter(is_altered).map(|record| &record.key).collect(),
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

/// The objects of a backup that are really there. One whose stored bytes have the length that the manifest says has the
/// size of its content; any other, that of what lies there.
async fn held_by(backup: &Backup) -> Result<BTreeMap<Key, HeldObject>> {
    let stored = backup.list_stored().await?;
    let mut held = BTreeMap::new();
    for record in backup.objects() {
        let Some(found) = stored.of(record) else { continue };
        let size = if found.size == record.stored.size { record.content.size } else { found.size };
        let (version, checked_by) = (record.version.clone(), Some(record.checked_by));
        held.insert(record.key.clone(), HeldObject { size, version, checked_by });
    }
    Ok(held)
}
