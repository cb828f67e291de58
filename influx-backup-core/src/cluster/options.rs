//! [`DiscoverOptions`].

use serde::{Deserialize, Serialize};

/// Which cluster to look for, and which of its nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DiscoverOptions {
    /// The cluster id, where it is known (Enterprise).
    pub cluster_id: Option<String>,
    /// The ids of all nodes of the cluster, where they are known.
    pub node_ids: Vec<String>,
    /// Nodes that store nothing.
    pub query_only: Vec<String>,
    /// Nodes to exclude from the backup.
    pub excluded_nodes: Vec<String>,
}

impl DiscoverOptions {
    /// Finds everything.
    #[must_use]
    pub fn auto() -> Self {
        Self::default()
    }

    /// Sets the cluster id.
    #[must_use]
    pub fn with_cluster_id(mut self, id: impl Into<String>) -> Self {
        self.cluster_id = Some(id.into());
        self
    }

    /// Adds a node.
    #[must_use]
    pub fn with_node(mut self, id: impl Into<String>) -> Self {
        self.node_ids.push(id.into());
        self
    }

    /// Adds a node that stores nothing.
    #[must_use]
    pub fn with_query_only(mut self, id: impl Into<String>) -> Self {
        self.query_only.push(id.into());
        self
    }

    /// Adds a node to exclude from the backup.
    #[must_use]
    pub fn with_excluded_node(mut self, id: impl Into<String>) -> Self {
        self.excluded_nodes.push(id.into());
        self
    }
}
