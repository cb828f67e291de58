//! [`certify`]: makes the certificate of a tree.

use std::collections::BTreeMap;

use super::{
    Basis, Certificate, Clause, ClauseResult, Verdict, attested, catalog, checkpoints, closure,
    evidence::{Cut, Evidence, Facts, Held, RecordWitness, Tree, Witness},
    judgement::Judgement,
    manifests, recovery, write_ahead,
};
use crate::{
    backup::MissingParquet,
    discover::{Cluster, Discover, discover},
    error::Result,
    key::Key,
    location::{Links, Location},
    manifest::{AbsentRecord, Backup, OWN_DIRECTORY, ObjectRecord, read_manifest},
};

/// Makes the certificate of any tree: a backup of ours, a directory that a script copied, or a stopped store.
///
/// C1 to C5 and the contents of C8 are recomputed from the tree's own bytes. C6, C7, C9 and the order of the listings
/// are what the run that took the backup recorded; without such a record they are said to be not attested.
///
/// # Errors
/// As for [`discover`], and [`Error::Store`](crate::Error::Store). What is wrong with the tree is in the certificate.
pub async fn certify(location: &Location, what: &Discover) -> Result<Certificate> {
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
    let held = |entry: &crate::location::Entry| {
        (entry.key.clone(), Held { size: entry.size, version: entry.version.clone(), checked_by: None })
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
        witness: Witness::Nobody,
        missing_parquet: MissingParquet::Refuse,
    };
    Ok(judge(&evidence).0.abridged())
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
    let record = RecordWitness {
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
        witness: Witness::Record(&record),
        missing_parquet: MissingParquet::Accept,
    };
    Ok(judge(&evidence).0.abridged())
}

/// The objects of a backup that are really there, with the sizes that they really have.
async fn held_by(backup: &Backup) -> Result<BTreeMap<Key, Held>> {
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
        held.insert(record.key.clone(), Held { size, version: record.version.clone(), checked_by });
    }
    debug_assert!(held.keys().all(|key| key.below(OWN_DIRECTORY).is_none()));
    Ok(held)
}

/// The proof: pure over the evidence. It has every violation, however many.
pub(crate) fn judge(evidence: &Evidence<'_>) -> (Certificate, Vec<AbsentRecord>) {
    let (closure, absent) = closure::judge(evidence);
    let (catalog, catalog_sequence) = catalog::judge(evidence);
    let (bytes, checked_by) = attested::bytes(evidence);
    let judgements = [
        (Clause::Closure, closure),
        (Clause::Manifests, manifests::judge(evidence)),
        (Clause::Wal, write_ahead::judge(evidence)),
        (Clause::Catalog, catalog),
        (Clause::Checkpoints, checkpoints::judge(evidence)),
        (Clause::Bytes, bytes),
        (Clause::Stability, attested::stability(evidence)),
        (Clause::Compactor, attested::compactor(evidence)),
        (Clause::Nodes, attested::nodes(evidence)),
    ];
    let (mut clauses, mut findings) = (Vec::new(), Vec::new());
    for (clause, mut judgement) in judgements {
        findings.append(&mut judgement.findings);
        let mut result = result(clause, judgement);
        if let Witness::Record(record) = evidence.witness {
            keep(&mut result, &record.manifest.certificate);
        }
        clauses.push(result);
    }
    let certificate = Certificate {
        clauses,
        recovery: recovery::points(evidence),
        absent: closure::by_table(&absent),
        findings,
        checked_by,
        catalog_sequence,
        orphans: closure::orphans(evidence),
    };
    (certificate, absent)
}

/// What the run itself found stays found: much of it nobody can see in the backup alone.
fn keep(result: &mut ClauseResult, recorded: &Certificate) {
    let Some(recorded) = recorded.clauses.iter().find(|recorded| recorded.clause == result.clause) else { return };
    let known = result.violations.len();
    for violation in &recorded.violations {
        if !result.violations[..known].contains(violation) {
            result.violations.push(violation.clone());
            result.violated += 1;
        }
    }
    result.violated = result.violated.max(recorded.violated);
    if result.violated > 0 {
        result.verdict = Verdict::Violated;
    }
}

fn result(clause: Clause, judgement: Judgement) -> ClauseResult {
    let violated = judgement.violations.len() as u64;
    let verdict = match (violated, judgement.not_attested) {
        (0, false) => Verdict::Holds,
        (0, true) => Verdict::NotAttested,
        _ => Verdict::Violated,
    };
    let basis = match clause {
        Clause::Bytes | Clause::Stability | Clause::Nodes => Basis::Attested,
        _ => Basis::Recomputed,
    };
    ClauseResult { clause, verdict, basis, violations: judgement.violations, violated }
}
