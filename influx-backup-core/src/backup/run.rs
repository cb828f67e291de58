//! A run: the claim, what an earlier run left, the passes; and what becomes of the claim when it fails.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{TimeDelta, Utc};

use super::{
    BackupReport,
    lease::{Acquired, claim},
    name::{check_name, default_name},
    pass::BackupIndex,
    passes::Run,
    resume,
};
use crate::{
    cluster::Cluster,
    copier::Copier,
    error::{Error, Result},
    event::EventKind,
    finding::{Finding, FindingCode},
    job::RunContext,
    key::Key,
    lease::Clock,
    location::Location,
    manifest::{Journal, RepositoryMarker},
    options::{BackupOptions, OnExisting},
    orchestrate::{Orchestrator, while_stopped},
    preflight,
    record::ObjectRecord,
};

/// Takes a backup into `repository`.
pub(crate) async fn run(
    repository: Location,
    cluster: Cluster,
    options: BackupOptions,
    copier: Arc<dyn Copier>,
    orchestrator: Option<Arc<dyn Orchestrator>>,
    task: RunContext,
) -> Result<BackupReport> {
    check_places(&cluster, &repository)?;
    let name = options.name.clone().unwrap_or_else(|| default_name(Utc::now()));
    check_name(&name)?;
    let clock = task.unless_cancelled(check_stores(&cluster, &repository, &task)).await?;
    task.unless_cancelled(RepositoryMarker::write_first(&repository)).await?;
    let to = repository.child(&name)?;
    let (claim, begun) = claim(&to, &name, cluster.id(), (options.on_existing, options.takeover), clock).await?;
    let journal = Journal::new(&to, claim.number(), options.limits.durability);
    let mut index = BackupIndex::new(&to, BTreeMap::new(), journal, task.events.clone());
    let run = Run { name: &name, to: &to, options: &options, copier: &copier, task: &task, claim: &claim };
    let nodes = cluster.nodes.clone();
    let done = async {
        index.objects = run.unless_ended(left_before(&to, options.on_existing, begun)).await?;
        while_stopped(orchestrator, &nodes, &task, run.unless_ended(run.passes(cluster, &mut index))).await
    };
    let done = done.await;
    if done.is_err() {
        // What is finished is finished: a resumed run does not copy it again.
        let _ = index.journal.flush().await;
        claim.release().await;
    }
    done
}

/// What an earlier run left that can be gone on with; the rest of what it left goes.
async fn left_before(to: &Location, existing: OnExisting, begun: Acquired) -> Result<BTreeMap<Key, ObjectRecord>> {
    if existing == OnExisting::Resume {
        // Also where a process died so early that a claim that is incomplete is all that it left.
        to.delete_incomplete(|_| true).await?;
    }
    match begun {
        Acquired::Fresh => Ok(BTreeMap::new()),
        Acquired::TakenOver => resume::index(to).await,
    }
}

/// How far a store's clock may be from ours without a word about it.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// Source and repository answer, and the repository can be written to. Its clock is seen by that.
async fn check_stores(cluster: &Cluster, repository: &Location, task: &RunContext) -> Result<Clock> {
    preflight::source(cluster.location()).await?;
    let skew = preflight::target(repository).await?.clock_skew;
    if skew.abs() > CLOCK_SKEW {
        let message = format!("the clock of `{repository}` is {} s ahead of this machine's", skew.num_seconds());
        task.events.send(EventKind::Finding(Finding::new(FindingCode::ClockSkew, message)));
    }
    Ok(Clock::Stores(skew))
}

/// The source is a cluster's own location, and source and repository do not lie inside one another.
pub(crate) fn check_places(cluster: &Cluster, repository: &Location) -> Result<()> {
    let source = cluster.location();
    if let Some(note) = cluster.notes.iter().find(|note| note.code == FindingCode::IsBackup) {
        let reason = format!("{}; to keep it twice, copy its directory", note.message);
        return Err(Error::InvalidRequest { option: "this source", reason });
    }
    source.require_apart(repository)
}
