//! An object of the caller's as [`core::Orchestrator`].

use async_trait::async_trait;
use influx_backup_core::{self as core, cancellation::Cancellation, cluster::Node, error::Source};

use crate::callback::{Answer, Argument, Callee};

/// Stops and starts servers by the methods `stop(node)`, `stopped(node)` and `start(node)`.
#[derive(Debug)]
pub(crate) struct Orchestrator(pub(crate) Callee);

impl Orchestrator {
    async fn call<T>(
        &self,
        method: &'static str,
        node: &Node,
        take: impl FnOnce(Answer) -> Result<T, Answer>,
    ) -> Result<T, Source> {
        let argument = Argument::Node(node.clone());
        self.0.call(method, argument, &Cancellation::new(), take, "true or false").await
    }
}

#[async_trait]
impl core::Orchestrator for Orchestrator {
    async fn stop(&self, node: &Node) -> Result<(), Source> {
        self.call("stop", node, |_| Ok(())).await
    }

    async fn stopped(&self, node: &Node) -> Result<bool, Source> {
        // Not what counts as true in JavaScript: a text such as "active" would let a restore write below a server that runs.
        let flag = |answer| if let Answer::Flag(flag) = answer { Ok(flag) } else { Err(answer) };
        self.call("stopped", node, flag).await
    }

    async fn start(&self, node: &Node) -> Result<(), Source> {
        self.call("start", node, |_| Ok(())).await
    }
}
