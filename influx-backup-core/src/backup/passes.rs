//! The passes: list, plan, copy, list again, certify; until the certificate closes and the backup is as its records say.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::Instrument;

use super::{
    Rules,
    audit::audit,
    commit::Ready,
    history::PassHistory,
    index::Index,
    journal::JournalLine,
    pass::{Listed, Pass},
    prove::Proof,
    run::RunState,
    seen::Looking,
};
use crate::{
    cluster::Cluster,
    copier::Copier,
    error::{Error, Result},
    event::{EventKind, Phase},
    execute::Executor,
    finding::{Finding, FindingCode},
    inventory::{Inventory, Lister},
    job::RunContext,
    key::Key,
    lease::Lease,
    location::{Location, ObjectMeta},
    options::BackupOptions,
    plan::{BackupPlan, Reason},
    record::PassReport,
    signature::Signer,
    table::{Table, runs},
    units::duration::millis,
};

/// How often a backup may be found to differ from its records: what removes or replaces its objects more often will not
/// stop.
const MAX_REPAIRS: u32 = 5;

/// How many objects are deleted before they are written down as deleted.
const DELETED_AT_ONCE: usize = 1000;

/// What does not change while a backup runs.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) name: &'a str,
    pub(super) to: &'a Location,
    pub(super) options: &'a BackupOptions,
    pub(super) rules: &'a Rules,
    pub(super) copier: &'a Arc<dyn Copier>,
    pub(super) task: &'a RunContext,
    pub(super) lease: &'a Lease,
    pub(super) signer: Option<&'a Signer>,
}

