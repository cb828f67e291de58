//! Looks at a target.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use chrono::Utc;
use futures::{StreamExt, TryStreamExt, stream};

use super::{journal::RestoreJournal, lease};
use crate::{
    error::{Error, LINKED_DIRECTORY, Result},
    job::Request,
    key::Key,
    layout::{Component, OWN_DIRECTORY, guard},
    location::{Around, Location, ObjectMeta, ObjectTable},
    options::LinkedDirectories,
    preflight, read_limits,
    target::{FoundRoot, Prefix, Target, others, prefixes, root_content, upgraded_engine},
};

/// How many prefixes are looked at at once.
const PREFIXES_AT_ONCE: usize = 8;

impl Target {
    /// Looks at a target. It may be empty or not exist yet. Directories of InfluxDB that are links are followed, other links
    /// passed over.
    ///
    /// Its progress counts the objects that are listed. The job fails with [`Error::UpgradedEngine`], [`Error::Link`],
    /// [`Error::InvalidKey`], [`Error::Store`], also for a file; [`Error::UnsupportedFormat`] for the journal of a restore that
    /// a newer release began, [`Error::DamagedJournal`] for one that cannot be read.
    pub fn inspect(location: &Location) -> Request<Self> {
        let location = location.clone();
        Request::new("inspect", location.to_string(), |context| async move {
            let location = context.events.counting(&location);
            context.unless_cancelled(inspect(&location, Vec::new(), LinkedDirectories::Follow, |_| Ok(()))).await
        })
    }
}

/// Inspects within another job, with the ids that it will write to. `check` is asked before directories that are links are
/// looked into.
pub(super) async fn inspect(
    location: &Location,
    mut ids: Vec<String>,
    links: LinkedDirectories,
    check: impl Fn(&[String]) -> Result<()>,
) -> Result<Target> {
    preflight::is_no_file(location)?;
    let mut linked = location.linked_below(ids.clone()).await?;
    check(&linked)?;
    let mut place = location.with_linked(&linked);
    let mut objects = all_objects(&place, &ids).await?.objects;
    // A node that the caller does not know of may have such directories, too.
    let unknown: Vec<String> = prefixes(&objects).into_keys().filter(|id| !ids.contains(id)).collect();
    if !unknown.is_empty() {
        ids.extend(unknown);
        let all = location.linked_below(ids.clone()).await?;
        if all != linked {
            check(&all)?;
            linked = all;
            place = location.with_linked(&linked);
            objects = all_objects(&place, &ids).await?.objects;
        }
    }
    let journal = RestoreJournal::read(&place).await?;
    let is_written_through =
        |directory: &String| journal.as_ref().is_some_and(|begun| begun.linked.contains(directory));
    if links == LinkedDirectories::Refuse
        && let Some(directory) = linked.iter().find(|directory| !is_written_through(directory))
    {
        return Err(Error::Link {
            path: place.directory().map_or_else(String::new, |root| root.join(directory).display().to_string()),
            reason: LINKED_DIRECTORY,
        });
    }
    objects.retain(|object| object.key.below(OWN_DIRECTORY).is_none());
    let found = prefixes(&objects);
    if let Some(evidence) = upgraded_engine(&objects, &found) {
        return Err(Error::UpgradedEngine { location: location.to_string(), evidence });
    }
    let is_owned = |object: &ObjectMeta| found.keys().any(|id| object.key.below(id).is_some());
    Ok(Target {
        location: location.to_string(),
        identity: location.identity().clone(),
        inspected: Utc::now(),
        others: others(&objects, &found),
        last_written: objects.iter().filter(is_owned).map(|object| object.version.modified).max(),
        prefixes: describe(&place, found, &objects).await?,
        unfinished: journal.map(|journal| journal.summary()),
        holder: lease::holder(&place).await?,
        linked,
        objects,
    })
}

