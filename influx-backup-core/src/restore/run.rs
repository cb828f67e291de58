//! [`restore`]: the run, step by step.

use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use super::{
    Changes, Orchestrator, Phase, Policy, RestoreReport, Stopped, Target,
    apply::Applied,
    copies::{Checked, WithAttributes, copy_elsewhere},
    guard,
    journal::{Finished, OldRoot, RestoreJournal},
    preflight::{self, Source, find},
    servers, verify,
};
use crate::{
    discover::Note,
    error::{Error, Result},
    execute::{Executor, make_durable},
    key::Key,
    location::{Links, Location},
    manifest::{ObjectRecord, segment},
    observe::{ByteSize, Event, Job, Task, spawn},
    plan::{Bound, RestorePlan, RootAction, Stage},
};

/// How many objects are deleted at once.
const DELETIONS_AT_ONCE: usize = 16;

/// A restore about to start.
#[derive(Debug)]
pub struct Restore {
    plan: RestorePlan,
    orchestrator: Option<Arc<dyn Orchestrator>>,
}

/// A restore of a plan, to be [started](Restore::start).
#[must_use]
pub fn restore(plan: RestorePlan) -> Restore {
    Restore { plan, orchestrator: None }
}

impl Restore {
    /// Stops the servers before it and starts them after it through this orchestrator.
    #[must_use]
    pub fn with_orchestrator(mut self, orchestrator: Arc<dyn Orchestrator>) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// Starts it on the caller's tokio runtime.
    ///
    /// The job fails as [`RestorePlan::new`] does, and with [`Error::ServersNotStopped`], [`Error::Orchestrator`],
    /// [`Error::DamagedBackup`], [`Error::NoSpace`], [`Error::Ownership`], [`Error::Store`], [`Error::Copy`],
    /// [`Error::VerifyFailed`], [`Error::ServerRunning`], [`Error::Cancelled`]. Once the boot guard stands, it stays
    /// until the restore is resumed or abandoned; before, nothing was changed and the servers are started again.
    #[must_use]
    pub fn start(self) -> Job<RestoreReport> {
        spawn(|task| async move { run(self, task).await })
    }
}

async fn run(restore: Restore, task: Task) -> Result<RestoreReport> {
    let bound = restore.plan.bound()?;
    crate::preflight::source(bound.backup.location()).await?;
    let (target, plan) = plan_anew(&bound).await?;
    require_stopped(&target, &plan, &bound, restore.orchestrator.is_some())?;
    let source = preflight::backup(&bound.backup, &bound.options).await?;
    let applied = Applied::at(&bound.target, &bound.options.ownership)?;
    check_target(&bound, &plan, &source, &target, &applied).await?;
    crate::preflight::target(&bound.target).await?;
    let mut run = Run { bound, plan, target, source, applied, task, orchestrator: restore.orchestrator };
    if run.releasing() {
        return run.finish().await;
    }
    let guarded = match run.stop_servers().await {
        Ok(()) => run.set_guard().await,
        Err(error) => Err(error),
    };
    match guarded {
        Ok(journal) => run.behind_guard(journal).await,
        Err(error) => {
            run.start_again().await;
            Err(error)
        }
    }
}

/// The same plan for the target as it is now.
async fn plan_anew(bound: &Bound) -> Result<(Target, RestorePlan)> {
    let target = Target::inspect(&bound.target).await?;
    let plan = RestorePlan::new(&bound.backup, &target, &bound.options)?;
    Ok((target, plan))
}

async fn check_target(
    bound: &Bound,
    plan: &RestorePlan,
    source: &Source,
    target: &Target,
    applied: &Applied,
) -> Result<()> {
    preflight::same_cluster(&bound.backup, plan, source, target, &bound.options)?;
    preflight::room_and_rights(plan, target, applied).await
}

/// A target with data needs somebody who says that its servers are stopped. Behind the guard of a restore that began on
/// an empty target, none can run.
fn require_stopped(target: &Target, plan: &RestorePlan, bound: &Bound, orchestrated: bool) -> Result<()> {
    let began_empty = plan.resumes.is_some() && plan.policy == Policy::Empty;
    let said = orchestrated || bound.options.servers != Stopped::Unknown;
    if said || began_empty || target.prefixes.is_empty() {
        return Ok(());
    }
    Err(Error::ServersNotStopped { location: target.location.clone() })
}

