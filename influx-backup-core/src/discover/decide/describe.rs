//! From the decision to the [`ClusterDescription`]: roles, catalogs, what else is there, notes, evidence.

use std::collections::BTreeSet;

use super::{Chosen, Found};
use crate::{
    cluster::{CatalogNode, ClusterDescription, DiscoverOptions, Edition, GenerationState, Node, Role},
    discover::{
        prefix::{KeyShape, Prefix},
        survey::Survey,
    },
    finding::{Finding, FindingCode},
    key::Key,
    layout::OWN_DIRECTORY,
};

pub(super) fn describe(
    survey: &Survey,
    what: &DiscoverOptions,
    found: &Found<'_>,
    chosen: &Chosen<'_>,
) -> ClusterDescription {
    let view = View { survey, what, found, chosen };
    let owner = view.owner();
    let licenses = owner.licenses().into_iter().filter_map(|name| Key::parse(format!("{}/{name}", chosen.owner)).ok());
    ClusterDescription {
        location: survey.location.clone(),
        identity: survey.identity.clone(),
        edition: chosen.edition,
        cluster_id: (chosen.edition == Edition::Enterprise).then(|| chosen.owner.to_owned()),
        nodes: view.nodes(),
        catalogs: owner.catalog.iter().flat_map(|catalog| catalog.generations.clone()).collect(),
        catalog_nodes: view.catalog_nodes(),
        excluded_nodes: view.skipped(),
        unclaimed_nodes: view.unclaimed(),
        licenses: licenses.collect(),
        foreign: view.foreign(),
        unknown: view.unknown(),
        notes: view.notes(),
        evidence: view.evidence(),
    }
}

struct View<'a> {
    survey: &'a Survey,
    what: &'a DiscoverOptions,
    found: &'a Found<'a>,
    chosen: &'a Chosen<'a>,
}