impl Run<'_> {
    /// Does what may be dropped half-way, unless the caller cancels or another process takes over.
    pub(super) fn unless_ended<T>(&self, work: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        let done = self.lease.lost.run_until_cancelled(work);
        self.task.unless_cancelled(async { self.lease.outcome(done.await).await })
    }

    /// Makes passes until a backup is ready for its commit.
    pub(super) async fn passes(&self, mut cluster: Cluster, state: &mut RunState) -> Result<Ready> {
        let copier = Looking::new(Arc::clone(self.copier), cluster.description().clone(), state.seen.clone());
        let executor = Executor::of_job(Arc::new(copier), self.options.limits.clone(), self.task.clone())
            .with_on_unreadable(self.options.on_unreadable)
            .with_digest(self.options.digest);
        let lister = Lister::new(self.rules.listing_order.to_vec(), self.rules.roots);
        let mut history = PassHistory::new();
        self.task.events.set_phase(Phase::Listing);
        let mut next = lister.inventory(&cluster).await?;
        loop {
            let started = Instant::now();
            let mut listed = Listed { inventory: next, compactor_after: Vec::new() };
            let plan = self.plan(&cluster, &listed.inventory, &mut state.index, &mut history)?;
            self.to.require_room(plan.bytes())?;
            let objects = listed.inventory.objects();
            let span = tracing::info_span!("pass", pass = history.passes().saturating_add(1));
            let passed = async {
                let copied = self.pass(&executor, &cluster).copy(plan, &lister, &mut listed, state).await?;
                let (found, mut after) = self.look_again(&cluster, &lister).await?;
                after.settle_inodes(cluster.location(), &listed.inventory);
                after.share(&listed.inventory);
                self.task.events.set_phase(Phase::Checking);
                let proof = self.prove(&cluster, &found, &listed, &after, state, &history).await?;
                Ok::<_, Error>((copied, found, after, proof))
            };
            let (copied, found, after, proof) = passed.instrument(span).await?;
            let elapsed_ms = millis::of(started.elapsed());
            self.report(&proof, PassReport { listed: objects, elapsed_ms, ..copied }, &mut history);
            if let Some(verdict) = self.verdict(&proof, &history).transpose() {
                // Who took over changes what this run looks at: neither a commit nor what it found counts then.
                self.lease.check().await?;
                let manifest = match verdict {
                    Ok(status) => {
                        self.trim(&proof.trimmed, state).await?;
                        Ok(self.draft(&cluster, status, &listed, &proof, state).await?)
                    }
                    Err(error) => Err(error),
                };
                if self.rules.await_cut_off {
                    self.task.settled(self.lease).await?;
                }
                if self.is_as_recorded(state, &mut history).await? {
                    return Ok(Ready { manifest: manifest?, history });
                }
            }
            history.record(listed, proof);
            (cluster, next) = (found.keeping(&cluster), after);
        }
    }

    fn plan(
        &self,
        cluster: &Cluster,
        listed: &Inventory,
        index: &mut Index,
        history: &mut PassHistory,
    ) -> Result<BackupPlan> {
        let mut held = index.reader();
        let mut is_held = |entry: &ObjectMeta| held.holds(entry);
        let plan = BackupPlan::missing(cluster.description(), listed, self.options.derived, &mut is_held);
        let objects = plan.objects();
        let bytes = plan.bytes();
        self.task.events.planned(objects, bytes);
        let pass = history.passes().saturating_add(1);
        self.task.events.send(EventKind::PassStarted { pass, listed: listed.objects(), objects, bytes });
        history.skipped = plan.skipped.iter().filter(|left| left.reason != Reason::Held).cloned().collect();
        Ok(plan)
    }

    fn pass<'a>(&'a self, executor: &'a Executor, cluster: &'a Cluster) -> Pass<'a> {
        Pass {
            executor,
            cluster,
            to: self.to,
            options: self.options,
            rules: self.rules,
            lease: self.lease,
            events: &self.task.events,
        }
    }

    /// Discovers and lists again after the last copy: nodes may have come or gone.
    async fn look_again(&self, cluster: &Cluster, lister: &Lister) -> Result<(Cluster, Inventory)> {
        self.task.events.set_phase(Phase::Listing);
        let found = match cluster.rediscover().await {
            Err(Error::NoCluster { .. }) => cluster.clone().with_nodes(|_| false),
            Err(Error::UnknownId { kind: "node", id, .. }) => cluster.clone().with_nodes(|node| node.id != id),
            found => found?,
        };
        let after = lister.inventory(&found.clone().keeping(cluster)).await?;
        Ok((found, after))
    }

    fn report(&self, proof: &Proof, mut report: PassReport, history: &mut PassHistory) {
        report.failed_clauses = proof.certificate.violated_clauses();
        history.reports.push(report.clone());
        let events = &self.task.events;
        events.send(EventKind::PassFinished { pass: history.passes(), report });
        events.send(EventKind::Certified { certificate: Box::new(proof.certificate.clone()) });
        events.send(EventKind::Recovery { points: proof.certificate.recovery.clone() });
    }

    /// Deletes from the backup what is not part of its cut.
    async fn trim(&self, keys: &Table<Key>, state: &mut RunState) -> Result<()> {
        for keys in runs(keys, DELETED_AT_ONCE) {
            let mut index = state.index.reader();
            let mut written = |key: &Key| index.get(key).and_then(|record| record.stored.version.clone());
            let versions: Vec<_> = keys.iter().map(|key| (key.clone(), written(key))).collect();
            self.to.delete_versions(versions).await?;
            for key in keys {
                state.index.remove(key.clone());
                state.journal.add(JournalLine::Deleted(key.clone())).await?;
                self.task.events.send(EventKind::Deleted { key });
            }
        }
        state.journal.flush().await
    }

    /// Whether the backup's store has what the records say and nothing else. What no record names is deleted; what is not
    /// there as it was written is forgotten, and copied again by the next pass.
    async fn is_as_recorded(&self, state: &mut RunState, history: &mut PassHistory) -> Result<bool> {
        loop {
            let differences = audit(self.to, &mut state.index).await?;
            if differences.is_empty() {
                return Ok(true);
            }
            // They may be the work of a process that took over.
            self.lease.check().await?;
            history.repairs += 1;
            if history.repairs > MAX_REPAIRS {
                return Err(differences.into_error());
            }
            let message = format!("the backup is not as it was written: {}", differences.summary());
            self.task.events.report(Finding::new(FindingCode::BackupAltered, message));
            if let Some(report) = history.reports.last_mut() {
                report.altered += differences.altered.len() as u64;
                report.unrecorded += differences.unrecorded.len() as u64;
            }
            self.to.delete_versions(differences.to_delete()).await?;
            state.forget(&differences).await?;
            if !differences.altered.is_empty() {
                return Ok(false);
            }
        }
    }
}
