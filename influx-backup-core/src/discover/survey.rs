//! [`Survey`]: what lies at the top of a location and directly below each name there. Lists and reads, nothing else.
//!
//! Where the caller names the cluster and its nodes, only their prefixes are looked at. What else lies at the top stops nothing.
//!
//! Bounded: one level for each top-level name and for each of a node's directories that this release does not know;
//! `dbs` one level; of `wal`, `snapshots`, `cs`, `cd` and `c` the first object of a store; of the catalog its roots and the logs
//! above them.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;

use super::{
    catalog, engine,
    prefix::{KeyShape, Level, Prefix},
};
use crate::{
    cluster::{Around, DiscoverOptions},
    concurrent,
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::{Component, OWN_DIRECTORY},
    location::{Identity, Location, unfit},
};

/// How many prefixes are looked at once.
const PREFIXES_AT_ONCE: usize = 16;

/// How many names are followed where a location may be a level too shallow or a prefix holds unknown directories.
const NAMES_FOLLOWED: usize = 32;

/// What a location holds, as far as discovery looks.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) location: String,
    pub(super) identity: Identity,
    /// The names at the top.
    pub(super) top: Level,
    /// The names below `_influx_backup`.
    pub(super) own: Level,
    /// Every top-level directory, every id that was given and every node that a catalog names.
    pub(super) prefixes: BTreeMap<String, Prefix>,
    /// The names below the parents of ids that contain `/`.
    pub(super) parents: BTreeMap<String, Level>,
    /// Prefixes one level further down that look like parts of a cluster, where none at the top does.
    pub(super) below: Vec<String>,
}

/// Looks at a location.
///
/// # Errors
/// [`Error::LocationNotFound`], [`Error::NoCluster`] for a file, [`Error::InvalidKey`] for ids that no key can be,
/// [`Error::Store`], [`Error::Link`].
pub(super) async fn survey(location: &Location, what: &DiscoverOptions, around: Around) -> Result<Survey> {
    check_exists(location).await?;
    let given = given(what)?;
    let mut prefixes = look_at(location, given).await?;
    // Without the catalog of the cluster, what else is there tells what is wrong.
    let is_whole = around == Around::Unseen && what.cluster_id.iter().all(|id| prefixes[id].catalog.is_some());
    let top = if is_whole { Level::default() } else { top(location, what).await? };
    let own = if is_whole || top.has_directory(OWN_DIRECTORY) {
        location.list_level_outside(OWN_DIRECTORY).await?.unwrap_or_default().into()
    } else {
        Level::default()
    };
    let top = if top.known() < 2 { top } else { without_marked(location, "", top).await? };
    // Where the top itself looks like a node, its directories are components: they are not listed.
    let others = top.directories.iter().filter(|name| top.known() < 2 && *name != OWN_DIRECTORY);
    let others = others.filter(|name| !prefixes.contains_key(*name)).cloned().collect();
    let (beside, unread) = look_beside(location, others).await?;
    prefixes.extend(beside);
    let named: BTreeSet<String> = prefixes.values().flat_map(named_nodes).cloned().collect();
    let unseen = named.into_iter().filter(|id| !prefixes.contains_key(id) && Key::parse(id).is_ok()).collect();
    prefixes.extend(look_at(location, unseen).await?);
    // Nothing that was read is a part of a cluster: what could not be read may be all of it.
    if let Some(error) = unread.into_iter().next().filter(|_| !prefixes.values().any(Prefix::is_member)) {
        return Err(error);
    }
    // Ids with a `/` are given, or named by a catalog.
    let parents = parents(location, &prefixes.keys().cloned().collect()).await?;
    let has_member = prefixes.values().any(Prefix::is_member);
    let below = if has_member { Vec::new() } else { one_level_further(location, &prefixes).await? };
    Ok(Survey {
        location: location.to_string(),
        identity: location.identity().clone(),
        top,
        own,
        prefixes,
        parents,
        below,
    })
}

