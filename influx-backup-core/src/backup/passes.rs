//! The passes: list, plan, copy, list again, certify; until the certificate closes. Then trim and commit.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use tokio::time::Instant;

use super::{
    BackupReport, Weakness,
    commit::{Commit, commit},
    pass::{BackupIndex, Listed, Pass},
    stability::{compare, compare_ids, compare_nodes, unlisted_nodes},
    timeline::Timeline,
    trim::trim,
    witness::{DbsListings, fences},
};
use crate::{
    certificate::Certificate,
    cluster::Cluster,
    copier::Copier,
    error::{Error, Result, StopReason},
    event::EventKind,
    execute::Executor,
    finding::{Finding, FindingCode},
    inventory::{Inventory, Lister},
    job::RunContext,
    judge::{
        At,
        evidence::{Cut, Evidence, HeldObject, Provenance, RunProvenance, Tree},
        finding, judge,
    },
    key::Key,
    layout::Mutability,
    lease::Lease,
    location::{Location, ObjectMeta},
    manifest::JournalLine,
    options::{BackupOptions, OnCorrupt, OnViolation},
    plan::{BackupPlan, Reason, Skipped},
    record::{AbsentRecord, Attested, BackupStatus, Fence, PassReport},
};

/// What does not change while a backup runs.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) name: &'a str,
    pub(super) to: &'a Location,
    pub(super) options: &'a BackupOptions,
    pub(super) copier: &'a Arc<dyn Copier>,
    pub(super) task: &'a RunContext,
    pub(super) claim: &'a Lease,
}

/// What a pass proved.
struct Proof {
    certificate: Certificate,
    /// All of them: a certificate keeps some.
    violations: Vec<Finding>,
    absent: Vec<AbsentRecord>,
    fences: Vec<Fence>,
    differences: BTreeMap<String, u64>,
    trimmed: Vec<Key>,
    /// Violations that no later pass can mend.
    broken: Vec<Finding>,
}

/// What passes leave to one another.
#[derive(Default)]
struct Past {
    reports: Vec<PassReport>,
    skipped: Vec<Skipped>,
    /// The inventory before the one that is copied now.
    before: Option<Inventory>,
    timeline: Timeline,
    /// What was violated after the pass before.
    violations: HashSet<Finding>,
}