struct Run {
    bound: Bound,
    plan: RestorePlan,
    target: Target,
    source: Source,
    applied: Applied,
    task: Task,
    orchestrator: Option<Arc<dyn Orchestrator>>,
}

impl Run {
    fn place(&self) -> Location {
        self.bound.target.with_links(Links::Refuse)
    }

    fn releasing(&self) -> bool {
        self.target.unfinished.as_ref().is_some_and(|begun| begun.phase == Phase::Releasing)
    }

    fn check_cancelled(&self) -> Result<()> {
        if self.task.cancellation.is_cancelled() {
            let (done, total) = self.task.events.done_of();
            return Err(Error::Cancelled { done, total });
        }
        Ok(())
    }

    /// Stops every node, and plans once more: servers that stop write.
    async fn stop_servers(&mut self) -> Result<()> {
        self.check_cancelled()?;
        let Some(orchestrator) = &self.orchestrator else { return Ok(()) };
        servers::stop(orchestrator, &self.plan.stop, &self.task).await?;
        (self.target, self.plan) = plan_anew(&self.bound).await?;
        check_target(&self.bound, &self.plan, &self.source, &self.target, &self.applied).await
    }

    /// Nothing was changed: the servers run again as before. What fails here is said, and does not hide the first error.
    async fn start_again(&self) {
        let Some(orchestrator) = &self.orchestrator else { return };
        let begun = RestoreJournal::read(&self.place()).await;
        if !matches!(begun, Ok(None)) {
            self.say(&Note::new(
                "boot-guard",
                "the boot guard may stand: resume or abandon the restore, then start the servers",
            ));
            return;
        }
        if let Err(error) = servers::start(orchestrator, &self.plan.start, &self.task).await {
            self.say(&Note::new("servers-stopped", format!("servers could not be started again: {error}")));
        }
    }

    fn say(&self, todo: &Note) {
        self.task.events.send(Event::Todo { code: todo.code.clone(), message: todo.message.clone() });
    }

    /// The journal first, then the guard at every root path.
    async fn set_guard(&mut self) -> Result<RestoreJournal> {
        self.check_cancelled()?;
        let place = self.place();
        let mut journal = match RestoreJournal::read(&place).await? {
            Some(journal) if self.plan.resumes.as_ref() == Some(&journal.restore) => journal,
            Some(journal) => {
                return Err(Error::RestoreUnfinished { location: place.to_string(), backup: journal.backup });
            }
            None => self.begin(&place).await?,
        };
        // A resumed restore may find owners of roots that the first run did not live to guard.
        let missing: Vec<Key> = self.plan.guards.iter().filter(|key| !journal.guards.contains(key)).cloned().collect();
        if !missing.is_empty() {
            journal.old_roots.extend(old_roots(&place, &missing).await?);
            journal.guards.extend(missing);
            journal.update(&place).await?;
        }
        for key in &journal.guards {
            place.put(key, guard::bytes(&journal.restore, &journal.backup)).await?;
        }
        self.task.events.send(Event::GuardSet);
        Ok(journal)
    }

    async fn begin(&self, place: &Location) -> Result<RestoreJournal> {
        let (backup, plan) = (&self.bound.backup, &self.plan);
        let extra_nodes = self.bound.options.extra_nodes;
        let mut journal = RestoreJournal::new(backup.name(), backup.sha256(), plan.policy, extra_nodes);
        journal.guards.clone_from(&plan.guards);
        journal.old_roots = old_roots(place, &plan.guards).await?;
        let keys = plan.stages.iter().flat_map(Stage::keys);
        let created: Vec<Key> = keys.filter(|key| find(&self.target.entries, key).is_none()).cloned().collect();
        journal.created = segment::write(place, &journal.created_list(), created).await?;
        journal.create(place).await?;
        Ok(journal)
    }

