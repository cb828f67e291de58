//! [`Survey`]: what lies at the top of a location and directly below each name there. Lists and reads, nothing else.
//!
//! Where the caller names the cluster and its nodes, only their prefixes are looked at. What else lies at the top stops nothing.
//! Below a node that is excluded by name nothing is looked at: it may be unreadable.
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
    passed::PassedOver,
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
    /// Every top-level directory, every id that was given and every node that a catalog names, but for nodes excluded by name.
    pub(super) prefixes: BTreeMap<String, Prefix>,
    /// The names below the parents of ids that contain `/`.
    pub(super) parents: BTreeMap<String, Level>,
    /// Nodes excluded by name that are there, or may be where their names are not listed.
    pub(super) excluded: BTreeSet<String>,
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
    let (given, excluded) = given(what)?;
    let looks = Looks { location, excluded: &excluded };
    let mut prefixes = looks.at(given).await?;
    // Without the catalog of the cluster, what else is there tells what is wrong.
    let is_whole = around == Around::Unseen && what.cluster_id.iter().all(|id| prefixes[id].catalog.is_some());
    let listed = if is_whole { None } else { top(location, what).await? };
    let own = if listed.as_ref().is_none_or(|top| top.has_directory(OWN_DIRECTORY)) {
        location.list_level_outside(OWN_DIRECTORY).await?.unwrap_or_default().into()
    } else {
        Level::default()
    };
    let is_listed = listed.is_some();
    let top = listed.unwrap_or_default();
    let top = if top.known() < 2 { top } else { without_marked(location, "", top).await? };
    // Where the top itself looks like a node, its directories are components: they are not listed.
    let others = top.directories.iter().filter(|name| top.known() < 2 && *name != OWN_DIRECTORY);
    let others = others.filter(|name| !prefixes.contains_key(*name) && !excluded.contains(*name)).cloned().collect();
    let (beside, unread) = looks.beside(others).await?;
    prefixes.extend(beside);
    let named: BTreeSet<String> = prefixes.values().flat_map(named_nodes).cloned().collect();
    let is_unseen = |id: &String| !prefixes.contains_key(id) && !excluded.contains(id) && Key::parse(id).is_ok();
    let unseen = named.into_iter().filter(is_unseen).collect();
    prefixes.extend(looks.at(unseen).await?);
    let is_any_read = prefixes.values().any(Prefix::is_member);
    let has_catalog = prefixes.values().any(|prefix| prefix.catalog.is_some());
    for Unread { id, kind, error } in unread {
        // Without a part of a cluster among what was read, it may be all of it; without a catalog, the cluster of the nodes.
        if !is_any_read || kind == PassedOver::Unreadable && !has_catalog {
            return Err(error);
        }
        location.pass_over(kind, &id);
    }
    // Ids with a `/` are given, or named by a catalog.
    let parents = looks.at_parents(prefixes.keys().chain(&excluded)).await?;
    let may_be_there = |id: &String| match id.rsplit_once('/') {
        None => !is_listed || top.has_directory(id),
        Some((parent, name)) => parents.get(parent).is_none_or(|level| level.has_directory(name)),
    };
    let excluded = excluded.into_iter().filter(may_be_there).collect();
    let has_member = prefixes.values().any(Prefix::is_member);
    let below = if has_member { Vec::new() } else { one_level_further(location, &prefixes).await? };
    Ok(Survey {
        location: location.to_string(),
        identity: location.identity().clone(),
        top,
        own,
        prefixes,
        parents,
        excluded,
        below,
    })
}

