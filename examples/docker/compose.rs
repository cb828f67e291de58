//! [`Compose`]: an orchestrator for services whose names are the node ids.

use std::{path::PathBuf, process::Stdio};

use influx_backup_core::{Orchestrator, cluster::Node, error::Source};
use tokio::process::Command;

/// Stops and starts the services of a compose file. The order comes from the restore's plan, not from here.
#[derive(Debug)]
pub(crate) struct Compose {
    file: PathBuf,
}

impl Compose {
    pub(crate) fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// Runs `docker compose -f FILE …` and returns what it printed.
    async fn run(&self, arguments: &[&str]) -> Result<String, Source> {
        let mut command = Command::new("docker");
        command.arg("compose").arg("-f").arg(&self.file).args(arguments).stdin(Stdio::null());
        let output = command.output().await?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into())
        }
    }
}

#[async_trait::async_trait]
impl Orchestrator for Compose {
    async fn stop(&self, node: &Node) -> Result<(), Source> {
        self.run(&["stop", &node.id]).await.map(drop)
    }

    async fn stopped(&self, node: &Node) -> Result<bool, Source> {
        // Also restarting ones count as running: only what compose itself stopped stays down.
        let states = ["--status", "running", "--status", "restarting", "--status", "paused"];
        let running = self.run(&[&["ps", "--quiet"], &states[..], &[&node.id]].concat()).await?;
        Ok(running.trim().is_empty())
    }

    async fn start(&self, node: &Node) -> Result<(), Source> {
        self.run(&["start", &node.id]).await.map(drop)
    }
}