impl View<'_> {
    fn prefix(&self, id: &str) -> &Prefix {
        &self.survey.prefixes[id]
    }

    fn owner(&self) -> &Prefix {
        self.prefix(self.chosen.owner)
    }

    fn stores(&self, id: &str) -> bool {
        let is_there = self.survey.prefixes.get(id).is_some_and(|prefix| !prefix.is_empty());
        is_there || self.survey.excluded.contains(id)
    }

    /// The prefixes whose objects are the cluster's, sorted.
    fn members(&self) -> BTreeSet<&str> {
        self.chosen.nodes.iter().copied().chain([self.chosen.owner]).collect()
    }

    fn nodes(&self) -> Vec<Node> {
        let stored = self.chosen.nodes.iter().map(|id| Node { id: (*id).to_owned(), roles: self.prefix(id).roles() });
        let query = self.what.query_only.iter().filter(|id| !self.stores(id));
        let mut nodes: Vec<_> =
            stored.chain(query.map(|id| Node { id: id.clone(), roles: vec![Role::QueryOnly] })).collect();
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        nodes.dedup_by(|a, b| a.id == b.id);
        nodes
    }

    fn catalog_nodes(&self) -> Option<Vec<CatalogNode>> {
        let named = self.owner().catalog.as_ref()?.contents.nodes.as_ref()?;
        Some(named.iter().map(|id| CatalogNode { id: id.clone(), in_store: self.stores(id) }).collect())
    }

    fn skipped(&self) -> Vec<String> {
        let ids: BTreeSet<&String> = self.what.excluded_nodes.iter().collect();
        ids.into_iter().cloned().collect()
    }

    /// Prefixes that look like nodes of this cluster or of none. Where several clusters share the location, only those
    /// that the cluster's own catalog names: the others are the other clusters'.
    fn unclaimed(&self) -> Vec<String> {
        let named = self.owner().catalog.iter().flat_map(|catalog| &catalog.contents.nodes).flatten();
        let named = named.map(String::as_str).filter(|id| self.stores(id));
        let found = self.found.rooted.iter().chain(&self.found.bare).copied();
        let found = found.filter(|_| !self.chosen.has_others(self.found));
        let members = self.members();
        let taken = |id: &&str| members.contains(id) || self.what.excluded_nodes.iter().any(|left| left == id);
        let unclaimed: BTreeSet<&str> = named.chain(found).filter(|id| !taken(id)).collect();
        unclaimed.into_iter().map(ToOwned::to_owned).collect()
    }

    /// Names that belong to no node and not to the cluster, at the top and beside ids that contain `/`.
    fn foreign(&self) -> Vec<String> {
        let ids: BTreeSet<&str> =
            self.members().into_iter().chain(self.what.excluded_nodes.iter().map(String::as_str)).collect();
        let leads_to =
            |name: &str| ids.iter().any(|id| id.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')));
        let top = self.survey.top.directories.iter().chain(&self.survey.top.files).cloned();
        let beside =
            self.survey.parents.iter().filter(|(parent, _)| !is_inside(parent, &ids)).flat_map(|(parent, level)| {
                level.directories.iter().chain(&level.files).map(move |name| format!("{parent}/{name}"))
            });
        let empty = |name: &String| self.survey.prefixes.get(name).is_some_and(Prefix::is_empty);
        let mut foreign: Vec<_> = top
            .filter(|name| name != OWN_DIRECTORY)
            .chain(beside)
            .filter(|name| !ids.contains(name.as_str()) && !leads_to(name) && !empty(name))
            .collect();
        foreign.sort_unstable();
        foreign
    }

    fn unknown(&self) -> Vec<String> {
        let members = self.members();
        let other = |key: &String| {
            // The way to a nested id is not unknown, nor is what lies in it.
            !members
                .iter()
                .any(|id| id == key || id.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        let below = |id: &&str| {
            let id = (*id).to_owned();
            self.prefix(&id).unknown().into_iter().map(move |name| format!("{id}/{name}")).collect::<Vec<_>>()
        };
        members.iter().flat_map(below).filter(other).collect()
    }

    fn notes(&self) -> Vec<Finding> {
        let mut notes = self.id_notes();
        notes.extend(self.node_notes());
        notes.extend(self.catalog_notes());
        notes.extend(self.own_directory_notes());
        notes
    }

    /// One id for a node and the cluster.
    fn id_notes(&self) -> Vec<Finding> {
        let owner = self.chosen.owner;
        if self.chosen.edition != Edition::Enterprise || !self.chosen.nodes.contains(owner) {
            return Vec::new();
        }
        let message = format!("`{owner}` is the cluster id and a node id: InfluxDB asks for different ones");
        vec![note(FindingCode::ClusterIdIsNodeId, message)]
    }

    /// Nodes that the catalog, the caller and the store do not agree about.
    fn node_notes(&self) -> Vec<Finding> {
        let owner = self.chosen.owner;
        let mut notes = Vec::new();
        for id in self.chosen.nodes.iter().filter(|id| **id != owner) {
            if self.prefix(id).catalog.is_some() {
                let message =
                    format!("node `{id}` was a Core node: its own catalog is stale, that of cluster `{owner}` counts");
                notes.push(note(FindingCode::StaleCatalog, message).with_node(*id));
            }
            if self.owner().names(id) == Some(false) {
                let message = format!(
                    "the catalog of `{owner}` does not name node `{id}`: if it is not one of its nodes, exclude it by name"
                );
                notes.push(note(FindingCode::NodeNotInCatalog, message).with_node(*id));
            }
        }
        for named in self.catalog_nodes().into_iter().flatten().filter(|named| !named.in_store) {
            let id = named.id;
            if !self.what.query_only.contains(&id) && !self.what.excluded_nodes.contains(&id) {
                let message = format!(
                    "the catalog of `{owner}` names node `{id}`, which has no objects: declare it query-only if it stores \
                     nothing"
                );
                notes.push(note(FindingCode::NodeWithoutObjects, message).with_node(id));
            }
        }
        for id in self.what.query_only.iter().filter(|id| self.stores(id)) {
            let message = format!("node `{id}` was declared query-only and has objects: they are copied");
            notes.push(note(FindingCode::QueryOnlyStores, message).with_node(id));
        }
        for id in self.unclaimed() {
            let message =
                format!("`{id}` looks like a node and is neither given nor found: name it, or exclude it by name");
            notes.push(note(FindingCode::UnclaimedNode, message).with_node(id));
        }
        notes
    }

    /// What is missing or wrong in the cluster's catalog.
    fn catalog_notes(&self) -> Vec<Finding> {
        let owner = self.chosen.owner;
        let Some(catalog) = &self.owner().catalog else {
            let message = format!("`{owner}` has no catalog: a server would start empty on it");
            return vec![note(FindingCode::NoCatalog, message)];
        };
        let mut notes = Vec::new();
        if catalog.live().is_none() {
            let message = "every generation of the catalog is closed by a terminator: the newer one is missing";
            notes.push(note(FindingCode::NoLiveCatalog, message));
        }
        notes.extend(catalog.damaged.iter().map(|damage| note(FindingCode::CatalogDamaged, damage)));
        if catalog.contents.nodes.is_none() {
            let message =
                format!("the nodes that the catalog of `{owner}` names cannot be read: check that all are here");
            notes.push(note(FindingCode::CatalogNodesUnreadable, message));
        }
        notes
    }

    /// What `_influx_backup` beside the prefixes means.
    fn own_directory_notes(&self) -> Vec<Finding> {
        let own = &self.survey.own;
        let mut notes = Vec::new();
        if own.has_file("restore.json") {
            let message = "the target of a restore that is not finished: resume or abandon it";
            notes.push(note(FindingCode::RestoreUnfinished, message));
        }
        if own.has_file("manifest.json") {
            notes.push(note(FindingCode::IsBackup, "this is a finished backup, not a location that servers use"));
        } else if own.files.iter().any(|file| file.starts_with("claim")) {
            notes.push(note(FindingCode::BackupUnfinished, "this is a backup that is not finished"));
        }
        notes
    }

    fn evidence(&self) -> Vec<String> {
        let chosen = self.chosen;
        let owner = chosen.owner;
        let mut evidence = Vec::new();
        let catalog = self.owner().catalog.as_ref();
        let shown = catalog.map(|catalog| catalog.shown_by.clone());
        let beside: Vec<String> = match chosen.edition {
            Edition::Core => self.owner().data_names(),
            Edition::Enterprise => self.owner().enterprise_names(),
        }
        .into_iter()
        .map(|name| format!("{owner}/{name}"))
        .collect();
        let what = match chosen.edition {
            Edition::Core => "a Core node",
            Edition::Enterprise => "an Enterprise cluster",
        };
        let keys: Vec<_> = shown.into_iter().chain(beside).collect();
        evidence.push(makes(&keys, owner, what));
        for found in catalog.iter().flat_map(|catalog| &catalog.generations) {
            let state = match found.state {
                GenerationState::Live if catalog.and_then(|c| c.live()) == Some(found.generation) => {
                    "is the one that a server loads"
                }
                GenerationState::Live => "is older and not closed by a terminator",
                GenerationState::Terminated => "is frozen: its last log is a terminator",
            };
            evidence.push(format!("catalog {} of `{owner}` {state}", found.generation));
        }
        if let Some(contents) = catalog.map(|catalog| &catalog.contents) {
            let list = |names: &Option<Vec<String>>| names.as_ref().map(|names| quoted(names)).unwrap_or_default();
            if contents.nodes.as_ref().is_some_and(|nodes| !nodes.is_empty()) {
                evidence.push(format!("the catalog of `{owner}` names the nodes {}", list(&contents.nodes)));
            }
            if contents.databases.as_ref().is_some_and(|databases| !databases.is_empty()) {
                evidence.push(format!("the catalog of `{owner}` names the databases {}", list(&contents.databases)));
            }
        }
        for id in &chosen.nodes {
            let prefix = self.prefix(id);
            let below = |names: Vec<&str>| names.into_iter().map(|name| format!("{id}/{name}")).collect::<Vec<_>>();
            if chosen.edition == Edition::Enterprise && prefix.is_data() {
                evidence.push(makes(&below(prefix.data_names()), id, "a node"));
            }
            if prefix.is_compactor() {
                evidence.push(makes(&below(prefix.compactor_names()), id, "a compactor"));
            }
            for shape in &prefix.shapes {
                evidence.push(match shape {
                    KeyShape::ByName => format!("`{id}/dbs` has keys by name (written by 3.0 to 3.5)"),
                    KeyShape::ById => format!("`{id}/dbs` has keys by number (written by 3.6 and later)"),
                });
            }
        }
        evidence
    }
}

fn note(code: FindingCode, message: impl Into<String>) -> Finding {
    Finding::new(code, message)
}

fn is_inside(name: &str, ids: &BTreeSet<&str>) -> bool {
    let below = |id: &&str| name.strip_prefix(*id).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ids.iter().any(below)
}

fn makes(keys: &[String], id: &str, what: &str) -> String {
    let verb = if keys.len() == 1 { "makes" } else { "make" };
    format!("{} {verb} {id} {what}", quoted(keys))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
