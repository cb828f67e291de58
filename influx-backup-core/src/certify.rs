//! [`certify`]: makes the certificate of a tree.

use std::fmt;

use tracing::Span;

use crate::{
    certificate::{Certificate, Clause},
    cluster::{Cluster, DiscoverOptions},
    discover,
    error::{Error, Result},
    facts::{self, Meter, gather},
    inventory::Inventory,
    job::{RunContext, Setup, request, span},
    judge::{
        Cut,
        evidence::{Evidence, ManifestProvenance, Provenance},
        fact::Facts,
        held::{Change, Held, HeldObject},
        judge,
    },
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY},
    location::{Location, ObjectTable, Reads},
    manifest::{Backup, StoredObjects},
    options::{AbsenceTolerance, CertifyOptions, Vouch},
    record::ObjectRecord,
    table::Table,
};

/// Makes the certificate of any tree: a committed backup, a directory that a script copied, or a stopped store.
///
/// C1 to C5 and the contents of C8 are recomputed from the tree's own bytes. C6, C7, C9 and the order of the listings
/// are what the run that took the backup recorded; without such a record they are not attested.
///
/// The job fails as [`discover`](crate::discover()) does, with [`Error::Store`], with [`Error::UntrustedBackup`] for a backup
/// that is not what the options expect, and with [`Error::InvalidRequest`] as [`CertifyOptions::check`]. What is wrong with the tree is in the certificate.
pub fn certify(location: &Location) -> CertifyRequest {
    CertifyRequest::new(Tree::Location(location.clone()))
}

/// Makes the certificate of a stopped cluster or of a copy of one.
///
/// The job fails with [`Error::Store`]. What is wrong with the tree is in the certificate.
pub fn certify_cluster(cluster: &Cluster) -> CertifyRequest {
    CertifyRequest::new(Tree::Cluster(Box::new(cluster.clone())))
}

/// Makes the certificate of a committed backup again, from the bytes it has now.
///
/// The job fails with [`Error::Store`]. What is wrong with the backup is in the certificate.
pub fn certify_backup(backup: &Backup) -> CertifyRequest {
    CertifyRequest::new(Tree::Backup(backup.clone()))
}

/// A certification about to start. Its progress counts the objects that are listed and those that are read.
#[derive(Debug)]
#[must_use = "nothing is certified until it is started or awaited"]
pub struct CertifyRequest {
    tree: Tree,
    options: CertifyOptions,
    setup: Setup,
}

/// What is certified.
#[derive(Debug)]
enum Tree {
    Location(Location),
    Cluster(Box<Cluster>),
    Backup(Backup),
    Named { repository: Location, name: String },
}

/// Where it lies, or the name of a backup.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location(location) => location.fmt(f),
            Self::Cluster(cluster) => cluster.location().fmt(f),
            Self::Backup(backup) => backup.location().fmt(f),
            Self::Named { name, .. } => f.pad(name),
        }
    }
}

impl CertifyRequest {
    fn span(&self) -> Span {
        span("certify", &self.tree)
    }

    /// Of the backup of this name, which the job opens.
    pub(crate) fn of_name(repository: &Location, name: &str) -> Self {
        Self::new(Tree::Named { repository: repository.clone(), name: name.to_owned() })
    }

    fn new(tree: Tree) -> Self {
        Self { tree, options: CertifyOptions::default(), setup: Setup::default() }
    }

    /// Sets how it is certified.
    pub fn with_options(mut self, options: CertifyOptions) -> Self {
        self.options = options;
        self
    }

    async fn run(self, context: RunContext) -> Result<Certificate> {
        let CertifyOptions { discover, limits, .. } = &self.options;
        self.options.check()?;
        let vouch = self.options.vouch()?;
        let reads = Reads::new(limits);
        let meter = &context.events;
        let counted = |location: &Location| meter.counting(location).with_reads(&reads);
        let certify = async {
            match self.tree {
                Tree::Location(location) => location_certificate(&counted(&location), discover, &vouch, meter).await,
                Tree::Cluster(_) if !vouch.is_needless() => {
                    let option = if vouch.key.is_some() { "trust" } else { "expect_sha256" };
                    Err(Error::invalid_request(option, "a cluster has no manifest: give a backup"))
                }
                Tree::Cluster(cluster) => {
                    let location = counted(cluster.location());
                    cluster_certificate(&cluster.with_location(location), meter).await
                }
                Tree::Backup(backup) => {
                    backup.require(&vouch).await?;
                    own_certificate(&backup.read_by(counted), meter).await
                }
                Tree::Named { repository, name } => {
                    let backup = Backup::open_vouched(&counted(&repository), &name, &vouch).await?;
                    own_certificate(&backup, meter).await
                }
            }
        };
        let mut certificate = context.unless_cancelled(certify).await?;
        certificate.findings.extend(meter.found());
        Ok(certificate)
    }
}

