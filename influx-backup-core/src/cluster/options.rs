//! [`DiscoverOptions`].

use serde::{Deserialize, Serialize};

/// Which cluster to look for, and which of its nodes. Where both the cluster id and the node ids are given, nothing but their
/// prefixes is looked at.
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

/// Whether what lies beside the prefixes of a cluster is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// It is: other nodes and clusters may lie there.
    Seen,
    /// It is not: the caller named the cluster and its nodes.
    Unseen,
}

impl Around {
    /// What these options of a caller mean.
    pub(crate) fn of(what: &DiscoverOptions) -> Self {
        if what.cluster_id.is_some() && !what.node_ids.is_empty() { Self::Unseen } else { Self::Seen }
    }
}
