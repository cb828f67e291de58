//! [`restore`]: the run, step by step.

mod guard;
mod release;
mod stages;

use std::{sync::Arc, time::SystemTime};

use super::{
    Phase, RestoreReport, Target,
    apply::Applied,
    directories,
    guard::restore_of,
    journal::RestoreJournal,
    lease::{self, Residue},
    preflight::{self, Source},
    verify,
};
use crate::{
    cluster::{Node, Note},
    copier::{Copier, default_copiers},
    error::{Error, Result},
    event::Event,
    execute::make_durable,
    job::{Job, RunContext, spawn},
    key::Key,
    lease::{Clock, Lease},
    location::{Links, Location},
    options::{Policy, ServersStopped},
    orchestrate::{Orchestrator, start_all, stop_all},
    plan::{Bound, RECENTLY_WRITTEN, RestorePlan, Stage},
    record::ObjectRecord,
};

/// A restore about to start.
#[derive(Debug)]
pub struct Restore {
    plan: RestorePlan,
    copier: Arc<dyn Copier>,
    orchestrator: Option<Arc<dyn Orchestrator>>,
}

/// A restore of a plan, to be [started](Restore::start).
#[must_use]
pub fn restore(plan: RestorePlan) -> Restore {
    Restore { plan, copier: default_copiers(), orchestrator: None }
}

impl Restore {
    /// Moves the objects with this copier, or with a chain of them ([`Copiers`](crate::copier::Copiers)).
    #[must_use]
    pub fn with_copier(mut self, copier: Arc<dyn Copier>) -> Self {
        self.copier = copier;
        self
    }

    /// Stops the servers before it and starts them after it through this orchestrator. It takes precedence over
    /// [`RestoreOptions::servers`](crate::RestoreOptions).
    #[must_use]
    pub fn with_orchestrator(mut self, orchestrator: Arc<dyn Orchestrator>) -> Self {
        self.orchestrator = Some(orchestrator);
        self
    }

    /// Starts it on the caller's tokio runtime.
    ///
    /// The job fails as [`RestorePlan::new`] does, and with [`Error::ServersNotStopped`], [`Error::Orchestrator`],
    /// [`Error::DamagedBackup`], [`Error::NoSpace`], [`Error::Ownership`], [`Error::Store`], [`Error::Copy`],
    /// [`Error::VerifyFailed`], [`Error::ServerRunning`], [`Error::ClaimLost`], [`Error::Cancelled`]. Once the boot guard stands, it stays
    /// until the restore is resumed or abandoned; before, nothing was changed and the servers are started again.
    #[must_use]
    pub fn start(self) -> Job<RestoreReport> {
        spawn(|task| async move { run(self, task).await })
    }
}

async fn run(restore: Restore, task: RunContext) -> Result<RestoreReport> {
    let Restore { plan, copier, orchestrator } = restore;
    let bound = plan.bound()?;
    let ready = task.unless_cancelled(prepare(&bound, orchestrator.is_some(), &task)).await?;
    let place = bound.target.with_links(Links::Refuse);
    let claim = lease::claim(&place, &ready.plan.cluster, bound.options.takeover, ready.clock).await?;
    let Ready { plan, target, source, applied, made, clock: _ } = ready;
    let stopped = Vec::new();
    let mut run = Run { bound, place, claim, plan, target, source, applied, made, task, copier, orchestrator, stopped };
    let lost = run.claim.lost.clone();
    let done = match lost.run_until_cancelled(run.restored()).await {
        Some(done) => done,
        None => Err(run.claim.loss().await),
    };
    match done {
        Ok(report) => run.start_servers(report).await,
        Err(error) => {
            run.fail(&error).await;
            Err(error)
        }
    }
}

/// What is known before the first write.
struct Ready {
    plan: RestorePlan,
    target: Target,
    source: Source,
    applied: Applied,
    made: Vec<String>,
    clock: Clock,
}

/// Looks at backup and target, and refuses what cannot work, before anything is written but a probe.
async fn prepare(bound: &Bound, orchestrated: bool, task: &RunContext) -> Result<Ready> {
    crate::preflight::source(bound.backup.location()).await?;
    let target = Target::inspect(&bound.target).await?;
    let plan = plan_for(&target, bound, orchestrated)?;
    let source = preflight::backup(&bound.backup, bound.options.check, &plan, &target, &task.events).await?;
    let applied = Applied::at(&bound.target, &bound.options.ownership)?;
    let made = directories::missing_target(&bound.target);
    check_target(bound, &plan, &source, &target)?;
    let clock = lease::probe(&bound.target).await?;
    Ok(Ready { plan, target, source, applied, made, clock })
}

/// The same plan for the target as it is found.
fn plan_for(target: &Target, bound: &Bound, orchestrated: bool) -> Result<RestorePlan> {
    let plan = RestorePlan::new(&bound.backup, target, &bound.options)?;
    require_stopped(target, &plan, bound, orchestrated).map(|()| plan)
}

fn check_target(bound: &Bound, plan: &RestorePlan, source: &Source, target: &Target) -> Result<()> {
    preflight::same_cluster(&bound.backup, plan, source, target, &bound.options)?;
    preflight::room(plan, target)
}

/// A target with data needs somebody who says that its servers are stopped. Behind the guard of a restore that began on
/// an empty target, none can run.
fn require_stopped(target: &Target, plan: &RestorePlan, bound: &Bound, orchestrated: bool) -> Result<()> {
    let began_empty = plan.resumes.is_some() && plan.policy == Policy::Empty;
    let said = orchestrated || bound.options.servers != ServersStopped::NotConfirmed;
    if said || began_empty || target.prefixes.is_empty() {
        return Ok(());
    }
    Err(Error::ServersNotStopped { location: target.location.clone() })
}