impl Run<'_> {
    /// Does what may be dropped half-way, unless the caller cancels or another process takes over.
    pub(super) async fn unless_ended<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.task.cancellation.cancelled() => Err(self.task.cancelled()),
            () = self.claim.lost.cancelled() => Err(self.claim.loss().await),
            done = work => done,
        }
    }

    pub(super) async fn passes(&self, mut cluster: Cluster, index: &mut BackupIndex) -> Result<BackupReport> {
        let executor = Executor::new(Arc::clone(self.copier), self.options.limits.clone(), self.task.clone());
        let (began, mut lister, mut past) =
            (Instant::now(), Weakness::lister(&self.options.weaknesses), Past::default());
        let mut next = lister.inventory(&cluster).await?;
        loop {
            let started = Instant::now();
            let mut listed = Listed { inventory: next, compactor_after: Vec::new() };
            let plan = self.plan(&cluster, &listed, index, &mut past)?;
            self.to.require_room(plan.bytes())?;
            let pass = Pass { executor: &executor, cluster: &cluster, to: self.to, options: self.options, plan: &plan };
            pass.copy(&mut lister, &mut listed, index).await?;
            let (found, after) = self.look_again(&cluster, &mut lister).await?;
            let proof = self.prove(&cluster, &found, &listed, &after, index, &past).await?;
            self.report(&proof, started, index, &mut past);
            let verdict = self.verdict(&proof, &past, began);
            if !matches!(verdict, Ok(None)) {
                // Who took over changes what this run looks at: neither a commit nor what it found counts then.
                self.claim.check().await?;
            }
            if let Some(status) = verdict? {
                return self.finish(&cluster, status, listed, proof, index, past).await;
            }
            past.violations = proof.violations.into_iter().collect();
            past.timeline.saw(&listed.inventory);
            past.timeline.catalog = past.timeline.catalog.max(proof.certificate.catalog_sequence);
            past.timeline.broken.extend(proof.broken);
            past.before = Some(listed.inventory);
            (cluster, next) = (found.keeping(&cluster), after);
        }
    }

    fn plan(&self, cluster: &Cluster, listed: &Listed, index: &mut BackupIndex, past: &mut Past) -> Result<BackupPlan> {
        let held = |entry: &ObjectMeta| index.holds(entry);
        let mut plan = BackupPlan::missing(cluster, &listed.inventory, self.options.derived, &held);
        Weakness::forget_barriers(self.options, &mut plan);
        index.pass = PassReport { listed: listed.inventory.objects(), ..PassReport::default() };
        let pass = u32::try_from(past.reports.len()).unwrap_or(u32::MAX).saturating_add(1);
        let (listed, objects, bytes) = (index.pass.listed, plan.objects(), plan.bytes());
        self.task.events.planned(objects, bytes);
        self.task.events.send(EventKind::PassStarted { pass, listed, objects, bytes });
        past.skipped = plan.skipped.iter().filter(|left| left.reason != Reason::Held).cloned().collect();
        Ok(plan)
    }

    /// Discovers and lists again after the last copy: nodes may have come or gone.
    async fn look_again(&self, cluster: &Cluster, lister: &mut Lister) -> Result<(Cluster, Inventory)> {
        let found = match cluster.rediscover().await {
            Err(Error::NoCluster { .. }) => cluster.clone().with_nodes(|_| false),
            Err(Error::UnknownId { kind: "node", id, .. }) => cluster.clone().with_nodes(|node| node.id != id),
            found => found?,
        };
        let after = lister.inventory(&found.clone().keeping(cluster)).await?;
        Ok((found, after))
    }

    async fn prove(
        &self,
        cluster: &Cluster,
        found: &Cluster,
        listed: &Listed,
        after: &Inventory,
        index: &mut BackupIndex,
        past: &Past,
    ) -> Result<Proof> {
        let mut held = snapshot_of_index(index);
        index.facts.gather(Tree::Location(self.to), cluster, &held).await?;
        let cut = Cut::newest(cluster, &index.facts);
        let (differences, mut broken) = compare(cluster, &listed.inventory, after);
        broken.extend(compare_ids(cluster, found));
        let (mut unstable, unheld_nodes) = compare_nodes(cluster, found);
        unstable.extend(unlisted_nodes(cluster, &listed.inventory));
        unstable.extend(unheld_overwritten(cluster, listed, index));
        unstable.extend(past.timeline.broken.iter().chain(&broken).cloned());
        let listings = DbsListings::new(cluster, past.before.as_ref(), &listed.inventory);
        let lacking = Weakness::lacking(self.options, listings);
        let provenance = RunProvenance {
            listings: &listed.inventory.listings,
            compactor_after: &listed.compactor_after,
            lacking: &*lacking,
            fences: &[],
            unstable: &[],
            unheld_nodes: &unheld_nodes,
            catalog_before: past.timeline.catalog,
        };
        let absence_tolerance = self.options.absence_tolerance;
        let (fences, trimmed) = {
            let (facts, provenance) = (&index.facts, Provenance::Run(&provenance));
            let untrimmed = Evidence { cluster, held: &held, facts, cut: &cut, provenance, absence_tolerance };
            unstable.extend(past.timeline.regressions(&untrimmed, &listed.inventory));
            let fences = fences(cluster, &untrimmed, &listed.inventory).await?;
            let mut trimmed = trim(&untrimmed, &index.objects, listed);
            Weakness::keep(self.options, cluster, &mut trimmed);
            (fences, trimmed)
        };
        // The proof is about what the backup will hold: without what is trimmed.
        held.retain(|key, _| !trimmed.contains(key));
        index.facts.forget(&trimmed);
        let provenance = RunProvenance { fences: &fences, unstable: &unstable, ..provenance };
        let (facts, provenance) = (&index.facts, Provenance::Run(&provenance));
        let evidence = Evidence { cluster, held: &held, facts, cut: &cut, provenance, absence_tolerance };
        let (mut certificate, absent) = judge(&evidence);
        Weakness::look_away(self.options, &mut certificate);
        let violations = certificate.clauses.iter().flat_map(|result| result.violations.iter().cloned()).collect();
        let certificate = certificate.abridged();
        let trimmed = trimmed.into_iter().collect();
        Ok(Proof { certificate, violations, absent, fences, differences, trimmed, broken })
    }

    fn report(&self, proof: &Proof, started: Instant, index: &BackupIndex, past: &mut Past) {
        let mut report = index.pass.clone();
        report.millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        report.open_clauses = proof.certificate.open().into_iter().map(|clause| clause.code().to_owned()).collect();
        past.reports.push(report.clone());
        let pass = u32::try_from(past.reports.len()).unwrap_or(u32::MAX);
        let events = &self.task.events;
        events.send(EventKind::PassFinished { pass, report });
        events.send(EventKind::Certified { certificate: Box::new(proof.certificate.clone()) });
        events.send(EventKind::Recovery { points: proof.certificate.recovery.clone() });
    }

    /// Whether to commit, and as what; `None`: another pass.
    fn verdict(&self, proof: &Proof, past: &Past, began: Instant) -> Result<Option<BackupStatus>> {
        let certificate = &proof.certificate;
        if certificate.holds() {
            return Ok(Some(BackupStatus::Complete));
        }
        let passes = u32::try_from(past.reports.len()).unwrap_or(u32::MAX);
        // A source where nothing moves looks the same in every further pass. Two idle ones are needed: that a file of an
        // Enterprise cluster is absent takes the listing before the one that is copied.
        let idle = past.reports.iter().rev().take_while(|pass| pass.copied + pass.vanished + pass.changed == 0).count();
        let stuck = proof.differences.is_empty()
            && idle >= 2
            && proof.violations.iter().all(|violation| past.violations.contains(violation));
        let last =
            stuck || passes >= self.options.passes.max_passes || began.elapsed() >= self.options.passes.time_limit;
        let quiet = proof.differences.is_empty();
        let is_damage = |violation: &&Finding| {
            let settled = || last || (quiet && past.violations.contains(*violation));
            violation.code.is_source_damage() && (!violation.code.needs_second_look() || settled())
        };
        match self.options.on_corrupt {
            OnCorrupt::Fail => {
                let damage = proof.violations.iter().find(is_damage);
                if let Some((violation, key)) = damage.and_then(|violation| Some((violation, violation.key.clone()?))) {
                    return Err(Error::CorruptSource { key, finding: Box::new(violation.clone()) });
                }
            }
            OnCorrupt::Record if proof.violations.iter().all(|found| is_damage(&found)) => {
                return Ok(Some(BackupStatus::Degraded));
            }
            OnCorrupt::Record => {}
        }
        if !last {
            return Ok(None);
        }
        match self.options.on_violation {
            OnViolation::Degrade => Ok(Some(BackupStatus::Degraded)),
            OnViolation::Fail => {
                let halt = if stuck { StopReason::NoProgress } else { StopReason::LimitReached };
                Err(Error::NotConsistent { passes, halt, certificate: Box::new(certificate.clone()) })
            }
        }
    }

    /// Trims the backup to one cut and commits it.
    async fn finish(
        &self,
        cluster: &Cluster,
        status: BackupStatus,
        listed: Listed,
        proof: Proof,
        index: &mut BackupIndex,
        past: Past,
    ) -> Result<BackupReport> {
        self.to.delete_all(&proof.trimmed).await?;
        for key in &proof.trimmed {
            index.objects.remove(key);
            index.journal.add(JournalLine::Deleted(key.clone())).await?;
            self.task.events.send(EventKind::Deleted { key: key.clone() });
        }
        index.journal.flush().await?;
        let attested = Attested {
            fences: proof.fences,
            differences: proof.differences,
            listings: listed.inventory.listings.iter().map(Into::into).collect(),
        };
        let committed = commit(Commit {
            name: self.name,
            to: self.to,
            cluster,
            status,
            claim: self.claim,
            objects: &index.objects,
            absent: &proof.absent,
            certificate: proof.certificate,
            passes: past.reports,
            skipped: past.skipped,
            attested,
            durability: self.options.limits.durability,
        })
        .await?;
        self.task.events.send(EventKind::Committed { name: self.name.to_owned() });
        Ok(committed)
    }
}

fn snapshot_of_index(index: &BackupIndex) -> BTreeMap<Key, HeldObject> {
    let held = |record: &crate::record::ObjectRecord| HeldObject {
        size: record.size,
        version: record.version.clone(),
        checked_by: Some(record.checked_by),
    };
    index.objects.iter().map(|(key, record)| (key.clone(), held(record))).collect()
}

/// What servers overwrite is held in exactly the version listed; C8 looks after the compactor's files.
fn unheld_overwritten(cluster: &Cluster, listed: &Listed, index: &BackupIndex) -> Vec<Finding> {
    let unheld = listed.inventory.entries().filter_map(|entry| {
        let object = cluster.classify(&entry.key)?;
        let kind = object.kind();
        let exact = kind.mutability() == Mutability::Overwritten && !kind.is_derived() && !kind.is_compactor();
        let message = || format!("`{}` was listed and is not held in that version", entry.key);
        (exact && !index.holds(entry))
            .then(|| finding(At::object(object.node, &entry.key), FindingCode::ListedNotHeld, message()))
    });
    unheld.collect()
}
