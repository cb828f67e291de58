//! From a [`Survey`] to the cluster or the error: pure.

mod describe;
mod nothing;

use std::collections::BTreeSet;

use super::{prefix::Prefix, survey::Survey};
use crate::cluster::{ClusterDescription, DiscoverOptions, Edition};
use crate::{
    error::{Error, Result},
    layout::{Generation, OWN_DIRECTORY},
};

/// The cluster that was asked for.
///
/// # Errors
/// [`Error::NoCluster`], [`Error::SeveralClusters`], [`Error::NodesRequired`], [`Error::UnknownId`],
/// [`Error::UpgradedEngine`], [`Error::InvalidRequest`].
pub(super) fn decide(survey: &Survey, what: &DiscoverOptions) -> Result<ClusterDescription> {
    check_request(survey, what)?;
    let found = Found::of(survey, what);
    let chosen = choose(survey, what, &found)?;
    refuse_upgraded(survey, &chosen)?;
    Ok(describe::describe(survey, what, &found, &chosen))
}

/// The prefixes that look like parts of clusters.
#[derive(Debug, Default)]
struct Found<'a> {
    /// Prefixes of Enterprise clusters.
    clusters: Vec<&'a str>,
    /// Nodes with a catalog of their own: Core nodes, or promoted ones.
    rooted: Vec<&'a str>,
    /// Nodes without a catalog.
    bare: Vec<&'a str>,
}

/// What was decided.
#[derive(Debug)]
struct Chosen<'a> {
    edition: Edition,
    /// The prefix that holds the catalog.
    owner: &'a str,
    /// The nodes that hold objects, sorted; those excluded by name are not among them.
    nodes: BTreeSet<&'a str>,
}

impl Chosen<'_> {
    /// Whether other clusters share the location.
    fn has_others(&self, found: &Found<'_>) -> bool {
        let rooted_alone = |id: &str| found.rooted.iter().any(|rooted| *rooted != id);
        match self.edition {
            Edition::Core => !found.clusters.is_empty() || rooted_alone(self.owner),
            Edition::Enterprise if found.clusters.contains(&self.owner) => found.clusters.len() > 1,
            Edition::Enterprise => !found.clusters.is_empty() || rooted_alone(self.owner),
        }
    }
}

impl<'a> Found<'a> {
    fn of(survey: &'a Survey, what: &DiscoverOptions) -> Self {
        let mut found = Self::default();
        for (id, prefix) in &survey.prefixes {
            if is_cluster(survey, id, prefix) {
                found.clusters.push(id);
            } else if prefix.catalog.is_some() {
                found.rooted.push(id);
            } else if prefix.is_node() || (!prefix.is_empty() && is_given_node(what, id)) {
                found.bare.push(id);
            }
        }
        found
    }

    /// Everything that looks like a node beside `owner`, and `owner` itself where it does.
    fn nodes_beside(&self, survey: &Survey, owner: &str) -> BTreeSet<&'a str> {
        let owner = self.clusters.iter().filter(|id| **id == owner && survey.prefixes[**id].is_node());
        self.rooted.iter().chain(&self.bare).chain(owner).copied().collect()
    }
}

fn is_given_node(what: &DiscoverOptions, id: &str) -> bool {
    what.node_ids.iter().chain(&what.query_only).chain(&what.excluded_nodes).any(|given| given == id)
}

/// Whether a prefix is that of an Enterprise cluster. Its id may be that of a node, too.
fn is_cluster(survey: &Survey, id: &str, prefix: &Prefix) -> bool {
    if !prefix.enterprise_names().is_empty() {
        return true;
    }
    let Some(catalog) = &prefix.catalog else { return false };
    let bare = |node: &str| {
        let other = survey.prefixes.get(node).filter(|_| node != id);
        other.is_some_and(|other| !other.is_empty() && other.catalog.is_none())
    };
    let named = catalog.contents.nodes.as_deref();
    // Core has one node and no compactor: a catalog that governs another prefix, or lies beside `cs`, is not a Core one.
    if prefix.is_compactor() || named.is_some_and(|named| named.iter().any(|node| bare(node))) {
        return true;
    }
    // A catalog alone: of a Core node that has written nothing yet, or of a cluster.
    !prefix.is_data()
        && match named {
            Some(named) if !named.is_empty() => !named.iter().any(|node| node == id),
            _ => {
                let is_beside = |(other, prefix): (&String, &Prefix)| other != id && prefix.is_node();
                !survey.excluded.is_empty() || survey.prefixes.iter().any(is_beside)
            }
        }
}

