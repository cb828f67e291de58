//! A small tree of valid bytes, what a run would have listed of it, and who judges it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::{
    certificate::{Certificate, CheckedBy},
    cluster::{CatalogNode, ClusterDescription, Node, Role},
    finding::{Clause, Finding},
    format::{FileRef, FormatError},
    inventory::Listing,
    judge::{
        evidence::{Cut, Evidence, ManifestProvenance, Provenance, RunProvenance},
        fact::Facts,
        held::Held,
        judge,
    },
    key::Key,
    layout::{Generation, Group, wal_name, wal_number},
    location::{Identity, ObjectMeta, ObjectTable, Version},
    options::AbsenceTolerance,
    record::{AbsentRecord, Attested, ConfirmedBy, ContentRecord, Fence, Gap, Hole, ObjectRecord},
    testing::write::{self, CatalogOp, CatalogSpec, CheckpointSpec, FileSpec, ManifestSpec},
};

/// The catalog's uuid.
pub(super) const UUID: u128 = 7;

/// A tree as a run took it from its source, which lists the same objects unless a test says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) cluster: ClusterDescription,
    /// What the tree holds.
    held: BTreeMap<Key, Bytes>,
    /// What the last pass listed.
    listed: BTreeMap<Key, Bytes>,
    /// What copiers saw of Parquet files.
    seen: BTreeMap<Key, Result<(), FormatError>>,
    /// Compactor files that were listed again in other versions after the copies.
    pub(super) moved: BTreeSet<String>,
    /// Held in another version than listed.
    pub(super) other_version: BTreeSet<String>,
    pub(super) lacking: BTreeSet<String>,
    pub(super) fences: Vec<Fence>,
    pub(super) unstable: Vec<Finding>,
    pub(super) unheld_nodes: Vec<Finding>,
    pub(super) catalog_before: Option<u64>,
    pub(super) absence_tolerance: AbsenceTolerance,
    pub(super) checked_by: CheckedBy,
}

impl Tree {
    /// Cluster `c1` with the data node `n1` and the compactor `k1`: two snapshots with a file each, the first in a
    /// checkpoint; WAL 9 to 12, of which the snapshots cover 10; a catalog of generation 3 at sequence 3.
    pub(super) fn enterprise() -> Self {
        let mut tree = Self::of(Some("c1"), &[("n1", Role::Data), ("k1", Role::Compactor)]);
        tree.put("c1/enterprise", "{}");
        for key in ["k1/cs/1.json", "k1/cd/1.json", "k1/c/2b/56d/67c/79.parquet"] {
            tree.put(key, "opaque");
        }
        tree
    }

    /// Core node `n1`, with what `n1` of [`Tree::enterprise`] has and the catalog.
    pub(super) fn core() -> Self {
        Self::of(None, &[("n1", Role::Data)])
    }

    fn of(cluster_id: Option<&str>, nodes: &[(&str, Role)]) -> Self {
        let node = |(id, role): &(&str, Role)| Node { id: (*id).to_owned(), roles: vec![*role] };
        let named = |(id, _): &(&str, Role)| CatalogNode { id: (*id).to_owned(), in_store: true };
        let cluster = ClusterDescription {
            catalog_nodes: Some(nodes.iter().map(named).collect()),
            ..ClusterDescription::new(
                "test",
                Identity::Test,
                cluster_id.map(ToOwned::to_owned),
                nodes.iter().map(node).collect(),
            )
        };
        let fence = |(id, _): &(&str, Role)| Fence {
            node: (*id).to_owned(),
            first: (*id == "n1").then_some(9),
            last: (*id == "n1").then_some(12),
            holes: Vec::new(),
        };
        let mut tree = Self {
            cluster,
            held: BTreeMap::new(),
            listed: BTreeMap::new(),
            seen: BTreeMap::new(),
            moved: BTreeSet::new(),
            other_version: BTreeSet::new(),
            lacking: BTreeSet::new(),
            fences: nodes.iter().map(fence).collect(),
            unstable: Vec::new(),
            unheld_nodes: Vec::new(),
            catalog_before: Some(3),
            absence_tolerance: AbsenceTolerance::Strict,
            checked_by: CheckedBy::Content,
        };
        for (sequence, wal) in [(1, 5), (2, 10)] {
            tree.file(sequence);
            tree.snapshot(sequence, wal, &[sequence]);
        }
        tree.checkpoint("2025-10", 1, &[1], &[]);
        for number in 9..=12 {
            tree.put(&format!("n1/wal/{}", wal_name(number)), write::wal(b"rows"));
        }
        tree.root(Generation::V3, 2);
        tree.log(3);
        tree
    }

