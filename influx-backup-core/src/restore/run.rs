//! The run of a restore, step by step.

mod guard;
mod release;
mod stages;
mod unaltered;

use std::{path::PathBuf, time::SystemTime};

use super::{
    RestoreReport,
    apply::{Applied, NotKept},
    inspect::{all_objects, inspect},
    journal::RestoreJournal,
    lease::{self, Residue},
    preflight::{self, Source},
    request::OpenedRestore,
    verify,
};
use crate::{
    cluster::Node,
    error::{Error, Result},
    event,
    finding::{Finding, FindingCode},
    job::RunContext,
    key::Key,
    lease::{Clock, Lease},
    location::{Around, Location, Reads, make_durable, missing_directories, remove_made},
    manifest::Backup,
    options::{OnUnfinished, Policy, RestoreOptions, ServersStopped, Takeover},
    orchestrate::{report_stopped, start_all, stop_all},
    plan::{Approval, RestorePlan, Stage},
    target::{Phase, Target},
};

pub(super) async fn run(request: OpenedRestore, task: RunContext) -> Result<RestoreReport> {
    let backup = request.backup.clone();
    match restore(request, task.clone()).await {
        Err(damaged @ Error::DamagedBackup { .. }) => {
            let moved = task.unless_cancelled(backup.require_there()).await.err();
            Err(moved.unwrap_or_else(|| damaged.in_backup(backup.location())))
        }
        done => done,
    }
}

/// The plan of a restore that has not been approved. Refuses what the run refuses and reading tells; whether servers are
/// stopped and an unfinished restore is resumed is for the run's caller to say.
pub(super) async fn plan(
    backup: &Backup,
    place: &Location,
    options: &RestoreOptions,
    task: &RunContext,
) -> Result<RestorePlan> {
    crate::preflight::source(backup.location()).await?;
    let target = look_at(backup, &task.events.counting(place), options).await?;
    let mut plan = RestorePlan::new(&backup.contents(), &target, options)?;
    if target.unfinished.is_some() {
        let message = "a restore of this backup was begun at the target: resume it, as this plan does, or abandon it";
        plan.todos.insert(0, Finding::new(FindingCode::RestoreUnfinished, message));
    }
    preflight::check(backup, &plan, &target, place, options).await?;
    backup.rename().into_iter().for_each(|finding| task.events.report(finding));
    plan.findings.extend(task.events.found());
    Ok(plan)
}

