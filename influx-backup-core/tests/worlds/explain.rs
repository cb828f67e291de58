//! Whether the world itself shows what a certificate reports.
//!
//! A violation is explained where the objects of the model were, at that time, what it says that they are, or moved under the
//! pass that it is about. Nothing here is asked of the engine: only of the model's chronicle.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use influx_backup_core::{Clause, Finding, FindingCode, Generation, Key};
use influx_backup_testing::model::{Chronicle, Model};
use serde_json::Value;

/// A time in which a certificate looked at the world.
pub(crate) type When = RangeInclusive<Duration>;

/// Who knows what happened.
#[derive(Debug)]
pub(crate) struct Knowledge<'a> {
    pub(crate) model: &'a Model,
    pub(crate) objects: &'a Chronicle,
    /// When the backup began.
    pub(crate) began: Duration,
}

impl Knowledge<'_> {
    /// Whether the world shows a violation at some moment of `when`, or what it is about moved meanwhile.
    pub(crate) fn explains(&self, violation: &Finding, when: &When) -> bool {
        let node = violation.node.as_deref().unwrap_or_default();
        let key = violation.key.as_ref().map_or("", Key::as_str);
        let objects = self.objects;
        let Some(clause) = violation.clause else { return false };
        match (clause, &violation.code) {
            (Clause::Closure, FindingCode::MissingParquet) => {
                let gone = objects.lacked(key, when) || objects.moved(key, when);
                gone && self.live_at_times(node, when).any(|live| live.contains_key(key))
            }
            (Clause::Closure, FindingCode::WrongSizeParquet) => self.live_at_times(node, when).any(|live| {
                let Some(size) = live.get(key) else { return false };
                let mut stored = objects.versions(key, when).map(|bytes| bytes.len() as u64);
                violation.expected == Some(*size)
                    && violation.found != Some(*size)
                    && stored.any(|held| violation.found == Some(held))
            }),
            (Clause::Closure, FindingCode::MostParquetMissing) => {
                self.model.compactor_id().is_none()
                    && self.live_at_times(node, when).any(|live| {
                        let gone = live.keys().filter(|key| objects.lacked(key, when)).count();
                        let all = live.len();
                        let left = violation.found.and_then(|left| usize::try_from(left).ok());
                        let missing = left.and_then(|left| all.checked_sub(left)).unwrap_or(0);
                        violation.expected == Some(all as u64)
                            && (1..=gone).contains(&missing)
                            && (missing * 2 > all || gone == all)
                    })
            }
            (Clause::Manifests, FindingCode::MissingManifest) | (Clause::Stability, FindingCode::ListedNotHeld) => {
                objects.moved(key, when)
            }
            // A number that was never written cannot be told from one that was trimmed.
            (Clause::Manifests, FindingCode::NoManifests) => {
                objects.lacked(&format!("{node}/wal/{:011}.wal", 1), when)
                    && self.is_bare(node, "snapshots", when)
                    && self.has(node, "dbs", when)
            }
            (Clause::Wal, FindingCode::MissingWal) => violation.range.is_some_and(|(first, last)| {
                (first..=last).all(|number| self.came_or_went(&format!("{node}/wal/{number:011}.wal"), when))
            }),
            (Clause::Catalog, FindingCode::NoLiveCatalog | FindingCode::CatalogWentBack) => self.is_migrating(when),
            (Clause::Catalog, FindingCode::OldCatalog) => {
                self.is_migrating(when) || violation.expected.is_some_and(|log| self.log_moved(log, when))
            }
            (Clause::Catalog, FindingCode::MissingCatalogLog) => objects.moved(key, when),
            (Clause::Catalog, FindingCode::CatalogGap) => {
                violation.expected.is_some_and(|log| self.log_moved(log, when))
            }
            (Clause::Checkpoints, FindingCode::MissingCheckpoint) => objects.lacked(key, when),
            (Clause::Stability, FindingCode::CompactorMoved) => {
                self.appeared(&["cs", "cd", "c"].map(|kind| format!("{node}/{kind}/")), when)
            }
            (Clause::Stability, FindingCode::MostParquetMissing) => {
                self.is_bare(node, "dbs", when)
                    && self.has(node, "dbs", &(self.began..=*when.end()))
                    && self.live_at_times(node, when).any(|live| !live.is_empty())
            }
            (Clause::Compactor, FindingCode::MissingCompactorFile | FindingCode::OtherCompactorFile) => {
                objects.moved(key, when)
            }
            (Clause::Compactor, FindingCode::CompactorActive) => ["cs", "cd"].iter().any(|kind| {
                let prefix = format!("{node}/{kind}/");
                objects.keys(&prefix).any(|key| objects.moved(key, when))
            }),
            (Clause::Nodes, FindingCode::NodeAppeared) => self.appeared(&[format!("{node}/")], when),
            // Nothing else is ever wrong with a world.
            _ => false,
        }
    }

    /// Whether an object was there at some moment and not at another.
    fn came_or_went(&self, key: &str, when: &When) -> bool {
        self.objects.versions(key, when).next().is_some() && self.objects.lacked(key, when)
    }

    /// The live files of a node by its manifests, with the sizes that those say, whenever one of them was stored.
    fn live_at_times<'b>(&'b self, node: &'b str, when: &'b When) -> impl Iterator<Item = BTreeMap<String, u64>> {
        let moments = self.objects.moments(&format!("{node}/snapshots/"), when);
        moments.into_iter().map(move |now| self.live(node, now))
    }

    /// What the manifests of a node leave, the oldest first: path, size.
    fn live(&self, node: &str, now: Duration) -> BTreeMap<String, u64> {
        let mut live = BTreeMap::new();
        // Names count backwards.
        for key in self.objects.keys(&format!("{node}/snapshots/")).rev() {
            let Some(bytes) = self.objects.at(key, now) else { continue };
            let manifest: Value = serde_json::from_slice(bytes).expect("the model writes JSON");
            live.extend(files(&manifest["databases"]));
            for (path, _) in files(&manifest["removed_files"]) {
                live.remove(&path);
            }
        }
        live
    }

    /// Whether a directory of a node was empty at some moment.
    fn is_bare(&self, node: &str, directory: &str, when: &When) -> bool {
        let prefix = format!("{node}/{directory}/");
        let there = |now| self.objects.keys(&prefix).any(|key| self.objects.at(key, now).is_some());
        self.objects.moments(&prefix, when).into_iter().any(|now| !there(now))
    }

    /// Whether a directory of a node had something in it at some moment.
    fn has(&self, node: &str, directory: &str, when: &When) -> bool {
        let prefix = format!("{node}/{directory}/");
        self.objects.keys(&prefix).any(|key| self.objects.versions(key, when).next().is_some())
    }

    /// Whether the first object below these prefixes was stored meanwhile.
    fn appeared(&self, prefixes: &[String], when: &When) -> bool {
        let keys = || prefixes.iter().flat_map(|prefix| self.objects.keys(prefix));
        keys().all(|key| self.objects.before(key, *when.start()).is_none())
            && keys().any(|key| self.objects.moved(key, when))
    }

    /// Whether the newest catalog was frozen, and its successor not there yet, at some moment.
    fn is_migrating(&self, when: &When) -> bool {
        let catalog = format!("{}/", self.model.cluster_id());
        self.objects.moments(&catalog, when).into_iter().any(|now| self.is_frozen(now))
    }

    /// Whether a terminator is there and nothing newer.
    fn is_frozen(&self, now: Duration) -> bool {
        let owner = self.model.cluster_id();
        let objects = self.objects;
        let newest = Generation::ALL.iter().copied().rev().find_map(|generation| {
            let logs = format!("{owner}/{}/", generation.logs());
            let mut logs = objects.keys(&logs).filter_map(|key| objects.at(key, now)).peekable();
            let has_root = objects.at(&format!("{owner}/{}", generation.root()), now).is_some();
            (has_root || logs.peek().is_some()).then(|| logs.any(|bytes| bytes.starts_with(b"idb3.EOF.l")))
        });
        newest == Some(true)
    }

    /// Whether a log of the catalog was stored or collected meanwhile.
    fn log_moved(&self, sequence: u64, when: &When) -> bool {
        let key = |generation: Generation| {
            format!("{}/{}/{sequence:020}.catalog", self.model.cluster_id(), generation.logs())
        };
        Generation::ALL.iter().copied().any(|generation| self.objects.moved(&key(generation), when))
    }
}

/// `[[db, {"tables": [[table, [file, …]], …]}], …]`.
fn files(databases: &Value) -> Vec<(String, u64)> {
    let below = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let tables = below(databases).into_iter().flat_map(|database| below(&database[1]["tables"]));
    let files = tables.flat_map(|table| below(&table[1]));
    files.filter_map(|file| Some((file["path"].as_str()?.to_owned(), file["size_bytes"].as_u64()?))).collect()
}