    /// Where the catalog is.
    pub(super) fn catalog(&self, tail: &str) -> String {
        format!("{}/{tail}", self.cluster.catalog_prefix())
    }

    /// Puts an object into source and tree.
    pub(super) fn put(&mut self, key: &str, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.listed.insert(parse(key), bytes.clone());
        self.alter(key, bytes);
    }

    /// The bytes that are held.
    pub(super) fn bytes(&self, key: &str) -> Bytes {
        self.held[key].clone()
    }

    /// Removes an object from source and tree.
    pub(super) fn remove(&mut self, key: &str) {
        assert!(self.listed.remove(key).is_some(), "{key} is listed");
        self.lose(key);
    }

    /// Removes an object from the tree only.
    pub(super) fn lose(&mut self, key: &str) {
        assert!(self.held.remove(key).is_some(), "{key} is held");
    }

    /// Removes an object from the source only.
    pub(super) fn unlist(&mut self, key: &str) {
        assert!(self.listed.remove(key).is_some(), "{key} is listed");
    }

    /// Puts other bytes into the tree only.
    pub(super) fn alter(&mut self, key: &str, bytes: impl Into<Bytes>) {
        self.held.insert(parse(key), bytes.into());
    }

    /// Says what a copier saw of a Parquet file.
    pub(super) fn see(&mut self, key: &str, ends: Result<(), FormatError>) {
        self.seen.insert(parse(key), ends);
    }

    /// Puts Parquet file `id`.
    pub(super) fn file(&mut self, id: u64) {
        let spec = file(id);
        self.put(&spec.path, write::parquet(&write::rows([id], 100)));
    }

    /// Puts a manifest of `n1` that adds files.
    pub(super) fn snapshot(&mut self, sequence: u64, wal: u64, added: &[u64]) {
        self.manifest(sequence, ManifestSpec { wal, ..manifest(sequence, added, &[]) });
    }

    /// Puts a manifest under the name of `sequence`.
    pub(super) fn manifest(&mut self, sequence: u64, spec: ManifestSpec) {
        self.put(&snapshot_key(sequence), write::manifest(&spec));
    }

    /// Puts a checkpoint of `n1`.
    pub(super) fn checkpoint(&mut self, month: &str, sequence: u64, files: &[u64], removed: &[u64]) {
        self.put(&checkpoint_key(month, sequence), write::checkpoint(&checkpoint(month, sequence, files, removed)));
    }

    /// Puts the root of a generation.
    pub(super) fn root(&mut self, generation: Generation, sequence: u64) {
        let spec = CatalogSpec { catalog_id: "c".to_owned(), uuid: UUID, sequence, ..CatalogSpec::default() };
        self.put(&self.catalog(generation.root()), write::catalog_root(generation, &spec));
    }

    /// Puts a log of generation 3.
    pub(super) fn log(&mut self, sequence: u64) {
        self.put(&self.log_key(sequence), log(UUID, sequence));
    }

    pub(super) fn log_key(&self, sequence: u64) -> String {
        self.catalog(&format!("catalog/v3/logs/{}", write::catalog_log_name(sequence)))
    }

    /// The last WAL number that the run listed.
    pub(super) fn fence(&mut self) {
        let numbers = self.listed.keys().filter_map(|key| wal_number(key.below("n1/wal")?));
        self.fences[0].last = numbers.max();
    }

