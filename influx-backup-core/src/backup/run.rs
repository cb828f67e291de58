//! A run: the lease, what an earlier run left, the passes; and what becomes of the lease when it fails.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{TimeDelta, Utc};
use tokio::time::timeout;

use super::{
    BackupReport, Rules,
    audit::{Altered, Differences},
    index::Index,
    journal::{Journal, JournalLine, journal},
    lease::{Acquired, acquire, acquire_default},
    name::default_name,
    passes::Run,
    resume,
    seen::Seen,
};
use crate::{
    cluster::Cluster,
    copier::Copier,
    error::{Error, Result},
    finding::{Finding, FindingCode},
    job::RunContext,
    judge::fact::Facts,
    key::Key,
    lease::{Clock, release_timeout},
    location::Location,
    manifest::{RepositoryMarker, rules},
    options::{BackupOptions, OnExisting},
    orchestrate::{Orchestrator, while_stopped},
    preflight,
    record::UnreadableRecord,
    signature::Signer,
};

/// What a run has done so far.
#[derive(Debug)]
pub(super) struct RunState {
    /// What the backup holds.
    pub(super) index: Index,
    /// Where that is written down.
    pub(super) journal: Journal,
    /// What was read of the objects.
    pub(super) facts: Facts,
    /// What was seen of objects while they were copied.
    pub(super) seen: Seen,
    /// What could not be read of the source.
    pub(super) unreadable: BTreeMap<Key, UnreadableRecord>,
}

impl RunState {
    /// Forgets objects that are not there as they were written.
    pub(super) async fn forget(&mut self, differences: &Differences) -> Result<()> {
        for Altered { key, .. } in &differences.altered {
            self.index.remove(key.clone());
            self.journal.add(JournalLine::Deleted(key)).await?;
        }
        self.facts.forget(differences.altered.iter().map(|altered| altered.key));
        Ok(())
    }
}

/// What a run works with.
pub(super) struct Tools {
    pub(super) copier: Arc<dyn Copier>,
    pub(super) orchestrator: Option<Arc<dyn Orchestrator>>,
    pub(super) signer: Option<Signer>,
}

/// Takes a backup into `repository`.
pub(super) async fn run(
    repository: Location,
    cluster: Cluster,
    options: BackupOptions,
    rules: Rules,
    tools: Tools,
    task: RunContext,
) -> Result<BackupReport> {
    let Tools { copier, orchestrator, signer } = tools;
    check_places(&cluster, &repository)?;
    let repository = repository.with_durability(options.limits.durability);
    let checked = task.unless_cancelled(check_stores(&cluster, &repository, &task)).await;
    if let Err(Error::Link { .. }) = checked {
        // It may be the marker: then what to do about it is known.
        task.unless_cancelled(RepositoryMarker::read(&repository)).await?;
    }
    let clock = checked?;
    task.unless_cancelled(RepositoryMarker::write_first(&repository)).await?;
    let (name, to, lease, acquired) = match &options.name {
        Some(name) => {
            let to = repository.child(name)?;
            let existing = (options.on_existing, options.takeover);
            let acquire = acquire(&to, name, Some(cluster.id()), existing, clock);
            let (lease, acquired) = task.answered(acquire).await?;
            (name.clone(), to, lease, acquired)
        }
        None => {
            let default = default_name(Utc::now());
            let acquire = acquire_default(&repository, &default, cluster.id(), clock);
            let (name, to, lease) = task.answered(acquire).await?;
            (name, to, lease, Acquired::Fresh)
        }
    };
    let to = lease.fenced(&to);
    let journal = journal(&to, lease.number(), options.limits.durability);
    let mut state = RunState {
        index: Index::default(),
        journal,
        facts: Facts::default(),
        seen: Seen::default(),
        unreadable: BTreeMap::new(),
    };
    let run = Run {
        name: &name,
        to: &to,
        options: &options,
        rules: &rules,
        copier: &copier,
        task: &task,
        lease: &lease,
        signer: signer.as_ref(),
    };
    let nodes = cluster.nodes().to_vec();
    let source = cluster.location().clone();
    let work = async {
        state.index = run.unless_ended(left_before(&to, options.on_existing, acquired)).await?;
        let backed_up = Box::pin(async {
            let ready = run.unless_ended(run.passes(cluster, &mut state)).await?;
            run.commit(ready).await
        });
        while_stopped(orchestrator, &nodes, options.stop_timeout, &task, backed_up).await
    };
    let mut done = work.await;
    match &mut done {
        Ok(report) => {
            report.abilities = Some(to.abilities());
            [&source, &repository].into_iter().for_each(|place| task.events.report_lacks(place));
            task.events.report_passed_over();
            (report.todos, report.findings) = task.events.findings().todos_and_rest();
        }
        // Its manifest may still be on its way: until it has arrived, no other run is to begin.
        Err(Error::CommitUnconfirmed { .. }) => {}
        Err(error) => {
            let within = release_timeout(error);
            // Best effort: what is finished is finished, and a resumed run does not copy it again.
            let _ = timeout(within, state.journal.flush()).await;
            lease.release(within).await;
        }
    }
    done
}

/// What an earlier run left that can be resumed; the rest is deleted.
async fn left_before(to: &Location, on_existing: OnExisting, acquired: Acquired) -> Result<Index> {
    if on_existing == OnExisting::Resume {
        // Also where a process died so early that an incomplete lease is all that it left.
        to.delete_incomplete(|_| true).await?;
    }
    match acquired {
        Acquired::Fresh => Ok(Index::default()),
        Acquired::TakenOver => resume::index(to).await,
    }
}

/// How far a store's clock may differ from this machine's before it is reported.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// Source and repository answer, and the repository can be written to. Its clock is seen by that.
async fn check_stores(cluster: &Cluster, repository: &Location, task: &RunContext) -> Result<Clock> {
    cluster.ask().await?;
    let skew = preflight::target_apart_from(repository, &[cluster.location()]).await?.clock_skew;
    let places = [cluster.location(), repository];
    places.into_iter().for_each(|place| task.events.report_lacks(place));
    if skew.abs() > CLOCK_SKEW {
        let message = format!("the clock of `{repository}` is {} s ahead of this machine's", skew.num_seconds());
        task.events.report(Finding::new(FindingCode::ClockSkew, message));
    }
    Ok(Clock::Store(skew))
}

/// The source is a cluster's own location, and source and repository do not lie inside one another.
pub(crate) fn check_places(cluster: &Cluster, repository: &Location) -> Result<()> {
    let source = cluster.location();
    if let Some(note) = cluster.notes().iter().find(|note| note.code == FindingCode::IsBackup) {
        let reason = format!("{}; to keep it twice, copy its directory", note.message);
        return Err(Error::InvalidRequest { option: "source", reason });
    }
    rules::check_ids(cluster.description()).map_err(|reason| Error::InvalidRequest { option: "source", reason })?;
    source.require_apart(repository)
}
