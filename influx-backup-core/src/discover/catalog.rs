//! The catalog of one prefix: which generations are there, and which nodes and databases the live one names.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::FutureExt;

use super::engine;
use crate::cluster::{FoundGeneration, GenerationState};
use crate::{
    concurrent,
    error::Result,
    format::{
        CatalogFile, FormatError,
        catalog::{DatabaseState, Kind, NodeState},
    },
    key::Key,
    layout::{Generation, catalog_log_sequence},
    location::{Location, ObjectMeta, Whole},
    read_limits,
};

/// The most logs that are read for one catalog. A server writes a new root after a hundred, so more mean that the root
/// is damaged; what the catalog names is then unreadable, and its certificate clause says why.
const LOGS_READ: usize = 400;

/// How many logs are read at once.
const READS_AT_ONCE: usize = 16;

/// The catalog below one prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CatalogSeen {
    /// The generations, oldest first.
    pub(super) generations: Vec<FoundGeneration>,
    /// What the live one names.
    pub(super) contents: Contents,
    /// A key that shows the catalog: the live root, or where it is missing the logs.
    pub(super) shown_by: String,
    /// The storage mode of the live root, where it is one of the upgraded engine.
    pub(super) upgraded_mode: Option<String>,
    /// Files that do not parse, each with the reason.
    pub(super) damaged: Vec<String>,
}

impl CatalogSeen {
    /// The generation that a server loads: the newest that no terminator closes.
    pub(super) fn live(&self) -> Option<Generation> {
        let live = self.generations.iter().rev().find(|found| found.state == GenerationState::Live);
        live.map(|found| found.generation)
    }
}

/// What a catalog names; `None` where it cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Node ids, sorted.
    pub(super) nodes: Option<Vec<String>>,
    /// Names of databases that are not deleted, sorted.
    pub(super) databases: Option<Vec<String>>,
}

/// Reads the catalog below `owner`, or `None` where there is none.
pub(super) async fn read(location: &Location, owner: &str) -> Result<Option<CatalogSeen>> {
    let mut seen = CatalogSeen::default();
    let mut newest = None;
    for generation in Generation::ALL.iter().copied() {
        let Some(found) = Files::list(location, owner, generation).await? else { continue };
        let state = found.state(location, &mut seen.damaged).await?;
        seen.generations.push(FoundGeneration { generation, state });
        // Where all are closed, the newest is what is left to be read.
        let live = state == GenerationState::Live;
        if live || newest.as_ref().is_none_or(|(_, live)| !live) {
            newest = Some((found, live));
        }
    }
    let Some((files, _)) = newest else { return Ok(None) };
    seen.shown_by = files.shown_by(owner);
    let root = match &files.root {
        Some(key) => get(location, key).await?.1,
        None => None,
    };
    seen.upgraded_mode = root.as_ref().and_then(|root| engine::upgraded_mode(root.as_ref().ok()?));
    let root = match (&files.root, root) {
        (Some(key), Some(found)) => Some(parse(key, found, &mut seen.damaged)),
        _ => None,
    };
    seen.contents = match root {
        // A damaged root has no contents, and the logs above it cannot be determined.
        Some(None) => Contents::default(),
        Some(Some(root)) => match files.read_above(location, root.sequence, &mut seen.damaged).await? {
            Some(logs) => fold(std::iter::once(root).chain(logs)),
            None => Contents::default(),
        },
        None => match files.read_above(location, Some(0), &mut seen.damaged).await? {
            Some(logs) if files.begins_at_one() => fold(logs.into_iter()),
            _ => Contents::default(),
        },
    };
    Ok(Some(seen))
}

/// The files of one generation.
#[derive(Debug)]
struct Files {
    generation: Generation,
    root: Option<Key>,
    /// By their sequence.
    logs: BTreeMap<u64, Key>,
}

impl Files {
    async fn list(location: &Location, owner: &str, generation: Generation) -> Result<Option<Self>> {
        let root = location.head(&Key::parse(format!("{owner}/{}", generation.root()))?).await?;
        let listed = location.list(&format!("{owner}/{}", generation.logs())).await?;
        let numbered = |entry: ObjectMeta| Some((catalog_log_sequence(entry.key.name())?, entry.key));
        let logs: BTreeMap<_, _> = listed.into_iter().filter_map(numbered).collect();
        let found = root.is_some() || !logs.is_empty();
        Ok(found.then(|| Self { generation, root: root.map(|entry| entry.key), logs }))
    }

    fn shown_by(&self, owner: &str) -> String {
        let logs = || format!("{owner}/{}", self.generation.logs());
        self.root.as_ref().map_or_else(logs, ToString::to_string)
    }

    fn begins_at_one(&self) -> bool {
        self.logs.keys().next() == Some(&1)
    }

    async fn state(&self, location: &Location, damaged: &mut Vec<String>) -> Result<GenerationState> {
        let Some(last) = self.logs.values().next_back() else { return Ok(GenerationState::Live) };
        let (_, found) = get(location, last).await?;
        let log = found.and_then(|found| parse(last, found, damaged));
        let terminated = log.is_some_and(|log| log.kind == Kind::Terminator);
        Ok(if terminated { GenerationState::Terminated } else { GenerationState::Live })
    }

