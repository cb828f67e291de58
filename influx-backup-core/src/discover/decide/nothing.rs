//! Why there is no cluster: what was looked for, what is there instead, what to do.

use super::Found;
use crate::{
    discover::{Discover, prefix::Prefix, survey::Survey},
    error::Error,
    layout::{self, Component},
    manifest::OWN_DIRECTORY,
};

const LOOKED_FOR: &str = "the prefix of a node or a cluster with a catalog below it (`<id>/catalog/v3/snapshot`, \
                          `<id>/catalog/v2/snapshot` or `<id>/_catalog_checkpoint`)";

/// How many names a message shows.
const SHOWN: usize = 5;

/// The error for a location without any cluster.
pub(super) fn explain(survey: &Survey, what: &Discover, found: &Found<'_>) -> Error {
    let here = || shown(survey.top.directories.iter().chain(&survey.top.files));
    let backups: Vec<&String> = backups(survey).collect();
    let marked = survey.prefixes.values().find(|prefix| !prefix.markers.is_empty() && prefix.is_member());
    let (deep, levels) = (too_deep(survey), |n: usize| if n == 1 { "one level" } else { "two levels" });
    if let (Some(prefix), true) = (marked, found.rooted.is_empty()) {
        let evidence = shown(prefix.markers.iter());
        return Error::UpgradedEngine { location: survey.location.clone(), evidence };
    }
    let found = if let Some(id) = unknown_node(survey, what) {
        return super::unknown_id(survey, "node", id);
    } else if !found.bare.is_empty() {
        format!(
            "nodes without a catalog ({}): the prefix of their cluster is missing here, or the nodes' own `catalog`; give \
             the location that holds both",
            shown(found.bare.iter())
        )
    } else if let Some((what, up)) = deep {
        format!("{what} ({}): a level too deep, give the directory {} up", here(), levels(up))
    } else if !backups.is_empty() {
        format!(
            "a repository of backups ({}): a source is the location that InfluxDB itself uses; to restore or verify, name \
             one backup",
            shown(backups.into_iter())
        )
    } else if !survey.below.is_empty() {
        let parents = survey.below.iter().filter_map(|id| id.split_once('/')).map(|(parent, _)| parent.to_owned());
        let parents: std::collections::BTreeSet<String> = parents.collect();
        format!(
            "{} one level down: a level too shallow, give `{}`",
            shown(survey.below.iter()),
            parents.iter().map(|name| format!("{}/{name}", survey.location)).collect::<Vec<_>>().join("` or `")
        )
    } else if !survey.own.is_empty() {
        format!(
            "the start of a backup without any object (`{OWN_DIRECTORY}`): resume it, or give InfluxDB's own location"
        )
    } else if survey.prefixes.values().all(Prefix::is_empty) && survey.top.files.is_empty() {
        "nothing: check the path or prefix, and that the server has been started on it once".to_owned()
    } else {
        format!("names that are not InfluxDB's ({}): check the path or prefix", here())
    };
    Error::NoCluster { location: survey.location.clone(), looked_for: LOOKED_FOR.to_owned(), found }
}

/// The error for a given cluster id below which there is no catalog.
pub(super) fn no_catalog(survey: &Survey, id: &str) -> Error {
    let prefix = &survey.prefixes[id];
    let names = shown(prefix.level.directories.iter().chain(&prefix.level.files));
    let advice = if prefix.is_node() {
        "this is a node: give the id of its cluster, or none"
    } else {
        "check the cluster id; without its catalog a cluster cannot be restored"
    };
    Error::NoCluster {
        location: survey.location.clone(),
        looked_for: format!("the catalog of cluster `{id}` (`{id}/catalog` or `{id}/_catalog_checkpoint`)"),
        found: format!("{names} below `{id}`; {advice}"),
    }
}

fn unknown_node<'a>(survey: &Survey, what: &'a Discover) -> Option<&'a str> {
    let nodes = what.node_ids.iter().filter(|id| !what.query_only.contains(id)).map(String::as_str);
    let missing = |id: &&str| survey.prefixes.get(*id).is_none_or(Prefix::is_empty);
    nodes.into_iter().find(missing).filter(|_| !survey.top.is_empty())
}

/// Top-level names that are backups of ours.
fn backups(survey: &Survey) -> impl Iterator<Item = &String> {
    survey.prefixes.iter().filter(|(_, prefix)| prefix.level.has_directory(OWN_DIRECTORY)).map(|(id, _)| id)
}

/// What the location is, where it lies inside a node or a cluster, and how many levels it is too deep.
fn too_deep(survey: &Survey) -> Option<(String, usize)> {
    let components = survey.top.names(|component| component != Component::Other);
    if !components.is_empty() {
        return Some(("what lies below a node or a cluster".to_owned(), 1));
    }
    let last = survey.location.rsplit('/').next().unwrap_or_default();
    let directory = match survey.top.files.first().map(String::as_str) {
        Some(name) if layout::wal_number(name).is_some() => "wal",
        Some(name) if layout::snapshot_sequence(name).is_some() => "snapshots",
        Some(name) if layout::catalog_log_sequence(name).is_some() && last == "catalogs" => "catalogs",
        _ if survey.top.directories.iter().any(|name| name == "v2" || name == "v3") => "catalog",
        _ if Component::of(&format!("{last}/_")) != Component::Other => last,
        _ => return None,
    };
    (!survey.top.is_empty()).then(|| (format!("the `{directory}` of a node or a cluster"), 2))
}

fn shown<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`").replace("``", "`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    let first = names[..names.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}
