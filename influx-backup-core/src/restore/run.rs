//! [`restore`]: the run, step by step.

mod guard;
mod release;
mod stages;

use std::{sync::Arc, time::SystemTime};

use super::{
    Phase, Policy, RestoreReport, Stopped, Target,
    apply::Applied,
    guard::restore_of,
    journal::RestoreJournal,
    preflight::{self, Source},
    verify,
};
use crate::{
    discover::Note,
    error::{Error, Result},
    execute::make_durable,
    key::Key,
    location::{Links, Location},
    manifest::ObjectRecord,
    observe::{Event, Job, Task, spawn},
    orchestrate::{Orchestrator, start_all, stop_all},
    plan::{Bound, RECENTLY_WRITTEN, RestorePlan, Stage},
};

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
        stop_all(orchestrator, &self.plan.stop, &self.task, |_| {}).await?;
        (self.target, self.plan) = plan_anew(&self.bound).await?;
        // A server that was asked to stop has just written its last.
        self.plan.findings.retain(|finding| finding.code != RECENTLY_WRITTEN);
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
        if let Err(error) = start_all(orchestrator, &self.plan.start, &self.task).await {
            self.say(&Note::new("servers-stopped", format!("servers could not be started again: {error}")));
        }
    }

    fn say(&self, todo: &Note) {
        self.task.events.send(Event::Todo { code: todo.code.clone(), message: todo.message.clone() });
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

    async fn verify(&self, place: &Location, journal: &RestoreJournal) -> Result<()> {
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
