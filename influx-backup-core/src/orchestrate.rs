//! [`Orchestrator`]: the caller's way to stop and start servers, and the order in which that is done.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::{
    cluster::{Node, Role},
    error::{Error, Result, Source},
    event::EventKind,
    finding::{Finding, FindingCode},
    job::RunContext,
};

/// How long a server may take to stop.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long to wait between two questions whether it has stopped: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Stops and starts servers, node by node, for restores and cold backups. The order is this crate's: see
/// [`starting_order`].
#[async_trait]
pub trait Orchestrator: fmt::Debug + Send + Sync {
    /// Asks a node's server to stop.
    ///
    /// # Errors
    /// Whatever the caller's platform says.
    async fn stop(&self, node: &Node) -> Result<(), Source>;

    /// Whether a node's server is stopped.
    ///
    /// # Errors
    /// Whatever the caller's platform says.
    async fn stopped(&self, node: &Node) -> Result<bool, Source>;

    /// Starts a node's server.
    ///
    /// # Errors
    /// Whatever the caller's platform says.
    async fn start(&self, node: &Node) -> Result<(), Source>;
}

/// The order in which nodes are started, as documented: those that hold data, then the compactor, then those that store
/// nothing. They are stopped in the reverse order.
#[must_use]
pub fn starting_order(nodes: &[Node]) -> Vec<Node> {
    let turn = |node: &Node| match node {
        node if node.is(Role::Compactor) => 1,
        node if node.is(Role::QueryOnly) => 2,
        _ => 0,
    };
    let mut nodes = nodes.to_vec();
    nodes.sort_by_key(turn);
    nodes
}

/// Does `work` while all nodes are stopped, where there is somebody to stop them. Whatever comes of it, those that were
/// asked to stop are started again; of two errors the first is the one to say.
pub(crate) async fn while_stopped<T>(
    orchestrator: Option<Arc<dyn Orchestrator>>,
    nodes: &[Node],
    task: &RunContext,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(orchestrator) = orchestrator else { return work.await };
    let starting = starting_order(nodes);
    let stopping: Vec<Node> = starting.iter().rev().cloned().collect();
    let mut again = StartAgain { orchestrator: Arc::clone(&orchestrator), asked: Vec::new(), task: task.clone() };
    let stopped = stop_all(&orchestrator, &stopping, task, |node| again.asked.insert(0, node.clone())).await;
    let done = match stopped {
        Ok(()) => work.await,
        Err(error) => Err(error),
    };
    let started = again.start().await;
    match (done, started) {
        (Ok(done), Ok(())) => Ok(done),
        (Ok(_), Err(error)) => Err(error),
        (Err(error), started) => {
            if let Err(second) = started {
                let message = format!("servers could not be started again: {second}");
                task.events.send(EventKind::Finding(Finding::new(FindingCode::ServersStopped, message)));
            }
            Err(error)
        }
    }
}

/// Nodes to be started again: by a task of its own where the run that stopped them is dropped or panics.
struct StartAgain {
    orchestrator: Arc<dyn Orchestrator>,
    /// Who was asked to stop, in the order of the start.
    asked: Vec<Node>,
    task: RunContext,
}

impl StartAgain {
    async fn start(&mut self) -> Result<()> {
        let started = start_all(&self.orchestrator, &self.asked, &self.task).await;
        self.asked.clear();
        started.map(drop)
    }
}

impl Drop for StartAgain {
    fn drop(&mut self) {
        let (nodes, orchestrator) = (std::mem::take(&mut self.asked), Arc::clone(&self.orchestrator));
        let (Ok(runtime), false) = (tokio::runtime::Handle::try_current(), nodes.is_empty()) else { return };
        let task = self.task.clone();
        runtime.spawn(async move { start_all(&orchestrator, &nodes, &task).await });
    }
}

/// Stops these nodes one after another, each before the next, and asks once more at the end whether all are. Tells of
/// each before it is asked.
pub(crate) async fn stop_all(
    orchestrator: &Arc<dyn Orchestrator>,
    nodes: &[Node],
    task: &RunContext,
    mut asked: impl FnMut(&Node),
) -> Result<()> {
    for node in nodes {
        task.check()?;
        asked(node);
        orchestrator.stop(node).await.map_err(|source| failed(node, "stopped", source))?;
        wait_until_stopped(orchestrator, node, task).await?;
        task.events.send(EventKind::NodeStopped { node: node.id.clone() });
    }
    for node in nodes {
        if !is_stopped(orchestrator, node).await? {
            return Err(failed(node, "kept stopped", "it is running again".into()));
        }
    }
    Ok(())
}

async fn wait_until_stopped(orchestrator: &Arc<dyn Orchestrator>, node: &Node, task: &RunContext) -> Result<()> {
    let (began, mut wait) = (Instant::now(), FIRST_WAIT);
    while !is_stopped(orchestrator, node).await? {
        if began.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            return Err(failed(node, "stopped", format!("it still runs after {seconds} s").into()));
        }
        let waited = task.cancellation.run_until_cancelled(sleep(wait)).await;
        waited.ok_or_else(|| task.cancelled())?;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    Ok(())
}

async fn is_stopped(orchestrator: &Arc<dyn Orchestrator>, node: &Node) -> Result<bool> {
    orchestrator.stopped(node).await.map_err(|source| failed(node, "asked whether it is stopped", source))
}

/// Starts these nodes in order, and says which. One that does not start keeps no other from it; the first error is said.
pub(crate) async fn start_all(
    orchestrator: &Arc<dyn Orchestrator>,
    nodes: &[Node],
    task: &RunContext,
) -> Result<Vec<String>> {
    let (mut started, mut first) = (Vec::new(), None);
    for node in nodes {
        match orchestrator.start(node).await {
            Ok(()) => {
                task.events.send(EventKind::NodeStarted { node: node.id.clone() });
                started.push(node.id.clone());
            }
            Err(source) => first = first.or_else(|| Some(failed(node, "started", source))),
        }
    }
    first.map_or(Ok(started), Err)
}

fn failed(node: &Node, action: &'static str, source: Source) -> Error {
    Error::Orchestrator { node: node.id.clone(), action, source }
}
