//! [`Orchestrator`]: the caller's way to stop and start servers, and the order in which that is done.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{sleep, timeout};

use crate::{
    cluster::{Node, starting_order},
    concurrent,
    error::{Error, Result, Source},
    event::{EventKind, Phase},
    finding::{Finding, FindingCode},
    job::RunContext,
    units::duration,
};

/// The first wait before asking again whether a server has stopped; doubled each time.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// The longest wait.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// What was tried where that fails.
const IS_STOPPED: &str = "asked whether it is stopped";

/// Stops and starts servers, node by node, for restores and cold backups. This crate decides the order, see
/// [`starting_order`].
///
/// A call may hang. One to stop a server, or to ask whether it is stopped, is dropped when the job is cancelled and when
/// `stop_timeout` has passed since the server was asked to stop; one to start a server when it took `stop_timeout`.
#[async_trait]
pub trait Orchestrator: fmt::Debug + Send + Sync {
    /// Asks a node's server to stop.
    ///
    /// # Errors
    /// The error of the caller's platform.
    async fn stop(&self, node: &Node) -> Result<(), Source>;

    /// Whether a node's server is stopped.
    ///
    /// # Errors
    /// The error of the caller's platform.
    async fn stopped(&self, node: &Node) -> Result<bool, Source>;

    /// Starts a node's server.
    ///
    /// # Errors
    /// The error of the caller's platform.
    async fn start(&self, node: &Node) -> Result<(), Source>;
}

/// Does `work` while all nodes are stopped, where there is an orchestrator. Nodes that were asked to stop are started again
/// in any case.
pub(crate) async fn while_stopped<T>(
    orchestrator: Option<Arc<dyn Orchestrator>>,
    nodes: &[Node],
    stop_timeout: Duration,
    task: &RunContext,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(orchestrator) = orchestrator else { return work.await };
    let starting = starting_order(nodes);
    let stopping: Vec<Node> = starting.iter().rev().cloned().collect();
    let mut again = StartAgain {
        orchestrator: Arc::clone(&orchestrator),
        asked: Vec::new(),
        timeout: stop_timeout,
        task: task.clone(),
    };
    let stopped =
        stop_all(&orchestrator, &stopping, stop_timeout, task, |node| again.asked.insert(0, node.clone())).await;
    let done = match stopped {
        Ok(()) => work.await,
        Err(error) => Err(error),
    };
    again.start().await;
    done
}

/// Nodes to be started again. A task of its own does it where the run that stopped them is dropped or panics.
struct StartAgain {
    orchestrator: Arc<dyn Orchestrator>,
    /// The nodes that were asked to stop, in the order in which they are started.
    asked: Vec<Node>,
    /// How long each may take.
    timeout: Duration,
    task: RunContext,
}

impl StartAgain {
    async fn start(&mut self) {
        start_all(&self.orchestrator, &self.asked, self.timeout, &self.task).await;
        self.asked.clear();
    }
}

impl Drop for StartAgain {
    fn drop(&mut self) {
        let nodes = std::mem::take(&mut self.asked);
        if nodes.is_empty() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let orchestrator = Arc::clone(&self.orchestrator);
        let timeout = self.timeout;
        let task = self.task.clone();
        runtime.spawn(concurrent::traced(async move { start_all(&orchestrator, &nodes, timeout, &task).await }));
    }
}

/// Stops these nodes one after another, and checks at the end that all are still stopped. Calls `asked` for each before it
/// is asked to stop.
pub(crate) async fn stop_all(
    orchestrator: &Arc<dyn Orchestrator>,
    nodes: &[Node],
    stop_timeout: Duration,
    task: &RunContext,
    mut asked: impl FnMut(&Node),
) -> Result<()> {
    let after = duration::format(stop_timeout);
    for node in nodes {
        task.check()?;
        task.events.set_phase(Phase::Preparing);
        asked(node);
        let stop = async {
            orchestrator.stop(node).await.map_err(|source| failed(node, "stopped", source))?;
            wait_until_stopped(orchestrator, node).await
        };
        let is_running = || failed(node, "stopped", format!("it is still running after {after}").into());
        within(stop_timeout, task, stop, is_running).await?;
        task.events.send(EventKind::NodeStopped { node: node.id.clone() });
    }
    for node in nodes {
        let is_silent = || failed(node, IS_STOPPED, format!("no answer within {after}").into());
        if !within(stop_timeout, task, is_stopped(orchestrator, node), is_silent).await? {
            return Err(failed(node, "kept stopped", "it is running again".into()));
        }
    }
    Ok(())
}

/// Waits for the orchestrator, unless the caller cancels or it takes longer than `limit`.
async fn within<T>(
    limit: Duration,
    task: &RunContext,
    work: impl Future<Output = Result<T>>,
    too_long: impl FnOnce() -> Error,
) -> Result<T> {
    task.unless_cancelled(async { timeout(limit, work).await.unwrap_or_else(|_| Err(too_long())) }).await
}

async fn wait_until_stopped(orchestrator: &Arc<dyn Orchestrator>, node: &Node) -> Result<()> {
    let mut wait = INITIAL_BACKOFF;
    while !is_stopped(orchestrator, node).await? {
        sleep(wait).await;
        wait = (wait * 2).min(MAX_BACKOFF);
    }
    Ok(())
}

async fn is_stopped(orchestrator: &Arc<dyn Orchestrator>, node: &Node) -> Result<bool> {
    orchestrator.stopped(node).await.map_err(|source| failed(node, IS_STOPPED, source))
}

/// Starts these nodes in order, and returns the ids of those that started. A node that does not start does not prevent the
/// others from starting; it is reported as stopped. So is one whose start takes longer than `limit`. That the caller cancels
/// changes nothing.
pub(crate) async fn start_all(
    orchestrator: &Arc<dyn Orchestrator>,
    nodes: &[Node],
    limit: Duration,
    task: &RunContext,
) -> Vec<String> {
    let mut started = Vec::new();
    for node in nodes {
        task.events.set_phase(Phase::Preparing);
        let answer = timeout(limit, orchestrator.start(node)).await;
        match answer.unwrap_or_else(|_| Err(format!("no answer within {}", duration::format(limit)).into())) {
            Ok(()) => {
                task.events.send(EventKind::NodeStarted { node: node.id.clone() });
                started.push(node.id.clone());
            }
            Err(cause) => report_stopped(node, &format!("it could not be started ({cause}): start it"), task),
        }
    }
    started
}

/// Reports that the server of a node is stopped.
pub(crate) fn report_stopped(node: &Node, reason: &str, task: &RunContext) {
    let message = format!("the server of node `{}` is stopped: {reason}", node.id);
    task.events.report(Finding::new(FindingCode::ServersStopped, message).with_node(&node.id));
}

fn failed(node: &Node, action: &'static str, source: Source) -> Error {
    Error::Orchestrator { node: node.id.clone(), action, source }
}