    async fn behind_guard(self, mut journal: RestoreJournal) -> Result<RestoreReport> {
        let place = self.place();
        self.announce();
        let resumed = self.copy(&place, &mut journal).await?;
        let deleted = self.delete(&place, &mut journal).await?;
        self.applied.to_all(&place, self.files(&journal)).await?;
        make_durable(&place, self.bound.options.limits.durability).await?;
        self.verify(&place, &journal).await?;
        self.check_cancelled()?;
        journal.phase = Phase::Releasing;
        journal.update(&place).await?;
        let mut report = self.release(&place, &journal).await?;
        report.resumed = resumed;
        report.deleted = deleted;
        Ok(report)
    }

    /// The end of a restore whose release was interrupted.
    async fn finish(self) -> Result<RestoreReport> {
        let place = self.place();
        let journal = RestoreJournal::read(&place).await?;
        let journal = journal.ok_or_else(|| Error::NoRestore { location: place.to_string() })?;
        let mut report = self.release(&place, &journal).await?;
        report.resumed = self.bound.backup.objects().len() as u64;
        Ok(report)
    }

    fn announce(&self) {
        self.task.events.planned(self.plan.stages.iter().map(Stage::objects).sum(), self.plan.bytes());
        self.plan.todos.iter().for_each(|todo| self.say(todo));
        for finding in &self.plan.findings {
            let (code, message) = (finding.code.clone(), finding.message.clone());
            self.task.events.send(Event::Finding { code, message });
        }
    }

    /// Runs the stages, each to its barrier. Says how many objects an earlier run had finished.
    async fn copy(&self, place: &Location, journal: &mut RestoreJournal) -> Result<u64> {
        let (options, backup) = (&self.bound.options, &self.bound.backup);
        let (finished, held) = Finished::open(journal, place, options.limits.durability).await?;
        let ours = created(place, journal).await?;
        let copier = Arc::new(WithAttributes::new(Arc::clone(&options.copier), backup));
        let executor = Executor::new(copier, options.limits.clone(), self.task.clone());
        let mut ledger = Checked::new(backup, finished);
        let mut resumed = 0;
        for stage in &self.plan.stages {
            let overwrites = |key: &Key| find(&self.target.entries, key).is_some() && !ours.contains(key);
            if stage.keys().any(overwrites) {
                begin_changes(place, journal).await?;
            }
            let mut plain = Stage { tasks: Vec::new(), ..stage.clone() };
            let mut elsewhere = Vec::new();
            for copy in &stage.tasks {
                let at_target = find(&self.target.entries, &copy.source.key);
                if held.contains(&copy.source.key) && at_target.is_some_and(|entry| entry.size == copy.source.size) {
                    resumed += 1;
                    self.task.events.finished();
                    continue;
                }
                let record = record(backup.objects(), &copy.source.key)?;
                match self.source.plain(record) {
                    Some(entry) => {
                        let mut copy = copy.clone();
                        copy.source.version = entry.version.clone();
                        plain.tasks.push(copy);
                    }
                    None => elsewhere.push(record),
                }
            }
            let copied = executor.stage(&plain, backup.location(), place, &mut ledger).await;
            let copied = match copied {
                Ok(()) => copy_elsewhere(backup, place, &elsewhere, &self.task).await,
                Err(error) => Err(error),
            };
            // What is finished is written down even where the stage failed; the first error is the one to say.
            let written = ledger.flush().await;
            copied.and(written)?;
        }
        Ok(resumed)
    }

    async fn delete(&self, place: &Location, journal: &mut RestoreJournal) -> Result<u64> {
        let deletions = self.plan.deletions();
        if deletions.is_empty() {
            return Ok(0);
        }
        self.check_cancelled()?;
        begin_changes(place, journal).await?;
        let deletes: Vec<_> = deletions.iter().map(|key| self.delete_one(place, key).boxed()).collect();
        stream::iter(deletes).buffer_unordered(DELETIONS_AT_ONCE).try_collect::<()>().await?;
        Ok(deletions.len() as u64)
    }

    async fn delete_one(&self, place: &Location, key: &Key) -> Result<()> {
        self.check_cancelled()?;
        place.delete(key).await?;
        self.task.events.send(Event::Deleted { key: key.clone() });
        Ok(())
    }

    /// Everything restored so far, with its time in the source.
    fn files(&self, journal: &RestoreJournal) -> Vec<(Key, Option<SystemTime>)> {
        let copied = self.plan.stages.iter().flat_map(|stage| &stage.tasks);
        let copied = copied.map(|copy| (copy.source.key.clone(), Some(copy.source.version.modified.into())));
        copied.chain(journal.guards.iter().map(|key| (key.clone(), None))).collect()
    }