/// The names at the top. Where ids are given it need not be readable.
async fn top(location: &Location, what: &DiscoverOptions) -> Result<Level> {
    match location.list_level_outside("").await {
        Ok(level) => Ok(level.unwrap_or_default().into()),
        Err(Error::Store { kind: StoreErrorKind::NotFound, .. }) => Err(not_found(location)),
        Err(error) if what.cluster_id.is_some() || !what.node_ids.is_empty() => match unfit(&error) {
            Some(_) => Ok(Level::default()),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

async fn check_exists(location: &Location) -> Result<()> {
    match location.directory() {
        Some(directory) if directory.is_file() => Err(Error::NoCluster {
            location: location.to_string(),
            looked_for: "a directory that holds the prefixes of a cluster".to_owned(),
            found: "a file; give the directory that InfluxDB has as its `--data-dir`".to_owned(),
        }),
        Some(_) if !location.exists().await? => Err(not_found(location)),
        _ => Ok(()),
    }
}

fn not_found(location: &Location) -> Error {
    Error::LocationNotFound { location: location.to_string() }
}

fn given(what: &DiscoverOptions) -> Result<BTreeSet<String>> {
    let ids = what.cluster_id.iter().chain(&what.node_ids).chain(&what.query_only).chain(&what.excluded_nodes);
    ids.map(|id| Ok(Key::parse(id)?.to_string())).collect()
}

fn named_nodes(prefix: &Prefix) -> impl Iterator<Item = &String> {
    prefix.catalog.iter().flat_map(|catalog| &catalog.contents.nodes).flatten()
}

async fn parents(location: &Location, ids: &BTreeSet<String>) -> Result<BTreeMap<String, Level>> {
    let mut parents = BTreeMap::new();
    for id in ids {
        for (at, _) in id.match_indices('/') {
            let parent = &id[..at];
            if !parents.contains_key(parent) {
                let level = location.list_level_outside(parent).await?.unwrap_or_default();
                parents.insert(parent.to_owned(), level.into());
            }
        }
    }
    Ok(parents)
}

async fn look_at(location: &Location, ids: BTreeSet<String>) -> Result<BTreeMap<String, Prefix>> {
    let looks: Vec<_> = ids.into_iter().map(|id| look(location, id).boxed()).collect();
    let found = concurrent::run(looks, PREFIXES_AT_ONCE).await?;
    Ok(found.into_iter().collect())
}

/// The same for names that were not given: what cannot be read among them is passed over, and why is returned.
async fn look_beside(location: &Location, ids: Vec<String>) -> Result<(BTreeMap<String, Prefix>, Vec<Error>)> {
    let looks: Vec<_> = ids.into_iter().map(|id| look_if_readable(location, id).boxed()).collect();
    let found = concurrent::run(looks, PREFIXES_AT_ONCE).await?;
    let mut prefixes = BTreeMap::new();
    let mut unread = Vec::new();
    for found in found {
        match found {
            Ok((id, prefix)) => drop(prefixes.insert(id, prefix)),
            Err(error) => unread.push(error),
        }
    }
    Ok((prefixes, unread))
}

async fn look_if_readable(location: &Location, id: String) -> Result<Result<(String, Prefix)>> {
    match look(location, id.clone()).await {
        Err(error) => match unfit(&error) {
            Some(kind) => {
                location.pass_over(kind, &id);
                Ok(Err(error))
            }
            None => Err(error),
        },
        found => Ok(found),
    }
}

async fn look(location: &Location, id: String) -> Result<(String, Prefix)> {
    let prefix = look_below(location, &id).await?;
    Ok((id, prefix))
}

async fn look_below(location: &Location, id: &str) -> Result<Prefix> {
    let level = without_marked(location, id, location.list_names(id).await?.into()).await?;
    let has_catalog = !level.names(Component::is_catalog).is_empty();
    let catalog = if has_catalog { catalog::read(location, id).await? } else { None };
    let mut shapes: Vec<_> =
        level_below(location, &level, id, "dbs").await?.directories.iter().map(|name| KeyShape::of(name)).collect();
    shapes.sort_unstable();
    shapes.dedup();
    let mut prefix = Prefix {
        catalog_level: level_below(location, &level, id, "catalog").await?,
        catalog,
        shapes,
        markers: Vec::new(),
        level: level.clone(),
    };
    prefix.markers = engine::markers(id, &level);
    if prefix.is_member() {
        let is_unknown = |name: &&String| Component::of(&format!("{name}/_")) == Component::Other;
        let unknown: Vec<_> = level.directories.iter().filter(is_unknown).take(NAMES_FOLLOWED).collect();
        for name in unknown {
            let path = format!("{id}/{name}");
            let below = level_below(location, &level, id, name).await?;
            if below.files.is_empty() && !location.holds_object(&path).await? {
                prefix.level.directories.retain(|directory| directory != name);
                prefix.markers.retain(|marker| *marker != path);
            } else {
                prefix.markers.extend(engine::markers(&path, &below));
            }
        }
    }
    Ok(prefix)
}

/// The same without what would make a prefix a node, and holds directory markers alone. In a store; where one directory holds
/// an object, others of that kind change nothing.
async fn without_marked(location: &Location, prefix: &str, mut level: Level) -> Result<Level> {
    let mut shown = Vec::new();
    for name in std::mem::take(&mut level.directories) {
        let evidence = Level::evidence(&name).filter(|role| !shown.contains(role));
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if evidence.is_none() || location.holds_object(&path).await? {
            shown.extend(evidence);
            level.directories.push(name);
        }
    }
    Ok(level)
}

async fn level_below(location: &Location, level: &Level, id: &str, name: &str) -> Result<Level> {
    if !level.has_directory(name) {
        return Ok(Level::default());
    }
    Ok(location.list_names(&format!("{id}/{name}")).await?.into())
}

/// The prefixes one level down that look like parts of a cluster: the user gave the parent of the right location.
async fn one_level_further(location: &Location, prefixes: &BTreeMap<String, Prefix>) -> Result<Vec<String>> {
    let names = prefixes
        .iter()
        .flat_map(|(id, prefix)| prefix.level.directories.iter().map(move |name| format!("{id}/{name}")));
    let names: Vec<_> = names.filter(|id| !id.ends_with(OWN_DIRECTORY)).take(NAMES_FOLLOWED).collect();
    let mut found = Vec::new();
    for id in names {
        let level = location.list_level_outside(&id).await?;
        if level.is_some_and(|level| Level::from(level).known() >= 1) {
            found.push(id);
        }
    }
    Ok(found)
}