/// The names at the top. Where ids are given it need not be readable: `None`.
async fn top(location: &Location, what: &DiscoverOptions) -> Result<Option<Level>> {
    match location.list_level_outside("").await {
        Ok(level) => Ok(level.map(Level::from)),
        Err(Error::Store { kind: StoreErrorKind::NotFound, .. }) => Err(not_found(location)),
        Err(error) if what.cluster_id.is_some() || !what.node_ids.is_empty() => match unfit(&error) {
            Some(_) => Ok(None),
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

/// The ids that are given and looked at, and those that are excluded.
fn given(what: &DiscoverOptions) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let key = |id: &String| Ok(Key::parse(id)?.to_string());
    let excluded = what.excluded_nodes.iter().map(key).collect::<Result<BTreeSet<_>>>()?;
    let given = what.cluster_id.iter().chain(&what.node_ids).chain(&what.query_only);
    Ok((given.map(key).collect::<Result<_>>()?, excluded))
}

fn named_nodes(prefix: &Prefix) -> impl Iterator<Item = &String> {
    prefix.catalog.iter().flat_map(|catalog| &catalog.contents.nodes).flatten()
}

/// What cannot be read beside the ids that were given. It is passed over, unless it turns out to be a part of the cluster.
struct Unread {
    id: String,
    kind: PassedOver,
    error: Error,
}

/// Looks at prefixes, and at nothing that is excluded.
struct Looks<'a> {
    location: &'a Location,
    excluded: &'a BTreeSet<String>,
}

impl Looks<'_> {
    /// The names below the parents of these ids, where they can be read, and not below a node that is excluded.
    async fn at_parents(&self, ids: impl Iterator<Item = &String>) -> Result<BTreeMap<String, Level>> {
        let mut parents = BTreeMap::new();
        for id in ids {
            for (at, _) in id.match_indices('/') {
                let parent = &id[..at];
                if self.excluded.contains(parent) {
                    break;
                }
                if !parents.contains_key(parent)
                    && let Some(level) = self.location.list_level_outside(parent).await?
                {
                    parents.insert(parent.to_owned(), level.into());
                }
            }
        }
        Ok(parents)
    }

    async fn at(&self, ids: BTreeSet<String>) -> Result<BTreeMap<String, Prefix>> {
        let looks: Vec<_> = ids.into_iter().map(|id| self.at_one(id).boxed()).collect();
        let found = concurrent::run(looks, PREFIXES_AT_ONCE).await?;
        Ok(found.into_iter().collect())
    }

    /// The same for names that were not given, with what cannot be read among them.
    async fn beside(&self, ids: Vec<String>) -> Result<(BTreeMap<String, Prefix>, Vec<Unread>)> {
        let looks: Vec<_> = ids.into_iter().map(|id| self.at_one_beside(id).boxed()).collect();
        let found = concurrent::run(looks, PREFIXES_AT_ONCE).await?;
        let mut prefixes = BTreeMap::new();
        let mut unread = Vec::new();
        for found in found {
            match found {
                Ok((id, prefix)) => drop(prefixes.insert(id, prefix)),
                Err(unreadable) => unread.push(unreadable),
            }
        }
        Ok((prefixes, unread))
    }

    async fn at_one_beside(&self, id: String) -> Result<Result<(String, Prefix), Unread>> {
        match self.at_one(id.clone()).await {
            Ok(found) => Ok(Ok(found)),
            Err(error) => match unfit(&error) {
                Some(kind) => Ok(Err(Unread { id, kind, error })),
                None => Err(error),
            },
        }
    }

    async fn at_one(&self, id: String) -> Result<(String, Prefix)> {
        let Self { location, excluded } = *self;
        let level = without_marked(location, &id, location.list_names(&id).await?.into()).await?;
        let has_catalog = !level.names(Component::is_catalog).is_empty();
        let catalog = if has_catalog { catalog::read(location, &id).await? } else { None };
        let dbs = level_below(location, &level, &id, "dbs").await?;
        let mut shapes: Vec<_> = dbs.directories.iter().map(|name| KeyShape::of(name)).collect();
        shapes.sort_unstable();
        shapes.dedup();
        let mut prefix = Prefix {
            catalog_level: level_below(location, &level, &id, "catalog").await?,
            catalog,
            shapes,
            markers: Vec::new(),
            level: level.clone(),
        };
        prefix.markers = engine::markers(&id, &level);
        if prefix.is_member() {
            let is_unknown = |name: &&String| Component::of(&format!("{name}/_")) == Component::Other;
            let unknown: Vec<_> = level.directories.iter().filter(is_unknown).take(NAMES_FOLLOWED).collect();
            for name in unknown {
                let path = format!("{id}/{name}");
                if excluded.contains(&path) {
                    continue;
                }
                let below = level_below(location, &level, &id, name).await?;
                if below.files.is_empty() && !location.holds_object(&path).await? {
                    prefix.level.directories.retain(|directory| directory != name);
                    prefix.markers.retain(|marker| *marker != path);
                } else {
                    prefix.markers.extend(engine::markers(&path, &below));
                }
            }
        }
        Ok((id, prefix))
    }
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
