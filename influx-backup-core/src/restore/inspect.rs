//! Looks at a target.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use futures::{StreamExt, TryStreamExt, stream};

use super::{journal::RestoreJournal, lease};
use crate::{
    cluster::ClusterDescription,
    error::{Error, Result},
    job::Request,
    key::Key,
    layout::{Component, OWN_DIRECTORY, guard},
    location::{Links, Location, ObjectTable, ObjectView, Unlisted},
    passed::PassedOver,
    preflight,
    target::{FoundRoot, Prefix, Target, others, prefixes, root_content, upgraded_engine},
};

/// How many prefixes are looked at at once.
const PREFIXES_AT_ONCE: usize = 8;

impl Target {
    /// Looks at a target. It may be empty or not exist yet; links inside it are refused.
    ///
    /// Its progress counts the objects that are listed. The job fails with [`Error::UpgradedEngine`], [`Error::Link`],
    /// [`Error::InvalidKey`], [`Error::Store`], also for a file; [`Error::UnsupportedFormat`] for the journal of a restore that
    /// a newer release began, [`Error::DamagedJournal`] for one that cannot be read.
    pub fn inspect(location: &Location) -> Request<Self> {
        let location = location.clone();
        Request::new("inspect", location.to_string(), |context| async move {
            context.unless_cancelled(inspect(&context.events.counting(&location), None)).await
        })
    }
}

/// Inspects within another job, as the target of this backup where it is known.
pub(super) async fn inspect(location: &Location, backup: Option<&ClusterDescription>) -> Result<Target> {
    preflight::is_no_file(location)?;
    let place = location.with_links(Links::Refuse);
    let mut objects = objects(&place, backup).await?;
    objects.retain(|object| object.key.below(OWN_DIRECTORY).is_none());
    let found = prefixes(&objects);
    if let Some(evidence) = upgraded_engine(&objects, &found) {
        return Err(Error::UpgradedEngine { location: location.to_string(), evidence });
    }
    let is_owned = |object: &ObjectView<'_>| found.keys().any(|id| object.key.below(id).is_some());
    Ok(Target {
        location: location.to_string(),
        identity: location.identity().clone(),
        inspected: Utc::now(),
        others: others(&objects, &found),
        last_written: objects.iter().filter(is_owned).map(|object| object.version.modified).max(),
        prefixes: describe(&place, found, &objects).await?,
        unfinished: RestoreJournal::read(&place).await?.map(|journal| journal.summary()),
        holder: lease::holder(&place).await?,
        objects,
    })
}

/// Every object of a target. What cannot be listed is passed over outside the prefixes of the backup and outside those that
/// hold files of InfluxDB.
pub(super) async fn objects(place: &Location, backup: Option<&ClusterDescription>) -> Result<ObjectTable> {
    let (objects, unlisted) = place.list_around().await?;
    if unlisted.is_empty() {
        return Ok(objects);
    }
    let mut ids: BTreeSet<String> = prefixes(&objects).into_keys().chain([OWN_DIRECTORY.to_owned()]).collect();
    if let Some(backup) = backup {
        ids.extend(backup.stored_nodes().map(|node| node.id.clone()).chain([backup.catalog_prefix().to_owned()]));
    }
    for Unlisted { kind, name, error } in unlisted {
        let is_below = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|tail| tail.is_empty() || tail.starts_with('/'))
        };
        // A link at the top may be the prefix of a node.
        let may_be_prefix = backup.is_none() && kind == PassedOver::Link && !name.contains('/');
        if may_be_prefix || ids.iter().any(|id| is_below(&name, id) || is_below(id, &name)) {
            return Err(error);
        }
        place.pass_over(kind, &name);
    }
    Ok(objects)
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
                let content = root_content(place.get(&key, None).await?.unwrap_or_default().as_ref());
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