    async fn verify(&self, place: &Location, journal: &RestoreJournal) -> Result<()> {
        let now = place.list_parallel("").await?;
        verify::check(&self.plan, &self.bound.backup.manifest().cluster, &self.target, &now)?;
        for key in &journal.guards {
            let found = place.get(key, None).await?.unwrap_or_default();
            if guard::restore_of(&found).as_ref() != Some(&journal.restore) {
                return Err(Error::ServerRunning { location: place.to_string(), key: key.clone() });
            }
        }
        Ok(())
    }

    /// The roots take the place of the guard, the journal goes, the servers start.
    async fn release(&self, place: &Location, journal: &RestoreJournal) -> Result<RestoreReport> {
        for step in &self.plan.release {
            match (step.action, self.source.roots.get(&step.key)) {
                (RootAction::Put, Some(root)) => {
                    let record = record(self.bound.backup.objects(), &step.key)?;
                    guard::replace(place, &step.key, &journal.restore, root.clone(), &record.attributes).await?;
                    let file = (step.key.clone(), Some(record.version.modified.into()));
                    self.applied.to_all(place, vec![file]).await?;
                }
                _ => guard::remove(place, &step.key, &journal.restore).await?,
            }
        }
        make_durable(place, self.bound.options.limits.durability).await?;
        journal.delete(place).await?;
        self.task.events.send(Event::GuardReleased);
        let mut report = self.report(journal);
        self.task.events.send(Event::Recovery { points: report.recovery.clone() });
        if let Some(orchestrator) = &self.orchestrator {
            report.started = servers::start(orchestrator, &self.plan.start, &self.task).await?;
        }
        Ok(report)
    }

    fn report(&self, journal: &RestoreJournal) -> RestoreReport {
        let (plan, backup) = (&self.plan, &self.bound.backup);
        let restored = backup.objects().iter().filter(|record| !plan.licences_left_out().contains(&record.key));
        let (objects, bytes) = restored.fold((0, 0), |(objects, bytes), record| (objects + 1, bytes + record.size));
        RestoreReport {
            restore: journal.restore.clone(),
            backup: plan.backup.clone(),
            manifest_sha256: plan.manifest_sha256.clone(),
            cluster: plan.cluster.clone(),
            target: plan.target.clone(),
            objects,
            bytes: ByteSize(bytes),
            resumed: 0,
            deleted: 0,
            kept: plan.kept.clone(),
            licences_left_out: plan.licences_left_out().to_vec(),
            servers: plan.servers.clone(),
            recovery: backup.manifest().certificate.recovery.clone(),
            todos: plan.todos.clone(),
            findings: plan.findings.clone(),
            started: Vec::new(),
        }
    }
}

async fn old_roots(place: &Location, keys: &[Key]) -> Result<Vec<OldRoot>> {
    let mut roots = Vec::new();
    for key in keys {
        if let Some(bytes) = place.get(key, None).await? {
            roots.push(OldRoot { key: key.clone(), bytes: bytes.to_vec() });
        }
    }
    Ok(roots)
}

/// The keys that the target lacked when the restore began.
async fn created(place: &Location, journal: &RestoreJournal) -> Result<BTreeSet<Key>> {
    let mut keys = BTreeSet::new();
    for reference in &journal.created {
        keys.extend(segment::read::<Key>(place, reference).await?);
    }
    Ok(keys)
}

/// From here on the restore cannot be abandoned: written down before it is so.
async fn begin_changes(place: &Location, journal: &mut RestoreJournal) -> Result<()> {
    if journal.changes == Changes::Begun {
        return Ok(());
    }
    journal.changes = Changes::Begun;
    journal.update(place).await
}

fn record<'a>(objects: &'a [ObjectRecord], key: &Key) -> Result<&'a ObjectRecord> {
    let at = objects.binary_search_by(|record| record.key.cmp(key));
    at.map(|at| &objects[at]).map_err(|_| Error::DamagedBackup {
        object: key.to_string(),
        reason: "the manifest does not name it".to_owned(),
    })
}
