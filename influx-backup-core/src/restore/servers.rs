//! Stopping servers before a restore and starting them after it, through the caller's orchestrator.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::Orchestrator;
use crate::{
    discover::Node,
    error::{Error, Result, Source},
    observe::{Event, Task},
};

/// How long a server may take to stop.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long to wait between two questions whether it has stopped: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Stops these nodes one after another, each before the next, and asks once more at the end whether all are.
pub(super) async fn stop(orchestrator: &Arc<dyn Orchestrator>, nodes: &[Node], task: &Task) -> Result<()> {
    for node in nodes {
        orchestrator.stop(node).await.map_err(|source| failed(node, "stopped", source))?;
        wait_until_stopped(orchestrator, node, task).await?;
        task.events.send(Event::NodeStopped { node: node.id.clone() });
    }
    for node in nodes {
        if !is_stopped(orchestrator, node).await? {
            return Err(failed(node, "kept stopped", "it is running again".into()));
        }
    }
    Ok(())
}

async fn wait_until_stopped(orchestrator: &Arc<dyn Orchestrator>, node: &Node, task: &Task) -> Result<()> {
    let (began, mut wait) = (Instant::now(), FIRST_WAIT);
    while !is_stopped(orchestrator, node).await? {
        if began.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            return Err(failed(node, "stopped", format!("it still runs after {seconds} s").into()));
        }
        if task.cancellation.run_until_cancelled(sleep(wait)).await.is_none() {
            let (done, total) = task.events.done_of();
            return Err(Error::Cancelled { done, total });
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    Ok(())
}

async fn is_stopped(orchestrator: &Arc<dyn Orchestrator>, node: &Node) -> Result<bool> {
    orchestrator.stopped(node).await.map_err(|source| failed(node, "asked whether it is stopped", source))
}

/// Starts these nodes in order, and says which.
pub(super) async fn start(orchestrator: &Arc<dyn Orchestrator>, nodes: &[Node], task: &Task) -> Result<Vec<String>> {
    let mut started = Vec::new();
    for node in nodes {
        orchestrator.start(node).await.map_err(|source| failed(node, "started", source))?;
        task.events.send(Event::NodeStarted { node: node.id.clone() });
        started.push(node.id.clone());
    }
    Ok(started)
}

fn failed(node: &Node, action: &'static str, source: Source) -> Error {
    Error::Orchestrator { node: node.id.clone(), action, source }
}