struct Run {
    bound: Bound,
    /// The target. Links inside it are refused.
    place: Location,
    claim: Lease,
    plan: RestorePlan,
    target: Target,
    source: Source,
    applied: Applied,
    /// The target's own directory, where this run made it.
    made: Vec<String>,
    task: RunContext,
    copier: Arc<dyn Copier>,
    orchestrator: Option<Arc<dyn Orchestrator>>,
    /// The nodes that were asked to stop, the last one first.
    stopped: Vec<Node>,
}

impl Run {
    fn releasing(&self) -> bool {
        self.target.unfinished.as_ref().is_some_and(|begun| begun.phase == Phase::Releasing)
    }

    /// Everything but the servers' start: when it is done, nothing of ours is left at the target.
    async fn restored(&mut self) -> Result<RestoreReport> {
        if !self.releasing() {
            self.stop_servers().await?;
        }
        self.plan_behind_claim().await?;
        if self.releasing() { self.finish().await } else { self.behind_guard().await }
    }

    async fn stop_servers(&mut self) -> Result<()> {
        preflight::rights(&self.place, &self.applied).await?;
        let Some(orchestrator) = &self.orchestrator else { return Ok(()) };
        let stopped = &mut self.stopped;
        stop_all(orchestrator, &self.plan.stop, &self.task, |node| stopped.insert(0, node.clone())).await?;
        Ok(())
    }

    /// Plans once more: servers that stop write, and until the claim stood another restore may have.
    async fn plan_behind_claim(&mut self) -> Result<()> {
        let anew = async {
            let mut target = Target::inspect(&self.bound.target).await?;
            // That is this run itself.
            target.holder = None;
            let plan = plan_for(&target, &self.bound, self.orchestrator.is_some())?;
            check_target(&self.bound, &plan, &self.source, &target).map(|()| (target, plan))
        };
        (self.target, self.plan) = self.task.unless_cancelled(anew).await?;
        if !self.stopped.is_empty() {
            // A server that was asked to stop has just written its last.
            self.plan.findings.retain(|finding| finding.code != RECENTLY_WRITTEN);
        }
        Ok(())
    }

    /// Starts the servers of a restored target.
    async fn start_servers(&self, mut report: RestoreReport) -> Result<RestoreReport> {
        if let Some(orchestrator) = &self.orchestrator {
            report.started = start_all(orchestrator, &self.plan.start, &self.task).await?;
        }
        Ok(report)
    }

    /// Ends the claim. Where nothing was changed, the servers run again as before. What fails here is said, and does not
    /// hide the first error.
    async fn fail(self, error: &Error) {
        if matches!(error, Error::ClaimLost { .. }) {
            // The target is another's now.
            return;
        }
        let residue = lease::residue(&self.place).await;
        match (&self.orchestrator, residue) {
            (Some(orchestrator), Residue::None) => {
                if let Err(error) = start_all(orchestrator, &self.stopped, &self.task).await {
                    self.say(&Note::new("servers-stopped", format!("servers could not be started again: {error}")));
                }
            }
            (Some(_), Residue::Journal) => self.say(&Note::new(
                "boot-guard",
                "the boot guard may stand: resume or abandon the restore, then start the servers",
            )),
            (None, _) => {}
        }
        lease::end(self.claim, residue, &self.place).await;
        if residue == Residue::None {
            directories::remove_target(&self.place, &self.made);
        }
    }

    fn say(&self, todo: &Note) {
        self.task.events.send(Event::Todo { code: todo.code.clone(), message: todo.message.clone() });
    }

    async fn behind_guard(&mut self) -> Result<RestoreReport> {
        let mut journal = self.set_guard().await?;
        let durability = self.bound.options.limits.durability;
        self.announce();
        let resumed = self.copy(&mut journal).await?;
        let deleted = self.delete(&mut journal).await?;
        let verified = async {
            self.applied.to_all(&self.place, self.files(&journal)).await?;
            make_durable(&self.place, durability).await?;
            self.verify(&journal).await
        };
        self.task.unless_cancelled(verified).await?;
        self.claim.check().await?;
        journal.phase = Phase::Releasing;
        journal.update(&self.place).await?;
        let mut report = self.release(&journal).await?;
        report.resumed = resumed;
        report.deleted = deleted;
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

    /// Everything restored so far, with its time in the source.
    fn files(&self, journal: &RestoreJournal) -> Vec<(Key, Option<SystemTime>)> {
        let copied = self.plan.stages.iter().flat_map(|stage| &stage.tasks);
        let copied = copied.map(|copy| (copy.source.key.clone(), Some(copy.source.version.modified.into())));
        copied.chain(journal.guards.iter().map(|key| (key.clone(), None))).collect()
    }

    async fn verify(&self, journal: &RestoreJournal) -> Result<()> {
        let place = &self.place;
        let now = place.list_parallel("").await?;
        verify::check(&self.plan, &self.bound.backup.manifest().cluster, &self.target, &now)?;
        for key in &journal.guards {
            let found = place.get(key, None).await?.unwrap_or_default();
            if restore_of(&found).as_ref() != Some(&journal.restore) {
                return Err(Error::ServerRunning { location: place.to_string(), key: key.clone() });
            }
        }
        Ok(())
    }
}

fn record<'a>(objects: &'a [ObjectRecord], key: &Key) -> Result<&'a ObjectRecord> {
    let at = objects.binary_search_by(|record| record.key.cmp(key));
    at.map(|at| &objects[at]).map_err(|_| Error::DamagedBackup {
        object: key.to_string(),
        reason: "the manifest does not name it".to_owned(),
    })
}
