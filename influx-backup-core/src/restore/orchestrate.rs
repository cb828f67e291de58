//! [`Orchestrator`]: the caller's way to stop and start servers.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{discover::Node, error::Source};

/// Stops and starts servers, node by node, for restores and cold backups. The order comes from the plan.
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

/// Who says that the servers of a target are stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stopped {
    /// Nobody: only an empty target is restored.
    #[default]
    Unknown,
    /// The caller states it.
    ByCaller,
}