    /// Judged by the run that took it.
    pub(super) fn judge(&self) -> Certificate {
        let listings = self.listings(&BTreeSet::new());
        let compactor_after: Vec<_> = self
            .listings(&self.moved)
            .into_iter()
            .filter(|listing| matches!(listing.group, Group::CompactionSummaries | Group::CompactionDetails))
            .collect();
        let run = RunProvenance {
            listings: &listings,
            compactor_after: &compactor_after,
            absent: self.lacking.iter().map(|path| absent_file(path)).collect(),
            unreadable: &[],
            fences: &self.fences,
            unstable: &self.unstable,
            unheld_nodes: &self.unheld_nodes,
            catalog_before: self.catalog_before,
        };
        self.judged_by(Provenance::Run(&run), Some(self.checked_by), self.absence_tolerance)
    }

    /// Judged where nothing is recorded.
    pub(super) fn judge_alone(&self) -> Certificate {
        self.judged_by(Provenance::None, None, AbsenceTolerance::Strict)
    }

    /// Judged again as a backup that this run committed.
    pub(super) fn judge_record(&self) -> Certificate {
        self.judge_record_of(self)
    }

    /// Judged again as a backup that was `committed`, and is this tree now.
    pub(super) fn judge_record_of(&self, committed: &Self) -> Certificate {
        let listings = committed.listings(&BTreeSet::new());
        let attested = Attested {
            fences: committed.fences.clone(),
            differences: BTreeMap::new(),
            listings: listings.iter().map(Into::into).collect(),
            unreadable: Vec::new(),
        };
        let certificate = committed.judge();
        let had = || committed.held.iter();
        let absent_record = |path: &String| AbsentRecord {
            node: "n1".to_owned(),
            path: path.clone(),
            database: 1,
            table: 2,
            rows: 10,
            newest: DateTime::UNIX_EPOCH,
        };
        let absent = committed.lacking.iter().map(absent_record).collect();
        let record = ManifestProvenance {
            certificate: &certificate,
            attested: &attested,
            absent: &absent,
            lost: had().map(|(key, _)| key.clone()).filter(|key| !self.held.contains_key(key)).collect(),
            altered: had()
                .filter(|(key, bytes)| self.held.get(*key).is_some_and(|now| now.len() != bytes.len()))
                .map(|(key, _)| key.clone())
                .collect(),
        };
        self.judged_by(Provenance::Manifest(&record), Some(self.checked_by), AbsenceTolerance::Lenient)
    }

    fn judged_by(
        &self,
        provenance: Provenance<'_>,
        checked_by: Option<CheckedBy>,
        absence_tolerance: AbsenceTolerance,
    ) -> Certificate {
        let mut facts = Facts::default();
        let mut listed = Vec::new();
        for (key, bytes) in &self.held {
            let version = version(usize::from(self.other_version.contains(key.as_str())));
            facts.read(&self.cluster, key, version.clone(), bytes);
            listed.push(ObjectMeta::new(key.clone(), bytes.len() as u64, version));
        }
        let record = |checked_by: CheckedBy| {
            move |ObjectMeta { key, size, version }: ObjectMeta| {
                ObjectRecord::new(key, version, ContentRecord::new(size, None), checked_by)
            }
        };
        let records = checked_by.map(|checked_by| listed.iter().cloned().map(record(checked_by)).collect());
        let listed = ObjectTable::from(listed);
        let held = records.as_ref().map_or_else(|| Held::listed(&listed), Held::recorded);
        for (key, ends) in &self.seen {
            facts.record_parquet(key, &version(0), ends.clone());
        }
        let cut = Cut::newest(&self.cluster, &facts);
        judge(&Evidence::new(&self.cluster, &held, &facts, &cut, provenance, absence_tolerance), Clause::ALL)
            .certificate
    }