request!(CertifyRequest => Certificate);

async fn location_certificate(
    location: &Location,
    options: &DiscoverOptions,
    vouch: &Vouch,
    meter: &dyn Meter,
) -> Result<Certificate> {
    let is_backup = || async { Ok::<_, Error>(location.head(&Key::parse(MANIFEST_KEY)?).await?.is_some()) };
    // Only a backup can be vouched for.
    if !vouch.is_needless() || is_backup().await? {
        return own_certificate(&Backup::at_vouched(location, vouch).await?, meter).await;
    }
    cluster_certificate(&discover::find(location, options).await?, meter).await
}

async fn cluster_certificate(cluster: &Cluster, meter: &dyn Meter) -> Result<Certificate> {
    let inventory = Inventory::list(cluster).await?;
    let listed: ObjectTable = inventory.into_entries().collect();
    let mut held = Held::listed(&listed);
    let description = cluster.description();
    let mut facts = Facts::default();
    gather(&mut facts, &facts::Tree::Location(cluster.location().clone()), description, &mut held, meter).await?;
    let cut = Cut::newest(description, &facts);
    let evidence = Evidence::new(description, &held, &facts, &cut, Provenance::None, AbsenceTolerance::Strict);
    Ok(judge(&evidence, Clause::ALL).certificate)
}

/// The certificate of a backup, with what there is to say about the backup as a whole.
async fn own_certificate(backup: &Backup, meter: &dyn Meter) -> Result<Certificate> {
    let mut certificate = backup_certificate(backup, backup.list_stored().await?, meter).await?;
    if certificate.violations().next().is_some() {
        backup.require_there().await?;
    }
    certificate.findings.extend(backup.rename());
    Ok(certificate)
}

/// The certificate of a backup, from a listing of what is stored for it.
pub(crate) async fn backup_certificate(
    backup: &Backup,
    stored: StoredObjects,
    meter: &dyn Meter,
) -> Result<Certificate> {
    let mut held = held_by(backup, stored)?;
    let cluster = &backup.manifest().cluster;
    let mut facts = Facts::default();
    gather(&mut facts, &facts::Tree::Backup(backup.clone()), cluster, &mut held, meter).await?;
    Ok(judge_backup(backup, &held, &facts, &Cut::newest(cluster, &facts)))
}

/// Judges a backup up to a cut.
fn judge_backup(backup: &Backup, held: &Held<'_>, facts: &Facts, cut: &Cut) -> Certificate {
    let manifest = backup.manifest();
    let keys = |is_so: &dyn Fn(Option<HeldObject>, &ObjectRecord) -> bool| -> Table<Key> {
        let mut held = held.reader();
        let so = backup.objects().filter(|record| is_so(held.get(record.key.as_str()), record));
        so.map(|record| record.key).collect()
    };
    let record = ManifestProvenance {
        certificate: &manifest.certificate,
        attested: &manifest.attested,
        absent: backup.absent_table(),
        lost: keys(&|held, _| held.is_none()),
        altered: keys(&|held, record| held.is_some_and(|held| held.size != record.content.size)),
    };
    let provenance = Provenance::Manifest(&record);
    let evidence = Evidence::new(&manifest.cluster, held, facts, cut, provenance, AbsenceTolerance::Lenient);
    judge(&evidence, Clause::ALL).certificate
}

/// The objects of a backup that are really there. One whose stored bytes have the length that the manifest says has the
/// size of its content; any other, that of what lies there.
fn held_by(backup: &Backup, stored: StoredObjects) -> Result<Held<'_>> {
    if let Some(record) = backup.objects().find(|record| record.key.below(OWN_DIRECTORY).is_some()) {
        let reason = format!("it lists `{}`, which is not an object of a cluster", record.key);
        return Err(Error::damaged(MANIFEST_KEY, reason).in_backup(backup.location()));
    }
    let mut stored = stored.reader();
    let mut held = Held::recorded(backup.contents().objects);
    held.but(backup.objects().filter_map(|record| {
        let size = stored.of(&record).map(|found| found.size);
        (size != Some(record.stored.size)).then_some(Change { key: record.key, size })
    }));
    Ok(held)
}
