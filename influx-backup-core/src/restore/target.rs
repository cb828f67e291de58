//! [`Target`]: what is at the place that a backup is restored to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{
    LeaseHolder, guard,
    journal::{RestoreJournal, UnfinishedRestore},
    lease,
};
use crate::{
    error::{Error, Result},
    format::CatalogFile,
    layout::{self, Component, Generation, OWN_DIRECTORY},
    location::{Identity, Links, Location, ObjectMeta, find_object},
    preflight,
};

/// How recent a write must be to be a sign of life.
const RECENT: TimeDelta = TimeDelta::seconds(60);

/// What is at the place that a backup is restored to. Nothing was written to find out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// The place, as a URL without credentials.
    pub location: String,
    /// Who keeps the objects there: what licenses were bound to before 3.10.
    pub identity: Identity,
    /// When it was inspected.
    pub inspected: DateTime<Utc>,
    /// The prefixes that hold files of InfluxDB, sorted by id.
    pub prefixes: Vec<Prefix>,
    /// Top-level names that hold none, sorted.
    pub others: Vec<String>,
    /// A restore that was begun here and not finished.
    pub unfinished: Option<UnfinishedRestore>,
    /// The process that restores to it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<LeaseHolder>,
    /// When anything below the prefixes was last written.
    pub last_written: Option<DateTime<Utc>>,
    /// Every object but our own.
    pub entries: Vec<ObjectMeta>,
    #[serde(skip)]
    place: Option<Location>,
}

/// A prefix of the target that holds files of InfluxDB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// The node id or cluster id that it stands for.
    pub id: String,
    /// The kinds of objects found, sorted.
    pub components: Vec<Component>,
    /// The roots of its catalog, oldest generation first.
    pub roots: Vec<FoundRoot>,
}

/// A root of the catalog at the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRoot {
    /// Which generation's.
    pub generation: Generation,
    /// What stands there.
    pub content: RootContent,
}

/// What stands at the root path of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RootContent {
    /// A catalog.
    Catalog {
        /// Its uuid, where the file tells it.
        uuid: Option<String>,
        /// Its sequence, where the file tells it.
        sequence: Option<u64>,
    },
    /// The boot guard of a restore.
    Guard {
        /// The restore's id.
        restore: String,
    },
    /// Bytes that no server would read.
    Unreadable {
        /// Why not.
        reason: String,
    },
}

impl Prefix {
    /// Whether it holds what only nodes hold.
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.components.iter().any(|component| !component.is_cluster_wide())
    }

    /// Whether it holds any part of a catalog.
    #[must_use]
    pub fn has_catalog(&self) -> bool {
        self.components.iter().any(|component| component.is_catalog())
    }

    /// The uuid of its newest readable catalog.
    #[must_use]
    pub fn uuid(&self) -> Option<&str> {
        self.roots.iter().rev().find_map(|root| match &root.content {
            RootContent::Catalog { uuid, .. } => uuid.as_deref(),
            _ => None,
        })
    }
}

impl Target {
    /// Looks at a target. It may be empty or not exist yet; links inside it are refused.
    ///
    /// # Errors
    /// [`Error::UpgradedEngine`], [`Error::Link`], [`Error::InvalidKey`], [`Error::Store`], also for a file;
    /// [`Error::UnsupportedFormat`] for the journal of a restore that a newer release began.
    pub async fn inspect(location: &Location) -> Result<Self> {
        preflight::is_no_file(location)?;
        let place = location.with_links(Links::Refuse);
        let mut entries = place.list_parallel("").await?;
        entries.retain(|entry| entry.key.below(OWN_DIRECTORY).is_none());
        let found = prefixes(&entries);
        if let Some(evidence) = upgraded_engine(&entries, &found) {
            return Err(Error::UpgradedEngine { location: location.to_string(), evidence });
        }
        let under = |entry: &&ObjectMeta| found.keys().any(|id| entry.key.below(id).is_some());
        let last_written = entries.iter().filter(under).map(|entry| entry.version.modified).max();
        let unfinished = RestoreJournal::read(&place).await?.map(|journal| journal.summary());
        Ok(Self {
            location: location.to_string(),
            identity: location.identity().clone(),
            inspected: Utc::now(),
            others: others(&entries, &found),
            prefixes: describe(&place, found, &entries).await?,
            unfinished,
            holder: lease::holder(&place).await?,
            last_written,
            entries,
            place: Some(place),
        })
    }

    /// Where it is.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a target that was read back from JSON: locations are not kept there.
    pub fn place(&self) -> Result<&Location> {
        self.place.as_ref().ok_or_else(|| Error::InvalidRequest {
            option: "the target",
            reason: "it was read back without its location: inspect it again".to_owned(),
        })
    }

    /// Whether it holds nothing at all, our own files apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The prefix of this id.
    #[must_use]
    pub fn prefix(&self, id: &str) -> Option<&Prefix> {
        self.prefixes.iter().find(|prefix| prefix.id == id)
    }

    /// How long before the inspection something was written, where that is so recent that a server may be running.
    #[must_use]
    pub fn signs_of_life(&self) -> Option<TimeDelta> {
        let silence = self.inspected - self.last_written?;
        (silence < RECENT).then_some(silence)
    }
}