    /// What the run listed, with other versions of the objects that moved.
    fn listings(&self, moved: &BTreeSet<String>) -> Vec<Listing> {
        let mut listings: BTreeMap<(Group, String), Vec<ObjectMeta>> = BTreeMap::new();
        for node in &self.cluster.nodes {
            for group in [Group::CompactionSummaries, Group::CompactionDetails, Group::Compacted] {
                if node.is(Role::Compactor) {
                    listings.insert((group, node.id.clone()), Vec::new());
                }
            }
        }
        for (key, bytes) in &self.listed {
            let Some(object) = self.cluster.classify(key) else { continue };
            let version = version(usize::from(moved.contains(key.as_str())));
            let entry = ObjectMeta { key: key.clone(), size: bytes.len() as u64, version };
            listings.entry((Group::of(&object), object.owner.to_owned())).or_default().push(entry);
        }
        let time = DateTime::<Utc>::UNIX_EPOCH;
        let listing = |(order, ((group, owner), entries))| Listing {
            group,
            owner,
            started: time,
            ended: time,
            order,
            entries: ObjectTable::from_iter(entries),
        };
        (1..).zip(listings).map(listing).collect()
    }
}

/// A live file of this path.
fn absent_file(path: &str) -> FileRef {
    let (size_bytes, row_count) = (100, 10);
    let (chunk_time, min_time, max_time) = (0, 0, 0);
    FileRef {
        database: 1,
        table: 2,
        id: 1,
        path: path.to_owned(),
        size_bytes,
        row_count,
        chunk_time,
        min_time,
        max_time,
    }
}

fn parse(key: &str) -> Key {
    Key::parse(key).expect("a key")
}

fn version(number: usize) -> Version {
    Version { e_tag: Some(format!("v{number}").into()), id: None, modified: DateTime::<Utc>::UNIX_EPOCH }
}

/// Parquet file `id` of `n1` as manifests list it.
pub(super) fn file(id: u64) -> FileSpec {
    let size_bytes = write::parquet(&write::rows([id], 100)).len() as u64;
    FileSpec {
        database: 1,
        table: 2,
        id,
        path: file_key(id),
        size_bytes,
        row_count: 10,
        chunk_time: 0,
        min_time: 0,
        max_time: i64::try_from(id).unwrap_or(i64::MAX),
    }
}

pub(super) fn file_key(id: u64) -> String {
    format!("n1/dbs/1/2/2025-10-09/08-{id:02}/0000000001.parquet")
}

pub(super) fn snapshot_key(sequence: u64) -> String {
    format!("n1/snapshots/{}", write::manifest_name(sequence))
}

pub(super) fn checkpoint_key(month: &str, sequence: u64) -> String {
    format!("n1/snapshot-checkpoints/{month}/{}", write::checkpoint_name(sequence))
}

pub(super) fn wal_key(number: u64) -> String {
    format!("n1/wal/{}", wal_name(number))
}

/// A manifest of `n1` that covers five WAL files a snapshot.
pub(super) fn manifest(sequence: u64, added: &[u64], removed: &[u64]) -> ManifestSpec {
    ManifestSpec {
        node_id: "n1".to_owned(),
        sequence,
        wal: sequence.saturating_mul(5),
        catalog: 3,
        next_file_id: 100,
        added: added.iter().map(|id| file(*id)).collect(),
        removed: removed.iter().map(|id| file(*id)).collect(),
    }
}

/// A checkpoint of `n1`, as [`manifest`].
pub(super) fn checkpoint(month: &str, sequence: u64, files: &[u64], removed: &[u64]) -> CheckpointSpec {
    CheckpointSpec {
        node_id: "n1".to_owned(),
        month: month.to_owned(),
        sequence,
        wal: sequence.saturating_mul(5),
        catalog: 3,
        next_file_id: 100,
        files: files.iter().map(|id| file(*id)).collect(),
        pending_removed: removed.iter().map(|id| file(*id)).collect(),
    }
}

/// A log of generation 3.
pub(super) fn log(uuid: u128, sequence: u64) -> Bytes {
    write::catalog_log(Generation::V3, sequence, uuid, &[CatalogOp::SetGenerationDuration])
}

/// Numbers that the source was asked for and does not have.
pub(super) fn hole(first: u64, last: u64) -> Hole {
    Hole { gap: Gap { first, last }, by: ConfirmedBy::Head }
}