async fn restore(mut request: OpenedRestore, task: RunContext) -> Result<RestoreReport> {
    request.target = request.target.with_durability(request.run_options.limits.durability);
    let ready = task.unless_cancelled(prepare(&request, &task)).await?;
    let place = request.target.with_linked(&ready.target.linked).with_made(ready.applied.made());
    let acquire = lease::acquire(&place, Some(&ready.plan.cluster), request.run_options.takeover, ready.clock);
    let claim = task.answered(acquire).await?;
    let Ready { plan, target, source, applied, made, clock: _ } = ready;
    let place = claim.fenced(&place);
    let mut run = Run {
        request,
        place,
        claim,
        plan,
        target,
        source,
        applied,
        made,
        task,
        stopped: Vec::new(),
        not_kept: NotKept::default(),
        journal: None,
    };
    let lost = run.claim.lost.clone();
    let done = lost.run_until_cancelled(Box::pin(run.restored())).await;
    match run.claim.outcome(done).await {
        Ok(report) => Ok(run.start_servers(report).await),
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
    made: Vec<PathBuf>,
    clock: Clock,
}

/// Looks at backup and target, and refuses what cannot work, before anything is written but a probe.
async fn prepare(request: &OpenedRestore, task: &RunContext) -> Result<Ready> {
    let OpenedRestore { backup, target: place, options, .. } = request;
    crate::preflight::source(backup.location()).await?;
    backup.rename().into_iter().for_each(|finding| task.events.report(finding));
    let mut target = look_at(backup, place, options).await?;
    if request.run_options.takeover == Takeover::Immediately {
        // No longer running, as the caller knows.
        target.holder = None;
    }
    let plan = plan_for(&target, request)?;
    let (source, applied) = preflight::check(backup, &plan, &target, place, options).await?;
    let reads = Reads::new(&request.run_options.limits);
    let limited = backup.read_by(|place| place.with_reads(&reads));
    preflight::bytes(&limited, options.check, &plan, &target, &task.events).await?;
    let made = place.directory().map(missing_directories).unwrap_or_default();
    let clock = lease::probe(place, &[backup.repository()]).await?;
    [backup.location(), place].into_iter().for_each(|place| task.events.report_lacks(place));
    Ok(Ready { plan, target, source, applied, made, clock })
}

/// The ids of a backup: their prefixes are written to.
fn ids_of(backup: &Backup) -> Vec<String> {
    backup.manifest().cluster.prefixes().map(ToOwned::to_owned).collect()
}

/// Inspects a target that lies outside the backup and its repository, and so does where its links lead.
async fn look_at(backup: &Backup, place: &Location, options: &RestoreOptions) -> Result<Target> {
    let others = [backup.repository(), backup.location()];
    others.iter().try_for_each(|other| other.require_apart(place))?;
    let is_apart = |linked: &[String]| others.iter().try_for_each(|other| place.require_linked_apart(linked, other));
    inspect(place, ids_of(backup), options.linked_directories, is_apart).await
}

/// The plan for the target as it is found, where it may run.
fn plan_for(target: &Target, request: &OpenedRestore) -> Result<RestorePlan> {
    if target.holder.is_none() {
        require_resuming(target, request.run_options.on_unfinished)?;
    }
    let plan = RestorePlan::new(&request.backup.contents(), target, &request.options)?;
    require_stopped(target, &plan, request)?;
    request.approval.check(&plan)?;
    Ok(plan)
}

/// An unfinished restore is resumed where the caller wants it, and only then.
fn require_resuming(target: &Target, on_unfinished: OnUnfinished) -> Result<()> {
    let location = target.location.clone();
    match (&target.unfinished, on_unfinished) {
        (None, OnUnfinished::Refuse) | (Some(_), OnUnfinished::Resume) => Ok(()),
        (None, OnUnfinished::Resume) => Err(Error::NoRestore { location }),
        (Some(begun), OnUnfinished::Refuse) => Err(Error::RestoreUnfinished { location, backup: begun.backup.clone() }),
    }
}

/// The servers of a target with data have to be stopped: by an orchestrator, or as the caller confirms. Behind the guard
/// of a restore that began on an empty target, none can run.
fn require_stopped(target: &Target, plan: &RestorePlan, request: &OpenedRestore) -> Result<()> {
    let is_behind_guard = target.is_releasing() || is_guarded(target, plan);
    let began_empty = plan.resumes.is_some() && plan.policy == Policy::Empty && is_behind_guard;
    let is_confirmed =
        request.orchestrator.is_some() || request.run_options.servers_stopped != ServersStopped::NotConfirmed;
    if is_confirmed || began_empty || target.prefixes.is_empty() {
        return Ok(());
    }
    Err(Error::ServersNotStopped { location: target.location.clone() })
}

/// Whether all of the guard of the restore that is resumed stands, or nothing else is there.
fn is_guarded(target: &Target, plan: &RestorePlan) -> bool {
    let standing = target.guards().filter(|restore| Some(*restore) == plan.resumes.as_deref()).count();
    standing >= plan.guards.len() || standing == target.objects().len()
}

struct Run {
    request: OpenedRestore,
    /// The target. Links inside it are followed as the options say.
    place: Location,
    claim: Lease,
    plan: RestorePlan,
    target: Target,
    source: Source,
    applied: Applied,
    /// The target's own directory and those above it that this run made, the deepest first.
    made: Vec<PathBuf>,
    task: RunContext,
    /// The nodes that were asked to stop, the last one first.
    stopped: Vec<Node>,
    /// What restored files did not get of the target directory.
    not_kept: NotKept,
    /// That the target has a journal, once this run knows it. It is not cancelled while it deletes that.
    journal: Option<Residue>,
}

impl Run {
    /// Everything but the servers' start: when it is done, the target holds no file of this crate.
    async fn restored(&mut self) -> Result<RestoreReport> {
        if !self.target.is_releasing() {
            self.stop_servers().await?;
        }
        self.plan_behind_claim().await?;
        self.plan.findings.iter().for_each(|finding| self.task.events.report(finding.clone()));
        if self.target.is_releasing() { self.finish().await } else { self.behind_guard().await }
    }

    async fn stop_servers(&mut self) -> Result<()> {
        // The backup may have been read before.
        self.task.events.set_phase(event::Phase::Preparing);
        self.task.answered(preflight::rights(&self.place, &self.applied, &self.plan)).await?;
        // Now, as a run that resumes takes them from there.
        self.applied.to_made(&self.made)?;
        let Some(orchestrator) = &self.request.orchestrator else { return Ok(()) };
        let stopped = &mut self.stopped;
        let timeout = self.request.run_options.stop_timeout;
        let asked = |node: &Node| stopped.insert(0, node.clone());
        stop_all(orchestrator, &self.plan.stop, timeout, &self.task, asked).await?;
        Ok(())
    }

    /// Plans again: servers write while they stop, and another restore may have written before the lease was taken.
    async fn plan_behind_claim(&mut self) -> Result<()> {
        // The first plan has done its work. Two of them would need twice the memory.
        self.plan.forget_objects();
        self.target.forget_objects();
        let plan_again = async {
            let OpenedRestore { backup, target: place, options, .. } = &self.request;
            let mut target = look_at(backup, place, options).await?;
            // That is this run itself.
            target.holder = None;
            let plan = plan_for(&target, &self.request)?;
            preflight::check_target(backup, &plan, &self.source, &target, place, options)?;
            Ok((target, plan))
        };
        (self.target, self.plan) = self.task.unless_cancelled(plan_again).await?;
        self.request.approval = Approval::Any;
        if !self.stopped.is_empty() {
            // A server that was asked to stop has just written its last.
            self.plan.findings.retain(|finding| finding.code != FindingCode::RecentlyWritten);
        }
        Ok(())
    }

    /// Starts the servers of a restored target. What is left to do there is known from the plan.
    async fn start_servers(&self, mut report: RestoreReport) -> RestoreReport {
        let found = self.plan.todos.iter().cloned().chain(self.not_kept.finding());
        found.for_each(|finding| self.task.events.report(finding));
        if let Some(orchestrator) = &self.request.orchestrator {
            let timeout = self.request.run_options.stop_timeout;
            report.started = start_all(orchestrator, &self.plan.start, timeout, &self.task).await;
        }
        report.abilities = Some(self.place.abilities());
        let places = [self.request.backup.location(), &self.place];
        places.into_iter().for_each(|place| self.task.events.report_lacks(place));
        self.task.events.report_passed_over();
        (report.todos, report.findings) = self.task.events.findings().todos_and_rest();
        report
    }

    /// Ends the claim. Where nothing was changed, the servers are started again; what the caller has to do is reported.
    async fn fail(self, error: &Error) {
        if matches!(error, Error::LeaseLost { .. }) {
            // The target is another's now.
            let reason = "another process may be restoring to the target: start it when that is done";
            self.stopped.iter().for_each(|node| report_stopped(node, reason, &self.task));
            return;
        }
        let residue = match (self.journal, error) {
            // Another process may take the target over at any moment: no server is to be started.
            (_, Error::LeaseNotRenewed { .. }) => Residue::Journal,
            (Some(residue), Error::Cancelled { .. }) => residue,
            _ => lease::residue(&self.place, error).await,
        };
        match (residue, &self.request.orchestrator) {
            (Residue::None, Some(orchestrator)) => {
                start_all(orchestrator, &self.stopped, self.request.run_options.stop_timeout, &self.task).await;
            }
            (Residue::None, None) => {}
            (Residue::Journal, _) => {
                let message = "the boot guard may stand: resume or abandon the restore, then start the servers";
                self.task.events.report(Finding::new(FindingCode::BootGuard, message));
            }
        }
        lease::end(self.claim, residue, &self.place, error).await;
        if residue == Residue::None {
            remove_made(&self.made);
        }
    }

    async fn behind_guard(&mut self) -> Result<RestoreReport> {
        let mut journal = self.set_guard().await?;
        self.journal = Some(Residue::Journal);
        let durability = self.request.run_options.limits.durability;
        self.task.events.planned(self.plan.stages().map(Stage::objects).sum(), self.plan.bytes());
        let resumed = self.copy(&mut journal).await?;
        self.task.events.set_phase(event::Phase::Deleting);
        let deleted = self.delete(&mut journal).await?;
        self.task.events.set_phase(event::Phase::Checking);
        let verified = async {
            let mut not_kept = NotKept::default();
            let mut staging = None;
            self.task.settled(&self.claim).await?;
            self.require_unaltered(&journal).await?;
            if self.place.directory().is_some() {
                // The guard is not counted: it gives way to the roots.
                let guards: Vec<_> = journal.guards.iter().map(|key| (key.clone(), None)).collect();
                self.applied.to_all(&self.place, guards).await?;
                not_kept = self.applied.to_all(&self.place, self.files()).await?;
                if journal.made.iter().any(String::is_empty) {
                    not_kept += self.applied.to_target(&self.place)?;
                }
                make_durable(&self.place, durability).await?;
                staging = Some(self.look().await?.staging);
            }
            self.require_guarded(&journal).await?;
            self.delete_incomplete(&journal, staging).await?;
            // A store may have listed all its uploads for that.
            self.require_guarded(&journal).await?;
            self.claim.check().await?;
            Ok(not_kept)
        };
        self.not_kept = self.task.unless_cancelled(verified).await?;
        journal.phase = Phase::Releasing;
        self.task.answered(journal.update(&self.place)).await?;
        let mut report = self.release(&journal).await?;
        report.resumed = resumed;
        report.deleted = deleted;
        Ok(report)
    }

    /// Everything restored so far, with its time in the source.
    fn files(&self) -> impl Iterator<Item = (Key, Option<SystemTime>)> + Send + use<> {
        let is_copied = self.plan.is_copied();
        let records = self.request.backup.contents().objects.clone().into_iter();
        let copied = records.filter(move |record| is_copied(&record.key));
        copied.map(|record| (record.key, Some(record.version.modified.into())))
    }

    /// Lists the target: everything is there, and nothing else was written.
    async fn look(&self) -> Result<Around> {
        let mut now = all_objects(&self.place, &ids_of(&self.request.backup)).await?;
        let mut writes = self.plan.writes(self.request.backup.contents());
        let others = self.target.objects().filter(|file| !writes(&file.key));
        now.objects = self.place.settle_inodes(others, now.objects);
        verify::check(&self.plan, self.request.backup.contents(), &self.target, &now.objects)?;
        Ok(now)
    }

    /// What was copied is still there in the version that was written. Looked at before files get their times back.
    async fn require_unaltered(&self, journal: &RestoreJournal) -> Result<()> {
        let now = self.look().await?;
        let finished = journal.finished(&self.place).await?;
        let unaltered = self.unaltered(&finished, &now.objects).await?;
        let mut unaltered = unaltered.reader();
        let mut keys = finished.iter().map(|finished| finished.key);
        let altered = keys.find(|key| self.plan.restores(key) && unaltered.get(key.as_str()).is_none());
        altered.map_or(Ok(()), |key| Err(verify::altered(&key)))
    }

    async fn require_guarded(&self, journal: &RestoreJournal) -> Result<()> {
        match super::guard::missing(&self.place, journal).await?.first() {
            Some(key) => Err(Error::ServerRunning { location: self.place.to_string(), key: key.clone() }),
            None => Ok(()),
        }
    }
}
