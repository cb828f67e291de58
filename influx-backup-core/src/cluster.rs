//! [`Cluster`]: what discovery found at a location, with the evidence.

mod options;
mod show;

use serde::{Deserialize, Serialize};

pub(crate) use self::options::Around;
pub use self::options::DiscoverOptions;

use crate::{
    finding::Finding,
    key::Key,
    layout::{Component, Generation},
    location::{Identity, Location},
    named::named,
};

/// Which InfluxDB 3 this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Edition {
    /// One node, its catalog below its own prefix.
    Core,
    /// Several nodes, the catalog below the cluster's prefix.
    Enterprise,
}

named!(Edition, "edition", { Core => "core", Enterprise => "enterprise" });

/// What a node does, as far as the store shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// It writes WAL, snapshots and Parquet.
    Data,
    /// It compacts: `cs`, `cd`, `c`.
    Compactor,
    /// It stores nothing.
    QueryOnly,
}

named!(Role, "role of a node", { Data => "data", Compactor => "compactor", QueryOnly => "query_only" });

/// One node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// Its id, which is also its prefix. May contain `/`.
    pub id: String,
    /// What it does, sorted.
    pub roles: Vec<Role>,
}

impl Node {
    /// A node with these roles.
    #[must_use]
    pub fn new(id: impl Into<String>, roles: impl Into<Vec<Role>>) -> Self {
        Self { id: id.into(), roles: roles.into() }
    }

    /// Whether it has this role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
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

/// One generation of the catalog that the store has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FoundGeneration {
    /// Which one.
    pub generation: Generation,
    /// Whether it is the one that a server loads, or a frozen older one.
    pub state: GenerationState,
}

/// Whether a server uses a generation of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GenerationState {
    /// In use.
    Live,
    /// Frozen by an upgrade: its last log is a terminator.
    Terminated,
}

named!(GenerationState, "state of a generation", {
    Live => "live",
    Terminated => "terminated",
});

/// A node that the catalog names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogNode {
    /// Its id.
    pub id: String,
    /// Whether the store has objects under it.
    pub in_store: bool,
}

/// A cluster at a location, as discovery found it.
#[derive(Debug, Clone)]
pub struct Cluster {
    location: Location,
    description: ClusterDescription,
    /// How it was found; `None` where the caller described it.
    pub(crate) looked_for: Option<(DiscoverOptions, Around)>,
}

/// What a manifest keeps of a cluster: all of it but the location's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterDescription {
    /// The location as a URL.
    pub location: String,
    /// Who keeps the objects: what licenses were bound to before 3.10.
    pub identity: Identity,
    /// Core or Enterprise.
    pub edition: Edition,
    /// The cluster id; `None` for Core.
    pub cluster_id: Option<String>,
    /// The nodes, sorted by id.
    pub nodes: Vec<Node>,
    /// The generations of the catalog found, oldest first.
    pub catalogs: Vec<FoundGeneration>,
    /// Node ids that the catalog names, or `None` where it cannot be read.
    pub catalog_nodes: Option<Vec<CatalogNode>>,
    /// Node ids that the caller excluded by name.
    pub excluded_nodes: Vec<String>,
    /// Prefixes that look like nodes of this cluster, or of none, and are neither among its nodes nor excluded by name.
    #[serde(default)]
    pub unclaimed_nodes: Vec<String>,
    /// License files, by key.
    pub licenses: Vec<Key>,
    /// Names that belong to no node and not to the cluster (the prefixes of other clusters, too): not copied.
    pub foreign: Vec<String>,
    /// Names below a node or the cluster that this release does not know: copied and reported.
    pub unknown: Vec<String>,
    /// What was found that stops nothing.
    pub notes: Vec<Finding>,
    /// How the cluster was recognized, for a person.
    pub evidence: Vec<String>,
}

impl Cluster {
    /// A cluster from its parts: for callers that know theirs and for tests. [`discover`](crate::discover()) finds it.
    #[must_use]
    pub fn new(location: Location, description: ClusterDescription) -> Self {
        Self { location, description, looked_for: None }
    }

    /// Remembers how it was found.
    pub(crate) fn found_by(mut self, what: DiscoverOptions, around: Around) -> Self {
        self.looked_for = Some((what, around));
        self
    }

    /// Where it lives.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Everything discovery found.
    #[must_use]
    pub fn description(&self) -> &ClusterDescription {
        &self.description
    }

    /// The same cluster, reached by another view of its location.
    pub(crate) fn with_location(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// With only these of its nodes.
    pub(crate) fn with_nodes(mut self, which: impl Fn(&Node) -> bool) -> Self {
        self.description.nodes.retain(which);
        self
    }

    /// With the nodes of `before` that are no longer there: a backup does not lose a node because its prefix disappeared.
    pub(crate) fn keeping(mut self, before: &Self) -> Self {
        let nodes = &mut self.description.nodes;
        let gone: Vec<_> = before.nodes().iter().filter(|node| nodes.iter().all(|left| left.id != node.id)).collect();
        nodes.extend(gone.into_iter().cloned());
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        self
    }
}

/// The questions asked most; [`description`](Cluster::description) answers the others.
impl Cluster {
    /// See [`ClusterDescription::id`].
    #[must_use]
    pub fn id(&self) -> &str {
        self.description.id()
    }