/// Refuses ids that contradict one another, or that are the name of the directory for backups' own files.
fn check_request(survey: &Survey, what: &DiscoverOptions) -> Result<()> {
    for id in &what.excluded_nodes {
        if what.node_ids.contains(id) || what.query_only.contains(id) {
            return Err(invalid(
                survey,
                "excluded_nodes",
                format!("node `{id}` is named as a node of the cluster as well"),
            ));
        }
        if what.cluster_id.as_ref() == Some(id) {
            return Err(invalid(survey, "excluded_nodes", format!("`{id}` is the cluster itself")));
        }
    }
    let given = [
        ("cluster_id", what.cluster_id.as_slice()),
        ("node_ids", &what.node_ids),
        ("query_only", &what.query_only),
        ("excluded_nodes", &what.excluded_nodes),
    ];
    for (option, ids) in given {
        if let Some(id) = ids.iter().find(|id| id.split('/').next() == Some(OWN_DIRECTORY)) {
            return Err(invalid(survey, option, format!("`{id}` is where backups keep their own files")));
        }
    }
    Ok(())
}

fn invalid(survey: &Survey, option: &'static str, reason: String) -> Error {
    Error::InvalidRequest { option, reason: format!("{reason} (in `{}`)", survey.location) }
}

fn choose<'a>(survey: &'a Survey, what: &'a DiscoverOptions, found: &Found<'a>) -> Result<Chosen<'a>> {
    if let Some(id) = &what.cluster_id {
        return given_cluster(survey, what, found, id);
    }
    match (&found.clusters[..], &found.rooted[..]) {
        ([], []) => match survey.excluded.first().filter(|_| !survey.prefixes.values().any(Prefix::is_member)) {
            Some(id) => {
                Err(invalid(survey, "excluded_nodes", format!("`{id}` is excluded, and nothing else is a node")))
            }
            None => Err(nothing::explain(survey, what, found)),
        },
        ([], [node]) => core(survey, what, found, node),
        ([], several) => match several.iter().filter(|id| given_node(what, id)).collect::<Vec<_>>()[..] {
            [node] => core(survey, what, found, node),
            _ => Err(several_clusters(survey, found)),
        },
        ([cluster], rooted) => {
            // A Core server of its own beside a cluster, chosen by its node id: the cluster does not know it.
            let own = |id: &&&str| what.node_ids == [**id] && survey.prefixes[*cluster].names(id) == Some(false);
            match rooted.iter().find(own) {
                Some(node) => core(survey, what, found, node),
                None => enterprise(survey, what, found, cluster),
            }
        }
        (several, _) => {
            let names_all = |cluster: &&&str| {
                let names = |node: &String| survey.prefixes[**cluster].names(node) == Some(true);
                !what.node_ids.is_empty() && what.node_ids.iter().all(names)
            };
            match several.iter().filter(names_all).collect::<Vec<_>>()[..] {
                [cluster] => enterprise(survey, what, found, cluster),
                _ => Err(several_clusters(survey, found)),
            }
        }
    }
}

fn given_node(what: &DiscoverOptions, id: &str) -> bool {
    what.node_ids.iter().any(|given| given == id)
}

fn several_clusters(survey: &Survey, found: &Found<'_>) -> Error {
    let mut clusters: Vec<_> = found.clusters.iter().map(|id| (*id).to_owned()).collect();
    let alone = |id: &&&str| found.clusters.iter().all(|cluster| survey.prefixes[*cluster].names(id) != Some(true));
    clusters.extend(found.rooted.iter().filter(alone).map(|id| (*id).to_owned()));
    clusters.sort_unstable();
    Error::SeveralClusters { location: survey.location.clone(), clusters }
}

fn unknown_id(survey: &Survey, kind: &'static str, id: &str) -> Error {
    Error::UnknownId { kind, id: id.to_owned(), location: survey.location.clone() }
}

fn given_cluster<'a>(
    survey: &'a Survey,
    what: &'a DiscoverOptions,
    found: &Found<'a>,
    id: &'a str,
) -> Result<Chosen<'a>> {
    if survey.prefixes.get(id).is_none_or(Prefix::is_empty) {
        return Err(nothing::misplaced(survey).unwrap_or_else(|| unknown_id(survey, "cluster", id)));
    }
    if found.clusters.contains(&id) {
        return enterprise(survey, what, found, id);
    }
    if found.rooted.contains(&id) {
        // It looks like a Core node; the caller says that it is a cluster, whose only node has the same id.
        let nodes = if what.node_ids.is_empty() { BTreeSet::from([id]) } else { given_nodes(survey, what)? };
        let nodes = without_excluded(survey, what, nodes)?;
        return Ok(Chosen { edition: Edition::Enterprise, owner: id, nodes });
    }
    Err(nothing::no_catalog(survey, id))
}