/// Every object of a target. What cannot be listed is passed over outside the prefixes of these ids and outside those that hold
/// files of InfluxDB.
pub(super) async fn all_objects(place: &Location, ids: &[String]) -> Result<Around> {
    let mut around = place.list_around().await?;
    if around.unlisted.is_empty() {
        return Ok(around);
    }
    let mut all: BTreeSet<String> = prefixes(&around.objects).into_keys().chain([OWN_DIRECTORY.to_owned()]).collect();
    all.extend(ids.iter().cloned());
    place.pass_over_outside(mem::take(&mut around.unlisted), all.iter().map(String::as_str))?;
    Ok(around)
}

async fn describe(
    place: &Location,
    found: BTreeMap<String, BTreeSet<Component>>,
    objects: &ObjectTable,
) -> Result<Vec<Prefix>> {
    let describe_one = |(id, components): (String, BTreeSet<Component>)| async move {
        let mut roots = Vec::new();
        for (generation, path) in guard::root_paths(&id) {
            let key = Key::parse(path)?;
            if objects.get(&key).is_some() {
                let found = place.get_within(&key, read_limits::CATALOG).await?;
                let content = root_content(found.and_then(Result::ok).unwrap_or_default().as_ref());
                roots.push(FoundRoot { generation, content });
            }
        }
        roots.reverse();
        Ok(Prefix { id, components: components.into_iter().collect(), roots })
    };
    stream::iter(found).map(describe_one).buffered(PREFIXES_AT_ONCE).try_collect().await
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::target::RootContent;

    async fn inspect_one_with(keys: &[&str]) -> Result<Target> {
        let location = Location::in_memory();
        for key in keys {
            location.put(&Key::parse(key)?, Bytes::from_static(b"x")).await?;
        }
        Target::inspect(&location).await
    }

    #[tokio::test]
    async fn what_is_there_is_told() {
        let target = inspect_one_with(&[
            "c1/catalog/v2/snapshot",
            "c1/enterprise",
            "eu/node1/wal/00000000001.wal",
            "eu/node1/notes/c/x",
            "README",
            "_influx_backup/restore/finished/1",
        ])
        .await
        .expect("inspected");
        let ids: Vec<_> = target.prefixes.iter().map(|prefix| prefix.id.as_str()).collect();
        assert_eq!(ids, ["c1", "eu/node1"]);
        assert_eq!(target.others, ["README"]);
        let cluster = target.prefix("c1").expect("the cluster");
        assert!(cluster.has_catalog() && !cluster.is_node());
        assert!(matches!(cluster.roots[..], [FoundRoot { content: RootContent::Unreadable { .. }, .. }]));
        assert!(target.prefix("eu/node1").expect("the node").is_node());
        assert!(target.signs_of_life().is_some(), "written just now");
        assert_eq!(target.objects().len(), 5, "files of this crate do not count");
    }

    #[tokio::test]
    async fn an_empty_target_is_empty() {
        let target = inspect_one_with(&[]).await.expect("inspected");
        assert!(target.is_empty() && target.prefixes.is_empty() && target.signs_of_life().is_none());
    }

    #[tokio::test]
    async fn the_upgraded_engine_is_refused() {
        for marker in ["c1/backups/n1/manifest.json", "c1/x/pt_snapshots/1", "c1/x/1.ptv2chk.lz4"] {
            let error = inspect_one_with(&["c1/catalog/v3/snapshot", marker]).await.expect_err(marker);
            assert_eq!(error.code(), "upgraded-engine");
        }
    }

    #[tokio::test]
    async fn a_target_read_back_says_the_same() {
        let target =
            inspect_one_with(&["node1/wal/00000000001.wal", "node1/catalog/v2/snapshot"]).await.expect("inspected");
        let json = serde_json::to_string(&target).expect("serializes");
        let back: Target = serde_json::from_str(&json).expect("reads back");
        assert_eq!(back, target);
        assert_eq!(back.objects().len(), 2);
    }
}