/// The prefixes and their kinds of objects. A prefix ends before the first segment from where on a key is one that
/// InfluxDB writes.
fn prefixes(entries: &[ObjectMeta]) -> BTreeMap<String, BTreeSet<Component>> {
    let mut found: BTreeMap<String, BTreeSet<Component>> = BTreeMap::new();
    for entry in entries {
        if let Some((id, component)) = owner(entry.key.as_str()) {
            match found.get_mut(id) {
                Some(components) => drop(components.insert(component)),
                None => drop(found.insert(id.to_owned(), BTreeSet::from([component]))),
            }
        }
    }
    // `c/` and the like inside a directory of a node that nobody knows make no node of that directory.
    let ids: Vec<String> = found.keys().cloned().collect();
    let inside = |id: &str| ids.iter().any(|other| id.strip_prefix(other.as_str()).is_some_and(|t| t.starts_with('/')));
    found.retain(|id, components| !inside(id) || components.iter().any(|component| !component.is_compactor()));
    found
}

fn owner(key: &str) -> Option<(&str, Component)> {
    let splits = key.match_indices('/').map(|(at, _)| (&key[..at], &key[at + 1..]));
    splits.map(|(id, tail)| (id, Component::of(tail))).find(|(_, component)| is_evidence(*component, key))
}

/// `c/`, `wal/` and the like are also names that other programs use: the file's name has to fit where there is a rule.
fn is_evidence(component: Component, key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    match component {
        Component::Other | Component::CatalogOther => false,
        Component::Wal => layout::wal_number(name).is_some(),
        Component::Snapshot => layout::snapshot_sequence(name).is_some(),
        Component::SnapshotCheckpoint => layout::checkpoint_sequence(name).is_some(),
        Component::Parquet => name.ends_with(".parquet"),
        Component::CatalogLog(_) => layout::catalog_log_sequence(name).is_some(),
        _ => true,
    }
}

/// What only the upgraded engine writes: `<cluster_id>/backups/…`, `.pt` files, its snapshots and checkpoints.
fn upgraded_engine(entries: &[ObjectMeta], found: &BTreeMap<String, BTreeSet<Component>>) -> Option<String> {
    let shows = |entry: &&ObjectMeta| {
        let owned = found.keys().filter_map(|id| entry.key.below(id)).min_by_key(|tail| tail.len());
        owned.is_some_and(|tail| {
            tail.starts_with("backups/")
                || tail.split('/').any(|segment| matches!(segment, "pt_snapshots" | "gen0"))
                || (Component::of(tail) == Component::Other
                    && (tail.ends_with(".pt") || tail.ends_with(".ptv2chk.lz4")))
        })
    };
    entries.iter().find(shows).map(|entry| format!("`{}`", entry.key))
}

fn others(entries: &[ObjectMeta], found: &BTreeMap<String, BTreeSet<Component>>) -> Vec<String> {
    let outside = entries.iter().filter(|entry| !found.keys().any(|id| entry.key.below(id).is_some()));
    let names = outside.filter_map(|entry| entry.key.as_str().split('/').next());
    names.map(ToOwned::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

async fn describe(
    place: &Location,
    found: BTreeMap<String, BTreeSet<Component>>,
    entries: &[ObjectMeta],
) -> Result<Vec<Prefix>> {
    let describe_one = |(id, components): (String, BTreeSet<Component>)| async move {
        let mut roots = Vec::new();
        for (generation, key) in guard::roots(&id)?.into_iter().rev() {
            if find_object(entries, &key).is_some() {
                let content = root_content(place.get(&key, None).await?.unwrap_or_default().as_ref());
                roots.push(FoundRoot { generation, content });
            }
        }
        Ok(Prefix { id, components: components.into_iter().collect(), roots })
    };
    stream::iter(found).map(describe_one).buffered(8).try_collect().await
}

fn root_content(bytes: &[u8]) -> RootContent {
    if let Some(restore) = guard::restore_of(bytes) {
        return RootContent::Guard { restore };
    }
    match CatalogFile::parse(bytes) {
        Ok(file) => RootContent::Catalog { uuid: file.uuid, sequence: file.sequence },
        Err(error) => RootContent::Unreadable { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::key::Key;

    async fn inspect(keys: &[&str]) -> Result<Target> {
        let location = Location::in_memory();
        for key in keys {
            location.put(&Key::parse(key)?, Bytes::from_static(b"x")).await?;
        }
        Target::inspect(&location).await
    }

    #[tokio::test]
    async fn what_is_there_is_told() {
        let target = inspect(&[
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
        assert_eq!(target.entries.len(), 5, "our own files are not the target's");
    }

    #[tokio::test]
    async fn an_empty_target_is_empty() {
        let target = inspect(&[]).await.expect("inspected");
        assert!(target.is_empty() && target.prefixes.is_empty() && target.signs_of_life().is_none());
    }

    #[tokio::test]
    async fn the_upgraded_engine_is_refused() {
        for marker in ["c1/backups/n1/manifest.json", "c1/x/pt_snapshots/1", "c1/x/1.ptv2chk.lz4"] {
            let error = inspect(&["c1/catalog/v3/snapshot", marker]).await.expect_err(marker);
            assert_eq!(error.code(), "upgraded-engine");
        }
    }

    #[tokio::test]
    async fn a_target_read_back_has_no_place() {
        let target = inspect(&["node1/wal/00000000001.wal"]).await.expect("inspected");
        assert!(target.place().is_ok());
        let json = serde_json::to_string(&target).expect("serialises");
        let back: Target = serde_json::from_str(&json).expect("reads back");
        assert_eq!(back.prefixes, target.prefixes);
        assert_eq!(back.place().expect_err("no place").code(), "invalid-request");
    }
}
