//! Why there is no cluster: what was looked for, what is there instead, what to do.

use std::collections::BTreeSet;

use super::Found;
use crate::{
    cluster::DiscoverOptions,
    discover::{prefix::Prefix, survey::Survey},
    error::Error,
    layout::{self, Component, OWN_DIRECTORY},
};

const LOOKED_FOR: &str = "the prefix of a node or a cluster with a catalog below it (`<id>/catalog/v3/snapshot`, \
                          `<id>/catalog/v2/snapshot` or `<id>/_catalog_checkpoint`)";

/// How many names a message shows.
const SHOWN: usize = 5;

/// The error for a location without any cluster.
pub(super) fn explain(survey: &Survey, what: &DiscoverOptions, found: &Found<'_>) -> Error {
    let marked = survey.prefixes.values().find(|prefix| !prefix.markers.is_empty() && prefix.is_node());
    if let (Some(prefix), true) = (marked, found.rooted.is_empty()) {
        let evidence = shown(prefix.markers.iter());
        return Error::UpgradedEngine { location: survey.location.clone(), evidence };
    }
    if let Some(error) = misplaced(survey) {
        return error;
    }
    if let Some(id) = unknown_node(survey, what) {
        return super::unknown_id(survey, "node", id);
    }
    let found = if found.bare.is_empty() {
        let names = shown(survey.top.directories.iter().chain(&survey.top.files));
        format!("names that are not InfluxDB's ({names}); check the path or prefix")
    } else {
        format!(
            "nodes without a catalog ({}); give the location that holds the prefix of their cluster as well, or their \
             own `catalog`",
            shown(found.bare.iter())
        )
    };
    no_cluster(survey, found)
}

/// The error for a location that is plainly not the right one: empty, at another level, or full of backups.
pub(super) fn misplaced(survey: &Survey) -> Option<Error> {
    if survey.prefixes.values().any(Prefix::is_member) {
        return None;
    }
    let backups: Vec<&String> = backups(survey).collect();
    let found = if let Some((what, up)) = too_deep(survey) {
        let names = shown(survey.top.directories.iter().chain(&survey.top.files));
        format!("{what} ({names}), which is too deep; give the directory {up} up")
    } else if !backups.is_empty() {
        let names = shown(backups.into_iter());
        format!(
            "a repository of backups ({names}); a source is the location that InfluxDB itself uses, and to verify or \
             restore, one backup is named"
        )
    } else if !survey.below.is_empty() {
        let parents = survey.below.iter().filter_map(|id| Some(id.rsplit_once('/')?.0));
        let parents: BTreeSet<String> = parents.map(|name| format!("{}/{name}", survey.location)).collect();
        let names = shown(survey.below.iter());
        let parents = shown(parents.iter());
        format!(
            "{names} one level down, so this is too shallow; give {parents}, or the ids if they are meant to contain `/`"
        )
    } else if !survey.own.is_empty() && survey.top.directories == [OWN_DIRECTORY] {
        let what = if survey.own.has_file("restore.json") {
            "the target of a restore that has written no object yet"
        } else {
            "a backup that holds no object"
        };
        format!("{what} (`{OWN_DIRECTORY}` alone); resume it, or give InfluxDB's own location")
    } else if survey.prefixes.values().all(Prefix::is_empty) && survey.top.files.is_empty() {
        "nothing; check the path or prefix, and that a server was started on it once".to_owned()
    } else {
        return None;
    };
    Some(no_cluster(survey, found))
}

fn no_cluster(survey: &Survey, found: String) -> Error {
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

fn unknown_node<'a>(survey: &Survey, what: &'a DiscoverOptions) -> Option<&'a str> {
    let mut nodes = what.node_ids.iter().filter(|id| !what.query_only.contains(id)).map(String::as_str);
    let missing = |id: &&str| survey.prefixes.get(*id).is_none_or(Prefix::is_empty);
    nodes.find(missing)
}

/// Top-level names that are finished backups.
fn backups(survey: &Survey) -> impl Iterator<Item = &String> {
    survey.prefixes.iter().filter(|(_, prefix)| prefix.level.has_directory(OWN_DIRECTORY)).map(|(id, _)| id)
}

/// What the location is, where it lies inside a node or a cluster, and how far up the right one is.
fn too_deep(survey: &Survey) -> Option<(String, &'static str)> {
    let top = &survey.top;
    if top.known() > 0 {
        return Some(("what lies below a node or a cluster".to_owned(), "one level"));
    }
    let last = survey.location.rsplit('/').next().unwrap_or_default();
    let (directory, up) = match top.files.first().map(String::as_str) {
        Some(name) if layout::wal_number(name).is_some() => ("wal", "two levels"),
        Some(name) if layout::snapshot_sequence(name).is_some() => ("snapshots", "two levels"),
        _ if top.has_file("snapshot") && top.has_directory("logs") => ("catalog/v2` or `catalog/v3", "three levels"),
        _ if top.has_directory("v2") || top.has_directory("v3") => ("catalog", "two levels"),
        _ if Component::of(&format!("{last}/_")) != Component::Other => (last, "two levels"),
        _ => return None,
    };
    (!top.is_empty()).then(|| (format!("the `{directory}` of a node or a cluster"), up))
}

/// The first names, quoted, and how many more there are.
fn shown<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.get(..SHOWN) {
        Some(first) if names.len() > SHOWN => format!("{} and {} more", first.join(", "), names.len() - SHOWN),
        _ => names.join(", "),
    }
}