    /// The logs above `sequence`, or `None` where they are too many or one does not parse.
    async fn read_above(
        &self,
        location: &Location,
        sequence: Option<u64>,
        damaged: &mut Vec<String>,
    ) -> Result<Option<Vec<CatalogFile>>> {
        let Some(above) = sequence.and_then(|sequence| sequence.checked_add(1)) else { return Ok(None) };
        let logs: Vec<&Key> = self.logs.range(above..).map(|(_, key)| key).collect();
        if logs.len() > LOGS_READ {
            return Ok(None);
        }
        let reads: Vec<_> = logs.into_iter().map(|key| get(location, key).boxed()).collect();
        let read = concurrent::run(reads, location.max_reads(READS_AT_ONCE)).await?;
        let logs = read.into_iter().map(|(key, found)| parse(key, found?, damaged));
        Ok(logs.collect())
    }
}

async fn get<'a>(location: &Location, key: &'a Key) -> Result<(&'a Key, Option<Whole<Bytes>>)> {
    Ok((key, location.get_within(key, read_limits::CATALOG).await?))
}

fn parse(key: &Key, found: Whole<Bytes>, damaged: &mut Vec<String>) -> Option<CatalogFile> {
    match found.map_err(FormatError::from).and_then(|bytes| CatalogFile::parse(&bytes)) {
        Ok(file) => Some(file),
        Err(error) => {
            let message = format!("`{key}`: {error}");
            if !damaged.contains(&message) {
                damaged.push(message);
            }
            None
        }
    }
}

/// What a root and the logs above it name together.
fn fold(files: impl Iterator<Item = CatalogFile>) -> Contents {
    let mut nodes = Some(BTreeMap::new());
    let mut databases = Some(BTreeMap::new());
    for file in files {
        nodes = nodes.zip(file.nodes.records()).map(|(mut nodes, records)| {
            for record in records {
                if record.state == Some(NodeState::Removed) {
                    nodes.remove(&record.node_id);
                } else {
                    nodes.insert(record.node_id.clone(), ());
                }
            }
            nodes
        });
        databases = databases.zip(file.databases.records()).map(|(mut databases, records)| {
            for record in records {
                match (record.state, &record.name) {
                    (DatabaseState::Present, Some(name)) => {
                        databases.insert(record.id, name.clone());
                    }
                    (DatabaseState::Present, None) => {}
                    (DatabaseState::SoftDeleted | DatabaseState::HardDeleted, _) => {
                        databases.remove(&record.id);
                    }
                }
            }
            databases
        });
    }
    let sorted = |databases: BTreeMap<u64, String>| {
        let mut names: Vec<_> = databases.into_values().collect();
        names.sort_unstable();
        names
    };
    Contents { nodes: nodes.map(|nodes| nodes.into_keys().collect()), databases: databases.map(sorted) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::catalog::{DatabaseRecord, Evidence, NodeRecord};

    fn file(nodes: &[(&str, NodeState)], databases: &[(u64, Option<&str>, DatabaseState)]) -> CatalogFile {
        let node =
            |(id, state): &(&str, NodeState)| NodeRecord { node_id: (*id).to_owned(), state: Some(state.clone()) };
        let database = |(id, name, state): &(u64, Option<&str>, DatabaseState)| DatabaseRecord {
            id: *id,
            name: name.map(ToOwned::to_owned),
            state: *state,
        };
        CatalogFile {
            generation: Some(Generation::V2),
            kind: Kind::Log,
            sequence: Some(1),
            uuid: None,
            nodes: Evidence::Read(nodes.iter().map(node).collect()),
            databases: Evidence::Read(databases.iter().map(database).collect()),
        }
    }

    fn names(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn later_files_win() {
        use DatabaseState::{HardDeleted, Present, SoftDeleted};
        use NodeState::{Removed, Removing, Running, Stopped};
        let root = file(
            &[("b", Running), ("a", Running), ("gone", Removing)],
            &[
                (2, Some("two"), Present),
                (1, Some("one"), Present),
                (3, Some("three"), Present),
                (4, Some("four"), SoftDeleted),
            ],
        );
        let log = file(
            &[("a", Stopped), ("gone", Removed)],
            &[(2, Some("two-deleted"), SoftDeleted), (3, None, HardDeleted)],
        );
        let contents = fold([root, log].into_iter());
        assert_eq!(contents, Contents { nodes: names(&["a", "b"]), databases: names(&["one"]) });
    }

    #[test]
    fn what_one_file_hides_is_unknown() {
        let hidden =
            CatalogFile { nodes: Evidence::Unreadable, ..file(&[], &[(1, Some("x"), DatabaseState::Present)]) };
        let known = file(&[("a", NodeState::Running)], &[]);
        let contents = fold([known, hidden].into_iter());
        assert_eq!(contents, Contents { nodes: None, databases: names(&["x"]) });
    }
}