    /// Core or Enterprise.
    #[must_use]
    pub fn edition(&self) -> Edition {
        self.description.edition
    }

    /// The nodes, sorted by id.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.description.nodes
    }

    /// What was found that stops nothing.
    #[must_use]
    pub fn notes(&self) -> &[Finding] {
        &self.description.notes
    }

    /// See [`ClusterDescription::catalog_prefix`].
    #[must_use]
    pub fn catalog_prefix(&self) -> &str {
        self.description.catalog_prefix()
    }

    /// See [`ClusterDescription::stored_nodes`].
    pub fn stored_nodes(&self) -> impl Iterator<Item = &Node> {
        self.description.stored_nodes()
    }

    /// See [`ClusterDescription::compactors`].
    pub fn compactors(&self) -> impl Iterator<Item = &Node> {
        self.description.compactors()
    }

    /// See [`ClusterDescription::classify`].
    #[must_use]
    pub fn classify(&self, key: &Key) -> Option<Classification<'_>> {
        self.description.classify(key)
    }

    /// See [`ClusterDescription::is_node`].
    #[must_use]
    pub fn is_node(&self, id: &str) -> bool {
        self.description.is_node(id)
    }
}

impl ClusterDescription {
    /// A cluster with these ids at a location, and with nothing else in it. Core has no cluster id.
    #[must_use]
    pub fn new(location: impl Into<String>, identity: Identity, cluster_id: Option<String>, nodes: Vec<Node>) -> Self {
        Self {
            location: location.into(),
            identity,
            edition: if cluster_id.is_some() { Edition::Enterprise } else { Edition::Core },
            cluster_id,
            nodes,
            catalogs: Vec::new(),
            catalog_nodes: None,
            excluded_nodes: Vec::new(),
            unclaimed_nodes: Vec::new(),
            licenses: Vec::new(),
            foreign: Vec::new(),
            unknown: Vec::new(),
            notes: Vec::new(),
            evidence: Vec::new(),
        }
    }

    /// The prefix that holds the live catalog: the cluster's, or for Core the node's.
    #[must_use]
    pub fn catalog_prefix(&self) -> &str {
        match (&self.cluster_id, self.nodes.first()) {
            (Some(id), _) => id,
            (None, Some(node)) => &node.id,
            (None, None) => "",
        }
    }

    /// The name to show: the cluster id, or for Core the node id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.catalog_prefix()
    }

    /// The nodes that keep objects.
    pub fn stored_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| !node.is(Role::QueryOnly))
    }

    /// The nodes that compact.
    pub fn compactors(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.is(Role::Compactor))
    }

    /// Whose object this is and what kind it is, or `None` for a key outside every prefix of the cluster.
    ///
    /// The longest prefix wins where ids contain `/`, also where it is that of an excluded node. Where the cluster id equals a node id, or for Core, the
    /// component decides: catalog, licenses and `enterprise` are the cluster's.
    #[must_use]
    pub fn classify(&self, key: &Key) -> Option<Classification<'_>> {
        let skipped = self.excluded_nodes.iter().map(String::as_str);
        let longest = self.prefixes().chain(skipped).filter(|prefix| key.below(prefix).is_some());
        let owner = longest.max_by_key(|prefix| prefix.len()).filter(|owner| self.prefixes().any(|id| id == *owner))?;
        let component = Component::of(key.below(owner)?);
        let of_cluster = owner == self.catalog_prefix() && (component.is_cluster_wide() || !self.is_node(owner));
        Some(Classification { owner, node: (!of_cluster).then_some(owner), component })
    }

    /// The prefixes of the cluster's objects.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &str> + Clone {
        self.nodes.iter().map(|node| node.id.as_str()).chain(self.cluster_id.as_deref())
    }

    /// The generation of the catalog that a server loads: the newest that no terminator closes.
    #[must_use]
    pub fn live_catalog(&self) -> Option<Generation> {
        let live = self.catalogs.iter().rev().find(|found| found.state == GenerationState::Live);
        live.map(|found| found.generation)
    }

    /// Whether `id` is one of the nodes.
    #[must_use]
    pub fn is_node(&self, id: &str) -> bool {
        self.nodes.iter().any(|node| node.id == id)
    }
}

/// Whose an object is, and what kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classification<'a> {
    /// The prefix that it lies under.
    pub owner: &'a str,
    /// The node it belongs to; `None` for what belongs to the whole cluster.
    pub node: Option<&'a str>,
    /// What kind it is.
    pub component: Component,
}

impl Classification<'_> {
    /// The component as the backup treats it: a catalog below a promoted node is stale, so it is only kept.
    #[must_use]
    pub fn kind(&self) -> Component {
        if self.node.is_some() && self.component.is_cluster_wide() { Component::Other } else { self.component }
    }
}