fn core<'a>(survey: &'a Survey, what: &'a DiscoverOptions, found: &Found<'a>, node: &'a str) -> Result<Chosen<'a>> {
    let refuse = |option, reason| Err(invalid(survey, option, reason));
    if let Some(id) = what.query_only.first() {
        return refuse("query_only", format!("`{node}` is a Core node, which has no query nodes such as `{id}`"));
    }
    let given = given_nodes(survey, what)?;
    if what.node_ids.is_empty() || given == BTreeSet::from([node]) {
        let nodes = without_excluded(survey, what, BTreeSet::from([node]))?;
        if nodes.is_empty() {
            return refuse("excluded_nodes", format!("`{node}` is the only node of a Core server"));
        }
        return Ok(Chosen { edition: Edition::Core, owner: node, nodes });
    }
    if given.contains(node) {
        // Several nodes under one catalog: a cluster whose id is that of a node.
        let nodes = without_excluded(survey, what, given)?;
        return Ok(Chosen { edition: Edition::Enterprise, owner: node, nodes });
    }
    Err(nothing::explain(survey, what, found))
}

fn enterprise<'a>(
    survey: &'a Survey,
    what: &'a DiscoverOptions,
    found: &Found<'a>,
    owner: &'a str,
) -> Result<Chosen<'a>> {
    let beside = found.nodes_beside(survey, owner);
    let nodes = if !what.node_ids.is_empty() {
        given_nodes(survey, what)?
    } else if let [_] = &found.clusters[..] {
        beside
    } else {
        let catalog = survey.prefixes[owner].catalog.as_ref();
        let readable = catalog.filter(|catalog| catalog.live() != Some(Generation::V3));
        let Some(named) = readable.and_then(|catalog| catalog.contents.nodes.as_ref()) else {
            let candidates = beside.into_iter().map(ToOwned::to_owned).collect();
            let location = survey.location.clone();
            let cluster = owner.to_owned();
            return Err(Error::NodesRequired { location, cluster, candidates });
        };
        beside.into_iter().filter(|id| named.iter().any(|node| node == id)).collect()
    };
    if survey.prefixes[owner].catalog.is_none() && nodes.is_empty() {
        return Err(nothing::no_catalog(survey, owner));
    }
    let nodes = without_excluded(survey, what, nodes)?;
    Ok(Chosen { edition: Edition::Enterprise, owner, nodes })
}

/// The nodes given that hold objects; the others must have been declared query-only.
fn given_nodes<'a>(survey: &'a Survey, what: &'a DiscoverOptions) -> Result<BTreeSet<&'a str>> {
    let stores = |id: &str| survey.prefixes.get(id).is_some_and(|prefix| !prefix.is_empty());
    let mut nodes = BTreeSet::new();
    for id in &what.node_ids {
        if stores(id) {
            nodes.insert(id.as_str());
        } else if !what.query_only.contains(id) {
            return Err(unknown_id(survey, "node", id));
        }
    }
    // A node that was declared query-only and holds objects nevertheless is never dropped.
    nodes.extend(what.query_only.iter().map(String::as_str).filter(|id| stores(id)));
    Ok(nodes)
}

fn without_excluded<'a>(
    survey: &Survey,
    what: &DiscoverOptions,
    mut nodes: BTreeSet<&'a str>,
) -> Result<BTreeSet<&'a str>> {
    for id in &what.excluded_nodes {
        // What a catalog names counts as known, objects or not.
        let named = survey.prefixes.values().any(|prefix| prefix.names(id) == Some(true));
        if !named && !survey.excluded.contains(id) {
            return Err(unknown_id(survey, "node", id));
        }
        nodes.remove(id.as_str());
    }
    Ok(nodes)
}

/// Refuses a cluster that shows the upgraded engine, at its own prefix or at one of its nodes.
fn refuse_upgraded(survey: &Survey, chosen: &Chosen<'_>) -> Result<()> {
    let owner = &survey.prefixes[chosen.owner];
    let prefixes = chosen.nodes.iter().map(|id| &survey.prefixes[*id]).chain([owner]);
    let backups = chosen.edition == Edition::Enterprise && owner.level.has_directory("backups");
    let evidence: BTreeSet<String> = prefixes
        .flat_map(|prefix| prefix.markers.iter().map(|marker| format!("`{marker}`")))
        .chain(backups.then(|| format!("`{}/backups`", chosen.owner)))
        .chain(owner.catalog.iter().filter_map(|catalog| {
            let mode = catalog.upgraded_mode.as_ref()?;
            Some(format!("storage mode {mode} in `{}`", catalog.shown_by))
        }))
        .collect();
    if evidence.is_empty() {
        return Ok(());
    }
    let evidence = evidence.into_iter().take(3).collect::<Vec<_>>().join(", ");
    Err(Error::UpgradedEngine { location: survey.location.clone(), evidence })
}

#[cfg(test)]
mod tests;
