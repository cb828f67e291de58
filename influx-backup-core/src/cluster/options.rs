//! [`DiscoverOptions`].

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoverOptions {
    /// The cluster id, where it is known (Enterprise).
    pub cluster_id: Option<String>,
    /// The node ids, where they are known. All of the cluster's.
    pub node_ids: Vec<String>,
    /// Nodes that store nothing.
    pub query_only: Vec<String>,
    /// Nodes to leave out of the backup, by name.
    pub leave_out: Vec<String>,
}

impl DiscoverOptions {
    /// Find everything.
    #[must_use]
    pub fn auto() -> Self {
        Self::default()
    }

    /// This cluster.
    #[must_use]
    pub fn with_cluster_id(mut self, id: impl Into<String>) -> Self {
        self.cluster_id = Some(id.into());
        self
    }

    /// This node, and the others named.
    #[must_use]
    pub fn with_node(mut self, id: impl Into<String>) -> Self {
        self.node_ids.push(id.into());
        self
    }

    /// This node stores nothing.
    #[must_use]
    pub fn with_query_only(mut self, id: impl Into<String>) -> Self {
        self.query_only.push(id.into());
        self
    }

    /// Leave this node out of the backup.
    #[must_use]
    pub fn with_excluded_node(mut self, id: impl Into<String>) -> Self {
        self.leave_out.push(id.into());
        self
    }
}
